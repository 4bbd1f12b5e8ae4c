using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using WasmJit.AspNetCore;
using WasmJit.Components;
using WasmJit.Wasi.Preview2;

namespace WasmJit.Perf;

/// <summary>
/// Requests a second of a component behind a server, with a fresh instance for each and with kept ones, beside a handler without a guest: three servers in this
/// process, by turns, with the same connections and the same short answer.
/// </summary>
internal static class Serving
{
    private const int Connections = 8, Rounds = 7;

    private static readonly byte[] Request = "GET /hello HTTP/1.1\r\nHost: guest\r\n\r\n"u8.ToArray();

    private static WasmComponent Server() => new Engine(new EngineOptions { Interruptible = true })
        .CompileComponent(File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "Programs/Components/server.wasm")));

    /// <summary>What a request takes without a server, in stages.</summary>
    internal static void Stages(int count)
    {
        WasmComponent component = Server();
        using var host = new WasiComponentHost(new WasiOptions { Input = Stream.Null });
        string export = HttpGuests.ExportOf(component)!;
        using HttpGuests fresh = new(component, host, new WasiHttpHandlerOptions()), kept = new(component, host, new WasiHttpHandlerOptions { KeptInstances = 100 });
        var stages = new (string Name, Action Act)[]
        {
            ("an instance", () => host.Instantiate(component).Dispose()),
            ("with its function", () =>
            {
                using ComponentInstance instance = host.Instantiate(component);
                _ = instance.GetInstance(export).GetFunction<Action<ComponentResource, ComponentResource>>("handle");
            }),
            ("a request to a fresh one", () => Answer(fresh)),
            ("a request to a kept one", () => Answer(kept)),
        };
        foreach ((string name, Action act) in stages)
        {
            for (int i = 0; i < count; i++) act();
            long bytes = GC.GetAllocatedBytesForCurrentThread();
            for (int i = 0; i < count; i++) act();
            bytes = (GC.GetAllocatedBytesForCurrentThread() - bytes) / count;
            TimeSpan best = TimeSpan.MaxValue;
            for (int round = 0; round < Rounds; round++)
            {
                TimeSpan before = Environment.CpuUsage.TotalTime;
                for (int i = 0; i < count; i++) act();
                TimeSpan used = Environment.CpuUsage.TotalTime - before;
                if (used < best) best = used;
            }
            Console.WriteLine($"  {name,-28}{best.TotalMicroseconds / count,10:F1} us of processor time{bytes,10} bytes");
        }
    }

    private static void Answer(HttpGuests guests)
    {
        guests.EnterAsync(default).AsTask().GetAwaiter().GetResult();
        using var request = new HttpRequestMessage(HttpMethod.Get, "http://guest/hello");
        var exchange = new MessageExchange(request, Stream.Null);
        Task<Exception?> answered = guests.AnswerAsync(exchange, default).AsTask();
        using HttpResponseMessage response = exchange.Response.GetAwaiter().GetResult();
        response.Content.ReadAsByteArrayAsync().GetAwaiter().GetResult();
        if (answered.GetAwaiter().GetResult() is { } reason) throw reason;
    }

    internal static async Task RunAsync(double seconds)
    {
        WasmComponent component = Server();
        using var host = new WasiComponentHost(new WasiOptions { Input = Stream.Null });
        var any = new IPEndPoint(IPAddress.Loopback, 0);
        WasmServer Serve(WasiHttpHandlerOptions options) => new(component, host, options, any, (_, reason) => Console.Error.WriteLine(reason));
        await using WasmServer plain = WasmServer.Plain(any, "hello\n"u8.ToArray()), fresh = Serve(new WasiHttpHandlerOptions()), kept = Serve(new WasiHttpHandlerOptions { KeptInstances = 100 });
        (string Name, Uri Address)[] servers = [("a plain handler", await plain.StartAsync()), ("a fresh instance for each", await fresh.StartAsync()), ("kept instances", await kept.StartAsync())];
        // Until everything is compiled for good.
        for (int i = 0; i < 3; i++)
            foreach ((_, Uri address) in servers) await MeasureAsync(address, seconds);
        var best = new (double Rate, double Cost)[servers.Length];
        for (int round = 0; round < Rounds; round++)
        {
            for (int i = 0; i < servers.Length; i++)
            {
                (double Rate, double Cost) one = await MeasureAsync(servers[i].Address, seconds);
                if (one.Rate > best[i].Rate) best[i] = one;
            }
        }
        Console.WriteLine($"{Connections} connections, the best of {Rounds}   requests/s     ratio   us of processor time, the client's included");
        for (int i = 0; i < servers.Length; i++) Console.WriteLine($"  {servers[i].Name,-38}{best[i].Rate,10:F0}{best[i].Rate / best[0].Rate,10:F2}{best[i].Cost,10:F1}");
    }

    /// <summary>Sends requests for a time, one after the other on each connection.</summary>
    private static async Task<(double Rate, double Cost)> MeasureAsync(Uri address, double seconds)
    {
        Socket[] sockets = new Socket[Connections];
        for (int i = 0; i < sockets.Length; i++)
        {
            sockets[i] = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            await sockets[i].ConnectAsync(address.Host, address.Port);
        }
        TimeSpan before = Environment.CpuUsage.TotalTime;
        var clock = Stopwatch.StartNew();
        int[] counts = await Task.WhenAll(sockets.Select(s => Task.Run(() => AskAsync(s, clock, seconds))));
        double time = clock.Elapsed.TotalSeconds;
        TimeSpan used = Environment.CpuUsage.TotalTime - before;
        foreach (Socket socket in sockets) socket.Dispose();
        return (counts.Sum() / time, used.TotalMicroseconds / counts.Sum());
    }

    private static async Task<int> AskAsync(Socket socket, Stopwatch clock, double seconds)
    {
        byte[] buffer = new byte[1024];
        int count = 0;
        while (clock.Elapsed.TotalSeconds < seconds)
        {
            await socket.SendAsync(Request);
            int have = 0;
            // The answer ends with its text.
            while (!buffer.AsSpan(0, have).EndsWith("\r\n\r\nhello\n"u8))
            {
                int read = await socket.ReceiveAsync(buffer.AsMemory(have));
                if (read == 0) throw new IOException("The connection was closed.");
                have += read;
            }
            if (!buffer.AsSpan(0, have).StartsWith("HTTP/1.1 200"u8)) throw new IOException("The answer is another one.");
            count++;
        }
        return count;
    }
}
