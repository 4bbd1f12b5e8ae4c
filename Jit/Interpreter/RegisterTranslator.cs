using System.Collections.Immutable;
using System.Runtime.InteropServices;
using WasmJit.Jit.Binary;
using WasmJit.Jit.Operators;
using WasmJit.Runtime;

namespace WasmJit.Jit.Interpreter;

/// <summary>Register code as the translator leaves it.</summary>
internal sealed record RegisterCode(List<Instruction> Code, int Slots, int RefSlots, int FirstZero, int EndZero);

/// <summary>What the translator asks of the module's code.</summary>
internal unsafe interface IRegisterTarget
{
    /// <summary>The state of a function that the module defines.</summary>
    FunctionState* StateOf(int func);

    /// <summary>How functions of a type are called; what it points to lives as long as the code.</summary>
    CallShape* ShapeOf(DefType type);

    /// <summary>The same for functions that are tail called.</summary>
    CallShape* TailShapeOf(DefType type);

    /// <summary>Whether accesses of a memory are compared with its length.</summary>
    bool NeedsChecks(MemoryType memory);

    /// <summary>Whether loops look if they are to stop.</summary>
    bool IsInterruptible { get; }

    /// <summary>Whether functions and loops are charged to the instance's fuel.</summary>
    bool CountsFuel { get; }
}

/// <summary>
/// Translates a validated function into register code, in one pass. Locals have slots, and so has each height of the operand
/// stack, its <em>home</em>; constants and reads of locals are not moved there before something needs them in place: labels and
/// calls. Operations take locals and constants directly, and a result goes straight to the local that it is stored in.
/// </summary>
internal sealed unsafe partial class RegisterTranslator
{
    private enum Kind : byte
    {
        /// <summary>In its home.</summary>
        Home,

        /// <summary>A local that has not been read yet.</summary>
        Local,

        /// <summary>A constant, of references null.</summary>
        Const,
    }

    private struct Item
    {
        internal Kind Kind;
        internal bool IsRef;
        internal int Home;

        /// <summary>Of a local: its index.</summary>
        internal int Local;
        internal long Bits;
    }

    private struct Frame
    {
        internal OpId Kind;
        internal ImmutableArray<ValType> Start;
        internal ImmutableArray<ValType> End;

        /// <summary>Labels: of the block, and of the else branch (-1 if there is none).</summary>
        internal int Label, ElseLabel;

        /// <summary>The operands below the block, and the homes of the first above.</summary>
        internal int Height, Slots, Refs;
        internal bool IsTargeted, Unreachable;
    }

    /// <summary>More reads of locals than this do not wait: each write has to look through them.</summary>
    private const int MaxPending = 64;

    /// <summary>A function with something that has no register code is compiled.</summary>
    private sealed class UncoveredException : Exception;

    private readonly ModuleInfo module;
    private readonly FuncInfo func;
    private readonly IRegisterTarget target;
    private readonly List<Instruction> code = new(64);

    /// <summary>Where labels are, -1 before they are known.</summary>
    private readonly List<int> labels = [];

    /// <summary>Instructions whose target is the number of a label.</summary>
    private readonly List<int> branches = [];

    /// <summary>Entries of branch tables: the instruction, which entry, and the label.</summary>
    private readonly List<(int At, int Entry, int Label)> entries = [];

    private readonly int[] localSlots;
    private readonly bool[] localIsRef;
    private Item[] items = new Item[32];
    private int height;
    private Frame[] frames = new Frame[16];
    private int depth;
    private int skipped;

    /// <summary>Below this height no operand is a read of a local that waits.</summary>
    private int firstPending;

    /// <summary>Below this height every operand is in its home.</summary>
    private int firstElsewhere;

    /// <summary>The next free homes, and the most there ever were.</summary>
    private int slots, refs, maxSlots, maxRefs;

    /// <summary>The last instruction if it makes the topmost operand, in its home; otherwise -1.</summary>
    private int producer = -1;

    /// <summary>
    /// What a function of some bytes may become. A branch of two bytes that carries a thousand values is a thousand instructions of 16 bytes;
    /// what is more than this is the compiler's, which has a limit too.
    /// </summary>
    private const int InstructionsOfAny = 250_000, InstructionsPerByte = 16;

    private readonly int maxInstructions;

    /// <summary>What of each open loop is charged at its head, and where; the first is the function.</summary>
    private readonly List<(int At, long Units)> charges = [];

    private RegisterTranslator(ModuleInfo module, int index, IRegisterTarget target)
    {
        this.module = module;
        this.target = target;
        func = module.Funcs[index];
        maxInstructions = (int)Math.Min(int.MaxValue, InstructionsOfAny + ((long)InstructionsPerByte * (func.BodyEnd - func.CodeStart)));
        int count = func.Func.Params.Length;
        foreach (LocalRun run in func.Locals) count += run.Count;
        localSlots = new int[count];
        localIsRef = new bool[count];
        int next = 0;
        foreach (ValType type in func.Func.Params) AddLocal(next++, type);
        foreach (LocalRun run in func.Locals)
            for (int i = 0; i < run.Count; i++) AddLocal(next++, run.Type);
        foreach (ValType type in func.Func.Results) Cover(type);
    }

