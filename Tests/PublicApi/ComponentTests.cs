using System.Text;
using WasmJit.Components;
using Xunit;

namespace WasmJit.Tests.PublicApi;

/// <summary>Components that share nothing: values are copied, memory goes with the owner.</summary>
public sealed class ComponentTests
{
    private static readonly Engine Engine = new();

    /// <summary>A memory, and an allocator that never frees but counts.</summary>
    private const string Base = """
        (memory (export "memory") 1)
        (global $next (mut i32) (i32.const 1024))
        (func $realloc (export "cabi_realloc") (param $old i32) (param $size i32) (param $align i32) (param $new i32) (result i32)
          (local $at i32)
          (local.set $at (i32.and (i32.add (global.get $next) (i32.sub (local.get $align) (i32.const 1))) (i32.sub (i32.const 0) (local.get $align))))
          (global.set $next (i32.add (local.get $at) (local.get $new)))
          (local.get $at))
        """;

    private static Component Make(string fields, ComponentImports? imports = null, ComponentOptions? options = null) =>
        new(Engine.CompileText($"(module {fields})"), imports, options);

    /// <summary>A component whose function calls an import of the same type with what it got, so that all is copied four times.</summary>
    private static (ComponentFunction Function, List<object?> Seen) Echo(string type, Component[] owner)
    {
        ComponentFuncType parsed = ComponentFuncType.Parse($"func(value: {type}) -> {type}");
        var seen = new List<object?>();
        var imports = new ComponentImports();
        imports.Add("host", "echo", $"func(value: {type}) -> {type}", arguments =>
        {
            seen.Add(arguments[0]);
            return arguments[0];
        });
        // What stands for the type among parameters and results says how the function must be written.
        ComponentType value = ComponentType.Parse(type);
        string[] flat = [.. Flat(value)];
        bool inMemory = flat.Length > 1, spilled = flat.Length > 16;
        string parameters = spilled ? "(param i32)" : $"(param {string.Join(' ', flat)})";
        int count = spilled ? 1 : flat.Length;
        string gets = string.Concat(Enumerable.Range(0, count).Select(i => $"(local.get {i})"));
        string import = inMemory ? $"{parameters} (param i32)" : $"{parameters} (result {flat[0]})";
        string body = inMemory ? $"{gets} (i32.const 64) (call $echo) (i32.const 64)" : $"{gets} (call $echo)";
        owner[0] = Make($"""
            (import "host" "echo" (func $echo {import})) {Base}
            (func (export "echo") {parameters} (result {(inMemory ? "i32" : flat[0])}) {body})
            """, imports);
        return (owner[0].GetFunction("echo", parsed), seen);
    }

    /// <summary>The numbers of a type, written down here by kind.</summary>
    private static IEnumerable<string> Flat(ComponentType type) => type.Kind switch
    {
        ComponentKind.S64 or ComponentKind.U64 => ["i64"],
        ComponentKind.F32 => ["f32"],
        ComponentKind.F64 => ["f64"],
        ComponentKind.String or ComponentKind.List => ["i32", "i32"],
        ComponentKind.Record => type.Items.SelectMany(i => Flat(i.Type!)),
        ComponentKind.Option => ["i32", .. Flat(type.Element!)],
        ComponentKind.Variant when type.Items[0].Type is null => ["i32", .. type.Items.Where(i => i.Type is not null).SelectMany(i => Flat(i.Type!)).Take(1)],
        ComponentKind.Variant => ["i32", "i64"],
        _ => ["i32"],
    };

