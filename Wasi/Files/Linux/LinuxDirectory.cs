using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace WasmJit.Wasi;

/// <summary>
/// A directory as a descriptor of the system. Everything works relative to it and never follows a link, so nothing that is
/// renamed or replaced between a check and its use leads out.
/// </summary>
internal sealed class LinuxDirectory : DirectoryHandle
{
    private const uint AllMayRead = 0x1b6, AllMayEnter = 0x1ff;

    private readonly SafeFileHandle handle;

    private LinuxDirectory(int descriptor) => handle = new SafeFileHandle(descriptor, ownsHandle: true);

    internal static LinuxDirectory OpenPath(string path)
    {
        int descriptor = LinuxCalls.OpenHost(path, LinuxCalls.ReadOnly | LinuxCalls.OnlyDirectory | LinuxCalls.CloseOnExec, 0);
        if (descriptor < 0) throw new IOException($"{path} cannot be opened: {Marshal.GetLastPInvokeErrorMessage()}.");
        return new LinuxDirectory(descriptor);
    }

    internal override DirectoryHandle? OpenDirectory(string name)
    {
        const int flags = LinuxCalls.PathOnly | LinuxCalls.CloseOnExec;
        int descriptor = LinuxCalls.OpenAt(handle, name, flags | LinuxCalls.OnlyDirectory | LinuxCalls.NoFollow, 0);
        if (descriptor >= 0) return new LinuxDirectory(descriptor);
        return Marshal.GetLastPInvokeError() is LinuxCalls.NotDirectory or LinuxCalls.TooManyLinks ? null : throw LinuxCalls.LastError();
    }

    internal override string? ReadLink(string name)
    {
        Span<byte> buffer = stackalloc byte[GuestMemory.LongestPath];
        nint length = LinuxCalls.ReadLinkAt(handle, name, buffer, (nuint)buffer.Length);
        if (length >= 0) return FileNames.Decode(buffer[..(int)length]);
        return Marshal.GetLastPInvokeError() is LinuxCalls.Invalid or LinuxCalls.NoEntry ? null : throw LinuxCalls.LastError();
    }

    internal override OpenedNode Open(string name, OpenMode mode)
    {
        // Without "non-blocking", opening a pipe waits for its other end; for files it means nothing.
        int flags = LinuxCalls.NoFollow | LinuxCalls.CloseOnExec | LinuxCalls.NoTerminal | LinuxCalls.NonBlocking;
        flags |= !mode.Write ? LinuxCalls.ReadOnly : mode.Read ? LinuxCalls.ReadWrite : LinuxCalls.WriteOnly;
        if (mode.Flags.HasFlag(OpenFlags.Create)) flags |= LinuxCalls.Create;
        if (mode.Flags.HasFlag(OpenFlags.Exclusive)) flags |= LinuxCalls.Exclusive;
        if (mode.Flags.HasFlag(OpenFlags.Truncate)) flags |= LinuxCalls.Truncate;
        if (mode.Flags.HasFlag(OpenFlags.Directory)) flags |= LinuxCalls.OnlyDirectory;
        if (mode.FdFlags.HasFlag(FdFlags.Append)) flags |= LinuxCalls.Append;
        int descriptor = LinuxCalls.OpenAt(handle, name, flags, AllMayRead);
        LinuxCalls.Check(descriptor);
        var opened = new SafeFileHandle(descriptor, ownsHandle: true);
        switch (LinuxCalls.Status(opened, "").Type)
        {
            case FileType.RegularFile:
                return new OpenedNode(null, new LinuxFile(opened), null);
            case FileType.Directory:
                opened.SetHandleAsInvalid();
                return new OpenedNode(new LinuxDirectory(descriptor), null, null);
            default:
                return new OpenedNode(null, null, new LinuxDevice(opened));
        }
    }

    internal override FileStatus Status(string name) => LinuxCalls.Status(handle, name);

    internal override FileStatus Status() => LinuxCalls.Status(handle, "");

    internal override void SetTimes(string name, NewTimes times)
    {
        Span<long> pairs = stackalloc long[4];
        LinuxCalls.Fill(pairs, times);
        LinuxCalls.Check(LinuxCalls.SetTimesAt(handle, name, pairs, LinuxCalls.NoFollowLink));
    }

    internal override void SetTimes(NewTimes times)
    {
        Span<long> pairs = stackalloc long[4];
        LinuxCalls.Fill(pairs, times);
        LinuxCalls.Check(LinuxCalls.SetTimes(handle, pairs));
    }

    internal override void CreateDirectory(string name) => LinuxCalls.Check(LinuxCalls.MakeDirectoryAt(handle, name, AllMayEnter));

    internal override void RemoveDirectory(string name) =>
        LinuxCalls.Check(LinuxCalls.UnlinkAt(handle, name, LinuxCalls.RemoveDirectory));

    internal override void Unlink(string name) => LinuxCalls.Check(LinuxCalls.UnlinkAt(handle, name, 0));

    internal override void Rename(string name, DirectoryHandle target, string newName) =>
        LinuxCalls.Check(LinuxCalls.RenameAt(handle, name, Of(target), newName));

    internal override void Link(string name, DirectoryHandle target, string newName) =>
        LinuxCalls.Check(LinuxCalls.LinkAt(handle, name, Of(target), newName, 0));

    internal override void Symlink(string content, string name) => LinuxCalls.Check(LinuxCalls.SymlinkAt(content, handle, name));

    internal override void Sync() => LinuxCalls.Check(LinuxCalls.Sync(handle));

    internal override unsafe List<DirectoryEntry> List()
    {
        // A descriptor of its own: the position in the directory belongs to the descriptor, and closing the stream closes it.
        int own = LinuxCalls.OpenAt(handle, ".", LinuxCalls.ReadOnly | LinuxCalls.OnlyDirectory | LinuxCalls.CloseOnExec, 0);
        LinuxCalls.Check(own);
        nint stream = LinuxCalls.OpenStream(own);
        if (stream == 0)
        {
            _ = LinuxCalls.Close(own);
            throw LinuxCalls.LastError();
        }
        try
        {
            var entries = new List<DirectoryEntry>();
            while (true)
            {
                byte* entry = (byte*)LinuxCalls.ReadEntry(stream);
                if (entry == null) return Marshal.GetLastPInvokeError() == 0 ? entries : throw LinuxCalls.LastError();
                // struct dirent: inode, offset, length of the entry, kind, name.
                string name = FileNames.Decode(MemoryMarshal.CreateReadOnlySpanFromNullTerminated(entry + 19));
                if (name is not ("." or "..")) entries.Add(new DirectoryEntry(name, *(ulong*)entry, LinuxCalls.TypeOf(entry[18])));
            }
        }
        finally
        {
            _ = LinuxCalls.CloseStream(stream);
        }
    }

    public override void Dispose() => handle.Dispose();

    /// <summary>Both directories are of this kind: a host is made of one kind alone.</summary>
    private static SafeFileHandle Of(DirectoryHandle directory) => directory is LinuxDirectory other ? other.handle : throw new WasiError(Errno.Xdev);
}
