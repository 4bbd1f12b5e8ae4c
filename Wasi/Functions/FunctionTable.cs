using WasmJit.Linking;

namespace WasmJit.Wasi;

/// <summary>
/// The functions by name. Each gets the memory of the calling instance. A wrapper turns failures, <see cref="WasiError"/> or exceptions of the host
/// that have an error number, into the guest's result. All other exceptions cross the guest: its exit, a cancellation, mistakes of our own.
/// </summary>
/// <remarks>There is one <c>Add</c> for each number of parameters. A common wrapper would need a closure for each call.</remarks>
internal sealed class FunctionTable(WasiContext context)
{
    private readonly Dictionary<string, Delegate> functions = [];

    internal IReadOnlyDictionary<string, Delegate> Functions => functions;

    internal void AddExit(string name, Action<int> function) => functions.Add(name, function);

    internal void Add(string name, Action<GuestMemory> function)
    {
        Func<Caller?, int> wrapper = (caller) =>
        {
            try
            {
                function(context.MemoryOf(caller));
                return 0;
            }
            catch (Exception x) when (SystemErrors.Of(x) is not null)
            {
                return Number(x);
            }
        };
        Add(name, wrapper, new CallerThunk.Function<int>(wrapper, null));
    }

    internal void Add<T1>(string name, Action<GuestMemory, T1> function)
    {
        Func<Caller?, T1, int> wrapper = (caller, a) =>
        {
            try
            {
                function(context.MemoryOf(caller), a);
                return 0;
            }
            catch (Exception x) when (SystemErrors.Of(x) is not null)
            {
                return Number(x);
            }
        };
        Add(name, wrapper, new CallerThunk.Function<T1, int>(wrapper, null));
    }

    internal void Add<T1, T2>(string name, Action<GuestMemory, T1, T2> function)
    {
        Func<Caller?, T1, T2, int> wrapper = (caller, a, b) =>
        {
            try
            {
                function(context.MemoryOf(caller), a, b);
                return 0;
            }
            catch (Exception x) when (SystemErrors.Of(x) is not null)
            {
                return Number(x);
            }
        };
        Add(name, wrapper, new CallerThunk.Function<T1, T2, int>(wrapper, null));
    }

    internal void Add<T1, T2, T3>(string name, Action<GuestMemory, T1, T2, T3> function)
    {
        Func<Caller?, T1, T2, T3, int> wrapper = (caller, a, b, c) =>
        {
            try
            {
                function(context.MemoryOf(caller), a, b, c);
                return 0;
            }
            catch (Exception x) when (SystemErrors.Of(x) is not null)
            {
                return Number(x);
            }
        };
        Add(name, wrapper, new CallerThunk.Function<T1, T2, T3, int>(wrapper, null));
    }

    internal void Add<T1, T2, T3, T4>(string name, Action<GuestMemory, T1, T2, T3, T4> function)
    {
        Func<Caller?, T1, T2, T3, T4, int> wrapper = (caller, a, b, c, d) =>
        {
            try
            {
                function(context.MemoryOf(caller), a, b, c, d);
                return 0;
            }
            catch (Exception x) when (SystemErrors.Of(x) is not null)
            {
                return Number(x);
            }
        };
        Add(name, wrapper, new CallerThunk.Function<T1, T2, T3, T4, int>(wrapper, null));
    }

    internal void Add<T1, T2, T3, T4, T5>(string name, Action<GuestMemory, T1, T2, T3, T4, T5> function)
    {
        Func<Caller?, T1, T2, T3, T4, T5, int> wrapper = (caller, a, b, c, d, e) =>
        {
            try
            {
                function(context.MemoryOf(caller), a, b, c, d, e);
                return 0;
            }
            catch (Exception x) when (SystemErrors.Of(x) is not null)
            {
                return Number(x);
            }
        };
        Add(name, wrapper, new CallerThunk.Function<T1, T2, T3, T4, T5, int>(wrapper, null));
    }

    internal void Add<T1, T2, T3, T4, T5, T6>(string name, Action<GuestMemory, T1, T2, T3, T4, T5, T6> function)
    {
        Func<Caller?, T1, T2, T3, T4, T5, T6, int> wrapper = (caller, a, b, c, d, e, f) =>
        {
            try
            {
                function(context.MemoryOf(caller), a, b, c, d, e, f);
                return 0;
            }
            catch (Exception x) when (SystemErrors.Of(x) is not null)
            {
                return Number(x);
            }
        };
        Add(name, wrapper, new CallerThunk.Function<T1, T2, T3, T4, T5, T6, int>(wrapper, null));
    }

    internal void Add<T1, T2, T3, T4, T5, T6, T7>(string name, Action<GuestMemory, T1, T2, T3, T4, T5, T6, T7> function)
    {
        Func<Caller?, T1, T2, T3, T4, T5, T6, T7, int> wrapper = (caller, a, b, c, d, e, f, g) =>
        {
            try
            {
                function(context.MemoryOf(caller), a, b, c, d, e, f, g);
                return 0;
            }
            catch (Exception x) when (SystemErrors.Of(x) is not null)
            {
                return Number(x);
            }
        };
        Add(name, wrapper, new CallerThunk.Function<T1, T2, T3, T4, T5, T6, T7, int>(wrapper, null));
    }

    internal void Add<T1, T2, T3, T4, T5, T6, T7, T8, T9>(string name, Action<GuestMemory, T1, T2, T3, T4, T5, T6, T7, T8, T9> function)
    {
        Func<Caller?, T1, T2, T3, T4, T5, T6, T7, T8, T9, int> wrapper = (caller, a, b, c, d, e, f, g, h, i) =>
        {
            try
            {
                function(context.MemoryOf(caller), a, b, c, d, e, f, g, h, i);
                return 0;
            }
            catch (Exception x) when (SystemErrors.Of(x) is not null)
            {
                return Number(x);
            }
        };
        Add(name, wrapper, new CallerThunk.Function<T1, T2, T3, T4, T5, T6, T7, T8, T9, int>(wrapper, null));
    }

    /// <summary>With the thunk from the start: an image has code of its class, while one that is found by reflection would be compiled when a program starts.</summary>
    private void Add(string name, Delegate function, CallerThunk thunk)
    {
        HostFunctions.Know(function, thunk);
        functions.Add(name, function);
    }

    private static int Number(Exception exception) => (int)SystemErrors.Of(exception)!.Value;
}
