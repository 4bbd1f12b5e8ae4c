namespace WasmJit.Components;

/// <summary>Names in WIT. Keywords are written with a percent sign.</summary>
internal static class WitNames
{
    private static readonly HashSet<string> Keywords =
    [
        "as", "async", "bool", "borrow", "char", "constructor", "enum", "error-context", "export", "f32", "f64", "flags", "from", "func", "future", "import",
        "include", "interface", "list", "map", "option", "own", "package", "record", "resource", "result", "s16", "s32", "s64", "s8", "static", "stream",
        "string", "tuple", "type", "u16", "u32", "u64", "u8", "use", "variant", "with", "world",
    ];

    internal static string Id(string label) => Keywords.Contains(label) ? "%" + label : label;

    /// <summary>The package of an interface, with its version.</summary>
    internal static string Package(string interfaceName)
    {
        int slash = interfaceName.IndexOf('/', StringComparison.Ordinal), at = interfaceName.IndexOf('@', StringComparison.Ordinal);
        return interfaceName[..slash] + (at < 0 ? "" : interfaceName[at..]);
    }

    /// <summary>The interface in its package, as WIT has it.</summary>
    internal static string Interface(string interfaceName) => Id(InPackage(interfaceName));

    /// <summary>The label between an interface's package and its version; a label is that itself.</summary>
    internal static string InPackage(string interfaceName)
    {
        int slash = interfaceName.IndexOf('/', StringComparison.Ordinal), at = interfaceName.IndexOf('@', StringComparison.Ordinal);
        return interfaceName[(slash + 1)..(at < 0 ? interfaceName.Length : at)];
    }

    /// <summary>Takes the name of an import or export apart. A member has the resource's name and its own.</summary>
    internal static (ExternNameKind Kind, string? Resource, string Name) Member(string name)
    {
        ExternNameSyntax.Parse(name, out ExternNameSyntax syntax);
        return (syntax.Kind, syntax.Resource, syntax.Kind switch
        {
            ExternNameKind.Method or ExternNameKind.Static => name[(name.IndexOf('.', StringComparison.Ordinal) + 1)..],
            _ => name,
        });
    }
}
