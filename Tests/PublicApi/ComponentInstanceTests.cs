using System.Text;
using WasmJit.Components;
using Xunit;

namespace WasmJit.Tests.PublicApi;

/// <summary>Components by .NET types and by values, their imports, their lifetime.</summary>
public sealed class ComponentInstanceTests
{
    private static readonly Engine Engine = new();

    private const string Allocator = """
        (memory (export "mem") 1)
        (global $next (mut i32) (i32.const 4096))
        (func (export "realloc") (param i32 i32 i32 i32) (result i32)
          (local $r i32)
          (local.set $r (i32.and (i32.add (global.get $next) (i32.const 15)) (i32.const -16)))
          (global.set $next (i32.add (local.get $r) (local.get 3)))
          (local.get $r))
        """;

    private static WasmComponent Compile(string text) => Engine.CompileComponent(Wat.ToBinary(text));

    /// <summary>A component whose function passes its argument to a function of the host, and returns what that returns.</summary>
    private static WasmComponent Echo(string definitions, string type, string flat)
    {
        int count = flat.Split(' ').Length;
        string gets = string.Concat(Enumerable.Range(0, count).Select(i => $" (local.get {i})"));
        string options = "(memory (core memory $a \"mem\")) (realloc (core func $a \"realloc\"))";
        string core = count == 1
            ? $"(import \"\" \"h\" (func $h (param {flat}) (result {flat}))) (func (export \"f\") (param {flat}) (result {flat}) (call $h{gets}))"
            : $"(import \"\" \"h\" (func $h (param {flat} i32))) (func (export \"f\") (param {flat}) (result i32) (call $h{gets} (i32.const 64)) (i32.const 64))";
        return Compile($"""
            (component
              {definitions}
              (import "h" (func $h (param "x" {type}) (result {type})))
              (core module $A {Allocator})
              (core instance $a (instantiate $A))
              (core func $l (canon lower (func $h) {options}))
              (core module $M {core})
              (core instance $m (instantiate $M (with "" (instance (export "h" (func $l))))))
              (func (export "f") (param "x" {type}) (result {type}) (canon lift (core func $m "f") {options})))
            """);
    }

    private static void ComesBack<T>(string type, string flat, params T[] values) => ComesBackAs("", type, flat, values);

    private static void ComesBackAs<T>(string definitions, string type, string flat, params T[] values)
    {
        WasmComponent component = Echo(definitions, type, flat);
        T? seen = default;
        using ComponentInstance instance = component.Instantiate(new ComponentHost { { "h", (Func<T, T>)(x => seen = x) } });
        var function = instance.GetFunction<Func<T, T>>("f");
        foreach (T value in values)
        {
            T back = function(value);
            Assert.Equal(value, seen);
            Assert.Equal(value, back);
        }
        // The same by values.
        ComponentValue last = default;
        using ComponentInstance other = component.Instantiate(new ComponentHost { { "h", arguments => last = arguments[0] } });
        var bridge = other.GetFunction<Func<T, T>>("f");
        foreach (T value in values)
        {
            Assert.Equal(value, bridge(value));
            Assert.Equal(last, other.GetFunction("f").Call(last));
        }
    }

    public enum Color
    {
        Green,
        DarkRed,
    }

    [Flags]
    public enum Access
    {
        None = 0,
        Read = 1,
        Write = 4,
    }

    public sealed record Point(uint X, double Y);

    public abstract record Shape;

    public sealed record Circle(float Radius) : Shape;

    public sealed record Named(string Text) : Shape;

    public sealed record Nothing : Shape;

    [Fact]
    public void NumbersComeBack()
    {
        ComesBack("bool", "i32", true, false);
        ComesBack<sbyte>("s8", "i32", -128, 0, 127);
        ComesBack<byte>("u8", "i32", 0, 255);
        ComesBack<short>("s16", "i32", short.MinValue, short.MaxValue);
        ComesBack<ushort>("u16", "i32", 0, ushort.MaxValue);
        ComesBack("s32", "i32", int.MinValue, -1, int.MaxValue);
        ComesBack("u32", "i32", 0u, uint.MaxValue);
        ComesBack("s64", "i64", long.MinValue, -1, long.MaxValue);
        ComesBack("u64", "i64", 0ul, ulong.MaxValue);
        ComesBack("f32", "f32", 0f, -1.5f, float.NaN, float.PositiveInfinity);
        ComesBack("f64", "f64", 0.0, -1.5, double.NaN);
        ComesBack("char", "i32", new Rune('a'), new Rune(0x1f370));
    }

