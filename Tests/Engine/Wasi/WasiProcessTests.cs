using WasmJit.Wasi;
using Xunit;

namespace WasmJit.Tests;

/// <summary>Signals, the old version's layouts, what the host is given wrongly, and the host's end.</summary>
public sealed class WasiProcessTests
{
    [Theory]
    [InlineData(2, 130)]
    [InlineData(6, 134)]
    [InlineData(9, 137)]
    [InlineData(11, 139)]
    [InlineData(15, 143)]
    [InlineData(30, 158)]
    public void SignalsEndTheGuest(int signal, int code)
    {
        var guest = new WasiGuest();
        Assert.Equal(code, Assert.Throws<WasiExitException>(() => guest.Invoke("proc_raise", signal)).ExitCode);
    }

    [Theory]
    [InlineData(0, Errno.Success)]
    [InlineData(16, Errno.Success)]
    [InlineData(17, Errno.Success)]
    [InlineData(22, Errno.Success)]
    [InlineData(27, Errno.Success)]
    [InlineData(18, Errno.Notsup)]
    [InlineData(19, Errno.Notsup)]
    [InlineData(31, Errno.Inval)]
    [InlineData(-1, Errno.Inval)]
    internal void OtherSignalsDoNot(int signal, Errno error) => Assert.Equal(error, new WasiGuest().Invoke("proc_raise", signal));

    [Fact]
    public void TheOldVersionHasOtherLayouts()
    {
        using var files = new WasiFolder(module: "wasi_unstable");
        int fd = files.Open(files.Put("a", "0123456789"));
        // Current, end, begin: in this order.
        Assert.Equal(3, Seek(3, 0));
        Assert.Equal(8, Seek(-2, 1));
        Assert.Equal(5, Seek(5, 2));
        Assert.Equal(7, Seek(2, 0));
        Assert.Equal(Errno.Inval, files.Call("fd_seek", fd, 0L, 3, WasiFolder.Result));

        const long accessed = 1_000_000_001_000_000_100, modified = 1_500_000_002_000_000_200;
        files.Do("fd_filestat_set_times", fd, accessed, modified, 5);
        files.Memory.Slice(WasiFolder.Result, 64).Fill(0xee);
        files.Do("fd_filestat_get", fd, WasiFolder.Result);
        Assert.Equal((byte)FileType.RegularFile, files.Memory.Read<byte>(WasiFolder.Result + 16));
        Assert.Equal(1, files.Memory.Read<int>(WasiFolder.Result + 20));
        Assert.Equal(10, files.Memory.Read<long>(WasiFolder.Result + 24));
        Assert.Equal((accessed, modified), (files.Memory.Read<long>(WasiFolder.Result + 32), files.Memory.Read<long>(WasiFolder.Result + 40)));
        Assert.Equal(0xee, files.Memory.Read<byte>(WasiFolder.Result + 56));
        files.Do("path_filestat_get", WasiFolder.Root, 0, "a", WasiFolder.Result);
        Assert.Equal(10, files.Memory.Read<long>(WasiFolder.Result + 24));

        // Subscriptions are longer: two of them, the second for a descriptor.
        files.Memory.Slice(1024, 112).Clear();
        files.Memory.Write(1024, 1L);
        files.Memory.Write(1024 + 24, 1);
        files.Memory.Write(1024 + 32, 60_000_000_000L);
        files.Memory.Write(1024 + 56, 2L);
        files.Memory.Write(1024 + 56 + 8, (byte)EventType.Read);
        files.Memory.Write(1024 + 56 + 16, fd);
        files.Do("poll_oneoff", 1024, 2048, 2, WasiFolder.Result);
        Assert.Equal(1, files.Memory.Read<int>(WasiFolder.Result));
        Assert.Equal(2L, files.Memory.Read<long>(2048));

        long Seek(long offset, int whence)
        {
            files.Do("fd_seek", fd, offset, whence, WasiFolder.Result);
            return files.Memory.Read<long>(WasiFolder.Result);
        }
    }

    [Fact]
    public void TheOldVersionAcceptsNoConnections()
    {
        const string text = """(module (import "wasi_unstable" "sock_accept" (func (param i32 i32 i32) (result i32))))""";
        Assert.Throws<LinkException>(() => new Engine().CompileText(text).Instantiate(new WasiHost().Imports));
    }

    [Fact]
    public void TextsWithZerosAndNamelessVariablesAreRefused()
    {
        Assert.Throws<ArgumentException>(() => new WasiHost(new WasiOptions { Arguments = ["a\0b"] }));
        foreach ((string name, string value) in new[] { ("", "x"), ("a=b", "x"), ("a", "x\0") })
            Assert.Throws<ArgumentException>(() => new WasiHost(
                new WasiOptions { Environment = new Dictionary<string, string> { [name] = value } }));
        Assert.Throws<ArgumentException>(() => new WasiHost(new WasiOptions { MaximumDescriptors = 2 }));
    }

    [Fact]
    public void AfterTheHostIsDisposedDescriptorsAreBad()
    {
        using var files = new WasiFolder();
        int fd = files.Open(files.Put("a", "x"));
        files.Guest.Host.Dispose();
        Assert.Equal(Errno.Badf, files.Call("fd_tell", fd, WasiFolder.Result));
        Assert.Equal(Errno.Badf, files.Call("path_unlink_file", WasiFolder.Root, "a"));
        // Windows would refuse this while the guest had it open.
        File.Delete(files.Host("a"));
    }

    [Fact]
    public void LargeRandomBuffersAreFilledToTheEnd()
    {
        var guest = new WasiGuest();
        guest.Memory.Grow(63);
        Assert.Equal(Errno.Success, guest.Invoke("random_get", 1, (64 << 16) - 2));
        Assert.Equal(0, guest.Memory.Read<byte>(0));
        Assert.Equal(0, guest.Memory.Read<byte>((64 << 16) - 1));
        Assert.Contains(guest.Memory.ReadBytes((64 << 16) - 33, 32), b => b != 0);
        Assert.Equal(Errno.Fault, guest.Invoke("random_get", 1, 64 << 16));
    }
}
