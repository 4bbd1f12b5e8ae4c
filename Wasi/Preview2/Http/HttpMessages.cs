using WasmJit.Components;

namespace WasmJit.Wasi.Preview2;

/// <summary>What <c>wasi:http/types</c> calls an incoming-request.</summary>
internal sealed class IncomingRequest(WasiState state, HttpRequestMessage message, Stream content) : GuestObject
{
    private bool isConsumed;

    internal HttpVerb Method => HttpVerb.Of(message.Method.Method);

    internal string? PathWithQuery => message.RequestUri!.IsAbsoluteUri ? message.RequestUri.PathAndQuery : message.RequestUri.OriginalString;

    internal HttpScheme? Scheme => message.RequestUri!.IsAbsoluteUri ? HttpScheme.Of(message.RequestUri.Scheme) : null;

    internal string? Authority => message.Headers.Host ?? (message.RequestUri!.IsAbsoluteUri ? message.RequestUri.Authority : null);

    internal HttpFields Headers => Adopt(HttpFields.Of(message.Headers, message.Content?.Headers));

    internal IncomingBody? Consume()
    {
        if (isConsumed) return null;
        isConsumed = true;
        return new IncomingBody(state, content, null);
    }
}

/// <summary>What <c>wasi:http/types</c> calls an outgoing-request.</summary>
internal sealed class OutgoingRequest(WasiState state, HttpFields headers) : GuestObject
{
    internal HttpFields Fields => headers;

    internal HttpVerb Method { get; set; } = new HttpVerb.Get();

    internal string? PathWithQuery { get; set; }

    internal HttpScheme? Scheme { get; set; }

    internal string? Authority { get; set; }

    internal OutgoingBody? Body { get; private set; }

    internal OutgoingBody? TakeBody() => Body is null ? Body = new OutgoingBody(state, headers.ContentLength, isResponse: false) : null;

    /// <summary>The address.</summary>
    /// <exception cref="HttpFault">The text is not a valid URI.</exception>
    internal Uri Address
    {
        get
        {
            string scheme = Scheme switch { HttpScheme.Http => "http", HttpScheme.Https or null => "https", _ => throw new HttpFault(new HttpFailure.HttpProtocolError()) };
            string? path = PathWithQuery;
            if (Authority is null || !Uri.TryCreate($"{scheme}://{Authority}{(path is null or "" ? "/" : path[0] == '/' ? path : "/" + path)}", UriKind.Absolute, out Uri? uri))
                throw new HttpFault(new HttpFailure.HttpRequestUriInvalid());
            return uri;
        }
    }
}

/// <summary>What <c>wasi:http/types</c> calls request-options; times in nanoseconds.</summary>
internal sealed class RequestOptions : GuestObject
{
    internal ulong? Connect { get; set; }

    internal ulong? FirstByte { get; set; }

    internal ulong? BetweenBytes { get; set; }
}

/// <summary>What <c>wasi:http/types</c> calls an incoming-response.</summary>
internal sealed class IncomingResponse(WasiState state, HttpResponseMessage message, Stream content) : GuestObject
{
    private bool isConsumed;

    internal ushort Status => (ushort)message.StatusCode;

    internal HttpFields Headers => Adopt(HttpFields.Of(message.Headers, message.Content.Headers));

    internal IncomingBody? Consume()
    {
        if (isConsumed) return null;
        isConsumed = true;
        return new IncomingBody(state, content, () => message.TrailingHeaders.NonValidated.Count == 0 ? null : HttpFields.Of(message.TrailingHeaders));
    }

    private protected override void Close()
    {
        if (!isConsumed) message.Dispose();
    }
}

/// <summary>What <c>wasi:http/types</c> calls an outgoing-response.</summary>
internal sealed class OutgoingResponse(WasiState state, HttpFields headers) : GuestObject
{
    internal HttpFields Fields => headers;

    internal ushort Status { get; set; } = 200;

    internal OutgoingBody? Body { get; private set; }

    internal OutgoingBody? TakeBody() => Body is null ? Body = new OutgoingBody(state, headers.ContentLength, isResponse: true) : null;

    internal HttpResponseMessage ToMessage()
    {
        var message = new HttpResponseMessage((System.Net.HttpStatusCode)Status) { Content = Body is null ? new ByteArrayContent([]) : new BodyContent(Body, headers.ContentLength) };
        headers.CopyTo(message.Headers, message.Content.Headers);
        return message;
    }
}

/// <summary>What <c>wasi:http/types</c> calls a response-outparam.</summary>
internal sealed class ResponseOutparam : GuestObject
{
    private readonly TaskCompletionSource<HttpResponseMessage> response = new(TaskCreationOptions.RunContinuationsAsynchronously);

    internal Task<HttpResponseMessage> Response => response.Task;

    internal void Set(ComponentResult<OutgoingResponse, HttpFailure> result)
    {
        if (result.IsOk) response.TrySetResult(result.Value.ToMessage());
        else response.TrySetException(new HttpFault(result.Error));
    }

    /// <summary>The guest has ended, or has dropped it: there will be no response.</summary>
    internal void Fail(Exception reason) => response.TrySetException(reason);

    private protected override void Close() => Fail(new HttpFault(new HttpFailure.InternalError("the guest gave no response")));
}

/// <summary>What <c>wasi:http/types</c> calls a future-incoming-response.</summary>
internal sealed class FutureResponse(Task<IncomingResponse> task, CancellationTokenSource source) : GuestObject
{
    private bool isTaken;

    internal IReadySource Source => new TaskSource(task);

    /// <summary>The response, once; null if it is not there yet.</summary>
    internal ComponentResult<ComponentResult<IncomingResponse, HttpFailure>, NoValue>? Take()
    {
        if (!task.IsCompleted) return null;
        if (isTaken) return ComponentResult<ComponentResult<IncomingResponse, HttpFailure>, NoValue>.Fail(default);
        isTaken = true;
        try
        {
            return (ComponentResult<IncomingResponse, HttpFailure>)task.GetAwaiter().GetResult();
        }
        catch (Exception e) when (HttpFailure.Of(e) is { } failure)
        {
            return ComponentResult<IncomingResponse, HttpFailure>.Fail(failure);
        }
    }

    private protected override void Close()
    {
        if (isTaken) return;
        source.Cancel();
        LeftTasks.LeaveResult(task);
    }
}
