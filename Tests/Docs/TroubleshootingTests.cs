using System.Text.RegularExpressions;
using Xunit;

namespace WasmJit.Tests.Docs;

/// <summary>Docs/troubleshooting.md lists messages: each is one that the sources have.</summary>
public sealed partial class TroubleshootingTests
{
    [Fact]
    public void EachMessageIsInTheSources()
    {
        string sources = string.Concat(new[] { "Runtime", "Jit", "Linking", "Components", "Wasi" }.SelectMany(project =>
            Directory.GetFiles(PageTests.InRepository(project), "*.cs", SearchOption.AllDirectories).Where(f => !f.Contains("/obj/", StringComparison.Ordinal))).Select(File.ReadAllText))
            .Replace("\\\"", "\"", StringComparison.Ordinal);
        int found = 0;
        foreach (string line in File.ReadAllLines(PageTests.InRepository("Docs/troubleshooting.md")).SkipWhile(l => !l.StartsWith("## Compiling", StringComparison.Ordinal))
            .TakeWhile(l => !l.StartsWith("## Things without", StringComparison.Ordinal)).Where(l => l.StartsWith("| `", StringComparison.Ordinal)))
        {
            foreach (Match message in Quoted().Matches(line.Split(" | ")[0]))
            {
                found++;
                foreach (string part in message.Groups[1].Value.Split("...", StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
                    Assert.True(part.Length < 2 || sources.Contains(part, StringComparison.Ordinal), $"no source says: {part}");
            }
        }
        Assert.True(found > 30);
    }

    [GeneratedRegex("`([^`]+)`")]
    private static partial Regex Quoted();
}
