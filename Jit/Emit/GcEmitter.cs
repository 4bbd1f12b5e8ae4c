using System.Reflection;
using System.Reflection.Emit;
using WasmJit.Gc;
using WasmJit.Jit.Binary;
using WasmJit.Jit.Calls;
using WasmJit.Jit.Il;
using WasmJit.Jit.Operators;
using WasmJit.Runtime;

namespace WasmJit.Jit.Emit;

/// <summary>
/// Structs, arrays and i31 (spec 4.6.8, 4.6.9). A field is a field of a .NET object, an element the field of an element of a .NET array. The
/// processor finds null. A fault does not say which kind of object was null: in a function that accesses structs every such fault counts as a
/// struct's, and arrays are checked in code; in other functions it counts as an array's.
/// </summary>
internal sealed class GcEmitter(EmitterContext context, Assertions assertions)
{
    private readonly IlBuffer il = context.Il;
    private readonly OperandStack stack = context.Stack;

    private ModuleInfo module => context.Module;

    private bool? touchesStructs;

    private GcClass ClassOf(uint type) => GcClass.Of(module.Types[(int)type], module.State.GcBatch);

    /// <summary>Whether a null dereference in this function is one of a struct.</summary>
    private bool TouchesStructs => touchesStructs ??= InlineInfo.TouchesStructs(context.Root.Module, context.Root.Func, context.Target.Inlines);

    /// <summary>Emits an operator of the group.</summary>
    internal bool TryEmit(in Instr instr)
    {
        switch (instr.Id)
        {
            case OpId.StructNew: StructNew(instr.A, false); return true;
            case OpId.StructNewDesc: StructNew(instr.A, true); return true;
            case OpId.StructNewDefault or OpId.StructNewDefaultDesc: StructNewDefault(instr.A, instr.Id == OpId.StructNewDefaultDesc); return true;
            case OpId.StructGet or OpId.StructGetU or OpId.StructGetS: StructGet(instr); return true;
            case OpId.StructSet:
                stack.Take(2);
                il.Nulls = NullMeaning.Struct;
                il.Field(OpCodes.Stfld, ClassOf(instr.A).Fields[(int)instr.B]);
                return true;
            case OpId.RefGetDesc:
                {
                    GcClass type = ClassOf(instr.A);
                    NonNullTop(Members.Helper(nameof(CodeHelpers.NonNull)));
                    int start = stack.Take(1);
                    il.Field(OpCodes.Ldfld, type.Descriptor!);
                    stack.PushStack(ValType.Ref(type.Type.Descriptor!, false), start);
                    return true;
                }
            case OpId.ArrayNew: ArrayNew(instr.A); return true;
            case OpId.ArrayNewDefault:
                {
                    int start = stack.Take(1);
                    NewArray(ClassOf(instr.A));
                    stack.PushStack(Exact(instr.A), start);
                    return true;
                }
            case OpId.ArrayNewFixed: ArrayNewFixed(instr.A, (int)instr.B); return true;
            case OpId.ArrayNewData or OpId.ArrayNewElem:
                {
                    ClassOf(instr.A);
                    int start = stack.Take(2);
                    context.LoadInstance();
                    il.LdcI4((int)instr.B);
                    il.LdcI4((int)instr.A);
                    il.Call(Members.GcArray(instr.Id == OpId.ArrayNewData ? nameof(GcArrays.NewData) : nameof(GcArrays.NewElem)));
                    stack.PushStack(Exact(instr.A), start);
                    return true;
                }
            case OpId.ArrayGet or OpId.ArrayGetS or OpId.ArrayGetU: ArrayGet(instr); return true;
            case OpId.ArraySet: ArraySet(instr.A); return true;
            case OpId.ArrayLen:
                {
                    int start = TakeArrayAnd(0);
                    il.Emit(OpCodes.Ldlen);
                    il.Emit(OpCodes.Conv_I4);
                    stack.PushStack(ValType.I32, start);
                    return true;
                }
            case OpId.ArrayFill:
                stack.Take(4);
                il.Call(FillArray.Of(ClassOf(instr.A).StorageOf(0)));
                return true;
            case OpId.ArrayCopy:
                {
                    stack.Take(5);
                    ValType storage = ClassOf(instr.A).StorageOf(0);
                    il.Call(CopyArray.Of(storage));
                    return true;
                }
            case OpId.ArrayInitData or OpId.ArrayInitElem:
                ClassOf(instr.A);
                stack.Take(4);
                context.LoadInstance();
                il.LdcI4((int)instr.B);
                if (instr.Id == OpId.ArrayInitData) il.LdcI4((int)instr.A);
                il.Call(Members.GcArray(instr.Id == OpId.ArrayInitData ? nameof(GcArrays.InitData) : nameof(GcArrays.InitElem)));
                return true;
            case OpId.RefI31: return CallI31(nameof(I31.New), ValType.Ref(HeapType.I31, false));
            case OpId.I31GetS: return CallI31(nameof(I31.GetS), ValType.I32);
            case OpId.I31GetU: return CallI31(nameof(I31.GetU), ValType.I32);
            case OpId.RefEq:
                {
                    bool identity = IsNeverI31(0) || IsNeverI31(1);
                    int start = stack.Take(2);
                    if (identity) il.Emit(OpCodes.Ceq);
                    else il.Call(Members.I31(nameof(I31.RefEq)));
                    stack.PushStack(ValType.I32, start);
                    return true;
                }
            case OpId.AnyConvertExtern or OpId.ExternConvertAny: return true;
            default: return false;
        }
    }

