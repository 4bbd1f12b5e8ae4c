using WasmJit.Wasi;
using Xunit;

namespace WasmJit.Tests;

/// <summary>Open files of a WASI guest: data, positions, sizes, times, flags, rights.</summary>
public sealed class WasiFileTests
{
    /// <summary>Both ways to files: the system's own calls, and what .NET has everywhere.</summary>
    public static TheoryData<bool> Ways => [false, true];

    [Theory]
    [MemberData(nameof(Ways))]
    public void FilesAreReadAndWritten(bool portable)
    {
        using var files = new WasiFolder(portable);
        int fd = files.Open("a.txt", OpenFlags.Create);
        files.Write(fd, "hello world");
        Assert.Equal("hello world", files.Read("a.txt"));
        Assert.Equal("", files.Read(fd));
        Assert.Equal(6, files.Seek(fd, 6, Whence.Set));
        Assert.Equal("wor", files.Read(fd, 3));
        Assert.Equal("ld", files.Read(fd));
        Assert.Equal("ello", files.Read(fd, 4, at: 1));
        files.Write(fd, "XY", at: 3);
        Assert.Equal("helXY world", files.Read("a.txt"));
        files.Do("fd_tell", fd, WasiFolder.Result);
        Assert.Equal(11, files.Memory.Read<long>(WasiFolder.Result));
        files.Do("fd_close", fd);
        Assert.Equal(Errno.Badf, files.Call("fd_close", fd));
        Assert.Equal(Errno.Badf, files.Call("fd_tell", fd, WasiFolder.Result));
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public void SeekGoesAnywhereButBeforeTheBeginning(bool portable)
    {
        using var files = new WasiFolder(portable);
        int fd = files.Open(files.Put("a", "0123456789"));
        Assert.Equal(10, files.Seek(fd, 0, Whence.End));
        Assert.Equal(7, files.Seek(fd, -3, Whence.Current));
        Assert.Equal(8, files.Seek(fd, -2, Whence.End));
        Assert.Equal(100, files.Seek(fd, 100, Whence.Set));
        Assert.Equal("", files.Read(fd));
        files.Write(fd, "x");
        Assert.Equal(101, new FileInfo(files.Host("a")).Length);
        Assert.Equal(Errno.Inval, files.Call("fd_seek", fd, -1L, (int)Whence.Set, WasiFolder.Result));
        Assert.Equal(Errno.Inval, files.Call("fd_seek", fd, -102L, (int)Whence.Current, WasiFolder.Result));
        Assert.Equal(Errno.Overflow, files.Call("fd_seek", fd, long.MaxValue, (int)Whence.Current, WasiFolder.Result));
        Assert.Equal(Errno.Inval, files.Call("fd_seek", fd, 0L, 3, WasiFolder.Result));
        Assert.Equal(Errno.Inval, files.Call("fd_pread", fd, WasiFolder.List, 1, -1L, WasiFolder.Result));
        Assert.Equal(long.MaxValue, files.Seek(fd, long.MaxValue, Whence.Set));
        Assert.Equal("", files.Read(fd));
        files.Guest.WriteList(WasiFolder.List, (WasiFolder.Data, 10));
        Assert.Equal(Errno.Fbig, files.Call("fd_write", fd, WasiFolder.List, 1, WasiFolder.Result));
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public void AppendedWritesGoToTheEnd(bool portable)
    {
        using var files = new WasiFolder(portable);
        int fd = files.Open(files.Put("log", "one "), fdFlags: FdFlags.Append);
        files.Do("fd_fdstat_get", fd, WasiFolder.Result);
        Assert.Equal((ushort)FdFlags.Append, files.Memory.Read<ushort>(WasiFolder.Result + 2));
        files.Write(fd, "two ");
        files.Append("log", "three ");
        files.Write(fd, "four");
        Assert.Equal("one two three four", files.Read("log"));
        files.Do("fd_fdstat_set_flags", fd, 0);
        Assert.Equal(0, files.Seek(fd, 0, Whence.Set));
        files.Write(fd, "ONE");
        Assert.Equal("ONE two three four", files.Read("log"));
        files.Do("fd_fdstat_set_flags", fd, (int)(FdFlags.Append | FdFlags.Sync));
        files.Write(fd, ".");
        Assert.Equal("ONE two three four.", files.Read("log"));
        Assert.Equal(Errno.Inval, files.Call("fd_fdstat_set_flags", fd, 32));
    }

    /// <summary>What .NET has another exception for.</summary>
    [Fact]
    public void FilesThatNoSystemHasAreTooLarge()
    {
        using var files = new WasiFolder();
        int fd = files.Open(files.Put("a"));
        files.Guest.WriteList(WasiFolder.List, (WasiFolder.Data, 4));
        // Some file systems have room for names of sizes, though not for what would be in them.
        Assert.Contains(files.Call("fd_filestat_set_size", fd, long.MaxValue), new[] { Errno.Fbig, Errno.Success });
        Assert.Contains(files.Call("fd_pwrite", fd, WasiFolder.List, 1, long.MaxValue - 10, WasiFolder.Result), new[] { Errno.Fbig, Errno.Success });
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public void SizesAreSetAndRoomIsMade(bool portable)
    {
        using var files = new WasiFolder(portable);
        int fd = files.Open(files.Put("a", "0123456789"));
        files.Do("fd_filestat_set_size", fd, 4L);
        Assert.Equal("0123", files.Read("a"));
        files.Do("fd_filestat_set_size", fd, 6L);
        Assert.Equal("0123\0\0", files.Read("a"));
        Assert.Equal(6UL, files.Status(fd).Size);
        Assert.Equal(Errno.Inval, files.Call("fd_filestat_set_size", fd, -1L));
        files.Do("fd_allocate", fd, 4L, 10L);
        Assert.Equal(14UL, files.Status(fd).Size);
        files.Do("fd_allocate", fd, 0L, 1L);
        Assert.Equal(14UL, files.Status(fd).Size);
        Assert.Equal(Errno.Inval, files.Call("fd_allocate", fd, 0L, 0L));
        Assert.Equal(Errno.Inval, files.Call("fd_allocate", fd, -1L, 1L));
        Assert.Equal(Errno.Fbig, files.Call("fd_allocate", fd, long.MaxValue, 1L));
        files.Open("a", OpenFlags.Truncate);
        Assert.Equal(0UL, files.Status(fd).Size);
        Assert.Equal("", files.Read(fd));
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public void AdviceIsTakenAndChecked(bool portable)
    {
        using var files = new WasiFolder(portable);
        int fd = files.Open(files.Put("a", "0123456789"));
        for (int advice = 0; advice <= 5; advice++) files.Do("fd_advise", fd, 0L, 10L, advice);
        Assert.Equal(Errno.Inval, files.Call("fd_advise", fd, 0L, 10L, 6));
        Assert.Equal(Errno.Inval, files.Call("fd_advise", fd, -1L, 10L, 0));
        Assert.Equal(Errno.Badf, files.Call("fd_advise", WasiFolder.Root, 0L, 10L, 0));
        Assert.Equal(Errno.Spipe, files.Call("fd_advise", 0, 0L, 10L, 0));
        files.Do("fd_sync", fd);
        files.Do("fd_datasync", fd);
        files.Do("fd_sync", WasiFolder.Root);
        files.Do("fd_datasync", 1);
        Assert.Equal(Errno.Notcapable, files.Call("fd_sync", 0));
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public void TimesAreSetToTheNanosecondOrTick(bool portable)
    {
        using var files = new WasiFolder(portable);
        int fd = files.Open(files.Put("a", "x"));
        const long accessed = 1_000_000_001_000_000_100, modified = 1_500_000_002_000_000_200;
        files.Do("fd_filestat_set_times", fd, accessed, modified, (int)(TimeFlags.Access | TimeFlags.Modification));
        FileStatus status = files.Status(fd);
        Assert.Equal(((ulong)accessed, (ulong)modified), (status.Accessed, status.Modified));
        files.Do("fd_filestat_set_times", fd, 0L, 5_000_000_000L, (int)TimeFlags.Modification);
        status = files.Status("a");
        Assert.Equal(((ulong)accessed, 5_000_000_000UL), (status.Accessed, status.Modified));
        ulong before = (ulong)(DateTime.UtcNow.AddSeconds(-5) - DateTime.UnixEpoch).Ticks * 100;
        files.Do("fd_filestat_set_times", fd, 0L, 0L, (int)(TimeFlags.AccessNow | TimeFlags.ModificationNow));
        status = files.Status(fd);
        Assert.True(status.Accessed > before && status.Modified > before);
        Assert.Equal(Errno.Inval, files.Call("fd_filestat_set_times", fd, 0L, 0L, (int)(TimeFlags.Access | TimeFlags.AccessNow)));
        Assert.Equal(Errno.Inval, files.Call("fd_filestat_set_times", fd, 0L, 0L, 12));
        Assert.Equal(Errno.Inval, files.Call("fd_filestat_set_times", fd, 0L, 0L, 16));
        files.Do("fd_filestat_set_times", WasiFolder.Root, accessed, modified, (int)(TimeFlags.Access | TimeFlags.Modification));
        Assert.Equal((ulong)modified, files.Status(WasiFolder.Root).Modified);
        Assert.Equal(Errno.Notcapable, files.Call("fd_filestat_set_times", 1, 0L, 0L, 1));
    }

    [Fact]
    public void RenumberingReplacesAndCloses()
    {
        using var files = new WasiFolder();
        int a = files.Open(files.Put("a", "A")), b = files.Open(files.Put("b", "B"));
        files.Do("fd_renumber", a, b);
        Assert.Equal("A", files.Read(b));
        Assert.Equal(Errno.Badf, files.Call("fd_close", a));
        files.Do("fd_renumber", b, b);
        Assert.Equal(Errno.Badf, files.Call("fd_renumber", b, a));
        Assert.Equal(Errno.Badf, files.Call("fd_renumber", a, b));
        Assert.Equal(Errno.Badf, files.Call("fd_renumber", b, -1));
        // The lowest number that is free comes next.
        Assert.Equal(a, files.Open("a"));
        files.Do("fd_renumber", a, 1);
        Assert.Equal("A", files.Read(1));
    }

    [Fact]
    public void DescriptorsEndAtTheirLimit()
    {
        using var files = new WasiFolder(options: new WasiOptions
        {
            Input = Stream.Null,
            Output = Stream.Null,
            Error = Stream.Null,
            MaximumDescriptors = 6,
        });
        files.Put("a");
        int first = files.Open("a");
        files.Open("a");
        Assert.Equal(Errno.Mfile, files.TryOpen("a", out _));
        files.Do("fd_close", first);
        Assert.Equal(first, files.Open("a"));
    }

    [Fact]
    public void RightsAreCheckedAndGivenUp()
    {
        using var files = new WasiFolder();
        int fd = files.Open(files.Put("a", "data"), rights: Rights.FdRead | Rights.FdWrite | Rights.FdTell);
        files.Do("fd_fdstat_get", fd, WasiFolder.Result);
        Assert.Equal((byte)FileType.RegularFile, files.Memory.Read<byte>(WasiFolder.Result));
        Assert.Equal(Rights.FdRead | Rights.FdWrite | Rights.FdTell, (Rights)files.Memory.Read<long>(WasiFolder.Result + 8));
        Assert.Equal(Rights.None, (Rights)files.Memory.Read<long>(WasiFolder.Result + 16));
        files.Do("fd_fdstat_set_rights", fd, (long)Rights.FdRead, 0L);
        Assert.Equal(Errno.Notcapable, files.Call("fd_fdstat_set_rights", fd, (long)(Rights.FdRead | Rights.FdWrite), 0L));
        Assert.Equal(Errno.Notcapable, files.Call("fd_write", fd, WasiFolder.List, 0, WasiFolder.Result));
        Assert.Equal(Errno.Notcapable, files.Call("fd_tell", fd, WasiFolder.Result));
        Assert.Equal(Errno.Notcapable, files.Call("fd_seek", fd, 0L, 0, WasiFolder.Result));
        Assert.Equal(Errno.Notcapable, files.Call("fd_filestat_get", fd, WasiFolder.Result));
        Assert.Equal(Errno.Notcapable, files.Call("fd_pread", fd, WasiFolder.List, 0, 0L, WasiFolder.Result));
        Assert.Equal("data", files.Read(fd));
    }

    [Fact]
    public void WhatIsOpenedHasNoMoreThanItsDirectoryHandsOn()
    {
        using var files = new WasiFolder();
        files.Put("d/a", "data");
        Rights readable = Rights.FdRead | Rights.FdSeek | Rights.PathOpen;
        Assert.Equal(Errno.Success, files.TryOpen("d", out int d, OpenFlags.Directory, Rights.Directory, inheriting: readable));
        Assert.Equal(Errno.Notcapable, files.TryOpen("a", out _, rights: Rights.FdRead | Rights.FdWrite, from: d, inheriting: 0));
        Assert.Equal(Errno.Notcapable, files.TryOpen("a", out _, rights: Rights.FdRead, from: d, inheriting: Rights.FdWrite));
        Assert.Equal(Errno.Success, files.TryOpen("a", out int fd, rights: readable, from: d, inheriting: readable));
        Assert.Equal("data", files.Read(fd));
        files.Do("fd_fdstat_set_rights", d, (long)(Rights.Directory & ~Rights.PathCreateFile), (long)readable);
        Assert.Equal(Errno.Notcapable, files.TryOpen("new", out _, OpenFlags.Create, Rights.FdRead, from: d, inheriting: 0));
        files.Do("fd_fdstat_set_rights", d, (long)(Rights.FdReaddir | Rights.PathOpen), (long)readable);
        Assert.Equal(Errno.Notcapable, files.Call("path_unlink_file", d, "a"));
        Assert.Equal(Errno.Notcapable, files.Call("path_create_directory", d, "b"));
        Assert.Equal(Errno.Notcapable, files.Call("path_rename", d, "a", d, "b"));
        Assert.Equal(Errno.Notcapable, files.Call("path_filestat_get", d, 0, "a", WasiFolder.Result));
        Assert.Equal(Errno.Notcapable, files.TryOpen("a", out _, OpenFlags.Truncate, Rights.FdRead, from: d, inheriting: 0));
        Assert.True(File.Exists(files.Host("d/a")));
    }

    [Fact]
    public void ListsOfBuffersAreCheckedAsAWhole()
    {
        using var files = new WasiFolder();
        int fd = files.Open(files.Put("a", "data"));
        files.Guest.WriteList(WasiFolder.List, (WasiFolder.Data, 4), (65_530, 7));
        Assert.Equal(Errno.Fault, files.Call("fd_write", fd, WasiFolder.List, 2, WasiFolder.Result));
        Assert.Equal(Errno.Fault, files.Call("fd_read", fd, WasiFolder.List, 2, WasiFolder.Result));
        Assert.Equal(Errno.Inval, files.Call("fd_write", fd, WasiFolder.List, 1025, WasiFolder.Result));
        Assert.Equal(Errno.Inval, files.Call("fd_read", fd, WasiFolder.List, -1, WasiFolder.Result));
        Assert.Equal(Errno.Fault, files.Call("fd_pwrite", fd, 65_532, 1, 0L, WasiFolder.Result));
        Assert.Equal("data", files.Read("a"));
        Assert.Equal(0, files.Seek(fd, 0, Whence.Current));
        // As many bytes as a result of 32 bits cannot count.
        files.Memory.Grow(1023);
        for (int i = 0; i < 65; i++) files.Guest.WriteList(70_000 + (8 * i), (0, 64 << 20));
        Assert.Equal(Errno.Inval, files.Call("fd_write", fd, 70_000, 65, WasiFolder.Result));
        Assert.Equal("data", files.Read("a"));
    }
}
