using System.Diagnostics.CodeAnalysis;

namespace WasmJit.Runtime;

/// <summary>
/// Threads for guests that run asynchronously. Not those of the pool: a guest may run for long, and blocks its thread while it
/// waits for a host function. Idle threads are used again and end after some seconds.
/// </summary>
internal static class GuestThreads
{
    private const int StackSize = 16 << 20;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
    private static readonly Stack<Worker> Idle = new();

    /// <summary>Runs something on a guest thread, in the caller's execution context.</summary>
    internal static Task<TResult> Start<TResult>(Func<TResult> call)
    {
        var source = new TaskCompletionSource<TResult>(TaskCreationOptions.RunContinuationsAsynchronously);
        ExecutionContext? context = ExecutionContext.Capture();
        Run(() =>
        {
            if (context is null) Complete(source, call);
            else ExecutionContext.Run(context, _ => Complete(source, call), null);
        });
        return source.Task;
    }

    private static void Complete<TResult>(TaskCompletionSource<TResult> source, Func<TResult> call)
    {
        try
        {
            source.SetResult(call());
        }
        catch (Exception e)
        {
            source.SetException(e);
        }
    }

    private static void Run(Action job)
    {
        Worker? worker;
        lock (Idle)
        {
            Idle.TryPop(out worker);
        }
        (worker ?? new Worker()).Give(job);
    }

    [SuppressMessage("Design", "CA1001", Justification = "A worker lives as long as its thread, and a semaphore nobody asks for a handle has nothing to dispose.")]
    private sealed class Worker
    {
        private readonly SemaphoreSlim given = new(0);
        private Action? job;
        private bool started;

        internal void Give(Action next)
        {
            job = next;
            given.Release();
            if (started) return;
            started = true;
            new Thread(Loop, StackSize) { IsBackground = true, Name = "wasm guest" }.Start();
        }

        private void Loop()
        {
            while (given.Wait(Patience) || !Retire())
            {
                if (job is not { } next) continue;
                job = null;
                next();
                lock (Idle) Idle.Push(this);
            }
        }

        /// <summary>Gives up waiting, unless a job has come in the meantime.</summary>
        private bool Retire()
        {
            lock (Idle)
            {
                if (!Idle.Contains(this)) return false;
                Worker[] others = [.. Idle.Where(w => w != this).Reverse()];
                Idle.Clear();
                foreach (Worker other in others) Idle.Push(other);
                return true;
            }
        }
    }
}
