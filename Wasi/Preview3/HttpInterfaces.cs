using WasmJit.Components;
using WasmJit.Wasi.Preview2;

namespace WasmJit.Wasi.Preview3;

/// <summary><c>header-error</c>.</summary>
internal abstract record HeaderError
{
    internal sealed record InvalidSyntax : HeaderError;

    internal sealed record Forbidden : HeaderError;

    internal sealed record Immutable : HeaderError;

    internal sealed record SizeExceeded : HeaderError;

    internal sealed record Other(string? Value) : HeaderError;

    internal static HeaderError? Of(Preview2.HeaderError? error) => error switch
    {
        null => null,
        Preview2.HeaderError.InvalidSyntax => new InvalidSyntax(),
        Preview2.HeaderError.Forbidden => new Forbidden(),
        _ => new Immutable(),
    };
}

/// <summary><c>request-options-error</c>.</summary>
internal abstract record RequestOptionsError
{
    internal sealed record NotSupported : RequestOptionsError;

    internal sealed record Immutable : RequestOptionsError;

    internal sealed record Other(string? Value) : RequestOptionsError;
}

/// <summary><c>wasi:http/types</c>.</summary>
internal static class HttpTypesInterface
{
    private static NoValue None => default;

    internal static void AddTo(InterfaceWriter to, WasiState state)
    {
        ResourceTypes types = state.Types;
        AddFields(to, types);
        AddOptions(to, types);
        AddRequest(to, types);
        AddResponse(to, types);
    }

    // ---- fields ----

    private static ComponentResult<NoValue, HeaderError> Result(Preview2.HeaderError? error) =>
        HeaderError.Of(error) is { } failed ? ComponentResult<NoValue, HeaderError>.Fail(failed) : None;

    private static ComponentResult<NoValue, HeaderError> TooLarge => ComponentResult<NoValue, HeaderError>.Fail(new HeaderError.SizeExceeded());

    private static void AddFields(InterfaceWriter to, ResourceTypes types)
    {
        to.Add("fields", types.Fields);
        to.Add("headers", types.Fields);
        to.Add("trailers", types.Fields);
        to.Add("[constructor]fields", () => types.Fields.New(new HttpFields()));
        to.Add("[static]fields.from-list", ComponentResult<ComponentResource, HeaderError> ((string Name, byte[] Value)[] entries) =>
        {
            var fields = new HttpFields();
            foreach ((string name, byte[] value) in entries)
            {
                if (!fields.Fits(name, false, value)) return ComponentResult<ComponentResource, HeaderError>.Fail(new HeaderError.SizeExceeded());
                if (HeaderError.Of(fields.Append(name, value)) is { } error) return ComponentResult<ComponentResource, HeaderError>.Fail(error);
            }
            return types.Fields.New(fields);
        });
        to.Add("[method]fields.get", (ComponentResource self, string name) => self.Get<HttpFields>().Get(name));
        to.Add("[method]fields.has", (ComponentResource self, string name) => self.Get<HttpFields>().Has(name));
        to.Add("[method]fields.set", (ComponentResource self, string name, byte[][] values) =>
            self.Get<HttpFields>().Fits(name, true, values) ? Result(self.Get<HttpFields>().Set(name, values)) : TooLarge);
        to.Add("[method]fields.delete", (ComponentResource self, string name) => Result(self.Get<HttpFields>().Delete(name)));
        to.Add("[method]fields.get-and-delete", ComponentResult<byte[][], HeaderError> (ComponentResource self, string name) =>
        {
            byte[][] values = self.Get<HttpFields>().Get(name);
            return HeaderError.Of(self.Get<HttpFields>().Delete(name)) is { } error ? ComponentResult<byte[][], HeaderError>.Fail(error) : values;
        });
        to.Add("[method]fields.append", (ComponentResource self, string name, byte[] value) =>
            self.Get<HttpFields>().Fits(name, false, value) ? Result(self.Get<HttpFields>().Append(name, value)) : TooLarge);
        to.Add("[method]fields.copy-all", (ComponentResource self) => self.Get<HttpFields>().Items.ToArray());
        to.Add("[method]fields.clone", (ComponentResource self) => types.Fields.New(self.Get<HttpFields>().Copy()));
    }

    // ---- options ----

    private static void AddOptions(InterfaceWriter to, ResourceTypes types)
    {
        to.Add("request-options", types.RequestOptions);
        to.Add("[constructor]request-options", () => types.RequestOptions.New(new RequestOptions()));
        to.Add("[method]request-options.get-connect-timeout", ulong? (ComponentResource self) => self.Get<RequestOptions>().Connect);
        to.Add("[method]request-options.set-connect-timeout", (ComponentResource self, ulong? time) => Set(self, options => options.Connect = time));
        to.Add("[method]request-options.get-first-byte-timeout", ulong? (ComponentResource self) => self.Get<RequestOptions>().FirstByte);
        to.Add("[method]request-options.set-first-byte-timeout", (ComponentResource self, ulong? time) => Set(self, options => options.FirstByte = time));
        to.Add("[method]request-options.get-between-bytes-timeout", ulong? (ComponentResource self) => self.Get<RequestOptions>().BetweenBytes);
        to.Add("[method]request-options.set-between-bytes-timeout", (ComponentResource self, ulong? time) => Set(self, options => options.BetweenBytes = time));
        to.Add("[method]request-options.clone", (ComponentResource self) => types.RequestOptions.New(self.Get<RequestOptions>().Copy(isImmutable: false)));
    }

