using System.Reflection;
using System.Text;
using WasmJit.Builtins;
using Xunit;

namespace WasmJit.Tests.PublicApi;

/// <summary>The built-in module wasm:linking, called by a guest that passes everything on.</summary>
public sealed class LinkingBuiltinTests
{
    /// <summary>Types of globals, as the functions of wasm:linking take them: the binary format's bytes.</summary>
    private const int TypeI32 = 0x7f, TypeI64 = 0x7e, TypeV128 = 0x7b, TypeFuncRef = 0x70;

    /// <summary>For each function of a host an import, and an export that calls it, as texts.</summary>
    internal static (string Imports, string Exports) PassOn(LinkingHost host)
    {
        var imports = new StringBuilder();
        var exports = new StringBuilder();
        foreach (((string _, string? name), object value) in host.Imports)
        {
            ParameterInfo[] parameters = value.GetType().GetMethod("Invoke")!.GetParameters()[1..];
            string types = string.Join(' ', parameters.Select(p => p.ParameterType == typeof(long) ? "i64" : "i32"));
            imports.Append($"(import \"wasm:linking\" \"{name}\" (func ${name} (param {types}) (result i32)))");
            exports.Append($"(func (export \"{name}\") (param {types}) (result i32) {string.Concat(parameters.Select((_, i) => $"(local.get {i})"))} (call ${name}))");
        }
        return (imports.ToString(), exports.ToString());
    }

    /// <summary>A guest: for each function of the module an export that calls it.</summary>
    private sealed class Guest
    {
        private readonly Dictionary<string, Delegate> functions = [];

        internal Guest(LinkingOptions? options, Engine? engine = null, string extra = "", string table = "(table (export \"table\") 2 10 funcref)")
            : this(new LinkingHost(options), engine, extra, table)
        {
        }

        internal Guest(LinkingHost host, Engine? engine = null, string extra = "", string table = "(table (export \"table\") 2 10 funcref)", Imports? imports = null)
        {
            Host = host;
            (string functionsOfHost, string bodies) = PassOn(host);
            string text = $"""
                (module {functionsOfHost} (memory (export "memory") 2 4) {table} {bodies} {extra}
                  (func (export "inc") (param i32) (result i32) (i32.add (local.get 0) (i32.const 1)))
                  (func (export "indirect") (param i32 i32) (result i32) (call_indirect (param i32) (result i32) (local.get 1) (local.get 0))))
                """;
            Imports given = imports ?? [];
            given.AddRange(host.Imports);
            Instance = (engine ?? new Engine()).CompileText(text).Instantiate(given);
            foreach (ExportType export in Instance.Exports)
                if (export.Type.Kind == ExternKind.Func) functions[export.Name] = Instance.GetExport<Delegate>(export.Name);
            host.Attach(Instance);
        }

        internal LinkingHost Host { get; }

        internal Instance Instance { get; }

        internal Memory Memory => Instance.GetExport<Memory>("memory");

        internal int Call(string name, params object[] arguments) => (int)functions[name].DynamicInvoke(arguments)!;

        /// <summary>Calls with a text at 1000 whose address and length stand where <see cref="Given"/> is.</summary>
        internal int With(string name, string text, params object[] arguments)
        {
            int length = Memory.WriteString(1000, text);
            return Call(name, [.. arguments.SelectMany(a => a == Given ? new object[] { 1000, length } : [a])]);
        }

        internal int Compile(string module)
        {
            byte[] bytes = Wat.ToBinary(module);
            Memory.WriteBytes(2000, bytes);
            return Call("compile", 2000, bytes.Length);
        }

