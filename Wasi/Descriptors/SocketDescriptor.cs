using System.Net.Sockets;

namespace WasmJit.Wasi;

/// <summary>
/// A socket that the guest was given, or that it accepted from such a one. The system's socket does not block while the guest has it, because a wait
/// in the system cannot be cancelled. Waiting is done here.
/// </summary>
internal sealed class SocketDescriptor : Descriptor
{
    /// <summary>How long a wait may last before cancellation is looked at, in microseconds.</summary>
    private const int Slice = 20_000;

    private readonly Socket socket;
    private readonly bool owned, wasBlocking;

    /// <param name="socket">The socket.</param>
    /// <param name="listens">Whether it accepts connections.</param>
    /// <param name="rights">What the guest may do with it.</param>
    /// <param name="flags">Its flags.</param>
    /// <param name="owned">Whether the guest's closing closes it.</param>
    private SocketDescriptor(Socket socket, bool listens, Rights rights, FdFlags flags, bool owned)
        : base(TypeOf(socket), rights, listens ? Rights.Connection : Rights.None)
    {
        this.socket = socket;
        this.owned = owned;
        wasBlocking = socket.Blocking;
        socket.Blocking = false;
        Flags = flags;
    }

    /// <summary>A socket that the host gives.</summary>
    internal static SocketDescriptor Given(Socket socket)
    {
        bool listens = socket.SocketType == SocketType.Stream
            && (int)socket.GetSocketOption(SocketOptionLevel.Socket, SocketOptionName.AcceptConnection)! != 0;
        return new SocketDescriptor(socket, listens, listens ? Rights.Listener : Rights.Connection, FdFlags.None, owned: false);
    }

    private static FileType TypeOf(Socket socket) =>
        socket.SocketType == SocketType.Dgram ? FileType.SocketDgram : FileType.SocketStream;

    internal SocketDescriptor Accept(FdFlags flags, Waiter waiter)
    {
        while (true)
        {
            Wait(SelectMode.SelectRead, waiter);
            try
            {
                return new SocketDescriptor(socket.Accept(), listens: false, Inheriting & Rights.Connection, flags, owned: true);
            }
            catch (SocketException e) when (e.SocketErrorCode == SocketError.WouldBlock)
            {
                // Another thread was faster, or the other side has gone.
            }
        }
    }

    internal override uint Read(in GuestBuffers buffers, Waiter waiter) =>
        Receive(buffers, SocketFlags.None, waitAll: false, waiter, out _);

    internal override uint Write(in GuestBuffers buffers, Waiter waiter)
    {
        if (Type == FileType.SocketDgram) return SendMessage(buffers, waiter);
        waiter.Check();
        uint total = 0;
        for (int i = 0; i < buffers.Length; i++)
        {
            Span<byte> rest = buffers[i];
            while (!rest.IsEmpty)
            {
                int count = socket.Send(rest, SocketFlags.None, out SocketError error);
                if (error == SocketError.WouldBlock)
                {
                    if (total > 0 && IsNonblocking) return total;
                    Wait(SelectMode.SelectWrite, waiter);
                    continue;
                }
                if (error != SocketError.Success) return total > 0 ? total : throw new SocketException((int)error);
                total += (uint)count;
                rest = rest[count..];
            }
        }
        return total;
    }

    /// <param name="buffers">Where the bytes go.</param>
    /// <param name="flags">Whether the bytes stay.</param>
    /// <param name="waitAll">Whether all buffers are to be filled.</param>
    /// <param name="waiter">What ends the wait.</param>
    /// <param name="truncated">Whether a message did not fit.</param>
    internal uint Receive(in GuestBuffers buffers, SocketFlags flags, bool waitAll, Waiter waiter, out bool truncated)
    {
        if (Type == FileType.SocketDgram) return ReceiveMessage(buffers, flags, waiter, out truncated);
        truncated = false;
        uint total = 0;
        for (int i = 0; i < buffers.Length; i++)
        {
            Span<byte> rest = buffers[i];
            while (!rest.IsEmpty)
            {
                // Bytes that can be peeked at are those of the first look.
                if (total > 0 && flags != SocketFlags.None) return total;
                if (total > 0 && !waitAll && !socket.Poll(0, SelectMode.SelectRead)) return total;
                Wait(SelectMode.SelectRead, waiter);
                int count = socket.Receive(rest, flags, out SocketError error);
                if (error == SocketError.WouldBlock) continue;
                if (error != SocketError.Success) return total > 0 ? total : throw new SocketException((int)error);
                total += (uint)count;
                rest = rest[count..];
                if (count == 0) return total;
            }
        }
        return total;
    }

