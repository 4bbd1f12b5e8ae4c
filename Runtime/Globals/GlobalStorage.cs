using System.Runtime.InteropServices;

namespace WasmJit.Runtime;

/// <summary>
/// Where numbers of globals lie: 16 bytes each, at addresses that never change. It is native memory, because arrays that the garbage collector must not
/// move are freed by collections of everything alone.
/// </summary>
/// <remarks>Unsafe: every holder of an address in it keeps this object. The block is freed when the object is gone: see <see cref="Remains"/>.</remarks>
internal sealed unsafe class GlobalStorage
{
    private readonly Block block;

    /// <summary>Makes room for a number of globals, all zero.</summary>
    internal GlobalStorage(int count)
    {
        block = new Block(this);
        Data = block.Take((nuint)count * 16);
    }

    /// <summary>The first global; aligned to 16 bytes.</summary>
    internal byte* Data { get; }

    private sealed class Block(GlobalStorage storage) : Remains(storage)
    {
        private void* at;

        internal byte* Take(nuint bytes)
        {
            at = NativeMemory.AlignedAlloc(bytes, 16);
            NativeMemory.Clear(at, bytes);
            return (byte*)at;
        }

        protected override void Release() => NativeMemory.AlignedFree(at);
    }
}
