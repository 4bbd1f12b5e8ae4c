using System.Globalization;
using System.Text;
using WasmJit.Components;

namespace WasmJit.Cli;

/// <summary>Reads values of component types in the notation of WAVE: <c>{name: "a", sizes: [1, 2]}</c>, <c>some(1)</c>, <c>ok</c>, <c>'x'</c>.</summary>
/// <param name="text">The text.</param>
internal sealed class WaveReader(string text)
{
    /// <summary>How deep values may be in each other.</summary>
    private const int MostDepth = 100;

    private int at, depth;

    /// <summary>The whole text as one value. A string alone needs no quotes.</summary>
    /// <exception cref="FormatException">It is not a value of the type.</exception>
    internal ComponentValue Whole(ComponentValType type)
    {
        if (type is PrimitiveType { Primitive: PrimitiveKind.String } && !text.TrimStart().StartsWith('"')) return ComponentValue.From(text);
        ComponentValue value = Value(type);
        End();
        return value;
    }

    /// <summary>The whole text as the arguments of a call, in parentheses.</summary>
    /// <exception cref="FormatException">They are not those of the function.</exception>
    internal ComponentValue[] Arguments(FunctionType type)
    {
        Expect('(');
        var values = new List<ComponentValue>();
        while (!Accept(')'))
        {
            if (values.Count == type.Parameters.Length) throw Wrong($"it takes {type.Parameters.Length} arguments");
            values.Add(Value(type.Parameters[values.Count].Type));
            if (!Accept(',')) Peek(')');
        }
        End();
        return [.. values];
    }

    private FormatException Wrong(string what) => new($"{what} at \"{(at < text.Length ? text[at..Math.Min(text.Length, at + 20)] : "the end")}\"");

    private void Space()
    {
        while (at < text.Length && char.IsWhiteSpace(text[at])) at++;
    }

    private bool Accept(char c)
    {
        Space();
        if (at == text.Length || text[at] != c) return false;
        at++;
        return true;
    }

    private void Expect(char c)
    {
        if (!Accept(c)) throw Wrong($"'{c}' is expected");
    }

    private void Peek(char c)
    {
        Space();
        if (at == text.Length || text[at] != c) throw Wrong($"',' or '{c}' is expected");
    }

    private void End()
    {
        Space();
        if (at < text.Length) throw Wrong("nothing more is expected");
    }

    private string Word()
    {
        Space();
        if (at < text.Length && text[at] == '%') at++;
        int from = at;
        while (at < text.Length && (char.IsLetterOrDigit(text[at]) || text[at] is '-' or '+' or '.' or '_')) at++;
        return at > from ? text[from..at] : throw Wrong("a value is expected");
    }

    private ComponentValue Value(ComponentValType type)
    {
        if (++depth > MostDepth) throw Wrong("the value is too deep");
        ComponentValue value = type switch
        {
            PrimitiveType primitive => Primitive(primitive.Primitive),
            ListType list => ComponentValue.List(Items('[', ']', list.Element)),
            TupleType tuple => Tuple(tuple),
            RecordType record => Record(record),
            FlagsType flags => Flags(flags),
            EnumType names => ComponentValue.Enum(Label(names.Labels)),
            VariantType variant => Case(variant),
            OptionType option => Option(option),
            ResultType result => Result(result),
            _ => throw Wrong("the function has a parameter that cannot be written as text"),
        };
        depth--;
        return value;
    }

    private List<ComponentValue> Items(char open, char close, ComponentValType type)
    {
        var items = new List<ComponentValue>();
        Expect(open);
        while (!Accept(close))
        {
            items.Add(Value(type));
            if (!Accept(',')) Peek(close);
        }
        return items;
    }

    private ComponentValue Tuple(TupleType type)
    {
        var items = new List<ComponentValue>();
        Expect('(');
        foreach (ComponentValType element in type.Elements)
        {
            if (items.Count > 0) Expect(',');
            items.Add(Value(element));
        }
        Accept(',');
        Expect(')');
        return ComponentValue.Tuple(items);
    }

    private ComponentValue Record(RecordType type)
    {
        var given = new Dictionary<string, ComponentValue>();
        Expect('{');
        while (!Accept('}'))
        {
            string name = Word();
            int index = Array.FindIndex([.. type.Fields], f => f.Label == name);
            if (index < 0) throw Wrong($"the record has no field \"{name}\"");
            Expect(':');
            if (!given.TryAdd(name, Value(type.Fields[index].Type))) throw Wrong($"the field \"{name}\" is there already");
            if (!Accept(',')) Peek('}');
        }
        // A field that is left out of a record has the value "none".
        return ComponentValue.Record([.. type.Fields.Select(f => (f.Label, given.TryGetValue(f.Label, out ComponentValue value) ? value
            : f.Type is OptionType ? ComponentValue.Nothing : throw Wrong($"the field \"{f.Label}\" is missing")))]);
    }

