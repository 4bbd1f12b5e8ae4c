using WasmJit.Jit;

namespace WasmJit.Fuzz;

/// <summary>Blocks, branches, exceptions, returns.</summary>
internal sealed partial class ReferenceBody
{
    private void Nest()
    {
        if (labels.Count > 6 || left < 3) return;
        int kind = random.Next(isLeaf ? 2 : 5);
        OpId id = kind switch { 0 => OpId.Block, 1 => OpId.If, 2 => OpId.Loop, 3 => OpId.Block, _ => OpId.TryTable };
        ValType[] parameters = [], results = [];
        DefType? declared = null;
        if (OneIn(2))
        {
            declared = Pick(frame.Funcs);
            parameters = [.. ((FuncType)declared.Composite).Params];
            results = [.. ((FuncType)declared.Composite).Results];
        }
        else if (OneIn(2))
        {
            results = [SomeType()];
        }
        Need(id == OpId.If ? [.. parameters, ValType.I32] : parameters);
        if (id == OpId.If) Drop(1);
        Emit(id);
        if (declared is not null) code.S64(frame.IndexOf(declared)!.Value);
        else if (results.Length == 1) WriteType(code, results[0]);
        else code.U8(0x40);
        if (id == OpId.TryTable) Catches();
        Enter(parameters, results, id == OpId.Loop);
        Some(random.Next(1, 10));
        Finish(results);
        if (id == OpId.If && (OneIn(2) || !parameters.SequenceEqual(results)))
        {
            Else(parameters);
            Some(random.Next(6));
            Finish(results);
        }
        Close(results);
    }

    private void Some(int steps)
    {
        for (; steps > 0 && left > 0; steps--)
        {
            left--;
            Step();
        }
    }

    /// <summary>Clauses of a <c>try_table</c>, for tags and blocks around it that fit together.</summary>
    private void Catches()
    {
        var clauses = new List<(byte Kind, uint Tag, uint Label)>();
        for (int i = random.Next(1, 6); i > 0; i--)
        {
            int depth = random.Next(labels.Count), tag = random.Next(frame.Info.Tags.Count);
            ValType[] types = labels[labels.Count - 1 - depth].Types;
            for (byte kind = 0; kind < 4; kind++)
            {
                List<ValType> given = kind < 2 ? [.. frame.Info.Tags[tag].AsFunc!.Params] : [];
                if ((kind & 1) != 0) given.Add(ValType.Ref(HeapType.Exn, true));
                if (given.Count == types.Length && given.Zip(types).All(p => IsSubtype(p.First, p.Second))) clauses.Add((kind, (uint)tag, (uint)depth));
            }
        }
        code.U32((uint)clauses.Count);
        foreach ((byte kind, uint tag, uint label) in clauses)
        {
            code.U8(kind);
            if (kind < 2) code.U32(tag);
            code.U32(label);
        }
    }

    /// <summary>What a branch that is not taken leaves: what it would have carried, as it would have been typed there.</summary>
    private void Retype(ReadOnlySpan<ValType> types)
    {
        Drop(types.Length);
        stack.AddRange(types);
    }

    private void Branch()
    {
        int depth = random.Next(labels.Count);
        ValType[] types = labels[labels.Count - 1 - depth].Types;
        switch (random.Next(8))
        {
            case 0 when labels.Count > 1:
                Need(types);
                Emit(OpId.Br, (uint)depth);
                Die();
                break;
            case 1:
                Need([.. types, ValType.I32]);
                uint[] same = [.. labels.Index().Where(l => l.Item.Types.SequenceEqual(types)).Select(l => (uint)(labels.Count - 1 - l.Index))];
                uint count = (uint)random.Next(4);
                Emit(OpId.BrTable, count);
                for (uint i = 0; i <= count; i++) code.U32(Pick(same));
                Die();
                break;
            case 2 when !isLeaf: Throw(OneIn(2)); break;
            default:
                Need([.. types, ValType.I32]);
                Emit(OpId.BrIf, (uint)depth);
                Drop(1);
                Retype(types);
                break;
        }
    }

