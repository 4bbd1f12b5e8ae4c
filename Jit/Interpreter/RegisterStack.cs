using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using WasmJit.Jit.Binary;
using WasmJit.Runtime;

namespace WasmJit.Jit.Interpreter;

/// <summary>Where the value of an operand is.</summary>
internal enum OperandKind : byte
{
    /// <summary>In its home.</summary>
    Home,

    /// <summary>In a local that has not been read yet.</summary>
    Local,

    /// <summary>A constant; of references null.</summary>
    Const,

    /// <summary>In the spill area, at the place that <see cref="RegisterOperand.Local"/> says.</summary>
    Spilled,
}

/// <summary>What an operand is.</summary>
internal enum OperandSort : byte
{
    Number,
    Reference,

    /// <summary>The lower or upper half of a vector.</summary>
    Half,
}

/// <summary>An operand on the stack.</summary>
internal struct RegisterOperand
{
    internal OperandKind Kind;
    internal OperandSort Sort;

    internal readonly bool IsRef => Sort == OperandSort.Reference;

    internal readonly bool IsHalf => Sort == OperandSort.Half;

    /// <summary>The slot for it; -1 if it has none.</summary>
    internal int Home;

    /// <summary>The index of the local, for <see cref="OperandKind.Local"/>.</summary>
    internal int Local;

    /// <summary>The bits of the constant, for <see cref="OperandKind.Const"/>.</summary>
    internal long Bits;
}

/// <summary>
/// Locals and operands of a function as slots of its frame. Each height of the operand stack has a slot, its <em>home</em>. Constants and
/// reads of locals are not moved there before something needs them in place. An operation writes its result straight to the local that
/// it is stored in.
/// </summary>
internal sealed partial class RegisterStack
{
    /// <summary>More reads of locals than this do not wait: each write has to look through them.</summary>
    private const int MaxPending = 64;

    private readonly RegisterBuffer code;
    private readonly int[] localSlots;
    private readonly bool[] localIsRef;
    private readonly TranslationRoom room;
    private RegisterOperand[] operands;

    /// <summary>Below this height no operand is a read of a local that waits.</summary>
    private int firstPending;

    /// <summary>Below this height every operand is in its home.</summary>
    private int firstElsewhere;

    /// <summary>The next free homes.</summary>
    private int slots, refs;

    /// <summary>The last instruction if it makes the topmost operand, in its home; otherwise -1.</summary>
    private int producer = -1;

    /// <param name="code">Where instructions go.</param>
    /// <param name="func">The function.</param>
    /// <param name="room">The arrays.</param>
    /// <param name="spillsBeyond">Null if every operand has a slot of its own; otherwise how many results have some at a time.</param>
    /// <param name="takesVectors">Whether it may have vectors.</param>
    internal RegisterStack(RegisterBuffer code, FuncInfo func, TranslationRoom room, int? spillsBeyond, bool takesVectors)
    {
        this.code = code;
        this.room = room;
        this.takesVectors = takesVectors;
        this.spillsBeyond = spillsBeyond ?? 0;
        Spills = spillsBeyond is not null;
        operands = room.Operands;
        int count = func.Func.Params.Length, vectors = 0;
        foreach (ValType type in func.Func.Params) vectors += type.Kind == ValKind.V128 ? 1 : 0;
        foreach (LocalRun run in func.Locals)
        {
            count += run.Count;
            vectors += run.Type.Kind == ValKind.V128 ? run.Count : 0;
        }
        Locals = count;
        if (vectors > 0) NumberLocals(func, count);
        count += vectors;
        if (room.LocalSlots.Length < count)
        {
            room.LocalSlots = new int[count];
            room.LocalIsRef = new bool[count];
            room.LocalIsWritten = new bool[count];
        }
        localSlots = room.LocalSlots;
        localIsRef = room.LocalIsRef;
        int next = 0;
        foreach (ValType type in func.Func.Params) AddLocal(ref next, type);
        Zeros = new ZeroLocals(room, next, count);
        foreach (LocalRun run in func.Locals)
            for (int i = 0; i < run.Count; i++) AddLocal(ref next, run.Type);
        MaxSlots = slots;
        MaxRefs = refs;
        if (Spills) BeginSpills();
    }

    /// <summary>Which locals begin as zero.</summary>
    internal ZeroLocals Zeros { get; }

    /// <summary>Whether operands are spilled: there are more than slots.</summary>
    internal bool Spills { get; }

    internal int Height { get; private set; }

    /// <summary>How many operands have been looked at or moved. A block or branch of two bytes can have a thousand.</summary>
    internal long Work { get; private set; }

    /// <summary>How many locals the function has, with parameters.</summary>
    internal int Locals { get; }

