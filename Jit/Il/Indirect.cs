using System.Reflection.Emit;

namespace WasmJit.Jit.Il;

/// <summary>The instructions that load and store a value of a type by its address.</summary>
internal static class Indirect
{
    /// <summary>The instruction that loads; null if it must name the type (<c>ldobj</c>).</summary>
    internal static OpCode? LoadOf(Type type)
    {
        if (!type.IsValueType) return OpCodes.Ldind_Ref;
        if (type == typeof(nint)) return OpCodes.Ldind_I;
        return Type.GetTypeCode(type) switch
        {
            TypeCode.Byte => OpCodes.Ldind_U1,
            TypeCode.UInt16 => OpCodes.Ldind_U2,
            TypeCode.Int32 => OpCodes.Ldind_I4,
            TypeCode.Int64 => OpCodes.Ldind_I8,
            TypeCode.Single => OpCodes.Ldind_R4,
            TypeCode.Double => OpCodes.Ldind_R8,
            _ => null,
        };
    }

    /// <summary>The instruction that stores; null if it must name the type (<c>stobj</c>).</summary>
    internal static OpCode? StoreOf(Type type)
    {
        if (!type.IsValueType) return OpCodes.Stind_Ref;
        if (type == typeof(nint)) return OpCodes.Stind_I;
        return Type.GetTypeCode(type) switch
        {
            TypeCode.Byte => OpCodes.Stind_I1,
            TypeCode.UInt16 => OpCodes.Stind_I2,
            TypeCode.Int32 => OpCodes.Stind_I4,
            TypeCode.Int64 => OpCodes.Stind_I8,
            TypeCode.Single => OpCodes.Stind_R4,
            TypeCode.Double => OpCodes.Stind_R8,
            _ => null,
        };
    }

    /// <summary>Loads a value whose address is on the stack.</summary>
    internal static void WriteLoad(ILGenerator il, Type type)
    {
        if (LoadOf(type) is { } code) il.Emit(code);
        else il.Emit(OpCodes.Ldobj, type);
    }

    /// <summary>Stores a value to the address below it on the stack.</summary>
    internal static void WriteStore(ILGenerator il, Type type)
    {
        if (StoreOf(type) is { } code) il.Emit(code);
        else il.Emit(OpCodes.Stobj, type);
    }
}
