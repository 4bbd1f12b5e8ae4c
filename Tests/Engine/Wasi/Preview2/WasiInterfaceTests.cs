using WasmJit.Components;
using WasmJit.Wasi.Preview2;
using Xunit;

namespace WasmJit.Tests;

/// <summary>The functions of the host are those of the specification, with its types.</summary>
public sealed class WasiInterfaceTests
{
    [Fact]
    public void TheHostHasAllFunctionsOfTheSpecificationAndNoOthers()
    {
        using var host = new WasiComponentHost();
        IEnumerable<string> given = Interfaces.All.SelectMany(i =>
        {
            var writer = new InterfaceWriter(new ComponentHost());
            i.Add(writer, host.State);
            return writer.Functions.Select(f => $"{i.Name}#{f}");
        });
        // What guests export is not given to them.
        Assert.Equal(WasiMirror.Functions.Order(StringComparer.Ordinal), given.Order(StringComparer.Ordinal));
    }

    /// <summary>An import whose type is another one is an error.</summary>
    [Fact]
    public void AllTypesAreThoseOfTheSpecification()
    {
        using var mirror = new WasiMirror(new WasiOptions());
        Assert.NotEmpty(mirror.Instance.Exports);
    }

    [Theory]
    [InlineData("0.2.0")]
    [InlineData("0.2.3")]
    [InlineData("0.2.8")]
    [InlineData("0.2.99")]
    public void EveryVersionOfZeroTwoIsThere(string version)
    {
        string text = WasiMirror.Text.Replace($"@{Interfaces.Version}", $"@{version}", StringComparison.Ordinal);
        using var host = new WasiComponentHost();
        using ComponentInstance instance = host.Instantiate(new Engine().CompileComponent(Wat.ToBinary(text)));
        Assert.NotEmpty(instance.Exports);
    }

    [Fact]
    public void OtherVersionsAreNotThere()
    {
        string text = WasiMirror.Text.Replace($"@{Interfaces.Version}", "@0.4.0", StringComparison.Ordinal);
        using var host = new WasiComponentHost();
        WasmComponent component = new Engine().CompileComponent(Wat.ToBinary(text));
        Assert.Contains("\"wasi:io/error@0.4.0\" is missing", Assert.Throws<LinkException>(() => host.Instantiate(component)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ThePageHasTheTestsOfEveryFunction() => CheckPage(isLater: false, WasiMirror.Functions, "[method]descriptor.open-at", "get-directories");

    private static readonly Lazy<string[]> TestFiles = new(() => [.. Directory.GetFiles(Golden.InRepository("Tests"), "*Tests.cs", SearchOption.AllDirectories)
        .Where(f => !File.ReadAllText(f).Contains("WASI_TESTSUITE", StringComparison.Ordinal)).Select(f => Path.GetFileNameWithoutExtension(f))]);

    /// <summary>The page says which tests call a function, and they do.</summary>
    /// <param name="isLater">Whether the functions are those of WASI 0.3, which the page has behind the others.</param>
    /// <param name="functions">The functions.</param>
    /// <param name="calledByTheGuest">Names of functions that the tests have called for them.</param>
    internal static void CheckPage(bool isLater, IEnumerable<string> functions, params string[] calledByTheGuest)
    {
        string page = File.ReadAllText(Golden.InRepository("Docs/wasi-preview2.md")).ReplaceLineEndings("\n").Split("\n### 0.3\n")[isLater ? 1 : 0];
        string[][] rows = [.. page.Split('\n').Where(l => l.StartsWith("| `wasi:", StringComparison.Ordinal))
            .Select(l => l.Split('|', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))];
        // Exports of guests are in the table, too, with tests that always run.
        foreach (string[] row in rows) Assert.True(Array.Exists(TestFiles.Value, f => f == row[2].Trim('`')), $"{row[0]}: there are no tests {row[2]}");
        foreach (string function in functions)
        {
            string[] name = function.Split('#');
            string[]? row = Array.Find(rows, r => r[0] == $"`{name[0]}`" && r[1].Contains($"`{name[1]}`", StringComparison.Ordinal));
            Assert.True(row is not null, $"the page lacks {function}");
            string tests = File.ReadAllText(Golden.InRepository($"Tests/Engine/Wasi/{(isLater ? "Preview3" : "Preview2")}/{row[2].Trim('`')}.cs"));
            string last = name[1][(name[1].IndexOf('.', StringComparison.Ordinal) + 1)..];
            Assert.True(
                tests.Contains($"#{name[1]}\"", StringComparison.Ordinal) || tests.Contains($"\"{last}\"", StringComparison.Ordinal) || calledByTheGuest.Contains(name[1]),
                $"{row[2]} do not call {function}");
        }
    }
}
