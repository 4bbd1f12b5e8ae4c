using System.Diagnostics;
using WasmJit.Cli;
using Xunit;

namespace WasmJit.Tests;

/// <summary>Where <c>compile --native</c> looks for .NET's compiler.</summary>
public sealed class CrossgenPlaceTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("wasmjit-crossgen").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    /// <summary>Users without a home have no packages: those below the current directory are other users', and are not run.</summary>
    [LinuxFact]
    public async Task ACurrentDirectoryIsNoHome()
    {
        string source = Path.Combine(folder, "add.wat"), home = Path.Combine(folder, "none");
        await File.WriteAllTextAsync(source, "(module)");
        var start = new ProcessStartInfo(Environment.ProcessPath!, [typeof(Tool).Assembly.Location, "compile", "--native", source, "-o", Path.Combine(folder, "add.dll")]) { WorkingDirectory = folder };
        start.Environment["HOME"] = home;
        start.Environment["WASMJIT_CONFIG"] = "";
        start.Environment.Remove("NUGET_PACKAGES");
        (int code, _, string error) = await ChildProcess.Run(start);
        Assert.Equal(1, code);
        Assert.StartsWith($"error: --native needs .NET's compiler crossgen2, and {home}/.nuget/packages/", error, StringComparison.Ordinal);
    }
}
