using System.Diagnostics;
using Xunit;

namespace WasmJit.Tests.PublicApi;

/// <summary>Guests that would run for ever stop when the host says so, and go on to work afterwards.</summary>
public sealed class CancellationTests
{
    private static readonly Engine Interruptible = new(new EngineOptions { Interruptible = true });

    private const string Text = """
        (module $endless
          (import "host" "call" (func $host))
          (memory 1)
          (type $v (func))
          (table 2 funcref)
          (elem (i32.const 0) $tail $ping)
          (global $n (mut i32) (i32.const 0))
          (func (export "loop") (loop $l (br $l)))
          (func (export "nested") (loop $a (loop $b (br_if $b (i32.load (i32.const 0))) (br $a))))
          (func (export "params") (i32.const 0) (loop $l (param i32) (i32.add (i32.const 1)) (br $l)))
          (func (export "calls") (loop $l (call $leaf) (br $l)))
          (func $leaf (global.set $n (i32.add (global.get $n) (i32.const 1))))
          (func $tail (export "tail") (return_call $tail))
          (func $ping (return_call_indirect (type $v) (i32.const 1)))
          (func (export "ping") (return_call $ping))
          (func $tree (export "tree") (param i32) (if (local.get 0)
            (then (call $tree (i32.sub (local.get 0) (i32.const 1))) (call $tree (i32.sub (local.get 0) (i32.const 1))))))
          (func (export "table") (loop $l (block (br_table $l 0 $l (i32.const 2))) (br $l)))
          (tag $e)
          (func (export "caught")
            (loop $l
              (block $h (try_table (catch_all $h) (loop $m (br_if $m (i32.const 1))) (throw $e)))
              (br $l)))
          (func (export "throws")
            (loop $l (block $h (try_table (catch_all $h) (throw $e))) (br $l)))
          (func (export "through") (call $host) (loop $l (br $l)))
          (func (export "one") (result i32) (call $leaf) (i32.const 1)))
        """;

    private static Instance Make(Engine engine, Action? host = null) =>
        engine.CompileText(Text).Instantiate(new Imports { { "host", "call", host ?? (() => { }) } });

    /// <summary>Stops a call after a time: once more with more time if it had not so many functions under way yet, as may be on a busy machine.</summary>
    private static GuestCanceledException StopAfter(int milliseconds, Action call, int functions = 1)
    {
        for (; ; milliseconds *= 4)
        {
            using var source = new CancellationTokenSource();
            var stopped = Assert.Throws<GuestCanceledException>(() => Guest.Run(
                () =>
                {
                    source.CancelAfter(milliseconds);
                    call();
                },
                source.Token));
            Assert.Equal(source.Token, stopped.CancellationToken);
            if (stopped.WasmStack.Count >= functions || milliseconds > Eventually.Patience.TotalMilliseconds) return stopped;
        }
    }

