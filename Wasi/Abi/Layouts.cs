using System.Buffers.Binary;

namespace WasmJit.Wasi;

/// <summary>The structures that functions read and write, in both versions.</summary>
internal static class Layouts
{
    internal const int FdstatSize = 24, PrestatSize = 8, DirentSize = 24, EventSize = 32;

    internal static int FilestatSize(Version version) => version == Version.Preview1 ? 64 : 56;

    internal static int SubscriptionSize(Version version) => version == Version.Preview1 ? 48 : 56;

    internal static void WriteFilestat(Span<byte> target, in FileStatus status, Version version)
    {
        target.Clear();
        Put(target, 0, status.Device);
        Put(target, 8, status.Inode);
        target[16] = (byte)status.Type;
        // The number of links had 32 bits, so all later fields lie elsewhere.
        int rest = version == Version.Preview1 ? 32 : 24;
        if (version == Version.Preview1) Put(target, 24, status.Links);
        else BinaryPrimitives.WriteUInt32LittleEndian(target[20..], (uint)Math.Min(status.Links, uint.MaxValue));
        Put(target, rest, status.Size);
        Put(target, rest + 8, status.Accessed);
        Put(target, rest + 16, status.Modified);
        Put(target, rest + 24, status.Changed);
    }

    internal static void WriteFdstat(Span<byte> target, FileType type, FdFlags flags, Rights rights, Rights inheriting)
    {
        target.Clear();
        target[0] = (byte)type;
        BinaryPrimitives.WriteUInt16LittleEndian(target[2..], (ushort)flags);
        Put(target, 8, (ulong)rights);
        Put(target, 16, (ulong)inheriting);
    }

    internal static void WriteDirent(Span<byte> target, ulong next, in DirectoryEntry entry, int nameLength)
    {
        target.Clear();
        Put(target, 0, next);
        Put(target, 8, entry.Inode);
        BinaryPrimitives.WriteInt32LittleEndian(target[16..], nameLength);
        target[20] = (byte)entry.Type;
    }

    internal static Subscription ReadSubscription(ReadOnlySpan<byte> source, Version version)
    {
        ulong userData = BinaryPrimitives.ReadUInt64LittleEndian(source);
        var type = (EventType)source[8];
        if (type != EventType.Clock)
            return new Subscription(userData, type) { Fd = BinaryPrimitives.ReadUInt32LittleEndian(source[16..]) };
        // The old version has an identifier of the clock subscription first, which is not used.
        ReadOnlySpan<byte> clock = source[(version == Version.Preview1 ? 16 : 24)..];
        return new Subscription(userData, type)
        {
            Clock = BinaryPrimitives.ReadUInt32LittleEndian(clock),
            Timeout = BinaryPrimitives.ReadUInt64LittleEndian(clock[8..]),
            IsAbsolute = (BinaryPrimitives.ReadUInt16LittleEndian(clock[24..]) & 1) != 0,
        };
    }

    internal static void WriteEvent(Span<byte> target, in Event happened)
    {
        target.Clear();
        Put(target, 0, happened.UserData);
        BinaryPrimitives.WriteUInt16LittleEndian(target[8..], (ushort)happened.Error);
        target[10] = (byte)happened.Type;
        Put(target, 16, happened.Bytes);
        target[24] = happened.HangUp ? (byte)1 : (byte)0;
    }

    /// <summary>The origin of a position. The old version has the same three in another order.</summary>
    internal static Whence ToWhence(int value, Version version) => (value, version) switch
    {
        (0, Version.Preview1) or (2, Version.Unstable) => Whence.Set,
        (1, Version.Preview1) or (0, Version.Unstable) => Whence.Current,
        (2, Version.Preview1) or (1, Version.Unstable) => Whence.End,
        _ => throw new WasiError(Errno.Inval),
    };

    private static void Put(Span<byte> target, int at, ulong value) =>
        BinaryPrimitives.WriteUInt64LittleEndian(target[at..], value);
}

/// <summary>A subscription of <c>poll_oneoff</c>: a clock, or a descriptor.</summary>
internal readonly record struct Subscription(ulong UserData, EventType Type)
{
    internal uint Fd { get; init; }

    internal uint Clock { get; init; }

    internal ulong Timeout { get; init; }

    internal bool IsAbsolute { get; init; }
}

/// <summary>An event of <c>poll_oneoff</c>.</summary>
internal readonly record struct Event(ulong UserData, EventType Type, Errno Error, ulong Bytes, bool HangUp);
