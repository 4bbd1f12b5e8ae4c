using System.Buffers;
using System.IO.Pipelines;
using WasmJit.Components;
using WasmJit.Wasi.Preview3;

namespace WasmJit.Wasi.Preview2;

/// <summary>
/// A request that a guest answers, and the way of its response: one of a server's, or of a client in this process. It is over when <see cref="EndAsync"/> has ended; then
/// handles that a guest has kept lead nowhere.
/// </summary>
internal abstract class HttpExchange : IBodySink
{
    private PipeInput? input;
    private OutgoingBody? output;

    /// <summary>Whether the response has been given, or refused.</summary>
    internal bool HasResponse { get; private set; }

    /// <summary>Whether guests can do nothing with it any more.</summary>
    internal bool IsOver { get; private set; }

    /// <summary>How many bytes the body of the request may have.</summary>
    internal long MaximumBodyBytes { get; init; } = long.MaxValue;

    // ---- the request ----

    internal abstract string Method { get; }

    internal abstract string? PathWithQuery { get; }

    internal abstract string? Scheme { get; }

    internal abstract string? Authority { get; }

    /// <summary>The headers, for the guest alone.</summary>
    internal abstract HttpFields ReadHeaders();

    /// <summary>What comes behind the body, when that has been read to its end; null if nothing does.</summary>
    private protected abstract HttpFields? ReadTrailers();

    /// <summary>What has come behind the body; null as long as that has not ended, and when the exchange is over.</summary>
    internal HttpFields? Trailers => IsOver || input is not { HasEnded: true } ? null : ReadTrailers();

    /// <summary>The bytes of the body.</summary>
    private protected abstract PipeReader Content { get; }

    /// <summary>The body as a stream of the guest's.</summary>
    internal PipeInput Input => input ??= new PipeInput(Content, MaximumBodyBytes);

    // ---- the response ----

    /// <summary>The guest gives its response.</summary>
    internal void Respond(OutgoingResponse response)
    {
        if (HasResponse || IsOver) return;
        HasResponse = true;
        output = response.Body;
        Begin(response.Status, response.Fields, output is not null);
        output?.Attach(this);
    }

    /// <summary>The guest gives the response of version 0.3, whose body is read here.</summary>
    internal async Task RespondAsync(HttpResponse response, CancellationToken cancellation)
    {
        if (HasResponse || IsOver) return;
        HasResponse = true;
        (Stream? contents, Task<ComponentResult<ComponentResource?, HttpFailure>> trailers) = response.Take();
        try
        {
            Begin(response.Status, response.Fields, contents is not null);
            if (contents is not null)
            {
                await SendAsync(contents, response.Fields.ContentLength, trailers, cancellation).ConfigureAwait(false);
            }
            else
            {
                LeftValues.DiscardResult(trailers);
                Complete();
            }
            response.End(null);
        }
        catch (Exception e)
        {
            LeftValues.DiscardResult(trailers);
            response.End(HttpFailure.Of(e) ?? new HttpFailure.ConnectionTerminated());
            Break(e);
            throw;
        }
        finally
        {
            contents?.Dispose();
        }
    }

