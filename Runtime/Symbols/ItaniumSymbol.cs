using System.Globalization;

namespace WasmJit.Runtime;

/// <summary>
/// The names of C++ in the Itanium scheme: functions with their parameters, templates, operators, lambdas and local names. Names with expressions
/// other than literals are not read.
/// </summary>
internal ref partial struct ItaniumSymbol
{
    private const int MaxDepth = 100, MaxSteps = 20_000, MaxSubstitutions = 500;

    /// <summary>A type: what stands before and what behind a name of the type, as in <c>int (*</c> name <c>)(char)</c>.</summary>
    private readonly record struct Part(string Left, string Right = "")
    {
        internal string Text => Left + Right;
    }

    private readonly ReadOnlySpan<char> text;
    private readonly List<Part> substitutions = [];
    private List<string> arguments = [];
    private int at, depth, steps;

    /// <summary>What is known of a name when it has been read: whether its last part has template arguments, and what follows its parameters.</summary>
    private bool endsWithArguments, isSpecialMember;
    private string qualifiers = "";

    private ItaniumSymbol(ReadOnlySpan<char> text) => this.text = text;

    /// <summary>The name with its parameters; null if the name is not of this scheme, or has parts that are not read.</summary>
    internal static string? Demangle(string name)
    {
        int start = name.StartsWith("_Z", StringComparison.Ordinal) ? 2 : name.StartsWith("__Z", StringComparison.Ordinal) ? 3 : 0;
        if (start == 0 || name.AsSpan().IndexOfAnyExceptInRange('!', '~') >= 0) return null;
        int end = name.IndexOf('.');
        var symbol = new ItaniumSymbol(name.AsSpan(start, (end < 0 ? name.Length : end) - start));
        try
        {
            string result = symbol.Encoding();
            return symbol.at == symbol.text.Length ? result : null;
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

    private static string Checked(string made) => made.Length <= Demangler.MaxResult ? made : throw new MangledNameException();

    private readonly char Peek(int ahead = 0) => at + ahead < text.Length ? text[at + ahead] : '\0';

    private char Next() => at < text.Length ? text[at++] : throw new MangledNameException();

    private bool Eat(char c)
    {
        if (Peek() != c) return false;
        at++;
        return true;
    }

    private bool Eat(string two)
    {
        if (Peek() != two[0] || Peek(1) != two[1]) return false;
        at += 2;
        return true;
    }

    private void Expect(char c)
    {
        if (!Eat(c)) throw new MangledNameException();
    }

    private int Number()
    {
        int value = 0, start = at;
        while (char.IsAsciiDigit(Peek()))
        {
            value = (value * 10) + Next() - '0';
            if (value > Demangler.MaxLength * 10) throw new MangledNameException();
        }
        return at > start ? value : throw new MangledNameException();
    }

    private void Remember(Part part)
    {
        if (substitutions.Count >= MaxSubstitutions) throw new MangledNameException();
        substitutions.Add(part);
    }

    private string Encoding()
    {
        Enter();
        if (Special() is { } special)
        {
            depth--;
            return special;
        }
        qualifiers = "";
        string name = Name();
        (bool hasReturn, string behind) = (endsWithArguments && !isSpecialMember, qualifiers);
        depth--;
        if (at >= text.Length || Peek() is 'E' or '.') return name;
        Part result = hasReturn ? Type() : new Part("");
        string parameters = Parameters();
        return Checked(hasReturn ? $"{result.Left}{(result.Right.Length == 0 ? " " : "")}{name}({parameters}){result.Right}{behind}" : $"{name}({parameters}){behind}");
    }

    /// <summary>Tables, thunks and guards.</summary>
    private string? Special()
    {
        if (Eat("GV")) return Checked("guard variable for " + Name());
        if (Eat("TV")) return Checked("vtable for " + Type().Text);
        if (Eat("TT")) return Checked("VTT for " + Type().Text);
        if (Eat("TI")) return Checked("typeinfo for " + Type().Text);
        if (Eat("TS")) return Checked("typeinfo name for " + Type().Text);
        if (!Eat("Th")) return null;
        Eat('n');
        Number();
        Expect('_');
        return Checked("non-virtual thunk to " + Encoding());
    }

    private string Parameters()
    {
        if (Peek() == 'v' && (at + 1 == text.Length || Peek(1) is 'E' or '.'))
        {
            at++;
            return "";
        }
        var list = new List<string>();
        while (at < text.Length && Peek() is not ('E' or '.'))
        {
            if (Type().Text is { Length: > 0 } parameter) list.Add(parameter);
            if (list.Count > 200) throw new MangledNameException();
        }
        return Checked(string.Join(", ", list));
    }

    private string Name()
    {
        Enter();
        endsWithArguments = isSpecialMember = false;
        string name;
        if (Peek() == 'N')
        {
            name = Nested();
        }
        else if (Eat('Z'))
        {
            name = Local();
        }
        else
        {
            bool isSubstitution = Peek() == 'S' && Peek(1) != 't';
            if (isSubstitution) name = Substitution().Text;
            else name = Eat("St") ? "std::" + Unqualified(null) : Unqualified(null);
            if (Peek() == 'I')
            {
                if (!isSubstitution) Remember(new Part(name));
                name = Checked(name + Arguments());
                endsWithArguments = true;
            }
        }
        depth--;
        return name;
    }

    private string Local()
    {
        (bool, bool, string) saved = (endsWithArguments, isSpecialMember, qualifiers);
        string outer = Encoding();
        (endsWithArguments, isSpecialMember, qualifiers) = saved;
        Expect('E');
        if (Eat('s'))
        {
            Discriminator();
            return Checked(outer + "::string literal");
        }
        if (Eat('d'))
        {
            if (char.IsAsciiDigit(Peek())) Number();
            Expect('_');
        }
        string inner = Name();
        Discriminator();
        return Checked($"{outer}::{inner}");
    }

    private void Discriminator()
    {
        if (Peek() != '_' || !(char.IsAsciiDigit(Peek(1)) || Peek(1) == '_')) return;
        at++;
        if (Eat('_'))
        {
            Number();
            Expect('_');
        }
        else
        {
            at++;
        }
    }

    private string Nested()
    {
        Expect('N');
        string behind = "";
        while (Peek() is 'r' or 'V' or 'K') behind = (Next() switch { 'r' => " restrict", 'V' => " volatile", _ => " const" }) + behind;
        if (Eat('R')) behind += " &";
        else if (Eat('O')) behind += " &&";
        string? name = null;
        bool hasArguments = false, isSpecial = false;
        while (!Eat('E'))
        {
            Enter();
            depth--;
            bool keeps = true;
            switch (Peek())
            {
                case 'S' when Peek(1) == 't':
                    at += 2;
                    name = "std";
                    keeps = false;
                    break;
                case 'S':
                    name = Substitution().Text;
                    keeps = false;
                    break;
                case 'T':
                    name = TemplateParameter();
                    break;
                case 'I' when name is not null:
                    name += Arguments();
                    hasArguments = true;
                    break;
                case 'D' when Peek(1) is 't' or 'T': throw new MangledNameException();
                default:
                    bool isMember = Peek() == 'C' || (Peek() == 'D' && Peek(1) is >= '0' and <= '5') || (Peek() == 'c' && Peek(1) == 'v');
                    string part = Unqualified(name);
                    name = name is null ? part : $"{name}::{part}";
                    isSpecial = isMember;
                    hasArguments = false;
                    break;
            }
            Checked(name!);
            if (keeps && Peek() != 'E') Remember(new Part(name!));
        }
        (endsWithArguments, isSpecialMember, qualifiers) = (hasArguments, isSpecial, behind);
        return name ?? throw new MangledNameException();
    }

    /// <summary>The last part of a scope, without template arguments.</summary>
    private static string LastOf(string? scope)
    {
        if (scope is null) throw new MangledNameException();
        int end = scope.Length, nesting = 0;
        int start = end;
        for (int i = scope.Length - 1; i >= 0; i--)
        {
            if (scope[i] == '>') nesting++;
            if (scope[i] == '<' && --nesting == 0) end = i;
            if (nesting == 0 && scope[i] == ':') break;
            start = i;
        }
        return start < end ? scope[start..end] : scope;
    }

    private string Unqualified(string? scope)
    {
        Enter();
        depth--;
        string name;
        char c = Peek();
        if (char.IsAsciiDigit(c))
        {
            name = Source();
        }
        else if (c == 'L')
        {
            at++;
            return Unqualified(scope);
        }
        else if (c == 'C')
        {
            at++;
            if (Next() is not (>= '1' and <= '5')) throw new MangledNameException();
            name = LastOf(scope);
        }
        else if (c == 'D' && Peek(1) is >= '0' and <= '5')
        {
            at += 2;
            name = "~" + LastOf(scope);
        }
        else if (Eat("Ul"))
        {
            string parameters = LambdaParameters();
            name = $"{{lambda({parameters})#{Ordinal()}}}";
        }
        else if (Eat("Ut"))
        {
            name = $"{{unnamed type#{Ordinal()}}}";
        }
        else
        {
            name = OperatorName();
        }
        while (Eat('B')) name += $"[abi:{Source()}]";
        return Checked(name);
    }

    private string LambdaParameters()
    {
        string parameters = Parameters();
        Expect('E');
        return parameters;
    }

    private string Ordinal()
    {
        int number = char.IsAsciiDigit(Peek()) ? Number() + 2 : 1;
        Expect('_');
        return number.ToString(CultureInfo.InvariantCulture);
    }

    private string Source()
    {
        int length = Number();
        if (length == 0 || length > text.Length - at) throw new MangledNameException();
        string name = text.Slice(at, length).ToString();
        at += length;
        return name.StartsWith("_GLOBAL__N", StringComparison.Ordinal) ? "(anonymous namespace)" : name;
    }

    private static readonly string[] Operators =
    [
        "nw new", "na new[]", "dl delete", "da delete[]", "ps +", "ng -", "ad &", "de *", "co ~", "pl +", "mi -", "ml *", "dv /", "rm %", "an &", "or |", "eo ^",
        "aS =", "pL +=", "mI -=", "mL *=", "dV /=", "rM %=", "aN &=", "oR |=", "eO ^=", "ls <<", "rs >>", "lS <<=", "rS >>=", "eq ==", "ne !=", "lt <", "gt >",
        "le <=", "ge >=", "ss <=>", "nt !", "aa &&", "oo ||", "pp ++", "mm --", "cm ,", "pm ->*", "pt ->", "cl ()", "ix []", "qu ?", "aw co_await",
    ];

    private string OperatorName()
    {
        if (Eat("cv")) return $"operator {Type().Text}";
        if (Eat("li")) return $"operator\"\"{Source()}";
        if (at + 2 > text.Length) throw new MangledNameException();
        foreach (string known in Operators)
        {
            if (!Eat(known)) continue;
            string sign = known[3..];
            return char.IsAsciiLetter(sign[0]) ? "operator " + sign : "operator" + sign;
        }
        throw new MangledNameException();
    }
}
