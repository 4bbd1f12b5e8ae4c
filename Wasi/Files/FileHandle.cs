using Microsoft.Win32.SafeHandles;

namespace WasmJit.Wasi;

/// <summary>An open regular file: the operations beside reading and writing, which .NET does.</summary>
internal abstract class FileHandle(SafeFileHandle handle) : IDisposable
{
    internal SafeFileHandle Handle { get; } = handle;

    internal abstract FileStatus Status();

    internal abstract void SetTimes(NewTimes times);

    /// <summary>Makes room; the size grows if the room is behind the end.</summary>
    internal abstract void Allocate(long offset, long length);

    internal abstract void Advise(long offset, long length, Advice advice);

    /// <summary>Tells the system that writes go to the end, where it can be told.</summary>
    internal abstract void SetAppend(bool append);

    /// <summary>Makes the file shorter or longer.</summary>
    internal void SetSize(long size)
    {
        try
        {
            RandomAccess.SetLength(Handle, size);
        }
        catch (ArgumentOutOfRangeException)
        {
            // So .NET says what the system calls too large a file.
            throw new WasiError(Errno.Fbig);
        }
    }

    /// <summary>Writes all of it.</summary>
    internal void Write(ReadOnlySpan<byte> bytes, long offset)
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

    /// <inheritdoc/>
    public void Dispose() => Handle.Dispose();
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
