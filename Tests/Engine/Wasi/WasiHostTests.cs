using System.Text;
using Xunit;

namespace WasmJit.Tests;

/// <summary>WASI preview 1 as far as it goes: results in memory, error numbers for a guest's mistakes.</summary>
public sealed class WasiHostTests
{
    private const int Success = 0, Badf = 8, Fault = 21, Inval = 28, Io = 29, Spipe = 70, Notcapable = 76;
    private const int PageEnd = 65536;

    /// <summary>Addresses where no result fits into one page.</summary>
    public static TheoryData<int> Outside => [PageEnd - 3, PageEnd, int.MaxValue, int.MinValue, -4, -1];

    [Theory]
    [InlineData("wasi_snapshot_preview1")]
    [InlineData("wasi_unstable")]
    public void BothModuleNamesLinkEveryFunction(string module)
    {
        var guest = new WasiGuest(module: module);
        Assert.Equal(Success, guest.Get<Func<int>>("sched_yield")());
    }

    [Fact]
    public void ArgumentsAndEnvironmentAreUtf8WithFinalZeros()
    {
        var guest = new WasiGuest(new WasiOptions
        {
            Arguments = ["app", "", "größer"],
            Environment = new Dictionary<string, string> { ["HOME"] = "/h", ["EMPTY"] = "" },
            Input = Stream.Null,
            Output = Stream.Null,
            Error = Stream.Null,
        });
        Assert.Equal(["app", "", "größer"], Strings(guest, "args_sizes_get", "args_get"));
        Assert.Equal(["EMPTY=", "HOME=/h"], Strings(guest, "environ_sizes_get", "environ_get").Order(StringComparer.Ordinal));
    }

    [Fact]
    public void NoEnvironmentIsGivenUnasked() => Assert.Empty(Strings(new WasiGuest(), "environ_sizes_get", "environ_get"));

    [Fact]
    public void ClocksGoForward()
    {
        var guest = new WasiGuest();
        var time = guest.Get<Func<int, long, int, int>>("clock_time_get");
        for (int clock = 0; clock <= 3; clock++)
        {
            Assert.Equal(Success, guest.Call("clock_res_get", clock, 0));
            Assert.InRange(guest.Memory.Read<long>(0), 1, 1_000_000_000);
            Assert.Equal(Success, time(clock, 1, 8));
            Assert.Equal(Success, time(clock, 1, 16));
            Assert.True(guest.Memory.Read<long>(8) <= guest.Memory.Read<long>(16));
        }
        Assert.Equal(Success, time(0, 1, 0));
        DateTime realtime = DateTime.UnixEpoch.AddTicks(guest.Memory.Read<long>(0) / 100);
        Assert.InRange(DateTime.UtcNow - realtime, TimeSpan.FromMinutes(-1), TimeSpan.FromMinutes(1));
    }

    [Theory]
    [InlineData(4)]
    [InlineData(-1)]
    public void UnknownClocksAreInvalid(int clock)
    {
        var guest = new WasiGuest();
        Assert.Equal(Inval, guest.Call("clock_res_get", clock, 0));
        Assert.Equal(Inval, guest.Get<Func<int, long, int, int>>("clock_time_get")(clock, 1, 0));
    }

    [Fact]
    public void RandomFillsItsBufferAndNothingElse()
    {
        var guest = new WasiGuest();
        Assert.Equal(Success, guest.Call("random_get", 64, 64));
        Assert.Equal(new byte[64], guest.Memory.ReadBytes(0, 64));
        Assert.Equal(new byte[64], guest.Memory.ReadBytes(128, 64));
        byte[] first = guest.Memory.ReadBytes(64, 64);
        Assert.NotEqual(new byte[64], first);
        Assert.Equal(Success, guest.Call("random_get", 64, 64));
        Assert.NotEqual(first, guest.Memory.ReadBytes(64, 64));
        Assert.Equal(Success, guest.Call("random_get", PageEnd, 0));
    }

    [Fact]
    public void WriteGathersItsBuffersInOrder()
    {
        using var output = new MemoryStream();
        using var error = new MemoryStream();
        var guest = new WasiGuest(new WasiOptions { Input = Stream.Null, Output = output, Error = error });
        var write = guest.Get<Func<int, int, int, int, int>>("fd_write");
        guest.Memory.WriteString(100, "world!");
        guest.Memory.WriteString(200, "hello ");
        guest.WriteList(0, (200, 6), (0, 0), (100, 5));
        Assert.Equal(Success, write(1, 0, 3, 40));
        Assert.Equal(11, guest.Memory.Read<int>(40));
        Assert.Equal("hello world", Encoding.UTF8.GetString(output.ToArray()));
        Assert.Equal(0, error.Length);
        Assert.Equal(Success, write(2, 16, 1, 40));
        Assert.Equal("world", Encoding.UTF8.GetString(error.ToArray()));
        Assert.Equal(Success, write(1, 0, 0, 40));
        Assert.Equal(0, guest.Memory.Read<int>(40));
    }

