using System.Diagnostics.Metrics;
using System.Runtime.CompilerServices;
using Twig;
using Xunit;

namespace WasmJit.Tests.Docs;

/// <summary>
/// The pages in Docs and the READMEs: their C# is run, and what it writes is what the page shows below it; their modules in the
/// text format are valid; sessions with Twig go as shown. With the variable WASMJIT_UPDATE_GOLDEN=1 a run writes what is shown
/// anew; the difference is then for a person to read.
/// </summary>
public sealed class PageTests
{
    private static readonly bool Update = Environment.GetEnvironmentVariable("WASMJIT_UPDATE_GOLDEN") == "1";

    /// <summary>A page listens to what the first engine of the process has another thread make.</summary>
    static PageTests()
    {
        using var isMade = new ManualResetEventSlim();
        using var listener = new MeterListener { InstrumentPublished = (instrument, _) => { if (instrument.Name == "wasmjit.refusals") isMade.Set(); } };
        listener.Start();
        _ = new Engine();
        Assert.True(isMade.Wait(TimeSpan.FromMinutes(2)));
    }

    // Other fences hold commands and what is no code; those of the tool's page (console) are run by the tests of the tool, the README's nuget.config
    // (xml) is used by those of the packages. A language
    // that is new here needs a decision of how it is checked.
    private static readonly HashSet<string> Known = ["", "sh", "console", "csharp", "text", "wat", "twig", "session", "xml"];

    /// <summary>The names of the pages.</summary>
    public static TheoryData<string> Pages() =>
    [
        .. Directory.GetFiles(InRepository("Docs"), "*.md").Select(f => $"Docs/{Path.GetFileName(f)}").Order(StringComparer.Ordinal),
        "README.md", "Linking/README.md", "Text/README.md", "Wasi/README.md", "Extensions/README.md", "Cli/README.md",
    ];

    [Theory]
    [MemberData(nameof(Pages))]
    public void CodeDoesWhatThePageShows(string name)
    {
        var page = new Page(InRepository(name));
        Assert.All(page.Blocks, b => Assert.Contains(b.Language, Known));
        Block[] code = [.. page.Blocks.Where(b => b.Language == "csharp" && !IsMarked(b))];
        var shown = new Dictionary<Block, string>();
        if (code.Length > 0)
        {
            string[] outputs = PageProgram.Run(page, code);
            for (int i = 0; i < code.Length; i++)
            {
                Block? output = code[i].Next is { Info: "text" } text ? text : null;
                if (output is not null) shown.Add(output, outputs[i]);
                else Assert.True(outputs[i].Length == 0, $"{name}({code[i].Line}): the page does not show that this writes: {outputs[i]}");
            }
        }
        foreach (Block session in page.Blocks.Where(b => b.Language == "session")) shown.Add(session, Replay(session.Text));
        if (Update)
        {
            page.Rewrite(shown);
            return;
        }
        foreach ((Block block, string text) in shown) Assert.Equal($"{name}({block.Line})\n{block.Text}", $"{name}({block.Line})\n{text}");
    }

    [Theory]
    [MemberData(nameof(Pages))]
    public void ModulesAndScriptsAreValid(string name)
    {
        foreach (Block block in new Page(InRepository(name)).Blocks.Where(b => !IsMarked(b)))
        {
            if (block.Language == "wat") new Engine().CompileText(block.Text);
            else if (block.Language == "twig") Library.NewEngine(TextWriter.Null).Run(block.Text);
        }
    }

    /// <summary>Every page for embedders has code, so that a page whose fences are misspelt does not pass.</summary>
    [Theory]
    [InlineData("getting-started")]
    [InlineData("host-functions")]
    [InlineData("memory-and-strings")]
    [InlineData("linking")]
    [InlineData("limits")]
    [InlineData("threads-and-lifetime")]
    [InlineData("performance")]
    [InlineData("scripting")]
    [InlineData("wasi")]
    [InlineData("components")]
    [InlineData("linking-builtins")]
    [InlineData("guest-jit")]
    public void PagesForEmbeddersHaveCode(string name)
    {
        var page = new Page(InRepository($"Docs/{name}.md"));
        Assert.Contains(page.Blocks, b => b.Language == "csharp" && b.Next is { Info: "text", Text.Length: > 0 });
        Assert.Contains($"Docs/{name}.md", File.ReadAllText(InRepository("README.md")), StringComparison.Ordinal);
    }

    /// <summary><c>```csharp (not run: why)</c></summary>
    private static bool IsMarked(Block block) => block.Info.Contains(" (not run: ", StringComparison.Ordinal);

    /// <summary>Types a session's lines again, those behind prompts. The answer to the first is the first time they are seen.</summary>
    private static string Replay(string session)
    {
        IEnumerable<string> lines = session.Split('\n').Where(l => l.StartsWith("> ", StringComparison.Ordinal) || l.StartsWith(". ", StringComparison.Ordinal));
        var output = new StringWriter { NewLine = "\n" };
        new Repl(Library.NewEngine(output), new StringReader(string.Join('\n', lines.Select(l => l[2..]))), output, echo: true).Run();
        string text = output.ToString().ReplaceLineEndings("\n");
        return text[..text.LastIndexOf("> ", StringComparison.Ordinal)];
    }

    internal static string InRepository(string path) => Path.GetFullPath(Path.Combine(Path.GetDirectoryName(Here())!, "..", "..", path));

    private static string Here([CallerFilePath] string path = "") => path;
}
