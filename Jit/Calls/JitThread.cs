using System.Runtime.ExceptionServices;
using WasmJit.Runtime;

namespace WasmJit.Jit;

/// <summary>Where the .NET JIT runs: it needs stack of its own, more for large functions.</summary>
internal static class JitThread
{
    /// <summary>With less stack than this, or for larger functions than that (bytes of WebAssembly), it gets a thread.</summary>
    private const int StackForJit = 1 << 20;
    private const int LargeFunction = 20_000;

    private const int StackOfThread = 64 << 20;

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

    /// <summary>Runs what compiles a function.</summary>
    internal static nint Run(FuncInfo function, Func<nint> compile) =>
        !HasStack || IsLarge(function) ? RunElsewhere(compile) : compile();

    /// <summary>Runs what compiles a method on a thread with enough stack.</summary>
    internal static nint RunElsewhere(Func<nint> compile)
    {
        nint code = 0;
        ExceptionDispatchInfo? error = null;
        var thread = new Thread(
            () =>
            {
                try
                {
                    code = compile();
                }
                catch (Exception e)
                {
                    error = ExceptionDispatchInfo.Capture(e);
                }
            }, StackOfThread);
        thread.Start();
        thread.Join();
        error?.Throw();
        return code;
    }
}