        /// <summary>Instantiates with imports: module, name or null for a whole instance, handle.</summary>
        internal int Instantiate(int module, params (string Module, string? Name, int Handle)[] imports)
        {
            ulong at = 60_000, text = 61_000;
            foreach ((string first, string? second, int handle) in imports)
            {
                Memory.Write(at, (int)text);
                text += (ulong)Put(text, first, at + 4);
                Memory.Write(at + 8, second is null ? -1 : (int)text);
                text += (ulong)Put(text, second ?? "", at + 12);
                Memory.Write(at + 16, handle);
                at += 20;
            }
            return Call("instantiate", module, 60_000, imports.Length);
        }

        private int Put(ulong at, string text, ulong length)
        {
            int count = Memory.WriteString(at, text);
            Memory.Write(length, count);
            return count;
        }

        internal string Text(string function, params object[] before)
        {
            int length = Call(function, [.. before, 3000, 2000]);
            Assert.True(length >= 0, Host.LastError);
            return Memory.ReadString(3000, Math.Min(length, 2000));
        }

        internal void Fails(LinkingError error, string message, int result)
        {
            Assert.Equal(((int)error, message), (result, Host.LastError));
            Assert.Equal(message, Text("last_error"));
        }
    }

    /// <summary>Stands for the text of <see cref="Guest.With"/>.</summary>
    private static readonly object Given = new();

    private static readonly LinkingOptions All = new() { AllowCompile = true };

    [Fact]
    public void AGuestCompilesLinksAndCalls()
    {
        var guest = new Guest(All);
        int module = guest.Compile("""
            (module (import "host" "inc" (func $inc (param i32) (result i32))) (import "host" "memory" (memory 1))
              (func (export "f") (param i32) (result i32) (i32.add (call $inc (local.get 0)) (i32.load (i32.const 16)))))
            """);
        guest.Memory.Write(16, 100);
        int self = guest.Call("self");
        int whole = guest.Instantiate(module, ("host", null, self));
        Assert.Equal(1, guest.With("get_export", "f", whole, Given, 1));
        Assert.Equal(108, guest.Call("indirect", 1, 7));
        // One by one, and to a new slot.
        int inc = guest.With("get_export_handle", "inc", self, Given), memory = guest.With("get_export_handle", "memory", self, Given);
        int single = guest.Instantiate(module, ("host", "inc", inc), ("host", "memory", memory));
        Assert.Equal(2, guest.With("get_export", "f", single, Given, -1));
        Assert.Equal(109, guest.Call("indirect", 2, 8));
        Assert.Equal(0, guest.Call("put_function", inc, 0));
        Assert.Equal(9, guest.Call("indirect", 0, 8));
        int function = guest.Call("get_function", 2);
        Assert.Same(((Instance)guest.Host.Find(single)!).GetExport<Delegate>("f"), guest.Host.Find(function));
        Assert.Equal([0, 2, 5, 6], new[] { inc, memory, module, single }.Select(h => guest.Call("kind", h)));
        int given = guest.Host.Give((Func<int, int>)(x => -x));
        Assert.Equal(1, guest.Call("put_function", given, 1));
        Assert.Equal(-5, guest.Call("indirect", 1, 5));
    }

    [Fact]
    public void ModulesAndInstancesAreImported()
    {
        var guest = new Guest(All);
        int inner = guest.Compile("""(module (import "host" "inc" (func $inc (param i32) (result i32))) (func (export "f") (param i32) (result i32) (call $inc (call $inc (local.get 0)))))""");
        int outer = guest.Compile("""
            (module
              (type $I (instance (export "inc" (func (param i32) (result i32)))))
              (import "m" (module $m (import "host" (instance (type $I))) (export "f" (func (param i32) (result i32)))))
              (import "host" (instance $host (type $I)))
              (instance $i (instantiate $m (import "host" (instance $host))))
              (export "f" (func $i "f")) (export "m" (module $m)))
            """);
        Assert.True(outer > 0, guest.Host.LastError);
        int instance = guest.Instantiate(outer, ("m", null, inner), ("host", null, guest.Call("self")));
        Assert.True(instance > 0, guest.Host.LastError);
        guest.With("get_export", "f", instance, Given, 0);
        Assert.Equal(7, guest.Call("indirect", 0, 5));
        Assert.Equal(5, guest.Call("kind", guest.With("get_export_handle", "m", instance, Given)));
        Assert.Contains("(import \"m\" (module (import \"host\"", guest.Text("imports", outer));
    }

