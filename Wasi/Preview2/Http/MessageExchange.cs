using System.Diagnostics.CodeAnalysis;
using System.IO.Pipelines;

namespace WasmJit.Wasi.Preview2;

/// <summary>An exchange whose request and response are messages of .NET's, as a client in this process has them.</summary>
[SuppressMessage("Design", "CA1001", Justification = "The body belongs to the response, which its reader disposes of.")]
internal sealed class MessageExchange(HttpRequestMessage request, Stream content) : HttpExchange
{
    private readonly TaskCompletionSource<HttpResponseMessage> response = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private BodyContent? body;

    /// <summary>The response, whose content is read while the guest goes on writing it.</summary>
    internal Task<HttpResponseMessage> Response => response.Task;

    internal override string Method => request.Method.Method;

    internal override string? PathWithQuery => request.RequestUri!.IsAbsoluteUri ? request.RequestUri.PathAndQuery : request.RequestUri.OriginalString;

    internal override string? Scheme => request.RequestUri!.IsAbsoluteUri ? request.RequestUri.Scheme : null;

    internal override string? Authority => request.Headers.Host ?? (request.RequestUri!.IsAbsoluteUri ? request.RequestUri.Authority : null);

    internal override HttpFields ReadHeaders() => HttpFields.Of(request.Headers, request.Content?.Headers);

    // Requests of HttpClient have none.
    private protected override HttpFields? ReadTrailers() => null;

    private protected override PipeReader Content { get; } = PipeReader.Create(content);

    private protected override void Begin(ushort status, HttpFields headers, bool hasBody)
    {
        var message = new HttpResponseMessage((System.Net.HttpStatusCode)status) { RequestMessage = request };
        if (hasBody) message.Content = body = new BodyContent(headers.ContentLength, message);
        headers.CopyTo(message.Headers, message.Content.Headers);
        response.TrySetResult(message);
    }

    private protected override void Fail(Exception reason) => response.TrySetException(reason);

    public override PipeWriter Writer => body!.Writer;

    public override bool IsRead => true;

    public override bool TakesBody => true;

    public override void Finish(ReadOnlySpan<byte> whole, HttpFields? trailers) => body!.Finish(whole, trailers);

    public override void Break(Exception reason) => body!.Break(reason);

    private protected override ValueTask CloseAsync() => ValueTask.CompletedTask;
}
