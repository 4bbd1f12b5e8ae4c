using System.IO.Pipes;
using Xunit;

namespace WasmJit.Tests;

/// <summary>Programs with threads: <c>thread-spawn</c>, and how all of a program ends.</summary>
public sealed class WasiThreadTests
{
    private static readonly Engine Engine = new(new EngineOptions { Interruptible = true });

    private static Module Compile(string body, string memory = "1 1") => Engine.CompileText($"""
        (module
          (import "wasi" "thread-spawn" (func $spawn (param i32) (result i32)))
          (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
          (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
          (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
          (import "env" "memory" (memory {memory} shared))
          (func $wait (param $at i32) (loop $again
            (if (i32.eqz (i32.atomic.load (local.get $at)))
              (then (drop (memory.atomic.wait32 (local.get $at) (i32.const 0) (i64.const -1))) (br $again)))))
          (func $set (param $at i32) (i32.atomic.store (local.get $at) (i32.const 1)) (drop (memory.atomic.notify (local.get $at) (i32.const -1))))
          {body})
        """);

    private static async Task<int> Run(Module module, WasiOptions? options = null, Fuel? fuel = null, GuestResources? resources = null)
    {
        using var host = new WasiHost((options ?? new WasiOptions { MaximumThreads = 4 }) with { Output = Stream.Null, Error = Stream.Null });
        return await Task.Run(() => host.Run(module, fuel, resources)).WaitAsync(Eventually.Patience);
    }

    /// <summary>Each of four threads adds ten thousand to a sum, and tells that it is done.</summary>
    [Fact]
    public async Task ThreadsShareTheMemory()
    {
        Module module = Compile("""
            (func (export "wasi_thread_start") (param $number i32) (param $n i32)
              (loop $next
                (drop (i32.atomic.rmw.add (i32.const 0) (i32.const 1)))
                (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
              (drop (i32.atomic.rmw.add (i32.const 4) (i32.const 1)))
              (drop (memory.atomic.notify (i32.const 4) (i32.const -1))))
            (func (export "_start") (local $i i32) (local $done i32)
              (loop $each
                (if (i32.le_s (call $spawn (i32.const 10000)) (i32.const 0)) (then (unreachable)))
                (br_if $each (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 4))))
              (loop $again
                (local.set $done (i32.atomic.load (i32.const 4)))
                (if (i32.lt_u (local.get $done) (i32.const 4))
                  (then (drop (memory.atomic.wait32 (i32.const 4) (local.get $done) (i64.const -1))) (br $again))))
              (call $exit (i32.div_u (i32.load (i32.const 0)) (i32.const 1000))))
            """);
        Assert.Equal(40, await Run(module));
    }

    /// <summary>What a thread does when the program ends: loops, waits in the memory, reads, sleeps.</summary>
    private static readonly Dictionary<string, string> Ways = new()
    {
        ["loop"] = "(loop $l (br $l))",
        ["wait"] = "(drop (memory.atomic.wait32 (i32.const 64) (i32.const 0) (i64.const -1)))",
        ["read"] = "(i32.store (i32.const 100) (i32.const 200)) (i32.store (i32.const 104) (i32.const 1)) (drop (call $read (i32.const 0) (i32.const 100) (i32.const 1) (i32.const 300)))",
        ["sleep"] = "(i32.store (i32.const 416) (i32.const 1)) (i64.store (i32.const 424) (i64.const 3600000000000)) (drop (call $poll (i32.const 400) (i32.const 500) (i32.const 1) (i32.const 600)))",
    };

    /// <summary>How the program ends, and what the host sees.</summary>
    private static readonly Dictionary<string, string> Ends = new()
    {
        ["exit"] = "(call $exit (i32.const 33))",
        ["trap"] = "(unreachable)",
        ["return"] = "",
    };

