using System.Runtime.CompilerServices;
using System.Text;
using WasmJit.Jit.Binary;
using WasmJit.Jit.Format;
using WasmJit.Jit.Tiers;
using Xunit;

namespace WasmJit.Tests.Linking;

/// <summary>What scripts cannot see of module linking: shared code, garbage, names, and modules that mean harm.</summary>
public sealed class StaticLinkingTests
{
    // ---- shared code ----

    [Fact]
    public void ProgramsShareTheCodeOfLibrariesAndNotTheMemory()
    {
        Instance application = new Engine(Tiers.Compiled).CompileText("""
            (module
              (module $LIBC (memory (export "memory") 1) (func (export "set") (param i32) (i32.store (i32.const 0) (local.get 0))))
              (module $ZIP
                (import "libc" (instance $c (export "memory" (memory 1)) (export "set" (func (param i32)))))
                (func (export "zip") (param i32) (call (func $c "set") (i32.mul (local.get 0) (i32.const 2)))))
              (module $PROGRAM
                (type $C (instance (export "memory" (memory 1)) (export "set" (func (param i32)))))
                (import "libc" (module $LIBC (export $C)))
                (import "libzip" (module $ZIP (import "libc" (instance (type $C))) (export "zip" (func (param i32)))))
                (instance $libc (export "libc") (instantiate $LIBC))
                (instance $libzip (export "libzip") (instantiate $ZIP (import "libc" (instance $libc))))
                (func (export "main") (param i32) (call (func $libzip "zip") (local.get 0)))
                (export "memory" (memory $libc "memory")))
              (instance (export "zipper") (instantiate $PROGRAM (import "libc" (module $LIBC)) (import "libzip" (module $ZIP))))
              (instance (export "imgmgk") (instantiate $PROGRAM (import "libc" (module $LIBC)) (import "libzip" (module $ZIP)))))
            """).Instantiate();
        Instance zipper = application.GetExport<Instance>("zipper"), imgmgk = application.GetExport<Instance>("imgmgk");
        zipper.GetExport<Action<int>>("main")(21);
        imgmgk.GetExport<Action<int>>("main")(4);
        Assert.NotSame(zipper.GetExport<Memory>("memory"), imgmgk.GetExport<Memory>("memory"));
        Assert.Equal(42, zipper.GetExport<Memory>("memory").Read<int>(0));
        Assert.Equal(8, imgmgk.GetExport<Memory>("memory").Read<int>(0));
        foreach (string library in new[] { "libc", "libzip" })
        {
            Instance one = zipper.GetExport<Instance>(library), other = imgmgk.GetExport<Instance>(library);
            Assert.NotSame(one, other);
            Assert.Same(one.Module, other.Module);
            Assert.Same(one.Module.Code, other.Module.Code);
            Assert.Same(one.Services, other.Services);
        }
        FunctionCode zip = zipper.GetExport<Instance>("libzip").Module.Code;
        int func = zip.Info.ImportedFuncs;
        Assert.Equal(zip.CodeOf(func), zip.Compile(func));
    }

    // ---- instances that two-level imports imply ----

    [Fact]
    public void AliasesBetweenImportsCostNoMoreThanOnePartEach()
    {
        var bytes = new List<byte>("\0asm\x1\0\0\0"u8.ToArray());
        void Section(byte id, params byte[] item)
        {
            bytes.Add(id);
            bytes.Add((byte)(item.Length + 1));
            bytes.Add(1);
            bytes.AddRange(item);
        }
        Section(SectionId.Type, TypeByte.Func, 0, 0);
        for (int i = 0; i < 20_000; i++)
        {
            byte[] name = Encoding.ASCII.GetBytes($"{i}");
            Section(SectionId.Import, [1, (byte)'a', (byte)name.Length, .. name, 0, 0]);
            Section(SectionId.Alias, [0, 0, 0, (byte)name.Length, .. name]);
        }
        Module module = new Engine().Compile(bytes.ToArray());
        Assert.Equal(40_000, module.Info.ImportedFuncs);
        Assert.Single(module.Info.Instances);
    }

