using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Xunit;

namespace WasmJit.Tests.PublicApi;

/// <summary>
/// Interfaces as the typed face of an instance, and objects as imports. Tests/Generators has these tests, too, with classes that are written when they are
/// compiled.
/// </summary>
public sealed partial class BindingTests
{
#if GENERATED
    private const bool IsGenerated = true;
#else
    private const bool IsGenerated = false;
#endif

    /// <summary>Memory and an allocator that counts what is in use.</summary>
    private const string Allocator = """
        (memory (export "memory") 1)
        (global $next (mut i32) (i32.const 1024))
        (global $used (export "used") (mut i32) (i32.const 0))
        (func $malloc (export "malloc") (param $n i32) (result i32) (local $at i32)
          (local.set $at (global.get $next))
          (global.set $next (i32.and (i32.add (i32.add (global.get $next) (local.get $n)) (i32.const 15)) (i32.const -8)))
          (global.set $used (i32.add (global.get $used) (i32.const 1)))
          (local.get $at))
        (func (export "free") (param i32) (if (local.get 0) (then (global.set $used (i32.sub (global.get $used) (i32.const 1))))))
        """;

    private static Instance Make(string text, Imports? imports = null) => new Engine().CompileText(text).Instantiate(imports);

    public enum Colour : byte { Red, Green = 200 }

    [WasmFace]
    public interface INumbers
    {
        int Add(int a, int b);

        uint Half(uint value);

        ulong Wide(ulong value);

        bool Not(bool value);

        byte Low(int value);

        Colour Next(Colour value);

        float Single(float value);

        double Twice(double value);

        (int, long) Two();

        void Nothing();

        [WasmName("renamed-thing")]
        int Renamed();

        int CamelCase();

        int WithSeparators();

        int Implemented() => 17;

        int Counter { get; set; }

        long Fixed { get; }

        Memory Memory { get; }

        Func<int, int, int> add { get; }

        Instance Instance { get; }
    }

    private const string Numbers = """
        (module $numbers
          (memory (export "memory") 1)
          (global $c (export "counter") (mut i32) (i32.const 5)) (global (export "fixed") i64 (i64.const -9))
          (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
          (func (export "half") (param i32) (result i32) (i32.div_u (local.get 0) (i32.const 2)))
          (func (export "wide") (param i64) (result i64) (i64.shr_u (local.get 0) (i64.const 1)))
          (func (export "not") (param i32) (result i32) (i32.mul (i32.eqz (local.get 0)) (i32.const 2)))
          (func (export "low") (param i32) (result i32) (local.get 0))
          (func (export "next") (param i32) (result i32) (if (result i32) (local.get 0) (then (i32.const 256)) (else (i32.const 200))))
          (func (export "single") (param f32) (result f32) (f32.neg (local.get 0)))
          (func (export "twice") (param f64) (result f64) (f64.add (local.get 0) (local.get 0)))
          (func (export "two") (result i32 i64) (i32.const 1) (i64.const 2))
          (func (export "nothing") (global.set $c (i32.const 7)))
          (func (export "renamed-thing") (result i32) (i32.const 1))
          (func (export "camelCase") (result i32) (i32.const 2))
          (func (export "with_separators") (result i32) (i32.const 3)))
        """;

