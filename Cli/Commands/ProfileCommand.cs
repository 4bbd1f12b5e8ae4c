using System.CommandLine;

namespace WasmJit.Cli;

/// <summary><c>wasmjit profile</c>: a run with <c>--profile</c>. The command line is turned into that one before it is parsed; this has the help.</summary>
internal static class ProfileCommand
{
    internal const string Name = "profile";

    private const string DefaultFile = "profile.speedscope.json";

    internal static Command Make()
    {
        var output = new Option<string>("--output", "-o") { Description = $"The file that is written; {DefaultFile} if this is not given.", HelpName = "FILE" };
        var file = new Argument<string>("FILE") { Description = "The program, and behind it its arguments." };
        var command = new Command(Name, "Runs a program and writes a sampled profile of its functions.") { output, file };
        Help.Describe(command, """
            The same as "run --profile FILE", with the options of run behind --output. The file has two profiles, of time and of
            instructions; www.speedscope.app opens it. Stacks are taken where functions and iterations begin, after each so many
            units of work (--sample-every), so that they are the same in each run.
            """);
        return command;
    }

    /// <summary>The command line of the run.</summary>
    internal static string[] Expand(string[] args) => args switch
    {
        [_, "-o" or "--output", var file, .. var rest] => [RunCommand.Name, "--profile", file, .. rest],
        [_, .. var rest] => [RunCommand.Name, "--profile", DefaultFile, .. rest],
        _ => args,
    };
}
