using WasmJit.Jit;

namespace WasmJit.Fuzz;

/// <summary>Values of a wanted type, made in all ways that lead to it.</summary>
internal sealed partial class ReferenceBody
{
    /// <summary>How deep operands of operands go.</summary>
    private const int Depth = 3;

    /// <summary>Pushes a value of a type, or of one below it; touches nothing that is on the stack already.</summary>
    internal void Push(ValType type, int depth = Depth)
    {
        if (--left < -150) depth = -1;
        int before = stack.Count;
        for (int tries = depth > 0 ? 6 : 3; tries > 0; tries--)
        {
            if (!(depth > 0 ? TryDeep(type, depth - 1) : TryShallow(type, depth))) continue;
            if (stack.Count != before + 1 || !IsSubtype(stack[^1], type)) throw new InvalidOperationException($"What was made for {type} is {stack[^1]}.");
            return;
        }
        PushPlain(type);
    }

    /// <summary>A value of the type from where values always are.</summary>
    private void PushPlain(ValType type)
    {
        if (!type.IsRef)
        {
            Constant(type);
            return;
        }
        if (!type.IsNullable && makers.Simplest(type) is { } maker)
        {
            maker.Write(this, -1);
            return;
        }
        Emit(OpId.RefNull);
        HeapType heap = BottomOf(type.Heap!);
        WriteHeap(heap);
        if (!type.IsNullable) Emit(OpId.RefAsNonNull);
        stack.Add(ValType.Ref(heap, type.IsNullable));
    }

    private static AbstractHeapType BottomOf(HeapType heap)
    {
        AbstractHeapType top = Subtyping.TopOf(heap);
        return ReferenceEquals(top, HeapType.Func) ? HeapType.NoFunc : ReferenceEquals(top, HeapType.Extern) ? HeapType.NoExtern
            : ReferenceEquals(top, HeapType.Exn) ? HeapType.NoExn : HeapType.None;
    }

    internal void Constant(ValType type)
    {
        NumberModule.Constant(code, random, type);
        stack.Add(type);
    }

    /// <summary>A number.</summary>
    internal void Constant(int value)
    {
        code.U8(0x41);
        code.S64(value);
        stack.Add(ValType.I32);
    }

    /// <summary>A small number.</summary>
    internal void Index(int limit, bool is64 = false)
    {
        if (OneIn(5))
        {
            Push(is64 ? ValType.I64 : ValType.I32, 1);
            code.U8(is64 ? (byte)0x42 : (byte)0x41);
            code.S64(limit <= 2 ? 1 : 3);
            code.U8(is64 ? (byte)0x83 : (byte)0x71);
            stack[^1] = is64 ? ValType.I64 : ValType.I32;
            return;
        }
        code.U8(is64 ? (byte)0x42 : (byte)0x41);
        code.S64(random.Next(limit));
        stack.Add(is64 ? ValType.I64 : ValType.I32);
    }

    private bool TryShallow(ValType type, int depth) => random.Next(4) switch
    {
        0 => Null(type),
        1 when depth == 0 => FromMaker(type, 0),
        _ => FromLocal(type),
    };

    private bool TryDeep(ValType type, int depth)
    {
        if (!type.IsRef)
        {
            return random.Next(12) switch
            {
                0 or 1 => FromLocal(type),
                2 => Tee(type, depth),
                3 => Selected(type, depth),
                4 => FromBlock(type, depth),
                5 => FromIf(type, depth),
                6 or 7 => Calculated(type, depth),
                8 when type == ValType.I32 => Asked(depth),
                9 => Loaded(type, depth),
                _ => FromMaker(type, depth),
            };
        }
        return random.Next(22) switch
        {
            0 or 1 => FromLocal(type),
            2 => Null(type),
            3 or 4 => Tee(type, depth),
            5 or 6 => Selected(Between(type), depth),
            7 => FromBlock(Between(type), depth),
            8 => FromIf(Between(type), depth),
            9 or 10 => CastDown(type, depth),
            11 => BranchOnCast(type, depth),
            12 => BranchOnCastFail(type, depth),
            13 => NotNull(type, depth),
            14 => Caught(type, depth),
            15 => Converted(type, depth),
            _ => FromMaker(type, depth),
        };
    }

