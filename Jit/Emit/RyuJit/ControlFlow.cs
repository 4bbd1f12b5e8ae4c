using System.Reflection.Emit;
using WasmJit.Jit.Il;

namespace WasmJit.Jit.Emit;

/// <summary>The basic blocks of a function, and which dominate which. A region's handler is reached from in front of the region.</summary>
internal static class ControlFlow
{
    /// <summary>The blocks that are reached, by their number in post-order: a dominator has a higher one. The entry is the last.</summary>
    private sealed class Graph
    {
        internal required int[] Order { get; init; }
        internal required List<int>[] Predecessors { get; init; }
        internal required int[] Dominator { get; init; }

        internal int Count => Order.Length;
    }

    private static Graph Build(List<int[]> successors)
    {
        int[] order = PostOrder(successors);
        var number = new int[successors.Count];
        Array.Fill(number, -1);
        for (int i = 0; i < order.Length; i++) number[order[i]] = i;
        var predecessors = new List<int>[order.Length];
        for (int i = 0; i < order.Length; i++)
            foreach (int next in successors[order[i]]) (predecessors[number[next]] ??= []).Add(i);

        var dominator = new int[order.Length];
        Array.Fill(dominator, -1);
        int entry = order.Length - 1;
        dominator[entry] = entry;
        for (bool changed = true; changed;)
        {
            changed = false;
            for (int block = entry - 1; block >= 0; block--)
            {
                int found = -1;
                foreach (int from in predecessors[block])
                {
                    if (dominator[from] < 0) continue;
                    found = found < 0 ? from : Common(dominator, found, from);
                }
                changed |= dominator[block] != found;
                dominator[block] = found;
            }
        }
        return new Graph { Order = order, Predecessors = predecessors, Dominator = dominator };
    }

    /// <summary>
    /// The longest chain of blocks that dominate one another. Along such chains the JIT looks for conditions that are known
    /// already, and asks for each pair whether one block reaches the other.
    /// </summary>
    internal static int DominatorDepth(IlBuffer il)
    {
        Graph graph = Build(Successors(il, null));
        var depth = new int[graph.Count];
        int deepest = 0;
        for (int block = graph.Count - 2; block >= 0; block--)
        {
            depth[block] = depth[graph.Dominator[block]] + 1;
            deepest = Math.Max(deepest, depth[block]);
        }
        return deepest;
    }

    /// <summary>
    /// How many times values of a local that were written in different places meet at the beginning of a block, once for each way to
    /// it: the JIT has an object for each, and looks at all of them again and again. Locals that each block writes before it reads them do not count.
    /// </summary>
    /// <param name="il">The function.</param>
    /// <param name="limit">Counting ends beyond this number.</param>
    internal static long Meetings(IlBuffer il, long limit)
    {
        var uses = new Dictionary<long, Uses>();
        Graph graph = Build(Successors(il, uses));
        int words = (graph.Count + 63) / 64;
        // By block: where its dominance ends, as a set of bits.
        var frontiers = new ulong[]?[graph.Count];
        for (int block = 0; block < graph.Count; block++)
        {
            if (graph.Predecessors[block] is not { Count: > 1 } from) continue;
            foreach (int start in from)
                for (int runner = start; runner != graph.Dominator[block]; runner = graph.Dominator[runner])
                    (frontiers[runner] ??= new ulong[words])[block >> 6] |= 1UL << (block & 63);
        }
        var number = new int[graph.Order.Length == 0 ? 0 : graph.Order.Max() + 1];
        Array.Fill(number, -1);
        for (int i = 0; i < graph.Count; i++) number[graph.Order[i]] = i;
        long meetings = 0;
        var found = new ulong[words];
        var open = new Stack<int>();
        foreach (Uses use in uses.Values)
        {
            if (!use.IsShared) continue;
            Array.Clear(found);
            foreach (int block in use.Writers)
                if (block < number.Length && number[block] >= 0) open.Push(number[block]);
            while (open.TryPop(out int writer))
            {
                if (frontiers[writer] is not { } frontier) continue;
                for (int word = 0; word < words; word++)
                {
                    for (ulong added = frontier[word] & ~found[word]; added != 0; added &= added - 1)
                    {
                        int target = (word * 64) + System.Numerics.BitOperations.TrailingZeroCount(added);
                        open.Push(target);
                        meetings += graph.Predecessors[target].Count;
                    }
                    found[word] |= frontier[word];
                }
            }
            if (meetings > limit) break;
        }
        return meetings;
    }

    /// <summary>The blocks that write a local, and whether one reads what another has written.</summary>
    private sealed class Uses
    {
        internal List<int> Writers { get; } = [];

        internal bool IsShared { get; set; }
    }

    private static int Common(int[] dominator, int a, int b)
    {
        while (a != b)
        {
            while (a < b) a = dominator[a];
            while (b < a) b = dominator[b];
        }
        return a;
    }

