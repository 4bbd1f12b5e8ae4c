using Microsoft.Win32.SafeHandles;

namespace WasmJit.Wasi;

/// <summary>An open regular file.</summary>
internal abstract class FileHandle : IDisposable
{
    internal abstract long Length { get; }

    internal abstract FileStatus Status();

    internal abstract void SetTimes(NewTimes times);

    /// <summary>Reads; fewer bytes than the buffer has only at the end.</summary>
    internal abstract int Read(Span<byte> buffer, long offset);

    /// <summary>Writes all of it.</summary>
    internal abstract void Write(ReadOnlySpan<byte> bytes, long offset);

    /// <summary>Makes the file shorter or longer.</summary>
    internal abstract void SetSize(long size);

    /// <summary>Makes room; the size grows if the room is behind the end.</summary>
    internal abstract void Allocate(long offset, long length);

    internal abstract void Advise(long offset, long length, Advice advice);

    /// <summary>Tells the system that writes go to the end, where it can be told.</summary>
    internal abstract void SetAppend(bool append);

    internal abstract void Sync();

    /// <inheritdoc/>
    public abstract void Dispose();
}

/// <summary>A file of the host, which .NET reads and writes.</summary>
internal abstract class SystemFile(SafeFileHandle handle) : FileHandle
{
    internal SafeFileHandle Handle { get; } = handle;

    internal override long Length => RandomAccess.GetLength(Handle);

    internal override int Read(Span<byte> buffer, long offset) => RandomAccess.Read(Handle, buffer, offset);

    internal override void SetSize(long size)
    {
        try
        {
            RandomAccess.SetLength(Handle, size);
        }
        catch (ArgumentOutOfRangeException)
        {
            // This is how .NET reports a file that is too large for the system.
            throw new WasiError(Errno.Fbig);
        }
    }

    internal override void Write(ReadOnlySpan<byte> bytes, long offset)
    {
        try
        {
            RandomAccess.Write(Handle, bytes, offset);
        }
        catch (ArgumentOutOfRangeException)
        {
            throw new WasiError(Errno.Fbig);
        }
    }

    internal override void Sync() => RandomAccess.FlushToDisk(Handle);

    public override void Dispose() => Handle.Dispose();
}

/// <summary>An open pipe or device. It has no position, and may have no data yet.</summary>
internal abstract class DeviceHandle : IDisposable
{
    internal abstract bool IsTerminal { get; }

    internal abstract FileStatus Status();

    internal abstract void SetTimes(NewTimes times);

    /// <summary>Reads the available bytes, without waiting.</summary>
    /// <returns>How many bytes, 0 at the end; -1 if there is nothing yet.</returns>
    internal abstract int Read(Span<byte> buffer);

    /// <summary>Writes as many bytes as there is room for, without waiting.</summary>
    /// <returns>How many bytes; -1 if there is no room yet.</returns>
    internal abstract int Write(ReadOnlySpan<byte> buffer);

    /// <summary>Waits for a time; true if it can be read or written.</summary>
    internal abstract bool Wait(bool forWriting, int milliseconds);

    internal abstract void Sync();

    /// <inheritdoc/>
    public abstract void Dispose();
}
