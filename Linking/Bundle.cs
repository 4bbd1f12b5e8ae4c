using WasmJit.Jit.Binary;

namespace WasmJit.Linking;

/// <summary>
/// Instances that are made of single values: instances of a module that imports the values and exports them again.
/// </summary>
internal static class Bundle
{
    /// <summary>Makes an instance of a type; null if a value is not found.</summary>
    /// <param name="engine">The engine that the instance's module belongs to.</param>
    /// <param name="type">The type, which says the exports.</param>
    /// <param name="find">Gives an export by its name, a function as a FuncRef, or null.</param>
    /// <param name="fuel">Pays for it.</param>
    /// <param name="resources">The resources that it counts in.</param>
    /// <exception cref="LinkException">A value is of another type.</exception>
    internal static Instance? Make(Engine engine, InstanceType type, Func<string, object?> find, Fuel? fuel = null, GuestResources? resources = null)
    {
        var values = new object[type.Exports.Length];
        for (int i = 0; i < values.Length; i++)
        {
            if (find(type.Exports[i].Name) is not { } value) return null;
            values[i] = value;
        }
        var module = new Module(engine, Passing(type));
        Fuel.Pay(fuel, Linker.CostOf(module.Info));
        return Linker.Instantiate(module, values, module.CountsFuel ? fuel : null, resources);
    }

    private static ModuleInfo Passing(InstanceType type)
    {
        var contents = ModuleContents.Root(default, DecodeSettings.All);
        foreach (ExportType export in type.Exports)
        {
            contents.Exports.Add(new ExportInfo(export.Name, export.Type.Kind, (uint)contents.Info.CountOf(export.Type.Kind), 0));
            contents.Imports.Add(new ImportInfo("", export.Name, export.Type, 0));
            contents.AddItem(export.Type, 0, uint.MaxValue);
        }
        return contents.Info;
    }
}
