using System.Diagnostics;
using System.Runtime.CompilerServices;
using Xunit;

namespace WasmJit.Tests;

/// <summary>
/// The tool as it is built, with its assemblies' machine code: how many methods .NET still compiles before an empty program has ended.
/// Each costs a tenth of a millisecond and more.
/// </summary>
public sealed class StartTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("wasmjit-test").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [ImageFact]
    public async Task AnEmptyProgramCompilesFewMethods()
    {
        string[] methods = await Run("(module (memory (export \"memory\") 1) (func (export \"_start\")))");
        Assert.True(methods.Length <= 28, $"{methods.Length} methods were compiled:\n{string.Join('\n', methods)}");
        // Nothing is made at run time for it.
        Assert.DoesNotContain(methods, m => m.Contains("(dynamicClass):wasm", StringComparison.Ordinal));
    }

    private async Task<string[]> Run(string text)
    {
        string program = Path.Combine(folder, "program.wasm"), list = Path.Combine(folder, "methods.txt");
        await File.WriteAllBytesAsync(program, Wat.ToBinary(text));
        var start = new ProcessStartInfo(Environment.ProcessPath!, [ImageFactAttribute.Tool, "run", "--tier", "tiered", program]);
        start.Environment["DOTNET_JitStdOutFile"] = list;
        start.Environment["DOTNET_JitDisasmSummary"] = "1";
        // On a slow machine methods would become hot before the program has ended, and be compiled once more in the background.
        start.Environment["DOTNET_TC_CallCounting"] = "0";
        Assert.Equal((0, "", ""), await ChildProcess.Run(start));
        return await File.ReadAllLinesAsync(list);
    }
}

/// <summary>A test of the tool with machine code, which builds for release on Linux have.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class ImageFactAttribute : FactAttribute
{
    public ImageFactAttribute()
    {
#if DEBUG
        Skip = "not run: debug builds have no machine code";
#else
        if (!OperatingSystem.IsLinux() || System.Runtime.InteropServices.RuntimeInformation.ProcessArchitecture != System.Runtime.InteropServices.Architecture.X64) Skip = "not run: machine code is made on Linux for x64";
#endif
    }

    internal static string Tool { get; } = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(Here())!, "../../../Cli/bin/Release/net10.0/WasmJit.Cli.dll"));

    private static string Here([CallerFilePath] string path = "") => path;
}
