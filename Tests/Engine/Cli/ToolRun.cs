using WasmJit.Cli;

namespace WasmJit.Tests;

/// <summary>The tool, run in this process.</summary>
internal static class ToolRun
{
    /// <summary>Runs it. Line ends are those of Unix.</summary>
    internal static (int Code, string Out, string Error) Of(params string[] args)
    {
        StringWriter output = new(), error = new();
        int code = Tool.Run(args, output, error);
        return (code, output.ToString().ReplaceLineEndings("\n"), error.ToString().ReplaceLineEndings("\n"));
    }

    /// <summary>Runs it; a temporary folder's name is replaced by DIR in what it writes.</summary>
    internal static (int Code, string Out, string Error) In(string folder, params string[] args)
    {
        (int code, string output, string error) = Of(args);
        return (code, output.Replace(folder, "DIR", StringComparison.Ordinal), error.Replace(folder, "DIR", StringComparison.Ordinal));
    }
}
