using System.Reflection;
using System.Reflection.Emit;
using System.Runtime.CompilerServices;
using WasmJit.Jit.Calls;
using WasmJit.Jit.Il;
using WasmJit.Runtime;

namespace WasmJit.Jit.Emit;

/// <summary>
/// Keeps large functions optimised. RyuJIT gives up optimising (MinOpts) when the IL of a method is beyond any of five limits,
/// but it looks only at the method it was asked to compile, before it inlines. So the body of a large function becomes a
/// static method of a collectible assembly, marked to be inlined, and the function itself only calls it.
/// An inlined method may have 32 locals and 32 arguments: further locals become fields of structs, which the JIT takes apart
/// again.
/// </summary>
internal static class Outliner
{
    /// <summary>Beyond this many instructions optimising takes too long, whatever the structure.</summary>
    private const int MaxOutlined = 150_000;

    /// <summary>
    /// The optimiser's time grows with blocks² · locals: 0.5 to 4 ms for each million, as control flow is tame or wild. Beyond
    /// this figure (seconds) parts are the better choice.
    /// </summary>
    private const double MaxCost = 2_500e6;

    /// <summary>
    /// Without locals it grows with blocks · depth² of the tree of dominators, where conditions repeat: 2 s for 2,000 blocks in
    /// a row, 20 s for 3,500.
    /// </summary>
    private const double MaxDepthCost = 10e9;
    private const int MaxOutlinedBlocks = 4_000;

    /// <summary>The caller's most padding: it is never run, but the JIT's budget for inlining grows with it.</summary>
    private const int MaxPadding = 50_000;

    /// <summary>One takes the addresses of calls.</summary>
    private const int MaxLocals = JitLimits.InlineeLocals - 1;

    /// <summary>What C# writes into every assembly. RyuJIT inlines no handler of exceptions from an assembly that differs in this from the method's own.</summary>
    private static readonly CustomAttributeBuilder WrapsExceptions = new(
        typeof(RuntimeCompatibilityAttribute).GetConstructor([])!, [],
        [typeof(RuntimeCompatibilityAttribute).GetProperty(nameof(RuntimeCompatibilityAttribute.WrapNonExceptionThrows))!], [true]);

    /// <summary>The assemblies whose internals generated code uses.</summary>
    internal static readonly string[] Friends = ["WasmJit.Runtime", "WasmJit.Jit", "System.Private.CoreLib"];

    /// <summary>Whether RyuJIT would compile the code without optimising.</summary>
    internal static bool ExceedsLimits(IlBuffer il, int arguments) =>
        il.Bytes > JitLimits.Bytes || il.Instructions > JitLimits.Instructions || il.LocalRefs > JitLimits.LocalRefs
        || il.Locals.Count + arguments > JitLimits.Locals || (il.Blocks > JitLimits.Blocks && CountBlocks(il) > JitLimits.Blocks);

    /// <summary>How the locals of a function's body are laid out when it stands in a method of its own.</summary>
    internal sealed record Layout(int[] Fields, List<(Type Type, int Count)> Structs);

    /// <summary>The form in which a function that exceeds a limit is still optimised; null if there is no need, or no such form.</summary>
    internal static Layout? Plan(IlBuffer il, Signature signature)
    {
        int arguments = signature.Parameters.Length;
        if (!ExceedsLimits(il, arguments) || arguments > JitLimits.InlineeArguments || !IsInlinable(il)) return null;
        if (il.Instructions > MaxOutlined) return null;
        double blocks = CountBlocks(il);
        if (blocks > MaxOutlinedBlocks || blocks * blocks * il.Locals.Count > MaxCost) return null;
        if (blocks > JitLimits.Blocks && blocks * Math.Pow(ControlFlow.DominatorDepth(il), 2) > MaxDepthCost) return null;
        return Pack(il, out List<(Type Type, int Count)> structs) is { } packed ? new Layout(packed, structs) : null;
    }

    /// <summary>
    /// Writes the code of a function that exceeds a limit into <paramref name="method"/> in the form that is still optimised.
    /// False if there is no need, or no such form.
    /// </summary>
    internal static bool TryWrite(IlBuffer il, DynamicMethod method, Signature signature)
    {
        if (Plan(il, signature) is not { } layout) return false;
        WasmJit.Runtime.RuntimeCode.Require();
        var assembly = AssemblyBuilder.DefineDynamicAssembly(new AssemblyName("wasm"), AssemblyBuilderAccess.RunAndCollect);
        foreach (string name in Friends) IgnoresAccessChecksToAttribute.Add(assembly, name);
        assembly.SetCustomAttribute(WrapsExceptions);
        const TypeAttributes Static = TypeAttributes.Public | TypeAttributes.Abstract | TypeAttributes.Sealed;
        TypeBuilder type = assembly.DefineDynamicModule("wasm").DefineType("Outlined", Static);
        WriteBody(il, type, method.Name, signature, layout);
        WriteCaller(il, method.GetILGenerator(), type.CreateType().GetMethod(method.Name)!, signature);
        return true;
    }

    /// <summary>Writes the body as a method that is inlined.</summary>
    internal static MethodBuilder WriteBody(IlBuffer il, TypeBuilder type, string name, Signature signature, Layout layout)
    {
        // Should the JIT not inline it after all, stack traces still show the function.
        MethodBuilder body = type.DefineMethod(
            name, MethodAttributes.Public | MethodAttributes.Static, signature.Return, signature.Parameters);
        body.SetImplementationFlags(MethodImplAttributes.IL | MethodImplAttributes.AggressiveInlining);
        ILGenerator generator = body.GetILGenerator(il.Bytes);
        LocalBuilder callee = generator.DeclareLocal(typeof(nint));
        il.WriteInlinee(generator, Declare(generator, il, layout.Fields, layout.Structs), callee);
        return body;
    }

