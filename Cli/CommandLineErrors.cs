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
            ArgumentResult { Tokens: [_, ..] } argument when argument.Argument.Description is { } words && words.Contains(" or ", StringComparison.Ordinal) && error.Message.StartsWith("Argument", StringComparison.Ordinal) =>
                $"{command.Name}: the value of {argument.Argument.Name} must be {words.TrimEnd('.')}",
            ArgumentResult argument when missing => $"{name} needs a {argument.Argument.Name}",
            CommandResult when missing && command.Arguments.Count > 0 => $"{name} needs a {command.Arguments[0].Name}",
            _ when missing => $"{name} needs a command",
            _ => error.Message,
        };
        return new ToolException(message, $"{name} --help");
    }

    internal static ToolException UnknownCommand(Command root, string word)
    {
        string? help = Nearest(word, root.Subcommands.Where(c => !c.Hidden).Select(c => c.Name)) is { } near ? $"did you mean wasmjit {near}?" : null;
        return new ToolException($"unknown command \"{word}\"", help ?? "wasmjit --help");
    }

    /// <summary>An unknown option is an error: a spelling mistake would go unnoticed otherwise.</summary>
    internal static ToolException UnknownOption(Command[] commands, string word, string help)
    {
        string? near = Nearest(word.Split('=')[0], commands.SelectMany(c => c.Options).Where(o => !o.Hidden).Select(o => o.Name));
        return new ToolException($"unknown option {word}", near is null ? help : $"did you mean {near}?");
    }

    /// <summary>The candidate with the smallest edit distance, if that is small, or one that begins so.</summary>
    internal static string? Nearest(string word, IEnumerable<string> words) =>
        words.Select(w => (Word: w, Distance: IsBeginning(word, w) ? 1 : Distance(word, w))).Where(c => c.Distance <= Math.Max(2, word.Length / 3))
            .OrderBy(c => c.Distance).Select(c => c.Word).FirstOrDefault();

    private static bool IsBeginning(string word, string of) => word.TrimStart('-').Length >= 3 && of.StartsWith(word, StringComparison.Ordinal);

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
