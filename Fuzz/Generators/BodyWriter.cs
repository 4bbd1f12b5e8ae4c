using WasmJit.Jit.Format;
using WasmJit.Jit.Operators;

namespace WasmJit.Fuzz;

/// <summary>A block that branches can go to.</summary>
internal sealed class BodyLabel(ValType[] types, int height)
{
    /// <summary>What a branch to it carries.</summary>
    internal ValType[] Types => types;

    /// <summary>How many operands lie below it.</summary>
    internal int Height => height;

    /// <summary>Whether the code from here to its end is never run.</summary>
    internal bool IsDead { get; set; }
}

/// <summary>The code of a function that is being written, and the types of its locals and of what is on the stack.</summary>
/// <param name="frame">The module.</param>
/// <param name="parameters">The function's parameters.</param>
/// <param name="isLeaf">Whether it has no loops and calls. It needs no fuel then.</param>
internal sealed class BodyWriter(Frame frame, IEnumerable<ValType> parameters, bool isLeaf)
{
    private static readonly Dictionary<OpId, Operator> ById =
        OperatorTable.All.Where(o => o.Id != OpId.Plain).GroupBy(o => o.Id).ToDictionary(g => g.Key, g => g.First());

    /// <summary>For each open block, which locals were set before it.</summary>
    private readonly Stack<List<bool>> outer = new();

    internal ByteWriter Code { get; } = new();

    internal List<ValType> Locals { get; } = [.. parameters];

    /// <summary>Which locals have a value.</summary>
    internal List<bool> IsSet { get; private set; } = [.. parameters.Select(_ => true)];

    /// <summary>The types of the operands, the topmost last.</summary>
    internal List<ValType> Stack { get; } = [];

    internal List<BodyLabel> Labels { get; } = [];

    internal bool IsLeaf => isLeaf;

    /// <summary>How many steps and values may still be written; below zero values become simpler.</summary>
    internal int Left { get; set; }

    /// <summary>How many operands lie below the innermost block.</summary>
    internal int Height => Labels[^1].Height;

    /// <summary>How many operands the innermost block has.</summary>
    internal int Available => Stack.Count - Height;

    internal void AddLocal(ValType type)
    {
        Locals.Add(type);
        IsSet.Add(type.IsDefaultable);
    }

    // ---- bytes ----

    internal void Emit(OpId id, params ReadOnlySpan<uint> immediates)
    {
        Emit(ById[id]);
        foreach (uint immediate in immediates) Code.U32(immediate);
    }

    internal void Emit(Operator op) => Code.Code(op);

    internal void EmitName(string name) => Code.Name(name);

    /// <summary>Writes a constant of 32 or 64 bits; the types of operands do not change.</summary>
    internal void EmitConstant(bool is64, long value)
    {
        Code.Code(is64 ? OpId.I64Const : OpId.I32Const);
        Code.S64(value);
    }

    /// <summary>Clears all bits of the topmost number but those of a mask.</summary>
    internal void EmitMask(bool is64, long mask)
    {
        EmitConstant(is64, mask);
        Emit(Named(is64 ? "i64.and" : "i32.and"));
    }

    private static Operator Named(string mnemonic) => OperatorTable.Find(mnemonic)!;

    internal void WriteHeap(HeapType heap) => WriteHeap(Code, heap);

    private void WriteHeap(ByteWriter to, HeapType heap)
    {
        switch (heap)
        {
            case AbstractHeapType a: to.U8((byte)a.Code); break;
            case DefType def: to.S64(frame.IndexOf(def) ?? throw new InvalidOperationException($"The module has no type {def}.")); break;
            case ExactModuleType exact:
                to.U8(TypeByte.ExactModule);
                to.U32((uint)exact.Index);
                break;
            default: throw new InvalidOperationException($"Random modules do not write {heap}.");
        }
    }

    internal void WriteType(ValType type) => WriteType(Code, type);

    private void WriteType(ByteWriter to, ValType type)
    {
        if (!type.IsRef)
        {
            to.U8(NumberModule.Code(type));
            return;
        }
        to.U8(type.IsNullable ? TypeByte.RefNull : TypeByte.Ref);
        WriteHeap(to, type.Heap!);
    }

