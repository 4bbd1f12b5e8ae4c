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

    /// <summary>What the last function of a component has given.</summary>
    internal byte[] LastResult { get; set; } = [];

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

    /// <summary>
    /// The functions by name. Those that take addresses have a second form, for memories with addresses of 64 bits: addresses, lengths and numbers of
    /// items are then 64 bits wide.
    /// </summary>
    internal static IEnumerable<(string Name, Delegate Function, Delegate? Wide)> All(LinkingState state)
    {
        yield return ("compile", Guard<int, int>(state, (f, address, length) => f.Compile((uint)address, (uint)length)),
            Guard<long, long>(state, (f, address, length) => f.Compile((ulong)address, (ulong)length)));
        yield return ("compile_stream", Guard<int>(state, (f, descriptor) => f.CompileStream(descriptor)), null);
        yield return ("load", Guard<int, int>(state, (f, path, length) => f.Load((uint)path, (uint)length)),
            Guard<long, long>(state, (f, path, length) => f.Load((ulong)path, (ulong)length)));
        yield return ("load_at", Guard<int, int, int>(state, (f, directory, path, length) => f.LoadAt(directory, (uint)path, (uint)length)),
            Guard<int, long, long>(state, (f, directory, path, length) => f.LoadAt(directory, (ulong)path, (ulong)length)));
        yield return ("open_directory", Guard<int, int>(state, (f, path, length) => f.OpenDirectory((uint)path, (uint)length)),
            Guard<long, long>(state, (f, path, length) => f.OpenDirectory((ulong)path, (ulong)length)));
        yield return ("instantiate", Guard<int, int, int>(state, (f, module, list, count) => f.Instantiate(module, (uint)list, (uint)count, isWide: false)),
            Guard<int, long, long>(state, (f, module, list, count) => f.Instantiate(module, (ulong)list, (ulong)count, isWide: true)));
        yield return ("get_export", Guard<int, int, int, int>(state, (f, handle, name, length, slot) => f.GetExport(handle, (uint)name, (uint)length, slot)),
            Guard<int, long, long, int>(state, (f, handle, name, length, slot) => f.GetExport(handle, (ulong)name, (ulong)length, slot)));
        yield return ("get_export_handle", Guard<int, int, int>(state, (f, handle, name, length) => f.GetExportHandle(handle, (uint)name, (uint)length)),
            Guard<int, long, long>(state, (f, handle, name, length) => f.GetExportHandle(handle, (ulong)name, (ulong)length)));
        yield return ("imports", Guard<int, int, int>(state, (f, module, address, room) => f.Imports(module, (uint)address, (uint)room)),
            Guard<int, long, long>(state, (f, module, address, room) => f.Imports(module, (ulong)address, (ulong)room)));
        yield return ("exports", Guard<int, int, int>(state, (f, handle, address, room) => f.Exports(handle, (uint)address, (uint)room)),
            Guard<int, long, long>(state, (f, handle, address, room) => f.Exports(handle, (ulong)address, (ulong)room)));
        yield return ("kind", Guard<int>(state, (f, handle) => f.Kind(handle)), null);
        yield return ("self", Guard(state, f => f.Handles.Add(f.Guest)), null);
        yield return ("get_function", Guard<int>(state, (f, slot) => f.GetFunction(slot)), null);
        yield return ("put_function", Guard<int, int>(state, (f, handle, slot) => f.Put(f.Handles.Get<FuncRef>(handle), slot)), null);
        yield return ("new_global", Guard<int, int, int>(state, (f, type, isMutable, address) => f.NewGlobal(type, isMutable, (uint)address)),
            Guard<int, int, long>(state, (f, type, isMutable, address) => f.NewGlobal(type, isMutable, (ulong)address)));
        yield return ("read_global", Guard<int, int>(state, (f, handle, address) => f.ReadGlobal(handle, (uint)address)),
            Guard<int, long>(state, (f, handle, address) => f.ReadGlobal(handle, (ulong)address)));
        yield return ("write_global", Guard<int, int>(state, (f, handle, address) => f.WriteGlobal(handle, (uint)address)),
            Guard<int, long>(state, (f, handle, address) => f.WriteGlobal(handle, (ulong)address)));
        yield return ("memory_size", Guard<int>(state, (f, handle) => (int)Math.Min(f.Handles.Get<Memory>(handle).PageCount, int.MaxValue)), null);
        yield return ("read_memory", Guard<int, long, int, int>(state, (f, handle, from, to, length) => f.Copy(handle, from, (uint)to, (uint)length, isWrite: false)),
            Guard<int, long, long, long>(state, (f, handle, from, to, length) => f.Copy(handle, from, (ulong)to, (ulong)length, isWrite: false)));
        yield return ("write_memory", Guard<int, long, int, int>(state, (f, handle, to, from, length) => f.Copy(handle, to, (uint)from, (uint)length, isWrite: true)),
            Guard<int, long, long, long>(state, (f, handle, to, from, length) => f.Copy(handle, to, (ulong)from, (ulong)length, isWrite: true)));
        yield return ("compile_component", Guard<int, int>(state, (f, address, length) => f.CompileComponent((uint)address, (uint)length)),
            Guard<long, long>(state, (f, address, length) => f.CompileComponent((ulong)address, (ulong)length)));
        yield return ("load_component", Guard<int, int>(state, (f, name, length) => f.LoadComponent((uint)name, (uint)length)),
            Guard<long, long>(state, (f, name, length) => f.LoadComponent((ulong)name, (ulong)length)));
        yield return ("instantiate_component", Guard<int, int, int>(state, (f, component, list, count) => f.InstantiateComponent(component, (uint)list, (uint)count, isWide: false)),
            Guard<int, long, long>(state, (f, component, list, count) => f.InstantiateComponent(component, (ulong)list, (ulong)count, isWide: true)));
        yield return ("call_component",
            Guard<int, int, int, int, int>(state, (f, made, name, length, arguments, bytes) => f.CallComponent(made, (uint)name, (uint)length, (uint)arguments, (uint)bytes)),
            Guard<int, long, long, long, long>(state, (f, made, name, length, arguments, bytes) => f.CallComponent(made, (ulong)name, (ulong)length, (ulong)arguments, (ulong)bytes)));
        yield return ("last_result", Guard<int, int>(state, (f, address, room) => f.LastResult((uint)address, (uint)room)),
            Guard<long, long>(state, (f, address, room) => f.LastResult((ulong)address, (ulong)room)));
        yield return ("drop", Guard<int>(state, (f, handle) => f.Drop(handle)), null);
        yield return ("last_error", Guard<int, int>(state, (f, address, room) => f.Write(state.LastError ?? "", (uint)address, (uint)room)),
            Guard<long, long>(state, (f, address, room) => f.Write(state.LastError ?? "", (ulong)address, (ulong)room)));
    }

    private HandleTable Handles => state.Handles;

    private LinkingOptions Options => state.Options;

    private Instance Guest => instance ?? throw NotAttached();

    private Memory GuestMemory => Guest.Caller.TryGetMemory(out Memory? memory) ? memory : throw Failure(LinkingError.OutOfBounds, "the guest has no memory");

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

    private ModuleCompiler Compiler => new(Guest.Module, Guest.Module.Engine.Options.LinkingQuota, Guest.FuelTank);

    private void RequireCompile()
    {
        if (!Options.AllowCompile) throw Failure(LinkingError.NotAllowed, "runtime compile not allowed");
    }

    private int Compile(ulong address, ulong length)
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

    private int Load(ulong path, ulong length) => Handles.Add(Root.Load(Compiler, Text(path, length)));

    /// <summary>
    /// Loads from a directory of the namespace, or from one that the guest has a descriptor of. The guest may have written the files there itself, so
    /// this counts as compiling bytes.
    /// </summary>
    private int LoadAt(int directory, ulong path, ulong length)
    {
        ModuleCompiler compiler = Compiler;
        string text = Text(path, length);
        if (directory >= HandleTable.First) return Handles.Add(Handles.Get<ModuleNamespace>(directory).LoadRelative(compiler, text));
        RequireCompile();
        return Handles.Add(Descriptors.OpenDirectory(directory).LoadRelative(compiler, text));
    }

    private int OpenDirectory(ulong path, ulong length) => Handles.Add(Root.GetDirectory(Text(path, length)));

    private int Imports(int handle, ulong address, ulong room) => Write(
        Handles.Get<object>(handle) switch
        {
            Module module => TypeLists.Of(module.Imports),
            ILinkedComponent component => TypeLists.Of("import", component.ImportNames),
            _ => throw Failure(LinkingError.InvalidArgument, $"handle {handle} is of another kind"),
        }, address, room);

    private int Exports(int handle, ulong address, ulong room) => Write(
        Handles.Get<object>(handle) switch
        {
            Module module => TypeLists.Of(module.Exports),
            Instance made => TypeLists.Of(made.Exports),
            ILinkedObject component => TypeLists.Of("export", component.ExportNames),
            _ => throw Failure(LinkingError.InvalidArgument, $"handle {handle} is neither a module nor an instance"),
        }, address, room);

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
        ILinkedComponent => (int)ExternKind.Instance + 2,
        ILinkedInstance => (int)ExternKind.Instance + 3,
        _ => (int)ExternKind.Instance + 1,
    };

    // ---- the guest's memory ----

    private Span<byte> Window(ulong address, ulong length)
    {
        Memory guest = GuestMemory;
        if (address > guest.Length || length > guest.Length - address)
            throw Failure(LinkingError.OutOfBounds, $"{length} bytes at {address} are not inside a memory of {guest.Length}");
        if (length > int.MaxValue) throw Failure(LinkingError.InvalidArgument, "more than 2 GiB");
        return guest.Slice(address, (int)length);
    }

    /// <summary>Bytes that a function reads or writes cost the guest what they cost in its own code.</summary>
    private void Pay(ulong bytes) => Fuel.Pay(Guest.FuelTank, (ulong)Fuel.OfBytes(bytes));

    private string Text(ulong address, ulong length)
    {
        if (length > LongestName) throw Failure(LinkingError.InvalidArgument, $"a name of {length} bytes");
        Pay(length);
        byte[] name = Window(address, length).ToArray();
        return Utf8.IsValid(name) ? Encoding.UTF8.GetString(name) : throw Failure(LinkingError.InvalidArgument, "the name is not UTF-8");
    }

    /// <summary>Writes as much of a text as there is room for.</summary>
    /// <returns>The length of the whole, in bytes.</returns>
    private int Write(string text, ulong address, ulong room) => Write(Encoding.UTF8.GetBytes(text), address, room);

    private int Write(byte[] bytes, ulong address, ulong room)
    {
        Pay((ulong)bytes.Length);
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

    private static Func<Caller?, T1, T2, T3, T4, T5, int> Guard<T1, T2, T3, T4, T5>(LinkingState state, Func<LinkingFunctions, T1, T2, T3, T4, T5, int> function) => (caller, a, b, c, d, e) =>
    {
        try
        {
            return function(new LinkingFunctions(state, caller), a, b, c, d, e);
        }
        catch (Exception failure) when (LinkingFailure.Of(failure) is not null)
        {
            return Fail(state, failure);
        }
    };
}
