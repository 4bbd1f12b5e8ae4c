namespace WasmJit.Runtime;

/// <summary>What a memory contained at a time: its pieces that are not zero.</summary>
/// <remarks>Unsafe: the memory is kept alive while its bytes are read or written, and has at least the image's length.</remarks>
internal sealed unsafe class MemoryImage
{
    /// <summary>Pieces begin at multiples of this, which is a page of the system.</summary>
    private const int Unit = 4096;

    /// <summary>Memories up to this are overwritten. The pages of larger ones are given back first, so that pages that are not touched cost nothing.</summary>
    private const ulong Small = 128 << 10;

    private readonly ulong length;
    private readonly List<(ulong At, byte[] Bytes)> pieces = [];

    private MemoryImage(ulong length) => this.length = length;

    /// <summary>Copies what is not zero.</summary>
    internal static MemoryImage Of(Memory memory)
    {
        var image = new MemoryImage(memory.Length);
        for (ulong at = 0; at < image.length;)
        {
            ulong start = at;
            while (start < image.length && IsZero(memory, image.length, start)) start += Unit;
            ulong end = start;
            while (end < image.length && end - start < int.MaxValue / 2 && !IsZero(memory, image.length, end)) end += Unit;
            end = Math.Min(end, image.length);
            if (end > start) image.pieces.Add((start, new ReadOnlySpan<byte>(memory.Base + start, (int)(end - start)).ToArray()));
            at = Math.Max(end, start);
        }
        GC.KeepAlive(memory);
        return image;
    }

    private static bool IsZero(Memory memory, ulong length, ulong at) =>
        !new ReadOnlySpan<byte>(memory.Base + at, (int)Math.Min(Unit, length - at)).ContainsAnyExcept((byte)0);

    /// <summary>This image, or one that is known and equal, so that equal instances share it.</summary>
    internal MemoryImage Shared(MemoryImage? known) => known is not null && IsEqual(known) ? known : this;

    private bool IsEqual(MemoryImage other)
    {
        if (other.length != length || other.pieces.Count != pieces.Count) return false;
        for (int i = 0; i < pieces.Count; i++)
            if (pieces[i].At != other.pieces[i].At || !pieces[i].Bytes.AsSpan().SequenceEqual(other.pieces[i].Bytes)) return false;
        return true;
    }

    /// <summary>Gives a memory the contents of then.</summary>
    /// <returns>False, and nothing has changed, if the memory has another length now.</returns>
    internal bool TryRestore(Memory memory)
    {
        if (memory.Length != length || memory.IsDisposed) return false;
        bool isZero = length > Small && Pages.Discard(memory.Base, Memory.Align(length));
        ulong done = 0;
        foreach ((ulong at, byte[] bytes) in pieces)
        {
            if (!isZero) AddressSpace.Clear(memory.Base + done, at - done);
            bytes.CopyTo(new Span<byte>(memory.Base + at, bytes.Length));
            done = at + (ulong)bytes.Length;
        }
        if (!isZero) AddressSpace.Clear(memory.Base + done, length - done);
        GC.KeepAlive(memory);
        return true;
    }
}
