using WasmJit.Jit.Il;

namespace WasmJit.Jit.Emit;

/// <summary>
/// Gives interpreters written in WebAssembly, whose loops begin with a switch, a switch for each way back. RyuJIT never copies what many branches lead to. But a jump through a table costs
/// a processor least where it can tell from the jump's own address what came before, and the branch to the head is saved.
/// </summary>
internal static class Dispatches
{
    /// <summary>The most instructions from the head of a loop to its switch, with what polls and fuel take there.</summary>
    private const int LongestHead = 48;

    /// <summary>Fewer branches back, or fewer targets, are no interpreter.</summary>
    private const int FewestBranches = 4, FewestTargets = 4;

    /// <summary>How much longer code may be that asserts what it relies on.</summary>
    private const int Asserting = 8;

    /// <summary>The most arms of all copies of a function, and the most instructions in them.</summary>
    private const int MostArms = 1 << 14, MostInstructions = 1 << 13;

    /// <summary>Puts copies of the code between a loop's head and its switch in the place of branches to the head.</summary>
    /// <param name="il">The finished IL of a function.</param>
    /// <param name="loads">The instructions that load more than a byte without a check, and their widths; those of copies are added.</param>
    /// <param name="arguments">How many arguments the method has.</param>
    /// <param name="bytes">How much WebAssembly it stands for.</param>
    /// <param name="verifies">Whether the code asserts what the emitter relied on.</param>
    internal static void Repeat(IlBuffer il, List<(int Node, int Width)> loads, int arguments, int bytes, bool verifies)
    {
        // Leaving a protected region is more than a branch.
        if (!il.HasSwitch || il.HasRegions || Find(il, verifies ? Asserting : 1) is not { Count: > 0 } found) return;
        if (Outliner.ExceedsLimits(il, arguments) || JitCost.IsTooDear(il, bytes)) return;
        IlBuffer.State before = il.Save();
        int loadsBefore = loads.Count;
        var widths = loads.ToDictionary(load => load.Node, load => load.Width);
        var changed = new List<(int At, int Next)>();
        foreach (Dispatch dispatch in found)
        {
            foreach (int at in dispatch.Branches)
            {
                changed.Add((at, il.After(at)));
                Copy(il, dispatch, at, loads, widths);
            }
        }
        if (!Outliner.ExceedsLimits(il, arguments) && !JitCost.IsTooDear(il, bytes)) return;
        changed.Reverse();
        il.Restore(before, changed);
        loads.RemoveRange(loadsBefore, loads.Count - loadsBefore);
    }

    /// <summary>The head of a loop that ends in a switch.</summary>
    /// <param name="Head">The position of the loop's label.</param>
    /// <param name="End">The branch behind the switch.</param>
    /// <param name="Branches">The positions in front of the branches back.</param>
    private sealed record Dispatch(int Head, int End, List<int> Branches);

    /// <summary>The dispatches that are copied, in the order of their heads.</summary>
    /// <param name="il">The IL.</param>
    /// <param name="scale">How much longer their code may be.</param>
    private static List<Dispatch> Find(IlBuffer il, int scale)
    {
        var found = new List<Dispatch>();
        var byLabel = new Dictionary<int, Dispatch>();
        var ends = new HashSet<int>();
        int before = IlBuffer.Start;
        for (int node = il.After(before); node != 0; before = node, node = il.After(node))
        {
            ref readonly IlBuffer.Node n = ref il[node];
            if (n.Form == IlBuffer.Form.Mark)
            {
                if (EndOf(il, node, LongestHead * scale) is not (> 0 and var end)) continue;
                var dispatch = new Dispatch(node, end, []);
                found.Add(dispatch);
                byLabel[(int)n.Number] = dispatch;
                ends.Add(end);
            }
            // A branch behind a switch belongs to what is copied.
            else if (n.Op == IlOp.Br && n.Form == IlBuffer.Form.Label && il.After(node) != 0 && !ends.Contains(node) && byLabel.TryGetValue((int)n.Number, out Dispatch? back))
            {
                back.Branches.Add(before);
            }
        }
        found.RemoveAll(dispatch => dispatch.Branches.Count < FewestBranches);
        RemoveWhatIsTooMuch(il, found, scale);
        return found;
    }

    private static void RemoveWhatIsTooMuch(IlBuffer il, List<Dispatch> found, int scale)
    {
        long arms = 0, instructions = 0;
        // Inner loops come last, and first into what is allowed.
        for (int i = found.Count - 1; i >= 0; i--)
        {
            (int ownArms, int length) = Measure(il, found[i]);
            int copies = found[i].Branches.Count;
            if (arms + ((long)ownArms * copies) > MostArms || instructions + ((long)length * copies) > MostInstructions * scale)
            {
                found.RemoveAt(i);
                continue;
            }
            arms += (long)ownArms * copies;
            instructions += (long)length * copies;
        }
    }

    /// <summary>The branch behind the switch that the code behind a label leads to; 0 if there is none, or the code cannot be copied.</summary>
    private static int EndOf(IlBuffer il, int mark, int longest)
    {
        int node = il.After(mark);
        for (int count = 0; node != 0 && count < longest; node = il.After(node), count++)
        {
            ref readonly IlBuffer.Node n = ref il[node];
            switch (n.Form)
            {
                case IlBuffer.Form.Switch:
                    int end = il.After(node);
                    return end != 0 && il[end] is { Form: IlBuffer.Form.Label, Op: IlOp.Br } && ((int[])n.Object!).Length >= FewestTargets ? end : 0;
                // What an indirect call knows of the position of its arguments would not be true of a copy.
                case IlBuffer.Form.Calli or IlBuffer.Form.Region:
                    return 0;
                case IlBuffer.Form.Label when n.Op == IlOp.Br:
                    return 0;
                case IlBuffer.Form.None when n.Op == IlOp.Ret || n.Op == IlOp.Throw:
                    return 0;
            }
        }
        return 0;
    }

    private static (int Arms, int Instructions) Measure(IlBuffer il, Dispatch dispatch)
    {
        int arms = 0, instructions = 0;
        for (int node = il.After(dispatch.Head); ; node = il.After(node), instructions++)
        {
            if (il[node].Form == IlBuffer.Form.Switch) arms = ((int[])il[node].Object!).Length;
            if (node == dispatch.End) return (arms, instructions);
        }
    }

    /// <summary>Puts a copy into the place of a branch.</summary>
    private static void Copy(IlBuffer il, Dispatch dispatch, int at, List<(int Node, int Width)> loads, Dictionary<int, int> widths)
    {
        // Labels in the code are the copy's own.
        var labels = new Dictionary<long, int>();
        for (int node = il.After(dispatch.Head); node != dispatch.End; node = il.After(node))
            if (il[node].Form == IlBuffer.Form.Mark) labels[il[node].Number] = il.DefineLabel();
        il.CutBehind(at, il.After(at));
        for (int node = il.After(dispatch.Head); ; node = il.After(node))
        {
            at = il.CopyAt(at, node, il[node].Form is IlBuffer.Form.Mark or IlBuffer.Form.Label && labels.TryGetValue(il[node].Number, out int own) ? own : null);
            if (widths.TryGetValue(node, out int width)) loads.Add((at, width));
            if (node == dispatch.End) return;
        }
    }
}