    private static void Cover(ValType type)
    {
        if (type.Kind == ValKind.V128) throw new UncoveredException();
    }

    private void AddLocal(int local, ValType type)
    {
        Cover(type);
        localIsRef[local] = type.IsRef;
        localSlots[local] = type.IsRef ? refs++ : slots++;
        maxSlots = slots;
        maxRefs = refs;
    }

    /// <summary>The register code of a function; null if it has something that only machine code does.</summary>
    internal static RegisterCode? TryTranslate(ModuleInfo module, int index, IRegisterTarget target)
    {
        try
        {
            return new RegisterTranslator(module, index, target).Run();
        }
        catch (UncoveredException)
        {
            return null;
        }
    }

    private RegisterCode? Run()
    {
        int firstZero = 0;
        foreach (ValType type in func.Func.Params) firstZero += type.IsRef ? 0 : 1;
        int endZero = slots;
        PushFrame(OpId.Block, [], func.Func.Results);
        if (target.CountsFuel) charges.Add((Emit(RegisterOp.Charge), 0));
        var reader = new CodeReader(module.Bytes.Span, func.CodeStart, func.BodyEnd);
        while (depth > 0)
        {
            reader.Read(out Instr instr);
            if (frames[depth - 1].Unreachable)
            {
                Skip(instr);
                continue;
            }
            if (target.CountsFuel) Count(instr);
            Translate(ref reader, instr);
        }
        // Results of calls and moves of results may need more than operands did.
        foreach (ValType type in func.Func.Results) Grow(ref maxSlots, ref maxRefs, type);
        if (maxSlots > ushort.MaxValue || maxRefs > ushort.MaxValue) return null;
        Span<Instruction> all = CollectionsMarshal.AsSpan(code);
        foreach (int at in branches) all[at].Target = labels[all[at].Target] - at;
        foreach ((int at, int entry, int label) in entries) TableEntry(all, at, entry) = labels[label] - at;
        RegisterPairs.Join(all);
        return new RegisterCode(code, maxSlots, maxRefs, firstZero, endZero);
    }

    private static void Grow(ref int slots, ref int refs, ValType type)
    {
        if (type.IsRef) refs++;
        else slots++;
    }

    private static ref int TableEntry(Span<Instruction> all, int at, int entry) =>
        ref MemoryMarshal.Cast<Instruction, int>(all[(at + 1)..])[entry];

    private void Skip(in Instr instr)
    {
        if (instr.Op.Has(OpTraits.Opens)) skipped++;
        else if (skipped > 0 && instr.Op.Has(OpTraits.Closes)) skipped--;
        else if (skipped > 0) return;
        else if (instr.Id == OpId.End) End();
        else if (instr.Id == OpId.Else) Else();
    }

    // ---- fuel: as the emitter counts it ----

    private void Count(in Instr instr)
    {
        int values = FuelCosts.LabelOf(instr) is { } label ? LabelTypes(Label(label)).Length
            : FuelCosts.EndsPart(instr) ? frames[depth - 1].End.Length : 0;
        (int at, long units) = charges[^1];
        charges[^1] = (at, units + FuelCosts.Known(instr, module, func, values));
    }

    /// <summary>All that the innermost loop, or the function, is charged for is known.</summary>
    private void EndCharge(long more)
    {
        (int at, long units) = charges[^1];
        Instruction instruction = code[at];
        instruction.Imm = Math.Min(units + more, int.MaxValue);
        code[at] = instruction;
        charges.RemoveAt(charges.Count - 1);
    }

    /// <summary>Charges a bulk operator by its topmost operand.</summary>
    private void ChargeTop(in Instr instr, bool is64)
    {
        if (!target.CountsFuel) return;
        RegisterOp op = instr.Op.Cost.Unit == CostUnit.Bytes ? RegisterOp.ChargeBytes : RegisterOp.ChargeItems;
        ToHomes(1);
        Emit(op, Top().Home, c: is64 ? 1 : 0);
    }

    // ---- instructions ----

    /// <summary>Adds an instruction; slots beyond what its members can say are found at the end.</summary>
    private int Emit(RegisterOp op, int a = 0, int b = 0, int c = 0, long imm = 0)
    {
        if (code.Count >= maxInstructions) throw new UncoveredException();
        code.Add(new Instruction { Op = op, A = (ushort)a, B = (ushort)b, C = (ushort)c, Imm = imm });
        return code.Count - 1;
    }

    private static long Pair(int target, int value) => (uint)target | ((long)value << 32);

    private int DefineLabel()
    {
        labels.Add(-1);
        return labels.Count - 1;
    }

    private void Mark(int label)
    {
        labels[label] = code.Count;
        producer = -1;
    }

    private void Branch(RegisterOp op, int label, int a = 0, int b = 0, int value = 0) => branches.Add(Emit(op, a, b, 0, Pair(label, value)));

