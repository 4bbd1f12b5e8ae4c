using System.Globalization;
using System.Text.RegularExpressions;
using Xunit;

namespace WasmJit.Tests;

/// <summary>The tests that <c>Docs/security.md</c> names for its promises, and for faults that were found, are there.</summary>
public sealed partial class SecurityPageTests
{
    private const int Promises = 8, Faults = 23;

    /// <summary>The inputs of the review; each stands beside the kind of fault that it shows.</summary>
    private static readonly string[] Inputs =
    [
        "01-compile-overflow", "02-select-confusion", "03-tee-base", "05-tablegrow", "06-maps", "07-a.so", "07-dlsym-type", "08-import-funcref", "09-deep-calls",
        "10-many-locals", "11-nested-try", "bigstruct", "brif900", "brtab900", "c2", "drop", "g1", "mn2", "near_wild_1800",
        "esc", "m1", "max_snan", "nan_min", "stack_unlimited", "w11", "w5", "w8",
    ];

    private static readonly string Page = File.ReadAllText(Golden.InRepository("Docs/security.md"));

    private static IEnumerable<(int Number, string Right, string Tests)> Rows() =>
        Row().Matches(Page).Select(m => (int.Parse(m.Groups[1].Value, CultureInfo.InvariantCulture), m.Groups[2].Value, m.Groups[3].Value));

    [Fact]
    public void EachPromiseAndEachFaultHasARow() =>
        Assert.Equal([.. Enumerable.Range(1, Promises), .. Enumerable.Range(1, Faults)], Rows().Select(r => r.Number));

    [Fact]
    public void EachInputHasItsPlace()
    {
        string[] named = [.. Rows().Skip(Promises).SelectMany(r => Quoted().Matches(r.Right)).Select(m => m.Groups[1].Value)];
        Assert.Empty(Inputs.Except(named));
    }

    [Fact]
    public void EachTestIsThere()
    {
        var sources = SourceFiles.In("Tests").Select(f => (Class: Path.GetFileNameWithoutExtension(f), Path: f)).ToLookup(f => f.Class, f => f.Path);
        int tests = 0;
        foreach ((int number, _, string named) in Rows())
        {
            string[] names = [.. Quoted().Matches(named).Select(m => m.Groups[1].Value)];
            Assert.NotEmpty(names);
            foreach (string name in names)
            {
                tests++;
                if (name.EndsWith(".wast", StringComparison.Ordinal))
                {
                    Assert.True(File.Exists(Golden.InRepository("Tests/Conformance/" + name)), $"{number}: {name}");
                    continue;
                }
                string[] parts = name.Split('.');
                string text = string.Concat(sources[parts[0]].Select(File.ReadAllText));
                Assert.True(text.Contains($"class {parts[0]}", StringComparison.Ordinal), $"{number}: there is no {parts[0]}");
                Assert.True(parts.Length == 1 || Regex.IsMatch(text, $@"\[(Linux)?(Fact|Theory)\b[^;{{}}]* {parts[1]}\("), $"{number}: {name} is not a test");
            }
        }
        Assert.True(tests > 50, $"{tests}");
    }

    [GeneratedRegex(@"^\| (\d+) (?:\| )?(.*) \| (.*) \|\r?$", RegexOptions.Multiline)]
    private static partial Regex Row();

    [GeneratedRegex("`([^`]+)`")]
    private static partial Regex Quoted();
}
