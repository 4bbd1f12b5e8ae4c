namespace WasmJit.Runtime;

/// <summary>
/// Makes names that people write of those that linkers see: of Rust (both schemes) and C++ (the Itanium scheme). Names are a guest's: one that cannot
/// be read, or would become very long, stays as it is.
/// </summary>
internal static class Demangler
{
    /// <summary>The longest name that is read, and the longest that is made.</summary>
    internal const int MaxLength = 4096, MaxResult = 1024;

    /// <summary>The name as people write it; the name itself if it is not mangled.</summary>
    internal static string Demangle(string name)
    {
        if (name.Length is < 4 or > MaxLength) return name;
        if (!(name.StartsWith("_R", StringComparison.Ordinal) || name.StartsWith("_Z", StringComparison.Ordinal) || name.StartsWith("__Z", StringComparison.Ordinal))) return name;
        return (name[1] == 'R' ? RustSymbol.Demangle(name) : LegacyRustSymbol.Demangle(name) ?? ItaniumSymbol.Demangle(name)) ?? name;
    }
}

/// <summary>A name that is not what its scheme says.</summary>
internal sealed class MangledNameException : Exception;
