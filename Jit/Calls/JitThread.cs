using WasmJit.Jit.Binary;
using WasmJit.Runtime;

namespace WasmJit.Jit.Calls;

/// <summary>Where the .NET JIT runs: it needs stack of its own, more for large functions.</summary>
internal static class JitThread
{
    /// <summary>The JIT gets a thread of its own if less stack than this is left, or for functions larger than that (bytes of WebAssembly).</summary>
    private const int StackForJit = 1 << 20;
    private const int LargeFunction = 20_000;

    /// <summary>Functions of up to this many bytes are compiled in some milliseconds, whatever is in them.</summary>
    private const int SmallFunction = 1_000;

    private static readonly WorkerThreads Threads = new("wasm compiler", 64 << 20);

    internal static bool IsLarge(FuncInfo function) => function.BodyEnd - function.BodyStart > LargeFunction;

    /// <summary>Whether the calling thread has enough stack left for a method that is not large.</summary>
    internal static unsafe bool HasStack
    {
        get
        {
            byte local;
            ulong low = WasmThread.Current.StackLow;
            return low != 0 && (ulong)&local - low >= StackForJit;
        }
    }

    /// <summary>
    /// Runs the compilation of a function. A guest that obeys a token does not wait longer than the token lets it: long work is done on a thread of
    /// its own, since RyuJIT cannot be told to stop.
    /// </summary>
    /// <exception cref="GuestCanceledException">The calling thread's guests are to stop.</exception>
    internal static nint Run(FuncInfo function, Func<nint> compile) =>
        !HasStack || IsLarge(function) || (WasmThread.CurrentScope is not null && MayTakeLong(function)) ? RunElsewhere(compile) : compile();

    private static bool MayTakeLong(FuncInfo function) => function.BodyEnd - function.BodyStart > SmallFunction;

    /// <summary>
    /// Runs the compilation of a method on a thread with enough stack. If the caller leaves because of its token, the work ends at the next place
    /// where it asks. RyuJIT finishes its current method.
    /// </summary>
    /// <exception cref="GuestCanceledException">The calling thread's guests are to stop.</exception>
    internal static nint RunElsewhere(Func<nint> compile)
    {
        CancellationScope? scope = WasmThread.CurrentScope;
        // The scope's own thread makes and ends what stands for several tokens.
        CancellationToken token = scope?.Token ?? default;
        Task<nint> code = Threads.Start(() =>
        {
            using (CancellationScope.Lend(scope)) return compile();
        });
        if (scope is not null) Wait(code, scope, token);
        return code.GetAwaiter().GetResult();
    }

    private static void Wait(Task<nint> code, CancellationScope scope, CancellationToken token)
    {
        try
        {
            code.Wait(token);
        }
        catch (OperationCanceledException) when (!code.IsCompleted)
        {
            // No other thread looks at the result.
            code.ContinueWith(static done => done.Exception, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
            throw scope.EndOfWait();
        }
        catch (Exception e) when (e is OperationCanceledException or AggregateException)
        {
            // The result says more.
        }
    }
}
