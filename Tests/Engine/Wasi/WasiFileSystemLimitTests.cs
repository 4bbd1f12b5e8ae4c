using System.Formats.Tar;
using System.IO.Compression;
using WasmJit.Wasi;
using Xunit;

namespace WasmJit.Tests;

/// <summary>What hostile guests and archives can make of file systems, and what that costs the host.</summary>
public sealed class WasiFileSystemLimitTests
{
    private const int Root = WasiFolder.Root, Result = WasiFolder.Result;

    private static WasiGuest Guest(IWasiFileSystem system) => new(WasiGuest.Quiet with { FileSystems = [new WasiMount(system, "/")] });

    private static int Open(WasiGuest guest, string path, OpenFlags flags = 0, Rights rights = Rights.File, int from = Root)
    {
        Assert.Equal(Errno.Success, guest.Invoke("path_open", from, 1, path, (int)flags, (long)rights, (long)Rights.All, 0, Result));
        return guest.Memory.Read<int>(Result);
    }

    /// <summary>A guest looks at a thousand files and directories of the host: a hundred are open at most, on whatever way it came to them.</summary>
    [LinuxFact]
    public async Task FilesBelowAreNotAllOpen()
    {
        const int count = 250;
        DirectoryInfo below = Directory.CreateTempSubdirectory("wasmjit-below");
        try
        {
            for (int i = 0; i < count; i++)
            {
                Directory.CreateDirectory(Path.Combine(below.FullName, $"d{i}/e"));
                File.WriteAllText(Path.Combine(below.FullName, $"d{i}/e/f"), $"{i}");
            }
            int Used() => Directory.GetFiles("/proc/self/fd").Count(fd => Target(fd).StartsWith(below.FullName, StringComparison.Ordinal));
            var host = new HostFileSystem(below.FullName);
            var overlay = new OverlayFileSystem(host);
            Assert.Equal(count, overlay.ListFiles().Count);
            for (int i = 0; i < count; i++) Assert.Equal($"{i}", overlay.ReadText($"d{i}/e/f"));
            Assert.InRange(Used(), 1, 101);
            // Several threads, each of which uses what another may have to be closed for.
            Task[] readers = [.. Enumerable.Range(0, 4).Select(thread => Task.Run(() =>
            {
                for (int i = 0; i < count; i++)
                {
                    int number = (i * 7 + thread * 31) % count;
                    byte[] bytes = new byte[10];
                    var file = (IWasiFile)((IWasiDirectory)((IWasiDirectory)host.Root.Find($"d{number}")!).Find("e")!).Find("f")!;
                    Assert.Equal($"{number}", System.Text.Encoding.UTF8.GetString(bytes, 0, file.Read(0, bytes)));
                }
            }))];
            await Task.WhenAll(readers).WaitAsync(Eventually.Patience);
            Assert.InRange(Used(), 1, 101);
            host.Dispose();
            Assert.Equal(0, Used());
            Assert.Throws<ObjectDisposedException>(() => host.Root.Find("d0"));
        }
        finally
        {
            below.Delete(recursive: true);
        }
    }

    /// <summary>Older C libraries have no function for the call that tells what a file is; the kernel has it.</summary>
    [LinuxFact]
    public void TheKernelTellsWhatTheLibraryDoes()
    {
        if (!LinuxCalls.IsSupported) return;
        using var folder = new WasiFolder();
        folder.Put("f", "12345");
        FileStatus Status(string name)
        {
            using DirectoryHandle handle = DirectoryHandle.OpenHost(folder.Inside);
            return name.Length == 0 ? handle.Status() : handle.Status(name);
        }

        FileStatus[] expected = [Status("f"), Status("")];
        try
        {
            // Other tests may come here meanwhile, and see no difference.
            LinuxCalls.HasNoStatX = true;
            Assert.Equal(expected, new[] { Status("f"), Status("") });
            Assert.Equal(Errno.Noent, Assert.Throws<WasiError>(() => Status("none")).Errno);
        }
        finally
        {
            LinuxCalls.HasNoStatX = false;
        }
    }

    private static string Target(string descriptor)
    {
        try
        {
            return new FileInfo(descriptor).LinkTarget ?? "";
        }
        catch (IOException)
        {
            // Another test has closed it meanwhile.
            return "";
        }
    }

    /// <summary>A file may be longer than all that there may be in memory. The host is told, and does not take as much for it.</summary>
    [Fact]
    public void AFileOfHolesIsTooLargeToRead()
    {
        var files = new MemoryFileSystem { MaximumBytes = 1 << 20 };
        WasiGuest guest = Guest(files);
        int fd = Open(guest, "f", OpenFlags.Create);
        foreach (long size in new[] { (1L << 20) + 1, 1L << 40, long.MaxValue })
        {
            Assert.Equal(Errno.Success, guest.Invoke("fd_filestat_set_size", fd, size));
            Assert.Equal(WasiFileError.TooLarge, Assert.Throws<WasiFileException>(() => files.ReadFile("f")).Error);
            Assert.Equal(WasiFileError.TooLarge, Assert.Throws<WasiFileException>(() => files.ReadText("f")).Error);
        }
        Assert.Equal(Errno.Success, guest.Invoke("fd_filestat_set_size", fd, 1L << 20));
        Assert.Equal(1 << 20, files.ReadFile("f").Length);
    }

