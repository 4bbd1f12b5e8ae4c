namespace WasmJit.Components;

/// <summary>
/// The one place with the rules of subtyping between component types (Explainer.md, type checking); core modules in them are compared by
/// <see cref="Subtyping"/>. Each comparison gives null, or the reason why not. What is given has its own resource types; those that
/// what is wanted brings in are found for it, in a <see cref="TypeSubstitution"/>.
/// </summary>
internal sealed class ComponentSubtyping(TypeTable table, WorkBudget budget)
{
    /// <summary>A substitution for what is wanted, still empty.</summary>
    internal TypeSubstitution NewSubstitution() => new(table, budget);

    /// <summary>May a thing of type <paramref name="given"/> stand where <paramref name="wanted"/> is asked for.</summary>
    /// <param name="given">What is there.</param>
    /// <param name="wanted">What is asked for.</param>
    /// <param name="resources">Which resource types take the place of those that what is wanted has brought in so far; here come more.</param>
    internal string? Mismatch(ComponentExternType given, ComponentExternType wanted, TypeSubstitution resources)
    {
        budget.Spend(1);
        if (given.Sort != wanted.Sort) return $"expected {wanted.Kind}, found {given.Kind}";
        switch (wanted.Sort)
        {
            case Sort.CoreModule:
                return CoreMismatch.OfModules(given.Module, wanted.Module);
            case Sort.Type when wanted.IsAbstract:
                if (given.Type is not ResourceType resource) return $"expected resource, found {Word(given.Type)}";
                resources.Map((ResourceType)wanted.Type, resource);
                return null;
            case Sort.Type:
                if (Difference(given.Type, resources.Apply(wanted.Type)) is { } difference) return difference;
                resources.Rename(wanted.Type, given.Type);
                return null;
            case Sort.Func:
                return Difference((FunctionType)given.Type, resources.Apply((FunctionType)wanted.Type));
            case Sort.Value:
                return Difference((ComponentValType)given.Type, resources.Apply((ComponentValType)wanted.Type));
            case Sort.Instance:
                return Mismatch((ComponentInstanceType)given.Type, (ComponentInstanceType)wanted.Type, resources);
            default:
                return Mismatch((ComponentSignature)given.Type, resources.Apply((ComponentSignature)wanted.Type));
        }
    }

    private string? Mismatch(ComponentInstanceType given, ComponentInstanceType wanted, TypeSubstitution resources)
    {
        foreach (ExternItem export in wanted.Exports)
        {
            if (given.Find(export.Name) is not { } found) return $"missing expected export `{export.Name}`";
            if (Mismatch(found, export.Type, resources) is { } reason) return $"type mismatch in instance export `{export.Name}`: {reason}";
        }
        return null;
    }

    /// <summary>A component that needs less and gives more.</summary>
    private string? Mismatch(ComponentSignature given, ComponentSignature wanted)
    {
        // A component that is the same needs no comparison.
        if (ReferenceEquals(given, wanted)) return null;
        TypeSubstitution arguments = NewSubstitution(), results = NewSubstitution();
        foreach (ExternItem import in given.Imports)
        {
            if (wanted.FindImport(import.Name) is not { } found) return $"missing expected import `{import.Name}`";
            if (Mismatch(found, import.Type, arguments) is { } reason) return $"type mismatch in import `{import.Name}`: {reason}";
        }
        foreach (ExternItem export in wanted.Exports)
        {
            if (given.FindExport(export.Name) is not { } found) return $"missing expected export `{export.Name}`";
            if (Mismatch(arguments.Apply(found), export.Type, results) is { } reason) return $"type mismatch in export `{export.Name}`: {reason}";
        }
        return null;
    }

    // ---- equality ----

    private static string Word(DefinedType type) => type is ComponentValType ? "defined type" : type.Kind;

    /// <summary>Why two types are not the same, or null.</summary>
    private string? Difference(DefinedType found, DefinedType expected)
    {
        budget.Spend(1);
        if (ReferenceEquals(found, expected)) return null;
        return (found, expected) switch
        {
            (ResourceType a, ResourceType b) => ReferenceEquals(a.Canonical, b.Canonical) ? null : "resource types are not the same",
            (ComponentValType a, ComponentValType b) => Difference(a, b),
            (FunctionType a, FunctionType b) => Difference(a, b),
            (ComponentInstanceType a, ComponentInstanceType b) => Mismatch(a, b, NewSubstitution()) ?? Mismatch(b, a, NewSubstitution()),
            (ComponentSignature a, ComponentSignature b) => Mismatch(a, b) ?? Mismatch(b, a),
            _ => $"expected {Word(expected)}, found {Word(found)}",
        };
    }

    private static string? Difference(ComponentValType found, ComponentValType expected) =>
        ReferenceEquals(found.Canonical, expected.Canonical) ? null : ValueDifference.Describe(found, expected, true);

