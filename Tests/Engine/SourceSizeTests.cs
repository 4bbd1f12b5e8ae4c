using System.Text.RegularExpressions;
using Xunit;

namespace WasmJit.Tests;

/// <summary>No room is too large to be looked through: files have fewer than 600 lines, classes of the compiler fewer than 900 in all their files.</summary>
public sealed partial class SourceSizeTests
{
    private static readonly string[] Folders = ["Runtime", "Jit", "Linking", "Text", "Wasi", "Fuzz", "Cli", "Tests", "Perf", "Samples"];

    private static IEnumerable<(string Path, string[] Lines)> Sources(string folder) =>
        Directory.GetFiles(Golden.InRepository(folder), "*.cs", SearchOption.AllDirectories)
            .Where(path => !path.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}", StringComparison.Ordinal)
                && !path.Contains($"{Path.DirectorySeparatorChar}bin{Path.DirectorySeparatorChar}", StringComparison.Ordinal))
            .Select(path => (path, File.ReadAllLines(path)));

    /// <summary>Classes that are still too large, and how large they may be at most. The list only gets shorter.</summary>
    private static readonly Dictionary<string, int> Exceptions = new() { ["RegisterTranslator"] = 1250 };

    [Fact]
    public void FilesAreShort()
    {
        List<(string Path, string[] Lines)> sources = [.. Folders.SelectMany(Sources)];
        Assert.True(sources.Count > 400);
        Assert.DoesNotContain(sources, source => source.Lines.Length >= 600);
    }

    [Fact]
    public void ClassesOfTheCompilerAreShort()
    {
        var lines = new Dictionary<string, int>();
        foreach ((_, string[] source) in Sources("Jit"))
            for (int i = 0; i < source.Length; i++)
            {
                if (TypeDeclaration().Match(source[i]) is not { Success: true } type) continue;
                int end = Array.IndexOf(source, "}", i);
                lines[type.Groups[1].Value] = lines.GetValueOrDefault(type.Groups[1].Value) + end - i + 1;
            }
        Assert.True(lines.Count > 100);
        Assert.DoesNotContain(lines, type => type.Value > Exceptions.GetValueOrDefault(type.Key, 900));
    }

    [GeneratedRegex(@"^(?:internal|public) (?:[a-z]+ )*(?:class|struct|interface) (?:struct )?(\w+)")]
    private static partial Regex TypeDeclaration();
}
