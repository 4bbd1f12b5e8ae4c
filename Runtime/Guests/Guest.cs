using WasmJit.Runtime;

namespace WasmJit;

/// <summary>
/// Runs code that calls guests, with a token that stops them, and without blocking the caller's thread. A guest stops at function entries, and in
/// loops if its engine has <c>EngineOptions.Interruptible</c>. While it waits for a host function that returns a task, it can always be stopped.
/// </summary>
/// <example><code>int result = await Guest.RunAsync(() => fib(40), cancellation);</code></example>
public static class Guest
{
    /// <summary>
    /// The token of the innermost <see cref="Run(Action, CancellationToken)"/> or <see cref="RunAsync(Action, CancellationToken)"/> on this thread.
    /// It is cancelled as soon as that one or one around it is. For host functions that wait.
    /// </summary>
    public static CancellationToken CancellationToken => WasmThread.Current.Scope?.Token ?? default;

    /// <summary>Runs something on this thread; guests that it calls stop when the token is cancelled.</summary>
    /// <exception cref="InvalidOperationException">
    /// The call is a function of a guest whose engine has no <c>EngineOptions.Interruptible</c>, and the token can be cancelled.
    /// </exception>
    /// <exception cref="GuestCanceledException">A guest was stopped.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled before, or while a host function waited.</exception>
    public static void Run(Action call, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(call);
        CheckCanStop(call, cancellation);
        cancellation.ThrowIfCancellationRequested();
        if (!cancellation.CanBeCanceled)
        {
            call();
            return;
        }
        CancellationScope scope = CancellationScope.Enter(cancellation);
        try
        {
            call();
        }
        finally
        {
            scope.Leave();
        }
    }

    /// <summary>As <see cref="Run(Action, CancellationToken)"/>, with a result.</summary>
    /// <exception cref="InvalidOperationException">
    /// The call is a function of a guest whose engine has no <c>EngineOptions.Interruptible</c>, and the token can be cancelled.
    /// </exception>
    /// <exception cref="GuestCanceledException">A guest was stopped.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled before, or while a host function waited.</exception>
    public static TResult Run<TResult>(Func<TResult> call, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(call);
        CheckCanStop(call, cancellation);
        TResult result = default!;
        Run(() => { result = call(); }, cancellation);
        return result;
    }

    /// <summary>
    /// Runs something on a thread of its own, with a stack of 16 MiB; the caller's is free. Threads are kept for a while and
    /// used again. A guest that waits holds its thread: bound the number of calls, as <c>InstancePool</c> does.
    /// </summary>
    /// <exception cref="InsufficientMemoryException">The process has nearly as many threads or mappings as the system allows (Linux: some 10,000 threads that run guests, with its usual limit on mappings).</exception>
    /// <exception cref="InvalidOperationException">As of <see cref="Run(Action, CancellationToken)"/>.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled; a <see cref="GuestCanceledException"/> if a guest was stopped.</exception>
    public static Task RunAsync(Action call, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(call);
        CheckCanStop(call, cancellation);
        return RunAsync(
            () =>
            {
                call();
                return true;
            }, cancellation);
    }

    /// <summary>As <see cref="RunAsync(Action, CancellationToken)"/>, with a result.</summary>
    /// <exception cref="InvalidOperationException">As of <see cref="Run(Action, CancellationToken)"/>.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled; a <see cref="GuestCanceledException"/> if a guest was stopped.</exception>
    public static async Task<TResult> RunAsync<TResult>(Func<TResult> call, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(call);
        CheckCanStop(call, cancellation);
        cancellation.ThrowIfCancellationRequested();
        // The task faults with the cancellation; awaiting it here makes a cancelled task that keeps the exception.
        return await WorkerThreads.Guests.Start(() => Run(call, cancellation)).ConfigureAwait(false);
    }

    /// <summary>A token that a guest's loops would never look at is a mistake of the host.</summary>
    /// <exception cref="InvalidOperationException">The function is of an engine that is not interruptible.</exception>
    internal static void CheckCanStop(Delegate call, CancellationToken cancellation)
    {
        if (cancellation.CanBeCanceled && FuncRef.Behind(call) is { Context: InstanceCore { Services.IsInterruptible: false } })
            throw new InvalidOperationException(
                "The token could not stop the function: the engine's options have no Interruptible. Set EngineOptions.Interruptible.");
    }
}
