using System.Formats.Tar;
using System.IO.Compression;
using System.Text;
using WasmJit.Wasi;

namespace WasmJit;

/// <summary>
/// The files of an archive, to read only: zip, tar, or tar compressed by gzip. It is read as a whole when it is opened, and takes memory for what it
/// contains.
/// </summary>
public sealed class ArchiveFileSystem : IWasiFileSystem
{
    private const int ZipLink = 0xa000, ZipKind = 0xf000;

    private readonly MemoryFileSystem files;

    private ArchiveFileSystem(MemoryFileSystem files) => this.files = files;

    /// <inheritdoc/>
    public IWasiDirectory Root => files.Root;

    /// <inheritdoc/>
    public bool IsReadOnly => true;

    /// <summary>The paths of all files, sorted.</summary>
    public IReadOnlyList<string> ListFiles() => files.ListFiles();

    /// <summary>Opens a file of whichever format.</summary>
    /// <param name="path">The file on the host.</param>
    /// <param name="maximumBytes">The most bytes that its files may have together.</param>
    /// <exception cref="InvalidDataException">The stream is not an archive, or an entry's name leads out of it.</exception>
    /// <exception cref="WasiFileException">It has more bytes, or a name twice that is a file and a directory.</exception>
    public static ArchiveFileSystem Open(string path, long maximumBytes = 1L << 30)
    {
        using FileStream stream = File.OpenRead(path);
        return Open(stream, maximumBytes);
    }

    /// <summary>Opens a stream of whichever format.</summary>
    /// <param name="stream">The archive.</param>
    /// <param name="maximumBytes">The most bytes that its files may have together.</param>
    /// <exception cref="InvalidDataException">The stream is not an archive, or an entry's name leads out of it.</exception>
    /// <exception cref="WasiFileException">It has more bytes, or a name twice that is a file and a directory.</exception>
    public static ArchiveFileSystem Open(Stream stream, long maximumBytes = 1L << 30)
    {
        ArgumentNullException.ThrowIfNull(stream);
        if (!stream.CanSeek)
        {
            var copy = new MemoryStream();
            stream.CopyTo(copy);
            copy.Position = 0;
            stream = copy;
        }
        Span<byte> head = stackalloc byte[2];
        int count = stream.ReadAtLeast(head, 2, throwOnEndOfStream: false);
        stream.Position -= count;
        var files = new MemoryFileSystem { MaximumBytes = maximumBytes };
        try
        {
            if (head.SequenceEqual("PK"u8)) ReadZip(stream, files);
            else if (head[0] == 0x1f && head[1] == 0x8b) ReadTar(new GZipStream(stream, CompressionMode.Decompress, leaveOpen: true), files);
            else ReadTar(stream, files);
        }
        catch (Exception e) when (e is EndOfStreamException or FormatException)
        {
            throw new InvalidDataException("The stream is not a whole archive: zip, tar, or tar with gzip.", e);
        }
        return new ArchiveFileSystem(files);
    }

    private static void ReadZip(Stream stream, MemoryFileSystem files)
    {
        using var archive = new ZipArchive(stream, ZipArchiveMode.Read, leaveOpen: true);
        foreach (ZipArchiveEntry entry in archive.Entries)
        {
            string path = PathOf(entry.FullName);
            if (path.Length == 0) continue;
            if (entry.FullName.EndsWith('/'))
            {
                files.CreateDirectory(path);
                continue;
            }
            using Stream content = entry.Open();
            if (((entry.ExternalAttributes >> 16) & ZipKind) == ZipLink) CreateLink(files, path, LinkIn(content));
            else Copy(content, files, path);
            files.Find(path)!.SetTimes(entry.LastWriteTime, entry.LastWriteTime);
        }
    }

    private static void ReadTar(Stream stream, MemoryFileSystem files)
    {
        using var reader = new TarReader(stream, leaveOpen: true);
        bool any = false;
        while (reader.GetNextEntry() is { } entry)
        {
            any = true;
            string path = PathOf(entry.Name);
            if (path.Length == 0) continue;
            switch (entry.EntryType)
            {
                case TarEntryType.Directory: files.CreateDirectory(path); break;
                case TarEntryType.SymbolicLink: CreateLink(files, path, entry.LinkName); break;
                case TarEntryType.HardLink:
                    // A directory with two names could be in itself.
                    if (files.Find(PathOf(entry.LinkName)) is not IWasiFile target) throw new InvalidDataException($"The archive's entry \"{entry.Name}\" is a link to no file of it.");
                    if (ReferenceEquals(files.Find(path), target)) break;
                    files.WriteFile(path, "");
                    IWasiDirectory directory = (IWasiDirectory)files.Find(Path.GetDirectoryName(path)!.Replace('\\', '/'))!;
                    directory.Remove(Path.GetFileName(path));
                    directory.Add(Path.GetFileName(path), target);
                    break;
                case TarEntryType.RegularFile or TarEntryType.V7RegularFile or TarEntryType.ContiguousFile: Copy(entry.DataStream ?? Stream.Null, files, path); break;
                // Devices and pipes are nothing that a guest could read here.
                default: continue;
            }
            files.Find(path)!.SetTimes(entry.ModificationTime, entry.ModificationTime);
        }
        if (!any) throw new InvalidDataException("This is not an archive that can be read: zip, tar, or tar with gzip.");
    }

    /// <summary>The longest text of a link, as for guests.</summary>
    private const int LongestLink = GuestMemory.LongestPath;

    private static string LinkIn(Stream content)
    {
        byte[] text = new byte[LongestLink + 1];
        return Encoding.UTF8.GetString(text, 0, content.ReadAtLeast(text, text.Length, throwOnEndOfStream: false));
    }

    private static void CreateLink(MemoryFileSystem files, string path, string target)
    {
        if (target.Length is 0 or > LongestLink) throw new InvalidDataException($"The archive's entry \"{path}\" is a link whose text has {target.Length} characters.");
        files.CreateLink(path, target);
    }

    private static void Copy(Stream content, MemoryFileSystem files, string path)
    {
        files.WriteFile(path, "");
        var file = (IWasiFile)files.Find(path)!;
        byte[] buffer = new byte[64 << 10];
        long at = 0;
        for (int count; (count = content.Read(buffer)) > 0; at += count) file.Write(at, buffer.AsSpan(0, count));
    }

    /// <summary>The path of an entry; empty for the root.</summary>
    private static string PathOf(string name)
    {
        string[] names = [.. name.Split('/').Where(n => n is not ("" or "."))];
        if (names.Contains("..") || name.Contains('\0')) throw new InvalidDataException($"The archive's entry \"{name}\" leads out of it.");
        return string.Concat(names.Select(n => "/" + n));
    }
}
