using System.CommandLine;
using System.CommandLine.Invocation;

namespace WasmJit.Cli;

/// <summary>The tool <c>wasmjit</c>: its commands and how errors are reported.</summary>
internal static class Tool
{
    /// <summary>Success.</summary>
    internal const int Success = 0;

    /// <summary>A wrong file, module or command line, or a failed test.</summary>
    internal const int Failure = 1;

    /// <summary>The tool itself failed, which is its fault and not the guest's (EX_SOFTWARE of sysexits.h).</summary>
    internal const int Crashed = 70;

    /// <summary>The guest trapped. A shell reports the same for a process that aborts.</summary>
    internal const int Trapped = 134;

    private const string Completion = "completion";

    private const string Description = "Runs, validates and inspects WebAssembly modules.";

    private const string Details = """
        A module in a FILE has the binary format (.wasm) or the text format (.wat). The first bytes decide, not the name.
        "-" is the standard input. Assemblies that "compile" has saved are modules, too.

        To begin with, a module of three lines in a file add.wat:
          (module
            (func (export "add") (param i32 i32) (result i32)
              (i32.add (local.get 0) (local.get 1))))
        and a call of it:
          wasmjit run --invoke add add.wat 40 2

        Programs that compilers build for WASI (clang --target=wasm32-wasi, cargo build --target wasm32-wasip1,
        GOOS=wasip1 GOARCH=wasm go build) run as they are. They get only what the command line gives them:
          wasmjit run program.wasm one two            run a program with two arguments
          wasmjit tool.wasm --help                    "run" can be left out; everything behind FILE is for the guest
          wasmjit run --dir ./data::/data app.wasm    it sees the directory ./data as /data
          wasmjit run --timeout 10s app.wasm          stop it if it takes longer, and say where it was
          wasmjit compile app.wasm                    save it with its code; run app.dll runs it

        To look into modules:
          wasmjit inspect program.wasm                imports, exports and contents
          wasmjit validate *.wasm                     errors and their places
          wasmjit wasm2wat program.wasm               its text; wat2wasm makes a module of the text
          wasmjit disasm add.wat add                  WAT, IL and machine code of a function
          wasmjit explore app.wasm -o app.html        the same as a page, for all functions
          wasmjit profile app.wasm                    a run, and a profile of its functions

        "wasmjit COMMAND --help" or "wasmjit help COMMAND" tells more about each command. Options that are the same each time can
        stand in a configuration file: config.json in the folder wasmjit of the user's configuration (~/.config), or what
        WASMJIT_CONFIG names: { "run": { "timeout": "10m", "cache": true } }

        Exit codes: the program's own; 0 success, 1 an error or failed tests, 70 a fault of the tool itself, 124 the time is over,
        130 Ctrl-C, 134 the guest trapped, used up its fuel or did not catch an exception.
        """;

    /// <summary>Parses and runs a command line.</summary>
    /// <param name="args">The arguments, without the tool's name.</param>
    /// <param name="output">Where results go.</param>
    /// <param name="error">Where messages go.</param>
    /// <param name="configuration">The configuration file; empty for none.</param>
    /// <returns>The exit code.</returns>
    internal static int Run(string[] args, TextWriter output, TextWriter error, string configuration = "")
    {
        var terminal = new Terminal(output, error);
        try
        {
            if (configuration.Length == 0 && PlainRun.Of(args) is { } plain) return RunCommand.Run(terminal, plain);
            Configuration? options = configuration.Length == 0 ? null : Configuration.Read(configuration);
            // A configuration may name any command.
            ParseResult parsed = (options is null ? TryParse(terminal, args) : null) ?? Parse(Root(terminal, Commands), args, options);
            if (parsed.Action is ParseErrorAction) throw CommandLineErrors.Describe(parsed);
            return parsed.Invoke(new InvocationConfiguration
            {
                Output = output,
                Error = error,
                EnableDefaultExceptionHandler = false,
            });
        }
        catch (Exception e) when (Explain(e) is { } text)
        {
            terminal.Error(text, (e as ToolException)?.Help, (e as ToolException)?.Items ?? []);
            return Failure;
        }
        catch (TrapException trap)
        {
            terminal.Died("trap", trap.Message, trap.WasmStack);
            return Trapped;
        }
        catch (WasmException exception)
        {
            string values = string.Join(", ", exception.GetValues().Select(v => Arguments.Format(v)));
            terminal.Died("uncaught exception", $"tag {exception.Tag.Type}{(values.Length > 0 ? ": " + values : "")}", exception.WasmStack);
            return Trapped;
        }
        catch (Exception e)
        {
            terminal.Crashed(e);
            return Crashed;
        }
        finally
        {
            Flush(output);
        }
    }

