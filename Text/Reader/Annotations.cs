namespace WasmJit.Text;

/// <summary>An annotation (spec 6.3.5).</summary>
/// <param name="Token">The index of the token that follows it.</param>
/// <param name="Position">Where it is in the text.</param>
/// <param name="Name">The name behind the at sign.</param>
/// <param name="Content">Its tokens without the parentheses around them.</param>
internal sealed record Annotation(int Token, int Position, string Name, Token[] Content)
{
    internal const string Custom = "custom", ItemName = "name", BranchHint = "metadata.code.branch_hint";

    /// <summary>Whether a reader has taken it at a place where it has a meaning.</summary>
    internal bool IsRead { get; set; }

    /// <summary>Whether it has a meaning. Other annotations are comments.</summary>
    internal bool IsKnown => Name is Custom or ItemName or BranchHint;
}

/// <summary>The annotations of a text that have a meaning, by the token that follows them.</summary>
internal sealed class AnnotationList
{
    internal static readonly AnnotationList Empty = new([]);

    private readonly ILookup<int, Annotation> byToken;
    private readonly List<Annotation> all;

    private AnnotationList(List<Annotation> all)
    {
        this.all = all;
        byToken = all.ToLookup(a => a.Token);
    }

    internal bool IsEmpty => all.Count == 0;

    /// <summary>Takes the annotations with a name right before a token.</summary>
    internal IReadOnlyList<Annotation> Take(int token, string name)
    {
        if (all.Count == 0) return [];
        List<Annotation> found = [.. byToken[token].Where(a => a.Name == name)];
        foreach (Annotation annotation in found) annotation.IsRead = true;
        return found;
    }

    /// <summary>The annotations between two tokens that were not taken.</summary>
    internal IEnumerable<Annotation> Unread(int first, int last) => all.Where(a => !a.IsRead && a.Token >= first && a.Token <= last);

    /// <summary>Takes the annotations out of a text's tokens.</summary>
    internal static (Token[] Tokens, AnnotationList Annotations) Split(string text, List<Token> tokens)
    {
        if (tokens.FindIndex(t => t.Kind == TokenKind.Annotation) < 0) return ([.. tokens], Empty);
        var kept = new List<Token>(tokens.Count);
        var found = new List<Annotation>();
        for (int i = 0; i < tokens.Count; i++)
        {
            if (tokens[i].Kind != TokenKind.Annotation)
            {
                kept.Add(tokens[i]);
                continue;
            }
            Token head = tokens[i];
            int start = i + 1;
            for (int depth = 1; depth > 0;)
            {
                switch (tokens[++i].Kind)
                {
                    case TokenKind.Open: depth++; break;
                    case TokenKind.Close: depth--; break;
                    case TokenKind.End: throw Source.Error(text, head.Position, "unclosed annotation");
                }
            }
            var annotation = new Annotation(kept.Count, head.Position, head.Text, [.. tokens[start..i]]);
            if (annotation.IsKnown) found.Add(annotation);
        }
        return ([.. kept], new AnnotationList(found));
    }
}
