using System.Text.RegularExpressions;
using Xunit;

namespace WasmJit.Tests;

/// <summary>No file is longer than a person reads at once, and no class than a person keeps in mind.</summary>
public sealed partial class SizeTests
{
    private const int LongestFile = 600, LargestClass = 900;

    private static IEnumerable<string> Sources() =>
        from project in Directory.EnumerateFiles(SourceFiles.Root, "*.csproj", SearchOption.AllDirectories)
        from file in SourceFiles.In(Path.GetDirectoryName(project)!)
        select file;

    [Fact]
    public void FilesAreShort()
    {
        Assert.True(Sources().Count() > 300);
        Assert.Equal([], Sources().Where(file => File.ReadLines(file).Count() > LongestFile).Select(file => Path.GetRelativePath(SourceFiles.Root, file)));
    }

    [Fact]
    public void ClassesAreSmall()
    {
        var sizes = new Dictionary<string, int>();
        foreach (string file in Sources())
            foreach ((string type, int lines) in Types(File.ReadAllLines(file)))
                sizes[type] = sizes.GetValueOrDefault(type) + lines;
        Assert.True(sizes.Count > 500);
        Assert.Equal([], sizes.Where(s => s.Value > LargestClass).Select(s => s.Key[(s.Key.LastIndexOf('.') + 1)..]).Order(StringComparer.Ordinal));
    }

    /// <summary>The types of a file with their lines. A type begins at the left and ends with a brace there.</summary>
    private static IEnumerable<(string Type, int Lines)> Types(string[] lines)
    {
        string space = "";
        for (int i = 0; i < lines.Length; i++)
        {
            if (NamespaceLine().Match(lines[i]) is { Success: true } found) space = found.Groups[1].Value + ".";
            if (TypeLine().Match(lines[i]) is not { Success: true } type) continue;
            int start = i;
            // A record without a body ends with a semicolon.
            while (i < lines.Length && lines[i] != "}" && (i > start + 1 || !lines[i].EndsWith(';'))) i++;
            yield return (space + type.Groups[1].Value, i - start + 1);
        }
    }

    [GeneratedRegex(@"^namespace ([\w.]+);")]
    private static partial Regex NamespaceLine();

    [GeneratedRegex(@"^(?:(?:public|internal|file|sealed|static|abstract|readonly|ref|partial|unsafe) )+(?:class|struct|interface|enum|record(?: struct)?) (\w+)")]
    private static partial Regex TypeLine();
}