    [Fact]
    public void ReadScattersWhatThereIs()
    {
        using var input = new MemoryStream("hello world"u8.ToArray());
        var guest = new WasiGuest(new WasiOptions { Input = input, Output = Stream.Null, Error = Stream.Null });
        var read = guest.Get<Func<int, int, int, int, int>>("fd_read");
        guest.WriteList(0, (100, 4), (0, 0), (200, 100));
        Assert.Equal(Success, read(0, 0, 3, 40));
        Assert.Equal(11, guest.Memory.Read<int>(40));
        Assert.Equal("hell", guest.Memory.ReadString(100, 4));
        Assert.Equal("o world\0", guest.Memory.ReadString(200, 8));
        Assert.Equal(Success, read(0, 0, 3, 40));
        Assert.Equal(0, guest.Memory.Read<int>(40));
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(3)]
    [InlineData(int.MaxValue)]
    public void OtherDescriptorsAreBad(int fd)
    {
        var guest = new WasiGuest();
        Assert.Equal(Badf, guest.Get<Func<int, int, int, int, int>>("fd_write")(fd, 0, 0, 0));
        Assert.Equal(Badf, guest.Get<Func<int, int, int, int, int>>("fd_read")(fd, 0, 0, 0));
        Assert.Equal(Badf, guest.Get<Func<int, int>>("fd_close")(fd));
        Assert.Equal(Badf, guest.Get<Func<int, long, int, int, int>>("fd_seek")(fd, 0, 0, 0));
        Assert.Equal(Badf, guest.Call("fd_fdstat_get", fd, 0));
        Assert.Equal(Badf, guest.Call("fd_prestat_get", fd, 0));
        Assert.Equal(Badf, guest.Get<Func<int, int, int, int>>("fd_prestat_dir_name")(fd, 0, 0));
    }

    [Fact]
    public void StreamsHaveOneDirection()
    {
        var guest = new WasiGuest();
        Assert.Equal(Notcapable, guest.Get<Func<int, int, int, int, int>>("fd_write")(0, 0, 0, 0));
        Assert.Equal(Notcapable, guest.Get<Func<int, int, int, int, int>>("fd_read")(1, 0, 0, 0));
        Assert.Equal(Notcapable, guest.Get<Func<int, int, int, int, int>>("fd_read")(2, 0, 0, 0));
    }

    [Fact]
    public void StreamsHaveNoPosition()
    {
        var guest = new WasiGuest();
        for (int fd = 0; fd <= 2; fd++)
        {
            Assert.Equal(Success, guest.Call("fd_fdstat_get", fd, 0));
            Assert.Equal(0, guest.Memory.Read<byte>(0));
            Assert.Equal(fd == 0 ? 2UL : 64UL, guest.Memory.Read<ulong>(8) & 66);
            Assert.Equal(Spipe, guest.Get<Func<int, long, int, int, int>>("fd_seek")(fd, 0, 0, 0));
            Assert.Equal(Success, guest.Get<Func<int, int>>("fd_close")(fd));
        }
    }

    [Theory]
    [MemberData(nameof(Outside))]
    public void ResultsOutsideMemoryAreFaults(int address)
    {
        var guest = new WasiGuest();
        Assert.Equal(Fault, guest.Call("args_sizes_get", address, 0));
        Assert.Equal(Fault, guest.Call("args_sizes_get", 0, address));
        Assert.Equal(Fault, guest.Call("args_get", address, 0));
        Assert.Equal(Fault, guest.Call("args_get", 0, address));
        Assert.Equal(Fault, guest.Call("environ_sizes_get", address, 0));
        Assert.Equal(Fault, guest.Call("clock_res_get", 0, address));
        Assert.Equal(Fault, guest.Get<Func<int, long, int, int>>("clock_time_get")(0, 1, address));
        Assert.Equal(Fault, guest.Call("fd_fdstat_get", 1, address));
        Assert.Equal(Fault, guest.Call("random_get", address, 4));
        Assert.Equal(Fault, guest.Get<Func<int, int, int, int, int>>("fd_write")(1, 0, 0, address));
        Assert.Equal(Fault, guest.Get<Func<int, int, int, int, int>>("fd_read")(0, 0, 0, address));
    }

