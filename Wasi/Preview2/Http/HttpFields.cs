using System.Buffers;
using System.Net.Http.Headers;
using System.Text;
using WasmJit.Components;

namespace WasmJit.Wasi.Preview2;

/// <summary>What <c>wasi:http/types</c> calls fields: headers or trailers, with their names as they were given and in order.</summary>
internal sealed class HttpFields : GuestObject
{
    /// <summary>What all names and values may have together, in bytes, with what each takes besides them.</summary>
    internal const int MostBytes = 128 * 1024;

    /// <summary>What a field takes besides its name and value; HTTP/2 counts as much.</summary>
    private const int BytesOfField = 32;

    private static readonly SearchValues<char> Token = SearchValues.Create("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");
    private static readonly SearchValues<byte> Forbidden = SearchValues.Create([.. Enumerable.Range(0, 32).Where(b => b != '\t').Select(b => (byte)b), 0x7f]);

    /// <summary>Those of the connection, which is the host's.</summary>
    private static readonly HashSet<string> OfTheHost = new(StringComparer.OrdinalIgnoreCase)
    {
        "connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "transfer-encoding", "upgrade", "host", "http2-settings",
    };

    private readonly List<(string Name, byte[] Value)> items = [];
    private int bytes;
    private HashSet<string>? names;

    internal HttpFields()
    {
    }

    private HttpFields(HttpFields other)
    {
        items.AddRange(other.items);
        bytes = other.bytes;
    }

    /// <summary>Whether a guest can only read them.</summary>
    internal bool IsImmutable { get; private init; }

    internal IReadOnlyList<(string Name, byte[] Value)> Items => items;

    internal HttpFields Copy() => new(this);

    /// <summary>A copy that a guest can only read.</summary>
    internal HttpFields ImmutableCopy() => new(this) { IsImmutable = true };

    /// <summary>Those of a message of .NET's. What exceeds the limit is left out.</summary>
    internal static HttpFields Of(params HttpHeaders?[] all)
    {
        var fields = new HttpFields { IsImmutable = true };
        foreach (HttpHeaders? headers in all)
        {
            if (headers is null) continue;
            foreach (KeyValuePair<string, HeaderStringValues> each in headers.NonValidated)
                foreach (string value in each.Value)
                    if (!OfTheHost.Contains(each.Key)) fields.Put(each.Key, Encoding.Latin1.GetBytes(value));
        }
        return fields;
    }

    /// <summary>What has come behind the body of a response; null if nothing has.</summary>
    internal static HttpFields? TrailersOf(HttpResponseMessage response) => response.TrailingHeaders.NonValidated.Count == 0 ? null : Of(response.TrailingHeaders);

    /// <summary>Those of a request that a server has, without those of the connection.</summary>
    internal static HttpFields Of(IEnumerable<(string Name, byte[] Value)> items)
    {
        var fields = new HttpFields { IsImmutable = true };
        foreach ((string name, byte[] value) in items)
            if (!OfTheHost.Contains(name)) fields.Put(name, value);
        return fields;
    }

    private void Put(string name, byte[] value)
    {
        int size = SizeOf(name, value);
        if (bytes + size > MostBytes) throw ComponentTrap.Make($"fields may have {MostBytes} bytes at most");
        bytes += size;
        items.Add((name, value));
    }

    private static int SizeOf(string name, byte[] value) => BytesOfField + name.Length + value.Length;

    private static bool Is(string a, string b) => a.Equals(b, StringComparison.OrdinalIgnoreCase);

    /// <summary>Whether there is room for values, beside those that are there or in place of those of the name.</summary>
    internal bool Fits(string name, bool replaces, params ReadOnlySpan<byte[]> values)
    {
        long size = bytes;
        if (replaces) size -= items.Where(i => Is(i.Name, name)).Sum(i => SizeOf(i.Name, i.Value));
        foreach (byte[] value in values) size += SizeOf(name, value);
        return size <= MostBytes;
    }

    internal byte[][] Get(string name) => [.. items.Where(i => Is(i.Name, name)).Select(i => i.Value)];

    internal bool Has(string name) => items.Exists(i => Is(i.Name, name));

    private HeaderError? Check(string name, params ReadOnlySpan<byte[]> values)
    {
        if (IsImmutable) return new HeaderError.Immutable();
        if (name.Length == 0 || name.AsSpan().ContainsAnyExcept(Token)) return new HeaderError.InvalidSyntax();
        if (OfTheHost.Contains(name)) return new HeaderError.Forbidden();
        foreach (byte[] value in values)
            if (value.AsSpan().ContainsAny(Forbidden)) return new HeaderError.InvalidSyntax();
        return null;
    }

    internal HeaderError? Append(string name, byte[] value)
    {
        if (Check(name, value) is { } error) return error;
        // All fields of a name are written as its first one.
        names ??= new HashSet<string>(items.Select(i => i.Name), StringComparer.OrdinalIgnoreCase);
        if (!names.Add(name)) names.TryGetValue(name, out name!);
        Put(name, value);
        return null;
    }

    internal HeaderError? Set(string name, byte[][] values)
    {
        if (Check(name, values) is { } error) return error;
        Remove(name);
        foreach (byte[] value in values) Put(name, value);
        if (values.Length > 0) names?.Add(name);
        return null;
    }

    internal HeaderError? Delete(string name)
    {
        if (Check(name) is { } error) return error;
        Remove(name);
        return null;
    }

    private void Remove(string name)
    {
        bytes -= items.Where(i => Is(i.Name, name)).Sum(i => SizeOf(i.Name, i.Value));
        items.RemoveAll(i => Is(i.Name, name));
        names?.Remove(name);
    }

    /// <summary>The value of a header for the length of a body; null if there is none, or no number.</summary>
    internal long? ContentLength => Get("content-length") is [var value] && long.TryParse(Encoding.ASCII.GetString(value), out long length) && length >= 0 ? length : null;

    internal void CopyTo(HttpHeaders headers, HttpContentHeaders? ofContent)
    {
        foreach ((string name, byte[] value) in items)
        {
            string text = Encoding.Latin1.GetString(value);
            // Those of a body are another collection's.
            if (!headers.TryAddWithoutValidation(name, text)) ofContent?.TryAddWithoutValidation(name, text);
        }
    }
}
