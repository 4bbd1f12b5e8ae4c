using WasmJit.Wasi.Preview2;
using Xunit;

namespace WasmJit.Tests;

/// <summary>Components behind a server: what clients get, and what of it is whose.</summary>
public sealed class ServerTests
{
    [Fact]
    public async Task FieldsThatAServerWouldRefuseAreRefusedToTheGuest()
    {
        await using ServedGuest guest = await ServedGuest.Start();
        using HttpResponseMessage response = await guest.Client.GetAsync(new Uri("/control", UriKind.Relative), CancellationToken.None);
        Assert.Equal("text\n", await response.Content.ReadAsStringAsync(CancellationToken.None));
        Assert.False(response.Headers.Contains("x-bad"));
    }

    [Fact]
    public async Task RequestsAreAnswered()
    {
        await using ServedGuest guest = await ServedGuest.Start();
        using HttpResponseMessage response = await guest.Client.GetAsync(new Uri("/hello", UriKind.Relative), CancellationToken.None);
        Assert.Equal("hello\n", await response.Content.ReadAsStringAsync(CancellationToken.None));
        Assert.Equal("text/plain", response.Content.Headers.ContentType!.ToString());
        // What is written as a whole has a length.
        Assert.Equal(6, response.Content.Headers.ContentLength);
        Assert.Equal(404, await guest.Status("/nowhere"));
        Assert.Equal(204, await guest.Status("/empty"));
        Assert.Equal(418, await guest.Status("/status?418"));
        Assert.Equal(304, await guest.Status("/status?304"));
        using HttpResponseMessage head = await guest.Client.SendAsync(new HttpRequestMessage(HttpMethod.Head, "/hello"), CancellationToken.None);
        Assert.Equal(("text/plain", 0), (head.Content.Headers.ContentType!.ToString(), (await head.Content.ReadAsByteArrayAsync(CancellationToken.None)).Length));
        Assert.Empty(guest.Failures);
    }