    /// <summary>Types that double at each level: a module of a few lines has a list of gigabytes, which is not made.</summary>
    [Fact]
    public void ListsHaveAnEnd()
    {
        var guest = new Guest(All);
        string name = new('x', 200);
        var types = new StringBuilder("(type $t0 (instance (export \"f\" (func))))");
        for (int i = 1; i <= 17; i++)
            types.Append($"(type $t{i} (instance (export \"a{name}\" (instance (type $t{i - 1}))) (export \"b\" (instance (type $t{i - 1})))))");
        int module = guest.Compile($"(module {types} (import \"i\" (instance (type $t17))))");
        Assert.True(module > 0, guest.Host.LastError);
        guest.Fails(LinkingError.QuotaExceeded, "quota exceeded: the list has more than 16777216 characters", guest.Call("imports", module, 0, 0));
    }

    [Fact]
    public void ImportsAndExportsAreListedInTheTextFormat()
    {
        var guest = new Guest(All);
        int module = guest.Compile("""
            (module (import "a\"b" "\e2\82\ac\n" (func (param i32 f64) (result i64))) (import "" "" (global (mut v128)))
              (import "m" "m" (memory 1 2)) (import "t" "t" (table 1 externref)) (tag (export "tag") (param i32))
              (func (export "f \\") (param (ref null func))) (memory (export "mem") i64 1))
            """);
        Assert.Equal("""
            (import "a\"b" "\e2\82\ac\0a" (func (param i32 f64) (result i64)))
            (import "" "" (global (mut v128)))
            (import "m" "m" (memory 1 2))
            (import "t" "t" (table 1 externref))

            """, guest.Text("imports", module));
        Assert.Equal("(export \"tag\" (tag (param i32)))\n(export \"f \\\\\" (func (param funcref)))\n(export \"mem\" (memory i64 1))\n", guest.Text("exports", module));
        Assert.Contains("(export \"compile\" (func (param i32 i32) (result i32)))", guest.Text("exports", guest.Call("self")));
        // Too little room: the length of all, and what fits.
        guest.Memory.WriteBytes(500, new byte[20]);
        int length = guest.Call("exports", module, 500, 8);
        Assert.Equal(guest.Text("exports", module).Length, length);
        Assert.Equal("(export \0\0", guest.Memory.ReadString(500, 10));
    }

    [Fact]
    public void NothingIsGrantedByDefault()
    {
        var guest = new Guest((LinkingOptions?)null);
        guest.Fails(LinkingError.NotAllowed, "runtime compile not allowed", guest.Compile("(module)"));
        guest.Fails(LinkingError.NotAllowed, "runtime compile not allowed", guest.Call("compile_stream", 3));
        guest.Fails(LinkingError.NotAllowed, "loading modules not allowed", guest.With("load", "m", Given));
        guest.Fails(LinkingError.NotAllowed, "loading modules not allowed", guest.With("open_directory", "m", Given));
        guest.Fails(LinkingError.NotAllowed, "runtime compile not allowed", guest.With("load_at", "m", 3, Given));
    }