    [Fact]
    public void NumbersAreMethodsAndProperties()
    {
        Instance instance = Make(Numbers);
        INumbers face = instance.As<INumbers>();
        Assert.Equal(42, face.Add(40, 2));
        Assert.Equal(0x7fffffffu, face.Half(0xfffffffe));
        Assert.Equal(0x7fffffffffffffffu, face.Wide(ulong.MaxValue));
        Assert.True(face.Not(false));
        Assert.False(face.Not(true));
        Assert.Equal(0x34, face.Low(0x1234));
        Assert.Equal((Colour.Green, Colour.Red), (face.Next(Colour.Red), face.Next(Colour.Green)));
        Assert.Equal(-1.5f, face.Single(1.5f));
        Assert.Equal(3.0, face.Twice(1.5));
        Assert.Equal((1, 2L), face.Two());
        Assert.Equal((1, 2, 3), (face.Renamed(), face.CamelCase(), face.WithSeparators()));
        Assert.Equal(17, face.Implemented());
        Assert.Equal((5, -9L), (face.Counter, face.Fixed));
        face.Counter = 6;
        Assert.Equal(6, instance.GetExport<Global>("counter").Value);
        face.Nothing();
        Assert.Equal(7, face.Counter);
        Assert.Same(instance.GetExport<Memory>("memory"), face.Memory);
        Assert.Equal(3, face.add(1, 2));
        Assert.Same(instance, face.Instance);
        Assert.Equal(IsGenerated ? "BindingTests_INumbersFace of numbers" : "wasm INumbers of numbers", face.ToString());
        Assert.Equal(IsGenerated, face.GetType().Assembly == typeof(BindingTests).Assembly);
        // Another instance of the same types has the same class, and its own exports.
        INumbers other = Make(Numbers).As<INumbers>();
        Assert.Same(face.GetType(), other.GetType());
        Assert.Equal((7, 5), (face.Counter, other.Counter));
    }

    [StructLayout(LayoutKind.Sequential)]
    public record struct Point(int X, int Y, double Weight);

    [WasmFace]
    internal interface IMemory
    {
        int Length(string text);

        string Shout(string text);

        [return: WasmOwned]
        string Owned(string text);

        int Sum(ReadOnlySpan<int> items);

        int SumArray(int[] items);

        void Reverse(Span<byte> bytes);

        byte[] Tail(byte[] bytes);

        ReadOnlySpan<byte> View();

        Point Move(Point point, int by);

        int Used { get; }
    }

    private const string InMemory = $"""
        (module {Allocator}
          (data (i32.const 16) "view")
          (func (export "length") (param i32 i32) (result i32) (local.get 1))
          (func $copy (param $p i32) (param $n i32) (result i32 i32) (local $q i32)
            (local.set $q (call $malloc (local.get $n)))
            (memory.copy (local.get $q) (local.get $p) (local.get $n))
            (local.get $q) (local.get $n))
          (func $upper (param $p i32) (param $n i32) (result i32 i32) (local $q i32) (local $i i32) (local $c i32)
            (call $copy (local.get $p) (local.get $n)) (local.set $n) (local.set $q)
            (block $done (loop $next
              (br_if $done (i32.ge_u (local.get $i) (local.get $n)))
              (local.set $c (i32.load8_u (i32.add (local.get $q) (local.get $i))))
              (if (i32.le_u (i32.sub (local.get $c) (i32.const 97)) (i32.const 25))
                (then (i32.store8 (i32.add (local.get $q) (local.get $i)) (i32.sub (local.get $c) (i32.const 32)))))
              (local.set $i (i32.add (local.get $i) (i32.const 1)))
              (br $next)))
            (local.get $q) (local.get $n))
          (func (export "shout") (param i32 i32) (result i32 i32) (call $upper (local.get 0) (local.get 1)))
          (func (export "owned") (param i32 i32) (result i32 i32) (call $upper (local.get 0) (local.get 1)))
          (func $sum (param $p i32) (param $n i32) (result i32) (local $s i32)
            (block $done (loop $next
              (br_if $done (i32.eqz (local.get $n)))
              (local.set $s (i32.add (local.get $s) (i32.load (local.get $p))))
              (local.set $p (i32.add (local.get $p) (i32.const 4)))
              (local.set $n (i32.sub (local.get $n) (i32.const 1)))
              (br $next)))
            (local.get $s))
          (export "sum" (func $sum)) (export "sum_array" (func $sum))
          (func (export "reverse") (param $p i32) (param $n i32) (local $e i32) (local $c i32)
            (local.set $e (i32.sub (i32.add (local.get $p) (local.get $n)) (i32.const 1)))
            (block $done (loop $next
              (br_if $done (i32.ge_s (local.get $p) (local.get $e)))
              (local.set $c (i32.load8_u (local.get $p)))
              (i32.store8 (local.get $p) (i32.load8_u (local.get $e)))
              (i32.store8 (local.get $e) (local.get $c))
              (local.set $p (i32.add (local.get $p) (i32.const 1)))
              (local.set $e (i32.sub (local.get $e) (i32.const 1)))
              (br $next))))
          ;; As C returns a struct: through a pointer that comes first.
          (func (export "tail") (param $result i32) (param $p i32) (param $n i32)
            (i32.store (local.get $result) (i32.add (local.get $p) (i32.const 1)))
            (i32.store offset=4 (local.get $result) (i32.sub (local.get $n) (i32.const 1))))
          (func (export "view") (result i32 i32) (i32.const 16) (i32.const 4))
          (func (export "move") (param $result i32) (param $point i32) (param $by i32)
            (i32.store (local.get $result) (i32.add (i32.load (local.get $point)) (local.get $by)))
            (i32.store offset=4 (local.get $result) (i32.sub (i32.load offset=4 (local.get $point)) (local.get $by)))
            (f64.store offset=8 (local.get $result) (f64.neg (f64.load offset=8 (local.get $point))))))
        """;

