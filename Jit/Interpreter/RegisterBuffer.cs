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

    private readonly int maxInstructions;

    /// <summary>Instructions of a function that has been translated: the next one is written over them.</summary>
    [ThreadStatic]
    private static Instruction[]? spare;
    private const int MostKept = 1 << 16;

    private Instruction[] code;

    /// <summary>Where labels are, -1 before they are known.</summary>
    private readonly List<int> labels = [];

    /// <summary>Instructions whose target is the number of a label.</summary>
    private readonly List<int> branches = [];

    /// <summary>Entries of branch tables: the instruction, which entry, and the label.</summary>
    private List<(int At, int Entry, int Label)>? entries;

    /// <summary>Where the last label was marked.</summary>
    private int lastLabel = -1;

    internal RegisterBuffer(int bodyBytes)
    {
        maxInstructions = (int)Math.Min(int.MaxValue, InstructionsOfAny + ((long)InstructionsPerByte * bodyBytes));
        code = spare ?? new Instruction[256];
        spare = null;
    }

    internal int Count { get; private set; }

    /// <summary>Whether a label is at the end. Branches to it skip the last instruction.</summary>
    internal bool EndsWithLabel => lastLabel == Count;

    internal ref Instruction this[int at] => ref code[at];

    /// <summary>Two numbers for the upper half of an instruction.</summary>
    internal static long Pair(int target, int value) => (uint)target | ((long)value << 32);

    /// <summary>Adds an instruction. Slots that its members cannot hold are found when the translator ends.</summary>
    /// <returns>Where it stands.</returns>
    internal int Emit(RegisterOp op, int a = 0, int b = 0, int c = 0, long imm = 0) =>
        Emit(new Instruction { Op = op, A = (ushort)a, B = (ushort)b, C = (ushort)c, Imm = imm });

    private int Emit(in Instruction instruction)
    {
        int at = Count;
        if (at >= maxInstructions) throw new UncoveredException();
        EmitWord(instruction);
        return at;
    }

    /// <summary>Adds the 16 bytes that belong to the last instruction.</summary>
    internal void EmitWord(in Instruction word)
    {
        if (Count == code.Length) Array.Resize(ref code, Count * 2);
        code[Count++] = word;
    }

    /// <summary>Takes the last instruction away. No label and no branch refers to it.</summary>
    internal void RemoveLast() => Count--;

    internal int DefineLabel()
    {
        labels.Add(-1);
        return labels.Count - 1;
    }

    internal void Mark(int label) => labels[label] = lastLabel = Count;

    internal void Branch(RegisterOp op, int label) => Branch(new Instruction { Op = op }, label);

    /// <summary>Adds a branch that has everything but its target.</summary>
    internal void Branch(Instruction branch, int label)
    {
        branch.Target = label;
        branches.Add(Emit(branch));
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

    /// <summary>The code with distances in place of labels.</summary>
    internal Instruction[] Finish()
    {
        Span<Instruction> all = code.AsSpan(0, Count);
        foreach (int at in branches) all[at].Target = labels[all[at].Target] - at;
        if (entries is not null)
        {
            foreach ((int at, int entry, int label) in entries)
                MemoryMarshal.Cast<Instruction, int>(all[(at + 1)..])[entry] = labels[label] - at;
        }
        RegisterPairs.Join(all);
        return code;
    }

    /// <summary>Finished code has been copied: what it was written into is used again.</summary>
    internal static void GiveBack(Instruction[] code) => spare = code.Length <= MostKept ? code : null;
}
