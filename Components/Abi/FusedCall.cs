using System.Reflection;
using System.Reflection.Emit;
using WasmJit.Jit.Calls;
using WasmJit.Runtime;

namespace WasmJit.Components;

/// <summary>
/// Calls from guest to guest as one method: arguments are copied, the function called, the result copied, with values in registers and nothing
/// in between. It is made for calls that need no task and whose types are small, once for each pair of shapes, when a function has been called a few times.
/// </summary>
internal sealed class FusedCall
{
    /// <summary>After so many calls.</summary>
    internal const int Threshold = 8;

    private static readonly WeakTable<string, FusedCall> Known = new();

    private readonly DynamicMethod method;

    private FusedCall(DynamicMethod method)
    {
        this.method = method;
        Code = CodeAddress.Of(method);
    }

    /// <summary>The code: a static method whose first argument is the <see cref="LoweredFunction"/>.</summary>
    internal nint Code { get; }

    internal static FusedCall Of(LoweredFunction site, Signature import, Signature callee, FunctionShape shape, ValueForm parameters)
    {
        string key = $"{import.Key}/{callee.Key}/{(int)parameters}{(site.Side.Is64 ? 'l' : 'i')}{(site.Lifted.Side.Is64 ? 'l' : 'i')}{(site.PostReturn is null ? '-' : 'p')}{(site.EntersOne ? '1' : '-')}{shape.ParameterShape.Key}/{shape.ResultShape.Key}";
        return Known.GetOrAdd(key, (site, import, callee, shape, parameters), static s => new FusedCall(Make(s.site, s.import, s.callee, s.shape, s.parameters)));
    }

    /// <summary>Whether such calls can be fused.</summary>
    internal static bool Fits(FunctionShape shape) => TransferEmitter.IsSmall(shape.Parameters.Concat(shape.Results));

    private static DynamicMethod Make(LoweredFunction site, Signature import, Signature callee, FunctionShape shape, ValueForm form)
    {
        var method = new DynamicMethod("component call", import.Return, [typeof(LoweredFunction), .. import.ValueTypes], typeof(FusedCall).Module, true);
        // All locals are written before they are read, and writing zeros takes time.
        method.InitLocals = false;
        ILGenerator il = method.GetILGenerator();
        bool from64 = site.Side.Is64, to64 = site.Lifted.Side.Is64;
        LocalBuilder transfer = il.DeclareLocal(typeof(Transfer)), function = il.DeclareLocal(typeof(FuncRef));
        Call(il, site.EntersOne ? nameof(LoweredFunction.BeginOne) : nameof(LoweredFunction.BeginFused));
        // Arguments, each as a slot.
        var given = new LocalBuilder[import.ValueTypes.Length];
        for (int i = 0; i < given.Length; i++)
        {
            given[i] = il.DeclareLocal(typeof(ulong));
            il.Emit(OpCodes.Ldarg, (short)(i + 1));
            ToSlot(il, import.ValueTypes[i]);
            il.Emit(OpCodes.Stloc, given[i]);
        }
        var taken = new LocalBuilder[callee.ValueTypes.Length];
        for (int i = 0; i < taken.Length; i++) taken[i] = il.DeclareLocal(typeof(ulong));
        LocalBuilder returned = il.DeclareLocal(typeof(ulong)), result = il.DeclareLocal(typeof(ulong));
        LocalBuilder? scope = shape.HasBorrows ? il.DeclareLocal(typeof(CallScope)) : null;
        // An exception that the callee does not catch, or the realloc of one of the two, is a trap.
        il.BeginExceptionBlock();
        if (shape.Parameters.Length > 0)
        {
            Load(il, nameof(LoweredFunction.ForFusedArguments), transfer);
            if (scope is not null) Load(il, nameof(LoweredFunction.FusedScope), scope);
            var copy = new TransferEmitter(shape.ParameterShape, from64, to64, method, transfer, isResult: false, scope);
            ValueForm target = shape.FlatParameters <= TypeLimits.FlatParameters ? ValueForm.Flat : ValueForm.Allocated;
            Place from = copy.Begin(shape.Parameters, form, Place.Slots(given), from64, AbiMembers.From);
            Place to = copy.Begin(shape.Parameters, target, Place.Slots(taken), to64, AbiMembers.To);
            copy.Values(shape.Parameters, from, to);
        }
        // The call, as generated code makes it.
        Load(il, nameof(LoweredFunction.CoreFunction), function);
        CallCode(il, function, taken, callee.ValueTypes, callee.Return);
        if (callee.Return != typeof(void))
        {
            ToSlot(il, callee.Return);
            il.Emit(OpCodes.Stloc, returned);
        }
        if (scope is not null) Call(il, scope, nameof(CallScope.CheckDropped));
        if (shape.Results.Length > 0)
        {
            Load(il, nameof(LoweredFunction.ForFusedResult), transfer);
            var copy = new TransferEmitter(shape.ResultShape, to64, from64, method, transfer, isResult: true, null);
            bool isFlat = shape.FlatResults <= TypeLimits.FlatResults;
            Place from = copy.Begin(shape.Results, isFlat ? ValueForm.Flat : ValueForm.Memory, Place.Slots([returned]), to64, AbiMembers.From);
            Place to = site.HasResultPointer
                ? copy.Begin(shape.Results, ValueForm.Memory, Place.Slots([given[site.ResultPointer]]), from64, AbiMembers.To) : Place.Slots([result]);
            copy.Values(shape.Results, from, to);
        }
        if (site.PostReturn is not null)
        {
            // It gets what the function has returned.
            Call(il, nameof(LoweredFunction.BeginPostReturn));
            Load(il, nameof(LoweredFunction.PostReturn), function);
            CallCode(il, function, callee.Return == typeof(void) ? [] : [returned], callee.ResultTypes, typeof(void));
            Call(il, nameof(LoweredFunction.EndPostReturn));
        }
        if (scope is not null) Call(il, scope, nameof(CallScope.EndLends));
        il.BeginCatchBlock(typeof(WasmException));
        il.Emit(OpCodes.Call, EntryThunk.Method(typeof(FusedCall), nameof(Uncaught)));
        // That never returns; RyuJIT would keep what the code behind needs for it.
        il.Emit(OpCodes.Ldnull);
        il.Emit(OpCodes.Throw);
        il.EndExceptionBlock();
        Call(il, site.EntersOne ? nameof(LoweredFunction.EndOne) : nameof(LoweredFunction.EndFused));
        if (import.Return != typeof(void))
        {
            il.Emit(OpCodes.Ldloc, result);
            FromSlot(il, import.Return);
        }
        il.Emit(OpCodes.Ret);
        return method;
    }