    private static ComponentResult<NoValue, RequestOptionsError> Set(ComponentResource self, Action<RequestOptions> set)
    {
        RequestOptions options = self.Get<RequestOptions>();
        if (options.IsImmutable) return ComponentResult<NoValue, RequestOptionsError>.Fail(new RequestOptionsError.Immutable());
        set(options);
        return None;
    }

    // ---- messages ----

    private static ComponentResult<NoValue, NoValue> Set(bool isValid, Action set)
    {
        if (!isValid) return ComponentResult<NoValue, NoValue>.Fail(None);
        set();
        return None;
    }

    private static void AddRequest(InterfaceWriter to, ResourceTypes types)
    {
        to.Add("request", types.Request);
        to.Add("[static]request.new", (ComponentResource headers, Stream? contents, Task<ComponentResult<ComponentResource?, HttpFailure>> trailers, ComponentResource? options) =>
        {
            var request = new HttpRequest(Preview2.HttpTypesInterface.Frozen(headers), contents, trailers, options is null ? null : Preview2.HttpTypesInterface.Take<RequestOptions>(options).Copy(isImmutable: true));
            return (types.Request.New(request), request.Sent);
        });
        to.Add("[method]request.get-method", (ComponentResource self) => self.Get<HttpRequest>().Method);
        to.Add("[method]request.set-method", (ComponentResource self, HttpVerb method) => Set(OutgoingRequest.IsMethod(method), () => self.Get<HttpRequest>().Method = HttpVerb.Of(method.Text)));
        to.Add("[method]request.get-path-with-query", string? (ComponentResource self) => self.Get<HttpRequest>().PathWithQuery);
        to.Add("[method]request.set-path-with-query", (ComponentResource self, string? path) => Set(OutgoingRequest.IsPath(path), () => self.Get<HttpRequest>().PathWithQuery = path is "" ? "/" : path));
        to.Add("[method]request.get-scheme", HttpScheme? (ComponentResource self) => self.Get<HttpRequest>().Scheme);
        to.Add("[method]request.set-scheme", (ComponentResource self, HttpScheme? scheme) => Set(OutgoingRequest.IsScheme(scheme), () => self.Get<HttpRequest>().Scheme = scheme is HttpScheme.Other { Value: var name } ? HttpScheme.Of(name) : scheme));
        to.Add("[method]request.get-authority", string? (ComponentResource self) => self.Get<HttpRequest>().Authority);
        to.Add("[method]request.set-authority", (ComponentResource self, string? authority) =>
            Set(OutgoingRequest.IsAuthority(authority, mayNameUser: true), () => self.Get<HttpRequest>().Authority = authority));
        to.Add("[method]request.get-options", ComponentResource? (ComponentResource self) =>
            self.Get<HttpRequest>().Options is { } options ? types.RequestOptions.New(options.Copy(isImmutable: true)) : null);
        to.Add("[method]request.get-headers", (ComponentResource self) => types.Fields.New(self.Get<HttpRequest>().ReadHeaders()));
        to.Add("[static]request.consume-body", (ComponentResource self, Task<ComponentResult<NoValue, HttpFailure>> result) => Consume(self, self.Get<HttpRequest>(), result));
    }

    private static void AddResponse(InterfaceWriter to, ResourceTypes types)
    {
        to.Add("response", types.Response);
        to.Add("[static]response.new", (ComponentResource headers, Stream? contents, Task<ComponentResult<ComponentResource?, HttpFailure>> trailers) =>
        {
            var response = new HttpResponse(Preview2.HttpTypesInterface.Frozen(headers), contents, trailers);
            return (types.Response.New(response), response.Sent);
        });
        to.Add("[method]response.get-status-code", (ComponentResource self) => self.Get<HttpResponse>().Status);
        to.Add("[method]response.set-status-code", (ComponentResource self, ushort status) => Set(status is >= 100 and < 600, () => self.Get<HttpResponse>().Status = status));
        to.Add("[method]response.get-headers", (ComponentResource self) => types.Fields.New(self.Get<HttpResponse>().ReadHeaders()));
        to.Add("[static]response.consume-body", (ComponentResource self, Task<ComponentResult<NoValue, HttpFailure>> result) => Consume(self, self.Get<HttpResponse>(), result));
    }

