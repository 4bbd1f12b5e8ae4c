using Xunit;

namespace WasmJit.Tests;

/// <summary>Atomic operators on several threads, and the ways in which they trap, in both memory modes.</summary>
public sealed class AtomicTests
{
    private const int Threads = 4;
    private const int Rounds = 20_000;

    private static Instance Make(string fields, MemoryChecks checks, Imports? imports = null) =>
        new Engine(Tiers.Compiled with { MemoryChecks = checks }).CompileText($"(module {fields})").Instantiate(imports ?? []);

    private static void OnThreads(int count, Action<int> body)
    {
        var errors = new List<Exception>();
        Thread[] threads = [.. Enumerable.Range(0, count).Select(i => new Thread(() =>
        {
            try
            {
                body(i);
            }
            catch (Exception e)
            {
                lock (errors) errors.Add(e);
            }
        }))];
        foreach (Thread thread in threads) thread.Start();
        foreach (Thread thread in threads) thread.Join();
        Assert.Empty(errors);
    }

    public static TheoryData<string, int, MemoryChecks> Widths()
    {
        var data = new TheoryData<string, int, MemoryChecks>();
        foreach (MemoryChecks checks in Enum.GetValues<MemoryChecks>())
            foreach ((string form, int bits) in new[]
                {
                    ("i32.atomic.rmw", 32), ("i64.atomic.rmw", 64), ("i32.atomic.rmw8", 8), ("i32.atomic.rmw16", 16),
                    ("i64.atomic.rmw8", 8), ("i64.atomic.rmw16", 16), ("i64.atomic.rmw32", 32),
                })
                data.Add(form, bits, checks);
        return data;
    }

    /// <summary>Adding, subtracting and flipping from several threads loses nothing, whatever the width, and touches no neighbour.</summary>
    [Theory]
    [MemberData(nameof(Widths))]
    public void ReadModifyWriteIsAtomic(string form, int bits, MemoryChecks checks)
    {
        string type = form[..3];
        string u = form.EndsWith("rmw", StringComparison.Ordinal) ? "" : "_u";
        Instance instance = Make($$"""
            (memory (export "m") 1 1 shared)
            (func (export "run") (param $n i32)
              (loop $next
                (drop ({{form}}.add{{u}} offset=16 (i32.const 16) ({{type}}.const 3)))
                (drop ({{form}}.sub{{u}} offset=16 (i32.const 16) ({{type}}.const 1)))
                (drop ({{form}}.xor{{u}} offset=16 (i32.const 48) ({{type}}.const 5)))
                (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
            """, checks);
        var run = instance.GetExport<Action<int>>("run");
        OnThreads(Threads, _ => run(Rounds));
        var memory = instance.GetExport<Memory>("m");
        ulong mask = bits == 64 ? ulong.MaxValue : (1UL << bits) - 1;
        Assert.Equal((ulong)(Threads * Rounds * 2) & mask, memory.Read<ulong>(32));
        Assert.Equal(0UL, memory.Read<ulong>(64));
        Assert.Equal(0UL, memory.Read<ulong>(24));
    }

    /// <summary>A lock built of compare-and-exchange guards what is not atomic.</summary>
    [Theory]
    [InlineData(MemoryChecks.Guard)]
    [InlineData(MemoryChecks.Explicit)]
    public void ASpinLockExcludes(MemoryChecks checks)
    {
        Instance instance = Make("""
            (memory (export "m") 1 1 shared)
            (func (export "run") (param $n i32)
              (loop $next
                (loop $spin (br_if $spin (i32.atomic.rmw.cmpxchg (i32.const 0) (i32.const 0) (i32.const 1))))
                (i64.store (i32.const 8) (i64.add (i64.load (i32.const 8)) (i64.const 1)))
                (i32.atomic.store (i32.const 0) (i32.const 0))
                (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
            """, checks);
        var run = instance.GetExport<Action<int>>("run");
        OnThreads(2, _ => run(5_000));
        Assert.Equal(10_000, instance.GetExport<Memory>("m").Read<long>(8));
    }

    /// <summary>Stores followed by loads of the other's variable: at least one thread sees the other's store (sequential consistency).</summary>
    [Fact]
    public void StoresAreNotDelayedPastLoads()
    {
        Instance instance = Make("""
            (memory (export "m") 1 1 shared)
            (func (export "a") (result i32) (i32.atomic.store (i32.const 0) (i32.const 1)) (i32.atomic.load (i32.const 64)))
            (func (export "b") (result i32) (i32.atomic.store (i32.const 64) (i32.const 1)) (i32.atomic.load (i32.const 0)))
            """, MemoryChecks.Guard);
        var a = instance.GetExport<Func<int>>("a");
        var b = instance.GetExport<Func<int>>("b");
        var memory = instance.GetExport<Memory>("m");
        using var barrier = new Barrier(2);
        int[] seen = new int[2];
        int both = 0;
        OnThreads(2, i =>
        {
            for (int round = 0; round < 2_000; round++)
            {
                barrier.SignalAndWait();
                seen[i] = i == 0 ? a() : b();
                barrier.SignalAndWait();
                if (i == 0)
                {
                    if (seen[0] == 0 && seen[1] == 0) both++;
                    memory.Write(0, 0);
                    memory.Write(64, 0);
                }
            }
        });
        Assert.Equal(0, both);
    }

