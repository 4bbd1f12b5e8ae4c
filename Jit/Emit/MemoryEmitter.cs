using System.Reflection.Emit;
using System.Runtime.CompilerServices;
using WasmJit.Jit.Calls;
using WasmJit.Jit.Il;
using WasmJit.Jit.Operators;
using WasmJit.Runtime;

namespace WasmJit.Jit.Emit;

/// <summary>
/// Accesses of memories (spec 4.6.6): own ones, those behind references, and slices. With guard pages an access is one instruction: base,
/// index zero-extended, offset. With checks the index goes through <see cref="Memory.Check32"/> or 64, which are inlined.
/// </summary>
internal sealed class MemoryEmitter(EmitterContext context, LocalBases bases, Rotations rotations, Assertions assertions)
{
    private readonly IlBuffer il = context.Il;
    private readonly OperandStack stack = context.Stack;
    private readonly ICodeTarget target = context.Target;

    /// <summary>The instructions that load, and how much, where the processor finds what is beyond the end.</summary>
    internal List<(int Node, int Width)> UncheckedLoads { get; } = [];

    /// <summary>What an access goes to; its reference is taken out from below the operands of the operator's row.</summary>
    internal MemoryAccess AccessOf(in Instr instr)
    {
        if (instr.HasMemoryRef) return ReferenceAccess(instr);
        Operand index = stack[instr.Op.Params.Length - 1];
        return new MemoryAccess
        {
            Type = context.Module.Memories[(int)instr.Memory],
            Memory = (int)instr.Memory,
            Index = ReferenceEquals(context.Current.Use, context.Root.Use) ? context.Known.SumOf(index) : (-1, 0),
            IndexMax = context.Known.RangeOf(index).Max,
            Parts = index.Parts,
        };
    }

    private MemoryAccess ReferenceAccess(in Instr instr)
    {
        HeapType heap = context.HeapTypeOf(instr.Heap1, instr.Offset);
        // Once it has its value, the base of null is a constant for RyuJIT.
        RuntimeHelpers.RunClassConstructor(typeof(AddressSpace).TypeHandle);
        RuntimeHelpers.RunClassConstructor(typeof(MemoryReferences).TypeHandle);
        bool mayBeNull = !assertions.IsNonNull(instr.Op.Params.Length);
        Operand reference = stack.Extract(instr.Op.Params.Length);
        return new MemoryAccess
        {
            Type = heap is DefType { Composite: EntityType type } ? type.Entity.Memory : null,
            Memory = -1,
            Reference = reference,
            Local = bases.Of(reference, heap),
            MayBeNull = mayBeNull,
            Parts = stack[instr.Op.Params.Length - 1].Parts,
        };
    }

    /// <summary>Keeps what was accessed alive until here. Locals with a base live until the function's ways out.</summary>
    internal void EndAccess(in MemoryAccess access)
    {
        if (!access.IsReference || access.Local is not null || access.Reference.Kind == OperandKind.Const) return;
        stack.LoadAt(il.Tail, access.Reference);
        il.Call(Members.KeepAlive);
        if (access.Reference.Kind == OperandKind.Temp) stack.FreeTemp(access.Reference.Index);
    }

    /// <summary>Whether code compares the index before the access: it must do so after everything that the operands do.</summary>
    private bool NeedsChecks(in Instr instr, in MemoryAccess access) =>
        access.IsSlice || target.NeedsChecks(access.Type!) || (instr.Op.Has(OpTraits.Atomic) && access.MayBeNull);

    /// <summary>Turns the index below position <paramref name="at"/> into the native address of the access.</summary>
    internal int AddressAt(int at, in Instr instr, in MemoryAccess access, int width) =>
        assertions.AddressAt(access.IsSlice ? SliceAddressAt(at, instr, access, width) : MemoryAddressAt(at, instr, access, width), access, width);

    private int MemoryAddressAt(int at, in Instr instr, in MemoryAccess access, int width)
    {
        MemoryType type = access.Type!;
        bool checks = target.NeedsChecks(type);
        ulong extent = ExtentOf(instr, width), offset = instr.Bits;
        bool compares = checks && !context.Known.IsInside(access, extent);
        if (!type.Is64) at = compares || instr.Op.Has(OpTraits.Atomic) ? il.EmitAt(at, OpCodes.Conv_U8) : WidenAt(at, access.Parts, ref offset);
        bool inLocal = access.Local is not null && access.MayBeNull && !instr.Op.Has(OpTraits.Atomic);
        if (access.MayBeNull && !inLocal && NeedsChecks(instr, access)) at = il.CallAt(stack.LoadAt(at, access.Reference), Members.MemoryReference("CheckNull"));
        if (checks)
        {
            if (instr.Op.Has(OpTraits.Atomic) && width > 1)
            {
                // An atomic access finds out that it is not aligned before it looks at bounds.
                at = il.LdcI8At(at, (long)instr.Bits);
                at = il.LdcI4At(at, width - 1);
                at = il.CallAt(at, Members.MemoryCheckAligned);
            }
            if (compares) at = CompareAt(at, access, inLocal, extent);
        }
        at = BaseAt(at, access);
        at = il.EmitAt(at, OpCodes.Add);
        return OffsetAt(at, offset);
    }

