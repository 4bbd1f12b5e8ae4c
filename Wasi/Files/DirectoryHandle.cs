namespace WasmJit.Wasi;

/// <summary>
/// An open directory of the host. Names are single components, never <c>..</c>, and no operation follows a symbolic link: <see cref="PathResolver"/>
/// does all of that. Failures are <see cref="WasiError"/> or the exceptions of System.IO.
/// </summary>
internal abstract class DirectoryHandle : IDisposable
{
    /// <summary>Opens a directory in it for walking on; null if the name is anything else, a link among others.</summary>
    internal abstract DirectoryHandle? OpenDirectory(string name);

    /// <summary>The target of a symbolic link; null if the name is anything else or nothing.</summary>
    internal abstract string? ReadLink(string name);

    /// <summary>Opens an existing entry, or makes a file.</summary>
    internal abstract OpenedNode Open(string name, OpenMode mode);

    internal abstract FileStatus Status(string name);

    /// <summary>As <see cref="Status(string)"/>; null if there is no such entry.</summary>
    internal FileStatus? Find(string name)
    {
        try
        {
            return Status(name);
        }
        catch (WasiError e) when (e.Errno == Errno.Noent)
        {
            return null;
        }
    }

    internal abstract void SetTimes(string name, NewTimes times);

    internal abstract void CreateDirectory(string name);

    internal abstract void RemoveDirectory(string name);

    internal abstract void Unlink(string name);

    internal abstract void Rename(string name, DirectoryHandle target, string newName);

    internal abstract void Link(string name, DirectoryHandle target, string newName);

    internal abstract void Symlink(string content, string name);

    /// <summary>The entries, without <c>.</c> and <c>..</c>.</summary>
    internal abstract List<DirectoryEntry> List();

    /// <summary>Of the directory itself.</summary>
    internal abstract FileStatus Status();

    /// <summary>Of the directory itself.</summary>
    internal abstract void SetTimes(NewTimes times);

    internal abstract void Sync();

    /// <inheritdoc/>
    public abstract void Dispose();

    /// <summary>Opens a directory by its path on the host.</summary>
    /// <exception cref="DirectoryNotFoundException">There is no such directory.</exception>
    internal static DirectoryHandle OpenHost(string path, bool portable = false)
    {
        string full = Path.GetFullPath(path);
        if (!Directory.Exists(full)) throw new DirectoryNotFoundException($"{path} is not a directory that a guest can be given.");
        if (portable) return new PortableDirectory(full);
        return LinuxCalls.IsSupported ? LinuxDirectory.OpenPath(full)
            : OperatingSystem.IsWindows() ? WindowsDirectory.OpenPath(full) : new PortableDirectory(full);
    }
}

/// <summary>How a file is opened.</summary>
internal readonly record struct OpenMode(bool Read, bool Write, OpenFlags Flags, FdFlags FdFlags);

/// <summary>The opened object: one of the three.</summary>
internal readonly record struct OpenedNode(DirectoryHandle? Directory, FileHandle? File, DeviceHandle? Device);
