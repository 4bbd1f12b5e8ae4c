using System.Formats.Tar;
using System.IO.Compression;
using System.Text;
using WasmJit.Wasi;
using Xunit;

namespace WasmJit.Tests;

/// <summary>File systems that are not directories of the host: they behave as one, and keep their limits.</summary>
public sealed class WasiFileSystemTests
{
    private const int Root = WasiFolder.Root, Result = WasiFolder.Result, List = WasiFolder.List, Data = WasiFolder.Data;

    private static readonly string[] Names =
        ["a", "b", "c", "a/b", "a/c", "b/a", "a/b/c", "./a", "a/", "b/", "a/.", "a/..", "../a", "a/../b", ".", "c/..", "l", "l/a", "x"];

    private static WasiGuest Guest(IWasiFileSystem system, bool readOnly = false) => new(WasiGuest.Quiet with { FileSystems = [new WasiMount(system, "/", readOnly)] });

    /// <summary>
    /// Random calls on a directory of Linux, on files in memory and on an overlay: each result is the same. What differs between any two file systems (numbers,
    /// times, how many names a directory has) is left out.
    /// </summary>
    [LinuxFact]
    public void MemoryBehavesAsADirectoryDoes()
    {
        for (int seed = 0; seed < 50; seed++)
        {
            using var folder = new WasiFolder();
            DirectoryInfo below = Directory.CreateTempSubdirectory("wasmjit-below");
            try
            {
                var memory = new MemoryFileSystem();
                foreach (string path in new[] { "a/b/f", "b/g", "c" })
                {
                    folder.Put(path, path);
                    memory.WriteFile(path, path);
                    Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(below.FullName, path))!);
                    File.WriteAllText(Path.Combine(below.FullName, path), path);
                }
                using var host = new HostFileSystem(below.FullName);
                string expected = Play(folder.Guest, seed);
                Assert.Equal(expected, Play(Guest(memory), seed));
                Assert.Equal(expected, Play(Guest(new OverlayFileSystem(host)), seed));
                Assert.Equal(["a/b/f", "b/g", "c"], Directory.GetFiles(below.FullName, "*", SearchOption.AllDirectories)
                    .Select(f => Path.GetRelativePath(below.FullName, f)).Order(StringComparer.Ordinal));
                Assert.Equal("a/b/f", File.ReadAllText(Path.Combine(below.FullName, "a/b/f")));
            }
            finally
            {
                below.Delete(recursive: true);
            }
        }
    }

    private static string Play(WasiGuest guest, int seed)
    {
        var random = new Random(seed);
        var log = new StringBuilder();
        var open = new List<int>();
        string Name() => Names[random.Next(Names.Length)];
        for (int step = 0; step < 60; step++)
        {
            int kind = random.Next(14), number = random.Next(4), size = random.Next(40);
            string name = Name(), other = Name();
            int fd = open.Count == 0 ? 99 : open[random.Next(open.Count)];
            string text = kind switch
            {
                0 or 1 or 2 => Open(name, (OpenFlags)random.Next(16), random.Next(2) == 0),
                3 => $"mkdir {name} {guest.Invoke("path_create_directory", Root, name)}",
                4 => $"rmdir {name} {guest.Invoke("path_remove_directory", Root, name)}",
                5 => $"unlink {name} {guest.Invoke("path_unlink_file", Root, name)}",
                6 => $"rename {name} {other} {guest.Invoke("path_rename", Root, name, Root, other)}",
                7 => $"link {name} {other} {guest.Invoke("path_link", Root, 0, name, Root, other)}",
                8 => $"symlink {name} {other} {guest.Invoke("path_symlink", name, Root, other)}",
                9 => ReadLink(name),
                10 => Stat(name, random.Next(2)),
                11 => Write(fd, size, random.Next(3) == 0 ? random.Next(100_000) : null),
                12 => Read(fd, size, number == 0 ? 0 : null),
                _ => random.Next(3) == 0 ? $"size {guest.Invoke("fd_filestat_set_size", fd, (long)size)}" : Entries(name),
            };
            log.AppendLine(text);
        }
        guest.Host.Dispose();
        return log.ToString();

        string Open(string path, OpenFlags flags, bool write)
        {
            // Kernels disagree about making a file by the name of a directory.
            if (path.EndsWith('.') || path.EndsWith('/')) flags &= ~OpenFlags.Create;
            Rights rights = Rights.FdRead | Rights.FdSeek | Rights.FdTell | Rights.FdReaddir | Rights.FdFilestatGet;
            if (write) rights |= Rights.FdWrite | Rights.FdFilestatSetSize;
            Errno error = guest.Invoke("path_open", Root, random.Next(2), path, (int)flags, (long)rights, (long)Rights.All, 0, Result);
            if (error == Errno.Success) open.Add(guest.Memory.Read<int>(Result));
            return $"open {path} {flags} {write} {error}";
        }

        string ReadLink(string path)
        {
            Errno error = guest.Invoke("path_readlink", Root, path, Data, 100, Result);
            return $"readlink {path} {error} {(error == 0 ? guest.Memory.ReadString(Data, guest.Memory.Read<int>(Result)) : "")}";
        }

        string Stat(string path, int follow)
        {
            Errno error = guest.Invoke("path_filestat_get", Root, follow, path, Result);
            if (error != 0) return $"stat {path} {error}";
            var type = (FileType)guest.Memory.Read<byte>(Result + 16);
            return $"stat {path} {type} {(type == FileType.Directory ? 0 : guest.Memory.Read<ulong>(Result + 24))} {(type == FileType.Directory ? 0 : guest.Memory.Read<ulong>(Result + 32))}";
        }

        string Write(int fd, int count, int? at)
        {
            guest.Memory.WriteBytes(Data, [.. Enumerable.Range(0, count).Select(i => (byte)('a' + (i % 26)))]);
            guest.WriteList(List, (Data, count));
            Errno error = at is { } offset ? guest.Invoke("fd_pwrite", fd, List, 1, (long)offset, Result) : guest.Invoke("fd_write", fd, List, 1, Result);
            return $"write {error} {(error == 0 ? guest.Memory.Read<int>(Result) : 0)}";
        }

        string Read(int fd, int count, long? at)
        {
            guest.WriteList(List, (Data, count));
            Errno error = at is { } offset ? guest.Invoke("fd_pread", fd, List, 1, offset, Result) : guest.Invoke("fd_read", fd, List, 1, Result);
            return $"read {error} {(error == 0 ? guest.Memory.ReadString(Data, guest.Memory.Read<int>(Result)) : "")}";
        }

        string Entries(string path)
        {
            Errno error = guest.Invoke("path_open", Root, 1, path, (int)OpenFlags.Directory, (long)Rights.FdReaddir, 0L, 0, Result);
            if (error != 0) return $"list {path} {error}";
            int fd = guest.Memory.Read<int>(Result);
            error = guest.Invoke("fd_readdir", fd, Data, 20_000, 0L, Result);
            int used = guest.Memory.Read<int>(Result);
            var names = new SortedSet<string>(StringComparer.Ordinal);
            for (int at = Data; error == 0 && at < Data + used;)
            {
                int length = guest.Memory.Read<int>((ulong)at + 16);
                names.Add($"{guest.Memory.ReadString((ulong)at + 24, length)}:{(FileType)guest.Memory.Read<byte>((ulong)at + 20)}");
                at += 24 + length;
            }
            guest.Invoke("fd_close", fd);
            return $"list {path} {error} {string.Join(' ', names)}";
        }
    }

    private static Errno OpenFile(WasiGuest guest, string path, out int fd, OpenFlags flags = 0, Rights rights = Rights.File)
    {
        Errno error = guest.Invoke("path_open", Root, 1, path, (int)flags, (long)rights, (long)Rights.All, 0, Result);
        fd = error == 0 ? guest.Memory.Read<int>(Result) : -1;
        return error;
    }

    private static string Text(WasiGuest guest, string path)
    {
        Assert.Equal(Errno.Success, OpenFile(guest, path, out int fd, rights: Rights.FdRead));
        guest.WriteList(List, (Data, 1000));
        Assert.Equal(Errno.Success, guest.Invoke("fd_read", fd, List, 1, Result));
        Assert.Equal(Errno.Success, guest.Invoke("fd_close", fd));
        return guest.Memory.ReadString(Data, guest.Memory.Read<int>(Result));
    }

    private static Errno WriteTo(WasiGuest guest, int fd, int count, long? at = null)
    {
        guest.WriteList(List, (Data, count));
        return at is { } offset ? guest.Invoke("fd_pwrite", fd, List, 1, offset, Result) : guest.Invoke("fd_write", fd, List, 1, Result);
    }

    public static TheoryData<string> Formats => ["zip", "tar", "tar.gz"];

    private static MemoryStream Archive(string format, params (string Name, string Content)[] files)
    {
        var stream = new MemoryStream();
        if (format == "zip")
        {
            using var zip = new ZipArchive(stream, ZipArchiveMode.Create, leaveOpen: true);
            foreach ((string name, string content) in files)
            {
                using Stream entry = zip.CreateEntry(name).Open();
                entry.Write(Encoding.UTF8.GetBytes(content));
            }
        }
        else
        {
            using Stream target = format == "tar" ? stream : new GZipStream(stream, CompressionLevel.Fastest, leaveOpen: true);
            using var tar = new TarWriter(target, leaveOpen: true);
            foreach ((string name, string content) in files)
                tar.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, name) { DataStream = new MemoryStream(Encoding.UTF8.GetBytes(content)) });
            tar.WriteEntry(new PaxTarEntry(TarEntryType.SymbolicLink, "link") { LinkName = "d/e/f" });
            if (files.Any(f => f.Name == "top")) tar.WriteEntry(new PaxTarEntry(TarEntryType.HardLink, "d/hard") { LinkName = "top" });
        }
        stream = new MemoryStream(stream.ToArray());
        return stream;
    }

    [Theory]
    [MemberData(nameof(Formats))]
    public void ArchivesAreReadOnly(string format)
    {
        ArchiveFileSystem archive = ArchiveFileSystem.Open(Archive(format, ("d/e/f", "deep"), ("top", "first")));
        WasiGuest guest = Guest(archive);
        Assert.Equal("deep", Text(guest, "d/e/f"));
        Assert.Equal("first", Text(guest, "top"));
        if (format != "zip")
        {
            Assert.Equal("deep", Text(guest, "link"));
            Assert.Equal("first", Text(guest, "d/hard"));
        }
        Assert.Equal(Errno.Rofs, OpenFile(guest, "top", out _));
        Assert.Equal(Errno.Rofs, OpenFile(guest, "new", out _, OpenFlags.Create));
        Assert.Equal(Errno.Rofs, guest.Invoke("path_unlink_file", Root, "top"));
        Assert.Equal(Errno.Rofs, guest.Invoke("path_create_directory", Root, "n"));
        Assert.Equal(Errno.Rofs, guest.Invoke("path_rename", Root, "top", Root, "n"));
        var changed = new OverlayFileSystem(archive);
        guest = Guest(changed);
        Assert.Equal(Errno.Success, OpenFile(guest, "top", out int fd));
        Assert.Equal(Errno.Success, WriteTo(guest, fd, 2, 0));
        Assert.Equal(Errno.Success, guest.Invoke("path_unlink_file", Root, "d/e/f"));
        Assert.Equal("\0\0rst", changed.ReadText("top"));
        Assert.Null(changed.Find("d/e/f"));
        Assert.Contains("/d/e/f", archive.ListFiles());
    }

    [Theory]
    [MemberData(nameof(Formats))]
    public void ArchivesThatLeadOutAreRefused(string format) =>
        Assert.Throws<InvalidDataException>(() => ArchiveFileSystem.Open(Archive(format, ("a/../../b", "x"))));

    [Fact]
    public void ArchivesHaveALimit()
    {
        using MemoryStream bomb = Archive("zip", ("zeros", new string('0', 4 << 20)));
        Assert.True(bomb.Length < 1 << 20);
        Assert.Equal(WasiFileError.NoSpace, Assert.Throws<WasiFileException>(() => ArchiveFileSystem.Open(bomb, 1 << 20)).Error);
        Assert.Throws<InvalidDataException>(() => ArchiveFileSystem.Open(new MemoryStream("no archive at all"u8.ToArray())));
    }

    /// <summary>Neither bytes nor entries, nor files that have no name any more, go beyond the limit of a file system in memory.</summary>
    [Fact]
    public void MemoryHasALimit()
    {
        var files = new MemoryFileSystem { MaximumBytes = 1 << 20 };
        WasiGuest guest = Guest(files);
        Assert.Equal(Errno.Success, OpenFile(guest, "f", out int fd, OpenFlags.Create));
        Errno error = Errno.Success;
        int written = 0;
        for (; error == 0 && written < 1000; written++) error = WriteTo(guest, fd, 16 << 10);
        Assert.Equal((Errno.Nospc, true), (error, written is > 50 and < 70));
        // A file that is long and empty costs nothing, and is as long as it says.
        Assert.Equal(Errno.Success, guest.Invoke("fd_filestat_set_size", fd, 1L << 40));
        Assert.Equal(Errno.Success, guest.Invoke("path_unlink_file", Root, "f"));
        Assert.Equal(Errno.Nospc, WriteTo(guest, fd, 32 << 10, 1L << 30));
        Assert.Equal(Errno.Success, guest.Invoke("fd_close", fd));
        Assert.Equal(0, files.UsedBytes);
        for (written = 0, error = 0; error == 0 && written < 10_000; written++) error = guest.Invoke("path_create_directory", Root, $"d{written}");
        Assert.Equal((Errno.Nospc, true), (error, written < 3000));
    }

    [Fact]
    public void TheHostReadsWhatTheGuestWrote()
    {
        var files = new MemoryFileSystem();
        files.WriteFile("/in/a.txt", "alpha");
        files.CreateDirectory("out");
        files.CreateLink("latest", "in/a.txt");
        WasiGuest guest = Guest(files);
        Assert.Equal("alpha", Text(guest, "latest"));
        Assert.Equal(Errno.Success, OpenFile(guest, "out/b", out int fd, OpenFlags.Create));
        guest.Memory.WriteBytes(Data, "beta"u8);
        Assert.Equal(Errno.Success, WriteTo(guest, fd, 4));
        Assert.Equal("beta", files.ReadText("out/b"));
        Assert.Equal(["/in/a.txt", "/out/b"], files.ListFiles());
        Assert.Equal(WasiFileError.NotFound, Assert.Throws<WasiFileException>(() => files.ReadFile("none")).Error);
        Assert.Equal(WasiFileError.NotDirectory, Assert.Throws<WasiFileException>(() => files.WriteFile("out/b/c", "")).Error);
        Assert.Throws<ArgumentException>(() => files.WriteFile("a/../b", ""));
    }

    [Fact]
    public void NothingGoesFromOneFileSystemToAnother()
    {
        var options = WasiGuest.Quiet with { FileSystems = [new WasiMount(new MemoryFileSystem(), "a"), new WasiMount(new MemoryFileSystem(), "b")] };
        using var folder = new WasiFolder(options: options);
        folder.Put("f", "f");
        foreach ((int from, int to) in new[] { (Root, Root + 1), (Root + 1, Root + 2), (Root + 1, Root) })
        {
            Assert.Equal(Errno.Success, folder.Call("path_open", from, 1, "f", (int)OpenFlags.Create, (long)Rights.FdWrite, 0L, 0, Result));
            Assert.Equal(Errno.Xdev, folder.Call("path_rename", from, "f", to, "g"));
            Assert.Equal(Errno.Xdev, folder.Call("path_link", from, 0, "f", to, "g"));
        }
    }

    /// <summary>All that is written counts: files of the host, of memory, streams, and what makes files longer or makes entries.</summary>
    [Fact]
    public void WhatAGuestWritesHasALimit()
    {
        var output = new MemoryStream();
        var options = WasiGuest.Quiet with { Output = output, MaximumWrittenBytes = 20_000, FileSystems = [new WasiMount(new MemoryFileSystem(), "m")] };
        using var folder = new WasiFolder(options: options);
        int file = folder.Open("f", OpenFlags.Create);
        Assert.Equal(Errno.Success, WriteTo(folder.Guest, file, 5000));
        Assert.Equal(Errno.Success, WriteTo(folder.Guest, 1, 2000));
        Assert.Equal(Errno.Nospc, folder.Call("fd_filestat_set_size", file, 100_000L));
        Assert.Equal(Errno.Nospc, folder.Call("fd_allocate", file, 0L, 100_000L));
        Assert.Equal(Errno.Success, folder.Call("path_create_directory", Root, "d"));
        Assert.Equal(Errno.Success, folder.Call("path_symlink", "f", Root + 1, "l"));
        // 20,000 less 4,096 three times, and 7,000.
        Assert.Equal(Errno.Nospc, folder.Call("path_create_directory", Root, "e"));
        Assert.Equal(Errno.Nospc, WriteTo(folder.Guest, 1, 713));
        Assert.Equal(Errno.Success, WriteTo(folder.Guest, file, 712));
        Assert.Equal(Errno.Nospc, WriteTo(folder.Guest, file, 1, 0));
        Assert.Equal(Errno.Success, folder.Call("fd_filestat_set_size", file, 10L));
        Assert.Equal(2000, output.Length);
        Assert.Equal(10, new FileInfo(folder.Host("f")).Length);
    }

    [Fact]
    public void OpenFilesHaveALimit()
    {
        using var folder = new WasiFolder(options: WasiGuest.Quiet with { MaximumDescriptors = 6 });
        folder.Put("f");
        Assert.Equal([4, 5], new[] { folder.Open("f"), folder.Open("f") });
        Assert.Equal(Errno.Mfile, folder.TryOpen("f", out _));
    }
}
