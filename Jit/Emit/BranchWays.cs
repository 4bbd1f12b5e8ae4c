using WasmJit.Jit.Il;

namespace WasmJit.Jit.Emit;

/// <summary>The two ways behind a branch, up to the first thing on each that cannot be left out.</summary>
internal sealed class BranchWays(NeedGraph graph)
{
    /// <summary>How many instructions behind a branch are searched for what it decides.</summary>
    private const int MostSteps = 64;

    /// <summary>
    /// Whether a branch decides something that cannot be left out: its two ways come to different such instructions before they meet. If they meet
    /// first, the values that they give to locals may still be needed there.
    /// </summary>
    internal bool Decide(int first, int second, int branch, out int merge, out int[] chosen)
    {
        firstWay.Clear();
        secondWay.Clear();
        bool firstEnds = Walk(first, branch, firstWay, []), secondEnds = Walk(second, branch, secondWay, firstWay);
        merge = secondWay.Count > 0 && firstWay.Contains(secondWay[^1]) ? secondWay[^1] : -1;
        if (merge >= 0)
        {
            chosenLocals.Clear();
            AddStored(firstWay, merge);
            AddStored(secondWay, merge);
            chosen = [.. chosenLocals];
            return false;
        }
        chosen = [];
        return !(firstEnds && secondEnds && AreSame());
    }

    private readonly List<int> firstWay = [], secondWay = [], chosenLocals = [];

    /// <summary>The instructions on the two ways of the branch that was asked about last.</summary>
    internal List<int> First => firstWay;

    internal List<int> Second => secondWay;

    private bool AreSame()
    {
        if (firstWay.Count != secondWay.Count) return false;
        for (int i = 0; i < firstWay.Count; i++)
            if (!IsSame(graph.Il[graph.Order[firstWay[i]]], graph.Il[graph.Order[secondWay[i]]])) return false;
        return true;
    }

    /// <summary>Whether RyuJIT may find instructions to be the same. Two locals may hold the same, and a local the same as a constant.</summary>
    private static bool IsSame(in IlBuffer.Node a, in IlBuffer.Node b)
    {
        bool readsA = a.Op == IlOp.Ldloc || a.Op == IlOp.Ldarg, readsB = b.Op == IlOp.Ldloc || b.Op == IlOp.Ldarg;
        if (readsA || readsB) return (readsA || a.IsConstant) && (readsB || b.IsConstant);
        return a.Form == b.Form && a.Code == b.Code && a.Number == b.Number && ReferenceEquals(a.Object, b.Object);
    }

    private void AddStored(List<int> way, int merge)
    {
        foreach (int at in way)
        {
            if (at == merge) return;
            ref readonly IlBuffer.Node n = ref graph.Il[graph.Order[at]];
            if (n.IsLocalStore && !chosenLocals.Contains(graph.LocalOf(n))) chosenLocals.Add(graph.LocalOf(n));
        }
    }

    /// <summary>Follows a way to the first instruction that cannot be left out, or to where another way was.</summary>
    /// <returns>Whether there is one.</returns>
    private bool Walk(int at, int branch, List<int> way, List<int> other)
    {
        for (int steps = 0; steps < MostSteps && at < graph.Order.Count; steps++)
        {
            ref readonly IlBuffer.Node n = ref graph.Il[graph.Order[at]];
            if (n.Form == IlBuffer.Form.Mark || n.Op == IlOp.Nop)
            {
                at++;
                continue;
            }
            if (n.Op == IlOp.Br && graph.MarkAt[n.Number] > branch)
            {
                at = graph.MarkAt[n.Number];
                continue;
            }
            way.Add(at);
            if (other.Contains(at)) return false;
            if (!CanBeLeftOut(n)) return true;
            at++;
        }
        return false;
    }

    private static bool CanBeLeftOut(in IlBuffer.Node n) => n.Form switch
    {
        IlBuffer.Form.Calli or IlBuffer.Form.Label or IlBuffer.Form.Switch or IlBuffer.Form.Region => false,
        IlBuffer.Form.Method => ReferenceEquals(n.Object, Members.KeepAlive)
            || (n.Object is System.Reflection.MethodInfo { DeclaringType: { } type } && PureMethod.Classes.Contains(type)),
        _ => !(n.Op == IlOp.Stfld || n.Op == IlOp.Stobj || n.Op == IlOp.Stelem_Ref || n.Op == IlOp.Ret || n.Op == IlOp.Throw
            || IsStore(n.Op)),
    };

    private static bool IsStore(IlOp code) =>
        code == IlOp.Stind_I1 || code == IlOp.Stind_I2 || code == IlOp.Stind_I4 || code == IlOp.Stind_I8 || code == IlOp.Stind_R4
        || code == IlOp.Stind_R8 || code == IlOp.Stind_I || code == IlOp.Stind_Ref;
}
