using System.Collections.Concurrent;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Xunit;

namespace WasmJit.Tests;

/// <summary>Components as endpoints of an application.</summary>
public sealed class EndpointTests
{
    private static async Task<(WebApplication Application, HttpClient Client, ConcurrentQueue<string> Log)> Start(Action<WebApplication> map, HttpProtocols protocols = HttpProtocols.Http1)
    {
        var log = new ConcurrentQueue<string>();
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(server => server.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = protocols));
        builder.Services.AddRoutingCore();
        builder.Logging.Services.AddSingleton<ILoggerProvider>(new Log(log));
        WebApplication application = builder.Build();
        application.UseRouting();
        map(application);
        await application.StartAsync(CancellationToken.None);
        var client = new HttpClient { BaseAddress = new Uri(application.Urls.First()), Timeout = Eventually.Patience, DefaultRequestVersion = protocols == HttpProtocols.Http2 ? HttpVersion.Version20 : HttpVersion.Version11, DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact };
        return (application, client, log);
    }

    [Fact]
    public async Task AComponentIsAnEndpoint()
    {
        (WebApplication application, HttpClient client, ConcurrentQueue<string> log) = await Start(app =>
        {
            app.MapWasm("/show", ServedGuest.Compile(new EngineOptions()));
            app.MapWasm("/trap", ServedGuest.Compile(new EngineOptions()));
            app.MapGet("/other", (RequestDelegate)(context => context.Response.WriteAsync("other")));
        });
        await using (application)
        {
            using (client)
            {
                Assert.Equal("other", await client.GetStringAsync(new Uri("/other", UriKind.Relative), CancellationToken.None));
                // The path and what is below it, as they were sent.
                Assert.StartsWith($"0 {client.BaseAddress!.Authority}/show?q=%20\n", await client.GetStringAsync(new Uri("/show?q=%20", UriKind.Relative), CancellationToken.None), StringComparison.Ordinal);
                Assert.Equal(HttpStatusCode.NotFound, (await client.GetAsync(new Uri("/shown", UriKind.Relative), CancellationToken.None)).StatusCode);
                using HttpResponseMessage below = await client.GetAsync(new Uri("/show/below", UriKind.Relative), CancellationToken.None);
                Assert.Equal("no such path\n", await below.Content.ReadAsStringAsync(CancellationToken.None));
                Assert.Equal(HttpStatusCode.InternalServerError, (await client.GetAsync(new Uri("/trap", UriKind.Relative), CancellationToken.None)).StatusCode);
            }
            await application.StopAsync(CancellationToken.None);
        }
        Assert.Contains("WasmJit Error GET /trap: the guest failed TrapException", log);
    }

    [Fact]
    public async Task TrailersOfAResponseAreSent()
    {
        (WebApplication application, HttpClient client, _) = await Start(app => app.MapWasm("/", ServedGuest.Compile(new EngineOptions())), HttpProtocols.Http2);
        await using (application)
        using (client)
        {
            using HttpResponseMessage response = await client.GetAsync(new Uri("/trailers", UriKind.Relative), CancellationToken.None);
            Assert.Equal("body\n", await response.Content.ReadAsStringAsync(CancellationToken.None));
            Assert.Equal("it", Assert.Single(response.TrailingHeaders.GetValues("x-behind")));
            Assert.Equal("hello\n", await client.GetStringAsync(new Uri("/hello", UriKind.Relative), CancellationToken.None));
        }
    }

    /// <summary>Keeps what is logged.</summary>
    private sealed class Log(ConcurrentQueue<string> lines) : ILoggerProvider, ILogger
    {
        private string category = "";

        public ILogger CreateLogger(string categoryName) => new Log(lines) { category = categoryName };

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        void ILogger.Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            lines.Enqueue($"{category} {logLevel} {formatter(state, exception)} {exception?.GetType().Name}");

        public void Dispose()
        {
        }
    }
}
