using System.Diagnostics;
using WasmJit.Cli;
using Xunit;

namespace WasmJit.Tests.Hostile;

/// <summary>Processes that are set up in another way than most: scripts of the suite about traps, stacks, exceptions and objects pass there.</summary>
public sealed class UnusualProcessTests
{
    private static readonly string[] Scripts = ["memory_trap", "traps", "call", "try_table", "array", "fac"];

    [SuiteTheory]
    [InlineData("DOTNET_PROCESSOR_COUNT=1 DOTNET_GCHeapHardLimit=0x8000000")]
    [InlineData("DOTNET_EnableWriteXorExecute=0")]
    [InlineData("DOTNET_gcServer=1 DOTNET_GCHeapCount=2")]
    [InlineData("DOTNET_TieredPGO=0 DOTNET_TieredCompilation=1 DOTNET_ReadyToRun=0")]
    [InlineData("DOTNET_TieredCompilation=0")]
    public async Task TheSuitePasses(string variables)
    {
        var start = new ProcessStartInfo("dotnet", [typeof(Tool).Assembly.Location, "wast", .. Scripts.Select(script => Path.Combine(Suite.Folder!, script + ".wast"))]);
        foreach (string[] variable in variables.Split(' ').Select(v => v.Split('='))) start.Environment[variable[0]] = variable[1];
        (int code, string output, string errors) = await ChildProcess.Run(start);
        Assert.Equal("", errors);
        Assert.Matches("^[0-9]{3,4} passed, 0 failed, 0 skipped$", output.TrimEnd().Split('\n')[^1]);
        Assert.Equal(0, code);
    }
}
