using System.Net;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using WasmJit.Components;

namespace WasmJit.AspNetCore;

/// <summary>A server, Kestrel with nothing else, for a component: what the tool runs. It has no types of ASP.NET's in its signatures, so that callers need not load them.</summary>
internal sealed class WasmServer : IAsyncDisposable
{
    /// <summary>How much of a body is read ahead, in bytes. Kestrel's own is 1 MiB.</summary>
    private const int RequestBuffer = 128 << 10;

    private readonly WebApplication application;
    private readonly WasmEndpoint? endpoint;
    private readonly CancellationTokenSource stopping = new();

    /// <exception cref="KeyNotFoundException">The component answers no requests.</exception>
    internal WasmServer(WasmComponent component, WasiComponentHost host, WasiHttpHandlerOptions options, IPEndPoint address, Action<string, Exception>? observer)
    {
        endpoint = new WasmEndpoint(component, host, options, null)
        {
            Stopping = stopping.Token,
            HeaderEncoding = Encoding.Latin1,
            Observer = observer is null ? null : (context, reason) => observer($"{context.Request.Method} {context.Request.Path}", reason),
        };
        application = Make(address, endpoint.AnswerAsync);
    }

    private WasmServer(IPEndPoint address, RequestDelegate handler) => application = Make(address, handler);

    /// <summary>A server whose handler, without a guest, answers with a text: what guests are compared with.</summary>
    internal static WasmServer Plain(IPEndPoint address, byte[] text) => new(address, context =>
    {
        context.Response.ContentType = "text/plain";
        context.Response.ContentLength = text.Length;
        return context.Response.Body.WriteAsync(text).AsTask();
    });

    private static WebApplication Make(IPEndPoint address, RequestDelegate handler)
    {
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(server =>
        {
            server.AddServerHeader = false;
            // Bodies of requests that wait are kept so far: for each connection, of which there may be very many.
            server.Limits.MaxRequestBufferSize = RequestBuffer;
            // Guests give bytes.
            server.RequestHeaderEncodingSelector = static _ => Encoding.Latin1;
            server.ResponseHeaderEncodingSelector = static _ => Encoding.Latin1;
            server.Listen(address, listen => listen.Protocols = HttpProtocols.Http1);
        });
        WebApplication made = builder.Build();
        made.Run(handler);
        return made;
    }

    /// <summary>Listens.</summary>
    /// <returns>The address, with the port that it has.</returns>
    /// <exception cref="IOException">The address is in use.</exception>
    /// <exception cref="System.Net.Sockets.SocketException">It is none of this machine's, or may not be listened on.</exception>
    internal async Task<Uri> StartAsync()
    {
        await application.StartAsync().ConfigureAwait(false);
        return new Uri(application.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());
    }

    /// <summary>Takes no more requests, lets those that are there end for a time, and then stops them.</summary>
    internal async Task StopAsync(TimeSpan grace)
    {
        using var time = new CancellationTokenSource(grace);
        using CancellationTokenRegistration stop = time.Token.Register(stopping.Cancel);
        try
        {
            await application.StopAsync(time.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // Those that were stopped.
        }
    }

    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync().ConfigureAwait(false);
        await application.DisposeAsync().ConfigureAwait(false);
        endpoint?.Dispose();
        stopping.Dispose();
    }
}
