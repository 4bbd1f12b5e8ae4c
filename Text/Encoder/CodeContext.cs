using WasmJit.Jit.Format;

namespace WasmJit.Text;

/// <summary>What the code of a module has in common.</summary>
/// <param name="source">The text.</param>
/// <param name="end">The token behind the module's fields.</param>
/// <param name="names">The module's index spaces.</param>
internal sealed class CodeContext(Source source, int end, ModuleNames names)
{
    private readonly Stack<ByteWriter> buffers = [];

    internal Source Source { get; } = source;

    internal int End { get; } = end;

    internal ModuleNames Names { get; } = names;

    internal TypeWriter Types { get; } = new(names, source, null);

    /// <summary>Whether an instruction names a data segment, so that their number has to come before the code.</summary>
    internal bool UsesDataCount { get; set; }

    internal Dictionary<(uint Func, uint Local), string> LocalNames { get; } = [];

    internal Dictionary<(uint Func, uint Label), string> LabelNames { get; } = [];

    internal List<(uint Func, List<(int Offset, byte Value)> Hints)> BranchHints { get; } = [];

    /// <summary>An empty buffer: an instruction has to wait for its operands.</summary>
    internal ByteWriter TakeBuffer() => buffers.TryPop(out ByteWriter? buffer) ? buffer : new ByteWriter();

    internal void ReturnBuffer(ByteWriter buffer)
    {
        buffer.Clear();
        buffers.Push(buffer);
    }
}
