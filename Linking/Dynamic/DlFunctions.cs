using System.Text;
using System.Text.Unicode;
using WasmJit.DynamicLinking;
using WasmJit.Runtime;

namespace WasmJit.Linking;

/// <summary>
/// The functions that programs and libraries call: those of dlfcn.h, and the registration of destructors. The core takes addresses of 64 bits;
/// programs of 32 and of 64 bits each have their signatures.
/// </summary>
internal sealed class DlFunctions(DynamicLinker linker, LinkMap map)
{
    /// <summary>The special handles of wasi-libc's dlfcn.h: the global symbols, and those behind the caller.</summary>
    private const long DefaultHandle = 0, NextHandle = -1;

    private const int LongestName = 4096;

    private readonly Dictionary<int, DynamicLibrary> handles = [];
    private int lastHandle;
    private readonly DlError mainError = new();

    private GuestSpace Space => linker.Space;

    /// <summary>Each thread of a program has its own.</summary>
    private DlError Error => Space.CurrentThread?.Error ?? mainError;

    /// <summary>
    /// A function of the linker's own that a library or the program imports from "env", also where another library defines one of this name: a library that was
    /// linked with a stub must not get the stub. The linker runs destructors of libraries; the program runs its own.
    /// </summary>
    internal Delegate? Find(DynamicLibrary library, string name)
    {
        if (library.OwnFunctions.TryGetValue(name, out Delegate? known)) return known;
        Delegate? made = linker.Is64 ? Find64(library, name) : Find32(library, name);
        if (made is not null) library.OwnFunctions[name] = made;
        return made;
    }

    private Delegate? Find32(DynamicLibrary library, string name) => name switch
    {
        "__cxa_atexit" when library != map.Program =>
            (int function, int argument, int _) => linker.AtExit(library, (uint)function, (uint)argument, true),
        "atexit" when library != map.Program => (int function) => linker.AtExit(library, (uint)function, 0, false),
        "dlopen" => (int path, int flags) => Open(library, (uint)path, flags),
        "dlsym" => (int handle, int symbol) => (int)(uint)FindSymbol(library, handle, (uint)symbol),
        "dlclose" => (int handle) => Close(handle),
        "dlerror" => () => (int)(uint)TakeError(),
        "dladdr" => (int address, int info) => FindAddress((uint)address, (uint)info),
        _ => null,
    };

    private Delegate? Find64(DynamicLibrary library, string name) => name switch
    {
        "__cxa_atexit" when library != map.Program =>
            (long function, long argument, long _) => linker.AtExit(library, (ulong)function, (ulong)argument, true),
        "atexit" when library != map.Program => (long function) => linker.AtExit(library, (ulong)function, 0, false),
        "dlopen" => (long path, int flags) => (long)Open(library, (ulong)path, flags),
        "dlsym" => (long handle, long symbol) => (long)FindSymbol(library, handle, (ulong)symbol),
        "dlclose" => (long handle) => Close(handle),
        "dlerror" => () => (long)TakeError(),
        "dladdr" => (long address, long info) => FindAddress((ulong)address, (ulong)info),
        _ => null,
    };

    /// <summary>One of the linker's own functions as a pointer, which goes with the library that asks.</summary>
    internal FuncRef? Reference(DynamicLibrary library, string name)
    {
        if (Find(library, name) is not { } own) return null;
        FuncRef func = HostValues.FromDelegate(own, null);
        library.OwnReferences.Add(func);
        return func;
    }

    /// <summary>Forgets everything: the program is gone.</summary>
    internal void Clear() => handles.Clear();

    /// <summary>Forgets a library that is unloaded. Its handle is never used again.</summary>
    internal void Forget(DynamicLibrary library)
    {
        if (library.Handle != 0) handles.Remove(library.Handle);
        foreach (FuncRef own in library.OwnReferences) Space.Forget(own);
        library.OwnReferences.Clear();
    }

    private int Open(DynamicLibrary caller, ulong path, int flags)
    {
        using (linker.Enter())
        {
            try
            {
                linker.CheckMayLoad();
                PayForSearch();
                DynamicLibrary library = linker.Program;
                if (path == 0)
                {
                    if (library.OpenCount < int.MaxValue) library.OpenCount++;
                }
                else
                {
                    library = linker.Open(Text(path), (OpenModes)flags, caller, library.Module.Engine.Options.LinkingQuota);
                }
                if (library.Handle == 0)
                {
                    if (lastHandle == int.MaxValue) throw new DynamicLinkException("there are no more handles");
                    handles[library.Handle = ++lastHandle] = library;
                }
                return library.Handle;
            }
            catch (Exception e) when (IsForGuest(e))
            {
                Error.Message = e.Message;
                return 0;
            }
        }
    }

