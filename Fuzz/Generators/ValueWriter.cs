using WasmJit.Jit.Operators;

namespace WasmJit.Fuzz;

/// <summary>Writes operands of a wanted type: operators that make a value in a random way, or operands that are on the stack.</summary>
/// <param name="function">The function that they are for.</param>
internal sealed class ValueWriter(ReferenceBody function)
{
    /// <summary>The nesting depth of operands.</summary>
    internal const int Depth = 3;

    private readonly BodyWriter body = function.Body;
    private readonly TypeChoice choose = function.Choose;
    private readonly Frame frame = function.Frame;

    internal BodyWriter Body => body;

    internal TypeChoice Choose => choose;

    /// <summary>Pushes a value of a type or subtype. Operands on the stack stay.</summary>
    internal void Push(ValType type, int depth = Depth)
    {
        if (--body.Left < -150) depth = -1;
        int before = body.Stack.Count;
        for (int tries = depth > 0 ? 6 : 3; tries > 0; tries--)
        {
            if (!(depth > 0 ? TryDeep(type, depth - 1) : TryShallow(type, depth))) continue;
            if (body.Stack.Count != before + 1 || !TypeChoice.IsSubtype(body.Stack[^1], type))
                throw new InvalidOperationException($"What was made for {type} is {body.Stack[^1]}.");
            return;
        }
        PushPlain(type);
    }

    /// <summary>Pushes the simplest value of the type.</summary>
    private void PushPlain(ValType type)
    {
        if (!type.IsRef)
        {
            Constant(type);
            return;
        }
        if (!type.IsNullable && frame.Makers.Simplest(type, choose.IsPlain) is { } maker)
        {
            maker.Write(this, -1);
            return;
        }
        body.Emit(OpId.RefNull);
        HeapType heap = TypeChoice.BottomOf(type.Heap!);
        body.WriteHeap(heap);
        if (!type.IsNullable) body.Emit(OpId.RefAsNonNull);
        body.Stack.Add(ValType.Ref(heap, type.IsNullable));
    }

    internal void Constant(ValType type)
    {
        NumberModule.Constant(body.Code, choose.Random, type);
        body.Stack.Add(type);
    }

    /// <summary>A number.</summary>
    internal void Constant(int value)
    {
        body.EmitConstant(false, value);
        body.Stack.Add(ValType.I32);
    }

    /// <summary>A small number.</summary>
    internal void Index(int limit, bool is64 = false)
    {
        if (choose.OneIn(5))
        {
            Push(is64 ? ValType.I64 : ValType.I32, 1);
            body.EmitMask(is64, limit <= 2 ? 1 : 3);
            body.Stack[^1] = is64 ? ValType.I64 : ValType.I32;
            return;
        }
        body.EmitConstant(is64, choose.Random.Next(limit));
        body.Stack.Add(is64 ? ValType.I64 : ValType.I32);
    }

    private bool TryShallow(ValType type, int depth) => choose.Random.Next(4) switch
    {
        0 => Null(type),
        1 when depth == 0 => FromMaker(type, 0),
        _ => FromLocal(type),
    };

    private bool TryDeep(ValType type, int depth)
    {
        if (!type.IsRef)
        {
            return choose.Random.Next(12) switch
            {
                0 or 1 => FromLocal(type),
                2 => Tee(type, depth),
                3 => Selected(type, depth),
                4 => FromBlock(type, depth),
                5 => FromIf(type, depth),
                6 or 7 => function.Numbers.Calculated(type, depth),
                8 when type == ValType.I32 => function.Casts.Asked(depth),
                9 => function.Numbers.Loaded(type, depth),
                _ => FromMaker(type, depth),
            };
        }
        return choose.Random.Next(22) switch
        {
            0 or 1 => FromLocal(type),
            2 => Null(type),
            3 or 4 => Tee(type, depth),
            5 or 6 => Selected(choose.Between(type), depth),
            7 => FromBlock(choose.Between(type), depth),
            8 => FromIf(choose.Between(type), depth),
            13 => function.Casts.NotNull(type, depth),
            > 8 when choose.IsPlain => FromMaker(type, depth),
            9 or 10 => function.Casts.CastDown(type, depth),
            11 => function.Casts.BranchOnCast(type, depth),
            12 => function.Casts.BranchOnCastFail(type, depth),
            14 => function.Casts.Caught(type, depth),
            15 => function.Casts.Converted(type, depth),
            _ => FromMaker(type, depth),
        };
    }