    /// <summary>Calls a core function as generated code does, with arguments from slots.</summary>
    private static void CallCode(ILGenerator il, LocalBuilder function, LocalBuilder[] arguments, Type[] types, Type result)
    {
        il.Emit(OpCodes.Ldloc, function);
        il.Emit(OpCodes.Ldfld, typeof(FuncRef).GetField(nameof(FuncRef.Context), BindingFlags.Instance | BindingFlags.NonPublic)!);
        for (int i = 0; i < arguments.Length; i++)
        {
            il.Emit(OpCodes.Ldloc, arguments[i]);
            FromSlot(il, types[i]);
        }
        il.Emit(OpCodes.Ldloc, function);
        il.Emit(OpCodes.Ldfld, typeof(FuncRef).GetField(nameof(FuncRef.Code), BindingFlags.Instance | BindingFlags.NonPublic)!);
        il.EmitCalli(OpCodes.Calli, CallingConventions.Standard, result, [typeof(InstanceCore), .. types], null);
    }

    internal static void Uncaught(WasmException exception)
    {
        _ = exception;
        ComponentTrap.Throw(ComponentTrap.UncaughtException);
    }

    private static void Call(ILGenerator il, string name)
    {
        il.Emit(OpCodes.Ldarg_0);
        il.Emit(OpCodes.Call, typeof(LoweredFunction).GetMethod(name, BindingFlags.Instance | BindingFlags.NonPublic)!);
    }

    private static void Call(ILGenerator il, LocalBuilder scope, string name)
    {
        il.Emit(OpCodes.Ldloc, scope);
        il.Emit(OpCodes.Call, typeof(CallScope).GetMethod(name, BindingFlags.Instance | BindingFlags.NonPublic)!);
    }

    private static void Load(ILGenerator il, string field, LocalBuilder local)
    {
        il.Emit(OpCodes.Ldarg_0);
        il.Emit(OpCodes.Ldfld, typeof(LoweredFunction).GetField(field, BindingFlags.Instance | BindingFlags.NonPublic)!);
        il.Emit(OpCodes.Stloc, local);
    }

    private static void ToSlot(ILGenerator il, Type type)
    {
        if (type == typeof(float)) il.Emit(OpCodes.Call, typeof(BitConverter).GetMethod(nameof(BitConverter.SingleToInt32Bits))!);
        if (type == typeof(double)) il.Emit(OpCodes.Call, typeof(BitConverter).GetMethod(nameof(BitConverter.DoubleToInt64Bits))!);
        if (type == typeof(int) || type == typeof(float)) il.Emit(OpCodes.Conv_U8);
    }

    private static void FromSlot(ILGenerator il, Type type)
    {
        if (type == typeof(int) || type == typeof(float)) il.Emit(OpCodes.Conv_I4);
        if (type == typeof(float)) il.Emit(OpCodes.Call, typeof(BitConverter).GetMethod(nameof(BitConverter.Int32BitsToSingle))!);
        if (type == typeof(double)) il.Emit(OpCodes.Call, typeof(BitConverter).GetMethod(nameof(BitConverter.Int64BitsToDouble))!);
    }
}
