namespace WasmJit.Jit.Il;

/// <summary>Copies of code that is already there, which can be taken back.</summary>
internal sealed partial class IlBuffer
{
    /// <summary>What is counted, before copies are made.</summary>
    internal readonly record struct State(int Count, int Labels, int Origins, int Instructions, int LocalRefs, int Blocks, int MethodCalls, int Bytes);

    /// <summary>What <see cref="Restore"/> goes back to.</summary>
    internal State Save() => new(count, labelCount, Origins?.Count ?? 0, Instructions, LocalRefs, Blocks, MethodCalls, Bytes);

    /// <summary>Takes back all that has been inserted since.</summary>
    /// <param name="state">What was counted then.</param>
    /// <param name="changed">The positions behind which something was inserted or cut, and what was behind them; the last change first.</param>
    internal void Restore(in State state, List<(int At, int Next)> changed)
    {
        foreach ((int at, int next) in changed) nodes[at].Next = next;
        (count, labelCount, Instructions, LocalRefs, Blocks, MethodCalls, Bytes) =
            (state.Count, state.Labels, state.Instructions, state.LocalRefs, state.Blocks, state.MethodCalls, state.Bytes);
        Origins?.RemoveRange(state.Origins, Origins.Count - state.Origins);
    }

    /// <summary>Inserts a copy of an instruction, which belongs to the same operator.</summary>
    /// <param name="after">Where.</param>
    /// <param name="node">The instruction; no indirect call.</param>
    /// <param name="label">The label that the copy names in place of the instruction's; null for the same.</param>
    internal int CopyAt(int after, int node, int? label)
    {
        Node copy = nodes[node];
        if (label is { } own) copy.Number = own;
        if (Origins is { Count: > 0 } origins)
        {
            int origin = LastOrigin(node);
            origins.Add(origin < 0 ? new Origin(count, -1, -1) : origins[origin] with { Node = count });
        }
        int inserted = Insert(after, copy);
        nodes[inserted].Source = copy.Source;
        return inserted;
    }
}
