using System.Reflection;
using System.Runtime.Intrinsics;
using WasmJit.Gc;
using WasmJit.Runtime;

namespace WasmJit.Jit.Il;

/// <summary>The members of the runtime that generated code names, each found when it is first named.</summary>
internal static class Members
{
    private const BindingFlags Any = BindingFlags.Static | BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic;

    internal static FieldInfo Memory0Base => field ??= Field<InstanceCore>(nameof(InstanceCore.Memory0Base));
    internal static FieldInfo Memory0 => field ??= Field<InstanceCore>(nameof(InstanceCore.Memory0));
    internal static FieldInfo Memories => field ??= Field<InstanceCore>(nameof(InstanceCore.Memories));
    internal static FieldInfo Table0 => field ??= Field<InstanceCore>(nameof(InstanceCore.Table0));
    internal static FieldInfo Tables => field ??= Field<InstanceCore>(nameof(InstanceCore.Tables));
    internal static FieldInfo Globals => field ??= Field<InstanceCore>(nameof(InstanceCore.Globals));
    internal static FieldInfo GlobalData => field ??= Field<InstanceCore>(nameof(InstanceCore.GlobalData));
    internal static FieldInfo Funcs => field ??= Field<InstanceCore>(nameof(InstanceCore.Funcs));
    internal static FieldInfo Modules => field ??= Field<InstanceCore>(nameof(InstanceCore.Modules));
    internal static FieldInfo Instances => field ??= Field<InstanceCore>(nameof(InstanceCore.Instances));
    internal static FieldInfo Tags => field ??= Field<InstanceCore>(nameof(InstanceCore.Tags));
    internal static FieldInfo Scratch64 => field ??= Field<InstanceCore>(nameof(InstanceCore.Scratch64));
    internal static FieldInfo ScratchF64 => field ??= Field<InstanceCore>(nameof(InstanceCore.ScratchF64));
    internal static FieldInfo SavedNumbers => field ??= Field<InstanceCore>(nameof(InstanceCore.SavedNumbers));
    internal static FieldInfo SavedMakers => field ??= Field<InstanceCore>(nameof(InstanceCore.SavedMakers));
    internal static FieldInfo MemoryBase => field ??= Field<Memory>(nameof(Memory.Base));
    internal static FieldInfo GlobalAddress => field ??= Field<Global>(nameof(Global.Address));
    internal static FieldInfo GlobalRef => field ??= Field<Global>(nameof(Global.Ref));
    internal static FieldInfo GlobalFunc => field ??= Field<Global>(nameof(Global.Func));
    internal static FieldInfo FuncContext => field ??= Field<FuncRef>(nameof(FuncRef.Context));
    internal static FieldInfo FuncCode => field ??= Field<FuncRef>(nameof(FuncRef.Code));
    internal static MethodInfo GetFunc => field ??= Method<InstanceCore>(nameof(InstanceCore.GetFunc));
    internal static MethodInfo MemoryCheck32 => field ??= Method<Memory>(nameof(Memory.Check32));
    internal static MethodInfo MemoryCheck64 => field ??= Method<Memory>(nameof(Memory.Check64));
    internal static MethodInfo MemoryCheckAligned => field ??= Method<Memory>(nameof(Memory.CheckAligned));
    internal static FieldInfo StackMap => field ??= typeof(StackGuard).GetField(nameof(StackGuard.Map), Any)!;
    internal static MethodInfo ResumedSlots => field ??= typeof(InterpreterThread).GetMethod(nameof(InterpreterThread.ResumedSlots), Any)!;
    internal static MethodInfo ResumeWith => field ??= typeof(InterpreterThread).GetMethod(nameof(InterpreterThread.ResumeWith), Any)!;
    internal static MethodInfo ResumedRef => field ??= typeof(InterpreterThread).GetMethod(nameof(InterpreterThread.ResumedRef), Any)!;
    internal static MethodInfo KeepAlive => field ??= typeof(GC).GetMethod(nameof(GC.KeepAlive))!;
    internal static MethodInfo MakeUnreachable => field ??= typeof(Trap).GetMethod(nameof(Trap.Unreachable), Any, [typeof(int)])!;
    internal static MethodInfo Stop => field ??= typeof(CancellationScope).GetMethod(nameof(CancellationScope.Stop), Any)!;
    internal static MethodInfo MarkAddress => field ??= typeof(WasmThread).GetProperty(nameof(WasmThread.MarkAddress), Any)!.GetMethod!;
    internal static FieldInfo InstanceFuel => field ??= Field<InstanceCore>(nameof(InstanceCore.FuelTank));
    internal static FieldInfo FuelLeft => field ??= Field<Fuel>(nameof(Fuel.Left));
    internal static MethodInfo FuelDrawAside => field ??= typeof(Fuel).GetMethod(nameof(Fuel.DrawAside), Any)!;