    [Theory]
    [InlineData("loop")]
    [InlineData("nested")]
    [InlineData("params")]
    [InlineData("calls")]
    [InlineData("tail")]
    [InlineData("ping")]
    [InlineData("table")]
    [InlineData("caught")]
    [InlineData("throws")]
    public void EndlessFunctionsStop(string name)
    {
        Instance instance = Make(Interruptible);
        GuestCanceledException stopped = StopAfter(30, instance.GetExport<Action>(name));
        Assert.Equal("endless", stopped.WasmStack[^1].Module);
        Assert.Equal(1, instance.GetExport<Func<int>>("one")());
        StopAfter(30, instance.GetExport<Action>(name));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void CallsStopWhateverTheEngine(bool interruptible)
    {
        // 2^60 calls
        Action<int> tree = Make(new Engine(new EngineOptions { Interruptible = interruptible })).GetExport<Action<int>>("tree");
        Assert.True(StopAfter(30, () => tree(60), functions: 4).WasmStack.Count > 3);
        tree(3);
    }

    [Fact]
    public void ACancelledTokenRunsNothing()
    {
        bool ran = false;
        Assert.Throws<OperationCanceledException>(() => Guest.Run(() => ran = true, new CancellationToken(true)));
        Assert.False(ran);
    }

    [Fact]
    public async Task OtherThreadsRunOn()
    {
        using var first = new CancellationTokenSource();
        using var second = new CancellationTokenSource();
        using var begun = new CountdownEvent(2);
        Instance instance = Make(Interruptible, () => begun.Signal());
        // Each says that it runs before it goes into its loop.
        var loop = instance.GetExport<Action>("through");
        Task a = Guest.RunAsync(loop, first.Token), b = Guest.RunAsync(loop, second.Token);
        Assert.True(Eventually.Holds(() => begun.IsSet));
        await first.CancelAsync();
        await Assert.ThrowsAsync<GuestCanceledException>(() => a);
        Assert.True(a.IsCanceled);
        await Task.Delay(50);
        Assert.False(b.IsCompleted);
        await second.CancelAsync();
        await Assert.ThrowsAsync<GuestCanceledException>(() => b);
    }

    [Fact]
    public void AnInnerCallStopsAlone()
    {
        Instance inner = Make(Interruptible);
        Exception? seen = null;
        using var outer = new CancellationTokenSource();
        using var source = new CancellationTokenSource();
        Instance instance = Make(Interruptible, () =>
        {
            var loop = inner.GetExport<Action>("loop");
            seen = Record.Exception(() => Guest.Run(
                () =>
                {
                    source.CancelAfter(20);
                    loop();
                },
                source.Token));
            Assert.False(Guest.CancellationToken.IsCancellationRequested);
            outer.CancelAfter(30);
        });
        // The guest around it goes on, into its own loop, until its own token is cancelled.
        var stopped = Assert.Throws<GuestCanceledException>(() => Guest.Run(instance.GetExport<Action>("through"), outer.Token));
        Assert.Equal(source.Token, Assert.IsType<GuestCanceledException>(seen).CancellationToken);
        Assert.Equal(outer.Token, stopped.CancellationToken);
    }

    [Fact]
    public void AnOuterTokenStopsInnerCalls()
    {
        Instance inner = Make(Interruptible);
        Exception? seen = null;
        bool told = false;
        using var outer = new CancellationTokenSource();
        using var source = new CancellationTokenSource();
        Instance instance = Make(Interruptible, () =>
        {
            Guest.Run(
                () =>
                {
                    outer.CancelAfter(30);
                    seen = Record.Exception(inner.GetExport<Action>("loop"));
                    told = Guest.CancellationToken.IsCancellationRequested;
                }, source.Token);
        });
        // The host swallowed the exception; the guest around it stops all the same.
        Assert.Throws<GuestCanceledException>(() => Guest.Run(instance.GetExport<Action>("through"), outer.Token));
        Assert.Equal(outer.Token, Assert.IsType<GuestCanceledException>(seen).CancellationToken);
        Assert.True(told);
    }

    [Fact]
    public void RunawayRecursionIsStillATrap()
    {
        Module module = Interruptible.CompileText("(module (func $f (export \"f\") (param i32) (result i32) (i32.add (i32.const 1) (call $f (local.get 0)))))");
        var f = module.Instantiate().GetExport<Func<int, int>>("f");
        using var source = new CancellationTokenSource();
        var trap = Assert.Throws<TrapException>(() => Guest.Run(() => f(1), source.Token));
        Assert.Equal(TrapKind.CallStackExhausted, trap.Kind);
    }

    [Fact]
    public async Task RacesOfCancellationAndReturnLeaveNothingBehind()
    {
        Instance instance = Make(Interruptible);
        var tree = instance.GetExport<Action<int>>("tree");
        int stopped = 0;
        var clock = Stopwatch.StartNew();
        // The canceller may get its turn late each time.
        for (int i = 0; i < 400 || (stopped == 0 && clock.Elapsed < Eventually.Patience); i++)
        {
            using var source = new CancellationTokenSource();
            Task canceller = Task.Run(source.Cancel);
            int depth = 10 + (i % 8);
            try
            {
                Guest.Run(() => tree(depth), source.Token);
            }
            catch (OperationCanceledException)
            {
                stopped++;
            }
            tree(5);
            await canceller;
        }
        Assert.True(stopped > 0);
    }

    [Fact]
    public void LargeFunctionsStopToo()
    {
        // Beyond the JIT's limits for one method: the body is outlined.
        string many = string.Concat(Enumerable.Range(0, 3000).Select(i => $"(local.set 0 (i32.xor (i32.mul (local.get 0) (i32.const {(i * 7) + 3})) (i32.const {i})))"));
        Module module = Interruptible.CompileText($"(module (func (export \"f\") (local i32) (loop $l {many} (br $l))))");
        StopAfter(30, module.Instantiate().GetExport<Action>("f"));
    }

    /// <summary>Calls find the end of a table by slots that are empty, and so does the next growth: also where one into the room behind the end was stopped.</summary>
    [Theory]
    [InlineData("funcref", "(ref.func $f)", "(ref.null func)", Compilation.Lazy)]
    [InlineData("funcref", "(ref.func $f)", "(ref.null func)", Compilation.Interpreted)]
    [InlineData("anyref", "(ref.i31 (i32.const 1))", "(ref.null any)", Compilation.Lazy)]
    public void AStoppedGrowthLeavesNothingBehindTheTable(string type, string value, string nothing, Compilation compilation)
    {
        using var source = new CancellationTokenSource();
        const int size = 3_000_001;
        Instance instance = new Engine(new EngineOptions { Interruptible = true, Compilation = compilation }).CompileText($"""
            (module
              (import "host" "stop" (func $stop))
              (type $t (func (result i32)))
              (func $f (type $t) (i32.const 42))
              (elem declare func $f)
              (table $x 0 {type})
              (func (export "size") (result i32) (table.size $x))
              (func (export "grow") (param i32) (result i32) (table.grow $x {nothing} (local.get 0)))
              (func (export "stopped") (call $stop) (drop (table.grow $x {value} (i32.const 1_000_000))))
              (func (export "null") (param i32) (result i32) (ref.is_null (table.get $x (local.get 0))))
              {(type == "funcref" ? "(func (export \"call\") (param i32) (result i32) (call_indirect $x (type $t) (local.get 0)))" : "")})
            """).Instantiate(new Imports { { "host", "stop", (Action)source.Cancel } });
        var grow = instance.GetExport<Func<int, int>>("grow");
        // The second has room for more made.
        grow(size - 1);
        grow(1);
        Assert.Throws<GuestCanceledException>(() => Guest.Run(instance.GetExport<Action>("stopped"), source.Token));
        Assert.Equal(size, instance.GetExport<Func<int>>("size")());
        if (instance.TryGetExport("call", out Func<int, int>? call))
            Assert.Equal(TrapKind.UndefinedElement, Assert.Throws<TrapException>(() => call(size)).Kind);
        Assert.Equal(size, grow(10));
        Assert.Equal(1, instance.GetExport<Func<int, int>>("null")(size));
    }
}