    [Fact]
    public void TextsArraysAndStructsGoThroughMemory()
    {
        IMemory face = Make(InMemory).As<IMemory>();
        Assert.Equal((0, 5, 7), (face.Length(""), face.Length("hello"), face.Length("größe")));
        Assert.Equal(10, face.Sum([1, 2, 3, 4]));
        Assert.Equal(-6, face.SumArray([-1, -2, -3]));
        byte[] bytes = [1, 2, 3, 4, 5];
        face.Reverse(bytes);
        Assert.Equal([5, 4, 3, 2, 1], bytes);
        Assert.Equal([8, 7], face.Tail([9, 8, 7]));
        Assert.Equal("view"u8, face.View());
        Assert.Equal(new Point(11, 18, -0.5), face.Move(new Point(1, 28, 0.5), 10));
        // All that was passed has been given back.
        Assert.Equal(0, face.Used);
        Assert.Equal("HELLO", face.Owned("hello"));
        Assert.Equal(0, face.Used);
        // What is returned is the guest's, unless it says otherwise.
        Assert.Equal("GR\u00f6\u00dfE", face.Shout("größe"));
        Assert.Equal(1, face.Used);
    }

    [WasmFace]
    public interface IText
    {
        string? Echo(string? text);

        int CountBytes(string text);
    }

    [Fact]
    public void TextsMayEndWithZeros()
    {
        IText face = Make($"""
            (module {Allocator}
              (func (export "echo") (param i32) (result i32) (local.get 0))
              (func (export "count_bytes") (param $p i32) (result i32) (local $n i32)
                (loop $next
                  (if (i32.load8_u (i32.add (local.get $p) (local.get $n)))
                    (then (local.set $n (i32.add (local.get $n) (i32.const 1))) (br $next))))
                (local.get $n)))
            """).As<IText>();
        Assert.Equal(("größe", "", null), (face.Echo("größe"), face.Echo(""), face.Echo(null)));
        Assert.Equal(7, face.CountBytes("größe"));
        Assert.Throws<ArgumentException>(() => face.CountBytes("a\0b"));
    }

    [WasmFace]
    public interface IReferences
    {
        object? Keep(object? value);

        string Name(string value);

        Func<int, int> Doubler();

        int Apply(Func<int, int> function, int value);

        Table Table { get; }
    }

    [Fact]
    public void ReferencesAreObjectsAndTypedDelegates()
    {
        IReferences face = Make("""
            (module
              (type $f (func (param i32) (result i32)))
              (table (export "table") 1 funcref)
              (func $double (type $f) (i32.mul (local.get 0) (i32.const 2)))
              (elem declare func $double)
              (func (export "keep") (param externref) (result externref) (local.get 0))
              (func (export "name") (param externref) (result externref) (local.get 0))
              (func (export "doubler") (result (ref $f)) (ref.func $double))
              (func (export "apply") (param (ref $f) i32) (result i32) (call_ref $f (local.get 1) (local.get 0))))
            """).As<IReferences>();
        object thing = new();
        Assert.Same(thing, face.Keep(thing));
        Assert.Null(face.Keep(null));
        Assert.Equal("x", face.Name("x"));
        Assert.Equal(14, face.Doubler()(7));
        Assert.Equal(16, face.Apply(face.Doubler(), 8));
        Assert.Equal(9, face.Apply(x => x + 1, 8));
        Assert.Equal(1, face.Table.Size);
    }

