namespace WasmJit.Jit.Binary;

/// <summary>The rule for exports (spec 3.4.13), for modules that are validated and for nested ones, whose types are needed at once.</summary>
internal static class ExportNames
{
    /// <exception cref="InvalidModuleException">An export names what there is not, or two have one name.</exception>
    internal static void Check(ModuleInfo module)
    {
        var names = new HashSet<string>(module.Exports.Count);
        foreach (ExportInfo export in module.Exports)
        {
            if (export.Index >= module.CountOf(export.Kind))
                throw new InvalidModuleException($"unknown {NameOf(export.Kind)} {export.Index}", export.Offset);
            if (!names.Add(export.Name)) throw new InvalidModuleException($"duplicate export name: {export.Name}", export.Offset);
        }
    }

    /// <summary>The kind of a thing as messages say it.</summary>
    internal static string NameOf(ExternKind kind) => kind == ExternKind.Func ? "function" : kind.ToString().ToLowerInvariant();
}
