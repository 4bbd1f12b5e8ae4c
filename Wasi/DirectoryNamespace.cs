using WasmJit.Wasi;

namespace WasmJit;

/// <summary>
/// A directory on disk as a namespace of modules in the binary format. No path leads out of it: paths are walked as those of WASI guests are,
/// component by component from the open directory, and a symbolic link is followed only as far as it stays inside. Files are read and compiled at
/// each load.
/// </summary>
public sealed class DirectoryNamespace : ModuleNamespace, IDisposable
{
    private readonly DirectoryHandle handle;

    /// <summary>Opens a directory.</summary>
    /// <param name="path">The directory, on the host.</param>
    /// <exception cref="DirectoryNotFoundException">There is no such directory.</exception>
    public DirectoryNamespace(string path)
        : this(DirectoryHandle.OpenHost(path))
    {
    }

    /// <summary>A directory that is open; it belongs to this object from now on.</summary>
    internal DirectoryNamespace(DirectoryHandle handle) => this.handle = handle;

    /// <summary>Closes the directory. From then on nothing can be loaded. Without this the garbage collector closes it.</summary>
    public void Dispose() => handle.Dispose();

    /// <inheritdoc/>
    protected internal override Module? Find(string path, ModuleCompiler compiler)
    {
        try
        {
            OpenedNode node = Open(handle, path, OpenFlags.None);
            node.Directory?.Dispose();
            node.Device?.Dispose();
            if (node.File is not { } file) throw new IOException($"{path} is not a file.");
            using Stream stream = StreamOf(file);
            return compiler.Compile(stream);
        }
        catch (WasiError error)
        {
            return IsNothing(error) ? null : throw ToException(error, path);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    private static Stream StreamOf(FileHandle file)
    {
        if (file is SystemFile known) return new FileStream(known.Handle, FileAccess.Read, bufferSize: 1);
        using (file)
        {
            byte[] bytes = new byte[file.Length];
            return new MemoryStream(bytes, 0, file.Read(bytes, 0));
        }
    }

    /// <inheritdoc/>
    protected internal override ModuleNamespace? FindDirectory(string path)
    {
        try
        {
            return Open(handle, path, OpenFlags.Directory).Directory is { } directory ? new DirectoryNamespace(directory) : null;
        }
        catch (WasiError error)
        {
            return IsNothing(error) ? null : throw ToException(error, path);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    private static OpenedNode Open(DirectoryHandle start, string path, OpenFlags flags)
    {
        using ResolvedPath place = PathResolver.Resolve(start, path, follow: true);
        return place.Directory.Open(place.Name, new OpenMode(Read: true, Write: false, flags, FdFlags.None));
    }

    private static bool IsNothing(WasiError error) => error.Errno is Errno.Noent or Errno.Notdir;

    private static Exception ToException(WasiError error, string path) => error.Errno switch
    {
        Errno.Notcapable => new UnauthorizedAccessException($"{path} leads out of the directory."),
        Errno.Acces or Errno.Perm => new UnauthorizedAccessException($"{path} may not be read."),
        _ => new IOException($"{path} cannot be read: {error.Errno}."),
    };
}