    // ---- operands ----

    private ref Item Top(int fromTop = 0) => ref items[height - 1 - fromTop];

    private void Push(Item item)
    {
        if (height == items.Length) Array.Resize(ref items, height * 2);
        item.Home = item.IsRef ? refs++ : slots++;
        maxSlots = Math.Max(maxSlots, slots);
        maxRefs = Math.Max(maxRefs, refs);
        items[height++] = item;
    }

    /// <summary>Pushes an operand that is in its home already.</summary>
    private void PushHome(ValType type)
    {
        Cover(type);
        Push(new Item { Kind = Kind.Home, IsRef = type.IsRef });
    }

    /// <summary>Pushes the result of an operation, and gives the instruction its slot.</summary>
    private void PushResult(bool isRef, RegisterOp op, int b = 0, int c = 0, long imm = 0)
    {
        Push(new Item { Kind = Kind.Home, IsRef = isRef });
        producer = Emit(op, Top().Home, b, c, imm);
    }

    /// <summary>Whether the last instruction made the topmost operand.</summary>
    private bool IsTopFresh => producer >= 0 && producer == code.Count - 1 && Top().Kind == Kind.Home;

    private Item Pop()
    {
        Item item = items[--height];
        // What is topmost now was made before what is taken: by another instruction.
        producer = -1;
        if (item.IsRef) refs = item.Home;
        else slots = item.Home;
        if (firstPending > height) firstPending = height;
        if (firstElsewhere > height) firstElsewhere = height;
        return item;
    }

    /// <summary>The slot of an operand for an operation; a constant is put into its home first.</summary>
    private int SlotOf(in Item item)
    {
        switch (item.Kind)
        {
            case Kind.Home: return item.Home;
            case Kind.Local: return localSlots[item.Local];
            default:
                Load(item, item.Home);
                return item.Home;
        }
    }

    /// <summary>Puts an operand into a slot.</summary>
    private void Load(in Item item, int slot)
    {
        switch (item.Kind)
        {
            case Kind.Const when item.IsRef: Emit(RegisterOp.NullRef, slot); break;
            case Kind.Const: Emit(RegisterOp.F64Const, slot, imm: item.Bits); break;
            default:
                int from = item.Kind == Kind.Home ? item.Home : localSlots[item.Local];
                if (from != slot) Emit(item.IsRef ? RegisterOp.MoveRef : RegisterOp.Move, slot, from);
                break;
        }
    }

    private void ToHome(ref Item item)
    {
        if (item.Kind == Kind.Home) return;
        Load(item, item.Home);
        item.Kind = Kind.Home;
    }

    /// <summary>Puts the topmost operands into their homes.</summary>
    private void ToHomes(int count)
    {
        for (int i = height - count; i < height; i++) ToHome(ref items[i]);
    }

    /// <summary>
    /// Puts all operands into their homes before a block: where something inside of it did so with one below, only the ways through that place
    /// would have it there.
    /// </summary>
    private void AllToHomes()
    {
        for (int i = firstElsewhere; i < height; i++) ToHome(ref items[i]);
        firstElsewhere = firstPending = height;
    }

    /// <summary>Reads all locals that have been named: what follows may write them on one way and not on another.</summary>
    private void ReadPending()
    {
        for (int i = firstPending; i < height; i++)
            if (items[i].Kind == Kind.Local) ToHome(ref items[i]);
        firstPending = height;
    }

    private void LocalGet(int local)
    {
        if (height - firstPending > MaxPending) ReadPending();
        Push(new Item { Kind = Kind.Local, IsRef = localIsRef[local], Local = local });
    }

    /// <summary>Reads a local where it has been named below the topmost operand: it is about to be written.</summary>
    private void BeforeWrite(int local)
    {
        for (int i = firstPending; i < height - 1; i++)
            if (items[i].Kind == Kind.Local && items[i].Local == local) ToHome(ref items[i]);
    }

    private void LocalSet(int local)
    {
        StoreLocal(local);
        Pop();
    }

    private void LocalTee(int local)
    {
        StoreLocal(local);
        if (Top().Kind == Kind.Const) return;
        Top().Kind = Kind.Local;
        Top().Local = local;
        firstPending = Math.Min(firstPending, height - 1);
        firstElsewhere = Math.Min(firstElsewhere, height - 1);
        // Whoever reads it reads the local, which nothing has made the home's.
        producer = -1;
        if (height - firstPending > MaxPending) ReadPending();
    }

    private void StoreLocal(int local)
    {
        ref Item top = ref Top();
        if (top.Kind == Kind.Local && top.Local == local) return;
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

    private void Select()
    {
        Item condition = Pop(), second = Pop(), first = Pop();
        int test = SlotOf(condition), b = SlotOf(first), c = SlotOf(second);
        PushResult(first.IsRef, first.IsRef ? RegisterOp.SelectRef : RegisterOp.Select, b, c, Pair(test, 0));
    }
}
