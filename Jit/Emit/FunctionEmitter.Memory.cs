using System.Reflection.Emit;
using WasmJit.Runtime;

namespace WasmJit.Jit;

/// <summary>
/// Loads, stores and bulk operators (spec 4.6.6, 4.6.7). With guard pages an access is one instruction: base, index zero-
/// extended, offset. With checks the index goes through <see cref="Memory.Check32"/> or 64, which are inlined.
/// </summary>
internal sealed partial class FunctionEmitter
{
    /// <summary>The local with a memory's base, which never changes; loaded once at the function's start.</summary>
    private int MemoryBase(uint memory)
    {
        current.Use.UsesMemory = true;
        if (!current.Use.MemoryBases.TryGetValue(memory, out int local)) current.Use.MemoryBases[memory] = local = il.DeclareLocal(typeof(nint));
        return local;
    }

    /// <summary>The local with a memory, for checks: only its length is loaded again at each access.</summary>
    private int MemoryObject(uint memory)
    {
        current.Use.UsesMemory = true;
        if (!current.Use.MemoryObjects.TryGetValue(memory, out int local)) current.Use.MemoryObjects[memory] = local = il.DeclareLocal(typeof(Memory));
        return local;
    }

    private int LoadMemoryAt(int at, int memory)
    {
        at = LoadInstanceAt(at);
        return memory == 0 ? il.FieldAt(at, OpCodes.Ldfld, Members.Memory0) : LoadElementAt(at, Members.Memories, memory);
    }

    private void LoadMemory(uint memory) => LoadMemoryAt(il.Tail, (int)memory);

    /// <summary>What an access goes to; its reference is taken out from below the operands of the operator's row.</summary>
    private MemoryAccess AccessOf(in Instr instr) => instr.HasMemoryRef
        ? ReferenceAccess(instr)
        : new MemoryAccess { Type = module.Memories[(int)instr.Memory], Memory = (int)instr.Memory };

    /// <summary>Whether code compares the index before the access: it must do so after everything that the operands do.</summary>
    private bool NeedsChecks(in Instr instr, in MemoryAccess access) =>
        access.IsSlice || target.NeedsChecks(access.Type!) || (instr.Op.Has(OpTraits.Atomic) && access.MayBeNull);

    /// <summary>Turns the index below position <paramref name="at"/> into the native address of the access.</summary>
    private int AddressAt(int at, in Instr instr, in MemoryAccess access, int width) =>
        AssertAddressAt(access.IsSlice ? SliceAddressAt(at, instr, access, width) : MemoryAddressAt(at, instr, access, width), access, width);

    private int MemoryAddressAt(int at, in Instr instr, in MemoryAccess access, int width)
    {
        MemoryType type = access.Type!;
        if (!type.Is64) at = il.EmitAt(at, OpCodes.Conv_U8);
        bool checks = target.NeedsChecks(type);
        bool inLocal = access.Local is not null && access.MayBeNull && !instr.Op.Has(OpTraits.Atomic);
        if (access.MayBeNull && !inLocal && NeedsChecks(instr, access)) at = il.CallAt(stack.LoadAt(at, access.Reference), Members.MemoryReference("CheckNull"));
        if (checks)
        {
            ulong extent = ExtentOf(instr, width);
            if (instr.Op.Has(OpTraits.Atomic) && width > 1)
            {
                // An atomic access finds out that it is not aligned before it looks at bounds.
                at = il.LdcI8At(at, (long)instr.Bits);
                at = il.LdcI4At(at, width - 1);
                at = il.CallAt(at, Members.MemoryCheckAligned);
            }
            at = inLocal ? AssertCheckedAt(il.LdlocAt(at, CheckedOf(access.Local!)), access)
                : access.IsReference ? stack.LoadAt(at, access.Reference) : il.LdlocAt(at, MemoryObject((uint)access.Memory));
            at = il.LdcI8At(at, (long)extent);
            at = il.CallAt(at, inLocal ? Members.MemoryReference(Sized(type.Is64, nameof(MemoryReferences.CheckOrNothing32), nameof(MemoryReferences.CheckOrNothing64)))
                : access.IsReference ? Members.MemoryReference(Sized(type.Is64, nameof(MemoryReferences.Check32), nameof(MemoryReferences.Check64)))
                : type.Is64 ? Members.MemoryCheck64 : Members.MemoryCheck32);
        }
        at = BaseAt(at, access);
        at = il.EmitAt(at, OpCodes.Add);
        return OffsetAt(at, instr.Bits);
    }

