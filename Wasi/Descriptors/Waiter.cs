namespace WasmJit.Wasi;

/// <summary>How blocking functions wait: until something is ready, a time is over, or the host's user cancels.</summary>
internal sealed class Waiter(CancellationToken cancellation)
{
    /// <summary>How long to wait before asking again what cannot tell that it is ready.</summary>
    internal const int Slice = 10;

    /// <summary>The token of the guest's call; without one, that of the host's options.</summary>
    internal CancellationToken Cancellation => Guest.CancellationToken is { CanBeCanceled: true } running ? running : cancellation;

    /// <summary>Ends the guest if it is to be cancelled.</summary>
    /// <exception cref="OperationCanceledException">It is.</exception>
    internal void Check() => Cancellation.ThrowIfCancellationRequested();

    /// <summary>Sleeps.</summary>
    internal void Sleep(int milliseconds)
    {
        CancellationToken token = Cancellation;
        if (!token.CanBeCanceled) Thread.Sleep(milliseconds);
        else if (token.WaitHandle.WaitOne(milliseconds)) Check();
    }

    /// <summary>Waits for one of several tasks, at most for a time; -1 is for ever.</summary>
    internal void WaitAny(Task[] tasks, int milliseconds) => Task.WaitAny(tasks, milliseconds, Cancellation);
}
