using WasmJit.Components;

namespace WasmJit.Wasi.Preview2;

/// <summary>
/// What a guest has a handle of. An object may be the child of another, as a pollable is of its stream; a guest must drop children first.
/// </summary>
internal abstract class GuestObject : IDisposable
{
    private GuestObject? parent;
    private int children;
    private bool isGone;

    internal bool HasChildren => Volatile.Read(ref children) > 0;

    /// <summary>Makes an object a child of this one.</summary>
    internal T Adopt<T>(T child)
        where T : GuestObject
    {
        Interlocked.Increment(ref children);
        child.parent = this;
        return child;
    }

    /// <summary>Its handle was dropped, or given back.</summary>
    public void Dispose()
    {
        if (isGone) return;
        isGone = true;
        if (parent is not null) Interlocked.Decrement(ref parent.children);
        Close();
    }

    /// <summary>Lets go of what the object has.</summary>
    private protected virtual void Close()
    {
    }
}

/// <summary>The resource types of WASI, for the guests of one host.</summary>
internal sealed class ResourceTypes
{
    /// <summary>How many messages, and collections of fields, the guests of a host may have of each kind: each may have <see cref="HttpFields.MostBytes"/>.</summary>
    internal const int MostMessages = 10_000;

    internal HostResourceType Error { get; } = Make("error");

    internal HostResourceType Pollable { get; } = Make("pollable");

    internal HostResourceType InputStream { get; } = Make("input-stream");

    internal HostResourceType OutputStream { get; } = Make("output-stream");

    internal HostResourceType TerminalInput { get; } = Make("terminal-input");

    internal HostResourceType TerminalOutput { get; } = Make("terminal-output");

    internal HostResourceType Descriptor { get; } = Make("descriptor");

    internal HostResourceType DirectoryEntryStream { get; } = Make("directory-entry-stream");

    internal HostResourceType Network { get; } = Make("network");

    internal HostResourceType TcpSocket { get; } = Make("tcp-socket");

    internal HostResourceType UdpSocket { get; } = Make("udp-socket");

    internal HostResourceType IncomingDatagramStream { get; } = Make("incoming-datagram-stream");

    internal HostResourceType OutgoingDatagramStream { get; } = Make("outgoing-datagram-stream");

    internal HostResourceType ResolveAddressStream { get; } = Make("resolve-address-stream");

    internal HostResourceType Fields { get; } = Make("fields", MostMessages);

    internal HostResourceType IncomingRequest { get; } = Make("incoming-request");

    internal HostResourceType OutgoingRequest { get; } = Make("outgoing-request", MostMessages);

    internal HostResourceType RequestOptions { get; } = Make("request-options");

    internal HostResourceType ResponseOutparam { get; } = Make("response-outparam");

    internal HostResourceType IncomingResponse { get; } = Make("incoming-response");

    internal HostResourceType IncomingBody { get; } = Make("incoming-body");

    internal HostResourceType FutureTrailers { get; } = Make("future-trailers");

    internal HostResourceType OutgoingResponse { get; } = Make("outgoing-response", MostMessages);

    internal HostResourceType OutgoingBody { get; } = Make("outgoing-body");

    internal HostResourceType FutureResponse { get; } = Make("future-incoming-response");

    /// <summary>The sockets and messages of version 0.3.</summary>
    internal HostResourceType TcpSocketLater { get; } = Make("tcp-socket");

    internal HostResourceType UdpSocketLater { get; } = Make("udp-socket");

    internal HostResourceType Request { get; } = Make("request", MostMessages);

    internal HostResourceType Response { get; } = Make("response", MostMessages);

    private static HostResourceType Make(string name, int most = int.MaxValue) => new(name)
    {
        Most = most,
        Dropping = static found =>
        {
            if (((GuestObject)found).HasChildren) throw ComponentTrap.Make("resource has children");
        },
    };
}
