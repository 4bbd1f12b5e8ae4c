using System.Reflection.Emit;

namespace WasmJit.Jit;

/// <summary>The basic blocks of a function without protected regions, and which dominate which.</summary>
internal static class ControlFlow
{
    /// <summary>
    /// The longest chain of blocks that dominate one another. Along such chains the JIT looks for conditions that are known
    /// already, and asks for each pair whether one block reaches the other.
    /// </summary>
    internal static int DominatorDepth(IlBuffer il)
    {
        List<int[]> successors = Successors(il);
        int[] order = PostOrder(successors);
        var number = new int[successors.Count];
        Array.Fill(number, -1);
        for (int i = 0; i < order.Length; i++) number[order[i]] = i;
        var predecessors = new List<int>[order.Length];
        for (int i = 0; i < order.Length; i++)
            foreach (int next in successors[order[i]]) (predecessors[number[next]] ??= []).Add(i);

        // Numbers in post-order: a dominator has a higher one. The entry is the last.
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
        var depth = new int[order.Length];
        int deepest = 0;
        for (int block = entry - 1; block >= 0; block--)
        {
            depth[block] = depth[dominator[block]] + 1;
            deepest = Math.Max(deepest, depth[block]);
        }
        return deepest;
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

    private static List<int[]> Successors(IlBuffer il)
    {
        // A block begins at each label that follows code, and after each branch.
        var blockOfLabel = new int[il.LabelCount];
        int count = 0;
        bool isEmpty = true;
        foreach (IlBuffer.Node node in il.InOrder())
        {
            if (node.Form == IlBuffer.Form.Mark)
            {
                if (!isEmpty) (count, isEmpty) = (count + 1, true);
                blockOfLabel[node.Number] = count;
            }
            else
            {
                isEmpty = false;
                if (EndsBlock(node)) (count, isEmpty) = (count + 1, true);
            }
        }
        var successors = new List<int[]>();
        isEmpty = true;
        foreach (IlBuffer.Node node in il.InOrder())
        {
            int next = successors.Count + 1;
            if (node.Form == IlBuffer.Form.Mark)
            {
                if (isEmpty) continue;
                successors.Add([next]);
                isEmpty = true;
                continue;
            }
            isEmpty = false;
            if (!EndsBlock(node)) continue;
            successors.Add(node.Form switch
            {
                IlBuffer.Form.Label when node.Code == OpCodes.Br => [blockOfLabel[node.Number]],
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
