using System.Reflection;
using System.Reflection.Emit;
using WasmJit.Jit.Il;
using WasmJit.Runtime;

namespace WasmJit.Jit.Calls;

/// <summary>
/// The way from .NET into wasm: one method for each signature, to which the delegates of functions are closed over their
/// FuncRef. It makes the thread known, turns faults of guest code into traps, and keeps the function's instance alive.
/// </summary>
internal sealed class EntryThunk
{
    private static readonly MethodInfo ThunkToFunc = Method(typeof(EntryThunk), nameof(ToFunc));
    private static readonly MethodInfo ThunkToRef = Method(typeof(EntryThunk), nameof(ToRef));

    private readonly DynamicMethod method;
    private bool isCompiled;

    internal EntryThunk(Signature signature, bool isLimited)
    {
        method = RuntimeCode.Method(NameOf(signature), signature.HostReturn, Parameters(signature), typeof(EntryThunk).Module);
        Write(method.GetILGenerator(), signature, isLimited);
    }

    internal static string NameOf(Signature signature) => "wasm entry " + signature.Key;

    internal static Type[] Parameters(Signature signature) => [typeof(FuncRef), .. signature.HostParameters];

    /// <summary>The delegate of a function, through its module's own entry if that has been saved with it.</summary>
    /// <param name="func">The function.</param>
    /// <param name="delegateType">The delegate's type; that of the signature if null.</param>
    /// <exception cref="ArgumentException">The delegate type has another signature.</exception>
    internal static Delegate MakeDelegate(FuncRef func, Type? delegateType = null)
    {
        // Functions of saved modules have entries of their own.
        if (!RuntimeCode.IsAvailable && func.Context is not InstanceCore { Functions: null }) return SlotDelegates.Make(func, delegateType);
        Signature signature = Signature.Of(func.Type);
        delegateType ??= signature.DelegateType;
        if (func.Context is not InstanceCore instance) return signature.Entry.CreateDelegate(delegateType, func);
        if (IsPlain(signature, delegateType) && instance.Services.MaximumStack == 0) return new Action(func.Enter);
        if (instance.Services.MaximumStack != 0) return signature.LimitedEntry.CreateDelegate(delegateType, func);
        return instance.Services.FindEntry(func) is { } saved
            ? saved.CreateDelegate(delegateType, func)
            : signature.Entry.CreateDelegate(delegateType, func);
    }

    /// <summary>
    /// Functions that need no method made for them: start functions and _start, which an existing method enters. A program without other entries then
    /// needs no entry made at run time.
    /// </summary>
    private static bool IsPlain(Signature signature, Type delegateType) => signature.Key == ":" && delegateType == typeof(Action);

    private Delegate CreateDelegate(Type type, FuncRef func)
    {
        if (!isCompiled)
        {
            // Done on a thread with enough stack, because guests come here, too.
            CodeAddress.Of(method);
            isCompiled = true;
        }
        return method.CreateDelegate(type, func);
    }

    /// <summary>The body: static R(FuncRef, args...), arguments and results in the host's form.</summary>
    /// <param name="il">Where to.</param>
    /// <param name="signature">The signature.</param>
    /// <param name="isLimited">Whether the function's services say how much stack there is.</param>
    internal static void Write(ILGenerator il, Signature signature, bool isLimited = false)
    {
        bool hasResult = signature.HostReturn != typeof(void);
        LocalBuilder? result = hasResult ? il.DeclareLocal(signature.HostReturn) : null;
        il.Emit(OpCodes.Call, Method(typeof(WasmThread), nameof(WasmThread.EnsureRegistered)));
        if (FrameGuard.RoomFor(signature.PassedBytes) is var room and not 0)
        {
            il.Emit(OpCodes.Ldc_I8, room);
            il.Emit(OpCodes.Call, Members.StackSpace);
        }
        LocalBuilder? limit = isLimited ? il.DeclareLocal(typeof(ulong)) : null;
        if (limit is not null)
        {
            il.Emit(OpCodes.Ldarg_0);
            il.Emit(OpCodes.Call, Method(typeof(WasmThread), nameof(WasmThread.LimitStack)));
            il.Emit(OpCodes.Stloc, limit);
            il.BeginExceptionBlock();
        }
        il.BeginExceptionBlock();
        il.Emit(OpCodes.Ldarg_0);
        il.Emit(OpCodes.Ldfld, Field(nameof(FuncRef.Context)));
        for (int i = 0; i < signature.ValueTypes.Length; i++)
        {
            char letter = signature.Key[i];
            if (letter is 'T' or 'R')
            {
                il.Emit(OpCodes.Ldarg, (short)(i + 1));
                il.Emit(OpCodes.Ldarg_0);
                il.Emit(OpCodes.Ldc_I4, i);
                il.Emit(OpCodes.Call, letter == 'T' ? ThunkToFunc : ThunkToRef);
            }
            else
            {
                il.Emit(OpCodes.Ldarg, (short)(i + 1));
                if (letter == 'F') il.Emit(OpCodes.Call, HostAdapter.FromDelegate);
            }
        }
        il.Emit(OpCodes.Ldarg_0);
        il.Emit(OpCodes.Ldfld, Field(nameof(FuncRef.Code)));
        il.EmitCalli(OpCodes.Calli, CallingConventions.Standard, signature.Return, signature.Parameters, null);
        ValueConversion.Results(il, signature.ResultTypes, signature.HostResults,
            i => signature.ResultTypes[i] != signature.HostResults[i], (generator, _) => generator.Emit(OpCodes.Call, HostAdapter.ToDelegate));
        if (result is not null) il.Emit(OpCodes.Stloc, result);
        il.BeginExceptFilterBlock();
        il.Emit(OpCodes.Call, Method(typeof(TrapFilter), nameof(TrapFilter.IsTrap)));
        il.BeginCatchBlock(null!);
        il.Emit(OpCodes.Call, Method(typeof(TrapFilter), nameof(TrapFilter.ToTrap)));
        il.Emit(OpCodes.Throw);
        il.EndExceptionBlock();
        if (limit is not null)
        {
            il.BeginFinallyBlock();
            il.Emit(OpCodes.Ldloc, limit);
            il.Emit(OpCodes.Call, Method(typeof(WasmThread), nameof(WasmThread.RestoreStack)));
            il.EndExceptionBlock();
        }
        il.Emit(OpCodes.Ldarg_0);
        il.Emit(OpCodes.Call, Method(typeof(GC), nameof(GC.KeepAlive)));
        if (result is not null) il.Emit(OpCodes.Ldloc, result);
        il.Emit(OpCodes.Ret);
    }

    private static FuncRef? ToFunc(Delegate? value, FuncRef callee, int index) =>
        HostValues.ToFunc(value, callee.Type.AsFunc!.Params[index]);

    private static object? ToRef(object? value, FuncRef callee, int index) =>
        HostValues.ToRef(value, callee.Type.AsFunc!.Params[index]);

    private static FieldInfo Field(string name) => typeof(FuncRef).GetField(name, BindingFlags.Instance | BindingFlags.NonPublic)!;

    internal static MethodInfo Method(Type type, string name) =>
        type.GetMethod(name, BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic)
        ?? throw new MissingMethodException(type.Name, name);
}
