using System.Reflection;
using System.Reflection.Emit;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using WasmJit.Runtime;
using static WasmJit.Jit.Calls.InterpreterMembers;

namespace WasmJit.Jit.Calls;

/// <summary>How functions of a signature are called between interpreted and machine code, and the methods that this needs.</summary>
/// <remarks>Unsafe: <see cref="Address"/> points into an array of this object. Code that keeps the address keeps the object.</remarks>
internal sealed unsafe class CallShapes : IInvokers
{
    /// <summary>How many shapes are allocated at a time: a pinned array takes longer than all else here.</summary>
    private const int AtATime = 32;
    private static readonly Lock Gate = new();
    private static CallShape[]? block;
    private static int used;

    private readonly CallShape[] storage;
    private readonly Signature signature;
    private readonly int index;
    private readonly GCHandle self;
    private readonly Lock making = new();
    private DynamicMethod? invoker, tail;

    internal CallShapes(Signature signature)
    {
        this.signature = signature;
        lock (Gate)
        {
            if (block is null || used == block.Length)
            {
                block = GC.AllocateArray<CallShape>(AtATime, pinned: true);
                used = 0;
            }
            storage = block;
            index = used++;
        }
        ref CallShape shape = ref *Address;
        foreach (Type type in signature.ValueTypes) Count(type, ref shape.ParamSlots, ref shape.RefParams);
        foreach (Type type in signature.ResultTypes) Count(type, ref shape.ResultSlots, ref shape.RefResults);
        shape.Kind = KindOf(signature);
        if (shape.Kind == CallKind.Slots) return;
        if (shape.Kind == CallKind.Typed)
        {
            self = GCHandle.Alloc(this, GCHandleType.Weak);
            shape.Invokers = GCHandle.ToIntPtr(self);
            return;
        }
        Unsafe.InitBlock(Unsafe.AsPointer(ref shape.IntegerSlots[0]), InterpreterCalls.NoSlot, InterpreterCalls.IntegerRegisters);
        Unsafe.InitBlock(Unsafe.AsPointer(ref shape.FloatSlots[0]), InterpreterCalls.NoSlot, InterpreterCalls.FloatRegisters);
        int integers = 0, floats = 0;
        for (int i = 0; i < signature.ValueTypes.Length; i++)
        {
            if (IsFloat(signature.ValueTypes[i])) shape.FloatSlots[floats++] = (byte)i;
            else shape.IntegerSlots[integers++] = (byte)i;
        }
    }

    ~CallShapes()
    {
        if (self.IsAllocated) self.Free();
    }

    internal CallShape* Address => (CallShape*)Unsafe.AsPointer(ref storage[index]);

    nint IInvokers.Invoker
    {
        get
        {
            if (!RuntimeCode.IsAvailable) throw RuntimeCode.Missing("A call of machine code needs a method for its signature");
            lock (making) return CodeAddress.Of(invoker ??= MakeInvoker(signature));
        }
    }

    private static bool IsFloat(Type type) => type == typeof(float) || type == typeof(double);

    internal static bool IsReference(Type type) => !type.IsValueType;

    /// <summary>How many slots a number takes.</summary>
    internal static int SlotsOf(Type type) => type.IsGenericType ? 2 : 1;

    private static void Count(Type type, ref int slots, ref int refs)
    {
        if (IsReference(type)) refs++;
        else slots += SlotsOf(type);
    }

    internal static CallKind KindOf(Signature signature)
    {
        if (!RuntimeCode.IsAvailable) return CallKind.Slots;
        if (!InterpreterCalls.HasSharedMethods || !signature.IsScalar) return CallKind.Typed;
        int integers = 0, floats = 0;
        foreach (Type type in signature.ValueTypes)
        {
            if (IsReference(type)) return CallKind.Typed;
            if (IsFloat(type)) floats++;
            else integers++;
        }
        if (integers > InterpreterCalls.IntegerRegisters || floats > InterpreterCalls.FloatRegisters) return CallKind.Typed;
        if (signature.ResultTypes.Length == 1)
        {
            if (IsReference(signature.ResultTypes[0])) return CallKind.Typed;
            if (IsFloat(signature.ResultTypes[0])) return CallKind.MixedToFloat;
        }
        return floats == 0 ? CallKind.Integers : CallKind.Mixed;
    }

