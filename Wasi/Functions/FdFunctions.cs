using System.Text;

namespace WasmJit.Wasi;

/// <summary>The functions on open descriptors that do not move data.</summary>
internal sealed class FdFunctions(WasiContext context, Version version)
{
    private DescriptorTable Table => context.Table;

    internal void AddTo(FunctionTable table)
    {
        table.Add<int, long, long, int>("fd_advise", (_, fd, offset, length, advice) => Advise(fd, offset, length, advice));
        table.Add<int, long, long>("fd_allocate", (_, fd, offset, length) => Allocate(fd, offset, length));
        table.Add<int>("fd_close", (_, fd) => Close(fd));
        table.Add<int>("fd_datasync", (_, fd) => Table.Get(fd, Rights.FdDatasync).Sync(context.Waiter));
        table.Add<int>("fd_sync", (_, fd) => Table.Get(fd, Rights.FdSync).Sync(context.Waiter));
        table.Add<int, int>("fd_fdstat_get", GetFdstat);
        table.Add<int, int>("fd_fdstat_set_flags", (_, fd, flags) => SetFlags(fd, flags));
        table.Add<int, long, long>("fd_fdstat_set_rights", (_, fd, rights, inheriting) => Table.Get(fd).Restrict((Rights)rights, (Rights)inheriting));
        table.Add<int, int>("fd_filestat_get", GetFilestat);
        table.Add<int, long>("fd_filestat_set_size", (_, fd, size) => SetSize(fd, size));
        table.Add<int, long, long, int>("fd_filestat_set_times", (_, fd, accessed, modified, flags) => SetTimes(fd, accessed, modified, flags));
        table.Add<int, int>("fd_prestat_get", GetPrestat);
        table.Add<int, int, int>("fd_prestat_dir_name", GetPreopenName);
        table.Add<int, int>("fd_renumber", (_, from, to) => Renumber(from, to));
        table.Add<int, long, int, int>("fd_seek", Seek);
        table.Add<int, int>("fd_tell", Tell);
        table.Add<int, int, int, long, int>("fd_readdir", ReadDirectory);
    }

    /// <summary>Closes a descriptor. If the guest can be stopped, its pending data is written first.</summary>
    private void Close(int fd)
    {
        Table.Get(fd).Finish(context.Waiter);
        Table.Close(fd);
    }

    private void Renumber(int from, int to)
    {
        Table.Find(to)?.Finish(context.Waiter);
        Table.Renumber(from, to);
    }

    /// <summary>A regular file. For others, throws the error that fits.</summary>
    private FileDescriptor File(int fd, Rights needed)
    {
        Descriptor descriptor = Table.Get(fd);
        if (descriptor is FileDescriptor file)
        {
            file.Require(needed);
            return file;
        }
        throw new WasiError(descriptor is DirectoryDescriptor ? Errno.Badf : Errno.Spipe);
    }

    /// <summary>Whether it is a device in which every position is the first.</summary>
    private bool IsPositionedDevice(int fd, Rights needed)
    {
        if (Table.Get(fd) is not DeviceDescriptor { HasPosition: true } device) return false;
        device.Require(needed);
        return true;
    }

    private void Advise(int fd, long offset, long length, int advice)
    {
        FileDescriptor file = File(fd, Rights.FdAdvise);
        if ((uint)advice > (uint)WasmJit.Wasi.Advice.NoReuse || offset < 0 || length < 0) throw new WasiError(Errno.Inval);
        file.Advise(offset, length, (Advice)advice);
    }

    private void Allocate(int fd, long offset, long length)
    {
        FileDescriptor file = File(fd, Rights.FdAllocate);
        if (offset < 0 || length <= 0) throw new WasiError(Errno.Inval);
        if (offset > long.MaxValue - length) throw new WasiError(Errno.Fbig);
        context.Waiter.Away(() => file.Allocate(offset, length));
    }

    private void GetFdstat(GuestMemory memory, int fd, int result)
    {
        Descriptor descriptor = Table.Get(fd);
        Span<byte> target = memory.Window(result, Layouts.FdstatSize);
        Layouts.WriteFdstat(target, descriptor.Type, descriptor.Flags, descriptor.Rights, descriptor.Inheriting);
    }

    private void SetFlags(int fd, int flags)
    {
        Descriptor descriptor = Table.Get(fd, Rights.FdFdstatSetFlags);
        if ((flags & ~(int)FdFlags.All) != 0) throw new WasiError(Errno.Inval);
        descriptor.SetFlags((FdFlags)flags);
    }

