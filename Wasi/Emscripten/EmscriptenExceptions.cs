using WasmJit.Runtime;

namespace WasmJit.Wasi;

/// <summary>
/// C++ exceptions as Emscripten's JavaScript has them (<c>-fexceptions</c>). The program calls what may throw through an invoker, and asks
/// <c>__cxa_find_matching_catch_*</c> then which of its handlers fits. An exception is an object in the program's memory behind a header that its C++
/// library knows, too. Which one is in flight, and which are being handled, is known here.
/// </summary>
internal sealed class EmscriptenExceptions
{
    private const string FindHandler = "__cxa_find_matching_catch_";

    /// <summary>What is called of the program.</summary>
    private const string CanCatch = "__cxa_can_catch", AddReference = "__cxa_increment_exception_refcount", RemoveReference = "__cxa_decrement_exception_refcount",
        PointerOf = "__cxa_get_exception_ptr", SetThrew = "setThrew";

    /// <summary>The header in front of an exception: its count is the program's affair.</summary>
    private const uint HeaderSize = 24, TypeAt = 4, DestructorAt = 8, CaughtAt = 12, RethrownAt = 13, AdjustedAt = 16;

    /// <summary>How many exceptions may be handled at a time, one in the handler of another. C++ programs have two or three.</summary>
    private const int MostHandled = 10_000;

    private readonly List<uint> handled = [];

    /// <summary>The program's memory, when there is a program.</summary>
    private Memory? memory;

    private Func<int, int, int, int>? canCatch;
    private Action<int>? addReference, removeReference, setSecondResult;
    private Action<int, int>? setThrew;
    private Func<int, int>? pointerOf;
    private Func<int>? getSecondResult;

    /// <summary>The exception that is looking for its handler, or has found it; 0 for none.</summary>
    private uint last;

    private int uncaught, secondResult;

    /// <summary>Thrown with the exception's address. Invokers catch it.</summary>
    internal Tag Tag { get; } = new(new FuncType([ValType.I32], []));

    /// <summary>The function of a name and type; null if it is not one of these.</summary>
    internal Delegate? Find(string name, FuncType type) => name switch
    {
        "__cxa_throw" => (Action<int, int, int>)Throw,
        "__cxa_rethrow" => (Action)Rethrow,
        "__cxa_begin_catch" => (Func<int, int>)BeginCatch,
        "__cxa_end_catch" => (Action)EndCatch,
        "__resumeException" => (Action<int>)Resume,
        "__cxa_uncaught_exceptions" => (Func<int>)(() => uncaught),
        "__cxa_current_primary_exception" => (Func<int>)Current,
        "__cxa_rethrow_primary_exception" => (Action<int>)RethrowPrimary,
        "__cxa_current_exception_type" => (Func<int>)CurrentType,
        "__cxa_call_unexpected" => (Action<int>)(_ => throw Trap.Make(TrapKind.Unreachable, "an exception that a function does not declare")),
        "llvm_eh_typeid_for" => (Func<int, int>)(handler => handler),
        "getTempRet0" => (Func<int>)(() => getSecondResult is { } get ? get() : secondResult),
        "setTempRet0" => (Action<int>)SetSecondResult,
        _ when name.StartsWith(FindHandler, StringComparison.Ordinal) && type.Params.All(t => t == ValType.I32) && type.Results is [var result] && result == ValType.I32 =>
            HostFunction.Create(type, FindMatching),
        _ => null,
    };

    /// <summary>Says which instance is the program. What it lacks of what is called here is missed when it is called.</summary>
    internal void Attach(Instance instance)
    {
        instance.Caller.TryGetMemory(out memory);
        canCatch = Export<Func<int, int, int, int>>(CanCatch);
        addReference = Export<Action<int>>(AddReference);
        removeReference = Export<Action<int>>(RemoveReference);
        pointerOf = Export<Func<int, int>>(PointerOf);
        setThrew = Export<Action<int, int>>(SetThrew) ?? Export<Action<int, int>>("_emscripten_set_threw");
        getSecondResult = Export<Func<int>>("_emscripten_tempret_get");
        setSecondResult = Export<Action<int>>("_emscripten_tempret_set");

        T? Export<T>(string name)
            where T : class => instance.TryGetExport(name, out T? found) ? found : null;
    }

    private static T Needed<T>(T? function, string name)
        where T : class => function ?? throw Trap.Make(TrapKind.Unreachable, $"the program exports no {name}, which its exceptions of C++ need");

    // ---- throwing ----

