using System.Diagnostics.CodeAnalysis;

namespace WasmJit.Jit.Binary;

/// <summary>
/// Names as stack traces and methods have them. A module may call itself and its functions by names of many megabytes, and a trace repeats them for
/// each frame, so what is longer than names of programs are is cut.
/// </summary>
internal static class ShownNames
{
    /// <summary>The most characters of a module's name and of a function's. Linkers' names of C++ and Rust may have thousands.</summary>
    internal const int MostOfModule = 256, MostOfFunction = 4096;

    /// <summary>A character has at most so many bytes in UTF-8 for each of its units in UTF-16: what is read is enough to see that a name is too long.</summary>
    internal const int MostBytes = 3 * (MostOfFunction + 2);

    /// <summary>The name, or its beginning with an ellipsis.</summary>
    /// <param name="name">The name; null if there is none.</param>
    /// <param name="most">How many characters it may have.</param>
    [return: NotNullIfNotNull(nameof(name))]
    internal static string? Cut(string? name, int most)
    {
        if (name is null || name.Length <= most) return name;
        int end = most - 1;
        if (char.IsHighSurrogate(name[end - 1])) end--;
        return string.Concat(name.AsSpan(0, end), "\u2026");
    }
}