    /// <summary>The most slots that were ever in use.</summary>
    internal int MaxSlots { get; private set; }

    /// <summary>The most slots of references that were ever in use.</summary>
    internal int MaxRefs { get; private set; }

    /// <summary>The homes that the next number and the next reference get. A callee's frame begins there.</summary>
    internal (int Slots, int Refs) NextHomes
    {
        get
        {
            Use(slots, refs);
            return (slots, refs);
        }
    }

    /// <summary>The frame has these slots.</summary>
    private void Use(int numbers, int references)
    {
        if (numbers > MaxSlots) MaxSlots = numbers;
        if (references > MaxRefs) MaxRefs = references;
    }

    internal static bool AreNumbers(ImmutableArray<ValType> types)
    {
        foreach (ValType type in types)
            if (type.IsRef) return false;
        return true;
    }

    private void AddLocal(ref int local, ValType type)
    {
        localIsRef[local] = type.IsRef;
        localSlots[local++] = type.IsRef ? refs++ : slots++;
        if (type.Kind != ValKind.V128) return;
        localIsRef[local] = false;
        localSlots[local++] = slots++;
    }

    /// <summary>The frame must have room for values of these types behind all that was ever in use.</summary>
    internal void Reserve(ImmutableArray<ValType> types)
    {
        foreach (ValType type in types)
        {
            if (type.IsRef) MaxRefs++;
            else MaxSlots++;
        }
    }

    /// <summary>A slot for a number that no operand has.</summary>
    internal int Spare()
    {
        Use(slots + 1, 0);
        return slots;
    }

    // ---- operands ----

    internal ref RegisterOperand Top(int fromTop = 0) => ref operands[Height - 1 - fromTop];

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private ref RegisterOperand Add(OperandKind kind, bool isRef)
    {
        Work++;
        if (Height == operands.Length) operands = room.MoreOperands();
        ref RegisterOperand operand = ref operands[Height++];
        operand.Kind = kind;
        operand.Sort = isRef ? OperandSort.Reference : OperandSort.Number;
        if (kind == OperandKind.Home)
        {
            operand.Home = isRef ? refs++ : slots++;
            Use(slots, refs);
        }
        else
        {
            operand.Home = Spills ? -1 : isRef ? refs++ : slots++;
        }
        return ref operand;
    }

    /// <summary>Pushes an operand that was popped and is where it was.</summary>
    internal void Push(RegisterOperand operand)
    {
        ref RegisterOperand pushed = ref Add(operand.Kind, operand.IsRef);
        pushed.Local = operand.Local;
        pushed.Bits = operand.Bits;
    }

    /// <summary>Pushes an operand that is in its home already; of a vector one half.</summary>
    internal void PushHome(ValType type)
    {
        ref RegisterOperand operand = ref Add(OperandKind.Home, type.IsRef);
        if (type.Kind == ValKind.V128) operand.Sort = OperandSort.Half;
    }

    internal void PushConst(long bits) => Add(OperandKind.Const, false).Bits = bits;

    internal void PushNull() => Add(OperandKind.Const, true);

    /// <summary>Pushes the result of an operation, and gives the instruction its slot.</summary>
    internal void PushResult(bool isRef, RegisterOp op, int b = 0, int c = 0, long imm = 0)
    {
        if (Spills && !HasRoom(1)) SpillAll();
        producer = code.Emit(op, Add(OperandKind.Home, isRef).Home, b, c, imm);
    }

    /// <summary>Whether the last instruction made the topmost operand, on every way to here.</summary>
    internal bool IsTopFresh => producer >= 0 && producer == code.Count - 1 && !code.EndsWithLabel && Top().Kind == OperandKind.Home;

    /// <summary>No instruction may be changed any more.</summary>
    internal void ForgetProducer() => producer = -1;

    /// <summary>Takes the topmost operand. It is there until the next one is pushed.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal ref RegisterOperand Pop()
    {
        ref RegisterOperand operand = ref operands[--Height];
        // The operand that is topmost now was made earlier, by another instruction.
        producer = -1;
        if (operand.Home < 0) Release(operand);
        else if (operand.IsRef) refs = operand.Home;
        else slots = operand.Home;
        if (firstInSlot > Height) firstInSlot = Height;
        if (firstPending > Height) firstPending = Height;
        if (firstElsewhere > Height) firstElsewhere = Height;
        return ref operand;
    }

    /// <summary>Takes the topmost operands, which are numbers and go to their homes; the homes that follow now, where a callee's frame begins.</summary>
    internal (int Slots, int Refs) TakeNumbers(int count)
    {
        if (count > 0)
        {
            Work += count;
            for (int i = Height - count; i < Height; i++) ToHome(ref operands[i]);
            Height -= count;
            slots = operands[Height].Home;
            if (firstPending > Height) firstPending = Height;
            if (firstElsewhere > Height) firstElsewhere = Height;
        }
        producer = -1;
        return NextHomes;
    }

