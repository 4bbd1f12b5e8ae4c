using WasmJit.Components;
using Xunit;

namespace WasmJit.Tests;

/// <summary><c>wasi:clocks</c>, <c>wasi:random</c> and <c>wasi:cli</c>.</summary>
public sealed class WasiClockRandomCliTests
{
    [Fact]
    public void TheMonotonicClockGoesOn()
    {
        using var guest = new WasiComponentGuest();
        ulong before = guest.Call("clocks/monotonic-clock#now").AsU64();
        Assert.True(guest.Call("clocks/monotonic-clock#resolution").AsU64() >= 1);
        using ComponentResource later = guest.Resource("clocks/monotonic-clock#subscribe-instant", before + 2_000_000);
        guest.Call("io/poll#[method]pollable.block", later);
        Assert.True(guest.Call("clocks/monotonic-clock#now").AsU64() >= before + 2_000_000);
        Assert.True(guest.Call("io/poll#[method]pollable.ready", later).AsBool());
        // A time that never comes is not an overflow.
        using ComponentResource never = guest.Resource("clocks/monotonic-clock#subscribe-duration", ulong.MaxValue);
        Assert.False(guest.Call("io/poll#[method]pollable.ready", never).AsBool());
    }

    [Fact]
    public void TheWallClockIsTheHosts()
    {
        using var guest = new WasiComponentGuest();
        long before = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        ComponentValue now = guest.Call("clocks/wall-clock#now");
        Assert.InRange((long)now["seconds"].AsU64(), before, DateTimeOffset.UtcNow.ToUnixTimeSeconds());
        Assert.InRange(now["nanoseconds"].AsU32(), 0u, 999_999_999u);
        Assert.Equal("{seconds: 0, nanoseconds: 100}", guest.Call("clocks/wall-clock#resolution").ToString());
    }

    [Fact]
    public void TheTimeZoneIsUtc()
    {
        using var guest = new WasiComponentGuest();
        ComponentValue when = ComponentValue.Record(("seconds", ComponentValue.From(1UL)), ("nanoseconds", ComponentValue.From(0u)));
        Assert.Equal(0, guest.Call("clocks/timezone#utc-offset", when).AsS32());
        Assert.Equal("UTC", guest.Call("clocks/timezone#display", when)["name"].AsString());
    }

    [Theory]
    [InlineData("random/random#get-random-bytes", "random/random#get-random-u64")]
    [InlineData("random/insecure#get-insecure-random-bytes", "random/insecure#get-insecure-random-u64")]
    public void BytesAreRandom(string bytes, string number)
    {
        using var guest = new WasiComponentGuest();
        byte[] first = WasiComponentGuest.Bytes(guest.Call(bytes, 64)), second = WasiComponentGuest.Bytes(guest.Call(bytes, 64));
        Assert.Equal(64, first.Length);
        Assert.NotEqual(first, second);
        Assert.Empty(guest.Call(bytes, 0).Items);
        Assert.NotEqual(guest.Call(number), guest.Call(number));
        Assert.Contains("random bytes at most", guest.Traps(bytes, ulong.MaxValue), StringComparison.Ordinal);
    }

    [Fact]
    public void TheSeedIsTheSameForAGuest()
    {
        using var guest = new WasiComponentGuest();
        Assert.Equal(guest.Call("random/insecure-seed#insecure-seed"), guest.Call("random/insecure-seed#insecure-seed"));
    }

    [Fact]
    public void AGuestHasItsArgumentsAndVariables()
    {
        using var guest = new WasiComponentGuest(new WasiOptions
        {
            Arguments = ["app", "größe"],
            Environment = new Dictionary<string, string> { ["A"] = "1", ["B"] = "zwei" },
        });
        Assert.Equal("[\"app\", \"größe\"]", guest.Call("cli/environment#get-arguments").ToString());
        Assert.Equal("[(\"A\", \"1\"), (\"B\", \"zwei\")]", guest.Call("cli/environment#get-environment").ToString());
        Assert.Equal("none", guest.Call("cli/environment#initial-cwd").ToString());
    }

    [Fact]
    public void AGuestCanEndItself()
    {
        foreach ((string function, object status, int code) in new (string, object, int)[]
        {
            ("cli/exit#exit", ComponentValue.Ok(), 0), ("cli/exit#exit", ComponentValue.Error(), 1), ("cli/exit#exit-with-code", (byte)42, 42),
        })
        {
            using var guest = new WasiComponentGuest();
            Assert.Equal(code, Assert.Throws<WasiExitException>(() => guest.Call(function, status)).ExitCode);
        }
    }

    [Fact]
    public void TheStandardStreamsAreThoseOfTheOptions()
    {
        var output = new MemoryStream();
        var error = new MemoryStream();
        using var guest = new WasiComponentGuest(new WasiOptions { Input = new MemoryStream("in"u8.ToArray()), Output = output, Error = error });
        using (ComponentResource input = guest.Resource("cli/stdin#get-stdin")) Assert.Equal("in", guest.ReadAll(input));
        using (ComponentResource to = guest.Resource("cli/stdout#get-stdout")) guest.Ok("io/streams#[method]output-stream.blocking-write-and-flush", to, "out"u8.ToArray());
        using (ComponentResource to = guest.Resource("cli/stderr#get-stderr")) guest.Ok("io/streams#[method]output-stream.blocking-write-and-flush", to, "err"u8.ToArray());
        Assert.Equal("out"u8, output.ToArray());
        Assert.Equal("err"u8, error.ToArray());
    }

    [Fact]
    public void StreamsOfTheHostAreNoTerminals()
    {
        using var guest = new WasiComponentGuest();
        foreach (string function in new[] { "cli/terminal-stdin#get-terminal-stdin", "cli/terminal-stdout#get-terminal-stdout", "cli/terminal-stderr#get-terminal-stderr" })
            Assert.Equal("none", guest.Call(function).ToString());
    }
}
