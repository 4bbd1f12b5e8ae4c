using System.Globalization;
using System.Text;

namespace WasmJit.Runtime;

/// <summary>The names of Rust as its RFC 2603 defines them (<c>_R</c>). Hashes of crates are left out.</summary>
internal ref struct RustSymbol
{
    private const int MaxDepth = 100, MaxSteps = 20_000;

    private readonly ReadOnlySpan<char> text;
    private readonly StringBuilder output = new();
    private int at, depth, steps, lifetimes, silent;

    private RustSymbol(ReadOnlySpan<char> text) => this.text = text;

    /// <summary>The path; null if the name is not of this scheme.</summary>
    internal static string? Demangle(string name)
    {
        if (!name.StartsWith("_R", StringComparison.Ordinal)) return null;
        // Suffixes of tools behind a dot are not part of the name.
        int end = name.IndexOf('.');
        ReadOnlySpan<char> text = name.AsSpan(2, (end < 0 ? name.Length : end) - 2);
        if (text.IsEmpty || text.IndexOfAnyExceptInRange('\0', '\x7f') >= 0) return null;
        var symbol = new RustSymbol(text);
        try
        {
            if (char.IsAsciiDigit(text[0])) return null;
            symbol.Path(inValue: true);
            // The crate that instantiated it.
            if (symbol.at < text.Length)
            {
                symbol.silent++;
                symbol.Path(inValue: false);
            }
            return symbol.at == text.Length ? symbol.output.ToString() : null;
        }
        catch (MangledNameException)
        {
            return null;
        }
    }

    private void Enter()
    {
        if (++depth > MaxDepth || ++steps > MaxSteps) throw new MangledNameException();
    }

    private void Write(string part)
    {
        if (silent > 0) return;
        output.Append(part);
        if (output.Length > Demangler.MaxResult) throw new MangledNameException();
    }

    private char Next() => at < text.Length ? text[at++] : throw new MangledNameException();

    private bool Eat(char c)
    {
        if (at >= text.Length || text[at] != c) return false;
        at++;
        return true;
    }

    private ulong Base62()
    {
        if (Eat('_')) return 0;
        ulong value = 0;
        while (true)
        {
            char c = Next();
            if (c == '_') return value + 1;
            uint digit = c is >= '0' and <= '9' ? (uint)(c - '0') : c is >= 'a' and <= 'z' ? (uint)(c - 'a' + 10) : c is >= 'A' and <= 'Z' ? (uint)(c - 'A' + 36) : throw new MangledNameException();
            if (value > (ulong.MaxValue / 62) - 62) throw new MangledNameException();
            value = (value * 62) + digit;
        }
    }

    private ulong Disambiguator() => Eat('s') ? Base62() + 1 : 0;

    private string Identifier(out ulong disambiguator)
    {
        disambiguator = Disambiguator();
        bool isPunycode = Eat('u');
        int length = 0;
        if (!Eat('0'))
        {
            if (at >= text.Length || !char.IsAsciiDigit(text[at])) throw new MangledNameException();
            while (at < text.Length && char.IsAsciiDigit(text[at]) && length < Demangler.MaxLength) length = (length * 10) + (text[at++] - '0');
        }
        Eat('_');
        if (length > text.Length - at) throw new MangledNameException();
        string name = text.Slice(at, length).ToString();
        at += length;
        return isPunycode ? Punycode(name) : name;
    }

    /// <summary>Decodes an identifier with letters beyond ASCII (RFC 3492, with <c>_</c> for the hyphen).</summary>
    private static string Punycode(string name)
    {
        int split = name.LastIndexOf('_');
        var runes = new List<int>();
        for (int i = 0; i < split; i++) runes.Add(name[i]);
        long n = 128, i0 = 0, bias = 72;
        int at = split + 1;
        while (at < name.Length)
        {
            long old = i0, w = 1;
            for (long k = 36; ; k += 36)
            {
                if (at >= name.Length) throw new MangledNameException();
                char c = name[at++];
                int digit = c is >= 'a' and <= 'z' ? c - 'a' : c is >= '0' and <= '9' ? c - '0' + 26 : throw new MangledNameException();
                i0 += digit * w;
                long t = Math.Clamp(k - bias, 1, 26);
                if (digit < t) break;
                w *= 36 - t;
                if (i0 > int.MaxValue || w > int.MaxValue) throw new MangledNameException();
            }
            long count = runes.Count + 1, delta = old == 0 ? (i0 - old) / 700 : (i0 - old) / 2;
            delta += delta / count;
            long steps = 0;
            for (; delta > 35 * 26 / 2; steps += 36) delta /= 35;
            bias = steps + (36 * delta / (delta + 38));
            n += i0 / count;
            i0 %= count;
            if (n > 0x10ffff || !Rune.IsValid((int)n) || runes.Count > 500) throw new MangledNameException();
            runes.Insert((int)i0++, (int)n);
        }
        return string.Concat(runes.Select(r => new Rune(r).ToString()));
    }

    private void Path(bool inValue)
    {
        Enter();
        char kind = Next();
        switch (kind)
        {
            case 'C':
                Write(Identifier(out _));
                break;
            case 'M' or 'X':
                // The place of an impl is not shown.
                silent++;
                Disambiguator();
                Path(inValue: false);
                silent--;
                Write("<");
                Type();
                if (kind == 'X')
                {
                    Write(" as ");
                    Path(inValue: false);
                }
                Write(">");
                break;
            case 'Y':
                Write("<");
                Type();
                Write(" as ");
                Path(inValue: false);
                Write(">");
                break;
            case 'N':
                char space = Next();
                Path(inValue);
                string name = Identifier(out ulong number);
                if (char.IsAsciiLetterUpper(space))
                {
                    Write("::{");
                    Write(space switch { 'C' => "closure", 'S' => "shim", _ => space.ToString() });
                    if (name.Length > 0) Write(":" + name);
                    Write($"#{number.ToString(CultureInfo.InvariantCulture)}}}");
                }
                else if (name.Length > 0)
                {
                    Write("::" + name);
                }
                break;
            case 'I':
                Path(inValue);
                Write(inValue ? "::<" : "<");
                for (bool first = true; !Eat('E'); first = false)
                {
                    if (!first) Write(", ");
                    GenericArgument();
                }
                Write(">");
                break;
            case 'B':
                int back = Jump();
                Path(inValue);
                at = back;
                break;
            default: throw new MangledNameException();
        }
        depth--;
    }

    /// <summary>Goes to where a reference back leads, and gives the place behind it.</summary>
    private int Jump()
    {
        int from = at - 1;
        ulong target = Base62();
        if (target >= (ulong)from) throw new MangledNameException();
        int behind = at;
        at = (int)target;
        return behind;
    }

    private void GenericArgument()
    {
        if (Eat('L')) Lifetime(Base62());
        else if (Eat('K')) Constant();
        else Type();
    }

    private void Lifetime(ulong index)
    {
        if (index == 0)
        {
            Write("'_");
            return;
        }
        if (index > (ulong)lifetimes) throw new MangledNameException();
        ulong number = (ulong)lifetimes - index;
        Write(number < 26 ? $"'{(char)('a' + number)}" : $"'_{number.ToString(CultureInfo.InvariantCulture)}");
    }

    private static string? Basic(char c) => c switch
    {
        'a' => "i8",
        'b' => "bool",
        'c' => "char",
        'd' => "f64",
        'e' => "str",
        'f' => "f32",
        'h' => "u8",
        'i' => "isize",
        'j' => "usize",
        'l' => "i32",
        'm' => "u32",
        'n' => "i128",
        'o' => "u128",
        'p' => "_",
        's' => "i16",
        't' => "u16",
        'u' => "()",
        'v' => "...",
        'x' => "i64",
        'y' => "u64",
        'z' => "!",
        _ => null,
    };

    private void Type()
    {
        Enter();
        char kind = Next();
        if (Basic(kind) is { } basic)
        {
            Write(basic);
            depth--;
            return;
        }
        switch (kind)
        {
            case 'R' or 'Q':
                Write("&");
                if (Eat('L') && Base62() is var lifetime and not 0)
                {
                    Lifetime(lifetime);
                    Write(" ");
                }
                if (kind == 'Q') Write("mut ");
                Type();
                break;
            case 'P':
                Write("*const ");
                Type();
                break;
            case 'O':
                Write("*mut ");
                Type();
                break;
            case 'A':
                Write("[");
                Type();
                Write("; ");
                Constant();
                Write("]");
                break;
            case 'S':
                Write("[");
                Type();
                Write("]");
                break;
            case 'T':
                Write("(");
                int count = 0;
                for (; !Eat('E'); count++)
                {
                    if (count > 0) Write(", ");
                    Type();
                }
                Write(count == 1 ? ",)" : ")");
                break;
            case 'F': Function(); break;
            case 'D': Dynamic(); break;
            case 'B':
                int back = Jump();
                Type();
                at = back;
                break;
            default:
                at--;
                Path(inValue: false);
                break;
        }
        depth--;
    }

    private int Binder()
    {
        if (!Eat('G')) return 0;
        ulong count = Base62() + 1;
        if (count > 100) throw new MangledNameException();
        Write("for<");
        for (ulong i = 0; i < count; i++)
        {
            lifetimes++;
            if (i > 0) Write(", ");
            Lifetime(1);
        }
        Write("> ");
        return (int)count;
    }

    private void Function()
    {
        int bound = Binder();
        if (Eat('U')) Write("unsafe ");
        if (Eat('K')) Write(Eat('C') ? "extern \"C\" " : $"extern \"{Identifier(out _).Replace('_', '-')}\" ");
        Write("fn(");
        for (bool first = true; !Eat('E'); first = false)
        {
            if (!first) Write(", ");
            Type();
        }
        Write(")");
        if (!Eat('u'))
        {
            Write(" -> ");
            Type();
        }
        lifetimes -= bound;
    }

    private void Dynamic()
    {
        Write("dyn ");
        int bound = Binder();
        for (bool first = true; !Eat('E'); first = false)
        {
            if (!first) Write(" + ");
            Path(inValue: false);
            while (Eat('p'))
            {
                Write($"<{Identifier(out _)} = ");
                Type();
                Write(">");
            }
        }
        lifetimes -= bound;
        if (!Eat('L')) throw new MangledNameException();
        if (Base62() is var lifetime and not 0)
        {
            Write(" + ");
            Lifetime(lifetime);
        }
    }

    private void Constant()
    {
        Enter();
        char kind = Next();
        switch (kind)
        {
            case 'p': Write("_"); break;
            case 'B':
                int back = Jump();
                Constant();
                at = back;
                break;
            default:
                if (Basic(kind) is null) throw new MangledNameException();
                if (Eat('n')) Write("-");
                int start = at;
                while (at < text.Length && char.IsAsciiHexDigitLower(text[at])) at++;
                ReadOnlySpan<char> digits = text[start..at];
                if (!Eat('_')) throw new MangledNameException();
                if (!ulong.TryParse(digits.IsEmpty ? "0" : digits, NumberStyles.AllowHexSpecifier, null, out ulong value)) Write($"0x{digits}");
                else if (kind == 'b') Write(value == 0 ? "false" : "true");
                else if (kind == 'c') Write(Rune.IsValid((uint)Math.Min(value, uint.MaxValue)) ? $"'{new Rune((uint)value)}'" : throw new MangledNameException());
                else Write(value.ToString(CultureInfo.InvariantCulture));
                break;
        }
        depth--;
    }
}
