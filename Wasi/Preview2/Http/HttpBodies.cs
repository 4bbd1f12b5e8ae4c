using System.IO.Pipelines;
using WasmJit.Components;

namespace WasmJit.Wasi.Preview2;

/// <summary>What <c>wasi:http/types</c> calls an incoming-body: a .NET stream, read once.</summary>
/// <param name="state">The host.</param>
/// <param name="content">The bytes.</param>
/// <param name="trailers">What comes behind them, asked for when they have been read; null if nothing does.</param>
internal sealed class IncomingBody(WasiState state, Stream content, Func<HttpFields?>? trailers) : GuestObject
{
    private bool isTaken;

    internal DescriptorInput? TakeStream()
    {
        if (isTaken) return null;
        isTaken = true;
        var descriptor = new InputDescriptor(content);
        descriptor.SetFlags(FdFlags.Nonblock);
        return Adopt(new DescriptorInput(descriptor, state.Waiter, content.Dispose));
    }

    internal FutureTrailers Finish()
    {
        if (HasChildren) throw ComponentTrap.Make("the stream of a body must be dropped before the body is finished");
        return new FutureTrailers(trailers);
    }

    private protected override void Close()
    {
        if (!isTaken) content.Dispose();
    }
}

/// <summary>What <c>wasi:http/types</c> calls future-trailers: they are there when a body has been read.</summary>
internal sealed class FutureTrailers(Func<HttpFields?>? trailers) : GuestObject
{
    private bool isTaken;

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

/// <summary>What <c>wasi:http/types</c> calls an outgoing-body: what a guest writes goes through a pipe to the sender.</summary>
internal sealed class OutgoingBody : GuestObject
{
    private readonly WasiState state;
    private readonly Pipe pipe = new(new PipeOptions(pauseWriterThreshold: WasiState.MostBytes, resumeWriterThreshold: WasiState.MostBytes / 2, useSynchronizationContext: false));
    private readonly long? length;
    private readonly bool isResponse;
    private readonly TaskCompletionSource<HttpFields?> trailers = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private OutputDescriptor? output;
    private CountingStream? written;
    private bool isFinished;

    internal OutgoingBody(WasiState state, long? length, bool isResponse)
    {
        this.state = state;
        this.length = length;
        this.isResponse = isResponse;
    }

    /// <summary>What was written; it ends with the body, or fails if the guest leaves it unfinished.</summary>
    internal PipeReader Reader => pipe.Reader;

    /// <summary>The trailers, when the body is finished.</summary>
    internal Task<HttpFields?> Trailers => trailers.Task;

    internal DescriptorOutput? TakeStream()
    {
        if (output is not null) return null;
        written = new CountingStream(pipe.Writer.AsStream(leaveOpen: true), length);
        output = new OutputDescriptor(written, flushes: false);
        output.SetFlags(FdFlags.Nonblock);
        return Adopt(new DescriptorOutput(new OutputSink(output, state.Waiter), null));
    }

    /// <returns>What is wrong with the body; null if nothing is.</returns>
    internal HttpFailure? Finish(HttpFields? fields)
    {
        if (HasChildren) throw ComponentTrap.Make("the stream of a body must be dropped before the body is finished");
        output?.Drain(state.Waiter);
        isFinished = true;
        ulong count = (ulong)(written?.Count ?? 0);
        if (length is { } wanted && count != (ulong)wanted)
        {
            HttpFailure failure = isResponse ? new HttpFailure.HttpResponseBodySize(count) : new HttpFailure.HttpRequestBodySize(count);
            Complete(new HttpFault(failure), null);
            return failure;
        }
        Complete(null, fields);
        return null;
    }

    private void Complete(Exception? error, HttpFields? fields)
    {
        pipe.Writer.Complete(error);
        trailers.TrySetResult(fields);
    }

    private protected override void Close()
    {
        if (!isFinished) Complete(new HttpFault(new HttpFailure.ConnectionTerminated()), null);
    }

    /// <summary>Counts what is written, and takes no more than was announced.</summary>
    private sealed class CountingStream(Stream inner, long? most) : Stream
    {
        private long count;

        internal long Count => Interlocked.Read(ref count);

        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (Interlocked.Add(ref count, buffer.Length) > most) throw new HttpFault(new HttpFailure.HttpRequestBodySize((ulong)most));
            await inner.WriteAsync(buffer, cancellationToken).ConfigureAwait(false);
            await inner.FlushAsync(cancellationToken).ConfigureAwait(false);
        }

        public override Task FlushAsync(CancellationToken cancellationToken) => inner.FlushAsync(cancellationToken);

        public override void Flush() => inner.Flush();

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => inner.Write(buffer, offset, count);
    }
}

/// <summary>The body of a guest as the content of a message of .NET's.</summary>
internal sealed class BodyContent(OutgoingBody body, long? length) : HttpContent
{
    protected override async Task SerializeToStreamAsync(Stream stream, System.Net.TransportContext? context)
    {
        try
        {
            while (true)
            {
                ReadResult read = await body.Reader.ReadAsync().ConfigureAwait(false);
                foreach (ReadOnlyMemory<byte> piece in read.Buffer) await stream.WriteAsync(piece).ConfigureAwait(false);
                body.Reader.AdvanceTo(read.Buffer.End);
                await stream.FlushAsync().ConfigureAwait(false);
                if (read.IsCompleted) return;
            }
        }
        finally
        {
            // A guest that writes on learns it.
            await body.Reader.CompleteAsync().ConfigureAwait(false);
        }
    }

    protected override Task<Stream> CreateContentReadStreamAsync() => Task.FromResult(body.Reader.AsStream());

    protected override bool TryComputeLength(out long computed)
    {
        computed = length ?? 0;
        return length is not null;
    }
}
