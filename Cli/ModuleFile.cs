using System.CommandLine;
using WasmJit.Components;
using WasmJit.Jit.Binary;
using WasmJit.Jit.Saved;
using WasmJit.Runtime;
using WasmJit.Text;
using WasmJit.Wasi;

namespace WasmJit.Cli;

/// <summary>Reads modules: files in the binary or the text format, or the standard input.</summary>
internal static class ModuleFile
{
    private static readonly string[] Patterns = ["*.wasm", "*.wat"];

    internal static Argument<string> Argument(string description = "A module, .wasm or .wat, or .dll that was saved; \"-\" is the standard input.") =>
        new("FILE") { Description = description };

    /// <summary><c>--allow-saved</c>, for commands that run what "compile" has saved.</summary>
    internal static Option<bool> AllowSaved { get; } = new("--allow-saved")
    {
        Description = "Run what \"compile\" has saved also from the standard input, or from a FILE that is named neither .dll nor .saved. It is code of the host: nothing keeps it in a sandbox.",
    };

    /// <summary>Reads the bytes of a file.</summary>
    /// <exception cref="ToolException">The file does not exist or cannot be read.</exception>
    internal static byte[] ReadBytes(string path)
    {
        if (path == "-")
        {
            // Its number is that of a pipe of .NET's own then, which nothing is ever written to.
            if (!StandardStreams.IsOpen(0)) throw new ToolException("the standard input is closed");
            using Stream input = Console.OpenStandardInput();
            var buffer = new MemoryStream();
            input.CopyTo(buffer);
            return buffer.ToArray();
        }
        if (EarlyModule.BytesOf(path) is { } early) return early;
        if (Directory.Exists(path)) throw new ToolException($"{path} is a directory", ModulesIn(path));
        if (!File.Exists(path)) throw new ToolException($"{path} does not exist{Suggestion(path)}");
        try
        {
            return FileBytes.Read(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ToolException($"{path} cannot be read: {e.Message}");
        }
        catch (OutOfMemoryException)
        {
            // A device without an end, for instance.
            throw new ToolException($"{path} is larger than 2 GB, or than the memory");
        }
    }

    /// <summary>Where what is made of a file goes if the command line does not say so: beside it, of the standard input to the standard output.</summary>
    /// <exception cref="ToolException">That is the file itself.</exception>
    internal static string DefaultTarget(string path, string extension)
    {
        if (path == "-") return path;
        string target = Path.ChangeExtension(path, extension);
        return target != path ? target : throw new ToolException($"{path} would be replaced", "give the file to write with -o");
    }

    /// <summary>Reads a module in the binary format. Text is encoded, and of what "compile" saved the module is taken.</summary>
    /// <exception cref="ToolException">The file cannot be read, has neither format, or is a component.</exception>
    internal static ModuleBytes Read(string path) => Read(path, ReadBytes(path));

    internal static ModuleBytes Read(string path, byte[] bytes)
    {
        ModuleBytes read = ReadAny(path, bytes);
        if (read.IsComponent) throw new ToolException($"{path} is a component, not a module", "run, compile, inspect, validate and wasm2wat take components");
        return read;
    }

    /// <summary>Reads a module or component in the binary format, as <see cref="Read(string)"/> does.</summary>
    /// <exception cref="ToolException">The file cannot be read, or has neither format.</exception>
    internal static ModuleBytes ReadAny(string path) => ReadAny(path, ReadBytes(path));

    internal static ModuleBytes ReadAny(string path, byte[] bytes)
    {
        if (SavedComponents.IsSaved(bytes)) return new ModuleBytes(path, SavedComponents.Component(bytes), null);
        if (IsSaved(bytes)) return new ModuleBytes(path, Saved(path, bytes), null);
        if (IsBinary(bytes)) return new ModuleBytes(path, bytes, null);
        if (bytes.Length == 0) throw new ToolException($"{path} is empty");
        if (path.EndsWith(".wasm", StringComparison.OrdinalIgnoreCase) && !LooksLikeText(bytes))
            throw new ToolException($"{path} is not a WebAssembly module: it does not begin with \"\\0asm\"", "check that it is the right file, and complete");
        return Encode(path, bytes);
    }

    /// <summary>Encodes the text format. Errors name the file and the line.</summary>
    internal static ModuleBytes Encode(string path, byte[] text)
    {
        try
        {
            byte[] bytes = Wat.ToBinary(text, out Source source);
            return new ModuleBytes(path, bytes, source);
        }
        catch (WatException e)
        {
            throw new ToolException($"{path}:{e.Line}:{e.Column}: {e.Reason}");
        }
    }

    /// <summary>Compiles a module. Errors name the file, and the place in a text.</summary>
    internal static Module Compile(ModuleBytes module, EngineOptions options, Terminal terminal) =>
        Compile(module, terminal, () => new Engine(options).CompileOwned(module.Bytes, known: EarlyModule.InfoOf(module.Bytes)));

    /// <summary>Compiles a component. Errors name the file, and the place in a text.</summary>
    internal static WasmComponent CompileComponent(ModuleBytes component, EngineOptions options, Terminal terminal) =>
        Compile(component, terminal, () => new Engine(options).CompileComponent(component.Bytes));

    private static T Compile<T>(ModuleBytes source, Terminal terminal, Func<T> compile)
    {
        try
        {
            return terminal.Progress($"compiling {source.Path}, {source.Bytes.Length / 1e6:0.0} MB", compile);
        }
        catch (ModuleException e)
        {
            throw new ToolException(source.Describe(e), Help(e, source));
        }
    }

    /// <summary>Loads a saved component.</summary>
    /// <exception cref="ToolException">It is not trusted, or cannot be loaded.</exception>
    internal static WasmComponent LoadSavedComponent(string path, byte[] file, EngineOptions options, SavedTrust trust)
    {
        trust.Require(path);
        return Saved(path, () => new Engine(options with { Compilation = Compilation.Never }).LoadSavedComponent(new MemoryStream(file)));
    }

    /// <summary>Loads a saved module. A file with machine code is mapped and not read.</summary>
    /// <exception cref="ToolException">It is not trusted, or cannot be loaded.</exception>
    internal static Module LoadSaved(string path, EngineOptions options, SavedTrust trust)
    {
        trust.Require(path);
        try
        {
            return Saved(path, () => new Engine(options with { Compilation = Compilation.Never }).LoadSaved(path));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ToolException($"{path} cannot be read: {e.Message}");
        }
    }

    /// <summary>The same of the standard input.</summary>
    /// <exception cref="ToolException">It is not trusted, or cannot be loaded.</exception>
    internal static Module LoadSaved(string path, byte[] file, EngineOptions options, SavedTrust trust)
    {
        trust.Require(path);
        return Saved(path, () => new Engine(options with { Compilation = Compilation.Never }).LoadSaved(new MemoryStream(file)));
    }

    /// <summary>Whether a file begins as what "compile" saves. What cannot be read, or be read twice, does not.</summary>
    internal static bool BeginsAsSaved(string path)
    {
        try
        {
            // A pipe has no length; one behind a link cannot seek.
            if (PlainFile.LengthOf(path) is null or 0) return false;
            using FileStream file = PlainFile.Open(path);
            Span<byte> first = stackalloc byte[2];
            return file.CanSeek && file.ReadAtLeast(first, first.Length, throwOnEndOfStream: false) == first.Length && IsSaved(first);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    /// <summary>The module in an assembly that "compile" saved. Nothing of the assembly is loaded.</summary>
    private static byte[] Saved(string path, byte[] file) => Saved(path, () => SavedHeader.ReadFile(file).Module.ToArray());

    /// <summary>Reads something that "compile" saved. Errors name the file.</summary>
    private static T Saved<T>(string path, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (SavedModuleException e)
        {
            throw new ToolException($"{path}: {e.Message}");
        }
    }

    /// <summary>Whether it is a program, so that arguments are its own. A file that is not a module does not count as a program.</summary>
    internal static bool IsProgram(string path, byte[] content)
    {
        try
        {
            ModuleBytes read = ReadAny(path, content);
            return read.IsComponent
                ? ComponentDecoder.Decode(read.Bytes).Definitions.OfType<ExportDefinition>().Any(e => WasiComponentHost.IsRun(e.Name.Name))
                : ModuleDecoder.Decode(read.Bytes).Exports.Any(e => e.Name == "_start" && e.Kind == ExternKind.Func);
        }
        catch (Exception e) when (e is ToolException or ModuleException)
        {
            return false;
        }
    }

    /// <summary>A hint for a file that is not a valid module.</summary>
    private static string? Help(ModuleException error, ModuleBytes module) => error switch
    {
        _ when module.IsText => null,
        MalformedModuleException => "the file is damaged or incomplete: copy or build it again",
        InvalidModuleException => "the program that made it is at fault; wasmjit wasm2wat FILE shows the text of a binary",
        _ => null,
    };

    internal static string Kind(ModuleException e, string what = "module") => e switch
    {
        MalformedModuleException => $"malformed {what}: ",
        InvalidModuleException => $"invalid {what}: ",
        _ => "",
    };

    /// <summary>The word for what some bytes are.</summary>
    internal static string WhatIs(ReadOnlySpan<byte> bytes) => ComponentHeader.IsComponent(bytes) ? "component" : "module";

    /// <summary>Whether it is a .NET assembly, as those that "compile" saves.</summary>
    internal static bool IsSaved(ReadOnlySpan<byte> bytes) => bytes.StartsWith("MZ"u8);

    /// <summary>What is wrong with a component, null if nothing is.</summary>
    internal static ModuleException? ComponentError(byte[] bytes)
    {
        try
        {
            ComponentValidator.Validate(ComponentDecoder.Decode(bytes));
            return null;
        }
        catch (ModuleException e)
        {
            return e;
        }
    }

    internal static bool IsBinary(ReadOnlySpan<byte> bytes) => bytes.StartsWith("\0asm"u8);

    /// <summary>A hint for a directory: the modules in it.</summary>
    private static string ModulesIn(string path)
    {
        const int most = 4;
        string[] modules = [.. Patterns.SelectMany(p => Directory.EnumerateFiles(path, p)).Order(StringComparer.Ordinal).Take(most + 1)];
        if (modules.Length == 0) return "the directory has no modules; give a file";
        return $"give a module in it: {string.Join(", ", modules.Take(most))}{(modules.Length > most ? ", ..." : "")}";
    }

    /// <summary>Text begins with white space, a parenthesis or a comment.</summary>
    private static bool LooksLikeText(ReadOnlySpan<byte> bytes) => "(; \n\r\t"u8.Contains(bytes[0]);

    /// <summary>Suggests the other extension if that file exists.</summary>
    private static string Suggestion(string path)
    {
        foreach (string extension in new[] { ".wasm", ".wat", ".dll" })
        {
            string other = Path.ChangeExtension(path, extension);
            if (File.Exists(other)) return $"; did you mean {other}?";
        }
        return "";
    }
}

/// <summary>A module in the binary format, as it was read.</summary>
/// <param name="Path">The file, as it was given.</param>
/// <param name="Bytes">The module.</param>
/// <param name="Text">The text that it was made of; null for a binary.</param>
internal sealed record ModuleBytes(string Path, byte[] Bytes, Source? Text)
{
    internal bool IsText => Text is not null;

    internal bool IsComponent => ComponentHeader.IsComponent(Bytes);

    /// <summary>An error of the module, behind the place in the text, if there is one, or the file.</summary>
    internal string Describe(ModuleException error) =>
        $"{Path}{(Text?.PlaceOf(error.Offset) is { } place ? $":{place.Line}:{place.Column}" : "")}: {ModuleFile.Kind(error, ModuleFile.WhatIs(Bytes))}{error.Message}";
}
