using WasmJit.Jit.Format;
using WasmJit.Runtime;

namespace WasmJit.Jit.Interpreter;

/// <summary>
/// What is different in functions that have more operands than an instruction can name slots. There a height of the operand stack has no home.
/// Constants and reads of locals have no slot; results get the slots behind the locals, one after the other. When these are used up, all
/// go to the spill area (<see cref="SpillArea"/>), and each is loaded from there when it is used.
/// </summary>
/// <remarks>
/// What code does in a block must leave the operands below the block where they are, because there are ways around it. So they are all spilled
/// before a block, except for its parameters. Between a conditional branch and what follows nothing changes its place either: what
/// the branch carries is put into slots one behind the other before it (<see cref="BeforeBranch"/>).
/// </remarks>
internal sealed partial class RegisterStack
{
    /// <summary>The slots for results.</summary>
    internal const int UsualSlots = 4096;

    /// <summary>Slots for constants and spilled operands of one operation.</summary>
    private const int Temporaries = 8;

    /// <summary>How many results have slots at a time.</summary>
    private readonly int spillsBeyond;

    /// <summary>The first slots for results.</summary>
    private int resultSlots, resultRefs;

    private int temporary;

    /// <summary>Below this height no operand has a slot.</summary>
    private int firstInSlot;

    /// <summary>How many operands are at each place of the spill area, and up to where there are some.</summary>
    private int[] users = [];
    private int spilled;

    /// <summary>The last instruction if it moves operands to the spill area or from there; otherwise anything.</summary>
    private int lastMove = -1;

    /// <summary>Where the local is that has been spilled for all reads of it that wait, and when.</summary>
    private int[] sharedPlaces = [], sharedIn = [];
    private int sharing;

    private void BeginSpills()
    {
        resultSlots = slots += Temporaries;
        resultRefs = refs += Temporaries;
        MaxSlots = slots;
        MaxRefs = refs;
    }

    private bool HasRoom(int more) => slots + more - resultSlots <= spillsBeyond && refs + more - resultRefs <= spillsBeyond;

    private int Temporary(bool isRef)
    {
        temporary = (temporary + 1) % Temporaries;
        return (isRef ? resultRefs : resultSlots) - 1 - temporary;
    }

    // ---- the spill area ----

    private int NewPlace()
    {
        if (spilled == users.Length) Array.Resize(ref users, Math.Max(64, spilled * 2));
        users[spilled] = 1;
        return spilled++;
    }

    private void Release(in RegisterOperand operand)
    {
        if (operand.Kind != OperandKind.Spilled) return;
        users[operand.Local]--;
        while (spilled > 0 && users[spilled - 1] == 0) spilled--;
    }

    /// <summary>Moves an operand between a slot and the spill area: with the instruction before, if that moves what lies before it.</summary>
    private void MoveSpilled(RegisterOp op, int slot, int place)
    {
        if (lastMove >= 0 && lastMove == code.Count - 1 && !code.EndsWithLabel)
        {
            ref Instruction last = ref code[lastMove];
            if (last.Op == op && last.A + last.Value == slot && last.Target + last.Value == place)
            {
                last.Value++;
                return;
            }
        }
        lastMove = code.Emit(op, slot, imm: RegisterBuffer.Pair(place, 1));
    }

    private void Spill(ref RegisterOperand operand, int slot)
    {
        operand.Kind = OperandKind.Spilled;
        operand.Home = -1;
        operand.Local = NewPlace();
        MoveSpilled(operand.IsRef ? RegisterOp.SpillRefs : RegisterOp.Spill, slot, operand.Local);
    }

    /// <summary>Spills a local once for all operands that are reads of it.</summary>
    private void SpillShared(ref RegisterOperand operand)
    {
        int local = operand.Local;
        if (sharedIn.Length == 0)
        {
            int count = FirstOf(Locals);
            sharedIn = new int[count];
            sharedPlaces = new int[count];
        }
        if (sharedIn[local] == sharing)
        {
            operand.Kind = OperandKind.Spilled;
            operand.Local = sharedPlaces[local];
            operand.Home = -1;
            users[operand.Local]++;
        }
        else
        {
            Spill(ref operand, localSlots[local]);
            sharedIn[local] = sharing;
            sharedPlaces[local] = operand.Local;
        }
    }

    /// <summary>Spills all results that have slots.</summary>
    private void SpillAll()
    {
        SpillResults(Height);
        slots = resultSlots;
        refs = resultRefs;
    }

    private void SpillResults(int end)
    {
        Work += Math.Max(0, end - firstInSlot);
        for (int i = firstInSlot; i < end; i++)
        {
            ref RegisterOperand operand = ref operands[i];
            if (operand.Kind == OperandKind.Home) Spill(ref operand, operand.Home);
            operand.Home = -1;
        }
        firstInSlot = Math.Max(firstInSlot, end);
    }

    /// <summary>Spills the reads of locals that wait, from a height on.</summary>
    private void SpillReads(int first, int end)
    {
        sharing++;
        Work += Math.Max(0, end - first);
        for (int i = first; i < end; i++)
            if (operands[i].Kind == OperandKind.Local) SpillShared(ref operands[i]);
    }

    /// <summary>Before a block: what lies below its parameters stays where it is until the block ends.</summary>
    private void SpillBelow(int parameters)
    {
        int end = Height - parameters;
        SpillReads(firstPending, end);
        firstPending = Math.Max(firstPending, end);
        SpillResults(end);
        if (parameters > 0) return;
        slots = resultSlots;
        refs = resultRefs;
    }

    // ---- operands in a row ----

    /// <summary>Puts the topmost operands into slots one behind the other, with nothing above them.</summary>
    private void Gather(int count)
    {
        if (IsGathered(count, out bool isFirst) && (isFirst || HasRoom(Limits.Results))) return;
        if (!HasRoom(count + Limits.Results)) SpillAll();
        for (int i = Height - count; i < Height; i++)
        {
            ref RegisterOperand operand = ref operands[i];
            int slot = operand.IsRef ? refs++ : slots++;
            Load(operand, slot);
            Release(operand);
            operand.Kind = OperandKind.Home;
            operand.Home = slot;
        }
        firstInSlot = Math.Min(firstInSlot, Height - count);
        producer = -1;
    }

    private bool IsGathered(int count, out bool isFirst)
    {
        int numbers = slots, references = refs;
        isFirst = false;
        for (int i = Height - 1; i >= Height - count; i--)
        {
            ref readonly RegisterOperand operand = ref operands[i];
            if (operand.Kind != OperandKind.Home || operand.Home != (operand.IsRef ? --references : --numbers)) return false;
        }
        isFirst = numbers == resultSlots && references == resultRefs;
        return true;
    }
}
