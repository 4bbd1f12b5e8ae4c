using System.Collections.Concurrent;
using Xunit;

namespace WasmJit.Tests.PublicApi;

/// <summary>Guests beside the caller's thread, and host functions that return tasks.</summary>
public sealed class AsyncTests
{
    private static readonly Engine Engine = new(new EngineOptions { Interruptible = true });

    private const string Text = """
        (module
          (import "host" "wait" (func $wait (param i32) (result i32)))
          (func (export "twice") (param i32) (result i32)
            (i32.add (call $wait (local.get 0)) (call $wait (local.get 0))))
          (func (export "div") (param i32 i32) (result i32) (i32.div_s (local.get 0) (local.get 1)))
          (func (export "two") (result i32 f64) (i32.const 1) (f64.const 2))
          (func (export "nothing"))
          (func (export "spin") (drop (call $wait (i32.const 0))) (loop $l (br $l)))
          (memory (export "memory") 1))
        """;

    private static Instance Make(Delegate wait) => Engine.CompileText(Text).Instantiate(new Imports { { "host", "wait", wait } });

    private static Task<int> Later(int n) => Task.Delay(10).ContinueWith(_ => n * 2, TaskScheduler.Default);

    public static TheoryData<string> Kinds() => [.. Waits.Keys];

    private static readonly Dictionary<string, Delegate> Waits = new()
    {
        ["sync"] = (Func<int, int>)(n => n * 2),
        ["task"] = (Func<int, Task<int>>)Later,
        ["done"] = (Func<int, Task<int>>)(n => Task.FromResult(n * 2)),
        ["value task"] = (Func<int, ValueTask<int>>)(n => new ValueTask<int>(Later(n))),
        ["done value task"] = (Func<int, ValueTask<int>>)(n => new ValueTask<int>(n * 2)),
        ["task with token"] = (Func<int, CancellationToken, Task<int>>)((n, _) => Later(n)),
        ["sync with token"] = (Func<int, CancellationToken, int>)((n, _) => n * 2),
        ["async"] = (Func<int, Task<int>>)(async n =>
        {
            await Task.Yield();
            return n * 2;
        }),
    };

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task HostFunctionsMayReturnTasks(string kind)
    {
        Instance instance = Make(Waits[kind]);
        Assert.Equal(28, instance.GetExport<Func<int, int>>("twice")(7));
        Assert.Equal(28, await instance.InvokeAsync<int>("twice", default, 7));
    }

    /// <summary>A result of another type is said so, also where there is none, and where a number is asked of a null.</summary>
    [Fact]
    public async Task ResultsOfOtherTypes()
    {
        Instance instance = Make(Waits["sync"]);
        await Assert.ThrowsAsync<InvalidCastException>(() => instance.InvokeAsync<int>("nothing", default));
        await Assert.ThrowsAsync<InvalidCastException>(() => instance.InvokeAsync<long>("div", default, 7, 2));
        await Assert.ThrowsAsync<InvalidCastException>(() => instance.InvokeAsync<string>("div", default, 7, 2));
        Assert.Null(await instance.InvokeAsync<object?>("nothing", default));
        Assert.Equal(3, await instance.InvokeAsync<object>("div", default, 7, 2));
        await Assert.ThrowsAsync<ArgumentNullException>(() => instance.InvokeAsync<int>("div", default, null!));
        Instance references = new Engine().CompileText("(module (func (export \"same\") (param externref) (result externref) (local.get 0)))").Instantiate();
        Assert.Equal("x", await references.InvokeAsync<string>("same", default, "x"));
        Assert.Null(await references.InvokeAsync<string?>("same", default, [null]));
        await Assert.ThrowsAsync<InvalidCastException>(() => references.InvokeAsync<int>("same", default, [null]));
    }

    [Fact]
    public async Task ResultsAndErrorsArrive()
    {
        Instance instance = Make(Waits["sync"]);
        Assert.Equal(3, await instance.InvokeAsync<int>("div", default, 7, 2));
        Assert.Equal((1, 2.0), await instance.InvokeAsync<(int, double)>("two", default));
        await instance.InvokeAsync("nothing", default);
        var trap = await Assert.ThrowsAsync<TrapException>(() => instance.InvokeAsync<int>("div", default, 7, 0));
        Assert.Equal(TrapKind.IntegerDivideByZero, trap.Kind);
        await Assert.ThrowsAsync<ArgumentException>(() => instance.InvokeAsync<int>("div", default, 7));
        await Assert.ThrowsAsync<ArgumentException>(() => instance.InvokeAsync<int>("div", default, 7, 2L));
        await Assert.ThrowsAsync<ArgumentException>(() => instance.InvokeAsync<int>("div", default, 7, null));
        await Assert.ThrowsAsync<KeyNotFoundException>(() => instance.InvokeAsync<int>("none", default));
        await Assert.ThrowsAsync<InvalidCastException>(() => instance.InvokeAsync<int>("memory", default));
        await Assert.ThrowsAsync<InvalidCastException>(() => instance.InvokeAsync<string>("div", default, 7, 2));
    }

