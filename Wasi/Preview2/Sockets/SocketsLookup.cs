using System.Net;
using WasmJit.Components;

namespace WasmJit.Wasi.Preview2;

/// <summary>What <c>wasi:sockets/ip-name-lookup</c> calls a resolve-address-stream.</summary>
internal sealed class AddressStream : GuestObject
{
    private readonly WasiState state;
    private readonly CancellationTokenSource source = new();
    private readonly Task<IPAddress[]> task;
    private int next;

    internal AddressStream(WasiState state, string name)
    {
        IPAddress? address = Networks.CheckName(state, name);
        this.state = state;
        state.CountOpened();
        task = address is not null ? Task.FromResult<IPAddress[]>([address]) : Dns.GetHostAddressesAsync(name, source.Token);
    }

    internal IReadySource Source => new TaskSource(task);

    /// <summary>The next address; null behind the last.</summary>
    internal IpAddress? Next()
    {
        if (!task.IsCompleted) throw new NetworkFault(NetworkError.WouldBlock);
        IPAddress[] all = task.GetAwaiter().GetResult();
        return next < all.Length ? IpAddress.Of(all[next++]) : null;
    }

    private protected override void Close()
    {
        source.Cancel();
        source.Dispose();
        LeftTasks.Leave(task);
        state.CountClosed();
    }
}

/// <summary><c>wasi:sockets/ip-name-lookup</c>.</summary>
internal static class SocketsLookupInterface
{
    internal static void AddTo(InterfaceWriter to, WasiState state)
    {
        to.Add("pollable", state.Types.Pollable);
        to.Add("network", state.Types.Network);
        to.Add("resolve-address-stream", state.Types.ResolveAddressStream);
        to.Add("resolve-addresses", (ComponentResource network, string name) => Networks.Try(() => state.Types.ResolveAddressStream.New(new AddressStream(state, name))));
        to.Add("[method]resolve-address-stream.resolve-next-address", (ComponentResource self) => Networks.Try(() => self.Get<AddressStream>().Next()));
        to.Add("[method]resolve-address-stream.subscribe", (ComponentResource self) => IoPollInterface.New(state, self.Get<AddressStream>().Source, self.Get<AddressStream>()));
    }
}
