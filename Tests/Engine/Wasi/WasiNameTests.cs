using System.Text;
using WasmJit.Wasi;
using Xunit;

namespace WasmJit.Tests;

/// <summary>Names of files that are no UTF-8: each names its own file and no other.</summary>
public sealed class WasiNameTests
{
    private static readonly byte[] Pieces = [0xc3, 0xa9, 0xf0, 0x9f, 0x98, 0x80, 0x61, 0x7a, 0xed, 0xb3, 0xbf, 0xff];

    private static readonly byte[] Strange = [0xff], Alike = Encoding.UTF8.GetBytes("\ufffd");

    [Fact]
    public void ANameOfAnyBytesIsItsOwnFile()
    {
        if (!OperatingSystem.IsLinux()) return;
        using var files = new WasiFolder();
        Write(files, Strange, "right");
        Write(files, Alike, "wrong");
        Assert.Equal("right", Read(files, Strange));
        Assert.Equal("wrong", Read(files, Alike));
        Assert.Equal("wrong", File.ReadAllText(files.Host("\ufffd")));
        Assert.Equal(2, Directory.GetFiles(files.Inside).Length);
        files.Do("path_rename", WasiFolder.Root, Strange, WasiFolder.Root, new byte[] { (byte)'x', 0x80, (byte)'y' });
        Assert.Equal(Errno.Noent, Open(files, Strange, out _));
        Assert.Equal("right", Read(files, [(byte)'x', 0x80, (byte)'y']));
        files.Do("path_unlink_file", WasiFolder.Root, new byte[] { (byte)'x', 0x80, (byte)'y' });
        Assert.Equal("wrong", Read(files, Alike));
    }

    [Fact]
    public void ALinkLeadsToTheNameItSays()
    {
        if (!OperatingSystem.IsLinux()) return;
        using var files = new WasiFolder();
        Write(files, Strange, "right");
        Write(files, Alike, "wrong");
        files.Do("path_symlink", Strange, WasiFolder.Root, "link");
        Assert.Equal("right", files.Read(files.Open("link")));
        files.Do("path_readlink", WasiFolder.Root, "link", WasiFolder.Data, 100, WasiFolder.Result);
        Assert.Equal(1, files.Memory.Read<int>(WasiFolder.Result));
        Assert.Equal(0xff, files.Memory.Read<byte>(WasiFolder.Data));
        // A directory, and a link to it on the way.
        byte[] folder = [0xfe, 0xfe];
        files.Do("path_create_directory", WasiFolder.Root, folder);
        files.Do("path_symlink", folder, WasiFolder.Root, "dl");
        Write(files, [.. folder, (byte)'/', (byte)'x'], "inside");
        Assert.Equal("inside", files.Read(files.Open("dl/x")));
    }

    [Fact]
    public void ADirectoryListsTheBytes()
    {
        if (!OperatingSystem.IsLinux()) return;
        using var files = new WasiFolder();
        byte[][] names = [Strange, Alike, [0xed, 0xa0, 0x80], [(byte)'a', 0xc3], Encoding.UTF8.GetBytes("\U0001f600"), [(byte)'n']];
        foreach (byte[] name in names) Write(files, name, Convert.ToHexString(name));
        files.Do("fd_readdir", WasiFolder.Root, WasiFolder.Data, 4096, 0L, WasiFolder.Result);
        ReadOnlySpan<byte> rest = files.Memory.Slice(WasiFolder.Data, files.Memory.Read<int>(WasiFolder.Result));
        var listed = new List<string>();
        while (!rest.IsEmpty)
        {
            int length = BitConverter.ToInt32(rest[16..]);
            byte[] name = rest.Slice(24, length).ToArray();
            rest = rest[(24 + length)..];
            if (name.AsSpan().StartsWith("."u8)) continue;
            listed.Add(Convert.ToHexString(name));
        }
        Assert.Equal(names.Select(Convert.ToHexString).Order(StringComparer.Ordinal), listed.Order(StringComparer.Ordinal));
        foreach (byte[] name in names) Assert.Equal(Convert.ToHexString(name), Read(files, name));
    }

    [Fact]
    public void EveryNameComesBack()
    {
        var random = new Random(11);
        for (int i = 0; i < 20_000; i++)
        {
            byte[] name = new byte[random.Next(1, 12)];
            random.NextBytes(name);
            if (random.Next(2) == 0) for (int j = 0; j < name.Length; j++) name[j] = Pieces[random.Next(Pieces.Length)];
            Assert.Equal(name, FileNames.Encode(FileNames.Decode(name)));
        }
        Assert.Equal("\u00e9", FileNames.Decode("\u00e9"u8));
        Assert.True(FileNames.HasEscapes(FileNames.Decode([0xff])));
        Assert.False(FileNames.HasEscapes("\U0001f600\ufffd"));
    }

    private static Errno Open(WasiFolder files, byte[] name, out int fd)
    {
        Errno error = files.Call("path_open", WasiFolder.Root, 1, name, 0, (long)Rights.FdRead, 0L, 0, WasiFolder.Result);
        fd = files.Memory.Read<int>(WasiFolder.Result);
        return error;
    }

    private static string Read(WasiFolder files, byte[] name)
    {
        Assert.Equal(Errno.Success, Open(files, name, out int fd));
        string text = files.Read(fd);
        files.Do("fd_close", fd);
        return text;
    }

    private static void Write(WasiFolder files, byte[] name, string text)
    {
        files.Do("path_open", WasiFolder.Root, 0, name, 1, (long)Rights.FdWrite, 0L, 0, WasiFolder.Result);
        int fd = files.Memory.Read<int>(WasiFolder.Result);
        int length = files.Memory.WriteString(WasiFolder.Data, text);
        files.Guest.WriteList(WasiFolder.List, (WasiFolder.Data, length));
        files.Do("fd_write", fd, WasiFolder.List, 1, WasiFolder.Result);
        files.Do("fd_close", fd);
    }
}