    /// <summary>The address, with the method that makes tail calls. Without code the run that a tail call ends makes the call itself.</summary>
    internal CallShape* WithTail()
    {
        if (!RuntimeCode.IsAvailable) return Address;
        lock (making)
        {
            if (tail is null)
            {
                tail = MakeTail(signature);
                Address->Tail = CodeAddress.Of(tail);
            }
        }
        return Address;
    }

    // ---- from the interpreter ----

    /// <summary>void f(InterpreterThread, object context, nint code, nint slots, int firstReference)</summary>
    private static DynamicMethod MakeInvoker(Signature signature)
    {
        var method = RuntimeCode.Method("wasm invoke " + signature.Key, typeof(void),
            [typeof(InterpreterThread), typeof(object), typeof(nint), typeof(nint), typeof(int)], typeof(CallShapes).Module);
        ILGenerator il = method.GetILGenerator();
        il.Emit(OpCodes.Ldarg_1);
        int slot = 0, reference = 0;
        foreach (Type type in signature.ValueTypes)
        {
            if (IsReference(type))
            {
                il.Emit(OpCodes.Ldarg_0);
                il.Emit(OpCodes.Ldfld, Refs);
                LoadIndex(il, reference++);
                il.Emit(OpCodes.Ldelem_Ref);
            }
            else
            {
                LoadAddress(il, slot);
                il.Emit(OpCodes.Ldobj, type);
                slot += SlotsOf(type);
            }
        }
        il.Emit(OpCodes.Ldarg_2);
        il.EmitCalli(OpCodes.Calli, CallingConventions.Standard, signature.Return, signature.Parameters, null);
        LocalBuilder? result = signature.ResultTypes.Length == 0 ? null : il.DeclareLocal(signature.Return);
        if (result is not null) il.Emit(OpCodes.Stloc, result);
        slot = reference = 0;
        for (int i = 0; i < signature.ResultTypes.Length; i++)
        {
            Type type = signature.ResultTypes[i];
            if (IsReference(type))
            {
                il.Emit(OpCodes.Ldarg_0);
                LoadIndex(il, reference++);
                LoadResult(il, signature, result!, i);
                il.Emit(OpCodes.Call, SetRef);
            }
            else
            {
                LoadAddress(il, slot);
                LoadResult(il, signature, result!, i);
                il.Emit(OpCodes.Stobj, type);
                slot += SlotsOf(type);
            }
        }
        il.Emit(OpCodes.Ret);
        return method;
    }

    private static void LoadIndex(ILGenerator il, int reference)
    {
        il.Emit(OpCodes.Ldarg_S, (byte)4);
        il.Emit(OpCodes.Ldc_I4, reference);
        il.Emit(OpCodes.Add);
    }

    private static void LoadAddress(ILGenerator il, int slot)
    {
        il.Emit(OpCodes.Ldarg_3);
        il.Emit(OpCodes.Ldc_I4, slot * 8);
        il.Emit(OpCodes.Add);
    }

    private static void LoadResult(ILGenerator il, Signature signature, LocalBuilder result, int index)
    {
        if (signature.ResultTypes.Length == 1)
        {
            il.Emit(OpCodes.Ldloc, result);
            return;
        }
        il.Emit(OpCodes.Ldloca, result);
        foreach (FieldInfo field in ValueConversion.Path(signature.Return, index))
            il.Emit(field.FieldType.IsValueType && field.Name == "Rest" ? OpCodes.Ldflda : OpCodes.Ldfld, field);
    }

