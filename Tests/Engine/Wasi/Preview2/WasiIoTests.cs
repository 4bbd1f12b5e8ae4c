using System.IO.Pipelines;
using WasmJit.Components;
using Xunit;

namespace WasmJit.Tests;

/// <summary><c>wasi:io</c>: streams, what waits for them, and their errors.</summary>
public sealed class WasiIoTests
{
    private const string Read = "io/streams#[method]input-stream.read", BlockingRead = "io/streams#[method]input-stream.blocking-read",
        CheckWrite = "io/streams#[method]output-stream.check-write", Write = "io/streams#[method]output-stream.write",
        WriteAndFlush = "io/streams#[method]output-stream.blocking-write-and-flush", SubscribeInput = "io/streams#[method]input-stream.subscribe",
        SubscribeOutput = "io/streams#[method]output-stream.subscribe", Ready = "io/poll#[method]pollable.ready", Block = "io/poll#[method]pollable.block", Poll = "io/poll#poll";

    private static WasiComponentGuest Guest(Stream? input = null, Stream? output = null, CancellationToken cancellation = default) =>
        new(new WasiOptions { Input = input ?? Stream.Null, Output = output ?? Stream.Null, Error = Stream.Null, Cancellation = cancellation });

    private static ComponentValue All(params ComponentResource[] pollables) => ComponentValue.List(pollables.Select(ComponentValue.From));

    private static ComponentResource Stdin(WasiComponentGuest guest) => guest.Resource("cli/stdin#get-stdin");

    private static ComponentResource Stdout(WasiComponentGuest guest) => guest.Resource("cli/stdout#get-stdout");

    [Fact]
    public void StreamsAreReadToTheirEnd()
    {
        using WasiComponentGuest guest = Guest(new MemoryStream("hello world"u8.ToArray()));
        using ComponentResource input = Stdin(guest);
        Assert.Equal("hello", WasiComponentGuest.Text(guest.Ok(Read, input, 5)));
        Assert.Empty(guest.Ok(Read, input, 0).Items);
        Assert.Equal(1u, guest.Ok("io/streams#[method]input-stream.skip", input, 1).AsU64());
        Assert.Equal("wor", WasiComponentGuest.Text(guest.Ok(BlockingRead, input, 3)));
        Assert.Equal(2u, guest.Ok("io/streams#[method]input-stream.blocking-skip", input, 100).AsU64());
        Assert.Equal("closed", guest.Fails(BlockingRead, input, 100));
        Assert.Equal("closed", guest.Fails(Read, input, 100));
        Assert.Equal("closed", guest.Fails("io/streams#[method]input-stream.skip", input, 1));
    }

    [Fact]
    public void AReadTakesNoMoreThanAPiece()
    {
        using WasiComponentGuest guest = Guest(new MemoryStream(new byte[1_000_000]));
        using ComponentResource input = Stdin(guest);
        Assert.InRange(guest.Ok(Read, input, ulong.MaxValue).Items.Length, 1, 64 * 1024);
        Assert.InRange(guest.Ok("io/streams#[method]input-stream.skip", input, ulong.MaxValue / 2).AsU64(), 1u, 64u * 1024);
    }

    [Fact]
    public async Task WhatIsNotThereYetIsWaitedFor()
    {
        var pipe = new Pipe();
        using WasiComponentGuest guest = Guest(pipe.Reader.AsStream());
        using ComponentResource input = Stdin(guest), pollable = guest.Resource(SubscribeInput, input);
        Assert.False(guest.Call(Ready, pollable).AsBool());
        Assert.Empty(guest.Ok(Read, input, 10).Items);
        Task<string> waiting = Task.Run(() => WasiComponentGuest.Text(guest.Ok(BlockingRead, input, 10)));
        await pipe.Writer.WriteAsync("abc"u8.ToArray());
        Assert.Equal("abc", await waiting.WaitAsync(Eventually.Patience));
        Task blocked = Task.Run(() => guest.Call(Block, pollable));
        await pipe.Writer.CompleteAsync();
        await blocked.WaitAsync(Eventually.Patience);
        Assert.True(guest.Call(Ready, pollable).AsBool());
        Assert.Equal("closed", guest.Fails(Read, input, 10));
    }

    [Fact]
    public void OneOfSeveralIsEnough()
    {
        var pipe = new Pipe();
        using WasiComponentGuest guest = Guest(pipe.Reader.AsStream(), new MemoryStream());
        using ComponentResource input = Stdin(guest), never = guest.Resource(SubscribeInput, input), output = Stdout(guest), now = guest.Resource(SubscribeOutput, output);
        Assert.Equal([1u, 3u], guest.Call(Poll, All(never, now, never, now)).Items.Select(i => i.AsU32()));
        using ComponentResource soon = guest.Resource("clocks/monotonic-clock#subscribe-duration", 1_000_000);
        Assert.Equal([1u], guest.Call(Poll, All(never, soon)).Items.Select(i => i.AsU32()));
    }

    [Fact]
    public void AnEmptyPollTraps()
    {
        using WasiComponentGuest guest = Guest();
        Assert.Contains("empty list", guest.Traps(Poll, All()), StringComparison.Ordinal);
    }

