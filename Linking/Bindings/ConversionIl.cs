using System.Reflection.Emit;
using WasmJit.Generated;

namespace WasmJit.Linking;

/// <summary>IL between .NET's types and those that the host sees of functions. Numbers of one size are the same on the stack.</summary>
internal static class ConversionIl
{
    /// <summary>Makes the .NET value of the host's on the stack.</summary>
    internal static void FromHost(ILGenerator il, CrossingType type)
    {
        switch (type.Kind)
        {
            case Crossing.Value: Narrow(il, type.Type); break;
            case Crossing.Function when type.Type != typeof(Delegate): il.Emit(OpCodes.Call, Face.Method(nameof(Face.FunctionAs)).MakeGenericMethod(type.Type)); break;
            case Crossing.Object or Crossing.Text when type.Type != typeof(object): il.Emit(OpCodes.Castclass, type.Type); break;
        }
    }

    private static void Narrow(ILGenerator il, Type type)
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
