using System.Collections.Immutable;

namespace WasmJit.Components;

/// <summary>Reads types of components, in the notation of WIT.</summary>
internal sealed class ComponentTypeReader(string text)
{
    /// <summary>No type is nested deeper.</summary>
    private const int Deepest = 32;

    private const int MostItems = 10_000;

    private int at, depth;

    internal ComponentType ReadAll()
    {
        ComponentType type = Sized(Type);
        End();
        return type;
    }

    internal ComponentFuncType ReadFunction()
    {
        if (Word() != "func") throw Error("\"func\" was expected");
        Expect('(');
        ImmutableArray<ComponentItem> parameters = Sized(() => Items(')', mayBeEmpty: true, Field));
        ComponentType? result = null;
        if (Accept('-'))
        {
            Expect('>');
            result = Sized(Type);
        }
        End();
        return Sized(() => new ComponentFuncType(parameters, result));
    }

    private static T Sized<T>(Func<T> read)
    {
        try
        {
            return read();
        }
        catch (OverflowException)
        {
            throw new FormatException("A type is too large.");
        }
    }

    private ComponentType Type()
    {
        if (++depth > Deepest) throw Error("types are nested too deep");
        string word = Word();
        ComponentType type = word switch
        {
            "bool" => new(ComponentKind.Bool),
            "s8" => new(ComponentKind.S8),
            "u8" => new(ComponentKind.U8),
            "s16" => new(ComponentKind.S16),
            "u16" => new(ComponentKind.U16),
            "s32" => new(ComponentKind.S32),
            "u32" => new(ComponentKind.U32),
            "s64" => new(ComponentKind.S64),
            "u64" => new(ComponentKind.U64),
            "f32" => new(ComponentKind.F32),
            "f64" => new(ComponentKind.F64),
            "char" => new(ComponentKind.Char),
            "string" => new(ComponentKind.String),
            "list" => new(ComponentKind.List, element: Angle()),
            "option" => new(ComponentKind.Option, element: Angle()),
            "tuple" => Tuple(),
            "result" => Result(),
            "record" => new(ComponentKind.Record, Braces(Field)),
            "variant" => new(ComponentKind.Variant, Braces(Case)),
            "enum" => new(ComponentKind.Variant, Braces(() => new ComponentItem(Word(), null))),
            "flags" => Flags(),
            _ => throw Error($"unknown type \"{word}\""),
        };
        depth--;
        return type;
    }

    private ComponentType Angle()
    {
        Expect('<');
        ComponentType type = Type();
        Expect('>');
        return type;
    }

    private ComponentType Tuple()
    {
        Expect('<');
        int number = 0;
        return new ComponentType(ComponentKind.Record, Items('>', mayBeEmpty: false, () => new ComponentItem($"{number++}", Type())));
    }

    private ComponentType Result()
    {
        ComponentType? ok = null, error = null;
        if (Accept('<'))
        {
            if (!Accept('_')) ok = Type();
            if (Accept(',')) error = Type();
            Expect('>');
        }
        return new ComponentType(ComponentKind.Variant, [new ComponentItem("ok", ok), new ComponentItem("error", error)]);
    }

    private ComponentType Flags()
    {
        ImmutableArray<ComponentItem> names = Braces(() => new ComponentItem(Word(), null));
        return names.Length <= 32 ? new ComponentType(ComponentKind.Flags, names) : throw Error("there are more than 32 flags");
    }

    private ComponentItem Field()
    {
        string name = Word();
        Expect(':');
        return new ComponentItem(name, Type());
    }

    private ComponentItem Case()
    {
        string name = Word();
        if (!Accept('(')) return new ComponentItem(name, null);
        ComponentType type = Type();
        Expect(')');
        return new ComponentItem(name, type);
    }

    private ImmutableArray<ComponentItem> Braces(Func<ComponentItem> read)
    {
        Expect('{');
        return Items('}', mayBeEmpty: false, read);
    }

    private ImmutableArray<ComponentItem> Items(char end, bool mayBeEmpty, Func<ComponentItem> read)
    {
        var items = ImmutableArray.CreateBuilder<ComponentItem>();
        var names = new HashSet<string>();
        while (!((items.Count > 0 || mayBeEmpty) && Accept(end)))
        {
            ComponentItem item = read();
            if (!names.Add(item.Name)) throw Error($"\"{item.Name}\" is there twice");
            if (items.Count == MostItems) throw Error($"there are more than {MostItems} items");
            items.Add(item);
            if (Accept(',')) continue;
            Expect(end);
            break;
        }
        return items.ToImmutable();
    }

    private void Space()
    {
        while (at < text.Length && char.IsWhiteSpace(text[at])) at++;
    }

    private bool Accept(char c)
    {
        Space();
        if (at >= text.Length || text[at] != c) return false;
        at++;
        return true;
    }

    private void Expect(char c)
    {
        if (!Accept(c)) throw Error($"\"{c}\" was expected");
    }

    private void End()
    {
        Space();
        if (at < text.Length) throw Error("nothing more was expected");
    }

    /// <summary>A word: letters, digits and hyphens; a name may have a percent sign before it.</summary>
    private string Word()
    {
        Accept('%');
        Space();
        int start = at;
        while (at < text.Length && (char.IsAsciiLetterOrDigit(text[at]) || (text[at] == '-' && at > start && at + 1 < text.Length && text[at + 1] != '>'))) at++;
        return at > start ? text[start..at] : throw Error("a word was expected");
    }

    private FormatException Error(string reason) => new($"{reason} (at character {at} of \"{text}\")");
}