    private void Throw(int exception, int type, int destructor)
    {
        Memory own = HeaderOf((uint)exception, out ulong header);
        own.Write(header + TypeAt, type);
        own.Write(header + DestructorAt, destructor);
        own.Write(header + AdjustedAt, 0);
        uncaught++;
        Fly((uint)exception);
    }

    /// <summary><c>throw;</c> in a handler.</summary>
    private void Rethrow()
    {
        if (handled is not [.., var exception]) throw Trap.Make(TrapKind.Unreachable, "there is no exception to throw again");
        Memory own = HeaderOf(exception, out ulong header);
        if (own.Read<byte>(header + RethrownAt) != 0)
        {
            // It is here because of RethrowPrimary alone.
            handled.RemoveAt(handled.Count - 1);
        }
        else
        {
            // It is handled still: the end of its handler takes it out.
            own.Write(header + RethrownAt, (byte)1);
            own.Write(header + CaughtAt, (byte)0);
            uncaught++;
        }
        Fly(exception);
    }

    /// <summary><c>std::rethrow_exception</c>.</summary>
    private void RethrowPrimary(int exception)
    {
        if (exception == 0) return;
        Memory own = HeaderOf((uint)exception, out ulong header);
        own.Write(header + RethrownAt, (byte)1);
        Handle((uint)exception);
        Rethrow();
    }

    /// <summary>No handler fits: the exception goes on.</summary>
    private void Resume(int exception) => Fly(last == 0 ? (uint)exception : last);

    private void Fly(uint exception)
    {
        last = exception;
        throw new WasmException(Tag, (int)exception);
    }

    // ---- catching ----

    /// <summary>
    /// Which handler fits: the arguments are the types that they catch, 0 is all. The result is the exception, and the second result the type of the
    /// handler, or the exception's own if none fits.
    /// </summary>
    private void FindMatching(Caller? caller, ReadOnlySpan<Value> types, Span<Value> results)
    {
        results[0] = (int)last;
        if (last == 0)
        {
            SetSecondResult(0);
            return;
        }
        Memory own = HeaderOf(last, out ulong header);
        own.Write(header + AdjustedAt, last);
        int type = own.Read<int>(header + TypeAt), handler = type;
        if (type != 0)
        {
            foreach (Value candidate in types)
            {
                int caught = candidate.AsInt32();
                if (caught == 0 || caught == type) break;
                // It may be a base of the type; the address of the base then is the adjusted one.
                if (Needed(canCatch, CanCatch)(caught, type, (int)(header + AdjustedAt)) == 0) continue;
                handler = caught;
                break;
            }
        }
        SetSecondResult(handler);
    }

    private int BeginCatch(int exception)
    {
        Memory own = HeaderOf((uint)exception, out ulong header);
        if (own.Read<byte>(header + CaughtAt) == 0)
        {
            own.Write(header + CaughtAt, (byte)1);
            uncaught--;
        }
        own.Write(header + RethrownAt, (byte)0);
        Handle((uint)exception);
        Needed(addReference, AddReference)(exception);
        return Needed(pointerOf, PointerOf)(exception);
    }

    private void EndCatch()
    {
        Needed(setThrew, SetThrew)(0, 0);
        if (handled is not [.., var exception]) throw Trap.Make(TrapKind.Unreachable, "a handler ends that has not begun");
        handled.RemoveAt(handled.Count - 1);
        Needed(removeReference, RemoveReference)((int)exception);
        last = 0;
    }

    private void Handle(uint exception)
    {
        if (handled.Count == MostHandled) throw Trap.Make(TrapKind.Unreachable, $"more than {MostHandled} exceptions are handled at a time");
        handled.Add(exception);
    }

    private int Current()
    {
        if (handled is not [.., var exception]) return 0;
        Needed(addReference, AddReference)((int)exception);
        return (int)exception;
    }

    private int CurrentType() => handled is [.., var exception] ? HeaderOf(exception, out ulong header).Read<int>(header + TypeAt) : 0;

    // ---- memory ----

    private void SetSecondResult(int value)
    {
        if (setSecondResult is { } set) set(value);
        else secondResult = value;
    }

    /// <summary>The program's memory, and where an exception's header is in it.</summary>
    private Memory HeaderOf(uint exception, out ulong header)
    {
        header = (ulong)exception - HeaderSize;
        if (memory is null || exception < HeaderSize || exception > memory.Length) throw Trap.Make(TrapKind.OutOfBoundsMemoryAccess);
        return memory;
    }
}
