using System.CommandLine;
using System.CommandLine.Invocation;
using System.CommandLine.Parsing;

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

        Examples:
          wasmjit run program.wasm one two            run a program with two arguments
          wasmjit run tool.wasm -- --help             what follows "--" is the guest's, options too
          wasmjit run math.wat --invoke add 2 -3      call an export; results go to the standard output
          wasmjit compile program.wasm                save it with its code; run program.dll runs it
          wasmjit inspect program.wasm                what it needs and what it offers
          wasmjit disasm math.wat add                 WAT, IL and machine code of a function
          wasmjit wast testsuite/*.wast               scripts of the official test suite

        "wasmjit COMMAND --help" tells more about each command.

        Exit codes: 0 success, 1 an error or failed tests, 134 the guest trapped; a program that exits decides itself.
        """;

    /// <summary>Parses and runs a command line.</summary>
    /// <param name="args">The arguments, without the tool's name.</param>
    /// <param name="output">Where results go.</param>
    /// <param name="error">Where messages go.</param>
    /// <returns>The exit code.</returns>
    internal static int Run(string[] args, TextWriter output, TextWriter error)
    {
        var terminal = new Terminal(output, error);
        ParseResult parsed = Root(terminal).Parse(args.Length == 0 ? ["--help"] : args);
        if (parsed.Action is ParseErrorAction)
        {
            foreach (ParseError problem in parsed.Errors) terminal.Error(problem.Message);
            string command = parsed.CommandResult.Command.Name;
            error.WriteLine($"Try: wasmjit {(command == "wasmjit" ? "" : command + " ")}--help");
            return Failure;
        }
        try
        {
            return parsed.Invoke(new InvocationConfiguration
            {
                Output = output,
                Error = error,
                EnableDefaultExceptionHandler = false,
            });
        }
        catch (Exception e) when (Explain(e) is { } text)
        {
            terminal.Error(text);
            return Failure;
        }
        catch (TrapException trap)
        {
            terminal.Trap(trap);
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
        _ => null,
    };
}

/// <summary>A message for the user: the command cannot be done as it was given.</summary>
internal sealed class ToolException(string message) : Exception(message);
