using WasmJit.Jit.Binary;

namespace WasmJit.Jit.Validation;

/// <summary>The locals of a function that is validated: their types, and which of them have a value by now.</summary>
internal sealed class LocalTypes(ModuleInfo module, CodePosition position)
{
    /// <summary>How many locals are always listed one by one; one more is listed for each byte of the function.</summary>
    private const int DirectLocals = 256;

    private readonly List<LocalRun> runs = new(4);

    /// <summary>What each local is: enough for a number, which always has a value.</summary>
    private ValKind[] kinds = new ValKind[64];
    private int count;

    /// <summary>The types of locals that are references, and which of them have a value by now.</summary>
    private ValType[] references = new ValType[1];
    private bool[] initialised = new bool[1];

    /// <summary>
    /// A run of locals that are declared in few bytes, and where it ends: a function that is smaller than the number of its locals cannot
    /// use them all, and pays for those alone that it uses.
    /// </summary>
    private readonly List<(int End, ValType Type)> ends = new(4);

    /// <summary>The locals that begin without a value and have one by now, in functions whose locals are not all listed.</summary>
    private readonly HashSet<int> written = [];

    /// <summary>Locals that begin without a value, in the order in which they were written first.</summary>
    private readonly List<int> log = [];

    /// <summary>How many locals have been written first in open blocks.</summary>
    internal int Written => log.Count;

    /// <summary>For constant expressions: there are none.</summary>
    internal void Clear()
    {
        count = 0;
        ends.Clear();
        log.Clear();
    }

    /// <summary>Reads the declarations of a function's locals; gives where its code begins.</summary>
    internal int Declare(int index)
    {
        FuncInfo func = module.Funcs[index];
        int code = ModuleDecoder.ReadLocals(module, func, runs);
        ends.Clear();
        written.Clear();
        log.Clear();
        int parameters = func.Func.Params.Length, all = parameters;
        foreach (LocalRun run in runs)
        {
            if (module.Features != Features.All) FeatureValidator.Check(module, run.Type, func.BodyStart);
            all += run.Count;
            ends.Add((all, run.Type));
        }
        bool isDirect = all <= DirectLocals + (func.BodyEnd - func.BodyStart);
        count = isDirect ? all : parameters;
        if (kinds.Length < count) kinds = new ValKind[count];
        int next = 0;
        foreach (ref readonly ValType type in func.Func.Params.AsSpan()) Add(type, ref next, 1, isInitialised: true);
        if (isDirect)
        {
            foreach (LocalRun run in runs) Add(run.Type, ref next, run.Count, run.Type.IsDefaultable);
        }
        return code;
    }

    private void Add(in ValType type, ref int next, int number, bool isInitialised)
    {
        // Loops: images have no code for filling spans.
        int end = next + number;
        ValKind kind = type.Kind;
        if (kind == ValKind.Ref)
        {
            if (references.Length < count)
            {
                Array.Resize(ref references, count);
                Array.Resize(ref initialised, count);
            }
            for (int i = next; i < end; i++)
            {
                references[i] = type;
                initialised[i] = isInitialised;
            }
        }
        for (ValKind[] all = kinds; next < end; next++) all[next] = kind;
    }

    /// <summary>What the locals are that are listed one by one, and whatever lies behind them; there is always a first element.</summary>
    internal ValKind[] Kinds => kinds;

    /// <summary>How many locals are listed.</summary>
    internal int Listed => count;

    /// <summary>The declared type of a local.</summary>
    internal ValType TypeOf(uint index) =>
        index >= (uint)count ? LocalInRun(index) : kinds[index] == ValKind.Ref ? references[index] : ValType.OfNumber(kinds[index]);

    private ValType LocalInRun(uint index)
    {
        int low = 0, high = ends.Count;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (index < (uint)ends[middle].End) high = middle;
            else low = middle + 1;
        }
        if (low == ends.Count) throw position.Error($"unknown local {index}");
        return ends[low].Type;
    }

    /// <summary>A local gets a value.</summary>
    internal void Write(uint local)
    {
        if (local >= (uint)count)
        {
            if (!LocalInRun(local).IsDefaultable && written.Add((int)local)) log.Add((int)local);
            return;
        }
        if (kinds[local] != ValKind.Ref || initialised[local]) return;
        initialised[local] = true;
        log.Add((int)local);
    }

    /// <summary>Whether a local has a value.</summary>
    internal bool HasValue(uint local, ValType type) =>
        local < (uint)count ? !type.IsRef || initialised[local] : type.IsDefaultable || written.Contains((int)local);

    /// <summary>At the end of a block: locals that were written first in it have no value again.</summary>
    /// <param name="height">What <see cref="Written"/> was at its beginning.</param>
    internal void Forget(int height)
    {
        for (int i = log.Count - 1; i >= height; i--)
        {
            if (log[i] < count) initialised[log[i]] = false;
            else written.Remove(log[i]);
        }
        log.RemoveRange(height, log.Count - height);
    }
}
