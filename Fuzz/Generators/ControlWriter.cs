using WasmJit.Jit.Format;
using WasmJit.Jit.Operators;

namespace WasmJit.Fuzz;

/// <summary>Writes blocks, branches, exceptions and returns.</summary>
/// <param name="function">The function that they are for.</param>
internal sealed class ControlWriter(ReferenceBody function)
{
    private readonly BodyWriter body = function.Body;
    private readonly TypeChoice choose = function.Choose;
    private readonly Frame frame = function.Frame;

    internal void Nest()
    {
        if (body.Labels.Count > 6 || body.Left < 3) return;
        int kind = choose.Random.Next(body.IsLeaf ? 2 : choose.IsPlain ? 4 : 5);
        OpId id = kind switch { 0 => OpId.Block, 1 => OpId.If, 2 => OpId.Loop, 3 => OpId.Block, _ => OpId.TryTable };
        ValType[] parameters = [], results = [];
        DefType? declared = null;
        if (choose.OneIn(2))
        {
            declared = choose.Pick(frame.Funcs);
            parameters = [.. ((FuncType)declared.Composite).Params];
            results = [.. ((FuncType)declared.Composite).Results];
        }
        else if (choose.OneIn(2))
        {
            results = [choose.SomeType()];
        }
        function.Values.Need(id == OpId.If ? [.. parameters, ValType.I32] : parameters);
        if (id == OpId.If) body.Drop(1);
        body.Emit(id);
        if (declared is not null) body.Code.S64(frame.IndexOf(declared)!.Value);
        else if (results.Length == 1) body.WriteType(results[0]);
        else body.Code.U8(TypeByte.EmptyBlock);
        if (id == OpId.TryTable) Catches();
        body.Enter(parameters, results, id == OpId.Loop);
        Some(choose.Random.Next(1, 10));
        function.Values.Finish(results);
        if (id == OpId.If && (choose.OneIn(2) || !parameters.SequenceEqual(results)))
        {
            body.Else(parameters);
            Some(choose.Random.Next(6));
            function.Values.Finish(results);
        }
        body.Close(results);
    }

    private void Some(int steps)
    {
        for (; steps > 0 && body.Left > 0; steps--)
        {
            body.Left--;
            function.Statements.Step();
        }
    }

    /// <summary>Writes clauses of a <c>try_table</c> with matching tags and labels.</summary>
    private void Catches()
    {
        var clauses = new List<(byte Kind, uint Tag, uint Label)>();
        for (int i = choose.Random.Next(1, 6); i > 0; i--)
        {
            int depth = choose.Random.Next(body.Labels.Count), tag = choose.Random.Next(frame.Info.Tags.Count);
            ValType[] types = body.Labels[body.Labels.Count - 1 - depth].Types;
            for (byte kind = 0; kind < 4; kind++)
            {
                List<ValType> given = kind < 2 ? [.. frame.Info.Tags[tag].AsFunc!.Params] : [];
                if ((kind & 1) != 0) given.Add(ValType.Ref(HeapType.Exn, true));
                if (given.Count == types.Length && given.Zip(types).All(p => TypeChoice.IsSubtype(p.First, p.Second)))
                    clauses.Add((kind, (uint)tag, (uint)depth));
            }
        }
        body.Code.U32((uint)clauses.Count);
        foreach ((byte kind, uint tag, uint label) in clauses)
        {
            body.Code.U8(kind);
            if (kind < 2) body.Code.U32(tag);
            body.Code.U32(label);
        }
    }

    internal void Branch()
    {
        int depth = choose.Random.Next(body.Labels.Count);
        ValType[] types = body.Labels[body.Labels.Count - 1 - depth].Types;
        switch (choose.Random.Next(8))
        {
            case 0 when body.Labels.Count > 1:
                function.Values.Need(types);
                body.Emit(OpId.Br, (uint)depth);
                body.Die();
                break;
            case 1:
                function.Values.Need([.. types, ValType.I32]);
                uint[] same = [.. body.Labels.Index().Where(l => l.Item.Types.SequenceEqual(types)).Select(l => (uint)(body.Labels.Count - 1 - l.Index))];
                uint count = (uint)choose.Random.Next(4);
                body.Emit(OpId.BrTable, count);
                for (uint i = 0; i <= count; i++) body.Code.U32(choose.Pick(same));
                body.Die();
                break;
            case 2 when !body.IsLeaf && !choose.IsPlain: Throw(choose.OneIn(2)); break;
            default:
                function.Values.Need([.. types, ValType.I32]);
                body.Emit(OpId.BrIf, (uint)depth);
                body.Drop(1);
                body.Retype(types);
                break;
        }
    }

    /// <summary>Throws, mostly under a condition, so that the following code runs.</summary>
    private void Throw(bool isConditional)
    {
        int tag = choose.Random.Next(frame.Info.Tags.Count);
        if (isConditional)
        {
            function.Values.Need(ValType.I32);
            body.Drop(1);
            body.Open(OpId.If, null);
        }
        function.Values.Need([.. frame.Info.Tags[tag].AsFunc!.Params]);
        body.Emit(OpId.Throw, (uint)tag);
        body.Die();
        if (isConditional) body.Close();
    }

