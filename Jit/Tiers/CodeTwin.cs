using System.Reflection;
using System.Reflection.Emit;
using System.Runtime.CompilerServices;
using WasmJit.Jit.Calls;
using WasmJit.Jit.Emit;
using WasmJit.Jit.Il;
using WasmJit.Jit.Operators;
using WasmJit.Runtime;

namespace WasmJit.Jit.Tiers;

/// <summary>
/// A function compiled once more, to find out which operator an instruction of its machine code was made of. .NET notes no such thing for
/// DynamicMethods. The twin is a method of an assembly, for which it does; its IL is the same, and so is its machine code, which is compared. It never runs.
/// </summary>
internal sealed class CodeTwin
{
    private static readonly CodeTwin None = new(new IlBuffer(), []);

    private readonly IlBuffer il;

    /// <summary>The instructions, in order, and where their IL begins.</summary>
    private readonly List<(int Node, int Offset)> map;

    private MethodInfo? method;
    private nint code;

    private CodeTwin(IlBuffer il, List<(int Node, int Offset)> map)
    {
        this.il = il;
        this.map = map;
    }

    /// <summary>The twin of a function.</summary>
    /// <param name="module">Its module.</param>
    /// <param name="func">The function.</param>
    /// <param name="loop">The loop that its code begins at; -1 for none.</param>
    /// <param name="next">Where code that is not optimised finds the address of better code; otherwise 0.</param>
    internal static CodeTwin Of(CompiledModule module, int func, int loop, nint next)
    {
        if (!DebugOffsets.IsSupported) return None;
        Binary.FuncInfo info = module.Info.Funcs[func];
        Signature signature = Signature.Of(info.Type);
        IlBuffer il = FunctionEmitter.Emit(module.Info, func, module, loop, notesOrigins: true, next);
        // Functions in several methods, and those that are too costly to optimise, have no twin.
        if (next == 0 && (JitCost.IsTooDear(il, info.BodyEnd - info.BodyStart) || Outliner.ExceedsLimits(il, signature.Parameters.Length) || module.Options.PartSize is not null)) return None;
        var assembly = AssemblyBuilder.DefineDynamicAssembly(new AssemblyName("wasm twin"), AssemblyBuilderAccess.RunAndCollect);
        foreach (string name in Outliner.Friends) IgnoresAccessChecksToAttribute.Add(assembly, name);
        const TypeAttributes Static = TypeAttributes.Public | TypeAttributes.Abstract | TypeAttributes.Sealed;
        const string Name = "Twin";
        TypeBuilder type = assembly.DefineDynamicModule("wasm").DefineType("Twins", Static);
        MethodBuilder built = type.DefineMethod(Name, MethodAttributes.Public | MethodAttributes.Static, signature.Return, signature.Parameters);
        built.SetImplementationFlags(MethodImplAttributes.IL | MethodImplAttributes.AggressiveOptimization);
        ILGenerator generator = built.GetILGenerator(Math.Max(64, il.Bytes));
        var twin = new CodeTwin(il, il.WriteMapped(generator));
        if (next != 0) JitCost.PreventOptimising(generator);
        MethodInfo method = type.CreateType().GetMethod(Name)!;
        twin.code = JitThread.HasStack ? Compile(method) : JitThread.RunElsewhere(() => Compile(method));
        twin.method = method;
        return twin;
    }

    private static nint Compile(MethodInfo method)
    {
        RuntimeHelpers.PrepareMethod(method.MethodHandle);
        return method.MethodHandle.GetFunctionPointer();
    }