    [Fact]
    public void ModulesWithoutTheExtensionMakeNoInstancesOfTheirImports()
    {
        Module module = new Engine().CompileText("""(module (import "a" "f" (func)) (import "b" "f" (func)) (import "a" "g" (func)))""");
        Assert.Equal(["a", "b"], module.Info.Instances.Select(i => i.First));
        Assert.Empty(module.Instantiate(new Imports { { "a", "f", () => { } }, { "b", "f", () => { } }, { "a", "g", () => { } } }).Instances);
    }

    /// <summary>Which instance type was there first shows nowhere.</summary>
    [Fact]
    public void ExportsOfAModuleKeepTheirOrder()
    {
        var engine = new Engine();
        Module ab = engine.CompileText("""(module (func (export "a#") (param i64)) (func (export "b#") (param i32)))""");
        Module ba = engine.CompileText("""(module (func (export "b#") (param i32)) (func (export "a#") (param i64)))""");
        Assert.Same(ab.Info.ModuleType, ba.Info.ModuleType);
        Assert.Equal(["a#", "b#"], ab.Exports.Select(e => e.Name));
        Assert.Equal(["b#", "a#"], ba.Exports.Select(e => e.Name));
        Assert.Equal(["b#", "a#"], ba.Instantiate().Exports.Select(e => e.Name));
    }

    /// <summary>Closures of one nested module are different modules with one code.</summary>
    [Fact]
    public void ClosuresShareTheirCode()
    {
        Module outer = new Engine().CompileText("""
            (module
              (import "lib" (module $lib (export "f" (func (result i32)))))
              (module (export "closed")
                (instance $i (instantiate (module outer 0 $lib)))
                (func (export "f") (result i32) (i32.add (call (func $i "f")) (i32.const 100)))))
            """);
        var engine = new Engine();
        Module Lib(int value) => engine.CompileText($"(module (func (export \"f\") (result i32) (i32.const {value})))");
        Module first = outer.Instantiate(new Imports { { "lib", Lib(1) } }).GetExport<Module>("closed");
        Module second = outer.Instantiate(new Imports { { "lib", Lib(2) } }).GetExport<Module>("closed");
        Assert.NotSame(first, second);
        Assert.Same(first.Info, second.Info);
        Assert.Same(first.Code, second.Code);
        Assert.Equal(101, first.Instantiate().GetExport<Func<int>>("f")());
        Assert.Equal(102, second.Instantiate().GetExport<Func<int>>("f")());
        Assert.Equal(101, first.Instantiate().GetExport<Func<int>>("f")());
    }

    // ---- encodings ----

    /// <summary>The operators and types as the specification's tables have them.</summary>
    [Theory]
    [InlineData("(func (drop (ref.module $b)))", "FA 00 01")]
    [InlineData("(func (drop (ref.instance $j)))", "FA 01 01")]
    [InlineData("(func (drop (instantiate (module $b))))", "FA 0C 01")]
    [InlineData("(func (call_export $b \"f\" (ref.null none)))", "FA 12 01 01 66")]
    [InlineData("(func (return_call_export $b \"f\" (ref.null none)))", "FA 13 01 01 66")]
    [InlineData("(func (drop (ref.test (ref (exact $b)) (ref.null none))))", "FB 14 56 01")]
    [InlineData("(func (drop (ref.test (ref null module) (ref.null none))))", "FB 15 5E")]
    [InlineData("(func (drop (ref.cast (ref instance) (ref.null none))))", "FB 16 5D")]
    [InlineData("(type (module (import \"a\" (func)) (import \"b\" \"c\" (func)) (export \"d\" (func))))", "61 04 01 60 00 00 02 01 61 00 FF 00 00 02 01 62 01 63 00 00 07 01 64 00 00")]
    [InlineData("(type (instance (alias outer 0 $t (type)) (export \"d\" (func (type 0)))))", "62 02 0F 01 00 07 00 07 01 64 00 00")]
    [InlineData("(type (instance (export \"d\" (func (type $t)))))", "62 02 0F 01 00 07 00 07 01 64 00 00")]
    [InlineData("(instance (instantiate $b (import \"x\" (module $a)) (import \"y\" (instance $j))))", "00 01 02 01 78 05 00 01 79 06 01")]
    [InlineData("(alias $i \"f\" (func))", "10 06 01 00 00 00 01 66")]
    [InlineData("(export \"m\" (module $b)) (export \"i\" (instance $j))", "01 6D 05 01 01 69 06 01")]
    [InlineData("(module (alias outer 0 $t (type)) (alias outer 0 $b (module)))", "10 09 02 01 00 07 00 01 00 05 01")]
    public void Encodings(string field, string expected)
    {
        byte[] bytes = Wat.ToBinary($"""
            (module (type $t (func)) (module $a (func (export "f"))) (module $b (func (export "f")))
              (instance $i (instantiate $a)) (instance $j (instantiate $b)) {field})
            """);
        string hex = Convert.ToHexString(bytes);
        Assert.True(hex.Contains(expected.Replace(" ", "", StringComparison.Ordinal), StringComparison.Ordinal), hex);
        Assert.True(new Engine().Validate(bytes, out ModuleException? error), error?.Message);
    }

