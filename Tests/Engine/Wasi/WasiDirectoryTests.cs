using System.Text;
using WasmJit.Wasi;
using Xunit;

namespace WasmJit.Tests;

/// <summary>Reading directories, and what a guest is told of those it was given.</summary>
public sealed class WasiDirectoryTests
{
    /// <summary>Both ways to files: the system's own calls, and what .NET has everywhere.</summary>
    public static TheoryData<bool> Ways => WasiFileTests.Ways;

    [Theory]
    [MemberData(nameof(Ways))]
    public void EntriesComeOnceEachHoweverSmallTheBuffer(bool portable)
    {
        using var files = new WasiFolder(portable);
        for (int i = 0; i < 30; i++) files.Put($"file{new string('x', i)}");
        Directory.CreateDirectory(files.Host("folder"));
        string[] expected = [".", "..", .. Directory.GetFileSystemEntries(files.Inside).Select(e => Path.GetFileName(e)!)];
        foreach (int size in new[] { 24 + 34, 100, 1000, 20_000 })
        {
            List<Entry> entries = List(files, WasiFolder.Root, size);
            Assert.Equal(expected.Order(StringComparer.Ordinal), entries.Select(e => e.Name).Order(StringComparer.Ordinal));
        }
        List<Entry> all = List(files, WasiFolder.Root, 20_000);
        Assert.Equal(FileType.Directory, all.Single(e => e.Name == "folder").Type);
        Assert.Equal(FileType.RegularFile, all.Single(e => e.Name == "file").Type);
        foreach (Entry entry in all.Where(e => e.Name != ".."))
            Assert.Equal(files.Status(entry.Name).Inode, entry.Inode);
        // What is above the given directory is not the guest's to know.
        Assert.Equal(files.Status(WasiFolder.Root).Inode, all.Single(e => e.Name == "..").Inode);
        Assert.Equal(files.Status(".").Inode, List(files, files.OpenDirectory("folder"), 1000).Single(e => e.Name == "..").Inode);
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public void LinksAreListed(bool portable)
    {
        using var files = new WasiFolder(portable);
        Directory.CreateDirectory(files.Host("folder"));
        File.CreateSymbolicLink(files.Host("link"), "folder");
        Entry entry = List(files, WasiFolder.Root, 1000).Single(e => e.Name == "link");
        Assert.Equal((FileType.SymbolicLink, files.Status("link").Inode), (entry.Type, entry.Inode));
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public void CookiesStayWhileTheDirectoryChanges(bool portable)
    {
        using var files = new WasiFolder(portable);
        for (int i = 0; i < 10; i++) files.Put($"f{i}");
        List<Entry> before = List(files, WasiFolder.Root, 20_000);
        // As a program does that deletes what it has read: nothing is skipped, nothing comes twice.
        var seen = new List<string>();
        ulong cookie = 0;
        while (Next(files, WasiFolder.Root, 24 + 10, cookie) is { Count: > 0 } entries)
        {
            Entry entry = entries[0];
            seen.Add(entry.Name);
            cookie = entry.Next;
            if (entry.Name is "." or "..") continue;
            files.Do("path_unlink_file", WasiFolder.Root, entry.Name);
            files.Put($"new-{entry.Name}");
        }
        Assert.Equal(before.Select(e => e.Name), seen);
        Assert.Equal(before[5].Name, Next(files, WasiFolder.Root, 1000, before[4].Next)[0].Name);
        // Beginning anew shows what there is now.
        Assert.Equal(10, List(files, WasiFolder.Root, 20_000).Count(e => e.Name.StartsWith("new-", StringComparison.Ordinal)));
        Assert.Empty(Next(files, WasiFolder.Root, 1000, ulong.MaxValue));
    }

    [Fact]
    public void BuffersAreFilledToTheLastByte()
    {
        using var files = new WasiFolder();
        files.Put("name");
        files.Do("fd_readdir", WasiFolder.Root, WasiFolder.Data, 30, 0L, WasiFolder.Result);
        Assert.Equal(30, files.Memory.Read<int>(WasiFolder.Result));
        files.Do("fd_readdir", WasiFolder.Root, WasiFolder.Data, 0, 0L, WasiFolder.Result);
        Assert.Equal(0, files.Memory.Read<int>(WasiFolder.Result));
        Assert.Equal(Errno.Fault, files.Call("fd_readdir", WasiFolder.Root, 65_000, 1000, 0L, WasiFolder.Result));
        Assert.Equal(Errno.Notdir, files.Call("fd_readdir", files.Open("name"), WasiFolder.Data, 100, 0L, WasiFolder.Result));
        Assert.Equal(Errno.Notcapable, files.Call(
            "fd_readdir", files.Open(".", OpenFlags.Directory, Rights.PathOpen), WasiFolder.Data, 100, 0L, WasiFolder.Result));
    }

    [Fact]
    public void GivenDirectoriesAreToldInOrder()
    {
        using var files = new WasiFolder();
        var guest = new WasiGuest(new WasiOptions
        {
            Input = Stream.Null,
            Output = Stream.Null,
            Error = Stream.Null,
            Directories = [new(files.Inside, "/"), new(files.Inside, "größer", ReadOnly: true)],
        });
        foreach ((int fd, string name) in new[] { (3, "/"), (4, "größer") })
        {
            int length = Encoding.UTF8.GetByteCount(name);
            Assert.Equal(Errno.Success, guest.Invoke("fd_prestat_get", fd, 0));
            Assert.Equal((0, length), (guest.Memory.Read<byte>(0), guest.Memory.Read<int>(4)));
            Assert.Equal(Errno.Success, guest.Invoke("fd_prestat_dir_name", fd, 16, length + 1));
            Assert.Equal(name, guest.Memory.ReadString(16, length));
            Assert.Equal(Errno.Nametoolong, guest.Invoke("fd_prestat_dir_name", fd, 16, length - 1));
            Assert.Equal(Errno.Fault, guest.Invoke("fd_prestat_dir_name", fd, 65_536, 100));
        }
        Assert.Equal(Errno.Badf, guest.Invoke("fd_prestat_get", 5, 0));
        Assert.Equal(Errno.Badf, guest.Invoke("fd_prestat_get", 0, 0));
        Assert.Equal(Errno.Success, guest.Invoke("fd_fdstat_get", 3, 0));
        Assert.Equal((byte)FileType.Directory, guest.Memory.Read<byte>(0));
        Assert.Equal(Rights.Directory, (Rights)guest.Memory.Read<long>(8));
        Assert.Equal(Rights.All, (Rights)guest.Memory.Read<long>(16));
        // A directory that the guest opened itself is not told.
        Assert.Equal(Errno.Badf, files.Call("fd_prestat_get", files.OpenDirectory("."), 0));
    }

    [Fact]
    public void DirectoriesThatAreNoneAreRefusedAtOnce()
    {
        using var files = new WasiFolder();
        string file = files.Host(files.Put("a"));
        foreach (string path in new[] { file, files.Host("nothing") })
            Assert.Throws<DirectoryNotFoundException>(() => new WasiHost(new WasiOptions { Directories = [new(path, "/")] }));
    }

    private static List<Entry> List(WasiFolder files, int fd, int size)
    {
        var all = new List<Entry>();
        while (Next(files, fd, size, all.Count == 0 ? 0 : all[^1].Next) is { Count: > 0 } more) all.AddRange(more);
        return all;
    }

    /// <summary>The entries that fit into a buffer wholly.</summary>
    private static List<Entry> Next(WasiFolder files, int fd, int size, ulong cookie)
    {
        files.Do("fd_readdir", fd, WasiFolder.Data, size, (long)cookie, WasiFolder.Result);
        int used = files.Memory.Read<int>(WasiFolder.Result);
        Assert.InRange(used, 0, size);
        var entries = new List<Entry>();
        for (int at = 0; at + 24 <= used;)
        {
            ulong entry = (ulong)(WasiFolder.Data + at);
            int length = files.Memory.Read<int>(entry + 16);
            at += 24 + length;
            if (at > used) break;
            entries.Add(new Entry(
                files.Memory.ReadString(entry + 24, length), files.Memory.Read<ulong>(entry), files.Memory.Read<ulong>(entry + 8),
                (FileType)files.Memory.Read<byte>(entry + 20)));
        }
        return entries;
    }

    private sealed record Entry(string Name, ulong Next, ulong Inode, FileType Type);
}
