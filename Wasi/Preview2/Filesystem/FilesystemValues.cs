namespace WasmJit.Wasi.Preview2;

/// <summary><c>descriptor-type</c>.</summary>
internal enum DescriptorType
{
    Unknown,
    BlockDevice,
    CharacterDevice,
    Directory,
    Fifo,
    SymbolicLink,
    RegularFile,
    Socket,
}

/// <summary><c>descriptor-flags</c>.</summary>
[Flags]
internal enum DescriptorFlags
{
    None = 0,
    Read = 1,
    Write = 2,
    FileIntegritySync = 4,
    DataIntegritySync = 8,
    RequestedWriteSync = 16,
    MutateDirectory = 32,
}

/// <summary><c>path-flags</c>.</summary>
[Flags]
internal enum PathFlags
{
    None = 0,
    SymlinkFollow = 1,
}

/// <summary><c>descriptor-stat</c>.</summary>
internal readonly record struct DescriptorStat(
    DescriptorType Type, ulong LinkCount, ulong Size, Datetime? DataAccessTimestamp, Datetime? DataModificationTimestamp, Datetime? StatusChangeTimestamp)
{
    internal static DescriptorStat Of(in FileStatus status) => new(
        FilesystemTypes.Of(status.Type), status.Links, status.Size, Datetime.Of(status.Accessed), Datetime.Of(status.Modified), Datetime.Of(status.Changed));
}

/// <summary><c>new-timestamp</c>.</summary>
internal abstract record NewTimestamp
{
    internal sealed record NoChange : NewTimestamp;

    internal sealed record Now : NewTimestamp;

    internal sealed record Timestamp(Datetime Value) : NewTimestamp;

    internal static NewTimes Both(NewTimestamp accessed, NewTimestamp modified)
    {
        TimeFlags flags = accessed switch { Now => TimeFlags.AccessNow, Timestamp => TimeFlags.Access, _ => TimeFlags.None }
            | modified switch { Now => TimeFlags.ModificationNow, Timestamp => TimeFlags.Modification, _ => TimeFlags.None };
        return new NewTimes(flags, (accessed as Timestamp)?.Value.ToNanoseconds() ?? 0, (modified as Timestamp)?.Value.ToNanoseconds() ?? 0);
    }
}

/// <summary><c>directory-entry</c>, which <see cref="Wasi.DirectoryEntry"/> is with a number beside.</summary>
internal sealed record ListedEntry(DescriptorType Type, string Name);

/// <summary><c>metadata-hash-value</c>.</summary>
internal readonly record struct MetadataHashValue(ulong Lower, ulong Upper);

/// <summary><c>error-code</c>.</summary>
internal enum FileError
{
    Access,
    WouldBlock,
    Already,
    BadDescriptor,
    Busy,
    Deadlock,
    Quota,
    Exist,
    FileTooLarge,
    IllegalByteSequence,
    InProgress,
    Interrupted,
    Invalid,
    Io,
    IsDirectory,
    Loop,
    TooManyLinks,
    MessageSize,
    NameTooLong,
    NoDevice,
    NoEntry,
    NoLock,
    InsufficientMemory,
    InsufficientSpace,
    NotDirectory,
    NotEmpty,
    NotRecoverable,
    Unsupported,
    NoTty,
    NoSuchDevice,
    Overflow,
    NotPermitted,
    Pipe,
    ReadOnly,
    InvalidSeek,
    TextFileBusy,
    CrossDevice,
}

/// <summary>Numbers of preview 1 as this version has them.</summary>
internal static class FilesystemTypes
{
    internal static DescriptorType Of(FileType type) => type switch
    {
        FileType.BlockDevice => DescriptorType.BlockDevice,
        FileType.CharacterDevice => DescriptorType.CharacterDevice,
        FileType.Directory => DescriptorType.Directory,
        FileType.RegularFile => DescriptorType.RegularFile,
        FileType.SocketDgram or FileType.SocketStream => DescriptorType.Socket,
        FileType.SymbolicLink => DescriptorType.SymbolicLink,
        _ => DescriptorType.Unknown,
    };

    internal static FileError Of(Errno error) => error switch
    {
        Errno.Acces => FileError.Access,
        Errno.Again => FileError.WouldBlock,
        Errno.Already => FileError.Already,
        Errno.Badf => FileError.BadDescriptor,
        Errno.Busy => FileError.Busy,
        Errno.Deadlk => FileError.Deadlock,
        Errno.Dquot => FileError.Quota,
        Errno.Exist => FileError.Exist,
        Errno.Fbig => FileError.FileTooLarge,
        Errno.Ilseq => FileError.IllegalByteSequence,
        Errno.Inprogress => FileError.InProgress,
        Errno.Intr => FileError.Interrupted,
        Errno.Inval => FileError.Invalid,
        Errno.Isdir => FileError.IsDirectory,
        Errno.Loop => FileError.Loop,
        Errno.Mlink => FileError.TooManyLinks,
        Errno.Msgsize => FileError.MessageSize,
        Errno.Nametoolong => FileError.NameTooLong,
        Errno.Nodev => FileError.NoDevice,
        Errno.Noent => FileError.NoEntry,
        Errno.Nolck => FileError.NoLock,
        // There is no case for descriptors that the guest, or the system, has no more of.
        Errno.Nomem or Errno.Nobufs or Errno.Mfile or Errno.Nfile => FileError.InsufficientMemory,
        Errno.Nospc => FileError.InsufficientSpace,
        Errno.Notdir => FileError.NotDirectory,
        Errno.Notempty => FileError.NotEmpty,
        Errno.Notrecoverable => FileError.NotRecoverable,
        Errno.Notsup or Errno.Nosys => FileError.Unsupported,
        Errno.Notty => FileError.NoTty,
        Errno.Nxio => FileError.NoSuchDevice,
        Errno.Overflow => FileError.Overflow,
        Errno.Perm or Errno.Notcapable => FileError.NotPermitted,
        Errno.Pipe => FileError.Pipe,
        Errno.Rofs => FileError.ReadOnly,
        Errno.Spipe => FileError.InvalidSeek,
        Errno.Txtbsy => FileError.TextFileBusy,
        Errno.Xdev => FileError.CrossDevice,
        _ => FileError.Io,
    };
}
