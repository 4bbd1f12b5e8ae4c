using System.Buffers.Binary;
using System.Text;
using WasmJit.Jit.Saved;

namespace WasmJit.Wasi.Preview2;

/// <summary>What <c>wasi:filesystem/types</c> calls a descriptor: a file, a directory or a device, over those of preview 1.</summary>
internal sealed class FileObject(SharedDescriptor shared, WasiState state) : GuestObject
{
    /// <summary>Names of files are hashed with this, so that a guest does not learn the host's numbers.</summary>
    private static readonly byte[] Key = MakeKey();

    private static byte[] MakeKey()
    {
        byte[] key = new byte[32];
        SeededRandom.OfTheSystem(key);
        return key;
    }

    internal Descriptor Descriptor => shared.Descriptor;

    internal DirectoryDescriptor Directory => shared.Descriptor as DirectoryDescriptor ?? throw new WasiError(Errno.Notdir);

    private FileDescriptor File => shared.Descriptor switch
    {
        FileDescriptor file => file,
        DirectoryDescriptor => throw new WasiError(Errno.Isdir),
        _ => throw new WasiError(Errno.Spipe),
    };

    /// <summary>It was not opened for that.</summary>
    private void Require(Rights right)
    {
        if ((shared.Descriptor.Rights & right) == 0) throw new WasiError(shared.Descriptor is DirectoryDescriptor ? Errno.Isdir : Errno.Badf);
    }

    /// <summary>What it was opened for.</summary>
    internal DescriptorFlags Asked { get; private init; } = DescriptorFlags.Read | DescriptorFlags.Write | DescriptorFlags.MutateDirectory;

    internal DescriptorFlags Flags
    {
        get
        {
            Descriptor descriptor = shared.Descriptor;
            DescriptorFlags flags = DescriptorFlags.None;
            if ((descriptor.Rights & (Rights.FdRead | Rights.FdReaddir)) != 0) flags |= DescriptorFlags.Read;
            if ((descriptor.Rights & Rights.FdWrite) != 0) flags |= DescriptorFlags.Write;
            if (descriptor is DirectoryDescriptor { IsReadOnly: false }) flags |= DescriptorFlags.MutateDirectory;
            if (descriptor.Flags.HasFlag(FdFlags.Sync)) flags |= DescriptorFlags.FileIntegritySync;
            if (descriptor.Flags.HasFlag(FdFlags.Dsync)) flags |= DescriptorFlags.DataIntegritySync;
            if (descriptor.Flags.HasFlag(FdFlags.Rsync)) flags |= DescriptorFlags.RequestedWriteSync;
            return flags;
        }
    }

    internal InputStream ReadFrom(ulong offset)
    {
        Require(Rights.FdRead);
        if (shared.Descriptor is not FileDescriptor)
        {
            SharedDescriptor device = shared.Share();
            return new DescriptorInput(device.Descriptor, state.Waiter, device.Release);
        }
        return new FileInput(shared.Share(), (long)Math.Min(offset, long.MaxValue), state.Waiter);
    }

    /// <param name="offset">Where the bytes go; null for the end.</param>
    internal OutputStream WriteTo(ulong? offset)
    {
        Require(Rights.FdWrite);
        if (shared.Descriptor is not FileDescriptor)
        {
            SharedDescriptor device = shared.Share();
            return new DescriptorOutput(new OutputSink(device.Descriptor, state.Waiter), device.Release);
        }
        if (offset > long.MaxValue) throw new WasiError(Errno.Fbig);
        return new FileOutput(shared.Share(), (long?)offset, state.Waiter);
    }

    internal (byte[] Bytes, bool IsEnd) Read(ulong count, ulong offset)
    {
        FileDescriptor file = File;
        Require(Rights.FdRead);
        byte[] bytes = new byte[Math.Min(count, WasiState.MostBytes)];
        int read = offset > long.MaxValue ? 0 : (int)file.ReadAt(new GuestBuffers(bytes), (long)offset, state.Waiter);
        return (read == bytes.Length ? bytes : bytes[..read], read < bytes.Length);
    }

    internal ulong Write(byte[] bytes, ulong offset)
    {
        FileDescriptor file = File;
        Require(Rights.FdWrite);
        if (offset > long.MaxValue) throw new WasiError(Errno.Fbig);
        return file.WriteAt(new GuestBuffers(bytes), (long)offset, state.Waiter);
    }

    internal void Advise(ulong offset, ulong length, Advice advice)
    {
        if (offset > long.MaxValue || length > long.MaxValue) throw new WasiError(Errno.Inval);
        File.Advise((long)offset, (long)length, advice);
    }

    internal void SetSize(ulong size)
    {
        FileDescriptor file = File;
        Require(Rights.FdFilestatSetSize);
        file.SetSize(size > long.MaxValue ? throw new WasiError(Errno.Fbig) : (long)size);
    }

    internal void SetTimes(NewTimes times)
    {
        if (shared.Descriptor.IsReadOnly) throw new WasiError(Errno.Rofs);
        shared.Descriptor.SetTimes(times);
    }

    internal void Sync() => shared.Descriptor.Sync(state.Waiter);

