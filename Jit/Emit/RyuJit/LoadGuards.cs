using System.Reflection.Emit;
using WasmJit.Jit.Calls;
using WasmJit.Jit.Il;
using WasmJit.Runtime;

namespace WasmJit.Jit.Emit;

/// <summary>
/// Keeps loads whole that guard pages alone check. RyuJIT loads fewer bytes than it is told to, down to a single byte, if it can prove that the
/// rest is not needed. An access that straddles the end of memory would then not fault. So the loaded value is stored where the JIT must leave it, unless
/// the whole value is needed for certain. This is decided on the finished IL. It does not look for patterns of unneeded values, but proves needs:
/// from what cannot be left out (stores, calls, results, addresses, branches with something behind them) backwards through expressions and locals, on
/// every path. Instructions that the proof does not know need nothing.
/// </summary>
internal sealed class LoadGuards
{
    /// <summary>Collections of functions with more instructions are not kept for the next function.</summary>
    private const int MostKept = 1 << 13;

    [ThreadStatic]
    private static LoadGuards? kept;

    private readonly NeedGraph graph = new();
    private readonly NeedReader reader;
    private readonly NeedProof proof;

    private LoadGuards()
    {
        reader = new NeedReader(graph);
        proof = new NeedProof(graph);
    }

    /// <summary>Stores the loads that are not needed whole for certain; gives how many.</summary>
    /// <param name="il">The finished IL of a function.</param>
    /// <param name="loads">The instructions that load more than a byte without a check, and their widths.</param>
    internal static int Insert(IlBuffer il, List<(int Node, int Width)> loads)
    {
        if (ArePlainlyNeeded(il, loads)) return 0;
        LoadGuards guards = kept ?? new LoadGuards();
        kept = null;
        guards.graph.Begin(il, loads);
        guards.reader.Read();
        guards.proof.Prove();
        int count = Store(il, loads, guards.proof);
        if (guards.graph.Order.Count > MostKept) return count;
        guards.graph.End();
        guards.reader.End();
        kept = guards;
        return count;
    }

    /// <summary>
    /// Whether each load goes, by additions and extensions alone, into something that cannot be left out. Most small functions are so.
    /// </summary>
    private static bool ArePlainlyNeeded(IlBuffer il, List<(int Node, int Width)> loads)
    {
        foreach ((int node, _) in loads)
            if (!IsPlainlyNeeded(il, node)) return false;
        return true;
    }

    private static bool IsPlainlyNeeded(IlBuffer il, int load)
    {
        // How many operands are above the value.
        int above = 0;
        for (int node = il.After(load); node != 0; node = il.After(node))
        {
            ref readonly IlBuffer.Node n = ref il[node];
            switch (n.Form)
            {
                case IlBuffer.Form.Int or IlBuffer.Form.Long: above++; continue;
                case IlBuffer.Form.Local or IlBuffer.Form.Arg when n.Op == IlOp.Ldloc || n.Op == IlOp.Ldarg: above++; continue;
                case IlBuffer.Form.Method when ReferenceEquals(n.Object, Members.KeepAlive) && above > 0: above--; continue;
                case IlBuffer.Form.Calli: return above < ((Signature)n.Object!).Parameters.Length + 1;
                case IlBuffer.Form.None: break;
                default: return false;
            }
            if (n.Op == IlOp.Ret) return above == 0;
            if (n.Op == IlOp.Conv_I8 || n.Op == IlOp.Conv_U8 || n.Op == IlOp.Nop) continue;
            if (n.Op != IlOp.Add && n.Op != IlOp.Sub) return false;
            // The other operand is not this value: that is on the stack alone.
            above = Math.Max(above - 1, 0);
        }
        return false;
    }

    private static int Store(IlBuffer il, List<(int Node, int Width)> loads, NeedProof proof)
    {
        int count = 0;
        var temps = new Dictionary<Type, int>();
        for (int i = 0; i < loads.Count; i++)
        {
            if (proof.IsNeeded(i)) continue;
            count++;
            int node = loads[i].Node;
            Type type = TypeOf(il[node]);
            if (!temps.TryGetValue(type, out int temp)) temps[type] = temp = il.DeclareLocal(type);
            // Not by dup: with nothing on the stack behind the store RyuJIT notes where the code that follows comes from.
            int at = il.StlocAt(node, temp);
            at = il.LdlocAt(il.LdargAt(at, 0), temp);
            if (type == typeof(int)) at = il.EmitAt(at, OpCodes.Conv_I8);
            else if (type == typeof(float)) at = il.EmitAt(at, OpCodes.Conv_R8);
            at = type.IsPrimitive
                ? il.FieldAt(at, OpCodes.Stfld, type == typeof(int) || type == typeof(long) ? Members.Scratch64 : Members.ScratchF64)
                : il.CallAt(at, Members.Vector(nameof(Simd.Keep)));
            il.LdlocAt(at, temp);
        }
        return count;
    }

    private static Type TypeOf(in IlBuffer.Node load) =>
        load.Form is IlBuffer.Form.Method or IlBuffer.Form.Type ? Signature.ClrType(ValType.V128)
        : load.Op == IlOp.Ldind_I8 ? typeof(long)
        : load.Op == IlOp.Ldind_R4 ? typeof(float)
        : load.Op == IlOp.Ldind_R8 ? typeof(double)
        : typeof(int);
}
