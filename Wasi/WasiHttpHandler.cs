using WasmJit.Components;
using WasmJit.Wasi.Preview2;

namespace WasmJit;

/// <summary>
/// Answers requests by a component that exports <c>wasi:http/incoming-handler</c>: an <see cref="HttpMessageHandler"/>, for an <see cref="HttpClient"/> that talks to the component.
/// Each request has an instance of its own, unless instances are kept. Use it with an engine whose code can be interrupted.
/// </summary>
public sealed class WasiHttpHandler : HttpMessageHandler
{
    private readonly HttpGuests guests;
    private bool isDisposed;

    /// <summary>Makes a handler.</summary>
    /// <param name="component">The component.</param>
    /// <param name="host">What its instances have.</param>
    /// <param name="options">Limits; the defaults if null.</param>
    /// <exception cref="KeyNotFoundException">The component exports no <c>wasi:http/incoming-handler</c> of a version 0.2.</exception>
    public WasiHttpHandler(WasmComponent component, WasiComponentHost host, WasiHttpHandlerOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(component);
        ArgumentNullException.ThrowIfNull(host);
        guests = new HttpGuests(component, host, options ?? new WasiHttpHandlerOptions());
    }

    /// <summary>Answers a request.</summary>
    /// <returns>The response, whose content is read while the guest goes on writing it.</returns>
    /// <exception cref="HttpRequestException">The guest gave no response: it trapped, its time was over, or it said what is wrong. Or too many requests wait.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        ObjectDisposedException.ThrowIf(isDisposed, this);
        Stream content = request.Content is null ? Stream.Null : await request.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
        if (!await guests.EnterAsync(cancellationToken).ConfigureAwait(false))
            throw new HttpRequestException("Too many requests wait for the guest.", null, System.Net.HttpStatusCode.ServiceUnavailable);
        var exchange = new MessageExchange(request, content) { MaximumBodyBytes = guests.Options.MaximumBodyBytes };
        // The guest goes on when the response has begun: it has a thread of its own.
        _ = Task.Run(() => guests.AnswerAsync(exchange, cancellationToken).AsTask(), CancellationToken.None);
        try
        {
            return await exchange.Response.ConfigureAwait(false);
        }
        catch (Exception e) when (e is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            throw new HttpRequestException($"The guest gave no response: {e.Message}", e);
        }
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        isDisposed = true;
        guests.Dispose();
        base.Dispose(disposing);
    }
}

/// <summary>Limits of guests that answer requests.</summary>
public sealed record WasiHttpHandlerOptions
{
    /// <summary>How many requests are answered at once; others wait.</summary>
    public int MaximumConcurrency { get; init; } = Math.Max(4, 2 * Environment.ProcessorCount);

    /// <summary>How many requests may wait; what comes then is refused. One that has waited for <see cref="Timeout"/> is refused, too.</summary>
    public int MaximumWaiting { get; init; } = 1000;

    /// <summary>How long a guest may take for one request, its body included.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How many bytes the body of a request may have.</summary>
    public long MaximumBodyBytes { get; init; } = 30_000_000;

    /// <summary>What a guest may execute for one request, if its engine counts; no limit if null.</summary>
    public long? Fuel { get; init; }

    /// <summary>
    /// How many instances are kept for further requests, with all that they have in their memories. With 0, the default, each request has a fresh one, and guests learn nothing of
    /// one another.
    /// </summary>
    public int KeptInstances { get; init; }

    /// <summary>How many requests a kept instance answers before another takes its place.</summary>
    public int RequestsPerInstance { get; init; } = int.MaxValue;

    /// <summary>What each instance may have; the defaults if null.</summary>
    public ComponentInstanceOptions? Instance { get; init; }
}
