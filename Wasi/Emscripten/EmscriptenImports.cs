using WasmJit.DynamicLinking;
using WasmJit.Runtime;
using WasmJit.Wasi;

namespace WasmJit;

/// <summary>
/// What programs that Emscripten has linked import beside WASI, from "env": growth of the memory, time, the end of a program, and the functions
/// through which <c>setjmp</c>, <c>longjmp</c> and the exceptions of C++ (<c>-fexceptions</c>) work. In JavaScript these are written by Emscripten for each program. A program
/// that imports functions of its own author gets them from its host; those whose names were shortened (<c>-O3</c> without <c>-sSTANDALONE_WASM</c> or
/// <c>-sMAIN_MODULE</c>) can only be run by the JavaScript that was made with them. One object serves one program.
/// </summary>
/// <example><code>
/// var emscripten = new EmscriptenImports();
/// Instance program = emscripten.Instantiate(module, wasi.Imports, new DynamicLinker(libraries));
/// </code></example>
/// <param name="time">The clock; the system's if null.</param>
public sealed class EmscriptenImports(TimeProvider? time = null)
{
    /// <summary>Emscripten's own limit: pointers beyond this would be negative numbers.</summary>
    private const ulong LargestHeap = 1ul << 31;

    private const ulong PageSize = 65_536;

    private const string Module = "env";

    private readonly TimeProvider clock = time ?? TimeProvider.System;
    private readonly long started = (time ?? TimeProvider.System).GetTimestamp();
    private readonly List<EmscriptenInvoker> invokers = [];
    private Dictionary<string, Delegate>? functions;
    private Instance? program;

    /// <summary>Thrown by <c>longjmp</c>. The invoker that called the function with it catches it.</summary>
    private readonly Tag jump = new(new FuncType([], []));

    private readonly EmscriptenExceptions exceptions = new();

    /// <summary>
    /// Makes an instance of a program: adds what it imports, and runs its constructors. What it does then is up to the host, or to its <c>_start</c>.
    /// </summary>
    /// <param name="module">The program.</param>
    /// <param name="imports">What else it imports: WASI, and functions of its author. They come first, and nothing is added to them.</param>
    /// <param name="linker">For programs that load side modules, and for those that are position-independent; null for others.</param>
    /// <param name="fuel">Fuel for it, if its engine counts.</param>
    /// <param name="resources">Resources that its memories, tables and instances count in; null for its engine's options.</param>
    /// <exception cref="LinkException">The module imports something else.</exception>
    /// <exception cref="DynamicLinkException">A library is missing, or a symbol.</exception>
    /// <exception cref="TrapException">A constructor traps.</exception>
    public Instance Instantiate(Module module, Imports imports, DynamicLinker? linker = null, Fuel? fuel = null, GuestResources? resources = null)
    {
        var all = new Imports();
        all.AddRange(imports);
        AddTo(all, module);
        Instance instance;
        if (linker is not null)
        {
            AddForSideModules(all, module);
            linker.BeforeLinking = library => AddForSideModule(all, library);
            instance = linker.InstantiateFor(Attach, module, all, fuel, resources);
            linker.Initialize();
            if (module.GetCustomSections("dylink.0").Count > 0) return instance;
        }
        else
        {
            instance = module.InstantiateFor(Attach, all, fuel, resources);
        }
        // The JavaScript calls one of these, unless the program's beginning does.
        if (!instance.TryGetExport("_start", out Action? run) && (instance.TryGetExport("_initialize", out run) || instance.TryGetExport("__wasm_call_ctors", out run))) run();
        return instance;
    }

    /// <summary>
    /// Adds what a module imports from "env" and can be given, and is not there yet. Functions of WASI whose numbers of 64 bits the module wants in halves are
    /// replaced by such. <see cref="Instantiate"/> does it for the program, and for each side module when it is loaded.
    /// </summary>
    /// <param name="imports">Where the functions are added.</param>
    /// <param name="module">The program or side module.</param>
    /// <exception cref="LinkException">The program has not what functions <c>invoke_*</c> need. The others are added.</exception>
    public void AddTo(Imports imports, Module module)
    {
        var invoked = new Dictionary<string, FuncType>();
        foreach (ImportType import in module.Imports)
        {
            if (import is { Module: SplitNumbers.Module, Name: { } function, Type: { Kind: ExternKind.Func, Def.Composite: FuncType halves } })
            {
                if (imports.Find(SplitNumbers.Module, function) is Delegate whole && !Fits(whole, halves) && SplitNumbers.Of(whole) is { } split && Fits(split, halves))
                    imports[SplitNumbers.Module, function] = split;
                continue;
            }
            if (import is not { Module: Module, Name: { } name, Type: { Kind: ExternKind.Func, Def.Composite: FuncType type } } || imports.Find(Module, name) is not null) continue;
            if ((Functions.GetValueOrDefault(name) ?? exceptions.Find(name, type)) is { } own && Fits(own, type)) imports.Add(Module, name, own);
            else if (EmscriptenInvoker.Serves(name, type)) invoked[name] = type;
        }
        if (invoked.Count == 0) return;
        var invoker = new EmscriptenInvoker(module.Engine, invoked, jump, exceptions.Tag);
        if (program is not null) invoker.Attach(program);
        invokers.Add(invoker);
        foreach (string name in invoked.Keys) imports.Add(Module, name, invoker.Function(name));
    }

