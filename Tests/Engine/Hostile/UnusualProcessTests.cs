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
    public Task TheSuitePasses(string variables) => Run(variables.Split(' ').Select(variable => variable.Split('=')));

    /// <summary>A profiler that counts modules, methods and exceptions. It needs a C compiler.</summary>
    [SuiteFact]
    public async Task TheSuitePassesWithAProfiler()
    {
        if (!OperatingSystem.IsLinux() || !(Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Any(path => File.Exists(Path.Combine(path, "cc")))) return;
        string folder = Directory.CreateTempSubdirectory("wasmjit").FullName, library = Path.Combine(folder, "profiler.so"), counted = Path.Combine(folder, "counted");
        try
        {
            (int code, _, string errors) = await ChildProcess.Run(new ProcessStartInfo("cc", ["-shared", "-fPIC", "-o", library, Golden.InRepository("Tests/Engine/Hostile/counting-profiler.c")]));
            Assert.Equal((0, ""), (code, errors));
            await Run([
                ["CORECLR_ENABLE_PROFILING", "1"], ["CORECLR_PROFILER", "{cf0d821e-299b-5307-a3d8-b283c03916dd}"], ["CORECLR_PROFILER_PATH", library],
                ["COUNTING_PROFILER_FILE", counted]]);
            Assert.True(long.Parse(await File.ReadAllTextAsync(counted), System.Globalization.CultureInfo.InvariantCulture) > 1000);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task Run(IEnumerable<string[]> variables)
    {
        var start = new ProcessStartInfo("dotnet", [typeof(Tool).Assembly.Location, "wast", .. Scripts.Select(script => Path.Combine(Suite.Folder!, script + ".wast"))]);
        foreach (string[] variable in variables) start.Environment[variable[0]] = variable[1];
        (int code, string output, string errors) = await ChildProcess.Run(start);
        Assert.Equal("", errors);
        Assert.Matches("^[0-9]{3,4} passed, 0 failed, 0 skipped$", output.TrimEnd().Split('\n')[^1]);
        Assert.Equal(0, code);
    }
}