    public static TheoryData<string, string, bool> Endings
    {
        get
        {
            var data = new TheoryData<string, string, bool>();
            foreach (string way in Ways.Keys)
                foreach (string end in Ends.Keys)
                {
                    data.Add(way, end, true);
                    // A thread that returns ends itself alone.
                    if (end != "return") data.Add(way, end, false);
                }
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Endings))]
    public async Task OneEndsAll(string way, string end, bool byMain)
    {
        string waiting = $"(call $set (i32.const 0)) {Ways[way]} (unreachable)", ending = $"(call $wait (i32.const 0)) {Ends[end]}";
        Module module = Compile($"""
            (func (export "wasi_thread_start") (param i32 i32) {(byMain ? waiting : ending)})
            (func (export "_start") (drop (call $spawn (i32.const 0))) {(byMain ? ending : waiting)})
            """);
        using var writer = new AnonymousPipeServerStream(PipeDirection.Out);
        using var reader = new AnonymousPipeClientStream(PipeDirection.In, writer.ClientSafePipeHandle);
        Task<int> run = Run(module, new WasiOptions { MaximumThreads = 1, Input = reader });
        if (end == "trap") Assert.Equal(TrapKind.Unreachable, (await Assert.ThrowsAsync<TrapException>(() => run)).Kind);
        else Assert.Equal(end == "exit" ? 33 : 0, await run);
    }

    /// <summary>A third thread gets no number as long as two run; when one has ended there is room again.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task TheirNumberIsLimited(bool byResources)
    {
        Module module = Compile("""
            (func (export "wasi_thread_start") (param i32) (param $at i32) (call $wait (local.get $at)) (drop (i32.atomic.rmw.add (i32.const 16) (i32.const 1))))
            (func (export "_start")
              (if (i32.le_s (call $spawn (i32.const 0)) (i32.const 0)) (then (unreachable)))
              (if (i32.le_s (call $spawn (i32.const 4)) (i32.const 0)) (then (unreachable)))
              (if (i32.ne (call $spawn (i32.const 8)) (i32.const -6)) (then (unreachable)))
              (call $set (i32.const 0))
              (loop $until (br_if $until (i32.lt_s (call $spawn (i32.const 0)) (i32.const 0))))
              (call $exit (i32.const 5)))
            """);
        if (byResources) Assert.Equal(5, await Run(module, new WasiOptions { MaximumThreads = 9 }, resources: new GuestResources(new ResourceLimits { MaximumThreads = 2 })));
        else Assert.Equal(5, await Run(module, new WasiOptions { MaximumThreads = 2 }));
    }

    [Fact]
    public async Task ThreadsCountInTheGuestsResources()
    {
        Module module = Compile("""
            (func (export "wasi_thread_start") (param i32 i32))
            (func (export "_start") (call $exit (i32.eq (call $spawn (i32.const 0)) (i32.const -6))))
            """);
        Assert.Equal(1, await Run(module, resources: new GuestResources(new ResourceLimits { MaximumInstances = 1 })));
        Assert.Equal(0, await Run(module, resources: new GuestResources(new ResourceLimits { MaximumInstances = 2 })));
        await Assert.ThrowsAsync<LinkException>(() => Run(module, resources: new GuestResources(new ResourceLimits { MaximumMemoryBytes = 100 })));
        var resources = new GuestResources(new ResourceLimits { MaximumThreads = 7 });
        Assert.Equal(0, await Run(module, resources: resources));
        Assert.Equal(0, resources.InUse(ResourceKind.Threads));
    }

    [Fact]
    public async Task TheHostEndsAll()
    {
        Module module = Compile("""
            (func (export "wasi_thread_start") (param i32 i32) (loop $l (br $l)))
            (func (export "_start") (drop (call $spawn (i32.const 0))) (drop (call $read (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 300)))
              (call $exit (i32.const 1)) (loop $l (br $l)))
            """);
        using var source = new CancellationTokenSource();
        Module waits = Compile("""
            (func (export "wasi_thread_start") (param i32 i32) (call $set (i32.const 0)) (loop $l (br $l)))
            (func (export "_start") (drop (call $spawn (i32.const 0))) (call $wait (i32.const 0)) (call $wait (i32.const 64)))
            """);
        Task<int> run = Run(waits, new WasiOptions { MaximumThreads = 1, Cancellation = source.Token });
        source.CancelAfter(TimeSpan.FromMilliseconds(50));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => run);
        Assert.Equal(1, await Run(module));
    }

    [Fact]
    public async Task FuelEndsAll()
    {
        var engine = new Engine(new EngineOptions { Interruptible = true, CountFuel = true });
        Module module = engine.CompileText("""
            (module (import "wasi" "thread-spawn" (func $spawn (param i32) (result i32))) (import "env" "memory" (memory 1 1 shared))
              (func (export "wasi_thread_start") (param i32 i32) (loop $l (br $l)))
              (func (export "_start") (drop (call $spawn (i32.const 0))) (drop (memory.atomic.wait32 (i32.const 0) (i32.const 0) (i64.const -1)))))
            """);
        Assert.Equal(TrapKind.OutOfFuel, (await Assert.ThrowsAsync<TrapException>(() => Run(module, fuel: new Fuel(1_000_000)))).Kind);
    }

    [Fact]
    public async Task NotGrantedUnasked()
    {
        Module module = Compile("""(func (export "wasi_thread_start") (param i32 i32)) (func (export "_start"))""");
        LinkException e = await Assert.ThrowsAsync<LinkException>(() => Run(module, new WasiOptions()));
        Assert.Contains("thread-spawn", e.Message, StringComparison.Ordinal);
        Module stays = new Engine().CompileText("""
            (module (import "wasi" "thread-spawn" (func (param i32) (result i32))) (import "env" "memory" (memory 1 1 shared)) (func (export "_start")))
            """);
        Assert.Contains("Interruptible", (await Assert.ThrowsAsync<InvalidOperationException>(() => Run(stays))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task WithoutAStartThereIsNoThread()
    {
        Module module = Compile("""(func (export "_start") (call $exit (i32.eq (call $spawn (i32.const 0)) (i32.const -58))))""");
        Assert.Equal(1, await Run(module));
    }
}
