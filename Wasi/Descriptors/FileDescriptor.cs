namespace WasmJit.Wasi;

/// <summary>A regular file with the guest's position in it.</summary>
internal sealed class FileDescriptor : Descriptor
{
    /// <summary>How much is moved between two looks at the token: a list of buffers may have 4 GiB.</summary>
    private const int Piece = 4 << 20;

    private readonly FileHandle file;
    private readonly Lock gate = new();
    private long position;

    internal FileDescriptor(FileHandle file, Rights rights, FdFlags flags)
        : base(FileType.RegularFile, rights & Rights.File, Rights.None)
    {
        this.file = file;
        Flags = flags;
    }

    private bool Appends => Flags.HasFlag(FdFlags.Append);

    internal override FileStatus Status() => file.Status();

    internal override void SetTimes(NewTimes times) => file.SetTimes(times);

    internal override void SetFlags(FdFlags flags)
    {
        lock (gate)
        {
            file.SetAppend(flags.HasFlag(FdFlags.Append));
            Flags = flags;
        }
    }

    internal override uint Read(in GuestBuffers buffers, Waiter waiter)
    {
        waiter.Enter(gate);
        try
        {
            uint count = ReadAt(buffers, position, waiter);
            position += count;
            return count;
        }
        finally
        {
            gate.Exit();
        }
    }

    internal override uint Write(in GuestBuffers buffers, Waiter waiter)
    {
        waiter.Enter(gate);
        try
        {
            long at = Appends ? file.Length : position;
            uint count = WriteFrom(buffers, at, waiter);
            position = at + count;
            return count;
        }
        finally
        {
            gate.Exit();
        }
    }

    internal uint ReadAt(in GuestBuffers buffers, long offset, Waiter waiter)
    {
        uint total = 0;
        for (int i = 0; i < buffers.Length; i++)
        {
            Span<byte> buffer = buffers[i];
            if (buffer.IsEmpty) continue;
            // No file reaches that far.
            if (offset > long.MaxValue - total - buffer.Length) break;
            while (!buffer.IsEmpty)
            {
                waiter.Check();
                Span<byte> piece = buffer[..Math.Min(buffer.Length, Piece)];
                int count = file.Read(piece, offset + total);
                total += (uint)count;
                if (count < piece.Length) return total;
                buffer = buffer[count..];
            }
        }
        return total;
    }

    /// <summary>Writes to the end.</summary>
    internal uint AppendFrom(in GuestBuffers buffers, Waiter waiter)
    {
        waiter.Enter(gate);
        try
        {
            return WriteFrom(buffers, file.Length, waiter);
        }
        finally
        {
            gate.Exit();
        }
    }

    /// <summary>Writes to a position; with appending writes, to the end, as Linux does.</summary>
    internal uint WriteAt(in GuestBuffers buffers, long offset, Waiter waiter)
    {
        waiter.Enter(gate);
        try
        {
            return WriteFrom(buffers, Appends ? file.Length : offset, waiter);
        }
        finally
        {
            gate.Exit();
        }
    }

    private uint WriteFrom(in GuestBuffers buffers, long offset, Waiter waiter)
    {
        uint total = 0;
        for (int i = 0; i < buffers.Length; i++)
        {
            Span<byte> buffer = buffers[i];
            if (buffer.IsEmpty) continue;
            if (offset > long.MaxValue - total - buffer.Length) throw new WasiError(Errno.Fbig);
            while (!buffer.IsEmpty)
            {
                waiter.Check();
                Span<byte> piece = buffer[..Math.Min(buffer.Length, Piece)];
                file.Write(piece, offset + total);
                total += (uint)piece.Length;
                buffer = buffer[piece.Length..];
            }
        }
        if ((Flags & (FdFlags.Sync | FdFlags.Dsync)) != 0) Sync(waiter);
        return total;
    }

    internal long Seek(long offset, Whence whence)
    {
        lock (gate)
        {
            long from = whence switch
            {
                Whence.Set => 0,
                Whence.Current => position,
                _ => file.Length,
            };
            if (offset > 0 && from > long.MaxValue - offset) throw new WasiError(Errno.Overflow);
            if (from + offset < 0) throw new WasiError(Errno.Inval);
            return position = from + offset;
        }
    }

    internal void SetSize(long size) => file.SetSize(size);

    internal void Allocate(long offset, long length) => file.Allocate(offset, length);

    internal void Advise(long offset, long length, Advice advice) => file.Advise(offset, length, advice);

    internal override void Sync() => file.Sync();

    /// <summary>Files never wait. The bytes behind the position can be read.</summary>
    internal override Readiness Poll(bool forWriting)
    {
        if (forWriting) return new Readiness(true);
        lock (gate) return new Readiness(true, (ulong)Math.Max(0, file.Length - position));
    }

    internal override void Close() => file.Dispose();
}
