using System.Reflection;
using System.Runtime.Intrinsics;
using WasmJit.Gc;
using WasmJit.Runtime;

namespace WasmJit.Jit.Il;

/// <summary>The members of the runtime that generated code names.</summary>
internal static class Members
{
    private const BindingFlags Any = BindingFlags.Static | BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic;

    internal static readonly FieldInfo Memory0Base = Field<InstanceCore>(nameof(InstanceCore.Memory0Base));
    internal static readonly FieldInfo Memory0 = Field<InstanceCore>(nameof(InstanceCore.Memory0));
    internal static readonly FieldInfo Memories = Field<InstanceCore>(nameof(InstanceCore.Memories));
    internal static readonly FieldInfo Table0 = Field<InstanceCore>(nameof(InstanceCore.Table0));
    internal static readonly FieldInfo Tables = Field<InstanceCore>(nameof(InstanceCore.Tables));
    internal static readonly FieldInfo Globals = Field<InstanceCore>(nameof(InstanceCore.Globals));
    internal static readonly FieldInfo GlobalData = Field<InstanceCore>(nameof(InstanceCore.GlobalData));
    internal static readonly FieldInfo Funcs = Field<InstanceCore>(nameof(InstanceCore.Funcs));
    internal static readonly FieldInfo Modules = Field<InstanceCore>(nameof(InstanceCore.Modules));
    internal static readonly FieldInfo Instances = Field<InstanceCore>(nameof(InstanceCore.Instances));
    internal static readonly FieldInfo Tags = Field<InstanceCore>(nameof(InstanceCore.Tags));
    internal static readonly FieldInfo Scratch64 = Field<InstanceCore>(nameof(InstanceCore.Scratch64));
    internal static readonly FieldInfo ScratchF64 = Field<InstanceCore>(nameof(InstanceCore.ScratchF64));
    internal static readonly FieldInfo Scratch128 = Field<InstanceCore>(nameof(InstanceCore.Scratch128));
    internal static readonly FieldInfo MemoryBase = Field<Memory>(nameof(Memory.Base));
    internal static readonly FieldInfo GlobalAddress = Field<Global>(nameof(Global.Address));
    internal static readonly FieldInfo GlobalRef = Field<Global>(nameof(Global.Ref));
    internal static readonly FieldInfo GlobalFunc = Field<Global>(nameof(Global.Func));
    internal static readonly FieldInfo FuncContext = Field<FuncRef>(nameof(FuncRef.Context));
    internal static readonly FieldInfo FuncCode = Field<FuncRef>(nameof(FuncRef.Code));
    internal static readonly MethodInfo GetFunc = Method<InstanceCore>(nameof(InstanceCore.GetFunc));
    internal static readonly MethodInfo MemoryCheck32 = Method<Memory>(nameof(Memory.Check32));
    internal static readonly MethodInfo MemoryCheck64 = Method<Memory>(nameof(Memory.Check64));
    internal static readonly MethodInfo MemoryCheckAligned = Method<Memory>(nameof(Memory.CheckAligned));
    internal static readonly FieldInfo StackMap = typeof(StackGuard).GetField(nameof(StackGuard.Map), Any)!;
    internal static readonly MethodInfo ResumedSlots = typeof(InterpreterThread).GetMethod(nameof(InterpreterThread.ResumedSlots), Any)!;
    internal static readonly MethodInfo ResumedRef = typeof(InterpreterThread).GetMethod(nameof(InterpreterThread.ResumedRef), Any)!;
    internal static readonly MethodInfo KeepAlive = typeof(GC).GetMethod(nameof(GC.KeepAlive))!;
    internal static readonly MethodInfo MakeTrap = typeof(Trap).GetMethod(nameof(Trap.Make), Any, [typeof(TrapKind)])!;
    internal static readonly MethodInfo Stop = typeof(CancellationScope).GetMethod(nameof(CancellationScope.Stop), Any)!;
    internal static readonly MethodInfo MarkAddress = typeof(WasmThread).GetProperty(nameof(WasmThread.MarkAddress), Any)!.GetMethod!;
    internal static readonly FieldInfo InstanceFuel = Field<InstanceCore>(nameof(InstanceCore.FuelTank));
    internal static readonly FieldInfo FuelLeft = Field<Fuel>(nameof(Fuel.Left));
    internal static readonly MethodInfo FuelExhausted = typeof(Fuel).GetMethod(nameof(Fuel.Exhausted), Any)!;
    internal static readonly MethodInfo StackCheck = typeof(StackGuard).GetMethod(nameof(StackGuard.Check), Any)!;
    internal static readonly MethodInfo StackSpace = typeof(StackGuard).GetMethod(nameof(StackGuard.EnsureSpace), Any)!;

    internal static readonly MethodInfo VectorOfHalves = typeof(Vector128).GetMethod(nameof(Vector128.Create), [typeof(ulong), typeof(ulong)])!;

    internal static readonly MethodInfo BitsOfFloat = typeof(BitConverter).GetMethod(nameof(BitConverter.SingleToUInt32Bits))!;
    internal static readonly MethodInfo BitsOfDouble = typeof(BitConverter).GetMethod(nameof(BitConverter.DoubleToUInt64Bits))!;
    internal static readonly FieldInfo ExceptionTag = Field<WasmException>(nameof(WasmException.TagField));
    internal static readonly FieldInfo ExceptionRef = Field<WasmException>(nameof(WasmException.Ref0));
    internal static readonly FieldInfo ExceptionRefs = Field<WasmException>(nameof(WasmException.Refs));
    internal static readonly FieldInfo ExceptionWords = Field<WasmException>(nameof(WasmException.Words));

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
