using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using WasmJit.AspNetCore;
using WasmJit.Components;

namespace WasmJit.Tests;

/// <summary>The component <c>Tests/Programs/C/http</c> behind a server, with a client. Requests say by their path what it does.</summary>
internal sealed class ServedGuest : IAsyncDisposable
{
    private static readonly Lazy<WasmComponent> Component = new(() => Compile(new EngineOptions()));

    private readonly WasiComponentHost host;
    private readonly WasmServer server;

    private ServedGuest(WasiHttpHandlerOptions options, WasmComponent component)
    {
        host = new WasiComponentHost(new WasiOptions { Input = Stream.Null, Output = Stream.Null, Error = Stream.Null });
        server = new WasmServer(component, host, options, new IPEndPoint(IPAddress.Loopback, 0), (request, reason) => Failures.Enqueue((request, reason)));
    }

    internal static WasmComponent Compile(EngineOptions options) =>
        new Engine(options with { Interruptible = true }).CompileComponent(File.ReadAllBytes(Golden.InRepository("Tests/Programs/Components/server.wasm")));

    internal static Task<ServedGuest> Start(WasiHttpHandlerOptions? options = null, EngineOptions? engine = null) =>
        Start(engine is null ? Component.Value : Compile(engine), options);

    internal static async Task<ServedGuest> Start(WasmComponent component, WasiHttpHandlerOptions? options = null)
    {
        var made = new ServedGuest(options ?? new WasiHttpHandlerOptions(), component);
        made.Address = await made.server.StartAsync();
        made.Client = new HttpClient { BaseAddress = made.Address, Timeout = Eventually.Patience };
        return made;
    }

    internal Uri Address { get; private set; } = null!;

    internal HttpClient Client { get; private set; } = null!;

    /// <summary>What guests have done wrong: the request, and what the host knows of it.</summary>
    internal ConcurrentQueue<(string Request, Exception Reason)> Failures { get; } = [];

    /// <summary>What went wrong with the last request, which the server is told of when its client has the answer.</summary>
    internal async Task<Exception> Failure()
    {
        (string, Exception Reason) found;
        for (var clock = Stopwatch.StartNew(); !Failures.TryDequeue(out found); await Task.Delay(1)) Xunit.Assert.True(clock.Elapsed < Eventually.Patience);
        return found.Reason;
    }

    internal Task<string> Get(string path) => Client.GetStringAsync(new Uri(path, UriKind.Relative), CancellationToken.None);

    internal async Task<int> Status(string path)
    {
        using HttpResponseMessage response = await Client.GetAsync(new Uri(path, UriKind.Relative), CancellationToken.None);
        return (int)response.StatusCode;
    }

    internal Task Stop(TimeSpan grace) => server.StopAsync(grace);

    internal async Task<RawClient> Connect() => await RawClient.Connect(Address);

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await server.DisposeAsync();
        host.Dispose();
    }
}

/// <summary>A client that says what it is told to, when it is told to.</summary>
internal sealed class RawClient : IDisposable
{
    private readonly TcpClient client = new() { NoDelay = true };
    private readonly StringBuilder received = new();

    internal static async Task<RawClient> Connect(Uri address)
    {
        var made = new RawClient();
        await made.client.ConnectAsync(address.Host, address.Port);
        return made;
    }

    internal async Task Send(string text) => await client.GetStream().WriteAsync(Encoding.Latin1.GetBytes(text));

    internal Task Get(string path) => Send($"GET {path} HTTP/1.1\r\nHost: guest\r\n\r\n");

    /// <summary>A request with a body in pieces.</summary>
    internal Task Post(string path) => Send($"POST {path} HTTP/1.1\r\nHost: guest\r\nTransfer-Encoding: chunked\r\n\r\n");

    internal Task Chunk(string text) => Send($"{text.Length:x}\r\n{text}\r\n");

    /// <summary>All that has come so far, when it has some text; or, with null, when the connection is closed.</summary>
    internal async Task<string> Until(string? text)
    {
        byte[] buffer = new byte[65536];
        using var patience = new CancellationTokenSource(Eventually.Patience);
        while (text is null || !received.ToString().Contains(text, StringComparison.Ordinal))
        {
            int count;
            try
            {
                count = await client.GetStream().ReadAsync(buffer, patience.Token);
            }
            catch (IOException) when (text is null)
            {
                break;
            }
            if (count == 0)
            {
                if (text is null) break;
                throw new IOException($"closed before \"{text}\": {received}");
            }
            received.Append(Encoding.Latin1.GetString(buffer, 0, count));
        }
        return received.ToString();
    }

    public void Dispose() => client.Dispose();
}