    [Fact]
    public async Task TheGuestSeesTheRequest()
    {
        await using ServedGuest guest = await ServedGuest.Start();
        using RawClient client = await guest.Connect();
        await client.Send("PUT /show?a=%20b&c HTTP/1.1\r\nHost: guest:81\r\nConnection: close\r\nX-A: 1\r\nx-a: 2\r\nX-Latin: \u00e9\r\nContent-Length: 0\r\n\r\n");
        string shown = await client.Until(null);
        // The fourth of the methods is PUT.
        Assert.Contains("3 guest:81/show?a=%20b&c\n", shown, StringComparison.Ordinal);
        Assert.Contains("X-A=1\nX-A=2\n", shown, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("X-Latin=\u00e9\n", shown, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("Connection=", shown, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("Host=", shown, StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>Each piece comes back before the next is sent: neither body is waited for as a whole.</summary>
    [Fact]
    public async Task BodiesAreStreamedBothWays()
    {
        await using ServedGuest guest = await ServedGuest.Start();
        using RawClient client = await guest.Connect();
        await client.Post("/echo");
        for (int i = 0; i < 5; i++)
        {
            await client.Chunk($"piece {i}.");
            await client.Until($"piece {i}.");
        }
        await client.Chunk("");
        Assert.StartsWith("HTTP/1.1 200", await client.Until("\r\n0\r\n\r\n"), StringComparison.Ordinal);
    }

    /// <summary>A client that reads late is waited for, and gets everything.</summary>
    [Fact]
    public async Task LargeBodiesComeWhole()
    {
        await using ServedGuest guest = await ServedGuest.Start();
        Assert.Equal(10_000_000, (await guest.Get("/many?10000")).Length);
        using RawClient client = await guest.Connect();
        string piece = new('x', 50_000);
        await client.Post("/count");
        for (int i = 0; i < 100; i++) await client.Chunk(piece);
        await client.Chunk("");
        Assert.EndsWith("\r\n\r\n5000000", await client.Until("5000000"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task TrailersOfARequestAreThere()
    {
        await using ServedGuest guest = await ServedGuest.Start();
        using RawClient client = await guest.Connect();
        await client.Post("/count");
        await client.Chunk("some");
        await client.Send("0\r\nX-Behind: it\r\n\r\n");
        Assert.Contains("x-behind: it\r\n", await client.Until("\r\n\r\n4"), StringComparison.OrdinalIgnoreCase);
    }

    // ---- instances ----

    [Fact]
    public async Task EachRequestHasAFreshInstance()
    {
        await using ServedGuest guest = await ServedGuest.Start();
        for (int i = 0; i < 3; i++) Assert.Equal("1", await guest.Get("/answered"));
    }

    [Fact]
    public async Task InstancesAreKept()
    {
        await using ServedGuest guest = await ServedGuest.Start(new WasiHttpHandlerOptions { KeptInstances = 1, MaximumConcurrency = 1 });
        for (int i = 1; i <= 3; i++) Assert.Equal($"{i}", await guest.Get("/answered"));
        // One that has trapped is not, whether its response was whole or not.
        Assert.Equal(500, await guest.Status("/trap"));
        Assert.Equal("1", await guest.Get("/answered"));
        Assert.Equal("whole\n", await guest.Get("/trap-behind"));
        Assert.Equal("1", await guest.Get("/answered"));
    }

    [Fact]
    public async Task KeptInstancesAreReplaced()
    {
        await using ServedGuest guest = await ServedGuest.Start(new WasiHttpHandlerOptions { KeptInstances = 1, MaximumConcurrency = 1, RequestsPerInstance = 2 });
        foreach (string expected in new[] { "1", "2", "1", "2" }) Assert.Equal(expected, await guest.Get("/answered"));
    }

    /// <summary>A guest that keeps the handle of a request must not see another one through it.</summary>
    [Fact]
    public async Task ARequestThatIsOverIsGone()
    {
        await using ServedGuest guest = await ServedGuest.Start(new WasiHttpHandlerOptions { KeptInstances = 1, MaximumConcurrency = 1 });
        Assert.Equal("kept\n", await guest.Get("/keep"));
        Assert.Equal(500, await guest.Status("/peek?secret"));
        Assert.Contains("the request is over", (await guest.Failure()).Message, StringComparison.Ordinal);
    }

    // ---- guests that do wrong ----

    [Theory]
    [InlineData("/trap", 500, "unreachable")]
    [InlineData("/nothing", 500, "the guest gave no response")]
    [InlineData("/huge", 500, "fields may have")]
    [InlineData("/status?150", 500, "")]
    [InlineData("/short", 500, "another length")]
    [InlineData("/long", 500, "another length")]
    [InlineData("/grow", 500, "unreachable|no response")]
    [InlineData("/error?6", 502, "")]
    [InlineData("/error?8", 504, "")]
    [InlineData("/error?15", 403, "")]
    [InlineData("/error?17", 413, "")]
    [InlineData("/error?36", 508, "")]
    [InlineData("/error?38", 500, "")]
    public async Task AGuestThatFailsIsAStatus(string path, int status, string reason)
    {
        await using ServedGuest guest = await ServedGuest.Start(null, new EngineOptions { Limits = new ResourceLimits { MaximumMemoryBytes = 16 << 20 } });
        using HttpResponseMessage response = await guest.Client.GetAsync(new Uri(path, UriKind.Relative), CancellationToken.None);
        Assert.Equal(status, (int)response.StatusCode);
        // The client learns nothing else.
        Assert.Empty(await response.Content.ReadAsByteArrayAsync(CancellationToken.None));
        Assert.Null(response.Content.Headers.ContentType);
        string message = (await guest.Failure()).Message;
        Assert.Contains(reason.Split('|'), r => message.Contains(r, StringComparison.Ordinal));
        Assert.Equal("hello\n", await guest.Get("/hello"));
    }

    [Theory]
    [InlineData("/spin")]
    [InlineData("/wait")]
    public async Task AGuestThatNeverRespondsIsStopped(string path)
    {
        await using ServedGuest guest = await ServedGuest.Start(new WasiHttpHandlerOptions { Timeout = TimeSpan.FromMilliseconds(300) });
        Assert.Equal(504, await guest.Status(path));
        Assert.Equal("its time is over", (await guest.Failure()).Message);
    }

    [Theory]
    [InlineData("/late-trap")]
    [InlineData("/unfinished")]
    public async Task AResponseThatBreaksOffIsSeenToDoSo(string path)
    {
        await using ServedGuest guest = await ServedGuest.Start();
        using RawClient client = await guest.Connect();
        await client.Get(path);
        // How much of it still comes is the network's affair; its end does not.
        Assert.DoesNotContain("0\r\n\r\n", await client.Until(null), StringComparison.Ordinal);
        await guest.Failure();
    }

    [Fact]
    public async Task ASecondResponseTrapsAndTheFirstIsWhole()
    {
        await using ServedGuest guest = await ServedGuest.Start();
        Assert.Equal("once\n", await guest.Get("/twice"));
        Assert.IsType<TrapException>(await guest.Failure());
    }

    // ---- limits ----

    [Fact]
    public async Task BodiesHaveALimit()
    {
        await using ServedGuest guest = await ServedGuest.Start(new WasiHttpHandlerOptions { MaximumBodyBytes = 1000 });
        using HttpResponseMessage fits = await guest.Client.PostAsync(new Uri("/count", UriKind.Relative), new ByteArrayContent(new byte[1000]), CancellationToken.None);
        Assert.Equal("1000", await fits.Content.ReadAsStringAsync(CancellationToken.None));
        Assert.False(fits.Headers.Contains("x-failed"));
        using RawClient client = await guest.Connect();
        await client.Post("/count");
        await client.Chunk(new string('x', 1001));
        Assert.Contains("x-failed: yes", await client.Until("\r\n\r\n"), StringComparison.OrdinalIgnoreCase);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public async Task EachRequestHasItsFuel(int kept)
    {
        await using ServedGuest guest = await ServedGuest.Start(
            new WasiHttpHandlerOptions { Fuel = 20_000, KeptInstances = kept, MaximumConcurrency = 1 }, new EngineOptions { CountFuel = true });
        for (int i = 0; i < 50; i++) Assert.Equal("hello\n", await guest.Get("/hello"));
        Assert.Equal(500, await guest.Status("/spin"));
        Assert.Equal(TrapKind.OutOfFuel, Assert.IsType<TrapException>(await guest.Failure()).Kind);
        Assert.Equal("hello\n", await guest.Get("/hello"));
    }

    /// <summary>The one place is free when the client of a guest has gone that would wait for ever.</summary>
    [Fact]
    public async Task AGuestEndsWhenItsClientHasGone()
    {
        await using ServedGuest guest = await ServedGuest.Start(new WasiHttpHandlerOptions { Timeout = TimeSpan.FromHours(1), MaximumConcurrency = 1 });
        using (RawClient client = await guest.Connect())
        {
            await client.Get("/slow");
            await client.Until("begun");
        }
        Assert.Equal("hello\n", await guest.Get("/hello"));
        Assert.Empty(guest.Failures);
    }

    [Fact]
    public async Task TooManyRequestsAreRefused()
    {
        await using ServedGuest guest = await ServedGuest.Start(new WasiHttpHandlerOptions { Timeout = TimeSpan.FromHours(1), MaximumConcurrency = 1, MaximumWaiting = 0 });
        using RawClient client = await guest.Connect();
        await client.Get("/slow");
        await client.Until("begun");
        Assert.Equal(503, await guest.Status("/hello"));
    }

    // ---- the end ----

    [Fact]
    public async Task RequestsMayEndWhenTheServerStops()
    {
        await using ServedGuest guest = await ServedGuest.Start();
        using RawClient client = await guest.Connect();
        await client.Post("/echo");
        await client.Chunk("before");
        await client.Until("before");
        Task stopped = guest.Stop(Eventually.Patience);
        await client.Chunk("after");
        await client.Chunk("");
        Assert.Contains("after", await client.Until("0\r\n\r\n"), StringComparison.Ordinal);
        client.Dispose();
        await stopped;
    }

    [Fact]
    public async Task RequestsThatDoNotEndAreStopped()
    {
        await using ServedGuest guest = await ServedGuest.Start(new WasiHttpHandlerOptions { Timeout = TimeSpan.FromHours(1) });
        using RawClient client = await guest.Connect();
        await client.Get("/slow");
        await client.Until("begun");
        await guest.Stop(TimeSpan.FromMilliseconds(100));
        Assert.False((await client.Until(null)).EndsWith("0\r\n\r\n", StringComparison.Ordinal));
    }

    /// <summary>What the client is told by a status, for all codes that a guest can give.</summary>
    [Fact]
    public void CodesAreStatuses()
    {
        foreach (Type kind in typeof(HttpFailure).GetNestedTypes(System.Reflection.BindingFlags.NonPublic).Where(t => t.BaseType == typeof(HttpFailure)))
        {
            object?[] none = [.. kind.GetConstructors()[0].GetParameters().Select(p => (object?)null)];
            int status = AspNetCore.ServerExchange.StatusOf(new HttpFault((HttpFailure)kind.GetConstructors()[0].Invoke(none)));
            Assert.InRange(status, 400, 599);
        }
        Assert.Equal(500, AspNetCore.ServerExchange.StatusOf(new InvalidOperationException()));
    }
}
