using System.Reflection;
using System.Reflection.Emit;
using WasmJit.Generated;
using WasmJit.Jit.Calls;

namespace WasmJit.Linking;

/// <summary>IL between .NET's types and those that the host sees of functions. Numbers of one size are the same on the stack.</summary>
internal static class ConversionIl
{
    /// <summary>Makes the .NET value of the host's on the stack.</summary>
    internal static void FromHost(ILGenerator il, CrossingType type)
    {
        switch (type.Kind)
        {
            case Crossing.Value: NumberDelegates.Narrow(il, type.Type); break;
            case Crossing.Function when type.Type != typeof(Delegate): il.Emit(OpCodes.Call, Face.Method(nameof(Face.FunctionAs)).MakeGenericMethod(type.Type)); break;
            case Crossing.Object or Crossing.Text when type.Type != typeof(object): il.Emit(OpCodes.Call, typeof(GuestData).GetMethod(nameof(GuestData.ReferenceAs), BindingFlags.Static | BindingFlags.NonPublic)!.MakeGenericMethod(type.Type)); break;
        }
    }
}
