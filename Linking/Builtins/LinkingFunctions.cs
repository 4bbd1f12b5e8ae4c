using System.Text;
using WasmJit.Runtime;

namespace WasmJit.Linking;

/// <summary>
/// The functions of <c>wasm:linking</c>. Whatever a guest passes is checked, and what is wrong is an error in the result; only
/// traps of code that is run on its behalf end its call.
/// </summary>
internal sealed partial class LinkingFunctions(LinkingOptions options)
{
    /// <summary>The longest name or path that is taken, in bytes.</summary>
    private const int LongestName = 65536;

    private readonly HandleTable handles = new(options.MaximumHandles);
    private Instance? instance;
    private Memory? memory;
    private Table? table;

    internal string? LastError { get; private set; }

    internal void Attach(Instance guest, Memory? guestMemory, Table? guestTable) => (instance, memory, table) = (guest, guestMemory, guestTable);

    internal object? Find(int handle) => handles.Find(handle);

    internal int Give(object item) => handles.Add(item);

    internal IEnumerable<(string Name, Delegate Function)> All()
    {
        yield return ("compile", Guard<int, int>(Compile));
        yield return ("compile_stream", Guard<int>(CompileStream));
        yield return ("load", Guard<int, int>(Load));
        yield return ("load_at", Guard<int, int, int>(LoadAt));
        yield return ("open_directory", Guard<int, int>(OpenDirectory));
        yield return ("instantiate", Guard<int, int, int>(Instantiate));
        yield return ("get_export", Guard<int, int, int, int>(GetExport));
        yield return ("get_export_handle", Guard<int, int, int>(GetExportHandle));
        yield return ("imports", Guard<int, int, int>(Imports));
        yield return ("exports", Guard<int, int, int>(Exports));
        yield return ("kind", Guard<int>(Kind));
        yield return ("self", Guard(() => handles.Add(Guest)));
        yield return ("get_function", Guard<int>(GetFunction));
        yield return ("put_function", Guard<int, int>((handle, slot) => Put(handles.Get<FuncRef>(handle), slot)));
        yield return ("new_global", Guard<int, int, int>(NewGlobal));
        yield return ("read_global", Guard<int, int>(ReadGlobal));
        yield return ("write_global", Guard<int, int>(WriteGlobal));
        yield return ("memory_size", Guard<int>(handle => (int)Math.Min(handles.Get<Memory>(handle).PageCount, int.MaxValue)));
        yield return ("read_memory", (Func<int, long, int, int, int>)ReadMemory);
        yield return ("write_memory", (Func<int, long, int, int, int>)WriteMemory);
        yield return ("drop", Guard<int>(handle => { handles.Drop(handle); return 0; }));
        yield return ("last_error", Guard<int, int>((address, room) => Write(LastError ?? "", address, room)));
    }

    private Instance Guest => instance ?? throw NotAttached();

    private Memory GuestMemory => memory ?? throw (instance is null ? NotAttached() : Failure(LinkingError.OutOfBounds, "the guest has no memory"));

    private Table GuestTable => table ?? throw (instance is null ? NotAttached() : Failure(LinkingError.OutOfBounds, "the guest has no table of functions"));

    private static LinkingFailure NotAttached() => Failure(LinkingError.NotAllowed, "the guest is not attached yet");

    private static LinkingFailure Failure(LinkingError error, string message) => new(error, message);

    // ---- modules ----

    private ModuleCompiler Compiler => new(Guest.Module.Engine, Guest.Module.Engine.Options.LinkingQuota);

    private void RequireCompile()
    {
        if (!options.AllowCompile) throw Failure(LinkingError.NotAllowed, "runtime compile not allowed");
    }

    private int Compile(int address, int length)
    {
        RequireCompile();
        ModuleCompiler compiler = Compiler;
        return handles.Add(compiler.Compile(Window(address, length)));
    }