    [Fact]
    public void ThereIsALimitToPollables()
    {
        using WasiComponentGuest guest = Guest();
        using ComponentResource now = guest.Resource("clocks/monotonic-clock#subscribe-duration", 0);
        Assert.Equal(16 * 1024, guest.Call(Poll, All([.. Enumerable.Repeat(now, 16 * 1024)])).Items.Length);
        Assert.Contains("too many", guest.Traps(Poll, All([.. Enumerable.Repeat(now, (16 * 1024) + 1)])), StringComparison.Ordinal);
    }

    [Fact]
    public void AWaitCanBeCancelled()
    {
        using var source = new CancellationTokenSource();
        using WasiComponentGuest guest = Guest(new Pipe().Reader.AsStream(), cancellation: source.Token);
        ComponentResource input = Stdin(guest), pollable = guest.Resource(SubscribeInput, input);
        using var timer = new Timer(_ => source.Cancel(), null, 20, Timeout.Infinite);
        Assert.ThrowsAny<OperationCanceledException>(() => guest.Call(Poll, All(pollable)));
    }

    [Fact]
    public void AReadThatWaitsCanBeCancelledByTheCall()
    {
        using var source = new CancellationTokenSource();
        using WasiComponentGuest guest = Guest(new Pipe().Reader.AsStream());
        ComponentResource input = Stdin(guest);
        using var timer = new Timer(_ => source.Cancel(), null, 20, Timeout.Infinite);
        Assert.ThrowsAny<OperationCanceledException>(() => WasmJit.Guest.Run(() => guest.Call(BlockingRead, input, 1), source.Token));
    }

    [Fact]
    public void StreamsAreWritten()
    {
        var output = new MemoryStream();
        using WasiComponentGuest guest = Guest(output: output);
        using ComponentResource to = Stdout(guest);
        Assert.True(guest.Ok(CheckWrite, to).AsU64() >= 4096);
        guest.Ok(Write, to, "one "u8.ToArray());
        guest.Ok(Write, to, "two "u8.ToArray());
        guest.Ok("io/streams#[method]output-stream.flush", to);
        guest.Ok(WriteAndFlush, to, "three"u8.ToArray());
        guest.Ok("io/streams#[method]output-stream.blocking-flush", to);
        Assert.Equal("one two three", System.Text.Encoding.UTF8.GetString(output.ToArray()));
        guest.Ok(CheckWrite, to);
        guest.Ok("io/streams#[method]output-stream.write-zeroes", to, 3);
        guest.Ok("io/streams#[method]output-stream.blocking-write-zeroes-and-flush", to, 4096);
        Assert.Equal(13 + 3 + 4096, output.Length);
        Assert.All(output.ToArray().Skip(13), b => Assert.Equal(0, b));
    }

    [Fact]
    public void NoMoreIsWrittenThanWasPermitted()
    {
        using WasiComponentGuest guest = Guest(output: new MemoryStream());
        ComponentResource to = Stdout(guest);
        ulong permitted = guest.Ok(CheckWrite, to).AsU64();
        guest.Ok(Write, to, new byte[permitted]);
        Assert.Contains("check-write", guest.Traps(Write, to, new byte[1]), StringComparison.Ordinal);
    }

    [Fact]
    public void ZeroesAreCountedBeforeTheyAreMade()
    {
        using WasiComponentGuest guest = Guest(output: new MemoryStream());
        ComponentResource to = Stdout(guest);
        guest.Ok(CheckWrite, to);
        Assert.Contains("check-write", guest.Traps("io/streams#[method]output-stream.write-zeroes", to, ulong.MaxValue), StringComparison.Ordinal);
    }

    [Fact]
    public void AWriteThatWaitsHasAPieceAtMost()
    {
        using WasiComponentGuest guest = Guest(output: new MemoryStream());
        ComponentResource to = Stdout(guest);
        guest.Ok(WriteAndFlush, to, new byte[4096]);
        Assert.Contains("4096", guest.Traps(WriteAndFlush, to, new byte[4097]), StringComparison.Ordinal);
    }

    [Fact]
    public async Task SlowReadersAreWaitedFor()
    {
        // No more than some bytes before the first read.
        var pipe = new Pipe(new PipeOptions(pauseWriterThreshold: 1024, resumeWriterThreshold: 512));
        using WasiComponentGuest guest = Guest(output: pipe.Writer.AsStream());
        using ComponentResource to = Stdout(guest), pollable = guest.Resource(SubscribeOutput, to);
        Assert.True(guest.Ok(CheckWrite, to).AsU64() > 0);
        guest.Ok(Write, to, new byte[2000]);
        Assert.Equal(0u, guest.Ok(CheckWrite, to).AsU64());
        Assert.False(guest.Call(Ready, pollable).AsBool());
        Task<long> reader = Task.Run(() =>
        {
            using var all = new MemoryStream();
            pipe.Reader.AsStream().CopyTo(all);
            return all.Length;
        });
        guest.Call(Block, pollable);
        guest.Ok(WriteAndFlush, to, new byte[1000]);
        await pipe.Writer.CompleteAsync();
        Assert.Equal(3000, await reader.WaitAsync(Eventually.Patience));
    }