    /// <summary>Takes the operands of a block.</summary>
    /// <param name="height">How many lie below it.</param>
    /// <param name="numbers">The slot of the first number in it.</param>
    /// <param name="references">The slot of the first reference.</param>
    internal void CutTo(int height, int numbers, int references)
    {
        while (Spills && Height > height) Pop();
        Height = height;
        producer = -1;
        if (firstPending > height) firstPending = height;
        if (firstElsewhere > height) firstElsewhere = height;
        slots = numbers;
        refs = references;
    }

    /// <summary>The slot of an operand for an operation; a constant is put into its home first.</summary>
    internal int SlotOf(in RegisterOperand operand)
    {
        switch (operand.Kind)
        {
            case OperandKind.Home: return operand.Home;
            case OperandKind.Local: return localSlots[operand.Local];
            default:
                int slot = FreeSlotOf(operand);
                Load(operand, slot);
                return slot;
        }
    }

    /// <summary>A slot for the time of one operation, of an operand that has been popped for it.</summary>
    internal int FreeSlotOf(in RegisterOperand operand)
    {
        if (operand.Home < 0) return Temporary(operand.IsRef);
        if (operand.IsRef) Use(0, operand.Home + 1);
        else Use(operand.Home + 1, 0);
        return operand.Home;
    }

    /// <summary>Takes the topmost operand; its slot.</summary>
    internal int PopSlot() => SlotOf(Pop());

    /// <summary>Puts an operand into a slot.</summary>
    internal void Load(in RegisterOperand operand, int slot)
    {
        if (operand.IsRef) Use(0, slot + 1);
        else Use(slot + 1, 0);
        switch (operand.Kind)
        {
            case OperandKind.Const when operand.IsRef: code.Emit(RegisterOp.NullRef, slot); break;
            case OperandKind.Const: code.Emit(RegisterOp.F64Const, slot, imm: operand.Bits); break;
            case OperandKind.Spilled: MoveSpilled(operand.IsRef ? RegisterOp.UnspillRefs : RegisterOp.Unspill, slot, operand.Local); break;
            default:
                int from = operand.Kind == OperandKind.Home ? operand.Home : localSlots[operand.Local];
                if (from != slot) code.Emit(operand.IsRef ? RegisterOp.MoveRef : RegisterOp.Move, slot, from);
                break;
        }
    }

    // ---- homes ----

    private void ToHome(ref RegisterOperand operand)
    {
        if (operand.Kind == OperandKind.Home) return;
        Load(operand, operand.Home);
        operand.Kind = OperandKind.Home;
    }

    /// <summary>Puts the topmost operands into their homes.</summary>
    internal void ToHomes(int count)
    {
        Work += count;
        if (Spills)
        {
            Gather(count);
            return;
        }
        for (int i = Height - count; i < Height; i++) ToHome(ref operands[i]);
    }

    /// <summary>
    /// Puts all operands into their homes before a block. If code inside of the block did that with an operand below it, the operand
    /// would be in its home on the ways through that code alone.
    /// </summary>
    /// <param name="parameters">How many operands the block takes.</param>
    internal void BeforeBlock(int parameters)
    {
        if (Spills)
        {
            SpillBelow(parameters);
            return;
        }
        for (int i = firstElsewhere; i < Height; i++) ToHome(ref operands[i]);
        firstElsewhere = firstPending = Height;
    }

    /// <summary>The homes of the first number and the first reference among the topmost operands.</summary>
    internal (int Slots, int Refs) HomesOf(int count)
    {
        Work += count;
        int numbers = slots, references = refs;
        for (int i = Height - count; i < Height; i++)
        {
            if (operands[i].IsRef) references = Math.Min(references, operands[i].Home);
            else numbers = Math.Min(numbers, operands[i].Home);
        }
        return (numbers, references);
    }

    /// <summary>Whether operands are where a label wants them.</summary>
    /// <param name="numbers">Where the label wants the first number.</param>
    /// <param name="references">Where the label wants the first reference.</param>
    /// <param name="count">How many operands the label takes.</param>
    /// <param name="above">How many operands lie above those.</param>
    internal bool IsInPlace(int numbers, int references, int count, int above = 0)
    {
        Work += count;
        int end = Height - above;
        for (int i = end - count; i < end; i++)
            if (operands[i].Kind != OperandKind.Home || operands[i].Home != (operands[i].IsRef ? references++ : numbers++)) return false;
        return true;
    }

