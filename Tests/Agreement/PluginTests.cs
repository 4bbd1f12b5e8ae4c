using System.Diagnostics;
using System.Text.RegularExpressions;
using Xunit;

namespace WasmJit.Agreement;

/// <summary>What a host writes for a plug-in with twenty exports, here and with wasmtime-dotnet. <c>Docs/generators.md</c> has the lines.</summary>
public sealed partial class PluginTests
{
    private const string Folder = "Tests/Agreement/Plugin";

    [Fact]
    public async Task EachWayDoesTheSame()
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!, [typeof(PluginTests).Assembly.Location, "plugin", Tests.Golden.InRepository("Tests/Generators/Modules/plugin.wasm")])
        {
            RedirectStandardOutput = true,
        };
        using Process process = Process.Start(start)!;
        using var timer = new Timer(_ => process.Kill(), null, TimeSpan.FromMinutes(10), Timeout.InfiniteTimeSpan);
        string output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        const string expected = "42 1099511627776 5 True 2147483647 High plug-in (3, 1) plug-in 7 größegröße 6 Point { X = 2, Y = 1 } 3 010000 0 20260 1024";
        Assert.Equal((0, $"interface {expected}\ndelegates {expected}\nwasmtime-dotnet {expected}\n"), (process.ExitCode, output));
    }

    [Fact]
    public void ThePageHasTheLines()
    {
        string page = File.ReadAllText(Tests.Golden.InRepository("Docs/generators.md"));
        Assert.Equal(
            [("IPlugin.cs", LinesOf("IPlugin.cs")), ("PluginByDelegates.cs", LinesOf("PluginByDelegates.cs")), ("PluginByWasmtime.cs", LinesOf("PluginByWasmtime.cs"))],
            Row().Matches(page).Select(m => (m.Groups[1].Value, int.Parse(m.Groups[2].Value))));
    }

    /// <summary>Lines that are neither empty nor comments, without those that every file begins with.</summary>
    private static int LinesOf(string file) => File.ReadLines(Path.Combine(Tests.Golden.InRepository(Folder), file))
        .Select(line => line.Trim())
        .Count(line => line.Length > 0 && !line.StartsWith("//", StringComparison.Ordinal) && !line.StartsWith("using ", StringComparison.Ordinal) && !line.StartsWith("namespace ", StringComparison.Ordinal));

    [GeneratedRegex(@"^\| .* \(`(Plugin\w+\.cs|IPlugin\.cs)`\) \| (\d+) \|$", RegexOptions.Multiline)]
    private static partial Regex Row();
}