    /// <summary>All buffers are one message.</summary>
    private uint SendMessage(in GuestBuffers buffers, Waiter waiter)
    {
        byte[] message = new byte[Capacity(buffers)];
        Span<byte> rest = message;
        for (int i = 0; i < buffers.Length; i++)
        {
            Span<byte> buffer = buffers[i];
            if (buffer.Length > rest.Length) throw new WasiError(Errno.Msgsize);
            buffer.CopyTo(rest);
            rest = rest[buffer.Length..];
        }
        while (true)
        {
            Wait(SelectMode.SelectWrite, waiter);
            int sent = socket.Send(message, SocketFlags.None, out SocketError error);
            if (error == SocketError.Success) return (uint)sent;
            if (error != SocketError.WouldBlock) throw new SocketException((int)error);
        }
    }

    /// <summary>One message goes into all buffers.</summary>
    private uint ReceiveMessage(in GuestBuffers buffers, SocketFlags flags, Waiter waiter, out bool truncated)
    {
        byte[] message = new byte[Capacity(buffers)];
        int size, count;
        SocketError error;
        do
        {
            Wait(SelectMode.SelectRead, waiter);
            // Windows reports a message that is too long, but tells the length of all that wait; other systems the reverse.
            size = OperatingSystem.IsWindows() ? 0 : socket.Available;
            count = socket.Receive(message, flags, out error);
        }
        while (error == SocketError.WouldBlock);
        truncated = error == SocketError.MessageSize || size > message.Length;
        if (error is not (SocketError.Success or SocketError.MessageSize)) throw new SocketException((int)error);
        // Windows has filled the buffer then, and .NET says that there is nothing in it.
        if (error == SocketError.MessageSize) count = message.Length;
        Span<byte> rest = message.AsSpan(0, count);
        for (int i = 0; i < buffers.Length && !rest.IsEmpty; i++)
        {
            int part = Math.Min(rest.Length, buffers[i].Length);
            rest[..part].CopyTo(buffers[i]);
            rest = rest[part..];
        }
        return (uint)count;
    }

    /// <summary>The size of all buffers, as far as messages can be long.</summary>
    private static int Capacity(in GuestBuffers buffers)
    {
        const int longest = 64 * 1024;
        int capacity = 0;
        for (int i = 0; i < buffers.Length && capacity < longest; i++) capacity += Math.Min(buffers[i].Length, longest);
        return Math.Min(capacity, longest);
    }

    internal void Shutdown(SocketShutdown how) => socket.Shutdown(how);

    private void Wait(SelectMode mode, Waiter waiter)
    {
        if (IsNonblocking)
        {
            if (!socket.Poll(0, mode)) throw new WasiError(Errno.Again);
            return;
        }
        do waiter.Check();
        while (!socket.Poll(Slice, mode));
    }

    internal override Readiness Poll(bool forWriting)
    {
        if (forWriting) return new Readiness(socket.Poll(0, SelectMode.SelectWrite));
        if (!socket.Poll(0, SelectMode.SelectRead)) return default;
        if ((Rights & Rights.SockAccept) != 0) return new Readiness(true);
        ulong available = (ulong)socket.Available;
        return new Readiness(true, available, HangUp: available == 0 && Type == FileType.SocketStream);
    }

    internal override void Close()
    {
        if (owned)
        {
            socket.Dispose();
            return;
        }
        try
        {
            socket.Blocking = wasBlocking;
        }
        catch (Exception e) when (e is ObjectDisposedException or SocketException)
        {
            // Its owner has closed it already.
        }
    }
}