    [Fact]
    public void LoadingIsAGrantOfItsOwn()
    {
        byte[] bytes = Wat.ToBinary("(module (func (export \"f\") (param i32) (result i32) (i32.const 3)))");
        var names = new MemoryNamespace { { "lib/deep/m.wasm", bytes }, { "ready.wasm", new Engine().Compile(bytes) }, { "bad.wasm", [1] } };
        var guest = new Guest(new LinkingOptions { Namespace = names });
        guest.Fails(LinkingError.NotAllowed, "runtime compile not allowed", guest.Compile("(module)"));
        int module = guest.With("load", "/lib/deep/m.wasm", Given);
        guest.With("get_export", "f", guest.Instantiate(module), Given, 0);
        Assert.Equal(3, guest.Call("indirect", 0, 0));
        Assert.True(guest.With("load", "ready.wasm", Given) > 0);
        int directory = guest.With("open_directory", "lib", Given);
        Assert.Equal(7, guest.Call("kind", directory));
        Assert.True(guest.With("load_at", "deep/m.wasm", directory, Given) > 0);
        guest.Fails(LinkingError.NotAllowed, "../ready.wasm leads out of the namespace.", guest.With("load_at", "../ready.wasm", directory, Given));
        guest.Fails(LinkingError.NotFound, "There is no module x.", guest.With("load", "x", Given));
        guest.Fails(LinkingError.NotFound, "There is no directory x.", guest.With("open_directory", "x", Given));
        Assert.Equal((int)LinkingError.Malformed, guest.With("load", "bad.wasm", Given));
        Assert.Equal((int)LinkingError.InvalidArgument, guest.With("load_at", "m", module, Given));
    }

    [Fact]
    public void AGrantHoldsWhereTheInstructionIsOff()
    {
        var engine = new Engine(new EngineOptions { RuntimeLinking = false, RuntimeCompile = false });
        Assert.True(new Guest(All, engine).Compile("(module)") > 0);
    }

    [Fact]
    public void WhatIsWrongIsAnError()
    {
        var guest = new Guest(All);
        Assert.Equal((int)LinkingError.Malformed, guest.Call("compile", 0, 4));
        Assert.StartsWith("malformed module: ", guest.Host.LastError);
        int start = guest.Compile("(module (func $f unreachable) (start $f))");
        byte[] drops = Wat.ToBinary("(module (func drop))");
        int invalid = guest.Call("compile", Put(guest, drops), drops.Length);
        Assert.Equal((int)LinkingError.Invalid, invalid);
        Assert.StartsWith("invalid module: ", guest.Host.LastError);
        int needs = guest.Compile("(module (import \"a\" \"b\" (func (param i64))))");
        guest.Fails(LinkingError.Unlinkable, "unlinkable module: unknown import: \"a\" \"b\" (func (param i64))", guest.Instantiate(needs));
        int inc = guest.With("get_export_handle", "inc", guest.Call("self"), Given);
        Assert.Equal((int)LinkingError.Unlinkable, guest.Instantiate(needs, ("a", "b", inc)));
        Assert.Contains("incompatible import type", guest.Host.LastError);
        Assert.Equal((int)LinkingError.Unlinkable, guest.Instantiate(needs, ("a", "b", guest.Call("self"))));
        // A trap of code that runs is a trap of the guest.
        Exception trap = Assert.Throws<TargetInvocationException>(() => guest.Instantiate(start)).InnerException!;
        Assert.Equal(TrapKind.Unreachable, Assert.IsType<TrapException>(trap).Kind);
        int self = guest.Call("self");
        guest.Fails(LinkingError.NotFound, "there is no export \"nothing\"", guest.With("get_export", "nothing", self, Given, 0));
        guest.Fails(LinkingError.TypeMismatch, "the export is not a function", guest.With("get_export", "memory", self, Given, 0));
        guest.Fails(LinkingError.OutOfBounds, "there is no slot 10", guest.With("get_export", "inc", self, Given, 10));
        guest.Fails(LinkingError.OutOfBounds, "there is no slot 4294967294", guest.Call("get_function", -2));
        guest.Fails(LinkingError.NotFound, "slot 1 is empty", guest.Call("get_function", 1));
        for (int i = 2; i < 10; i++) Assert.Equal(i, guest.Call("put_function", inc, -1));
        guest.Fails(LinkingError.OutOfBounds, "the table cannot grow", guest.Call("put_function", inc, -1));
        guest.Fails(LinkingError.OutOfBounds, "10 bytes at 131070 are not inside a memory of 131072", guest.Call("compile", 131070, 10));
        guest.Fails(LinkingError.OutOfBounds, "1 bytes at 4294967295 are not inside a memory of 131072", guest.Call("last_error", -1, 1));
        guest.Fails(LinkingError.InvalidArgument, "a name of 4294967295 bytes", guest.Call("get_export_handle", self, 0, -1));
        guest.Fails(LinkingError.InvalidArgument, "4294967295 imports", guest.Call("instantiate", needs, 0, -1));
    }