    [Theory]
    [MemberData(nameof(Outside))]
    public void BuffersOutsideMemoryAreFaults(int address)
    {
        using var output = new MemoryStream();
        using var input = new MemoryStream(new byte[100]);
        var guest = new WasiGuest(new WasiOptions { Input = input, Output = output, Error = Stream.Null });
        var write = guest.Get<Func<int, int, int, int, int>>("fd_write");
        var read = guest.Get<Func<int, int, int, int, int>>("fd_read");
        guest.WriteList(0, (address, 4));
        Assert.Equal(Fault, write(1, 0, 1, 40));
        Assert.Equal(Fault, read(0, 0, 1, 40));
        Assert.Equal(Fault, write(1, address, 1, 40));
        Assert.Equal(Fault, read(0, address, 1, 40));
        guest.WriteList(0, (8, -1));
        Assert.Equal(Fault, write(1, 0, 1, 40));
        Assert.Equal(Fault, read(0, 0, 1, 40));
        Assert.Equal(Fault, guest.Call("random_get", 8, -1));
        Assert.Equal(0, output.Length);
        Assert.Equal(0, input.Position);
    }

    [Fact]
    public void FailingStreamsAreIoErrors()
    {
        using var stream = new BrokenStream();
        var guest = new WasiGuest(new WasiOptions { Input = stream, Output = stream, Error = stream });
        guest.WriteList(0, (100, 4));
        Assert.Equal(Io, guest.Get<Func<int, int, int, int, int>>("fd_write")(1, 0, 1, 40));
        Assert.Equal(Io, guest.Get<Func<int, int, int, int, int>>("fd_read")(0, 0, 1, 40));
    }

    [Theory]
    [InlineData("(call $exit (i32.const 7))", 7)]
    [InlineData("(call $exit (i32.const 0))", 0)]
    [InlineData("(call $exit (i32.const -1))", -1)]
    [InlineData("(nop)", 0)]
    public void RunGivesTheExitCode(string body, int code)
    {
        Module module = new Engine().CompileText($$"""
            (module (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32))) (memory (export "memory") 1)
              (func $inner {{body}})
              (func (export "_start") (call $inner)))
            """);
        Assert.Equal(code, Quiet().Run(module));
    }

    [Fact]
    public void ExitCrossesTheGuestUnchanged()
    {
        var guest = new WasiGuest();
        Assert.Equal(3, Assert.Throws<WasiExitException>(() => guest.Get<Action<int>>("proc_exit")(3)).ExitCode);
    }

    [Fact]
    public void TrapsOfACommandAreTraps()
    {
        const string Text = """(module (memory (export "memory") 1) (func (export "_start") unreachable))""";
        Module module = new Engine().CompileText(Text);
        Assert.Equal(TrapKind.Unreachable, Assert.Throws<TrapException>(() => Quiet().Run(module)).Kind);
    }

    [Fact]
    public void FunctionsWithoutMemoryAreFaults()
    {
        Module module = new Engine().CompileText("""
            (module (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
              (global $result (export "result") (mut i32) (i32.const -1))
              (func $begin (export "begin") (global.set $result (call $random (i32.const 0) (i32.const 4))))
              (start $begin))
            """);
        using WasiHost host = Quiet();
        Instance instance = module.Instantiate(host.Imports);
        Assert.Equal(Fault, instance.GetExport<Global>("result").Value);
        // Callers without one get the memory that is attached.
        host.Attach(new Memory(new MemoryType(1)));
        instance.GetExport<Action>("begin")();
        Assert.Equal(0, instance.GetExport<Global>("result").Value);
    }

    private static WasiHost Quiet() =>
        new(new WasiOptions { Input = Stream.Null, Output = Stream.Null, Error = Stream.Null });

    /// <summary>The strings of the arguments or the environment, read as a C library does.</summary>
    private static List<string> Strings(WasiGuest guest, string sizes, string texts)
    {
        Memory memory = guest.Memory;
        Assert.Equal(Success, guest.Call(sizes, 0, 4));
        int count = memory.Read<int>(0), size = memory.Read<int>(4);
        Assert.Equal(Success, guest.Call(texts, 16, 1024));
        var strings = new List<string>();
        int used = 0;
        for (int i = 0; i < count; i++)
        {
            int start = memory.Read<int>(16 + (4 * (ulong)i));
            int length = memory.Slice((ulong)start, 1024).IndexOf((byte)0);
            strings.Add(memory.ReadString((ulong)start, length));
            used += length + 1;
        }
        Assert.Equal(size, used);
        return strings;
    }

    /// <summary>A stream whose device is gone.</summary>
    private sealed class BrokenStream : Stream
    {
        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override void Flush()
        {
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new IOException("gone");

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new IOException("gone");
    }
}
