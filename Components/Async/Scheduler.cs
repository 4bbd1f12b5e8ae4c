using System.Collections.Concurrent;

namespace WasmJit.Components;

/// <summary>
/// What component instances that call one another have in common: which of their threads runs, which wait, and that only one thread of the host is in
/// them at a time.
/// </summary>
internal sealed class Scheduler
{
    /// <summary>How many tasks may hold a stack while they wait.</summary>
    internal const int MostFibers = 1000;

    private readonly object gate = new();
    private readonly ConcurrentQueue<Action> posted = new();
    private int owner, depth, waiters;

    /// <summary>The thread whose core code runs; null if none runs, or one that needs none.</summary>
    internal GuestThread? Current { get; set; }

    internal List<GuestThread> Waiting { get; } = [];

    internal int Fibers { get; set; }

    /// <summary>How many operations of the host may still let a waiting thread go on.</summary>
    internal int Pending;

    // ---- what takes turns ----

    private static long made;

    private readonly long number = Interlocked.Increment(ref made);
    private readonly List<WeakReference<ComponentTree>> trees = [];

    /// <summary>An instance takes turns with the others.</summary>
    internal void Add(ComponentTree tree)
    {
        lock (trees)
        {
            trees.RemoveAll(static t => !t.TryGetTarget(out _));
            trees.Add(new WeakReference<ComponentTree>(tree));
        }
    }

    private bool IsIdle => Waiting.Count == 0 && posted.IsEmpty && Volatile.Read(ref Pending) == 0 && Volatile.Read(ref active) == 0 && depth == 1;

    /// <summary>Instances that were made apart are linked: they take turns together from now on.</summary>
    /// <exception cref="InvalidOperationException">In both of them something waits.</exception>
    internal static Scheduler Merge(Scheduler a, Scheduler b)
    {
        (Scheduler first, Scheduler second) = a.number < b.number ? (a, b) : (b, a);
        first.Enter();
        second.Enter();
        try
        {
            (Scheduler kept, Scheduler given) = b.IsIdle ? (a, b) : a.IsIdle ? (b, a)
                : throw new InvalidOperationException("Components in which calls wait cannot be linked with each other.");
            lock (given.trees)
            {
                foreach (WeakReference<ComponentTree> each in given.trees)
                {
                    if (!each.TryGetTarget(out ComponentTree? tree)) continue;
                    tree.Join(kept);
                    kept.Add(tree);
                }
                given.trees.Clear();
            }
            return kept;
        }
        finally
        {
            second.Leave();
            first.Leave();
        }
    }

    // ---- one at a time ----

    /// <summary>Waits until no other thread of the host is in the instances.</summary>
    internal void Enter()
    {
        int me = Environment.CurrentManagedThreadId;
        if (owner == me)
        {
            depth++;
            return;
        }
        if (Interlocked.CompareExchange(ref owner, me, 0) != 0) EnterSlow(me);
        depth = 1;
    }

    private void EnterSlow(int me)
    {
        lock (gate)
        {
            waiters++;
            while (Interlocked.CompareExchange(ref owner, me, 0) != 0) Monitor.Wait(gate);
            waiters--;
        }
    }

    internal void Leave()
    {
        if (depth == 1 && atEnd.Count > 0) RunAtEnd();
        if (--depth != 0) return;
        left = 0;
        Interlocked.Exchange(ref owner, 0);
        if (Volatile.Read(ref waiters) > 0)
        {
            lock (gate) Monitor.PulseAll(gate);
        }
    }

    private readonly List<Action> atEnd = [];

    /// <summary>Does something when the calling thread leaves the instances.</summary>
    internal void AtEnd(Action action) => atEnd.Add(action);

    private void RunAtEnd()
    {
        Action[] actions = [.. atEnd];
        atEnd.Clear();
        foreach (Action action in actions) action();
    }

    /// <summary>Makes another thread the one that is in; gives the one that was.</summary>
    internal int HandOver(int thread)
    {
        int before = owner;
        if (thread != 0) owner = thread;
        return before;
    }

    // ---- what a call may copy to the host ----

    private long left;

    /// <summary>What a call of the host may copy to it, in bytes.</summary>
    internal long MostCopied { get; set; } = 1L << 30;

    /// <summary>Counts what is copied to the host.</summary>
    internal void Charge(ulong bytes)
    {
        left += (long)Math.Min(bytes, 1UL << 40);
        if (left > MostCopied) ComponentTrap.Throw(ComponentTrap.TooMuchCopied);
    }

    // ---- code that is in no task ----

