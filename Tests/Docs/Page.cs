using System.Text;

namespace WasmJit.Tests.Docs;

/// <summary>A fenced block of a page.</summary>
/// <param name="Info">What stands behind the fence: the language, and after it perhaps a remark.</param>
/// <param name="Text">The lines, each with its end.</param>
/// <param name="Line">The number of its first line, from 1.</param>
internal sealed record Block(string Info, string Text, int Line)
{
    internal string Language => Info.Split(' ')[0];

    /// <summary>The next block of the page.</summary>
    internal Block? Next { get; set; }
}

/// <summary>
/// A page in Markdown, and its blocks. Code that readers need not see, which makes files for example, stands in a comment that
/// begins with <c>&lt;!-- run</c>.
/// </summary>
internal sealed class Page
{
    private readonly string path;
    private readonly string[] lines;

    internal Page(string path)
    {
        this.path = path;
        lines = File.ReadAllText(path).ReplaceLineEndings("\n").Split('\n');
        Blocks = Read();
    }

    internal string Name => Path.GetFileName(path);

    internal IReadOnlyList<Block> Blocks { get; }

    private List<Block> Read()
    {
        var blocks = new List<Block>();
        Block? before = null;
        for (int i = 0; i < lines.Length; i++)
        {
            bool hidden = lines[i].StartsWith("<!-- run", StringComparison.Ordinal);
            if (!hidden && !lines[i].StartsWith("```", StringComparison.Ordinal)) continue;
            string info = hidden ? "csharp" : lines[i][3..].Trim(), end = hidden ? "-->" : "```";
            int first = ++i;
            while (i < lines.Length && lines[i] != end) i++;
            if (i == lines.Length) throw new InvalidDataException($"{Name}({first}): the block does not end.");
            var block = new Block(info, string.Concat(lines[first..i].Select(l => l + "\n")), first + 1);
            if (before is not null) before.Next = block;
            before = block;
            blocks.Add(block);
        }
        return blocks;
    }

    /// <summary>Writes the page with other texts in some blocks.</summary>
    internal void Rewrite(IReadOnlyDictionary<Block, string> texts)
    {
        var page = new StringBuilder();
        int line = 0;
        foreach (Block block in Blocks)
        {
            if (!texts.TryGetValue(block, out string? text)) continue;
            for (; line < block.Line - 1; line++) page.Append(lines[line]).Append('\n');
            page.Append(text);
            line += block.Text.Count(c => c == '\n');
        }
        page.AppendJoin('\n', lines[line..]);
        File.WriteAllText(path, page.ToString());
    }
}
