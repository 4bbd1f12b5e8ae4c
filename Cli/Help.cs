using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using System.Runtime.CompilerServices;

namespace WasmJit.Cli;

/// <summary>Help that says more about a command than its line in the list of commands: details and examples at the end.</summary>
internal static class Help
{
    private static readonly ConditionalWeakTable<Command, string> Details = [];

    /// <summary>Gives a command the text that its own help ends with.</summary>
    internal static Command Describe(Command command, string details)
    {
        Details.AddOrUpdate(command, details);
        return command;
    }

    /// <summary><c>--help</c> for all commands.</summary>
    internal static HelpOption Option()
    {
        var option = new HelpOption();
        option.Action = new DetailedHelp((HelpAction)option.Action!);
        return option;
    }

    private sealed class DetailedHelp(HelpAction usual) : SynchronousCommandLineAction
    {
        public override bool ClearsParseErrors => true;

        public override int Invoke(ParseResult parseResult)
        {
            int code = usual.Invoke(parseResult);
            if (Details.TryGetValue(parseResult.CommandResult.Command, out string? details))
                parseResult.InvocationConfiguration.Output.WriteLine(details);
            return code;
        }
    }
}
