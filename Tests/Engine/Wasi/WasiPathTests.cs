using WasmJit.Wasi;
using Xunit;

namespace WasmJit.Tests;

/// <summary>The path functions of a WASI guest inside its directory; what leads out is in <see cref="WasiEscapeTests"/>.</summary>
public sealed class WasiPathTests
{
    /// <summary>Both ways to files: the system's own calls, and what .NET has everywhere.</summary>
    public static TheoryData<bool> Ways => WasiFileTests.Ways;

    /// <summary>Times in nanoseconds.</summary>
    private const long Accessed = 1_000_000_001_000_000_100, Modified = 1_500_000_002_000_000_200;

    private const int BothTimes = (int)(TimeFlags.Access | TimeFlags.Modification);

    [Theory]
    [MemberData(nameof(Ways))]
    public void DirectoriesAreMadeAndRemoved(bool portable)
    {
        using var files = new WasiFolder(portable);
        files.Do("path_create_directory", WasiFolder.Root, "a");
        files.Do("path_create_directory", WasiFolder.Root, "a/b/");
        Assert.True(Directory.Exists(files.Host("a/b")));
        Assert.Equal(Errno.Exist, files.Call("path_create_directory", WasiFolder.Root, "a"));
        Assert.Equal(Errno.Exist, files.Call("path_create_directory", WasiFolder.Root, "."));
        Assert.Equal(Errno.Noent, files.Call("path_create_directory", WasiFolder.Root, "x/y"));
        files.Put("f");
        Assert.Equal(Errno.Notdir, files.Call("path_create_directory", WasiFolder.Root, "f/y"));
        Assert.Equal(Errno.Notempty, files.Call("path_remove_directory", WasiFolder.Root, "a"));
        Assert.Equal(Errno.Notdir, files.Call("path_remove_directory", WasiFolder.Root, "f"));
        Assert.Equal(Errno.Noent, files.Call("path_remove_directory", WasiFolder.Root, "x"));
        Assert.Equal(Errno.Inval, files.Call("path_remove_directory", WasiFolder.Root, "a/."));
        files.Do("path_remove_directory", WasiFolder.Root, "a/b/");
        files.Do("path_remove_directory", WasiFolder.Root, "./a");
        Assert.False(Directory.Exists(files.Host("a")));
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public void FilesAreUnlinkedAndRenamed(bool portable)
    {
        using var files = new WasiFolder(portable);
        files.Put("a", "A");
        files.Put("d/b", "B");
        int d = files.OpenDirectory("d");
        files.Do("path_rename", WasiFolder.Root, "a", d, "c");
        Assert.Equal("A", File.ReadAllText(files.Host("d/c")));
        files.Do("path_rename", d, "c", d, "b");
        Assert.Equal("A", File.ReadAllText(files.Host("d/b")));
        Assert.Equal(Errno.Noent, files.Call("path_rename", d, "c", d, "e"));
        Assert.Equal(Errno.Notdir, files.Call("path_rename", d, "b", d, "e/"));
        Directory.CreateDirectory(files.Host("other"));
        Assert.Equal(Errno.Isdir, files.Call("path_rename", d, "b", WasiFolder.Root, "other"));
        Assert.Equal(Errno.Busy, files.Call("path_rename", d, ".", WasiFolder.Root, "e"));
        Assert.Equal(Errno.Inval, files.Call("path_rename", WasiFolder.Root, "d", WasiFolder.Root, "d/e"));
        files.Put("e/x");
        Assert.Equal(Errno.Notempty, files.Call("path_rename", WasiFolder.Root, "d", WasiFolder.Root, "e"));
        files.Do("path_unlink_file", WasiFolder.Root, "e/x");
        files.Do("path_rename", WasiFolder.Root, "d/", WasiFolder.Root, "e/");
        Assert.Equal("A", File.ReadAllText(files.Host("e/b")));
        Assert.Equal(Errno.Isdir, files.Call("path_unlink_file", WasiFolder.Root, "e"));
        Assert.Equal(Errno.Isdir, files.Call("path_unlink_file", WasiFolder.Root, "e/"));
        Assert.Equal(Errno.Notdir, files.Call("path_unlink_file", WasiFolder.Root, "e/b/"));
        Assert.Equal(Errno.Noent, files.Call("path_unlink_file", WasiFolder.Root, "e/c"));
        files.Do("path_unlink_file", WasiFolder.Root, "e/b");
        Assert.False(File.Exists(files.Host("e/b")));
    }

    /// <summary>Nothing becomes a part of itself, or takes the place of what it lies in; and what was to be replaced is there afterwards.</summary>
    [Theory]
    [MemberData(nameof(Ways))]
    public void NothingIsRenamedOverWhatIsAboveOrBelowIt(bool portable)
    {
        using var files = new WasiFolder(portable);
        files.Put("d/f", "F");
        files.Put("d/e/g", "G");
        Directory.CreateDirectory(files.Host("d/e/empty"));
        foreach (string path in new[] { "d/f", "d/e", "d/e/g", "d/e/empty" })
            Assert.Equal(Errno.Notempty, files.Call("path_rename", WasiFolder.Root, path, WasiFolder.Root, "d"));
        Assert.Equal(Errno.Notempty, files.Call("path_rename", WasiFolder.Root, "d/e/g", WasiFolder.Root, "d/e"));
        Assert.Equal(Errno.Noent, files.Call("path_rename", WasiFolder.Root, "d/none", WasiFolder.Root, "d"));
        foreach (string path in new[] { "d/e/empty", "d/new", "d/e/new", "d/f" })
            Assert.Equal(Errno.Inval, files.Call("path_rename", WasiFolder.Root, "d", WasiFolder.Root, path));
        Assert.True(Directory.Exists(files.Host("d/e/empty")));
        // Names that begin alike are no directories of one another.
        Directory.CreateDirectory(files.Host("de"));
        files.Do("path_rename", WasiFolder.Root, "d", WasiFolder.Root, "de/d");
        files.Do("path_rename", WasiFolder.Root, "de/d/e", WasiFolder.Root, "d");
        files.Do("path_rename", WasiFolder.Root, "d", WasiFolder.Root, "d");
        Assert.Equal(("F", "G"), (File.ReadAllText(files.Host("de/d/f")), File.ReadAllText(files.Host("d/g"))));
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public void OpeningFollowsItsFlags(bool portable)
    {
        using var files = new WasiFolder(portable);
        Assert.Equal(Errno.Noent, files.TryOpen("a", out _));
        files.Open("a", OpenFlags.Create | OpenFlags.Exclusive);
        Assert.Equal(Errno.Exist, files.TryOpen("a", out _, OpenFlags.Create | OpenFlags.Exclusive));
        files.Open("a", OpenFlags.Create);
        files.Open("r", OpenFlags.Create, Rights.FdRead);
        Assert.True(File.Exists(files.Host("r")));
        Assert.Equal(Errno.Notdir, files.TryOpen("a", out _, OpenFlags.Directory, Rights.FdRead));
        Assert.Equal(Errno.Notdir, files.TryOpen("a/", out _, rights: Rights.FdRead));
        Assert.Equal(Errno.Notdir, files.TryOpen("a/b", out _));
        Assert.Equal(Errno.Isdir, files.TryOpen("n/", out _, OpenFlags.Create));
        Assert.Equal(Errno.Noent, files.TryOpen("", out _));
        Assert.Equal(Errno.Isdir, files.TryOpen(".", out _));
        Assert.Equal(Errno.Isdir, files.TryOpen(".", out _, OpenFlags.Directory));
        Assert.Equal(Errno.Inval, files.TryOpen("n", out _, OpenFlags.Create | OpenFlags.Directory, Rights.FdRead));
        Assert.Equal(Errno.Inval, files.TryOpen("a", out _, (OpenFlags)16));
        Assert.Equal(Errno.Inval, files.TryOpen("a", out _, fdFlags: (FdFlags)32));
        Assert.Equal(Errno.Notdir, files.TryOpen("a", out _, from: 1));
        Assert.Equal(Errno.Badf, files.TryOpen("a", out _, from: 99));
        files.Do("fd_fdstat_get", files.Open(".", rights: Rights.FdRead), WasiFolder.Result);
        Assert.Equal((byte)FileType.Directory, files.Memory.Read<byte>(WasiFolder.Result));
        // A result that cannot be written: nothing is made and nothing stays open.
        Assert.Equal(Errno.Fault, files.Call("path_open", WasiFolder.Root, 0, "new", 1, -1L, -1L, 0, 65_533));
        Assert.False(File.Exists(files.Host("new")));
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public void LinksAreReadAndFollowedInside(bool portable)
    {
        using var files = new WasiFolder(portable);
        files.Put("d/e/f", "content");
        files.Do("path_symlink", "d/e", WasiFolder.Root, "l");
        files.Do("path_symlink", "../../l/f", WasiFolder.Root, "d/e/up");
        files.Do("path_readlink", WasiFolder.Root, "d/e/up", WasiFolder.Data, 100, WasiFolder.Result);
        Assert.Equal("../../l/f", files.Memory.ReadString(WasiFolder.Data, files.Memory.Read<int>(WasiFolder.Result)));
        files.Do("path_readlink", WasiFolder.Root, "l", WasiFolder.Data, 2, WasiFolder.Result);
        Assert.Equal(2, files.Memory.Read<int>(WasiFolder.Result));
        Assert.Equal("content", files.Read(files.Open("d/e/up")));
        Assert.Equal("content", files.Read(files.Open("l/../e/./f")));
        Assert.Equal(Errno.Loop, files.TryOpen("d/e/up", out _, follow: false));
        Assert.Equal(FileType.SymbolicLink, files.Status("l").Type);
        Assert.Equal(3UL, files.Status("l").Size);
        Assert.Equal(FileType.Directory, files.Status("l", follow: true).Type);
        Assert.Equal(FileType.Directory, files.Status("l/").Type);
        Assert.Equal(Errno.Inval, files.Call("path_filestat_get", WasiFolder.Root, 2, "l", WasiFolder.Result));
        Assert.Equal(Errno.Fault, files.Call("path_filestat_get", WasiFolder.Root, 0, "l", 65_473));
        Assert.Equal(Errno.Inval, files.Call("path_readlink", WasiFolder.Root, "d", WasiFolder.Data, 2, WasiFolder.Result));
        Assert.Equal(Errno.Noent, files.Call("path_readlink", WasiFolder.Root, "x", WasiFolder.Data, 2, WasiFolder.Result));
        Assert.Equal(Errno.Exist, files.Call("path_symlink", "d", WasiFolder.Root, "l"));
        Assert.Equal(Errno.Exist, files.Call("path_symlink", "d", WasiFolder.Root, "d/"));
        Assert.Equal(Errno.Noent, files.Call("path_symlink", "d", WasiFolder.Root, "new/"));
        Assert.Equal(Errno.Noent, files.Call("path_symlink", "", WasiFolder.Root, "new"));
        // The link itself goes, not what it means, also with a slash at the end.
        Assert.Equal(Errno.Notdir, files.Call("path_remove_directory", WasiFolder.Root, "l/"));
        files.Do("path_unlink_file", WasiFolder.Root, "l");
        Assert.True(File.Exists(files.Host("d/e/f")));
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public void CreatingThroughLinks(bool portable)
    {
        using var files = new WasiFolder(portable);
        Directory.CreateDirectory(files.Host("d"));
        files.Do("path_symlink", "d/new", WasiFolder.Root, "l");
        Assert.Equal(Errno.Noent, files.TryOpen("l", out _));
        Assert.Equal(Errno.Exist, files.TryOpen("l", out _, OpenFlags.Create | OpenFlags.Exclusive));
        files.Write(files.Open("l", OpenFlags.Create), "made");
        Assert.Equal("made", File.ReadAllText(files.Host("d/new")));
        Assert.Equal(Errno.Exist, files.Call("path_create_directory", WasiFolder.Root, "l"));
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public void LoopsOfLinksEnd(bool portable)
    {
        using var files = new WasiFolder(portable);
        files.Do("path_symlink", "b", WasiFolder.Root, "a");
        files.Do("path_symlink", "a", WasiFolder.Root, "b");
        Assert.Equal(Errno.Loop, files.TryOpen("a", out _));
        Assert.Equal(Errno.Loop, files.TryOpen("a/x", out _));
        files.Put("end", "end");
        for (int i = 0; i < 50; i++) files.Do("path_symlink", i == 0 ? "end" : $"chain{i - 1}", WasiFolder.Root, $"chain{i}");
        Assert.Equal("end", files.Read(files.Open("chain39")));
        Assert.Equal(Errno.Loop, files.TryOpen("chain40", out _));
        // Links that multiply: 2 to the 20th components if all were followed.
        Directory.CreateDirectory(files.Host("m0"));
        for (int i = 1; i <= 20; i++) files.Do("path_symlink", $"m{i - 1}/../m{i - 1}", WasiFolder.Root, $"m{i}");
        Assert.Equal(Errno.Loop, files.TryOpen("m20/", out _, OpenFlags.Directory, Rights.FdReaddir));
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public void PathsThatAreNone(bool portable)
    {
        using var files = new WasiFolder(portable);
        files.Put("a");
        Assert.Equal(Errno.Noent, files.Call("path_unlink_file", WasiFolder.Root, ""));
        Assert.Equal(Errno.Inval, files.Call("path_unlink_file", WasiFolder.Root, "a\0"));
        // Such a name only Linux can have; there it is one like any other.
        Assert.Equal(portable || !OperatingSystem.IsLinux() ? Errno.Ilseq : Errno.Noent, files.Call("path_unlink_file", WasiFolder.Root, new byte[] { (byte)'a', 0xff }));
        Assert.Equal(Errno.Nametoolong, files.Call("path_unlink_file", WasiFolder.Root, new string('x', 256)));
        Assert.Equal(Errno.Nametoolong, files.Call("path_unlink_file", WasiFolder.Root, new string('/', 4097)));
        Assert.Equal(Errno.Fault, files.Call("path_unlink_file", WasiFolder.Root, 65_530, 7));
        Assert.Equal(Errno.Fault, files.Call("path_unlink_file", WasiFolder.Root, -1, -1));
        Assert.Equal(Errno.Notcapable, files.Call("path_unlink_file", WasiFolder.Root, "./../.."));
        string deep = string.Concat(Enumerable.Repeat("d/", 300));
        Directory.CreateDirectory(files.Host(deep));
        Assert.Equal(Errno.Nametoolong, files.TryOpen(deep, out _, OpenFlags.Directory, Rights.FdReaddir));
        int half = files.OpenDirectory(deep[..400]);
        files.OpenDirectory(deep[400..], half);
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public void TimesOfPaths(bool portable)
    {
        using var files = new WasiFolder(portable);
        files.Put("a", "x");
        files.Do("path_filestat_set_times", WasiFolder.Root, 0, "a", Accessed, Modified, BothTimes);
        FileStatus status = files.Status("a");
        Assert.Equal(((ulong)Accessed, (ulong)Modified), (status.Accessed, status.Modified));
        Assert.Equal(Errno.Inval, files.Call("path_filestat_set_times", WasiFolder.Root, 0, "a", 0L, 0L, 3));
        Assert.Equal(Errno.Inval, files.Call("path_filestat_set_times", WasiFolder.Root, 2, "a", 0L, 0L, 1));
        Assert.Equal(Errno.Noent, files.Call("path_filestat_set_times", WasiFolder.Root, 0, "x", 0L, 0L, 1));
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public void TimesOfLinks(bool portable)
    {
        using var files = new WasiFolder(portable);
        files.Put("a", "x");
        files.Do("path_symlink", "a", WasiFolder.Root, "l");
        files.Do("path_filestat_set_times", WasiFolder.Root, 1, "l", Accessed, Modified, BothTimes);
        FileStatus status = files.Status("a");
        Assert.Equal(((ulong)Accessed, (ulong)Modified), (status.Accessed, status.Modified));
        Assert.NotEqual((ulong)Modified, files.Status("l").Modified);
        files.Do("path_filestat_set_times", WasiFolder.Root, 0, "l", Accessed, Modified, BothTimes);
        Assert.Equal((ulong)Modified, files.Status("l").Modified);
    }

    [Fact]
    public void HardLinksAreTheSameFile()
    {
        using var files = new WasiFolder();
        files.Put("a", "data");
        Directory.CreateDirectory(files.Host("d"));
        int d = files.OpenDirectory("d");
        files.Do("path_link", WasiFolder.Root, 0, "a", d, "b");
        files.Write(files.Open("d/b"), "DA");
        Assert.Equal("DAta", files.Read("a"));
        Assert.Equal(files.Status("a").Inode, files.Status("d/b").Inode);
        Assert.Equal(2UL, files.Status("a").Links);
        Assert.Equal(Errno.Exist, files.Call("path_link", WasiFolder.Root, 0, "a", d, "b"));
        Assert.Equal(Errno.Perm, files.Call("path_link", WasiFolder.Root, 0, "d", d, "c"));
        Assert.Equal(Errno.Noent, files.Call("path_link", WasiFolder.Root, 0, "a", d, "c/"));
    }

    [Fact]
    public void HardLinksToLinks()
    {
        using var files = new WasiFolder();
        files.Put("a", "data");
        files.Do("path_symlink", "a", WasiFolder.Root, "l");
        files.Do("path_link", WasiFolder.Root, 1, "l", WasiFolder.Root, "followed");
        files.Do("path_link", WasiFolder.Root, 0, "l", WasiFolder.Root, "itself");
        Assert.Equal(FileType.RegularFile, files.Status("followed").Type);
        Assert.Equal(FileType.SymbolicLink, files.Status("itself").Type);
    }

    [Fact]
    public void PortableFilesHaveNoHardLinks()
    {
        using var files = new WasiFolder(portable: true);
        files.Put("a");
        Assert.Equal(Errno.Notsup, files.Call("path_link", WasiFolder.Root, 0, "a", WasiFolder.Root, "b"));
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public void ReadOnlyDirectoriesCannotBeChanged(bool portable)
    {
        using var files = new WasiFolder(portable, readOnly: true);
        files.Put("d/a", "data");
        Assert.Equal("data", files.Read(files.Open("d/a", OpenFlags.Create, Rights.FdRead)));
        Assert.Equal("data", files.Read(files.Open("a", rights: Rights.FdRead, from: files.OpenDirectory("d"))));
        Assert.Equal(Errno.Rofs, files.TryOpen("d/a", out _));
        Assert.Equal(Errno.Rofs, files.TryOpen("d/a", out _, OpenFlags.Truncate, Rights.FdRead));
        Assert.Equal(Errno.Rofs, files.TryOpen("new", out _, OpenFlags.Create, Rights.FdRead));
        Assert.Equal(Errno.Rofs, files.TryOpen("a", out _, from: files.OpenDirectory("d")));
        Assert.Equal(Errno.Rofs, files.Call("path_unlink_file", WasiFolder.Root, "d/a"));
        Assert.Equal(Errno.Rofs, files.Call("path_remove_directory", WasiFolder.Root, "d"));
        Assert.Equal(Errno.Rofs, files.Call("path_create_directory", WasiFolder.Root, "e"));
        Assert.Equal(Errno.Exist, files.Call("path_create_directory", WasiFolder.Root, "d"));
        Assert.Equal(Errno.Rofs, files.Call("path_rename", WasiFolder.Root, "d", WasiFolder.Root, "e"));
        Assert.Equal(Errno.Rofs, files.Call("path_link", WasiFolder.Root, 0, "d/a", WasiFolder.Root, "e"));
        Assert.Equal(Errno.Rofs, files.Call("path_symlink", "d", WasiFolder.Root, "e"));
        Assert.Equal(Errno.Rofs, files.Call("path_filestat_set_times", WasiFolder.Root, 0, "d", 0L, 0L, 1));
        Assert.Equal(Errno.Rofs, files.Call("fd_filestat_set_times", WasiFolder.Root, 0L, 0L, 1));
        Assert.Equal(Errno.Rofs, files.Call("fd_filestat_set_times", files.Open("d/a", rights: Rights.FdFilestatSetTimes), 0L, 0L, 1));
        Assert.Equal("data", File.ReadAllText(files.Host("d/a")));
        Assert.Single(Directory.GetFileSystemEntries(files.Inside));
    }
}
