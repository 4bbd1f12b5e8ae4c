using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;

namespace WasmJit.Runtime;

/// <summary>
/// Runs work that goes down one level of the stack for each level of nesting in a guest's input. Nesting has limits, so the stack that it takes has,
/// too. If the thread has less stack left, another one does the work, and its exceptions are thrown once.
/// </summary>
internal static unsafe class DeepStack
{
    /// <summary>Decoding and validation of the deepest modules, and comparison of the deepest types, take less than half of this.</summary>
    internal const int Needed = 1 << 20;

    private const int StackSize = 16 << 20;

    /// <summary>Runs something that takes up to <see cref="Needed"/> bytes of stack.</summary>
    internal static T Run<T>(Func<T> work) => HasSpace(Needed) ? work() : RunElsewhere(work);

    /// <summary>Whether so many bytes are left of the calling thread's stack.</summary>
    internal static bool HasSpace(int bytes)
    {
        byte local;
        ulong low = WasmThread.Current.StackLow;
        return low == 0 ? RuntimeHelpers.TryEnsureSufficientExecutionStack() : (ulong)&local - low >= (ulong)bytes;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    internal static T RunElsewhere<T>(Func<T> work)
    {
        T result = default!;
        ExceptionDispatchInfo? error = null;
        CancellationScope? scope = WasmThread.Current.Scope;
        var thread = new Thread(
            () =>
            {
                try
                {
                    using (CancellationScope.Lend(scope)) result = work();
                }
                catch (Exception e)
                {
                    error = ExceptionDispatchInfo.Capture(e);
                }
            }, StackSize)
        { IsBackground = true };
        thread.Start();
        thread.Join();
        error?.Throw();
        return result;
    }
}
