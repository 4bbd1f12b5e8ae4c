using WasmJit.Gc;
using WasmJit.Jit.Emit;
using WasmJit.Runtime;
using WasmJit.Tests.Runtime;
using Xunit;

namespace WasmJit.Tests;

/// <summary>
/// Exceptions that go the fast path from a throw to its handler, against the same ones that the runtime carries. Runs alone: the switch and the count of
/// fast paths are the process's.
/// </summary>
[Collection(nameof(ProcessWide))]
public sealed class UnwinderTests
{
    private sealed record Box(int Number);

    private static readonly Imports Host = new()
    {
        { "host", "collect", (Action)(() => GC.Collect(GC.CollectionCount(0) % 8 == 0 ? 2 : 0, GCCollectionMode.Forced, true, true)) },
        { "host", "number", (Func<object?, int>)(o => ((Box)o!).Number) },
    };

    private static Instance Compile(string text, bool shortWay, Imports? imports = null, EngineOptions? options = null)
    {
        Unwinder.IsOff = !shortWay;
        try
        {
            return new Engine(options ?? Tiers.Compiled).CompileText(text).Instantiate(imports);
        }
        finally
        {
            Unwinder.IsOff = false;
        }
    }

    private static string Describe(Func<int, object?, long> run, int x)
    {
        try
        {
            return run(x, new Box(x)).ToString("x", null);
        }
        catch (WasmException e)
        {
            object?[] values = e.GetValues();
            return $"{e.Tag.Type} {string.Join(' ', values.Select(v => v is WasmStruct s ? s[0] : v))} at {string.Join(' ', e.WasmStack)}";
        }
        catch (TrapException e)
        {
            return e.Message;
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void RandomProgramsDoTheSame(int part)
    {
        int shortWays = 0;
        for (int seed = part * 1000; seed < (part * 1000) + 8; seed++)
        {
            string text = ThrowingProgram.Text(seed);
            var expected = Compile(text, false, Host).GetExport<Func<int, object?, long>>("run");
            // Functions in several parts have frames that are not known.
            var options = Tiers.Compiled with { PartSize = seed % 3 == 0 ? new PartSize(12, 5, 30) : null };
            var actual = Compile(text, true, Host, options).GetExport<Func<int, object?, long>>("run");
            for (int x = 0; x < 40; x++)
            {
                Assert.Equal(Describe(expected, x), Describe(actual, x));
                if (x == 10) Unwinder.FastPaths = 0;
            }
            shortWays += Unwinder.FastPaths;
        }
        if (Unwinder.IsSupported) Assert.True(shortWays > 50, $"only {shortWays} took the fast path");
    }

    private const string Thrower = """
        (module
          (tag $t (param i32)) (tag $other)
          (func $throw (param $depth i32) (param $x i32)
            (if (local.get $depth) (then (call $throw (i32.sub (local.get $depth) (i32.const 1)) (local.get $x)) (return)))
            (throw $t (local.get $x)))
          (func $between (param $depth i32) (param $x i32)
            (block $caught (try_table (catch $other $caught) (call $throw (local.get $depth) (local.get $x)))))
          (func (export "f") (param $depth i32) (param $x i32) (result i32)
            (block $caught (result i32)
              (try_table (catch $t $caught) (call $between (local.get $depth) (local.get $x)))
              (i32.const -1)))
          (func (export "uncaught") (param $depth i32) (call $between (local.get $depth) (i32.const 7))))
        """;

    [Fact]
    public void TakesTheFastPathFromTheThirdThrowOn()
    {
        if (!Unwinder.IsSupported) return;
        var f = Compile(Thrower, true).GetExport<Func<int, int, int>>("f");
        for (int i = 0; i < 4; i++) Assert.Equal(i, f(5, i));
        Unwinder.FastPaths = 0;
        for (int i = 0; i < 1000; i++) Assert.Equal(i, f(5, i));
        // A thread that the runtime stops in the middle, for its own work, has a return address that is not known.
        Assert.InRange(Unwinder.FastPaths, 900, 1000);
    }

    /// <summary>More frames than a plan has room for, and back.</summary>
    [Fact]
    public void DeepStacksAreTheRuntimes()
    {
        var f = Compile(Thrower, true).GetExport<Func<int, int, int>>("f");
        foreach (int depth in new[] { 3, 3, 400, 252, 253, 254, 255, 256, 257, 2000, 3 })
            for (int i = 0; i < 3; i++) Assert.Equal(depth + i, f(depth, depth + i));
    }

    /// <summary>A guest cannot have the whole of a deep stack looked at for each of its throws.</summary>
    [Fact]
    public void NothingIsLearnedFromStacksThatAreDeep()
    {
        if (!Unwinder.IsSupported) return;
        Instance instance = Compile("""
            (module
              (tag $t)
              (func $deep (param $n i32) (result i32)
                (if (i32.eqz (local.get $n)) (then (return (call $f))))
                (i32.add (call $deep (i32.sub (local.get $n) (i32.const 1))) (i32.const 1)))
              (func $throw (throw $t))
              (func $f (export "f") (result i32)
                (block $caught (try_table (catch $t $caught) (call $throw)))
                (i32.const 0))
              (export "deep" (func $deep)))
            """, true, options: Tiers.Compiled with { Inlining = false });
        var deep = instance.GetExport<Func<int, int>>("deep");
        Unwinder.FastPaths = 0;
        for (int i = 0; i < 10; i++) Assert.Equal(20_000, deep(20_000));
        Assert.Equal(0, Unwinder.FastPaths);
        // What is known already serves there, too.
        var f = instance.GetExport<Func<int>>("f");
        for (int i = 0; i < 4; i++) f();
        Unwinder.FastPaths = 0;
        for (int i = 0; i < 10; i++) Assert.Equal(20_000, deep(20_000));
        Assert.InRange(Unwinder.FastPaths, 5, 10);
    }

    [Fact]
    public void WhatNobodyCatchesHasTheWholeStack()
    {
        Instance instance = Compile(Thrower, true);
        var f = instance.GetExport<Func<int, int, int>>("f");
        var uncaught = instance.GetExport<Action<int>>("uncaught");
        for (int i = 0; i < 5; i++)
        {
            Assert.Equal(i, f(2, i));
            WasmException e = Assert.Throws<WasmException>(() => uncaught(2));
            Assert.Equal(7, e.GetValue<int>(0));
            Assert.Equal(5, e.WasmStack.Count);
        }
    }

    /// <summary>Frames of the host are never skipped: what they have to do at their end they do.</summary>
    [Fact]
    public void HostFunctionsBetweenAreUnwound()
    {
        int left = 0;
        Action? inner = null;
        Instance instance = Compile("""
            (module
              (import "host" "call" (func $call))
              (tag $t (param i64))
              (func (export "throw") (throw $t (i64.const 77)))
              (func (export "f") (result i64)
                (block $caught (result i64)
                  (try_table (catch $t $caught) (call $call))
                  (i64.const -1))))
            """, true, new Imports
        {
            {
                "host", "call", (Action)(() =>
                {
                    try
                    {
                        inner!();
                    }
                    finally
                    {
                        left++;
                    }
                })
            },
        });
        inner = instance.GetExport<Action>("throw");
        var f = instance.GetExport<Func<long>>("f");
        for (int i = 1; i <= 10; i++)
        {
            Assert.Equal(77, f());
            Assert.Equal(i, left);
        }
    }

    /// <summary>
    /// Two instances share the code, and so what is learned of it. Each has a tag of its own and one that it imports, which may
    /// be the other's own.
    /// </summary>
    [Fact]
    public void TagsAreThoseOfTheInstance()
    {
        Module module = new Engine(Tiers.Compiled).CompileText("""
            (module
              (type $f (func))
              (import "m" "theirs" (tag $theirs))
              (import "m" "next" (func $next))
              (tag $mine (export "mine"))
              (func $throw (throw $mine))
              (func (export "throw") (call $throw))
              (func $own (result i32)
                (block $caught (try_table (catch $mine $caught) (call $next)) (return (i32.const 0)))
                (i32.const 1))
              (func (export "f") (result i32)
                (block $caught (try_table (catch $theirs $caught) (return (call $own))))
                (i32.const 2))
              (func (export "g") (result i32)
                (block $caught (try_table (catch $mine $caught) (call $next)) (return (i32.const 0)))
                (i32.const 3)))
            """);
        Instance a = module.Instantiate(new Imports { { "m", "theirs", new Tag(new FuncType([], [])) }, { "m", "next", (Action)(() => { }) } });
        Instance b = module.Instantiate(new Imports { { "m", "theirs", a.GetExport<Tag>("mine") }, { "m", "next", a.GetExport<Action>("throw") } });
        Instance c = module.Instantiate(new Imports { { "m", "theirs", new Tag(new FuncType([], [])) }, { "m", "next", a.GetExport<Action>("throw") } });
        Instance d = module.Instantiate(new Imports { { "m", "theirs", new Tag(new FuncType([], [])) }, { "m", "next", (Action)(() => { }) } });
        for (int i = 0; i < 5; i++)
        {
            Assert.Equal(2, b.GetExport<Func<int>>("f")());
            Assert.Throws<WasmException>(() => c.GetExport<Func<int>>("f")());
            Assert.Equal(0, d.GetExport<Func<int>>("f")());
            Assert.Throws<WasmException>(() => b.GetExport<Func<int>>("g")());
        }
    }

    /// <summary>
    /// References that callers further out keep in registers, which the functions in between have saved, while a collection
    /// moves what they refer to.
    /// </summary>
    [Fact]
    public void ReferencesInSavedRegistersAreTheCollectors()
    {
        var f = Compile("""
            (module
              (type $s (struct (field i32)))
              (import "host" "collect" (func $collect))
              (tag $t)
              (func $saves (param $n i32) (result i32)
                (local $a (ref null $s)) (local $b (ref null $s)) (local $c (ref null $s)) (local $d (ref null $s)) (local $e (ref null $s))
                (local.set $a (struct.new $s (i32.const 10))) (local.set $b (struct.new $s (i32.const 20)))
                (local.set $c (struct.new $s (i32.const 30))) (local.set $d (struct.new $s (i32.const 40)))
                (local.set $e (struct.new $s (i32.const 50)))
                (call $collect)
                (if (i32.and (local.get $n) (i32.const 1)) (then (throw $t)))
                (i32.add (i32.add (struct.get $s 0 (local.get $a)) (struct.get $s 0 (local.get $b)))
                  (i32.add (struct.get $s 0 (local.get $c)) (i32.add (struct.get $s 0 (local.get $d)) (struct.get $s 0 (local.get $e))))))
              (func $catches (param $n i32) (result i32)
                (block $caught (try_table (catch $t $caught) (return (call $saves (local.get $n)))))
                (i32.const 1))
              (func (export "f") (param $n i32) (result i32)
                (local $a (ref null $s)) (local $b (ref null $s)) (local $c (ref null $s)) (local $d (ref null $s)) (local $r i32)
                (local.set $a (struct.new $s (i32.const 100))) (local.set $b (struct.new $s (i32.const 200)))
                (local.set $c (struct.new $s (i32.const 300))) (local.set $d (struct.new $s (i32.const 400)))
                (local.set $r (call $catches (local.get $n)))
                (i32.add (local.get $r)
                  (i32.add (i32.add (struct.get $s 0 (local.get $a)) (struct.get $s 0 (local.get $b)))
                    (i32.add (struct.get $s 0 (local.get $c)) (struct.get $s 0 (local.get $d)))))))
            """, true, Host).GetExport<Func<int, int>>("f");
        Unwinder.FastPaths = 0;
        for (int i = 0; i < 60; i++) Assert.Equal((i & 1) == 1 ? 1001 : 1150, f(i));
        if (Unwinder.IsSupported) Assert.True(Unwinder.FastPaths > 20);
    }

    /// <summary>Frames of a form that is not known: larger than a page, than the red zone; MinOpts.</summary>
    [Theory]
    [InlineData(100)]
    [InlineData(1000)]
    [InlineData(3000)]
    public void LargeFrames(int locals)
    {
        string declared = string.Join(' ', Enumerable.Repeat("i64", locals));
        string set = string.Join('\n', Enumerable.Range(1, locals).Select(i => $"(local.set {i} (call $id (local.get 0)))"));
        string sum = string.Join('\n', Enumerable.Range(1, locals).Select(i => $"(local.set 0 (i64.add (local.get 0) (local.get {i})))"));
        var f = Compile($$"""
            (module
              (tag $t (param i64))
              (table funcref (elem $id_))
              (func $id_ (param i64) (result i64) (local.get 0))
              (func $id (param i64) (result i64) (call_indirect (param i64) (result i64) (local.get 0) (i32.const 0)))
              (func $throw (param i64) (throw $t (local.get 0)))
              (func $large (param i64) (local {{declared}})
                {{set}}
                (call $throw (local.get 0))
                {{sum}}
                (drop (call $id (local.get 0))))
              (func (export "f") (param i64) (result i64) (local {{declared}})
                {{set}}
                (block $caught (result i64)
                  (try_table (catch $t $caught) (call $large (local.get 0)))
                  (i64.const 0))
                (local.set 0)
                {{sum}}
                (local.get 0)))
            """, true).GetExport<Func<long, long>>("f");
        for (int i = 1; i < 5; i++) Assert.Equal(i * (locals + 1L), f(i));
    }

    /// <summary>The module of the test that a process makes before its first fast path.</summary>
    private const string FastPathTestText = """
        (module
          (tag $t (param i64))
          (func $throws (param $n i32) (param $x i64) (result i64)
            (local $a i64) (local $b i64) (local $c i64) (local $d i64) (local $e i64) (local $f i64)
            (local.set $a (i64.mul (local.get $x) (i64.const 3)))
            (local.set $b (i64.add (local.get $x) (i64.const 5)))
            (local.set $c (i64.xor (local.get $x) (i64.const 7)))
            (local.set $d (i64.sub (local.get $x) (i64.const 11)))
            (local.set $e (i64.or (local.get $x) (i64.const 13)))
            (local.set $f (i64.rotl (local.get $x) (i64.const 17)))
            (if (i32.eqz (local.get $n)) (then (throw $t (i64.add (local.get $a) (local.get $f)))))
            (local.set $x (call $throws (i32.sub (local.get $n) (i32.const 1)) (i64.add (local.get $x) (i64.const 1))))
            (i64.add (local.get $x) (i64.add (local.get $a) (i64.add (local.get $b) (i64.add (local.get $c)
              (i64.add (local.get $d) (i64.add (local.get $e) (local.get $f))))))))
          (func $catches (param $n i32) (param $x i64) (result i64)
            (block $caught (result i64)
              (try_table (catch $t $caught) (drop (call $throws (local.get $n) (local.get $x))))
              (i64.const 0)))
          (func (export "test") (param $n i32) (param $x i64) (result i64)
            (local $a i64) (local $b i64) (local $c i64) (local $d i64) (local $e i64) (local $f i64) (local $g i64)
            (local.set $a (i64.mul (local.get $x) (i64.const 19)))
            (local.set $b (i64.add (local.get $x) (i64.const 23)))
            (local.set $c (i64.xor (local.get $x) (i64.const 29)))
            (local.set $d (i64.sub (local.get $x) (i64.const 31)))
            (local.set $e (i64.or (local.get $x) (i64.const 37)))
            (local.set $f (i64.rotl (local.get $x) (i64.const 41)))
            (local.set $g (call $catches (local.get $n) (local.get $x)))
            (i64.add (local.get $g) (i64.add (local.get $a) (i64.add (local.get $b) (i64.add (local.get $c)
              (i64.add (local.get $d) (i64.add (local.get $e) (local.get $f)))))))))
        """;

    [Fact]
    public void TheTestOfTheFastPathPasses()
    {
        if (!Unwinder.IsSupported) return;
        byte[] bytes = Wat.ToBinary(FastPathTestText);
        Assert.Equal(bytes[..WasmJit.Linking.FastPathTest.Module.Length], WasmJit.Linking.FastPathTest.Module.ToArray());
        Assert.Null(WasmJit.Linking.FastPathTest.Run());
        // What it expects is what the runtime makes of it.
        var test = Compile(FastPathTestText, false).GetExport<Func<int, long, long>>("test");
        foreach (long x in new[] { 0, 1, -1, 1000003, long.MinValue, 0x1234_5678_9abc_def0 }) Assert.Equal(WasmJit.Linking.FastPathTest.Expected(x), test(2, x));
    }

    [Fact]
    public void WhereTheTestFailsTheRuntimeThrowsAndAnEventSaysSo()
    {
        if (!Unwinder.IsSupported) return;
        using var listener = new EventReader();
        try
        {
            Unwinder.Distrust("for a test");
            var f = Compile(Thrower, true).GetExport<Func<int, int, int>>("f");
            int before = Unwinder.FastPaths;
            for (int i = 0; i < 20; i++) Assert.Equal(i, f(i % 5, i));
            Assert.Equal(before, Unwinder.FastPaths);
            Assert.Contains(listener.Messages, m => m.Contains("for a test", StringComparison.Ordinal));
            Unwinder.Distrust(null);
            for (int i = 0; i < 20; i++) Assert.Equal(i, f(i % 5, i));
            Assert.NotEqual(before, Unwinder.FastPaths);
        }
        finally
        {
            Unwinder.Distrust(null);
        }
    }

    private sealed class EventReader : System.Diagnostics.Tracing.EventListener
    {
        internal readonly System.Collections.Concurrent.ConcurrentQueue<string> Messages = new();

        protected override void OnEventSourceCreated(System.Diagnostics.Tracing.EventSource eventSource)
        {
            if (eventSource.Name == "WasmJit") EnableEvents(eventSource, System.Diagnostics.Tracing.EventLevel.Informational);
        }

        protected override void OnEventWritten(System.Diagnostics.Tracing.EventWrittenEventArgs eventData) =>
            Messages?.Enqueue(string.Format(System.Globalization.CultureInfo.InvariantCulture, eventData.Message ?? "", [.. eventData.Payload!]));
    }

    /// <summary>Several threads, while one stops them all the time: the runtime does so by changing return addresses.</summary>
    [Fact]
    public void ThreadsThatAreStoppedAllTheTime()
    {
        var f = Compile(Thrower, true).GetExport<Func<int, int, int>>("f");
        using var stop = new ManualResetEventSlim();
        var collector = new Thread(() =>
        {
            while (!stop.IsSet) GC.Collect(0);
        });
        collector.Start();
        try
        {
            Parallel.For(0, 3, _ =>
            {
                for (int i = 0; i < 2_000; i++) Assert.Equal(i, f(i % 20, i));
            });
        }
        finally
        {
            stop.Set();
            collector.Join();
        }
    }
}
