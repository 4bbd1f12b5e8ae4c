using System.Reflection;
using System.Reflection.Emit;
using WasmJit.Runtime;

namespace WasmJit.Jit.Il;

/// <summary>Writes the code to an ILGenerator.</summary>
internal sealed partial class IlBuffer
{
    /// <summary>Where a local is when it is written: a local of its own, or a field of a local that holds several.</summary>
    internal readonly record struct Place(LocalBuilder Local, FieldInfo? Field = null, LocalBuilder? Temp = null);

    internal void WriteTo(ILGenerator il)
    {
        var places = new Place[locals.Count];
        for (int i = 0; i < places.Length; i++) places[i] = new Place(il.DeclareLocal(locals[i]));
        WriteTo(il, places);
    }

    /// <summary>Writes the code and notes for each instruction, in order, where its IL begins.</summary>
    internal List<(int Node, int Offset)> WriteMapped(ILGenerator il)
    {
        var places = new Place[locals.Count];
        for (int i = 0; i < places.Length; i++) places[i] = new Place(il.DeclareLocal(locals[i]));
        var map = new List<(int, int)>();
        WriteTo(il, places, map);
        return map;
    }

    /// <summary>Writes the code of a method that is to be inlined.</summary>
    /// <param name="il">Where to.</param>
    /// <param name="places">Where the locals are.</param>
    /// <param name="callee">
    /// A local that takes the address of each indirect call. RyuJIT makes a temporary for an address that is not in a local, and inlines nothing into a
    /// method with 1,024 locals.
    /// </param>
    internal void WriteInlinee(ILGenerator il, Place[] places, LocalBuilder callee) => WriteTo(il, places, null, callee, FindEarlyAddresses());

    /// <summary>
    /// Calls whose address may be loaded before the arguments: by position the first of the two instructions that load it. Behind the arguments it would be
    /// stored while they are on the IL stack, and each of them that may fault would take a temporary.
    /// </summary>
    private Dictionary<int, int> FindEarlyAddresses()
    {
        var found = new Dictionary<int, int>();
        int last = Start, beforeLast = Start;
        for (int i = nodes[Start].Next; i != 0; (beforeLast, last) = (last, i), i = nodes[i].Next)
        {
            if (nodes[i].Form != Form.Calli || nodes[i].Number == 0) continue;
            bool isAddress = (nodes[beforeLast].Form == Form.Long && nodes[last].Code == OpCodes.Ldind_I)
                || (nodes[beforeLast].Code == OpCodes.Ldloc && nodes[last].Code == OpCodes.Ldfld);
            int position = (int)nodes[i].Number - 1;
            if (isAddress && HoldsNoCall(position, beforeLast)) found[position] = beforeLast;
        }
        return found;
    }

    /// <summary>The most instructions of arguments that are looked at.</summary>
    private const int LongestArguments = 100;

    /// <summary>Whether code has nothing that uses the local for addresses, stores the one that an address is read from, or is not straight.</summary>
    private bool HoldsNoCall(int position, int end)
    {
        int i = nodes[position].Next;
        for (int count = 0; i != end; i = nodes[i].Next)
        {
            if (i == 0 || ++count > LongestArguments || nodes[i].Form is Form.Calli or Form.Mark or Form.Label or Form.Switch or Form.Region) return false;
            if (nodes[i].Code == OpCodes.Stloc && nodes[end].Form == Form.Local && nodes[i].Number == nodes[end].Number) return false;
        }
        return true;
    }

    private void WriteTo(
        ILGenerator il, Place[] places, List<(int Node, int Offset)>? map = null, LocalBuilder? callee = null, Dictionary<int, int>? earlyAddresses = null)
    {
        var labels = new Label[labelCount];
        for (int i = 0; i < labelCount; i++) labels[i] = il.DefineLabel();
        int before = Start;
        // The address of the next call, if it has been loaded.
        int loaded = -1;
        for (int i = nodes[Start].Next; i != 0; before = i, i = nodes[i].Next)
        {
            if (callee is not null && earlyAddresses!.TryGetValue(before, out int address))
            {
                loaded = address;
                WriteNode(il, nodes[address], places, labels);
                WriteNode(il, nodes[nodes[address].Next], places, labels);
                il.Emit(OpCodes.Stloc, callee);
            }
            ref Node node = ref nodes[i];
            map?.Add((i, il.ILOffset));
            if (callee is null)
            {
                WriteNode(il, node, places, labels);
            }
            else if (i == loaded)
            {
                il.Emit(OpCodes.Ldloc, callee);
                i = node.Next;
            }
            else if (node.Code == OpCodes.Dup && nodes[node.Next] is { Form: Form.Local } next && next.Code == OpCodes.Stloc)
            {
                // A value that is duplicated takes a temporary, too; one that is read from the local takes none.
                WriteLocal(il, OpCodes.Stloc, places[next.Number]);
                WriteLocal(il, OpCodes.Ldloc, places[next.Number]);
                i = node.Next;
            }
            else
            {
                // A constant takes no temporary.
                if (node.Form == Form.Calli && loaded < 0 && nodes[before].Form != Form.Long)
                {
                    il.Emit(OpCodes.Stloc, callee);
                    il.Emit(OpCodes.Ldloc, callee);
                }
                if (node.Form == Form.Calli) loaded = -1;
                WriteNode(il, node, places, labels);
            }
        }
    }

