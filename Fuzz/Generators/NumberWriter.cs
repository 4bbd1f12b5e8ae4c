using WasmJit.Jit.Format;
using WasmJit.Jit.Operators;

namespace WasmJit.Fuzz;

/// <summary>Writes operators on numbers and accesses of memories.</summary>
/// <param name="function">The function that they are for.</param>
internal sealed class NumberWriter(ReferenceBody function)
{
    private static readonly Operator[] Plain = [.. OperatorTable.All.Where(NumberModule.IsUsable)];
    private static readonly Operator[] Calculations = [.. Plain.Where(o => o.MemArg is null)];
    private static readonly Operator[] Accesses = [.. Plain.Where(o => o.MemArg is not null)];
    private static readonly Operator[] ScalarCalculations = [.. Calculations.Where(NumberModule.IsScalar)], ScalarAccesses = [.. Accesses.Where(NumberModule.IsScalar)];
    private static readonly Operator[] AtomicAccesses =
        [.. OperatorTable.All.Where(o => o is { HasSignature: true, Id: OpId.Plain, Proposal.Name: "threads" } && o.MemArg is not null)];

    private readonly BodyWriter body = function.Body;
    private readonly TypeChoice choose = function.Choose;
    private readonly Frame frame = function.Frame;

    private Operator SomeCalculation() => choose.Pick(choose.IsPlain ? ScalarCalculations : Calculations);

    private Operator SomeAccess() => choose.Pick(choose.IsPlain ? ScalarAccesses : Accesses);

    internal void Calculate()
    {
        // Other engines that random modules run on do not have these.
        if (frame.IsLinked && choose.OneIn(8))
        {
            OpId wide = choose.Pick<OpId>([OpId.I64Add128, OpId.I64Sub128, OpId.I64MulWideS, OpId.I64MulWideU]);
            int count = wide is OpId.I64Add128 or OpId.I64Sub128 ? 4 : 2;
            function.Values.Need([.. Enumerable.Repeat(ValType.I64, count)]);
            body.Emit(wide);
            body.Apply(count, ValType.I64, ValType.I64);
            return;
        }
        Operator op = SomeCalculation();
        function.Values.Need([.. op.Params]);
        body.Emit(op);
        WriteLanes(op);
        body.Apply(op.Params.Length, [.. op.Results]);
    }

    internal bool Calculated(ValType type, int depth)
    {
        for (int i = 0; i < 20; i++)
        {
            Operator op = SomeCalculation();
            if (op.Results is not [var result] || result != type) continue;
            foreach (ValType parameter in op.Params) function.Values.Push(parameter, depth);
            body.Emit(op);
            WriteLanes(op);
            body.Apply(op.Params.Length, result);
            return true;
        }
        return false;
    }

    private void WriteLanes(Operator op)
    {
        foreach (Immediate immediate in op.Immediates)
        {
            if (immediate.Kind == ImmediateKind.Lane) body.Code.U8((byte)choose.Random.Next(immediate.Number));
            else if (immediate.Kind == ImmediateKind.Lanes16) for (int i = 0; i < 16; i++) body.Code.U8((byte)choose.Random.Next(32));
        }
    }

    internal bool Loaded(ValType type, int depth)
    {
        for (int i = 0; i < 20; i++)
        {
            Operator op = SomeAccess();
            if (op.Results is not [var result] || result != type) continue;
            Access(op, depth);
            return true;
        }
        return false;
    }

    internal void Access() =>
        Access(frame.IsLinked && !choose.IsPlain && choose.OneIn(5) ? choose.Pick(AtomicAccesses) : SomeAccess(), ValueWriter.Depth);