    public interface IWrong
    {
        int Missing();

        long Add(int a, int b);

        int Counter();

        int Fixed { get; set; }

        decimal Half(uint value);

        event Action<int> Log;
    }

    [Fact]
    public void OneErrorListsEveryMismatch()
    {
        BindingException error = Assert.Throws<BindingException>(() => Make(Numbers).As<IWrong>());
        Assert.Equal(
            [
                "Missing: there is no export \"Missing\" or \"missing\"",
                "Add: the export \"add\" is (func (param i32 i32) (result i32)), which is not long (int, int)",
                "Counter: the export \"counter\" is (global (mut i32)), not a function",
                "Half: the result is decimal, which cannot cross",
                "Fixed: the export \"fixed\" is (global i64), which is not int",
                "Log: an event is an import, which an instance has already: use Module.Instantiate<T>",
            ],
            error.Problems);
        Assert.All(error.Problems, p => Assert.Contains("\n  " + p, error.Message, StringComparison.Ordinal));
        Assert.Throws<ArgumentException>(() => Make(Numbers).As<string>());
    }

    [WasmFace]
    public interface IPlugin
    {
        event Action<int>? Progress;

        event Func<string, int>? Ask;

        int Run(int steps);
    }

    private const string Plugin = """
        (module $plugin
          (import "env" "progress" (func $progress (param i32)))
          (import "env" "ask" (func $ask (param i32 i32) (result i32)))
          (memory (export "memory") 1)
          (data (i32.const 8) "how many?")
          (func (export "run") (param $n i32) (result i32)
            (loop $l
              (call $progress (local.get $n))
              (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
            (call $ask (i32.const 8) (i32.const 9))))
        """;

    [Fact]
    public void EventsAreImports()
    {
        IPlugin plugin = new Engine().CompileText(Plugin).Instantiate<IPlugin>();
        // Without a listener: nothing, and zeros.
        Assert.Equal(0, plugin.Run(2));
        var seen = new List<int>();
        string question = "";
        plugin.Progress += seen.Add;
        Action<int> second = n => seen.Add(-n);
        plugin.Progress += second;
        plugin.Ask += text =>
        {
            question = text;
            return 42;
        };
        Assert.Equal(42, plugin.Run(2));
        Assert.Equal([2, -2, 1, -1], seen);
        Assert.Equal("how many?", question);
        plugin.Progress -= second;
        plugin.Run(1);
        Assert.Equal([2, -2, 1, -1, 1], seen);
    }

    [WasmImports]
    private sealed partial class Host
    {
        public List<string> Lines { get; } = [];

        public Memory Shared { get; } = new(new MemoryType(1, null));

        public void Log(string text) => Lines.Add(text);

        public uint Sum(ReadOnlySpan<uint> items)
        {
            uint sum = 0;
            foreach (uint item in items) sum += item;
            return sum;
        }

        public bool IsGreen(Colour colour) => colour == Colour.Green;

        [WasmName("who")]
        public string Name(Caller caller) => caller.Instance.Module.Name!;

        public double Plain(int a, long b) => a + b;

        public void Fill(Span<byte> bytes) => bytes.Fill(7);

        public double WeightOf(Point point) => point.Weight;
    }

