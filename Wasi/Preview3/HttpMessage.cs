using WasmJit.Components;
using WasmJit.Wasi.Preview2;

namespace WasmJit.Wasi.Preview3;

/// <summary>What <c>wasi:http/types</c> calls a request or a response: headers, and a body that is consumed once. A guest may have made it, or the host.</summary>
internal abstract class HttpMessage(HttpFields fields, Stream? contents, Task<ComponentResult<ComponentResource?, HttpFailure>> trailers) : GuestObject
{
    private readonly TaskCompletionSource<ComponentResult<NoValue, HttpFailure>> sent = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool isTaken;

    internal HttpFields Fields => fields;

    /// <summary>What the guest that has made it is told when its body has been sent, or why it was not.</summary>
    internal Task<ComponentResult<NoValue, HttpFailure>> Sent => sent.Task;

    /// <summary>Headers that a guest reads. They may outlive the message.</summary>
    internal HttpFields ReadHeaders() => fields.ImmutableCopy();

    /// <summary>Takes the body: its bytes, if there is one, and what comes behind them.</summary>
    internal (Stream? Contents, Task<ComponentResult<ComponentResource?, HttpFailure>> Trailers) Take()
    {
        isTaken = true;
        return (contents, trailers);
    }

    internal void End(HttpFailure? failure) => sent.TrySetResult(failure is null ? default(NoValue) : ComponentResult<NoValue, HttpFailure>.Fail(failure));

    private protected override void Close()
    {
        if (isTaken) return;
        contents?.Dispose();
        LeftValues.DiscardResult(trailers);
        End(null);
    }
}

/// <summary>A request.</summary>
internal sealed class HttpRequest(HttpFields fields, Stream? contents, Task<ComponentResult<ComponentResource?, HttpFailure>> trailers, RequestOptions? options)
    : HttpMessage(fields, contents, trailers)
{
    internal HttpVerb Method { get; set; } = new HttpVerb.Get();

    internal string? PathWithQuery { get; set; }

    internal HttpScheme? Scheme { get; set; }

    internal string? Authority { get; set; }

    internal RequestOptions? Options => options;
}

/// <summary>A response.</summary>
internal sealed class HttpResponse(HttpFields fields, Stream? contents, Task<ComponentResult<ComponentResource?, HttpFailure>> trailers) : HttpMessage(fields, contents, trailers)
{
    internal ushort Status { get; set; } = 200;
}

/// <summary>A body that comes from elsewhere. What comes behind it is known when it has been read.</summary>
/// <param name="inner">The bytes.</param>
/// <param name="read">What comes behind; asked for at the end.</param>
/// <param name="new">Makes a handle of it.</param>
internal sealed class IncomingStream(Stream inner, Func<HttpFields?> read, Func<HttpFields, ComponentResource> @new) : AsyncReadStream
{
    private readonly TaskCompletionSource<ComponentResult<ComponentResource?, HttpFailure>> trailers = new(TaskCreationOptions.RunContinuationsAsynchronously);

    internal Task<ComponentResult<ComponentResource?, HttpFailure>> Trailers => trailers.Task;

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (trailers.Task.IsCompleted) return 0;
        try
        {
            int count = await inner.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
            if (count == 0 && buffer.Length > 0) trailers.TrySetResult(read() is { } fields ? @new(fields) : (ComponentResource?)null);
            return count;
        }
        catch (Exception e) when (HttpFailure.Of(e) is { } failure)
        {
            trailers.TrySetResult(ComponentResult<ComponentResource?, HttpFailure>.Fail(failure));
            return 0;
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            inner.Dispose();
            // Nothing has been read so far.
            trailers.TrySetResult((ComponentResource?)null);
        }
        base.Dispose(disposing);
    }
}