    private string? Difference(FunctionType found, FunctionType expected)
    {
        budget.Spend(found.Parameters.Length);
        if (found.IsAsync != expected.IsAsync) return $"expected {(expected.IsAsync ? "async" : "sync")} function, found {(found.IsAsync ? "async" : "sync")}";
        if (found.Parameters.Length != expected.Parameters.Length)
            return $"expected {expected.Parameters.Length} parameters, found {found.Parameters.Length}";
        for (int i = 0; i < found.Parameters.Length; i++)
        {
            LabelledType a = found.Parameters[i], b = expected.Parameters[i];
            if (a.Label != b.Label) return $"expected parameter named `{b.Label}`, found `{a.Label}`";
            if (Difference(a.Type, b.Type) is { } reason) return $"type mismatch in function parameter `{a.Label}`: {reason}";
        }
        return (found.Result, expected.Result) switch
        {
            (null, null) => null,
            (null, _) => "expected no result, found one",
            (_, null) => "expected a result, found none",
            var (a, b) => Difference(a, b) is { } reason ? $"type mismatch with result type: {reason}" : null,
        };
    }
}

/// <summary>Says where two value types differ.</summary>
internal static class ValueDifference
{
    /// <summary>The reason; null if they are the same.</summary>
    internal static string? Describe(ComponentValType found, ComponentValType expected, bool isWhole = false)
    {
        if (ReferenceEquals(found.Canonical, expected.Canonical)) return null;
        switch (found, expected)
        {
            case (PrimitiveType a, PrimitiveType b):
                return $"expected primitive `{b.Name}` found primitive `{a.Name}`";
            case (RecordType a, RecordType b):
                if (a.Fields.Length != b.Fields.Length) return $"expected {b.Fields.Length} fields, found {a.Fields.Length}";
                for (int i = 0; i < a.Fields.Length; i++)
                {
                    if (a.Fields[i].Label != b.Fields[i].Label) return $"expected field name `{b.Fields[i].Label}`, found `{a.Fields[i].Label}`";
                    if (Describe(a.Fields[i].Type, b.Fields[i].Type) is { } reason) return $"type mismatch in record field `{a.Fields[i].Label}`: {reason}";
                }
                return null;
            case (VariantType a, VariantType b):
                if (a.Cases.Length != b.Cases.Length) return $"expected {b.Cases.Length} cases, found {a.Cases.Length}";
                for (int i = 0; i < a.Cases.Length; i++)
                    if (Describe(a.Cases[i], b.Cases[i]) is { } reason) return reason;
                return null;
            case (TupleType a, TupleType b):
                if (a.Elements.Length != b.Elements.Length) return $"expected {b.Elements.Length} types, found {a.Elements.Length}";
                for (int i = 0; i < a.Elements.Length; i++)
                    if (Describe(a.Elements[i], b.Elements[i]) is { } reason) return $"type mismatch in tuple field {i}: {reason}";
                return null;
            case (FlagsType, FlagsType): return "mismatch in flags elements";
            case (EnumType, EnumType): return "mismatch in enum elements";
            case (OptionType a, OptionType b): return Describe(a.Payload, b.Payload);
            case (ResultType a, ResultType b): return Describe(a.Ok, b.Ok, "ok") ?? Describe(a.Error, b.Error, "err");
            case (ListType a, ListType b):
                return Describe(a.Element, b.Element) ?? $"expected {Length(b)}, found {Length(a)}";
            case (MapType a, MapType b):
                return Describe(a.Key, b.Key) is { } key ? $"type mismatch in map key: {key}" : $"type mismatch in map value: {Describe(a.Value, b.Value)}";
            case (HandleType a, HandleType b) when a.IsBorrow == b.IsBorrow: return "resource types are not the same";
            case (StreamType a, StreamType b) when a.IsFuture == b.IsFuture:
                return (a.Element, b.Element) switch
                {
                    (null, _) => $"expected {b.Kind} type, but found none",
                    (_, null) => $"expected {b.Kind} type to not be present",
                    var (x, y) => Describe(x, y),
                };
            default:
                return $"expected {(isWhole && expected is PrimitiveType ? "primitive" : expected.Kind)}, found {found.Kind}";
        }
    }

    private static string Length(ListType type) => type.Length is { } length ? $"a list of length {length}" : "a list of any length";

    private static string? Describe(CaseType found, CaseType expected)
    {
        if (found.Label != expected.Label) return $"expected case named `{expected.Label}`, found `{found.Label}`";
        return (found.Type, expected.Type) switch
        {
            (null, null) => null,
            (null, _) => $"expected case `{expected.Label}` to have a type, found none",
            (_, null) => $"expected case `{expected.Label}` to have no type",
            var (a, b) => Describe(a, b) is { } reason ? $"type mismatch in variant case `{expected.Label}`: {reason}" : null,
        };
    }

    private static string? Describe(ComponentValType? found, ComponentValType? expected, string which) => (found, expected) switch
    {
        (null, null) => null,
        (null, _) => $"expected {which} type, but found none",
        (_, null) => $"expected {which} type to not be present",
        var (a, b) => Describe(a, b) is { } reason ? $"type mismatch in {which} variant: {reason}" : null,
    };
}
