using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace WasmJit.Runtime;

/// <summary>Calls between interpreted and machine code.</summary>
/// <remarks>
/// Unsafe: most calls go through two methods that take more arguments than the callee has, or than the caller gives. In the System V convention for
/// x64, and in that of ARM64, the first six integers and the first eight floats of a call are in registers of their own, whatever their order. A caller
/// that passes more sets registers that are not read. A callee that takes more reads numbers that <see cref="CallShape"/> keeps apart from the arguments. None of them
/// is a reference, whose registers the collector would have to know. Other signatures, and other platforms, have a method each, which is made at run
/// time.
/// </remarks>
internal static unsafe class InterpreterCalls
{
    /// <summary>Whether the calling convention is the one that the shared methods are for.</summary>
    internal static readonly bool HasSharedMethods = RuntimeInformation.ProcessArchitecture switch
    {
        Architecture.X64 => OperatingSystem.IsLinux() || OperatingSystem.IsMacOS(),
        Architecture.Arm64 => OperatingSystem.IsLinux(),
        _ => false,
    };

    /// <summary>How many arguments fit; the last float register carries the number of the function.</summary>
    internal const int IntegerRegisters = 5, FloatRegisters = 7;

    /// <summary>The register that carries the number of the function.</summary>
    internal const int NumberRegister = 7;

    /// <summary>The slot of registers that carry no argument: behind all arguments.</summary>
    internal const int NoSlot = IntegerRegisters + FloatRegisters;

    /// <summary>The method that function stubs jump to if the result is an integer or nothing.</summary>
    internal static nint EnterForInteger =>
        (nint)(delegate*<InstanceCore, long, long, long, long, long, double, double, double, double, double, double, double, double, long>)&Enter;

    /// <summary>The same if the result is a float.</summary>
    internal static nint EnterForFloat =>
        (nint)(delegate*<InstanceCore, long, long, long, long, long, double, double, double, double, double, double, double, double, double>)&EnterFloat;

    internal static long Enter(InstanceCore instance, long i0, long i1, long i2, long i3, long i4,
        double f0, double f1, double f2, double f3, double f4, double f5, double f6, double number)
    {
        InterpreterThread thread = InterpreterThread.Current;
        FunctionState* function = Function(instance, (int)BitConverter.DoubleToInt64Bits(number));
        var fp = (long*)thread.Top;
        CallShape* shape = function->Shape;
        if (shape->Kind == CallKind.Integers)
        {
            fp[0] = i0;
            fp[1] = i1;
            fp[2] = i2;
            fp[3] = i3;
            fp[4] = i4;
        }
        else
        {
            Spread(fp, shape, i0, i1, i2, i3, i4, f0, f1, f2, f3, f4, f5, f6);
        }
        Interpreter.Execute(thread, instance, function, EndsWithCall(function));
        return fp[0];
    }

    internal static double EnterFloat(InstanceCore instance, long i0, long i1, long i2, long i3, long i4,
        double f0, double f1, double f2, double f3, double f4, double f5, double f6, double number)
    {
        InterpreterThread thread = InterpreterThread.Current;
        FunctionState* function = Function(instance, (int)BitConverter.DoubleToInt64Bits(number));
        var fp = (long*)thread.Top;
        Spread(fp, function->Shape, i0, i1, i2, i3, i4, f0, f1, f2, f3, f4, f5, f6);
        Interpreter.Execute(thread, instance, function, EndsWithCall(function));
        return BitConverter.Int64BitsToDouble(fp[0]);
    }

    private static void Spread(long* fp, CallShape* shape, long i0, long i1, long i2, long i3, long i4,
        double f0, double f1, double f2, double f3, double f4, double f5, double f6)
    {
        fp[shape->IntegerSlots[0]] = i0;
        fp[shape->IntegerSlots[1]] = i1;
        fp[shape->IntegerSlots[2]] = i2;
        fp[shape->IntegerSlots[3]] = i3;
        fp[shape->IntegerSlots[4]] = i4;
        var floats = (double*)fp;
        floats[shape->FloatSlots[0]] = f0;
        floats[shape->FloatSlots[1]] = f1;
        floats[shape->FloatSlots[2]] = f2;
        floats[shape->FloatSlots[3]] = f3;
        floats[shape->FloatSlots[4]] = f4;
        floats[shape->FloatSlots[5]] = f5;
        floats[shape->FloatSlots[6]] = f6;
    }

