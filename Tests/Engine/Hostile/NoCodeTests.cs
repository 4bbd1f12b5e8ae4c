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
        Assert.All(Uncovered.Matches(output), match => Assert.Matches(Left, match.Groups[1].Value));
    }

    /// <summary>The official suite, of which two thirds need nothing that the interpreter has not: most of the rest are vectors.</summary>
    [SuiteFact]
    public async Task TheSuitePasses()
    {
        (int code, string output, string error) = await Run(isWhole: true, ["wast", Suite.Folder!]);
        Assert.Equal("", error);
        Assert.Equal(0, code);
        Assert.Matches("^4[0-9]{4} passed, 0 failed, 2[0-9]{4} skipped$", output.TrimEnd().Split('\n')[^1]);
        MatchCollection uncovered = Uncovered.Matches(output);
        Assert.All(uncovered, match => Assert.Matches(Left, match.Groups[1].Value));
        // What cannot be judged, because something before it could not be run, is little.
        Assert.InRange(uncovered.Where(match => match.Groups[1].Value == "a command before this one").Sum(match => int.Parse(match.Groups[2].Value, System.Globalization.CultureInfo.InvariantCulture)), 1, 100);
    }

    /// <summary>What the interpreter has not: exceptions, objects, vectors, atomic operators.</summary>
    private const string Left =
        "^(a value of type v128|a command before this one|the operator (v128|[if][0-9]+x|memory\\.atomic|atomic|i(32|64)\\.atomic|struct|array|i31|ref\\.(test|cast|i31)|br_on_cast|extern|any|throw|try).*|Structs and arrays.*)$";

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
