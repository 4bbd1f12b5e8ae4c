using System.Collections.Immutable;

namespace WasmJit.Components;

/// <summary>The kinds of types that components exchange (the component model's, without resources).</summary>
public enum ComponentKind
{
    /// <summary><c>bool</c>: <see cref="bool"/>.</summary>
    Bool,
    /// <summary><c>s8</c>: <see cref="sbyte"/>.</summary>
    S8,
    /// <summary><c>u8</c>: <see cref="byte"/>.</summary>
    U8,
    /// <summary><c>s16</c>: <see cref="short"/>.</summary>
    S16,
    /// <summary><c>u16</c>: <see cref="ushort"/>.</summary>
    U16,
    /// <summary><c>s32</c>: <see cref="int"/>.</summary>
    S32,
    /// <summary><c>u32</c>: <see cref="uint"/>.</summary>
    U32,
    /// <summary><c>s64</c>: <see cref="long"/>.</summary>
    S64,
    /// <summary><c>u64</c>: <see cref="ulong"/>.</summary>
    U64,
    /// <summary><c>f32</c>: <see cref="float"/>.</summary>
    F32,
    /// <summary><c>f64</c>: <see cref="double"/>.</summary>
    F64,
    /// <summary><c>char</c>: <see cref="System.Text.Rune"/>.</summary>
    Char,
    /// <summary><c>string</c>: <see cref="string"/>.</summary>
    String,
    /// <summary><c>list</c>: <c>byte[]</c> of <c>u8</c>, of all others <c>object?[]</c>.</summary>
    List,
    /// <summary><c>record</c> or <c>tuple</c>: <c>object?[]</c> of the fields.</summary>
    Record,
    /// <summary><c>variant</c>, <c>enum</c>, <c>result</c> (cases ok and error): <see cref="ComponentCase"/>.</summary>
    Variant,
    /// <summary><c>option</c>: null, or the value; of an option of an option <see cref="ComponentCase"/> with none or some.</summary>
    Option,
    /// <summary><c>flags</c>, no more than 32: <see cref="uint"/> with a bit for each, the first the lowest.</summary>
    Flags,
}

/// <summary>A value of a variant type.</summary>
/// <param name="Name">The case.</param>
/// <param name="Value">Its value; null if it has none.</param>
public sealed record ComponentCase(string Name, object? Value = null);

/// <summary>A field of a record, a case of a variant, or a flag. The type is null if it has none.</summary>
/// <param name="Name">The name; of a tuple's fields their number.</param>
/// <param name="Type">The type.</param>
public sealed record ComponentItem(string Name, ComponentType? Type);

/// <summary>A type of values that components exchange by copy. <see cref="Parse"/> reads it as WIT writes it.</summary>
public sealed class ComponentType
{
    internal ComponentType(ComponentKind kind, ImmutableArray<ComponentItem> items = default, ComponentType? element = null)
    {
        Kind = kind;
        Items = items.IsDefault ? [] : items;
        Element = element;
        (Size, Alignment) = Layout();
        Flat = Flatten();
    }

    /// <summary>The kind.</summary>
    public ComponentKind Kind { get; }

    /// <summary>The fields of a record, the cases of a variant, the flags.</summary>
    public ImmutableArray<ComponentItem> Items { get; }

    /// <summary>The elements of a list, or what an option may hold.</summary>
    public ComponentType? Element { get; }

    /// <summary>Its size in memory, in bytes.</summary>
    internal uint Size { get; }

    /// <summary>Its alignment there.</summary>
    internal uint Alignment { get; }

    /// <summary>The numbers that stand for it as parameters.</summary>
    internal ImmutableArray<ValKind> Flat { get; }

    /// <summary>Whether an option's null cannot be told from the value's own.</summary>
    internal bool IsNested => Element?.Kind == ComponentKind.Option;

    /// <summary>Where fields lie in a record, where the value lies in a variant.</summary>
    internal ImmutableArray<uint> Offsets { get; private set; } = [];

    /// <summary>The bytes of a variant's discriminant.</summary>
    internal uint TagSize => Cases.Length <= 0x100 ? 1u : Cases.Length <= 0x10000 ? 2u : 4u;

    /// <summary>The cases of a variant; an option has none and some.</summary>
    internal ImmutableArray<ComponentItem> Cases =>
        Kind == ComponentKind.Option ? [new ComponentItem("none", null), new ComponentItem("some", Element)] : Items;

    /// <summary>
    /// Reads a type: <c>string</c>, <c>list&lt;u8&gt;</c>, <c>option&lt;tuple&lt;u32, f64&gt;&gt;</c>, <c>result&lt;_, string&gt;</c>; records,
    /// variants, enums and flags are written out: <c>record { name: string, age: u32 }</c>, <c>variant { none, some(u32) }</c>.
    /// </summary>
    /// <param name="text">The type.</param>
    /// <exception cref="FormatException">The text is not a type.</exception>
    public static ComponentType Parse(string text) => new ComponentTypeReader(text).ReadAll();