    /// <summary>
    /// Moves the topmost operands to where a label wants them; they stay operands. No operand lies lower than where it goes, so none is
    /// overwritten before it has been moved.
    /// </summary>
    internal void MoveTo(int numbers, int references, int count)
    {
        if (count >= ManyValues || (Spills && count > 1))
        {
            MoveTogether(numbers, references, count);
            return;
        }
        for (int i = Height - count; i < Height; i++) Load(operands[i], operands[i].IsRef ? references++ : numbers++);
    }

    /// <summary>
    /// Moves the topmost operands with one instruction for all numbers and one for all references. Operands that are not constants or locals
    /// lie in their homes, and homes of a sort one behind the other.
    /// </summary>
    /// <returns>How many of them are references.</returns>
    private int MoveTogether(int numbers, int references, int count)
    {
        Work += count;
        ToHomes(count);
        (int firstNumber, int firstReference) = HomesOf(count);
        int moved = 0;
        for (int i = Height - count; i < Height; i++) moved += operands[i].IsRef ? 1 : 0;
        if (count > moved && firstNumber != numbers) code.Emit(RegisterOp.MoveMany, numbers, firstNumber, 0, count - moved);
        if (moved > 0 && firstReference != references) code.Emit(RegisterOp.MoveRefs, references, firstReference, 0, moved);
        return moved;
    }

    /// <summary>From this number on, operands are put into their homes, once, and moved by one instruction: a branch of two bytes may carry a thousand.</summary>
    internal const int ManyValues = 8;

    /// <summary>Before a branch: if it carries many values, they are put into their homes on all ways. Others may lie above.</summary>
    internal void BeforeBranch(int count, int above)
    {
        if (count >= ManyValues || Spills) ToHomes(count + above);
    }

    /// <summary>Moves the topmost operands to the frame's first slots, by way of their homes. They stay operands as they were.</summary>
    /// <returns>How many of them are references.</returns>
    internal int MoveDown(int count)
    {
        if (count >= ManyValues || Spills) return MoveTogether(0, 0, count);
        // What is read from locals must be read before the locals' slots are written.
        for (int i = Height - count; i < Height; i++) Load(operands[i], operands[i].Home);
        int numbers = 0, references = 0;
        for (int i = Height - count; i < Height; i++)
        {
            ref RegisterOperand operand = ref operands[i];
            int to = operand.IsRef ? references++ : numbers++;
            if (to != operand.Home) code.Emit(operand.IsRef ? RegisterOp.MoveRef : RegisterOp.Move, to, operand.Home);
        }
        return references;
    }

    // ---- locals ----

    /// <summary>Reads all locals that wait: what follows may write them on one way and not on another.</summary>
    private void ReadPending()
    {
        if (Spills) SpillReads(firstPending, Height);
        else
            for (int i = firstPending; i < Height; i++)
                if (operands[i].Kind == OperandKind.Local) ToHome(ref operands[i]);
        firstPending = Height;
    }

    internal void LocalGet(int local)
    {
        Zeros.Read(local);
        if (Height - firstPending > MaxPending && !Spills) ReadPending();
        Add(OperandKind.Local, localIsRef[local]).Local = local;
    }

    /// <summary>Reads a local that is about to be written, for the operands below the topmost that are reads of it.</summary>
    private void BeforeWrite(int local)
    {
        // Constants that lie above them are looked through as well.
        if (Height - firstPending > MaxPending)
        {
            ReadPending();
            return;
        }
        for (int i = firstPending; i < Height - 1; i++)
        {
            ref RegisterOperand operand = ref operands[i];
            if (operand.Kind != OperandKind.Local || operand.Local != local) continue;
            if (Spills) Spill(ref operand, localSlots[local]);
            else ToHome(ref operand);
        }
    }

    internal void LocalSet(int local)
    {
        StoreLocal(local);
        Pop();
    }

    internal void LocalTee(int local)
    {
        StoreLocal(local);
        if (Top().Kind == OperandKind.Const) return;
        Release(Top());
        Top().Kind = OperandKind.Local;
        Top().Local = local;
        firstPending = Math.Min(firstPending, Height - 1);
        firstElsewhere = Math.Min(firstElsewhere, Height - 1);
        // The operand is in the local now, and nothing has written its home.
        producer = -1;
        if (Height - firstPending > MaxPending && !Spills) ReadPending();
    }

    private void StoreLocal(int local)
    {
        ref RegisterOperand top = ref Top();
        Zeros.Write(local);
        if (top.Kind == OperandKind.Local && top.Local == local) return;
        int before = code.Count;
        BeforeWrite(local);
        if (IsTopFresh && before == code.Count)
        {
            Instruction instruction = code[producer];
            instruction.A = (ushort)localSlots[local];
            code[producer] = instruction;
            producer = -1;
            return;
        }
        Load(top, localSlots[local]);
    }
}