    internal FileObject OpenAt(PathFlags pathFlags, string path, OpenFlags openFlags, DescriptorFlags flags)
    {
        DirectoryDescriptor from = Directory;
        if (flags.HasFlag(DescriptorFlags.MutateDirectory) && from.IsReadOnly) throw new WasiError(Errno.Rofs);
        // Reading and writing are asked for; all else is what the directory hands on.
        Rights rights = from.Inheriting;
        if (!flags.HasFlag(DescriptorFlags.Read)) rights &= ~(Rights.FdRead | Rights.FdReaddir);
        if (!flags.HasFlag(DescriptorFlags.Write)) rights &= ~Rights.Writing;
        FdFlags fdFlags = FdFlags.None;
        if (flags.HasFlag(DescriptorFlags.FileIntegritySync)) fdFlags |= FdFlags.Sync;
        if (flags.HasFlag(DescriptorFlags.DataIntegritySync)) fdFlags |= FdFlags.Dsync;
        if (flags.HasFlag(DescriptorFlags.RequestedWriteSync)) fdFlags |= FdFlags.Rsync;
        Descriptor opened = PathOperations.Open(from, path, pathFlags.HasFlag(PathFlags.SymlinkFollow), openFlags, rights, from.Inheriting, fdFlags);
        // A device does not wait: streams do that.
        if (opened is DeviceDescriptor) opened.SetFlags(fdFlags | FdFlags.Nonblock);
        return new FileObject(state.Share(opened), state) { Asked = flags };
    }

    // ---- paths below a directory ----

    /// <summary>A path as preview 1 takes it.</summary>
    internal static string Checked(string path) => path.Contains('\0') ? throw new WasiError(Errno.Inval)
        : path.Length > GuestMemory.LongestPath || Encoding.UTF8.GetByteCount(path) > GuestMemory.LongestPath ? throw new WasiError(Errno.Nametoolong) : path;

    private static bool Follows(PathFlags flags) => flags.HasFlag(PathFlags.SymlinkFollow);

    internal FileStatus StatusAt(PathFlags flags, string path) => PathOperations.Status(Directory, Checked(path), Follows(flags));

    internal void SetTimesAt(PathFlags flags, string path, NewTimes times) => PathOperations.SetTimes(Directory, Checked(path), Follows(flags), times);

    internal void CreateDirectoryAt(string path) => PathOperations.CreateDirectory(Directory, Checked(path));

    internal void LinkAt(PathFlags flags, string path, FileObject other, string newPath) =>
        PathOperations.Link(Directory, Checked(path), Follows(flags), other.Directory, Checked(newPath));

    internal string ReadLinkAt(string path)
    {
        string content = PathOperations.ReadLink(Directory, Checked(path));
        // A link that leads out says where the host has its files.
        if (content.Length > 0 && PathResolver.IsAbsolute(content)) throw new WasiError(Errno.Notcapable);
        return FileNames.HasEscapes(content) ? throw new WasiError(Errno.Ilseq) : content;
    }

    internal void RemoveDirectoryAt(string path) => PathOperations.RemoveDirectory(Directory, Checked(path));

    internal void RenameAt(string path, FileObject other, string newPath) => PathOperations.Rename(Directory, Checked(path), other.Directory, Checked(newPath));

    internal void SymlinkAt(string content, string path) => PathOperations.Symlink(Directory, Checked(content), Checked(path));

    internal void UnlinkAt(string path) => PathOperations.Unlink(Directory, Checked(path));

    internal List<DirectoryEntry> List()
    {
        DirectoryDescriptor directory = Directory;
        if ((directory.Rights & Rights.FdReaddir) == 0) throw new WasiError(Errno.Badf);
        return directory.Handle.List();
    }

    /// <summary>Says which object it is, as far as a guest may know: the same number for the same object, as long as the process runs.</summary>
    internal static MetadataHashValue Hash(in FileStatus status)
    {
        Span<byte> text = stackalloc byte[48];
        Key.CopyTo(text);
        BinaryPrimitives.WriteUInt64LittleEndian(text[32..], status.Device);
        BinaryPrimitives.WriteUInt64LittleEndian(text[40..], status.Inode);
        Span<byte> hash = stackalloc byte[Sha256.Size];
        Sha256.Hash(text, hash);
        return new MetadataHashValue(BinaryPrimitives.ReadUInt64LittleEndian(hash), BinaryPrimitives.ReadUInt64LittleEndian(hash[8..]));
    }

    internal bool IsSameAs(FileObject other)
    {
        if (ReferenceEquals(Descriptor, other.Descriptor)) return true;
        FileStatus a = Descriptor.Status(), b = other.Descriptor.Status();
        return a.Device == b.Device && a.Inode == b.Inode;
    }

    private protected override void Close() => shared.Release();
}

/// <summary>What <c>wasi:filesystem/types</c> calls a directory-entry-stream. The directory is listed once, when it is made.</summary>
internal sealed class EntryStream : GuestObject
{
    private readonly WasiState state;
    private readonly List<DirectoryEntry> entries;
    private int next;

    internal EntryStream(WasiState state, Func<List<DirectoryEntry>> list)
    {
        this.state = state;
        state.CountOpened();
        try
        {
            entries = list();
        }
        catch
        {
            state.CountClosed();
            throw;
        }
    }

    internal ListedEntry? Next()
    {
        if (next == entries.Count) return null;
        DirectoryEntry entry = entries[next++];
        // Names are strings here, and some files have names that are not UTF-8.
        if (FileNames.HasEscapes(entry.Name)) throw new WasiError(Errno.Ilseq);
        return new ListedEntry(FilesystemTypes.Of(entry.Type), entry.Name);
    }

    private protected override void Close() => state.CountClosed();
}
