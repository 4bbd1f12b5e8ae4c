using System.Reflection;
using System.Reflection.Emit;
using System.Text;
using WasmJit.Jit.Calls;
using WasmJit.Runtime;

namespace WasmJit.Components;

/// <summary>
/// Delegates of functions of numbers, bools, characters, strings and lists of numbers: these are the core function's own values, or two of them, and go through no
/// slots. It is IL and not an expression, because an expression's delegate finds the <see cref="TypedCall"/> through three objects; and because IL can enter the
/// guest once for <c>realloc</c> and the function.
/// </summary>
internal sealed class DirectCall
{
    private const BindingFlags Members = BindingFlags.Instance | BindingFlags.Static | BindingFlags.NonPublic;

    private readonly FunctionShape shape;
    private readonly Type[] parameters;
    private readonly Type result;
    private readonly Signature core;
    private readonly ILGenerator il;
    private readonly DynamicMethod method;
    private readonly LocalBuilder? value, returned;

    /// <summary>The values of each parameter that is lowered, in order.</summary>
    private readonly List<(LocalBuilder Address, LocalBuilder Count)> lowered = [];

    private DirectCall(FunctionShape shape, Type[] parameters, Type result, Signature core)
    {
        this.shape = shape;
        this.parameters = parameters;
        this.result = result;
        this.core = core;
        method = RuntimeCode.Method("component call", result, [typeof(TypedCall), .. parameters], typeof(DirectCall).Module);
        il = method.GetILGenerator();
        value = result == typeof(void) ? null : il.DeclareLocal(result);
        returned = core.Return == typeof(void) ? null : il.DeclareLocal(core.Return);
    }

    /// <summary>Whether a function has only values that such a delegate passes.</summary>
    internal static bool Fits(FunctionShape shape, Type[] parameters, Type result)
    {
        if (shape.FlatParameters > TypeLimits.FlatParameters) return false;
        for (int i = 0; i < parameters.Length; i++)
            if (!TypeBinding.IsNumber(shape.Parameters[i], parameters[i]) && !IsText(shape.Parameters[i], parameters[i]) && ElementOf(shape.Parameters[i], parameters[i], SameLayout.IsAny) is null) return false;
        return shape.Results.Length == 0
            || TypeBinding.IsNumber(shape.Results[0], result) || IsText(shape.Results[0], result) || ElementOf(shape.Results[0], result, SameLayout.IsTuple) is not null;
    }

    private static bool IsText(ComponentValType type, Type clr) => type is PrimitiveType { Primitive: PrimitiveKind.String } && clr == typeof(string);

    /// <summary>The .NET type of a list's elements, if their array is copied as bytes.</summary>
    private static ListType? ElementOf(ComponentValType type, Type clr, Func<ComponentValType, Type, bool> isSame) =>
        type is ListType { Length: null } list && clr.IsSZArray && isSame(list.Element, clr.GetElementType()!) ? list : null;

    /// <summary>What makes the delegate of a call.</summary>
    /// <param name="delegateType">The delegate's type.</param>
    /// <param name="function">A function of the type, which fits.</param>
    /// <param name="parameters">The delegate's parameters.</param>
    /// <param name="result">Its result; void for none.</param>
    internal static Func<TypedCall, Delegate> Make(Type delegateType, LiftedFunction function, Type[] parameters, Type result)
    {
        var call = new DirectCall(function.Shape, parameters, result, Signature.Of(function.Core.Type));
        call.Write(TypedCall.MayEnterDirectly(function), function.PostReturn is not null);
        DynamicMethod method = call.method;
        return c => method.CreateDelegate(delegateType, c);
    }