    [Theory]
    [InlineData(10)]
    [InlineData(1000)]
    public void HalfOfASurrogatePairIsAMistake(int length)
    {
        using ComponentInstance instance = Echo("", "string", "i32 i32").Instantiate(new ComponentHost { { "h", (Func<string, string>)(x => x) } });
        var function = instance.GetFunction<Func<string, string>>("f");
        Assert.Throws<ArgumentException>(() => function(new string('x', length) + "\ud800"));
        Assert.Throws<ArgumentException>(() => function("\udc00" + new string('x', length)));
        Assert.Equal("x", function("x"));
    }

    public readonly record struct Pixel(byte R, byte G, byte B, byte A);

    public readonly record struct Mirrored(byte A, byte B, byte G, byte R);

    public readonly record struct Line((ushort X, ushort Y) From, (ushort X, ushort Y) To);

    public struct Doubled(uint low, uint high)
    {
        public uint Low { get; } = low;

        // No field lies behind this one.
        public readonly uint High => high;
    }

    /// <summary>Structs that lie in .NET as they do in the guest, others that seem to, and tuples with gaps.</summary>
    [Fact]
    public void ListsOfStructsComeBack()
    {
        ComesBack<(uint, uint, double)[]>("(list (tuple u32 u32 f64))", "i32 i32", [(1, 2, 3.5), (4, 5, double.NaN)], []);
        ComesBack<(byte, uint)[]>("(list (tuple u8 u32))", "i32 i32", [(255, uint.MaxValue), (1, 2)], []);
        ComesBack<(uint, byte)[]>("(list (tuple u32 u8))", "i32 i32", [(uint.MaxValue, 255), (1, 2)], []);
        ComesBack<(bool, bool)[]>("(list (tuple bool bool))", "i32 i32", [(true, false), (false, true)], []);
        const string Definitions = """
            (type $pixel' (record (field "r" u8) (field "g" u8) (field "b" u8) (field "a" u8)))
            (import "pixel" (type $pixel (eq $pixel')))
            (type $line' (record (field "from" (tuple u16 u16)) (field "to" (tuple u16 u16))))
            (import "line" (type $line (eq $line')))
            (type $doubled' (record (field "low" u32) (field "high" u32)))
            (import "doubled" (type $doubled (eq $doubled')))
            """;
        ComesBackAs<Pixel[]>(Definitions, "(list $pixel)", "i32 i32", [new(1, 2, 3, 4), new(5, 6, 7, 8)], []);
        ComesBackAs<Mirrored[]>(Definitions, "(list $pixel)", "i32 i32", [new(1, 2, 3, 4), new(5, 6, 7, 8)], []);
        ComesBackAs<Line[]>(Definitions, "(list $line)", "i32 i32", [new((1, 2), (3, 4))], []);
        ComesBackAs<Doubled[]>(Definitions, "(list $doubled)", "i32 i32", [new(1, 2), new(3, 4)], []);
    }

    [Fact]
    public void StringsAndListsComeBack()
    {
        ComesBack("string", "i32 i32", "", "text", "h\u00f6\u2603\U0001f370", new string('x', 256), new string('\u00f6', 257), string.Concat(Enumerable.Repeat("\U0001f370", 128)));
        ComesBack<byte[]>("(list u8)", "i32 i32", [], [1, 2, 255]);
        ComesBack<double[]>("(list f64)", "i32 i32", [1.5, -2.5], []);
        ComesBack<string[]>("(list string)", "i32 i32", ["a", ""], []);
        ComesBack<(byte, string)[]>("(list (tuple u8 string))", "i32 i32", [(1, "x"), (2, "y")]);
        ComesBack<ushort[]>("(list u16 3)", "i32 i32 i32", [1, 2, 3]);
        ComesBack<bool[][]>("(list (list bool))", "i32 i32", [[true, false], []]);
    }

