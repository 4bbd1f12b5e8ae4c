using System.Runtime.CompilerServices;

namespace WasmJit.Runtime;

/// <summary>
/// The interpreter's stack on a thread: frames, numeric slots and references, each in a part of its own. Calls between interpreted functions of an
/// instance use it and nothing of the thread's own stack.
/// </summary>
/// <remarks>Unsafe: the native parts belong to this object. Only its finalizer frees them, when the thread is gone.</remarks>
internal sealed unsafe class InterpreterThread
{
    /// <summary>How many slots beyond the limit may be written before the limit is checked: arguments and results of a call.</summary>
    private const int Margin = 4096;

    private const int Slots = 1 << 20;
    private const int Frames = 1 << 18;
    private const int MaxRefs = 1 << 22;

    [ThreadStatic]
    private static InterpreterThread? current;

    private readonly byte* memory;

    private InterpreterThread()
    {
        memory = Pages.ReserveZeroed(Size);
        if (memory is null)
        {
            memory = Pages.Reserve(Size);
            if (memory is null || !Pages.Commit(memory, Size))
            {
                GC.SuppressFinalize(this);
                throw new InsufficientMemoryException("No memory is left for a stack of the interpreter.");
            }
        }
        Top = (ulong*)memory;
        Limit = lastSlot = Top + Slots - Margin;
        Sp = (InterpreterFrame*)(memory + (Slots * 8L));
        FrameLimit = lastFrame = Sp + Frames;
    }

    /// <summary>Frees the stack of a thread that has ended.</summary>
    ~InterpreterThread() => Pages.Release(memory, Size);

    private static ulong Size => (Slots * 8L) + (Frames * (ulong)sizeof(InterpreterFrame));

    internal static InterpreterThread Current => current ?? Make();

    /// <summary>The first slot that no frame uses.</summary>
    internal ulong* Top;

    /// <summary>The first reference that no frame uses.</summary>
    internal int RefTop;

    /// <summary>Behind the innermost frame.</summary>
    internal InterpreterFrame* Sp;

    /// <summary>
    /// Where the innermost run notes which instruction it is at, before it does something that may throw. It is in the frame of that run; a filter reads it
    /// while the frame is still there.
    /// </summary>
    internal Instruction** At;

    /// <summary>For an exception that a run handles: the frame whose function does.</summary>
    internal InterpreterFrame* Handling;

    /// <summary>For a run that goes on in a handler: where, and the run's first frame.</summary>
    internal Instruction* GoesOnAt;
    internal InterpreterFrame* GoesOnFrom;

    /// <summary>The end of slots and frames for the code that runs now.</summary>
    internal ulong* Limit;
    internal InterpreterFrame* FrameLimit;

    private readonly ulong* lastSlot;
    private readonly InterpreterFrame* lastFrame;

    /// <summary>Whether so many slots from an address on are among the thread's.</summary>
    internal bool HasSlots(ulong address, int count) =>
        address >= (ulong)memory && address % sizeof(ulong) == 0 && address <= (ulong)memory + (sizeof(ulong) * (ulong)(Slots - count));

    /// <summary>Lets slots and frames take as many bytes each as the thread's own stack still has for guests.</summary>
    internal void LimitTo(ulong bytes)
    {
        ulong slots = (ulong)(lastSlot - Top), frames = (ulong)(lastFrame - Sp);
        Limit = Top + Math.Min(slots, bytes / 8);
        FrameLimit = Sp + Math.Min(frames, bytes / (ulong)sizeof(InterpreterFrame));
    }

    /// <summary>References. The array is replaced when it has to be longer. Elements beyond the frames are null.</summary>
    internal object?[] Refs = new object?[64];

    /// <summary>
    /// No reference from here on has been written since the last exception. An exception clears what it leaves; that must not cost what the
    /// deepest stack would that the thread ever had.
    /// </summary>
    private int refsUsed;

    /// <summary>
    /// The code that a tail call out of the interpreter goes on with; 0 for none. The arguments are in the frame that ended. If the callee has a
    /// state, that is here too.
    /// </summary>
    internal nint NextCode;
    internal object? NextContext;
    internal CallShape* NextShape;
    internal FunctionState* NextFunction;

    /// <summary>Keeps what <see cref="NextShape"/> points to, and the code of its method, until that method runs.</summary>
    internal object? NextOwner;

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static InterpreterThread Make() => current = new InterpreterThread();

    /// <summary>Makes room for references up to an index.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    internal object?[] Reserve(int end)
    {
        if (end > Refs.Length)
        {
            if (end > MaxRefs) throw Trap.Make(TrapKind.CallStackExhausted);
            Array.Resize(ref Refs, Math.Max(end, Refs.Length * 2));
        }
        if (end > refsUsed) refsUsed = end;
        return Refs;
    }

    /// <summary>The operands that the innermost function which spills some has spilled.</summary>
    private SpillArea? spills;

    private long FramesUpTo(InterpreterFrame* sp) => sp - (lastFrame - Frames);

    /// <summary>The function that has been entered spills operands.</summary>
    internal void EnterSpills() => spills = new SpillArea(spills, FramesUpTo(Sp));

    /// <summary>That function is about to end.</summary>
    internal void LeaveSpills() => spills = spills!.Outer;

    internal Span<ulong> SpilledNumbers(int first, int count) => spills!.Numbers(first, count);

    internal Span<object?> SpilledRefs(int first, int count) => spills!.References(first, count);

    /// <summary>Forgets the frames above one, and their references, after an exception.</summary>
    internal void Unwind(InterpreterFrame* sp, int refTop)
    {
        Sp = sp;
        NextCode = 0;
        while (spills is not null && spills.Frames > FramesUpTo(sp)) spills = spills.Outer;
        if (refsUsed <= refTop) return;
        Array.Clear(Refs, refTop, refsUsed - refTop);
        refsUsed = refTop;
    }

    /// <summary>For methods made for a signature: stores an argument, or a result at an index.</summary>
    internal static void SetRef(InterpreterThread thread, int index, object? value) => thread.Reserve(index + 1)[index] = value;

    /// <summary>The same for reading a result; it is not kept.</summary>
    internal static object? TakeRef(InterpreterThread thread, int index)
    {
        object? value = thread.Refs[index];
        thread.Refs[index] = null;
        return value;
    }

    /// <summary>For entries that go on with a tail call: the context; <see cref="TailEntry"/> is what to call with it.</summary>
    internal static object? TakeNext(InterpreterThread thread)
    {
        object? context = thread.NextContext;
        thread.TailEntry = thread.NextShape->Tail;
        thread.TailCode = thread.NextCode;
        thread.NextCode = 0;
        thread.NextContext = null;
        return context;
    }

    /// <summary>During a tail call: the method that makes it, and the code to go to.</summary>
    internal nint TailEntry, TailCode;

    private ulong* resumedSlots;
    private int resumedRefs;

    /// <summary>A frame is about to be left for machine code that begins at a loop's head.</summary>
    internal void Resume(ulong* fp, int rp)
    {
        resumedSlots = fp;
        resumedRefs = rp;
    }

    /// <summary>For such code: the numbers of the frame.</summary>
    internal static nint ResumedSlots() => (nint)Current.resumedSlots;

    /// <summary>For such code: the numbers of its frame are in place again, for other code that goes on.</summary>
    internal static void ResumeWith(nint slots) => Current.resumedSlots = (ulong*)slots;

    /// <summary>For such code: a reference of the frame.</summary>
    internal static object? ResumedRef(int slot)
    {
        InterpreterThread thread = Current;
        return thread.Refs[thread.resumedRefs + slot];
    }
}
