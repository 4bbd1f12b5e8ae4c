using WasmJit.DynamicLinking;

namespace WasmJit.Guests;

/// <summary>
/// QuickJS as a WASI library (npm "quickjs-wasi"), with the five shared libraries that come with it: URLs, text encoding, HTTP headers, structured
/// clones and cryptography. Some of these name functions of C++ and C that are not defined anywhere, and never call them.
/// </summary>
public sealed class JavaScript : IDisposable
{
    /// <summary>The libraries.</summary>
    public static readonly IReadOnlyList<string> Extensions = ["crypto", "encoding", "headers", "structured-clone", "url"];

    private readonly WasiHost wasi = new(new WasiOptions { Output = Stream.Null, Error = Stream.Null });
    private readonly DynamicLinker linker;
    private readonly Func<int, int> malloc;
    private readonly Action<int> free, freeValue;
    private readonly Func<int, int, int, int, int> eval;
    private readonly Func<int, int> isException, text;
    private readonly Func<int> exception;

    /// <summary>Starts it and loads its libraries.</summary>
    /// <param name="wasm">quickjs.wasm.</param>
    /// <param name="libraries">The libraries by name, as EXTENSION.so.</param>
    /// <param name="options">The engine's options.</param>
    public JavaScript(byte[] wasm, ModuleNamespace libraries, EngineOptions? options = null)
    {
        Module module = new Engine(options).Compile(wasm);
        wasi.Imports.Add("env", "host_get_timezone_offset", (int _, int _) => 0);
        wasi.Imports.AddUnknown(module, UnknownImports.Default);
        // The C library's errno lies in the program, which does not export it.
        var errno = new Global(new GlobalType(ValType.I32, true), 0);
        wasi.Imports.Add("GOT.mem", "errno", errno);
        linker = new DynamicLinker(libraries, new DynamicLinkerOptions { IsLazy = true });
        Instance program = wasi.Instantiate(module, linker);
        malloc = program.GetExport<Func<int, int>>("malloc");
        free = program.GetExport<Action<int>>("free");
        freeValue = program.GetExport<Action<int>>("qjs_free_value");
        eval = program.GetExport<Func<int, int, int, int, int>>("qjs_eval");
        isException = program.GetExport<Func<int, int>>("qjs_is_exception");
        exception = program.GetExport<Func<int>>("qjs_get_exception");
        text = program.GetExport<Func<int, int>>("qjs_get_string");
        errno.Value = malloc(4);
        if (program.GetExport<Func<int>>("qjs_init")() != 0) throw new InvalidOperationException("QuickJS does not begin.");
        int context = program.GetExport<Func<int>>("qjs_get_context_ptr")(), runtime = program.GetExport<Func<int>>("qjs_get_runtime_ptr")();
        foreach (string name in Extensions)
        {
            DynamicLibrary library = linker.Open($"{name}.so", OpenModes.Lazy);
            if (library.GetFunction<Func<int, int, int>>($"qjs_ext_{name.Replace('-', '_')}_init")(context, runtime) != 0)
                throw new InvalidOperationException($"{name} does not begin.");
        }
    }

    /// <summary>Reads the libraries.</summary>
    /// <param name="folder">Their folder, which has one for each.</param>
    public static MemoryNamespace Libraries(string folder)
    {
        var libraries = new MemoryNamespace();
        foreach (string name in Extensions) libraries.Add($"{name}.so", File.ReadAllBytes(Path.Combine(folder, name, $"{name}.so")));
        return libraries;
    }

    /// <summary>Evaluates a script.</summary>
    /// <returns>Its value as a text.</returns>
    /// <exception cref="InvalidOperationException">It throws; the message is what.</exception>
    public string Evaluate(string code)
    {
        int script = Put(code, out int length), name = Put("script.js", out _);
        int result = eval(script, length, name, 0);
        free(script);
        free(name);
        bool failed = isException(result) != 0;
        if (failed)
        {
            freeValue(result);
            result = exception();
        }
        string shown = linker.Memory.ReadString((uint)text(result));
        freeValue(result);
        return failed ? throw new InvalidOperationException(shown) : shown;
    }

    /// <summary>A text in the guest's memory, with a zero behind it.</summary>
    private int Put(string value, out int length)
    {
        byte[] bytes = System.Text.Encoding.UTF8.GetBytes(value);
        length = bytes.Length;
        int at = malloc(length + 1);
        linker.Memory.WriteBytes((uint)at, [.. bytes, 0]);
        return at;
    }

    /// <summary>Frees what the host has of it.</summary>
    public void Dispose() => wasi.Dispose();
}