    // ---- garbage ----

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static WeakReference[] MakeCycle()
    {
        Module module = new Engine().CompileText("""
            (module
              (module $node
                (import "outer" (func $outer (result anyref)))
                (memory (export "m") 1)
                (table (export "t") 2 anyref)
                (func (export "up") (result anyref) (call $outer)))
              (table $all (export "all") 3 anyref)
              (func (export "use") (param (ref null (exact $node))) (result (ref null (exact $node))) (local.get 0))
              (func $self (result anyref) (table.get $all (i32.const 0)))
              (elem declare func $self)
              (func (export "tie") (param $me anyref) (local $a (ref null (exact $node)))
                (table.set $all (i32.const 0) (local.get $me))
                (local.set $a (instantiate (module $node) (ref.func $self)))
                (table.set $all (i32.const 1) (local.get $a))
                (table.set $all (i32.const 2) (ref.module $node))
                (drop (call_export $node "up" (local.get $a)))))
            """);
        Instance instance = module.Instantiate();
        instance.GetExport<Action<object?>>("tie")(instance);
        Table all = instance.GetExport<Table>("all");
        var node = (Instance)all[1]!;
        var closure = (Module)all[2]!;
        node.GetExport<Table>("t")[0] = closure;
        node.GetExport<Table>("t")[1] = instance;
        Assert.Same(instance, node.GetExport<Func<object?>>("up")());
        Assert.Same(node, instance.GetExport<Func<object?, object?>>("use")(node));
        Assert.Throws<ArgumentException>(() => instance.GetExport<Func<object?, object?>>("use")(instance));
        return [new(module), new(module.Code), new(instance), new(node), new(node.GetExport<Memory>("m")), new(closure), new(closure.Code), new(closure.Info)];
    }

    [Fact]
    public void ModulesAndInstancesInCyclesAreCollected()
    {
        WeakReference[] parts = MakeCycle();
        Eventually.Collected(parts);
        Assert.All(parts, part => Assert.False(part.IsAlive, $"{part.Target}"));
    }

    // ---- names ----

    [Fact]
    public void NamesOfNestedModulesAreInTraces()
    {
        Module module = new Engine().CompileText("""
            (module $out
              (module $in (func $deep (export "f") (loop unreachable)))
              (func $call (export "f") (call_export $in "f" (instantiate (module $in)))))
            """);
        TrapException trap = Assert.Throws<TrapException>(() => module.Instantiate().GetExport<Action>("f")());
        Assert.Contains("in!deep", trap.ToString(), StringComparison.Ordinal);
        Assert.Contains("out!call", trap.ToString(), StringComparison.Ordinal);
        Assert.Equal("in", module.Info.Nested[0].Names.Module);
        Assert.Equal("in", module.Info.Names.Modules[0]);
    }

