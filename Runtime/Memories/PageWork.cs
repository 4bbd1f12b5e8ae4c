namespace WasmJit.Runtime;

/// <summary>
/// Asks the system for the pages of a range, on a thread of the pool, while the thread that will write them still does other work: the system clears
/// them, which takes longer than to copy something there.
/// </summary>
/// <remarks>Unsafe: the range lies within the memory, which this object keeps, and which does not become smaller. Code that begins the work disposes of it before the memory may be.</remarks>
internal sealed unsafe class PageWork : IThreadPoolWorkItem, IDisposable
{
    /// <summary>Smaller ranges are not worth a thread.</summary>
    private const ulong Least = 4 << 20;

    /// <summary>How much is asked for at a time: a large page.</summary>
    private const ulong Piece = 2 << 20;

    private readonly Memory memory;
    private readonly ulong address, count;
    private bool isRunning, isDone;

    private PageWork(Memory memory, ulong address, ulong count)
    {
        this.memory = memory;
        this.address = address;
        this.count = count;
    }

    /// <summary>Begins the work; null if it is not worth a thread.</summary>
    /// <param name="memory">The memory.</param>
    /// <param name="address">Where the range begins.</param>
    /// <param name="count">How many bytes it has, all of them in the memory.</param>
    internal static PageWork? Begin(Memory memory, ulong address, ulong count)
    {
        if (count < Least || !OperatingSystem.IsLinux() || Environment.ProcessorCount == 1) return null;
        var work = new PageWork(memory, address, count);
        ThreadPool.UnsafeQueueUserWorkItem(work, preferLocal: false);
        return work;
    }

    void IThreadPoolWorkItem.Execute()
    {
        lock (this)
        {
            if (isDone) return;
            isRunning = true;
        }
        ulong end = address + count;
        for (ulong at = address; at < end && !Volatile.Read(ref isDone);)
        {
            ulong next = Math.Min(end, (at | (Piece - 1)) + 1);
            if (!Pages.Populate(memory.Base + at, next - at)) break;
            at = next;
        }
        lock (this)
        {
            isRunning = false;
            Monitor.PulseAll(this);
        }
    }

    /// <summary>The work ends, if it has begun.</summary>
    public void Dispose()
    {
        lock (this)
        {
            Volatile.Write(ref isDone, true);
            while (isRunning) Monitor.Wait(this);
        }
    }
}
