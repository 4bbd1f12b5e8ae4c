using System.Text;
using System.Text.Unicode;
using WasmJit.Builtins;
using WasmJit.Runtime;

namespace WasmJit.Linking;

/// <summary>The state that the functions of one <see cref="LinkingHost"/> share among all their callers.</summary>
internal sealed class LinkingState(LinkingOptions options)
{
    internal LinkingOptions Options => options;

    internal HandleTable Handles { get; } = new(options.MaximumHandles);

    internal string? LastError { get; set; }

    /// <summary>The guest for calls that come from no instance.</summary>
    internal Instance? Attached { get; set; }
}

/// <summary>
/// The functions of <c>wasm:linking</c>, in a call of one instance: addresses are in its memory, indices in its table, and its engine compiles. All
/// arguments are checked. A wrong one is an error in the result; only traps of code that runs on the guest's behalf end its call.
/// </summary>
internal readonly partial struct LinkingFunctions
{
    /// <summary>The longest name or path that is accepted, in bytes.</summary>
    private const int LongestName = 65536;

    private readonly LinkingState state;
    private readonly Instance? instance;

    private LinkingFunctions(LinkingState state, Caller? caller)
    {
        this.state = state;
        instance = caller?.Instance ?? state.Attached;
    }

    internal static IEnumerable<(string Name, Delegate Function)> All(LinkingState state)
    {
        yield return ("compile", Guard<int, int>(state, (f, address, length) => f.Compile(address, length)));
        yield return ("compile_stream", Guard<int>(state, (f, descriptor) => f.CompileStream(descriptor)));
        yield return ("load", Guard<int, int>(state, (f, path, length) => f.Load(path, length)));
        yield return ("load_at", Guard<int, int, int>(state, (f, directory, path, length) => f.LoadAt(directory, path, length)));
        yield return ("open_directory", Guard<int, int>(state, (f, path, length) => f.OpenDirectory(path, length)));
        yield return ("instantiate", Guard<int, int, int>(state, (f, module, list, count) => f.Instantiate(module, list, count)));
        yield return ("get_export", Guard<int, int, int, int>(state, (f, handle, name, length, slot) => f.GetExport(handle, name, length, slot)));
        yield return ("get_export_handle", Guard<int, int, int>(state, (f, handle, name, length) => f.GetExportHandle(handle, name, length)));
        yield return ("imports", Guard<int, int, int>(state, (f, module, address, room) => f.Imports(module, address, room)));
        yield return ("exports", Guard<int, int, int>(state, (f, handle, address, room) => f.Exports(handle, address, room)));
        yield return ("kind", Guard<int>(state, (f, handle) => f.Kind(handle)));
        yield return ("self", Guard(state, f => f.Handles.Add(f.Guest)));
        yield return ("get_function", Guard<int>(state, (f, slot) => f.GetFunction(slot)));
        yield return ("put_function", Guard<int, int>(state, (f, handle, slot) => f.Put(f.Handles.Get<FuncRef>(handle), slot)));
        yield return ("new_global", Guard<int, int, int>(state, (f, type, isMutable, address) => f.NewGlobal(type, isMutable, address)));
        yield return ("read_global", Guard<int, int>(state, (f, handle, address) => f.ReadGlobal(handle, address)));
        yield return ("write_global", Guard<int, int>(state, (f, handle, address) => f.WriteGlobal(handle, address)));
        yield return ("memory_size", Guard<int>(state, (f, handle) => (int)Math.Min(f.Handles.Get<Memory>(handle).PageCount, int.MaxValue)));
        yield return ("read_memory", Guard<int, long, int, int>(state, (f, handle, from, to, length) => f.ReadMemory(handle, from, to, length)));
        yield return ("write_memory", Guard<int, long, int, int>(state, (f, handle, to, from, length) => f.WriteMemory(handle, to, from, length)));
        yield return ("drop", Guard<int>(state, (f, handle) => f.Drop(handle)));
        yield return ("last_error", Guard<int, int>(state, (f, address, room) => f.Write(state.LastError ?? "", address, room)));
    }

    private HandleTable Handles => state.Handles;

    private LinkingOptions Options => state.Options;

    private Instance Guest => instance ?? throw NotAttached();

    private Memory GuestMemory
    {
        get
        {
            if (!Guest.Caller.TryGetMemory(out Memory? memory)) throw Failure(LinkingError.OutOfBounds, "the guest has no memory");
            return memory.Type.Is64 ? throw Failure(LinkingError.NotAllowed, "the guest's memory has 64-bit addresses") : memory;
        }
    }

    private Table GuestTable
    {
        get
        {
            if (Guest.TryGetExport("__indirect_function_table", out Table? table) && table.IsFunc) return table;
            return Guest.Tables.FirstOrDefault(t => t.IsFunc) ?? throw Failure(LinkingError.OutOfBounds, "the guest has no table of functions");
        }
    }

    private static LinkingFailure NotAttached() => Failure(LinkingError.NotAllowed, "the guest is not attached yet");

    private static LinkingFailure Failure(LinkingError error, string message) => new(error, message);

    // ---- modules ----

    private ModuleCompiler Compiler => new(Guest.Module.Engine, Guest.Module.Engine.Options.LinkingQuota, Guest.FuelTank);

    private void RequireCompile()
    {
        if (!Options.AllowCompile) throw Failure(LinkingError.NotAllowed, "runtime compile not allowed");
    }

    private int Compile(int address, int length)
    {
        RequireCompile();
        ModuleCompiler compiler = Compiler;
        return Handles.Add(compiler.Compile(Window(address, length)));
    }

    private int CompileStream(int descriptor)
    {
        RequireCompile();
        ModuleCompiler compiler = Compiler;
        using Stream stream = Descriptors.OpenStream(descriptor);
        return Handles.Add(compiler.Compile(stream));
    }

    private LinkingDescriptors Descriptors => Options.Descriptors ?? throw Failure(LinkingError.InvalidArgument, "the guest has no descriptors");

    private ModuleNamespace Root => Options.Namespace ?? throw Failure(LinkingError.NotAllowed, "loading modules not allowed");

    private int Load(int path, int length) => Handles.Add(Root.Load(Compiler, Text(path, length)));

    /// <summary>
    /// Loads from a directory of the namespace, or from one that the guest has a descriptor of. The guest may have written the files there itself, so
    /// this counts as compiling bytes.
    /// </summary>
    private int LoadAt(int directory, int path, int length)
    {
        ModuleCompiler compiler = Compiler;
        string text = Text(path, length);
        if (directory >= HandleTable.First) return Handles.Add(Handles.Get<ModuleNamespace>(directory).LoadRelative(compiler, text));
        RequireCompile();
        return Handles.Add(Descriptors.OpenDirectory(directory).LoadRelative(compiler, text));
    }

    private int OpenDirectory(int path, int length) => Handles.Add(Root.GetDirectory(Text(path, length)));

    private int Imports(int module, int address, int room) => Write(TypeLists.Of(Handles.Get<Module>(module).Imports), address, room);

    private int Exports(int handle, int address, int room) => Write(
        TypeLists.Of(Handles.Get<object>(handle) switch
        {
            Module module => module.Exports,
            Instance made => made.Exports,
            _ => throw Failure(LinkingError.InvalidArgument, $"handle {handle} is neither a module nor an instance"),
        }), address, room);

    private int Drop(int handle)
    {
        Handles.Drop(handle);
        return 0;
    }

    private int Kind(int handle) => Handles.Get<object>(handle) switch
    {
        FuncRef => (int)ExternKind.Func,
        Table => (int)ExternKind.Table,
        Memory => (int)ExternKind.Memory,
        Global => (int)ExternKind.Global,
        Tag => (int)ExternKind.Tag,
        Module => (int)ExternKind.Module,
        Instance => (int)ExternKind.Instance,
        _ => (int)ExternKind.Instance + 1,
    };

    // ---- the guest's memory ----

    private Span<byte> Window(int address, int length)
    {
        Memory guest = GuestMemory;
        if ((uint)address > guest.Length || (uint)length > guest.Length - (uint)address)
            throw Failure(LinkingError.OutOfBounds, $"{(uint)length} bytes at {(uint)address} are not inside a memory of {guest.Length}");
        if (length < 0) throw Failure(LinkingError.InvalidArgument, "more than 2 GiB");
        return guest.Slice((uint)address, length);
    }

    /// <summary>Bytes that a function reads or writes cost the guest what they cost in its own code.</summary>
    private void Pay(int bytes) => Fuel.Pay(Guest.FuelTank, (ulong)Fuel.OfBytes((uint)bytes));

    private string Text(int address, int length)
    {
        if ((uint)length > LongestName) throw Failure(LinkingError.InvalidArgument, $"a name of {(uint)length} bytes");
        Pay(length);
        byte[] name = Window(address, length).ToArray();
        return Utf8.IsValid(name) ? Encoding.UTF8.GetString(name) : throw Failure(LinkingError.InvalidArgument, "the name is not UTF-8");
    }

    /// <summary>Writes as much of a text as there is room for.</summary>
    /// <returns>The length of the whole, in bytes.</returns>
    private int Write(string text, int address, int room)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        Pay(bytes.Length);
        Span<byte> window = Window(address, room);
        bytes.AsSpan(0, Math.Min(bytes.Length, window.Length)).CopyTo(window);
        return bytes.Length;
    }

    // ---- errors ----

    private static int Fail(LinkingState state, Exception exception)
    {
        (LinkingError error, string message) = LinkingFailure.Of(exception)!.Value;
        state.LastError = message;
        return (int)error;
    }

    // One for each number of parameters: a common wrapper would need a closure for each call.

    private static Func<Caller?, int> Guard(LinkingState state, Func<LinkingFunctions, int> function) => (caller) =>
    {
        try
        {
            return function(new LinkingFunctions(state, caller));
        }
        catch (Exception e) when (LinkingFailure.Of(e) is not null)
        {
            return Fail(state, e);
        }
    };

    private static Func<Caller?, T1, int> Guard<T1>(LinkingState state, Func<LinkingFunctions, T1, int> function) => (caller, a) =>
    {
        try
        {
            return function(new LinkingFunctions(state, caller), a);
        }
        catch (Exception e) when (LinkingFailure.Of(e) is not null)
        {
            return Fail(state, e);
        }
    };

    private static Func<Caller?, T1, T2, int> Guard<T1, T2>(LinkingState state, Func<LinkingFunctions, T1, T2, int> function) => (caller, a, b) =>
    {
        try
        {
            return function(new LinkingFunctions(state, caller), a, b);
        }
        catch (Exception e) when (LinkingFailure.Of(e) is not null)
        {
            return Fail(state, e);
        }
    };

    private static Func<Caller?, T1, T2, T3, int> Guard<T1, T2, T3>(LinkingState state, Func<LinkingFunctions, T1, T2, T3, int> function) => (caller, a, b, c) =>
    {
        try
        {
            return function(new LinkingFunctions(state, caller), a, b, c);
        }
        catch (Exception e) when (LinkingFailure.Of(e) is not null)
        {
            return Fail(state, e);
        }
    };

    private static Func<Caller?, T1, T2, T3, T4, int> Guard<T1, T2, T3, T4>(LinkingState state, Func<LinkingFunctions, T1, T2, T3, T4, int> function) => (caller, a, b, c, d) =>
    {
        try
        {
            return function(new LinkingFunctions(state, caller), a, b, c, d);
        }
        catch (Exception e) when (LinkingFailure.Of(e) is not null)
        {
            return Fail(state, e);
        }
    };
}
