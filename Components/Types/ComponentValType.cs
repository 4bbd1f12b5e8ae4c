namespace WasmJit.Components;

/// <summary>A value type. Its layout in memory (CanonicalABI.md, alignment and element size) is found out when it is made.</summary>
internal abstract class ComponentValType : DefinedType
{
    private ComponentValType? canonical;

    /// <summary>The object that stands for all types of the same structure within a component and what is nested in it.</summary>
    internal ComponentValType Canonical
    {
        get => canonical ?? this;
        private protected set => canonical = ReferenceEquals(value, this) ? null : value;
    }

    /// <summary>The layout where pointers have 32 bits.</summary>
    internal ValueLayout Layout32 { get; private protected init; }

    /// <summary>The layout where pointers have 64 bits.</summary>
    internal ValueLayout Layout64 { get; private protected init; }

    /// <summary>How many core values it is when it is flattened; more than <see cref="TypeLimits.FlatParameters"/> are not counted exactly.</summary>
    internal int FlatCount { get; private protected init; } = 1;

    internal ValueLayout Layout(bool is64) => is64 ? Layout64 : Layout32;

    internal void SetCanonical(ComponentValType type) => Canonical = type;

    /// <summary>The same type as an object of its own, to be named.</summary>
    internal ComponentValType Rename()
    {
        var copy = (ComponentValType)MemberwiseClone();
        copy.canonical = Canonical;
        copy.Origin = this;
        return copy;
    }

    internal void SetOrigin(DefinedType? type) => Origin = type;

    /// <summary>The same type with other parts.</summary>
    internal abstract ComponentValType Rebuild(Func<ComponentValType, ComponentValType> part, Func<ResourceType, ResourceType> resource);

    /// <summary>The parts, in order.</summary>
    internal abstract IEnumerable<ComponentValType> Parts { get; }

    /// <summary>Whether a name is needed for the type where it is used in imports and exports (Explainer.md, external visibility).</summary>
    internal virtual bool NeedsName => false;

    /// <summary>Thrown by code with a case for each type that has none for this one. A test finds it for a new type.</summary>
    internal InvalidOperationException Unhandled() => new($"there is no case for the type {Kind}");

    private protected static int Flat(long count) => (int)Math.Min(count, TypeLimits.FlatParameters + 1);
}

/// <summary>How a value lies in memory.</summary>
/// <param name="Size">Bytes from one element of a list to the next.</param>
/// <param name="Alignment">A power of two.</param>
internal readonly record struct ValueLayout(long Size, int Alignment)
{
    internal static long Align(long offset, int alignment) => (offset + alignment - 1) & -alignment;
}

/// <summary>Primitive types.</summary>
internal enum PrimitiveKind
{
    Bool,
    S8,
    U8,
    S16,
    U16,
    S32,
    U32,
    S64,
    U64,
    F32,
    F64,
    Char,
    String,
    ErrorContext,
}

/// <summary>A primitive type, of which there is one object each.</summary>
internal sealed class PrimitiveType : ComponentValType
{
    private static readonly PrimitiveType[] All = [.. Enum.GetValues<PrimitiveKind>().Select(kind => new PrimitiveType(kind))];

    private PrimitiveType(PrimitiveKind kind)
    {
        Primitive = kind;
        int size = kind switch
        {
            PrimitiveKind.Bool or PrimitiveKind.S8 or PrimitiveKind.U8 => 1,
            PrimitiveKind.S16 or PrimitiveKind.U16 => 2,
            PrimitiveKind.S64 or PrimitiveKind.U64 or PrimitiveKind.F64 => 8,
            PrimitiveKind.S32 or PrimitiveKind.U32 or PrimitiveKind.F32 or PrimitiveKind.Char or PrimitiveKind.String or PrimitiveKind.ErrorContext => 4,
        };
        bool isString = kind == PrimitiveKind.String;
        Layout32 = isString ? new(8, 4) : new(size, size);
        Layout64 = isString ? new(16, 8) : new(size, size);
        FlatCount = isString ? 2 : 1;
        Traits = isString ? TypeTraits.HasString | TypeTraits.HasPointer : TypeTraits.None;
    }

    internal static PrimitiveType Of(PrimitiveKind kind) => All[(int)kind];

    /// <summary>The primitive type that a byte stands for, or null.</summary>
    internal static PrimitiveKind? KindOf(byte b) => b switch
    {
        ComponentTypeByte.Bool => PrimitiveKind.Bool,
        ComponentTypeByte.S8 => PrimitiveKind.S8,
        ComponentTypeByte.U8 => PrimitiveKind.U8,
        ComponentTypeByte.S16 => PrimitiveKind.S16,
        ComponentTypeByte.U16 => PrimitiveKind.U16,
        ComponentTypeByte.S32 => PrimitiveKind.S32,
        ComponentTypeByte.U32 => PrimitiveKind.U32,
        ComponentTypeByte.S64 => PrimitiveKind.S64,
        ComponentTypeByte.U64 => PrimitiveKind.U64,
        ComponentTypeByte.F32 => PrimitiveKind.F32,
        ComponentTypeByte.F64 => PrimitiveKind.F64,
        ComponentTypeByte.Char => PrimitiveKind.Char,
        ComponentTypeByte.String => PrimitiveKind.String,
        ComponentTypeByte.ErrorContext => PrimitiveKind.ErrorContext,
        _ => null,
    };

    /// <summary>The name in the text format.</summary>
    internal static string NameOf(PrimitiveKind kind) => kind switch
    {
        PrimitiveKind.Bool => "bool",
        PrimitiveKind.S8 => "s8",
        PrimitiveKind.U8 => "u8",
        PrimitiveKind.S16 => "s16",
        PrimitiveKind.U16 => "u16",
        PrimitiveKind.S32 => "s32",
        PrimitiveKind.U32 => "u32",
        PrimitiveKind.S64 => "s64",
        PrimitiveKind.U64 => "u64",
        PrimitiveKind.F32 => "f32",
        PrimitiveKind.F64 => "f64",
        PrimitiveKind.Char => "char",
        PrimitiveKind.String => "string",
        PrimitiveKind.ErrorContext => "error-context",
    };

    internal PrimitiveKind Primitive { get; }

    internal string Name => NameOf(Primitive);

    internal override IEnumerable<ComponentValType> Parts => [];

    internal override string Kind => Name;

    internal override ComponentValType Rebuild(Func<ComponentValType, ComponentValType> part, Func<ResourceType, ResourceType> resource) => this;
}