    [Fact]
    public void ObjectsAreImports()
    {
        var host = new Host();
        var imports = new Imports();
        imports.AddObject("env", host);
        Instance instance = Make($"""
            (module $guest
              (import "env" "log" (func $log (param i32 i32)))
              (import "env" "sum" (func $sum (param i32 i32) (result i32)))
              (import "env" "is_green" (func $green (param i32) (result i32)))
              (import "env" "who" (func $who (result i32 i32)))
              (import "env" "Plain" (func $plain (param i32 i64) (result f64)))
              (import "env" "fill" (func $fill (param i32 i32)))
              (import "env" "weight_of" (func $weight (param i32) (result f64)))
              (import "env" "shared" (memory $shared 1))
              {Allocator.Replace("(memory ", "(memory $own ", StringComparison.Ordinal).Replace("(export \"memory\")", "", StringComparison.Ordinal)}
              (export "memory" (memory $own))
              (data (memory $own) (i32.const 16) "hello") (data (memory $own) (i32.const 32) "\01\00\00\00\02\00\00\00\ff\ff\ff\7f")
              (data (memory $own) (i32.const 64) "\00\00\00\00\00\00\00\00\00\00\00\00\00\00\e0\3f")
              (func (export "run") (result i32 i32 i32 f64 f64 i32)
                (call $log (i32.const 16) (i32.const 5))
                (call $log (call $who))
                (call $fill (i32.const 48) (i32.const 2))
                (call $sum (i32.const 32) (i32.const 3)) (call $green (i32.const 200)) (call $green (i32.const 1))
                (call $plain (i32.const 1) (i64.const 2)) (call $weight (i32.const 64))
                (i32.load16_u $own (i32.const 48))))
            """, imports);
        var run = instance.GetExport<Func<(int, int, int, double, double, int)>>("run");
        Assert.Equal((unchecked((int)0x80000002), 1, 0, 3.0, 0.5, 0x0707), run());
        Assert.Equal(["hello", "guest"], host.Lines);
        // What a guest passes is checked as any address is.
        BindingException error = Assert.Throws<BindingException>(() => new Imports().AddObject("env", new object()));
        Assert.Equal(["it has no public method"], error.Problems);
        Assert.Equal(2, Assert.Throws<BindingException>(() => new Imports().AddObject("env", new Unsuitable())).Problems.Count);
    }

    private sealed class Unsuitable
    {
        public void Wrong(decimal value) => _ = value;

        public ref int AlsoWrong() => throw new NotSupportedException();
    }

    [WasmFace]
    public interface IHostile
    {
        string Text();

        byte[] Bytes();

        int Give(string text);
    }

    [Theory]
    [InlineData("(i32.const -1) (i32.const 1)", "(i32.const 0)")]
    [InlineData("(i32.const 0) (i32.const -1)", "(i32.const 65536)")]
    [InlineData("(i32.const 65535) (i32.const 2)", "(i32.const -4)")]
    public void WhatAGuestReturnsIsChecked(string pair, string address)
    {
        IHostile face = Make($"""
            (module (memory (export "memory") 1)
              (func (export "malloc") (param i32) (result i32) {address})
              (func (export "free") (param i32))
              (func (export "text") (result i32 i32) {pair})
              (func (export "bytes") (result i32 i32) {pair})
              (func (export "give") (param i32 i32) (result i32) (i32.const 0)))
            """).As<IHostile>();
        Assert.ThrowsAny<Exception>(() => face.Text());
        Assert.ThrowsAny<Exception>(() => face.Bytes());
        Assert.ThrowsAny<Exception>(() => face.Give("hello"));
    }

    [Fact]
    public void AClassGoesWithItsInstances()
    {
        Assert.True(Eventually.Collected(MakeAndDrop()));
    }

    public interface IDropped
    {
        int Answer();
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static WeakReference MakeAndDrop()
    {
        IDropped face = Make("(module (func (export \"answer\") (result i32) (i32.const 42)))").As<IDropped>();
        Assert.Equal(42, face.Answer());
        return new WeakReference(face.GetType());
    }

    [Fact]
    public void ZeroEndsAText()
    {
        Memory memory = Make("(module (memory (export \"memory\") 1) (data (i32.const 8) \"gr\\c3\\b6\\00x\"))").GetExport<Memory>("memory");
        Assert.Equal(("grö", "x", ""), (memory.ReadString(8), memory.ReadString(13), memory.ReadString(100)));
        memory.Span[65530..].Fill(65);
        Assert.Throws<ArgumentOutOfRangeException>(() => memory.ReadString(65530));
        Assert.Throws<ArgumentOutOfRangeException>(() => memory.ReadString(65536));
    }
}
