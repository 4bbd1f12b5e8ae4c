using System.Collections.Concurrent;
using WasmJit.Components;
using WasmJit.Runtime;
using WasmJit.Wasi.Preview3;

namespace WasmJit.Wasi.Preview2;

/// <summary>Answers requests by instances of a component: a fresh one for each, or one of those that are kept.</summary>
internal sealed class HttpGuests : IDisposable
{
    /// <summary>What a component exports that answers requests, up to the first numbers of its version.</summary>
    private const string Interface = "wasi:http/incoming-handler@0.2", LaterInterface = "wasi:http/handler@0.3";

    private readonly WasmComponent component;
    private readonly WasiComponentHost host;
    private readonly WasiHttpHandlerOptions options;
    private readonly string export;
    private readonly bool isLater;
    private readonly SemaphoreSlim slots;
    private readonly ConcurrentStack<HttpGuest> kept = [];
    private int waiting, idle;
    private volatile bool isDisposed;

    /// <exception cref="KeyNotFoundException">The component answers no requests.</exception>
    internal HttpGuests(WasmComponent component, WasiComponentHost host, WasiHttpHandlerOptions options)
    {
        this.component = component;
        this.host = host;
        this.options = options;
        export = ExportOf(component) ?? throw new KeyNotFoundException("The component exports no wasi:http/incoming-handler or wasi:http/handler.");
        isLater = export.StartsWith(LaterInterface, StringComparison.Ordinal);
        slots = new SemaphoreSlim(options.MaximumConcurrency);
        if (options.Fuel is not null && !component.Engine.Options.CountFuel) throw new ArgumentException("The engine counts no fuel: set EngineOptions.CountFuel.", nameof(options));
    }

    /// <summary>The export that answers requests; null if there is none.</summary>
    internal static string? ExportOf(WasmComponent component) =>
        component.Exports.FirstOrDefault(static e => e.StartsWith(Interface, StringComparison.Ordinal) || e.StartsWith(LaterInterface, StringComparison.Ordinal));

    internal WasiHttpHandlerOptions Options => options;

    /// <summary>How many instances are kept and idle.</summary>
    internal int Idle => Volatile.Read(ref idle);

    /// <summary>Takes a place among those that are answered at once, which <see cref="AnswerAsync"/> gives back.</summary>
    /// <returns>Whether there is one: otherwise too many wait already, or it has waited for as long as a request may take. A server may not notice that a client which waits has gone.</returns>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    internal async ValueTask<bool> EnterAsync(CancellationToken cancellation)
    {
        if (slots.Wait(0, CancellationToken.None)) return true;
        if (Interlocked.Increment(ref waiting) > options.MaximumWaiting)
        {
            Interlocked.Decrement(ref waiting);
            return false;
        }
        try
        {
            return await slots.WaitAsync(options.Timeout, cancellation).ConfigureAwait(false);
        }
        finally
        {
            Interlocked.Decrement(ref waiting);
        }
    }

    /// <summary>Answers a request: the guest runs on the calling thread.</summary>
    /// <param name="exchange">The request, and where its response goes.</param>
    /// <param name="cancellation">Stops the guest: the client has gone.</param>
    /// <returns>What the guest was stopped by; null if it has returned.</returns>
    internal async ValueTask<Exception?> AnswerAsync(HttpExchange exchange, CancellationToken cancellation)
    {
        Exception? reason = null;
        HttpGuest? guest = null;
        try
        {
            using CancellationTokenSource time = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            using Deadline deadline = Deadline.After(options.Timeout, time);
            (guest, reason) = isLater ? await RunAsync(exchange, time.Token).ConfigureAwait(false) : Run(exchange, time.Token);
            if (reason is OperationCanceledException && !cancellation.IsCancellationRequested) reason = new HttpFault(new HttpFailure.HttpResponseTimeout(), reason);
            await exchange.EndAsync(reason).ConfigureAwait(false);
        }
        finally
        {
            if (guest is not null) Return(guest, reason is null);
            slots.Release();
        }
        return reason;
    }

    /// <returns>The guest, if there was one, and what it was stopped by; null if it has returned.</returns>
    private (HttpGuest? Guest, Exception? Reason) Run(HttpExchange exchange, CancellationToken stop)
    {
        HttpGuest? guest = null;
        Action? before = Waiter.BeforeWait;
        Waiter.BeforeWait = exchange.BeforeWait;
        try
        {
            Guest.Run(
                () =>
                {
                    guest = Take();
                    ResourceTypes types = host.State.Types;
                    guest.Handle!(types.IncomingRequest.New(new IncomingRequest(exchange)), types.ResponseOutparam.New(new ResponseOutparam(exchange)));
                },
                stop);
            return (guest, null);
        }
        catch (Exception e)
        {
            return (guest, e);
        }
        finally
        {
            Waiter.BeforeWait = before;
        }
    }

