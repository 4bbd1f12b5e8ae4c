using System.Reflection;
using WasmJit.Fuzz;
using WasmJit.Jit.Binary;
using WasmJit.Jit.Emit;
using WasmJit.Jit.Format;
using WasmJit.Jit.Il;
using WasmJit.Jit.Operators;
using WasmJit.Jit.Validation;
using WasmJit.Runtime;

namespace WasmJit.Tests;

/// <summary>What the validator's blocks and the emitted IL show of an operator. Both come from cases by its name, and not from the traits of its row.</summary>
internal static class OperatorCode
{
    /// <summary>A number that no sample has.</summary>
    private const int Mark = 7_654_321;

    private static readonly Engine Engine = new(Tiers.Compiled);

    /// <summary>The traits of which blocks and IL show whether an operator has them.</summary>
    internal static OpTraits FoundIn(Operator op)
    {
        OpTraits found = OpTraits.Opens | OpTraits.Divides | OpTraits.Closes | OpTraits.Loops | OpTraits.Atomic | OpTraits.Ends;
        if (op.Has(OpTraits.Opens)) found |= OpTraits.Handles;
        // An operator that begins or ends a block goes on at its other parts.
        if (!op.Has(OpTraits.Opens | OpTraits.Divides | OpTraits.Closes)) found |= OpTraits.Branches;
        return found;
    }

    /// <summary>The traits that an operator is seen to have in its sample.</summary>
    internal static OpTraits Of(Operator op)
    {
        ModuleInfo sample = Engine.CompileText(OperatorSamples.WithFunction(op)).Info;
        ModuleInfo marked = Engine.Compile(WithMarks(sample, op)).Info;
        return OfBlocks(sample, op) | OfIl(marked, op);
    }

    /// <summary>What the validator does to its blocks.</summary>
    private static OpTraits OfBlocks(ModuleInfo module, Operator op)
    {
        var seen = OpTraits.None;
        FuncInfo func = module.Funcs[OperatorSamples.Func];
        var validator = new FunctionValidator(module);
        validator.Begin(OperatorSamples.Func);
        var code = new CodeReader(module.Bytes.Span, func.CodeStart, func.BodyEnd);
        while (validator.Depth > 0)
        {
            ValidationFrame before = validator.Block;
            int depth = validator.Depth;
            code.Read(out Instr instr);
            validator.Step(ref code, ref instr);
            if (instr.Op != op) continue;
            if (validator.Depth < depth)
            {
                seen |= OpTraits.Closes;
            }
            else if (validator.Depth > depth)
            {
                ValidationFrame opened = validator.Block;
                if (opened.Start.SequenceEqual(opened.End)) throw new InvalidOperationException($"The block in the sample of {op} has results like its parameters: its label does not show where it is.");
                seen |= OpTraits.Opens | (opened.Label.SequenceEqual(opened.Start) ? OpTraits.Loops : OpTraits.None);
            }
            else if (validator.Block.Kind != before.Kind)
            {
                seen |= OpTraits.Divides;
            }
        }
        return seen;
    }

    /// <summary>The sample with a write of <see cref="Mark"/> behind the operator: where the emitter knows that it is not reached, it leaves it out.</summary>
    private static byte[] WithMarks(ModuleInfo sample, Operator op)
    {
        ReadOnlySpan<byte> bytes = sample.Bytes.Span;
        var bodies = new List<ByteWriter>();
        for (int i = 0; i < sample.Funcs.Count; i++)
        {
            FuncInfo func = sample.Funcs[i];
            var body = new ByteWriter();
            int done = func.BodyStart;
            var code = new CodeReader(bytes, func.CodeStart, func.BodyEnd);
            while (i == OperatorSamples.Func && !code.AtEnd)
            {
                code.Read(out Instr instr);
                // Behind the last end there is no code.
                if (instr.Op != op || code.AtEnd) continue;
                body.Bytes(bytes[done..code.Position]);
                done = code.Position;
                body.U8(Opcode.I32Const);
                body.S64(Mark);
                body.U8(Opcode.GlobalSet);
                body.U32(0);
            }
            body.Bytes(bytes[done..func.BodyEnd]);
            bodies.Add(body);
        }
        return new Frame(sample.Bytes.ToArray()).With(bodies);
    }

    private static OpTraits OfIl(ModuleInfo module, Operator op)
    {
        FuncInfo func = module.Funcs[OperatorSamples.Func];
        var offsets = new HashSet<int>();
        bool hasMark = false;
        var code = new CodeReader(module.Bytes.Span, func.CodeStart, func.BodyEnd);
        while (!code.AtEnd)
        {
            code.Read(out Instr instr);
            if (instr.Op == op) offsets.Add(instr.Offset);
            hasMark |= instr.Id == OpId.I32Const && (int)instr.Bits == Mark;
        }
        IlBuffer.Node[] nodes = [.. FunctionEmitter.Emit(module, OperatorSamples.Func, new ListingTarget(""), -1).InOrder()];
        Dictionary<int, int> sourceOfLabel = nodes.Where(node => node.Form == IlBuffer.Form.Mark).ToDictionary(node => (int)node.Number, node => node.Source);
        var seen = OpTraits.None;
        if (hasMark && !Array.Exists(nodes, node => node.Form == IlBuffer.Form.Int && node.Number == Mark)) seen |= OpTraits.Ends;
        for (int i = 0; i < nodes.Length; i++)
        {
            IlBuffer.Node node = nodes[i];
            if (!offsets.Contains(node.Source)) continue;
            if (node.Form == IlBuffer.Form.Label && Leaves((int)node.Number)) seen |= OpTraits.Branches;
            else if (node.Form == IlBuffer.Form.Switch && ((int[])node.Object!).Any(Leaves)) seen |= OpTraits.Branches;
            else if (node.Op == IlOp.Ret && nodes[i - 1].Form is not (IlBuffer.Form.Calli or IlBuffer.Form.Method)) seen |= OpTraits.Branches;
            else if (node.Form == IlBuffer.Form.Region && (IlBuffer.Border)node.Number == IlBuffer.Border.Try) seen |= OpTraits.Handles;
            else if (node.Object is MethodInfo method && IsAtomic(method)) seen |= OpTraits.Atomic;
        }
        return seen;

        bool Leaves(int label) => !offsets.Contains(sourceOfLabel[label]);
    }

    private static bool IsAtomic(MethodInfo method) => method.DeclaringType is { } type
        && (type == typeof(Atomics) || type == typeof(AtomicWaits) || type == typeof(Interlocked) || type == typeof(Volatile));
}