    /// <summary>Makes a number of 64 bits of the index below a position, which nothing but the access looks at.</summary>
    /// <param name="at">The position.</param>
    /// <param name="parts">What the index is made of.</param>
    /// <param name="offset">The access's offset. A constant that is added to the index may become part of it.</param>
    /// <returns>The position behind the number.</returns>
    private int WidenAt(int at, IndexParts parts, ref ulong offset)
    {
        if (parts == default || assertions.AddsUp(ref at, parts)) return il.EmitAt(at, OpCodes.Conv_U8);
        if (parts.Sum != 0)
        {
            // An address has 32 bits for the offset, with a sign.
            if (offset + parts.Addend > int.MaxValue || !il.IsSumOfConstant(parts.Sum, at)) return il.EmitAt(at, OpCodes.Conv_U8);
            il.CutBehind(parts.Sum, at);
            offset += parts.Addend;
            at = parts.Sum;
        }
        if (parts.Number == 0) return il.EmitAt(at, OpCodes.Conv_U8);
        il.EmitAt(parts.Number, OpCodes.Conv_U8);
        return at;
    }

    /// <summary>Compares the index below position <paramref name="at"/> with the memory's length.</summary>
    private int CompareAt(int at, in MemoryAccess access, bool inLocal, ulong extent)
    {
        bool is64 = access.Is64;
        at = inLocal ? assertions.CheckedMemoryAt(il.LdlocAt(at, bases.CheckedOf(access.Local!)), access)
            : access.IsReference ? stack.LoadAt(at, access.Reference) : il.LdlocAt(at, context.MemoryObject((uint)access.Memory));
        at = il.LdcI8At(at, (long)extent);
        at = il.CallAt(at, inLocal ? Members.MemoryReference(is64 ? nameof(MemoryReferences.CheckOrNothing64) : nameof(MemoryReferences.CheckOrNothing32))
            : access.IsReference ? Members.MemoryReference(is64 ? nameof(MemoryReferences.Check64) : nameof(MemoryReferences.Check32))
            : is64 ? Members.MemoryCheck64 : Members.MemoryCheck32);
        context.Known.NoteCompared(access, extent);
        return at;
    }

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
        if (access.Local is { } local && bases.LimitOf(local, extent, writes) is { } limit)
            at = assertions.LimitAt(il.LdlocAt(at, limit), access, extent, writes);
        else
            at = bases.LimitAt(stack.LoadAt(at, access.Reference), extent, writes);
        at = stack.LoadAt(at, access.Reference);
        at = il.CallAt(at, Members.Slice(writes ? nameof(Slices.CheckWrite) : nameof(Slices.CheckRead)));
        at = access.Local is { } kept
            ? assertions.BaseAt(il.LdlocAt(at, kept.Base), access)
            : il.CallAt(stack.LoadAt(at, access.Reference), Members.Slice(nameof(Slices.BaseOf)));
        at = il.EmitAt(at, OpCodes.Add);
        return OffsetAt(at, instr.Bits);
    }

    /// <summary>The bytes from an access's index to its end. A number that no memory can have is cut to the largest.</summary>
    private static ulong ExtentOf(in Instr instr, int width)
    {
        ulong extent = instr.Bits + (ulong)width;
        return extent < instr.Bits ? ulong.MaxValue : extent;
    }

    private int BaseAt(int at, in MemoryAccess access) =>
        access.IsReference ? bases.BaseAt(at, access) : il.LdlocAt(at, context.MemoryBase((uint)access.Memory));

    private int OffsetAt(int at, ulong offset)
    {
        if (offset == 0) return at;
        at = il.LdcI8At(at, (long)offset);
        return il.EmitAt(at, OpCodes.Add);
    }

    /// <summary>The address of an access whose index is a constant and needs no check.</summary>
    private int ConstantAddressAt(int at, in Instr instr, in MemoryAccess access, in Operand index, int width)
    {
        at = BaseAt(at, access);
        return assertions.AddressAt(OffsetAt(at, instr.Bits + ConstantIndex(index, access)), access, width);
    }

    private static ulong ConstantIndex(in Operand index, in MemoryAccess access) => access.Is64 ? index.Bits : (uint)index.Bits;

    /// <summary>
    /// Whether the index is a constant and the access unchecked: the processor checks it, or it is inside the memory's minimum
    /// size.
    /// </summary>
    private bool IsUncheckedConstant(in Operand index, in Instr instr, in MemoryAccess access, int width)
    {
        if (index.Kind != OperandKind.Const || access.IsSlice) return false;
        MemoryType type = access.Type!;
        if (!target.NeedsChecks(type)) return true;
        UInt128 end = (UInt128)ConstantIndex(index, access) + instr.Bits + (ulong)width;
        return !access.MayBeNull && end <= (UInt128)type.Minimum << type.PageSizeLog2;
    }

    /// <summary>The last instruction is a load.</summary>
    internal void NoteLoad(in MemoryAccess access, int width)
    {
        // The assertion has the address before: RyuJIT then leaves out a dead load of a byte, too.
        if ((width > 1 || target.Verifies) && !access.IsSlice && !target.NeedsChecks(access.Type!)) UncheckedLoads.Add((il.Tail, width));
    }

    /// <summary>Where fuel is counted, an access that is not proved to be inside may end the guest.</summary>
    private MemoryAccess NoteEnd(in MemoryAccess access, in Instr instr, int width)
    {
        if (!target.CountsFuel) return access;
        if (!access.MayBeNull && context.Known.IsInside(access, ExtentOf(instr, width))) return access with { IsProved = true };
        context.NoteEnd();
        return access;
    }

    /// <summary>Emits a load.</summary>
    internal void Load(in Instr instr, Emission emission)
    {
        MemoryAccess access = NoteEnd(AccessOf(instr), instr, emission.Width);
        int start;
        int treeDepth = 1;
        if (IsUncheckedConstant(stack[0], instr, access, emission.Width))
        {
            start = il.Tail;
            ConstantAddressAt(start, instr, access, stack[0], emission.Width);
            stack.Remove();
        }
        else
        {
            start = stack.Take(1, out treeDepth, out _);
            AddressAt(il.Tail, instr, access, emission.Width);
        }
        if (emission.Kind == Emission.EmissionKind.Call)
        {
            il.Call(emission.Method!);
            NoteLoad(access, emission.Width);
        }
        else
        {
            if (emission.Steps[0].Code == OpCodes.Ldobj) il.TypeOp(OpCodes.Ldobj, Signature.ClrType(ValType.V128));
            else il.Emit(emission.Steps[0].Code);
            NoteLoad(access, emission.Width);
            emission.WriteSteps(il, 1);
        }
        EndAccess(access);
        stack.PushStack(instr.Op.Results[0], start, treeDepth, hasLoad: true, loadWidth: (byte)emission.Width);
        if (emission.Steps.Length > 0)
            stack[0].Range = new ValueRange(0, emission.Steps[0].Code == OpCodes.Ldind_U1 ? byte.MaxValue : emission.Steps[0].Code == OpCodes.Ldind_U2 ? ushort.MaxValue : 0UL);
    }

    /// <summary>Emits a store.</summary>
    internal void Store(in Instr instr, Emission emission)
    {
        rotations.MakeOneInstruction(stack[0]);
        TakeAccess(instr, emission.Width, out MemoryAccess access);
        OpCode code = emission.Steps[0].Code;
        if (code == OpCodes.Stobj) il.TypeOp(code, Signature.ClrType(ValType.V128));
        else il.Emit(code);
        EndAccess(access);
    }

    /// <summary>
    /// Leaves the address of an access and the value above its index on the IL stack, and forgets both operands. Gives the position before them. The
    /// accessed object is kept until <see cref="EndAccess"/>.
    /// </summary>
    internal int TakeAccess(in Instr instr, int width, out MemoryAccess access)
    {
        access = NoteEnd(AccessOf(instr), instr, width);
        Operand index = stack[1];
        int start;
        bool isConstant = IsUncheckedConstant(index, instr, access, width);
        if (!isConstant && NeedsChecks(instr, access))
        {
            // The check comes after the value: effects of its evaluation are visible even if the access traps.
            ValType type = stack[0].Type;
            bool spill = stack[0].Kind == OperandKind.Stack;
            int temp = -1;
            Operand value = stack[0];
            if (spill)
            {
                temp = stack.TakeTemp(Signature.ClrType(type));
                il.Stloc(temp);
                value = new Operand { Kind = OperandKind.FrameTemp, Type = type, Index = temp };
            }
            start = index.Kind == OperandKind.Stack ? index.Start : il.Tail;
            if (index.Kind != OperandKind.Stack) stack.LoadAt(il.Tail, index);
            AddressAt(il.Tail, instr, access, width);
            stack.LoadAt(il.Tail, value);
            if (!spill) stack.Remove();
            else stack.Forget(stack.Count - 1);
            stack.Remove();
            if (spill) stack.FreeTemp(temp);
        }
        else
        {
            int before = stack[0].Kind == OperandKind.Stack ? stack[0].Start : il.Tail;
            bool valueOnStack = stack[0].Kind == OperandKind.Stack;
            start = index.Kind == OperandKind.Stack ? index.Start : before;
            if (isConstant)
            {
                before = ConstantAddressAt(before, instr, access, index, width);
            }
            else
            {
                if (index.Kind != OperandKind.Stack) before = stack.LoadAt(before, index);
                before = AddressAt(before, instr, access, width);
            }
            if (!valueOnStack) stack.LoadAt(il.Tail, stack[0]);
            stack.Remove();
            stack.Remove();
        }
        return start;
    }
}
