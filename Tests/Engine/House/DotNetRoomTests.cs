using System.Text.RegularExpressions;
using Xunit;

namespace WasmJit.Tests;

/// <summary>What the engine relies on in .NET is in one folder and on one page, and what the page names exists.</summary>
public sealed partial class DotNetRoomTests
{
    private static readonly string Page = File.ReadAllText(Golden.InRepository("Docs/dotnet-internals.md"));

    [Fact]
    public void OtherFoldersDoNotNameInternalsOfDotNet()
    {
        var found = new List<string>();
        int inRoom = 0;
        foreach (string file in Products.Folders.SelectMany(SourceFiles.In))
        {
            if (!InternalMember().IsMatch(File.ReadAllText(file))) continue;
            string path = Path.GetRelativePath(SourceFiles.Root, file);
            if (path.StartsWith(Path.Combine("Runtime", "DotNet"), StringComparison.Ordinal)) inRoom++;
            else found.Add(path);
        }
        Assert.True(inRoom >= 5);
        Assert.Equal([], found);
    }

    /// <summary>The first column says a fact, the second names files, the fourth names tests.</summary>
    [Fact]
    public void EveryRowNamesFilesAndTestsThatExist()
    {
        string[] tests = [.. SourceFiles.In("Tests").Select(File.ReadAllText)];
        string[] files = [.. SourceFiles.In("Runtime").Concat(SourceFiles.In("Jit")).Select(SourceFiles.PathOf)];
        int rows = 0;
        foreach (string line in Page.Split('\n').Where(l => l.StartsWith("| ", StringComparison.Ordinal)))
        {
            string[] columns = [.. line.Trim('|', '\n', '\r').Split('|').Select(c => c.Trim())];
            if (columns.Length != 4 || columns[2] is "since" || columns[0].StartsWith("---", StringComparison.Ordinal)) continue;
            rows++;
            foreach (string used in Parentheses().Replace(columns[1], "").Split(',').Select(name => name.Trim()))
                Assert.True(Array.Exists(files, file => Names(file, used)), $"no file is {used}");
            MatchCollection named = Quoted().Matches(columns[3]);
            Assert.True(named.Count > 0, $"no test: {columns[0]}");
            foreach (Match test in named)
                Assert.True(Array.Exists(tests, source => Regex.IsMatch(source, $@"\b(class|void|Task) {test.Groups[1].Value}\b")), $"no test is {test.Groups[1].Value}");
        }
        Assert.True(rows > 25);
    }

    private static bool Names(string file, string used) =>
        $"/{file}".EndsWith($"/{used}.cs", StringComparison.Ordinal) || file.StartsWith($"{used}/", StringComparison.Ordinal)
        || file.StartsWith($"{used}.", StringComparison.Ordinal);

    /// <summary>Ways to a member of .NET that is not public, and the names of some.</summary>
    [GeneratedRegex(@"UnsafeAccessor\(|UnsafeAccessorType|""CompileMethod""|""_methodPtr""|typeof\(object\)\.Assembly\.GetType\(""System\.|MethodTable\*|class IgnoresAccessChecksTo")]
    private static partial Regex InternalMember();

    [GeneratedRegex(@"\([^)]*\)")]
    private static partial Regex Parentheses();

    [GeneratedRegex("`([^`]+)`")]
    private static partial Regex Quoted();
}
