using System.CommandLine;
using System.Text.Json;

namespace WasmJit.Cli;

/// <summary>
/// The configuration file: options that need not be given each time, as JSON with comments. A member is an option without its
/// dashes, or the name of a command with the options of that alone. What the command line gives goes before.
/// </summary>
internal sealed class Configuration
{
    private const int LargestFile = 256 << 10;

    private readonly string path;
    private readonly JsonElement content;

    private Configuration(string path, JsonElement content)
    {
        this.path = path;
        this.content = content;
    }

    /// <summary>Reads a file.</summary>
    /// <param name="path">The file; empty for none.</param>
    /// <exception cref="ToolException">It cannot be read, or is not an object in JSON.</exception>
    internal static Configuration? Read(string path)
    {
        if (path.Length == 0) return null;
        try
        {
            using FileStream file = File.OpenRead(path);
            byte[] text = new byte[LargestFile + 1];
            int length = file.ReadAtLeast(text, text.Length, throwOnEndOfStream: false);
            if (length > LargestFile) throw new ToolException($"{path}: the configuration is larger than {LargestFile >> 10} KB");
            // Editors put a mark before it that says how it is encoded.
            int start = text.AsSpan().StartsWith("\ufeff"u8) ? 3 : 0;
            using JsonDocument document = JsonDocument.Parse(text.AsMemory(start, length - start), new JsonDocumentOptions
            {
                CommentHandling = JsonCommentHandling.Skip,
                AllowTrailingCommas = true,
            });
            if (document.RootElement.ValueKind != JsonValueKind.Object) throw new ToolException($"{path}: the configuration must be an object");
            return new Configuration(path, document.RootElement.Clone());
        }
        catch (JsonException e)
        {
            throw new ToolException($"{path}:{e.LineNumber + 1}:{e.BytePositionInLine + 1}: the configuration is not valid JSON");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ToolException($"the configuration cannot be read: {e.Message}");
        }
    }

    /// <summary>The options of a command.</summary>
    /// <param name="root">All commands.</param>
    /// <param name="command">The command.</param>
    /// <param name="given">The options on the command line: of those that have one value, only that counts.</param>
    /// <exception cref="ToolException">The file names something unknown, or has a value of another kind.</exception>
    internal string[] OptionsOf(Command root, Command command, IReadOnlyCollection<Option> given)
    {
        var options = new List<string>();
        foreach (JsonProperty member in content.EnumerateObject())
        {
            if (member.Value.ValueKind == JsonValueKind.Object)
            {
                if (root.Subcommands.FirstOrDefault(c => c.Name == member.Name) is not { } section) throw Unknown(member.Name, "command", root.Subcommands.Select(c => c.Name));
                foreach (JsonProperty item in member.Value.EnumerateObject())
                {
                    Option option = Find([section, root], item.Name);
                    if (section == command) Add(options, option, item.Value, given);
                }
                continue;
            }
            // An option that only other commands have says nothing to this one.
            Option named = Find([command, root, .. root.Subcommands], member.Name);
            if (command.Options.Contains(named) || root.Options.Contains(named)) Add(options, named, member.Value, given);
        }
        return [.. options];
    }

    private Option Find(IEnumerable<Command> commands, string name)
    {
        Option[] all = [.. commands.SelectMany(c => c.Options).Where(o => !o.Hidden)];
        return all.FirstOrDefault(o => o.Name == "--" + name) ?? throw Unknown(name, "option", all.Select(o => o.Name.TrimStart('-')));
    }

    private void Add(List<string> options, Option option, JsonElement value, IReadOnlyCollection<Option> given)
    {
        bool isList = option.Arity.MaximumNumberOfValues > 1;
        if (given.Contains(option) && !isList) return;
        if (!CommandLine.TakesValue(option))
        {
            if (value.ValueKind is not (JsonValueKind.True or JsonValueKind.False)) throw Wrong(option, "true or false");
            if (value.GetBoolean()) options.Add(option.Name);
            return;
        }
        JsonElement[] items = value.ValueKind == JsonValueKind.Array && isList ? [.. value.EnumerateArray()] : [value];
        foreach (JsonElement item in items)
        {
            // No command line can have the character zero, and no path.
            if (item.ValueKind is not (JsonValueKind.String or JsonValueKind.Number) || item.ToString().Contains('\0', StringComparison.Ordinal)) throw Wrong(option, isList ? "a text, a number or a list of them" : "a text or a number");
            options.Add($"{option.Name}={item}");
        }
    }

    private ToolException Wrong(Option option, string kind) => new($"{path}: {option.Name.TrimStart('-')} must be {kind}");

    private ToolException Unknown(string name, string what, IEnumerable<string> known) =>
        new($"{path}: unknown {what} \"{name}\"", CommandLineErrors.Nearest(name, known) is { } near ? $"did you mean {near}?" : null);
}
