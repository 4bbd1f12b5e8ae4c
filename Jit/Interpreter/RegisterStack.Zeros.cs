namespace WasmJit.Jit.Interpreter;

/// <summary>
/// Which locals a function's entry sets to zero: those that may be read before they are written. Compilers that do not optimise give each value a local of its own, so that a
/// function has hundreds of which each is written first.
/// </summary>
/// <remarks>
/// A local that has been written in a block has been written for all code that follows in it, as the validator knows of locals without a default value. At the end of a
/// block, and where another part of it begins, what was first written in it counts no longer. A slot that is not set to zero holds what an earlier call left there, which nothing reads.
/// </remarks>
internal sealed partial class RegisterStack
{
    private readonly bool[] isWritten;

    /// <summary>The locals that were first written in open blocks, in this order.</summary>
    private int[] written;

    /// <summary>How many locals have first been written in open blocks.</summary>
    internal int Written { get; private set; }

    /// <summary>The first slot that begins as zero, and the one behind the last.</summary>
    internal int FirstZero { get; private set; } = int.MaxValue;
    internal int EndZero { get; private set; }

    /// <param name="parameters">How many of the locals are parameters.</param>
    /// <param name="count">How many locals there are; a vector is two.</param>
    private void BeginZeros(int parameters, int count)
    {
        for (int i = 0; i < count; i++) isWritten[i] = i < parameters;
    }

    /// <summary>A local is read that has not been written.</summary>
    private void ReadZero(int local)
    {
        // It has a value from the beginning on then.
        isWritten[local] = true;
        if (localIsRef[local]) return;
        FirstZero = Math.Min(FirstZero, localSlots[local]);
        EndZero = Math.Max(EndZero, localSlots[local] + 1);
    }

    private void FirstWrite(int local)
    {
        isWritten[local] = true;
        if (Written == written.Length)
        {
            Array.Resize(ref room.Written, Written * 2);
            written = room.Written;
        }
        written[Written++] = local;
    }

    /// <summary>A block has ended, or another part of it begins.</summary>
    /// <param name="count">What <see cref="Written"/> was at its beginning.</param>
    internal void ForgetWritten(int count)
    {
        while (Written > count) isWritten[written[--Written]] = false;
    }
}