    private void GetFilestat(GuestMemory memory, int fd, int result)
    {
        Descriptor descriptor = Table.Get(fd, Rights.FdFilestatGet);
        memory.Window(result, Layouts.FilestatSize(version));
        FileStatus status = descriptor.Status();
        Layouts.WriteFilestat(memory.Window(result, Layouts.FilestatSize(version)), status, version);
    }

    private void SetSize(int fd, long size)
    {
        FileDescriptor file = File(fd, Rights.FdFilestatSetSize);
        if (size < 0) throw new WasiError(Errno.Inval);
        file.SetSize(size);
    }

    private void SetTimes(int fd, long accessed, long modified, int flags)
    {
        Descriptor descriptor = Table.Get(fd, Rights.FdFilestatSetTimes);
        NewTimes times = ToTimes(accessed, modified, flags);
        if (descriptor.IsReadOnly) throw new WasiError(Errno.Rofs);
        descriptor.SetTimes(times);
    }

    /// <summary>Checks the flags: a time cannot be given and the present at once.</summary>
    internal static NewTimes ToTimes(long accessed, long modified, int flags)
    {
        const TimeFlags access = TimeFlags.Access | TimeFlags.AccessNow, modification = TimeFlags.Modification | TimeFlags.ModificationNow;
        var given = (TimeFlags)flags;
        if ((flags & ~(int)TimeFlags.All) != 0 || (given & access) == access || (given & modification) == modification)
            throw new WasiError(Errno.Inval);
        return new NewTimes(given, (ulong)accessed, (ulong)modified);
    }

    private byte[] PreopenName(int fd) => Table.Get(fd).PreopenName is { } name ? Encoding.UTF8.GetBytes(name) : throw new WasiError(Errno.Badf);

    private void GetPrestat(GuestMemory memory, int fd, int result)
    {
        int length = PreopenName(fd).Length;
        memory.Window(result, Layouts.PrestatSize).Clear();
        memory.Write(result + 4, length);
    }

    private void GetPreopenName(GuestMemory memory, int fd, int address, int length)
    {
        byte[] name = PreopenName(fd);
        if ((uint)length < (uint)name.Length) throw new WasiError(Errno.Nametoolong);
        name.CopyTo(memory.Window(address, name.Length));
    }

    private void Seek(GuestMemory memory, int fd, long offset, int whence, int result)
    {
        Whence from = Layouts.ToWhence(whence, version);
        // Asking for the position needs fewer rights than moving it.
        Rights needed = offset == 0 && from == Whence.Current ? Rights.FdTell : Rights.FdSeek;
        memory.Expect<long>(result);
        if (IsPositionedDevice(fd, needed))
        {
            memory.Write(result, 0L);
            return;
        }
        FileDescriptor file = File(fd, needed);
        memory.Write(result, file.Seek(offset, from));
    }

    private void Tell(GuestMemory memory, int fd, int result)
    {
        memory.Expect<long>(result);
        if (IsPositionedDevice(fd, Rights.FdTell))
        {
            memory.Write(result, 0L);
            return;
        }
        FileDescriptor file = File(fd, Rights.FdTell);
        memory.Write(result, file.Seek(0, Whence.Current));
    }

    /// <summary>Writes as many entries as fit. The last is cut off where the buffer ends, which tells the guest that there are more.</summary>
    private void ReadDirectory(GuestMemory memory, int fd, int address, int size, long cookie, int result)
    {
        DirectoryDescriptor directory = Table.Directory(fd, Rights.FdReaddir);
        memory.Expect<int>(result);
        Span<byte> rest = memory.Window(address, size);
        int total = rest.Length;
        Span<byte> head = stackalloc byte[Layouts.DirentSize];
        ulong next = (ulong)cookie;
        foreach (DirectoryEntry entry in directory.Entries((ulong)cookie))
        {
            byte[] name = FileNames.Encode(entry.Name);
            Layouts.WriteDirent(head, ++next, entry, name.Length);
            if (!Append(head, ref rest) || !Append(name, ref rest)) break;
        }
        memory.Write(result, total - rest.Length);
    }

    private static bool Append(scoped ReadOnlySpan<byte> bytes, ref Span<byte> rest)
    {
        int count = Math.Min(bytes.Length, rest.Length);
        bytes[..count].CopyTo(rest);
        rest = rest[count..];
        return count == bytes.Length;
    }
}
