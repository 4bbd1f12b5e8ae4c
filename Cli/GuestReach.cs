namespace WasmJit.Cli;

/// <summary>
/// What a guest can change through its directories. A guest that may write can also replace files by links, and the directories that lead to them. So the tool
/// loads no code from there, and writes nothing there once the guest has run.
/// </summary>
internal static class GuestReach
{
    private const string Remedy = "give the guest that directory with ::ro, or take another place";

    /// <summary>Refuses a path at which a guest could change what the tool takes for its own.</summary>
    /// <param name="given">The guest's directories.</param>
    /// <param name="path">A file or directory of the tool; "-" is a stream, and null is none.</param>
    /// <param name="what">What it is, for the message.</param>
    /// <exception cref="ToolException">A directory that the guest may write to has the path in it, or lies in it.</exception>
    internal static void Refuse(WasiDirectory[] given, string? path, string what)
    {
        if (path is null or "-" || Array.Find(given, d => !d.ReadOnly && Overlap(path, d.HostPath)) is not { } directory) return;
        throw new ToolException($"{path}: {what}, and the guest may write to {directory.HostPath}", Remedy);
    }

    /// <summary>Whether one path lies in the other, wherever links lead.</summary>
    internal static bool Overlap(string one, string other)
    {
        string first = RealPath(one), second = RealPath(other);
        return first.StartsWith(second, StringComparison.Ordinal) || second.StartsWith(first, StringComparison.Ordinal);
    }

    /// <summary>A path without links in it, and with a separator at its end.</summary>
    private static string RealPath(string path)
    {
        string real = Path.GetPathRoot(Path.GetFullPath(path))!;
        foreach (string part in Path.GetFullPath(path)[real.Length..].Split(Path.DirectorySeparatorChar, StringSplitOptions.RemoveEmptyEntries))
        {
            string next = Path.Combine(real, part);
            try
            {
                real = Path.GetFullPath(new DirectoryInfo(next).ResolveLinkTarget(returnFinalTarget: true)?.FullName ?? next);
            }
            catch (IOException)
            {
                real = next;
            }
        }
        return real.TrimEnd(Path.DirectorySeparatorChar) + Path.DirectorySeparatorChar;
    }
}
