using WasmJit.Jit.Format;
using WasmJit.Jit.Operators;

namespace WasmJit.Fuzz;

/// <summary>Writes references that are widened and cast down again: casts, branches on casts and on null, exceptions, conversions.</summary>
/// <param name="function">The function that they are for.</param>
internal sealed class CastWriter(ReferenceBody function)
{
    private readonly BodyWriter body = function.Body;
    private readonly TypeChoice choose = function.Choose;
    private readonly Frame frame = function.Frame;

    /// <summary>Pushes a value of a type as a value of a supertype.</summary>
    private void PushHidden(ValType type, ValType wide, int depth)
    {
        switch (choose.Random.Next(6))
        {
            case 0:
                function.Values.Push(wide, depth);
                return;
            case 1 when frame.CanName(wide):
                // The other operand of the select is another value.
                bool isFirst = choose.OneIn(2);
                function.Values.Push(isFirst ? type : wide, depth);
                function.Values.Push(isFirst ? wide : type, depth);
                if (choose.OneIn(2))
                {
                    body.EmitConstant(false, isFirst ? 1 : 0);
                    body.Stack.Add(ValType.I32);
                }
                else
                {
                    function.Values.Push(ValType.I32, depth);
                }
                function.Values.Select(wide);
                return;
            case 2 when frame.CanName(wide):
                body.Open(OpId.Block, wide);
                function.Values.Push(type, depth);
                body.Close(wide);
                return;
            case 3 or 4:
                int local = body.Locals.FindIndex(choose.Random.Next(body.Locals.Count), l => TypeChoice.IsSubtype(type, l) && TypeChoice.IsSubtype(l, wide));
                if (local < 0) goto default;
                function.Values.Push(type, depth);
                bool tees = choose.OneIn(2);
                body.Emit(tees ? OpId.LocalTee : OpId.LocalSet, (uint)local);
                if (!tees) body.Emit(OpId.LocalGet, (uint)local);
                body.IsSet[local] = true;
                body.Stack[^1] = body.Locals[local];
                return;
            default:
                function.Values.Push(type, depth);
                return;
        }
    }

    internal bool CastDown(ValType type, int depth)
    {
        if (!frame.CanName(type)) return false;
        PushHidden(type, choose.Above(type), depth);
        body.Emit(type.IsNullable ? OpId.RefCastNull : OpId.RefCast);
        body.WriteHeap(type.Heap!);
        body.Apply(1, type);
        return true;
    }

    /// <summary>Writes a branch on a cast to the innermost block.</summary>
    internal void EmitBranchOnCast(OpId id, uint label, ValType from, ValType to)
    {
        body.Emit(id);
        body.Code.U8((byte)((from.IsNullable ? 1 : 0) | (to.IsNullable ? 2 : 0)));
        body.Code.U32(label);
        body.WriteHeap(from.Heap!);
        body.WriteHeap(to.Heap!);
    }

    internal bool BranchOnCast(ValType type, int depth)
    {
        ValType wide = choose.Above(type);
        if (!frame.CanName(type) || !frame.CanName(wide) || body.Labels.Count > 8) return false;
        body.Open(OpId.Block, type);
        PushHidden(type, wide, depth);
        EmitBranchOnCast(OpId.BrOnCast, 0, wide, type);
        body.Apply(1, TypeChoice.Without(wide, type));
        if (choose.OneIn(3) && !body.IsLeaf) function.Statements.Step();
        body.DropAll();
        function.Values.Finish([type]);
        body.Close(type);
        return true;
    }

    internal bool BranchOnCastFail(ValType type, int depth)
    {
        ValType wide = choose.Above(type);
        if (!frame.CanName(type) || !frame.CanName(wide) || body.Labels.Count > 8) return false;
        body.Open(OpId.Block, type);
        body.Open(OpId.Block, TypeChoice.Without(wide, type));
        PushHidden(type, wide, depth);
        EmitBranchOnCast(OpId.BrOnCastFail, 0, wide, type);
        body.Apply(1, type);
        body.Emit(OpId.Br, 1);
        body.Die();
        body.Close(TypeChoice.Without(wide, type));
        body.Emit(OpId.Drop);
        body.Drop(1);
        function.Values.Push(type, depth);
        body.Close(type);
        return true;
    }

