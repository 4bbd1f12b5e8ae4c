using System.Text.RegularExpressions;
using Xunit;

namespace WasmJit.Tests;

/// <summary>The pages for contributors: what they name is in the code, decisions have one form, and prose says who does what.</summary>
public sealed partial class PagesTests
{
    /// <summary>Sections of <c>RATIONALE.md</c> that give figures or say how something was tested, and decide nothing.</summary>
    private static readonly string[] WithoutDecision =
    [
        "Figures of runtime linking", "Figures against Wasmtime 50.0.1", "Programs on Wasmtime 50.0.1", "What stopping guests costs", "Collections at every turn",
    ];

    private static string Page(string name) => File.ReadAllText(Golden.InRepository(name)).ReplaceLineEndings("\n");

    [Fact]
    public void SectionsOfTheRationaleHaveOneForm()
    {
        string[] order = ["Context", "Decision", "Rejected", "Figures"];
        var wrong = new List<string>();
        string[] sections = [.. Page("RATIONALE.md").Split("\n## ").Skip(1)];
        Assert.True(sections.Length > 90);
        foreach (string section in sections)
        {
            string title = section[..section.IndexOf('\n', StringComparison.Ordinal)];
            string[] parts = [.. Part().Matches(section).Select(m => m.Groups[1].Value)];
            if (!parts.SequenceEqual(order.Where(parts.Contains))) wrong.Add($"{title}: {string.Join(", ", parts)}");
            bool isWhole = Array.IndexOf(WithoutDecision, title) >= 0 ? parts.Contains("Figures") : parts is ["Context", "Decision", ..];
            if (!isWhole) wrong.Add($"{title}: {string.Join(", ", parts)}");
        }
        Assert.Equal("", string.Join('\n', wrong));
    }

    /// <summary>Names of types and members, files and folders, as far as they are written as code.</summary>
    [Theory]
    [InlineData("ARCHITECTURE.md", 400)]
    [InlineData("CONTRIBUTING.md", 30)]
    public void WhatPagesNameIsThere(string page, int most)
    {
        var words = new HashSet<string>(Names().Concat(Projects()), StringComparer.Ordinal);
        string[] paths = [.. Paths()];
        var missing = new List<string>();
        int names = 0;
        foreach (Match quoted in Quoted().Matches(Page(page)))
        {
            string text = quoted.Groups[1].Value;
            if (TypeName().IsMatch(text))
            {
                names++;
                missing.AddRange(Word().Matches(text).Select(m => m.Value).Where(word => !words.Contains(word)));
            }
            else if (PathName().IsMatch(text) && !text.Contains("obj/", StringComparison.Ordinal))
            {
                names++;
                string path = text.TrimEnd('/');
                if (!Array.Exists(paths, p => p == path || p.EndsWith("/" + path, StringComparison.Ordinal) || p.EndsWith($"/{path}.cs", StringComparison.Ordinal)
                    || p.StartsWith(path + "/", StringComparison.Ordinal) || p.Contains($"/{path}/", StringComparison.Ordinal))) missing.Add(path);
            }
        }
        Assert.True(names > most, $"{names}");
        Assert.Equal("", string.Join('\n', missing.Distinct()));
    }

    /// <summary>A word of the glossary is used: as a word, or in names, of three files and more. Rows are in the order of the words.</summary>
    [Fact]
    public void WordsOfTheGlossaryAreUsed()
    {
        string page = Page("ARCHITECTURE.md");
        string glossary = page[page.IndexOf("\n| word |", StringComparison.Ordinal)..page.IndexOf("\n## From bytes", StringComparison.Ordinal)];
        string[] words = [.. GlossaryRow().Matches(glossary).Select(row => row.Groups[1].Value)];
        Assert.True(words.Length > 55, $"{words.Length}");
        Assert.Equal(words.OrderBy(word => word, StringComparer.OrdinalIgnoreCase), words);
        string[] files = [.. Products.Folders.SelectMany(SourceFiles.In).Select(File.ReadAllText), .. Directory.EnumerateFiles(SourceFiles.Root, "*.md").Select(File.ReadAllText)];
        Assert.Equal([], words.Where(word => files.Count(file => file.Contains(word, StringComparison.OrdinalIgnoreCase)) < 3));
    }

    private static IEnumerable<string> Projects() => ["README", "ARCHITECTURE", "RATIONALE", "CONTRIBUTING", "CHANGELOG", "md"];

    private static IEnumerable<string> Names()
    {
        foreach (string file in Products.Folders.Concat(["Tests", "Perf", "Samples"]).SelectMany(SourceFiles.In))
        {
            foreach (string part in Path.GetFileName(file).Split('.')) yield return part;
            foreach (Match word in Word().Matches(File.ReadAllText(file))) yield return word.Value;
        }
    }

    /// <summary>The files of the repository, without what builds make.</summary>
    private static IEnumerable<string> Paths() =>
        from folder in Directory.EnumerateDirectories(SourceFiles.Root)
        where !Path.GetFileName(folder).StartsWith(".git", StringComparison.Ordinal) && Path.GetFileName(folder) is not ("artifacts" or "TestResults")
        from file in Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories)
        let path = SourceFiles.PathOf(file)
        where !path.Contains("/obj/", StringComparison.Ordinal) && !path.Contains("/bin/", StringComparison.Ordinal)
        select path;

    /// <summary>Words that hide who or what is meant: "no caller", "the guest", "an unused slot" say it.</summary>
    [Fact]
    public void ProseSaysWho()
    {
        string[] pages = [.. Directory.EnumerateFiles(SourceFiles.Root, "*.md"), .. Directory.EnumerateFiles(Path.Combine(SourceFiles.Root, "Docs"), "*.md")];
        var found = new List<string>();
        int files = 0;
        foreach (string file in Products.Folders.Concat(["Samples", "Perf"]).SelectMany(SourceFiles.In).Concat(pages))
        {
            files++;
            found.AddRange(SourceFiles.Lines(file, Vague().IsMatch));
        }
        Assert.True(files > 500);
        Assert.Equal("", string.Join('\n', found));
    }

    [Theory]
    [InlineData("/// <summary>The value that nobody reads.</summary>")]
    [InlineData("// Whoever waits finds the end.")]
    [InlineData("An argument that is none is a mistake.")]
    public void SuchWordsAreFound(string line) => Assert.Matches(Vague(), line);

    /// <summary>The first word of a row, without its article.</summary>
    [GeneratedRegex(@"^\| (?!word |---)(?:the )?([^|,(]*[^|,( ])", RegexOptions.Multiline)]
    private static partial Regex GlossaryRow();

    [GeneratedRegex(@"^\*(\w+)\.\*", RegexOptions.Multiline)]
    private static partial Regex Part();

    [GeneratedRegex("`([^`\n]+)`")]
    private static partial Regex Quoted();

    [GeneratedRegex(@"^[A-Z]\w+(\.\w+)*$")]
    private static partial Regex TypeName();

    [GeneratedRegex(@"^\w[\w.-]*(/[\w.-]+)+/?$")]
    private static partial Regex PathName();

    [GeneratedRegex(@"\w+")]
    private static partial Regex Word();

    [GeneratedRegex(@"\b(nobody|somebody|whoever|anybody|everybody)\b|\b(that|which) (is|are) none\b", RegexOptions.IgnoreCase)]
    private static partial Regex Vague();
}