    /// <summary>An own function of an instance, ready to be entered. References to it that lead here get its machine code.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static FunctionState* Function(InstanceCore instance, int number)
    {
        FunctionState* function = instance.Functions + number;
        if (Volatile.Read(ref *(nint*)&function->Code) == 0 || function->Compiled != 0) MakeReady(instance, function, number);
        return function;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void MakeReady(InstanceCore instance, FunctionState* function, int number)
    {
        if (function->Code is null) instance.Services.Prepare(instance, function);
        if (function->Compiled != 0 && instance.FindFunc(instance.ImportedFuncs + number) is { } reference)
            reference.Compiled(function->Compiled);
    }

    /// <summary>For methods that are made for a signature: runs a function whose arguments are at the top of the stack.</summary>
    internal static void Enter(InstanceCore instance, int number, InterpreterThread thread) =>
        Interpreter.Execute(thread, instance, Function(instance, number), tails: true);

    /// <summary>Whether the entry that a function's stub leads to goes on with tail calls.</summary>
    private static bool EndsWithCall(FunctionState* function) => function->EntryTails;

    /// <summary>What <see cref="Call"/> wants as the context of a function behind a reference: the function itself where there is no code to call.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static object? ContextOf(FuncRef target, CallShape* shape) => shape->Kind == CallKind.Slots ? target : target.Context;

    /// <summary>
    /// Calls machine code with arguments in slots; the results take their place. The thread's top is behind all slots in use.
    /// </summary>
    /// <param name="thread">The thread's stack.</param>
    /// <param name="context">The first argument of the code; see <see cref="ContextOf"/>.</param>
    /// <param name="code">The code.</param>
    /// <param name="shape">How it is called.</param>
    /// <param name="fp">The first slot.</param>
    /// <param name="rp">The first reference.</param>
    internal static void Call(InterpreterThread thread, object? context, nint code, CallShape* shape, ulong* fp, int rp)
    {
        var args = (long*)fp;
        var floats = (double*)fp;
        switch (shape->Kind)
        {
            case CallKind.Integers:
                args[0] = ((delegate*<object?, long, long, long, long, long, long>)code)(context, args[0], args[1], args[2], args[3], args[4]);
                return;
            case CallKind.Mixed:
                args[0] = ((delegate*<object?, long, long, long, long, long, double, double, double, double, double, double, double, long>)code)(
                    context, args[shape->IntegerSlots[0]], args[shape->IntegerSlots[1]], args[shape->IntegerSlots[2]],
                    args[shape->IntegerSlots[3]], args[shape->IntegerSlots[4]],
                    floats[shape->FloatSlots[0]], floats[shape->FloatSlots[1]], floats[shape->FloatSlots[2]], floats[shape->FloatSlots[3]],
                    floats[shape->FloatSlots[4]], floats[shape->FloatSlots[5]], floats[shape->FloatSlots[6]]);
                return;
            case CallKind.MixedToFloat:
                floats[0] = ((delegate*<object?, long, long, long, long, long, double, double, double, double, double, double, double, double>)code)(
                    context, args[shape->IntegerSlots[0]], args[shape->IntegerSlots[1]], args[shape->IntegerSlots[2]],
                    args[shape->IntegerSlots[3]], args[shape->IntegerSlots[4]],
                    floats[shape->FloatSlots[0]], floats[shape->FloatSlots[1]], floats[shape->FloatSlots[2]], floats[shape->FloatSlots[3]],
                    floats[shape->FloatSlots[4]], floats[shape->FloatSlots[5]], floats[shape->FloatSlots[6]]);
                return;
            case CallKind.Slots:
                SlotCalls.Call(thread, Unsafe.As<FuncRef>(context!), fp, rp);
                return;
            default:
                nint invoker = shape->Invoker != 0 ? shape->Invoker : MakeInvoker(shape);
                ((delegate*<InterpreterThread, object?, nint, nint, int, void>)invoker)(thread, context, code, (nint)fp, rp);
                return;
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static nint MakeInvoker(CallShape* shape) => shape->Invoker = ((IInvokers)GCHandle.FromIntPtr(shape->Invokers).Target!).Invoker;
}
