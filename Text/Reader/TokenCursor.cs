using WasmJit.Jit.Operators;

namespace WasmJit.Text;

/// <summary>A position in a list of tokens, with the basic steps of all readers.</summary>
internal abstract class TokenCursor(Source source, int position, int end)
{
    protected Source Source { get; } = source;

    /// <summary>The token that comes next.</summary>
    protected int Position { get; set; } = position;

    protected int Last { get; } = end;

    protected Token Current => Position < Last ? Source.Tokens[Position] : Source.Tokens[^1];

    protected Token Peek(int offset) => Position + offset < Last ? Source.Tokens[Position + offset] : Source.Tokens[^1];

    protected WatException Error(string reason) => Source.Error(Current.Position, reason);

    /// <summary>The error of an unexpected token. A word that is nowhere in the format is an unknown operator.</summary>
    protected virtual WatException Unexpected()
    {
        if (Current.Kind == TokenKind.Atom && !IsKnown(Current.Text)) return Error($"unknown operator {Current.Text}");
        return Error(Current.Kind == TokenKind.End ? "unexpected token: the text ends" : $"unexpected token {Current.Text}");
    }

    private static readonly HashSet<string> Keywords =
    [
        "alias", "array", "binary", "catch", "catch_all", "catch_all_ref", "catch_ref", "data", "declare", "delegate", "descriptor", "describes",
        "do", "elem", "else", "end", "exact", "export", "f32", "f64", "field", "final", "func", "global", "i16", "i32", "i64", "i8",
        "import", "item", "local", "memory", "module", "mut", "nan:arithmetic", "nan:canonical", "null", "offset", "pagesize", "param",
        "quote", "rec", "ref", "result", "shared", "start", "struct", "sub", "table", "tag", "then", "type", "v128", "definition", "instance",
        "scope",
    ];

    private static bool IsKnown(string word) =>
        Keywords.Contains(word) || OperatorTable.Find(word) is not null || word.StartsWith("offset=", StringComparison.Ordinal)
        || word.StartsWith("align=", StringComparison.Ordinal)
        || Numbers.Integer(word, 64, out _) != Numbers.Outcome.NotANumber || Numbers.Float(word, true, out _) != Numbers.Outcome.NotANumber
        || (word.EndsWith("ref", StringComparison.Ordinal) && word.Length < 16);

    protected bool IsOpen(string keyword) =>
        Current.Kind == TokenKind.Open && Peek(1) is { Kind: TokenKind.Atom } next && next.Text == keyword;

    protected bool IsAtom(string text) => Current.Kind == TokenKind.Atom && Current.Text == text;

    protected bool TakeAtom(string text)
    {
        if (!IsAtom(text)) return false;
        Position++;
        return true;
    }

    /// <summary>Takes an opening parenthesis with its keyword, if it is there.</summary>
    protected bool TakeOpen(string keyword)
    {
        if (!IsOpen(keyword)) return false;
        Position += 2;
        return true;
    }

    protected void Open(string keyword)
    {
        if (!TakeOpen(keyword)) throw Unexpected();
    }

    protected void Close()
    {
        if (Current.Kind != TokenKind.Close) throw Unexpected();
        Position++;
    }

    protected string Atom()
    {
        if (Current.Kind != TokenKind.Atom) throw Unexpected();
        return Source.Tokens[Position++].Text;
    }

    protected string? TakeId() => Current.Kind == TokenKind.Id ? Source.Tokens[Position++].Text : null;

    protected byte[] String()
    {
        if (Current.Kind != TokenKind.String) throw Unexpected();
        return Source.Tokens[Position++].Bytes!;
    }

    /// <summary>A string that is a name: valid UTF-8.</summary>
    protected byte[] Name()
    {
        byte[] bytes = String();
        return System.Text.Unicode.Utf8.IsValid(bytes) ? bytes : throw Source.Error(Source.Tokens[Position - 1].Position, "malformed UTF-8 encoding");
    }

    protected bool IsNumber => Current.Kind == TokenKind.Atom && (char.IsAsciiDigit(Current.Text[0]) || Current.Text[0] is '+' or '-');

    protected ulong Unsigned(int bits, string what = "i32 constant")
    {
        if (Current.Kind != TokenKind.Atom) throw Unexpected();
        switch (Numbers.Unsigned(Current.Text, bits, out ulong value))
        {
            case Numbers.Outcome.Ok: Position++; return value;
            case Numbers.Outcome.OutOfRange: throw Error($"{what} out of range: constant out of range");
            default: throw Unexpected();
        }
    }

    /// <summary>Steps over a whole parenthesised expression, or one other token.</summary>
    protected void Skip()
    {
        if (Current.Kind == TokenKind.Open && Source.EndOf(Position) is > 0 and int end && end <= Last)
        {
            Position = end;
            return;
        }
        int depth = 0;
        do
        {
            switch (Current.Kind)
            {
                case TokenKind.Open: depth++; break;
                case TokenKind.Close: depth--; break;
                case TokenKind.End: throw Unexpected();
            }
            Position++;
        }
        while (depth > 0);
    }
}
