using WasmJit.Runtime;

namespace WasmJit;

/// <summary>An exception tag; two tags are the same only if they are the same object.</summary>
public sealed class Tag
{
    /// <summary>Makes a tag whose exceptions carry the parameters of <paramref name="type"/>.</summary>
    /// <exception cref="ArgumentException">The type has results.</exception>
    public Tag(FuncType type)
        : this(DefType.Of(type))
    {
        if (!type.Results.IsEmpty) throw new ArgumentException("A tag's type has no results.", nameof(type));
    }

    internal Tag(DefType type)
    {
        Type = type;
        Layout = PayloadLayout.Of((FuncType)type.Composite);
    }

    /// <summary>The type; its parameters are the payload's types.</summary>
    public DefType Type { get; }

    internal PayloadLayout Layout { get; }
}