    /// <summary>R f(object context), which takes the arguments from the top of the stack and is replaced by the callee.</summary>
    private static DynamicMethod MakeTail(Signature signature)
    {
        var method = RuntimeCode.Method("wasm tail " + signature.Key, signature.Return, [typeof(object)], typeof(CallShapes).Module);
        ILGenerator il = method.GetILGenerator();
        LocalBuilder thread = il.DeclareLocal(typeof(InterpreterThread));
        il.Emit(OpCodes.Call, CurrentThread);
        il.Emit(OpCodes.Stloc, thread);
        // The owner of the shape may be collected now: a running method keeps itself alive.
        il.Emit(OpCodes.Ldloc, thread);
        il.Emit(OpCodes.Ldnull);
        il.Emit(OpCodes.Stfld, NextOwner);
        il.Emit(OpCodes.Ldarg_0);
        TakeFromTop(il, thread, signature.ValueTypes);
        il.Emit(OpCodes.Ldloc, thread);
        il.Emit(OpCodes.Ldfld, TailCode);
        il.Emit(OpCodes.Tailcall);
        il.EmitCalli(OpCodes.Calli, CallingConventions.Standard, signature.Return, signature.Parameters, null);
        il.Emit(OpCodes.Ret);
        return method;
    }

    // ---- to the interpreter ----

    /// <summary>
    /// The methods that stubs jump to in modules with tail calls, in place of <see cref="InterpreterCalls.EnterForInteger"/> and its like. They make
    /// the call with which a function ends.
    /// </summary>
    internal static DynamicMethod MakeSharedEntry(bool returnsFloat)
    {
        Type result = returnsFloat ? typeof(double) : typeof(long);
        Type[] parameters = [typeof(InstanceCore), .. Enumerable.Repeat(typeof(long), InterpreterCalls.IntegerRegisters),
            .. Enumerable.Repeat(typeof(double), InterpreterCalls.FloatRegisters + 1)];
        var method = RuntimeCode.Method("wasm enter", result, parameters, typeof(CallShapes).Module);
        ILGenerator il = method.GetILGenerator();
        LocalBuilder thread = il.DeclareLocal(typeof(InterpreterThread)), value = il.DeclareLocal(result);
        for (int i = 0; i < parameters.Length; i++) il.Emit(OpCodes.Ldarg, (short)i);
        string name = returnsFloat ? nameof(InterpreterCalls.EnterFloat) : nameof(InterpreterCalls.Enter);
        il.Emit(OpCodes.Call, typeof(InterpreterCalls).GetMethod(name, Any, parameters)!);
        il.Emit(OpCodes.Stloc, value);
        il.Emit(OpCodes.Call, CurrentThread);
        il.Emit(OpCodes.Stloc, thread);
        EmitTail(il, thread, result);
        il.Emit(OpCodes.Ldloc, value);
        il.Emit(OpCodes.Ret);
        return method;
    }

    /// <summary>Goes on with a tail call if one is wanted.</summary>
    private static void EmitTail(ILGenerator il, LocalBuilder thread, Type result)
    {
        Label none = il.DefineLabel();
        il.Emit(OpCodes.Ldloc, thread);
        il.Emit(OpCodes.Ldfld, NextCode);
        il.Emit(OpCodes.Brfalse, none);
        il.Emit(OpCodes.Ldloc, thread);
        il.Emit(OpCodes.Call, EntryThunk.Method(typeof(InterpreterThread), nameof(InterpreterThread.TakeNext)));
        il.Emit(OpCodes.Ldloc, thread);
        il.Emit(OpCodes.Ldfld, TailEntry);
        il.Emit(OpCodes.Tailcall);
        il.EmitCalli(OpCodes.Calli, CallingConventions.Standard, result, [typeof(object)], null);
        il.Emit(OpCodes.Ret);
        il.MarkLabel(none);
    }

