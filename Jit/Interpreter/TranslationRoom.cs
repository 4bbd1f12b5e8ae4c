using WasmJit.Runtime;

namespace WasmJit.Jit.Interpreter;

/// <summary>
/// The arrays of a translation. A thread that has translated a function uses them for the next one: programs translate thousands of small
/// functions when they start, once each.
/// </summary>
internal sealed class TranslationRoom
{
    private const int MostKept = 1 << 16;

    [ThreadStatic]
    private static TranslationRoom? spare;

    internal Instruction[] Code = new Instruction[1024];
    internal RegisterOperand[] Operands = new RegisterOperand[64];
    internal RegisterTranslator.Frame[] Frames = new RegisterTranslator.Frame[32];

    /// <summary>How many frames have been used.</summary>
    internal int UsedFrames;

    /// <summary>The slots of locals, which of them are references, and which have been written.</summary>
    internal int[] LocalSlots = new int[64];
    internal bool[] LocalIsRef = new bool[64], LocalIsWritten = new bool[64];

    /// <summary>Locals that were first written in open blocks.</summary>
    internal int[] Written = new int[64];

    /// <summary>Where labels are, -1 before they are known.</summary>
    internal int[] Labels = new int[64];

    /// <summary>Instructions whose target is the number of a label.</summary>
    internal int[] Branches = new int[64];

    /// <summary>The most calls of a function that are looked at.</summary>
    private const int MostCallees = 1 << 12;

    /// <summary>Functions of the module that the function calls and that are not translated yet.</summary>
    private int[] calleeList = new int[64];
    private int callees;

    internal void AddCallee(int func)
    {
        if (callees < MostCallees) Add(ref calleeList, ref callees, func);
    }

    /// <summary>A longer <see cref="Operands"/>, after which few more will follow.</summary>
    internal RegisterOperand[] MoreOperands()
    {
        int length = Operands.Length;
        RegisterOperand[] longer = GC.AllocateUninitializedArray<RegisterOperand>(length < MostKept / 2 ? length * 2 : length * 4);
        Operands.AsSpan().CopyTo(longer);
        return Operands = longer;
    }

    internal ReadOnlySpan<int> FoundCallees => calleeList.AsSpan(0, callees);

    internal static TranslationRoom Take()
    {
        TranslationRoom room = spare ?? new TranslationRoom();
        spare = null;
        return room;
    }

    /// <summary>The contents of the arrays are not needed any more.</summary>
    internal void GiveBack()
    {
        // The types of blocks belong to their module.
        Array.Clear(Frames, 0, UsedFrames);
        UsedFrames = 0;
        callees = 0;
        if (Code.Length + Operands.Length + Labels.Length + Branches.Length + calleeList.Length + LocalSlots.Length + Written.Length + Frames.Length <= MostKept) spare = this;
    }

    /// <summary>Adds a number to a list.</summary>
    internal static void Add(ref int[] list, ref int count, int value)
    {
        if (count == list.Length) Array.Resize(ref list, count * 2);
        list[count++] = value;
    }
}
