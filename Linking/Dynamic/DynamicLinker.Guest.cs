using System.Text;
using System.Text.Unicode;
using WasmJit.Runtime;

namespace WasmJit;

/// <summary>What programs and libraries call: the functions of dlfcn.h, and the registration of destructors.</summary>
public sealed partial class DynamicLinker
{
    /// <summary>The numbers of wasi-libc's dlfcn.h: symbols that all see, and those behind the caller.</summary>
    private const int DefaultHandle = 0, NextHandle = -1;

    private const int LongestName = 4096;

    private string? lastError;
    private uint errorBuffer;
    private int errorRoom;
    private bool hooksExit;

    /// <summary>
    /// A function of the linker's own that a library or the program imports from "env". Destructors of libraries are the
    /// linker's business, whoever else defines these functions; the program's are its own.
    /// </summary>
    internal Delegate? OwnFunction(DynamicLibrary library, string name, bool ownOnly) => name switch
    {
        "__cxa_atexit" when library != main => (int function, int argument, int _) => AtExit(library, function, argument, true),
        "atexit" when library != main => (int function) => AtExit(library, function, 0, false),
        "dlopen" when !ownOnly => (int path, int flags) => OpenForGuest(library, path, flags),
        "dlsym" when !ownOnly => (int handle, int symbol) => SymbolForGuest(library, handle, symbol),
        "dlclose" when !ownOnly => CloseForGuest,
        "dlerror" when !ownOnly => ErrorForGuest,
        _ => null,
    };

    private int OpenForGuest(DynamicLibrary caller, int path, int flags)
    {
        using (Enter())
        {
            try
            {
                DynamicLibrary library = Program;
                if (path == 0)
                {
                    if (library.OpenCount < int.MaxValue) library.OpenCount++;
                }
                else
                {
                    library = Open(Text(path), (OpenModes)flags, caller, library.Module.Engine.Options.LinkingQuota);
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
                lastError = e.Message;
                return 0;
            }
        }
    }

    private int SymbolForGuest(DynamicLibrary caller, int handle, int symbol)
    {
        using (Enter())
        {
            try
            {
                string name = Text(symbol);
                IEnumerable<DynamicLibrary> scope = handle switch
                {
                    DefaultHandle => ScopeOf(caller),
                    NextHandle => libraries.SkipWhile(l => l != caller).Skip(1).Where(l => l.IsGlobal || caller.Scope.Contains(l)),
                    _ => Get(handle) is var library && library == main ? ScopeOf(null) : Tree(library),
                };
                if (SymbolIn(scope, name, Space) is not { } address) throw new DynamicLinkException($"undefined symbol: {name}");
                return (int)address;
            }
            catch (Exception e) when (IsForGuest(e))
            {
                lastError = e.Message;
                return 0;
            }
        }
    }

    private int CloseForGuest(int handle)
    {
        using (Enter())
        {
            try
            {
                DynamicLibrary library = Get(handle);
                if (library.OpenCount == 0) throw new DynamicLinkException($"{library.Name} is not open");
                Close(library);
                return 0;
            }
            catch (Exception e) when (IsForGuest(e))
            {
                lastError = e.Message;
                return -1;
            }
        }
    }

    private int ErrorForGuest()
    {
        using (Enter())
        {
            if (lastError is not { } error) return 0;
            lastError = null;
            byte[] bytes = Encoding.UTF8.GetBytes(error.Replace('\0', ' '));
            if (bytes.Length >= errorRoom)
            {
                int room = Math.Max(256, bytes.Length + 1);
                try
                {
                    errorBuffer = Space.Allocate((uint)room, 0, out _);
                    errorRoom = room;
                }
                catch (DynamicLinkException)
                {
                    // What there is must do; nothing at all means that there was no error, which is the best a full memory allows.
                    if (errorRoom == 0) return 0;
                    bytes = bytes[..(errorRoom - 1)];
                }
            }
            Memory memory = Memory;
            if ((ulong)errorBuffer + (ulong)errorRoom > memory.Length) return 0;
            memory.WriteBytes(errorBuffer, bytes);
            memory.Write(errorBuffer + (ulong)bytes.Length, (byte)0);
            return (int)errorBuffer;
        }
    }

    /// <summary>Notes a destructor of a library; the program's end runs those that are left then.</summary>
    private int AtExit(DynamicLibrary library, int function, int argument, bool hasArgument)
    {
        using (Enter())
        {
            library.AtExit.Add(((uint)function, argument, hasArgument));
            if (hooksExit) return 0;
            try
            {
                // A function that the program's exit calls; once it is there, later destructors need none of their own.
                return HookExit();
            }
            catch
            {
                hooksExit = false;
                throw;
            }
        }
    }

    private int HookExit()
    {
        hooksExit = true;
        if (Program.Instance.TryGetExport("__cxa_atexit", out Func<int, int, int, int>? register))
            return register((int)Space.IndexOf(HostValues.FromDelegate((Action<int>)(_ => RunDestructors()), null)), 0, 0);
        if (Program.Instance.TryGetExport("atexit", out Func<int, int>? registerPlain))
            return registerPlain((int)Space.IndexOf(HostValues.FromDelegate((Action)RunDestructors, null)));
        return 0;
    }

    private DynamicLibrary Get(int handle) =>
        handles.TryGetValue(handle, out DynamicLibrary? library) ? library : throw new DynamicLinkException($"invalid handle {handle}");

    /// <summary>What a guest is told; all else, traps among them, ends the guest's call.</summary>
    private static bool IsForGuest(Exception e) =>
        e is DynamicLinkException or ModuleException or IOException or UnauthorizedAccessException or QuotaExceededException;

    /// <summary>Text of the guest, up to its zero.</summary>
    /// <exception cref="TrapException">It does not end inside the memory.</exception>
    private string Text(int address)
    {
        Memory memory = Memory;
        ulong start = (uint)address;
        if (start >= memory.Length) throw Trap.Make(TrapKind.OutOfBoundsMemoryAccess);
        Span<byte> bytes = memory.Slice(start, (int)Math.Min(memory.Length - start, LongestName + 1));
        int length = bytes.IndexOf((byte)0);
        if (length < 0 && bytes.Length <= LongestName) throw Trap.Make(TrapKind.OutOfBoundsMemoryAccess);
        if (length < 0) throw new DynamicLinkException("the name is too long");
        // Read as UTF-8 with replacements it would name another file, or another symbol.
        byte[] name = bytes[..length].ToArray();
        GC.KeepAlive(memory);
        return Utf8.IsValid(name) ? Encoding.UTF8.GetString(name) : throw new DynamicLinkException("the name is not UTF-8");
    }
}