    /// <summary>A place for a variable of a type: <see cref="DrawArea"/>. Null if there is none.</summary>
    internal static FieldInfo? DrawPlace(Type type, int number) => number >= DrawArea.OfType ? null : typeof(DrawArea).GetField(
        $"{(type == typeof(int) ? 'I' : type == typeof(long) ? 'L' : type == typeof(nint) ? 'N' : type == typeof(float) ? 'F' : type == typeof(double) ? 'D' : '?')}{number}", Any);

    internal static MethodInfo FuelDraw => field ??= typeof(Fuel).GetMethod(nameof(Fuel.Draw), Any)!;

    internal static MethodInfo FuelExhausted => field ??= typeof(Fuel).GetMethod(nameof(Fuel.Exhausted), Any)!;
    internal static MethodInfo StackCheck => field ??= typeof(StackGuard).GetMethod(nameof(StackGuard.Check), Any)!;
    internal static MethodInfo StackSpace => field ??= typeof(StackGuard).GetMethod(nameof(StackGuard.EnsureSpace), Any)!;

    internal static MethodInfo VectorOfHalves => field ??= typeof(Vector128).GetMethod(nameof(Vector128.Create), [typeof(ulong), typeof(ulong)])!;

    internal static MethodInfo BitsOfFloat => field ??= typeof(BitConverter).GetMethod(nameof(BitConverter.SingleToUInt32Bits))!;
    internal static MethodInfo BitsOfDouble => field ??= typeof(BitConverter).GetMethod(nameof(BitConverter.DoubleToUInt64Bits))!;
    internal static FieldInfo ExceptionTag => field ??= Field<WasmException>(nameof(WasmException.TagField));
    internal static FieldInfo ExceptionRef => field ??= Field<WasmException>(nameof(WasmException.Ref0));
    internal static FieldInfo ExceptionRefs => field ??= Field<WasmException>(nameof(WasmException.Refs));
    internal static FieldInfo ExceptionWords => field ??= Field<WasmException>(nameof(WasmException.Words));

    internal static FieldInfo ExceptionWord(int slot) =>
        Field<WasmException>(slot == 0 ? nameof(WasmException.Word0) : nameof(WasmException.Word1));

    internal static MethodInfo Unwinder(string name) =>
        typeof(Unwinder).GetMethod(name, Any) ?? throw new MissingMethodException(name);

    internal static MethodInfo Exception(string name) =>
        typeof(ExceptionHelpers).GetMethod(name, Any) ?? throw new MissingMethodException(name);

    /// <summary>A method of <see cref="CodeHelpers"/>.</summary>
    internal static MethodInfo Helper(string name) => typeof(CodeHelpers).GetMethod(name, Any) ?? throw new MissingMethodException(name);

    internal static MethodInfo AtomicWait(string name) => typeof(AtomicWaits).GetMethod(name, Any) ?? throw new MissingMethodException(name);

    internal static MethodInfo MemoryReference(string name) => typeof(MemoryReferences).GetMethod(name, Any) ?? throw new MissingMethodException(name);

    internal static MethodInfo TableReference(string name) => typeof(TableReferences).GetMethod(name, Any) ?? throw new MissingMethodException(name);

    internal static MethodInfo GlobalReference(string name) => typeof(GlobalReferences).GetMethod(name, Any) ?? throw new MissingMethodException(name);

    internal static MethodInfo Slice(string name) => typeof(Slices).GetMethod(name, Any) ?? throw new MissingMethodException(name);

    internal static MethodInfo Integer(string name) => typeof(Integers).GetMethod(name, Any) ?? throw new MissingMethodException(name);

    internal static MethodInfo Rotation(string name) => typeof(RotationFault).GetMethod(name, Any) ?? throw new MissingMethodException(name);

    internal static MethodInfo GcArray(string name) => typeof(GcArrays).GetMethod(name, Any) ?? throw new MissingMethodException(name);

    internal static MethodInfo Cast(string name) => typeof(Casts).GetMethod(name, Any) ?? throw new MissingMethodException(name);

    internal static MethodInfo I31(string name) => typeof(I31).GetMethod(name, Any) ?? throw new MissingMethodException(name);

    internal static MethodInfo Vector(string name) => typeof(Simd).GetMethod(name, Any) ?? throw new MissingMethodException(name);

    internal static MethodInfo FuelCharge(string name) => typeof(Fuel).GetMethod(name, Any) ?? throw new MissingMethodException(name);

    internal static MethodInfo Assertion(string name) => typeof(EmitterAssertions).GetMethod(name, Any) ?? throw new MissingMethodException(name);

    internal static MethodInfo Float(string name) => typeof(Floats).GetMethod(name, Any) ?? throw new MissingMethodException(name);

    private static FieldInfo Field<T>(string name) => typeof(T).GetField(name, Any) ?? throw new MissingFieldException(name);

    private static MethodInfo Method<T>(string name) => typeof(T).GetMethod(name, Any) ?? throw new MissingMethodException(name);
}