    [Fact]
    public void TextsOfLinksCount()
    {
        var files = new MemoryFileSystem { MaximumBytes = 1 << 20 };
        WasiGuest guest = Guest(files);
        string text = new('x', 4000);
        int made = 0;
        while (guest.Invoke("path_symlink", text, Root, $"l{made}") == Errno.Success) made++;
        Assert.InRange(made, 200, (1 << 20) / 4000);
        for (int i = 0; i < made; i++) Assert.Equal(Errno.Success, guest.Invoke("path_unlink_file", Root, $"l{i}"));
        Assert.Equal(0, files.UsedBytes);
    }

    /// <summary>Relative to one that is open a guest makes directories as deep as it likes; what the host is told of them stays small.</summary>
    [Fact]
    public void DirectoriesWithoutEndAreNotListed()
    {
        var files = new MemoryFileSystem();
        WasiGuest guest = Guest(files);
        int at = Root;
        for (int depth = 1; depth <= 3000; depth++)
        {
            Assert.Equal(Errno.Success, guest.Invoke("path_create_directory", at, "d"));
            int next = Open(guest, "d", OpenFlags.Directory, Rights.Directory, at);
            if (at != Root) Assert.Equal(Errno.Success, guest.Invoke("fd_close", at));
            at = next;
            if (depth is 10 or 2047 or 2048 or 3000) Open(guest, "f", OpenFlags.Create, from: at);
        }
        Assert.Equal([22, 4096], files.ListFiles().Select(path => path.Length).Order());
    }

    /// <summary>"Now" is the time of the files, so that a run with a clock of its own is the same each time.</summary>
    [Fact]
    public void NowIsTheTimeOfTheFiles()
    {
        ulong[] Times()
        {
            var time = new VirtualTime(new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero));
            var files = new MemoryFileSystem(time);
            WasiGuest guest = new(WasiGuest.Quiet with { Time = time, FileSystems = [new WasiMount(files, "/")] });
            int fd = Open(guest, "f", OpenFlags.Create);
            Assert.Equal(Errno.Success, guest.Invoke("fd_filestat_set_times", fd, 0L, 0L, (int)(TimeFlags.AccessNow | TimeFlags.ModificationNow)));
            Assert.Equal(Errno.Success, guest.Invoke("path_create_directory", Root, "d"));
            Assert.Equal(Errno.Success, guest.Invoke("path_filestat_set_times", Root, 1, "d", 0L, 0L, (int)TimeFlags.ModificationNow));
            return [.. new[] { "f", "d" }.Select(name =>
            {
                Assert.Equal(Errno.Success, guest.Invoke("path_filestat_get", Root, 1, name, Result));
                return guest.Memory.Read<ulong>(Result + 48);
            })];
        }

        ulong[] first = Times();
        Assert.Equal(first, Times());
        Assert.All(first, time => Assert.InRange(time, 1767323045_000_000_000UL, 1767323046_000_000_000UL));
    }

    private static MemoryStream Tar(params TarEntry[] entries)
    {
        var stream = new MemoryStream();
        using (var writer = new TarWriter(stream, leaveOpen: true))
            foreach (TarEntry entry in entries) writer.WriteEntry(entry);
        stream.Position = 0;
        return stream;
    }

    private static PaxTarEntry FileEntry(string name, string content) => new(TarEntryType.RegularFile, name) { DataStream = new MemoryStream(System.Text.Encoding.UTF8.GetBytes(content)) };

    /// <summary>A directory with a second name, in itself, would have no end; a link's text could be of any length.</summary>
    [Fact]
    public void ArchivesThatTrickAreRefused()
    {
        foreach (string target in new[] { "d", ".", "", "none" })
        {
            using MemoryStream archive = Tar(new PaxTarEntry(TarEntryType.Directory, "d"), new PaxTarEntry(TarEntryType.HardLink, "d/again") { LinkName = target.Length == 0 ? "/" : target });
            Assert.Throws<InvalidDataException>(() => ArchiveFileSystem.Open(archive));
        }
        using MemoryStream itself = Tar(FileEntry("f", "content"), new PaxTarEntry(TarEntryType.HardLink, "f") { LinkName = "f" });
        Assert.Equal("content"u8.ToArray(), Content(ArchiveFileSystem.Open(itself), "f"));
        foreach (int length in new[] { 0, 4097, 1 << 20 })
        {
            using var zipped = new MemoryStream();
            using (var zip = new ZipArchive(zipped, ZipArchiveMode.Create, leaveOpen: true))
            {
                ZipArchiveEntry link = zip.CreateEntry("link");
                link.ExternalAttributes = 0xa1ff << 16;
                using Stream text = link.Open();
                text.Write(new byte[length]);
            }
            zipped.Position = 0;
            Assert.Throws<InvalidDataException>(() => ArchiveFileSystem.Open(zipped));
        }
    }

    private static byte[] Content(ArchiveFileSystem archive, string name)
    {
        var file = (IWasiFile)archive.Root.Find(name)!;
        byte[] bytes = new byte[file.Length];
        file.Read(0, bytes);
        return bytes;
    }
}
