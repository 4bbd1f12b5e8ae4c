using System.Diagnostics.CodeAnalysis;
using WasmJit.Wasi.Preview2;

namespace WasmJit.Wasi.Preview3;

/// <summary><c>descriptor-type</c>.</summary>
internal abstract record DescriptorType
{
    internal sealed record BlockDevice : DescriptorType;

    internal sealed record CharacterDevice : DescriptorType;

    internal sealed record Directory : DescriptorType;

    internal sealed record Fifo : DescriptorType;

    internal sealed record SymbolicLink : DescriptorType;

    internal sealed record RegularFile : DescriptorType;

    internal sealed record Socket : DescriptorType;

    internal sealed record Other(string? Value) : DescriptorType;

    internal static DescriptorType Of(FileType type) => type switch
    {
        FileType.BlockDevice => new BlockDevice(),
        FileType.CharacterDevice => new CharacterDevice(),
        FileType.Directory => new Directory(),
        FileType.RegularFile => new RegularFile(),
        FileType.SocketDgram or FileType.SocketStream => new Socket(),
        FileType.SymbolicLink => new SymbolicLink(),
        _ => new Other(null),
    };
}

/// <summary><c>descriptor-stat</c>.</summary>
internal sealed record DescriptorStat(
    DescriptorType Type, ulong LinkCount, ulong Size, Instant? DataAccessTimestamp, Instant? DataModificationTimestamp, Instant? StatusChangeTimestamp)
{
    internal static DescriptorStat Of(in FileStatus status) => new(
        DescriptorType.Of(status.Type), status.Links, status.Size, Instant.Of(status.Accessed), Instant.Of(status.Modified), Instant.Of(status.Changed));
}

/// <summary><c>new-timestamp</c>.</summary>
internal abstract record NewTimestamp
{
    internal sealed record NoChange : NewTimestamp;

    internal sealed record Now : NewTimestamp;

    internal sealed record Timestamp(Instant Value) : NewTimestamp;

    internal static NewTimes Both(NewTimestamp accessed, NewTimestamp modified)
    {
        TimeFlags flags = accessed switch { Now => TimeFlags.AccessNow, Timestamp => TimeFlags.Access, _ => TimeFlags.None }
            | modified switch { Now => TimeFlags.ModificationNow, Timestamp => TimeFlags.Modification, _ => TimeFlags.None };
        return new NewTimes(flags, (accessed as Timestamp)?.Value.ToNanoseconds() ?? 0, (modified as Timestamp)?.Value.ToNanoseconds() ?? 0);
    }
}

/// <summary><c>directory-entry</c>.</summary>
internal sealed record ListedEntry(DescriptorType Type, string Name);

/// <summary><c>error-code</c> of <c>wasi:filesystem</c>.</summary>
internal abstract record FileError
{
    internal sealed record Access : FileError;

    internal sealed record Already : FileError;

    internal sealed record BadDescriptor : FileError;

    internal sealed record Busy : FileError;

    internal sealed record Deadlock : FileError;

    internal sealed record Quota : FileError;

    internal sealed record Exist : FileError;

    internal sealed record FileTooLarge : FileError;

    internal sealed record IllegalByteSequence : FileError;

    internal sealed record InProgress : FileError;

    internal sealed record Interrupted : FileError;

    internal sealed record Invalid : FileError;

    internal sealed record Io : FileError;

    internal sealed record IsDirectory : FileError;

    internal sealed record Loop : FileError;

    internal sealed record TooManyLinks : FileError;

    internal sealed record MessageSize : FileError;

    internal sealed record NameTooLong : FileError;

    internal sealed record NoDevice : FileError;

    internal sealed record NoEntry : FileError;

    internal sealed record NoLock : FileError;

    internal sealed record InsufficientMemory : FileError;

    internal sealed record InsufficientSpace : FileError;

    internal sealed record NotDirectory : FileError;

    internal sealed record NotEmpty : FileError;

    internal sealed record NotRecoverable : FileError;

    internal sealed record Unsupported : FileError;

    internal sealed record NoTty : FileError;

    internal sealed record NoSuchDevice : FileError;

    internal sealed record Overflow : FileError;

    internal sealed record NotPermitted : FileError;

    internal sealed record Pipe : FileError;

    internal sealed record ReadOnly : FileError;

    internal sealed record InvalidSeek : FileError;

    internal sealed record TextFileBusy : FileError;

    internal sealed record CrossDevice : FileError;

    internal sealed record Other(string? Value) : FileError;

    /// <summary>The code for a number.</summary>
    internal static FileError Of(Errno error) => FilesystemTypes.Of(error) switch
    {
        Preview2.FileError.Access => new Access(),
        Preview2.FileError.Already => new Already(),
        Preview2.FileError.BadDescriptor => new BadDescriptor(),
        Preview2.FileError.Busy => new Busy(),
        Preview2.FileError.Deadlock => new Deadlock(),
        Preview2.FileError.Quota => new Quota(),
        Preview2.FileError.Exist => new Exist(),
        Preview2.FileError.FileTooLarge => new FileTooLarge(),
        Preview2.FileError.IllegalByteSequence => new IllegalByteSequence(),
        Preview2.FileError.InProgress => new InProgress(),
        Preview2.FileError.Interrupted => new Interrupted(),
        Preview2.FileError.Invalid => new Invalid(),
        Preview2.FileError.Io => new Io(),
        Preview2.FileError.IsDirectory => new IsDirectory(),
        Preview2.FileError.Loop => new Loop(),
        Preview2.FileError.TooManyLinks => new TooManyLinks(),
        Preview2.FileError.MessageSize => new MessageSize(),
        Preview2.FileError.NameTooLong => new NameTooLong(),
        Preview2.FileError.NoDevice => new NoDevice(),
        Preview2.FileError.NoEntry => new NoEntry(),
        Preview2.FileError.NoLock => new NoLock(),
        Preview2.FileError.InsufficientMemory => new InsufficientMemory(),
        Preview2.FileError.InsufficientSpace => new InsufficientSpace(),
        Preview2.FileError.NotDirectory => new NotDirectory(),
        Preview2.FileError.NotEmpty => new NotEmpty(),
        Preview2.FileError.NotRecoverable => new NotRecoverable(),
        Preview2.FileError.Unsupported => new Unsupported(),
        Preview2.FileError.NoTty => new NoTty(),
        Preview2.FileError.NoSuchDevice => new NoSuchDevice(),
        Preview2.FileError.Overflow => new Overflow(),
        Preview2.FileError.NotPermitted => new NotPermitted(),
        Preview2.FileError.Pipe => new Pipe(),
        Preview2.FileError.ReadOnly => new ReadOnly(),
        Preview2.FileError.InvalidSeek => new InvalidSeek(),
        Preview2.FileError.TextFileBusy => new TextFileBusy(),
        Preview2.FileError.CrossDevice => new CrossDevice(),
        Preview2.FileError.WouldBlock => new Other("would block"),
    };

    internal static bool Code(Exception exception, [MaybeNullWhen(false)] out FileError code)
    {
        code = SystemErrors.Of(exception) is { } error ? Of(error) : null;
        return code is not null;
    }
}
