using WasmJit.Components;
using WasmJit.Wasi.Preview2;
using Xunit;

namespace WasmJit.Tests;

/// <summary>The functions of the host are those of the specification of WASI 0.3, with its types.</summary>
public sealed class WasiLaterInterfaceTests
{
    [Fact]
    public void TheHostHasAllFunctionsOfTheSpecificationAndNoOthers()
    {
        using var host = new WasiComponentHost();
        IEnumerable<string> given = Wasi.Preview3.Interfaces.All.SelectMany(i =>
        {
            var writer = new InterfaceWriter(new ComponentHost());
            i.Add(writer, host.State);
            return writer.Functions.Select(f => $"{i.Name}#{f}");
        });
        Assert.Equal(WasiMirror.Later.Names.Keys.Order(StringComparer.Ordinal), given.Order(StringComparer.Ordinal));
    }

    /// <summary>An import whose type is another one is an error.</summary>
    [Fact]
    public void AllTypesAreThoseOfTheSpecification()
    {
        using var mirror = new WasiMirror(new WasiOptions(), isLater: true);
        Assert.NotEmpty(mirror.Instance.Exports);
    }

    /// <summary>The page says which tests call a function, and they do.</summary>
    [Fact]
    public void ThePageHasTheTestsOfEveryFunction()
    {
        string page = File.ReadAllText(Golden.InRepository("Docs/wasi-preview2.md")).ReplaceLineEndings("\n");
        page = page[page.IndexOf("### 0.3", StringComparison.Ordinal)..];
        string[][] rows = [.. page.Split('\n').Where(l => l.StartsWith("| `wasi:", StringComparison.Ordinal))
            .Select(l => l.Split('|', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))];
        foreach (string function in WasiMirror.Later.Names.Keys)
        {
            string[] name = function.Split('#');
            string[]? row = Array.Find(rows, r => r[0] == $"`{name[0]}`" && r[1].Contains($"`{name[1]}`", StringComparison.Ordinal));
            Assert.True(row is not null, $"the page lacks {function}");
            string tests = File.ReadAllText(Golden.InRepository($"Tests/Engine/Wasi/Preview3/{row[2].Trim('`')}.cs"));
            Assert.True(tests.Contains($"#{name[1]}\"", StringComparison.Ordinal) || tests.Contains($"\"{name[1]}\"", StringComparison.Ordinal)
                || tests.Contains($"\"{name[1][(name[1].IndexOf('.', StringComparison.Ordinal) + 1)..]}\"", StringComparison.Ordinal), $"{row[2]} do not call {function}");
        }
    }
}