    [Fact]
    public void OptionsResultsAndTuplesComeBack()
    {
        ComesBack<uint?>("(option u32)", "i32 i32", null, 0, 7);
        ComesBack<string?>("(option string)", "i32 i32 i32", null, "", "x");
        ComesBack("(tuple u8 s64 f32)", "i32 i64 f32", ((byte)1, -2L, 3.5f));
        ComesBack<ComponentResult<uint, string>>("(result u32 (error string))", "i32 i32 i32", 5u, ComponentResult<uint, string>.Fail("bad"));
        ComesBack<ComponentResult<NoValue, NoValue>>("(result)", "i32", default(NoValue), ComponentResult<NoValue, NoValue>.Fail(default));
        ComesBack<ulong?[]>("(list (option u64))", "i32 i32", [null, 1]);
        ComesBack("(tuple u8 u8 u8 u8 u8 u8 u8 u64)", "i32 i32 i32 i32 i32 i32 i32 i64", ((byte)1, (byte)2, (byte)3, (byte)4, (byte)5, (byte)6, (byte)7, 8UL));
        ComesBack(
            "(tuple u8 u8 u8 u8 u8 u8 u8 u8 u8 u8 u8 u8 u8 u8 string)", $"{string.Join(' ', Enumerable.Repeat("i32", 16))}",
            ((byte)1, (byte)2, (byte)3, (byte)4, (byte)5, (byte)6, (byte)7, (byte)8, (byte)9, (byte)10, (byte)11, (byte)12, (byte)13, (byte)14, "end"));
    }

    [Fact]
    public void NamedTypesComeBack()
    {
        ComesBackAs("(type $d (record (field \"x\" u32) (field \"y\" f64))) (import \"t\" (type $t (eq $d)))", "$t", "i32 f64", new Point(1, 2.5), new Point(uint.MaxValue, -1));
        ComesBackAs("(type $d (enum \"green\" \"dark-red\")) (import \"t\" (type $t (eq $d)))", "$t", "i32", Color.Green, Color.DarkRed);
        ComesBackAs("(type $d (flags \"read\" \"write\")) (import \"t\" (type $t (eq $d)))", "$t", "i32", Access.None, Access.Read, Access.Read | Access.Write);
        ComesBackAs<Shape>(
            "(type $d (variant (case \"circle\" f32) (case \"named\" string) (case \"nothing\"))) (import \"t\" (type $t (eq $d)))", "$t", "i32 i32 i32",
            new Circle(1.5f), new Named("n"), new Nothing());
    }

    [Fact]
    public void TypesThatDoNotFitSayWhy()
    {
        using ComponentInstance instance = Echo("", "u32", "i32").Instantiate(new ComponentHost { { "h", (Func<uint, uint>)(x => x + 1) } });
        Assert.Equal(8u, instance.GetFunction<Func<uint, uint>>("f")(7));
        Assert.Contains("is no .NET type for u32", Assert.Throws<InvalidCastException>(() => instance.GetFunction<Func<int, uint>>("f")).Message, StringComparison.Ordinal);
        Assert.Contains("1 parameters", Assert.Throws<InvalidCastException>(() => instance.GetFunction<Func<uint>>("f")).Message, StringComparison.Ordinal);
        Assert.Throws<KeyNotFoundException>(() => instance.GetFunction("g"));
        Assert.Throws<ArgumentException>(() => instance.GetFunction("f").Call(ComponentValue.From("text")));
        // What the host did wrong has not hurt the guest.
        Assert.Equal(ComponentValue.From(10u), instance.GetFunction("f").Call(ComponentValue.From(9u)));
    }

    /// <summary>One error has all that does not match.</summary>
    [Fact]
    public void ImportsThatDoNotMatchAreAllListed()
    {
        WasmComponent component = Compile("""
            (component
              (import "a" (func (param "x" u32)))
              (import "b" (func (result string)))
              (import "test:pkg/i" (instance (export "c" (func)) (export "r" (type (sub resource))))))
            """);
        var host = new ComponentHost { { "b", (Func<int>)(() => 1) } };
        host.Interface("test:pkg/i").Add("c", (Action<uint>)(_ => { }));
        string message = Assert.Throws<LinkException>(() => component.Instantiate(host)).Message;
        foreach (string part in new[] { "\"a\" is missing", "\"b\" is of another type", "\"test:pkg/i\" \"c\" is of another type", "\"test:pkg/i\" \"r\" is missing" })
            Assert.Contains(part, message, StringComparison.Ordinal);
    }

