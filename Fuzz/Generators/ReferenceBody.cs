using WasmJit.Jit;
using WasmJit.Text;

namespace WasmJit.Fuzz;

/// <summary>
/// A function made of random numbers, over typed references: operands of lower types on one side of a select, writes of wider locals
/// that are read back, merges, dead code, nulls, casts down of what was just widened. It knows types, so that what it writes is
/// valid; and its loops and calls take from the module's own fuel, so that it ends.
/// </summary>
internal sealed partial class ReferenceBody
{
    private static readonly Dictionary<OpId, Operator> ById = OperatorTable.All.Where(o => o.Id != OpId.Plain).GroupBy(o => o.Id).ToDictionary(g => g.Key, g => g.First());
    private static readonly Operator[] Plain = [.. OperatorTable.All.Where(NumberModule.IsUsable)];
    private static readonly Operator[] Calculations = [.. Plain.Where(o => o.MemArg is null)];
    private static readonly Operator[] Accesses = [.. Plain.Where(o => o.MemArg is not null)];
    private static readonly Operator[] AtomicAccesses =
        [.. OperatorTable.All.Where(o => o is { HasSignature: true, Id: OpId.Plain, Proposal.Name: "threads" } && o.MemArg is not null)];

    private static readonly ValType[] Numbers = [ValType.I32, ValType.I64, ValType.F32, ValType.F64, ValType.V128];

    private readonly Frame frame;
    private readonly MakerTable makers;
    private readonly Random random;
    private readonly FuncType signature;
    private readonly ByteWriter code = new();
    private readonly List<ValType> locals;
    private readonly List<ValType> stack = [];
    private readonly List<Label> labels = [];
    private readonly bool isLeaf;
    private bool[] isSet;
    private int left;

    /// <summary>A block that branches can go to.</summary>
    private sealed class Label(ValType[] types, int height)
    {
        /// <summary>What a branch to it carries.</summary>
        internal ValType[] Types => types;

        /// <summary>How many operands lie below it.</summary>
        internal int Height => height;

        /// <summary>Whether the code from here to its end is never run.</summary>
        internal bool IsDead { get; set; }
    }

    internal ReferenceBody(Frame frame, int index, Random random)
    {
        this.frame = frame;
        this.random = random;
        makers = frame.Makers;
        signature = frame.Info.Funcs[index].Func;
        locals = [.. signature.Params];
        isSet = [.. locals.Select(_ => true)];
        // Functions without loops and calls need no fuel, and are small enough to be compiled into their callers.
        isLeaf = random.Next(3) == 0;
    }

    /// <summary>The locals and the code.</summary>
    internal ByteWriter Write()
    {
        ValType[] own = [.. Enumerable.Range(0, random.Next(3, 9)).Select(_ => SomeType())];
        isSet = [.. isSet, .. own.Select(t => t.IsDefaultable)];
        locals.AddRange(own);
        left = isLeaf ? random.Next(3, 15) : random.Next(12) == 0 ? 160 : random.Next(10, 60);
        ValType[] results = [.. signature.Results];
        labels.Add(new Label(results, 0));
        if (!isLeaf) Burn();
        while (left > 0)
        {
            left--;
            Step();
        }
        Finish(results);
        code.U8(0x0b);
        var body = new ByteWriter();
        body.U32((uint)own.Length);
        foreach (ValType type in own)
        {
            body.U32(1);
            WriteType(body, type);
        }
        body.Bytes(code.Span);
        return body;
    }

    // ---- bytes ----

    internal void Emit(OpId id, params ReadOnlySpan<uint> immediates)
    {
        Emit(ById[id]);
        foreach (uint immediate in immediates) code.U32(immediate);
    }

    private void Emit(Operator op)
    {
        if (op.Prefix != 0)
        {
            code.U8(op.Prefix);
            code.U32(op.Code);
        }
        else
        {
            code.U8((byte)op.Code);
        }
    }

    internal void EmitName(string name) => code.Name(name);

    internal void WriteHeap(HeapType heap) => WriteHeap(code, heap);

    private void WriteHeap(ByteWriter to, HeapType heap)
    {
        switch (heap)
        {
            case AbstractHeapType a: to.U8((byte)a.Code); break;
            case DefType def: to.S64(frame.IndexOf(def) ?? throw new InvalidOperationException($"The module has no type {def}.")); break;
            case ExactModuleType exact:
                to.U8(0x56);
                to.U32((uint)exact.Index);
                break;
            default: throw new InvalidOperationException($"Random modules do not write {heap}.");
        }
    }

    private void WriteType(ByteWriter to, ValType type)
    {
        if (!type.IsRef)
        {
            to.U8(NumberModule.Code(type));
            return;
        }
        to.U8(type.IsNullable ? (byte)0x63 : (byte)0x64);
        WriteHeap(to, type.Heap!);
    }