    [Theory]
    // A nested module with another name than the one around it has for it.
    [InlineData("(module (module $x (@custom \"name\" \"\\00\\02\\01y\")))")]
    [InlineData("(module (module (@name \"two words\") (func)) (instance (@name \"\") (instantiate 0)))")]
    [InlineData("(module $a (module $a (module $a)) (instance $a (instantiate $a)) (instance $b (instantiate $a)))")]
    [InlineData("(module (@custom \"a\" (before first) \"1\") (@custom \"b\" (after type)) (@custom \"c\" (before module)) (@custom \"d\" (after alias)) (type $t (func)) (module (alias outer 0 0 (type)) (@custom \"e\" (after alias) \"2\") (func (type 0))) (func))")]
    [InlineData("(module $m (type $t (func (param i32))) (module (func (type outer $m $t) (param $named i32) (drop (local.get $named)))))")]
    [InlineData("(module $m (type $s (struct)) (type $t (func (param (ref $s)))) (module (func (type outer $m $t) (param $named (ref null none)) (local $l i32))))")]
    [InlineData("(module (type (instance (type (func)) (type (func)) (export \"a\" (func (type 1))) (export \"b\" (func (type 0))))))")]
    [InlineData("(module (type $t (func)) (type (module (alias outer 0 0 (type)) (alias outer 0 $t (type)) (type (func)) (import \"a\" (func (type 1))) (export \"b\" (func (type $t))))))")]
    [InlineData("(module (type (instance (type (instance (export \"x\" (func)))) (type $j (instance (alias outer 0 0 (type)) (export \"i\" (instance (type 0))))) (export \"j\" (instance (type $j))))))")]
    [InlineData("(module (type (instance (type (struct (field i32))) (type (func (param (ref 0)))) (export \"f\" (func (type 1))))))")]
    [InlineData("(module (module $m) (type $t (func (param (ref (exact $m))))) (type $u (func (param (ref $t) i64))) (func (type $t)) (func (param (ref null (exact $m)) i32)))")]
    [InlineData("(module (type $m (func)) (module $m) (func (param (ref (exact (module $m)))) (param (ref (exact $m)))))")]
    [InlineData("(module (data \"a\" (module (module $x (func (export \"f\")))) \"b\"))")]
    public void PrintedAndReadAgain(string text)
    {
        byte[] bytes = Wat.ToBinary(text);
        string printed = Wat.FromBinary(bytes);
        byte[] again = Wat.ToBinary(printed);
        Assert.True(bytes.AsSpan().SequenceEqual(again), $"{printed}\n{Wat.FromBinary(again)}");
        Assert.True(new Engine().Validate(bytes, out ModuleException? error), $"{error?.Message}\n{printed}");
    }

    // ---- modules that mean harm ----

    private static string Doubling(string leaf, int levels, string last)
    {
        var text = new StringBuilder($"(type $t0 (instance (export \"e\" {leaf})))");
        for (int i = 1; i <= levels; i++)
            text.Append($"(type $t{i} ({(i % 2 == 0 ? "instance" : "module")} (export \"a\" ({(i % 2 == 0 ? "module" : "instance")} (type $t{i - 1}))) (export \"b\" ({(i % 2 == 0 ? "module" : "instance")} (type $t{i - 1})))))");
        return text.Append(last).ToString();
    }

    [Fact]
    public void TypesThatDoubleAreRefused()
    {
        byte[] bytes = Wat.ToBinary($"(module {Doubling("(func)", 60, "")})");
        Assert.False(new Engine().Validate(bytes, out ModuleException? error));
        Assert.Contains("type too large", error!.Message, StringComparison.Ordinal);
        Assert.NotEmpty(Wat.FromBinary(Wat.ToBinary($"(module {Doubling("(func)", 12, "")})")));
        // Through globals, which types are compared through too.
        var globals = new StringBuilder("(module (type $t0 (instance (export \"e\" (func))))");
        for (int i = 1; i <= 60; i++)
            globals.Append($"(type $t{i} (instance (export \"a\" (global (ref $t{i - 1}))) (export \"b\" (global (ref $t{i - 1})))))");
        Assert.False(new Engine().Validate(Wat.ToBinary(globals.Append(')').ToString()), out error));
        Assert.Contains("type too large", error!.Message, StringComparison.Ordinal);
    }

    /// <summary>Types within the limit: a comparison walks through each pair once, in validation, casts and linking.</summary>
    [Fact]
    public void TypesOfManyPartsAreComparedQuickly()
    {
        const int Levels = 17;
        string lower = Doubling("(func)", Levels, "").Replace("(export \"e\" (func))", "(export \"e\" (func)) (export \"x\" (func))", StringComparison.Ordinal)
            .Replace("$t", "$l", StringComparison.Ordinal);
        string upper = Doubling("(func)", Levels, "");
        byte[] valid = Wat.ToBinary($"(module {lower} {upper} (func (param (ref $l{Levels})) (result (ref $t{Levels})) (local.get 0)))");
        Assert.True(new Engine().Validate(valid, out ModuleException? error), error?.Message);
        byte[] invalid = Wat.ToBinary($"(module {lower} {upper} (func (param (ref $t{Levels})) (result (ref $l{Levels})) (local.get 0)))");
        Assert.False(new Engine().Validate(invalid, out error));
        Assert.InRange(error!.Message.Length, 1, 20_000);
        Assert.NotEmpty(Wat.FromBinary(valid));
    }

