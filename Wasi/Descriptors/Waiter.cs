namespace WasmJit.Wasi;

/// <summary>
/// The waits of blocking functions: until something is ready, a time is over, or the guest is to stop, by the token of the host's options or by that
/// of the call it runs in.
/// </summary>
internal sealed class Waiter(CancellationToken own)
{
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
