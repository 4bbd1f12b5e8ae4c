using System.Reflection.Emit;
using WasmJit.Gc;
using WasmJit.Jit.Binary;
using WasmJit.Jit.Calls;
using WasmJit.Jit.Il;
using WasmJit.Jit.Operators;
using WasmJit.Runtime;

namespace WasmJit.Jit.Emit;

/// <summary>
/// Type tests, casts and branches on them (spec 4.6.8). For struct types and final array types they are the CLR's
/// <c>isinst</c> and <c>castclass</c>, which compare the method table; for functions of final types the type's number is compared.
/// </summary>
internal sealed class CastEmitter(EmitterContext context, ControlStack control, Branches branches, Assertions assertions)
{
    private readonly IlBuffer il = context.Il;
    private readonly OperandStack stack = context.Stack;

    private ModuleInfo module => context.Module;

    /// <summary>Emits an operator of the group.</summary>
    internal bool TryEmit(in Instr instr)
    {
        switch (instr.Id)
        {
            case OpId.RefTest or OpId.RefTestNull: RefTest(TargetOf(instr.Heap1, instr.Nullable1, instr.Offset)); return true;
            case OpId.RefCast or OpId.RefCastNull: RefCast(TargetOf(instr.Heap1, instr.Nullable1, instr.Offset)); return true;
            case OpId.BrOnCast or OpId.BrOnCastFail:
                BrOnCast(instr.A, TargetOf(instr.Heap2, instr.Nullable2, instr.Offset), instr.Id == OpId.BrOnCastFail);
                return true;
            case OpId.RefCastDescEq or OpId.RefCastDescEqNull: RefCastDescEq(TargetOf(instr.Heap1, instr.Nullable1, instr.Offset)); return true;
            case OpId.BrOnCastDescEq or OpId.BrOnCastDescEqFail:
                BrOnCastDescEq(instr.A, TargetOf(instr.Heap2, instr.Nullable2, instr.Offset), instr.Id == OpId.BrOnCastDescEqFail);
                return true;
            default: return false;
        }
    }

    /// <summary>A type that a cast names, and where it is in the type index space (-1 for abstract ones).</summary>
    private readonly record struct CastTarget(ValType Type, int Index);

    private CastTarget TargetOf(HeapTypeCode code, bool nullable, int offset) =>
        new(ValType.Ref(context.HeapTypeOf(code, offset), nullable), (int)Math.Max(code.Code, -1));

    /// <summary>The class whose <c>isinst</c> is the test, null if there is none.</summary>
    private Type? ClrTypeOf(CastTarget target)
    {
        switch (target.Type.Heap)
        {
            case DefType { Composite: StructType } type: return GcClass.Of(type, module.State.GcBatch).Clr;
            case DefType { Composite: ArrayType, IsFinal: true } type: return GcClass.Of(type, module.State.GcBatch).Clr;
            case ExactType { Type: { Composite: StructType, IsFinal: true } type }: return GcClass.Of(type, module.State.GcBatch).Clr;
            case ExactType { Type.Composite: ArrayType } exact: return GcClass.Of(exact.Type, module.State.GcBatch).Clr;
            case var heap when ReferenceEquals(heap, HeapType.Struct): return typeof(WasmStruct);
            case var heap when ReferenceEquals(heap, HeapType.I31): return typeof(I31);
            default: return null;
        }
    }

    /// <summary>Whether it is proved that the topmost operand, unless it is null, is of the target's type, so that no test is needed.</summary>
    private bool IsStatic(CastTarget target) =>
        context.Proven.RefersTo(0, target.Type.Heap!) && assertions.Assume(0, ValType.Ref(target.Type.Heap!, true), "a test that was left out");

