namespace WasmJit.Components;

/// <summary>
/// Streams and futures as .NET types: <see cref="Stream"/> for bytes, <see cref="IAsyncEnumerable{T}"/>, <see cref="Task{TResult}"/>. What a guest has from the host and gives back is what
/// it was.
/// </summary>
/// <remarks>Unsafe: places are slots, or have been checked with the value that they are a part of.</remarks>
internal static unsafe class TypedStreams
{
    private static PayloadType Payload(TypedContext context, ComponentValType type) => PayloadType.Of((StreamType)type, context.Types);

    private static void Give(TypedContext context, nint at, bool isFlat, SharedCopy shared)
    {
        uint handle = (uint)StreamHandles.Lower(context.Side.Instance, shared);
        context.Scope?.Lowered(handle, null);
        if (isFlat) *(ulong*)at = handle;
        else *(uint*)at = handle;
    }

    private static SharedCopy Take(TypedContext context, ComponentValType type, nint at, bool isFlat) =>
        StreamHandles.LiftShared(context.Side.Instance, isFlat ? (uint)*(ulong*)at : *(uint*)at, Payload(context, type));

    internal static void WriteBytes(TypedContext context, ComponentValType type, nint at, bool isFlat, Stream value)
    {
        ArgumentNullException.ThrowIfNull(value);
        Give(context, at, isFlat, new StreamWriter(Payload(context, type), context.Side.Instance.Scheduler, value).Shared);
    }

    internal static Stream Bytes(TypedContext context, ComponentValType type, nint at, bool isFlat)
    {
        SharedCopy shared = Take(context, type, at, isFlat);
        return shared.Host is StreamWriter { IsUntouched: true } writer ? writer.Source : new GuestStream(shared, context.Side.Instance.Scheduler);
    }

    internal static void WriteSequence<T>(TypedContext context, ComponentValType type, nint at, bool isFlat, IAsyncEnumerable<T> value, ElementForm<T> form)
    {
        ArgumentNullException.ThrowIfNull(value);
        Give(context, at, isFlat, new SequenceWriter<T>(Payload(context, type), context.Side.Instance.Scheduler, value, form).Shared);
    }

    internal static IAsyncEnumerable<T> Sequence<T>(TypedContext context, ComponentValType type, nint at, bool isFlat, ElementForm<T> form)
    {
        SharedCopy shared = Take(context, type, at, isFlat);
        return shared.Host is SequenceWriter<T> { IsUnread: true } writer ? writer.Source : new GuestSequence<T>(shared, context.Side.Instance.Scheduler, form);
    }

    internal static void WriteFuture<T>(TypedContext context, ComponentValType type, nint at, bool isFlat, Task<T> value, ElementForm<T> form)
    {
        ArgumentNullException.ThrowIfNull(value);
        Give(context, at, isFlat, new TaskWriter<T>(Payload(context, type), context.Side.Instance.Scheduler, value, form).Shared);
    }

    internal static Task<T> Future<T>(TypedContext context, ComponentValType type, nint at, bool isFlat, ElementForm<T> form)
    {
        SharedCopy shared = Take(context, type, at, isFlat);
        if (shared.Host is TaskWriter<T> { IsUntouched: true } writer) return writer.Source;
        var source = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        var item = new HostItems<T>(new T[1], form);
        shared.Copy(
            null, item, true, static _ => { },
            result =>
            {
                if (result == CopyResult.Completed) source.TrySetResult(item.Items[0]);
                else source.TrySetException(new ObjectDisposedException("future", "The guest has dropped the future's writable end."));
            });
        return source.Task;
    }
}
