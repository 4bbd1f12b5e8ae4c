using System.Net;
using WasmJit.Components;
using Xunit;

namespace WasmJit.Tests;

/// <summary>Components that answer requests, through a client in this process.</summary>
public sealed class WasiHttpHandlerTests
{
    /// <summary>Answers with the body of the request; by the path it traps, gives no response, or never ends. The header <c>x-count</c> says how often the instance was called.</summary>
    private static readonly Lazy<WasmComponent> Echo = new(() => new Engine(new EngineOptions { Interruptible = true }).CompileComponent(Wat.ToBinary(WasiMirror.Guest(
        """
        (data (i32.const 512) "x-count")
        (global $count (mut i32) (i32.const 0))
        (func (export "handle") (param $request i32) (param $out i32)
          (local $fields i32) (local $response i32) (local $body i32) (local $to i32) (local $incoming i32) (local $from i32) (local $path i32)
          (call $path (local.get $request) (i32.const 16))
          (local.set $path (i32.load8_u offset=1 (i32.load (i32.const 20))))
          (if (i32.eq (local.get $path) (i32.const 0x74)) (then (unreachable)))
          (if (i32.eq (local.get $path) (i32.const 0x6e)) (then (return)))
          (if (i32.eq (local.get $path) (i32.const 0x6c)) (then (loop $l (br $l))))
          (global.set $count (i32.add (global.get $count) (i32.const 1)))
          (i32.store8 (i32.const 528) (i32.add (i32.const 0x30) (global.get $count)))
          (local.set $fields (call $fields))
          (call $append (local.get $fields) (i32.const 512) (i32.const 7) (i32.const 528) (i32.const 1) (i32.const 16))
          (local.set $response (call $response (local.get $fields)))
          (call $response-body (local.get $response) (i32.const 16))
          (local.set $body (i32.load (i32.const 20)))
          (call $set (local.get $out) (i32.const 0) (local.get $response) (i32.const 0) (i64.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))
          (call $write (local.get $body) (i32.const 16))
          (local.set $to (i32.load (i32.const 20)))
          (call $consume (local.get $request) (i32.const 16))
          (local.set $incoming (i32.load (i32.const 20)))
          (call $stream (local.get $incoming) (i32.const 16))
          (local.set $from (i32.load (i32.const 20)))
          (loop $more
            (call $splice (local.get $to) (local.get $from) (i64.const 65536) (i32.const 16))
            (br_if $more (i32.eqz (i32.load8_u (i32.const 16)))))
          (call $drop-from (local.get $from))
          (call $drop-incoming (local.get $incoming))
          (call $drop-to (local.get $to))
          ;; The path /d: the body stays unfinished.
          (if (i32.ne (local.get $path) (i32.const 0x64)) (then (call $finish (local.get $body) (i32.const 0) (i32.const 0) (i32.const 16)))))
        """,
        """
        (func $handle (param "request" (own $wasi:http/types/0.2.8/incoming-request)) (param "response-out" (own $wasi:http/types/0.2.8/response-outparam))
          (canon lift (core func $main "handle")))
        (instance $handler (export "handle" (func $handle)))
        (export "wasi:http/incoming-handler@0.2.3" (instance $handler))
        """,
        ("path", "http/types#[method]incoming-request.path-with-query"), ("fields", "http/types#[constructor]fields"), ("append", "http/types#[method]fields.append"),
        ("response", "http/types#[constructor]outgoing-response"), ("response-body", "http/types#[method]outgoing-response.body"), ("set", "http/types#[static]response-outparam.set"),
        ("write", "http/types#[method]outgoing-body.write"), ("consume", "http/types#[method]incoming-request.consume"), ("stream", "http/types#[method]incoming-body.stream"),
        ("splice", "io/streams#[method]output-stream.blocking-splice"), ("finish", "http/types#[static]outgoing-body.finish"),
        ("drop-from", "drop io/streams#input-stream"), ("drop-to", "drop io/streams#output-stream"), ("drop-incoming", "drop http/types#incoming-body")))));

