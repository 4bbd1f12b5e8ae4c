using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace WasmJit.Runtime;

/// <summary>
/// Threads for work that is long or needs much stack, which is not for the threads of the pool. Idle threads are used again and end after some
/// seconds. None of them keeps the process alive.
/// </summary>
/// <param name="name">What the threads are called.</param>
/// <param name="stackSize">Their stacks, in bytes.</param>
internal sealed class WorkerThreads(string name, int stackSize)
{
    private readonly string name = name;
    private readonly int stackSize = stackSize;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly Stack<Worker> idle = new();

    /// <summary>For guests that run asynchronously. A guest may run for long, and blocks its thread while it waits for a host function.</summary>
    internal static WorkerThreads Guests { get; } = new("wasm guest", 16 << 20);

    /// <summary>Runs something on one of the threads, in the caller's execution context.</summary>
    /// <exception cref="InsufficientMemoryException">A further thread is needed and cannot be made.</exception>
    internal Task<TResult> Start<TResult>(Func<TResult> call)
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

    private void Run(Action job)
    {
        Worker? worker;
        lock (idle)
        {
            idle.TryPop(out worker);
        }
        (worker ?? new Worker(this)).Give(job);
    }

    [SuppressMessage("Design", "CA1001", Justification = "A worker lives as long as its thread, and a semaphore whose wait handle is not used has nothing to dispose.")]
    private sealed class Worker(WorkerThreads threads)
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
            CountedThread.Start(threads.name, threads.stackSize, Loop);
        }

        private void Loop()
        {
            while (given.Wait(Patience) || !Retire())
            {
                if (!RunJob()) continue;
                lock (threads.idle) threads.idle.Push(this);
            }
        }

        /// <summary>A method of its own, so that a waiting thread holds nothing of its last work.</summary>
        [MethodImpl(MethodImplOptions.NoInlining)]
        private bool RunJob()
        {
            if (job is not { } next) return false;
            job = null;
            next();
            return true;
        }

        /// <summary>Gives up waiting, unless a job has come in the meantime.</summary>
        private bool Retire()
        {
            Stack<Worker> idle = threads.idle;
            lock (idle)
            {
                if (!idle.Contains(this)) return false;
                Worker[] others = [.. idle.Where(w => w != this).Reverse()];
                idle.Clear();
                foreach (Worker other in others) idle.Push(other);
                return true;
            }
        }
    }
}
