using System.Collections.Immutable;
using WasmJit.Jit.Binary;
using WasmJit.Jit.Emit;
using WasmJit.Jit.Operators;
using WasmJit.Runtime;

namespace WasmJit.Jit.Interpreter;

/// <summary>A block that handles exceptions, or hands them on.</summary>
internal sealed class TryBlock
{
    /// <summary>Its number: tries inside of it have higher ones.</summary>
    internal required int Number { get; init; }

    /// <summary>The first instruction of its body.</summary>
    internal required int From { get; init; }

    /// <summary>The instruction behind the body, when that has ended.</summary>
    internal int To { get; set; }

    /// <summary>The clauses of a <c>try_table</c>; a <c>try</c> has none here.</summary>
    internal CatchClause[] Clauses { get; init; } = [];
}

/// <summary>Exceptions: handlers are entries behind the code (<see cref="ExceptionTable"/>). Code that a handler goes on with stands behind the body that it belongs to.</summary>
/// <param name="general">What translates all other operators, and has the open blocks.</param>
/// <param name="module">The function's module.</param>
/// <param name="stack">The operands.</param>
/// <param name="code">The code.</param>
internal sealed class ExceptionTranslator(RegisterTranslator general, ModuleInfo module, RegisterStack stack, RegisterBuffer code)
{
    private int tries;

    internal bool Translate(ref CodeReader reader, in Instr instr)
    {
        switch (instr.Id)
        {
            case OpId.Throw:
                int count = TagOperands(instr.A).Length;
                stack.ToHomes(count);
                for (int i = 0; i < count; i++) stack.Pop();
                (int numbers, int references) = stack.NextHomes;
                code.Emit(RegisterOp.Throw, numbers, references, 0, instr.A);
                general.SetUnreachable();
                return true;
            case OpId.ThrowRef:
                code.Emit(RegisterOp.ThrowRef, stack.PopSlot());
                general.SetUnreachable();
                return true;
            case OpId.TryTable: BeginTryTable(ref reader, instr); return true;
            case OpId.Try:
                general.BeginBlock(OpId.Try, ref reader, instr);
                general.Innermost.Try = new TryBlock { Number = tries++, From = code.Count };
                return true;
            case OpId.Catch or OpId.CatchAll: Catch(instr); return true;
            case OpId.Delegate: Delegate(instr.A); return true;
            case OpId.Rethrow:
                // The exception lies below all that the handler has pushed.
                code.Emit(RegisterOp.ThrowRef, stack.SlotOf(stack.Top(stack.Height - 1 - general.Label(instr.A).Height)));
                general.SetUnreachable();
                return true;
            default: return false;
        }
    }

    private ImmutableArray<ValType> TagOperands(uint tag) => stack.Operands(((FuncType)module.Tags[(int)tag].Composite).Params);

    private void BeginTryTable(ref CodeReader reader, in Instr instr)
    {
        CatchClause[] clauses = CatchClause.ListOf(reader, instr, general.Depth);
        foreach (CatchClause clause in clauses)
            if (!clause.IsAll) TagOperands(clause.Tag);
        general.BeginBlock(OpId.TryTable, ref reader, instr);
        if (clauses.Length > 0) general.Innermost.Try = new TryBlock { Number = tries++, From = code.Count, Clauses = clauses };
    }

    /// <summary>A body or handler ends.</summary>
    private void LeavePart(ref RegisterTranslator.Frame frame)
    {
        if (frame.Kind is OpId.Try or OpId.TryTable) frame.Try!.To = code.Count;
        if (!frame.Unreachable) general.LeavePart(ref frame);
    }

    /// <summary>A handler begins: its values are on the stack.</summary>
    private void BeginHandler(in RegisterTranslator.Frame frame, HandlerTraits traits, uint tag)
    {
        stack.CutTo(frame.Height, frame.Slots, frame.Refs);
        stack.Zeros.Forget(frame.Written);
        (int numbers, int references) = stack.NextHomes;
        int label = code.DefineLabel();
        code.Mark(label);
        code.AddHandler(frame.Try!, traits, (int)tag, numbers, references, label);
        if ((traits & HandlerTraits.KeepsException) != 0) stack.PushHome(ValType.ExternRef);
        if ((traits & HandlerTraits.All) == 0)
            foreach (ValType type in TagOperands(tag)) stack.PushHome(type);
        if ((traits & HandlerTraits.GivesReference) != 0) stack.PushHome(ValType.ExternRef);
    }

    /// <summary>Before the end of a <c>try</c> or <c>try_table</c>: behind the latter its clauses go to their labels.</summary>
    internal void EndTry(ref RegisterTranslator.Frame frame)
    {
        if (frame.Kind != OpId.TryTable)
        {
            // What lies below the results of a handler is not left on the stack.
            frame.IsTargeted |= !frame.Unreachable;
            return;
        }
        LeavePart(ref frame);
        RegisterTranslator.Frame ended = frame;
        // The labels are those outside of the block.
        general.Depth--;
        foreach (CatchClause clause in ended.Try!.Clauses)
        {
            HandlerTraits traits = (clause.IsAll ? HandlerTraits.All : HandlerTraits.None) | (clause.WithRef ? HandlerTraits.GivesReference : HandlerTraits.None);
            BeginHandler(ended, traits, clause.Tag);
            general.Jump((uint)(general.Depth - 1 - clause.Frame));
            general.PollIfDue();
        }
        general.Depth++;
        frame.Unreachable = true;
    }

    internal void Catch(in Instr instr)
    {
        ref RegisterTranslator.Frame frame = ref general.Innermost;
        LeavePart(ref frame);
        HandlerTraits all = instr.Id == OpId.CatchAll ? HandlerTraits.All : HandlerTraits.None;
        BeginHandler(frame, all | HandlerTraits.KeepsException, instr.A);
        frame.Kind = instr.Id;
        frame.Unreachable = false;
    }

    /// <summary>Ends a <c>try</c> whose exceptions are those of the try at a label, or of the caller.</summary>
    internal void Delegate(uint label)
    {
        ref RegisterTranslator.Frame frame = ref general.Innermost;
        frame.Try!.To = code.Count;
        int to = general.Depth - 2 - (int)label;
        while (to >= 0 && !(general.FrameAt(to).Try is not null && general.FrameAt(to).Kind is OpId.Try or OpId.TryTable)) to--;
        code.AddHandler(frame.Try, HandlerTraits.Delegates, to < 0 ? ExceptionTable.Caller : general.FrameAt(to).Try!.Number, 0, 0, -1);
        general.End();
    }
}
