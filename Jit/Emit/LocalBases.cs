using System.Reflection;
using System.Reflection.Emit;
using WasmJit.Jit.Il;
using WasmJit.Runtime;

namespace WasmJit.Jit.Emit;

/// <summary>
/// Locals through which memories and slices are accessed (runtime linking, section 4). An access through one costs as much as an access to the own
/// memory: base and limit are in IL locals beside it, brought up to date wherever it is written. Null has a base too, of address space where every
/// access faults.
/// </summary>
/// <remarks>The function's end knows which locals are accessed; <see cref="EmitAt"/> then inserts the code that they need.</remarks>
internal sealed class LocalBases(EmitterContext context, Assertions assertions)
{
    private readonly IlBuffer il = context.Il;
    private readonly OperandStack stack = context.Stack;
    private readonly LocalPlaces places = context.Places;

    /// <summary>How many places are of the function's own locals. Those of inlined functions keep no bases.</summary>
    private readonly int ownPlaces = context.Places.Count;

    /// <summary>The locals through which memories are accessed, by their place.</summary>
    private readonly Dictionary<int, ReferenceLocal> accessed = [];

    /// <summary>The positions at which such locals are written, with the value on the IL stack. Only at the function's end is it known which of them are accessed.</summary>
    private readonly List<(int Local, int At)> writes = [];

    /// <summary>
    /// Immutable globals with memories or slices: they are read once, at the function's start, and are locals from then on.
    /// </summary>
    private readonly Dictionary<int, Operand> readGlobals = [];

    private readonly HashSet<int> readGlobalPlaces = [];

    /// <summary>Pushes an immutable global with a memory or slice, if it is one.</summary>
    internal bool TryReadGlobalOnce(int global)
    {
        GlobalType type = context.Module.Globals[global].Type;
        if (type.IsMutable || !(ProvenTypes.IsMemory(type.Type) || ProvenTypes.IsSlice(type.Type)) || !ReferenceEquals(context.Current.Use, context.Root.Use)) return false;
        if (!readGlobals.TryGetValue(global, out Operand place))
        {
            readGlobals[global] = place = places.Declare(type.Type, (false, il.DeclareLocal(typeof(object))));
            readGlobalPlaces.Add(place.Index);
        }
        stack.Push(place);
        return true;
    }

    /// <summary>
    /// Whether accesses through an operand may use what is kept beside the local that it is read from. The local's declared type says what
    /// can be in it; the operand's may be another one, behind a cast.
    /// </summary>
    private bool HasBase(in Operand operand, bool isSlice) =>
        operand.Kind == OperandKind.Local && KeepsBase(operand.Index)
        && (isSlice ? ProvenTypes.IsSlice(places.TypeOf(operand.Index)) : ProvenTypes.IsMemory(places.TypeOf(operand.Index)));

    private bool KeepsBase(int place) => place < ownPlaces || readGlobalPlaces.Contains(place);

    /// <summary>A local is about to get the value on the IL stack.</summary>
    internal void BeforeStore(in Operand local)
    {
        ValType type = places.TypeOf(local.Index);
        if (local.Index < ownPlaces && (ProvenTypes.IsMemory(type) || ProvenTypes.IsSlice(type))) writes.Add((local.Index, il.Tail));
    }

    /// <summary>The IL local with the memory that accesses through a local are compared with.</summary>
    internal int CheckedOf(ReferenceLocal local) =>
        local.Checked >= 0 ? local.Checked : local.Checked = il.DeclareLocal(typeof(Memory));

    /// <summary>Pushes the base of the memory that an access goes to.</summary>
    internal int BaseAt(int at, in MemoryAccess access)
    {
        if (access.Local is { } local) return assertions.BaseAt(il.LdlocAt(at, local.Base), access);
        at = stack.LoadAt(at, access.Reference);
        return il.CallAt(at, BaseOf(access.MayBeNull, context.Target.NeedsChecks(access.Type!)));
    }

    /// <summary>The helper that gives a base. Code without bounds checks gets, for a memory without guard pages, a base at which every access faults.</summary>
    private static MethodInfo BaseOf(bool mayBeNull, bool isCompared) => Members.MemoryReference((mayBeNull, isCompared) switch
    {
        (true, true) => nameof(MemoryReferences.BaseOrNull),
        (false, true) => nameof(MemoryReferences.Base),
        (true, false) => nameof(MemoryReferences.GuardedBaseOrNull),
        _ => nameof(MemoryReferences.GuardedBase),
    });

