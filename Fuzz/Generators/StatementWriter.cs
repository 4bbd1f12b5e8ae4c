using WasmJit.Jit.Operators;

namespace WasmJit.Fuzz;

/// <summary>Writes single steps: operators with their operands.</summary>
/// <param name="function">The function that they are for.</param>
internal sealed class StatementWriter(ReferenceBody function)
{
    private readonly BodyWriter body = function.Body;
    private readonly TypeChoice choose = function.Choose;
    private readonly Frame frame = function.Frame;

    internal void Step()
    {
        switch (choose.Random.Next(40))
        {
            case 0 or 1 or 2 or 3 or 4: function.Values.Push(choose.SomeType()); break;
            case 5 or 6 or 7 or 8: Keep(); break;
            case 9 or 10: SetGlobal(); break;
            case 11 or 12 or 13 when !choose.IsPlain: SetField(); break;
            case 14 or 15 when !choose.IsPlain: ChangeArray(); break;
            case >= 11 and <= 17: ChangeTable(); break;
            case 18 or 19: function.Numbers.Access(); break;
            case 20: function.Numbers.ChangeMemory(); break;
            case 21 or 22: function.Numbers.Calculate(); break;
            case 23 or 24: Call(); break;
            case 25 or 26 when frame.IsLinked && !body.IsLeaf && (choose.IsPlain || choose.OneIn(2)): function.Links.LoopOverKept(); break;
            case 25 or 26 or 27 or 28: function.Control.Nest(); break;
            case 29 or 30: function.Control.Branch(); break;
            case 31 or 32: function.Control.BranchOnReference(); break;
            case 33 when body.Available > 0:
                body.Emit(OpId.Drop);
                body.Drop(1);
                break;
            case 34 or 35: SelectTop(); break;
            case 36: LookAtTop(); break;
            case 37 when choose.IsPlain || choose.OneIn(2): function.Control.Leave(); break;
            default:
                if (frame.IsLinked) function.Links.Link();
                else Keep();
                break;
        }
    }

    /// <summary>Writes the topmost operand into a local, whose type may be a supertype.</summary>
    private void Keep()
    {
        if (body.Available == 0) function.Values.Push(choose.SomeType());
        ValType type = body.Stack[^1];
        if (FittingLocal(type) is not { } local) return;
        body.IsSet[local] = true;
        if (choose.OneIn(2))
        {
            body.Emit(OpId.LocalSet, (uint)local);
            body.Drop(1);
            return;
        }
        body.Emit(OpId.LocalTee, (uint)local);
        body.Stack[^1] = body.Locals[local];
    }

    /// <summary>Writes the topmost operand into a local, if there is one for it, and leaves it on the stack.</summary>
    /// <param name="most">What it must still be.</param>
    internal void Tee(ValType most)
    {
        if (FittingLocal(body.Stack[^1], most) is not { } local) return;
        body.IsSet[local] = true;
        body.Emit(OpId.LocalTee, (uint)local);
        body.Stack[^1] = body.Locals[local];
    }

    private int? FittingLocal(ValType type, ValType? most = null)
    {
        List<int> fitting = [.. Enumerable.Range(0, body.Locals.Count)
            .Where(i => TypeChoice.IsSubtype(type, body.Locals[i]) && (most is not { } limit || TypeChoice.IsSubtype(body.Locals[i], limit)))];
        return fitting.Count == 0 ? null : choose.Pick(fitting);
    }

    private void SetGlobal()
    {
        int index = choose.Random.Next(1, frame.Info.Globals.Count);
        GlobalType global = frame.Info.Globals[index].Type;
        if (!global.IsMutable) return;
        function.Values.Need(global.Type);
        body.Emit(OpId.GlobalSet, (uint)index);
        body.Drop(1);
    }

    private void SetField()
    {
        DefType type = choose.Pick(frame.Structs);
        var fields = ((StructType)type.Composite).Fields;
        int field = choose.Random.Next(fields.Length);
        if (!fields[field].IsMutable) return;
        ValType value = fields[field].Type.Unpacked;
        function.Values.Need(ValType.Ref(type, choose.OneIn(12)), value);
        body.Emit(OpId.StructSet, frame.IndexOf(type)!.Value, (uint)field);
        body.Drop(2);
    }

    private void ChangeArray()
    {
        DefType type = choose.Pick(frame.Arrays);
        uint index = frame.IndexOf(type)!.Value;
        ValType storage = ((ArrayType)type.Composite).Element.Type;
        if (!((ArrayType)type.Composite).Element.IsMutable) return;
        function.Values.Need(TypeChoice.NotNullRef(type));
        switch (choose.Random.Next(6))
        {
            case 0:
                function.Values.Index(2);
                function.Values.Push(storage.Unpacked);
                function.Values.Index(2);
                body.Emit(OpId.ArrayFill, index);
                body.Drop(4);
                break;
            case 1:
                DefType from = choose.Pick(frame.Arrays);
                ValType other = ((ArrayType)from.Composite).Element.Type;
                if (storage.IsRef ? !TypeChoice.IsSubtype(other, storage) : storage != other) from = type;
                function.Values.Index(2);
                function.Values.Push(TypeChoice.NotNullRef(from));
                function.Values.Index(2);
                function.Values.Index(2);
                body.Emit(OpId.ArrayCopy, index, frame.IndexOf(from)!.Value);
                body.Drop(5);
                break;
            case 2 when !storage.IsRef:
                function.Values.Index(2);
                function.Values.Index(3);
                function.Values.Index(2);
                body.Emit(OpId.ArrayInitData, index, 0);
                body.Drop(4);
                break;
            case 3 when storage.IsRef:
                int segment = frame.Info.Elems.FindIndex(e => TypeChoice.IsSubtype(e.Type, storage));
                if (segment < 0) goto default;
                function.Values.Index(2);
                function.Values.Index(2);
                function.Values.Index(2);
                body.Emit(OpId.ArrayInitElem, index, (uint)segment);
                body.Drop(4);
                break;
            default:
                function.Values.Index(2);
                function.Values.Push(storage.Unpacked);
                body.Emit(OpId.ArraySet, index);
                body.Drop(3);
                break;
        }
    }

