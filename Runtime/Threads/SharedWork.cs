using System.Runtime.ExceptionServices;

namespace WasmJit.Runtime;

/// <summary>
/// Work that the calling thread does together with threads of the pool: all run the same method, which takes pieces until none is left. Threads that
/// have not begun by then are not waited for, so a pool that is busy only makes it slower.
/// </summary>
/// <remarks>.NET's parallel loops need two more assemblies, which a program that starts would load for this alone.</remarks>
internal sealed class SharedWork : IThreadPoolWorkItem
{
    private readonly Action work;
    private int running;
    private bool isDone;
    private Exception? failure;

    private SharedWork(Action work) => this.work = work;

    /// <summary>Runs a method on several threads, and returns when all that have begun have ended. Throws what it threw on one of them.</summary>
    /// <param name="threads">How many threads at most; there are no more than processors.</param>
    /// <param name="work">The method. It returns when there is nothing left to do.</param>
    internal static void Run(int threads, Action work)
    {
        var shared = new SharedWork(work);
        for (int i = Math.Min(threads, Environment.ProcessorCount); i > 1; i--) ThreadPool.UnsafeQueueUserWorkItem(shared, preferLocal: false);
        try
        {
            work();
        }
        finally
        {
            shared.Join();
        }
        if (shared.failure is { } failure) ExceptionDispatchInfo.Throw(failure);
    }

    private void Join()
    {
        lock (this)
        {
            isDone = true;
            while (running > 0) Monitor.Wait(this);
        }
    }

    void IThreadPoolWorkItem.Execute()
    {
        lock (this)
        {
            if (isDone) return;
            running++;
        }
        Exception? caught = null;
        try
        {
            work();
        }
        catch (Exception e)
        {
            // Thrown again by the thread that waits.
            caught = e;
        }
        finally
        {
            lock (this)
            {
                failure ??= caught;
                if (--running == 0) Monitor.PulseAll(this);
            }
        }
    }
}