    public static TheoryData<string, object?> Values => new()
    {
        { "bool", true }, { "s8", (sbyte)-5 }, { "u8", (byte)250 }, { "s16", (short)-300 }, { "u16", (ushort)65000 }, { "s32", -7 },
        { "u32", 4_000_000_000u }, { "s64", long.MinValue }, { "u64", ulong.MaxValue }, { "f32", 1.5f }, { "f64", -0.25 },
        { "char", new Rune(0x1F600) }, { "string", "héllo 🌍" }, { "string", "" }, { "list<u8>", new byte[] { 1, 2, 3 } },
        { "list<u32>", new object?[] { 1u, 2u, 3u } }, { "list<string>", new object?[] { "a", "", "ccc" } },
        { "list<bool>", Array.Empty<object?>() },
        { "record { a: u8, b: u64, c: string }", new object?[] { (byte)1, 2UL, "three" } },
        { "tuple<s8, s16, f32>", new object?[] { (sbyte)1, (short)2, 3f } },
        { "option<u32>", 5u }, { "option<u32>", null },
        { "enum { red, green, blue }", new ComponentCase("blue") },
        { "result<f32, u64>", new ComponentCase("ok", 2.5f) }, { "result<f32, u64>", new ComponentCase("error", ulong.MaxValue) },
        { "result<_, f64>", new ComponentCase("ok") }, { "result<_, f64>", new ComponentCase("error", 0.5) },
        { "option<option<u8>>", new ComponentCase("some", null) }, { "option<option<u8>>", new ComponentCase("some", (byte)3) },
        { "option<option<u8>>", new ComponentCase("none") },
        { "flags { a, b, c, d, e, f, g, h, i }", 0b1_0000_0101u },
        { "list<record { n: option<string>, r: result<u8, string>, f: flags { x, y } }>", new object?[]
            {
                new object?[] { "n", new ComponentCase("ok", (byte)9), 3u }, new object?[] { null, new ComponentCase("error", "bad"), 0u },
            } },
        { "tuple<u64, u64, u64, u64, u64, u64, u64, u64, u64, u64, u64, u64, u64, u64, u64, u64, string>",
            new object?[] { 1UL, 2UL, 3UL, 4UL, 5UL, 6UL, 7UL, 8UL, 9UL, 10UL, 11UL, 12UL, 13UL, 14UL, 15UL, 16UL, "seventeen" } },
    };

    [Theory]
    [MemberData(nameof(Values))]
    public void EveryKindOfValueIsCopiedInAndOut(string type, object? value)
    {
        var owner = new Component[1];
        (ComponentFunction function, List<object?> seen) = Echo(type, owner);
        using (owner[0])
        {
            object? result = function.Call(value);
            Assert.Equivalent(value, seen.Single(), strict: true);
            Assert.Equivalent(value, result, strict: true);
            Assert.Equal(value?.GetType(), result?.GetType());
        }
    }

    [Fact]
    public void ComponentsCallEachOtherWithTheirOwnMemories()
    {
        const string type = "func(text: string) -> string";
        using Component upper = Make(Base + """
            (func (export "upper") (param $at i32) (param $n i32) (result i32) (local $i i32)
              (block $done (loop $next
                (br_if $done (i32.ge_u (local.get $i) (local.get $n)))
                (i32.store8 (i32.add (local.get $at) (local.get $i))
                  (i32.and (i32.load8_u (i32.add (local.get $at) (local.get $i))) (i32.const 0xdf)))
                (local.set $i (i32.add (local.get $i) (i32.const 1))) (br $next)))
              (i32.store (i32.const 16) (local.get $at)) (i32.store (i32.const 20) (local.get $n)) (i32.const 16))
            (global $posted (mut i32) (i32.const 0))
            (func (export "cabi_post_upper") (param i32) (global.set $posted (i32.add (global.get $posted) (i32.const 1))))
            (func (export "posted") (result i32) (global.get $posted))
            """);
        var imports = new ComponentImports();
        imports.Add("lib", "upper", upper.GetFunction("upper", type));
        using Component user = Make("""(import "lib" "upper" (func $upper (param i32 i32 i32)))""" + Base + """
            (func (export "twice") (param i32 i32) (result i32)
              (call $upper (local.get 0) (local.get 1) (i32.const 32))
              (call $upper (i32.load (i32.const 32)) (i32.load (i32.const 36)) (i32.const 32)) (i32.const 32))
            """, imports);
        Assert.Equal("SHOUT", user.GetFunction("twice", type).Call("shout"));
        Assert.Equal(2u, upper.GetFunction("posted", "func() -> u32").Call());
        upper.Dispose();
        Assert.Throws<ObjectDisposedException>(() => user.GetFunction("twice", type).Call("x"));
    }

