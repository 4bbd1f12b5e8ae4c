using System.Net;
using System.Text;
using WasmJit.Components;
using WasmJit.Wasi.Preview2;
using Xunit;

namespace WasmJit.Tests;

/// <summary><c>wasi:http</c>: fields, messages, requests of guests. The other end is a handler in this process.</summary>
public sealed class WasiHttpTests
{
    private sealed class Answer(Func<HttpRequestMessage, CancellationToken, Task<HttpResponseMessage>> answer) : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) => answer(request, cancellationToken);
    }

    private static WasiComponentGuest Guest(Func<HttpRequestMessage, CancellationToken, Task<HttpResponseMessage>>? answer = null, WasiHttp? http = null) => new(new WasiOptions
    {
        Input = Stream.Null,
        Http = http ?? new WasiHttp { Allow = static u => u.Host == "example.org", Client = new HttpClient(new Answer(answer ?? ((_, _) => Task.FromResult(new HttpResponseMessage())))) },
    });

    private static byte[] Utf8(string text) => Encoding.UTF8.GetBytes(text);

    private static ComponentValue Values(params string[] values) => ComponentValue.List(values.Select(v => WasiComponentGuest.Of(Utf8(v))));

    private static ComponentValue Some(object value) => ComponentValue.Some(WasiComponentGuest.Of(value));

    private static ComponentResource Fields(WasiComponentGuest guest, params (string Name, string Value)[] entries) => guest.Ok(
        "http/types#[static]fields.from-list",
        ComponentValue.List(entries.Select(e => ComponentValue.Tuple(ComponentValue.From(e.Name), WasiComponentGuest.Of(Utf8(e.Value)))))).AsResource();

    private static string Entries(WasiComponentGuest guest, ComponentResource fields) => string.Join(
        ", ", guest.Call("http/types#[method]fields.entries", fields).Items.Select(e => $"{e.Items[0].AsString()}={WasiComponentGuest.Text(e.Items[1])}"));

    private static ComponentResource Request(WasiComponentGuest guest, string authority = "example.org", string method = "get", params (string Name, string Value)[] headers)
    {
        ComponentResource request = guest.Resource("http/types#[constructor]outgoing-request", Fields(guest, headers));
        guest.Ok("http/types#[method]outgoing-request.set-method", request, ComponentValue.Variant(method));
        guest.Ok("http/types#[method]outgoing-request.set-authority", request, Some(authority));
        guest.Ok("http/types#[method]outgoing-request.set-path-with-query", request, Some("/a?b=c"));
        return request;
    }

    private static ComponentValue Response(WasiComponentGuest guest, ComponentResource request, ComponentValue options)
    {
        ComponentResource future = guest.Ok("http/outgoing-handler#handle", request, options).AsResource();
        using (ComponentResource pollable = guest.Resource("http/types#[method]future-incoming-response.subscribe", future)) guest.Call("io/poll#[method]pollable.block", pollable);
        ComponentValue result = guest.Call("http/types#[method]future-incoming-response.get", future).Payload.Payload;
        // Once only.
        Assert.Equal("some(error)", guest.Call("http/types#[method]future-incoming-response.get", future).ToString());
        future.Dispose();
        return result;
    }

    [Fact]
    public void FieldsAreKeptInOrder()
    {
        using WasiComponentGuest guest = Guest();
        using ComponentResource fields = guest.Resource("http/types#[constructor]fields");
        guest.Ok("http/types#[method]fields.append", fields, "X-One", Utf8("1"));
        guest.Ok("http/types#[method]fields.append", fields, "x-two", Utf8("2"));
        guest.Ok("http/types#[method]fields.append", fields, "x-one", Utf8("3"));
        Assert.Equal("X-One=1, x-two=2, X-One=3", Entries(guest, fields));
        Assert.Equal(["1", "3"], guest.Call("http/types#[method]fields.get", fields, "x-ONE").Items.Select(WasiComponentGuest.Text));
        Assert.True(guest.Call("http/types#[method]fields.has", fields, "X-Two").AsBool());
        using ComponentResource clone = guest.Resource("http/types#[method]fields.clone", fields);
        guest.Ok("http/types#[method]fields.set", fields, "x-one", Values("4", "5"));
        guest.Ok("http/types#[method]fields.delete", fields, "x-two");
        Assert.Equal("x-one=4, x-one=5", Entries(guest, fields));
        Assert.Equal("X-One=1, x-two=2, X-One=3", Entries(guest, clone));
    }

    [Fact]
    public void FieldsThatCannotBeAreRefused()
    {
        using WasiComponentGuest guest = Guest();
        using ComponentResource fields = guest.Resource("http/types#[constructor]fields");
        Assert.Equal("invalid-syntax", guest.Fails("http/types#[method]fields.append", fields, "a b", Utf8("")));
        Assert.Equal("invalid-syntax", guest.Fails("http/types#[method]fields.append", fields, "", Utf8("")));
        Assert.Equal("invalid-syntax", guest.Fails("http/types#[method]fields.append", fields, "a", Utf8("x\r\nevil: 1")));
        Assert.Equal("invalid-syntax", guest.Fails("http/types#[method]fields.set", fields, "a", Values("ok", "\0")));
        Assert.Equal("forbidden", guest.Fails("http/types#[method]fields.append", fields, "Transfer-Encoding", Utf8("chunked")));
        Assert.Equal("forbidden", guest.Fails("http/types#[method]fields.delete", fields, "host"));
        ComponentResource request = guest.Resource("http/types#[constructor]outgoing-request", Fields(guest, ("a", "1")));
        using (ComponentResource own = guest.Resource("http/types#[method]outgoing-request.headers", request))
        {
            Assert.Equal("immutable", guest.Fails("http/types#[method]fields.append", own, "b", Utf8("2")));
            Assert.Equal("a=1", Entries(guest, own));
        }
        request.Dispose();
        Assert.Contains("bytes at most", guest.Traps("http/types#[method]fields.append", fields, "big", Utf8(new string('x', 200_000))), StringComparison.Ordinal);
    }

    [Fact]
    public void RequestsHaveWhatIsSet()
    {
        using WasiComponentGuest guest = Guest();
        using ComponentResource request = guest.Resource("http/types#[constructor]outgoing-request", Fields(guest));
        Assert.Equal("get", guest.Call("http/types#[method]outgoing-request.method", request).CaseName);
        Assert.Equal("none", guest.Call("http/types#[method]outgoing-request.scheme", request).ToString());
        guest.Ok("http/types#[method]outgoing-request.set-method", request, ComponentValue.Variant("other", ComponentValue.From("PURGE")));
        Assert.Equal("other(\"PURGE\")", guest.Call("http/types#[method]outgoing-request.method", request).ToString());
        guest.Ok("http/types#[method]outgoing-request.set-scheme", request, ComponentValue.Some(ComponentValue.Variant("HTTP")));
        Assert.Equal("some(HTTP)", guest.Call("http/types#[method]outgoing-request.scheme", request).ToString());
        guest.Ok("http/types#[method]outgoing-request.set-authority", request, Some("example.org:8080"));
        Assert.Equal("some(\"example.org:8080\")", guest.Call("http/types#[method]outgoing-request.authority", request).ToString());
        guest.Ok("http/types#[method]outgoing-request.set-path-with-query", request, Some("/x?y"));
        Assert.Equal("some(\"/x?y\")", guest.Call("http/types#[method]outgoing-request.path-with-query", request).ToString());
        foreach (ComponentValue bad in new[] { Some("a b"), Some("/a\r\nb"), Some("/#x"), Some("/<x"), Some("/x>"), Some("/`") })
            Assert.Equal("error", guest.Call("http/types#[method]outgoing-request.set-path-with-query", request, bad).CaseName);
        foreach (ComponentValue bad in new[] { Some("a/b"), Some("user@host"), Some("a b") })
            Assert.Equal("error", guest.Call("http/types#[method]outgoing-request.set-authority", request, bad).CaseName);
        Assert.Equal("error", guest.Call("http/types#[method]outgoing-request.set-method", request, ComponentValue.Variant("other", ComponentValue.From("A B"))).CaseName);
        Assert.Equal("error", guest.Call("http/types#[method]outgoing-request.set-scheme", request, ComponentValue.Some(ComponentValue.Variant("other", ComponentValue.From("1x")))).CaseName);
    }

    [Fact]
    public void RequestsAreSentAndAnswered()
    {
        string? seen = null;
        using WasiComponentGuest guest = Guest(async (request, _) =>
        {
            seen = $"{request.Method} {request.RequestUri} {string.Join(',', request.Headers.GetValues("x-in"))} {await request.Content!.ReadAsStringAsync(CancellationToken.None)}";
            var response = new HttpResponseMessage(HttpStatusCode.Created) { Content = new StringContent("answer") };
            response.Headers.Add("x-out", "2");
            response.TrailingHeaders.Add("x-behind", "3");
            return response;
        });
        ComponentResource request = Request(guest, method: "post", headers: ("x-in", "1"));
        ComponentResource body = guest.Ok("http/types#[method]outgoing-request.body", request).AsResource();
        Assert.Equal("error", guest.Call("http/types#[method]outgoing-request.body", request).CaseName);
        ComponentResource to = guest.Ok("http/types#[method]outgoing-body.write", body).AsResource();
        Assert.Equal("error", guest.Call("http/types#[method]outgoing-body.write", body).CaseName);
        guest.Ok("io/streams#[method]output-stream.blocking-write-and-flush", to, Utf8("question"));
        to.Dispose();
        guest.Ok("http/types#[static]outgoing-body.finish", body, ComponentValue.Nothing);
        ComponentResource response = Response(guest, request, ComponentValue.Nothing).Payload.AsResource();
        Assert.Equal("POST https://example.org/a?b=c 1 question", seen);
        Assert.Equal(201, guest.Call("http/types#[method]incoming-response.status", response).AsU16());
        using (ComponentResource headers = guest.Resource("http/types#[method]incoming-response.headers", response))
        {
            Assert.Equal(["2"], guest.Call("http/types#[method]fields.get", headers, "x-out").Items.Select(WasiComponentGuest.Text));
            Assert.Equal("immutable", guest.Fails("http/types#[method]fields.delete", headers, "x-out"));
        }
        ComponentResource incoming = guest.Ok("http/types#[method]incoming-response.consume", response).AsResource();
        Assert.Equal("error", guest.Call("http/types#[method]incoming-response.consume", response).CaseName);
        using (ComponentResource from = guest.Ok("http/types#[method]incoming-body.stream", incoming).AsResource()) Assert.Equal("answer", guest.ReadAll(from));
        Assert.Equal("error", guest.Call("http/types#[method]incoming-body.stream", incoming).CaseName);
        using ComponentResource trailers = guest.Resource("http/types#[static]incoming-body.finish", incoming);
        using (ComponentResource pollable = guest.Resource("http/types#[method]future-trailers.subscribe", trailers)) guest.Call("io/poll#[method]pollable.block", pollable);
        ComponentResource behind = guest.Call("http/types#[method]future-trailers.get", trailers).Payload.Payload.Payload.Payload.AsResource();
        Assert.Equal("x-behind=3", Entries(guest, behind));
        Assert.Equal("some(error)", guest.Call("http/types#[method]future-trailers.get", trailers).ToString());
        response.Dispose();
    }

    /// <summary>By the client that guests share, which is asked for nothing that must not be there.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task TrailersOfRequestsAreSent(bool hasBody)
    {
        using var server = new OneRequest();
        using WasiComponentGuest guest = Guest(http: new WasiHttp { Allow = static u => u.IsLoopback });
        ComponentResource request = Request(guest, server.Authority, "post");
        guest.Ok("http/types#[method]outgoing-request.set-scheme", request, ComponentValue.Some(ComponentValue.Variant("HTTP")));
        ComponentResource body = guest.Ok("http/types#[method]outgoing-request.body", request).AsResource();
        ComponentResource future = guest.Ok("http/outgoing-handler#handle", request, ComponentValue.Nothing).AsResource();
        if (hasBody)
        {
            using ComponentResource to = guest.Ok("http/types#[method]outgoing-body.write", body).AsResource();
            guest.Ok("io/streams#[method]output-stream.blocking-write-and-flush", to, Utf8("question"));
        }
        guest.Ok("http/types#[static]outgoing-body.finish", body, Some(Fields(guest, ("x-sum", "12"), ("x-sum", "13"), ("content-length", "7"), ("x-last", "\u00e4"))));
        using (ComponentResource pollable = guest.Resource("http/types#[method]future-incoming-response.subscribe", future)) guest.Call("io/poll#[method]pollable.block", pollable);
        ComponentResource response = guest.Call("http/types#[method]future-incoming-response.get", future).Payload.Payload.Payload.AsResource();
        Assert.Equal(204, guest.Call("http/types#[method]incoming-response.status", response).AsU16());
        string sent = await server.Received;
        Assert.StartsWith("POST /a?b=c HTTP/1.1\r\n", sent, StringComparison.Ordinal);
        Assert.EndsWith($"\r\n\r\n{(hasBody ? "8\r\nquestion\r\n" : "")}0\r\nx-sum: 12\r\nx-sum: 13\r\nx-last: \u00c3\u00a4\r\n\r\n", sent, StringComparison.Ordinal);
        response.Dispose();
        future.Dispose();
    }

    [Fact]
    public void OnlyWhatIsAllowedIsRequested()
    {
        int sent = 0;
        using WasiComponentGuest guest = Guest((_, _) =>
        {
            sent++;
            return Task.FromResult(new HttpResponseMessage());
        });
        Assert.Equal("HTTP-request-denied", guest.Fails("http/outgoing-handler#handle", Request(guest, "other.org"), ComponentValue.Nothing));
        ComponentResource request = guest.Resource("http/types#[constructor]outgoing-request", Fields(guest));
        Assert.Equal("HTTP-request-URI-invalid", guest.Fails("http/outgoing-handler#handle", request, ComponentValue.Nothing));
        using WasiComponentGuest without = new(new WasiOptions { Input = Stream.Null });
        Assert.Equal("HTTP-request-denied", without.Fails("http/outgoing-handler#handle", Request(without), ComponentValue.Nothing));
        Assert.Equal(0, sent);
    }

    [Fact]
    public void WhatGoesWrongHasACode()
    {
        var failures = new Queue<Exception>([
            new HttpRequestException(HttpRequestError.NameResolutionError), new HttpRequestException(HttpRequestError.SecureConnectionError), new HttpRequestException(HttpRequestError.ResponseEnded),
            new HttpRequestException(HttpRequestError.ConnectionError, "", new System.Net.Sockets.SocketException((int)System.Net.Sockets.SocketError.ConnectionRefused)),
        ]);
        using WasiComponentGuest guest = Guest((_, _) => Task.FromException<HttpResponseMessage>(failures.Dequeue()));
        foreach (string code in new[] { "DNS-error", "TLS-protocol-error", "HTTP-response-incomplete", "connection-refused" })
            Assert.Equal(code, Response(guest, Request(guest), ComponentValue.Nothing).Payload.CaseName);
    }

    [Fact]
    public void TimesOfTheGuestHold()
    {
        using WasiComponentGuest guest = Guest(async (_, token) =>
        {
            await Task.Delay(Timeout.Infinite, token);
            return new HttpResponseMessage();
        });
        ComponentResource options = guest.Resource("http/types#[constructor]request-options");
        foreach ((string get, string set) in new[]
        {
            ("connect-timeout", "set-connect-timeout"), ("first-byte-timeout", "set-first-byte-timeout"), ("between-bytes-timeout", "set-between-bytes-timeout"),
        })
        {
            Assert.Equal("none", guest.Call("http/types#[method]request-options." + get, options).ToString());
            guest.Ok("http/types#[method]request-options." + set, options, Some(1_000_000));
            Assert.Equal("some(1000000)", guest.Call("http/types#[method]request-options." + get, options).ToString());
        }
        Assert.Equal("HTTP-response-timeout", Response(guest, Request(guest), Some(options)).Payload.CaseName);
    }

    [Fact]
    public void ABodyHasTheLengthThatWasAnnounced()
    {
        using WasiComponentGuest guest = Guest();
        ComponentResource request = Request(guest, method: "put", headers: ("content-length", "5"));
        ComponentResource body = guest.Ok("http/types#[method]outgoing-request.body", request).AsResource();
        using (ComponentResource to = guest.Ok("http/types#[method]outgoing-body.write", body).AsResource())
            guest.Ok("io/streams#[method]output-stream.blocking-write-and-flush", to, Utf8("abc"));
        Assert.Equal("HTTP-request-body-size", guest.Fails("http/types#[static]outgoing-body.finish", body, ComponentValue.Nothing));
        request.Dispose();
    }

    [Fact]
    public void AnErrorOfABodyHasItsCode()
    {
        using WasiComponentGuest guest = Guest((_, _) => Task.FromResult(new HttpResponseMessage { Content = new StreamContent(new Broken()) }));
        ComponentResource response = Response(guest, Request(guest), ComponentValue.Nothing).Payload.AsResource();
        ComponentResource incoming = guest.Ok("http/types#[method]incoming-response.consume", response).AsResource();
        using ComponentResource from = guest.Ok("http/types#[method]incoming-body.stream", incoming).AsResource();
        using ComponentResource error = guest.Call("io/streams#[method]input-stream.blocking-read", from, 10).Payload.Payload.AsResource();
        Assert.Equal("some(HTTP-response-incomplete)", guest.Call("http/types#http-error-code", error).ToString());
    }

    private sealed class Broken : MemoryStream
    {
        public override bool CanSeek => false;

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => throw new HttpIOException(HttpRequestError.ResponseEnded);
    }

    [Fact]
    public void RequestsThatComeInAreRead()
    {
        using WasiComponentGuest guest = Guest();
        var message = new HttpRequestMessage(HttpMethod.Put, "http://host.example:81/p?q") { Content = new StringContent("body") };
        message.Headers.Add("x-a", ["1", "2"]);
        ResourceTypes types = guest.Mirror.Host.State.Types;
        ComponentResource request = types.IncomingRequest.New(new IncomingRequest(new MessageExchange(message, new MemoryStream(Utf8("body")))));
        Assert.Equal("put", guest.Call("http/types#[method]incoming-request.method", request).CaseName);
        Assert.Equal("some(\"/p?q\")", guest.Call("http/types#[method]incoming-request.path-with-query", request).ToString());
        Assert.Equal("some(HTTP)", guest.Call("http/types#[method]incoming-request.scheme", request).ToString());
        Assert.Equal("some(\"host.example:81\")", guest.Call("http/types#[method]incoming-request.authority", request).ToString());
        using (ComponentResource headers = guest.Resource("http/types#[method]incoming-request.headers", request))
            Assert.Equal(["1", "2"], guest.Call("http/types#[method]fields.get", headers, "x-a").Items.Select(WasiComponentGuest.Text));
        using ComponentResource body = guest.Ok("http/types#[method]incoming-request.consume", request).AsResource();
        Assert.Equal("error", guest.Call("http/types#[method]incoming-request.consume", request).CaseName);
        using ComponentResource from = guest.Ok("http/types#[method]incoming-body.stream", body).AsResource();
        Assert.Equal("body", guest.ReadAll(from));
    }

    [Fact]
    public async Task ResponsesThatGoOutAreMessages()
    {
        using WasiComponentGuest guest = Guest();
        ResourceTypes types = guest.Mirror.Host.State.Types;
        var exchange = new MessageExchange(new HttpRequestMessage(), Stream.Null);
        ComponentResource param = types.ResponseOutparam.New(new ResponseOutparam(exchange));
        ComponentResource response = guest.Resource("http/types#[constructor]outgoing-response", Fields(guest, ("x-a", "1"), ("content-type", "text/plain")));
        Assert.Equal(200, guest.Call("http/types#[method]outgoing-response.status-code", response).AsU16());
        guest.Ok("http/types#[method]outgoing-response.set-status-code", response, (ushort)404);
        Assert.Equal("error", guest.Call("http/types#[method]outgoing-response.set-status-code", response, (ushort)99).CaseName);
        using (ComponentResource headers = guest.Resource("http/types#[method]outgoing-response.headers", response)) Assert.Equal("x-a=1, content-type=text/plain", Entries(guest, headers));
        Assert.Equal("internal-error", guest.Fails("http/types#[method]response-outparam.send-informational", param, (ushort)103, Fields(guest)));
        ComponentResource body = guest.Ok("http/types#[method]outgoing-response.body", response).AsResource();
        guest.Call("http/types#[static]response-outparam.set", param, ComponentValue.Ok(ComponentValue.From(response)));
        HttpResponseMessage message = await exchange.Response;
        using (ComponentResource to = guest.Ok("http/types#[method]outgoing-body.write", body).AsResource())
            guest.Ok("io/streams#[method]output-stream.blocking-write-and-flush", to, Utf8("text"));
        guest.Ok("http/types#[static]outgoing-body.finish", body, ComponentValue.Nothing);
        Assert.Equal(HttpStatusCode.NotFound, message.StatusCode);
        Assert.Equal("1", Assert.Single(message.Headers.GetValues("x-a")));
        Assert.Equal("text/plain", message.Content.Headers.ContentType!.MediaType);
        Assert.Equal("text", await message.Content.ReadAsStringAsync(CancellationToken.None));
    }
}