    /// <summary>The bytes from an access's index to its end; what is too many for any memory is the most there can be.</summary>
    private static ulong ExtentOf(in Instr instr, int width)
    {
        ulong extent = instr.Bits + (ulong)width;
        return extent < instr.Bits ? ulong.MaxValue : extent;
    }

    private int BaseAt(int at, in MemoryAccess access) =>
        access.IsReference ? ReferenceBaseAt(at, access) : il.LdlocAt(at, MemoryBase((uint)access.Memory));

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
        return AssertAddressAt(OffsetAt(at, instr.Bits + ConstantIndex(index, access)), access, width);
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

    /// <summary>The instructions that load, and how much, where the processor finds what is beyond the end.</summary>
    private readonly List<(int Node, int Width)> uncheckedLoads = [];

    /// <summary>The last instruction is a load.</summary>
    private void NoteLoad(in MemoryAccess access, int width)
    {
        if (width > 1 && !access.IsSlice && !target.NeedsChecks(access.Type!)) uncheckedLoads.Add((il.Tail, width));
    }

    private void Load(in Instr instr, Emission emission)
    {
        MemoryAccess access = AccessOf(instr);
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
            EmitSteps(emission, 1);
        }
        EndAccess(access);
        stack.PushStack(instr.Op.Results[0], start, treeDepth, hasLoad: true, loadWidth: (byte)emission.Width);
    }

    private void Store(in Instr instr, Emission emission)
    {
        AsOne(stack[0]);
        TakeAccess(instr, emission.Width, out MemoryAccess access);
        OpCode code = emission.Steps[0].Code;
        if (code == OpCodes.Stobj) il.TypeOp(code, Signature.ClrType(ValType.V128));
        else il.Emit(code);
        EndAccess(access);
    }

    /// <summary>
    /// Leaves the address of an access and the value above its index on the IL stack, and forgets both operands. Gives the
    /// position before them. What was accessed is kept until <see cref="EndAccess"/>.
    /// </summary>
    private int TakeAccess(in Instr instr, int width, out MemoryAccess access)
    {
        access = AccessOf(instr);
        Operand index = stack[1];
        int start;
        bool isConstant = IsUncheckedConstant(index, instr, access, width);
        if (!isConstant && NeedsChecks(instr, access))
        {
            // The check comes after the value: what its evaluation does is visible even if the access traps.
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

    /// <summary>The helper for addresses of 32 or of 64 bits.</summary>
    private static string Sized(bool is64, string of32, string of64) => is64 ? of64 : of32;

    /// <summary>The helper that copies between two memories or tables, each of which has addresses of 32 or 64 bits.</summary>
    private static string Copied(bool to64, bool from64, string of32, string of64, string from32To64, string from64To32) => (to64, from64) switch
    {
        (true, true) => of64,
        (false, false) => of32,
        (true, false) => from32To64,
        (false, true) => from64To32,
    };

    private bool EmitBulk(in Instr instr)
    {
        switch (instr.Id)
        {
            case OpId.MemorySize:
                {
                    int start = il.Tail;
                    MemoryType type = module.Memories[(int)instr.A];
                    LoadMemory(instr.A);
                    il.Call(Members.Helper(Sized(type.Is64, nameof(CodeHelpers.MemorySize32), nameof(CodeHelpers.MemorySize64))));
                    stack.PushStack(type.AddressType, start);
                    return true;
                }
            case OpId.MemoryGrow:
                {
                    MemoryType type = module.Memories[(int)instr.A];
                    int start = stack.Take(1);
                    LoadMemory(instr.A);
                    il.Call(Members.Helper(Sized(type.Is64, nameof(CodeHelpers.MemoryGrow32), nameof(CodeHelpers.MemoryGrow64))));
                    stack.PushStack(type.AddressType, start);
                    return true;
                }
            case OpId.MemoryFill:
                stack.Take(3);
                LoadMemory(instr.A);
                il.Call(Members.Helper(Sized(module.Memories[(int)instr.A].Is64, nameof(CodeHelpers.MemoryFill32), nameof(CodeHelpers.MemoryFill64))));
                return true;
            case OpId.MemoryCopy:
                stack.Take(3);
                LoadMemory(instr.A);
                LoadMemory(instr.B);
                il.Call(Members.Helper(Copied(module.Memories[(int)instr.A].Is64, module.Memories[(int)instr.B].Is64,
                    nameof(CodeHelpers.MemoryCopy32), nameof(CodeHelpers.MemoryCopy64), nameof(CodeHelpers.MemoryCopy32To64), nameof(CodeHelpers.MemoryCopy64To32))));
                return true;
            case OpId.MemoryInit:
                stack.Take(3);
                LoadMemory(instr.B);
                LoadInstance();
                il.LdcI4((int)instr.A);
                il.Call(Members.Helper(Sized(module.Memories[(int)instr.B].Is64, nameof(CodeHelpers.MemoryInit32), nameof(CodeHelpers.MemoryInit64))));
                return true;
            case OpId.DataDrop or OpId.ElemDrop:
                LoadInstance();
                il.LdcI4((int)instr.A);
                il.Call(Members.Helper(instr.Id == OpId.DataDrop ? nameof(CodeHelpers.DataDrop) : nameof(CodeHelpers.ElemDrop)));
                return true;
            case OpId.TableGet:
                {
                    TableType type = module.Tables[(int)instr.A].Type;
                    int start = stack.Take(1);
                    LoadTable((int)instr.A);
                    il.Call(Members.Helper(Sized(type.Is64, nameof(CodeHelpers.TableGet32), nameof(CodeHelpers.TableGet64))));
                    stack.PushStack(type.Element, start);
                    return true;
                }
            case OpId.TableSet: return TableCall(instr.A, 2, nameof(CodeHelpers.TableSet32), nameof(CodeHelpers.TableSet64));
            case OpId.TableFill: return TableCall(instr.A, 3, nameof(CodeHelpers.TableFill32), nameof(CodeHelpers.TableFill64));
            case OpId.TableSize:
                {
                    int start = il.Tail;
                    LoadTable((int)instr.A);
                    TableType type = module.Tables[(int)instr.A].Type;
                    il.Call(Members.Helper(Sized(type.Is64, nameof(CodeHelpers.TableSize32), nameof(CodeHelpers.TableSize64))));
                    stack.PushStack(type.AddressType, start);
                    return true;
                }
            case OpId.TableGrow:
                {
                    TableType type = module.Tables[(int)instr.A].Type;
                    int start = stack.Take(2);
                    LoadTable((int)instr.A);
                    il.Call(Members.Helper(Sized(type.Is64, nameof(CodeHelpers.TableGrow32), nameof(CodeHelpers.TableGrow64))));
                    stack.PushStack(type.AddressType, start);
                    return true;
                }
            case OpId.TableCopy:
                stack.Take(3);
                LoadTable((int)instr.A);
                LoadTable((int)instr.B);
                il.Call(Members.Helper(Copied(module.Tables[(int)instr.A].Type.Is64, module.Tables[(int)instr.B].Type.Is64,
                    nameof(CodeHelpers.TableCopy32), nameof(CodeHelpers.TableCopy64), nameof(CodeHelpers.TableCopy32To64), nameof(CodeHelpers.TableCopy64To32))));
                return true;
            case OpId.TableInit:
                stack.Take(3);
                LoadTable((int)instr.B);
                LoadInstance();
                il.LdcI4((int)instr.A);
                il.Call(Members.Helper(Sized(module.Tables[(int)instr.B].Type.Is64, nameof(CodeHelpers.TableInit32), nameof(CodeHelpers.TableInit64))));
                return true;
            case OpId.I64Add128 or OpId.I64Sub128: return Wide(4, instr.Id == OpId.I64Add128 ? nameof(Integers.Add128) : nameof(Integers.Sub128));
            case OpId.I64MulWideS or OpId.I64MulWideU: return Wide(2, instr.Id == OpId.I64MulWideS ? nameof(Integers.MulWideS) : nameof(Integers.MulWideU));
            default: return false;
        }
    }

    private bool Wide(int operands, string helper)
    {
        stack.Take(operands);
        il.Call(Members.Integer(helper));
        PushTuple([ValType.I64, ValType.I64], typeof((long, long)));
        return true;
    }

    private bool TableCall(uint table, int operands, string of32, string of64)
    {
        stack.Take(operands);
        LoadTable((int)table);
        il.Call(Members.Helper(Sized(module.Tables[(int)table].Type.Is64, of32, of64)));
        return true;
    }

    private void LoadTable(int table)
    {
        if (table == 0)
        {
            LoadInstance();
            il.Field(OpCodes.Ldfld, Members.Table0);
        }
        else
        {
            LoadInstanceElement(Members.Tables, table);
        }
    }
}