    private static HttpClient Client(WasiHttpHandlerOptions? options = null) =>
        new(new WasiHttpHandler(Echo.Value, new WasiComponentHost(new WasiOptions { Input = Stream.Null }), options)) { BaseAddress = new Uri("http://guest/") };

    private static string Count(HttpResponseMessage response) => Assert.Single(response.Headers.GetValues("x-count"));

    [Fact]
    public async Task AComponentAnswers()
    {
        using HttpClient client = Client();
        byte[] bytes = new byte[300_000];
        Random.Shared.NextBytes(bytes);
        for (int i = 0; i < 3; i++)
        {
            HttpResponseMessage response = await client.PostAsync("/echo", new ByteArrayContent(bytes), CancellationToken.None);
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            Assert.Equal(bytes, await response.Content.ReadAsByteArrayAsync(CancellationToken.None));
            // Each has an instance of its own.
            Assert.Equal("1", Count(response));
        }
    }

    [Fact]
    public async Task InstancesAreKept()
    {
        using HttpClient client = Client(new WasiHttpHandlerOptions { KeptInstances = 1, MaximumConcurrency = 1 });
        for (int i = 1; i <= 3; i++)
        {
            HttpResponseMessage response = await client.PostAsync("/echo", new ByteArrayContent([1, 2]), CancellationToken.None);
            Assert.Equal(2, (await response.Content.ReadAsByteArrayAsync(CancellationToken.None)).Length);
            Assert.Equal($"{i}", Count(response));
        }
        // One that has trapped is not.
        await Assert.ThrowsAsync<HttpRequestException>(() => client.GetAsync("/trap", CancellationToken.None));
        Assert.Equal("1", Count(await client.PostAsync("/echo", new ByteArrayContent([]), CancellationToken.None)));
    }

    [Fact]
    public async Task AGuestWithoutAResponseIsAnError()
    {
        using HttpClient client = Client(), impatient = Client(new WasiHttpHandlerOptions { Timeout = TimeSpan.FromMilliseconds(200) });
        Assert.Contains("unreachable", (await Assert.ThrowsAsync<HttpRequestException>(() => client.GetAsync("/trap", CancellationToken.None))).Message, StringComparison.Ordinal);
        Assert.Contains("no response", (await Assert.ThrowsAsync<HttpRequestException>(() => client.GetAsync("/nothing", CancellationToken.None))).Message, StringComparison.Ordinal);
        Assert.Contains("its time is over", (await Assert.ThrowsAsync<HttpRequestException>(() => impatient.GetAsync("/loop", CancellationToken.None))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ABodyThatIsNotFinishedIsAnError()
    {
        using HttpClient client = Client();
        using HttpResponseMessage response = await client.SendAsync(
            new HttpRequestMessage(HttpMethod.Post, "/drop") { Content = new ByteArrayContent([1]) }, HttpCompletionOption.ResponseHeadersRead, CancellationToken.None);
        await Assert.ThrowsAnyAsync<HttpRequestException>(() => response.Content.ReadAsByteArrayAsync(CancellationToken.None));
    }

    [Fact]
    public async Task RequestsHaveALimit()
    {
        using HttpClient client = Client(new WasiHttpHandlerOptions { MaximumBodyBytes = 1000 });
        HttpResponseMessage response = await client.PostAsync("/echo", new ByteArrayContent(new byte[1000]), CancellationToken.None);
        Assert.Equal(1000, (await response.Content.ReadAsByteArrayAsync(CancellationToken.None)).Length);
        // The guest gets an error of the stream, and answers with what it had.
        response = await client.PostAsync("/echo", new ByteArrayContent(new byte[100_000]), CancellationToken.None);
        Assert.InRange((await response.Content.ReadAsByteArrayAsync(CancellationToken.None)).Length, 0, 1000);
    }

    [Fact]
    public void AComponentThatAnswersNothingIsNone() => Assert.Throws<KeyNotFoundException>(
        () => new WasiHttpHandler(new Engine().CompileComponent(Wat.ToBinary("(component)")), new WasiComponentHost()));
}
