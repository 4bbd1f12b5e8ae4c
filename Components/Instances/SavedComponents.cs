using WasmJit.Jit.Binary;
using WasmJit.Linking;

namespace WasmJit.Components;

/// <summary>
/// Saved components: the component's bytes, and each core module in it as <see cref="Module.Save(Stream)"/> writes one, in the order in which the
/// decoder comes to them.
/// </summary>
internal static class SavedComponents
{
    /// <summary>No module begins so, and no assembly.</summary>
    private static ReadOnlySpan<byte> Magic => "WasmJit component\0"u8;

    /// <summary>Whether a file begins as those that are written here.</summary>
    internal static bool IsSaved(ReadOnlySpan<byte> file) => file.StartsWith(Magic);

    /// <summary>The component in a file.</summary>
    /// <exception cref="SavedModuleException">It is damaged.</exception>
    internal static byte[] Component(byte[] file)
    {
        int at = Magic.Length;
        return Part(file, ref at).ToArray();
    }

    internal static byte[] Write(WasmComponent component)
    {
        var file = new MemoryStream();
        var writer = new BinaryWriter(file);
        writer.Write(Magic);
        ReadOnlySpan<byte> bytes = component.Definition.Bytes.Span;
        writer.Write(bytes.Length);
        writer.Write(bytes);
        foreach (ModuleInfo info in CoreModules(component.Definition))
        {
            // By itself: what is saved has offsets of its own.
            byte[] saved = SavedModules.Write(component.Engine.CompileOwned(bytes[info.Begin..info.End].ToArray()));
            writer.Write(saved.Length);
            writer.Write(saved);
        }
        writer.Flush();
        return file.ToArray();
    }

    private static IEnumerable<ModuleInfo> CoreModules(ComponentDefinition component)
    {
        foreach (Definition definition in component.Definitions)
        {
            if (definition is CoreModuleDefinition { Module: var module }) yield return module;
            if (definition is not NestedDefinition { Component: var nested }) continue;
            foreach (ModuleInfo inner in CoreModules(nested)) yield return inner;
        }
    }

    /// <exception cref="SavedModuleException">The file is not a saved component, or one of another build, platform or other options.</exception>
    internal static WasmComponent Load(Engine engine, byte[] file)
    {
        if (!IsSaved(file)) throw new SavedModuleException(SavedModuleProblem.NotSaved, "the file is not a saved component");
        int at = Magic.Length;
        ReadOnlyMemory<byte> bytes = Part(file, ref at);
        ComponentDefinition component;
        try
        {
            component = ComponentDecoder.Decode(bytes, engine.Settings(isForThreads: false), (begin, end) =>
            {
                ModuleInfo module = SavedModules.Load(engine, Part(file, ref at).ToArray()).Info;
                return module.Bytes.Span.SequenceEqual(bytes.Span[begin..end]) ? module : throw Damaged();
            });
            ComponentValidator.Validate(component);
        }
        catch (ModuleException e) when (e is not UnsupportedModuleException)
        {
            throw Damaged();
        }
        if (at != file.Length) throw Damaged();
        return new WasmComponent(engine, component) { SavedFile = file };
    }

    private static ReadOnlyMemory<byte> Part(byte[] file, ref int at)
    {
        if (file.Length - at < sizeof(int)) throw Damaged();
        int length = BitConverter.ToInt32(file, at);
        at += sizeof(int);
        if (length < 0 || length > file.Length - at) throw Damaged();
        var part = new ReadOnlyMemory<byte>(file, at, length);
        at += length;
        return part;
    }

    private static SavedModuleException Damaged() => new(SavedModuleProblem.Damaged, "the saved component is not as it was saved");
}