    [Theory]
    [InlineData(MemoryChecks.Guard)]
    [InlineData(MemoryChecks.Explicit)]
    public void UnalignedAndOutOfBoundsTrap(MemoryChecks checks)
    {
        Instance instance = Make("""
            (memory 1 1 shared)
            (func (export "load") (param i32) (result i32) (i32.atomic.load (local.get 0)))
            (func (export "store") (param i32) (i64.atomic.store (local.get 0) (i64.const 1)))
            (func (export "add") (param i32) (drop (i32.atomic.rmw16.add_u offset=2 (local.get 0) (i32.const 1))))
            (func (export "cmpxchg") (param i32) (drop (i64.atomic.rmw.cmpxchg (local.get 0) (i64.const 1) (i64.const 2))))
            (func (export "notify") (param i32) (drop (memory.atomic.notify (local.get 0) (i32.const 1))))
            (func (export "wait") (param i32) (drop (memory.atomic.wait64 (local.get 0) (i64.const 1) (i64.const 0))))
            """, checks);
        void Traps(string name, int address, TrapKind kind)
        {
            TrapException trap = Assert.Throws<TrapException>(() =>
            {
                if (name == "load") instance.GetExport<Func<int, int>>(name)(address);
                else instance.GetExport<Action<int>>(name)(address);
            });
            Assert.Equal(kind, trap.Kind);
        }
        foreach (string name in new[] { "load", "store", "add", "cmpxchg", "notify", "wait" })
        {
            Traps(name, 0x20001, TrapKind.UnalignedAtomic);
            Traps(name, 1, TrapKind.UnalignedAtomic);
            Traps(name, 0x10000, TrapKind.OutOfBoundsMemoryAccess);
            Traps(name, -8, TrapKind.OutOfBoundsMemoryAccess);
        }
    }

    /// <summary>An expected value that the width cannot hold is never there.</summary>
    [Fact]
    public void NarrowCompareExchangeComparesTheWholeValue()
    {
        Instance instance = Make("""
            (memory (export "m") 1)
            (func (export "f") (param i32) (result i32) (i32.atomic.rmw8.cmpxchg_u (i32.const 0) (local.get 0) (i32.const 7)))
            """, MemoryChecks.Guard);
        var f = instance.GetExport<Func<int, int>>("f");
        var memory = instance.GetExport<Memory>("m");
        memory.Write<byte>(0, 0x42);
        Assert.Equal(0x42, f(0x142));
        Assert.Equal(0x42, memory.Read<byte>(0));
        Assert.Equal(0x42, f(0x42));
        Assert.Equal(7, memory.Read<byte>(0));
    }

    [Fact]
    public void WaitingAndNotifying()
    {
        Instance instance = Make("""
            (memory (export "m") 1 2 shared) (memory $own 1)
            (func (export "wait") (param i32 i32 i64) (result i32) (memory.atomic.wait32 offset=4 (local.get 0) (local.get 1) (local.get 2)))
            (func (export "notify") (param i32 i32) (result i32) (memory.atomic.notify offset=4 (local.get 0) (local.get 1)))
            (func (export "wait-own") (result i32) (memory.atomic.wait32 $own (i32.const 0) (i32.const 0) (i64.const 0)))
            (func (export "notify-own") (result i32) (memory.atomic.notify $own (i32.const 0) (i32.const 1)))
            """, MemoryChecks.Guard);
        var wait = instance.GetExport<Func<int, int, long, int>>("wait");
        var notify = instance.GetExport<Func<int, int, int>>("notify");
        Assert.Equal(1, wait(4, 99, -1));
        Assert.Equal(2, wait(4, 0, 1_000_000));
        Assert.Equal(0, notify(4, 10));
        Assert.Equal(TrapKind.ExpectedSharedMemory, Assert.Throws<TrapException>(() => instance.GetExport<Func<int>>("wait-own")()).Kind);
        Assert.Equal(0, instance.GetExport<Func<int>>("notify-own")());

        int ok = 0;
        Thread[] threads = [.. Enumerable.Range(0, 3).Select(_ => new Thread(() =>
        {
            if (wait(4, 0, -1) == 0) Interlocked.Increment(ref ok);
        }))];
        foreach (Thread thread in threads) thread.Start();
        // Each is woken once, by whichever of the calls finds it waiting.
        int woken = 0;
        while (woken < 3) woken += notify(4, woken == 0 ? 1 : int.MaxValue);
        foreach (Thread thread in threads) thread.Join();
        Assert.Equal(3, woken);
        Assert.Equal(3, ok);
        Assert.Equal(0, notify(4, int.MaxValue));
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(long.MaxValue)]
    public void CancellationEndsAWait(long timeout)
    {
        Instance instance = Make("""
            (memory 1 1 shared)
            (func (export "wait") (param i64) (result i32) (memory.atomic.wait64 (i32.const 0) (i64.const 0) (local.get 0)))
            (func (export "notify") (result i32) (memory.atomic.notify (i32.const 0) (i32.const 9)))
            """, MemoryChecks.Guard);
        var wait = instance.GetExport<Func<long, int>>("wait");
        using var source = new CancellationTokenSource();
        var stopped = Assert.Throws<GuestCanceledException>(() => Guest.Run(
            () =>
            {
                source.CancelAfter(20);
                wait(timeout);
            },
            source.Token));
        Assert.Equal(source.Token, stopped.CancellationToken);
        Assert.Equal(0, instance.GetExport<Func<int>>("notify")());
    }

