using System.CommandLine;
using WasmJit.Components;

namespace WasmJit.Cli;

/// <summary>Reads modules: files in the binary or the text format, or the standard input.</summary>
internal static class ModuleFile
{
    private static readonly string[] Patterns = ["*.wasm", "*.wat"];

    internal static Argument<string> Argument(string description = "A module, .wasm or .wat; \"-\" is the standard input.") =>
        new("FILE") { Description = description };

    /// <summary>Reads the bytes of a file.</summary>
    /// <exception cref="ToolException">The file does not exist or cannot be read.</exception>
    internal static byte[] ReadBytes(string path)
    {
        if (path == "-")
        {
            using Stream input = Console.OpenStandardInput();
            var buffer = new MemoryStream();
            input.CopyTo(buffer);
            return buffer.ToArray();
        }
        if (Directory.Exists(path)) throw new ToolException($"{path} is a directory", ModulesIn(path));
        if (!File.Exists(path)) throw new ToolException($"{path} does not exist{Suggestion(path)}");
        try
        {
            return File.ReadAllBytes(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ToolException($"{path} cannot be read: {e.Message}");
        }
    }

    /// <summary>Reads a module in the binary format. Text is encoded.</summary>
    /// <exception cref="ToolException">The file cannot be read, has neither format, or is a component.</exception>
    internal static byte[] Read(string path) => Read(path, ReadBytes(path));

    /// <summary>Reads a module or component in the binary format. Text is encoded.</summary>
    /// <exception cref="ToolException">The file cannot be read, or has neither format.</exception>
    internal static byte[] ReadAny(string path) => ReadAny(path, ReadBytes(path));

    private static byte[] Read(string path, byte[] bytes)
    {
        bytes = ReadAny(path, bytes);
        if (ComponentHeader.IsComponent(bytes))
            throw new ToolException($"{path} is a component, not a module", "build it for WASI preview 1 (wasm32-wasip1, wasm32-wasi), or extract its module");
        return bytes;
    }

    private static byte[] ReadAny(string path, byte[] bytes)
    {
        if (IsBinary(bytes)) return bytes;
        if (bytes.Length == 0) throw new ToolException($"{path} is empty");
        if (path.EndsWith(".wasm", StringComparison.OrdinalIgnoreCase) && !LooksLikeText(bytes))
            throw new ToolException($"{path} is not a WebAssembly module: it does not begin with \"\\0asm\"", "check that it is the right file, and complete");
        return Encode(path, bytes);
    }

    /// <summary>Encodes the text format. Errors name the file and the line.</summary>
    internal static byte[] Encode(string path, byte[] text)
    {
        try
        {
            return Wat.ToBinary(text);
        }
        catch (WatException e)
        {
            throw new ToolException($"{path}:{e.Line}:{e.Column}: {e.Reason}");
        }
    }

    /// <summary>Reads and compiles a module, or loads a saved one. Errors name the file.</summary>
    internal static Module Load(string path, EngineOptions options, Terminal terminal)
    {
        byte[] bytes = ReadBytes(path);
        if (bytes.AsSpan().StartsWith("MZ"u8)) return LoadSaved(path, bytes, options);
        bytes = Read(path, bytes);
        try
        {
            return terminal.Progress($"compiling {path}, {bytes.Length / 1e6:0.0} MB", () => new Engine(options).CompileOwned(bytes));
        }
        catch (ModuleException e)
        {
            throw new ToolException($"{path}: {Kind(e)}{e.Message}", Help(e));
        }
    }

    private static Module LoadSaved(string path, byte[] file, EngineOptions options)
    {
        try
        {
            return new Engine(options with { Compilation = Compilation.Never }).LoadSaved(new MemoryStream(file));
        }
        catch (SavedModuleException e)
        {
            throw new ToolException($"{path}: {e.Message}");
        }
    }

    /// <summary>A hint for a file that is not a valid module.</summary>
    private static string? Help(ModuleException error) => error switch
    {
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
        foreach (string extension in new[] { ".wasm", ".wat" })
        {
            string other = Path.ChangeExtension(path, extension);
            if (File.Exists(other)) return $"; did you mean {other}?";
        }
        return "";
    }
}
