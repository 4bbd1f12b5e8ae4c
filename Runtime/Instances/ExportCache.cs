namespace WasmJit.Runtime;

/// <summary>
/// Results of <c>get_export "name"</c>, for all instances of the module that has the instruction: the place of the export in instances of one type.
/// Types are canonical and say the order of the exports, so instances of different modules with equal types have the export at the same place.
/// </summary>
internal sealed class ExportCache
{
    /// <summary>Where an export is in <see cref="InstanceCore.ExportValues"/> of instances of a type.</summary>
    internal sealed record Place(DefType Type, int Index);

    /// <summary>The last place of each name, by the number that the emitter gave to type and name.</summary>
    internal Place?[] Places = [];

    internal void Set(int name, Place place)
    {
        lock (this)
        {
            if (name >= Places.Length) Array.Resize(ref Places, Math.Max(name + 1, Places.Length * 2));
            Places[name] = place;
        }
    }
}