    /// <summary>
    /// Says which instance is the program, for hosts that instantiate it themselves: after that, and before anything of it runs. It exports its
    /// memory, or has it as its first; with functions <c>invoke_*</c> also its table, <c>setThrew</c> and the functions that save and restore the
    /// stack pointer.
    /// </summary>
    /// <param name="instance">The program.</param>
    /// <exception cref="LinkException">It exports not all that is needed.</exception>
    public void Attach(Instance instance)
    {
        program = instance;
        exceptions.Attach(instance);
        foreach (EmscriptenInvoker invoker in invokers) invoker.Attach(instance);
    }

    private void AddForSideModule(Imports imports, Module module)
    {
        try
        {
            AddTo(imports, module);
        }
        catch (LinkException)
        {
            // The program has not what invokers need. They stay undefined, and may never be called.
        }
    }

    /// <summary>Adds what side modules may import that the program does not: they are looked up when they are loaded.</summary>
    private void AddForSideModules(Imports imports, Module program)
    {
        foreach ((string name, Delegate function) in Functions)
        {
            // A function of this name and another type is not the one that is meant.
            if (imports.Find(Module, name) is null && program.Imports.All(i => i.Module != Module || i.Name != name)) imports.Add(Module, name, function);
        }
    }

    /// <summary>The functions by their names. Names of several versions of Emscripten stand side by side.</summary>
    private Dictionary<string, Delegate> Functions => functions ??= MakeFunctions();

    private Dictionary<string, Delegate> MakeFunctions()
    {
        Delegate copy = (Caller caller, int to, int from, int length) => Copy(caller, to, from, length);
        Action jumps = () => throw new WasmException(jump), abort = Abort, ignore = Ignore;
        return new Dictionary<string, Delegate>
        {
            ["emscripten_resize_heap"] = (Caller caller, int size) => Resize(MemoryOf(caller), (uint)size),
            ["emscripten_get_heap_max"] = () => unchecked((int)LargestHeap),
            ["emscripten_notify_memory_growth"] = (Action<int>)Ignore,
            ["_emscripten_memcpy_js"] = copy,
            ["emscripten_memcpy_js"] = copy,
            ["emscripten_memcpy_big"] = copy,
            ["exit"] = (Action<int>)(code => throw new WasiExitException(code)),
            ["_abort_js"] = abort,
            ["abort"] = abort,
            ["__assert_fail"] = (Caller caller, int condition, int file, int line, int function) => AssertionFailed(caller, condition, file, line),
            ["emscripten_get_now"] = () => clock.GetElapsedTime(started).TotalMilliseconds,
            ["emscripten_date_now"] = () => (clock.GetUtcNow() - DateTimeOffset.UnixEpoch).TotalMilliseconds,
            ["_emscripten_get_now_is_monotonic"] = () => 1,
            ["_emscripten_throw_longjmp"] = jumps,
            ["emscripten_throw_longjmp"] = jumps,
            ["emscripten_runtime_keepalive_push"] = ignore,
            ["emscripten_runtime_keepalive_pop"] = ignore,
            ["_emscripten_runtime_keepalive_clear"] = ignore,
        };
    }

    private static bool Fits(Delegate function, FuncType type) => Linking.HostFunctions.TypeOf(function).Composite is FuncType own
        && own.Params.SequenceEqual(type.Params) && own.Results.SequenceEqual(type.Results);

    /// <summary>Grows the memory, at first by more than is asked for, as Emscripten does, since programs come back soon.</summary>
    private static int Resize(Memory memory, uint wanted)
    {
        ulong have = memory.Length;
        if (wanted <= have) return 1;
        if (wanted > LargestHeap) return 0;
        foreach (ulong extra in (ReadOnlySpan<ulong>)[have / 5, have / 10, have / 20, 0])
        {
            ulong size = Math.Min(LargestHeap, Math.Max(wanted, have + extra));
            if (memory.Grow((size - have + PageSize - 1) / PageSize) >= 0) return 1;
        }
        return 0;
    }

    private static Memory MemoryOf(Caller caller) =>
        caller.TryGetMemory(out Memory? memory) ? memory : throw Trap.Make(TrapKind.OutOfBoundsMemoryAccess, "the program has no memory");

    private static void Copy(Caller caller, int to, int from, int length)
    {
        Memory memory = MemoryOf(caller);
        ulong size = memory.Length;
        if (length < 0 || (uint)length > size || (uint)to > size - (uint)length || (uint)from > size - (uint)length) throw Trap.Make(TrapKind.OutOfBoundsMemoryAccess);
        Fuel.Pay(caller.Instance.FuelTank, (ulong)Fuel.OfBytes((uint)length));
        LongWork.Copy(memory.Slice((uint)from, length), memory.Slice((uint)to, length));
        GC.KeepAlive(memory);
    }

    /// <summary>What only a browser can do.</summary>
    private static void Ignore()
    {
    }

    private static void Ignore(int memory)
    {
    }

    private static void Abort() => throw Trap.Make(TrapKind.Unreachable, "abort");

    private static void AssertionFailed(Caller caller, int condition, int file, int line)
    {
        Memory memory = MemoryOf(caller);
        throw Trap.Make(TrapKind.Unreachable, $"assertion failed: {Text(memory, condition)}, at {Text(memory, file)}:{line.ToString(System.Globalization.CultureInfo.InvariantCulture)}");
    }

    /// <summary>A short text for a message, or a question mark.</summary>
    private static string Text(Memory memory, int address)
    {
        const int longest = 200;
        if (address == 0 || (uint)address >= memory.Length) return "?";
        byte[] bytes = memory.ReadBytes((uint)address, (int)Math.Min(longest, memory.Length - (uint)address));
        int length = Array.IndexOf(bytes, (byte)0);
        return System.Text.Encoding.UTF8.GetString(bytes, 0, length < 0 ? bytes.Length : length);
    }
}
