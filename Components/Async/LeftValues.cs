using System.Collections;
using System.Runtime.CompilerServices;

namespace WasmJit.Components;

/// <summary>
/// Values that the host has made for a guest which does not take them: it has cancelled its call, dropped a stream, trapped, or is gone. Resources and streams in them
/// would never be dropped otherwise.
/// </summary>
internal static class LeftValues
{
    /// <summary>Drops what is in a value: of tuples, results, lists, and values whose types are not known.</summary>
    internal static void Discard(object? value)
    {
        switch (value)
        {
            case null or string: break;
            case ComponentResource { IsBorrowed: true }: break;
            case ComponentResource resource: Drop(resource); break;
            case IDisposable disposable: disposable.Dispose(); break;
            case IOutcome outcome: Discard(outcome.Content); break;
            case ComponentValue untyped: Discard(untyped.Content); break;
            case ITuple tuple:
                for (int i = 0; i < tuple.Length; i++) Discard(tuple[i]);
                break;
            case Array items when items.GetType().GetElementType() is { IsPrimitive: true }: break;
            case IEnumerable items:
                foreach (object? item in items) Discard(item);
                break;
        }
    }

    private static void Drop(ComponentResource resource)
    {
        try
        {
            resource.Dispose();
        }
        catch (TrapException)
        {
            // A guest's destructor traps, or the object has children: it is theirs then.
        }
    }

    /// <summary>The same for what a task will end with. A failure is of no interest.</summary>
    internal static void DiscardResult<T>(Task<T> task) => task.ContinueWith(
        static ended =>
        {
            if (ended.IsCompletedSuccessfully) Discard(ended.Result);
            else _ = ended.Exception;
        },
        CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
}

/// <summary>A value or an error, whatever its types are.</summary>
internal interface IOutcome
{
    /// <summary>The one that there is.</summary>
    object? Content { get; }
}
