using System.Net.Sockets;

namespace WasmJit.Wasi.Preview2;

/// <summary>The options of sockets that guests read and set. What is larger than the system takes is as large as that.</summary>
internal static class SocketOptions
{
    private const ulong Second = 1_000_000_000;

    /// <summary>What Linux takes at most: tries, and seconds.</summary>
    private const int MostRetries = 127, MostSeconds = 32767;

    private static int Get(Socket socket, SocketOptionLevel level, SocketOptionName name) => (int)socket.GetSocketOption(level, name)!;

    internal static bool IsKeptAlive(Socket socket) => Get(socket, SocketOptionLevel.Socket, SocketOptionName.KeepAlive) != 0;

    internal static void KeepAlive(Socket socket, bool value) => socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, value);

    internal static ulong IdleTime(Socket socket) => Time(socket, SocketOptionName.TcpKeepAliveTime);

    internal static void SetIdleTime(Socket socket, ulong value) => SetTime(socket, SocketOptionName.TcpKeepAliveTime, value);

    internal static ulong Interval(Socket socket) => Time(socket, SocketOptionName.TcpKeepAliveInterval);

    internal static void SetInterval(Socket socket, ulong value) => SetTime(socket, SocketOptionName.TcpKeepAliveInterval, value);

    internal static uint Retries(Socket socket) => (uint)Get(socket, SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount);

    internal static void SetRetries(Socket socket, uint value) =>
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount, Math.Min(Networks.Positive(value), MostRetries));

    internal static byte HopLimit(Socket socket) => (byte)socket.Ttl;

    internal static void SetHopLimit(Socket socket, byte value) => socket.Ttl = (short)Networks.Positive(value);

    /// <summary>Linux takes twice of what it is asked for, for its own needs, and says so.</summary>
    private static readonly ulong Factor = OperatingSystem.IsLinux() ? 2UL : 1UL;

    internal static ulong ReceiveBuffer(Socket socket) => (ulong)socket.ReceiveBufferSize / Factor;

    internal static void SetReceiveBuffer(Socket socket, ulong value) => socket.ReceiveBufferSize = Networks.Positive(value);

    internal static ulong SendBuffer(Socket socket) => (ulong)socket.SendBufferSize / Factor;

    internal static void SetSendBuffer(Socket socket, ulong value) => socket.SendBufferSize = Networks.Positive(value);

    private static ulong Time(Socket socket, SocketOptionName name) => (ulong)Get(socket, SocketOptionLevel.Tcp, name) * Second;

    /// <summary>Times are whole seconds, one at least.</summary>
    private static void SetTime(Socket socket, SocketOptionName name, ulong value)
    {
        Networks.Positive(value);
        socket.SetSocketOption(SocketOptionLevel.Tcp, name, (int)Math.Clamp(((value - 1) / Second) + 1, 1, MostSeconds));
    }
}