    /// <summary>Makes a thread for code that runs by itself; gives the one before.</summary>
    internal GuestThread? BeginPlain(InstanceState instance)
    {
        GuestThread? outer = Current;
        Current = new PlainThread(GuestTask.Plain(instance));
        return outer;
    }

    internal void EndPlain(GuestThread? outer) => Current = outer;

    // ---- waiting threads ----

    /// <summary>Lets one waiting thread go on.</summary>
    /// <returns>Whether there was one.</returns>
    internal bool Tick()
    {
        // Threads that yield to one another for ever may have no loop that looks.
        Runtime.CancellationScope.ThrowIfStopped();
        while (posted.TryDequeue(out Action? action)) action();
        for (int i = 0; i < Waiting.Count; i++)
        {
            GuestThread thread = Waiting[i];
            InstanceState[] entered = thread.Instance.FromHost;
            if (!InstanceState.CanEnter(entered) || !thread.IsReady) continue;
            InstanceState.Enter(entered);
            thread.Resume();
            InstanceState.Leave(entered);
            return true;
        }
        return false;
    }

    /// <summary>Lets waiting threads go on until something has happened, on the calling thread.</summary>
    internal void RunUntil(Func<bool> done)
    {
        while (!done())
        {
            if (Tick()) continue;
            if (done()) return;
            if (!WaitForHost()) ComponentTrap.Throw(ComponentTrap.Deadlock);
        }
    }

    /// <summary>Makes a call of the host, and lets waiting threads go on until it has ended; no thread is held while nothing can go on.</summary>
    internal static async Task RunAsync(ComponentTree tree, HostTaskCaller call, Action begin, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        Scheduler scheduler = tree.Enter();
        Interlocked.Increment(ref scheduler.active);
        try
        {
            begin();
            scheduler.RunAll(() => call.IsResolved);
        }
        catch
        {
            Interlocked.Decrement(ref scheduler.active);
            throw;
        }
        finally
        {
            scheduler.Leave();
        }
        try
        {
            await scheduler.EndOf(call, cancellation).ConfigureAwait(false);
        }
        finally
        {
            Interlocked.Decrement(ref scheduler.active);
        }
    }

    /// <summary>How many calls of the host are waited for that hold no thread.</summary>
    private int active;

    private async Task EndOf(HostTaskCaller call, CancellationToken cancellation)
    {
        using CancellationTokenRegistration registration = cancellation.Register(() => Post(call.RequestCancel));
        while (!call.IsResolved)
        {
            Task posts = NextPosted();
            Enter();
            try
            {
                RunAll(() => call.IsResolved);
                if (call.IsResolved) return;
                if (Volatile.Read(ref Pending) == 0 && !HasPosted && !cancellation.CanBeCanceled && Volatile.Read(ref active) == 1) ComponentTrap.Throw(ComponentTrap.Deadlock);
            }
            finally
            {
                Leave();
            }
            await posts.ConfigureAwait(false);
        }
    }

    /// <summary>Lets waiting threads go on as far as they can, or until something has happened: others may yield for ever.</summary>
    internal void RunAll(Func<bool> done)
    {
        while (!done() && Tick()) { }
    }

    /// <summary>Something of the host has ended: what it means for guests is done by whoever is in, or comes in next.</summary>
    internal void Post(Action action)
    {
        posted.Enqueue(action);
        Signal();
    }

    /// <summary>Wakes the host's threads and tasks that wait for something to happen.</summary>
    internal void Signal()
    {
        lock (gate)
        {
            Monitor.PulseAll(gate);
            next?.TrySetResult();
            next = null;
        }
    }

    private TaskCompletionSource? next;

    /// <summary>Ends when something is posted after this.</summary>
    internal Task NextPosted()
    {
        lock (gate) return (next ??= new(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
    }

    /// <summary>Whether something posted is not done yet.</summary>
    internal bool HasPosted => !posted.IsEmpty;

    /// <summary>Waits until an operation of the host has ended; the instances stay entered.</summary>
    /// <returns>Whether there was one.</returns>
    private bool WaitForHost()
    {
        lock (gate)
        {
            while (posted.IsEmpty)
            {
                if (Volatile.Read(ref Pending) == 0) return false;
                Runtime.CancellationScope.ThrowIfStopped();
                Monitor.Wait(gate, 100);
            }
        }
        return true;
    }

    /// <summary>Ends threads of instances that nobody will enter any more.</summary>
    internal void Abandon(Func<InstanceState, bool> isGone)
    {
        foreach (GuestThread thread in Waiting.Where(t => isGone(t.Instance)).ToList()) thread.Abandon();
    }
}