    [Fact]
    public void ManyNamesAreComparedQuickly()
    {
        const int Count = 10_000;
        static string Type(string name, IEnumerable<int> order) =>
            $"(type ${name} (instance {string.Concat(order.Select(i => $"(export \"a name of some length {i}\" (func))"))} (export \"{name}\" (func))))";
        var fields = new StringBuilder("(module ");
        fields.Append(Type("a", Enumerable.Range(0, Count))).Append(Type("b", Enumerable.Range(0, Count).Reverse()));
        fields.Append($"(type $c (instance {string.Concat(Enumerable.Range(0, Count).Select(i => $"(export \"a name of some length {i}\" (func))"))}))");
        fields.Append("(func (param (ref $a)) (result (ref $c)) ");
        for (int i = 0; i < 10_000; i++) fields.Append("(block (result (ref $c)) (local.get 0)) (drop) ");
        fields.Append("(local.get 0)) (func (param (ref $b)) (result (ref $c)) (local.get 0)))");
        Assert.True(new Engine().Validate(Wat.ToBinary(fields.ToString()), out ModuleException? error), error?.Message);
    }

    [Theory]
    [InlineData("instance", "type too deep")]
    [InlineData("module", "type too deep")]
    public void DeepTypesAreRefused(string kind, string reason)
    {
        var inline = new StringBuilder("(module (type ");
        for (int i = 0; i < 150; i++) inline.Append($"({kind} (export \"x\" ");
        inline.Append("(func)").Append(')', 300).Append("))");
        Assert.False(new Engine().Validate(Wat.ToBinary(inline.ToString()), out ModuleException? error));
        Assert.Contains(reason, error!.Message, StringComparison.Ordinal);

        var named = new StringBuilder($"(module (type $t0 ({kind}))");
        for (int i = 1; i < 400; i++) named.Append($"(type $t{i} ({kind} (export \"x\" ({kind} (type $t{i - 1})))))");
        Assert.False(new Engine().Validate(Wat.ToBinary(named.Append(')').ToString()), out error));
        Assert.Contains(reason, error!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void DeepModulesAreRefused()
    {
        static string Nested(int depth) => $"{string.Concat(Enumerable.Repeat("(module ", depth))}{new string(')', depth)}";
        byte[] allowed = Wat.ToBinary(Nested(ModuleInfo.MaxNesting + 1));
        Assert.True(new Engine().Validate(allowed, out ModuleException? error), error?.Message);
        Assert.Equal(allowed, Wat.ToBinary(Wat.FromBinary(allowed)));
        Assert.False(new Engine().Validate(Wat.ToBinary(Nested(ModuleInfo.MaxNesting + 2)), out error));
        Assert.Contains("nested more than", error!.Message, StringComparison.Ordinal);
        Assert.Contains("nesting too deep", Assert.Throws<WatException>(() => Wat.ToBinary(Nested(20_000))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void TypesThatContainThemselvesAreRefused()
    {
        byte[] bytes = Wat.ToBinary("(module (rec (type $a (global (ref null $b))) (type $b (global (ref null $a)))))");
        Assert.False(new Engine().Validate(bytes, out ModuleException? error));
        Assert.Contains("contains itself", error!.Message, StringComparison.Ordinal);
        // Through a struct, which is compared by its identity, it may be.
        Assert.True(new Engine().Validate(Wat.ToBinary("(module (rec (type $s (struct (field (ref null $g)))) (type $g (global (ref null $s)))))"), out error), error?.Message);
    }

    /// <summary>Each module makes two instances of the one before.</summary>
    [Fact]
    public void InstancesThatDoubleAreRefused()
    {
        var text = new StringBuilder("(module (module $m0)");
        for (int i = 1; i <= 40; i++)
            text.Append($"(module $m{i} (instance (instantiate (module outer 0 $m{i - 1}))) (instance (instantiate (module outer 0 $m{i - 1}))))");
        Module module = new Engine().CompileText(text.Append("(instance (instantiate $m40)))").ToString());
        Assert.Contains("too many instances", Assert.Throws<LinkException>(() => module.Instantiate()).Message, StringComparison.Ordinal);
    }

    /// <summary>Many instances of a module with many imports, which are given with one name.</summary>
    [Fact]
    public void ManyInstancesOfManyImportsAreCheckedQuickly()
    {
        const int Count = 5_000;
        string exports = string.Concat(Enumerable.Range(0, Count).Select(i => $"(export \"{i}\" (func))"));
        string imports = string.Concat(Enumerable.Range(0, Count).Select(i => $"(import \"a\" \"{i}\" (func))"));
        string instances = string.Concat(Enumerable.Repeat("(instance (instantiate $m (import \"a\" (instance $i))))", Count));
        Module module = new Engine().CompileText($"(module (import \"i\" (instance $i {exports})) (module $m {imports}) {instances})");
        string giver = $"(module (func $f) {string.Concat(Enumerable.Range(0, Count).Select(i => $"(export \"{i}\" (func $f))"))})";
        Instance given = new Engine().CompileText(giver).Instantiate();
        Assert.Contains("too many instances", Assert.Throws<LinkException>(() => module.Instantiate(new Imports { { "i", given } })).Message, StringComparison.Ordinal);
    }

    /// <summary>Many modules, sections and captures: nothing is searched from the beginning for each.</summary>
    [Fact]
    public void ManySectionsAreReadQuickly()
    {
        const int Count = 20_000;
        var bytes = new List<byte>([.. "\0asm\x01\0\0\0"u8, SectionId.Type, 3, 1, TypeByte.Module, 0]);
        // An import "" of a module, and again, each in a section of its own: the names are not different.
        for (int i = 0; i < Count; i++) bytes.AddRange([SectionId.Import, 6, 1, 0, 0, ExternByte.SingleLevel, ExternByte.Module, 0]);
        Assert.False(new Engine().Validate(bytes.ToArray(), out ModuleException? error));
        Assert.Contains("duplicate import name", error!.Message, StringComparison.Ordinal);

        string captures = string.Concat(Enumerable.Range(0, 5_000).Select(i => $"(alias outer 0 {i} (module))"));
        byte[] closures = Wat.ToBinary($"(module {string.Concat(Enumerable.Repeat("(module)", 5_000))} (module {captures}))");
        Assert.True(new Engine().Validate(closures, out error), error?.Message);
        byte[] many = Wat.ToBinary($"(module {string.Concat(Enumerable.Repeat("(module)", ModuleInfo.MaxNested + 1))})");
        Assert.False(new Engine().Validate(many, out error));
        Assert.Contains("nested modules", error!.Message, StringComparison.Ordinal);
    }

    /// <summary>A module that instantiates itself in its start function runs out of stack, and nothing else happens.</summary>
    [Fact]
    public void InstancesWithoutEndTrap()
    {
        Module module = new Engine().CompileText("""
            (module
              (module $m (import "again" (func $again)) (start $again))
              (elem declare func $again)
              (func $again (export "go") (drop (instantiate (module $m) (ref.func $again)))))
            """);
        TrapException trap = Assert.Throws<TrapException>(() => module.Instantiate().GetExport<Action>("go")());
        Assert.Equal(TrapKind.CallStackExhausted, trap.Kind);
    }

    /// <summary>Repeated names of imports in a core module do no harm when it is a value of the extension.</summary>
    [Fact]
    public void CoreModulesMayImportANameTwice()
    {
        var engine = new Engine();
        Module twice = engine.CompileText("""
            (module (import "a" "f" (func $x (result i32))) (import "a" "f" (func $y (result i32)))
              (func (export "sum") (result i32) (i32.add (call $x) (call $y))))
            """);
        Module user = engine.CompileText("""
            (module
              (import "twice" (module $m (import "a" "f" (func (result i32))) (export "sum" (func (result i32)))))
              (module $a (func (export "f") (result i32) (i32.const 21)))
              (instance $a (instantiate $a))
              (instance $i (instantiate $m (import "a" (instance $a))))
              (export "sum" (func $i "sum")))
            """);
        Assert.Equal(42, user.Instantiate(new Imports { { "twice", twice } }).GetExport<Func<int>>("sum")());
    }
}
