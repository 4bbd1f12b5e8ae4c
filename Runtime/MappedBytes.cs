using System.Buffers;
using System.Reflection;

namespace WasmJit.Runtime;

/// <summary>Bytes that are mapped or kept elsewhere, as memory.</summary>
/// <remarks>Unsafe: the bytes live as long as the assembly in whose file they are, which this object keeps. They are never written.</remarks>
internal sealed unsafe class MappedBytes(byte* start, int length, Assembly owner) : MemoryManager<byte>
{
    public override Span<byte> GetSpan() => new(start, length);

    public override MemoryHandle Pin(int elementIndex = 0)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)elementIndex, (uint)length);
        return new MemoryHandle(start + elementIndex, default, this);
    }

    public override void Unpin()
    {
    }

    protected override void Dispose(bool disposing) => GC.KeepAlive(owner);
}
