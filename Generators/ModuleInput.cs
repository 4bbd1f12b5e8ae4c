using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;

namespace WasmJit.Generators;

/// <summary>A module that the project names.</summary>
/// <param name="Path">The file.</param>
/// <param name="Stamp">Changes when the file does.</param>
/// <param name="ClassName">The class to be made of it.</param>
/// <param name="Namespace">Its namespace.</param>
internal sealed record ModuleInput(string Path, string Stamp, string ClassName, string Namespace)
{
    /// <summary>The name of the resource that the program has it as, by which attributes name it, too.</summary>
    internal string File => System.IO.Path.GetFileName(Path);

    /// <summary>A file of the project; null if it is not a module.</summary>
    internal static ModuleInput? Of(AdditionalText file, AnalyzerConfigOptionsProvider options)
    {
        AnalyzerConfigOptions own = options.GetOptions(file);
        if (!own.TryGetValue("build_metadata.AdditionalFiles.WasmJitKind", out string? kind) || kind != "module") return null;
        own.TryGetValue("build_metadata.AdditionalFiles.WasmJitClass", out string? name);
        own.TryGetValue("build_metadata.AdditionalFiles.WasmJitNamespace", out string? space);
        if (string.IsNullOrEmpty(space)) options.GlobalOptions.TryGetValue("build_property.RootNamespace", out space);
        return new ModuleInput(file.Path, StampOf(file.Path), string.IsNullOrEmpty(name) ? Identifiers.Pascal(System.IO.Path.GetFileNameWithoutExtension(file.Path)) : name!, space ?? "");
    }

    // The compiler gives files as text, which a module is not: it is read here, when its time or length is another.
    private static string StampOf(string path)
    {
        var info = new FileInfo(path);
        return info.Exists ? $"{info.LastWriteTimeUtc.Ticks} {info.Length}" : "";
    }

    internal ModuleFile Read()
    {
        try
        {
            return new ModuleFile(this, ModuleModel.Read(System.IO.File.ReadAllBytes(Path)), null);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or UnreadableModuleException)
        {
            return new ModuleFile(this, null, e.Message);
        }
    }
}

/// <summary>What was read of a module: once for all that is written of it.</summary>
/// <param name="Input">Where it is.</param>
/// <param name="Model">What is in it; null if it cannot be read.</param>
/// <param name="Problem">Why it cannot be read.</param>
internal sealed record ModuleFile(ModuleInput Input, ModuleModel? Model, string? Problem);
