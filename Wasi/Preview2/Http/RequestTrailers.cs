using System.Net.Http.Headers;
using System.Text;

namespace WasmJit.Wasi.Preview2;

/// <summary>
/// What comes behind the body of a request. <see cref="HttpClient"/> sends none, so the connections of the client that all guests share are streams that put it there: behind the last
/// piece of a body in chunks, which is the only thing that the client still writes when the content has been flushed. A stream knows whose it is by the flow of the request.
/// </summary>
internal sealed class RequestTrailers
{
    private static readonly AsyncLocal<RequestTrailers?> Current = new();

    /// <summary>What a receiver has to know before the body.</summary>
    private static readonly HashSet<string> OfHeaders = new(StringComparer.OrdinalIgnoreCase) { "content-encoding", "content-length", "content-range", "content-type", "cookie" };

    private byte[]? text;

    /// <summary>The calling flow sends a request.</summary>
    internal static void Begin() => Current.Value = new RequestTrailers();

    /// <summary>The body of the flow's request has been written and flushed, and these follow.</summary>
    internal static void End(HttpFields fields)
    {
        if (Current.Value is not { } own) return;
        // .NET knows most fields that must not be there.
        using var model = new HttpResponseMessage();
        fields.CopyTo(model.TrailingHeaders, null);
        var lines = new StringBuilder();
        foreach ((string name, HeaderStringValues values) in model.TrailingHeaders.NonValidated)
        {
            if (OfHeaders.Contains(name)) continue;
            foreach (string value in values) lines.Append(name).Append(": ").Append(value).Append("\r\n");
        }
        if (lines.Length > 0) own.text = Encoding.Latin1.GetBytes(lines.ToString());
    }

    /// <summary>Makes the stream of a connection.</summary>
    internal static ValueTask<Stream> Connect(SocketsHttpPlaintextStreamFilterContext context, CancellationToken cancellation) =>
        cancellation.IsCancellationRequested ? ValueTask.FromCanceled<Stream>(cancellation) : ValueTask.FromResult<Stream>(new Connection(context.PlaintextStream));

    /// <summary>What is written in place of the end of a body; null if nothing follows it.</summary>
    private static byte[]? Extend(ReadOnlySpan<byte> bytes)
    {
        ReadOnlySpan<byte> end = "\r\n"u8;
        if (Current.Value is not { text: { } trailers } own || !bytes.EndsWith("0\r\n\r\n"u8)) return null;
        own.text = null;
        return [.. bytes[..^end.Length], .. trailers, .. end];
    }

    private sealed class Connection(Stream inner) : Stream
    {
        public override bool CanRead => inner.CanRead;

        public override bool CanSeek => false;

        public override bool CanWrite => inner.CanWrite;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Flush() => inner.Flush();

        public override Task FlushAsync(CancellationToken cancellationToken) => inner.FlushAsync(cancellationToken);

        public override int Read(byte[] buffer, int offset, int count) => inner.Read(buffer, offset, count);

        public override int Read(Span<byte> buffer) => inner.Read(buffer);

        public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => inner.ReadAsync(buffer, offset, count, cancellationToken);

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => inner.ReadAsync(buffer, cancellationToken);

        public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

        public override void Write(ReadOnlySpan<byte> buffer) => inner.Write(Extend(buffer) ?? buffer);

        public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
            WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) =>
            inner.WriteAsync(Extend(buffer.Span) ?? buffer, cancellationToken);

        public override async ValueTask DisposeAsync()
        {
            await inner.DisposeAsync().ConfigureAwait(false);
            await base.DisposeAsync().ConfigureAwait(false);
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing) inner.Dispose();
            base.Dispose(disposing);
        }
    }
}
