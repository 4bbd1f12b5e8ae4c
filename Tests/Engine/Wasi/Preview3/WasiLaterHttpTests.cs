using System.Net;
using System.Text;
using WasmJit.Components;
using WasmJit.Wasi.Preview2;
using WasmJit.Wasi.Preview3;
using Xunit;
using HeaderError = WasmJit.Wasi.Preview3.HeaderError;

namespace WasmJit.Tests;

/// <summary>HTTP of WASI 0.3, called from a component.</summary>
public sealed class WasiLaterHttpTests : IDisposable
{
    private readonly WasiMirror mirror;

    public WasiLaterHttpTests()
        : this(new WasiHttp { Allow = static uri => uri.Host == "there", Client = new HttpClient(new Answering()) })
    {
    }

    private WasiLaterHttpTests(WasiHttp http) => mirror = new WasiMirror(new WasiOptions { Http = http }, isLater: true);

    public void Dispose() => mirror.Dispose();

    private T F<T>(string function)
        where T : Delegate => mirror.Function<T>("wasi:http/" + function);

    private T Fields<T>(string method)
        where T : Delegate => F<T>($"types#[method]fields.{method}");

    private ComponentResource NewFields(params (string, string)[] all) =>
        F<Func<(string, byte[])[], ComponentResult<ComponentResource, HeaderError>>>("types#[static]fields.from-list")([.. all.Select(f => (f.Item1, Encoding.UTF8.GetBytes(f.Item2)))]).Value;

    private string Shown(ComponentResource fields) =>
        string.Join(", ", Fields<Func<ComponentResource, (string, byte[])[]>>("copy-all")(fields).Select(f => $"{f.Item1}={Encoding.UTF8.GetString(f.Item2)}"));

    [Fact]
    public void FieldsAreKept()
    {
        using ComponentResource fields = F<Func<ComponentResource>>("types#[constructor]fields")();
        var append = Fields<Func<ComponentResource, string, byte[], ComponentResult<NoValue, HeaderError>>>("append");
        Assert.True(append(fields, "a", "1"u8.ToArray()).IsOk);
        Assert.True(Fields<Func<ComponentResource, string, byte[][], ComponentResult<NoValue, HeaderError>>>("set")(fields, "b", ["2"u8.ToArray(), "3"u8.ToArray()]).IsOk);
        Assert.True(Fields<Func<ComponentResource, string, bool>>("has")(fields, "A"));
        Assert.Equal(2, Fields<Func<ComponentResource, string, byte[][]>>("get")(fields, "b").Length);
        using ComponentResource copy = Fields<Func<ComponentResource, ComponentResource>>("clone")(fields);
        Assert.Equal(2, Fields<Func<ComponentResource, string, ComponentResult<byte[][], HeaderError>>>("get-and-delete")(fields, "b").Value.Length);
        Assert.True(Fields<Func<ComponentResource, string, ComponentResult<NoValue, HeaderError>>>("delete")(fields, "a").IsOk);
        Assert.Equal(("", "a=1, b=2, b=3"), (Shown(fields), Shown(copy)));
        Assert.IsType<HeaderError.InvalidSyntax>(append(fields, "a b", []).Error);
        Assert.IsType<HeaderError.Forbidden>(append(fields, "connection", []).Error);
        Assert.IsType<HeaderError.SizeExceeded>(append(fields, "large", new byte[HttpFields.MostBytes]).Error);
    }

    /// <summary>What small fields take besides their bytes counts as well, and so does the number of collections: no other limit knows of them.</summary>
    [Fact]
    public void FieldsTakeNoMoreMemoryThanTheyMay()
    {
        using ComponentResource fields = F<Func<ComponentResource>>("types#[constructor]fields")();
        var append = Fields<Func<ComponentResource, string, byte[], ComponentResult<NoValue, HeaderError>>>("append");
        int count = 0;
        while (append(fields, "a", []).IsOk) count++;
        Assert.InRange(count, 1000, HttpFields.MostBytes / 32);

        var clone = Fields<Func<ComponentResource, ComponentResource>>("clone");
        using ComponentResource small = F<Func<ComponentResource>>("types#[constructor]fields")();
        List<ComponentResource> kept = [];
        TrapException trap = Assert.Throws<TrapException>(() =>
        {
            while (kept.Count < 2 * ResourceTypes.MostMessages) kept.Add(clone(small));
        });
        Assert.Equal(("too many objects of the host: fields", ResourceTypes.MostMessages - 2), (trap.Message, kept.Count));
    }

    [Fact]
    public void OptionsOfRequests()
    {
        using ComponentResource options = F<Func<ComponentResource>>("types#[constructor]request-options")();
        foreach ((string get, string set) in new[]
            { ("get-connect-timeout", "set-connect-timeout"), ("get-first-byte-timeout", "set-first-byte-timeout"), ("get-between-bytes-timeout", "set-between-bytes-timeout") })
        {
            Assert.True(F<Func<ComponentResource, ulong?, ComponentResult<NoValue, RequestOptionsError>>>($"types#[method]request-options.{set}")(options, 5).IsOk);
            Assert.Equal(5u, F<Func<ComponentResource, ulong?>>($"types#[method]request-options.{get}")(options));
        }
        using ComponentResource copy = F<Func<ComponentResource, ComponentResource>>("types#[method]request-options.clone")(options);
        Assert.Equal(5u, F<Func<ComponentResource, ulong?>>("types#[method]request-options.get-connect-timeout")(copy));
    }

