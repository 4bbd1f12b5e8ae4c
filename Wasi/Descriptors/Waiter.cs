namespace WasmJit.Wasi;

/// <summary>How blocking functions wait: until something is ready, a time is over, or the host's user cancels.</summary>
internal sealed class Waiter(CancellationToken cancellation)
{
    /// <summary>How long to wait before asking again what cannot tell that it is ready.</summary>
    internal const int Slice = 10;

    internal CancellationToken Cancellation { get; } = cancellation;

    /// <summary>Ends the guest if it is to be cancelled.</summary>
    /// <exception cref="OperationCanceledException">It is.</exception>
    internal void Check() => Cancellation.ThrowIfCancellationRequested();

    /// <summary>Sleeps.</summary>
    internal void Sleep(int milliseconds)
    {
        if (!Cancellation.CanBeCanceled) Thread.Sleep(milliseconds);
        else if (Cancellation.WaitHandle.WaitOne(milliseconds)) Check();
    }

    /// <summary>Waits for one of several tasks, at most for a time; -1 is for ever.</summary>
    internal void WaitAny(Task[] tasks, int milliseconds) => Task.WaitAny(tasks, milliseconds, Cancellation);
}
