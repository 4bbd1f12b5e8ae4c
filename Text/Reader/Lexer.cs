using System.Globalization;
using System.Text;

namespace WasmJit.Text;

internal enum TokenKind : byte { Open, Close, Atom, Id, String, Annotation, End }

/// <summary>A token (spec 6.3). <see cref="Text"/> of an id is its name without the dollar; strings have bytes.</summary>
internal readonly record struct Token(TokenKind Kind, int Position, string Text, byte[]? Bytes);

/// <summary>Splits text into tokens without comments and white space. Annotations are kept apart.</summary>
internal sealed class Lexer
{
    private static readonly UTF8Encoding Strict = new(false, throwOnInvalidBytes: true);

    private readonly string text;
    private readonly List<Token> tokens = [];
    private int at;

    /// <summary>The number of open parentheses in an annotation. All tokens are allowed there.</summary>
    private int annotations;

    private Lexer(string text) => this.text = text;

    /// <summary>Reads a text. The last token is of kind End.</summary>
    /// <exception cref="WatException">A character or token is not in the format.</exception>
    internal static Source Read(ReadOnlySpan<byte> bytes)
    {
        string text;
        try
        {
            text = Strict.GetString(bytes);
        }
        catch (ArgumentException)
        {
            throw new WatException("malformed UTF-8 encoding", 1, 1);
        }
        return Read(text);
    }

    internal static Source Read(string text)
    {
        var lexer = new Lexer(text);
        lexer.Run();
        (Token[] tokens, AnnotationList annotations) = AnnotationList.Split(text, lexer.tokens);
        return new Source(text, tokens, annotations);
    }

    private WatException Error(string reason, int position) => Source.Error(text, position, reason);

    private void Run()
    {
        while (at < text.Length)
        {
            char c = text[at];
            switch (c)
            {
                case ' ' or '\t' or '\n' or '\r': at++; break;
                case ';' when Next(1) == ';':
                    while (at < text.Length && text[at] is not ('\n' or '\r')) at++;
                    break;
                case '(' when Next(1) == ';': BlockComment(); break;
                case '(' when Next(1) == '@' && annotations == 0: Annotation(); break;
                case '(':
                    if (annotations > 0) annotations++;
                    tokens.Add(new Token(TokenKind.Open, at++, "(", null));
                    break;
                case ')':
                    if (annotations > 0) annotations--;
                    tokens.Add(new Token(TokenKind.Close, at++, ")", null));
                    break;
                default: Word(); break;
            }
        }
        tokens.Add(new Token(TokenKind.End, text.Length, "", null));
    }

    private char Next(int offset) => at + offset < text.Length ? text[at + offset] : '\0';

    private void BlockComment()
    {
        int start = at, depth = 0;
        do
        {
            if (at >= text.Length) throw Error("unclosed comment", start);
            if (text[at] == '(' && Next(1) == ';') (depth, at) = (depth + 1, at + 2);
            else if (text[at] == ';' && Next(1) == ')') (depth, at) = (depth - 1, at + 2);
            else at++;
        }
        while (depth > 0);
    }

    private void Annotation()
    {
        int start = at;
        at += 2;
        string name;
        if (Next(0) == '"')
        {
            byte[] bytes;
            try
            {
                bytes = String();
            }
            catch (WatException)
            {
                throw Error("empty annotation id", start);
            }
            name = Utf8(bytes, start);
        }
        else
        {
            int from = at;
            while (at < text.Length && IsIdChar(text[at])) at++;
            name = text[from..at];
        }
        if (name.Length == 0) throw Error("empty annotation id", start);
        annotations = 1;
        tokens.Add(new Token(TokenKind.Annotation, start, name, null));
    }

    private string Utf8(byte[] bytes, int position)
    {
        try
        {
            return Strict.GetString(bytes);
        }
        catch (ArgumentException)
        {
            throw Error("malformed UTF-8 encoding", position);
        }
    }

    private static bool IsIdChar(char c) => c is >= '!' and <= '~' and not ('"' or '(' or ')' or ',' or ';' or '[' or ']' or '{' or '}');

    /// <summary>Reads characters and strings without space between them: one token.</summary>
    private void Word()
    {
        int start = at;
        byte[]? bytes = null;
        int strings = 0;
        if (text[at] == '\'' && Character()) return;
        while (at < text.Length)
        {
            char c = text[at];
            if (c == '"')
            {
                try
                {
                    bytes = String();
                }
                catch (WatException) when (at > start && text[start] == '$' && strings == 0)
                {
                    throw Error("empty identifier", start);
                }
                strings++;
            }
            else if (IsIdChar(c) || c is ',' or '[' or ']' or '{' or '}' || (c == ';' && Next(1) != ';'))
            {
                at++;
            }
            else
            {
                break;
            }
        }
        if (at == start) throw Error("illegal character", at);
        string word = text[start..at];
        if (strings == 1 && word[0] == '"' && word.IndexOf('"', 1) >= 0 && EndsWithItsString(word))
        {
            tokens.Add(new Token(TokenKind.String, start, word, bytes));
        }
        else if (strings == 1 && word.StartsWith("$\"", StringComparison.Ordinal) && EndsWithItsString(word[1..]))
        {
            string name = Utf8(bytes!, start);
            if (name.Length == 0) throw Error("empty identifier", start);
            tokens.Add(new Token(TokenKind.Id, start, name, null));
        }
        else if (word[0] == '$' && strings == 0 && word.All(IsIdChar))
        {
            if (word.Length == 1) throw Error("empty identifier", start);
            tokens.Add(new Token(TokenKind.Id, start, word[1..], null));
        }
        else
        {
            tokens.Add(new Token(TokenKind.Atom, start, word, null));
        }
    }

