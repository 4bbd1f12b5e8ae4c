using System.Net;

namespace WasmJit;

/// <summary>
/// What a guest of WASI 0.2 or 0.3 may do with the network, by the addresses and names that it asks for. Nothing, unless a property says otherwise. The functions are called on
/// threads of guests.
/// </summary>
public sealed record WasiNetwork
{
    /// <summary>All addresses and names.</summary>
    public static WasiNetwork Everything { get; } = new() { Connect = static _ => true, Bind = static _ => true, LookUp = static _ => true };

    /// <summary>Whether it may connect, or send datagrams, to an address.</summary>
    public Func<IPEndPoint, bool> Connect { get; init; } = static _ => false;

    /// <summary>Whether it may use a local address, to listen or to get datagrams; the port is 0 if it asks for any that is free.</summary>
    public Func<IPEndPoint, bool> Bind { get; init; } = static _ => false;

    /// <summary>Whether it may look up the addresses of a name.</summary>
    public Func<string, bool> LookUp { get; init; } = static _ => false;
}
