namespace WasmJit.Cli;

/// <summary>
/// A command line that names a FILE, the guest's arguments and perhaps directories, as most do. It is understood without the parser of command lines, whose options take longer to make than
/// a small program runs. All that could mean anything else is left to the parser.
/// </summary>
/// <param name="File">The FILE.</param>
/// <param name="Directories">The values of <c>--dir</c>.</param>
/// <param name="Arguments">The guest's arguments.</param>
internal sealed record PlainRun(string File, string[] Directories, string[] Arguments)
{
    private const string Directory = "--dir";

    /// <summary>Understands a command line; null if it is not so plain, or wrong.</summary>
    internal static PlainRun? Of(string[] args)
    {
        if (args.Length == 0) return null;
        int at = 0;
        var directories = new List<string>(1);
        if (args[0] == RunCommand.Name)
        {
            for (at = 1; at + 1 < args.Length && args[at] == Directory; at += 2)
            {
                if (!IsWord(args[at + 1])) return null;
                directories.Add(args[at + 1]);
            }
        }
        else if (args[0] == "help" || Array.IndexOf(Tool.Commands, args[0]) >= 0 || !IsWord(args[0]) || !CommandLine.IsFile(args[0]))
        {
            return null;
        }
        if (at == args.Length || !IsWord(args[at])) return null;
        string file = args[at++];
        // A first "--" behind the FILE is not the guest's.
        if (at < args.Length && args[at] == "--") at++;
        // Behind a library there may be options of the tool.
        if (at < args.Length && args[at].StartsWith("--", StringComparison.Ordinal)) return null;
        return new PlainRun(file, [.. directories], args[at..]);
    }

    /// <summary>Whether an argument can be nothing but a file or directory.</summary>
    private static bool IsWord(string text) => text.Length > 0 && text[0] != '-';
}
