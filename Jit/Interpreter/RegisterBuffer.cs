using System.Runtime.InteropServices;
using WasmJit.Runtime;

namespace WasmJit.Jit.Interpreter;

/// <summary>The instructions of a function while they are written. Branches name labels, which <see cref="Finish"/> turns into distances.</summary>
internal sealed class RegisterBuffer
{
    /// <summary>
    /// How much register code a function may become. It is never more than a few instructions for a byte, as a branch that carries a thousand values
    /// moves them with two. A function with more than this all the same is compiled.
    /// </summary>
    private const int InstructionsOfAny = 1000, InstructionsPerByte = 12;

    /// <summary>
    /// A function of at least this many bytes gets an array of its own, so that its code need not be copied. The array begins with an instruction for so many
    /// bytes; what is not written takes no memory.
    /// </summary>
    private const int LargeBody = 64 << 10, BytesOfInstruction = 2;

    private readonly int maxInstructions;

    private readonly TranslationRoom room;
    private readonly bool isOwn;
    private Instruction[] all;
    private int limit, labels, branches;

    /// <summary>Entries of branch tables: the instruction, which entry, and the label.</summary>
    private List<(int At, int Entry, int Label)>? entries;

    /// <summary>Handlers of exceptions, those of inner tries first.</summary>
    private List<(TryBlock Of, HandlerTraits Traits, int Tag, int Numbers, int References, int Label)>? handlers;

    /// <summary>Where the last label was marked.</summary>
    private int lastLabel = -1;

    internal RegisterBuffer(int bodyBytes, TranslationRoom room)
    {
        maxInstructions = (int)Math.Min(int.MaxValue, InstructionsOfAny + ((long)InstructionsPerByte * bodyBytes));
        this.room = room;
        isOwn = bodyBytes >= LargeBody;
        all = isOwn ? NewArray(bodyBytes / BytesOfInstruction) : room.Code;
        limit = Math.Min(all.Length, maxInstructions);
    }

    private static unsafe Instruction[] NewArray(int length)
    {
        Instruction[] made = GC.AllocateUninitializedArray<Instruction>(length, pinned: true);
        fixed (Instruction* first = made) Pages.PreferLarge((byte*)first, (ulong)length * (ulong)sizeof(Instruction));
        return made;
    }

    /// <summary>Whether the code is in a pinned array of its own, a good part of which it needs.</summary>
    internal bool IsOwn => isOwn && Count >= all.Length / 4;

    internal int Count { get; private set; }

    /// <summary>The offset of the operator that is being translated.</summary>
    internal int Source { get; set; }

    /// <summary>For each instruction its <see cref="Source"/>; null if sources are not wanted.</summary>
    internal List<int>? Sources { get; set; }

    /// <summary>Whether a label is at the end. Branches to it skip the last instruction.</summary>
    internal bool EndsWithLabel => lastLabel == Count;

    internal ref Instruction this[int at] => ref all[at];

    /// <summary>Two numbers for the upper half of an instruction.</summary>
    internal static long Pair(int target, int value) => (uint)target | ((long)value << 32);

    /// <summary>Adds an instruction. Slots that its members cannot hold are found when the translator ends.</summary>
    /// <returns>Where it stands.</returns>
    internal int Emit(RegisterOp op, int a = 0, int b = 0, int c = 0, long imm = 0)
    {
        int at = Count;
        if (at >= limit) Grow();
        ref Instruction instruction = ref all[at];
        instruction.Head = (ulong)op | ((ulong)(ushort)a << 16) | ((ulong)(ushort)b << 32) | ((ulong)(ushort)c << 48);
        instruction.Imm = imm;
        Count = at + 1;
        Sources?.Add(Source);
        return at;
    }

    /// <summary>Adds the 16 bytes that belong to the last instruction.</summary>
    internal void EmitWord(in Instruction word)
    {
        if (Count >= limit) Grow();
        all[Count++] = word;
        Sources?.Add(Source);
    }

