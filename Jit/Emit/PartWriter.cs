using System.Reflection.Emit;
using WasmJit.Jit.Calls;
using WasmJit.Jit.Il;
using WasmJit.Runtime;

namespace WasmJit.Jit.Emit;

/// <summary>
/// Writes one part of a function that is split. It loads the variables that it uses often when it is entered and stores those that it has
/// changed when it is left; the others stay in the arrays.
/// </summary>
internal sealed partial class PartWriter
{
    private const int MaxCached = 100;
    private const int MinUsesToCache = 3;

    // The arguments of a part: the instance, a reference to the words, the references, where to begin, and where the result goes.
    private const int WordsArg = 1, RefsArg = 2, EntryArg = 3, ResultArg = 4;

    private readonly Partition whole;
    private readonly int part;
    private readonly IlBuffer code = new();
    private readonly Dictionary<int, int> labels = [];

    /// <summary>Variables that have a local here, and those of them that live in the arrays; the latter with whether they change.</summary>
    private readonly Dictionary<int, int> locals = [];
    private readonly Dictionary<int, bool> cached = [];

    /// <summary>By state: where the part is left for it.</summary>
    private readonly Dictionary<int, int> exits = [];
    private readonly Dictionary<Type, int> temps = [];
    private int leave = -1, state = -1;

    /// <summary>Whether the last instruction said that a tail call comes, or that was made and the return comes.</summary>
    private bool isTail;

    private PartWriter(Partition whole, int part)
    {
        this.whole = whole;
        this.part = part;
    }

    /// <summary>The parameters of the parts of a function.</summary>
    internal static Type[] Parameters(Signature signature) => signature.Return == typeof(void)
        ? [typeof(InstanceCore), typeof(long).MakeByRefType(), typeof(object[]), typeof(int)]
        : [typeof(InstanceCore), typeof(long).MakeByRefType(), typeof(object[]), typeof(int), signature.Return.MakeByRefType()];

    /// <summary>Writes a part of a function: what it returns says where to go on, or that the function has returned.</summary>
    internal static IlBuffer Write(Partition whole, int part) => new PartWriter(whole, part).Write();

    private IlBuffer Write()
    {
        ChooseCached();
        foreach ((int variable, _) in cached)
        {
            LoadFromArray(variable);
            code.Stloc(LocalFor(variable));
        }
        nextRegion = whole.FirstRegionOf(part);
        WriteEntries(-1);
        OpenRegions(whole.RegionOfStart(part));
        bool falls = true;
        foreach (int i in whole.InstructionsOf(part))
        {
            ref readonly IlBuffer.Node node = ref whole[i];
            WriteNode(node, falls);
            falls = node.Code != OpCodes.Br && node.Code != OpCodes.Leave && node.Code != OpCodes.Ret && node.Code != OpCodes.Throw;
        }
        // The code of the last part never ends without going somewhere.
        if (falls && part + 1 < whole.Parts) GoToState((part + 1) << Partition.StateShift);
        while (region >= 0) CloseRegion();
        foreach ((int to, int exit) in exits)
        {
            code.Mark(exit);
            Leave(to);
        }
        if (leave < 0) return code;
        code.Mark(leave);
        foreach ((int variable, bool changes) in cached)
            if (changes) StoreToArray(variable, LocalFor(variable));
        code.Ldloc(state);
        code.Emit(OpCodes.Ret);
        return code;
    }

    private void ChooseCached()
    {
        var uses = new Dictionary<int, (int Count, bool Changes)>();
        foreach (int i in whole.AllInstructionsOf(part))
        {
            ref readonly IlBuffer.Node node = ref whole[i];
            int variable = whole.VariableOf(node);
            if (variable < 0 || whole.PlaceOf(variable) == Partition.Place.Part) continue;
            (int count, bool changes) = uses.GetValueOrDefault(variable);
            uses[variable] = (count + 1, changes || node.Code == OpCodes.Stloc || node.Code == OpCodes.Starg);
        }
        bool hasRegions = whole.HasRegions(part);
        foreach ((int variable, (int count, bool changes)) in uses.OrderByDescending(u => u.Value.Count).ThenBy(u => u.Key).Take(MaxCached))
            // What changes in a region and is used behind it takes the JIT long, and would not be in a register either.
            if (count >= MinUsesToCache && !(hasRegions && changes)) cached[variable] = changes;
    }

    private int LabelFor(int label)
    {
        if (!labels.TryGetValue(label, out int own)) labels[label] = own = code.DefineLabel();
        return own;
    }

    /// <summary>Where a branch goes: to the label, or to where the part is left for it.</summary>
    private int TargetFor(int label)
    {
        if (whole.PartOfLabel(label) == part) return LabelFor(label);
        return region < 0 ? ExitFor(whole.StateOf(label)) : StubFor(label);
    }

    /// <summary>Where the part is left for a state. It is in no region.</summary>
    private int ExitFor(int to)
    {
        if (!exits.TryGetValue(to, out int exit)) exits[to] = exit = code.DefineLabel();
        return exit;
    }

    /// <summary>Goes on at a state.</summary>
    private void GoToState(int to)
    {
        if (region >= 0) code.Branch(OpCodes.Leave, ExitFor(to));
        else Leave(to);
    }