    /// <summary>
    /// The body of a stub that runs functions: static R f(Instance, args...), or with a number behind the arguments.
    /// </summary>
    /// <param name="il">Where it is written.</param>
    /// <param name="signature">The signature.</param>
    /// <param name="id">Which stubs these are, if functions have numbers.</param>
    /// <param name="func">The function's index in the module, if the stub is of one function.</param>
    internal static void WriteEntry(ILGenerator il, Signature signature, int id, int? func)
    {
        LocalBuilder thread = il.DeclareLocal(typeof(InterpreterThread));
        il.Emit(OpCodes.Call, CurrentThread);
        il.Emit(OpCodes.Stloc, thread);
        int slot = 0, reference = 0;
        for (int i = 0; i < signature.ValueTypes.Length; i++)
        {
            Type type = signature.ValueTypes[i];
            if (IsReference(type))
            {
                il.Emit(OpCodes.Ldloc, thread);
                LoadTopIndex(il, thread, reference++);
                il.Emit(OpCodes.Ldarg, (short)(i + 1));
                il.Emit(OpCodes.Call, SetRef);
            }
            else
            {
                LoadTopAddress(il, thread, slot);
                il.Emit(OpCodes.Ldarg, (short)(i + 1));
                il.Emit(OpCodes.Stobj, type);
                slot += SlotsOf(type);
            }
        }
        il.Emit(OpCodes.Ldarg_0);
        il.Emit(OpCodes.Ldarg_0);
        if (func is { } constant)
        {
            il.Emit(OpCodes.Ldc_I4, constant);
        }
        else
        {
            StubShape.CanBeNumbered(signature, out bool usesFloatRegister);
            il.Emit(OpCodes.Ldarg_0);
            il.Emit(OpCodes.Ldc_I4, id);
            il.Emit(OpCodes.Ldarg, (short)signature.Parameters.Length);
            if (usesFloatRegister) il.Emit(OpCodes.Call, typeof(BitConverter).GetMethod(nameof(BitConverter.SingleToInt32Bits))!);
            il.Emit(OpCodes.Call, EntryThunk.Method(typeof(CallShapes), nameof(FuncOfStub)));
        }
        il.Emit(OpCodes.Call, EntryThunk.Method(typeof(CallShapes), nameof(OwnIndex)));
        il.Emit(OpCodes.Ldloc, thread);
        il.Emit(OpCodes.Call, Enter);
        EmitTail(il, thread, signature.Return);
        TakeFromTop(il, thread, signature.ResultTypes);
        if (signature.ResultTypes.Length > 1)
            foreach (ConstructorInfo constructor in ValueConversion.Constructors(signature.Return)) il.Emit(OpCodes.Newobj, constructor);
        il.Emit(OpCodes.Ret);
    }

    /// <summary>Puts the values at the top of the interpreter's stack onto the IL stack.</summary>
    private static void TakeFromTop(ILGenerator il, LocalBuilder thread, IEnumerable<Type> types)
    {
        int slot = 0, reference = 0;
        foreach (Type type in types)
        {
            if (IsReference(type))
            {
                il.Emit(OpCodes.Ldloc, thread);
                LoadTopIndex(il, thread, reference++);
                il.Emit(OpCodes.Call, TakeRef);
            }
            else
            {
                LoadTopAddress(il, thread, slot);
                il.Emit(OpCodes.Ldobj, type);
                slot += SlotsOf(type);
            }
        }
    }

    private static void LoadTopAddress(ILGenerator il, LocalBuilder thread, int slot)
    {
        il.Emit(OpCodes.Ldloc, thread);
        il.Emit(OpCodes.Ldfld, Top);
        il.Emit(OpCodes.Ldc_I4, slot * 8);
        il.Emit(OpCodes.Add);
    }

    private static void LoadTopIndex(ILGenerator il, LocalBuilder thread, int reference)
    {
        il.Emit(OpCodes.Ldloc, thread);
        il.Emit(OpCodes.Ldfld, RefTop);
        il.Emit(OpCodes.Ldc_I4, reference);
        il.Emit(OpCodes.Add);
    }

    private static int FuncOfStub(InstanceCore instance, int stubs, int number) => instance.Services.FuncOfStub(stubs, number);

    private static int OwnIndex(InstanceCore instance, int func) => func - instance.ImportedFuncs;
}