    /// <summary>The blocks that follow each block.</summary>
    /// <param name="il">The function.</param>
    /// <param name="uses">Takes the uses of each local; arguments have negative numbers.</param>
    private static List<int[]> Successors(IlBuffer il, Dictionary<long, Uses>? uses)
    {
        // A block begins at each label that follows code, after each branch, and at each border of a region.
        var blockOfLabel = new int[il.LabelCount];
        var regions = new List<(int Handler, int End)>();
        var open = new Stack<int>();
        int count = 0;
        bool isEmpty = true;
        foreach (IlBuffer.Node node in il.InOrder())
        {
            if (node.Form is IlBuffer.Form.Mark or IlBuffer.Form.Region)
            {
                // Code in front of a region may go on at its handler as well.
                if (!isEmpty || BorderOf(node) == IlBuffer.Border.Try) (count, isEmpty) = (count + 1, true);
                if (node.Form == IlBuffer.Form.Mark) blockOfLabel[node.Number] = count;
                else NoteBorder(BorderOf(node)!.Value, count, regions, open);
            }
            else
            {
                isEmpty = false;
                if (EndsBlock(node)) (count, isEmpty) = (count + 1, true);
            }
        }
        var successors = new List<int[]>();
        int tries = 0;
        isEmpty = true;
        foreach (IlBuffer.Node node in il.InOrder())
        {
            int next = successors.Count + 1;
            if (node.Form is IlBuffer.Form.Mark or IlBuffer.Form.Region)
            {
                IlBuffer.Border? border = BorderOf(node);
                if (border == IlBuffer.Border.Try) open.Push(tries++);
                if (!isEmpty || border == IlBuffer.Border.Try)
                {
                    successors.Add(border switch
                    {
                        IlBuffer.Border.Try => [next, regions[open.Peek()].Handler],
                        IlBuffer.Border.Catch or IlBuffer.Border.Filter => [regions[open.Peek()].End],
                        _ => [next],
                    });
                    isEmpty = true;
                }
                if (border == IlBuffer.Border.End) open.Pop();
                continue;
            }
            isEmpty = false;
            if (uses is not null && node.Form is (IlBuffer.Form.Local or IlBuffer.Form.Arg))
            {
                long variable = node.Form == IlBuffer.Form.Local ? node.Number : -1 - node.Number;
                if (!uses.TryGetValue(variable, out Uses? use)) uses[variable] = use = new Uses();
                bool isWritten = use.Writers.Count > 0 && use.Writers[^1] == successors.Count;
                if (node.Code != OpCodes.Stloc && node.Code != OpCodes.Starg) use.IsShared |= !isWritten;
                else if (!isWritten) use.Writers.Add(successors.Count);
            }
            if (!EndsBlock(node)) continue;
            successors.Add(node.Form switch
            {
                IlBuffer.Form.Label when node.Code == OpCodes.Br || node.Code == OpCodes.Leave => [blockOfLabel[node.Number]],
                IlBuffer.Form.Label => [blockOfLabel[node.Number], next],
                IlBuffer.Form.Switch => [.. ((int[])node.Object!).Select(label => blockOfLabel[label]).Distinct(), next],
                _ => [],
            });
            isEmpty = true;
        }
        // A label at the very end, which nothing reaches.
        while (successors.Count <= count) successors.Add([]);
        return successors;
    }

    private static IlBuffer.Border? BorderOf(in IlBuffer.Node node) =>
        node.Form == IlBuffer.Form.Region ? (IlBuffer.Border)node.Number : null;

    /// <summary>Notes at which block the handler of a region begins, and which is the first behind it.</summary>
    private static void NoteBorder(IlBuffer.Border border, int block, List<(int Handler, int End)> regions, Stack<int> open)
    {
        switch (border)
        {
            case IlBuffer.Border.Try:
                open.Push(regions.Count);
                regions.Add(default);
                break;
            case IlBuffer.Border.Catch or IlBuffer.Border.Filter: regions[open.Peek()] = (block, 0); break;
            case IlBuffer.Border.End:
                int ended = open.Pop();
                regions[ended] = (regions[ended].Handler, block);
                break;
        }
    }

    private static bool EndsBlock(in IlBuffer.Node node) =>
        node.Form is IlBuffer.Form.Label or IlBuffer.Form.Switch || node.Code == OpCodes.Ret || node.Code == OpCodes.Throw;

    private static int[] PostOrder(List<int[]> successors)
    {
        var order = new List<int>();
        var seen = new bool[successors.Count];
        var open = new Stack<(int Block, int Next)>();
        open.Push((0, 0));
        seen[0] = true;
        while (open.TryPop(out (int Block, int Next) top))
        {
            if (top.Next == successors[top.Block].Length)
            {
                order.Add(top.Block);
                continue;
            }
            open.Push((top.Block, top.Next + 1));
            int next = successors[top.Block][top.Next];
            if (seen[next]) continue;
            seen[next] = true;
            open.Push((next, 0));
        }
        return [.. order];
    }
}
