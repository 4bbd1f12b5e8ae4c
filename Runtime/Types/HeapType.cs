using WasmJit.Runtime;

namespace WasmJit;

/// <summary>What a reference refers to: an abstract heap type, a defined type, or an exact form of one.</summary>
public abstract class HeapType
{
    private protected HeapType() { }

    /// <summary><c>func</c></summary>
    public static AbstractHeapType Func { get; } = new("func", HeapByte.Func, "funcref");
    /// <summary><c>nofunc</c></summary>
    public static AbstractHeapType NoFunc { get; } = new("nofunc", HeapByte.NoFunc, "nullfuncref");
    /// <summary><c>extern</c></summary>
    public static AbstractHeapType Extern { get; } = new("extern", HeapByte.Extern, "externref");
    /// <summary><c>noextern</c></summary>
    public static AbstractHeapType NoExtern { get; } = new("noextern", HeapByte.NoExtern, "nullexternref");
    /// <summary><c>any</c></summary>
    public static AbstractHeapType Any { get; } = new("any", HeapByte.Any, "anyref");
    /// <summary><c>eq</c></summary>
    public static AbstractHeapType Eq { get; } = new("eq", HeapByte.Eq, "eqref");
    /// <summary><c>i31</c></summary>
    public static AbstractHeapType I31 { get; } = new("i31", HeapByte.I31, "i31ref");
    /// <summary><c>struct</c></summary>
    public static AbstractHeapType Struct { get; } = new("struct", HeapByte.Struct, "structref");
    /// <summary><c>array</c></summary>
    public static AbstractHeapType Array { get; } = new("array", HeapByte.Array, "arrayref");
    /// <summary><c>none</c></summary>
    public static AbstractHeapType None { get; } = new("none", HeapByte.None, "nullref");
    /// <summary><c>exn</c></summary>
    public static AbstractHeapType Exn { get; } = new("exn", HeapByte.Exn, "exnref");
    /// <summary><c>noexn</c></summary>
    public static AbstractHeapType NoExn { get; } = new("noexn", HeapByte.NoExn, "nullexnref");
    /// <summary><c>module</c>, of the runtime-linking extension.</summary>
    public static AbstractHeapType Module { get; } = new("module", HeapByte.Module, null);
    /// <summary><c>instance</c>, of the runtime-linking extension.</summary>
    public static AbstractHeapType Instance { get; } = new("instance", HeapByte.Instance, null);
    /// <summary><c>memory</c>, of the runtime-linking extension.</summary>
    public static AbstractHeapType Memory { get; } = new("memory", HeapByte.Memory, null);
    /// <summary><c>table</c>, of the runtime-linking extension.</summary>
    public static AbstractHeapType Table { get; } = new("table", HeapByte.Table, null);
    /// <summary><c>global</c>, of the runtime-linking extension.</summary>
    public static AbstractHeapType Global { get; } = new("global", HeapByte.Global, null);
    /// <summary><c>tag</c>, of the runtime-linking extension.</summary>
    public static AbstractHeapType Tag { get; } = new("tag", HeapByte.Tag, null);
    /// <summary><c>slice</c>, of the runtime-linking extension.</summary>
    public static AbstractHeapType Slice { get; } = new("slice", HeapByte.Slice, null);
    /// <summary>Below every heap type; the reference in unreachable code (spec 3.1.2).</summary>
    internal static AbstractHeapType Bottom { get; } = new("bot", 0, null);

    private static readonly AbstractHeapType[] All =
    [
        Func, NoFunc, Extern, NoExtern, Any, Eq, I31, Struct, Array, None, Exn, NoExn,
        Module, Instance, Memory, Table, Global, Tag, Slice,
    ];

    /// <summary>The abstract heap type of a byte such as <see cref="HeapByte.Func"/>, or null.</summary>
    internal static AbstractHeapType? FromCode(int code)
    {
        foreach (AbstractHeapType type in All)
            if (type.Code == code) return type;
        return null;
    }

    /// <summary>The abstract heap type of a keyword such as <c>func</c>, or null.</summary>
    internal static AbstractHeapType? FromName(string name)
    {
        foreach (AbstractHeapType type in All)
            if (type.Name == name) return type;
        return null;
    }

    /// <summary>The abstract heap type of a keyword such as <c>funcref</c>, or null.</summary>
    internal static AbstractHeapType? FromShorthand(string name)
    {
        foreach (AbstractHeapType type in All)
            if (type.Shorthand == name) return type;
        return null;
    }

    /// <summary>Whether the heap type needs the runtime-linking extension.</summary>
    internal bool IsExtension => this is AbstractHeapType { Code: >= HeapByte.FirstLinking and <= HeapByte.LastLinking } or ExactModuleType;

    internal static bool Same(HeapType? a, HeapType? b) =>
        ReferenceEquals(a, b) || (a is ExactType x && b is ExactType y && ReferenceEquals(x.Type, y.Type));
}

/// <summary>An abstract heap type such as <c>func</c> or <c>any</c>; one object each.</summary>
public sealed class AbstractHeapType : HeapType
{
    internal AbstractHeapType(string name, int code, string? shorthand)
    {
        Name = name;
        Code = code;
        Shorthand = shorthand;
    }

    /// <summary>The keyword in the text format.</summary>
    public string Name { get; }

    /// <summary>The byte in the binary format.</summary>
    internal int Code { get; }

    /// <summary>The keyword of the nullable reference type, if there is one.</summary>
    internal string? Shorthand { get; }

    internal string NullableShorthand => Shorthand ?? $"(ref null {Name})";

    /// <inheritdoc/>
    public override string ToString() => Name;
}

/// <summary><c>(exact $t)</c> of the custom-descriptors proposal: objects of the type itself, not of its subtypes.</summary>
public sealed class ExactType : HeapType
{
    internal ExactType(DefType type) => Type = type;

    /// <summary>The type.</summary>
    public DefType Type { get; }

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is ExactType other && ReferenceEquals(other.Type, Type);

    /// <inheritdoc/>
    public override int GetHashCode() => Type.GetHashCode() ^ 1;

    /// <inheritdoc/>
    public override string ToString() => $"(exact {Type})";
}

/// <summary>
/// <c>(exact $M)</c> of the runtime-linking extension: instances that were made from one module of a module's index space. One
/// object for each such index of a decoded module, so that identity is type equality.
/// </summary>
internal sealed class ExactModuleType : HeapType
{
    internal ExactModuleType(int index, DefType module, Runtime.ModuleDefinition? definition)
    {
        Index = index;
        ModuleType = module;
        Definition = definition;
        InstanceType = ((WasmJit.ModuleType)module.Composite).InstanceType;
    }

    /// <summary>The module's index in the module that the type belongs to.</summary>
    internal int Index { get; }

    /// <summary>The module type of the module.</summary>
    internal DefType ModuleType { get; }

    /// <summary>The type of its instances, which lies directly above.</summary>
    internal DefType InstanceType { get; }

    /// <summary>The compiler's data of a module that is defined and not imported: all its instances run the same code.</summary>
    internal Runtime.ModuleDefinition? Definition { get; }

    /// <inheritdoc/>
    public override string ToString() => $"(exact (module {Index}))";
}
