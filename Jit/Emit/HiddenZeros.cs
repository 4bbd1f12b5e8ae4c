using WasmJit.Jit.Il;

namespace WasmJit.Jit.Emit;

/// <summary>
/// Locals of floats and vectors begin as zeros, which RyuJIT would know (see <see cref="FloatFolding"/>). Those that may be read before they
/// are written get a zero that it does not know.
/// </summary>
internal sealed class HiddenZeros(EmitterContext context, ControlStack control)
{
    private readonly IlBuffer il = context.Il;
    private readonly OperandStack stack = context.Stack;

    /// <summary>
    /// For each local the block with its first write: the depth from 1, and its <c>if</c> or <c>else</c> arm. While that arm is open, the local no longer
    /// has its initial zero.
    /// </summary>
    private readonly Dictionary<int, (int Depth, int Arm)> written = [];

    /// <summary>Places of locals of floats or vectors that may be read while they are zero.</summary>
    private SortedDictionary<int, ValType>? hiddenZeros;

    private bool IsWritten(int place) =>
        written.TryGetValue(place, out (int Depth, int Arm) first) && control.IsOpen(first.Depth, first.Arm);

    /// <summary>A local is written here.</summary>
    internal void NoteWrite(uint local)
    {
        ref readonly Operand operand = ref context.Current.Locals[local];
        if (context.Current == context.Root && FloatFolding.MayBeFloat(operand.Type) && !IsWritten(operand.Index)) written[operand.Index] = (control.Depth, control.Top.Arm);
    }

    /// <summary>A local is read here.</summary>
    internal void NoteRead(uint local)
    {
        ref readonly Operand operand = ref context.Current.Locals[local];
        if (context.Current == context.Root && local >= context.Func.Func.Params.Length && FloatFolding.MayBeFloat(operand.Type) && !IsWritten(operand.Index)) (hiddenZeros ??= [])[operand.Index] = operand.Type;
    }

    /// <summary>Gives locals that may be read before they are written a zero that the JIT does not know, at <paramref name="at"/>.</summary>
    internal int EmitAt(int at)
    {
        if (hiddenZeros is null) return at;
        foreach ((int place, ValType type) in hiddenZeros)
        {
            var zero = new Operand { Kind = OperandKind.Const, Type = type };
            at = il.StlocAt(stack.LoadAt(at, zero, hides: true), context.Places[place].Index);
        }
        return at;
    }
}
