using System.Text;

namespace WasmJit.Guests;

/// <summary>
/// MicroPython (npm "@micropython/micropython-webassembly-pyscript"), a program of Emscripten: what it raises flies by <c>longjmp</c>, so that its
/// interpreter calls itself through functions <c>invoke_*</c> wherever a <c>try</c> is around. It has no files here, and no objects of JavaScript.
/// </summary>
public sealed class MicroPython : IDisposable
{
    /// <summary>The memory that its own garbage collector has, and entries of its stack for arguments.</summary>
    private const int Heap = 1 << 20, Arguments = 2048;

    /// <summary>What stands in front of the text of an exception: its type, and this behind it.</summary>
    private const char EndOfType = '\x04';

    private const int IsException = -1;

    private readonly MemoryStream output = new();
    private readonly WasiHost wasi;
    private readonly Memory memory;
    private readonly Func<int, int> malloc;
    private readonly Action<int> free;
    private readonly Action<int, int, int> exec;

    /// <summary>Starts it.</summary>
    /// <param name="wasm">micropython.wasm.</param>
    /// <param name="options">The engine's options.</param>
    public MicroPython(byte[] wasm, EngineOptions? options = null)
    {
        Module module = new Engine(options).Compile(wasm);
        wasi = new WasiHost(new WasiOptions { Output = output, Error = output });
        long started = Environment.TickCount64;
        wasi.Imports.Add("env", "mp_js_ticks_ms", () => (int)(Environment.TickCount64 - started));
        wasi.Imports.Add("env", "mp_js_random_u32", () => 4);
        var emscripten = new EmscriptenImports();
        // First what Emscripten gives, then traps in place of all that is left.
        emscripten.AddTo(wasi.Imports, module);
        wasi.Imports.AddUnknown(module, UnknownImports.Trap);
        Instance program = emscripten.Instantiate(module, wasi.Imports);
        memory = program.GetExport<Memory>("memory");
        malloc = program.GetExport<Func<int, int>>("malloc");
        free = program.GetExport<Action<int>>("free");
        exec = program.GetExport<Action<int, int, int>>("mp_js_do_exec");
        program.GetExport<Action<int, int>>("mp_js_init")(Arguments, Heap);
        program.GetExport<Action>("proxy_c_init")();
    }

    /// <summary>Runs a script.</summary>
    /// <returns>What it prints.</returns>
    /// <exception cref="InvalidOperationException">It raises something that it does not handle; the message is Python's.</exception>
    public string Run(string script)
    {
        output.SetLength(0);
        byte[] bytes = Encoding.UTF8.GetBytes(script);
        int source = malloc(bytes.Length + 1), result = malloc(12);
        memory.WriteBytes((uint)source, [.. bytes, 0]);
        exec(source, bytes.Length, result);
        free(source);
        int kind = memory.Read<int>((uint)result), length = memory.Read<int>((uint)result + 4), text = memory.Read<int>((uint)result + 8);
        free(result);
        if (kind != IsException) return Encoding.UTF8.GetString(output.ToArray());
        string raised = memory.ReadString((uint)text, length);
        free(text);
        throw new InvalidOperationException(raised[(raised.IndexOf(EndOfType, StringComparison.Ordinal) + 1)..]);
    }

    /// <summary>Frees what the host has of it.</summary>
    public void Dispose() => wasi.Dispose();
}
