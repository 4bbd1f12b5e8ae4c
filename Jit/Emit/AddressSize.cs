using System.Collections.Concurrent;
using System.Reflection;

namespace WasmJit.Jit.Emit;

/// <summary>
/// Addresses and counts have 32 or 64 bits, as the type of the memory or table says. A helper serves both: it takes and gives 64 bits, and the emitter
/// widens what the operand stack has.
/// </summary>
internal static class AddressSize
{
    private static readonly ConcurrentDictionary<MethodInfo, uint> Known = new();

    /// <summary>Which parameters of a helper are addresses or counts: bits, that of the first parameter first.</summary>
    internal static uint WideParameters(MethodInfo helper) => Known.GetOrAdd(
        helper,
        static method =>
        {
            ParameterInfo[] parameters = method.GetParameters();
            uint wide = 0;
            for (int i = 0; i < parameters.Length; i++)
                if (parameters[i].ParameterType == typeof(ulong)) wide |= 1u << i;
            return wide;
        });
}