    private int LoadLocalAt(int at, int local)
    {
        (bool isArg, int index) = places[local];
        return isArg ? il.LdargAt(at, index) : il.LdlocAt(at, index);
    }

    /// <summary>
    /// Brings bases and limits up to date, at the function's start and with every write of the local. Pending accesses with the old base are emitted before
    /// the local changes; <c>KeepAlive</c> at loops and exits keeps the object alive while its base is used.
    /// </summary>
    /// <param name="at">Where: behind what gives locals their first values.</param>
    /// <param name="haveValues">Whether all locals have values there, and not the parameters alone.</param>
    internal int EmitAt(int at, bool haveValues)
    {
        foreach ((int global, Operand place) in readGlobals)
        {
            at = context.LoadElementAt(context.LoadInstanceAt(at), Members.Globals, global);
            at = il.StlocAt(il.FieldAt(at, OpCodes.Ldfld, Members.GlobalRef), places[place.Index].Index);
        }
        if (accessed.Count == 0) return at;
        foreach ((int local, int write) in writes)
        {
            if (!accessed.TryGetValue(local, out ReferenceLocal? known)) continue;
            int after = StoreBaseAt(il.EmitAt(write, OpCodes.Dup), known);
            if (known.Checked >= 0) after = StoreCheckedAt(il.EmitAt(after, OpCodes.Dup), known);
            foreach (((ulong extent, bool forStores), int limit) in known.Limits)
                after = StoreLimitAt(il.EmitAt(after, OpCodes.Dup), extent, forStores, limit);
        }
        foreach ((int local, ReferenceLocal known) in accessed)
        {
            bool hasValue = haveValues || places[local].IsArg || readGlobalPlaces.Contains(local);
            // Null slices have no limit, which is what IL locals begin with.
            if (!hasValue && known.IsSlice) continue;
            at = StoreBaseAt(hasValue ? LoadLocalAt(at, local) : il.EmitAt(at, OpCodes.Ldnull), known);
            if (known.Checked >= 0) at = StoreCheckedAt(hasValue ? LoadLocalAt(at, local) : il.EmitAt(at, OpCodes.Ldnull), known);
            foreach (((ulong extent, bool forStores), int limit) in known.Limits)
                at = StoreLimitAt(LoadLocalAt(at, local), extent, forStores, limit);
        }
        foreach (int wayOut in context.WaysOut)
        {
            int after = wayOut;
            foreach (int local in accessed.Keys) after = il.CallAt(LoadLocalAt(after, local), Members.KeepAlive);
        }
        return at;
    }

    private int StoreBaseAt(int at, ReferenceLocal known)
    {
        at = il.CallAt(at, known.IsSlice ? Members.Slice(nameof(Slices.Base)) : BaseOf(mayBeNull: true, known.IsCompared));
        return il.StlocAt(at, known.Base);
    }

    private int StoreCheckedAt(int at, ReferenceLocal known) =>
        il.StlocAt(il.CallAt(at, Members.MemoryReference(nameof(MemoryReferences.OrNothing))), known.Checked);

    private int StoreLimitAt(int at, ulong extent, bool forStores, int limit) => il.StlocAt(LimitAt(at, extent, forStores), limit);

    /// <summary>Pushes the limit of the slice on the IL stack.</summary>
    internal int LimitAt(int at, ulong extent, bool forStores) => il.CallAt(
        il.LdcI8At(at, (long)extent), Members.Slice(forStores ? nameof(Slices.WriteLimit) : nameof(Slices.ReadLimit)));

    /// <summary>The IL local with a limit of the slice in a local; null if it has as many as it may.</summary>
    internal int? LimitOf(ReferenceLocal local, ulong extent, bool forStores)
    {
        if (local.Limits.TryGetValue((extent, forStores), out int limit)) return limit;
        if (local.Limits.Count == ReferenceLocal.MaxLimits) return null;
        return local.Limits[(extent, forStores)] = il.DeclareLocal(typeof(long));
    }

    /// <summary>What is kept beside the local that a reference is read from; null if it is in none that keeps a base.</summary>
    internal ReferenceLocal? Of(in Operand reference, HeapType heap)
    {
        bool isSlice = ReferenceEquals(heap, HeapType.Slice);
        if (!HasBase(reference, isSlice)) return null;
        if (accessed.TryGetValue(reference.Index, out ReferenceLocal? local)) return local;
        bool isCompared = heap is DefType { Composite: EntityType memory } && context.Target.NeedsChecks(memory.Entity.Memory);
        return accessed[reference.Index] = new ReferenceLocal(il.DeclareLocal(typeof(nint)), isSlice, isCompared);
    }
}
