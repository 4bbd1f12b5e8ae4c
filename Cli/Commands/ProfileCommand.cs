using System.CommandLine;

namespace WasmJit.Cli;

/// <summary><c>wasmjit profile</c>: a run with <c>--profile</c>. The command line is turned into that one before it is parsed; this has the help.</summary>
internal static class ProfileCommand
{
    internal const string Name = "profile";

    private const string DefaultFile = "profile.speedscope.json";

    internal static Command Make()
    {
        var output = new Option<string>("--output", "-o") { Description = $"The file that is written; {DefaultFile} if this is not given, - for the standard output, behind what the program writes.", HelpName = "FILE" };
        var file = new Argument<string>("FILE") { Description = "The program, and behind it its arguments." };
        var command = new Command(Name, "Runs a program and writes a sampled profile of its functions.") { output, file };
        Help.Describe(command, """
            The same as "run --profile FILE", with the options of run. The file has two profiles, of time and of
            instructions; www.speedscope.app opens it. Stacks are taken where functions and iterations begin, after each so many
            units of work (--sample-every), so that they are the same in each run.
            """);
        return command;
    }

    /// <summary>The command line of the run.</summary>
    /// <param name="options">What stands between the command and its FILE.</param>
    /// <param name="rest">The FILE, and what is behind it.</param>
    internal static string[] Expand(string[] options, string[] rest)
    {
        string file = DefaultFile;
        var others = new List<string>();
        for (int i = 0; i < options.Length; i++)
        {
            string[] parts = options[i].Split(['=', ':'], 2);
            if (parts[0] is not ("-o" or "--output")) others.Add(options[i]);
            else if (parts.Length == 2) file = parts[1];
            else if (i + 1 < options.Length) file = options[++i];
            else throw new ToolException($"{options[i]} needs a value", $"wasmjit {Name} --help");
        }
        return [RunCommand.Name, "--profile", file, .. others, .. rest];
    }
}
