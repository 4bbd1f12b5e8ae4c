using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Primitives;
using WasmJit.Wasi.Preview2;

namespace WasmJit.AspNetCore;

/// <summary>
/// An exchange of a server of ASP.NET's. The guest runs on the request's thread, so nothing but it uses the context, and what it writes goes into the server's own buffers.
/// </summary>
/// <param name="context">The request and its response.</param>
/// <param name="encoding">The encoding by which the server has made strings of the headers' bytes.</param>
internal sealed class ServerExchange(HttpContext context, Encoding encoding) : HttpExchange
{
    private bool takesBody = true;
    private Task? completing;
    private Exception? broken;

    /// <summary>Why there is no response, or no whole one; null if there is.</summary>
    internal Exception? Broken => broken;

    internal override string Method => context.Request.Method;

    internal override string? PathWithQuery
    {
        get
        {
            // If the client has sent a path alone, it is used as it was sent.
            string? raw = context.Features.Get<IHttpRequestFeature>()?.RawTarget;
            HttpRequest request = context.Request;
            return raw is ['/', ..] ? raw : request.PathBase.ToUriComponent() + request.Path.ToUriComponent() + request.QueryString.ToUriComponent();
        }
    }

    internal override string? Scheme => context.Request.Scheme;

    internal override string? Authority => context.Request.Host.HasValue ? context.Request.Host.Value : null;

    internal override HttpFields ReadHeaders() => Fields(context.Request.Headers);

    private protected override HttpFields? ReadTrailers()
    {
        IHttpRequestTrailersFeature? trailers = context.Features.Get<IHttpRequestTrailersFeature>();
        return trailers is { Available: true, Trailers.Count: > 0 } ? Fields(trailers.Trailers) : null;
    }

    private HttpFields Fields(IHeaderDictionary headers)
    {
        var items = new List<(string, byte[])>(headers.Count);
        foreach ((string name, StringValues values) in headers)
            foreach (string? value in values) items.Add((name, encoding.GetBytes(value ?? "")));
        return HttpFields.Of(items);
    }

    private protected override PipeReader Content
    {
        get
        {
            // The limit is this one, for which the guest gets an error.
            if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } feature) feature.MaxRequestBodySize = null;
            return context.Request.BodyReader;
        }
    }

    // ---- the response ----

    private protected override void Begin(ushort status, HttpFields headers, bool hasBody)
    {
        HttpResponse response = context.Response;
        try
        {
            if (status is < 200 or 205) throw new HttpFault(new HttpFailure.HttpProtocolError());
            response.StatusCode = status;
            takesBody = status is not (204 or 304) && !HttpMethods.IsHead(context.Request.Method);
            foreach ((string name, byte[] value) in headers.Items) response.Headers.Append(name, Encoding.Latin1.GetString(value));
            // A response without a body has the length that it would have with one.
            if (!hasBody && takesBody) response.ContentLength = 0;
        }
        catch (Exception e) when (e is InvalidOperationException or ArgumentException or HttpFault)
        {
            // A value that cannot be sent.
            Fail(e);
        }
    }

    private protected override void Fail(Exception reason) => Fail(reason, StatusOf(reason));

    private void Fail(Exception reason, int status)
    {
        if (broken is not null) return;
        broken = reason;
        takesBody = false;
        if (context.Response.HasStarted)
        {
            // The reader of a part of a response is told that it is one.
            context.Abort();
            return;
        }
        context.Response.Clear();
        context.Response.StatusCode = status;
    }

    public override PipeWriter Writer => context.Response.BodyWriter;

    public override bool IsRead => false;

    public override bool TakesBody => takesBody;

    public override void Finish(ReadOnlySpan<byte> whole, HttpFields? trailers)
    {
        if (broken is not null) return;
        try
        {
            if (takesBody)
            {
                bool hasTrailers = trailers is { Items.Count: > 0 } && context.Response.SupportsTrailers();
                if (!context.Response.HasStarted && !hasTrailers) context.Response.ContentLength = whole.Length;
                if (whole.Length > 0) context.Response.BodyWriter.Write(whole);
                if (hasTrailers)
                    foreach ((string name, byte[] value) in trailers!.Items) context.Response.AppendTrailer(name, Encoding.Latin1.GetString(value));
            }
            Complete();
        }
        catch (Exception e) when (e is InvalidOperationException or ArgumentException)
        {
            Fail(e);
        }
    }

    private protected override void Complete()
    {
        if (broken is not null) return;
        try
        {
            completing = context.Response.CompleteAsync();
        }
        catch (Exception e) when (e is InvalidOperationException or IOException)
        {
            Fail(e);
        }
    }

    /// <summary>A response that its guest does not complete is its guest's fault, whatever the code of the error.</summary>
    public override void Break(Exception reason) =>
        Fail(reason, reason is HttpFault { Failure: HttpFailure.HttpResponseTimeout } ? StatusCodes.Status504GatewayTimeout : StatusCodes.Status500InternalServerError);

    private protected override async ValueTask CloseAsync()
    {
        if (completing is { IsCompletedSuccessfully: false })
        {
            try
            {
                await completing.WaitAsync(context.RequestAborted).ConfigureAwait(false);
            }
            catch (Exception e) when (e is OperationCanceledException or IOException)
            {
                // The client has gone.
            }
            catch (Exception e)
            {
                // The server does not send it so, or what the application has put around it does not.
                Fail(e);
            }
        }
    }

    /// <summary>The status for a request that has no response: it tells nothing of the guest but whose fault it is.</summary>
    internal static int StatusOf(Exception reason) => reason is not HttpFault { Failure: var failure }
        ? StatusCodes.Status500InternalServerError
        : failure switch
        {
            HttpFailure.InternalError or HttpFailure.ConfigurationError or HttpFailure.HttpProtocolError => StatusCodes.Status500InternalServerError,
            HttpFailure.HttpRequestBodySize => StatusCodes.Status413PayloadTooLarge,
            HttpFailure.HttpRequestUriTooLong => StatusCodes.Status414UriTooLong,
            HttpFailure.HttpRequestLengthRequired => StatusCodes.Status411LengthRequired,
            HttpFailure.HttpRequestHeaderSectionSize or HttpFailure.HttpRequestHeaderSize => StatusCodes.Status431RequestHeaderFieldsTooLarge,
            HttpFailure.HttpRequestMethodInvalid or HttpFailure.HttpRequestUriInvalid => StatusCodes.Status400BadRequest,
            HttpFailure.HttpRequestDenied => StatusCodes.Status403Forbidden,
            HttpFailure.LoopDetected => StatusCodes.Status508LoopDetected,
            HttpFailure.HttpResponseTimeout or HttpFailure.ConnectionTimeout or HttpFailure.ConnectionReadTimeout or HttpFailure.ConnectionWriteTimeout or HttpFailure.DnsTimeout =>
                StatusCodes.Status504GatewayTimeout,
            _ => StatusCodes.Status502BadGateway,
        };
}
