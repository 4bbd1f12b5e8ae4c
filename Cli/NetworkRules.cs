using System.CommandLine;
using System.Globalization;
using System.Net;

namespace WasmJit.Cli;

/// <summary><c>--allow-connect</c>, <c>--allow-listen</c> and <c>--allow-lookup</c>: what a component may do with the network.</summary>
internal static class NetworkRules
{
    private static readonly Option<string[]> Connect = new("--allow-connect")
    {
        Description = "Let a component connect, and send datagrams, to ADDRESS: IP, IP:PORT, [IPv6]:PORT, *:PORT, or * for all; may be repeated.",
        HelpName = "ADDRESS",
    };

    private static readonly Option<string[]> Listen = new("--allow-listen")
    {
        Description = "Let a component listen, and get datagrams, at ADDRESS, which is as for --allow-connect; a port that is not named may be any. May be repeated.",
        HelpName = "ADDRESS",
    };

    private static readonly Option<string[]> LookUp = new("--allow-lookup")
    {
        Description = "Let a component look up the addresses of NAME, of names below it with *.NAME, or of all with *; may be repeated.",
        HelpName = "NAME",
    };

    private static readonly Option<string[]> Request = new("--allow-http")
    {
        Description = "Let a component send requests by HTTP to HOST, to those below it with *.HOST, or to all with *; may be repeated.",
        HelpName = "HOST",
    };

    internal static IEnumerable<Option> Options => [Connect, Listen, LookUp, Request];

    /// <summary>What may be requested; null if nothing is.</summary>
    internal static WasiHttp? HttpOf(ParseResult parsed) =>
        parsed.GetValue(Request) is { Length: > 0 } names ? new WasiHttp { Allow = uri => Array.Exists(names, n => Matches(n, uri.IdnHost)) } : null;

    private static bool Matches(string rule, string name) => rule == "*" || rule.Equals(name, StringComparison.OrdinalIgnoreCase)
        || (rule.StartsWith("*.", StringComparison.Ordinal) && name.EndsWith(rule[1..], StringComparison.OrdinalIgnoreCase));

    /// <summary>What is allowed; null if nothing is.</summary>
    /// <exception cref="ToolException">A text is not an address.</exception>
    internal static WasiNetwork? Of(ParseResult parsed)
    {
        (IPAddress? Address, int? Port)[] connect = Addresses(parsed, Connect), listen = Addresses(parsed, Listen);
        string[] names = parsed.GetValue(LookUp) ?? [];
        if (connect.Length + listen.Length + names.Length == 0) return null;
        return new WasiNetwork
        {
            Connect = point => Array.Exists(connect, r => Matches(r, point)),
            Bind = point => Array.Exists(listen, r => Matches(r, point)),
            LookUp = name => Array.Exists(names, n => Matches(n, name)),
        };
    }

    private static bool Matches((IPAddress? Address, int? Port) rule, IPEndPoint point) =>
        (rule.Address is null || rule.Address.Equals(point.Address)) && (rule.Port is null || rule.Port == point.Port);

    private static (IPAddress?, int?)[] Addresses(ParseResult parsed, Option<string[]> option) => [.. (parsed.GetValue(option) ?? []).Select(text => Parse(option.Name, text))];

    private static (IPAddress?, int?) Parse(string option, string text)
    {
        if (text == "*") return (null, null);
        if (IPAddress.TryParse(text, out IPAddress? address)) return (address, null);
        int colon = text.LastIndexOf(':');
        if (colon > 0 && ushort.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out ushort port))
        {
            if (text[..colon] == "*") return (null, port);
            if (IPAddress.TryParse(text[..colon], out address)) return (address, port);
        }
        throw new ToolException($"{option} {text}: the value must be an address such as 127.0.0.1:8080, [::1]:8080, 10.0.0.7, *:443 or *");
    }
}
