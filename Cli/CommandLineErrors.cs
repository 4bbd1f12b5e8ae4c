using System.CommandLine;
using System.CommandLine.Parsing;

namespace WasmJit.Cli;

/// <summary>Messages about a wrong command line.</summary>
internal static class CommandLineErrors
{
    /// <summary>Describes the first error. Others may follow from it.</summary>
    internal static ToolException Describe(ParseResult parsed)
    {
        Command command = parsed.CommandResult.Command;
        bool isRoot = !command.Parents.Any();
        if (isRoot && parsed.UnmatchedTokens is [string word, ..])
            return word.StartsWith('-') ? new ToolException($"unknown option {word}", "wasmjit --help") : UnknownCommand(command, word);
        string name = isRoot ? command.Name : $"wasmjit {command.Name}";
        ParseError error = parsed.Errors[0];
        bool missing = error.Message.StartsWith("Required", StringComparison.Ordinal);
        string message = error.SymbolResult switch
        {
            OptionResult option when missing => $"{option.Option.Name} needs a value: {option.Option.HelpName}",
            OptionResult { Tokens: [Token given, ..] } option when option.Option.HelpName is { } values && values.Contains('|') =>
                $"{option.Option.Name} {given.Value}: the value must be {values.Replace("|", " or ", StringComparison.Ordinal)}",
            ArgumentResult argument when missing => $"{name} needs a {argument.Argument.Name}",
            CommandResult when missing && command.Arguments.Count > 0 => $"{name} needs a {command.Arguments[0].Name}",
            _ when missing => $"{name} needs a command",
            _ => error.Message,
        };
        return new ToolException(message, $"{name} --help");
    }

    private static ToolException UnknownCommand(Command root, string word)
    {
        string? help = File.Exists(word) ? $"to run a program: wasmjit run {word}"
            : Nearest(word, root.Subcommands.Where(c => !c.Hidden).Select(c => c.Name)) is { } near ? $"did you mean wasmjit {near}?"
            : null;
        return new ToolException($"unknown command \"{word}\"", help ?? "wasmjit --help");
    }

    /// <summary>The option that was probably meant.</summary>
    internal static string? NearestOption(Command command, string word) =>
        Nearest(word.Split('=')[0], command.Options.Where(o => !o.Hidden).Select(o => o.Name));

    /// <summary>The candidate with the smallest edit distance, if that is small.</summary>
    private static string? Nearest(string word, IEnumerable<string> words) =>
        words.Select(w => (Word: w, Distance: Distance(word, w))).Where(c => c.Distance <= Math.Max(2, word.Length / 3))
            .OrderBy(c => c.Distance).Select(c => c.Word).FirstOrDefault();

    /// <summary>The edit distance: how many characters must be changed, inserted or deleted.</summary>
    private static int Distance(string from, string to)
    {
        int[] row = [.. Enumerable.Range(0, to.Length + 1)];
        for (int i = 1; i <= from.Length; i++)
        {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= to.Length; j++)
            {
                int above = row[j];
                row[j] = Math.Min(Math.Min(row[j], row[j - 1]) + 1, diagonal + (from[i - 1] == to[j - 1] ? 0 : 1));
                diagonal = above;
            }
        }
        return row[^1];
    }
}
