using System.Buffers;
using WasmJit.Components;

namespace WasmJit.Wasi.Preview2;

/// <summary>What <c>wasi:http/types</c> calls an incoming-request.</summary>
internal sealed class IncomingRequest(HttpExchange exchange) : GuestObject
{
    private bool isConsumed;

    /// <exception cref="TrapException">The request was answered long ago: an instance that is kept has kept the handle.</exception>
    private HttpExchange Exchange => exchange.IsOver ? throw ComponentTrap.Make("the request is over") : exchange;

    internal HttpVerb Method => HttpVerb.Of(Exchange.Method);

    internal string? PathWithQuery => Exchange.PathWithQuery;

    internal HttpScheme? Scheme => Exchange.Scheme is { } scheme ? HttpScheme.Of(scheme) : null;

    internal string? Authority => Exchange.Authority;

    internal HttpFields Headers => Adopt(Exchange.ReadHeaders());

    internal IncomingBody? Consume()
    {
        if (isConsumed) return null;
        isConsumed = true;
        PipeInput input = Exchange.Input;
        return new IncomingBody(() => input, input.DrainAsync, () => exchange.Trailers, null);
    }
}

/// <summary>What <c>wasi:http/types</c> calls an outgoing-request.</summary>
internal sealed class OutgoingRequest(HttpFields headers) : GuestObject
{
    internal HttpFields Fields => headers;

    internal HttpVerb Method { get; set; } = new HttpVerb.Get();

    internal string? PathWithQuery { get; set; }

    internal HttpScheme? Scheme { get; set; }

    internal string? Authority { get; set; }

    internal OutgoingBody? Body { get; private set; }

    internal OutgoingBody? TakeBody() => Body is null ? Body = new OutgoingBody(headers.ContentLength, isResponse: false) : null;

    /// <exception cref="HttpFault">The text is not a valid URI.</exception>
    internal Uri Address => AddressOf(Scheme, Authority, PathWithQuery);

    /// <summary>The address of a request.</summary>
    /// <exception cref="HttpFault">The text is not a valid URI.</exception>
    internal static Uri AddressOf(HttpScheme? of, string? authority, string? path)
    {
        string scheme = of switch { HttpScheme.Http => "http", HttpScheme.Https or null => "https", _ => throw new HttpFault(new HttpFailure.HttpProtocolError()) };
        if (authority is null || !Uri.TryCreate($"{scheme}://{authority}{(path is null or "" ? "/" : path[0] == '/' ? path : "/" + path)}", UriKind.Absolute, out Uri? uri))
            throw new HttpFault(new HttpFailure.HttpRequestUriInvalid());
        return uri;
    }

    // ---- what may be set ----

    internal static bool IsMethod(HttpVerb method) =>
        method is not HttpVerb.Other { Value: var name } || (name.Length > 0 && name.All(c => c is > ' ' and < '\x7f' && !"()<>@,;:\\\"/[]?={}".Contains(c)));

    internal static bool IsPath(string? path) => path is null || path.All(c => c is > ' ' and not ('\x7f' or '#' or '<' or '>' or '`'));

    internal static bool IsScheme(HttpScheme? scheme) => scheme is not HttpScheme.Other { Value: var name } || Uri.CheckSchemeName(name);

    private static readonly SearchValues<char> NotInUsers = SearchValues.Create(" @/?#\\[]");

    internal static bool IsAuthority(string? authority, bool mayNameUser)
    {
        int at = authority?.LastIndexOf('@') ?? -1;
        return at < 0 || !mayNameUser ? IsHost(authority) : !authority!.AsSpan(0, at).ContainsAny(NotInUsers) && IsHost(authority![(at + 1)..]);
    }

    private static bool IsHost(string? authority) => authority is null
        || (Uri.TryCreate($"http://{authority}/", UriKind.Absolute, out Uri? uri) && uri.PathAndQuery == "/" && uri.Fragment.Length == 0 && !authority.Any(c => c is '/' or '?' or '\\' or '@'));
}

/// <summary>What <c>wasi:http/types</c> calls request-options; times in nanoseconds.</summary>
internal sealed class RequestOptions : GuestObject
{
    internal ulong? Connect { get; set; }

    internal ulong? FirstByte { get; set; }

    internal ulong? BetweenBytes { get; set; }

    /// <summary>Whether a guest can only read them, since they are a request's.</summary>
    internal bool IsImmutable { get; private init; }

    internal RequestOptions Copy(bool isImmutable) => new() { Connect = Connect, FirstByte = FirstByte, BetweenBytes = BetweenBytes, IsImmutable = isImmutable };
}

/// <summary>What <c>wasi:http/types</c> calls an incoming-response.</summary>
internal sealed class IncomingResponse(WasiState state, HttpResponseMessage message, Stream content) : GuestObject
{
    private bool isConsumed;

    internal ushort Status => (ushort)message.StatusCode;

    internal HttpFields Headers => Adopt(HttpFields.Of(message.Headers, message.Content.Headers));

    internal IncomingBody? Consume()
    {
        if (isConsumed) return null;
        isConsumed = true;
        return new IncomingBody(
            () =>
            {
                var descriptor = new InputDescriptor(content);
                descriptor.SetFlags(FdFlags.Nonblock);
                return new DescriptorInput(descriptor, state.Waiter, content.Dispose);
            },
            null, () => HttpFields.TrailersOf(message), content.Dispose);
    }

    private protected override void Close()
    {
        if (!isConsumed) message.Dispose();
    }
}

/// <summary>What <c>wasi:http/types</c> calls an outgoing-response.</summary>
internal sealed class OutgoingResponse(HttpFields headers) : GuestObject
{
    internal HttpFields Fields => headers;

    internal ushort Status { get; set; } = 200;

    internal OutgoingBody? Body { get; private set; }

    internal OutgoingBody? TakeBody() => Body is null ? Body = new OutgoingBody(headers.ContentLength, isResponse: true) : null;
}

/// <summary>What <c>wasi:http/types</c> calls a response-outparam.</summary>
internal sealed class ResponseOutparam(HttpExchange exchange) : GuestObject
{
    internal void Set(ComponentResult<OutgoingResponse, HttpFailure> result)
    {
        if (result.IsOk) exchange.Respond(result.Value);
        else exchange.Refuse(new HttpFault(result.Error));
    }

    private protected override void Close() => exchange.RefuseIfUnanswered(null);
}

/// <summary>What <c>wasi:http/types</c> calls a future-incoming-response.</summary>
internal sealed class FutureResponse(Task<IncomingResponse> task, CancellationTokenSource source) : GuestObject
{
    private bool isTaken;

    internal IReadySource Source => new TaskSource(task);

    /// <summary>The response, once; null if it is not there yet.</summary>
    internal ComponentResult<ComponentResult<IncomingResponse, HttpFailure>, NoValue>? Take()
    {
        if (!task.IsCompleted) return null;
        if (isTaken) return ComponentResult<ComponentResult<IncomingResponse, HttpFailure>, NoValue>.Fail(default);
        isTaken = true;
        try
        {
            return (ComponentResult<IncomingResponse, HttpFailure>)task.GetAwaiter().GetResult();
        }
        catch (Exception e) when (HttpFailure.Of(e) is { } failure)
        {
            return ComponentResult<IncomingResponse, HttpFailure>.Fail(failure);
        }
    }

    private protected override void Close()
    {
        if (isTaken) return;
        source.Cancel();
        LeftValues.DiscardResult(task);
    }
}