    private ulong FindSymbol(DynamicLibrary caller, long handle, ulong symbol)
    {
        using (linker.Enter())
        {
            try
            {
                PayForSearch();
                string name = Text(symbol);
                IEnumerable<DynamicLibrary> scope = handle switch
                {
                    DefaultHandle => map.ScopeOf(caller),
                    NextHandle => map.ScopeBehind(caller),
                    _ => Get(handle) is var library && library == map.Program ? map.ScopeOf(null) : LinkMap.Tree(library),
                };
                // dlsym("dlopen") gives the linker's function even if a library defines one, except with RTLD_NEXT.
                ulong? address = handle != NextHandle && Reference(caller, name) is { } own ? Space.IndexOf(own) : SymbolIn(scope, name);
                linker.UpdateTables();
                return address ?? throw new DynamicLinkException($"undefined symbol: {name}");
            }
            catch (Exception e) when (IsForGuest(e))
            {
                Error.Message = e.Message;
                return 0;
            }
        }
    }

    /// <summary>An address of data, or an index in the table.</summary>
    private ulong? SymbolIn(IEnumerable<DynamicLibrary> scope, string name)
    {
        foreach (DynamicLibrary library in scope)
        {
            if (library.Instance is null) continue;
            if (library.Defines(name, ExternKind.Func)) return Space.IndexOf(library.FunctionOf(name));
            if (library.Defines(name, ExternKind.Global)) return library.AddressOf(name);
        }
        return null;
    }

    private int Close(long handle)
    {
        using (linker.Enter())
        {
            try
            {
                linker.CheckMayLoad();
                // Which libraries stay is found out anew.
                Pay(map.Libraries.Count);
                DynamicLibrary library = Get(handle);
                if (library.OpenCount == 0) throw new DynamicLinkException($"{library.Name} is not open");
                linker.Close(library);
                return 0;
            }
            catch (Exception e) when (IsForGuest(e))
            {
                Error.Message = e.Message;
                return -1;
            }
        }
    }

    private ulong TakeError()
    {
        using (linker.Enter())
        {
            DlError error = Error;
            if (error.Message is not { } message) return 0;
            error.Message = null;
            byte[] bytes = Encoding.UTF8.GetBytes(message.Replace('\0', ' '));
            if (bytes.Length >= error.Room)
            {
                int room = Math.Max(256, bytes.Length + 1);
                try
                {
                    ulong old = error.Block;
                    error.Buffer = Space.Allocate((uint)room, 0, out ulong block);
                    (error.Room, error.Block) = (room, block);
                    Space.Release(old);
                }
                catch (DynamicLinkException)
                {
                    // The message is cut to the room that there is. With none, the guest reads that there was no error: a full memory allows no
                    // better.
                    if (error.Room == 0) return 0;
                    bytes = bytes[..(error.Room - 1)];
                }
            }
            Memory memory = Space.Memory;
            if (error.Buffer + (ulong)error.Room > memory.Length) return 0;
            memory.WriteBytes(error.Buffer, bytes);
            memory.Write(error.Buffer + (ulong)bytes.Length, (byte)0);
            return error.Buffer;
        }
    }

