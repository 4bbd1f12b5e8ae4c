using System.Diagnostics.CodeAnalysis;
using WasmJit.Runtime;

namespace WasmJit.Components;

/// <summary>Components on engines.</summary>
public static class ComponentEngine
{
    /// <summary>Decodes and validates a component. The bytes are copied.</summary>
    /// <param name="engine">The engine, whose options hold for the core modules in it.</param>
    /// <param name="bytes">The component in its binary format.</param>
    /// <exception cref="MalformedModuleException">The bytes are not in the binary format.</exception>
    /// <exception cref="InvalidModuleException">The component is invalid, or uses what the options do not allow.</exception>
    /// <exception cref="UnsupportedModuleException">The component exceeds a limit of this version.</exception>
    /// <exception cref="CompilationNotAllowedException">The options say <see cref="Compilation.Never"/>.</exception>
    [RequiresDynamicCode(RuntimeCode.NeedsCode)]
    public static WasmComponent CompileComponent(this Engine engine, ReadOnlySpan<byte> bytes)
    {
        ArgumentNullException.ThrowIfNull(engine);
        return Compile(engine, bytes, isForThreads: false);
    }

    /// <summary>The same for a guest, which may have threads.</summary>
    [RequiresDynamicCode(RuntimeCode.NeedsCode)]
    internal static WasmComponent Compile(Engine engine, ReadOnlySpan<byte> bytes, bool isForThreads)
    {
        if (engine.Options.Compilation == Compilation.Never) throw new CompilationNotAllowedException();
        using Runtime.TracedWork? work = Runtime.TracedWork.Begin("wasmjit.compile");
        try
        {
            ComponentDefinition definition = ComponentDecoder.Decode(bytes.ToArray(), engine.Settings(isForThreads));
            ComponentValidator.Validate(definition);
            work?.Tag("wasm.bytes", bytes.Length);
            return new WasmComponent(engine, definition);
        }
        catch (Exception e) when (work?.HasFailed(e) == true)
        {
            // The filter never takes the exception.
            throw;
        }
    }

    /// <summary>
    /// Loads a component that <see cref="WasmComponent.Save(string)"/> has written: its core modules are not compiled. The file is code of the host: only
    /// .NET checks what it does, as with any other assembly. Never load one that a guest may have written.
    /// </summary>
    /// <param name="engine">The engine, whose options the saved code must do for; <see cref="Compilation.Never"/> is one.</param>
    /// <param name="path">The file. It is read at once, and may be replaced afterwards.</param>
    /// <exception cref="SavedModuleException">The file is not a saved component, or one of another build, platform or other options.</exception>
    [RequiresDynamicCode(RuntimeCode.NeedsCode)]
    public static WasmComponent LoadSavedComponent(this Engine engine, string path)
    {
        ArgumentNullException.ThrowIfNull(engine);
        return SavedComponents.Load(engine, File.ReadAllBytes(path));
    }

    /// <summary>As <see cref="LoadSavedComponent(Engine, string)"/>, from a stream, which is read to its end.</summary>
    /// <param name="engine">The engine.</param>
    /// <param name="stream">The file's content.</param>
    /// <exception cref="SavedModuleException">The file is not a saved component, or one of another build, platform or other options.</exception>
    [RequiresDynamicCode(RuntimeCode.NeedsCode)]
    public static WasmComponent LoadSavedComponent(this Engine engine, Stream stream)
    {
        ArgumentNullException.ThrowIfNull(engine);
        ArgumentNullException.ThrowIfNull(stream);
        var file = new MemoryStream();
        stream.CopyTo(file);
        return SavedComponents.Load(engine, file.ToArray());
    }
}