    private bool FromMaker(ValType type, int depth)
    {
        if (frame.Makers.For(type, choose, allowsCalls: !body.IsLeaf) is not { } maker) return false;
        maker.Write(this, depth);
        return true;
    }

    private bool FromLocal(ValType type)
    {
        int start = choose.Random.Next(body.Locals.Count);
        for (int i = 0; i < body.Locals.Count; i++)
        {
            int local = (start + i) % body.Locals.Count;
            if (!body.IsSet[local] || !TypeChoice.IsSubtype(body.Locals[local], type)) continue;
            body.Emit(OpId.LocalGet, (uint)local);
            body.Stack.Add(body.Locals[local]);
            return true;
        }
        return false;
    }

    private bool Null(ValType type)
    {
        if (!type.IsNullable) return false;
        body.Emit(OpId.RefNull);
        HeapType heap = choose.OneIn(2) || !frame.CanName(type) ? TypeChoice.BottomOf(type.Heap!) : type.Heap!;
        body.WriteHeap(heap);
        body.Stack.Add(ValType.Ref(heap, true));
        return true;
    }

    /// <summary>Writes a value into a local, whose type may be a supertype, and reads it.</summary>
    private bool Tee(ValType type, int depth)
    {
        int start = choose.Random.Next(body.Locals.Count);
        for (int i = 0; i < body.Locals.Count; i++)
        {
            int local = (start + i) % body.Locals.Count;
            if (!TypeChoice.IsSubtype(body.Locals[local], type)) continue;
            Push(body.Locals[local], depth);
            body.Emit(OpId.LocalTee, (uint)local);
            body.IsSet[local] = true;
            body.Stack[^1] = body.Locals[local];
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

    /// <summary>Writes a select. References need the typed form.</summary>
    internal void Select(ValType type)
    {
        if (type.IsRef || choose.OneIn(2))
        {
            body.Emit(OpId.SelectT, 1);
            body.WriteType(type);
        }
        else
        {
            body.Emit(OpId.Select);
        }
        body.Apply(3, type);
    }

    private bool FromBlock(ValType type, int depth)
    {
        if (!frame.CanName(type) || body.Labels.Count > 8) return false;
        body.Open(OpId.Block, type);
        if (choose.OneIn(3)) function.Statements.Step();
        if (choose.OneIn(2) && body.Available == 0)
        {
            Push(type, depth);
            Push(ValType.I32, depth);
            body.Emit(OpId.BrIf, 0);
            body.Apply(2, type);
            body.Emit(OpId.Drop);
            body.Drop(1);
        }
        Finish([type]);
        body.Close(type);
        return true;
    }

    private bool FromIf(ValType type, int depth)
    {
        if (!frame.CanName(type) || body.Labels.Count > 8) return false;
        Push(ValType.I32, depth);
        body.Drop(1);
        body.Open(OpId.If, type);
        if (choose.OneIn(4)) function.Statements.Step();
        if (body.Available == 0 && !body.Labels[^1].IsDead) Push(type, depth);
        Finish([type]);
        body.Else([]);
        Push(type, depth);
        Finish([type]);
        body.Close(type);
        return true;
    }

    /// <summary>
    /// Brings operands of the types to the top. Operands that are there are used if they fit; in dead code they may be missing.
    /// </summary>
    internal void Need(params ReadOnlySpan<ValType> types)
    {
        int fits = Math.Min(types.Length, body.Available);
        while (fits > 0 && !body.Fits(types[..fits])) fits--;
        if (fits == 0 && body.Labels[^1].IsDead && body.Available == 0 && types.Length > 0)
        {
            // In dead code the stack has all operands.
            fits = choose.Random.Next(types.Length + 1);
            body.Stack.AddRange(types[..fits]);
        }
        foreach (ValType type in types[fits..]) Push(type);
    }

    /// <summary>Leaves only the results of the innermost block, before its end.</summary>
    internal void Finish(ValType[] results)
    {
        // A branch to a loop goes to its beginning.
        if (body.Available > results.Length && body.Fits(results) && body.Labels[^1].Types.SequenceEqual(results) && choose.OneIn(2))
        {
            body.Emit(OpId.Br, 0);
            body.Die();
        }
        while (body.Available > 0 && !(body.Available == results.Length && body.Fits(results)))
        {
            body.Emit(OpId.Drop);
            body.Drop(1);
        }
        if (body.Labels[^1].IsDead && body.Available == 0 && choose.OneIn(2))
        {
            body.Stack.AddRange(results);
            return;
        }
        if (body.Available == 0) foreach (ValType type in results) Push(type);
    }
}
