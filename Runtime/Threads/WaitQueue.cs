using System.Diagnostics;

namespace WasmJit.Runtime;

/// <summary>
/// The threads that wait at addresses of one memory (threads, Overview.md, "Wait and notify"). The first to come is the first to be woken.
/// </summary>
internal sealed class WaitQueue
{
    private sealed class Waiter : IDisposable
    {
        internal readonly SemaphoreSlim Woken = new(0, 1);

        public void Dispose() => Woken.Dispose();
    }

    private readonly Lock gate = new();
    private readonly Dictionary<ulong, LinkedList<Waiter>> waiting = [];
    private bool isClosed;

    /// <summary>The results of memory.atomic.wait.</summary>
    internal const int Ok = 0, NotEqual = 1, TimedOut = 2;

    /// <summary>
    /// Waits at an address if the value there, read with no notification in between, is the expected one.
    /// </summary>
    /// <param name="address">The address in the memory.</param>
    /// <param name="isExpected">Compares the value.</param>
    /// <param name="timeout">Nanoseconds; negative for ever.</param>
    /// <param name="cancellation">Ends the wait with an <see cref="OperationCanceledException"/>.</param>
    internal int Wait(ulong address, Func<bool> isExpected, long timeout, CancellationToken cancellation)
    {
        using var waiter = new Waiter();
        LinkedList<Waiter>? list;
        lock (gate)
        {
            if (isClosed || !isExpected()) return NotEqual;
            if (!waiting.TryGetValue(address, out list)) waiting[address] = list = new LinkedList<Waiter>();
            list.AddLast(waiter);
        }
        bool woken = false;
        try
        {
            woken = Sleep(waiter, timeout, cancellation);
        }
        finally
        {
            lock (gate)
            {
                // The thread that took it off the list has woken it, even if that was too late for the clock.
                if (!list.Remove(waiter)) woken = true;
                if (list.Count == 0 && waiting.TryGetValue(address, out LinkedList<Waiter>? current) && ReferenceEquals(current, list))
                    waiting.Remove(address);
            }
        }
        return woken ? Ok : TimedOut;
    }

    private static bool Sleep(Waiter waiter, long timeout, CancellationToken cancellation)
    {
        if (timeout < 0)
        {
            waiter.Woken.Wait(cancellation);
            return true;
        }
        long start = Stopwatch.GetTimestamp();
        while (true)
        {
            double left = (timeout / 1e6) - Stopwatch.GetElapsedTime(start).TotalMilliseconds;
            if (left <= 0) return waiter.Woken.Wait(0, CancellationToken.None);
            if (waiter.Woken.Wait((int)Math.Min(Math.Ceiling(left), int.MaxValue), cancellation)) return true;
        }
    }

    /// <summary>The memory has been disposed of: wakes all waiting threads, and no thread waits here again.</summary>
    internal void Close()
    {
        lock (gate)
        {
            isClosed = true;
            foreach (LinkedList<Waiter> list in waiting.Values)
            {
                foreach (Waiter waiter in list) waiter.Woken.Release();
                list.Clear();
            }
            waiting.Clear();
        }
    }

    /// <summary>Wakes up to <paramref name="count"/> threads that wait at an address; gives how many.</summary>
    internal int Notify(ulong address, uint count)
    {
        int woken = 0;
        lock (gate)
        {
            if (!waiting.TryGetValue(address, out LinkedList<Waiter>? list)) return 0;
            for (; woken < count && list.First is { } first; woken++)
            {
                list.RemoveFirst();
                first.Value.Woken.Release();
            }
            if (list.Count == 0) waiting.Remove(address);
        }
        return woken;
    }
}