    private bool FromMaker(ValType type, int depth)
    {
        if (makers.For(type, this, allowsCalls: !isLeaf) is not { } maker) return false;
        maker.Write(this, depth);
        return true;
    }

    private bool FromLocal(ValType type)
    {
        int start = random.Next(locals.Count);
        for (int i = 0; i < locals.Count; i++)
        {
            int local = (start + i) % locals.Count;
            if (!isSet[local] || !IsSubtype(locals[local], type)) continue;
            Emit(OpId.LocalGet, (uint)local);
            stack.Add(locals[local]);
            return true;
        }
        return false;
    }

    private bool Null(ValType type)
    {
        if (!type.IsNullable) return false;
        Emit(OpId.RefNull);
        HeapType heap = OneIn(2) || !frame.CanName(type) ? BottomOf(type.Heap!) : type.Heap!;
        WriteHeap(heap);
        stack.Add(ValType.Ref(heap, true));
        return true;
    }

    /// <summary>A type that lies at or below another, and can be written.</summary>
    private ValType Between(ValType type)
    {
        for (int i = 0; i < 6; i++)
        {
            ValType other = Pick(frame.References);
            if (IsSubtype(other, type)) return other;
        }
        return type;
    }

    /// <summary>A type above, in which a value can be hidden; the type itself if none was found.</summary>
    private ValType Above(ValType type)
    {
        if (OneIn(3)) return ValType.Ref(Subtyping.TopOf(type.Heap!), true);
        for (int i = 0; i < 12; i++)
        {
            ValType other = Pick(frame.References);
            if (IsSubtype(type, other)) return other;
        }
        return ValType.Ref(Subtyping.TopOf(type.Heap!), true);
    }

    /// <summary>Into a local that may be wider than the value, and out of it.</summary>
    private bool Tee(ValType type, int depth)
    {
        int start = random.Next(locals.Count);
        for (int i = 0; i < locals.Count; i++)
        {
            int local = (start + i) % locals.Count;
            if (!IsSubtype(locals[local], type)) continue;
            Push(locals[local], depth);
            Emit(OpId.LocalTee, (uint)local);
            isSet[local] = true;
            stack[^1] = locals[local];
            return true;
        }
        return false;
    }

    private bool Selected(ValType type, int depth)
    {
        if (!frame.CanName(type)) return false;
        Push(type, depth);
        Push(type, depth);
        Push(ValType.I32, depth);
        Select(type);
        return true;
    }

    /// <summary>Writes a select, typed where it must be.</summary>
    private void Select(ValType type)
    {
        if (type.IsRef || OneIn(2))
        {
            Emit(OpId.SelectT, 1);
            WriteType(code, type);
        }
        else
        {
            Emit(OpId.Select);
        }
        Apply(3, type);
    }

    private bool FromBlock(ValType type, int depth)
    {
        if (!frame.CanName(type) || labels.Count > 8) return false;
        Open(OpId.Block, type);
        if (OneIn(3)) Step();
        if (OneIn(2) && Available == 0)
        {
            Push(type, depth);
            Push(ValType.I32, depth);
            Emit(OpId.BrIf, 0);
            Apply(2, type);
            Emit(OpId.Drop);
            Drop(1);
        }
        Finish([type]);
        Close(type);
        return true;
    }

    private bool FromIf(ValType type, int depth)
    {
        if (!frame.CanName(type) || labels.Count > 8) return false;
        Push(ValType.I32, depth);
        Drop(1);
        Open(OpId.If, type);
        if (OneIn(4)) Step();
        if (Available == 0 && !labels[^1].IsDead) Push(type, depth);
        Finish([type]);
        Else([]);
        Push(type, depth);
        Finish([type]);
        Close(type);
        return true;
    }