    /// <summary>A branch on null or on a cast.</summary>
    internal void BranchOnReference()
    {
        int depth = choose.Random.Next(body.Labels.Count);
        ValType[] types = body.Labels[body.Labels.Count - 1 - depth].Types;
        if (choose.OneIn(4))
        {
            function.Values.Need([.. types, choose.Pick(frame.References)]);
            ValType asked = body.Stack[^1];
            if (!asked.IsRef) return;
            body.Emit(OpId.BrOnNull, (uint)depth);
            body.Drop(1);
            body.Retype(types);
            body.Stack.Add(asked.AsNonNull);
            return;
        }
        if (types.Length == 0 || !types[^1].IsRef) return;
        ValType last = types[^1];
        ReadOnlySpan<ValType> others = types.AsSpan(0, types.Length - 1);
        switch (choose.IsPlain ? 0 : choose.Random.Next(3))
        {
            case 0:
                function.Values.Need([.. others, ValType.Ref(last.Heap!, true)]);
                body.Emit(OpId.BrOnNonNull, (uint)depth);
                body.Drop(1);
                body.Retype(others);
                break;
            case 1:
                {
                    ValType cast = choose.Between(last), wide = choose.Above(cast);
                    if (!frame.CanName(cast) || !frame.CanName(wide)) return;
                    function.Values.Need([.. others, wide]);
                    function.Casts.EmitBranchOnCast(OpId.BrOnCast, (uint)depth, wide, cast);
                    body.Drop(1);
                    body.Retype(others);
                    body.Stack.Add(TypeChoice.Without(wide, cast));
                    break;
                }
            default:
                {
                    ValType wide = choose.Between(last), cast = choose.Between(wide);
                    if (!frame.CanName(cast) || !frame.CanName(wide)) return;
                    function.Values.Need([.. others, wide]);
                    function.Casts.EmitBranchOnCast(OpId.BrOnCastFail, (uint)depth, wide, cast);
                    body.Drop(1);
                    body.Retype(others);
                    body.Stack.Add(cast);
                    break;
                }
        }
    }

    /// <summary>Ends the function with a return, a tail call, or <c>throw_ref</c>.</summary>
    internal void Leave()
    {
        if (body.Labels.Count == 1 && !choose.OneIn(3)) return;
        ValType[] results = [.. function.Signature.Results];
        switch (choose.Random.Next(5))
        {
            case 0 when !body.IsLeaf:
                {
                    List<int> fitting = [.. Enumerable.Range(0, frame.Info.Funcs.Count).Where(i => Returns(frame.Info.Funcs[i].Func))];
                    if (fitting.Count == 0) goto default;
                    int callee = choose.Pick(fitting);
                    function.Values.Need([.. frame.Info.Funcs[callee].Func.Params]);
                    body.Emit(OpId.ReturnCall, (uint)callee);
                    break;
                }
            case 1 when !body.IsLeaf:
                {
                    List<DefType> fitting = [.. frame.Funcs.Where(f => frame.HasFunction(f) && Returns((FuncType)f.Composite))];
                    if (fitting.Count == 0) goto default;
                    DefType callee = choose.Pick(fitting);
                    function.Values.Need([.. ((FuncType)callee.Composite).Params, TypeChoice.NotNullRef(callee)]);
                    body.Emit(OpId.ReturnCallRef, frame.IndexOf(callee)!.Value);
                    break;
                }
            case 2 when !body.IsLeaf:
                {
                    // What is found there may be of another type, or nothing.
                    List<DefType> fitting = [.. frame.Funcs.Where(f => frame.HasFunction(f) && Returns((FuncType)f.Composite))];
                    List<int> tables = [.. Enumerable.Range(0, frame.Info.Tables.Count).Where(i => ReferenceEquals(Subtyping.TopOf(frame.Info.Tables[i].Type.Element.Heap!), HeapType.Func))];
                    if (fitting.Count == 0 || tables.Count == 0) goto default;
                    DefType callee = choose.Pick(fitting);
                    int table = choose.Pick(tables);
                    function.Values.Need([.. ((FuncType)callee.Composite).Params]);
                    function.Values.Index(3, frame.Info.Tables[table].Type.Is64);
                    body.Emit(OpId.ReturnCallIndirect, frame.IndexOf(callee)!.Value, (uint)table);
                    break;
                }
            case 3 when !body.IsLeaf && !choose.IsPlain:
                function.Values.Need(ValType.Ref(HeapType.Exn, true));
                body.Emit(OpId.ThrowRef);
                break;
            default:
                function.Values.Need(results);
                body.Emit(OpId.Return);
                break;
        }
        body.Die();
    }

    /// <summary>Whether this function may return another's results.</summary>
    private bool Returns(FuncType type) =>
        type.Results.Length == function.Signature.Results.Length && type.Results.Zip(function.Signature.Results).All(p => TypeChoice.IsSubtype(p.First, p.Second));
}
