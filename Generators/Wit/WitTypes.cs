namespace WasmJit.Generators.Wit;

/// <summary>The C# of WIT's types: those that the typed calls of components know.</summary>
internal sealed class WitTypes(WitSet set)
{
    /// <summary>The longest type in C#, which has no other names for types: a few lines of WIT may double one in each.</summary>
    private const int MostCharacters = 64 << 10;

    /// <summary>All types of a file together have no more characters, each counted as often as it is part of one.</summary>
    private const int MostWritten = 32 << 20;

    private int written;

    private const string Components = "global::WasmJit.Components.", Any = Components + "ComponentValue";

    private static readonly Dictionary<string, string> Plain = new()
    {
        ["bool"] = "bool",
        ["s8"] = "sbyte",
        ["s16"] = "short",
        ["s32"] = "int",
        ["s64"] = "long",
        ["u8"] = "byte",
        ["u16"] = "ushort",
        ["u32"] = "uint",
        ["u64"] = "ulong",
        ["f32"] = "float",
        ["f64"] = "double",
        ["char"] = "global::System.Text.Rune",
        ["string"] = "string",
        ["stream"] = Any,
        ["future"] = Any,
        ["error-context"] = Any,
    };

    /// <summary>The C# name of a definition. A type cannot have the name of the one that it is in; underscores do not count.</summary>
    internal static string NameOf(WitDefinition definition, WitScope scope)
    {
        string name = definition.Kind == WitKind.Resource ? "I" + Identifiers.Pascal(definition.Name) : Identifiers.Pascal(definition.Name);
        return name == "I" + Identifiers.Pascal(scope.Name) ? name + "_" : name;
    }

    /// <summary>The C# name of an interface or world.</summary>
    internal string FullName(WitScope scope) => $"global::{Dotted(set.NamespaceOf(scope.Package))}I{Identifiers.Pascal(scope.Name)}";

    private static string Dotted(string space) => space.Length == 0 ? "" : space + ".";

    /// <summary>Scopes that are written in a world: their C# names are in it.</summary>
    internal Dictionary<WitScope, string> Inline { get; } = [];

    private string ScopeName(WitScope scope) => Inline.TryGetValue(scope, out string? name) ? name : FullName(scope);

    /// <exception cref="WitException">A name that is not defined, or a type that is too large.</exception>
    /// <exception cref="TooMuchCodeException">There are too many.</exception>
    internal string Of(WitType type, WitScope scope, int depth = 0)
    {
        string text = Write(type, scope, depth);
        if (text.Length > MostCharacters) throw new WitException($"the type {type.Name} is too large", 0, 0);
        written += text.Length;
        return written <= MostWritten ? text : throw new TooMuchCodeException();
    }

    private string Write(WitType type, WitScope scope, int depth)
    {
        if (depth > 100) throw new WitException($"the type {type.Name} is made of itself", 0, 0);
        if (!type.IsName)
        {
            if (Plain.TryGetValue(type.Name, out string? plain)) return plain;
            string Argument(int index) => index < type.Arguments.Count && type.Arguments[index] is { } argument ? Of(argument, scope, depth + 1) : Components + "NoValue";
            switch (type.Name)
            {
                case "list": return Argument(0) + "[]";
                case "option": return IsOption(type.Arguments.FirstOrDefault(), scope) ? Any : Argument(0) + "?";
                case "result": return $"{Components}ComponentResult<{Argument(0)}, {Argument(1)}>";
                case "tuple" when type.Arguments.Count == 1: return $"global::System.ValueTuple<{Argument(0)}>";
                case "tuple": return $"({string.Join(", ", type.Arguments.Select((_, i) => Argument(i)))})";
                case "map": return $"global::System.Collections.Generic.Dictionary<{Argument(0)}, {Argument(1)}>";
                case "own" or "borrow": return Argument(0);
            }
        }
        if (set.Resolve(type.Name, scope) is not { } found) throw new WitException($"the type \"{type.Name}\" is not defined", 0, 0);
        return found.Definition is { Kind: WitKind.Alias, Target: { } target } ? Of(target, found.Scope, depth + 1) : $"{ScopeName(found.Scope)}.{NameOf(found.Definition, found.Scope)}";
    }

    private bool IsOption(WitType? type, WitScope scope) => type is not null && Unaliased(type, scope).Type is { Name: "option", IsName: false };

    /// <summary>What a type is behind its names.</summary>
    internal (WitType Type, WitScope Scope) Unaliased(WitType type, WitScope scope, int depth = 0)
    {
        if (depth < 100 && (type.IsName || !Plain.ContainsKey(type.Name)) && set.Resolve(type.Name, scope) is { Definition: { Kind: WitKind.Alias, Target: { } target } } found)
            return Unaliased(target, found.Scope, depth + 1);
        return (type, scope);
    }

    /// <summary>Whether a type has a resource in it.</summary>
    /// <param name="type">The type.</param>
    /// <param name="scope">Where it is written.</param>
    /// <param name="seen">Definitions that were looked into: those have none.</param>
    /// <param name="depth">How many types are around it.</param>
    internal bool HasResource(WitType? type, WitScope scope, HashSet<(WitScope Scope, string Name)> seen, int depth = 0)
    {
        if (type is null || depth > 50) return false;
        if (type.Arguments.Any(a => HasResource(a, scope, seen, depth + 1))) return true;
        if (!type.IsName && (Plain.ContainsKey(type.Name) || type.Arguments.Count > 0)) return false;
        if (set.Resolve(type.Name, scope) is not { } found || !seen.Add((found.Scope, found.Definition.Name))) return false;
        return found.Definition.Kind switch
        {
            WitKind.Resource => true,
            WitKind.Alias => HasResource(found.Definition.Target, found.Scope, seen, depth + 1),
            _ => found.Definition.Fields.Any(f => HasResource(f.Type, found.Scope, seen, depth + 1)),
        };
    }
}