    /// <summary>Takes one unit of the module's fuel, and traps without fuel.</summary>
    internal void Burn()
    {
        Emit(OpId.GlobalGet, 0);
        EmitConstant(false, 1);
        Emit(Named("i32.sub"));
        Emit(OpId.GlobalSet, 0);
        Emit(OpId.GlobalGet, 0);
        EmitConstant(false, 0);
        Emit(Named("i32.lt_s"));
        Emit(OpId.If);
        Code.U8(TypeByte.EmptyBlock);
        Emit(OpId.Unreachable);
        Emit(OpId.End);
    }

    /// <summary>The locals and the code, for a code section.</summary>
    /// <param name="parameterCount">The number of parameters.</param>
    internal ByteWriter Whole(int parameterCount)
    {
        var body = new ByteWriter();
        body.U32((uint)(Locals.Count - parameterCount));
        foreach (ValType type in Locals.Skip(parameterCount))
        {
            body.U32(1);
            WriteType(body, type);
        }
        body.Bytes(Code.Span);
        return body;
    }

    // ---- operands ----

    internal void Drop(int count) => Stack.RemoveRange(Stack.Count - count, count);

    /// <summary>Drops all operands of the innermost block.</summary>
    internal void DropAll()
    {
        while (Available > 0)
        {
            Emit(OpId.Drop);
            Drop(1);
        }
    }

    /// <summary>Notes what an operator takes and what it leaves.</summary>
    internal void Apply(int taken, params ReadOnlySpan<ValType> results)
    {
        Drop(taken);
        Stack.AddRange(results);
    }

    /// <summary>Whether the topmost operands are of these types.</summary>
    internal bool Fits(ReadOnlySpan<ValType> types)
    {
        for (int i = 0; i < types.Length; i++)
            if (!TypeChoice.IsSubtype(Stack[Stack.Count - types.Length + i], types[i])) return false;
        return true;
    }

    /// <summary>The following code is dead.</summary>
    internal void Die()
    {
        Labels[^1].IsDead = true;
        Stack.RemoveRange(Height, Available);
    }

    /// <summary>The operands of a branch that is not taken get the types of its label.</summary>
    internal void Retype(ReadOnlySpan<ValType> types)
    {
        Drop(types.Length);
        Stack.AddRange(types);
    }

    // ---- blocks ----

    /// <summary>Opens a block whose type has at most one result; its code and <see cref="Close"/> follow.</summary>
    internal void Open(OpId id, ValType? result)
    {
        Emit(id);
        if (result is { } type) WriteType(type);
        else Code.U8(TypeByte.EmptyBlock);
        Enter([], result is { } value ? [value] : [], id == OpId.Loop);
    }

    /// <summary>Notes that a block has begun, which takes its parameters from the stack.</summary>
    internal void Enter(ValType[] parameters, ValType[] results, bool isLoop)
    {
        int height = Stack.Count - parameters.Length;
        outer.Push(IsSet);
        IsSet = [.. IsSet];
        Drop(parameters.Length);
        Stack.AddRange(parameters);
        Labels.Add(new BodyLabel(isLoop ? parameters : results, height));
        if (isLoop) Burn();
    }

    /// <summary>Writes the end of a block, with its results on the stack.</summary>
    internal void Close(params ReadOnlySpan<ValType> results)
    {
        Emit(OpId.End);
        int height = Height;
        Labels.RemoveAt(Labels.Count - 1);
        IsSet = outer.Pop();
        Stack.RemoveRange(height, Stack.Count - height);
        Stack.AddRange(results);
    }

    /// <summary>Writes the else of an if, whose first part has left its results.</summary>
    internal void Else(ValType[] parameters)
    {
        Emit(OpId.Else);
        BodyLabel label = Labels[^1];
        Labels[^1] = new BodyLabel(label.Types, label.Height);
        IsSet = [.. outer.Peek()];
        Stack.RemoveRange(Height, Available);
        Stack.AddRange(parameters);
    }
}
