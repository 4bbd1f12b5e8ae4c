using System.Net;
using WasmJit.Components;
using WasmJit.Wasi.Preview2;
using Xunit;

namespace WasmJit.Tests;

/// <summary>What guests of WASI 0.3 export: programs, and components that answer requests.</summary>
public sealed class WasiLaterGuestTests
{
    private static WasmComponent Compile(string text) => new Engine(new EngineOptions { Interruptible = true }).CompileComponent(Wat.ToBinary(text));

    /// <summary>A program waits a millisecond, writes, and ends as it is told.</summary>
    private static string Program(int result) => WasiMirror.LaterGuest(
        $"""
        (data (i32.const 512) "later\n")
        (func (export "run") (result i32)
          (local $ends i64)
          (call $wait (i64.const 1000000))
          (local.set $ends (call $new))
          (drop (call $write-via (i32.wrap_i64 (local.get $ends))))
          (drop (call $write (i32.wrap_i64 (i64.shr_u (local.get $ends) (i64.const 32))) (i32.const 512) (i32.const 6)))
          (call $end (i32.wrap_i64 (i64.shr_u (local.get $ends) (i64.const 32))))
          (i32.const {result}))
        """,
        """
        (func $run async (result (result)) (canon lift (core func $main "run")))
        (instance $cli (export "run" (func $run)))
        (export "wasi:cli/run@0.3.0" (instance $cli))
        """,
        """
        (type $bytes (stream u8))
        (core func $new (canon stream.new $bytes))
        (core func $write (canon stream.write $bytes (memory (core memory $libc "mem"))))
        (core func $end (canon stream.drop-writable $bytes))
        """,
        ("wait", "clocks/monotonic-clock#wait-for"), ("write-via", "cli/stdout#write-via-stream"),
        ("new", "own (result i64)"), ("write", "own (param i32 i32 i32) (result i32)"), ("end", "own (param i32)"));

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void ProgramsRunToTheirEnd(int result)
    {
        using var patience = new CancellationTokenSource(Eventually.Patience);
        var output = new MemoryStream();
        using var host = new WasiComponentHost(new WasiOptions { Input = Stream.Null, Output = output, Cancellation = patience.Token });
        Assert.Equal(result, host.Run(Compile(Program(result))));
        Assert.Equal("later\n"u8.ToArray(), output.ToArray());
    }

    /// <summary>Answers with a status and nothing else; a request whose method is not GET is an error.</summary>
    private static readonly string Handler = WasiMirror.LaterGuest(
        """
        (func (export "handle") (param $request i32) (result i32)
          (local $response i32)
          (call $method (local.get $request) (i32.const 16))
          (if (i32.load8_u (i32.const 16))
            (then
              ;; HTTP-request-denied
              (i32.store8 (i32.const 64) (i32.const 1))
              (i32.store8 (i32.const 72) (i32.const 15))
              (return (i32.const 64))))
          (call $response (call $fields) (i32.const 0) (i32.const 0) (i32.wrap_i64 (call $new)) (i32.const 16))
          (local.set $response (i32.load (i32.const 16)))
          (drop (call $status (local.get $response) (i32.const 202)))
          (i32.store8 (i32.const 64) (i32.const 0))
          (i32.store (i32.const 72) (local.get $response))
          (i32.const 64))
        """,
        """
        (func $handle async (param "request" (own $wasi:http/types/0.3.0/request)) (result (result (own $wasi:http/types/0.3.0/response) (error $wasi:http/types/0.3.0/error-code)))
          (canon lift (core func $main "handle") (memory (core memory $libc "mem"))))
        (instance $handler (export "handle" (func $handle)))
        (export "wasi:http/handler@0.3.0" (instance $handler))
        """,
        """
        (type $behind (future (result (option (own $wasi:http/types/0.3.0/fields)) (error $wasi:http/types/0.3.0/error-code))))
        (core func $new (canon future.new $behind))
        """,
        ("method", "http/types#[method]request.get-method"), ("fields", "http/types#[constructor]fields"), ("response", "http/types#[static]response.new"),
        ("status", "http/types#[method]response.set-status-code"), ("new", "own (result i64)"));

    [Fact]
    public async Task RequestsAreAnswered()
    {
        using var host = new WasiComponentHost(new WasiOptions { Input = Stream.Null });
        using var client = new HttpClient(new WasiHttpHandler(Compile(Handler), host)) { BaseAddress = new Uri("http://guest/"), Timeout = Eventually.Patience };
        for (int i = 0; i < 2; i++)
        {
            using HttpResponseMessage response = await client.GetAsync(new Uri("/x", UriKind.Relative), CancellationToken.None);
            Assert.Equal(HttpStatusCode.Accepted, response.StatusCode);
            Assert.Equal("", await response.Content.ReadAsStringAsync(CancellationToken.None));
        }
        HttpRequestException denied = await Assert.ThrowsAsync<HttpRequestException>(() => client.PostAsync(new Uri("/x", UriKind.Relative), new StringContent(""), CancellationToken.None));
        Assert.Contains(nameof(HttpFailure.HttpRequestDenied), denied.ToString(), StringComparison.Ordinal);
    }
}