    private void Write(bool entersDirectly, bool hasPostReturn)
    {
        Call(nameof(TypedCall.Begin));
        il.BeginExceptionBlock();
        if (entersDirectly) il.Emit(OpCodes.Call, EntryThunk.Method(typeof(WasmThread), nameof(WasmThread.EnsureRegistered)));
        il.BeginExceptionBlock();
        Lower(entersDirectly);
        if (entersDirectly) CallCode();
        else CallDelegate();
        if (returned is not null) il.Emit(OpCodes.Stloc, returned);
        if (entersDirectly)
        {
            il.BeginExceptFilterBlock();
            il.Emit(OpCodes.Call, EntryThunk.Method(typeof(TypedCall), nameof(TypedCall.IsOfGuest)));
            il.BeginCatchBlock(null!);
            il.Emit(OpCodes.Call, EntryThunk.Method(typeof(TypedCall), nameof(TypedCall.ToTrap)));
            il.Emit(OpCodes.Throw);
        }
        else
        {
            il.BeginCatchBlock(typeof(WasmException));
            il.Emit(OpCodes.Call, EntryThunk.Method(typeof(FusedCall), nameof(FusedCall.Uncaught)));
        }
        il.EndExceptionBlock();
        if (value is not null) Lift();
        if (hasPostReturn)
        {
            il.Emit(OpCodes.Ldarg_0);
            if (returned is null) il.Emit(OpCodes.Ldc_I8, 0L);
            else PushReturned();
            Call(nameof(TypedCall.AfterReturn), hasTarget: true);
        }
        Call(nameof(TypedCall.FinishDirect));
        il.BeginFinallyBlock();
        Call(nameof(TypedCall.Exit));
        il.EndExceptionBlock();
        if (value is not null) il.Emit(OpCodes.Ldloc, value);
        il.Emit(OpCodes.Ret);
    }

    // ---- arguments ----

    /// <summary>Puts strings and lists into the guest's memory.</summary>
    private void Lower(bool entersDirectly)
    {
        if (parameters.All(p => !NeedsMemory(p))) return;
        il.BeginExceptionBlock();
        for (int i = 0; i < parameters.Length; i++)
        {
            if (!NeedsMemory(parameters[i])) continue;
            (LocalBuilder address, LocalBuilder count) = (il.DeclareLocal(typeof(ulong)), il.DeclareLocal(typeof(ulong)));
            PushSide();
            il.Emit(OpCodes.Ldarg, (short)(i + 1));
            if (shape.Parameters[i] is ListType list)
            {
                il.Emit(OpCodes.Ldc_I4, list.Element.Layout32.Alignment);
                il.Emit(OpCodes.Ldloca, count);
                il.Emit(OpCodes.Call, EntryThunk.Method(typeof(TypedMemory), nameof(TypedMemory.LowerNumbers)).MakeGenericMethod(parameters[i].GetElementType()!));
            }
            else
            {
                il.Emit(OpCodes.Ldloca, count);
                il.Emit(OpCodes.Call, EntryThunk.Method(typeof(TypedMemory), nameof(TypedMemory.LowerString)));
            }
            il.Emit(OpCodes.Stloc, address);
            lowered.Add((address, count));
        }
        il.BeginExceptFilterBlock();
        il.Emit(OpCodes.Call, EntryThunk.Method(typeof(TypedCall), entersDirectly ? nameof(TypedCall.IsMistakeOutside) : nameof(TypedCall.IsMistakeInside)));
        il.BeginCatchBlock(null!);
        il.Emit(OpCodes.Pop);
        Call(nameof(TypedCall.Undo));
        il.Emit(OpCodes.Rethrow);
        il.EndExceptionBlock();
    }

    private static bool NeedsMemory(Type type) => type == typeof(string) || type.IsArray;

    private void PushArguments()
    {
        int at = 0, next = 0;
        for (int i = 0; i < parameters.Length; i++)
        {
            if (!NeedsMemory(parameters[i]))
            {
                ToCore(i + 1, parameters[i]);
                at++;
                continue;
            }
            (LocalBuilder address, LocalBuilder count) = lowered[next++];
            PushPointer(address, core.ValueTypes[at++]);
            PushPointer(count, core.ValueTypes[at++]);
        }
    }

    private void PushPointer(LocalBuilder pointer, Type type)
    {
        il.Emit(OpCodes.Ldloc, pointer);
        if (type == typeof(int)) il.Emit(OpCodes.Conv_I4);
    }

    /// <summary>Calls the core function as the host does.</summary>
    private void CallDelegate()
    {
        PushField(nameof(TypedCall.Core));
        il.Emit(OpCodes.Call, typeof(FuncRef).GetProperty(nameof(FuncRef.Delegate), Members)!.GetMethod!);
        il.Emit(OpCodes.Castclass, core.DelegateType);
        PushArguments();
        il.Emit(OpCodes.Callvirt, core.DelegateType.GetMethod("Invoke")!);
    }