    /// <summary>Turns the reference on the IL stack into something true if it is of the target's type and not null.</summary>
    private void Test(CastTarget target)
    {
        HeapType heap = target.Type.Heap!;
        if (ClrTypeOf(target) is { } clr)
        {
            il.TypeOp(OpCodes.Isinst, clr);
        }
        else if (heap is ExactModuleType made)
        {
            context.LoadInstance();
            il.LdcI4(made.Index);
            il.Call(Members.Cast(nameof(Casts.IsMadeOf)));
        }
        else if (heap is DefType { Composite: FuncType, IsFinal: true } || heap is ExactType { Type.Composite: FuncType })
        {
            context.Target.LoadTypeId(il, heap is ExactType exact ? exact.Type : (DefType)heap);
            il.Call(Members.Cast(nameof(Casts.IsFunc)));
        }
        else if (target.Index >= 0)
        {
            context.LoadInstance();
            il.LdcI4(target.Index);
            il.Call(Members.Cast(heap is ExactType ? nameof(Casts.IsExactly) : nameof(Casts.IsType)));
        }
        else if (ReferenceEquals(heap, HeapType.Array))
        {
            il.Call(Members.Cast(nameof(Casts.IsArray)));
        }
        else if (ReferenceEquals(heap, HeapType.Eq))
        {
            il.Call(Members.Cast(nameof(Casts.IsEq)));
        }
        else
        {
            il.LdcI4(((AbstractHeapType)heap).Code);
            il.Call(Members.Cast(nameof(Casts.IsAbstract)));
        }
    }

    private bool TestIsObject(CastTarget target) => ClrTypeOf(target) is not null;

    private void RefTest(CastTarget target)
    {
        bool isStatic = IsStatic(target);
        if (!target.Type.IsNullable || assertions.IsNonNull(0))
        {
            int start = stack.Take(1);
            bool isObject = true;
            if (!isStatic)
            {
                Test(target);
                isObject = TestIsObject(target);
            }
            if (isObject)
            {
                il.Emit(OpCodes.Ldnull);
                il.Emit(OpCodes.Cgt_Un);
            }
            stack.PushStack(ValType.I32, start);
            return;
        }
        // Null passes: (value == null) | test(value).
        int temp = stack.TakeTemp(Signature.ClrType(stack[0].Type));
        int before = stack.Take(1);
        il.Stloc(temp);
        il.Ldloc(temp);
        il.Emit(OpCodes.Ldnull);
        il.Emit(OpCodes.Ceq);
        if (isStatic)
        {
            il.Emit(OpCodes.Pop);
            il.LdcI4(1);
        }
        else
        {
            il.Ldloc(temp);
            TestToBit(target);
            il.Emit(OpCodes.Or);
        }
        stack.FreeTemp(temp);
        stack.PushStack(ValType.I32, before);
    }

    /// <summary>Turns the reference on the IL stack into 1 if it is of the target's type and not null, otherwise into 0.</summary>
    private void TestToBit(CastTarget target)
    {
        Test(target);
        if (!TestIsObject(target)) return;
        il.Emit(OpCodes.Ldnull);
        il.Emit(OpCodes.Cgt_Un);
    }

    private void RefCast(CastTarget target)
    {
        bool mayBeNull = !assertions.IsNonNull(0);
        ValType result = target.Type;
        if (IsStatic(target))
        {
            if (!mayBeNull || target.Type.IsNullable) return;
            int start = stack.Take(1);
            il.Call(Members.Cast(nameof(Casts.NonNull)));
            stack.PushStack(result, start);
            return;
        }
        if (ClrTypeOf(target) is { } clr)
        {
            int start = stack.Take(1);
            if (mayBeNull && !target.Type.IsNullable) il.Call(Members.Cast(nameof(Casts.NonNull)));
            il.TypeOp(OpCodes.Castclass, clr);
            stack.PushStack(result, start);
            return;
        }
        int temp = stack.TakeTemp(Signature.ClrType(stack[0].Type));
        stack.Take(1);
        il.Stloc(temp);
        il.Ldloc(temp);
        TestToBit(target);
        if (mayBeNull && target.Type.IsNullable)
        {
            il.Ldloc(temp);
            il.Emit(OpCodes.Ldnull);
            il.Emit(OpCodes.Ceq);
            il.Emit(OpCodes.Or);
        }
        il.Call(Members.Cast(nameof(Casts.Check)));
        stack.PushTemp(result, temp);
    }

