namespace WasmJit.Jit.Emit;

/// <summary>Which helper an operator has, by the size of the addresses of its memory or table.</summary>
internal static class AddressSize
{
    /// <summary>The helper for addresses of 32 or of 64 bits.</summary>
    internal static string Of(bool is64, string of32, string of64) => is64 ? of64 : of32;

    /// <summary>The helper that copies between two memories or tables, each of which has addresses of 32 or 64 bits.</summary>
    internal static string OfCopy(bool to64, bool from64, string of32, string of64, string from32To64, string from64To32) => (to64, from64) switch
    {
        (true, true) => of64,
        (false, false) => of32,
        (true, false) => from32To64,
        (false, true) => from64To32,
    };
}