    private const string Resources = """
        (component
          (import "host" (instance $host
            (export "thing" (type $thing (sub resource)))
            (export "make" (func (param "n" u32) (result (own $thing))))
            (export "read" (func (param "t" (borrow $thing)) (result u32)))))
          (alias export $host "thing" (type $t))
          (core func $make (canon lower (func $host "make")))
          (core func $read (canon lower (func $host "read")))
          (core func $drop (canon resource.drop $t))
          (core module $M
            (import "" "make" (func $make (param i32) (result i32)))
            (import "" "read" (func $read (param i32) (result i32)))
            (import "" "drop" (func $drop (param i32)))
            (global $h (mut i32) (i32.const 0))
            (func (export "f") (param i32) (result i32)
              (global.set $h (call $make (local.get 0)))
              (i32.add (call $read (global.get $h)) (call $read (global.get $h))))
            (func (export "g") (call $drop (global.get $h)))
            (func (export "again") (result i32) (call $read (global.get $h)))
            (func (export "give") (result i32) (global.get $h)))
          (core instance $m (instantiate $M (with "" (instance (export "make" (func $make)) (export "read" (func $read)) (export "drop" (func $drop))))))
          (func (export "f") (param "n" u32) (result u32) (canon lift (core func $m "f")))
          (func (export "g") (canon lift (core func $m "g")))
          (func (export "again") (result u32) (canon lift (core func $m "again")))
          (func (export "give") (result (own $t)) (canon lift (core func $m "give"))))
        """;

    private sealed class Thing(uint number) : IDisposable
    {
        internal uint Number => number;

        internal bool IsDisposed { get; private set; }

        public void Dispose() => IsDisposed = true;
    }

    [Fact]
    public void ObjectsOfTheHostAreResources()
    {
        var type = new HostResourceType("thing");
        Thing? made = null;
        var host = new ComponentHost();
        host.Interface("host").Add("thing", type);
        host.Interface("host").Add("make", (Func<uint, ComponentResource>)(n => type.New(made = new Thing(n))));
        host.Interface("host").Add("read", (Func<ComponentResource, uint>)(t => t.Get<Thing>().Number));
        WasmComponent component = Compile(Resources);
        using ComponentInstance instance = component.Instantiate(host);
        Assert.Equal(42u, instance.GetFunction<Func<uint, uint>>("f")(21));
        Assert.Equal(1, type.Count);
        instance.GetFunction<Action>("g")();
        Assert.True(made!.IsDisposed);
        Assert.Equal(0, type.Count);
        Assert.Equal("unknown handle index 1", Assert.Throws<TrapException>(() => instance.GetFunction<Func<uint>>("again")()).Message);
        // Given to the host, it is the host's to dispose of.
        using ComponentInstance other = component.Instantiate(host);
        other.GetFunction<Func<uint, uint>>("f")(3);
        using (ComponentResource given = other.GetFunction<Func<ComponentResource>>("give")()) Assert.Equal(3u, given.Get<Thing>().Number);
        Assert.True(made.IsDisposed);
        // What a guest still has goes with it.
        other.GetFunction<Func<uint, uint>>("f")(4);
        Assert.False(made.IsDisposed);
        other.Dispose();
        Assert.True(made.IsDisposed);
        Assert.Equal(0, type.Count);
    }

