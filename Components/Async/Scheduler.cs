using System.Collections.Concurrent;
using System.Runtime.CompilerServices;

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
    /// <summary>What is posted; made for the first, since most instances have none.</summary>
    private ConcurrentQueue<Action>? posted;
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
    private volatile Scheduler? merged;

    /// <summary>The scheduler that replaced this one; null if none did.</summary>
    internal Scheduler? Merged => merged;

    /// <summary>The scheduler itself, or the one that has taken its place.</summary>
    internal Scheduler Latest
    {
        get
        {
            Scheduler latest = this;
            while (latest.merged is { } next) latest = next;
            return latest;
        }
    }

    private bool IsIdle => Waiting.Count == 0 && !HasPosted && Volatile.Read(ref Pending) == 0 && Volatile.Read(ref active) == 0 && depth == 1;

    /// <summary>Instances that were made apart are linked: they take turns together from now on.</summary>
    /// <exception cref="InvalidOperationException">In both of them something waits.</exception>
    internal static Scheduler Merge(Scheduler a, Scheduler b)
    {
        while (true)
        {
            (a, b) = (a.Latest, b.Latest);
            if (ReferenceEquals(a, b)) return a;
            (Scheduler first, Scheduler second) = a.number < b.number ? (a, b) : (b, a);
            first.Enter();
            second.Enter();
            try
            {
                // Another thread may have linked one of them before this one came in.
                if (a.merged is not null || b.merged is not null) continue;
                (Scheduler kept, Scheduler given) = b.IsIdle ? (a, b) : a.IsIdle ? (b, a)
                    : throw new InvalidOperationException("Components in which calls wait cannot be linked with each other.");
                given.merged = kept;
                return kept;
            }
            finally
            {
                second.Leave();
                first.Leave();
            }
        }
    }

    // ---- one at a time ----

    /// <summary>Waits until no other thread of the host is in the instances.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
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
            // A thread that leaves writes the owner and then looks for waiters, without a barrier. This call makes every thread execute one instead.
            Interlocked.MemoryBarrierProcessWide();
            while (Interlocked.CompareExchange(ref owner, me, 0) != 0) Monitor.Wait(gate);
            waiters--;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void Leave()
    {
        if (hasEnd && depth == 1) RunAtEnd();
        if (--depth != 0) return;
        left = 0;
        Volatile.Write(ref owner, 0);
        if (Volatile.Read(ref waiters) > 0) Signal();
    }

    /// <summary>
    /// Enters if no thread of the host is in the instances, the calling one included, which may be in the middle of a guest's call. Otherwise <see cref="NextPosted"/> ends when
    /// it has left, until <see cref="StopListening"/>.
    /// </summary>
    private bool TryEnter()
    {
        int me = Environment.CurrentManagedThreadId;
        lock (gate)
        {
            if (Interlocked.CompareExchange(ref owner, me, 0) != 0)
            {
                waiters++;
                // As in EnterSlow.
                Interlocked.MemoryBarrierProcessWide();
                if (Interlocked.CompareExchange(ref owner, me, 0) != 0) return false;
                waiters--;
            }
        }
        depth = 1;
        return true;
    }

    private void StopListening()
    {
        lock (gate) waiters--;
    }

    private readonly List<Action> atEnd = [];

    /// <summary>Does something when the calling thread leaves the instances.</summary>
    internal void AtEnd(Action action)
    {
        atEnd.Add(action);
        hasEnd = true;
    }

    private bool hasEnd;

    private void RunAtEnd()
    {
        hasEnd = false;
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

    /// <summary>A guest calls the host: what that copies is counted by itself, since a guest that runs for long may make any number of such calls.</summary>
    /// <returns>What was counted before, for <see cref="EndHostCall"/>.</returns>
    internal long BeginHostCall()
    {
        long before = left;
        left = 0;
        return before;
    }

    internal void EndHostCall(long before) => left = before;

    /// <summary>What a call of the host, or of a guest to the host, may copy to it, in bytes.</summary>
    internal long MostCopied { get; set; } = 1L << 30;

    /// <summary>After so many bytes it is asked whether the guest is to stop: a list may have millions of strings.</summary>
    private const int PollShift = 22;

    /// <summary>Counts what is copied to the host.</summary>
    internal void Charge(ulong bytes)
    {
        long before = left;
        left += (long)Math.Min(bytes, 1UL << 40);
        if (left > MostCopied) ComponentTrap.Throw(ComponentTrap.TooMuchCopied);
        if (before >> PollShift != left >> PollShift) Runtime.CancellationScope.ThrowIfStopped();
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

    /// <summary>The last exception of a guest's thread that was passed to the call that waits for the thread.</summary>
    internal Exception? Told { get; set; }

    /// <summary>Lets one waiting thread go on.</summary>
    /// <returns>Whether there was one.</returns>
    internal bool Tick()
    {
        // Threads that yield to one another for ever may have no loop that polls.
        Runtime.CancellationScope.ThrowIfStopped();
        while (Volatile.Read(ref posted) is { } actions && actions.TryDequeue(out Action? action)) action();
        for (int i = 0; i < Waiting.Count; i++)
        {
            GuestThread thread = Waiting[i];
            InstanceState[] entered = thread.Instance.FromHost;
            if (!InstanceState.CanEnter(entered) || !thread.IsReady) continue;
            InstanceState.Enter(entered);
            try
            {
                thread.Resume();
            }
            catch (Exception e) when (e is not GuestCanceledException && ReferenceEquals(Told, e))
            {
                // The call that waits for this thread fails, and that need not be the one that lets it go on. The instances stay entered, as after any trap.
                Told = null;
                return true;
            }
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

    /// <summary>
    /// Makes a call of the host, and lets waiting threads go on until it has ended; no thread is held while nothing can go on. What stops guests on the
    /// calling thread stops them on each thread that goes on with the call.
    /// </summary>
    internal static async Task RunAsync(ComponentTree tree, HostTaskCaller call, Action begin, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        CancellationToken[] tokens = Runtime.WasmThread.CurrentScope?.Tokens ?? [];
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
        using CancellationTokenSource? stop = tokens.Length == 0 ? null : CancellationTokenSource.CreateLinkedTokenSource(tokens);
        try
        {
            await scheduler.EndOf(call, cancellation, stop?.Token ?? default).ConfigureAwait(false);
        }
        finally
        {
            Interlocked.Decrement(ref scheduler.active);
        }
    }

    /// <summary>
    /// Lets guests go on until a task has ended, which something that they do may end. No thread is held while nothing can go on, or while another is in the instances.
    /// </summary>
    /// <param name="until">The task.</param>
    /// <param name="tokens">What stops the guests.</param>
    internal async Task DriveAsync(Task until, CancellationToken[] tokens)
    {
        using CancellationTokenSource? stop = tokens.Length == 0 ? null : CancellationTokenSource.CreateLinkedTokenSource(tokens);
        CancellationToken token = stop?.Token ?? default;
        using CancellationTokenRegistration stopping = token.Register(Signal);
        while (!until.IsCompleted)
        {
            Task posts = NextPosted();
            if (TryEnter())
            {
                Runtime.CancellationScope? scope = null;
                try
                {
                    scope = token.CanBeCanceled ? Runtime.CancellationScope.Enter(token) : null;
                    RunAll(() => until.IsCompleted);
                    Runtime.CancellationScope.ThrowIfStopped();
                }
                finally
                {
                    scope?.Leave();
                    Leave();
                }
                if (!until.IsCompleted) await Task.WhenAny(until, posts).ConfigureAwait(false);
            }
            else
            {
                await Task.WhenAny(until, posts).ConfigureAwait(false);
                StopListening();
            }
        }
    }

    /// <summary>
    /// Lets the threads of tasks go on until all of a tree have ended: a call of the host has its result when its task gives one, and the task may go on behind it. No thread is held
    /// while nothing can go on.
    /// </summary>
    /// <param name="tree">The tree.</param>
    /// <param name="stop">What stops the guests.</param>
    /// <returns>Whether they have ended; otherwise none of them ever goes on by itself.</returns>
    /// <exception cref="TrapException">A guest trapped, no matter who let it go on.</exception>
    /// <exception cref="OperationCanceledException">The token stopped the guests.</exception>
    internal async ValueTask<bool> FinishAsync(ComponentTree tree, CancellationToken stop)
    {
        using CancellationTokenRegistration stopping = stop.Register(Signal);
        while (true)
        {
            Task posts = NextPosted();
            if (RunToEnd(tree, stop) is { } hasEnded) return hasEnded;
            await posts.ConfigureAwait(false);
        }
    }

    private bool? RunToEnd(ComponentTree tree, CancellationToken stop)
    {
        using var stay = new Stay(this, stop);
        tree.IsAwaited = true;
        RunAll(() => tree.Fault is not null || HasEnded(tree));
        if (tree.Fault is { } fault) System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(fault);
        if (HasEnded(tree)) return true;
        Runtime.CancellationScope.ThrowIfStopped();
        return Volatile.Read(ref Pending) == 0 && !HasPosted ? false : null;
    }

    private bool HasEnded(ComponentTree tree)
    {
        if (tree.LiveThreads != 0) return false;
        // Those that wait for their turn to begin have not been counted.
        foreach (GuestThread thread in Waiting)
            if (ReferenceEquals(thread.Instance.Tree, tree)) return false;
        return true;
    }

    /// <summary>How many calls of the host are waited for that hold no thread.</summary>
    private int active;

    private async Task EndOf(HostTaskCaller call, CancellationToken cancellation, CancellationToken stop)
    {
        using CancellationTokenRegistration registration = cancellation.Register(() => Post(call.RequestCancel));
        using CancellationTokenRegistration stopping = stop.Register(Signal);
        while (!call.IsResolved)
        {
            Task posts = NextPosted();
            if (RunUnder(call, cancellation.CanBeCanceled, stop)) return;
            await posts.ConfigureAwait(false);
        }
    }

    /// <summary>Lets guests go on that a token stops; gives whether a call has ended.</summary>
    private bool RunUnder(HostTaskCaller call, bool cancellable, CancellationToken stop)
    {
        using var stay = new Stay(this, stop);
        RunAll(() => call.IsResolved);
        if (call.IsResolved) return true;
        Runtime.CancellationScope.ThrowIfStopped();
        if (Volatile.Read(ref Pending) == 0 && !HasPosted && !cancellable && !stop.CanBeCanceled && Volatile.Read(ref active) == 1)
            ComponentTrap.Throw(ComponentTrap.Deadlock);
        return false;
    }

    /// <summary>The time that a thread of the host is in the instances, while a token stops the guests.</summary>
    private readonly ref struct Stay
    {
        private readonly Scheduler scheduler;
        private readonly Runtime.CancellationScope? scope;

        internal Stay(Scheduler scheduler, CancellationToken stop)
        {
            this.scheduler = scheduler;
            scope = stop.CanBeCanceled ? Runtime.CancellationScope.Enter(stop) : null;
            scheduler.Enter();
        }

        internal void Dispose()
        {
            try
            {
                scheduler.Leave();
            }
            finally
            {
                scope?.Leave();
            }
        }
    }

    /// <summary>Lets waiting threads go on as far as they can, or until something has happened: others may yield for ever.</summary>
    internal void RunAll(Func<bool> done)
    {
        while (!done() && Tick()) { }
    }

    /// <summary>An operation of the host has ended. The action runs on the thread that is in the instances, or on the next one that enters.</summary>
    internal void Post(Action action)
    {
        (Volatile.Read(ref posted) ?? Interlocked.CompareExchange(ref posted, new(), null) ?? posted).Enqueue(action);
        Signal();
    }

    /// <summary>
    /// Posts an action, and does it here if no other thread does: perhaps no thread ever enters the instances again, and one that is in them in a call that needs no task looks at nothing.
    /// </summary>
    /// <param name="action">The action, which is done once however often it is called, and runs no code of guests.</param>
    /// <param name="done">Ends when it is done.</param>
    internal async Task PostAndSettleAsync(Action action, Task done)
    {
        Post(action);
        while (!done.IsCompleted)
        {
            Task posts = NextPosted();
            if (TryEnter())
            {
                try
                {
                    action();
                }
                finally
                {
                    Leave();
                }
                return;
            }
            await Task.WhenAny(done, posts).ConfigureAwait(false);
            StopListening();
        }
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
    internal bool HasPosted => Volatile.Read(ref posted) is { IsEmpty: false };

    /// <summary>Waits until an operation of the host has ended; the instances stay entered.</summary>
    /// <returns>Whether there was one.</returns>
    private bool WaitForHost()
    {
        // A token that stops the guests ends the wait at once.
        using CancellationTokenRegistration stopping = (Runtime.WasmThread.CurrentScope?.Token ?? default).UnsafeRegister(static s => ((Scheduler)s!).Signal(), this);
        lock (gate)
        {
            while (!HasPosted)
            {
                if (Volatile.Read(ref Pending) == 0) return false;
                Runtime.CancellationScope.ThrowIfStopped();
                Monitor.Wait(gate, 100);
            }
        }
        return true;
    }

    /// <summary>Ends threads of instances that will not be entered any more.</summary>
    internal void Abandon(ComponentTree gone)
    {
        if (Waiting.Count == 0) return;
        foreach (GuestThread thread in Waiting.Where(t => ReferenceEquals(t.Instance.Tree, gone)).ToList()) thread.Abandon();
    }
}
