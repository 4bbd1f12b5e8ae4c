using System.Diagnostics.CodeAnalysis;
using System.Diagnostics.Tracing;
using WasmJit.Jit.Binary;
using WasmJit.Jit.Tiers;
using WasmJit.Jit.Validation;
using WasmJit.Linking;
using WasmJit.Runtime;

namespace WasmJit;

/// <summary>
/// Compiles modules. An engine holds nothing but its options. Modules and instances of several engines can be linked with each other, and all of them
/// are ordinary garbage when they are not used any more.
/// </summary>
public sealed class Engine
{
    static Engine()
    {
        Unwinder.Test = FastPathTest.Run;
    }

    /// <summary>Makes an engine.</summary>
    /// <param name="options">What it does and allows; the defaults if null.</param>
    /// <exception cref="ArgumentException">A limit cannot work with the other options.</exception>
    public Engine(EngineOptions? options = null)
    {
        Options = options ?? new EngineOptions();
        if (Options.MaximumStack is not null
            && (Options.Compilation == Compilation.Never || !RuntimeCode.IsAvailable))
        {
            throw new ArgumentException("MaximumStack needs code made at run time, which Compilation.Never, or this process, does not allow.", nameof(options));
        }
        WasmJitMetrics.Publish();
        UsesGuardPages = Options.MemoryChecks == MemoryChecks.Guard && AddressSpace.HasGuards;
    }

    /// <summary>Is told of each instance that is made; null if there is no observer.</summary>
    internal Action<Instance>? Observer { get; set; }

    /// <summary>The options.</summary>
    public EngineOptions Options { get; }

    /// <summary>Whether guard pages check memory accesses, and not comparisons.</summary>
    public bool UsesGuardPages { get; }

    /// <summary>Decodes and validates a module. The bytes are copied.</summary>
    /// <exception cref="MalformedModuleException">The bytes are not in the binary format.</exception>
    /// <exception cref="InvalidModuleException">The module is invalid, or uses what the options do not allow.</exception>
    /// <exception cref="UnsupportedModuleException">The module exceeds a limit of this version.</exception>
    /// <exception cref="CompilationNotAllowedException">The options say <see cref="Compilation.Never"/>.</exception>
    public Module Compile(ReadOnlySpan<byte> bytes) => CompileOwned(bytes.ToArray());

    /// <summary>
    /// Reads and compiles a file in the binary format. Its bytes are in memory only once: <see cref="Compile"/> needs a copy besides the caller's.
    /// </summary>
    /// <param name="path">The file; it may be changed or deleted afterwards.</param>
    /// <exception cref="IOException">It cannot be read, or is larger than 2 GB.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be read.</exception>
    /// <exception cref="ModuleException">As <see cref="Compile"/>.</exception>
    /// <exception cref="CompilationNotAllowedException">As <see cref="Compile"/>.</exception>
    public Module CompileFile(string path) => CompileOwned(FileBytes.Read(path));

    /// <summary>Reads a stream to its end and compiles it.</summary>
    /// <param name="stream">The module's bytes.</param>
    /// <param name="cancellation">Stops reading.</param>
    /// <exception cref="ModuleException">As <see cref="Compile"/>.</exception>
    /// <exception cref="CompilationNotAllowedException">As <see cref="Compile"/>.</exception>
    public async Task<Module> CompileAsync(Stream stream, CancellationToken cancellation = default)
    {
        byte[] bytes = await ReadAsync(stream, cancellation).ConfigureAwait(false);
        return await Task.Run(() => CompileOwned(bytes), cancellation).ConfigureAwait(false);
    }

    private static async Task<byte[]> ReadAsync(Stream stream, CancellationToken cancellation)
    {
        long expected = stream.CanSeek ? stream.Length - stream.Position : 0;
        var buffer = new MemoryStream((int)Math.Clamp(expected, 0, Array.MaxLength));
        await stream.CopyToAsync(buffer, cancellation).ConfigureAwait(false);
        // Where the length was known nothing is copied again.
        return buffer.Length == buffer.Capacity ? buffer.GetBuffer() : buffer.ToArray();
    }

    /// <summary>
    /// Loads a module that <see cref="Module.Save(string)"/> or <c>wasmjit compile</c> has written. The file is code of the host: nothing but .NET
    /// checks it, as with any other assembly. Never load one that a guest may have written.
    /// </summary>
    /// <param name="path">The file. It is read at once, and may be replaced afterwards.</param>
    /// <exception cref="SavedModuleException">The file is not a saved module, or one of another build, platform or other options.</exception>
    [RequiresDynamicCode(RuntimeCode.NeedsAssemblies)]
    public Module LoadSaved(string path) => Linking.SavedModules.Load(this, path);

