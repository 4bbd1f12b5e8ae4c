using System.Reflection;
using System.Reflection.Emit;
using WasmJit.Runtime;

namespace WasmJit.Jit;

/// <summary>
/// Memories, tables and globals behind references (runtime linking, section 4). An access through a local costs what one to the
/// own memory costs: the base is in an IL local beside it. Null has a base too, of address space where every access faults.
/// </summary>
internal sealed partial class FunctionEmitter
{
    /// <summary>The function's locals through which memories are accessed, by their place; those of functions put into it have none.</summary>
    private readonly Dictionary<int, ReferenceLocal> referenceLocals = [];

    /// <summary>Where such locals are written: the value is on the IL stack. Which of them are accessed, the end knows.</summary>
    private readonly List<(int Local, int Place)> referenceWrites = [];

    /// <summary>Loops and ways out.</summary>
    private readonly List<int> referenceKeepAlives = [];

    /// <summary>How many places are of the function's own locals.</summary>
    private readonly int ownPlaces;

    /// <summary>
    /// Immutable globals with memories or slices: they are read once, at the function's start, and are locals from then on.
    /// </summary>
    private readonly Dictionary<int, Operand> readGlobals = [];

    private readonly HashSet<int> readGlobalPlaces = [];

    private bool TryReadGlobalOnce(int global)
    {
        GlobalType type = module.Globals[global].Type;
        if (type.IsMutable || !(ProvenTypes.IsMemory(type.Type) || ProvenTypes.IsSlice(type.Type)) || !ReferenceEquals(current.Use, root.Use)) return false;
        if (!readGlobals.TryGetValue(global, out Operand place))
        {
            readGlobals[global] = place = DeclarePlace(type.Type, (false, il.DeclareLocal(typeof(object))));
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
        && (isSlice ? ProvenTypes.IsSlice(placeTypes[operand.Index]) : ProvenTypes.IsMemory(placeTypes[operand.Index]));

    private bool KeepsBase(int place) => place < ownPlaces || readGlobalPlaces.Contains(place);

    /// <summary>A local is about to get the value on the IL stack.</summary>
    private void BeforeLocalStore(in Operand local)
    {
        ValType type = placeTypes[local.Index];
        if (local.Index < ownPlaces && (ProvenTypes.IsMemory(type) || ProvenTypes.IsSlice(type))) referenceWrites.Add((local.Index, il.Tail));
    }

    private MemoryAccess ReferenceAccess(in Instr instr)
    {
        HeapType heap = new TypeDecoder(module).HeapTypeOf(instr.Heap1, instr.Offset);
        // Once it has its value, the base of null is a constant for RyuJIT.
        System.Runtime.CompilerServices.RuntimeHelpers.RunClassConstructor(typeof(AddressSpace).TypeHandle);
        System.Runtime.CompilerServices.RuntimeHelpers.RunClassConstructor(typeof(MemoryReferences).TypeHandle);
        bool isSlice = ReferenceEquals(heap, HeapType.Slice);
        bool mayBeNull = !IsNonNull(instr.Op.Params.Length);
        Operand reference = stack.Extract(instr.Op.Params.Length);
        ReferenceLocal? local = null;
        if (HasBase(reference, isSlice) && !referenceLocals.TryGetValue(reference.Index, out local))
        {
            bool isCompared = heap is DefType { Composite: EntityType memory } && target.NeedsChecks(memory.Entity.Memory);
            local = new ReferenceLocal(il.DeclareLocal(typeof(nint)), isSlice, isCompared);
            referenceLocals.Add(reference.Index, local);
        }
        return new MemoryAccess
        {
            Type = heap is DefType { Composite: EntityType type } ? type.Entity.Memory : null,
            Memory = -1,
            Reference = reference,
            Local = local,
            MayBeNull = mayBeNull,
        };
    }

    private int CheckedOf(ReferenceLocal local) =>
        local.Checked >= 0 ? local.Checked : local.Checked = il.DeclareLocal(typeof(Memory));

    private int ReferenceBaseAt(int at, in MemoryAccess access)
    {
        if (access.Local is { } local) return AssertBaseAt(il.LdlocAt(at, local.Base), access);
        at = stack.LoadAt(at, access.Reference);
        return il.CallAt(at, BaseOf(access.MayBeNull, target.NeedsChecks(access.Type!)));
    }

    /// <summary>The helper that gives a base. Where nothing is compared, memories without guard pages have one at which all accesses trap.</summary>
    private static System.Reflection.MethodInfo BaseOf(bool mayBeNull, bool isCompared) => Members.MemoryReference((mayBeNull, isCompared) switch
    {
        (true, true) => nameof(MemoryReferences.BaseOrNull),
        (false, true) => nameof(MemoryReferences.Base),
        (true, false) => nameof(MemoryReferences.GuardedBaseOrNull),
        _ => nameof(MemoryReferences.GuardedBase),
    });

    /// <summary>Keeps what was accessed alive until here. Locals with a base live until the function's ways out.</summary>
    private void EndAccess(in MemoryAccess access)
    {
        if (!access.IsReference || access.Local is not null || access.Reference.Kind == OperandKind.Const) return;
        stack.LoadAt(il.Tail, access.Reference);
        il.Call(Members.KeepAlive);
        if (access.Reference.Kind == OperandKind.Temp) stack.FreeTemp(access.Reference.Index);
    }

    private int LoadLocalAt(int at, int local)
    {
        (bool isArg, int index) = places[local];
        return isArg ? il.LdargAt(at, index) : il.LdlocAt(at, index);
    }

    /// <summary>
    /// Brings bases and limits up to date, at the function's start and before every write of the local: an access that is still to
    /// be made with the old ones is made before the old memory may go. Such locals live until the ways out and in loops.
    /// </summary>
    private int EmitReferenceLocals(int at)
    {
        foreach ((int global, Operand place) in readGlobals)
        {
            at = LoadElementAt(LoadInstanceAt(at), Members.Globals, global);
            at = il.StlocAt(il.FieldAt(at, OpCodes.Ldfld, Members.GlobalRef), places[place.Index].Index);
        }
        if (referenceLocals.Count == 0) return at;
        foreach ((int local, int place) in referenceWrites)
        {
            if (!referenceLocals.TryGetValue(local, out ReferenceLocal? known)) continue;
            int after = StoreBaseAt(il.EmitAt(place, OpCodes.Dup), known);
            if (known.Checked >= 0) after = StoreCheckedAt(il.EmitAt(after, OpCodes.Dup), known);
            foreach (((ulong extent, bool writes), int limit) in known.Limits)
                after = StoreLimitAt(il.EmitAt(after, OpCodes.Dup), extent, writes, limit);
        }
        foreach ((int local, ReferenceLocal known) in referenceLocals)
        {
            bool hasValue = places[local].IsArg || readGlobalPlaces.Contains(local);
            // Null slices have no limit, which is what IL locals begin with.
            if (!hasValue && known.IsSlice) continue;
            at = StoreBaseAt(hasValue ? LoadLocalAt(at, local) : il.EmitAt(at, OpCodes.Ldnull), known);
            if (known.Checked >= 0) at = StoreCheckedAt(hasValue ? LoadLocalAt(at, local) : il.EmitAt(at, OpCodes.Ldnull), known);
            foreach (((ulong extent, bool writes), int limit) in known.Limits)
                at = StoreLimitAt(LoadLocalAt(at, local), extent, writes, limit);
        }
        foreach (int place in referenceKeepAlives)
        {
            int after = place;
            foreach (int local in referenceLocals.Keys) after = il.CallAt(LoadLocalAt(after, local), Members.KeepAlive);
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

    private int StoreLimitAt(int at, ulong extent, bool writes, int limit) => il.StlocAt(LimitAt(at, extent, writes), limit);

    /// <summary>Pushes the limit of the slice on the IL stack.</summary>
    private int LimitAt(int at, ulong extent, bool writes) => il.CallAt(
        il.LdcI8At(at, (long)extent), Members.Slice(writes ? nameof(Slices.WriteLimit) : nameof(Slices.ReadLimit)));

    /// <summary>The address of an access through a slice, whose offset is on the IL stack.</summary>
    private int SliceAddressAt(int at, in Instr instr, in MemoryAccess access, int width)
    {
        bool writes = instr.Op.Has(OpTraits.WritesMemory);
        if (instr.Op.Has(OpTraits.Atomic))
        {
            at = stack.LoadAt(at, access.Reference);
            at = il.LdcI8At(at, (long)instr.Bits);
            at = il.LdcI4At(at, width);
            at = il.LdcI4At(at, writes ? 1 : 0);
            return il.CallAt(at, Members.Slice(nameof(Slices.AtomicAddress)));
        }
        ulong extent = ExtentOf(instr, width);
        if (access.Local is { } local && LimitOf(local, extent, writes) is { } limit)
            at = AssertLimitAt(il.LdlocAt(at, limit), access, extent, writes);
        else
            at = LimitAt(stack.LoadAt(at, access.Reference), extent, writes);
        at = stack.LoadAt(at, access.Reference);
        at = il.CallAt(at, Members.Slice(writes ? nameof(Slices.CheckWrite) : nameof(Slices.CheckRead)));
        at = access.Local is { } kept
            ? AssertBaseAt(il.LdlocAt(at, kept.Base), access)
            : il.CallAt(stack.LoadAt(at, access.Reference), Members.Slice(nameof(Slices.BaseOf)));
        at = il.EmitAt(at, OpCodes.Add);
        return OffsetAt(at, instr.Bits);
    }

    private int? LimitOf(ReferenceLocal local, ulong extent, bool writes)
    {
        if (local.Limits.TryGetValue((extent, writes), out int limit)) return limit;
        if (local.Limits.Count == ReferenceLocal.MaxLimits) return null;
        return local.Limits[(extent, writes)] = il.DeclareLocal(typeof(long));
    }

    private void WaitThroughReference(in Instr instr, in WaitHelpers helpers)
    {
        HeapType heap = new TypeDecoder(module).HeapTypeOf(instr.Heap1, instr.Offset);
        int start = stack.Take(instr.Op.Params.Length + 1);
        il.LdcI8((long)instr.Bits);
        if (heap is DefType { Composite: EntityType type })
            il.Call(Members.MemoryReference(Sized(type.Entity.Memory.Is64, helpers.Of32, helpers.Of64)));
        else
            il.Call(Members.Slice(helpers.OfSlices));
        stack.PushStack(ValType.I32, start);
    }

    // ---- bulk operators, tables, globals ----

    private ExternType Entity(uint type) => ((EntityType)module.Types[(int)type].Composite).Entity;

    /// <summary>Calls a helper with the topmost operands and pushes what it gives.</summary>
    private bool CallHelper(int operands, MethodInfo helper, ValType? result = null)
    {
        int start = stack.Take(operands);
        il.Call(helper);
        if (result is { } type) stack.PushStack(type, start);
        return true;
    }

    /// <summary>The same with the instance and a number behind the operands.</summary>
    private bool CallWithIndex(int operands, uint index, MethodInfo helper, ValType? result = null)
    {
        int start = stack.Take(operands);
        LoadInstance();
        il.LdcI4((int)index);
        il.Call(helper);
        if (result is { } type) stack.PushStack(type, start);
        return true;
    }

    private bool EmitMemoryReferences(in Instr instr)
    {
        switch (instr.Id)
        {
            case OpId.MemoryNew:
                return CallWithIndex(0, instr.A, Members.MemoryReference("New"), ValType.Ref(module.Types[(int)instr.A], false));
            case OpId.MemorySizeRef or OpId.MemoryGrowRef:
                {
                    MemoryType type = Entity(instr.A).Memory;
                    bool grows = instr.Id == OpId.MemoryGrowRef;
                    return CallHelper(grows ? 2 : 1, Members.MemoryReference(grows
                        ? Sized(type.Is64, nameof(MemoryReferences.Grow32), nameof(MemoryReferences.Grow64))
                        : Sized(type.Is64, nameof(MemoryReferences.Size32), nameof(MemoryReferences.Size64))), type.AddressType);
                }
            case OpId.MemoryFillRef:
                return CallHelper(4, Members.MemoryReference(Sized(Entity(instr.A).Memory.Is64, nameof(MemoryReferences.Fill32), nameof(MemoryReferences.Fill64))));
            case OpId.MemoryCopyRef:
                return CallHelper(5, Members.MemoryReference(Copied(Entity(instr.A).Memory.Is64, Entity(instr.B).Memory.Is64,
                    nameof(MemoryReferences.Copy32), nameof(MemoryReferences.Copy64), nameof(MemoryReferences.Copy32To64), nameof(MemoryReferences.Copy64To32))));
            case OpId.MemoryInitRef:
                return CallWithIndex(4, instr.A, Members.MemoryReference(Sized(Entity(instr.B).Memory.Is64, nameof(MemoryReferences.Init32), nameof(MemoryReferences.Init64))));
            default: return false;
        }
    }

    private bool EmitTableReferences(in Instr instr)
    {
        switch (instr.Id)
        {
            case OpId.TableNew:
                return CallWithIndex(
                    1, instr.A, Members.TableReference(Signature.IsFunc(Entity(instr.A).Table.Element) ? "NewFunc" : "New"),
                    ValType.Ref(module.Types[(int)instr.A], false));
            case OpId.TableGetRef:
                return CallHelper(2, Members.TableReference(Sized(Entity(instr.A).Table.Is64, nameof(TableReferences.Get32), nameof(TableReferences.Get64))), Entity(instr.A).Table.Element);
            case OpId.TableSetRef:
                return CallHelper(3, Members.TableReference(Sized(Entity(instr.A).Table.Is64, nameof(TableReferences.Set32), nameof(TableReferences.Set64))));
            case OpId.TableSizeRef or OpId.TableGrowRef:
                {
                    TableType type = Entity(instr.A).Table;
                    bool grows = instr.Id == OpId.TableGrowRef;
                    return CallHelper(grows ? 3 : 1, Members.TableReference(grows
                        ? Sized(type.Is64, nameof(TableReferences.Grow32), nameof(TableReferences.Grow64))
                        : Sized(type.Is64, nameof(TableReferences.Size32), nameof(TableReferences.Size64))), type.AddressType);
                }
            case OpId.TableFillRef:
                return CallHelper(4, Members.TableReference(Sized(Entity(instr.A).Table.Is64, nameof(TableReferences.Fill32), nameof(TableReferences.Fill64))));
            case OpId.TableCopyRef:
                return CallHelper(5, Members.TableReference(Copied(Entity(instr.A).Table.Is64, Entity(instr.B).Table.Is64,
                    nameof(TableReferences.Copy32), nameof(TableReferences.Copy64), nameof(TableReferences.Copy32To64), nameof(TableReferences.Copy64To32))));
            case OpId.TableInitRef:
                return CallWithIndex(4, instr.A, Members.TableReference(Sized(Entity(instr.B).Table.Is64, nameof(TableReferences.Init32), nameof(TableReferences.Init64))));
            case OpId.CallIndirectRef:
                {
                    DefType type = module.Types[(int)instr.B];
                    int local = stack.TakeTemp(typeof(FuncRef));
                    stack.Take(2);
                    target.LoadTypeId(il, type);
                    LoadInstance();
                    il.LdcI4((int)instr.B);
                    il.Call(Members.TableReference(Sized(Entity(instr.A).Table.Is64, nameof(TableReferences.Resolve32), nameof(TableReferences.Resolve64))));
                    il.Stloc(local);
                    CallThrough(local, (FuncType)type.Composite, type, tail: false);
                    return true;
                }
            default: return false;
        }
    }

    /// <summary>The helpers of an operator on globals, by the type of their values.</summary>
    private sealed record GlobalHelpers(string I32, string I64, string F32, string F64, string V128, string Func, string Ref)
    {
        internal MethodInfo Of(ValType type) => Members.GlobalReference(type.Kind switch
        {
            ValKind.I32 => I32,
            ValKind.I64 => I64,
            ValKind.F32 => F32,
            ValKind.F64 => F64,
            ValKind.V128 => V128,
            _ => Signature.IsFunc(type) ? Func : Ref,
        });
    }

    private static readonly GlobalHelpers NewGlobal = new(
        nameof(GlobalReferences.NewI32), nameof(GlobalReferences.NewI64), nameof(GlobalReferences.NewF32), nameof(GlobalReferences.NewF64),
        nameof(GlobalReferences.NewV128), nameof(GlobalReferences.NewFunc), nameof(GlobalReferences.NewRef)),
        GetGlobal = new(
        nameof(GlobalReferences.GetI32), nameof(GlobalReferences.GetI64), nameof(GlobalReferences.GetF32), nameof(GlobalReferences.GetF64),
        nameof(GlobalReferences.GetV128), nameof(GlobalReferences.GetFunc), nameof(GlobalReferences.GetRef)),
        SetGlobal = new(
        nameof(GlobalReferences.SetI32), nameof(GlobalReferences.SetI64), nameof(GlobalReferences.SetF32), nameof(GlobalReferences.SetF64),
        nameof(GlobalReferences.SetV128), nameof(GlobalReferences.SetFunc), nameof(GlobalReferences.SetRef));

    private bool EmitGlobalReferences(in Instr instr)
    {
        switch (instr.Id)
        {
            case OpId.GlobalNew:
                {
                    ValType type = Entity(instr.A).Global.Type;
                    return CallWithIndex(1, instr.A, NewGlobal.Of(type), ValType.Ref(module.Types[(int)instr.A], false));
                }
            case OpId.GlobalGetRef:
                {
                    ValType type = Entity(instr.A).Global.Type;
                    return CallHelper(1, GetGlobal.Of(type), type);
                }
            case OpId.GlobalSetRef: return CallHelper(2, SetGlobal.Of(Entity(instr.A).Global.Type));
            default: return false;
        }
    }

    private bool EmitSlices(in Instr instr)
    {
        var slice = ValType.Ref(HeapType.Slice, false);
        switch (instr.Id)
        {
            case OpId.SliceNew:
                {
                    int start = stack.Take(2);
                    LoadMemory(instr.A);
                    il.Call(Members.Slice(Sized(module.Memories[(int)instr.A].Is64, nameof(Slices.New32), nameof(Slices.New64))));
                    stack.PushStack(slice, start);
                    return true;
                }
            case OpId.SliceNewRef: return CallHelper(3, Members.Slice(Sized(Entity(instr.A).Memory.Is64, nameof(Slices.NewRef32), nameof(Slices.NewRef64))), slice);
            case OpId.SliceSub: return CallHelper(3, Members.Slice(nameof(Slices.Sub)), slice);
            case OpId.SliceReadonly: return CallHelper(1, Members.Slice(nameof(Slices.ReadOnly)), slice);
            case OpId.SliceLen: return CallHelper(1, Members.Slice(nameof(Slices.Length)), ValType.I64);
            case OpId.SliceCopy: return CallHelper(5, Members.Slice(nameof(Slices.Copy)));
            case OpId.SliceFill: return CallHelper(4, Members.Slice(nameof(Slices.Fill)));
            default: return false;
        }
    }
}
