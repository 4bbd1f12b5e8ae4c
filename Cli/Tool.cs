using System.CommandLine;
using System.CommandLine.Invocation;

namespace WasmJit.Cli;

/// <summary>The tool <c>wasmjit</c>: its commands, and what becomes of their errors.</summary>
internal static class Tool
{
    /// <summary>Everything went well.</summary>
    internal const int Success = 0;

    /// <summary>A file, a module or a command line that is not right; or a test that failed.</summary>
    internal const int Failure = 1;

    /// <summary>The guest trapped: what a shell reports for a process that aborts.</summary>
    internal const int Trapped = 134;

    private const string Description = "Runs, checks and takes apart WebAssembly modules.";

    private const string Details = """
        Wherever a FILE is a module it may be in the binary format (.wasm) or the text format (.wat); the first bytes
        decide, not the name. "-" is the standard input. "run" takes what "compile" has saved, too.

        To begin with, a module of three lines in a file add.wat:
          (module
            (func (export "add") (param i32 i32) (result i32)
              (i32.add (local.get 0) (local.get 1))))
        and a call of it:
          wasmjit run add.wat --invoke add 40 2

        Programs that compilers build for WASI (clang --target=wasm32-wasi, cargo build --target wasm32-wasip1,
        GOOS=wasip1 GOARCH=wasm go build) run as they are; they get what the command line gives them and nothing else:
          wasmjit run program.wasm one two            run a program with two arguments
          wasmjit run tool.wasm -- --help             what follows "--" is the guest's, options too
          wasmjit run --dir ./data::/data app.wasm    it finds the directory ./data as /data
          wasmjit run --timeout 10s app.wasm          stop it if it takes longer, and say where it was
          wasmjit compile app.wasm                    save it with its code; run app.dll runs it

        To look into modules:
          wasmjit inspect program.wasm                what it needs and what it offers
          wasmjit validate *.wasm                     what is wrong, and where
          wasmjit wasm2wat program.wasm               its text; wat2wasm makes a module of it again
          wasmjit disasm add.wat add                  WAT, IL and machine code of a function

        "wasmjit COMMAND --help" tells more about each command.

        Exit codes: what the program gave to exit; 0 success, 1 an error or failed tests, 124 the time is over,
        130 Ctrl-C, 134 the guest trapped, used up its fuel or let an exception escape.
        """;

    /// <summary>Parses and runs a command line.</summary>
    /// <param name="args">The arguments, without the tool's name.</param>
    /// <param name="output">Where results go.</param>
    /// <param name="error">Where messages go.</param>
    /// <returns>The exit code.</returns>
    internal static int Run(string[] args, TextWriter output, TextWriter error)
    {
        var terminal = new Terminal(output, error);
        ParseResult parsed = Root(terminal).Parse(args.Length == 0 ? ["--help"] : args, new ParserConfiguration
        {
            // An argument is what it is: "@file" is the guest's, and no file's content becomes options of the tool.
            ResponseFileTokenReplacer = null,
        });
        try
        {
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
            string values = string.Join(", ", exception.GetValues().Select(Arguments.Format));
            terminal.Died("uncaught exception", $"tag {exception.Tag.Type}{(values.Length > 0 ? ": " + values : "")}", exception.WasmStack);
            return Trapped;
        }
        finally
        {
            output.Flush();
        }
    }

    private static Command Root(Terminal terminal)
    {
        // Not a RootCommand: that one is called by the name of the assembly.
        var root = new Command("wasmjit", Description)
        {
            RunCommand.Make(terminal),
            WastCommand.Make(terminal),
            FuzzCommand.Make(terminal),
            CompileCommand.Make(terminal),
            ValidateCommand.Make(terminal),
            ConvertCommands.MakeToBinary(terminal),
            ConvertCommands.MakeToText(terminal),
            InspectCommand.Make(terminal),
            DisasmCommand.Make(terminal),
        };
        root.Add(EngineFlags.MemoryChecks);
        root.Add(Help.Option());
        root.Add(new VersionOption());
        Help.Describe(root, Details);
        return root;
    }

    /// <summary>What to tell about an exception that the user can do something about; null for all others.</summary>
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
        _ => null,
    };
}

/// <summary>A message for the user: the command cannot be done as it was given.</summary>
/// <param name="message">What is wrong.</param>
/// <param name="help">What to do about it.</param>
internal sealed class ToolException(string message, string? help = null) : Exception(message)
{
    /// <summary>What to do about it.</summary>
    internal string? Help => help;

    /// <summary>What the message ends with, a line each.</summary>
    internal IReadOnlyList<string> Items { get; init; } = [];
}
