using System.Text;
using WasmJit.DynamicLinking;

namespace WasmJit.Guests;

/// <summary>
/// tree-sitter (npm "web-tree-sitter"), an Emscripten program, and its grammars (npm "tree-sitter-wasms"), which are Emscripten's side modules: some of
/// today, some with the section of older tools.
/// </summary>
public sealed class SyntaxParser : IDisposable
{
    /// <summary>How many characters of the text the parser takes at once: its buffer has 10 KB.</summary>
    private const int Chunk = 5000;

    private readonly WasiHost wasi = new(new WasiOptions { Output = Stream.Null, Error = Stream.Null });
    private readonly DynamicLinker linker;
    private readonly Instance program;
    private readonly uint transfer;
    private readonly int parser, buffer;
    private string text = "";

    /// <summary>Starts it.</summary>
    /// <param name="wasm">web-tree-sitter.wasm.</param>
    /// <param name="grammars">The grammars by file name.</param>
    /// <param name="options">The engine's options.</param>
    public SyntaxParser(byte[] wasm, ModuleNamespace grammars, EngineOptions? options = null)
    {
        Module module = new Engine(options).Compile(wasm);
        linker = new DynamicLinker(grammars, new DynamicLinkerOptions { IsLazy = true });
        wasi.Imports.Add("env", "tree_sitter_parse_callback", (Caller caller, int to, int index, int _, int _, int length) =>
        {
            string rest = text[Math.Min(index, text.Length)..];
            string part = rest[..Math.Min(Chunk, rest.Length)];
            linker!.Memory.WriteBytes((uint)to, Encoding.Unicode.GetBytes(part + "\0"));
            linker.Memory.Write((uint)length, part.Length);
        });
        wasi.Imports.Add("env", "tree_sitter_log_callback", (int _, int _) => { });
        wasi.Imports.Add("env", "tree_sitter_progress_callback", (int _, int _) => 0);
        wasi.Imports.Add("env", "tree_sitter_query_progress_callback", (int _) => 0);
        // Scanners in C++ and old ones expect of the program what it no longer has.
        wasi.Imports.Add("env", "_Znwm", (int size) => Call<Func<int, int>>("malloc")(size));
        wasi.Imports.Add("env", "_ZdlPv", (int address) => Call<Action<int>>("free")(address));
        wasi.Imports.Add("env", "isalpha", (int c) => char.IsAsciiLetter((char)c) ? 1 : 0);
        program = new EmscriptenImports().Instantiate(module, wasi.Imports, linker);
        transfer = (uint)program.GetExport<Func<int>>("ts_init")();
        Call<Action>("ts_parser_new_wasm")();
        parser = linker.Memory.Read<int>(transfer);
        buffer = linker.Memory.Read<int>(transfer + 4);
    }

    /// <summary>Reads grammars.</summary>
    /// <param name="folder">Their folder.</param>
    /// <param name="names">Their file names without endings.</param>
    public static MemoryNamespace Grammars(string folder, out string[] names)
    {
        names = [.. Directory.GetFiles(folder, "*.wasm").Select(f => Path.GetFileNameWithoutExtension(f)!).Order(StringComparer.Ordinal)];
        var grammars = new MemoryNamespace();
        foreach (string name in names) grammars.Add($"{name}.wasm", File.ReadAllBytes(Path.Combine(folder, $"{name}.wasm")));
        return grammars;
    }

    private T Call<T>(string name)
        where T : class => program.GetExport<T>(name);

    /// <summary>Loads a grammar and parses a text.</summary>
    /// <param name="grammar">The file's name without its ending.</param>
    /// <param name="source">The text.</param>
    /// <returns>The tree as an S-expression; null if the grammar is of another version.</returns>
    public string? Parse(string grammar, string source)
    {
        DynamicLibrary library = linker.Open(grammar + ".wasm", OpenModes.Lazy);
        try
        {
            int language = library.GetFunction<Func<int>>(grammar.Replace('-', '_'))();
            if (Call<Func<int, int, int>>("ts_parser_set_language")(parser, language) == 0) return null;
            text = source;
            int tree = Call<Func<int, int, int, int, int, int>>("ts_parser_parse_wasm")(parser, buffer, 0, 0, 0);
            Call<Action<int>>("ts_tree_root_node_wasm")(tree);
            int shown = Call<Func<int, int>>("ts_node_to_string_wasm")(tree);
            string result = linker.Memory.ReadString((uint)shown);
            Call<Action<int>>("free")(shown);
            Call<Action<int>>("ts_tree_delete")(tree);
            return result;
        }
        finally
        {
            // The parser keeps scanners of the grammar's making.
            Call<Func<int, int, int>>("ts_parser_set_language")(parser, 0);
            linker.Close(library);
        }
    }

    /// <summary>Frees what the host has of it.</summary>
    public void Dispose() => wasi.Dispose();
}