    private static int Put(Guest guest, byte[] bytes)
    {
        guest.Memory.WriteBytes(2000, bytes);
        return 2000;
    }

    [Fact]
    public void ATableTakesOnlyWhatItsTypeSays()
    {
        var guest = new Guest(All, table: "(type $t (func (param i32) (result i32))) (table 2 (ref null $t)) (table $u 1 funcref)");
        int module = guest.Compile("(module (func (export \"g\")) (func (export \"f\") (param i32) (result i32) (i32.const 1)))");
        int instance = guest.Instantiate(module);
        Assert.Equal(0, guest.With("get_export", "f", instance, Given, 0));
        Assert.Equal((int)LinkingError.TypeMismatch, guest.With("get_export", "g", instance, Given, 0));
    }

    [Fact]
    public void HandlesNeverMeanAnythingElse()
    {
        var guest = new Guest(All with { MaximumHandles = 3 });
        int first = guest.Call("self");
        Assert.Equal(0, guest.Call("drop", first));
        guest.Fails(LinkingError.InvalidArgument, $"there is no handle {first}", guest.Call("drop", first));
        var seen = new HashSet<int> { first };
        for (int i = 0; i < 5000; i++)
        {
            int handle = guest.Call("self");
            Assert.True(handle > 0 && seen.Add(handle), $"{handle} after {i}");
            Assert.Equal((int)LinkingError.InvalidArgument, guest.Call("kind", first));
            guest.Call("drop", handle);
        }
        for (int i = 0; i < 3; i++) guest.Call("self");
        guest.Fails(LinkingError.QuotaExceeded, "quota exceeded: handles: 3 are in use, 3 are allowed", guest.Call("self"));
        foreach (int handle in new[] { 0, -1, 1, int.MaxValue, int.MinValue, first + 1 })
            Assert.Equal((int)LinkingError.InvalidArgument, guest.Call("kind", handle));
    }

    [Fact]
    public void QuotasAreThoseOfTheEngine()
    {
        var quota = new LinkingQuota { MaximumLiveModules = 2, MaximumModuleSize = 100 };
        var names = new MemoryNamespace { { "m", Wat.ToBinary("(module)") } };
        var guest = new Guest(All with { Namespace = names }, new Engine(new EngineOptions { LinkingQuota = quota }));
        int one = guest.Compile("(module)");
        Assert.True(guest.With("load", "m", Given) > 0);
        guest.Fails(LinkingError.QuotaExceeded, "quota exceeded: live modules: 2 are in use, 2 are allowed", guest.Compile("(module)"));
        guest.Fails(LinkingError.QuotaExceeded, "quota exceeded: live modules: 2 are in use, 2 are allowed", guest.With("load", "m", Given));
        guest.Call("drop", one);
        Assert.True(guest.Compile("(module)") > 0);
        guest.Fails(LinkingError.QuotaExceeded, "quota exceeded: module size: 101 bytes, 100 are allowed", guest.Call("compile", 0, 101));
    }