    private (uint Size, uint Alignment) Layout()
    {
        switch (Kind)
        {
            case ComponentKind.Bool or ComponentKind.S8 or ComponentKind.U8: return (1, 1);
            case ComponentKind.S16 or ComponentKind.U16: return (2, 2);
            case ComponentKind.S64 or ComponentKind.U64 or ComponentKind.F64: return (8, 8);
            case ComponentKind.String or ComponentKind.List: return (8, 4);
            case ComponentKind.Flags: return Items.Length <= 8 ? (1u, 1u) : Items.Length <= 16 ? (2u, 2u) : (4u, 4u);
            case ComponentKind.Record:
                {
                    uint size = 0, alignment = 1;
                    var offsets = ImmutableArray.CreateBuilder<uint>();
                    foreach (ComponentType field in Items.Select(i => i.Type!))
                    {
                        offsets.Add(size = Align(size, field.Alignment));
                        size = checked(size + field.Size);
                        alignment = Math.Max(alignment, field.Alignment);
                    }
                    Offsets = offsets.ToImmutable();
                    return (Align(size, alignment), alignment);
                }
            case ComponentKind.Variant or ComponentKind.Option:
                {
                    ComponentType[] values = [.. Cases.Select(c => c.Type).OfType<ComponentType>()];
                    uint alignment = Math.Max(TagSize, values.Length == 0 ? 1 : values.Max(v => v.Alignment));
                    uint start = Align(TagSize, values.Length == 0 ? 1 : values.Max(v => v.Alignment));
                    Offsets = [start];
                    return (Align(checked(start + (values.Length == 0 ? 0 : values.Max(v => v.Size))), alignment), alignment);
                }
            default: return (4, 4);
        }
    }

    internal static uint Align(uint value, uint alignment) => checked(value + alignment - 1) & ~(alignment - 1);

    private ImmutableArray<ValKind> Flatten()
    {
        switch (Kind)
        {
            case ComponentKind.S64 or ComponentKind.U64: return [ValKind.I64];
            case ComponentKind.F32: return [ValKind.F32];
            case ComponentKind.F64: return [ValKind.F64];
            case ComponentKind.String or ComponentKind.List: return [ValKind.I32, ValKind.I32];
            case ComponentKind.Record: return [.. Items.SelectMany(i => i.Type!.Flat).Take(MostFlat + 1)];
            case ComponentKind.Variant or ComponentKind.Option:
                {
                    var flat = new List<ValKind> { ValKind.I32 };
                    foreach (ComponentItem item in Cases)
                        for (int i = 0; i < (item.Type?.Flat.Length ?? 0); i++)
                        {
                            ValKind own = item.Type!.Flat[i];
                            if (i + 1 < flat.Count) flat[i + 1] = Join(flat[i + 1], own);
                            else flat.Add(own);
                        }
                    return [.. flat.Take(MostFlat + 1)];
                }
            default: return [ValKind.I32];
        }
    }

    /// <summary>More numbers than this are passed in memory.</summary>
    internal const int MostFlat = 16;

    private static ValKind Join(ValKind a, ValKind b) =>
        a == b ? a : (a, b) is (ValKind.I32, ValKind.F32) or (ValKind.F32, ValKind.I32) ? ValKind.I32 : ValKind.I64;
}

/// <summary>The type of a function between components.</summary>
public sealed class ComponentFuncType
{
    internal ComponentFuncType(ImmutableArray<ComponentItem> parameters, ComponentType? result)
    {
        Params = parameters;
        Result = result;
        Arguments = parameters.IsEmpty ? null : new ComponentType(ComponentKind.Record, parameters);
    }

    /// <summary>The parameters.</summary>
    public ImmutableArray<ComponentItem> Params { get; }

    /// <summary>The result; null if there is none.</summary>
    public ComponentType? Result { get; }

    /// <summary>All parameters as one record.</summary>
    internal ComponentType? Arguments { get; }

    internal bool HasFlatArguments => Arguments is null || Arguments.Flat.Length <= ComponentType.MostFlat;

    internal bool HasFlatResult => Result is null || Result.Flat.Length <= 1;

    /// <summary>Reads a function type: <c>func(name: string, data: list&lt;u8&gt;) -> u32</c>.</summary>
    /// <param name="text">The type.</param>
    /// <exception cref="FormatException">The text is not a type.</exception>
    public static ComponentFuncType Parse(string text) => new ComponentTypeReader(text).ReadFunction();

    /// <summary>The type of the module's function that stands for it, as export or as import.</summary>
    internal FuncType Core(bool isImport)
    {
        IEnumerable<ValKind> parameters = Arguments is null ? [] : HasFlatArguments ? Arguments.Flat : [ValKind.I32];
        IEnumerable<ValKind> results = Result is null ? [] : HasFlatResult ? Result.Flat : isImport ? [] : [ValKind.I32];
        if (isImport && !HasFlatResult) parameters = parameters.Append(ValKind.I32);
        return new FuncType([.. parameters.Select(TypeOf)], [.. results.Select(TypeOf)]);
    }

    private static ValType TypeOf(ValKind kind) => kind switch
    {
        ValKind.I32 => ValType.I32,
        ValKind.I64 => ValType.I64,
        ValKind.F32 => ValType.F32,
        _ => ValType.F64,
    };
}
