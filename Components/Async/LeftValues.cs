using System.Collections;
using System.Reflection;
using System.Runtime.CompilerServices;

namespace WasmJit.Components;

/// <summary>
/// Values that the host has made for a guest which does not take them: it has cancelled its call, dropped a stream, trapped, or is gone. Resources and streams in them
/// would never be dropped otherwise.
/// </summary>
internal static class LeftValues
{
    /// <summary>
    /// Drops what is in a value of a type. The type says what classes of the host stand for: what a record or variant has in it is dropped, and what an object has that stands for a
    /// resource is its own.
    /// </summary>
    internal static void DiscardAs(object? value, ComponentValType type)
    {
        if (value is null || (type.Traits & (TypeTraits.HasResource | TypeTraits.HasStreamOrFuture)) == 0) return;
        switch (value, type)
        {
            case (ComponentValue, _): Discard(value); break;
            case (_, RecordType record):
                MemberInfo[] members = TypeBinding.RecordOf(record, value.GetType()).Members;
                for (int i = 0; i < members.Length; i++) DiscardAs(Read(members[i], value), record.Fields[i].Type);
                break;
            case (ITuple tuple, TupleType):
                int at = 0;
                foreach (ComponentValType part in type.Parts) DiscardAs(tuple[at++], part);
                break;
            case (IDictionary map, MapType entries):
                ComponentValType[] parts = [.. entries.Entry.Parts];
                foreach (DictionaryEntry entry in map)
                {
                    DiscardAs(entry.Key, parts[0]);
                    DiscardAs(entry.Value, parts[1]);
                }
                break;
            case (IEnumerable items, ListType list):
                foreach (object? item in items) DiscardAs(item, list.Element);
                break;
            case (_, OptionType option): DiscardAs(value, option.Payload); break;
            case (IOutcome outcome, ResultType result):
                if ((outcome.IsOk ? result.Ok : result.Error) is { } chosen) DiscardAs(outcome.Content, chosen);
                break;
            case (_, VariantType variant):
                (Type Case, ConstructorInfo Constructor, PropertyInfo? Value)[] cases = TypeBinding.CasesOf(variant, value.GetType().BaseType!);
                int index = Array.FindIndex(cases, c => c.Case == value.GetType());
                if (index >= 0 && variant.Cases[index].Type is { } payload) DiscardAs(cases[index].Value!.GetValue(value), payload);
                break;
            case (Task task, StreamType { Element: var element }): DiscardLater(task, element); break;
            case (not ComponentResource, HandleType): (value as IDisposable)?.Dispose(); break;
            default: Discard(value); break;
        }
    }

    private static object? Read(MemberInfo member, object value) => member is PropertyInfo property ? property.GetValue(value) : ((FieldInfo)member).GetValue(value);

    /// <summary>Drops what is in a value of a .NET type that says so itself: of tuples, results, lists, and values whose types are not known.</summary>
    internal static void Discard(object? value)
    {
        switch (value)
        {
            case null or string: break;
            case ComponentResource { IsBorrowed: true }: break;
            case ComponentResource resource: Drop(resource); break;
            // One that has not ended is not to be disposed of.
            case Task task: DiscardLater(task, null); break;
            case IDisposable disposable: disposable.Dispose(); break;
            case IAsyncDisposable disposable: _ = disposable.DisposeAsync().AsTask(); break;
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
    internal static void DiscardResult<T>(Task<T> task) => DiscardResultAs(task, null);

    /// <summary>The same for a result that stands for a value of a type.</summary>
    /// <param name="task">The task.</param>
    /// <param name="type">The type; null if the .NET type says it.</param>
    internal static void DiscardResultAs<T>(Task<T> task, ComponentValType? type) => AtEnd(task, static ended => ((Task<T>)ended).Result, type);

    /// <summary>The same where the type of the task's result is not known.</summary>
    private static void DiscardLater(Task task, ComponentValType? type) =>
        AtEnd(task, static ended => ended.GetType().GetProperty(nameof(Task<object>.Result))?.GetValue(ended), type);

    private static void AtEnd(Task task, Func<Task, object?> resultOf, ComponentValType? type) => task.ContinueWith(
        ended =>
        {
            if (!ended.IsCompletedSuccessfully) _ = ended.Exception;
            else if (type is null) Discard(resultOf(ended));
            else DiscardAs(resultOf(ended), type);
        },
        CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
}

/// <summary>A value or an error, whatever its types are.</summary>
internal interface IOutcome
{
    /// <summary>Whether it is a value.</summary>
    bool IsOk { get; }

    /// <summary>The one that there is.</summary>
    object? Content { get; }
}
