namespace WasmJit.Wasi;

/// <summary>
/// The waits of blocking functions: until something is ready, a time is over, or the guest is to stop, by the token of the host's options or by that
/// of the call it runs in.
/// </summary>
internal sealed class Waiter(GuestClock clock, CancellationToken own)
{
    /// <summary>Is called before the guest of the calling thread waits, so that what it has written goes on; null if nothing is to be done.</summary>
    [ThreadStatic]
    internal static Action? BeforeWait;

    /// <summary>The guest's clock.</summary>
    internal GuestClock Clock => clock;

    /// <summary>How long to wait before asking again a descriptor that cannot tell that it is ready.</summary>
    internal const int Slice = 10;

    /// <summary>Whether a wait may have to end early.</summary>
    internal bool CanBeCanceled => own.CanBeCanceled || Guest.CancellationToken.CanBeCanceled;

    /// <summary>Ends the guest if it is to stop.</summary>
    /// <exception cref="OperationCanceledException">It is.</exception>
    internal void Check()
    {
        own.ThrowIfCancellationRequested();
        Guest.CancellationToken.ThrowIfCancellationRequested();
    }

    /// <summary>Takes a lock that another thread of the guest may hold while it waits.</summary>
    /// <exception cref="OperationCanceledException">The guest is to stop.</exception>
    internal void Enter(Lock gate)
    {
        while (!gate.TryEnter(Slice)) Check();
    }

    /// <summary>Sleeps.</summary>
    internal void Sleep(int milliseconds)
    {
        if (!CanBeCanceled)
        {
            Thread.Sleep(milliseconds);
            return;
        }
        using CancellationTokenSource? both = Both(out CancellationToken either);
        either.WaitHandle.WaitOne(milliseconds);
        Check();
    }

    /// <summary>Sleeps until something may have happened. Times are rounded up: an event is never early.</summary>
    /// <param name="nanoseconds">The time until the nearest event that is known.</param>
    /// <param name="pending">Tasks, each of which may mean an event.</param>
    /// <param name="mustAsk">Whether something must be asked again to know whether there is an event.</param>
    internal void Sleep(ulong nanoseconds, List<Task> pending, bool mustAsk)
    {
        if (!clock.IsSystem && nanoseconds != ulong.MaxValue)
        {
            // The given clock's time passes as it says. Meanwhile others are asked as before.
            pending.Add(clock.Delay(nanoseconds));
            nanoseconds = ulong.MaxValue;
        }
        const ulong millisecond = 1_000_000;
        // The longest single wait; the real time may be changed meanwhile.
        const int longest = 60_000;
        int time = nanoseconds > longest * millisecond ? longest : (int)((nanoseconds + millisecond - 1) / millisecond);
        if (mustAsk) time = Math.Min(time, Slice);
        if (pending.Count > 0) WaitAny([.. pending], time);
        else Sleep(time);
    }

    /// <summary>Waits for one of several tasks, at most for a time; -1 is for ever.</summary>
    internal void WaitAny(Task[] tasks, int milliseconds)
    {
        using CancellationTokenSource? both = Both(out CancellationToken either);
        try
        {
            Task.WaitAny(tasks, milliseconds, either);
        }
        catch (OperationCanceledException)
        {
            Check();
            throw;
        }
    }

    /// <summary>
    /// Does work that cannot be cancelled. If the guest may have to stop, another thread does it and goes on alone if the guest does.
    /// </summary>
    internal void Away(Action action)
    {
        Check();
        if (!CanBeCanceled)
        {
            action();
            return;
        }
        Task done = Task.Run(action);
        WaitAny([done], -1);
        done.GetAwaiter().GetResult();
    }

    /// <summary>The token that is cancelled when one of the two is; the source to dispose of, if there must be one.</summary>
    private CancellationTokenSource? Both(out CancellationToken either)
    {
        CancellationToken call = Guest.CancellationToken;
        if (!own.CanBeCanceled || !call.CanBeCanceled || own == call)
        {
            either = own.CanBeCanceled ? own : call;
            return null;
        }
        var source = CancellationTokenSource.CreateLinkedTokenSource(own, call);
        either = source.Token;
        return source;
    }
}
