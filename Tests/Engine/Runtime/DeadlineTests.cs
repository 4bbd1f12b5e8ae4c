using WasmJit.Runtime;
using Xunit;

namespace WasmJit.Tests;

/// <summary>The time of a guest is over when it is over, also while guests hold all threads of the pool.</summary>
public sealed class DeadlineTests
{
    [Fact]
    public async Task NoThreadOfThePoolIsNeeded()
    {
        using var source = new CancellationTokenSource();
        var seen = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        using CancellationTokenRegistration registered = source.Token.UnsafeRegister(_ => seen.TrySetResult(Thread.CurrentThread.IsThreadPoolThread), null);
        using Deadline deadline = Deadline.After(TimeSpan.FromMilliseconds(10), source);
        Assert.False(await seen.Task.WaitAsync(Eventually.Patience));
        Assert.True(source.IsCancellationRequested);
    }

    [Fact]
    public async Task OnesThatAreDisposedOfDoNothing()
    {
        using CancellationTokenSource first = new(), last = new(), never = new();
        Deadline.After(TimeSpan.FromMilliseconds(20), first).Dispose();
        using Deadline endless = Deadline.After(Timeout.InfiniteTimeSpan, never);
        var over = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using CancellationTokenRegistration registered = last.Token.UnsafeRegister(_ => over.TrySetResult(), null);
        using Deadline deadline = Deadline.After(TimeSpan.FromMilliseconds(40), last);
        await over.Task.WaitAsync(Eventually.Patience);
        Assert.False(first.IsCancellationRequested || never.IsCancellationRequested);
    }

    [Fact]
    public async Task AnEarlierOneIsNotKeptWaitingByALaterOne()
    {
        using CancellationTokenSource soon = new(), late = new();
        using Deadline later = Deadline.After(TimeSpan.FromDays(1), late);
        var over = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using CancellationTokenRegistration registered = soon.Token.UnsafeRegister(_ => over.TrySetResult(), null);
        using Deadline deadline = Deadline.After(TimeSpan.FromMilliseconds(10), soon);
        await over.Task.WaitAsync(Eventually.Patience);
        Assert.False(late.IsCancellationRequested);
    }

    /// <summary>A callback that never ends, such as one that waits for a guest, keeps no other deadline waiting.</summary>
    [Fact]
    public async Task ACallbackThatWaitsHoldsNoOther()
    {
        using CancellationTokenSource slow = new(), other = new();
        using var gate = new ManualResetEventSlim();
        var over = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using CancellationTokenRegistration waits = slow.Token.UnsafeRegister(_ => gate.Wait(), null);
        using CancellationTokenRegistration registered = other.Token.UnsafeRegister(_ => over.TrySetResult(), null);
        using Deadline first = Deadline.After(TimeSpan.FromMilliseconds(1), slow), second = Deadline.After(TimeSpan.FromMilliseconds(20), other);
        await over.Task.WaitAsync(Eventually.Patience);
        gate.Set();
    }

    [Fact]
    public void TimesThatNoTimerTakesAreErrors()
    {
        using var source = new CancellationTokenSource();
        Assert.Throws<ArgumentOutOfRangeException>(() => Deadline.After(TimeSpan.FromSeconds(-1), source));
        Assert.Throws<ArgumentOutOfRangeException>(() => Deadline.After(TimeSpan.FromDays(100), source));
        Assert.False(source.IsCancellationRequested);
    }
}
