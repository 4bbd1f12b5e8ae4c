namespace WasmJit.Wasi;

/// <summary>
/// The functions by name. Each is wrapped so that a failure, <see cref="WasiError"/> or one of the host's exceptions that has
/// an error number, becomes the guest's result. What is left crosses the guest: its exit, a cancellation, our mistakes.
/// </summary>
internal sealed class FunctionTable
{
    private readonly Dictionary<string, Delegate> functions = [];

    internal IReadOnlyDictionary<string, Delegate> Functions => functions;

    internal void AddExit(string name, Action<int> function) => functions.Add(name, function);

    internal void Add(string name, Action function) => functions.Add(name, (Func<int>)(() =>
    {
        function();
        return 0;
    }));


    internal void Add<T1>(string name, Action<T1> function) => functions.Add(name, (Func<T1, int>)(a =>
    {
        try
        {
            function(a);
            return 0;
        }
        catch (Exception e) when (SystemErrors.Of(e) is not null)
        {
            return Number(e);
        }
    }));

    internal void Add<T1, T2>(string name, Action<T1, T2> function) => functions.Add(name, (Func<T1, T2, int>)((a, b) =>
    {
        try
        {
            function(a, b);
            return 0;
        }
        catch (Exception e) when (SystemErrors.Of(e) is not null)
        {
            return Number(e);
        }
    }));

    internal void Add<T1, T2, T3>(string name, Action<T1, T2, T3> function) =>
        functions.Add(name, (Func<T1, T2, T3, int>)((a, b, c) =>
        {
            try
            {
                function(a, b, c);
                return 0;
            }
            catch (Exception e) when (SystemErrors.Of(e) is not null)
            {
                return Number(e);
            }
        }));

    internal void Add<T1, T2, T3, T4>(string name, Action<T1, T2, T3, T4> function) =>
        functions.Add(name, (Func<T1, T2, T3, T4, int>)((a, b, c, d) =>
        {
            try
            {
                function(a, b, c, d);
                return 0;
            }
            catch (Exception e) when (SystemErrors.Of(e) is not null)
            {
                return Number(e);
            }
        }));

    internal void Add<T1, T2, T3, T4, T5>(string name, Action<T1, T2, T3, T4, T5> function) =>
        functions.Add(name, (Func<T1, T2, T3, T4, T5, int>)((a, b, c, d, e) =>
        {
            try
            {
                function(a, b, c, d, e);
                return 0;
            }
            catch (Exception x) when (SystemErrors.Of(x) is not null)
            {
                return Number(x);
            }
        }));

    internal void Add<T1, T2, T3, T4, T5, T6>(string name, Action<T1, T2, T3, T4, T5, T6> function) =>
        functions.Add(name, (Func<T1, T2, T3, T4, T5, T6, int>)((a, b, c, d, e, f) =>
        {
            try
            {
                function(a, b, c, d, e, f);
                return 0;
            }
            catch (Exception x) when (SystemErrors.Of(x) is not null)
            {
                return Number(x);
            }
        }));

    internal void Add<T1, T2, T3, T4, T5, T6, T7>(string name, Action<T1, T2, T3, T4, T5, T6, T7> function) =>
        functions.Add(name, (Func<T1, T2, T3, T4, T5, T6, T7, int>)((a, b, c, d, e, f, g) =>
        {
            try
            {
                function(a, b, c, d, e, f, g);
                return 0;
            }
            catch (Exception x) when (SystemErrors.Of(x) is not null)
            {
                return Number(x);
            }
        }));

    internal void Add<T1, T2, T3, T4, T5, T6, T7, T8, T9>(string name, Action<T1, T2, T3, T4, T5, T6, T7, T8, T9> function) =>
        functions.Add(name, (Func<T1, T2, T3, T4, T5, T6, T7, T8, T9, int>)((a, b, c, d, e, f, g, h, i) =>
        {
            try
            {
                function(a, b, c, d, e, f, g, h, i);
                return 0;
            }
            catch (Exception x) when (SystemErrors.Of(x) is not null)
            {
                return Number(x);
            }
        }));

    private static int Number(Exception exception) => (int)SystemErrors.Of(exception)!.Value;
}
