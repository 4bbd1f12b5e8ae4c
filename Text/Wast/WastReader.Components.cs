using System.Globalization;
using System.Text;

namespace WasmJit.Text;

/// <summary>Values of component functions in scripts.</summary>
internal sealed partial class WastReader
{
    /// <summary>A value behind its keyword, null if that is not a component's.</summary>
    private WastValue? ComponentValue(string keyword) => keyword switch
    {
        "bool.const" => new WastScalar("bool", TakeAtom("true") || (TakeAtom("false") ? false : throw Unexpected())),
        "u8.const" => new WastScalar("u8", (byte)Unsigned(8)),
        "s8.const" => new WastScalar("s8", (sbyte)Signed(8)),
        "u16.const" => new WastScalar("u16", (ushort)Unsigned(16)),
        "s16.const" => new WastScalar("s16", (short)Signed(16)),
        "u32.const" => new WastScalar("u32", (uint)Unsigned(32)),
        "s32.const" => new WastScalar("s32", (int)Signed(32)),
        "u64.const" => new WastScalar("u64", Unsigned(64)),
        "s64.const" => new WastScalar("s64", Signed(64)),
        "char.const" => new WastScalar("char", Character()),
        "str.const" => new WastScalar("string", Encoding.UTF8.GetString(Name())),
        "list.const" => new WastSequence("list", Values()),
        "tuple.const" => new WastSequence("tuple", Values()),
        "record.const" => new WastRecord(Fields()),
        "variant.const" => new WastCase("variant", Text(), OptionalValue()),
        "enum.const" => new WastCase("enum", Text(), null),
        "option.none" => new WastCase("option", "none", null),
        "option.some" => new WastCase("option", "some", Value()),
        "result.ok" => new WastCase("result", "ok", OptionalValue()),
        "result.err" => new WastCase("result", "err", OptionalValue()),
        "flags.const" => new WastFlags(Labels()),
        _ => null,
    };

    private long Signed(int bits)
    {
        if (Numbers.Integer(Atom(), 64, out ulong value) != Numbers.Outcome.Ok || (long)value != (long)value << (64 - bits) >> (64 - bits))
        {
            Position--;
            throw Unexpected();
        }
        return (long)value;
    }

    private Rune Character()
    {
        byte[] bytes = Name();
        if (Rune.DecodeFromUtf8(bytes, out Rune character, out int length) == System.Buffers.OperationStatus.Done && length == bytes.Length) return character;
        Position--;
        throw Unexpected();
    }

    private List<WastValue> Values()
    {
        var values = new List<WastValue>();
        while (Current.Kind == TokenKind.Open) values.Add(Value());
        return values;
    }

    private WastValue? OptionalValue() => Current.Kind == TokenKind.Open ? Value() : null;

    private List<(string Name, WastValue Value)> Fields()
    {
        var fields = new List<(string, WastValue)>();
        while (TakeOpen("field"))
        {
            string name = Text();
            fields.Add((name, Current.Kind == TokenKind.Open ? Value() : BareValue()));
            Close();
        }
        return fields;
    }

    private List<string> Labels()
    {
        var labels = new List<string>();
        while (Current.Kind == TokenKind.String) labels.Add(Text());
        return labels;
    }
}

/// <summary>A value without parts: bool, an integer, char or string, as the .NET type of its size.</summary>
internal sealed record WastScalar(string Type, object Value) : WastValue
{
    public override string ToString() => $"{Type} {Convert.ToString(Value, CultureInfo.InvariantCulture)}";
}

/// <summary>A list or tuple.</summary>
internal sealed record WastSequence(string Type, IReadOnlyList<WastValue> Items) : WastValue
{
    public override string ToString() => $"{Type} ({string.Join(", ", Items)})";
}

internal sealed record WastRecord(IReadOnlyList<(string Name, WastValue Value)> Fields) : WastValue
{
    public override string ToString() => $"record ({string.Join(", ", Fields.Select(f => $"{f.Name}: {f.Value}"))})";
}

/// <summary>A case of a variant, an enumeration, an option or a result.</summary>
internal sealed record WastCase(string Type, string Name, WastValue? Payload) : WastValue
{
    public override string ToString() => Payload is null ? $"{Type} {Name}" : $"{Type} {Name} ({Payload})";
}

internal sealed record WastFlags(IReadOnlyList<string> Names) : WastValue
{
    public override string ToString() => $"flags ({string.Join(", ", Names)})";
}