    /// <summary>
    /// Branches with the topmost operand if it is of the target's type, or if it is not. The operand is not on the IL stack.
    /// </summary>
    private void BrOnCast(uint label, CastTarget target, bool onFail)
    {
        stack.Flush();
        bool mayBeNull = !assertions.IsNonNull(0);
        bool nullPasses = target.Type.IsNullable && mayBeNull;
        int matches = il.DefineLabel(), fails = il.DefineLabel();
        if (IsStatic(target))
        {
            if (mayBeNull && !nullPasses)
            {
                stack.LoadAt(il.Tail, stack[0]);
                il.Branch(OpCodes.Brfalse, fails);
            }
        }
        else
        {
            if (nullPasses)
            {
                stack.LoadAt(il.Tail, stack[0]);
                il.Branch(OpCodes.Brfalse, matches);
            }
            stack.LoadAt(il.Tail, stack[0]);
            Test(target);
            il.Branch(OpCodes.Brfalse, fails);
        }
        FinishBrOnCast(label, onFail, matches, fails);
    }

    /// <summary>The branch itself: control comes here, or to the label, if the test holds, and to the other if it fails.</summary>
    private void FinishBrOnCast(uint label, bool onFail, int matches, int fails)
    {
        ref ControlFrame frame = ref control.Target(label);
        int arity = frame.LabelTypes.Length;
        if (onFail)
        {
            il.Branch(OpCodes.Br, matches);
            il.Mark(fails);
        }
        else
        {
            il.Mark(matches);
        }
        branches.CopyToLabel(ref frame, arity);
        branches.Jump(frame);
        il.Mark(onFail ? matches : fails);
    }

    /// <summary>Pushes whether the object in <paramref name="value"/>, which is not null, has the descriptor.</summary>
    private void HasDescriptor(in Operand value, int descriptor, CastTarget target)
    {
        DefType def = target.Type.Heap is ExactType exact ? exact.Type : (DefType)target.Type.Heap!;
        GcClass type = GcClass.Of(def, module.State.GcBatch);
        // Only objects of the class have the field; of others the descriptor cannot be the same.
        int no = il.DefineLabel(), done = il.DefineLabel();
        int result = stack.TakeTemp(typeof(int));
        stack.LoadAt(il.Tail, value);
        il.TypeOp(OpCodes.Isinst, type.Clr);
        il.Branch(OpCodes.Brfalse, no);
        stack.LoadAt(il.Tail, value);
        il.Field(OpCodes.Ldfld, type.Descriptor!);
        il.Ldloc(descriptor);
        il.Emit(OpCodes.Ceq);
        il.Stloc(result);
        il.Branch(OpCodes.Br, done);
        il.Mark(no);
        il.LdcI4(0);
        il.Stloc(result);
        il.Mark(done);
        il.Ldloc(result);
        stack.FreeTemp(result);
    }

    private int TakeDescriptor()
    {
        stack.Flush();
        int descriptor = stack.TakeTemp(typeof(object));
        bool mayBeNull = !assertions.IsNonNull(0);
        stack.Take(1);
        if (mayBeNull) il.Call(Members.Cast(nameof(Casts.NonNullDescriptor)));
        il.Stloc(descriptor);
        return descriptor;
    }

    private void RefCastDescEq(CastTarget target)
    {
        bool mayBeNull = !assertions.IsNonNull(1);
        int descriptor = TakeDescriptor();
        int done = il.DefineLabel();
        if (target.Type.IsNullable && mayBeNull)
        {
            stack.LoadAt(il.Tail, stack[0]);
            il.Branch(OpCodes.Brfalse, done);
        }
        HasDescriptor(stack[0], descriptor, target);
        il.Call(Members.Cast(nameof(Casts.CheckDescriptor)));
        il.Mark(done);
        stack.FreeTemp(descriptor);
    }

    private void BrOnCastDescEq(uint label, CastTarget target, bool onFail)
    {
        bool mayBeNull = !assertions.IsNonNull(1);
        int descriptor = TakeDescriptor();
        int matches = il.DefineLabel(), fails = il.DefineLabel();
        if (target.Type.IsNullable && mayBeNull)
        {
            stack.LoadAt(il.Tail, stack[0]);
            il.Branch(OpCodes.Brfalse, matches);
        }
        HasDescriptor(stack[0], descriptor, target);
        il.Branch(OpCodes.Brfalse, fails);
        stack.FreeTemp(descriptor);
        FinishBrOnCast(label, onFail, matches, fails);
    }
}