    [Fact]
    public async Task ExceptionsOfTasksArriveAsThemselves()
    {
        var thrown = new InvalidOperationException("mine");
        Instance instance = Make((Func<int, Task<int>>)(async _ =>
        {
            await Task.Yield();
            throw thrown;
        }));
        Assert.Same(thrown, await Assert.ThrowsAsync<InvalidOperationException>(() => instance.InvokeAsync<int>("twice", default, 7)));
        Assert.Same(thrown, Assert.Throws<InvalidOperationException>(() => instance.GetExport<Func<int, int>>("twice")(7)));
    }

    [Fact]
    public async Task WaitsAreCancelled()
    {
        using var source = new CancellationTokenSource();
        var never = new TaskCompletionSource<int>();
        var entered = new TaskCompletionSource();
        Instance instance = Make((Func<int, Task<int>>)(_ =>
        {
            entered.TrySetResult();
            return never.Task;
        }));
        Task<int> call = instance.InvokeAsync<int>("twice", source.Token, 7);
        await entered.Task;
        await source.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
        Assert.True(call.IsCanceled);
    }

    [Fact]
    public async Task TheTokenReachesTheHostFunction()
    {
        using var source = new CancellationTokenSource();
        Instance instance = Make((Func<int, CancellationToken, Task<int>>)(async (n, token) =>
        {
            source.CancelAfter(10);
            await Task.Delay(Timeout.Infinite, token);
            return n;
        }));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => instance.InvokeAsync<int>("twice", source.Token, 7));
    }

    [Fact]
    public async Task TheCallersThreadIsFree()
    {
        using var source = new CancellationTokenSource();
        using var begun = new CountdownEvent(3);
        Instance instance = Make((Func<int, int>)(n =>
        {
            if (n == 0) begun.Signal();
            return n * 2;
        }));
        Task[] spinning = [.. Enumerable.Range(0, 3).Select(_ => instance.InvokeAsync("spin", source.Token))];
        Assert.Equal(4, await instance.InvokeAsync<int>("twice", default, 1));
        // A call that has not begun would be cancelled before it has a guest.
        Assert.True(Eventually.Holds(() => begun.IsSet));
        await source.CancelAsync();
        foreach (Task task in spinning) await Assert.ThrowsAsync<GuestCanceledException>(() => task);
    }

    [Fact]
    public async Task AsyncLocalsFlowIn()
    {
        var local = new AsyncLocal<int> { Value = 5 };
        Instance instance = Make((Func<int, int>)(n => n + local.Value));
        Assert.Equal(12, await instance.InvokeAsync<int>("twice", default, 1));
    }

    [Fact]
    public async Task ManyCallsShareFewThreads()
    {
        var threads = new ConcurrentDictionary<int, bool>();
        Instance instance = Make((Func<int, int>)(n =>
        {
            threads[Environment.CurrentManagedThreadId] = true;
            return n;
        }));
        // Which of its threads the pool takes is its own business; one a call would be a thousand.
        for (int i = 0; i < 1000; i++) Assert.Equal(2 * i, await instance.InvokeAsync<int>("twice", default, i));
        Assert.InRange(threads.Count, 1, 500);
        int[] all = await Task.WhenAll(Enumerable.Range(0, 50).Select(i => instance.InvokeAsync<int>("twice", default, i)));
        Assert.Equal(Enumerable.Range(0, 50).Select(i => 2 * i), all);
    }

    [Fact]
    public void ASynchronizationContextIsNotWaitedFor()
    {
        SynchronizationContext? before = SynchronizationContext.Current;
        var ui = new SingleThreadContext();
        SynchronizationContext.SetSynchronizationContext(ui);
        try
        {
            Assert.Equal(28, Make(Waits["async"]).GetExport<Func<int, int>>("twice")(7));
            Assert.Same(ui, SynchronizationContext.Current);
        }
        finally
        {
            SynchronizationContext.SetSynchronizationContext(before);
        }
    }

    /// <summary>A context whose only thread is the caller's, which never comes round to what is posted.</summary>
    private sealed class SingleThreadContext : SynchronizationContext
    {
        public override void Post(SendOrPostCallback d, object? state) { }
    }

    [Fact]
    public void AFunctionOfAnotherTypeIsRefused()
    {
        Module module = Engine.CompileText(Text);
        foreach (Delegate wrong in new Delegate[] { (Func<int, Task>)(_ => Task.CompletedTask), (Func<int, Task<long>>)(_ => Task.FromResult(1L)), (Func<CancellationToken, int>)(_ => 1) })
            Assert.Throws<LinkException>(() => module.Instantiate(new Imports { { "host", "wait", wrong } }));
    }

    [Fact]
    public void FunctionReferencesCrossThroughTasks()
    {
        Instance instance = Engine.CompileText("""
            (module (type $f (func (result i32)))
              (import "host" "pick" (func $pick (param funcref) (result (ref $f))))
              (elem declare func $seven)
              (func $seven (type $f) (i32.const 7))
              (func (export "run") (result i32) (call_ref $f (call $pick (ref.func $seven)))))
            """).Instantiate(new Imports
        {
            { "host", "pick", (Func<Delegate, Task<Delegate>>)(async f => { await Task.Yield(); return f; }) },
        });
        Assert.Equal(7, instance.GetExport<Func<int>>("run")());
    }
}