    private void Grow()
    {
        if (Count >= maxInstructions) throw new UncoveredException("too much register code");
        var longer = (int)Math.Min((long)all.Length * 2, Array.MaxLength);
        if (isOwn)
        {
            Instruction[] more = NewArray(longer);
            all.AsSpan(0, Count).CopyTo(more);
            all = more;
        }
        else
        {
            Array.Resize(ref room.Code, longer);
            all = room.Code;
        }
        limit = Math.Min(all.Length, maxInstructions);
    }

    /// <summary>Takes the last instruction away. No label and no branch refers to it.</summary>
    internal void RemoveLast()
    {
        Count--;
        Sources?.RemoveAt(Count);
    }

    internal int DefineLabel()
    {
        TranslationRoom.Add(ref room.Labels, ref labels, -1);
        return labels - 1;
    }

    internal void Mark(int label) => room.Labels[label] = lastLabel = Count;

    internal void Branch(RegisterOp op, int label) => Branch(new Instruction { Op = op }, label);

    /// <summary>Adds a branch that has everything but its target.</summary>
    internal void Branch(Instruction branch, int label)
    {
        branch.Target = label;
        TranslationRoom.Add(ref room.Branches, ref branches, Count);
        EmitWord(branch);
    }

    /// <summary>Adds a branch by a number in a slot, with a table of so many entries and one for all other numbers.</summary>
    /// <returns>Where it stands, for <see cref="SetTableEntry"/>.</returns>
    internal int BranchTable(int slot, int count)
    {
        int at = Emit(RegisterOp.BrTable, slot, imm: count);
        for (int places = RegisterPairs.TableLength(count + 1); places > 0; places--) EmitWord(default);
        return at;
    }

    internal void SetTableEntry(int at, int entry, int label) => (entries ??= []).Add((at, entry, label));

    /// <summary>Adds a handler of exceptions.</summary>
    /// <param name="of">The try, whose body has ended.</param>
    /// <param name="traits">What it does.</param>
    /// <param name="tag">The tag, or the number of another try.</param>
    /// <param name="numbers">Where numbers go.</param>
    /// <param name="references">Where references go.</param>
    /// <param name="label">Where the code goes on; -1 if it does not.</param>
    internal void AddHandler(TryBlock of, HandlerTraits traits, int tag, int numbers, int references, int label) =>
        (handlers ??= []).Add((of, traits, tag, numbers, references, label));

    /// <summary>After <see cref="Finish"/>: where behind the instructions the handlers are; 0 if there are none.</summary>
    internal int HandlersAt { get; private set; }

    private void WriteHandlers()
    {
        if (handlers is null) return;
        HandlersAt = Count;
        foreach ((TryBlock of, HandlerTraits traits, int tag, int numbers, int references, int label) in handlers)
        {
            Emit(RegisterOp.Handler, (int)traits, numbers, references, Pair(of.From, of.To));
            Emit(RegisterOp.Handler, of.Number, of.Number >> 16, 0, Pair(label < 0 ? 0 : room.Labels[label], tag));
        }
        Emit(RegisterOp.Handler, (int)HandlerTraits.End);
    }

    /// <summary>The code with distances in place of labels, and the handlers behind it: the first <see cref="Count"/> elements.</summary>
    internal Instruction[] Finish()
    {
        Span<Instruction> made = all.AsSpan(0, Count);
        int[] places = room.Labels;
        foreach (int at in room.Branches.AsSpan(0, branches)) made[at].Target = places[made[at].Target] - at;
        if (entries is not null)
        {
            foreach ((int at, int entry, int label) in entries)
                MemoryMarshal.Cast<Instruction, int>(made[(at + 1)..])[entry] = places[label] - at;
        }
        RegisterPairs.Join(made);
        WriteHandlers();
        return all;
    }
}