    [Fact]
    public void GlobalsAndMemoriesAreReadAndWritten()
    {
        var guest = new Guest(All);
        guest.Memory.Write(8, 0x1122334455667788);
        int constant = guest.Call("new_global", TypeI32, 0, 8), variable = guest.Call("new_global", TypeI64, 1, 8);
        int module = guest.Compile("""
            (module (import "g" "c" (global $c i32)) (import "g" "v" (global $v (mut i64))) (memory (export "m") 1) (data (i32.const 65530) "hello!")
              (func (export "f") (param i32) (result i32) (global.set $v (i64.add (global.get $v) (i64.const 1))) (global.get $c)))
            """);
        int instance = guest.Instantiate(module, ("g", "c", constant), ("g", "v", variable));
        guest.With("get_export", "f", instance, Given, 0);
        Assert.Equal(0x55667788, guest.Call("indirect", 0, 0));
        Assert.Equal(8, guest.Call("read_global", variable, 24));
        Assert.Equal(0x1122334455667789, guest.Memory.Read<long>(24));
        Assert.Equal(8, guest.Call("write_global", variable, 8));
        guest.Fails(LinkingError.NotAllowed, "the global is immutable", guest.Call("write_global", constant, 8));
        guest.Fails(LinkingError.InvalidArgument, $"0x{TypeFuncRef:x} is not a type of numbers", guest.Call("new_global", TypeFuncRef, 1, 8));
        Assert.Equal((int)LinkingError.OutOfBounds, guest.Call("new_global", TypeV128, 1, 131060));
        int memory = guest.With("get_export_handle", "m", instance, Given);
        Assert.Equal(1, guest.Call("memory_size", memory));
        Assert.Equal(6, guest.Call("read_memory", memory, 65530L, 40, 6));
        Assert.Equal("hello!", guest.Memory.ReadString(40, 6));
        Assert.Equal(2, guest.Call("write_memory", memory, 65534L, 40, 2));
        Assert.Equal(4, guest.Call("read_memory", memory, 65532L, 60, 4));
        Assert.Equal("llhe", guest.Memory.ReadString(60, 4));
        foreach (long at in new[] { 65533L, -1L, long.MaxValue, 1L << 32 })
        {
            Assert.Equal((int)LinkingError.OutOfBounds, guest.Call("read_memory", memory, at, 60, 4));
            Assert.Equal((int)LinkingError.OutOfBounds, guest.Call("write_memory", memory, at, 60, 4));
        }
    }

    [Fact]
    public void TheHostOffersImports()
    {
        var seen = new List<int>();
        var guest = new Guest(All with { Offered = new Imports { { "env", "log", (Action<int>)seen.Add } } });
        int module = guest.Compile("(module (import \"env\" \"log\" (func $log (param i32))) (func $s (call $log (i32.const 4))) (start $s))");
        Assert.True(guest.Instantiate(module) > 0);
        Assert.Equal([4], seen);
    }

    [Fact]
    public void AnythingMayBePassed()
    {
        var random = new Random(11);
        var quota = new LinkingQuota { MaximumModuleSize = 1000 };
        var guest = new Guest(All with { Namespace = new MemoryNamespace { { "m", Wat.ToBinary("(module)") } }, MaximumHandles = 50 },
            new Engine(new EngineOptions { LinkingQuota = quota }));
        (string Name, Type[] Types)[] functions = [.. guest.Host.Imports.Select(i =>
            (i.Key.Name!, i.Value.GetType().GetMethod("Invoke")!.GetParameters()[1..].Select(p => p.ParameterType).ToArray()))];
        int[] interesting = [0, -1, 1, 2, 1 << 20, (1 << 20) + 1, (2 << 20) + 1, 131072, 131071, 65536, int.MaxValue, int.MinValue, TypeI32, 20];
        for (int i = 0; i < 20_000; i++)
        {
            (string name, Type[] types) = functions[random.Next(functions.Length)];
            object[] arguments = [.. types.Select(t =>
            {
                int value = random.Next(3) == 0 ? random.Next() : random.Next(4) == 0 ? random.Next(50) : interesting[random.Next(interesting.Length)];
                return t == typeof(long) ? (object)((long)value << random.Next(33)) : value;
            })];
            int result = guest.Call(name, arguments);
            Assert.True(result >= (int)LinkingError.Io);
        }
    }

