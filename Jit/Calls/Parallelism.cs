using System.Runtime.ExceptionServices;

namespace WasmJit.Jit.Calls;

/// <summary>Work for several threads.</summary>
internal static class Parallelism
{
    /// <summary>Does something for each number of a range, on several threads. What one of them throws is thrown as it is.</summary>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    internal static void For(int first, int end, Action<int, ParallelLoopState> action, CancellationToken cancellation = default)
    {
        try
        {
            Parallel.For(first, end, new ParallelOptions { CancellationToken = cancellation }, action);
        }
        catch (AggregateException e)
        {
            ExceptionDispatchInfo.Throw(e.InnerExceptions[0]);
        }
    }
}
