using System.Collections.Immutable;
using System.Globalization;
using System.Text;

namespace WasmJit.Components;

/// <summary>What kind of value a <see cref="ComponentValue"/> is.</summary>
public enum ComponentValueKind : byte
{
    /// <summary>No value: of a result or case that has none.</summary>
    None,
    /// <summary>A <see cref="bool"/>.</summary>
    Bool,
    /// <summary>An <see cref="sbyte"/>.</summary>
    S8,
    /// <summary>A <see cref="byte"/>.</summary>
    U8,
    /// <summary>A <see cref="short"/>.</summary>
    S16,
    /// <summary>A <see cref="ushort"/>.</summary>
    U16,
    /// <summary>An <see cref="int"/>.</summary>
    S32,
    /// <summary>A <see cref="uint"/>.</summary>
    U32,
    /// <summary>A <see cref="long"/>.</summary>
    S64,
    /// <summary>A <see cref="ulong"/>.</summary>
    U64,
    /// <summary>A <see cref="float"/>.</summary>
    F32,
    /// <summary>A <see cref="double"/>.</summary>
    F64,
    /// <summary>A <see cref="Rune"/>.</summary>
    Char,
    /// <summary>A <see cref="string"/>.</summary>
    String,
    /// <summary>A list, of a fixed length or not.</summary>
    List,
    /// <summary>A record: fields with names, in order.</summary>
    Record,
    /// <summary>A tuple.</summary>
    Tuple,
    /// <summary>A case of a variant, with or without a value.</summary>
    Variant,
    /// <summary>A case of an enumeration.</summary>
    Enum,
    /// <summary>Some value, or none.</summary>
    Option,
    /// <summary>An outcome: ok or error.</summary>
    Result,
    /// <summary>Names that are set.</summary>
    Flags,
    /// <summary>A map: a list of pairs.</summary>
    Map,
    /// <summary>A handle of a resource.</summary>
    Resource,
    /// <summary>The readable end of a stream.</summary>
    Stream,
    /// <summary>The readable end of a future.</summary>
    Future,
    /// <summary>An error context.</summary>
    ErrorContext,
}

