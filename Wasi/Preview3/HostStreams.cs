using System.Diagnostics.CodeAnalysis;
using WasmJit.Components;
using WasmJit.Wasi.Preview2;

namespace WasmJit.Wasi.Preview3;

/// <summary>The code for an exception.</summary>
/// <returns>Whether there is one: otherwise it is a mistake of the host's own.</returns>
internal delegate bool ErrorCode<TError>(Exception exception, [MaybeNullWhen(false)] out TError code);

/// <summary>An input stream of version 0.2 as the .NET stream that a <c>stream&lt;u8&gt;</c> of version 0.3 is made of. How it has ended is a task beside it.</summary>
/// <typeparam name="TError">The codes of errors.</typeparam>
/// <param name="input">The bytes; null if there are none, since it has failed before.</param>
/// <param name="code">The codes of exceptions.</param>
internal sealed class SourceStream<TError>(InputStream? input, ErrorCode<TError> code) : AsyncReadStream
{
    private readonly TaskCompletionSource<ComponentResult<NoValue, TError>> outcome = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Success if the stream has ended, or if the rest of it is not wanted.</summary>
    internal Task<ComponentResult<NoValue, TError>> Outcome => outcome.Task;

    /// <summary>A stream with its outcome. If it cannot be opened, that is the outcome.</summary>
    internal static (Stream, Task<ComponentResult<NoValue, TError>>) Open(Func<InputStream> open, ErrorCode<TError> code)
    {
        SourceStream<TError> made;
        try
        {
            made = new SourceStream<TError>(open(), code);
        }
        catch (Exception e) when (code(e, out TError? error))
        {
            made = new SourceStream<TError>(null, code);
            made.outcome.TrySetResult(ComponentResult<NoValue, TError>.Fail(error));
        }
        return (made, made.Outcome);
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (input is null || outcome.Task.IsCompleted) return 0;
        try
        {
            int count = await ReadySources.ReadAsync(input, buffer, cancellationToken).ConfigureAwait(false);
            if (count == 0) outcome.TrySetResult(default(NoValue));
            return count;
        }
        catch (Exception e) when (code(e, out TError? error))
        {
            outcome.TrySetResult(ComponentResult<NoValue, TError>.Fail(error));
            return 0;
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            outcome.TrySetResult(default(NoValue));
            input?.Dispose();
        }
        base.Dispose(disposing);
    }
}

/// <summary>Waits without a thread for what a guest can wait for.</summary>
internal static class ReadySources
{
    /// <summary>Before what cannot tell is asked again, in milliseconds.</summary>
    private const int Slice = 10;

    /// <summary>Reads what there is, when there is something.</summary>
    /// <returns>How many bytes; 0 at the end.</returns>
    internal static async ValueTask<int> ReadAsync(InputStream input, Memory<byte> buffer, CancellationToken cancellation)
    {
        while (true)
        {
            if (input.Read((ulong)buffer.Length) is not { } bytes) return 0;
            if (bytes.Length > 0)
            {
                bytes.CopyTo(buffer);
                return bytes.Length;
            }
            await WaitAsync(input, cancellation).ConfigureAwait(false);
        }
    }

    internal static async Task WaitAsync(IReadySource source, CancellationToken cancellation)
    {
        while (!source.IsReady)
        {
            if (source.Pending is not { } pending)
            {
                await Task.Delay(Slice, cancellation).ConfigureAwait(false);
                continue;
            }
            try
            {
                await pending.WaitAsync(cancellation).ConfigureAwait(false);
            }
            catch (Exception e) when (!cancellation.IsCancellationRequested && SystemErrors.Of(e) is not null)
            {
                // The next read or write says it.
            }
        }
    }
}

/// <summary>Writes a stream of a guest to where it is to go.</summary>
internal static class Sink
{
    /// <summary>The sizes of reads: they become larger where a guest writes much, since it may have begun a hundred thousand of these.</summary>
    private const int Least = 1024, Largest = 16 * 1024;

    /// <summary>Writes all of it.</summary>
    /// <param name="data">The guest's stream.</param>
    /// <param name="open">Gives where it goes.</param>
    /// <param name="code">The codes of exceptions.</param>
    internal static async Task<ComponentResult<NoValue, TError>> WriteAsync<TError>(Stream data, Func<OutputStream> open, ErrorCode<TError> code)
    {
        await using (data.ConfigureAwait(false))
        {
            try
            {
                using OutputStream output = open();
                byte[] buffer = new byte[Least];
                while (await data.ReadAsync(buffer).ConfigureAwait(false) is > 0 and var count)
                {
                    for (int at = 0; at < count;)
                    {
                        int room = Math.Min(output.CheckWrite(), count - at);
                        if (room > 0) output.Write(buffer.AsSpan(at, room).ToArray());
                        else await ReadySources.WaitAsync(output, CancellationToken.None).ConfigureAwait(false);
                        at += room;
                    }
                    if (count == buffer.Length && count < Largest) buffer = new byte[Largest];
                }
                output.Flush();
                while (!output.IsFlushed) await ReadySources.WaitAsync(output, CancellationToken.None).ConfigureAwait(false);
                return default(NoValue);
            }
            catch (Exception e) when (code(e, out TError? error))
            {
                return ComponentResult<NoValue, TError>.Fail(error);
            }
        }
    }
}