    /// <summary>Takes one from the module's fuel, and traps without any.</summary>
    private void Burn() => code.Bytes([0x23, 0, 0x41, 1, 0x6b, 0x24, 0, 0x23, 0, 0x41, 0, 0x48, 0x04, 0x40, 0x00, 0x0b]);

    // ---- operands ----

    private int Height => labels[^1].Height;

    private int Available => stack.Count - Height;

    internal T Pick<T>(IReadOnlyList<T> list) => list[random.Next(list.Count)];

    /// <summary>Random decisions: whether one in so many.</summary>
    internal bool OneIn(int count) => random.Next(count) == 0;

    internal int Below(int limit) => random.Next(limit);

    private ValType SomeType() => random.Next(4) == 0 ? Pick(Numbers) : Pick(frame.References);

    private static bool IsSubtype(ValType sub, ValType super) => Subtyping.IsSubtype(sub, super);

    private void Drop(int count) => stack.RemoveRange(stack.Count - count, count);

    /// <summary>Notes what an operator takes and what it leaves.</summary>
    internal void Apply(int taken, params ReadOnlySpan<ValType> results)
    {
        Drop(taken);
        stack.AddRange(results);
    }

    /// <summary>
    /// Brings operands of the types to the top: from what is there, as far as it fits. In dead code they may be missing.
    /// </summary>
    private void Need(params ReadOnlySpan<ValType> types)
    {
        int fits = Math.Min(types.Length, Available);
        while (fits > 0 && !Fits(types[..fits])) fits--;
        if (fits == 0 && labels[^1].IsDead && Available == 0 && types.Length > 0)
        {
            // The first operands come from nowhere.
            fits = random.Next(types.Length + 1);
            stack.AddRange(types[..fits]);
        }
        foreach (ValType type in types[fits..]) Push(type);
    }

    /// <summary>Whether the topmost operands are of these types.</summary>
    private bool Fits(ReadOnlySpan<ValType> types)
    {
        for (int i = 0; i < types.Length; i++)
            if (!IsSubtype(stack[stack.Count - types.Length + i], types[i])) return false;
        return true;
    }

    /// <summary>What follows is never run.</summary>
    private void Die()
    {
        labels[^1].IsDead = true;
        stack.RemoveRange(Height, Available);
    }

    /// <summary>Leaves just the results of the innermost block, whose end follows.</summary>
    private void Finish(ValType[] results)
    {
        // A branch to a loop goes to its beginning.
        if (Available > results.Length && Fits(results) && labels[^1].Types.SequenceEqual(results) && OneIn(2))
        {
            Emit(OpId.Br, 0);
            Die();
        }
        while (Available > 0 && !(Available == results.Length && Fits(results)))
        {
            Emit(OpId.Drop);
            Drop(1);
        }
        if (labels[^1].IsDead && Available == 0 && OneIn(2))
        {
            stack.AddRange(results);
            return;
        }
        if (Available == 0) foreach (ValType type in results) Push(type);
    }

    /// <summary>Opens a block whose type has at most one result; its code and <see cref="Close"/> follow.</summary>
    private void Open(OpId id, ValType? result)
    {
        Emit(id);
        if (result is { } type) WriteType(code, type);
        else code.U8(0x40);
        Enter([], result is { } value ? [value] : [], id == OpId.Loop);
    }

    /// <summary>Notes that a block has begun, which takes its parameters from the stack.</summary>
    private void Enter(ValType[] parameters, ValType[] results, bool isLoop)
    {
        int height = stack.Count - parameters.Length;
        bool[] before = isSet;
        isSet = [.. before];
        outer.Push(before);
        Drop(parameters.Length);
        stack.AddRange(parameters);
        labels.Add(new Label(isLoop ? parameters : results, height));
        if (isLoop) Burn();
    }

    private readonly Stack<bool[]> outer = new();

    /// <summary>Writes the end of a block, with its results on the stack.</summary>
    private void Close(params ReadOnlySpan<ValType> results)
    {
        Emit(OpId.End);
        int height = Height;
        labels.RemoveAt(labels.Count - 1);
        isSet = outer.Pop();
        stack.RemoveRange(height, stack.Count - height);
        stack.AddRange(results);
    }

    /// <summary>Writes the else of an if, whose first part has left its results.</summary>
    private void Else(ValType[] parameters)
    {
        Emit(OpId.Else);
        Label label = labels[^1];
        labels[^1] = new Label(label.Types, label.Height);
        isSet = [.. outer.Peek()];
        stack.RemoveRange(Height, Available);
        stack.AddRange(parameters);
    }
}
