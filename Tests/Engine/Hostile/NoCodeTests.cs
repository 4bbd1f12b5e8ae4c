using System.Diagnostics;
using System.Text.RegularExpressions;
using WasmJit.Cli;
using Xunit;

namespace WasmJit.Tests.Hostile;

/// <summary>
/// Processes that can make no code: modules are interpreted from their bytes. The second switch makes CoreCLR do without what a program that is compiled whole (NativeAOT)
/// does not have.
/// </summary>
public sealed class NoCodeTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("wasmjit").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    /// <summary>All that a process without code leaves out, by what functions have that the interpreter has not.</summary>
    private static readonly Regex Uncovered = new("^skipped, since no code can be made for (.+): ([0-9]+)$", RegexOptions.Multiline);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task OurScriptsPass(bool isWhole)
    {
        (int code, string output, string error) = await Run(isWhole, ["wast", Golden.InRepository("Tests/Conformance")]);
        Assert.Equal("", error);
        Assert.Equal(0, code);
        Assert.Matches("^[0-9]{4} passed, 0 failed, [0-9]+ skipped$", output.TrimEnd().Split('\n')[^1]);
        Assert.Empty(Uncovered.Matches(output));
    }

    /// <summary>The official suite: all of it is interpreted.</summary>
    [SuiteFact]
    public async Task TheSuitePasses()
    {
        (int code, string output, string error) = await Run(isWhole: true, ["wast", Suite.Folder!]);
        Assert.Equal("", error);
        Assert.Equal(0, code);
        Assert.Matches("^65[0-9]{3} passed, 0 failed, [0-9]+ skipped$", output.TrimEnd().Split('\n')[^1]);
        Assert.Empty(Uncovered.Matches(output));
    }

    /// <summary>Components are read, validated and shown; an instance is refused with the reason.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task ComponentsSayThatTheyNeedCode(bool isWhole)
    {
        string file = Golden.InRepository("Tests/Programs/Components/words.wasm");
        (int code, string output, string error) = await Run(isWhole, ["validate", file]);
        Assert.Equal((0, ""), (code, error));
        (code, output, error) = await Run(isWhole, ["inspect", file]);
        Assert.Equal((0, ""), (code, error));
        Assert.Contains("wasi:cli/run@0.2.", output, StringComparison.Ordinal);
        (code, output, error) = await Run(isWhole, ["run", file]);
        Assert.Equal((Tool.Failure, ""), (code, output));
        Assert.StartsWith("error: Instances of components need code that is made at run time, and this process can make none", error, StringComparison.Ordinal);
    }

    private async Task<(int Code, string Output, string Error)> Run(bool isWhole, string[] arguments)
    {
        string tool = typeof(Tool).Assembly.Location, config = Path.Combine(folder, "config.json");
        string own = await File.ReadAllTextAsync(Path.ChangeExtension(tool, ".runtimeconfig.json"));
        const string properties = "\"configProperties\": {";
        Assert.Contains(properties, own, StringComparison.Ordinal);
        string switches = "\"System.Runtime.CompilerServices.RuntimeFeature.IsDynamicCodeSupported\": false," + (isWhole ? "\"WasmJit.IsCompiledWhole\": true," : "");
        await File.WriteAllTextAsync(config, own.Replace(properties, properties + switches, StringComparison.Ordinal));
        return await ChildProcess.Run(new ProcessStartInfo("dotnet", ["exec", "--runtimeconfig", config, tool, .. arguments]));
    }
}
