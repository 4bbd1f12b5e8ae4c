using System.Runtime.ExceptionServices;
using WasmJit.Jit.Binary;
using WasmJit.Runtime;

namespace WasmJit.Jit.Validation;

/// <summary>
/// Validates the functions of a large module on several threads, which take some functions at a time, in the order of the code. The error reported is the one that a single
/// thread would have found.
/// </summary>
internal sealed class ParallelValidation
{
    /// <summary>How many bytes of functions a thread takes at a time.</summary>
    private const int BytesAtATime = 64 << 10;

    private readonly ModuleInfo module;
    private readonly CancellationScope? scope = WasmThread.CurrentScope;
    private readonly Lock gate = new();
    private int next;

    /// <summary>The first function with an error so far, and the error.</summary>
    private int lowest = int.MaxValue;
    private ModuleException? error;

    private ParallelValidation(ModuleInfo module)
    {
        this.module = module;
        next = module.ImportedFuncs;
    }

    /// <param name="module">The module.</param>
    /// <param name="threads">How many threads may take part.</param>
    /// <exception cref="ModuleException">A function is malformed or invalid.</exception>
    /// <exception cref="GuestCanceledException">The calling thread's guests are to stop.</exception>
    internal static void Run(ModuleInfo module, int threads)
    {
        var validation = new ParallelValidation(module);
        SharedWork.Run(threads, validation.Work);
        if (validation.error is { } found) ExceptionDispatchInfo.Throw(found);
    }

    private void Work()
    {
        var validator = new FunctionValidator(module);
        using CancellationScope.Loan loan = CancellationScope.Lend(scope);
        while (TryTake(out int first, out int end))
        {
            for (int i = first; i < end && i < Volatile.Read(ref lowest); i++)
            {
                try
                {
                    validator.ValidateBody(i);
                }
                catch (ModuleException e)
                {
                    lock (gate)
                    {
                        if (i < lowest) (lowest, error) = (i, e);
                    }
                }
            }
        }
    }

    private bool TryTake(out int first, out int end)
    {
        lock (gate)
        {
            int count = Math.Min(module.Funcs.Count, lowest);
            first = next;
            for (long bytes = 0; next < count && bytes < BytesAtATime; next++) bytes += module.Funcs[next].BodyEnd - module.Funcs[next].BodyStart;
            end = next;
            return first < end;
        }
    }
}
