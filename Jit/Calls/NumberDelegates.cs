using System.Reflection;
using System.Reflection.Emit;
using WasmJit.Runtime;

namespace WasmJit.Jit.Calls;

/// <summary>
/// Delegates over .NET's other numbers: <c>uint</c>, <c>bool</c>, small integers and enums are i32 to WebAssembly, <c>ulong</c> is i64. On the stack they are
/// the same, so a delegate over them is one over <c>int</c> and <c>long</c> behind a method that narrows what comes.
/// </summary>
internal static class NumberDelegates
{
    /// <summary>The kind of a type that is one number to WebAssembly; null of other types.</summary>
    internal static ValKind? KindOf(Type type)
    {
        if (type.IsEnum) type = type.GetEnumUnderlyingType();
        if (type == typeof(int) || type == typeof(uint) || type == typeof(bool) || type == typeof(byte) || type == typeof(sbyte) || type == typeof(short)
            || type == typeof(ushort) || type == typeof(char)) return ValKind.I32;
        if (type == typeof(long) || type == typeof(ulong)) return ValKind.I64;
        if (type == typeof(float)) return ValKind.F32;
        if (type == typeof(double)) return ValKind.F64;
        if (type == typeof(System.Runtime.Intrinsics.Vector128<byte>)) return ValKind.V128;
        return null;
    }

    /// <summary>The type that the host sees of such a number.</summary>
    internal static Type HostTypeOf(Type type) => KindOf(type) switch
    {
        ValKind.I32 => typeof(int),
        ValKind.I64 => typeof(long),
        _ => type,
    };

    private static bool IsSame(Type one, Type other) => one == other || (KindOf(one) is { } kind && KindOf(other) == kind);

    /// <summary>A delegate as one of another type, whose numbers are of the same kinds.</summary>
    /// <returns>Null if there are other differences, or no code can be made.</returns>
    internal static Delegate? As(Delegate function, Type wanted)
    {
        if (!RuntimeCode.IsAvailable || wanted.GetMethod("Invoke") is not { } to) return null;
        MethodInfo from = function.GetType().GetMethod("Invoke")!;
        Type[] given = [.. to.GetParameters().Select(p => p.ParameterType)], taken = [.. from.GetParameters().Select(p => p.ParameterType)];
        if (given.Length != taken.Length || !IsSame(from.ReturnType, to.ReturnType)) return null;
        for (int i = 0; i < given.Length; i++)
            if (!IsSame(given[i], taken[i])) return null;
        DynamicMethod method = RuntimeCode.Method("wasm numbers", to.ReturnType, [typeof(object), .. given], typeof(NumberDelegates).Module);
        ILGenerator il = method.GetILGenerator();
        il.Emit(OpCodes.Ldarg_0);
        il.Emit(OpCodes.Castclass, function.GetType());
        for (int i = 0; i < given.Length; i++)
        {
            il.Emit(OpCodes.Ldarg, (short)(i + 1));
            if (given[i] != taken[i]) Narrow(il, taken[i]);
        }
        il.Emit(OpCodes.Callvirt, from);
        if (from.ReturnType != to.ReturnType) Narrow(il, to.ReturnType);
        il.Emit(OpCodes.Ret);
        return method.CreateDelegate(wanted, function);
    }

    /// <summary>A host function as one over the numbers that WebAssembly has; itself if it is one, or has what is none.</summary>
    internal static Delegate InHostForm(Delegate host)
    {
        MethodInfo invoke = host.GetType().GetMethod("Invoke")!;
        Type[] types = [.. invoke.GetParameters().Select(p => p.ParameterType), invoke.ReturnType];
        return types.All(t => HostTypeOf(t) == t) ? host : As(host, System.Linq.Expressions.Expression.GetDelegateType([.. types.Select(HostTypeOf)])) ?? host;
    }

    /// <summary>Makes a smaller number of the i32 on the stack.</summary>
    internal static void Narrow(ILGenerator il, Type type)
    {
        switch (Type.GetTypeCode(type))
        {
            case TypeCode.Boolean:
                il.Emit(OpCodes.Ldc_I4_0);
                il.Emit(OpCodes.Cgt_Un);
                break;
            case TypeCode.SByte: il.Emit(OpCodes.Conv_I1); break;
            case TypeCode.Byte: il.Emit(OpCodes.Conv_U1); break;
            case TypeCode.Int16: il.Emit(OpCodes.Conv_I2); break;
            case TypeCode.UInt16 or TypeCode.Char: il.Emit(OpCodes.Conv_U2); break;
        }
    }
}