    /// <summary>Writes the function that calls the body.</summary>
    internal static void WriteCaller(IlBuffer il, ILGenerator caller, MethodInfo body, Signature signature)
    {
        for (int i = 0; i < signature.Parameters.Length; i++) caller.Emit(OpCodes.Ldarg, (short)i);
        caller.Emit(OpCodes.Call, body);
        caller.Emit(OpCodes.Ret);
        for (int padding = Math.Min(MaxPadding, 1000 + (il.Bytes / 4)); padding > 0; padding -= 10)
        {
            caller.Emit(OpCodes.Ldc_I8, 0L);
            caller.Emit(OpCodes.Pop);
        }
        caller.Emit(OpCodes.Ldnull);
        caller.Emit(OpCodes.Throw);
    }

    /// <summary>The basic blocks as the JIT counts them.</summary>
    internal static int CountBlocks(IlBuffer il)
    {
        int blocks = 0;
        bool starts = true;
        bool empty = true;
        foreach (IlBuffer.Node node in il.InOrder())
        {
            if (node.Form == IlBuffer.Form.Mark)
            {
                starts |= !empty;
                continue;
            }
            if (starts) blocks++;
            starts = node.Form is IlBuffer.Form.Label or IlBuffer.Form.Switch
                || node.Code == OpCodes.Ret || node.Code == OpCodes.Throw;
            empty = false;
        }
        return blocks;
    }

    /// <summary>Explicit tail calls are not inlined. Protected regions are, if all handlers have filters, as those of WebAssembly have.</summary>
    private static bool IsInlinable(IlBuffer il)
    {
        foreach (IlBuffer.Node node in il.InOrder())
            if (node.Code == OpCodes.Tailcall) return false;
        return true;
    }

    /// <summary>
    /// Which locals become fields: gives for each its field's number among those of its type, or -1 for a local of its own.
    /// Null if even so there are too many.
    /// </summary>
    private static int[]? Pack(IlBuffer il, out List<(Type Type, int Count)> structs)
    {
        structs = [];
        var fields = new int[il.Locals.Count];
        Array.Fill(fields, -1);
        if (fields.Length <= MaxLocals) return fields;

        var uses = new int[fields.Length];
        foreach (IlBuffer.Node node in il.InOrder())
        {
            if (node.Form != IlBuffer.Form.Local) continue;
            // An address that is really taken would keep a whole struct in memory.
            int weight = node.Code == OpCodes.Ldloca ? 1 << 20 : 1;
            uses[node.Number] = Math.Min(uses[node.Number] + weight, 1 << 20);
        }
        int[] order = [.. Enumerable.Range(0, fields.Length).OrderByDescending(i => uses[i])];
        for (int own = MaxLocals - 2; own >= 0; own--)
        {
            // Each type needs structs for its fields, and one temporary for stores.
            structs = [.. order.Skip(own).GroupBy(i => il.Locals[i]).Select(g => (g.Key, g.Count()))];
            if (own + structs.Sum(s => 1 + Structs(s.Count)) > MaxLocals) continue;
            var next = structs.ToDictionary(s => s.Type, _ => 0);
            foreach (int i in order.Skip(own)) fields[i] = next[il.Locals[i]]++;
            return fields;
        }
        return null;
    }

    private static int Structs(int count) => (count + Locals32<int>.Count - 1) / Locals32<int>.Count;

    private static IlBuffer.Place[] Declare(
        ILGenerator generator, IlBuffer il, int[] fields, List<(Type Type, int Count)> structs)
    {
        var groups = new Dictionary<Type, (LocalBuilder Temp, LocalBuilder[] Structs, FieldInfo[] Fields)>();
        foreach ((Type type, int count) in structs)
        {
            Type packed = typeof(Locals32<>).MakeGenericType(type);
            var locals = new LocalBuilder[Structs(count)];
            for (int i = 0; i < locals.Length; i++) locals[i] = generator.DeclareLocal(packed);
            var members = new FieldInfo[Locals32<int>.Count];
            for (int i = 0; i < members.Length; i++)
                members[i] = packed.GetField($"L{i}", BindingFlags.Instance | BindingFlags.NonPublic)!;
            groups[type] = (generator.DeclareLocal(type), locals, members);
        }
        var places = new IlBuffer.Place[fields.Length];
        for (int i = 0; i < places.Length; i++)
        {
            Type type = il.Locals[i];
            places[i] = fields[i] < 0
                ? new IlBuffer.Place(generator.DeclareLocal(type))
                : new IlBuffer.Place(
                    groups[type].Structs[fields[i] / Locals32<int>.Count],
                    groups[type].Fields[fields[i] % Locals32<int>.Count],
                    groups[type].Temp);
        }
        return places;
    }
}

/// <summary>Locals of an outlined function that are not locals of their own.</summary>
internal struct Locals32<T>
{
    internal const int Count = 32;

#pragma warning disable CS0649 // Only generated code assigns them.
    internal T L0, L1, L2, L3, L4, L5, L6, L7, L8, L9, L10, L11, L12, L13, L14, L15;
    internal T L16, L17, L18, L19, L20, L21, L22, L23, L24, L25, L26, L27, L28, L29, L30, L31;
#pragma warning restore CS0649
}
