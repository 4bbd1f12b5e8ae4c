using System.CommandLine;
using System.CommandLine.Parsing;

namespace WasmJit.Cli;

/// <summary>
/// What the tool makes of its arguments before they are parsed: "wasmjit FILE" runs it, everything behind the FILE of "run" is the
/// guest's, "help COMMAND" is "COMMAND --help", and options of the configuration file come before those that were given.
/// </summary>
internal sealed class CommandLine
{
    private readonly Command root;
    private readonly string[] args;
    private readonly Configuration? configuration;

    private CommandLine(Command root, string[] args, Configuration? configuration)
    {
        this.root = root;
        this.args = args;
        this.configuration = configuration;
    }

    /// <summary>Returns the arguments as the parser is to see them.</summary>
    /// <param name="root">The commands.</param>
    /// <param name="args">The arguments.</param>
    /// <param name="configuration">The configuration file; null if there is none.</param>
    /// <exception cref="ToolException">There is an unknown command or option.</exception>
    internal static string[] Expand(Command root, string[] args, Configuration? configuration) => args switch
    {
        [] or ["help"] => ["--help"],
        ["help", var word, ..] => root.Subcommands.Any(c => c.Name == word) ? [word, "--help"] : throw CommandLineErrors.UnknownCommand(root, word),
        [ProfileCommand.Name, var first, ..] when first != "--help" => Expand(root, new CommandLine(root, args, configuration).ExpandProfile(), configuration),
        _ => new CommandLine(root, args, configuration).Expand(),
    };

    private Command Run => root.Subcommands.Single(c => c.Name == RunCommand.Name);

    private string[] Expand()
    {
        // The options of "run" may stand before a FILE without that word.
        var before = new List<Option>();
        int at = Skip(0, [root, Run], before, "wasmjit --help");
        string? word = at < args.Length ? args[at] : null;
        if (word is null) return before.All(root.Options.Contains) ? args : Complete(Run, [], 0, before);
        if (root.Subcommands.FirstOrDefault(c => c.Name == word) is { } command)
        {
            if (before.FirstOrDefault(o => !root.Options.Contains(o)) is { } early)
                throw new ToolException($"{early.Name} stands before the command", $"wasmjit {word} {early.Name} ...");
            return Complete(command, args[..at], at + 1, before);
        }
        return word == "--" || IsFile(word) ? Complete(Run, [], 0, before) : throw CommandLineErrors.UnknownCommand(root, word);
    }

    /// <summary>"profile" is "run --profile". Its own options may stand anywhere before the FILE.</summary>
    private string[] ExpandProfile()
    {
        Command[] commands = [root, Run, root.Subcommands.Single(c => c.Name == ProfileCommand.Name)];
        int end = Skip(1, commands, [], $"wasmjit {ProfileCommand.Name} --help");
        return ProfileCommand.Expand(args[1..end], args[end..]);
    }

    /// <summary>Whether a word in the place of a command is a file to run.</summary>
    internal static bool IsFile(string word) =>
        word == "-" || word.AsSpan().ContainsAny('/', Path.DirectorySeparatorChar) || File.Exists(word) || Path.GetExtension(word) is ".wasm" or ".wat" or ".dll";

    /// <summary>The arguments of a command with the options of the configuration file.</summary>
    /// <param name="command">The command.</param>
    /// <param name="head">What stands before its name.</param>
    /// <param name="start">The first argument behind its name.</param>
    /// <param name="given">The options that were given so far.</param>
    private string[] Complete(Command command, string[] head, int start, List<Option> given)
    {
        int end = start;
        while (true)
        {
            end = Skip(end, [root, command], given, $"wasmjit {command.Name} --help");
            if (end >= args.Length || args[end] == "--" || command.Name == RunCommand.Name) break;
            end++;
        }
        string[] settings = configuration?.OptionsOf(root, command, given) ?? [];
        string[] tail = args[end..];
        if (command.Name == RunCommand.Name && tail.Length > 0)
        {
            // Arguments behind the FILE are the guest's. A first "--" is allowed there, since some users are used to it.
            if (tail[0] == "--") tail = tail[1..];
            else if (tail is [var file, "--", .. var rest]) tail = [file, .. rest];
            tail = ["--", .. tail];
        }
        return [.. head, command.Name, .. settings, .. args[start..end], .. tail];
    }

    /// <summary>Steps over options with their values, to the first argument that is not an option.</summary>
    /// <exception cref="ToolException">An option is unknown.</exception>
    private int Skip(int at, Command[] commands, List<Option> given, string help)
    {
        for (; at < args.Length; at++)
        {
            string word = args[at];
            if (word.Length < 2 || word[0] != '-' || word == "--") break;
            string name = word.Split('=', ':')[0];
            Option? option = Find(commands, name) ?? (word[1] == '-' ? null : Find(commands, word[..2]));
            if (option is null) throw CommandLineErrors.UnknownOption(commands, word, help);
            given.Add(option);
            // A value stands in the same word, or is the next one.
            if (TakesValue(option) && name == word && option.Aliases.Append(option.Name).Contains(word)) at++;
        }
        return Math.Min(at, args.Length);
    }

    /// <summary>Whether the guest's arguments begin with what would be an option of the tool before the FILE.</summary>
    internal static bool BeginWithOption(ParseResult parsed, string[] arguments) => arguments.Length > 0 && FindOwn(CommandsOf(parsed), arguments[0]) is not null;

    private static Command[] CommandsOf(ParseResult parsed) => [parsed.CommandResult.Command, .. parsed.CommandResult.Command.Parents.OfType<Command>()];

    private static Option? FindOwn(Command[] commands, string word) => word.StartsWith("--", StringComparison.Ordinal)
        && Find(commands, word.Split('=')[0]) is { Name: not ("--help" or "--version") } found ? found : null;

    /// <summary>The command line with the options behind the FILE, which is a library, before it.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="arguments">What stands behind the FILE.</param>
    internal static ParseResult WithOptionsBehind(ParseResult parsed, string[] arguments)
    {
        Command[] commands = CommandsOf(parsed);
        List<string> options = [.. parsed.Tokens.TakeWhile(t => t.Type != TokenType.DoubleDash).Select(t => t.Value)], rest = [];
        for (int i = 0; i < arguments.Length; i++)
        {
            string word = arguments[i];
            if (word == "--")
            {
                rest.AddRange(arguments[(i + 1)..]);
                break;
            }
            if (FindOwn(commands, word) is not { } option)
            {
                // Numbers may be negative; an unknown option is a spelling mistake.
                if (word.StartsWith("--", StringComparison.Ordinal)) throw CommandLineErrors.UnknownOption(commands, word, $"wasmjit {commands[0].Name} --help");
                rest.Add(word);
                continue;
            }
            options.Add(word);
            if (TakesValue(option) && option.Name == word && i + 1 < arguments.Length) options.Add(arguments[++i]);
        }
        string file = parsed.Tokens.SkipWhile(t => t.Type != TokenType.DoubleDash).Skip(1).First().Value;
        return commands[^1].Parse([.. options, "--", file, .. rest], Parser);
    }

    /// <summary>"@file" is an argument of the guest: the content of a file must not become options of the tool.</summary>
    internal static ParserConfiguration Parser { get; } = new() { ResponseFileTokenReplacer = null };

    /// <summary>Whether an option has a value that cannot be left out.</summary>
    internal static bool TakesValue(Option option) => option.Arity.MinimumNumberOfValues > 0;

    private static Option? Find(Command[] commands, string name) =>
        commands.SelectMany(c => c.Options).FirstOrDefault(o => o.Name == name || o.Aliases.Contains(name));
}
