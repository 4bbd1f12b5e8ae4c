using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using Xunit;

namespace WasmJit.Tests;

/// <summary><c>Docs/wasi.md</c> has a row for every function, and the test that it names exercises it.</summary>
public sealed partial class WasiTableTests
{
    [Fact]
    public void TheTableHasEveryFunctionAndNoOther()
    {
        string[] functions = [.. new WasiHost().Imports.Where(i => i.Key.Module == "wasi_snapshot_preview1").Select(i => i.Key.Name!)];
        Assert.Equal(functions.Order(StringComparer.Ordinal), Rows().Select(r => r.Function).Order(StringComparer.Ordinal));
        Assert.Equal(
            functions.Order(StringComparer.Ordinal), WasiGuest.Functions.Select(f => f.Name).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void EachNamedTestCallsTheFunction()
    {
        foreach ((string function, string type, string test) in Rows())
        {
            MethodInfo? method = typeof(WasiTableTests).Assembly.GetType("WasmJit.Tests." + type)?.GetMethod(test);
            Assert.True(method?.GetCustomAttribute<FactAttribute>() is { Skip: null }, $"{type}.{test} is not a test");
            Assert.True(Body(type, test).Contains($"\"{function}\"", StringComparison.Ordinal), $"{type}.{test} does not call {function}");
        }
    }

    private static List<(string Function, string Type, string Test)> Rows()
    {
        string page = Path.Combine(Folder(), "../../../Docs/wasi.md");
        return [.. Row().Matches(File.ReadAllText(page)).Select(m => (m.Groups[1].Value, m.Groups[2].Value, m.Groups[3].Value))];
    }

    /// <summary>The text of a test, with the helpers behind it in the same class.</summary>
    private static string Body(string type, string test)
    {
        string source = File.ReadAllText(Path.Combine(Folder(), type + ".cs"));
        int start = source.IndexOf($" {test}(", StringComparison.Ordinal);
        Assert.True(start >= 0, $"{type}.{test} is not in {type}.cs");
        int end = source.IndexOf("\n    [", start, StringComparison.Ordinal);
        return end < 0 ? source[start..] : source[start..end];
    }

    private static string Folder([CallerFilePath] string path = "") => Path.GetDirectoryName(path)!;

    [GeneratedRegex(@"^\| `(\w+)` \|.*\| `(\w+)\.(\w+)` \|\r?$", RegexOptions.Multiline)]
    private static partial Regex Row();
}
