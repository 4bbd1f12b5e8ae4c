using System.Runtime.ExceptionServices;
using WasmJit.Runtime;

namespace WasmJit.Components;

/// <summary>
/// A stack for guest code that waits with frames on it: a thread that runs only while another waits for it, so that there is never more than one
/// of them at work. Threads that have nothing to do are used again.
/// </summary>
internal sealed class Fiber
{
    /// <summary>How much of it guests may use, as on any other thread.</summary>
    private const int StackBytes = 3 << 20;

    private const int KeptIdle = 32, IdleMilliseconds = 5000;

    private static readonly Stack<Fiber> Idle = new();

    private readonly Turn toFiber = new(), toResumer = new();
    private Action? job;
    private CancellationToken token;
    private CancellationScope? scope;
    private ulong top;
    private ExceptionDispatchInfo? error;
    private bool isAbandoned, isRetired, blockResult;

    /// <summary>Thrown in guest code that will never be resumed, so that its stack is free again. No guest catches it.</summary>
    internal sealed class AbandonedException : Exception;

    /// <summary>The thread that runs it.</summary>
    internal int ThreadId { get; private set; }

    /// <summary>Takes one.</summary>
    /// <exception cref="TrapException">No further thread can be made.</exception>
    internal static Fiber Take()
    {
        lock (Idle)
        {
            if (Idle.TryPop(out Fiber? idle)) return idle;
        }
        var fiber = new Fiber();
        try
        {
            fiber.ThreadId = CountedThread.Start("WasmJit fiber", StackBytes, fiber.Loop).ManagedThreadId;
        }
        catch (InsufficientMemoryException e)
        {
            throw Trap.Make(TrapKind.OutOfMemory, e.Message);
        }
        return fiber;
    }

    /// <summary>Runs a job up to its end, or to where it waits.</summary>
    /// <returns>Whether it has ended; the fiber is not to be used again then.</returns>
    internal bool Start(Action action)
    {
        job = action;
        return Switch();
    }

    /// <summary>Goes on where the job waits.</summary>
    internal bool Resume(bool cancelled)
    {
        blockResult = cancelled;
        return Switch();
    }

    private bool Switch()
    {
        token = WasmThread.CurrentScope?.Token ?? default;
        toFiber.Give();
        toResumer.Wait();
        ExceptionDispatchInfo? thrown = error;
        bool ended = job is null;
        error = null;
        if (ended) Give();
        thrown?.Throw();
        return ended;
    }

    private void Give()
    {
        lock (Idle)
        {
            if (Idle.Count < KeptIdle)
            {
                Idle.Push(this);
                return;
            }
        }
        isRetired = true;
        toFiber.Give();
    }

    /// <summary>Waits, on the fiber's own thread.</summary>
    internal bool Yield()
    {
        // Each turn obeys the token of the thread that gives it. A host function on this stack may have a scope of its own, which stays.
        bool isInner = !ReferenceEquals(WasmThread.CurrentScope, scope);
        if (!isInner) EndTurn();
        toResumer.Give();
        toFiber.Wait();
        if (!isInner) BeginTurn();
        if (isAbandoned) throw new AbandonedException();
        return blockResult;
    }

    /// <summary>Ends a job that waits: its frames are taken off the stack.</summary>
    internal void Abandon()
    {
        isAbandoned = true;
        try
        {
            Switch();
        }
        catch (AbandonedException)
        {
            // That was its end.
        }
    }

    private void BeginTurn() => scope = token.CanBeCanceled ? CancellationScope.Enter(top, token) : null;

    private void EndTurn()
    {
        scope?.Leave();
        scope = null;
    }

    private unsafe void Loop()
    {
        byte local;
        top = (ulong)&local;
        while (true)
        {
            if (!toFiber.Wait(IdleMilliseconds))
            {
                lock (Idle)
                {
                    if (Idle.Contains(this))
                    {
                        Fiber[] others = [.. Idle.Where(f => f != this).Reverse()];
                        Idle.Clear();
                        foreach (Fiber other in others) Idle.Push(other);
                        return;
                    }
                }
                toFiber.Wait();
            }
            if (isRetired) return;
            try
            {
                BeginTurn();
                try
                {
                    job!();
                }
                finally
                {
                    EndTurn();
                }
            }
            catch (Exception e)
            {
                error = ExceptionDispatchInfo.Capture(e);
            }
            job = null;
            isAbandoned = false;
            toResumer.Give();
        }
    }

    /// <summary>Whose turn it is: one side gives it, the other waits for it.</summary>
    private sealed class Turn
    {
        private readonly object gate = new();
        private volatile bool isGiven;

        internal void Give()
        {
            lock (gate)
            {
                isGiven = true;
                Monitor.Pulse(gate);
            }
        }

        internal bool Wait(int milliseconds = Timeout.Infinite)
        {
            // Most turns are short.
            var spin = new SpinWait();
            while (!isGiven && !spin.NextSpinWillYield) spin.SpinOnce();
            lock (gate)
            {
                while (!isGiven)
                    if (!Monitor.Wait(gate, milliseconds)) return false;
                isGiven = false;
                return true;
            }
        }
    }
}
