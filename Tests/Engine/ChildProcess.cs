using System.Diagnostics;

namespace WasmJit.Tests;

/// <summary>Programs that tests run in processes of their own.</summary>
internal static class ChildProcess
{
    /// <summary>For what never ends: publishing a trimmed program takes a slow machine some minutes.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(15);

    /// <summary>Runs a program to its end, and reads what it writes meanwhile. Line ends are those of Unix.</summary>
    internal static async Task<(int Code, string Output, string Error)> Run(ProcessStartInfo start)
    {
        start.RedirectStandardOutput = start.RedirectStandardError = true;
        // Shells complain about locales that are not installed.
        start.Environment["LC_ALL"] = "C";
        using Process process = Process.Start(start)!;
        using var timer = new Timer(_ => process.Kill(entireProcessTree: true), null, Patience, Timeout.InfiniteTimeSpan);
        Task<string> error = process.StandardError.ReadToEndAsync();
        string output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, output.ReplaceLineEndings("\n"), (await error).ReplaceLineEndings("\n"));
    }
}