    /// <summary>Throws; under a condition in most cases, so that what follows is run.</summary>
    private void Throw(bool isConditional)
    {
        int tag = random.Next(frame.Info.Tags.Count);
        if (isConditional)
        {
            Need(ValType.I32);
            Drop(1);
            Open(OpId.If, null);
        }
        Need([.. frame.Info.Tags[tag].AsFunc!.Params]);
        Emit(OpId.Throw, (uint)tag);
        Die();
        if (isConditional) Close();
    }

    /// <summary>A branch that asks a reference.</summary>
    private void BranchOnReference()
    {
        int depth = random.Next(labels.Count);
        ValType[] types = labels[labels.Count - 1 - depth].Types;
        if (OneIn(4))
        {
            Need([.. types, Pick(frame.References)]);
            ValType asked = stack[^1];
            if (!asked.IsRef) return;
            Emit(OpId.BrOnNull, (uint)depth);
            Drop(1);
            Retype(types);
            stack.Add(asked.AsNonNull);
            return;
        }
        if (types.Length == 0 || !types[^1].IsRef) return;
        ValType last = types[^1];
        ReadOnlySpan<ValType> others = types.AsSpan(0, types.Length - 1);
        switch (random.Next(3))
        {
            case 0:
                Need([.. others, ValType.Ref(last.Heap!, true)]);
                Emit(OpId.BrOnNonNull, (uint)depth);
                Drop(1);
                Retype(others);
                break;
            case 1:
                {
                    ValType cast = Between(last), wide = Above(cast);
                    if (!frame.CanName(cast) || !frame.CanName(wide)) return;
                    Need([.. others, wide]);
                    EmitBranchOnCast(OpId.BrOnCast, (uint)depth, wide, cast);
                    Drop(1);
                    Retype(others);
                    stack.Add(Without(wide, cast));
                    break;
                }
            default:
                {
                    ValType wide = Between(last), cast = Between(wide);
                    if (!frame.CanName(cast) || !frame.CanName(wide)) return;
                    Need([.. others, wide]);
                    EmitBranchOnCast(OpId.BrOnCastFail, (uint)depth, wide, cast);
                    Drop(1);
                    Retype(others);
                    stack.Add(cast);
                    break;
                }
        }
    }

    /// <summary>Ends the function: a return, a tail call, an exception thrown again.</summary>
    private void Leave()
    {
        if (labels.Count == 1 && !OneIn(3)) return;
        ValType[] results = [.. signature.Results];
        switch (random.Next(4))
        {
            case 0 when !isLeaf:
                {
                    List<int> fitting = [.. Enumerable.Range(0, frame.Info.Funcs.Count).Where(i => Returns(frame.Info.Funcs[i].Func))];
                    if (fitting.Count == 0) goto default;
                    int callee = Pick(fitting);
                    Need([.. frame.Info.Funcs[callee].Func.Params]);
                    Emit(OpId.ReturnCall, (uint)callee);
                    break;
                }
            case 1 when !isLeaf:
                {
                    List<DefType> fitting = [.. frame.Funcs.Where(f => frame.HasFunction(f) && Returns((FuncType)f.Composite))];
                    if (fitting.Count == 0) goto default;
                    DefType callee = Pick(fitting);
                    Need([.. ((FuncType)callee.Composite).Params, NotNullRef(callee)]);
                    Emit(OpId.ReturnCallRef, frame.IndexOf(callee)!.Value);
                    break;
                }
            case 2 when !isLeaf:
                Need(ValType.Ref(HeapType.Exn, true));
                Emit(OpId.ThrowRef);
                break;
            default:
                Need(results);
                Emit(OpId.Return);
                break;
        }
        Die();
    }

    /// <summary>Whether a function's results are such as this one may return.</summary>
    private bool Returns(FuncType type) =>
        type.Results.Length == signature.Results.Length && type.Results.Zip(signature.Results).All(p => IsSubtype(p.First, p.Second));
}
