namespace WasmJit.Jit.Format;

/// <summary>
/// The limits of this implementation that the format itself does not have: those of the JavaScript API, where more would cost out of proportion to
/// the bytes. A module beyond them is <see cref="UnsupportedModuleException"/>. All other numbers are limited by memory alone.
/// </summary>
internal static class Limits
{
    internal const int Parameters = 1000;
    internal const int Results = 1000;
    internal const int Fields = 10_000;

    /// <summary>Super types above a type.</summary>
    internal const int SubtypeDepth = 63;

    /// <summary>The locals of a function, parameters included; more are malformed, as the official suite wants it.</summary>
    internal const int Locals = 50_000;

    /// <exception cref="UnsupportedModuleException">There are more than the limit.</exception>
    internal static void Check(long count, int limit, string what, int at)
    {
        if (count > limit) throw new UnsupportedModuleException($"more than {limit:N0} {what}", at);
    }
}
