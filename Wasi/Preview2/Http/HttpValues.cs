namespace WasmJit.Wasi.Preview2;

/// <summary><c>method</c>.</summary>
internal abstract record HttpVerb
{
    internal sealed record Get : HttpVerb;

    internal sealed record Head : HttpVerb;

    internal sealed record Post : HttpVerb;

    internal sealed record Put : HttpVerb;

    internal sealed record Delete : HttpVerb;

    internal sealed record Connect : HttpVerb;

    internal sealed record Options : HttpVerb;

    internal sealed record Trace : HttpVerb;

    internal sealed record Patch : HttpVerb;

    internal sealed record Other(string Value) : HttpVerb;

    private static readonly (string Name, HttpVerb Verb)[] Known =
    [
        ("GET", new Get()), ("HEAD", new Head()), ("POST", new Post()), ("PUT", new Put()), ("DELETE", new Delete()), ("CONNECT", new Connect()), ("OPTIONS", new Options()),
        ("TRACE", new Trace()), ("PATCH", new Patch()),
    ];

    internal static HttpVerb Of(string name)
    {
        foreach ((string known, HttpVerb verb) in Known)
            if (known == name) return verb;
        return new Other(name);
    }

    internal string Text => this is Other { Value: var other } ? other : GetType().Name.ToUpperInvariant();
}

/// <summary><c>scheme</c>.</summary>
internal abstract record HttpScheme
{
    internal sealed record Http : HttpScheme;

    internal sealed record Https : HttpScheme;

    internal sealed record Other(string Value) : HttpScheme;

    internal static HttpScheme Of(string name) => name switch { "http" => new Http(), "https" => new Https(), _ => new Other(name) };
}

/// <summary><c>header-error</c>.</summary>
internal abstract record HeaderError
{
    internal sealed record InvalidSyntax : HeaderError;

    internal sealed record Forbidden : HeaderError;

    internal sealed record Immutable : HeaderError;
}

/// <summary><c>DNS-error-payload</c>.</summary>
internal sealed record DnsErrorPayload(string? Rcode, ushort? InfoCode);

/// <summary><c>TLS-alert-received-payload</c>.</summary>
internal sealed record TlsAlertReceivedPayload(byte? AlertId, string? AlertMessage);

/// <summary><c>field-size-payload</c>.</summary>
internal sealed record FieldSizePayload(string? FieldName, uint? FieldSize);

/// <summary><c>error-code</c> of <c>wasi:http</c>.</summary>
internal abstract record HttpFailure
{
    internal sealed record DnsTimeout : HttpFailure;

    internal sealed record DnsError(DnsErrorPayload Value) : HttpFailure;

    internal sealed record DestinationNotFound : HttpFailure;

    internal sealed record DestinationUnavailable : HttpFailure;

    internal sealed record DestinationIpProhibited : HttpFailure;

    internal sealed record DestinationIpUnroutable : HttpFailure;

    internal sealed record ConnectionRefused : HttpFailure;

    internal sealed record ConnectionTerminated : HttpFailure;

    internal sealed record ConnectionTimeout : HttpFailure;

    internal sealed record ConnectionReadTimeout : HttpFailure;

    internal sealed record ConnectionWriteTimeout : HttpFailure;

    internal sealed record ConnectionLimitReached : HttpFailure;

    internal sealed record TlsProtocolError : HttpFailure;

    internal sealed record TlsCertificateError : HttpFailure;

    internal sealed record TlsAlertReceived(TlsAlertReceivedPayload Value) : HttpFailure;

    internal sealed record HttpRequestDenied : HttpFailure;

    internal sealed record HttpRequestLengthRequired : HttpFailure;

    internal sealed record HttpRequestBodySize(ulong? Value) : HttpFailure;

    internal sealed record HttpRequestMethodInvalid : HttpFailure;

    internal sealed record HttpRequestUriInvalid : HttpFailure;

    internal sealed record HttpRequestUriTooLong : HttpFailure;

    internal sealed record HttpRequestHeaderSectionSize(uint? Value) : HttpFailure;

    internal sealed record HttpRequestHeaderSize(FieldSizePayload? Value) : HttpFailure;

    internal sealed record HttpRequestTrailerSectionSize(uint? Value) : HttpFailure;

    internal sealed record HttpRequestTrailerSize(FieldSizePayload Value) : HttpFailure;

    internal sealed record HttpResponseIncomplete : HttpFailure;

    internal sealed record HttpResponseHeaderSectionSize(uint? Value) : HttpFailure;

    internal sealed record HttpResponseHeaderSize(FieldSizePayload Value) : HttpFailure;

    internal sealed record HttpResponseBodySize(ulong? Value) : HttpFailure;

    internal sealed record HttpResponseTrailerSectionSize(uint? Value) : HttpFailure;

    internal sealed record HttpResponseTrailerSize(FieldSizePayload Value) : HttpFailure;

    internal sealed record HttpResponseTransferCoding(string? Value) : HttpFailure;

    internal sealed record HttpResponseContentCoding(string? Value) : HttpFailure;

    internal sealed record HttpResponseTimeout : HttpFailure;

    internal sealed record HttpUpgradeFailed : HttpFailure;

    internal sealed record HttpProtocolError : HttpFailure;

    internal sealed record LoopDetected : HttpFailure;

    internal sealed record ConfigurationError : HttpFailure;

    internal sealed record InternalError(string? Value) : HttpFailure;

    /// <summary>What the host says of it.</summary>
    internal string Text => this switch
    {
        InternalError { Value: { } text } => text,
        HttpResponseTimeout => "its time is over",
        HttpRequestBodySize => "the body is too large, or has another length than announced",
        HttpResponseBodySize => "the body has another length than announced",
        ConnectionTerminated or HttpResponseIncomplete => "the body is not complete",
        _ => GetType().Name,
    };

    /// <summary>The code for an exception of <see cref="HttpClient"/>; null for other exceptions.</summary>
    internal static HttpFailure? Of(Exception exception) => exception switch
    {
        HttpFault fault => fault.Failure,
        HttpRequestException { HttpRequestError: HttpRequestError.NameResolutionError } => new DnsError(new DnsErrorPayload(null, null)),
        HttpRequestException { InnerException: System.Net.Sockets.SocketException { SocketErrorCode: System.Net.Sockets.SocketError.ConnectionRefused } } => new ConnectionRefused(),
        HttpRequestException { HttpRequestError: HttpRequestError.ConnectionError } => new DestinationUnavailable(),
        HttpRequestException { HttpRequestError: HttpRequestError.SecureConnectionError } => new TlsProtocolError(),
        HttpRequestException { HttpRequestError: HttpRequestError.ResponseEnded } or HttpIOException { HttpRequestError: HttpRequestError.ResponseEnded } => new HttpResponseIncomplete(),
        HttpRequestException { HttpRequestError: HttpRequestError.ConfigurationLimitExceeded } => new HttpResponseHeaderSectionSize(null),
        HttpRequestException { InnerException: HttpFault fault } => fault.Failure,
        HttpRequestException or HttpIOException => new HttpProtocolError(),
        OperationCanceledException => new HttpResponseTimeout(),
        IOException { InnerException: { } inner } when Of(inner) is { } failure => failure,
        IOException => new ConnectionTerminated(),
        _ => null,
    };
}

/// <summary>Ends a request, or the stream of a body, with an error.</summary>
internal sealed class HttpFault(HttpFailure failure, Exception? inner = null) : IOException(failure.Text, inner)
{
    internal HttpFailure Failure => failure;
}