    private void Leave(int to)
    {
        if (leave < 0)
        {
            leave = code.DefineLabel();
            state = code.DeclareLocal(typeof(int));
        }
        code.LdcI4(to);
        code.Stloc(state);
        code.Branch(OpCodes.Br, leave);
    }

    private int LocalFor(int variable)
    {
        if (!locals.TryGetValue(variable, out int local)) locals[variable] = local = code.DeclareLocal(whole.TypeOf(variable));
        return local;
    }

    private int Temp(Type type)
    {
        if (!temps.TryGetValue(type, out int temp)) temps[type] = temp = code.DeclareLocal(type);
        return temp;
    }

    private void LoadFromArray(int variable)
    {
        if (whole.PlaceOf(variable) == Partition.Place.Refs)
        {
            code.Ldarg(RefsArg);
            code.LdcI4(whole.SlotOf(variable));
            code.Emit(OpCodes.Ldelem_Ref);
            return;
        }
        Address(whole.SlotOf(variable));
        code.LoadIndirectAt(code.Tail, whole.TypeOf(variable));
    }

    private void StoreToArray(int variable, int from)
    {
        if (whole.PlaceOf(variable) == Partition.Place.Refs) StoreRef(whole.SlotOf(variable), from);
        else StoreWord(whole.SlotOf(variable), from, whole.TypeOf(variable));
    }

    private void StoreRef(int slot, int from)
    {
        code.Ldarg(RefsArg);
        code.LdcI4(slot);
        code.Ldloc(from);
        code.Emit(OpCodes.Stelem_Ref);
    }

    private void StoreWord(int offset, int from, Type type)
    {
        Address(offset);
        code.Ldloc(from);
        code.StoreIndirectAt(code.Tail, type);
    }

    private void Address(int offset)
    {
        code.Ldarg(WordsArg);
        if (offset == 0) return;
        code.LdcI4(offset);
        code.Emit(OpCodes.Add);
    }

    private void WriteNode(in IlBuffer.Node node, bool falls)
    {
        code.Source = node.Source;
        if (isTail)
        {
            WriteTail(node);
            return;
        }
        switch (node.Form)
        {
            case IlBuffer.Form.Mark: code.Mark(LabelFor((int)node.Number)); break;
            case IlBuffer.Form.Label when node.Code == OpCodes.Leave && whole.PartOfLabel((int)node.Number) != part:
                code.Branch(OpCodes.Leave, ExitFor(whole.StateOf((int)node.Number)));
                break;
            case IlBuffer.Form.Label: code.Branch(node.Code, TargetFor((int)node.Number)); break;
            case IlBuffer.Form.Switch: code.Switch(Array.ConvertAll((int[])node.Object!, TargetFor)); break;
            case IlBuffer.Form.Local or IlBuffer.Form.Arg when whole.VariableOf(node) >= 0: WriteAccess(node); break;
            case IlBuffer.Form.Region: WriteBorder((IlBuffer.Border)node.Number, falls); break;
            case IlBuffer.Form.None when node.Code == OpCodes.Ret: WriteReturn(); break;
            case IlBuffer.Form.None when node.Code == OpCodes.Tailcall: isTail = true; break;
            default: code.Append(node); break;
        }
    }

    /// <summary>Writes a tail call, or the return behind it: stores what is passed where the method in front finds it.</summary>
    private void WriteTail(in IlBuffer.Node node)
    {
        if (node.Form != IlBuffer.Form.Calli)
        {
            isTail = false;
            return;
        }
        var signature = (NativeSignature)node.Object!;
        (int words, int refs) = whole.TailSlots;
        int callee = Temp(typeof(nint));
        code.Stloc(callee);
        StoreWord(words, callee, typeof(nint));
        words += 8 * (1 + signature.Parameters.Sum(Partition.WordsOf));
        refs += signature.Parameters.Count(type => !type.IsValueType);
        foreach (Type type in signature.Parameters.Reverse())
        {
            int temp = Temp(type);
            code.Stloc(temp);
            if (type.IsValueType) StoreWord(words -= 8 * Partition.WordsOf(type), temp, type);
            else StoreRef(--refs, temp);
        }
        code.LdcI4(Partition.StateOfTail(whole.TailOf(signature)));
        code.Emit(OpCodes.Ret);
    }

    private void WriteAccess(in IlBuffer.Node node)
    {
        int variable = whole.VariableOf(node);
        bool stores = node.Code == OpCodes.Stloc || node.Code == OpCodes.Starg;
        if (whole.PlaceOf(variable) == Partition.Place.Part || cached.ContainsKey(variable))
        {
            int local = LocalFor(variable);
            if (stores) code.Stloc(local);
            else if (node.Code == OpCodes.Ldloca) code.Ldloca(local);
            else code.Ldloc(local);
        }
        else if (stores)
        {
            int temp = Temp(whole.TypeOf(variable));
            code.Stloc(temp);
            StoreToArray(variable, temp);
        }
        else
        {
            LoadFromArray(variable);
        }
    }

    private void WriteReturn()
    {
        Type type = whole.Signature.Return;
        if (type != typeof(void))
        {
            int temp = Temp(type);
            code.Stloc(temp);
            code.Ldarg(ResultArg);
            code.Ldloc(temp);
            code.TypeOp(OpCodes.Stobj, type);
        }
        code.LdcI4(-1);
        code.Emit(OpCodes.Ret);
    }
}
