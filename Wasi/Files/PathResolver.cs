namespace WasmJit.Wasi;

/// <summary>
/// Walks a guest's path component by component. The way is a stack of open directories, so that <c>..</c> goes back to the directory the walk came
/// from and never to where that directory may have been moved meanwhile. At the bottom of the stack it leads out and is refused. Links are read and
/// walked like any other path; absolute ones lead out.
/// </summary>
internal static class PathResolver
{
    /// <summary>The most links on the way, as on Linux.</summary>
    internal const int MostLinks = 40;

    /// <summary>The most directories on the way: each is open while the walk lasts.</summary>
    internal const int MostDirectories = 256;

    /// <summary>Finds the directory that has the path's last component.</summary>
    /// <param name="start">Where the path begins, and what it cannot leave.</param>
    /// <param name="path">The path.</param>
    /// <param name="follow">Whether a link at the end is followed, or meant itself.</param>
    internal static ResolvedPath Resolve(DirectoryHandle start, string path, bool follow)
    {
        if (path.Length == 0) throw new WasiError(Errno.Noent);
        var way = new Stack<DirectoryHandle>();
        var rest = new Stack<string>();
        try
        {
            Push(rest, path);
            bool slash = path[^1] == '/';
            int links = 0;
            while (true)
            {
                string name = rest.Pop();
                bool last = rest.Count == 0;
                DirectoryHandle here = way.Count == 0 ? start : way.Peek();
                if (name == "..")
                {
                    if (way.Count == 0) throw new WasiError(Errno.Notcapable);
                    way.Pop().Dispose();
                    name = ".";
                }
                if (name == ".")
                {
                    if (!last) continue;
                    return Found(".", isDirectory: true);
                }
                Allowed(name);
                string? link;
                if (!last && here.OpenDirectory(name) is { } next)
                {
                    if (way.Count == MostDirectories)
                    {
                        next.Dispose();
                        throw new WasiError(Errno.Nametoolong);
                    }
                    way.Push(next);
                    continue;
                }
                if (last && !follow) return Found(name, slash);
                if ((link = here.ReadLink(name)) is null)
                {
                    if (last) return Found(name, slash);
                    // The name is neither a directory nor a link: the error says what it is.
                    here.Status(name);
                    throw new WasiError(Errno.Notdir);
                }
                if (++links > MostLinks) throw new WasiError(Errno.Loop);
                if (link.Length == 0) throw new WasiError(Errno.Noent);
                slash |= last && link[^1] == '/';
                Push(rest, link);
            }
        }
        catch
        {
            foreach (DirectoryHandle handle in way) handle.Dispose();
            throw;
        }

        ResolvedPath Found(string name, bool isDirectory)
        {
            if (way.Count == 0) return new ResolvedPath(start, owned: false, name, isDirectory);
            DirectoryHandle directory = way.Pop();
            foreach (DirectoryHandle handle in way) handle.Dispose();
            return new ResolvedPath(directory, owned: true, name, isDirectory);
        }
    }

    /// <summary>Puts the components of a path before the rest.</summary>
    private static void Push(Stack<string> rest, string path)
    {
        if (IsAbsolute(path)) throw new WasiError(Errno.Notcapable);
        string[] parts = path.Split('/', StringSplitOptions.RemoveEmptyEntries);
        for (int i = parts.Length - 1; i >= 0; i--) rest.Push(parts[i]);
    }

    internal static bool IsAbsolute(string path) => path[0] == '/' || (!LinuxCalls.IsUnix && Path.IsPathRooted(path));

    /// <summary>
    /// Refuses names that mean more on Windows: separators, drives, streams, devices, and names that it would change.
    /// </summary>
    private static void Allowed(string name)
    {
        if (name.Length > 255) throw new WasiError(Errno.Nametoolong);
        if (!LinuxCalls.IsUnix) WindowsNames.Check(name);
    }
}

/// <summary>A place: a directory, and a name in it, <c>.</c> for the directory itself.</summary>
/// <param name="directory">The directory.</param>
/// <param name="owned">Whether the walk opened it.</param>
/// <param name="name">The name.</param>
/// <param name="isDirectory">Whether the path says that a directory is meant, by a slash at its end.</param>
internal readonly struct ResolvedPath(DirectoryHandle directory, bool owned, string name, bool isDirectory) : IDisposable
{
    internal DirectoryHandle Directory => directory;

    internal string Name => name;

    internal bool IsDirectory => isDirectory;

    /// <inheritdoc/>
    public void Dispose()
    {
        if (owned) directory.Dispose();
    }
}