    /// <summary>An access of a memory of the module, of one through a reference, or of a slice.</summary>
    internal void Access(Operator op, int depth)
    {
        int memory = choose.Random.Next(frame.Info.Memories.Count);
        HeapType? heap = null;
        bool is64 = frame.Info.Memories[memory].Is64;
        if (frame.IsLinked && choose.Random.Next(5) > 0)
        {
            DefType[] types = [.. frame.Entities(ExternKind.Memory)];
            heap = choose.OneIn(3) ? HeapType.Slice : choose.Pick(types);
            is64 = Has64(heap);
            function.Values.Push(ValType.Ref(heap, choose.OneIn(15)), depth);
        }
        Access(op, depth, memory, heap, is64);
    }

    private static bool Has64(HeapType heap) => heap is not DefType def || ((EntityType)def.Composite).Entity.Memory.Is64;

    /// <summary>An access of the memory or slice in a local.</summary>
    internal void AccessKept(int local)
    {
        HeapType heap = body.Locals[local].Heap!;
        body.Emit(OpId.LocalGet, (uint)local);
        body.Stack.Add(body.Locals[local]);
        Access(SomeAccess(), 1, 0, heap, Has64(heap));
    }

    /// <summary>The rest of an access: the reference to the memory, if there is one, is on the stack.</summary>
    private void Access(Operator op, int depth, int memory, HeapType? heap, bool is64)
    {
        int operands = op.Params.Length + (heap is null ? 0 : 1);
        Address(is64, depth);
        foreach (ValType parameter in op.Params.Skip(1)) function.Values.Push(parameter, depth);
        body.Emit(op);
        int align = op.Proposal.Name == "threads" ? op.MemArg!.Value.Number : choose.Random.Next(op.MemArg!.Value.Number + 1);
        body.Code.U32((uint)align | (heap is not null ? MemArgFlags.HasReference : memory != 0 ? MemArgFlags.HasMemory : 0));
        if (heap is not null) body.WriteHeap(heap);
        else if (memory != 0) body.Code.U32((uint)memory);
        body.Code.U32(choose.Random.Next(3) switch { 0 => 0u, 1 => 16u * (uint)choose.Random.Next(4), _ => 16u * (uint)choose.Random.Next(9) });
        WriteLanes(op);
        body.Apply(operands, [.. op.Results]);
    }

    /// <summary>Most addresses are in bounds. No access is partly out of bounds.</summary>
    private void Address(bool is64, int depth)
    {
        ValType type = is64 ? ValType.I64 : ValType.I32;
        if (choose.OneIn(2))
        {
            body.EmitConstant(is64, choose.OneIn(20) ? 1 << 20 : 16 * choose.Random.Next(20));
            body.Stack.Add(type);
            return;
        }
        function.Values.Push(type, Math.Min(depth, 1));
        body.EmitMask(is64, choose.OneIn(10) ? 0xfff0 : 0x1f0);
    }

    internal void ChangeMemory()
    {
        int memory = choose.Random.Next(frame.Info.Memories.Count);
        bool is64 = frame.Info.Memories[memory].Is64;
        switch (choose.Random.Next(5))
        {
            case 0:
                function.Values.Index(2, is64);
                body.Emit(OpId.MemoryGrow, (uint)memory);
                body.Apply(1, is64 ? ValType.I64 : ValType.I32);
                break;
            case 1:
                function.Values.Index(500, is64);
                function.Values.Push(ValType.I32, 1);
                function.Values.Index(90, is64);
                body.Emit(OpId.MemoryFill, (uint)memory);
                body.Drop(3);
                break;
            case 2:
                int from = choose.Random.Next(frame.Info.Memories.Count);
                bool isFrom64 = frame.Info.Memories[from].Is64;
                function.Values.Index(500, is64);
                function.Values.Index(500, isFrom64);
                function.Values.Index(90, is64 && isFrom64);
                body.Emit(OpId.MemoryCopy, (uint)memory, (uint)from);
                body.Drop(3);
                break;
            case 3:
                function.Values.Index(500, is64);
                function.Values.Index(9);
                function.Values.Index(9);
                body.Emit(OpId.MemoryInit, 0, (uint)memory);
                body.Drop(3);
                if (choose.OneIn(12)) body.Emit(OpId.DataDrop, 0);
                break;
            default: Access(); break;
        }
    }
}