    /// <summary>A nullable reference, with another value if it is null.</summary>
    internal bool NotNull(ValType type, int depth)
    {
        if (!frame.CanName(type) || body.Labels.Count > 8) return false;
        ValType nullable = ValType.Ref(type.Heap!, true), wanted = type.AsNonNull;
        switch (choose.Random.Next(9))
        {
            case 0 or 1 or 2 or 3:
                body.Open(OpId.Block, wanted);
                function.Values.Push(nullable, depth);
                body.Emit(OpId.BrOnNonNull, 0);
                body.Drop(1);
                function.Values.Push(wanted, depth);
                body.Close(wanted);
                return true;
            case 4 or 5 or 6 or 7:
                body.Open(OpId.Block, wanted);
                body.Open(OpId.Block, null);
                function.Values.Push(nullable, depth);
                body.Emit(OpId.BrOnNull, 0);
                body.Stack[^1] = body.Stack[^1].AsNonNull;
                body.Emit(OpId.Br, 1);
                body.Die();
                body.Close();
                function.Values.Push(wanted, depth);
                body.Close(wanted);
                return true;
            default:
                function.Values.Push(choose.OneIn(3) ? nullable : type, depth);
                body.Emit(OpId.RefAsNonNull);
                body.Stack[^1] = body.Stack[^1].AsNonNull;
                return true;
        }
    }

    /// <summary>A value that is thrown in an exception and caught.</summary>
    internal bool Caught(ValType type, int depth)
    {
        if (body.IsLeaf || body.Labels.Count > 7) return false;
        int tag = frame.Info.Tags.FindIndex(t => t.AsFunc!.Params is [var only] && TypeChoice.IsSubtype(only, type));
        bool catchesAll = ReferenceEquals(type.Heap, HeapType.Exn) && type.IsNullable;
        if (tag < 0 && !catchesAll) return false;
        ValType caught = catchesAll ? type : frame.Info.Tags[tag].AsFunc!.Params[0];
        if (!frame.CanName(caught)) return false;
        body.Open(OpId.Block, caught);
        body.Emit(OpId.TryTable);
        body.Code.U8(TypeByte.EmptyBlock);
        body.Code.U32(1);
        body.Code.U8(catchesAll ? (byte)3 : (byte)0);
        if (!catchesAll) body.Code.U32((uint)tag);
        body.Code.U32(0);
        body.Enter([], [], false);
        if (catchesAll) tag = choose.Random.Next(frame.Info.Tags.Count);
        foreach (ValType parameter in frame.Info.Tags[tag].AsFunc!.Params) function.Values.Push(parameter, depth);
        if (choose.OneIn(4) && !catchesAll)
        {
            function.Statements.Step();
        }
        else
        {
            body.Emit(OpId.Throw, (uint)tag);
            body.Die();
        }
        function.Values.Finish([]);
        body.Close();
        function.Values.Push(caught, depth);
        body.Close(caught);
        return true;
    }

    internal bool Converted(ValType type, int depth)
    {
        bool toExtern = ReferenceEquals(type.Heap, HeapType.Extern);
        if (!toExtern && !ReferenceEquals(type.Heap, HeapType.Any)) return false;
        function.Values.Push(ValType.Ref(toExtern ? HeapType.Any : HeapType.Extern, type.IsNullable), depth);
        body.Emit(toExtern ? OpId.ExternConvertAny : OpId.AnyConvertExtern);
        body.Apply(1, ValType.Ref(type.Heap!, body.Stack[^1].IsNullable));
        return true;
    }

    /// <summary>A number from a test of a reference.</summary>
    internal bool Asked(int depth)
    {
        ValType type = choose.Pick(frame.References);
        switch (choose.Random.Next(4))
        {
            case 0:
                function.Values.Push(ValType.Ref(HeapType.Eq, true), depth);
                function.Values.Push(ValType.Ref(HeapType.Eq, true), depth);
                body.Emit(OpId.RefEq);
                body.Apply(2, ValType.I32);
                return true;
            case 1:
                function.Values.Push(type, depth);
                body.Emit(OpId.RefIsNull);
                body.Apply(1, ValType.I32);
                return true;
            default:
                if (choose.IsPlain) goto case 1;
                PushHidden(type, choose.Above(type), depth);
                body.Emit(type.IsNullable ? OpId.RefTestNull : OpId.RefTest);
                body.WriteHeap(type.Heap!);
                body.Apply(1, ValType.I32);
                return true;
        }
    }
}