    /// <summary>Reads a character of a component's value, such as <c>'a'</c> or <c>' '</c>, if one stands here.</summary>
    private bool Character()
    {
        int start = at;
        try
        {
            byte[] bytes = String('\'');
            if (bytes.Length > 0 && (at == text.Length || text[at] is ' ' or '\t' or '\n' or '\r' or '(' or ')'))
            {
                tokens.Add(new Token(TokenKind.Atom, start, text[start..at], bytes));
                return true;
            }
        }
        catch (WatException)
        {
            // It is a word that begins with this character.
        }
        at = start;
        return false;
    }

    /// <summary>Whether a word that begins with a string ends with it.</summary>
    private static bool EndsWithItsString(string word)
    {
        int i = 1;
        while (i < word.Length && word[i] != '"') i += word[i] == '\\' ? 2 : 1;
        return i == word.Length - 1;
    }

    private byte[] String(char quote = '"')
    {
        int start = at++;
        var bytes = new List<byte>();
        Span<byte> buffer = stackalloc byte[4];
        while (true)
        {
            if (at >= text.Length || text[at] == '\n') throw Error("unclosed string", start);
            char c = text[at];
            if (c == quote)
            {
                at++;
                return [.. bytes];
            }
            if (c < ' ' || c == '\x7f') throw Error("illegal character in string", at);
            if (c != '\\')
            {
                var rune = Rune.GetRuneAt(text, at);
                at += rune.Utf16SequenceLength;
                bytes.AddRange(buffer[..rune.EncodeToUtf8(buffer)]);
                continue;
            }
            char escape = Next(1);
            at += 2;
            switch (escape)
            {
                case 't': bytes.Add((byte)'\t'); break;
                case 'n': bytes.Add((byte)'\n'); break;
                case 'r': bytes.Add((byte)'\r'); break;
                case '"' or '\'' or '\\': bytes.Add((byte)escape); break;
                case 'u':
                    int close = text.IndexOf('}', at);
                    string digits = close > at ? text[(at + 1)..close].Replace("_", "") : "";
                    if (Next(0) != '{' || !uint.TryParse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out uint code)
                        || !Rune.IsValid(code))
                        throw Error("malformed escape in string", at);
                    at = close + 1;
                    bytes.AddRange(buffer[..new Rune(code).EncodeToUtf8(buffer)]);
                    break;
                default:
                    if (!char.IsAsciiHexDigit(escape) || !char.IsAsciiHexDigit(Next(0))) throw Error("malformed escape in string", at - 2);
                    bytes.Add(byte.Parse(text.AsSpan(at - 1, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture));
                    at++;
                    break;
            }
        }
    }
}

/// <summary>A text, its tokens, and the annotations between them.</summary>
internal sealed class Source(string text, Token[] tokens, AnnotationList annotations)
{
    internal Token[] Tokens { get; } = tokens;

    internal AnnotationList Annotations { get; } = annotations;

    /// <summary>Offsets in the module that was encoded last, each with the token that was encoded there.</summary>
    internal IReadOnlyList<(int Offset, int Token)> Places { get; set; } = [];

    private int[]? ends;

    /// <summary>The token behind the closing parenthesis of an opening one; 0 if there is none.</summary>
    internal int EndOf(int token) => (ends ??= FindEnds())[token];

    private int[] FindEnds()
    {
        int[] found = new int[Tokens.Length];
        var open = new Stack<int>();
        for (int i = 0; i < Tokens.Length; i++)
        {
            if (Tokens[i].Kind == TokenKind.Open) open.Push(i);
            else if (Tokens[i].Kind == TokenKind.Close && open.TryPop(out int start)) found[start] = i + 1;
        }
        return found;
    }

    internal WatException Error(int position, string reason) => Error(text, position, reason);

    /// <summary>An error at a token.</summary>
    internal WatException ErrorAt(int token, string reason) => Error(Tokens[token].Position, reason);

    internal static WatException Error(string text, int position, string reason)
    {
        (int line, int column) = Place(text, position);
        return new WatException(reason, line, column);
    }

    internal int Line(int position) => Place(text, position).Line;

    /// <summary>Where in the text stands what has become the byte at an offset of the module; null if nothing is known of it.</summary>
    internal (int Line, int Column)? PlaceOf(long offset)
    {
        int token = -1;
        foreach ((int at, int begin) in Places)
        {
            if (at > offset) break;
            token = begin;
        }
        return token < 0 ? null : Place(text, Tokens[token].Position);
    }

    private static (int Line, int Column) Place(string text, int position)
    {
        position = Math.Min(position, text.Length);
        ReadOnlySpan<char> before = text.AsSpan(0, position);
        return (before.Count('\n') + 1, position - before.LastIndexOf('\n'));
    }
}