    private ComponentValue Flags(FlagsType type)
    {
        var names = new List<string>();
        Expect('{');
        while (!Accept('}'))
        {
            names.Add(Label(type.Labels));
            if (!Accept(',')) Peek('}');
        }
        return ComponentValue.Flags(names);
    }

    private string Label(IReadOnlyList<string> labels)
    {
        string word = Word();
        return labels.Contains(word) ? word : throw Wrong($"\"{word}\" is not one of {string.Join(", ", labels)}");
    }

    private ComponentValue Payload(ComponentValType? type)
    {
        if (type is null) return default;
        Expect('(');
        ComponentValue value = Value(type);
        Expect(')');
        return value;
    }

    private ComponentValue Case(VariantType type)
    {
        string name = Label([.. type.Cases.Select(c => c.Label)]);
        return ComponentValue.Variant(name, Payload(type.Cases.First(c => c.Label == name).Type));
    }

    /// <summary>An option may be written as the value alone.</summary>
    private ComponentValue Option(OptionType type)
    {
        int before = at;
        Space();
        if (at < text.Length && char.IsLetter(text[at]))
        {
            string word = Word();
            if (word == "none") return ComponentValue.Nothing;
            if (word == "some") return ComponentValue.Some(Payload(type.Payload));
        }
        at = before;
        return ComponentValue.Some(Value(type.Payload));
    }

    private ComponentValue Result(ResultType type) => Label(["ok", "err", "error"]) == "ok" ? ComponentValue.Ok(Payload(type.Ok)) : ComponentValue.Error(Payload(type.Error));

    private ComponentValue Primitive(PrimitiveKind kind)
    {
        switch (kind)
        {
            case PrimitiveKind.String: return ComponentValue.From(Quoted('"'));
            case PrimitiveKind.Char:
                string one = Quoted('\'');
                return Rune.TryGetRuneAt(one, 0, out Rune rune) && rune.Utf16SequenceLength == one.Length ? ComponentValue.From(rune) : throw Wrong("one character is expected");
            case PrimitiveKind.Bool: return ComponentValue.From(Label(["true", "false"]) == "true");
        }
        string word = Word();
        return kind switch
        {
            PrimitiveKind.S8 => ComponentValue.From(Number<sbyte>(word)),
            PrimitiveKind.U8 => ComponentValue.From(Number<byte>(word)),
            PrimitiveKind.S16 => ComponentValue.From(Number<short>(word)),
            PrimitiveKind.U16 => ComponentValue.From(Number<ushort>(word)),
            PrimitiveKind.S32 => ComponentValue.From(Number<int>(word)),
            PrimitiveKind.U32 => ComponentValue.From(Number<uint>(word)),
            PrimitiveKind.S64 => ComponentValue.From(Number<long>(word)),
            PrimitiveKind.U64 => ComponentValue.From(Number<ulong>(word)),
            PrimitiveKind.F32 => ComponentValue.From((float)Float(word)),
            PrimitiveKind.F64 => ComponentValue.From(Float(word)),
            _ => throw Wrong("the function has a parameter that cannot be written as text"),
        };
    }

    private T Number<T>(string word)
        where T : struct, System.Numerics.IBinaryInteger<T> =>
        T.TryParse(word, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out T value) ? value : throw Wrong($"\"{word}\" is not a valid {typeof(T).Name}");

    private double Float(string word) => word switch
    {
        "nan" => double.NaN,
        "inf" => double.PositiveInfinity,
        "-inf" => double.NegativeInfinity,
        _ => double.TryParse(word, NumberStyles.Float, CultureInfo.InvariantCulture, out double value) ? value : throw Wrong($"\"{word}\" is not a number"),
    };

    private string Quoted(char quote)
    {
        Expect(quote);
        var content = new StringBuilder();
        while (true)
        {
            if (at == text.Length) throw Wrong($"{quote} is expected");
            char c = text[at++];
            if (c == quote) return content.ToString();
            if (c != '\\')
            {
                content.Append(c);
                continue;
            }
            if (at == text.Length) throw Wrong("an escape is expected");
            switch (text[at++])
            {
                case 'n': content.Append('\n'); break;
                case 'r': content.Append('\r'); break;
                case 't': content.Append('\t'); break;
                case 'u': content.Append(Escape()); break;
                case '\\' or '"' or '\'': content.Append(text[at - 1]); break;
                default: throw Wrong("an escape is expected");
            }
        }
    }

    private string Escape()
    {
        int end = text.IndexOf('}', at);
        if (at < text.Length && text[at] == '{' && end > 0 && int.TryParse(text.AsSpan(at + 1, end - at - 1), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out int value)
            && Rune.IsValid(value))
        {
            at = end + 1;
            return new Rune(value).ToString();
        }
        throw Wrong("\\u{...} is expected");
    }
}
