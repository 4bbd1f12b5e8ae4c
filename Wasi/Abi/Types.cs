namespace WasmJit.Wasi;

/// <summary>The two versions of preview 1, which differ in a few numbers and layouts.</summary>
internal enum Version
{
    /// <summary><c>wasi_snapshot_preview1</c></summary>
    Preview1,

    /// <summary><c>wasi_unstable</c>, the one before it.</summary>
    Unstable,
}

/// <summary>What a descriptor or a path stands for.</summary>
internal enum FileType : byte
{
    Unknown,
    BlockDevice,
    CharacterDevice,
    Directory,
    RegularFile,
    SocketDgram,
    SocketStream,
    SymbolicLink,
}

[Flags]
internal enum FdFlags : ushort
{
    None = 0,
    Append = 1,
    Dsync = 2,
    Nonblock = 4,
    Rsync = 8,
    Sync = 16,
    All = 31,
}

[Flags]
internal enum OpenFlags : ushort
{
    None = 0,
    Create = 1,
    Directory = 2,
    Exclusive = 4,
    Truncate = 8,
    All = 15,
}

[Flags]
internal enum TimeFlags : ushort
{
    None = 0,
    Access = 1,
    AccessNow = 2,
    Modification = 4,
    ModificationNow = 8,
    All = 15,
}

internal enum Whence
{
    Set,
    Current,
    End,
}

internal enum EventType : byte
{
    Clock,
    Read,
    Write,
}

internal enum Advice
{
    Normal,
    Sequential,
    Random,
    WillNeed,
    DontNeed,
    NoReuse,
}

/// <summary>The status of a file. Times are nanoseconds since 1970.</summary>
internal record struct FileStatus(
    ulong Device, ulong Inode, FileType Type, ulong Links, ulong Size, ulong Accessed, ulong Modified, ulong Changed);

/// <summary>New times of a file: each is a value, the present time, or unchanged.</summary>
internal readonly record struct NewTimes(TimeFlags Flags, ulong Accessed, ulong Modified);

/// <summary>An entry of a directory.</summary>
internal readonly record struct DirectoryEntry(string Name, ulong Inode, FileType Type);
