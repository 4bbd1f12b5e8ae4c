using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using WasmJit.Components;
using WasmJit.Wasi.Preview2;

namespace WasmJit.AspNetCore;

/// <summary>A component as a request handler of ASP.NET's.</summary>
internal sealed class WasmEndpoint : IDisposable
{
    private static readonly Action<ILogger, string, string, Exception?> Failed = LoggerMessage.Define<string, string>(
        LogLevel.Error, new EventId(1, "GuestFailed"), "{Method} {Path}: the guest failed");

    private static readonly Action<ILogger, Exception?> Refused = LoggerMessage.Define(
        LogLevel.Warning, new EventId(2, "TooManyRequests"), "A request was refused: too many wait for the guest");

    private readonly HttpGuests guests;
    private readonly ILogger? logger;

    /// <exception cref="KeyNotFoundException">The component answers no requests.</exception>
    internal WasmEndpoint(WasmComponent component, WasiComponentHost host, WasiHttpHandlerOptions options, ILogger? logger)
    {
        guests = new HttpGuests(component, host, options);
        this.logger = logger;
    }

    /// <summary>Is told what a guest was stopped by, or what it has done wrong; the client is not.</summary>
    internal Action<HttpContext, Exception>? Observer { get; init; }

    /// <summary>The encoding by which the server makes strings of the bytes of headers: Kestrel's own unless another is configured.</summary>
    internal Encoding HeaderEncoding { get; init; } = Encoding.UTF8;

    /// <summary>Stops the guests that run.</summary>
    internal CancellationToken Stopping { get; init; }

    internal async Task AnswerAsync(HttpContext context)
    {
        CancellationToken gone = context.RequestAborted;
        using CancellationTokenSource? either = Stopping.CanBeCanceled ? CancellationTokenSource.CreateLinkedTokenSource(gone, Stopping) : null;
        CancellationToken stop = either?.Token ?? gone;
        try
        {
            if (!await guests.EnterAsync(stop).ConfigureAwait(false))
            {
                if (logger is not null) Refused(logger, null);
                context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
                return;
            }
        }
        catch (OperationCanceledException)
        {
            // No caller waits for it any more.
            context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
            return;
        }
        var exchange = new ServerExchange(context, HeaderEncoding) { MaximumBodyBytes = guests.Options.MaximumBodyBytes };
        Exception? reason = await guests.AnswerAsync(exchange, stop).ConfigureAwait(false) ?? exchange.Broken;
        if (reason is null || gone.IsCancellationRequested) return;
        Observer?.Invoke(context, reason);
        if (logger is not null) Failed(logger, context.Request.Method, context.Request.Path, reason);
    }

    public void Dispose() => guests.Dispose();
}