    /// <summary>A value of a type that is hidden in one above it.</summary>
    private void PushHidden(ValType type, ValType wide, int depth)
    {
        switch (random.Next(6))
        {
            case 0:
                Push(wide, depth);
                return;
            case 1 when frame.CanName(wide):
                // The other side of the select is something else.
                bool isFirst = OneIn(2);
                Push(isFirst ? type : wide, depth);
                Push(isFirst ? wide : type, depth);
                if (OneIn(2))
                {
                    code.U8(0x41);
                    code.S64(isFirst ? 1 : 0);
                    stack.Add(ValType.I32);
                }
                else
                {
                    Push(ValType.I32, depth);
                }
                Select(wide);
                return;
            case 2 when frame.CanName(wide):
                Open(OpId.Block, wide);
                Push(type, depth);
                Close(wide);
                return;
            case 3 or 4:
                int local = locals.FindIndex(random.Next(locals.Count), l => IsSubtype(type, l) && IsSubtype(l, wide));
                if (local < 0) goto default;
                Push(type, depth);
                bool tees = OneIn(2);
                Emit(tees ? OpId.LocalTee : OpId.LocalSet, (uint)local);
                if (!tees) Emit(OpId.LocalGet, (uint)local);
                isSet[local] = true;
                stack[^1] = locals[local];
                return;
            default:
                Push(type, depth);
                return;
        }
    }

    private bool CastDown(ValType type, int depth)
    {
        if (!frame.CanName(type)) return false;
        PushHidden(type, Above(type), depth);
        Emit(type.IsNullable ? OpId.RefCastNull : OpId.RefCast);
        WriteHeap(type.Heap!);
        Apply(1, type);
        return true;
    }

    /// <summary>Writes a branch on a cast to the innermost block.</summary>
    private void EmitBranchOnCast(OpId id, uint label, ValType from, ValType to)
    {
        Emit(id);
        code.U8((byte)((from.IsNullable ? 1 : 0) | (to.IsNullable ? 2 : 0)));
        code.U32(label);
        WriteHeap(from.Heap!);
        WriteHeap(to.Heap!);
    }

    /// <summary>What is left of a type when a cast to another has failed.</summary>
    private static ValType Without(ValType type, ValType cast) => cast.IsNullable ? type.AsNonNull : type;

    private bool BranchOnCast(ValType type, int depth)
    {
        ValType wide = Above(type);
        if (!frame.CanName(type) || !frame.CanName(wide) || labels.Count > 8) return false;
        Open(OpId.Block, type);
        PushHidden(type, wide, depth);
        EmitBranchOnCast(OpId.BrOnCast, 0, wide, type);
        Apply(1, Without(wide, type));
        if (OneIn(3) && !isLeaf) Step();
        while (Available > 0)
        {
            Emit(OpId.Drop);
            Drop(1);
        }
        Finish([type]);
        Close(type);
        return true;
    }

    private bool BranchOnCastFail(ValType type, int depth)
    {
        ValType wide = Above(type);
        if (!frame.CanName(type) || !frame.CanName(wide) || labels.Count > 8) return false;
        Open(OpId.Block, type);
        Open(OpId.Block, Without(wide, type));
        PushHidden(type, wide, depth);
        EmitBranchOnCast(OpId.BrOnCastFail, 0, wide, type);
        Apply(1, type);
        Emit(OpId.Br, 1);
        Die();
        Close(Without(wide, type));
        Emit(OpId.Drop);
        Drop(1);
        Push(type, depth);
        Close(type);
        return true;
    }

    /// <summary>What may be null, and something else where it is.</summary>
    private bool NotNull(ValType type, int depth)
    {
        if (!frame.CanName(type) || labels.Count > 8) return false;
        ValType nullable = ValType.Ref(type.Heap!, true), wanted = type.AsNonNull;
        switch (random.Next(9))
        {
            case 0 or 1 or 2 or 3:
                Open(OpId.Block, wanted);
                Push(nullable, depth);
                Emit(OpId.BrOnNonNull, 0);
                Drop(1);
                Push(wanted, depth);
                Close(wanted);
                return true;
            case 4 or 5 or 6 or 7:
                Open(OpId.Block, wanted);
                Open(OpId.Block, null);
                Push(nullable, depth);
                Emit(OpId.BrOnNull, 0);
                stack[^1] = stack[^1].AsNonNull;
                Emit(OpId.Br, 1);
                Die();
                Close();
                Push(wanted, depth);
                Close(wanted);
                return true;
            default:
                Push(OneIn(3) ? nullable : type, depth);
                Emit(OpId.RefAsNonNull);
                stack[^1] = stack[^1].AsNonNull;
                return true;
        }
    }

