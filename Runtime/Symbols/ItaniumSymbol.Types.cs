namespace WasmJit.Runtime;

/// <summary>Types, template arguments and substitutions.</summary>
internal ref partial struct ItaniumSymbol
{
    private static string? Builtin(char c) => c switch
    {
        'v' => "void",
        'w' => "wchar_t",
        'b' => "bool",
        'c' => "char",
        'a' => "signed char",
        'h' => "unsigned char",
        's' => "short",
        't' => "unsigned short",
        'i' => "int",
        'j' => "unsigned int",
        'l' => "long",
        'm' => "unsigned long",
        'x' => "long long",
        'y' => "unsigned long long",
        'n' => "__int128",
        'o' => "unsigned __int128",
        'f' => "float",
        'd' => "double",
        'e' => "long double",
        'g' => "__float128",
        'z' => "...",
        _ => null,
    };

    private static string? LongBuiltin(char c) => c switch
    {
        'a' => "auto",
        'c' => "decltype(auto)",
        'n' => "std::nullptr_t",
        'i' => "char32_t",
        's' => "char16_t",
        'u' => "char8_t",
        'h' => "_Float16",
        'f' => "decimal32",
        'd' => "decimal64",
        'e' => "decimal128",
        _ => null,
    };

    private Part Type()
    {
        Enter();
        // What a type has in angle brackets are not the arguments of the function.
        List<string> before = arguments;
        Part part = TypeInside(out bool keeps);
        arguments = before;
        Checked(part.Text);
        if (keeps) Remember(part);
        depth--;
        return part;
    }

    private Part TypeInside(out bool keeps)
    {
        keeps = false;
        char c = Peek();
        if (Builtin(c) is { } builtin)
        {
            at++;
            return new Part(builtin);
        }
        keeps = true;
        switch (c)
        {
            case 'P': at++; return Pointer("*");
            case 'R': at++; return Pointer("&");
            case 'O': at++; return Pointer("&&");
            case 'K' or 'V' or 'r':
                at++;
                Part inner = Type();
                string word = c switch { 'K' => " const", 'V' => " volatile", _ => " restrict" };
                return new Part(inner.Left + word, inner.Right);
            case 'F': return FunctionType();
            case 'A': return ArrayType();
            case 'M':
                at++;
                Part owner = Type(), member = Type();
                return member.Right.StartsWith('(') ? new Part($"{member.Left} ({owner.Text}::*", ")" + member.Right) : new Part($"{member.Left} {owner.Text}::*", member.Right);
            case 'C':
                at++;
                return new Part(Type().Text + " _Complex");
            case 'T':
                string parameter = TemplateParameter();
                if (Peek() != 'I') return new Part(parameter);
                Remember(new Part(parameter));
                return new Part(parameter + Arguments());
            case 'D' when LongBuiltin(Peek(1)) is { } name:
                at += 2;
                keeps = false;
                return new Part(name);
            case 'D' when Peek(1) == 'p':
                at += 2;
                return new Part(Type().Text);
            case 'D' when Peek(1) is 'o' or 'O' or 'w' or 'x':
                // Exception specifications of function types.
                if (Peek(1) != 'o') throw new MangledNameException();
                at += 2;
                return FunctionType();
            case 'D': throw new MangledNameException();
            case 'u':
                at++;
                return new Part(Source());
            case 'S' when Peek(1) != 't':
                Part substituted = Substitution();
                if (Peek() != 'I')
                {
                    keeps = false;
                    return substituted;
                }
                return new Part(substituted.Text + Arguments());
            default:
                (bool, bool, string) saved = (endsWithArguments, isSpecialMember, qualifiers);
                string text = Name();
                (endsWithArguments, isSpecialMember, qualifiers) = saved;
                return new Part(text);
        }
    }

    private Part Pointer(string sign)
    {
        Part to = Type();
        if (to.Right.StartsWith('[')) return new Part($"{to.Left} ({sign}", ") " + to.Right);
        return to.Right.StartsWith('(') ? new Part($"{to.Left} ({sign}", ")" + to.Right) : new Part(to.Left + sign, to.Right);
    }

    private Part FunctionType()
    {
        Expect('F');
        Eat('Y');
        Part result = Type();
        string parameters = Parameters();
        string behind = Eat('R') ? " &" : Eat('O') ? " &&" : "";
        Expect('E');
        return new Part(result.Left, $"({parameters}){behind}{result.Right}");
    }

    private Part ArrayType()
    {
        Expect('A');
        string size = char.IsAsciiDigit(Peek()) ? Number().ToString(System.Globalization.CultureInfo.InvariantCulture) : "";
        Expect('_');
        Part element = Type();
        return new Part(element.Left, $"[{size}]{element.Right}");
    }

    private string TemplateParameter()
    {
        Expect('T');
        int index = char.IsAsciiDigit(Peek()) ? Number() + 1 : 0;
        Expect('_');
        // In a lambda's or an operator's type they may come before their arguments.
        return index < arguments.Count ? arguments[index] : throw new MangledNameException();
    }

    private string Arguments()
    {
        Expect('I');
        Enter();
        var list = new List<string>();
        var own = new List<string>();
        while (!Eat('E'))
        {
            string argument = Argument();
            own.Add(argument);
            if (argument.Length > 0) list.Add(argument);
            if (own.Count > 200) throw new MangledNameException();
        }
        depth--;
        arguments = own;
        string joined = string.Join(", ", list);
        return Checked($"<{joined}{(joined.EndsWith('>') ? " " : "")}>");
    }

    private string Argument()
    {
        switch (Peek())
        {
            case 'L': return Literal();
            case 'X': throw new MangledNameException();
            case 'J':
                at++;
                var pack = new List<string>();
                while (!Eat('E'))
                {
                    Enter();
                    depth--;
                    pack.Add(Argument());
                }
                return Checked(string.Join(", ", pack.Where(p => p.Length > 0)));
            default: return Type().Text;
        }
    }

    private string Literal()
    {
        Expect('L');
        if (Eat("_Z"))
        {
            (bool, bool, string) saved = (endsWithArguments, isSpecialMember, qualifiers);
            string function = Encoding();
            (endsWithArguments, isSpecialMember, qualifiers) = saved;
            Expect('E');
            return function;
        }
        char kind = Peek();
        string type = Type().Text;
        int start = at;
        while (Peek() is not ('E' or '\0')) at++;
        string digits = text[start..at].ToString();
        Expect('E');
        if (digits.StartsWith('n')) digits = "-" + digits[1..];
        return kind switch
        {
            'b' => digits == "0" ? "false" : "true",
            'i' => digits,
            'j' => digits + "u",
            'l' => digits + "l",
            'm' => digits + "ul",
            _ => $"({type}){digits}",
        };
    }

    private Part Substitution()
    {
        Expect('S');
        switch (Peek())
        {
            case 'a': at++; return new Part("std::allocator");
            case 'b': at++; return new Part("std::basic_string");
            case 's': at++; return new Part("std::string");
            case 'i': at++; return new Part("std::istream");
            case 'o': at++; return new Part("std::ostream");
            case 'd': at++; return new Part("std::iostream");
        }
        int index = 0;
        if (!Eat('_'))
        {
            while (!Eat('_'))
            {
                char c = Next();
                int digit = char.IsAsciiDigit(c) ? c - '0' : c is >= 'A' and <= 'Z' ? c - 'A' + 10 : throw new MangledNameException();
                index = (index * 36) + digit;
                if (index > MaxSubstitutions) throw new MangledNameException();
            }
            index++;
        }
        return index < substitutions.Count ? substitutions[index] : throw new MangledNameException();
    }
}
