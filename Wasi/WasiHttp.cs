using WasmJit.Wasi.Preview2;

namespace WasmJit;

/// <summary>What a guest of WASI 0.2 or 0.3 may request by HTTP. Nothing, unless <see cref="Allow"/> says otherwise.</summary>
public sealed record WasiHttp
{
    private static readonly Lazy<HttpClient> Shared = new(() => new HttpClient(new SocketsHttpHandler
    {
        // A guest may follow redirections itself, where that is allowed.
        AllowAutoRedirect = false,
        UseCookies = false,
        UseProxy = false,
        PlaintextStreamFilter = RequestTrailers.Connect,
    })
    {
        Timeout = System.Threading.Timeout.InfiniteTimeSpan,
    });

    private readonly HttpClient? client;

    /// <summary>Whether it may send a request to an address. It is called on threads of guests. Redirections are not followed.</summary>
    public Func<Uri, bool> Allow { get; init; } = static _ => false;

    /// <summary>
    /// Sends the requests; by default one that all share, without cookies, proxy and redirections. That one sends trailers behind bodies in chunks, which no other <see cref="HttpClient"/> does.
    /// </summary>
    public HttpClient Client
    {
        get => client ?? Shared.Value;
        init => client = value;
    }

    /// <summary>How long a response may take to begin, and then each piece of its body, if the guest does not say so itself.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(100);

    /// <summary>How many requests may wait for their responses at once.</summary>
    public int MaximumRequests { get; init; } = 64;
}