    /// <summary>A guest consumes a body, and says by a future how that has ended; the maker of the message is told.</summary>
    private static (Stream, Task<ComponentResult<ComponentResource?, HttpFailure>>) Consume(ComponentResource self, HttpMessage message, Task<ComponentResult<NoValue, HttpFailure>> result)
    {
        (Stream? contents, Task<ComponentResult<ComponentResource?, HttpFailure>> trailers) = message.Take();
        self.Dispose();
        _ = TellAsync(message, result);
        return (contents ?? Stream.Null, trailers);
    }

    private static async Task TellAsync(HttpMessage message, Task<ComponentResult<NoValue, HttpFailure>> result)
    {
        try
        {
            ComponentResult<NoValue, HttpFailure> said = await result.ConfigureAwait(false);
            message.End(said.IsOk ? null : said.Error);
        }
        catch (ObjectDisposedException)
        {
            message.End(new HttpFailure.ConnectionTerminated());
        }
    }
}

/// <summary><c>wasi:http/client</c>, on <see cref="HttpClient"/>.</summary>
internal static class HttpClientInterface
{
    internal static void AddTo(InterfaceWriter to, WasiState state)
    {
        to.Add("request", state.Types.Request);
        to.Add("response", state.Types.Response);
        to.Add("send", (ComponentResource request) =>
        {
            HttpRequest message = request.Get<HttpRequest>();
            (Stream? contents, Task<ComponentResult<ComponentResource?, HttpFailure>> trailers) = message.Take();
            request.Dispose();
            return SendAsync(state, message, contents, trailers);
        });
    }

    private static async Task<ComponentResult<ComponentResource, HttpFailure>> SendAsync(
        WasiState state, HttpRequest request, Stream? contents, Task<ComponentResult<ComponentResource?, HttpFailure>> trailers)
    {
        using var source = CancellationTokenSource.CreateLinkedTokenSource(state.Options.Cancellation);
        HttpContentOfGuest? content = contents is null ? null : new HttpContentOfGuest(contents, request, trailers);
        try
        {
            HttpRequestMessage message = HttpOutgoingInterface.Begin(state, request.Method, OutgoingRequest.AddressOf(request.Scheme, request.Authority, request.PathWithQuery), out WasiHttp granted);
            message.Content = content;
            request.Fields.CopyTo(message.Headers, message.Content?.Headers);
            (HttpResponseMessage response, Stream body) = await HttpOutgoingInterface.ExchangeAsync(state, granted, message, request.Options, source).ConfigureAwait(false);
            if (content is null)
            {
                LeftValues.DiscardResult(trailers);
                request.End(null);
            }
            HttpFields headers = HttpFields.Of(response.Headers, response.Content.Headers);
            var incoming = new IncomingStream(body, () => HttpFields.TrailersOf(response), fields => state.Types.Fields.New(fields));
            return state.Types.Response.New(new HttpResponse(headers, incoming, incoming.Trailers) { Status = (ushort)response.StatusCode });
        }
        catch (Exception e) when (HttpFailure.Of(e) is { } failure)
        {
            request.End(failure);
            contents?.Dispose();
            LeftValues.DiscardResult(trailers);
            return ComponentResult<ComponentResource, HttpFailure>.Fail(failure);
        }
    }

    /// <summary>The body of a guest's request, which is as long as its headers say.</summary>
    private sealed class HttpContentOfGuest(Stream contents, HttpRequest request, Task<ComponentResult<ComponentResource?, HttpFailure>> trailers) : HttpContent
    {
        private readonly long? length = request.Fields.ContentLength;

        protected override async Task SerializeToStreamAsync(Stream stream, System.Net.TransportContext? context)
        {
            byte[] buffer = new byte[16 * 1024];
            long written = 0;
            try
            {
                while (await contents.ReadAsync(buffer).ConfigureAwait(false) is > 0 and var count)
                {
                    written += count;
                    if (written > length) throw new HttpFault(new HttpFailure.HttpRequestBodySize((ulong)written));
                    await stream.WriteAsync(buffer.AsMemory(0, count)).ConfigureAwait(false);
                    await stream.FlushAsync().ConfigureAwait(false);
                }
                if (written == 0) await stream.FlushAsync().ConfigureAwait(false);
                if (length is { } wanted && written != wanted) throw new HttpFault(new HttpFailure.HttpRequestBodySize((ulong)written));
                // A guest whose body has failed says so here.
                ComponentResult<ComponentResource?, HttpFailure> behind = await trailers.ConfigureAwait(false);
                if (!behind.IsOk) throw new HttpFault(behind.Error);
                if (behind.Value is { } fields)
                {
                    // Behind a body of a given length there is no place for them.
                    if (length is null) RequestTrailers.End(fields.Get<HttpFields>());
                    fields.Dispose();
                }
                request.End(null);
            }
            catch (Exception e)
            {
                request.End(HttpFailure.Of(e) ?? new HttpFailure.ConnectionTerminated());
                throw;
            }
            finally
            {
                await contents.DisposeAsync().ConfigureAwait(false);
            }
        }

        protected override bool TryComputeLength(out long computed)
        {
            computed = length ?? 0;
            return length is not null;
        }
    }
}
