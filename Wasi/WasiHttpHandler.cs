using System.Collections.Concurrent;
using WasmJit.Components;
using WasmJit.Wasi;
using WasmJit.Wasi.Preview2;

namespace WasmJit;

/// <summary>
/// Answers requests by a component that exports <c>wasi:http/incoming-handler</c>: an <see cref="HttpMessageHandler"/>, for an <see cref="HttpClient"/> that talks to the component, or
/// for a server that passes its requests on. Each request has an instance of its own, unless instances are kept. Use it with an engine whose code can be interrupted.
/// </summary>
public sealed class WasiHttpHandler : HttpMessageHandler
{
    private readonly WasmComponent component;
    private readonly WasiComponentHost host;
    private readonly WasiHttpHandlerOptions options;
    private readonly string export;
    private readonly SemaphoreSlim slots;
    private readonly ConcurrentBag<ComponentInstance> kept = [];
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
        this.component = component;
        this.host = host;
        this.options = options ?? new WasiHttpHandlerOptions();
        export = component.Exports.FirstOrDefault(static e => e.StartsWith("wasi:http/incoming-handler@0.2", StringComparison.Ordinal))
            ?? throw new KeyNotFoundException("The component exports no wasi:http/incoming-handler.");
        slots = new SemaphoreSlim(this.options.MaximumConcurrency);
    }

    /// <summary>Answers a request.</summary>
    /// <returns>The response, whose content is read while the guest goes on writing it.</returns>
    /// <exception cref="HttpRequestException">The guest gave no response: it trapped, its time was over, or it said what is wrong.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        ObjectDisposedException.ThrowIf(isDisposed, this);
        await slots.WaitAsync(cancellationToken).ConfigureAwait(false);
        var response = new ResponseOutparam();
        try
        {
            Stream content = request.Content is null ? Stream.Null : await request.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
            var source = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            source.CancelAfter(options.Timeout);
            _ = Task.Run(() => Answer(new IncomingRequest(host.State, request, new LimitedStream(content, options.MaximumBodyBytes)), response, source), CancellationToken.None);
        }
        catch
        {
            slots.Release();
            throw;
        }
        try
        {
            return await response.Response.ConfigureAwait(false);
        }
        catch (Exception e) when (e is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            throw new HttpRequestException($"The guest gave no response: {(e is OperationCanceledException ? "its time is over" : e.Message)}", e);
        }
    }

    /// <summary>Runs the guest. What goes wrong after the response has begun ends the response.</summary>
    private void Answer(IncomingRequest request, ResponseOutparam response, CancellationTokenSource source)
    {
        ComponentInstance? instance = null;
        bool isKept = false;
        try
        {
            Guest.Run(
                () =>
                {
                    if (!kept.TryTake(out instance)) instance = host.Instantiate(component, options.Instance);
                    var handle = instance.GetInstance(export).GetFunction<Action<ComponentResource, ComponentResource>>("handle");
                    handle(host.State.Types.IncomingRequest.New(request), host.State.Types.ResponseOutparam.New(response));
                },
                source.Token);
            isKept = kept.Count < options.KeptInstances;
        }
        catch (Exception e)
        {
            response.Fail(e);
        }
        finally
        {
            response.Fail(new HttpFault(new HttpFailure.InternalError("the guest gave no response")));
            if (isKept && !isDisposed) kept.Add(instance!);
            else instance?.Dispose();
            source.Dispose();
            slots.Release();
        }
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        isDisposed = true;
        while (kept.TryTake(out ComponentInstance? instance)) instance.Dispose();
        base.Dispose(disposing);
    }

    /// <summary>The body of a request, up to a length.</summary>
    private sealed class LimitedStream(Stream inner, long most) : ReadStream
    {
        private long left = most;

        private int Count(int count) => (left -= count) >= 0 ? count : throw new HttpFault(new HttpFailure.HttpRequestBodySize(null));

        public override int Read(byte[] buffer, int offset, int count) => Count(inner.Read(buffer, offset, count));

        public override async Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
            Count(await inner.ReadAsync(buffer.AsMemory(offset, count), cancellationToken).ConfigureAwait(false));

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            Count(await inner.ReadAsync(buffer, cancellationToken).ConfigureAwait(false));
    }
}

/// <summary>Limits of a <see cref="WasiHttpHandler"/>.</summary>
public sealed record WasiHttpHandlerOptions
{
    /// <summary>How many requests are answered at once; others wait.</summary>
    public int MaximumConcurrency { get; init; } = Math.Max(4, 2 * Environment.ProcessorCount);

    /// <summary>How long a guest may take for one request, its body included.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How many bytes the body of a request may have.</summary>
    public long MaximumBodyBytes { get; init; } = 30_000_000;

    /// <summary>
    /// How many instances are kept for further requests, with all that they have in their memories. With 0, the default, each request has a fresh one, and guests learn nothing of
    /// one another.
    /// </summary>
    public int KeptInstances { get; init; }

    /// <summary>What each instance may have; the defaults if null.</summary>
    public ComponentInstanceOptions? Instance { get; init; }
}
