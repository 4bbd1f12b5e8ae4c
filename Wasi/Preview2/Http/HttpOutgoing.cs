using WasmJit.Components;

namespace WasmJit.Wasi.Preview2;

/// <summary><c>wasi:http/outgoing-handler</c>, on <see cref="HttpClient"/>.</summary>
internal static class HttpOutgoingInterface
{
    internal static void AddTo(InterfaceWriter to, WasiState state)
    {
        ResourceTypes types = state.Types;
        to.Add("outgoing-request", types.OutgoingRequest);
        to.Add("request-options", types.RequestOptions);
        to.Add("future-incoming-response", types.FutureResponse);
        to.Add("handle", ComponentResult<ComponentResource, HttpFailure> (ComponentResource request, ComponentResource? options) =>
        {
            OutgoingRequest message = request.Get<OutgoingRequest>();
            RequestOptions? times = options?.Get<RequestOptions>();
            request.Dispose();
            options?.Dispose();
            try
            {
                return types.FutureResponse.New(Send(state, message, times));
            }
            catch (HttpFault fault)
            {
                return ComponentResult<ComponentResource, HttpFailure>.Fail(fault.Failure);
            }
        });
    }

    /// <summary>A request as .NET has it, if the guest may send it; it has a place among those that wait for a response.</summary>
    /// <exception cref="HttpFault">It may not.</exception>
    internal static HttpRequestMessage Begin(WasiState state, HttpVerb verb, Uri address, out WasiHttp granted)
    {
        if (state.Options.Http is not { } allowed || !allowed.Allow(address)) throw new HttpFault(new HttpFailure.HttpRequestDenied());
        granted = allowed;
        HttpMethod method;
        try
        {
            method = new HttpMethod(verb.Text);
        }
        catch (FormatException)
        {
            throw new HttpFault(new HttpFailure.HttpRequestMethodInvalid());
        }
        if (!state.Requests.Wait(0)) throw new HttpFault(new HttpFailure.ConnectionLimitReached());
        return new HttpRequestMessage(method, address);
    }

    private static FutureResponse Send(WasiState state, OutgoingRequest request, RequestOptions? options)
    {
        HttpRequestMessage message = Begin(state, request.Method, request.Address, out WasiHttp granted);
        if (request.Body is { } body)
        {
            var content = new BodyContent(request.Fields.ContentLength, null);
            body.Attach(content);
            message.Content = content;
        }
        request.Fields.CopyTo(message.Headers, message.Content?.Headers);
        var source = CancellationTokenSource.CreateLinkedTokenSource(state.Options.Cancellation);
        return new FutureResponse(SendAsync(state, granted, message, options, source), source);
    }

    private static async Task<IncomingResponse> SendAsync(WasiState state, WasiHttp granted, HttpRequestMessage message, RequestOptions? options, CancellationTokenSource source)
    {
        (HttpResponseMessage response, Stream content) = await ExchangeAsync(state, granted, message, options, source).ConfigureAwait(false);
        return new IncomingResponse(state, response, content);
    }

    /// <summary>Sends a request, for which a place has been taken, and gives the response with its body, whose every read has a time.</summary>
    internal static async Task<(HttpResponseMessage Response, Stream Content)> ExchangeAsync(
        WasiState state, WasiHttp granted, HttpRequestMessage message, RequestOptions? options, CancellationTokenSource source)
    {
        try
        {
            if (Time(options?.Connect) is { } connect) source.CancelAfter(connect + (Time(options?.FirstByte) ?? granted.Timeout));
            else source.CancelAfter(Time(options?.FirstByte) ?? granted.Timeout);
            // On another thread: what is left of the guest's own goes on.
            HttpResponseMessage response = await Task.Run(() =>
            {
                RequestTrailers.Begin();
                return granted.Client.SendAsync(message, HttpCompletionOption.ResponseHeadersRead, source.Token);
            }).ConfigureAwait(false);
            source.CancelAfter(System.Threading.Timeout.InfiniteTimeSpan);
            Stream content = await response.Content.ReadAsStreamAsync(source.Token).ConfigureAwait(false);
            return (response, new ResponseStream(content, Time(options?.BetweenBytes) ?? granted.Timeout, state.Options.Cancellation));
        }
        finally
        {
            state.Requests.Release();
        }
    }

    private static TimeSpan? Time(ulong? nanoseconds) => nanoseconds is { } time ? TimeSpan.FromTicks((long)Math.Min(Math.Max(1, time / 100), (ulong)TimeSpan.FromDays(1).Ticks)) : null;

    /// <summary>A body, whose every read has a time.</summary>
    private sealed class ResponseStream(Stream inner, TimeSpan time, CancellationToken cancellation) : ReadStream
    {
        public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            using var source = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            source.CancelAfter(time);
            try
            {
                return await inner.ReadAsync(buffer, source.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                throw new HttpFault(new HttpFailure.ConnectionReadTimeout());
            }
        }

        public override int Read(byte[] buffer, int offset, int count) => inner.Read(buffer, offset, count);

        protected override void Dispose(bool disposing)
        {
            if (disposing) inner.Dispose();
            base.Dispose(disposing);
        }
    }
}