/// <summary>
/// A value of the component model whose type is not known when the program is written: for tools and scripts. Programs that know the
/// types use .NET types (<see cref="ComponentInstance.GetFunction{T}"/>).
/// </summary>
public readonly struct ComponentValue : IEquatable<ComponentValue>
{
    private readonly ulong bits;
    private readonly object? content;

    internal ComponentValue(ComponentValueKind kind, ulong bits, object? content = null)
    {
        Kind = kind;
        this.bits = bits;
        this.content = content;
    }

    /// <summary>The kind.</summary>
    public ComponentValueKind Kind { get; }

    internal ulong Bits => bits;

    internal object? Content => content;

    // ---- making ----

    /// <summary>A <c>bool</c>.</summary>
    public static ComponentValue From(bool value) => new(ComponentValueKind.Bool, value ? 1u : 0);

    /// <summary>An <c>s8</c>.</summary>
    public static ComponentValue From(sbyte value) => new(ComponentValueKind.S8, (ulong)value);

    /// <summary>A <c>u8</c>.</summary>
    public static ComponentValue From(byte value) => new(ComponentValueKind.U8, value);

    /// <summary>An <c>s16</c>.</summary>
    public static ComponentValue From(short value) => new(ComponentValueKind.S16, (ulong)value);

    /// <summary>A <c>u16</c>.</summary>
    public static ComponentValue From(ushort value) => new(ComponentValueKind.U16, value);

    /// <summary>An <c>s32</c>.</summary>
    public static ComponentValue From(int value) => new(ComponentValueKind.S32, (ulong)value);

    /// <summary>A <c>u32</c>.</summary>
    public static ComponentValue From(uint value) => new(ComponentValueKind.U32, value);

    /// <summary>An <c>s64</c>.</summary>
    public static ComponentValue From(long value) => new(ComponentValueKind.S64, (ulong)value);

    /// <summary>A <c>u64</c>.</summary>
    public static ComponentValue From(ulong value) => new(ComponentValueKind.U64, value);

    /// <summary>An <c>f32</c>.</summary>
    public static ComponentValue From(float value) => new(ComponentValueKind.F32, BitConverter.SingleToUInt32Bits(value));

    /// <summary>An <c>f64</c>.</summary>
    public static ComponentValue From(double value) => new(ComponentValueKind.F64, BitConverter.DoubleToUInt64Bits(value));

    /// <summary>A <c>char</c>.</summary>
    public static ComponentValue From(Rune value) => new(ComponentValueKind.Char, (uint)value.Value);

    /// <summary>A <c>string</c>.</summary>
    public static ComponentValue From(string value)
    {
        ArgumentNullException.ThrowIfNull(value);
        return new(ComponentValueKind.String, 0, value);
    }

    /// <summary>A list.</summary>
    public static ComponentValue List(params IEnumerable<ComponentValue> items) => new(ComponentValueKind.List, 0, items.ToImmutableArray());

    /// <summary>A tuple.</summary>
    public static ComponentValue Tuple(params IEnumerable<ComponentValue> items) => new(ComponentValueKind.Tuple, 0, items.ToImmutableArray());

    /// <summary>A map.</summary>
    public static ComponentValue Map(params IEnumerable<(ComponentValue Key, ComponentValue Value)> items) =>
        new(ComponentValueKind.Map, 0, items.Select(i => Tuple(i.Key, i.Value)).ToImmutableArray());

    /// <summary>A record.</summary>
    public static ComponentValue Record(params IEnumerable<(string Name, ComponentValue Value)> fields)
    {
        var all = fields.ToList();
        return new(ComponentValueKind.Record, 0, new Fields([.. all.Select(f => f.Name)], [.. all.Select(f => f.Value)]));
    }

    /// <summary>A case of a variant.</summary>
    /// <param name="name">The case.</param>
    /// <param name="value">Its value; none if left out.</param>
    public static ComponentValue Variant(string name, ComponentValue value = default) => new(ComponentValueKind.Variant, 0, new Case(name, value));

    /// <summary>A case of an enumeration.</summary>
    public static ComponentValue Enum(string name) => new(ComponentValueKind.Enum, 0, new Case(name, default));

    /// <summary>An option that has a value.</summary>
    public static ComponentValue Some(ComponentValue value) => new(ComponentValueKind.Option, 1, new Case("some", value));

    /// <summary>An option that has none.</summary>
    public static ComponentValue Nothing { get; } = new(ComponentValueKind.Option, 0, new Case("none", default));

    /// <summary>A result that is fine.</summary>
    public static ComponentValue Ok(ComponentValue value = default) => new(ComponentValueKind.Result, 0, new Case("ok", value));

    /// <summary>A result that is an error.</summary>
    public static ComponentValue Error(ComponentValue value = default) => new(ComponentValueKind.Result, 1, new Case("error", value));

    /// <summary>Flags: the names that are set.</summary>
    public static ComponentValue Flags(params IEnumerable<string> names) => new(ComponentValueKind.Flags, 0, names.ToImmutableArray());

    /// <summary>A handle of a resource.</summary>
    public static ComponentValue From(ComponentResource resource)
    {
        ArgumentNullException.ThrowIfNull(resource);
        return new(ComponentValueKind.Resource, 0, resource);
    }

    internal static ComponentValue Of(ComponentValueKind kind, ImmutableArray<ComponentValue> items) => new(kind, 0, items);

    internal static ComponentValue OfRecord(ImmutableArray<string> names, ImmutableArray<ComponentValue> values) => new(ComponentValueKind.Record, 0, new Fields(names, values));

    internal static ComponentValue OfCase(ComponentValueKind kind, int index, string name, ComponentValue payload) => new(kind, (ulong)index, new Case(name, payload));

    internal static ComponentValue OfFlags(ImmutableArray<string> names) => new(ComponentValueKind.Flags, 0, names);

    // ---- reading ----

    private InvalidCastException Not(string what) => new($"The value is of the kind {Kind}, not {what}.");

    private ulong Number(ComponentValueKind kind) => Kind == kind ? bits : throw Not(kind.ToString());

    /// <summary>The <see cref="bool"/>.</summary>
    /// <exception cref="InvalidCastException">It is of another kind; so with all the others.</exception>
    public bool AsBool() => Number(ComponentValueKind.Bool) != 0;

    /// <summary>The <see cref="sbyte"/>.</summary>
    public sbyte AsS8() => (sbyte)Number(ComponentValueKind.S8);

    /// <summary>The <see cref="byte"/>.</summary>
    public byte AsU8() => (byte)Number(ComponentValueKind.U8);

    /// <summary>The <see cref="short"/>.</summary>
    public short AsS16() => (short)Number(ComponentValueKind.S16);

    /// <summary>The <see cref="ushort"/>.</summary>
    public ushort AsU16() => (ushort)Number(ComponentValueKind.U16);

    /// <summary>The <see cref="int"/>.</summary>
    public int AsS32() => (int)Number(ComponentValueKind.S32);

    /// <summary>The <see cref="uint"/>.</summary>
    public uint AsU32() => (uint)Number(ComponentValueKind.U32);

    /// <summary>The <see cref="long"/>.</summary>
    public long AsS64() => (long)Number(ComponentValueKind.S64);

    /// <summary>The <see cref="ulong"/>.</summary>
    public ulong AsU64() => Number(ComponentValueKind.U64);

    /// <summary>The <see cref="float"/>.</summary>
    public float AsF32() => BitConverter.UInt32BitsToSingle((uint)Number(ComponentValueKind.F32));

    /// <summary>The <see cref="double"/>.</summary>
    public double AsF64() => BitConverter.UInt64BitsToDouble(Number(ComponentValueKind.F64));

    /// <summary>The <see cref="Rune"/>.</summary>
    public Rune AsChar() => new((uint)Number(ComponentValueKind.Char));

    /// <summary>The <see cref="string"/>.</summary>
    public string AsString() => Kind == ComponentValueKind.String ? (string)content! : throw Not("String");

    /// <summary>The handle of a resource.</summary>
    public ComponentResource AsResource() => Kind == ComponentValueKind.Resource ? (ComponentResource)content! : throw Not("Resource");

    /// <summary>The items of a list or tuple, the pairs of a map as tuples, the values of a record in order.</summary>
    public ImmutableArray<ComponentValue> Items => content switch
    {
        ImmutableArray<ComponentValue> items => items,
        Fields fields => fields.Values,
        _ => throw Not("List, Tuple, Map or Record"),
    };

    /// <summary>The names of a record's fields in order, or of flags that are set.</summary>
    public ImmutableArray<string> Names => content switch
    {
        ImmutableArray<string> names => names,
        Fields fields => fields.Names,
        _ => throw Not("Record or Flags"),
    };

    /// <summary>A field of a record.</summary>
    /// <exception cref="KeyNotFoundException">The record has no field of this name.</exception>
    public ComponentValue this[string field]
    {
        get
        {
            Fields fields = content as Fields ?? throw Not("Record");
            int index = fields.Names.IndexOf(field);
            return index >= 0 ? fields.Values[index] : throw new KeyNotFoundException($"The record has no field \"{field}\".");
        }
    }

    /// <summary>The case of a variant or enumeration; <c>some</c> or <c>none</c> of an option, <c>ok</c> or <c>error</c> of a result.</summary>
    public string CaseName => content is Case chosen ? chosen.Name : throw Not("Variant, Enum, Option or Result");

    /// <summary>The value of the case; of the kind <see cref="ComponentValueKind.None"/> if it has none.</summary>
    public ComponentValue Payload => content is Case chosen ? chosen.Value : throw Not("Variant, Enum, Option or Result");

    // ---- comparing ----

    /// <inheritdoc/>
    public bool Equals(ComponentValue other)
    {
        if (Kind != other.Kind) return false;
        switch (content, other.content)
        {
            case (null, null): return bits == other.bits;
            case (ImmutableArray<ComponentValue> a, ImmutableArray<ComponentValue> b): return a.AsSpan().SequenceEqual(b.AsSpan());
            case (ImmutableArray<string> a, ImmutableArray<string> b): return new HashSet<string>(a).SetEquals(b);
            case (Fields a, Fields b): return a.Names.AsSpan().SequenceEqual(b.Names.AsSpan()) && a.Values.AsSpan().SequenceEqual(b.Values.AsSpan());
            case (Case a, Case b): return a.Name == b.Name && a.Value.Equals(b.Value);
            default: return Equals(content, other.content);
        }
    }

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is ComponentValue other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => content switch
    {
        null => HashCode.Combine(Kind, bits),
        string text => HashCode.Combine(Kind, text),
        Case chosen => HashCode.Combine(Kind, chosen.Name, chosen.Value),
        ImmutableArray<ComponentValue> items => HashCode.Combine(Kind, items.Length),
        Fields fields => HashCode.Combine(Kind, fields.Values.Length),
        ImmutableArray<string> names => HashCode.Combine(Kind, names.Length),
        _ => HashCode.Combine(Kind, content),
    };

    /// <summary>Whether two values are equal: of one kind, and part by part the same. Floats are compared by their bits.</summary>
    public static bool operator ==(ComponentValue left, ComponentValue right) => left.Equals(right);

    /// <summary>Whether two values are not equal.</summary>
    public static bool operator !=(ComponentValue left, ComponentValue right) => !left.Equals(right);

    /// <summary>The value in a notation like that of WAVE: <c>{name: "a", sizes: [1, 2]}</c>.</summary>
    public override string ToString()
    {
        var text = new StringBuilder();
        Print(text);
        return text.ToString();
    }

    private void Print(StringBuilder text)
    {
        if (text.Length > 100_000) return;
        switch (Kind)
        {
            case ComponentValueKind.None: text.Append("none"); break;
            case ComponentValueKind.Bool: text.Append(bits != 0 ? "true" : "false"); break;
            case ComponentValueKind.S8 or ComponentValueKind.S16 or ComponentValueKind.S32 or ComponentValueKind.S64:
                text.Append(((long)bits).ToString(CultureInfo.InvariantCulture));
                break;
            case ComponentValueKind.U8 or ComponentValueKind.U16 or ComponentValueKind.U32 or ComponentValueKind.U64:
                text.Append(bits.ToString(CultureInfo.InvariantCulture));
                break;
            case ComponentValueKind.F32: text.Append(AsF32().ToString(CultureInfo.InvariantCulture)); break;
            case ComponentValueKind.F64: text.Append(AsF64().ToString(CultureInfo.InvariantCulture)); break;
            case ComponentValueKind.Char: text.Append('\'').Append(AsChar().ToString()).Append('\''); break;
            case ComponentValueKind.String: text.Append('"').Append((string)content!).Append('"'); break;
            case ComponentValueKind.List: Join(text, '[', Items, ']'); break;
            case ComponentValueKind.Tuple: Join(text, '(', Items, ')'); break;
            case ComponentValueKind.Map: Join(text, '{', Items, '}'); break;
            case ComponentValueKind.Flags: text.Append('{').AppendJoin(", ", Names).Append('}'); break;
            case ComponentValueKind.Record:
                var fields = (Fields)content!;
                text.Append('{');
                for (int i = 0; i < fields.Names.Length; i++)
                {
                    text.Append(i == 0 ? "" : ", ").Append(fields.Names[i]).Append(": ");
                    fields.Values[i].Print(text);
                }
                text.Append('}');
                break;
            case ComponentValueKind.Variant or ComponentValueKind.Enum or ComponentValueKind.Option or ComponentValueKind.Result:
                text.Append(CaseName);
                if (Payload.Kind == ComponentValueKind.None) break;
                text.Append('(');
                Payload.Print(text);
                text.Append(')');
                break;
            default: text.Append(Kind.ToString().ToLowerInvariant()); break;
        }
    }

    private static void Join(StringBuilder text, char open, ImmutableArray<ComponentValue> items, char close)
    {
        text.Append(open);
        for (int i = 0; i < items.Length; i++)
        {
            if (i > 0) text.Append(", ");
            items[i].Print(text);
        }
        text.Append(close);
    }

    internal sealed record Fields(ImmutableArray<string> Names, ImmutableArray<ComponentValue> Values);

    internal sealed record Case(string Name, ComponentValue Value);
}
