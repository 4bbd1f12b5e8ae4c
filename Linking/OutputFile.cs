namespace WasmJit.Linking;

/// <summary>
/// Files that are written whole or not at all: what is written goes into a file beside the old one, and takes its place when it is complete. So a file keeps its contents
/// when something fails, and processes that have mapped it keep the old one. Devices, pipes and links are written to as they are: to replace them would be to lose them.
/// </summary>
internal static class OutputFile
{
    /// <summary>Refuses a path at which no file can be written, before any work is done for it.</summary>
    /// <exception cref="IOException">There is no such directory, or the path is that of one.</exception>
    internal static void Check(string path)
    {
        string full = Path.GetFullPath(path);
        if (Directory.Exists(full)) throw new IOException($"{path} is a directory");
        if (Path.GetDirectoryName(full) is { } folder && !Directory.Exists(folder)) throw new DirectoryNotFoundException($"{path}: there is no directory {folder}");
    }

    /// <summary>Writes a file.</summary>
    /// <param name="path">Its path.</param>
    /// <param name="write">Writes the contents.</param>
    /// <exception cref="IOException">It cannot be written, or is a directory.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be written, or no file may be made beside it.</exception>
    internal static void Write(string path, Action<Stream> write)
    {
        Check(path);
        string full = Path.GetFullPath(path);
        if (IsDevice(full) || new FileInfo(full).LinkTarget is not null)
        {
            using var open = new FileStream(full, FileMode.Create, FileAccess.Write, FileShare.Read);
            write(open);
            return;
        }
        UnixFileMode? mode = null;
        if (File.Exists(full))
        {
            // Opened first: what may not be written must not be replaced, either.
            using var old = new FileStream(full, FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
            if (!old.CanSeek)
            {
                write(old);
                return;
            }
            if (!OperatingSystem.IsWindows()) mode = File.GetUnixFileMode(old.SafeFileHandle);
        }
        string temporary = Path.Combine(Path.GetDirectoryName(full)!, $".{Guid.NewGuid():n}.tmp");
        try
        {
            using (FileStream made = Make(temporary, path))
            {
                if (mode is { } kept && !OperatingSystem.IsWindows()) File.SetUnixFileMode(made.SafeFileHandle, kept);
                write(made);
            }
            File.Move(temporary, full, overwrite: true);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }

    private static FileStream Make(string temporary, string path)
    {
        try
        {
            return new FileStream(temporary, FileMode.CreateNew, FileAccess.Write, FileShare.None);
        }
        // The message names the file that was asked for, not the one beside it.
        catch (UnauthorizedAccessException e)
        {
            throw new UnauthorizedAccessException(e.Message.Replace(temporary, path, StringComparison.Ordinal), e);
        }
        catch (IOException e)
        {
            throw new IOException(e.Message.Replace(temporary, path, StringComparison.Ordinal), e);
        }
    }

    private static bool IsDevice(string path) => OperatingSystem.IsWindows() ? path.StartsWith(@"\\.\", StringComparison.Ordinal)
        : path.StartsWith("/dev/", StringComparison.Ordinal) || path.StartsWith("/proc/", StringComparison.Ordinal);
}
