namespace WasmJit.Components;

/// <summary>Says why core types do not match; whether they do is asked of <see cref="Subtyping"/>.</summary>
internal static class CoreMismatch
{
    /// <summary>Why a core module is not one of the type that is wanted, or null.</summary>
    internal static string? OfModules(DefType given, DefType wanted)
    {
        if (Subtyping.IsSubtype(given, wanted)) return null;
        var (a, b) = ((ModuleType)given.Composite, (ModuleType)wanted.Composite);
        var supplied = b.Imports.ToDictionary(i => (i.Module, i.Name), i => i.Type);
        foreach (ImportType import in a.Imports)
        {
            if (!supplied.TryGetValue((import.Module, import.Name), out ExternType? type)) return $"missing expected import `{import.Module}::{import.Name}`";
            if (OfItems(type, import.Type) is { } reason) return $"type mismatch in import `{import.Module}::{import.Name}`: {reason}";
        }
        var instance = (InstanceType)a.InstanceType.Composite;
        foreach (ExportType export in b.Exports)
        {
            if (instance.Find(export.Name) is not { } type) return $"missing expected export `{export.Name}`";
            if (OfItems(type, export.Type) is { } reason) return $"type mismatch in export `{export.Name}`: {reason}";
        }
        return "module types are not the same";
    }

    /// <summary>Why a function, table, memory, global or tag is not of the type that is wanted, or null.</summary>
    internal static string? OfItems(ExternType given, ExternType wanted)
    {
        if (Subtyping.Matches(given, wanted)) return null;
        if (given.Kind != wanted.Kind) return $"expected {Word(wanted.Kind)}, found {Word(given.Kind)}";
        return wanted.Kind switch
        {
            ExternKind.Func or ExternKind.Tag => $"expected: {wanted}, found: {given}",
            ExternKind.Global => Of(given.Global, wanted.Global),
            ExternKind.Table => Of(given.Table, wanted.Table),
            ExternKind.Memory => Of(given.Memory, wanted.Memory),
            _ => $"expected {wanted}, found {given}",
        };
    }

    private static string Word(ExternKind kind) => kind.ToString().ToLowerInvariant();

    private static string Of(GlobalType given, GlobalType wanted) =>
        given.IsMutable != wanted.IsMutable ? "global types differ in mutability" : $"expected global type {wanted.Type}, found {given.Type}";

    private static string Of(TableType given, TableType wanted)
    {
        if (given.Element != wanted.Element) return $"expected table element type {wanted.Element}, found {given.Element}";
        if (given.Is64 != wanted.Is64) return "mismatch in index type used for tables";
        return given.IsShared != wanted.IsShared ? "mismatch in the shared flag for tables" : "mismatch in table limits";
    }

    private static string Of(MemoryType given, MemoryType wanted)
    {
        if (given.IsShared != wanted.IsShared) return "mismatch in the shared flag for memories";
        if (given.Is64 != wanted.Is64) return "mismatch in index type used for memories";
        return given.PageSizeLog2 != wanted.PageSizeLog2 ? "mismatch in custom page size for memories" : "mismatch in memory limits";
    }
}
