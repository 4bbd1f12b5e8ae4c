using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using System.Runtime.CompilerServices;

namespace WasmJit.Cli;

/// <summary>Help with details and examples at the end.</summary>
internal static class Help
{
    private static readonly ConditionalWeakTable<Command, string> Details = [];

    /// <summary>Sets the text at the end of a command's help.</summary>
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