    /// <summary>Two threads hand a number to and fro.</summary>
    [Fact]
    public void PingPong()
    {
        const int Turns = 500;
        Instance instance = Make("""
            (memory (export "m") 1 1 shared)
            (func (export "play") (param $mine i32) (param $turns i32)
              (loop $next
                (block $ready
                  (loop $again
                    (br_if $ready (i32.eq (i32.and (i32.atomic.load (i32.const 0)) (i32.const 1)) (local.get $mine)))
                    (drop (memory.atomic.wait32 (i32.const 0) (i32.atomic.load (i32.const 0)) (i64.const 1000000)))
                    (br $again)))
                (drop (i32.atomic.rmw.add (i32.const 0) (i32.const 1)))
                (drop (memory.atomic.notify (i32.const 0) (i32.const 1)))
                (br_if $next (local.tee $turns (i32.sub (local.get $turns) (i32.const 1))))))
            """, MemoryChecks.Guard);
        var play = instance.GetExport<Action<int, int>>("play");
        OnThreads(2, i => play(i, Turns));
        Assert.Equal(2 * Turns, instance.GetExport<Memory>("m").Read<int>(0));
    }

    /// <summary>One thread grows, another at once uses what was added; the memory does not move.</summary>
    [Theory]
    [InlineData(MemoryChecks.Guard)]
    [InlineData(MemoryChecks.Explicit)]
    public void GrowsWhileOthersRun(MemoryChecks checks)
    {
        Instance instance = Make("""
            (memory (export "m") 1 100 shared)
            (func (export "grow") (loop $next (br_if $next (i32.ge_s (memory.grow (i32.const 1)) (i32.const 0)))))
            (func (export "touch") (result i32) (local $pages i32) (local $sum i32)
              (loop $next
                (local.set $pages (memory.size))
                (i32.store (i32.sub (i32.shl (local.get $pages) (i32.const 16)) (i32.const 4)) (local.get $pages))
                (local.set $sum (i32.add (local.get $sum) (i32.load (i32.sub (i32.shl (local.get $pages) (i32.const 16)) (i32.const 4)))))
                (br_if $next (i32.lt_u (local.get $pages) (i32.const 100))))
              (local.get $sum))
            """, checks);
        var grow = instance.GetExport<Action>("grow");
        var touch = instance.GetExport<Func<int>>("touch");
        OnThreads(3, i =>
        {
            if (i == 0) grow();
            else Assert.True(touch() >= 100);
        });
        Assert.Equal(100UL, instance.GetExport<Memory>("m").PageCount);
    }

    [Fact]
    public void HostAndInstancesShareAMemory()
    {
        var memory = new Memory(new MemoryType(1, 1, IsShared: true));
        var imports = new Imports { { "env", "memory", memory } };
        const string Text = """
            (import "env" "memory" (memory 1 1 shared))
            (func (export "add") (param i32) (loop $next (drop (i64.atomic.rmw.add (i32.const 8) (i64.const 1)))
              (br_if $next (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))))
            """;
        Action<int>[] adds = [.. Enumerable.Range(0, Threads).Select(_ => Make(Text, MemoryChecks.Guard, imports).GetExport<Action<int>>("add"))];
        OnThreads(Threads, i => adds[i](Rounds));
        Assert.Equal(Threads * Rounds, memory.Read<long>(8));
        Assert.Throws<LinkException>(() => Make("""(import "env" "memory" (memory 1 1))""", MemoryChecks.Guard, imports));
    }
}