    /// <summary>
    /// <c>dladdr</c>: the library, and the symbol at or before an address. A number below the table's size is a function first, unless it lies in the
    /// data of a library, whose place is known exactly.
    /// </summary>
    /// <returns>Not 0 if there is a library; the four fields of <c>Dl_info</c> are then written.</returns>
    private int FindAddress(ulong address, ulong info)
    {
        using (linker.Enter())
        {
            DynamicLibrary? library = map.Libraries.FirstOrDefault(l => IsInData(l, address));
            Pay(map.Libraries.Count);
            (string Name, ulong Address)? symbol = null;
            if (library is null && Space.FunctionAt(address) is { } func && OwnerOf(func) is { } owner)
            {
                library = owner;
                Pay(owner.SymbolCount);
                if (owner.NameOf(func) is { } name) symbol = (name, address);
            }
            else
            {
                // Everything below all libraries is the program's, whose size is not known.
                if (library is null && address >= 1024 && address < Space.Memory.Length) library = map.Program;
                Pay(library?.SymbolCount ?? 0);
                symbol = library?.SymbolBefore(address);
            }
            if (library is null) return 0;
            ulong[] fields;
            try
            {
                fields =
                [
                    Put(library, library == map.Program ? library.Name : library.Path), library.MemoryBase,
                    symbol is { } known ? Put(library, known.Name) : 0, symbol?.Address ?? 0,
                ];
            }
            catch (DynamicLinkException)
            {
                return 0;
            }
            Memory memory = Space.Memory;
            ulong size = (ulong)fields.Length * (linker.Is64 ? 8u : 4u);
            if (info > memory.Length || memory.Length - info < size) throw Trap.Make(TrapKind.OutOfBoundsMemoryAccess);
            for (int i = 0; i < fields.Length; i++)
            {
                if (linker.Is64) memory.Write(info + (8 * (ulong)i), fields[i]);
                else memory.Write(info + (4 * (ulong)i), (uint)fields[i]);
            }
            return 1;
        }
    }

    /// <summary>Charges for a search through so many things.</summary>
    private void Pay(int things) => Fuel.Pay(linker.CurrentFuel, (ulong)things);

    /// <summary>A name is looked for in all libraries.</summary>
    private void PayForSearch() => Pay(1 + (map.Libraries.Count / 8));

    private static bool IsInData(DynamicLibrary library, ulong address) =>
        library.Section is { } section && library.MemoryBase != 0 && address >= library.MemoryBase && address - library.MemoryBase < section.MemorySize;

    private DynamicLibrary? OwnerOf(FuncRef func) => map.Libraries.FirstOrDefault(l => ReferenceEquals(l.Instance, func.Context));

    /// <summary>A text of a library, put into the memory once and freed with the library.</summary>
    private ulong Put(DynamicLibrary library, string text)
    {
        if (library.Texts.TryGetValue(text, out (ulong Address, ulong Block) known)) return known.Address;
        byte[] bytes = [.. Encoding.UTF8.GetBytes(text), 0];
        ulong at = Space.Allocate((ulong)bytes.Length, 0, out ulong block);
        Space.Memory.WriteBytes(at, bytes);
        library.Texts[text] = (at, block);
        return at;
    }

    private DynamicLibrary Get(long handle) => handle is > 0 and <= int.MaxValue && handles.TryGetValue((int)handle, out DynamicLibrary? library)
        ? library : throw new DynamicLinkException($"invalid handle {handle}");

    /// <summary>Whether a failure is reported to the guest. All others, traps among them, end the guest's call.</summary>
    private static bool IsForGuest(Exception e) =>
        e is DynamicLinkException or ModuleException or IOException or UnauthorizedAccessException or QuotaExceededException
            or CompilationNotAllowedException;

    /// <summary>Text of the guest, up to its zero.</summary>
    /// <exception cref="TrapException">It does not end inside the memory.</exception>
    private string Text(ulong start)
    {
        Memory memory = Space.Memory;
        if (start >= memory.Length) throw Trap.Make(TrapKind.OutOfBoundsMemoryAccess);
        Span<byte> bytes = memory.Slice(start, (int)Math.Min(memory.Length - start, LongestName + 1));
        int length = bytes.IndexOf((byte)0);
        if (length < 0 && bytes.Length <= LongestName) throw Trap.Make(TrapKind.OutOfBoundsMemoryAccess);
        if (length < 0) throw new DynamicLinkException("the name is too long");
        // Decoding with replacements would name another file, or another symbol.
        byte[] name = bytes[..length].ToArray();
        GC.KeepAlive(memory);
        return Utf8.IsValid(name) ? Encoding.UTF8.GetString(name) : throw new DynamicLinkException("the name is not UTF-8");
    }
}

/// <summary>The last failure of a thread that its <c>dlerror</c> has not told yet, and where in the memory it puts the text.</summary>
internal sealed class DlError
{
    internal string? Message { get; set; }

    internal ulong Buffer { get; set; }

    internal int Room { get; set; }

    /// <summary>What the allocator gave for it; 0 for what cannot be freed.</summary>
    internal ulong Block { get; set; }
}
