using System.Runtime.CompilerServices;

namespace WasmJit.Jit.Interpreter;

/// <summary>
/// Which locals a function's entry sets to zero: those that may be read before they are written.
/// </summary>
/// <remarks>
/// A local that has been written in a block has been written for all code that follows in it, as the validator knows of locals without a default value. At the end of a
/// block, and where another part of it begins, what was first written in it counts no longer. A slot that is not set to zero holds what an earlier call left there, which nothing reads.
/// </remarks>
internal sealed class ZeroLocals
{
    private readonly TranslationRoom room;
    private readonly bool[] isWritten;

    /// <param name="room">The arrays, with room for all locals.</param>
    /// <param name="parameters">How many of the locals are parameters.</param>
    /// <param name="count">How many locals there are; a vector is two.</param>
    internal ZeroLocals(TranslationRoom room, int parameters, int count)
    {
        this.room = room;
        isWritten = room.LocalIsWritten;
        for (int i = 0; i < count; i++) isWritten[i] = i < parameters;
    }

    /// <summary>How many locals have first been written in open blocks.</summary>
    internal int Written { get; private set; }

    /// <summary>The first slot that begins as zero, and the one behind the last.</summary>
    internal int First { get; private set; } = int.MaxValue;
    internal int End { get; private set; }

    /// <summary>A local is read.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void Read(int local)
    {
        if (!isWritten[local]) ReadFirst(local);
    }

    private void ReadFirst(int local)
    {
        // It has a value from the beginning on then. References always do.
        isWritten[local] = true;
        if (room.LocalIsRef[local]) return;
        First = Math.Min(First, room.LocalSlots[local]);
        End = Math.Max(End, room.LocalSlots[local] + 1);
    }

    /// <summary>A local is written.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void Write(int local)
    {
        if (!isWritten[local]) WriteFirst(local);
    }

    private void WriteFirst(int local)
    {
        isWritten[local] = true;
        int count = Written;
        TranslationRoom.Add(ref room.Written, ref count, local);
        Written = count;
    }

    /// <summary>A block has ended, or another part of it begins.</summary>
    /// <param name="count">What <see cref="Written"/> was at its beginning.</param>
    internal void Forget(int count)
    {
        while (Written > count) isWritten[room.Written[--Written]] = false;
    }
}