    [Fact]
    public void BeforeTheGuestIsKnownFunctionsFail()
    {
        var host = new LinkingHost(All);
        Assert.Equal((int)LinkingError.NotAllowed, ((Func<Caller?, int, int, int>)host.Imports.Single(i => i.Key.Name == "compile").Value)(null, 0, 0));
        Assert.Equal("the guest is not attached yet", host.LastError);
        Assert.Throws<ArgumentException>(() => host.Give(new object()));
    }

    [Fact]
    public void ADescriptorOfWasiIsCompiled()
    {
        string folder = Directory.CreateTempSubdirectory("wasmjit-fd-").FullName;
        try
        {
            byte[] bytes = Wat.ToBinary("(module (func (export \"f\") (param i32) (result i32) (i32.const 12)))");
            File.WriteAllBytes(Path.Combine(folder, "m.wasm"), bytes);
            using var wasi = new WasiHost(new WasiOptions
            {
                Input = new MemoryStream(bytes),
                Directories = [new WasiDirectory(folder, "/d")],
                Linking = All,
            });
            var guest = new Guest(wasi.Linking!, imports: wasi.Imports);
            foreach (int module in new[] { guest.Call("compile_stream", 0), guest.With("load_at", "m.wasm", 3, Given) })
            {
                Assert.True(module > 0, guest.Host.LastError);
                guest.With("get_export", "f", guest.Instantiate(module), Given, 0);
                Assert.Equal(12, guest.Call("indirect", 0, 0));
            }
            // The stream is at its end, descriptor 1 cannot be read, 3 is a directory, 9 is nothing, and paths stay inside.
            Assert.Equal((int)LinkingError.Malformed, guest.Call("compile_stream", 0));
            Assert.Equal((int)LinkingError.NotAllowed, guest.Call("compile_stream", 1));
            Assert.Equal((int)LinkingError.Io, guest.Call("compile_stream", 9));
            Assert.True(guest.Call("compile_stream", 3) is (int)LinkingError.Io or (int)LinkingError.NotAllowed);
            Assert.Equal((int)LinkingError.Io, guest.With("load_at", "m.wasm", 0, Given));
            Assert.Equal((int)LinkingError.NotAllowed, guest.With("load_at", "../m.wasm", 3, Given));
            Assert.Equal((int)LinkingError.NotFound, guest.With("load_at", "n.wasm", 3, Given));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>What the functions do costs what it costs in the guest's own code.</summary>
    [Fact]
    public void CompilingAndInstantiatingAreCharged()
    {
        var guest = new Guest(new LinkingOptions { AllowCompile = true }, new Engine(new EngineOptions { CountFuel = true }));
        guest.Instance.Fuel = new Fuel(1_000_000);
        long Used(Action action)
        {
            long before = guest.Instance.Fuel!.Remaining;
            action();
            return before - guest.Instance.Fuel.Remaining;
        }
        int handle = 0;
        byte[] bytes = Wat.ToBinary("(module (table 10000 funcref))");
        Assert.InRange(Used(() => handle = guest.Compile("(module (table 10000 funcref))")), 64 * bytes.Length, (64 * bytes.Length) + 100);
        Assert.True(handle >= 0);
        int made = 0;
        Assert.InRange(Used(() => made = guest.Instantiate(handle)), 2500, 5000);
        Assert.InRange(Used(() => guest.Call("get_export_handle", made, 0, 65536)), 65536 / 8, (65536 / 8) + 100);
        guest.Instance.Fuel = new Fuel(100);
        var trap = Assert.IsType<TrapException>(Assert.Throws<TargetInvocationException>(() => guest.Compile("(module)")).InnerException);
        Assert.Equal(TrapKind.OutOfFuel, trap.Kind);
    }
}
