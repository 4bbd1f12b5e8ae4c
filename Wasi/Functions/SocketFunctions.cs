using System.Net.Sockets;

namespace WasmJit.Wasi;

/// <summary>The functions of sockets. Guests cannot make any: they use the given ones, and those that these accept.</summary>
internal sealed class SocketFunctions(WasiContext context, Version version)
{
    private const int Peek = 1, WaitAll = 2;

    internal void AddTo(FunctionTable table)
    {
        // The old version had no way to accept connections.
        if (version == Version.Preview1) table.Add<int, int, int>("sock_accept", Accept);
        table.Add<int, int, int, int, int, int>("sock_recv", Receive);
        table.Add<int, int, int, int, int>("sock_send", Send);
        table.Add<int, int>("sock_shutdown", (_, fd, how) => Shutdown(fd, how));
    }

    private SocketDescriptor Socket(int fd, Rights needed)
    {
        if (context.Table.Get(fd) is not SocketDescriptor socket) throw new WasiError(Errno.Notsock);
        socket.Require(needed);
        return socket;
    }

    private void Accept(GuestMemory memory, int fd, int flags, int result)
    {
        SocketDescriptor socket = Socket(fd, Rights.SockAccept);
        if ((flags & ~(int)FdFlags.Nonblock) != 0) throw new WasiError(Errno.Inval);
        memory.Expect<int>(result);
        memory.Write(result, context.Table.Add(socket.Accept((FdFlags)flags, context.Waiter)));
    }

    private void Receive(GuestMemory memory, int fd, int list, int count, int flags, int result, int resultFlags)
    {
        SocketDescriptor socket = Socket(fd, Rights.FdRead);
        if ((flags & ~(Peek | WaitAll)) != 0) throw new WasiError(Errno.Inval);
        memory.Expect<uint>(result);
        memory.Expect<ushort>(resultFlags);
        Span<GuestBuffers.Entry> storage = stackalloc GuestBuffers.Entry[GuestBuffers.Count(count)];
        var buffers = new GuestBuffers(memory, list, storage);
        SocketFlags how = (flags & Peek) != 0 ? SocketFlags.Peek : SocketFlags.None;
        uint received = socket.Receive(buffers, how, (flags & WaitAll) != 0, context.Waiter, out bool truncated);
        memory.Write(result, received);
        memory.Write(resultFlags, (ushort)(truncated ? 1 : 0));
    }

    private void Send(GuestMemory memory, int fd, int list, int count, int flags, int result)
    {
        SocketDescriptor socket = Socket(fd, Rights.FdWrite);
        if (flags != 0) throw new WasiError(Errno.Inval);
        memory.Expect<uint>(result);
        Span<GuestBuffers.Entry> storage = stackalloc GuestBuffers.Entry[GuestBuffers.Count(count)];
        memory.Write(result, socket.Write(new GuestBuffers(memory, list, storage), context.Waiter));
    }

    private void Shutdown(int fd, int how)
    {
        SocketDescriptor socket = Socket(fd, Rights.SockShutdown);
        socket.Shutdown(how switch
        {
            1 => SocketShutdown.Receive,
            2 => SocketShutdown.Send,
            3 => SocketShutdown.Both,
            _ => throw new WasiError(Errno.Inval),
        });
    }
}
