using System.Runtime.InteropServices;

namespace WasmJit.Runtime;

/// <summary>
/// Native memory in small pieces, all zero at first, at addresses that never change: what a module's code needs beside its objects. Pieces of many
/// modules share a block, so that a module of one function has no finalizer of its own. Pinned arrays would be in the way of guests that make many
/// modules: only collections of everything free them, and their heap asks for such collections as it grows. A piece keeps the whole block that it
/// lies in, so blocks are small.
/// </summary>
/// <remarks>Unsafe: every holder of an address in a block keeps the object, and the memory is freed when that is gone: see <see cref="Remains"/>.</remarks>
internal sealed unsafe class SmallBlocks
{
    /// <summary>The size of shared blocks, and of the largest piece that shares one.</summary>
    private const int BlockBytes = 4096 - 32, LargestShared = 1024;

    private const int Alignment = 8;

    /// <summary>
    /// Pages of such blocks are asked for at once. Otherwise they are read first, which gives them a page of zeros that all share, and then written, which takes another
    /// fault and interrupts all processors that run the process.
    /// </summary>
    private const int LeastAtOnce = 64 << 10, MostAtOnce = 16 << 20;

    /// <summary>The block that this thread's next pieces lie in.</summary>
    [ThreadStatic]
    private static SmallBlocks? current;

    private readonly Native native;
    private int used;

    private SmallBlocks(nuint bytes)
    {
        native = new Native(this);
        native.Allocate(bytes);
    }

    /// <summary>Gives room for some items, aligned to 8 bytes.</summary>
    /// <param name="count">How many.</param>
    /// <param name="size">The size of one.</param>
    /// <param name="keeper">What keeps the memory.</param>
    /// <exception cref="OutOfMemoryException">There is no more.</exception>
    internal static void* Take(int count, int size, out SmallBlocks keeper)
    {
        nuint bytes = (nuint)count * (nuint)size;
        if (bytes > LargestShared)
        {
            var own = new SmallBlocks(bytes);
            keeper = own;
            return own.native.Start;
        }
        int rounded = ((int)bytes + Alignment - 1) & -Alignment;
        if (current is null || BlockBytes - current.used < rounded) current = new SmallBlocks(BlockBytes);
        byte* piece = current.native.Start + current.used;
        current.used += rounded;
        keeper = current;
        return piece;
    }

    private sealed class Native(SmallBlocks owner) : Remains(owner)
    {
        internal byte* Start { get; private set; }

        internal void Allocate(nuint bytes)
        {
            Start = (byte*)NativeMemory.AllocZeroed(bytes);
            if (bytes is >= LeastAtOnce and <= MostAtOnce) Pages.Populate(Start, bytes);
        }

        protected override void Release() => NativeMemory.Free(Start);
    }
}