    [Theory]
    [InlineData("a:b/c@1.2.3", "1,2,3", true)]
    [InlineData("a:b/c@1.2.3", "1,4,0", true)]
    [InlineData("a:b/c@1.2.3", "2,0,0", false)]
    [InlineData("a:b/c@0.2.0", "0,2,8", true)]
    [InlineData("a:b/c@0.2.9", "0,2,8", true)]
    [InlineData("a:b/c@0.2", "0,2,8", true)]
    [InlineData("a:b/c@0.2.0", "0,3,0", false)]
    [InlineData("a:b/c@0.0.1", "0,0,1", true)]
    [InlineData("a:b/c@0.0.1", "0,0,2", false)]
    [InlineData("a:b/c@0.2.0-rc-1", "0,2,0", false)]
    [InlineData("a:b/c@0.2.0+build", "0,2,1", true)]
    [InlineData("a:b/d@0.2.0", "0,2,0", false)]
    [InlineData("a:b/c", "0,2,0", false)]
    public void AnInterfaceStandsForCompatibleVersions(string wanted, string version, bool matches)
    {
        WasmComponent component = Compile($"""
            (component
              (import "{wanted}" (instance $i (export "f" (func (result u32)))))
              (core func $l (canon lower (func $i "f")))
              (func (export "f") (result u32) (canon lift (core func $l))))
            """);
        var host = new ComponentHost();
        string given = version.Replace(',', '.');
        host.Interface($"a:b/c@{given}").Add("f", (Func<uint>)(() => 7));
        // An older one that is compatible with it does not take its place.
        if (given == "0.2.8") host.Interface("a:b/c@0.2.1").Add("f", (Func<uint>)(() => 1));
        if (matches) using (ComponentInstance instance = component.Instantiate(host)) Assert.Equal(7u, instance.GetFunction<Func<uint>>("f")());
        else Assert.Contains("is missing", Assert.Throws<LinkException>(() => component.Instantiate(host)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void DisposedInstancesFailAndThoseInACallEndIt()
    {
        ComponentInstance instance = null!;
        instance = Echo("", "u32", "i32").Instantiate(new ComponentHost
        {
            {
                "h", (Func<uint, uint>)(x =>
                {
                    instance.Dispose();
                    return x;
                })
            },
        });
        var function = instance.GetFunction<Func<uint, uint>>("f");
        Assert.Equal(5u, function(5));
        Assert.True(instance.IsDisposed);
        Assert.Throws<ObjectDisposedException>(() => function(5));
        Assert.Throws<ObjectDisposedException>(() => instance.GetFunction("f"));
        instance.Dispose();
    }

    [Fact]
    public void AnInstanceThatTrappedIsNotEnteredAgain()
    {
        using ComponentInstance instance = Compile("""
            (component
              (core module $M (func (export "f") unreachable) (func (export "g")))
              (core instance $m (instantiate $M))
              (func (export "f") (canon lift (core func $m "f")))
              (func (export "g") (canon lift (core func $m "g"))))
            """).Instantiate();
        instance.GetFunction<Action>("g")();
        Assert.Equal(TrapKind.Unreachable, Assert.Throws<TrapException>(() => instance.GetFunction<Action>("f")()).Kind);
        Assert.Equal(TrapKind.ComponentModel, Assert.Throws<TrapException>(() => instance.GetFunction<Action>("g")()).Kind);
    }

    /// <summary>One component's exports are another's imports; values go from memory to memory.</summary>
    [Fact]
    public void ComponentsAreLinkedByTheHost()
    {
        using ComponentInstance inner = Echo("", "string", "i32 i32").Instantiate(new ComponentHost { { "h", (Func<string, string>)(s => s + "!") } });
        using ComponentInstance outer = Echo("", "string", "i32 i32").Instantiate(new ComponentHost { { "h", inner.GetFunction("f") } });
        Assert.Equal("hey!", outer.GetFunction<Func<string, string>>("f")("hey"));
        // Two that were made apart become imports of a third.
        using ComponentInstance apart = Echo("", "string", "i32 i32").Instantiate(new ComponentHost { { "h", (Func<string, string>)(s => s + "?") } });
        using ComponentInstance both = Compile("""
            (component
              (import "a" (func $a (param "x" string) (result string)))
              (import "b" (func $b (param "x" string) (result string)))
              (export "a" (func $a))
              (export "b" (func $b)))
            """).Instantiate(new ComponentHost { { "a", outer.GetFunction("f") }, { "b", apart.GetFunction("f") } });
        Assert.Equal("x!", both.GetFunction<Func<string, string>>("a")("x"));
        Assert.Equal("x?", both.GetFunction<Func<string, string>>("b")("x"));
        Assert.Equal("x?", apart.GetFunction<Func<string, string>>("f")("x"));
        Assert.Contains(
            "function of another type",
            Assert.Throws<LinkException>(() => Echo("", "u32", "i32").Instantiate(new ComponentHost { { "h", inner.GetFunction("f") } })).Message,
            StringComparison.Ordinal);
    }

    /// <summary>Calls that have become one method, and those of numbers alone: an exception of the callee is a trap for its caller, too.</summary>
    [Fact]
    public void ExceptionsAreTrapsInFusedCalls()
    {
        WasmComponent component = Compile("""
            (component
              (component $C
                (core module $M (tag $t) (func (export "f") (param i32) (result i32) (if (i32.eqz (local.get 0)) (then (throw $t))) (local.get 0)))
                (core instance $m (instantiate $M))
                (func (export "f") (param "x" u32) (result u32) (canon lift (core func $m "f"))))
              (component $D
                (import "f" (func $f (param "x" u32) (result u32)))
                (core func $g (canon lower (func $f)))
                (core module $M
                  (import "" "g" (func $g (param i32) (result i32)))
                  (func (export "run") (param $n i32) (result i32)
                    (loop $l
                      (drop (call $g (local.get $n)))
                      (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
                    (block $h (try_table (catch_all $h) (return (call $g (i32.const 0)))))
                    (i32.const 99)))
                (core instance $m (instantiate $M (with "" (instance (export "g" (func $g))))))
                (func (export "run") (param "n" u32) (result u32) (canon lift (core func $m "run"))))
              (instance $c (instantiate $C))
              (instance $d (instantiate $D (with "f" (func $c "f"))))
              (func (export "f") (alias export $c "f"))
              (func (export "run") (alias export $d "run")))
            """);
        foreach (uint calls in new uint[] { 1, 100 })
        {
            using ComponentInstance instance = component.Instantiate();
            Assert.Equal(TrapKind.ComponentModel, Assert.Throws<TrapException>(() => instance.GetFunction<Func<uint, uint>>("run")(calls)).Kind);
        }
        using ComponentInstance other = component.Instantiate();
        var function = other.GetFunction<Func<uint, uint>>("f");
        Assert.Equal(3u, function(3));
        Assert.Equal(TrapKind.ComponentModel, Assert.Throws<TrapException>(() => function(0)).Kind);
    }

    private const string Async = """
        (component
          (import "slow" (func $slow async (param "n" u32) (result u32)))
          (core module $Mem (memory (export "mem") 1))
          (core instance $mem (instantiate $Mem))
          (core func $slow' (canon lower (func $slow) async (memory (core memory $mem "mem"))))
          (core func $return (canon task.return (result u32)))
          (core func $set (canon waitable-set.new))
          (core func $join (canon waitable.join))
          (core func $drop (canon subtask.drop))
          (core module $M
            (import "" "mem" (memory 1))
            (import "" "slow" (func $slow (param i32 i32) (result i32)))
            (import "" "return" (func $return (param i32)))
            (import "" "set" (func $set (result i32)))
            (import "" "join" (func $join (param i32 i32)))
            (import "" "drop" (func $drop (param i32)))
            (global $next (mut i32) (i32.const 2048))
            (func (export "f") (param i32) (result i32)
              (local $call i32) (local $set i32) (local $to i32)
              (local.set $to (global.get $next))
              (global.set $next (i32.add (local.get $to) (i32.const 4)))
              (local.set $call (call $slow (local.get 0) (local.get $to)))
              (if (i32.eq (local.get $call) (i32.const 2))
                (then (call $return (i32.load (local.get $to))) (return (i32.const 0))))
              ;; where the result of each call will be
              (i32.store (i32.shl (i32.shr_u (local.get $call) (i32.const 4)) (i32.const 2)) (local.get $to))
              (local.set $set (call $set))
              (call $join (i32.shr_u (local.get $call) (i32.const 4)) (local.get $set))
              (i32.or (i32.const 2) (i32.shl (local.get $set) (i32.const 4))))
            (func (export "cb") (param i32 i32 i32) (result i32)
              (call $drop (local.get 1))
              (call $return (i32.load (i32.load (i32.shl (local.get 1) (i32.const 2)))))
              (i32.const 0)))
          (core instance $m (instantiate $M (with "" (instance
            (export "mem" (memory $mem "mem")) (export "slow" (func $slow')) (export "return" (func $return)) (export "set" (func $set))
            (export "join" (func $join)) (export "drop" (func $drop))))))
          (func (export "f") async (param "n" u32) (result u32) (canon lift (core func $m "f") async (callback (core func $m "cb")))))
        """;

    /// <summary>A guest that waits for a task of the host holds no thread.</summary>
    [Fact]
    public async Task TasksOfTheHostAreWaitedFor()
    {
        var source = new TaskCompletionSource<uint>();
        using ComponentInstance instance = Compile(Async).Instantiate(new ComponentHost { { "slow", (Func<uint, Task<uint>>)(async n => n + await source.Task) } });
        Task<uint> call = instance.GetFunction<Func<uint, Task<uint>>>("f")(40);
        Task<ComponentValue> other = instance.GetFunction("f").CallAsync(default, ComponentValue.From(1u));
        Assert.False(call.IsCompleted || other.IsCompleted);
        source.SetResult(2);
        Assert.Equal(42u, await call);
        Assert.Equal(ComponentValue.From(3u), await other);
        // By a call that waits on its thread, and when there is nothing to wait for.
        Assert.Equal(7u, instance.GetFunction<Func<uint, uint>>("f")(5));
    }

    [Fact]
    public async Task AHostThatFailsFailsTheCall()
    {
        using ComponentInstance instance = Compile(Async).Instantiate(new ComponentHost
        {
            {
                "slow", (Func<uint, Task<uint>>)(async _ =>
                {
                    await Task.Delay(20);
                    throw new FileNotFoundException("gone");
                })
            },
        });
        await Assert.ThrowsAsync<FileNotFoundException>(() => instance.GetFunction<Func<uint, Task<uint>>>("f")(1));
    }
}
