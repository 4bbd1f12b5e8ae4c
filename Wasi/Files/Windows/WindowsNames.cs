using System.Buffers;

namespace WasmJit.Wasi;

/// <summary>Names as Windows takes them.</summary>
internal static class WindowsNames
{
    private static readonly string[] Devices = ["CON", "PRN", "AUX", "NUL", "CLOCK$", "CONIN$", "CONOUT$"];
    private static readonly SearchValues<char> Forbidden = SearchValues.Create("<>|?*\"");

    /// <summary>Refuses names that mean more than an entry: separators, drives, streams, devices, and changed names.</summary>
    internal static void Check(string name)
    {
        if (name.Contains('\\') || name.Contains(':')) throw new WasiError(Errno.Notcapable);
        if (name.AsSpan().ContainsAny(Forbidden) || name.Any(c => c < ' ')) throw new WasiError(Errno.Inval);
        // Windows drops them: "..." or ".. " would be another name than the one that was checked.
        if (name[^1] is '.' or ' ') throw new WasiError(Errno.Inval);
        string stem = name.Split('.')[0].TrimEnd().ToUpperInvariant();
        if (Devices.Contains(stem) || (stem.Length == 4 && stem[..3] is "COM" or "LPT" && IsDigit(stem[3])))
            throw new WasiError(Errno.Notcapable);
    }

    /// <summary>Superscript digits count too.</summary>
    private static bool IsDigit(char c) => c is >= '0' and <= '9' or '\u00b9' or '\u00b2' or '\u00b3';
}
