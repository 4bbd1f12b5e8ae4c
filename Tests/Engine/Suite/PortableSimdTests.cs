using System.Diagnostics;
using Xunit;

namespace WasmJit.Tests;

/// <summary>
/// The suite's vector scripts on processors with less: the .NET runtime is told, in a process of its own, not to use
/// instruction sets that this processor has.
/// </summary>
public sealed class PortableSimdTests
{
    /// <summary>Without any: everything is portable code. Without AVX: two-operand instructions, no fused ones.</summary>
    [SuiteTheory]
    [InlineData("DOTNET_EnableHWIntrinsic", 40_000)]
    [InlineData("DOTNET_EnableAVX", int.MaxValue)]
    public async Task PassesWithout(string instructionSet, int largestScript)
    {
        IEnumerable<string> scripts = Suite.Scripts()
            .Where(s => s.Contains("simd", StringComparison.Ordinal) || s.Contains("relaxed", StringComparison.Ordinal))
            .Select(s => Path.Combine(Suite.Folder!, s)).Where(s => new FileInfo(s).Length <= largestScript);
        var start = new ProcessStartInfo("dotnet");
        start.ArgumentList.Add(typeof(Cli.Tool).Assembly.Location);
        start.ArgumentList.Add("wast");
        foreach (string script in scripts) start.ArgumentList.Add(script);
        Assert.True(start.ArgumentList.Count > 40);
        start.Environment[instructionSet] = "0";
        (int code, string output, string errors) = await ChildProcess.Run(start);
        Assert.Equal("", errors);
        Assert.Matches("^[0-9]{4,5} passed, 0 failed, 0 skipped$", output.TrimEnd().Split('\n')[^1]);
        Assert.Equal(0, code);
    }
}