    /// <summary>Calls it as guests do.</summary>
    private void CallCode()
    {
        PushField(nameof(TypedCall.Core));
        il.Emit(OpCodes.Ldfld, typeof(FuncRef).GetField(nameof(FuncRef.Context), Members)!);
        PushArguments();
        PushField(nameof(TypedCall.Core));
        il.Emit(OpCodes.Ldfld, typeof(FuncRef).GetField(nameof(FuncRef.Code), Members)!);
        il.EmitCalli(OpCodes.Calli, CallingConventions.Standard, core.Return, core.Parameters, null);
    }

    /// <summary>Pushes an argument as the core function has it. Numbers of fewer than 32 bits are extended as their .NET type is on IL's stack.</summary>
    private void ToCore(int index, Type type)
    {
        if (type == typeof(Rune))
        {
            il.Emit(OpCodes.Ldarga, (short)index);
            il.Emit(OpCodes.Call, typeof(Rune).GetProperty(nameof(Rune.Value))!.GetMethod!);
            return;
        }
        il.Emit(OpCodes.Ldarg, (short)index);
        if (type != typeof(bool)) return;
        // A bool of .NET may have any byte.
        il.Emit(OpCodes.Ldc_I4_0);
        il.Emit(OpCodes.Cgt_Un);
    }

    // ---- the result ----

    /// <summary>Makes the result of what the core function has returned.</summary>
    private void Lift()
    {
        if (NeedsMemory(result))
        {
            PushSide();
            PushReturned();
            if (shape.Results[0] is ListType list)
            {
                il.Emit(OpCodes.Ldc_I4, list.Element.Layout32.Alignment);
                il.Emit(OpCodes.Call, EntryThunk.Method(typeof(TypedMemory), nameof(TypedMemory.ResultNumbers)).MakeGenericMethod(result.GetElementType()!));
            }
            else
            {
                il.Emit(OpCodes.Call, EntryThunk.Method(typeof(TypedMemory), nameof(TypedMemory.ResultString)));
            }
        }
        else
        {
            il.Emit(OpCodes.Ldloc, returned!);
            FromCore();
        }
        il.Emit(OpCodes.Stloc, value!);
    }

    /// <summary>Pushes what the core function has returned, as a slot has it.</summary>
    private void PushReturned()
    {
        il.Emit(OpCodes.Ldloc, returned!);
        if (core.Return == typeof(float)) il.Emit(OpCodes.Call, typeof(BitConverter).GetMethod(nameof(BitConverter.SingleToInt32Bits))!);
        if (core.Return == typeof(double)) il.Emit(OpCodes.Call, typeof(BitConverter).GetMethod(nameof(BitConverter.DoubleToInt64Bits))!);
        if (core.Return == typeof(int) || core.Return == typeof(float)) il.Emit(OpCodes.Conv_U8);
    }

    /// <summary>Makes a number of the core function's value, which is on the stack.</summary>
    private void FromCore()
    {
        if (result == typeof(bool))
        {
            il.Emit(OpCodes.Ldc_I4_0);
            il.Emit(OpCodes.Cgt_Un);
        }
        else if (result == typeof(Rune))
        {
            il.Emit(OpCodes.Call, EntryThunk.Method(typeof(TransferHelpers), nameof(TransferHelpers.Char)));
            il.Emit(OpCodes.Newobj, typeof(Rune).GetConstructor([typeof(int)])!);
        }
        else if (result == typeof(sbyte)) il.Emit(OpCodes.Conv_I1);
        else if (result == typeof(byte)) il.Emit(OpCodes.Conv_U1);
        else if (result == typeof(short)) il.Emit(OpCodes.Conv_I2);
        else if (result == typeof(ushort)) il.Emit(OpCodes.Conv_U2);
    }

    // ---- what is around ----

    private void PushSide() => PushField(nameof(TypedCall.Side));

    private void PushField(string name)
    {
        il.Emit(OpCodes.Ldarg_0);
        il.Emit(OpCodes.Ldfld, typeof(TypedCall).GetField(name, Members)!);
    }

    private void Call(string name, bool hasTarget = false)
    {
        if (!hasTarget) il.Emit(OpCodes.Ldarg_0);
        il.Emit(OpCodes.Call, typeof(TypedCall).GetMethod(name, Members)!);
    }
}