    /// <summary>As <see cref="LoadSaved(string)"/>, from a stream, which is read to its end.</summary>
    /// <param name="stream">The file's content.</param>
    /// <exception cref="SavedModuleException">The file is not a saved module, or one of another build, platform or other options.</exception>
    [RequiresDynamicCode(RuntimeCode.NeedsAssemblies)]
    public Module LoadSaved(Stream stream)
    {
        var buffer = new MemoryStream();
        stream.CopyTo(buffer);
        return Linking.SavedModules.Load(this, buffer.ToArray());
    }

    /// <summary>
    /// As <see cref="LoadSaved(string)"/>, for an assembly that the host has loaded or refers to. Its code lives as long as the assembly does. The
    /// host must make sure that its file is undamaged.
    /// </summary>
    /// <param name="assembly">The assembly.</param>
    /// <exception cref="SavedModuleException">The assembly is not a saved module, or one of another build, platform or other options.</exception>
    [RequiresDynamicCode(RuntimeCode.NeedsAssemblies)]
    public Module LoadSaved(System.Reflection.Assembly assembly) => Linking.SavedModules.Load(this, assembly);

    /// <summary>Whether the bytes are a valid module, and the reason if they are not.</summary>
    /// <param name="bytes">The module.</param>
    /// <param name="error">The reason, or null.</param>
    public bool Validate(ReadOnlySpan<byte> bytes, out ModuleException? error) => ValidateOwned(bytes.ToArray(), out error, out _);

    internal bool ValidateOwned(byte[] bytes, out ModuleException? error, out ModuleInfo? info)
    {
        info = null;
        try
        {
            info = Load(bytes, isForThreads: false);
            error = null;
            return true;
        }
        catch (ModuleException e)
        {
            error = e;
            return false;
        }
    }

    /// <summary>The resources of a guest that the host makes; null without limits.</summary>
    internal GuestResources? NewResources() => Options.Limits is { } limits ? new GuestResources(limits) : null;

    internal CodeOptions CodeOptions => new(!UsesGuardPages, Options.Interruptible, Options.CountFuel, Options.Inlining,
        Options.BackgroundThreads, Options.BackgroundThreshold, Options.PartSize,
        Options.Verify || EmitterAssertions.IsForced, Interprets, Interprets && Options.Compilation == Compilation.Tiered && RuntimeCode.IsAvailable, Options.TierSeed,
        Options.SlotsOfSpilling, Options.TakesSamples, Options.InterpretsAll);

    /// <summary>
    /// The verifying mode checks the emitter, so it compiles: interpreted code would check nothing. A process that can make no code interprets whatever the options say.
    /// </summary>
    private bool Interprets => !RuntimeCode.IsAvailable || Options is { Compilation: Compilation.Interpreted or Compilation.Tiered, Verify: false, PartSize: null } && !EmitterAssertions.IsForced;

    /// <summary>Compiles bytes that belong to the module from then on.</summary>
    /// <param name="bytes">The module.</param>
    /// <param name="isForThreads">Whether a guest compiles it that may have threads.</param>
    internal Module CompileOwned(byte[] bytes, bool isForThreads = false)
    {
        if (Options.Compilation == Compilation.Never)
            throw new CompilationNotAllowedException();
        using TracedWork? work = TracedWork.Begin("wasmjit.compile", EventLevel.Informational);
        if (work is null) return CompileUntold(bytes, isForThreads);
        try
        {
            Module module = CompileUntold(bytes, isForThreads);
            work.Compiled(module.Name, bytes.Length, module.Info.Funcs.Count - module.Info.ImportedFuncs);
            return module;
        }
        catch (Exception e) when (work.HasFailed(e))
        {
            // The filter never takes the exception.
            throw;
        }
    }

    private Module CompileUntold(byte[] bytes, bool isForThreads)
    {
        ModuleInfo info = Load(bytes, isForThreads);
        WasmJitMetrics.ModuleCompiled();
        var module = new Module(this, info);
        if (Options.Compilation == Compilation.Ahead && RuntimeCode.IsAvailable) module.Code.CompileAll();
        return module;
    }

    /// <summary>Compiles for a guest, and counts in its quota.</summary>
    /// <exception cref="QuotaExceededException">The quota is used up.</exception>
    internal Module CompileOwned(byte[] bytes, bool isForThreads, LinkingQuota? quota, CodeLedger? owner = null)
    {
        if (CodeShare.Take(quota, owner, bytes.Length) is not { } live) return CompileOwned(bytes, isForThreads);
        try
        {
            Module module = CompileOwned(bytes, isForThreads);
            module.Live = live;
            return module;
        }
        catch
        {
            live.Release();
            throw;
        }
    }

    /// <summary>What modules are decoded for.</summary>
    /// <param name="isForThreads">Whether a guest compiles them that may have threads.</param>
    internal DecodeSettings Settings(bool isForThreads) =>
        new(Options.Features, Options.RuntimeLinking, Options.RuntimeLinking && Options.RuntimeCompile, isForThreads);

    private ModuleInfo Load(byte[] bytes, bool isForThreads)
    {
        ModuleInfo info = ModuleDecoder.Decode(bytes, Settings(isForThreads));
        ModuleValidator.Validate(info);
        return info;
    }
}
