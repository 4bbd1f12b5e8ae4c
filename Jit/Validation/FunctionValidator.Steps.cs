namespace WasmJit.Jit;

/// <summary>
/// Validation one operator at a time, for who follows it: the emitter asks what the stack held before each operator. The rules are
/// the same code.
/// </summary>
internal sealed partial class FunctionValidator
{
    /// <summary>How many operands there are.</summary>
    internal int Height => height;

    /// <summary>How many blocks are open, the function's own included; none at its end.</summary>
    internal int Depth => depth;

    /// <summary>Whether the code that follows is unreachable, as the rules see it.</summary>
    internal bool IsUnreachable => frames[depth - 1].Unreachable;

    /// <summary>Where the operands of the innermost block begin.</summary>
    internal int BlockHeight => frames[depth - 1].Height;

    /// <summary>The type of an operand, counted from the top. Where code is unreachable and there is none, it is the bottom type.</summary>
    internal ValType Operand(int fromTop)
    {
        int at = height - 1 - fromTop;
        if (at >= frames[depth - 1].Height) return stack[at];
        return frames[depth - 1].Unreachable ? ValType.Bottom : throw new InvalidOperationException("The operand is not there.");
    }

    /// <summary>The declared type of a local.</summary>
    internal ValType TypeOfLocal(uint index) => Local(index);

    /// <summary>Begins a function's body that has been validated before.</summary>
    internal void Begin(int index)
    {
        DeclareLocals(index);
        height = 0;
        depth = 0;
        initLog.Clear();
        PushFrame(OpId.Block, [], results);
    }

    /// <summary>Follows an operator, the last that <paramref name="code"/> read.</summary>
    internal void Step(ref CodeReader code, ref Instr instr)
    {
        at = instr.Offset;
        Validate(ref code, ref instr);
    }
}