    private static void WriteNode(ILGenerator il, in Node node, Place[] places, Label[] labels)
    {
        switch (node.Form)
        {
            case Form.None: il.Emit(node.Code); break;
            case Form.Int: WriteInt(il, (int)node.Number); break;
            case Form.Long: WriteLong(il, node.Number); break;
            case Form.Float: il.Emit(OpCodes.Ldc_R4, BitConverter.Int32BitsToSingle((int)node.Number)); break;
            case Form.Double: il.Emit(OpCodes.Ldc_R8, BitConverter.Int64BitsToDouble(node.Number)); break;
            case Form.Local: WriteLocal(il, node.Code, places[node.Number]); break;
            case Form.Arg: WriteArg(il, node.Code, (int)node.Number); break;
            case Form.Label: il.Emit(node.Code, labels[node.Number]); break;
            case Form.Switch: il.Emit(node.Code, Array.ConvertAll((int[])node.Object!, l => labels[l])); break;
            case Form.Method when node.Object is MethodInfo method: il.Emit(node.Code, method); break;
            case Form.Method: il.Emit(node.Code, (ConstructorInfo)node.Object!); break;
            case Form.Field: il.Emit(node.Code, (FieldInfo)node.Object!); break;
            case Form.Type: il.Emit(node.Code, (Type)node.Object!); break;
            case Form.String: il.Emit(node.Code, (string)node.Object!); break;
            case Form.Calli:
                var signature = (NativeSignature)node.Object!;
                il.EmitCalli(OpCodes.Calli, CallingConventions.Standard, signature.Return, signature.Parameters, null);
                break;
            case Form.Mark: il.MarkLabel(labels[node.Number]); break;
            case Form.Region: WriteBorder(il, (Border)node.Number); break;
        }
    }

    private static void WriteBorder(ILGenerator il, Border border)
    {
        switch (border)
        {
            case Border.Try: il.BeginExceptionBlock(); break;
            case Border.Catch: il.BeginCatchBlock(typeof(WasmException)); break;
            case Border.Filter: il.BeginExceptFilterBlock(); break;
            case Border.FilteredCatch: il.BeginCatchBlock(null!); break;
            default: il.EndExceptionBlock(); break;
        }
    }

    private static void WriteLocal(ILGenerator il, OpCode code, in Place place)
    {
        if (place.Field is null)
        {
            il.Emit(code, place.Local);
        }
        else if (code == OpCodes.Stloc)
        {
            il.Emit(OpCodes.Stloc, place.Temp!);
            il.Emit(OpCodes.Ldloca, place.Local);
            il.Emit(OpCodes.Ldloc, place.Temp!);
            il.Emit(OpCodes.Stfld, place.Field);
        }
        else
        {
            il.Emit(OpCodes.Ldloca, place.Local);
            il.Emit(code == OpCodes.Ldloc ? OpCodes.Ldfld : OpCodes.Ldflda, place.Field);
        }
    }

    private static void WriteInt(ILGenerator il, int value)
    {
        if (value is >= sbyte.MinValue and <= sbyte.MaxValue) il.Emit(OpCodes.Ldc_I4_S, (sbyte)value);
        else il.Emit(OpCodes.Ldc_I4, value);
    }

    private static bool IsShort(long value) => value is >= sbyte.MinValue and <= sbyte.MaxValue;

    private static void WriteLong(ILGenerator il, long value)
    {
        if (IsShort(value))
        {
            il.Emit(OpCodes.Ldc_I4_S, (sbyte)value);
            il.Emit(OpCodes.Conv_I8);
        }
        else
        {
            il.Emit(OpCodes.Ldc_I8, value);
        }
    }

    private static void WriteArg(ILGenerator il, OpCode code, int arg)
    {
        if (code == OpCodes.Ldarg)
        {
            if (arg == 0) il.Emit(OpCodes.Ldarg_0);
            else if (arg < 256) il.Emit(OpCodes.Ldarg_S, (byte)arg);
            else il.Emit(OpCodes.Ldarg, (short)arg);
        }
        else if (arg < 256)
        {
            il.Emit(OpCodes.Starg_S, (byte)arg);
        }
        else
        {
            il.Emit(OpCodes.Starg, (short)arg);
        }
    }
}