    /// <summary>Thrown as the only value of an exception, and caught.</summary>
    private bool Caught(ValType type, int depth)
    {
        if (isLeaf || labels.Count > 7) return false;
        int tag = frame.Info.Tags.FindIndex(t => t.AsFunc!.Params is [var only] && IsSubtype(only, type));
        bool catchesAll = ReferenceEquals(type.Heap, HeapType.Exn) && type.IsNullable;
        if (tag < 0 && !catchesAll) return false;
        ValType caught = catchesAll ? type : frame.Info.Tags[tag].AsFunc!.Params[0];
        if (!frame.CanName(caught)) return false;
        Open(OpId.Block, caught);
        Emit(OpId.TryTable);
        code.U8(0x40);
        code.U32(1);
        code.U8(catchesAll ? (byte)3 : (byte)0);
        if (!catchesAll) code.U32((uint)tag);
        code.U32(0);
        Enter([], [], false);
        if (catchesAll) tag = random.Next(frame.Info.Tags.Count);
        foreach (ValType parameter in frame.Info.Tags[tag].AsFunc!.Params) Push(parameter, depth);
        if (OneIn(4) && !catchesAll)
        {
            Step();
        }
        else
        {
            Emit(OpId.Throw, (uint)tag);
            Die();
        }
        Finish([]);
        Close();
        Push(caught, depth);
        Close(caught);
        return true;
    }

    private bool Converted(ValType type, int depth)
    {
        bool toExtern = ReferenceEquals(type.Heap, HeapType.Extern);
        if (!toExtern && !ReferenceEquals(type.Heap, HeapType.Any)) return false;
        Push(ValType.Ref(toExtern ? HeapType.Any : HeapType.Extern, type.IsNullable), depth);
        Emit(toExtern ? OpId.ExternConvertAny : OpId.AnyConvertExtern);
        Apply(1, ValType.Ref(type.Heap!, stack[^1].IsNullable));
        return true;
    }

    // ---- numbers ----

    private bool Calculated(ValType type, int depth)
    {
        for (int i = 0; i < 20; i++)
        {
            Operator op = Pick(Calculations);
            if (op.Results is not [var result] || result != type) continue;
            foreach (ValType parameter in op.Params) Push(parameter, depth);
            Emit(op);
            WriteLanes(op);
            Apply(op.Params.Length, result);
            return true;
        }
        return false;
    }

    private void WriteLanes(Operator op)
    {
        foreach (Immediate immediate in op.Immediates)
        {
            if (immediate.Kind == ImmediateKind.Lane) code.U8((byte)random.Next(immediate.Number));
            else if (immediate.Kind == ImmediateKind.Lanes16) for (int i = 0; i < 16; i++) code.U8((byte)random.Next(32));
        }
    }

    /// <summary>A question about a reference.</summary>
    private bool Asked(int depth)
    {
        ValType type = Pick(frame.References);
        switch (random.Next(4))
        {
            case 0:
                Push(ValType.Ref(HeapType.Eq, true), depth);
                Push(ValType.Ref(HeapType.Eq, true), depth);
                Emit(OpId.RefEq);
                Apply(2, ValType.I32);
                return true;
            case 1:
                Push(type, depth);
                Emit(OpId.RefIsNull);
                Apply(1, ValType.I32);
                return true;
            default:
                PushHidden(type, Above(type), depth);
                Emit(type.IsNullable ? OpId.RefTestNull : OpId.RefTest);
                WriteHeap(type.Heap!);
                Apply(1, ValType.I32);
                return true;
        }
    }
}
