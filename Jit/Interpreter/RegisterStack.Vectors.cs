using System.Collections.Immutable;
using WasmJit.Jit.Binary;
using WasmJit.Runtime;

namespace WasmJit.Jit.Interpreter;

/// <summary>
/// Vectors are two operands, the lower half first, whose slots lie one behind the other. A local with a vector is two locals. So blocks, calls and moves need to know
/// nothing of them: a list of types has the type of a vector twice (<see cref="Operands"/>).
/// </summary>
internal sealed partial class RegisterStack
{
    private readonly bool takesVectors;

    /// <summary>By local of the function the first local here that stands for it, and at the end how many there are here. Null if each stands for itself.</summary>
    private int[]? firstOf;

    private ImmutableArray<ValType> lastTypes, lastOperands;

    /// <summary>Whether the function has met a vector.</summary>
    internal bool HasVectors { get; private set; }

    /// <summary>The operands that values of some types are.</summary>
    /// <exception cref="UncoveredException">One is a vector, and functions with vectors are compiled.</exception>
    internal ImmutableArray<ValType> Operands(ImmutableArray<ValType> types)
    {
        foreach (ValType type in types)
            if (type.Kind == ValKind.V128) return Halves(types);
        return types;
    }

    private ImmutableArray<ValType> Halves(ImmutableArray<ValType> types)
    {
        Cover(ValType.V128);
        // A function may have many blocks and calls of the same type.
        if (types == lastTypes) return lastOperands;
        var operands = ImmutableArray.CreateBuilder<ValType>(2 * types.Length);
        foreach (ValType type in types)
        {
            operands.Add(type);
            if (type.Kind == ValKind.V128) operands.Add(type);
        }
        Work += operands.Count;
        lastTypes = types;
        return lastOperands = operands.ToImmutable();
    }

    /// <summary>How many values operands are.</summary>
    internal static int ValuesIn(ImmutableArray<ValType> operands)
    {
        int halves = 0;
        foreach (ValType type in operands) halves += type.Kind == ValKind.V128 ? 1 : 0;
        return operands.Length - (halves / 2);
    }

    /// <summary>The function has a value of a type.</summary>
    /// <exception cref="UncoveredException">It is a vector, and functions with vectors are compiled.</exception>
    internal void Cover(ValType type)
    {
        if (type.Kind != ValKind.V128) return;
        if (!takesVectors) throw new UncoveredException("a value of type v128");
        HasVectors = true;
    }

    // ---- operands ----

    private void AddHalves(OperandKind kind)
    {
        Add(kind, false).Sort = OperandSort.Half;
        Add(kind, false).Sort = OperandSort.Half;
    }

    internal void PushVector(ulong low, ulong high)
    {
        AddHalves(OperandKind.Const);
        Top(1).Bits = (long)low;
        Top().Bits = (long)high;
    }

    /// <summary>Pushes the result of an operation, a vector, and gives the instruction its first slot.</summary>
    internal void PushVectorResult(RegisterOp op, int b, int c, long imm)
    {
        if (Spills && !HasRoom(2)) SpillAll();
        AddHalves(OperandKind.Home);
        code.Emit(op, Top(1).Home, b, c, imm);
        producer = -1;
    }

    /// <summary>Before the topmost operands are taken by an operation that wants the halves of vectors one behind the other.</summary>
    internal void BeforeVectors(int count)
    {
        if (Spills) ToHomes(count);
    }

    /// <summary>Takes the topmost operand, a vector; its first slot.</summary>
    internal int PopVector()
    {
        RegisterOperand high = Pop(), low = Pop();
        if (low.Kind == OperandKind.Home && high.Kind == OperandKind.Home) return low.Home;
        if (low.Kind == OperandKind.Local && high.Kind == OperandKind.Local) return localSlots[low.Local];
        Load(low, FreeSlotOf(low));
        Load(high, FreeSlotOf(high));
        return low.Home;
    }

    // ---- locals ----

    private bool IsVector(int local) => firstOf is not null && firstOf[local + 1] - firstOf[local] == 2;

    private int FirstOf(int local) => firstOf is null ? local : firstOf[local];

    /// <summary>Gives the locals of a function their numbers, where some are vectors.</summary>
    private void NumberLocals(FuncInfo func, int count)
    {
        Cover(ValType.V128);
        firstOf = new int[count + 1];
        int next = 0, at = 0;
        foreach (ValType type in func.Func.Params) Number(type);
        foreach (LocalRun run in func.Locals)
            for (int i = 0; i < run.Count; i++) Number(run.Type);
        firstOf[at] = next;

        void Number(ValType type)
        {
            firstOf[at++] = next;
            next += type.Kind == ValKind.V128 ? 2 : 1;
        }
    }

    /// <summary>Pushes a local, by its index in the function.</summary>
    internal void GetLocal(int local)
    {
        int first = FirstOf(local);
        LocalGet(first);
        if (!IsVector(local)) return;
        Top().Sort = OperandSort.Half;
        LocalGet(first + 1);
        Top().Sort = OperandSort.Half;
    }

    internal void SetLocal(int local)
    {
        int first = FirstOf(local);
        if (IsVector(local)) LocalSet(first + 1);
        LocalSet(first);
    }

    internal void TeeLocal(int local)
    {
        if (!IsVector(local))
        {
            LocalTee(FirstOf(local));
            return;
        }
        SetLocal(local);
        GetLocal(local);
    }
}