    private ValType Exact(uint type) => ValType.Ref(new ExactType(module.Types[(int)type]), false);

    /// <summary>The helpers of an operator on arrays, by the type of their elements.</summary>
    private sealed record ArrayHelpers(string I8, string I16, string I32, string I64, string F32, string F64, string V128, string Ref)
    {
        internal MethodInfo Of(ValType storage) => Members.GcArray(storage.Kind switch
        {
            ValKind.I8 => I8,
            ValKind.I16 => I16,
            ValKind.I32 => I32,
            ValKind.I64 => I64,
            ValKind.F32 => F32,
            ValKind.F64 => F64,
            ValKind.V128 => V128,
            _ => Ref,
        });
    }

    private static readonly ArrayHelpers NewFilledArray = new(
        nameof(GcArrays.New8), nameof(GcArrays.New16), nameof(GcArrays.NewI32), nameof(GcArrays.NewI64),
        nameof(GcArrays.NewF32), nameof(GcArrays.NewF64), nameof(GcArrays.NewV128), nameof(GcArrays.NewRef)),
        FillArray = new(
        nameof(GcArrays.Fill8), nameof(GcArrays.Fill16), nameof(GcArrays.FillI32), nameof(GcArrays.FillI64),
        nameof(GcArrays.FillF32), nameof(GcArrays.FillF64), nameof(GcArrays.FillV128), nameof(GcArrays.FillRef)),
        CopyArray = new(
        nameof(GcArrays.Copy8), nameof(GcArrays.Copy16), nameof(GcArrays.Copy32), nameof(GcArrays.Copy64),
        nameof(GcArrays.Copy32), nameof(GcArrays.Copy64), nameof(GcArrays.Copy128), nameof(GcArrays.CopyRef));

    /// <summary>Whether an operand is proved to be equal to another only if both are one object.</summary>
    private bool IsNeverI31(int fromTop) => context.Proven.IsNeverI31(fromTop) && assertions.Assume(fromTop, context.Proven[fromTop], "a comparison of numbers that was left out");

    private bool CallI31(string helper, ValType result)
    {
        int start = stack.Take(1);
        il.Call(Members.I31(helper));
        stack.PushStack(result, start);
        return true;
    }

    private void StructNew(uint index, bool withDescriptor)
    {
        GcClass type = ClassOf(index);
        int count = type.Fields.Length + (withDescriptor ? 1 : 0);
        if (withDescriptor) NonNullTop(Members.Cast(nameof(Casts.NonNullDescriptor)));
        if (type.Full is { } constructor || count == 0)
        {
            int start = stack.Take(count, out int treeDepth, out _);
            il.Newobj(count == 0 ? type.Default! : type.Full!);
            stack.PushStack(Exact(index), start, treeDepth);
            return;
        }
        // More fields than a constructor should have: they are stored one by one.
        stack.Flush();
        int local = stack.TakeTemp(typeof(object));
        il.Newobj(type.Default!);
        il.Stloc(local);
        for (int i = 0; i < count; i++)
        {
            il.Ldloc(local);
            stack.LoadAt(il.Tail, stack[count - 1 - i]);
            il.Field(OpCodes.Stfld, i < type.Fields.Length ? type.Fields[i] : type.Descriptor!);
        }
        for (int i = 0; i < count; i++) stack.Remove();
        stack.PushTemp(Exact(index), local);
    }

    private void NonNullTop(MethodInfo check)
    {
        if (assertions.IsNonNull(0)) return;
        ValType type = stack[0].Type;
        int start = stack.Take(1);
        il.Call(check);
        stack.PushStack(type, start);
    }

    private void StructNewDefault(uint index, bool withDescriptor)
    {
        GcClass type = ClassOf(index);
        if (!withDescriptor)
        {
            int start = il.Tail;
            il.Newobj(type.Default!);
            stack.PushStack(Exact(index), start);
            return;
        }
        NonNullTop(Members.Cast(nameof(Casts.NonNullDescriptor)));
        int local = stack.TakeTemp(typeof(object));
        int descriptor = stack.TakeTemp(typeof(object));
        stack.Take(1);
        il.Stloc(descriptor);
        il.Newobj(type.Default!);
        il.Stloc(local);
        il.Ldloc(local);
        il.Ldloc(descriptor);
        il.Field(OpCodes.Stfld, type.Descriptor!);
        stack.FreeTemp(descriptor);
        stack.PushTemp(Exact(index), local);
    }