    [Fact]
    public void BytesGoFromStreamToStream()
    {
        var output = new MemoryStream();
        using WasiComponentGuest guest = Guest(new MemoryStream("hello world"u8.ToArray()), output);
        using ComponentResource from = Stdin(guest), to = Stdout(guest);
        Assert.Equal(5u, guest.Ok("io/streams#[method]output-stream.splice", to, from, 5).AsU64());
        Assert.Equal(6u, guest.Ok("io/streams#[method]output-stream.blocking-splice", to, from, ulong.MaxValue).AsU64());
        Assert.Equal("closed", guest.Fails("io/streams#[method]output-stream.blocking-splice", to, from, 1));
        Assert.Equal("hello world", System.Text.Encoding.UTF8.GetString(output.ToArray()));
    }

    /// <summary>A stream that fails after some bytes.</summary>
    private sealed class FailingStream(int before) : MemoryStream
    {
        private int left = before;

        public override bool CanSeek => false;

        private void Fail()
        {
            if (left-- <= 0) throw new IOException("disk on fire");
        }

        public override int Read(Span<byte> buffer)
        {
            Fail();
            buffer[0] = 1;
            return 1;
        }

        public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
        {
            Fail();
            return Task.FromResult(Read(buffer.AsSpan(offset, count)));
        }

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            Fail();
            return default;
        }
    }

    [Fact]
    public void AStreamThatFailsSaysSoOnceAndIsClosed()
    {
        using WasiComponentGuest guest = Guest(new FailingStream(0), new FailingStream(1));
        using ComponentResource from = Stdin(guest), to = Stdout(guest);
        ComponentValue failed = guest.Call(BlockingRead, from, 1).Payload;
        Assert.Equal("last-operation-failed", failed.CaseName);
        using (ComponentResource error = failed.Payload.AsResource())
        {
            Assert.Equal("io", guest.Call("io/error#[method]error.to-debug-string", error).AsString());
            Assert.Equal("some(io)", guest.Call("filesystem/types#filesystem-error-code", error).ToString());
        }
        Assert.Equal("closed", guest.Fails(Read, from, 1));
        guest.Ok(WriteAndFlush, to, "a"u8.ToArray());
        ComponentValue second = guest.Call(WriteAndFlush, to, "b"u8.ToArray()).Payload;
        Assert.Equal("last-operation-failed", second.CaseName);
        second.Payload.AsResource().Dispose();
        Assert.Equal("closed", guest.Fails(CheckWrite, to));
    }

    [Fact]
    public void AParentIsNotDroppedBeforeItsChildren()
    {
        WasmComponent component = new Engine().CompileComponent(Wat.ToBinary("""
            (component $C
              (import "wasi:io/poll@0.2.0" (instance $poll (export "pollable" (type (sub resource)))))
              (alias export $poll "pollable" (type $pollable))
              (import "wasi:io/streams@0.2.0" (instance $streams
                (alias outer $C $pollable (type $p)) (export "pollable" (type $q (eq $p)))
                (export "input-stream" (type $s (sub resource)))
                (export "[method]input-stream.subscribe" (func (param "self" (borrow $s)) (result (own $q))))))
              (alias export $streams "input-stream" (type $input))
              (import "wasi:cli/stdin@0.2.0" (instance $stdin
                (alias outer $C $input (type $i)) (export "input-stream" (type $j (eq $i)))
                (export "get-stdin" (func (result (own $j))))))
              (core func $get (canon lower (func $stdin "get-stdin")))
              (core func $subscribe (canon lower (func $streams "[method]input-stream.subscribe")))
              (core func $drop-stream (canon resource.drop $input))
              (core func $drop-pollable (canon resource.drop $pollable))
              (core module $M
                (import "" "get" (func $get (result i32)))
                (import "" "subscribe" (func $subscribe (param i32) (result i32)))
                (import "" "drop-stream" (func $drop-stream (param i32)))
                (import "" "drop-pollable" (func $drop-pollable (param i32)))
                (func (export "f") (param $children-first i32) (local $s i32) (local $p i32)
                  (local.set $s (call $get))
                  (local.set $p (call $subscribe (local.get $s)))
                  (if (local.get $children-first) (then (call $drop-pollable (local.get $p))))
                  (call $drop-stream (local.get $s))
                  (if (i32.eqz (local.get $children-first)) (then (call $drop-pollable (local.get $p))))))
              (core instance $m (instantiate $M (with "" (instance
                (export "get" (func $get)) (export "subscribe" (func $subscribe))
                (export "drop-stream" (func $drop-stream)) (export "drop-pollable" (func $drop-pollable))))))
              (func (export "f") (param "children-first" bool) (canon lift (core func $m "f"))))
            """));
        using var host = new WasiComponentHost(new WasiOptions { Input = Stream.Null });
        using ComponentInstance instance = host.Instantiate(component);
        var f = instance.GetFunction<Action<bool>>("f");
        f(true);
        Assert.Equal("resource has children", Assert.Throws<TrapException>(() => f(false)).Message);
    }
}