    [Fact]
    public void TheMemoryGoesWithTheOwner()
    {
        var component = Make("""
            (memory (export "memory") 1600)
            (func (export "touch") (memory.fill (i32.const 0) (i32.const 1) (i32.const 104857600)))
            """);
        ComponentFunction touch = component.GetFunction("touch", "func()");
        touch.Call();
        long before = Environment.WorkingSet;
        component.Dispose();
        long freed = before - Environment.WorkingSet;
        if (OperatingSystem.IsLinux()) Assert.True(freed > 60_000_000, $"{freed} bytes freed of 104857600");
        Assert.True(component.IsDisposed);
        Assert.Throws<ObjectDisposedException>(() => touch.Call());
        Assert.Throws<ObjectDisposedException>(() => component.GetFunction("touch", "func()"));
        component.Dispose();
    }

    [Fact]
    public void ACallInProgressKeepsTheMemory()
    {
        Component? component = null;
        var imports = new ComponentImports();
        imports.Add("host", "end", "func()", _ =>
        {
            component!.Dispose();
            Assert.Throws<ObjectDisposedException>(() => component.GetFunction("f", "func() -> string"));
            return null;
        });
        component = Make("""(import "host" "end" (func $end))""" + Base + """
            (data (i32.const 100) "still here") (data (i32.const 200) "\64\00\00\00\0a\00\00\00")
            (func (export "f") (result i32) (call $end) (i32.const 200))
            """, imports);
        ComponentFunction function = component.GetFunction("f", "func() -> string");
        Assert.Equal("still here", function.Call());
        Assert.Throws<ObjectDisposedException>(() => function.Call());
    }

    [Theory]
    [InlineData("string", "(i32.store (i32.const 8) (i32.const 65530)) (i32.store (i32.const 12) (i32.const 7)) (i32.const 8)", "not inside the memory")]
    [InlineData("string", "(i32.store (i32.const 8) (i32.const -1)) (i32.store (i32.const 12) (i32.const 2)) (i32.const 8)", "not inside the memory")]
    [InlineData("string", "(i32.store8 (i32.const 0) (i32.const 0xff)) (i32.store (i32.const 12) (i32.const 1)) (i32.const 8)", "not UTF-8")]
    [InlineData("string", "(i32.const 9)", "not aligned")]
    [InlineData("string", "(i32.const 65532)", "not inside the memory")]
    [InlineData("list<u64>", "(i32.store (i32.const 12) (i32.const 536870912)) (i32.const 8)", "not inside the memory")]
    [InlineData("list<u64>", "(i32.store (i32.const 8) (i32.const 4)) (i32.const 8)", "not aligned")]
    [InlineData("char", "(i32.const 0xd800)", "is not a character")]
    [InlineData("char", "(i32.const -1)", "is not a character")]
    [InlineData("enum { a, b }", "(i32.const 2)", "case 2 of 2")]
    [InlineData("option<string>", "(i32.store8 (i32.const 8) (i32.const 2)) (i32.const 8)", "case 2 of 2")]
    [InlineData("list<list<u8>>", "(memory.fill (i32.const 256) (i32.const 1) (i32.const 65280)) (i32.store (i32.const 8) (i32.const 0)) (i32.store (i32.const 12) (i32.const 8000)) (call $lists) (i32.const 8)", "more is copied")]
    public void WhatIsNoValueTraps(string type, string body, string message)
    {
        // Lists that all name the same bytes: 8,000 times 60,000.
        const string lists = """
            (func $lists (local $i i32)
              (loop $next
                (i32.store (i32.add (i32.const 1024) (i32.shl (local.get $i) (i32.const 3))) (i32.const 0))
                (i32.store (i32.add (i32.const 1028) (i32.shl (local.get $i) (i32.const 3))) (i32.const 60000))
                (br_if $next (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 8000))))
              (i32.store (i32.const 8) (i32.const 1024)) (i32.store (i32.const 12) (i32.const 8000)))
            """;
        using Component component = Make($"""(memory (export "memory") 1) {lists} (func (export "f") (result i32) {body})""");
        TrapException trap = Assert.Throws<TrapException>(() => component.GetFunction("f", $"func() -> {type}").Call());
        Assert.Equal(TrapKind.InvalidComponentValue, trap.Kind);
        Assert.Contains(message, trap.Message);
    }

