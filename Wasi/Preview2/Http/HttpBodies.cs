using System.Buffers;
using System.IO.Pipelines;
using WasmJit.Components;

namespace WasmJit.Wasi.Preview2;

/// <summary>What <c>wasi:http/types</c> calls an incoming-body: a stream, read once.</summary>
/// <param name="open">Gives the stream.</param>
/// <param name="drain">Reads it to its end.</param>
/// <param name="trailers">What comes behind it, asked for when it has been read; null if nothing does.</param>
/// <param name="release">Lets go of a body whose stream was never asked for.</param>
internal sealed class IncomingBody(Func<InputStream> open, Func<Task>? drain, Func<HttpFields?>? trailers, Action? release) : GuestObject
{
    private bool isTaken;

    internal InputStream? TakeStream()
    {
        if (isTaken) return null;
        isTaken = true;
        return Adopt(open());
    }

    internal FutureTrailers Finish()
    {
        if (HasChildren) throw ComponentTrap.Make("the stream of a body must be dropped before the body is finished");
        isTaken = true;
        return new FutureTrailers(trailers is null ? null : drain, trailers);
    }

    private protected override void Close()
    {
        if (!isTaken) release?.Invoke();
    }
}

/// <summary>What <c>wasi:http/types</c> calls future-trailers: they are there when a body has been read.</summary>
internal sealed class FutureTrailers(Func<Task>? drain, Func<HttpFields?>? trailers) : GuestObject
{
    private Task? read;
    private bool isTaken;

    /// <summary>Ends when the body has been read; what the guest has left of it is read then.</summary>
    internal Task Read => read ??= drain is null ? Task.CompletedTask : drain();

    /// <summary>The trailers; null if there are none.</summary>
    /// <returns>Whether this is the first call.</returns>
    internal bool Take(out HttpFields? fields)
    {
        fields = isTaken ? null : trailers?.Invoke();
        bool isFirst = !isTaken;
        isTaken = true;
        return isFirst;
    }
}

/// <summary>
/// What <c>wasi:http/types</c> calls an outgoing-body. What a guest writes is gathered, and goes on when there is much of it, when the guest asks for that, waits, or
/// has finished. Before the message is sent there is nowhere to go, and little room.
/// </summary>
/// <param name="length">The length that the headers announce; null if they do not.</param>
/// <param name="isResponse">Whether the message is a response.</param>
internal sealed class OutgoingBody(long? length, bool isResponse) : GuestObject
{
    /// <summary>What is gathered before it goes on.</summary>
    private const int Piece = 16 * 1024;

    /// <summary>What is kept of a message that is not being sent.</summary>
    private const int MostKept = WasiState.MostBytes;

    private readonly TaskCompletionSource attached = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private byte[] gathered = [];
    private int count;
    private long written;
    private bool isTaken, isDetached;
    private Exception? broken;
    private HttpFields? trailers;
    private IBodySink? sink;
    private Task<FlushResult>? flushing;

    internal bool IsFinished { get; private set; }

    internal BodyOutput? TakeStream()
    {
        if (isTaken) return null;
        isTaken = true;
        return Adopt(new BodyOutput(this));
    }

    /// <summary>The message is being sent: here its body goes.</summary>
    internal void Attach(IBodySink to)
    {
        sink = to;
        if (IsFinished) FinishSink();
        else if (broken is not null) to.Break(broken);
        else if (to.IsRead) Flush();
        attached.TrySetResult();
    }

    /// <summary>The exchange is over. A body that is not finished is broken off.</summary>
    /// <param name="reason">What has stopped the guest; null if it has returned.</param>
    internal void Detach(Exception? reason)
    {
        if (!IsFinished) Break(reason ?? new HttpFault(new HttpFailure.HttpResponseIncomplete()));
        isDetached = true;
        Release();
    }

    private void Release()
    {
        if (gathered.Length > 0) ArrayPool<byte>.Shared.Return(gathered);
        gathered = [];
        count = 0;
    }

    private static HttpFault Terminated => new(new HttpFailure.ConnectionTerminated());

    private HttpFailure WrongSize(long size) => isResponse ? new HttpFailure.HttpResponseBodySize((ulong)size) : new HttpFailure.HttpRequestBodySize((ulong)size);

    // ---- what the stream does ----

    internal bool IsClosed => isDetached || broken is not null;

    /// <summary>How much it takes without waiting.</summary>
    internal int Room
    {
        get
        {
            if (!EndFlush()) return 0;
            return sink is null ? Math.Max(0, MostKept - count) : WasiState.MostBytes;
        }
    }

    internal Task? Pending => flushing is { IsCompleted: false } ? flushing : sink is null ? attached.Task : null;

    internal bool IsFlushed => sink is null || !sink.TakesBody || IsClosed || (EndFlush() && count == 0);

    internal void ThrowIfFailed()
    {
        if (broken is not null) throw broken;
        if (isDetached) throw new WasiError(Errno.Pipe);
    }

    internal void Write(ReadOnlySpan<byte> bytes)
    {
        ThrowIfFailed();
        written += bytes.Length;
        if (written > length)
        {
            var fault = new HttpFault(WrongSize(written));
            Break(fault);
            throw fault;
        }
        if (sink is { TakesBody: false }) return;
        if (gathered.Length - count < bytes.Length) Grow(bytes.Length);
        bytes.CopyTo(gathered.AsSpan(count));
        count += bytes.Length;
        if (sink is not null && (sink.IsRead || count >= Piece)) Flush();
    }