    private async Task SendAsync(Stream contents, long? length, Task<ComponentResult<ComponentResource?, HttpFailure>> trailers, CancellationToken cancellation)
    {
        const int piece = 16 * 1024;
        byte[] buffer = ArrayPool<byte>.Shared.Rent(piece), other = ArrayPool<byte>.Shared.Rent(piece);
        bool isReading = false;
        try
        {
            long written = 0;
            int kept = 0;
            while (true)
            {
                isReading = true;
                ValueTask<int> reading = contents.ReadAsync(other, cancellation);
                if (!reading.IsCompleted && TakesBody && (kept > 0 || written == 0))
                {
                    // The guest waits for something: its client gets what there is. Otherwise the last piece goes with the end.
                    Writer.Write(buffer.AsSpan(0, kept));
                    kept = 0;
                    await Writer.FlushAsync(cancellation).ConfigureAwait(false);
                }
                int count = await reading.ConfigureAwait(false);
                isReading = false;
                if (count == 0) break;
                written += count;
                if (written > length) throw new HttpFault(new HttpFailure.HttpResponseBodySize((ulong)written));
                if (kept > 0 && TakesBody)
                {
                    Writer.Write(buffer.AsSpan(0, kept));
                    await Writer.FlushAsync(cancellation).ConfigureAwait(false);
                }
                (buffer, other, kept) = (other, buffer, count);
            }
            if (length is { } wanted && written != wanted && TakesBody) throw new HttpFault(new HttpFailure.HttpResponseBodySize((ulong)written));
            ComponentResult<ComponentResource?, HttpFailure> behind = await trailers.WaitAsync(cancellation).ConfigureAwait(false);
            if (!behind.IsOk) throw new HttpFault(behind.Error);
            HttpFields? fields = behind.Value?.Get<HttpFields>();
            behind.Value?.Dispose();
            Finish(buffer.AsSpan(0, TakesBody ? kept : 0), fields);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
            // A read that is left may still be written to by the guest: the array must not be that of another exchange then.
            if (!isReading) ArrayPool<byte>.Shared.Return(other);
        }
    }

    /// <summary>There will be no response, for a reason that the guest gives or that the host has found.</summary>
    internal void Refuse(Exception reason)
    {
        if (HasResponse || IsOver) return;
        HasResponse = true;
        Fail(reason);
    }

    /// <summary>If there is no response so far, there will be none.</summary>
    /// <param name="reason">What has stopped the guest; null if it has let go of the request by itself.</param>
    internal void RefuseIfUnanswered(Exception? reason)
    {
        if (!HasResponse) Refuse(reason ?? new HttpFault(new HttpFailure.InternalError("the guest gave no response")));
    }

    /// <summary>Takes status and headers. If there is no body, that is the whole response.</summary>
    private protected abstract void Begin(ushort status, HttpFields headers, bool hasBody);

    /// <summary>A response without a body is complete: the guest may go on for long.</summary>
    private protected virtual void Complete()
    {
    }

    /// <summary>Takes the reason why there is no response.</summary>
    private protected abstract void Fail(Exception reason);

    public abstract PipeWriter Writer { get; }

    public abstract bool IsRead { get; }

    public abstract bool TakesBody { get; }

    public abstract void Finish(ReadOnlySpan<byte> whole, HttpFields? trailers);

    public abstract void Break(Exception reason);

    /// <summary>The guest is about to wait: its client gets what there is of the response.</summary>
    internal void BeforeWait()
    {
        if (output is { IsFinished: false }) output.Flush();
    }

    /// <summary>Ends it: the guest has returned, or was stopped.</summary>
    /// <param name="reason">What has stopped it; null if it has returned.</param>
    internal async ValueTask EndAsync(Exception? reason)
    {
        RefuseIfUnanswered(reason);
        IsOver = true;
        output?.Detach(reason);
        if (input is not null) await input.StopAsync().ConfigureAwait(false);
        await CloseAsync().ConfigureAwait(false);
    }

    /// <summary>Waits for what is being sent, and lets go of the connection.</summary>
    private protected abstract ValueTask CloseAsync();
}

/// <summary>Where the body of a message goes.</summary>
internal interface IBodySink
{
    /// <summary>Takes the bytes.</summary>
    PipeWriter Writer { get; }

    /// <summary>Whether another thread reads the bytes and is to see them at once.</summary>
    bool IsRead { get; }

    /// <summary>Whether there is a body. Responses to some requests, and of some statuses, have none, whatever a guest writes.</summary>
    bool TakesBody { get; }

    /// <summary>The body is complete.</summary>
    /// <param name="whole">All of it, if nothing has gone to <see cref="Writer"/>; otherwise its last bytes.</param>
    /// <param name="trailers">What comes behind it; null if nothing does.</param>
    void Finish(ReadOnlySpan<byte> whole, HttpFields? trailers);

    /// <summary>The body will not be complete.</summary>
    void Break(Exception reason);
}
