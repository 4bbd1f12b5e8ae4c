using WasmJit.Jit.Binary;

namespace WasmJit.Linking;

/// <summary>
/// The values that a module is given by name. An instance stands for two-level imports of its name, and values with two names stand for an import of
/// an instance (Subtyping.md, import elaboration).
/// </summary>
internal sealed class Arguments
{
    private readonly Dictionary<string, object?> wholes = [];
    private readonly Dictionary<(string First, string Second), object?> items = [];

    internal void Add(string first, string? second, object? value)
    {
        if (second is null) wholes[first] = value;
        else items[(first, second)] = value;
    }

    /// <exception cref="LinkException">It is not there.</exception>
    internal object Find(Engine engine, ImportInfo import)
    {
        object? value = import.Name is null ? Whole(engine, import.Module, import.Type) : Item(import.Module, import.Name);
        return value ?? throw new LinkException($"unknown import: {import.Names} {import.Type}");
    }

    private object? Item(string first, string second)
    {
        if (items.TryGetValue((first, second), out object? item)) return item;
        return wholes.TryGetValue(first, out object? whole) && whole is Instance instance ? instance.FindInternal(second) : null;
    }

    private object? Whole(Engine engine, string first, ExternType type)
    {
        if (wholes.TryGetValue(first, out object? whole)) return whole;
        return type.Kind == ExternKind.Instance ? Bundle.Make(engine, type.Instance, name => Item(first, name)) : null;
    }
}