    private void ChangeTable()
    {
        int index = choose.Random.Next(frame.Info.Tables.Count);
        TableType table = frame.Info.Tables[index].Type;
        switch (choose.Random.Next(8))
        {
            case 0:
                function.Values.Need(table.Element);
                function.Values.Index(2, table.Is64);
                body.Emit(OpId.TableGrow, (uint)index);
                body.Apply(2, table.AddressType);
                break;
            case 1:
                function.Values.Index(3, table.Is64);
                function.Values.Push(table.Element);
                function.Values.Index(2, table.Is64);
                body.Emit(OpId.TableFill, (uint)index);
                body.Drop(3);
                break;
            case 2:
                int other = frame.Info.Tables.FindIndex(choose.Random.Next(frame.Info.Tables.Count), t => TypeChoice.IsSubtype(t.Type.Element, table.Element));
                if (other < 0) other = index;
                TableType from = frame.Info.Tables[other].Type;
                function.Values.Index(2, table.Is64);
                function.Values.Index(2, from.Is64);
                function.Values.Index(2, table.Is64 && from.Is64);
                body.Emit(OpId.TableCopy, (uint)index, (uint)other);
                body.Drop(3);
                break;
            case 3:
                int segment = frame.Info.Elems.FindIndex(e => TypeChoice.IsSubtype(e.Type, table.Element));
                if (segment < 0) return;
                function.Values.Index(2, table.Is64);
                function.Values.Index(2);
                function.Values.Index(2);
                body.Emit(OpId.TableInit, (uint)segment, (uint)index);
                body.Drop(3);
                if (choose.OneIn(8)) body.Emit(OpId.ElemDrop, (uint)segment);
                break;
            default:
                function.Values.Index(3, table.Is64);
                function.Values.Push(table.Element);
                body.Emit(OpId.TableSet, (uint)index);
                body.Drop(2);
                break;
        }
    }

    private void SelectTop()
    {
        ValType type = body.Available > 0 && body.Stack[^1].IsRef ? choose.Above(body.Stack[^1]) : body.Available > 0 ? body.Stack[^1] : choose.Pick(frame.References);
        if (!frame.CanName(type)) return;
        function.Values.Need(type, type, ValType.I32);
        function.Values.Select(type);
    }

    private void LookAtTop()
    {
        if (body.Available == 0 || !body.Stack[^1].IsRef) return;
        ValType type = body.Stack[^1];
        ValType wide = choose.Above(type);
        ValType cast = choose.Pick(frame.References);
        if (!ReferenceEquals(Subtyping.TopOf(cast.Heap!), Subtyping.TopOf(type.Heap!))) cast = wide;
        switch (choose.IsPlain ? 0 : choose.Random.Next(5))
        {
            case 0:
                body.Emit(OpId.RefIsNull);
                body.Apply(1, ValType.I32);
                break;
            case 1 or 2:
                body.Emit(cast.IsNullable ? OpId.RefTestNull : OpId.RefTest);
                body.WriteHeap(cast.Heap!);
                body.Apply(1, ValType.I32);
                break;
            case 3:
                // Casts to a supertype succeed.
                if (!frame.CanName(wide)) break;
                body.Emit(OpId.RefCastNull);
                body.WriteHeap(wide.Heap!);
                body.Apply(1, ValType.Ref(wide.Heap!, true));
                break;
            default:
                if (!ReferenceEquals(Subtyping.TopOf(type.Heap!), HeapType.Any)) break;
                body.Emit(OpId.ExternConvertAny);
                body.Apply(1, ValType.Ref(HeapType.Extern, type.IsNullable));
                break;
        }
    }

    private void Call()
    {
        if (body.IsLeaf) return;
        if (choose.OneIn(3))
        {
            DefType def = choose.Pick(frame.Funcs);
            if (!frame.HasFunction(def) && !choose.OneIn(10)) return;
            var type = (FuncType)def.Composite;
            function.Values.Need([.. type.Params, ValType.Ref(def, choose.OneIn(8))]);
            body.Emit(OpId.CallRef, frame.IndexOf(def)!.Value);
            body.Apply(type.Params.Length + 1, [.. type.Results]);
            return;
        }
        int index = choose.Random.Next(frame.Info.Funcs.Count);
        FuncType called = frame.Info.Funcs[index].Func;
        function.Values.Need([.. called.Params]);
        body.Emit(OpId.Call, (uint)index);
        body.Apply(called.Params.Length, [.. called.Results]);
    }
}