    private void Grow(int more)
    {
        byte[] larger = ArrayPool<byte>.Shared.Rent(Math.Max(1024, count + more));
        gathered.AsSpan(0, count).CopyTo(larger);
        if (gathered.Length > 0) ArrayPool<byte>.Shared.Return(gathered);
        gathered = larger;
    }

    /// <summary>Begins to send what there is.</summary>
    internal void Flush()
    {
        if (sink is not { TakesBody: true } || IsClosed || !EndFlush()) return;
        try
        {
            if (count > 0) sink.Writer.Write(gathered.AsSpan(0, count));
            count = 0;
            ValueTask<FlushResult> flush = sink.Writer.FlushAsync();
            if (flush.IsCompletedSuccessfully) Check(flush.Result);
            else flushing = flush.AsTask();
        }
        catch (Exception e) when (e is not TrapException)
        {
            Break(e as IOException ?? Terminated);
        }
    }

    /// <summary>Looks whether a flush has ended.</summary>
    private bool EndFlush()
    {
        if (flushing is null) return true;
        if (!flushing.IsCompleted) return false;
        Task<FlushResult> ended = flushing;
        flushing = null;
        try
        {
            Check(ended.GetAwaiter().GetResult());
        }
        catch (Exception e) when (e is not TrapException)
        {
            Break(e as IOException ?? Terminated);
        }
        return true;
    }

    private void Check(FlushResult result)
    {
        if (result.IsCompleted || result.IsCanceled) Break(Terminated);
    }

    /// <summary>The body will not be complete. The first reason counts.</summary>
    private void Break(Exception reason)
    {
        if (broken is not null) return;
        broken = reason;
        sink?.Break(reason);
    }

    // ---- its end ----

    /// <returns>What is wrong with the body; null if nothing is.</returns>
    internal HttpFailure? Finish(HttpFields? fields, Waiter waiter)
    {
        if (HasChildren) throw ComponentTrap.Make("the stream of a body must be dropped before the body is finished");
        while (flushing is not null && !EndFlush()) waiter.WaitAny([flushing], -1);
        IsFinished = true;
        if (broken is HttpFault { Failure: var failure }) return failure;
        if (broken is not null || isDetached) return new HttpFailure.ConnectionTerminated();
        if (length is { } wanted && written != wanted && sink is not { TakesBody: false })
        {
            HttpFailure wrong = WrongSize(written);
            Break(new HttpFault(wrong));
            return wrong;
        }
        trailers = fields;
        if (sink is not null) FinishSink();
        return null;
    }

    private void FinishSink()
    {
        if (broken is not null)
        {
            sink!.Break(broken);
            return;
        }
        sink!.Finish(gathered.AsSpan(0, count), trailers);
        Release();
    }

    private protected override void Close()
    {
        if (!IsFinished) Break(Terminated);
    }
}

/// <summary>The stream of an outgoing body.</summary>
internal sealed class BodyOutput(OutgoingBody body) : OutputStream
{
    internal override int Room => body.IsClosed ? -1 : body.Room;

    public override Task? Pending => body.Pending;

    internal override void ThrowIfFailed() => body.ThrowIfFailed();

    private protected override void WriteNow(Memory<byte> bytes) => body.Write(bytes.Span);

    internal override void Flush() => body.Flush();

    internal override bool IsFlushed
    {
        get
        {
            body.ThrowIfFailed();
            if (body.IsFlushed) return true;
            // What was written meanwhile goes on as well.
            body.Flush();
            return body.IsFlushed;
        }
    }
}

/// <summary>The body of a guest as the content of a message of .NET's: through a pipe, to its reader.</summary>
internal sealed class BodyContent : HttpContent, IBodySink
{
    private readonly Pipe pipe = new(new PipeOptions(pauseWriterThreshold: WasiState.MostBytes, resumeWriterThreshold: WasiState.MostBytes / 2, useSynchronizationContext: false));
    private readonly long? length;
    private readonly HttpResponseMessage? response;
    private HttpFields? behind;

    /// <param name="length">What the headers announce; null if they do not.</param>
    /// <param name="response">The response that has the content, and gets its trailers; null if it is a request's.</param>
    internal BodyContent(long? length, HttpResponseMessage? response)
    {
        this.length = length;
        this.response = response;
    }

    public PipeWriter Writer => pipe.Writer;

    public bool IsRead => true;

    public bool TakesBody => true;

    public void Finish(ReadOnlySpan<byte> whole, HttpFields? trailers)
    {
        if (whole.Length > 0) pipe.Writer.Write(whole);
        // They are there when the end has been read.
        if (response is not null) trailers?.CopyTo(response.TrailingHeaders, null);
        else behind = trailers;
        pipe.Writer.Complete();
    }

    public void Break(Exception reason) => pipe.Writer.Complete(reason);

    protected override async Task SerializeToStreamAsync(Stream stream, System.Net.TransportContext? context)
    {
        try
        {
            while (true)
            {
                ReadResult read = await pipe.Reader.ReadAsync().ConfigureAwait(false);
                foreach (ReadOnlyMemory<byte> piece in read.Buffer) await stream.WriteAsync(piece).ConfigureAwait(false);
                pipe.Reader.AdvanceTo(read.Buffer.End);
                await stream.FlushAsync().ConfigureAwait(false);
                if (!read.IsCompleted) continue;
                if (behind is not null && length is null) RequestTrailers.End(behind);
                return;
            }
        }
        finally
        {
            // A guest that writes on learns it.
            await pipe.Reader.CompleteAsync().ConfigureAwait(false);
        }
    }

    protected override Task<Stream> CreateContentReadStreamAsync() => Task.FromResult(pipe.Reader.AsStream());

    protected override bool TryComputeLength(out long computed)
    {
        computed = length ?? 0;
        return length is not null;
    }
}
