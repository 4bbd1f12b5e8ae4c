namespace WasmJit;

/// <summary>A place in the sources of a guest, as the debugging information (DWARF) in its module says.</summary>
/// <param name="Function">The function, demangled; null if it is not known.</param>
/// <param name="File">The file's path, as the compiler was given it; null if it is not known.</param>
/// <param name="Line">The line, from 1 on; 0 if it is not known.</param>
/// <param name="Column">The column, from 1 on; 0 if it is not known.</param>
public sealed record SourceLocation(string? Function, string? File, int Line, int Column)
{
    /// <summary>The place as <c>file:line:column</c>.</summary>
    public override string ToString() =>
        File is null ? Function ?? "?" : Line == 0 ? File : Column == 0 ? $"{File}:{Line}" : $"{File}:{Line}:{Column}";
}