    private T Request<T>(string method)
        where T : Delegate => F<T>($"types#[method]request.{method}");

    private (ComponentResource Request, Task<ComponentResult<NoValue, HttpFailure>> Sent) NewRequest(
        Stream? contents, ComponentResource? options = null, Task<ComponentResult<ComponentResource?, HttpFailure>>? trailers = null) =>
        F<Func<ComponentResource, Stream?, Task<ComponentResult<ComponentResource?, HttpFailure>>, ComponentResource?, (ComponentResource, Task<ComponentResult<NoValue, HttpFailure>>)>>(
            "types#[static]request.new")(NewFields(("x-a", "1")), contents, trailers ?? NoTrailers, options);

    private static Task<ComponentResult<ComponentResource?, HttpFailure>> NoTrailers => Task.FromResult<ComponentResult<ComponentResource?, HttpFailure>>((ComponentResource?)null);

    [Fact]
    public void RequestsAreMade()
    {
        (ComponentResource request, _) = NewRequest(null, F<Func<ComponentResource>>("types#[constructor]request-options")());
        using (request)
        {
            Assert.IsType<HttpVerb.Get>(Request<Func<ComponentResource, HttpVerb>>("get-method")(request));
            Assert.True(Request<Func<ComponentResource, HttpVerb, ComponentResult<NoValue, NoValue>>>("set-method")(request, new HttpVerb.Other("PUT")).IsOk);
            Assert.IsType<HttpVerb.Put>(Request<Func<ComponentResource, HttpVerb>>("get-method")(request));
            Assert.False(Request<Func<ComponentResource, HttpVerb, ComponentResult<NoValue, NoValue>>>("set-method")(request, new HttpVerb.Other("a b")).IsOk);
            Assert.True(Request<Func<ComponentResource, string?, ComponentResult<NoValue, NoValue>>>("set-path-with-query")(request, "/p?q").IsOk);
            Assert.Equal("/p?q", Request<Func<ComponentResource, string?>>("get-path-with-query")(request));
            Assert.True(Request<Func<ComponentResource, HttpScheme?, ComponentResult<NoValue, NoValue>>>("set-scheme")(request, new HttpScheme.Http()).IsOk);
            Assert.IsType<HttpScheme.Http>(Request<Func<ComponentResource, HttpScheme?>>("get-scheme")(request));
            Assert.True(Request<Func<ComponentResource, string?, ComponentResult<NoValue, NoValue>>>("set-authority")(request, "there:80").IsOk);
            Assert.Equal("there:80", Request<Func<ComponentResource, string?>>("get-authority")(request));
            using ComponentResource headers = Request<Func<ComponentResource, ComponentResource>>("get-headers")(request);
            Assert.Equal("x-a=1", Shown(headers));
            Assert.IsType<HeaderError.Immutable>(Fields<Func<ComponentResource, string, ComponentResult<NoValue, HeaderError>>>("delete")(headers, "x-a").Error);
            using ComponentResource? options = Request<Func<ComponentResource, ComponentResource?>>("get-options")(request);
            Assert.IsType<RequestOptionsError.Immutable>(
                F<Func<ComponentResource, ulong?, ComponentResult<NoValue, RequestOptionsError>>>("types#[method]request-options.set-connect-timeout")(options!, 1).Error);
        }
    }

    /// <summary>What a guest has made another may consume; the maker is told how that ends.</summary>
    [Fact]
    public async Task BodiesAreConsumed()
    {
        (ComponentResource request, Task<ComponentResult<NoValue, HttpFailure>> sent) = NewRequest(new MemoryStream("body"u8.ToArray()));
        (Stream contents, Task<ComponentResult<ComponentResource?, HttpFailure>> trailers) =
            F<Func<ComponentResource, Task<ComponentResult<NoValue, HttpFailure>>, (Stream, Task<ComponentResult<ComponentResource?, HttpFailure>>)>>("types#[static]request.consume-body")(
                request, Task.FromResult(ComponentResult<NoValue, HttpFailure>.Fail(new HttpFailure.LoopDetected())));
        Assert.Equal("body", await new StreamReader(contents).ReadToEndAsync());
        Assert.Null((await trailers).Value);
        Assert.IsType<HttpFailure.LoopDetected>((await sent).Error);
    }

