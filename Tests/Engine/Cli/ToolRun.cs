using WasmJit.Cli;

namespace WasmJit.Tests;

/// <summary>The tool, run in this process.</summary>
internal static class ToolRun
{
    /// <summary>Runs it; a temporary folder's name is replaced by DIR in what it writes.</summary>
    internal static (int Code, string Out, string Error) In(string folder, params string[] args)
    {
        var output = new StringWriter();
        var error = new StringWriter();
        int code = Tool.Run(args, output, error);
        return (code, Clean(output), Clean(error));

        string Clean(StringWriter writer) =>
            writer.ToString().Replace(folder, "DIR", StringComparison.Ordinal).ReplaceLineEndings("\n");
    }
}