    /// <summary>The same by the interface of version 0.3: no thread is held while the guest waits.</summary>
    private async Task<(HttpGuest? Guest, Exception? Reason)> RunAsync(HttpExchange exchange, CancellationToken stop)
    {
        HttpGuest? guest = null;
        // A thread of the guest's may trap while another operation of the host lets it go on: whatever waits for the guest ends then.
        using CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(stop);
        try
        {
            ResourceTypes types = host.State.Types;
            var body = new IncomingStream(new InputStreamReader(exchange.Input), () => exchange.Trailers, fields => types.Fields.New(fields));
            var request = new HttpRequest(exchange.ReadHeaders(), body, body.Trailers, null)
            {
                Method = HttpVerb.Of(exchange.Method),
                PathWithQuery = exchange.PathWithQuery,
                Scheme = exchange.Scheme is { } scheme ? HttpScheme.Of(scheme) : null,
                Authority = exchange.Authority,
            };
            Task<ComponentResult<ComponentResource, HttpFailure>> called = Guest.Run(
                () =>
                {
                    guest = Take();
                    guest.Tree.Faulted = Stop;
                    return guest.HandleLater!(types.Request.New(request));
                },
                stop);
            ComponentResult<ComponentResource, HttpFailure> result = await called.ConfigureAwait(false);
            if (result.IsOk)
            {
                await exchange.RespondAsync(result.Value.Get<HttpResponse>(), either.Token).ConfigureAwait(false);
                result.Value.Dispose();
            }
            else
            {
                exchange.Refuse(new HttpFault(result.Error));
            }
            // The client has its response, and the guest goes on. What it does belongs to this request: its time and fuel, and its trap. The next one finds an instance that does nothing.
            guest!.IsAtRest = await guest.Tree.Scheduler.FinishAsync(guest.Tree, stop).ConfigureAwait(false);
            return (guest, null);
        }
        catch (Exception e)
        {
            return (guest, guest?.Tree.Fault ?? e);
        }
        finally
        {
            if (guest is not null) guest.Tree.Faulted = null;
        }

        void Stop()
        {
            try
            {
                either.Cancel();
            }
            catch (ObjectDisposedException)
            {
                // It is over already.
            }
        }
    }

    private HttpGuest Take()
    {
        if (kept.TryPop(out HttpGuest? guest))
        {
            Interlocked.Decrement(ref idle);
            guest.Refuel(options.Fuel);
            return guest;
        }
        Fuel? fuel = options.Fuel is { } units ? new Fuel(units) : options.Instance?.Fuel;
        ComponentInstance instance = host.Instantiate(component, (options.Instance ?? new ComponentInstanceOptions()) with { Fuel = fuel });
        ComponentInstance handler = instance.GetInstance(export);
        return isLater
            ? new HttpGuest(instance, fuel) { HandleLater = handler.GetFunction<Func<ComponentResource, Task<ComponentResult<ComponentResource, HttpFailure>>>>("handle") }
            : new HttpGuest(instance, fuel) { Handle = handler.GetFunction<Action<ComponentResource, ComponentResource>>("handle") };
    }

    private void Return(HttpGuest guest, bool isWell)
    {
        if (isWell && guest.IsAtRest && ++guest.Uses < options.RequestsPerInstance && !isDisposed && options.KeptInstances > 0)
        {
            if (Interlocked.Increment(ref idle) <= options.KeptInstances)
            {
                kept.Push(guest);
                // Dispose may have come in between.
                if (isDisposed) Clear();
                return;
            }
            Interlocked.Decrement(ref idle);
        }
        guest.Dispose();
    }

    private void Clear()
    {
        while (kept.TryPop(out HttpGuest? guest))
        {
            Interlocked.Decrement(ref idle);
            guest.Dispose();
        }
    }

    public void Dispose()
    {
        isDisposed = true;
        Clear();
    }
}

/// <summary>An instance that answers requests, one at a time.</summary>
internal sealed class HttpGuest(ComponentInstance instance, Fuel? fuel) : IDisposable
{
    internal Action<ComponentResource, ComponentResource>? Handle { get; init; }

    /// <summary>The function of version 0.3.</summary>
    internal Func<ComponentResource, Task<ComponentResult<ComponentResource, HttpFailure>>>? HandleLater { get; init; }

    internal ComponentTree Tree => instance.Tree;

    /// <summary>Whether it does nothing between two requests. Otherwise something in it waits for what never comes.</summary>
    internal bool IsAtRest { get; set; } = true;

    /// <summary>How many requests it has answered.</summary>
    internal int Uses { get; set; }

    /// <summary>Gives it again what it may execute for a request.</summary>
    internal void Refuel(long? units)
    {
        if (units is { } all && fuel is not null) fuel.Add(Math.Max(0, all - fuel.Remaining));
    }

    public void Dispose() => instance.Dispose();
}

/// <summary>An input stream as a .NET stream.</summary>
internal sealed class InputStreamReader(InputStream input) : AsyncReadStream
{
    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => ReadySources.ReadAsync(input, buffer, cancellationToken);
}