    [Fact]
    public async Task Responses()
    {
        (ComponentResource response, Task<ComponentResult<NoValue, HttpFailure>> sent) =
            F<Func<ComponentResource, Stream?, Task<ComponentResult<ComponentResource?, HttpFailure>>, (ComponentResource, Task<ComponentResult<NoValue, HttpFailure>>)>>("types#[static]response.new")(
                NewFields(("x-b", "2")), null, NoTrailers);
        Assert.Equal(200, F<Func<ComponentResource, ushort>>("types#[method]response.get-status-code")(response));
        var set = F<Func<ComponentResource, ushort, ComponentResult<NoValue, NoValue>>>("types#[method]response.set-status-code");
        Assert.True(set(response, 404).IsOk);
        Assert.False(set(response, 600).IsOk);
        using (ComponentResource headers = F<Func<ComponentResource, ComponentResource>>("types#[method]response.get-headers")(response)) Assert.Equal("x-b=2", Shown(headers));
        (Stream contents, _) = F<Func<ComponentResource, Task<ComponentResult<NoValue, HttpFailure>>, (Stream, Task<ComponentResult<ComponentResource?, HttpFailure>>)>>("types#[static]response.consume-body")(
            response, Task.FromResult<ComponentResult<NoValue, HttpFailure>>(default(NoValue)));
        Assert.Equal("", await new StreamReader(contents).ReadToEndAsync());
        Assert.True((await sent).IsOk);
    }

    [Fact]
    public async Task RequestsAreSent()
    {
        var send = F<Func<ComponentResource, Task<ComponentResult<ComponentResource, HttpFailure>>>>("client#send");
        (ComponentResource request, Task<ComponentResult<NoValue, HttpFailure>> sent) = NewRequest(new MemoryStream("ping"u8.ToArray()));
        Request<Func<ComponentResource, HttpVerb, ComponentResult<NoValue, NoValue>>>("set-method")(request, new HttpVerb.Post());
        Request<Func<ComponentResource, string?, ComponentResult<NoValue, NoValue>>>("set-authority")(request, "there");
        ComponentResource response = (await send(request)).Value;
        Assert.True((await sent).IsOk);
        Assert.Equal(201, F<Func<ComponentResource, ushort>>("types#[method]response.get-status-code")(response));
        (Stream contents, Task<ComponentResult<ComponentResource?, HttpFailure>> trailers) =
            F<Func<ComponentResource, Task<ComponentResult<NoValue, HttpFailure>>, (Stream, Task<ComponentResult<ComponentResource?, HttpFailure>>)>>("types#[static]response.consume-body")(
                response, Task.FromResult<ComponentResult<NoValue, HttpFailure>>(default(NoValue)));
        Assert.Equal("POST https://there/ 1 ping", await new StreamReader(contents).ReadToEndAsync());
        Assert.Equal("x-t=3", Shown((await trailers).Value!));
        (ComponentResource other, _) = NewRequest(null);
        Request<Func<ComponentResource, string?, ComponentResult<NoValue, NoValue>>>("set-authority")(other, "elsewhere");
        Assert.IsType<HttpFailure.HttpRequestDenied>((await send(other)).Error);
    }

    /// <summary>The body of a request is followed by what the guest gives, which may be late.</summary>
    [Fact]
    public async Task TrailersOfRequestsAreSent()
    {
        using var server = new OneRequest();
        using var sending = new WasiLaterHttpTests(new WasiHttp { Allow = static uri => uri.IsLoopback });
        var late = new TaskCompletionSource<ComponentResult<ComponentResource?, HttpFailure>>();
        (ComponentResource request, Task<ComponentResult<NoValue, HttpFailure>> sent) = sending.NewRequest(new MemoryStream("ping"u8.ToArray()), trailers: late.Task);
        sending.Request<Func<ComponentResource, HttpVerb, ComponentResult<NoValue, NoValue>>>("set-method")(request, new HttpVerb.Put());
        sending.Request<Func<ComponentResource, string?, ComponentResult<NoValue, NoValue>>>("set-authority")(request, server.Authority);
        sending.Request<Func<ComponentResource, HttpScheme?, ComponentResult<NoValue, NoValue>>>("set-scheme")(request, new HttpScheme.Http());
        Task<ComponentResult<ComponentResource, HttpFailure>> response = sending.F<Func<ComponentResource, Task<ComponentResult<ComponentResource, HttpFailure>>>>("client#send")(request);
        Assert.False(response.IsCompleted);
        late.SetResult(sending.NewFields(("x-sum", "12"), ("x-last", "13")));
        Assert.Equal(204, sending.F<Func<ComponentResource, ushort>>("types#[method]response.get-status-code")((await response).Value));
        Assert.True((await sent).IsOk);
        Assert.EndsWith("\r\n4\r\nping\r\n0\r\nx-sum: 12\r\nx-last: 13\r\n\r\n", await server.Received, StringComparison.Ordinal);
    }

    /// <summary>Says what it was asked.</summary>
    private sealed class Answering : HttpMessageHandler
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            string body = request.Content is null ? "" : await request.Content.ReadAsStringAsync(cancellationToken);
            var response = new HttpResponseMessage(HttpStatusCode.Created) { Content = new StringContent($"{request.Method} {request.RequestUri} {request.Headers.GetValues("x-a").Single()} {body}") };
            response.TrailingHeaders.Add("x-t", "3");
            return response;
        }
    }
}