    private void StructGet(in Instr instr)
    {
        GcClass type = ClassOf(instr.A);
        ValType storage = type.StorageOf((int)instr.B);
        int start = stack.Take(1, out int treeDepth, out _);
        il.Nulls = NullMeaning.Struct;
        il.Field(OpCodes.Ldfld, type.Fields[(int)instr.B]);
        SignExtend(instr.Op.Has(OpTraits.Signed), storage);
        // The JIT may know what was stored.
        stack.PushStack(storage.Unpacked, start, treeDepth, mayBeKnown: FloatFolding.IsFloat(storage));
    }

    /// <summary>Packed values are stored without sign.</summary>
    private void SignExtend(bool signed, ValType storage)
    {
        if (signed) il.Emit(storage.Kind == ValKind.I8 ? OpCodes.Conv_I1 : OpCodes.Conv_I2);
    }

    /// <summary>Turns the length on the IL stack into an array.</summary>
    private void NewArray(GcClass type)
    {
        il.LdcI4(type.MaxLength);
        il.Call(Members.GcArray(nameof(GcArrays.CheckLength)));
        il.TypeOp(OpCodes.Newarr, type.Element!);
    }

    private void ArrayNew(uint index)
    {
        GcClass type = ClassOf(index);
        ValType storage = type.StorageOf(0);
        bool isDefault = stack[1].Kind == OperandKind.Const && stack[1].Bits == 0 && storage.Kind != ValKind.V128;
        int start;
        if (isDefault)
        {
            start = stack.Take(1);
            stack.Remove();
            NewArray(type);
        }
        else
        {
            start = stack.Take(2);
            NewArray(type);
            il.Call(NewFilledArray.Of(storage));
        }
        stack.PushStack(Exact(index), start);
    }

    private void ArrayNewFixed(uint index, int count)
    {
        GcClass type = ClassOf(index);
        stack.Flush();
        int local = stack.TakeTemp(typeof(object));
        il.LdcI4(count);
        il.TypeOp(OpCodes.Newarr, type.Element!);
        il.Stloc(local);
        for (int i = 0; i < count; i++)
        {
            il.Ldloc(local);
            il.LdcI4(i);
            il.TypeOp(OpCodes.Ldelema, type.Element!);
            stack.LoadAt(il.Tail, stack[count - 1 - i]);
            il.Field(OpCodes.Stfld, type.Fields[0]);
        }
        for (int i = 0; i < count; i++) stack.Remove();
        stack.PushTemp(Exact(index), local);
    }

    private void ArrayGet(in Instr instr)
    {
        GcClass type = ClassOf(instr.A);
        ValType storage = type.StorageOf(0);
        int start = TakeArrayAnd(1);
        il.TypeOp(OpCodes.Ldelema, type.Element!);
        il.Field(OpCodes.Ldfld, type.Fields[0]);
        SignExtend(instr.Op.Has(OpTraits.Signed), storage);
        stack.PushStack(storage.Unpacked, start, mayBeKnown: FloatFolding.IsFloat(storage));
    }

    private void ArraySet(uint index)
    {
        GcClass type = ClassOf(index);
        // The address comes before the value on the IL stack, but its checks after the value's evaluation.
        if (stack[0].Kind == OperandKind.Stack)
        {
            stack.SpillTop();
            stack.FlushBelow(1);
        }
        Operand value = stack[0];
        int temp = -1;
        if (value.Kind == OperandKind.Temp)
        {
            temp = stack.TakeTemp(Signature.ClrType(value.Type));
            il.Ldloc(value.Index);
            il.Stloc(temp);
            value.Index = temp;
        }
        stack.Remove();
        TakeArrayAnd(1);
        il.TypeOp(OpCodes.Ldelema, type.Element!);
        stack.LoadAt(il.Tail, value);
        il.Field(OpCodes.Stfld, type.Fields[0]);
        if (temp >= 0) stack.FreeTemp(temp);
    }

    /// <summary>Puts an array and <paramref name="above"/> operands onto the IL stack, the array's null check included if it needs one.</summary>
    private int TakeArrayAnd(int above)
    {
        if (!TouchesStructs || assertions.IsNonNull(above))
        {
            if (!TouchesStructs) il.Nulls = NullMeaning.Array;
            return stack.Take(above + 1);
        }
        return stack.TakeChecked(above + 1, Members.GcArray(nameof(GcArrays.NonNull)));
    }
}
