using System.Diagnostics;
using System.Text;

namespace WasmJit.Guests;

/// <summary>
/// v86's processor (npm "v86"), a PC in WebAssembly that makes modules of the machine code it runs: without its devices and without BIOS, but for a
/// port that prints. It asks its host, <c>codegen_finalize</c>, to put the function of a module into a slot of its table, and goes on interpreting
/// until the host says that it is there.
/// </summary>
public sealed class Processor
{
    /// <summary>Where the table's slots for compiled code begin, and how many there are.</summary>
    private const int FirstSlot = 1024, Slots = 900;

    private const int BootSector = 0x7c00, ResetVector = 0xffff0;

    /// <summary>Fields of the processor's state in its memory.</summary>
    private const ulong Halted = 616, Instructions = 664, MemorySize = 812;

    /// <summary>The port that prints a character (that of Bochs).</summary>
    public const int PrintPort = 0xe9;

    private readonly Engine engine;
    private readonly Instance instance;
    private readonly Memory memory;
    private readonly Table table = new(new TableType(ValType.FuncRef, FirstSlot + Slots));
    private readonly Imports forCode = [];
    private readonly Queue<Request> requests = [];
    private readonly StringBuilder output = new();
    private readonly Stopwatch clock = Stopwatch.StartNew();
    private readonly ulong ram;

    private sealed record Request(int Slot, int Start, int Flags, byte[] Code);

    /// <summary>Starts it.</summary>
    /// <param name="wasm">v86.wasm.</param>
    /// <param name="options">The engine's options.</param>
    /// <param name="megabytes">Its memory.</param>
    public Processor(byte[] wasm, EngineOptions? options = null, int megabytes = 16)
    {
        engine = new Engine(options);
        Module module = engine.Compile(wasm);
        var imports = new Imports
        {
            { "env", "__indirect_function_table", table },
            { "env", "microtick", () => clock.Elapsed.TotalMilliseconds },
            { "env", "run_hardware_timers", (int _, double _) => 100.0 },
            { "env", "get_rand_int", () => 4 },
            { "env", "io_port_write8", (int port, int value) => { if (port == PrintPort) output.Append((char)value); } },
            { "env", "codegen_finalize", (Caller caller, int slot, int start, int flags, int address, int length) =>
                requests.Enqueue(new Request(slot, start, flags, caller.Memory.ReadBytes((uint)address, length))) },
            { "env", "jit_clear_func", (Action<int>)(slot => table[FirstSlot + slot] = null) },
        };
        // Ports without devices, and memory without chips: nothing of it is met here.
        imports.AddUnknown(module, UnknownImports.Default);
        instance = module.Instantiate(imports);
        memory = instance.GetExport<Memory>("memory");
        forCode.Add("e", "m", memory);
        foreach (ExportType export in instance.Exports)
            if (export.Type.Kind == ExternKind.Func) forCode.Add("e", export.Name, instance.GetExport<Delegate>(export.Name));
        instance.GetExport<Action>("rust_init")();
        memory.Write(MemorySize, megabytes << 20);
        ram = (uint)instance.GetExport<Func<int, int>>("allocate_memory")(megabytes << 20);
        instance.GetExport<Action>("reset_cpu")();
    }

    /// <summary>How many modules it has made.</summary>
    public int Modules { get; private set; }

    /// <summary>How many instructions it has executed.</summary>
    public uint Executed => memory.Read<uint>(Instructions);

    /// <summary>Runs a boot sector until it halts.</summary>
    /// <returns>What it has printed.</returns>
    public string Boot(ReadOnlySpan<byte> sector)
    {
        memory.WriteBytes(ram + BootSector, sector);
        // The first instruction of a PC, in place of a BIOS: a jump to the boot sector.
        memory.WriteBytes(ram + ResetVector, [0xea, BootSector & 0xff, BootSector >> 8, 0, 0]);
        var loop = instance.GetExport<Func<double>>("main_loop");
        var finished = instance.GetExport<Action<int, int, int>>("codegen_finalize_finished");
        while (memory.Read<byte>(Halted) == 0)
        {
            loop();
            while (requests.TryDequeue(out Request? request))
            {
                Instance code = engine.Compile(request.Code).Instantiate(forCode);
                table[FirstSlot + request.Slot] = code.GetExport<Delegate>("f");
                finished(request.Slot, request.Start, request.Flags);
                Modules++;
            }
        }
        return output.ToString();
    }
}