    /// <summary>
    /// The operators that an instruction of the function was made of: their offsets in the module, that of the innermost inlined function first. Empty if
    /// they are not known.
    /// </summary>
    /// <param name="original">The function's method.</param>
    /// <param name="offset">The offset of the instruction that has faulted; of a call one in it, or that behind it.</param>
    /// <param name="fault">What the instruction does that has faulted; null for a call.</param>
    /// <param name="trappedAt">The operator, if it is known; otherwise -1.</param>
    internal List<int> Find(DynamicMethod original, int offset, CodeKind? fault, int trappedAt)
    {
        if (method is null || offset < 0) return [];
        if (trappedAt >= 0) return OriginOf(trappedAt);
        CodeKind kind = fault ?? CodeKind.Call;
        List<int> statement = [];
        int before = 0;
        if (CodeTwins.Match(MethodCompiler.AddressOf(original), code, offset, fault is not null) is { Count: > 0 } instructions)
        {
            int[] offsets = [.. instructions.Select(i => i.Offset)];
            if (DebugOffsets.Of(method, code, offsets) is { } ilOffsets && ilOffsets[^1] >= 0)
            {
                statement = StatementAt(ilOffsets[^1]);
                // How many instructions of the kind the statement has before this one.
                for (int i = 0; i < ilOffsets.Length - 1; i++)
                    if (ilOffsets[i] == ilOffsets[^1] && instructions[i].Kind == kind && kind == instructions[^1].Kind && kind != CodeKind.Other) before++;
            }
        }
        List<int> fitting = statement.FindAll(node => Fits(il[node], kind));
        if (fitting.Count > 0) return ChainOf(fitting[Math.Min(before, fitting.Count - 1)]);
        // The code that throws may be shared by the whole function. If only one operator can have thrown, it is that; it may be there several times.
        fitting = map.ConvertAll(entry => entry.Node).FindAll(node => il[node].Form != IlBuffer.Form.Mark && Fits(il[node], kind));
        if (fitting.Count > 0 && ChainOf(fitting[0]) is var only && fitting.TrueForAll(node => ChainOf(node).SequenceEqual(only))) return only;
        return statement.Count > 0 && kind != CodeKind.Divide ? ChainOf(statement[0]) : [];
    }

    private List<int> ChainOf(int node) => il.OriginOf(node) is var chain && chain[^1] > 0 ? chain : [];

    /// <summary>The origin of an operator of an inlined function.</summary>
    private List<int> OriginOf(int operatorOffset)
    {
        foreach ((int node, _) in map)
            if (il.OriginOf(node) is var chain && chain[0] == operatorOffset) return chain;
        return [];
    }

    /// <summary>The instructions from an offset in the IL to where nothing is on the stack.</summary>
    private List<int> StatementAt(int ilOffset)
    {
        int first = map.FindLastIndex(entry => entry.Offset <= ilOffset);
        var statement = new List<int>();
        int depth = 0;
        for (int i = Math.Max(first, 0); i < map.Count; i++)
        {
            int node = map[i].Node;
            if (il[node].Form == IlBuffer.Form.Mark)
            {
                if (statement.Count > 0) break;
                continue;
            }
            statement.Add(node);
            depth += StackEffect.Of(il[node]);
            if (depth <= 0) break;
        }
        return statement;
    }

    /// <summary>The helpers of operators that divide integers.</summary>
    private static readonly HashSet<MethodInfo> Dividers =
        [.. OperatorTable.All.Where(op => op.Operation is Operation.Div or Operation.Rem).Select(op => Emission.Of(op).Method).OfType<MethodInfo>()];

    private static bool Fits(in IlBuffer.Node node, CodeKind kind)
    {
        if (kind == CodeKind.Call) return node.Form is IlBuffer.Form.Calli || (node.Form == IlBuffer.Form.Method && node.Object is MethodInfo);
        if (kind == CodeKind.Divide && node is { Form: IlBuffer.Form.Method, Object: MethodInfo helper }) return Dividers.Contains(helper);
        if (node.Form == IlBuffer.Form.Method) return true;
        if (kind == CodeKind.Divide) return node.Code == OpCodes.Div || node.Code == OpCodes.Div_Un || node.Code == OpCodes.Rem || node.Code == OpCodes.Rem_Un;
        string name = node.Code.Name ?? "";
        return name.StartsWith("ldind", StringComparison.Ordinal) || name.StartsWith("stind", StringComparison.Ordinal) || name.EndsWith("obj", StringComparison.Ordinal)
            || node.Form == IlBuffer.Form.Field || name.EndsWith("blk", StringComparison.Ordinal);
    }
}