    /// <summary>The reader has closed the output, and wants nothing more of it.</summary>
    private static void Flush(TextWriter output)
    {
        try
        {
            output.Flush();
        }
        catch (IOException)
        {
        }
    }

    /// <summary>All commands, in the order of the help.</summary>
    internal static string[] Commands { get; } =
    [
        RunCommand.Name, "serve", ProfileCommand.Name, "wast", "fuzz", "compile", "compose", "validate", "wat2wasm", "wasm2wat", "inspect", "disasm", "explore", Completion,
    ];

    private static ParseResult Parse(Command root, string[] args, Configuration? options) => root.Parse(CommandLine.Expand(root, args, options), CommandLine.Parser);

    /// <summary>Parses a command line with the commands that it needs; null if it is wrong, since messages may name all commands.</summary>
    private static ParseResult? TryParse(Terminal terminal, string[] args)
    {
        string[] needed = NeededFor(args);
        if (needed.Length == Commands.Length) return null;
        try
        {
            return Parse(Root(terminal, needed), args, null) is { Action: not ParseErrorAction } parsed ? parsed : null;
        }
        catch (ToolException)
        {
            return null;
        }
    }

    /// <summary>The commands that a command line may mean. Making all, with their options, takes longer than a small program runs.</summary>
    internal static string[] NeededFor(string[] args) => args switch
    {
        _ when Array.Exists(args, arg => arg is "--help" or "-h" or "-?" or "/h" or "/?" or "--version") => Commands,
        [Completion, ..] => Commands,
        // "profile" is "run" with other options, and what stands before a command may be options of "run".
        [var name, ..] when Array.IndexOf(Commands, name) >= 0 => name == RunCommand.Name ? [name] : [RunCommand.Name, name],
        [[not '-', ..] file, ..] when file != "help" && CommandLine.IsFile(file) => [RunCommand.Name],
        _ => Commands,
    };

    /// <summary>A root with some commands; with all, also what tells about them.</summary>
    internal static Command Root(Terminal terminal, string[] commands)
    {
        // A RootCommand would have the assembly's name.
        var root = new Command("wasmjit", Description);
        foreach (string name in commands) root.Add(Make(name, terminal, root));
        root.Add(EngineFlags.MemoryChecks);
        if (commands.Length < Commands.Length) return root;
        // Their descriptions are in the parser's resources, which take milliseconds to open.
        root.Add(Help.Option());
        root.Add(new VersionOption());
        Help.Describe(root, Details);
        return root;
    }

    private static Command Make(string name, Terminal terminal, Command root) => name switch
    {
        RunCommand.Name => RunCommand.Make(terminal),
        "serve" => ServeCommand.Make(terminal),
        ProfileCommand.Name => ProfileCommand.Make(),
        "wast" => WastCommand.Make(terminal),
        "fuzz" => FuzzCommand.Make(terminal),
        "compile" => CompileCommand.Make(terminal),
        "compose" => ComposeCommand.Make(terminal),
        "validate" => ValidateCommand.Make(terminal),
        "wat2wasm" => ConvertCommands.MakeToBinary(terminal),
        "wasm2wat" => ConvertCommands.MakeToText(terminal),
        "inspect" => InspectCommand.Make(terminal),
        "disasm" => DisasmCommand.Make(terminal),
        "explore" => ExploreCommand.Make(terminal),
        _ => CompletionCommand.Make(terminal, root),
    };

    /// <summary>The message for an exception that the user can act on; null for all others.</summary>
    private static string? Explain(Exception exception) => exception switch
    {
        ToolException e => e.Message,
        UnsupportedModuleException e => e.Message,
        MalformedModuleException e => $"malformed module: {e.Message}",
        InvalidModuleException e => $"invalid module: {e.Message}",
        LinkException e => e.Message,
        SavedModuleException e => e.Message,
        IOException e => e.Message,
        UnauthorizedAccessException e => e.Message,
        CompilationNotAllowedException e => e.Message,
        PlatformNotSupportedException e => e.Message,
        _ => null,
    };
}

/// <summary>An error that the user can correct.</summary>
/// <param name="message">What is wrong.</param>
/// <param name="help">A hint.</param>
internal sealed class ToolException(string message, string? help = null) : Exception(message)
{
    /// <summary>A hint.</summary>
    internal string? Help => help;

    /// <summary>Lines below the message.</summary>
    internal IReadOnlyList<string> Items { get; init; } = [];
}