    private int CompileStream(int descriptor)
    {
        RequireCompile();
        ModuleCompiler compiler = Compiler;
        using Stream stream = Descriptors.OpenStream(descriptor);
        return handles.Add(compiler.Compile(stream));
    }

    private LinkingDescriptors Descriptors => options.Descriptors ?? throw Failure(LinkingError.InvalidArgument, "the guest has no descriptors");

    private ModuleNamespace Root => options.Namespace ?? throw Failure(LinkingError.NotAllowed, "loading modules not allowed");

    private int Load(int path, int length) => handles.Add(Root.Load(Compiler, Text(path, length)));

    /// <summary>
    /// Loads from a directory of the namespace, or from one that the guest has a descriptor of. What is there the guest may have
    /// written itself: that is compiling bytes.
    /// </summary>
    private int LoadAt(int directory, int path, int length)
    {
        ModuleCompiler compiler = Compiler;
        string text = Text(path, length);
        if (directory >= HandleTable.First) return handles.Add(handles.Get<ModuleNamespace>(directory).LoadRelative(compiler, text));
        RequireCompile();
        return handles.Add(Descriptors.OpenDirectory(directory).LoadRelative(compiler, text));
    }

    private int OpenDirectory(int path, int length) => handles.Add(Root.GetDirectory(Text(path, length)));

    private int Imports(int module, int address, int room) => Write(TypeLists.Of(handles.Get<Module>(module).Imports), address, room);

    private int Exports(int handle, int address, int room) => Write(
        TypeLists.Of(handles.Get<object>(handle) switch
        {
            Module module => module.Exports,
            Instance made => made.Exports,
            _ => throw Failure(LinkingError.InvalidArgument, $"handle {handle} is neither a module nor an instance"),
        }), address, room);

    private int Kind(int handle) => handles.Get<object>(handle) switch
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

    private string Text(int address, int length)
    {
        if ((uint)length > LongestName) throw Failure(LinkingError.InvalidArgument, $"a name of {(uint)length} bytes");
        return Encoding.UTF8.GetString(Window(address, length));
    }

    /// <summary>Writes as much of a text as there is room for.</summary>
    /// <returns>The length of the whole, in bytes.</returns>
    private int Write(string text, int address, int room)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        Span<byte> window = Window(address, room);
        bytes.AsSpan(0, Math.Min(bytes.Length, window.Length)).CopyTo(window);
        return bytes.Length;
    }

    // ---- errors ----

    private int Fail(Exception exception)
    {
        (LinkingError error, string message) = LinkingFailure.Of(exception)!.Value;
        LastError = message;
        return (int)error;
    }

    private Func<int> Guard(Func<int> function) => () =>
    {
        try
        {
            return function();
        }
        catch (Exception e) when (LinkingFailure.Of(e) is not null)
        {
            return Fail(e);
        }
    };

    private Func<T, int> Guard<T>(Func<T, int> function) => a =>
    {
        try
        {
            return function(a);
        }
        catch (Exception e) when (LinkingFailure.Of(e) is not null)
        {
            return Fail(e);
        }
    };

    private Func<T1, T2, int> Guard<T1, T2>(Func<T1, T2, int> function) => (a, b) =>
    {
        try
        {
            return function(a, b);
        }
        catch (Exception e) when (LinkingFailure.Of(e) is not null)
        {
            return Fail(e);
        }
    };

    private Func<T1, T2, T3, int> Guard<T1, T2, T3>(Func<T1, T2, T3, int> function) => (a, b, c) =>
    {
        try
        {
            return function(a, b, c);
        }
        catch (Exception e) when (LinkingFailure.Of(e) is not null)
        {
            return Fail(e);
        }
    };

    private Func<T1, T2, T3, T4, int> Guard<T1, T2, T3, T4>(Func<T1, T2, T3, T4, int> function) => (a, b, c, d) =>
    {
        try
        {
            return function(a, b, c, d);
        }
        catch (Exception e) when (LinkingFailure.Of(e) is not null)
        {
            return Fail(e);
        }
    };
}