    [Theory]
    [InlineData("(i32.const 65532)", "not inside the memory")]
    [InlineData("(i32.const -16)", "not inside the memory")]
    [InlineData("(i32.const 3)", "not aligned")]
    public void AnAllocatorThatLiesIsNotBelieved(string result, string message)
    {
        using Component component = Make($"""
            (memory (export "memory") 1) (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) {result})
            (func (export "f") (param i32 i32))
            """);
        TrapException trap = Assert.Throws<TrapException>(() => component.GetFunction("f", "func(x: list<u32>)").Call([new object?[] { 1u, 2u }]));
        Assert.Contains(message, trap.Message);
    }

    [Fact]
    public void NothingIsShared()
    {
        foreach (string import in new[] { "(memory 1)", "(table 1 funcref)", "(global (mut i32))", "(global i32)" })
            Assert.Throws<LinkException>(() => Make($"""(import "a" "b" {import}) (memory (export "memory") 1)"""));
        Assert.Throws<LinkException>(() => Make("""(func (export "f"))"""));
        Assert.Throws<LinkException>(() => Make("""(import "a" "b" (func))""" + Base));
        var imports = new ComponentImports();
        imports.Add("a", "b", "func(x: string)", _ => null);
        Assert.Throws<LinkException>(() => Make("""(import "a" "b" (func (param i32)))""" + Base, imports));
    }

    [Fact]
    public void ArgumentsAndTypesAreChecked()
    {
        using Component component = Make(Base + """(func (export "f") (param i32 i32))""");
        ComponentFunction function = component.GetFunction("f", "func(x: string)");
        Assert.Throws<ArgumentException>(() => function.Call());
        Assert.Throws<ArgumentException>(() => function.Call(5));
        Assert.Throws<ArgumentException>(() => function.Call("\ud800"));
        Assert.Throws<InvalidCastException>(() => component.GetFunction("f", "func(x: u32)"));
        Assert.Throws<KeyNotFoundException>(() => component.GetFunction("g", "func()"));
        foreach (string type in new[]
        {
            "", "string", "func", "func(", "func()->", "func(x)", "func(x: int)", "func(x: list)", "func(x: list<u8)", "func(x: u8, x: u8)",
            "func(x: record {})", "func(x: tuple<>)", "func() u8", "func() -> u8 u8", "func(x: " + string.Concat(Enumerable.Repeat("list<", 40)) + "u8",
            $"func(x: flags {{ {string.Join(", ", Enumerable.Range(0, 33).Select(i => $"f{i}"))} }})",
        })
            Assert.Throws<FormatException>(() => ComponentFuncType.Parse(type));
    }

    [Fact]
    public void ACallCopiesNoMoreThanItMay()
    {
        using Component component = Make(Base + """(func (export "f") (param i32 i32))""", options: new ComponentOptions { MaximumCopiedBytes = 100 });
        ComponentFunction function = component.GetFunction("f", "func(x: list<u8>)");
        function.Call(new byte[100]);
        Assert.Equal(TrapKind.InvalidComponentValue, Assert.Throws<TrapException>(() => function.Call(new byte[101])).Kind);
    }
}
