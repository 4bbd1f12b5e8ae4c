using System.Collections.Concurrent;
using WasmJit.DynamicLinking;
using WasmJit.Jit.Format;
using WasmJit.Jit.Tiers;
using Xunit;

namespace WasmJit.Tests;

/// <summary>Threads that run on one <see cref="Fuel"/>: no charge is lost, and all of them end when it is used up.</summary>
public sealed class SharedFuelTests
{
    /// <summary>What a share takes at once at most, and what threads may spend twice, as the public page says.</summary>
    private const long Share = 65_536, SpentTwice = 131_072;

    private const int Threads = 4;

    private const string Loop = "(func (export \"f\") (param $n i32) (loop $l (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))";

    private static readonly Dictionary<string, EngineOptions> All = new()
    {
        ["interpreted"] = Tiers.Interpreted with { InterpretsAll = true },
        ["compiled"] = Tiers.Compiled,
        ["explicit"] = Tiers.Compiled with { MemoryChecks = MemoryChecks.Explicit },
        ["tiered"] = Tiers.Tiered,
        ["interpreted, explicit"] = Tiers.Interpreted with { MemoryChecks = MemoryChecks.Explicit },
        ["verifying"] = Tiers.Compiled with { Verify = true },
    };

    public static TheoryData<string> Ways => [.. All.Keys];

    private static Engine EngineOf(string way) => new(All[way] with { CountFuel = true, Interruptible = true });

    private static void OnThreads(int count, Action<int> work)
    {
        var failures = new ConcurrentQueue<Exception>();
        using var barrier = new Barrier(count);
        Thread[] threads = [.. Enumerable.Range(0, count).Select(i => new Thread(() =>
        {
            try
            {
                barrier.SignalAndWait();
                work(i);
            }
            catch (Exception e)
            {
                failures.Enqueue(e);
            }
        }))];
        foreach (Thread thread in threads) thread.Start();
        foreach (Thread thread in threads) thread.Join();
        Assert.Empty(failures);
    }

    private static long Cost(Fuel fuel, Action work)
    {
        long before = fuel.Remaining;
        work();
        return before - fuel.Remaining;
    }

    private static bool RunsOut(Action call)
    {
        try
        {
            call();
            return false;
        }
        catch (TrapException e) when (e.Kind == TrapKind.OutOfFuel)
        {
            return true;
        }
    }

    /// <summary>The host has an instance for each thread. Each uses what it would use alone.</summary>
    [Theory]
    [MemberData(nameof(Ways))]
    public void InstancesOnThreadsLoseNoCharge(string way)
    {
        var fuel = new Fuel(1_000_000_000);
        Module module = EngineOf(way).CompileText($"""
            (module (memory (export "memory") 1 1 shared) {Loop}
              (func (export "fill") (param i32) (memory.fill (i32.const 0) (i32.const 1) (local.get 0))))
            """);
        Instance[] instances = [.. Enumerable.Range(0, Threads).Select(_ => module.Instantiate(fuel: fuel))];
        Assert.All(instances, i => Assert.Same(fuel, i.Fuel));
        Action<int>[] loops = [.. instances.Select(i => i.GetExport<Action<int>>("f"))], fills = [.. instances.Select(i => i.GetExport<Action<int>>("fill"))];
        long one = Cost(fuel, () => loops[0](1000)) + Cost(fuel, () => fills[0](60_000));
        long used = Cost(fuel, () => OnThreads(Threads, i =>
        {
            for (int n = 0; n < 100; n++)
            {
                loops[i](1000);
                fills[i](60_000);
            }
        }));
        Assert.Equal(100 * Threads * one, used);
    }

    /// <summary>
    /// A program whose first thread makes the others and waits in one operator, so that what it executes is the same in every run. The last of the others wakes it.
    /// </summary>
    private static string Program(string start, string rest = "") => $"""
        (module
          (import "wasi" "thread-spawn" (func $spawn (param i32) (result i32)))
          (import "env" "memory" (memory 1 1 shared))
          (func $loop (param $n i32) (loop $l
            (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
          (func (export "wasi_thread_start") (param $number i32) (param $n i32) {start}
            (if (i32.eq (i32.atomic.rmw.sub (i32.const 8) (i32.const 1)) (i32.const 1))
              (then (i32.atomic.store (i32.const 0) (i32.const 1)) (drop (memory.atomic.notify (i32.const 0) (i32.const -1))))))
          (func (export "_start") (local $i i32)
            (local.set $i (i32.load (i32.const 8)))
            (loop $each
              (if (i32.le_s (call $spawn (i32.load (i32.const 16))) (i32.const 0)) (then (unreachable)))
              (br_if $each (local.tee $i (i32.sub (local.get $i) (i32.const 1)))))
            (drop (memory.atomic.wait32 (i32.const 0) (i32.const 0) (i64.const -1))))
          {rest})
        """;

    /// <summary>Runs a program whose memory has the number of its threads at 8, and what each gets at 16.</summary>
    private static void Run(Module module, Fuel fuel, int threads, int n, Memory? memory = null)
    {
        memory ??= NewMemory(module);
        memory.Write(8, threads);
        memory.Write(16, n);
        using var host = new WasiHost(new WasiOptions { MaximumThreads = Threads, Output = Stream.Null, Error = Stream.Null });
        host.Imports.Add("env", "memory", memory);
        host.Run(module, fuel);
    }

    private static Memory NewMemory(Module module, int most = 1) => new(new MemoryType(1, (ulong)most, IsShared: true), module.Shared.Placement, null);

    [Theory]
    [MemberData(nameof(Ways))]
    public void ThreadsOfAProgramLoseNoCharge(string way)
    {
        Module module = EngineOf(way).CompileText(Program("(call $loop (local.get $n))"));
        var fuel = new Fuel(1_000_000_000);
        long Used(int threads, int n) => Cost(fuel, () => Run(module, fuel, threads, n));
        long more = Used(1, 101_000) - Used(1, 1000);
        Assert.True(more >= 500_000);
        Assert.Equal(Threads * more, Used(Threads, 101_000) - Used(Threads, 1000));
        Assert.Equal(Used(Threads, 77), Used(Threads, 77));
    }

    /// <summary>
    /// What the threads have executed when the fuel ends is what there was, but for a share of each. They count in the memory what they do, which is the host's and stays.
    /// </summary>
    [Theory]
    [MemberData(nameof(Ways))]
    public void AProgramDoesNotOutlastItsFuel(string way)
    {
        const string body = """
            (local.set $n (i32.mul (local.get $number) (i32.const 64)))
            (loop $l (i64.store (i32.add (local.get $n) (i32.const 1024)) (i64.add (i64.load (i32.add (local.get $n) (i32.const 1024))) (i64.const 1))) (br $l))
            """;
        Module module = EngineOf(way).CompileText(Program(body));
        Instance alone = module.Instantiate(new Imports { { "wasi", "thread-spawn", (Func<int, int>)(_ => 1) }, { "env", "memory", NewMemory(module) } }, new Fuel(1_000_000));
        Assert.True(RunsOut(() => alone.GetExport<Action<int, int>>("wasi_thread_start")(1, 0)));
        long iteration = 1_000_000 / CountOf(alone.Memories[0]);
        const long amount = 3_000_000;
        var fuel = new Fuel(amount);
        Memory memory = NewMemory(module);
        Assert.True(RunsOut(() => Run(module, fuel, Threads, 0, memory)));
        long executed = CountOf(memory) * iteration;
        // The program itself, and that the quotient above is rounded.
        const long rest = 20_000;
        Assert.InRange(executed, amount - (Threads * Share) - rest, amount + SpentTwice + rest);
        Assert.InRange(fuel.Remaining, 0, Threads * Share);
    }

    private static long CountOf(Memory memory)
    {
        long sum = 0;
        for (ulong at = 1024; at < 60_000; at += 64) sum += memory.Read<long>(at);
        return sum;
    }

    /// <summary>A new thread costs what its instance costs, so that even a program whose threads end at once cannot go on making them.</summary>
    [Fact]
    public void MakingThreadsIsPaid()
    {
        Module module = EngineOf("compiled").CompileText("""
            (module
              (import "wasi" "thread-spawn" (func $spawn (param i32) (result i32))) (import "env" "memory" (memory 1 1 shared))
              (func (export "wasi_thread_start") (param i32 i32))
              (func (export "_start") (loop $l
                (if (i32.gt_s (call $spawn (i32.const 0)) (i32.const 0))
                  (then (i32.store (i32.const 4) (i32.add (i32.load (i32.const 4)) (i32.const 1)))))
                (br $l))))
            """);
        const long amount = 200_000;
        Memory memory = NewMemory(module);
        Assert.True(RunsOut(() => Run(module, new Fuel(amount), 1, 0, memory)));
        Assert.InRange(memory.Read<int>(4), 0, (int)(amount / 1000));
    }

    /// <summary>What a thread has taken and not used is there for the others when it has ended.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void ThreadsThatEndGiveBack(bool endsEarly)
    {
        Module module = EngineOf("compiled").CompileText($"""
            (module (import "env" "memory" (memory 1 20 shared)) (global (export "__stack_pointer") (mut i32) (i32.const 8192)) {Loop})
            """);
        var linker = new DynamicLinker(new MemoryNamespace());
        var fuel = new Fuel(100_000_000);
        var imports = new Imports { { "env", "memory", NewMemory(module, 20) } };
        Instance program = linker.Instantiate(module, imports, fuel);
        var first = program.GetExport<Action<int>>("f");
        first(1);
        long one = Cost(fuel, () => first(1)), iteration = Cost(fuel, () => first(2)) - one;
        DynamicThread[] threads = [.. Enumerable.Range(0, 8).Select(_ => linker.CreateThread())];
        Assert.Equal(8 * one, Cost(fuel, () => OnThreads(8, i => threads[i].GetFunction<Action<int>>(linker.Program, "f")(1))));
        if (endsEarly)
            foreach (DynamicThread thread in threads) thread.Dispose();
        // Now nothing but the first thread runs, and it needs all that is left, to the unit; or what threads that are there could still use stays theirs.
        int iterations = (int)((fuel.Remaining - one) / iteration) + 1;
        Assert.Equal(!endsEarly, RunsOut(() => first(iterations)));
        if (endsEarly) Assert.InRange(fuel.Remaining, 0, iteration - 1);
    }

    /// <summary>Instances that are called one after the other use it to the last unit, on one thread or on several.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void InstancesUseItToTheLastUnit(bool onThreads)
    {
        var fuel = new Fuel(60_000);
        Module module = EngineOf("compiled").CompileText($"(module (memory 1 1 shared) {Loop})");
        Action<int>[] calls = [.. Enumerable.Range(0, 3).Select(_ => module.Instantiate(fuel: fuel).GetExport<Action<int>>("f"))];
        long one = Cost(fuel, () => calls[0](100));
        bool isOut = false;
        for (int i = 0; !isOut; i++)
        {
            long before = fuel.Remaining;
            Action<int> call = calls[i % calls.Length];
            if (onThreads) OnThreads(1, _ => isOut = RunsOut(() => call(100)));
            else isOut = RunsOut(() => call(100));
            if (isOut) Assert.InRange(before, 0, one - 1);
            else Assert.Equal(one, before - fuel.Remaining);
        }
        fuel.Add(one);
        calls[1](100);
        Assert.Equal(0, fuel.Remaining);
    }

    /// <summary>Units can be added while threads run.</summary>
    [Fact]
    public void AddingMeanwhile()
    {
        var fuel = new Fuel(1_000_000);
        Module module = EngineOf("compiled").CompileText($"(module (memory 1 1 shared) {Loop})");
        Action<int>[] calls = [.. Enumerable.Range(0, Threads).Select(_ => module.Instantiate(fuel: fuel).GetExport<Action<int>>("f"))];
        long one = Cost(fuel, () => calls[0](10_000)), before = fuel.Remaining, added = 0;
        OnThreads(Threads, i =>
        {
            for (int n = 0; n < 100; n++)
            {
                fuel.Add(one);
                Interlocked.Add(ref added, one);
                calls[i](10_000);
            }
        });
        Assert.Equal(100 * Threads * one, added);
        Assert.Equal(before, fuel.Remaining);
        Assert.Throws<ArgumentOutOfRangeException>(() => fuel.Add(-1));
        fuel.Add(long.MaxValue);
        Assert.Equal(long.MaxValue, fuel.Remaining);
    }

    /// <summary>
    /// What a guest with threads makes itself runs on the share of its thread: modules that it compiles, functions that it makes, modules in it. None of them has a shared
    /// memory, and all use far more than a share.
    /// </summary>
    [Theory]
    [MemberData(nameof(Ways))]
    public void WhatAThreadMakesRunsOnItsShare(string way)
    {
        byte[] inner = Wat.ToBinary($"(module {Loop})");
        // No locals; what the function of the module does.
        byte[] body =
        [
            0, Opcode.Loop, TypeByte.EmptyBlock, Opcode.LocalGet, 0, Opcode.I32Const, 1, Opcode.I32Sub, Opcode.LocalTee, 0, Opcode.BrIf, 0, Opcode.End, Opcode.End,
        ];
        static string Text(byte[] bytes) => string.Concat(bytes.Select(b => $"\\{b:x2}"));
        Module module = EngineOf(way).CompileText($"""
            (module
              (type $f (func (param i32)))
              (type $M (module (export "f" (func (type $f)))))
              (type $I (instance (export "f" (func (type $f)))))
              (memory 1) (memory $shared 1 1 shared)
              (data (i32.const 0) "{Text(inner)}") (data (i32.const 512) "{Text(body)}")
              (scope $none)
              (module $nested {Loop})
              (instance $i (instantiate $nested))
              (alias $i "f" (func $in))
              (func (export "compiled") (param i32)
                (call_ref $f (local.get 0) (get_export $I "f" (instantiate $M (compile $M (i32.const 0) (i32.const {inner.Length}))))))
              (func (export "made") (param i32) (call_ref $f (local.get 0) (func.new $f $none (i32.const 512) (i32.const {body.Length}))))
              (func (export "nested") (param i32) (call $in (local.get 0))))
            """);
        var fuel = new Fuel(1_000_000_000);
        Instance[] instances = [.. Enumerable.Range(0, Threads).Select(_ => module.Instantiate(fuel: fuel))];
        foreach (string name in new[] { "compiled", "made", "nested" })
        {
            Action<int>[] calls = [.. instances.Select(i => i.GetExport<Action<int>>(name))];
            long one = Cost(fuel, () => calls[0](50_000));
            Assert.True(one > 4 * Share);
            Assert.Equal(2 * Threads * one, Cost(fuel, () => OnThreads(Threads, i =>
            {
                calls[i](50_000);
                calls[i](50_000);
            })));
        }
    }

    /// <summary>
    /// What is asked for in the midst of loops changes no variable: more of each type than have room aside, in parameters and locals, with loops in loops and functions that are
    /// put into them. The fuel is so little that shares are of 64 units.
    /// </summary>
    [Theory]
    [MemberData(nameof(Ways))]
    public void VariablesStayAsTheyAre(string way)
    {
        string[] types = ["i32", "i64", "f32", "f64"];
        const int each = 6;
        string Each(Func<string, int, string> text) => string.Concat(types.SelectMany(t => Enumerable.Range(0, each).Select(i => text(t, i))));
        string Name(string type, int i) => $"${type}{i}";
        string Step(string type, int i) =>
            $"(local.set {Name(type, i)} ({type}.add ({type}.mul (local.get {Name(type, i)}) ({type}.const {(type[0] == 'i' ? "3" : "0.5")})) (local.get {Name(type, (i + 1) % each)})))";
        string wat = $"""
            (module (memory (export "memory") 1 1 shared) (elem declare func $small) (global $sum (mut i64) (i64.const 0))
              (func $small (param i64) (result i64) (if (i64.eqz (local.get 0)) (then (global.set $sum (i64.const 1)))) (i64.add (local.get 0) (i64.const 7)))
              (func (export "f") (param $n i32) {string.Concat(Enumerable.Range(0, each).Select(i => $"(param $i64{i} i64) "))} (result i64)
                (local $k i32) (local $v v128) (local $r (ref null func)) {Each((t, i) => t == "i64" ? "" : $"(local {Name(t, i)} {t}) ")}
                {Each((t, i) => t == "i64" ? "" : $"(local.set {Name(t, i)} ({t}.const {i + 1}))")}
                (local.set $v (i32x4.splat (i32.const 5))) (local.set $r (ref.func $small))
                (loop $outer
                  {Each(Step)}
                  (local.set $k (i32.const 20))
                  (loop $inner
                    {Step("i32", 0)} {Step("i64", 1)} {Step("f32", 2)} {Step("f64", 3)}
                    (local.set $i640 (call $small (local.get $i640)))
                    (i32.store (i32.and (local.get $i320) (i32.const 0xfffc)) (local.get $k))
                    (local.set $v (i32x4.add (local.get $v) (i32x4.splat (local.get $k))))
                    (br_if $inner (local.tee $k (i32.sub (local.get $k) (i32.const 1)))))
                  (br_if $outer (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
                (global.set $sum (i64.add (i64.extend_i32_u (i32x4.extract_lane 2 (local.get $v))) (i64.extend_i32_u (ref.is_null (local.get $r)))))
                {Each((t, i) => $"(global.set $sum (i64.add (i64.mul (global.get $sum) (i64.const 31)) {Bits(t, Name(t, i))}))")}
                (global.get $sum)))
            """;
        static string Bits(string type, string name) => type switch
        {
            "i32" => $"(i64.extend_i32_u (local.get {name}))",
            "i64" => $"(local.get {name})",
            "f32" => $"(i64.extend_i32_u (i32.reinterpret_f32 (local.get {name})))",
            _ => $"(i64.reinterpret_f64 (local.get {name}))",
        };
        long Call(Instance instance) => instance.GetExport<Func<int, long, long, long, long, long, long, long>>("f")(9, 1, 2, 3, 4, 5, 6);
        long expected = Call(new Engine(Tiers.Compiled).CompileText(wat).Instantiate());
        Module module = EngineOf(way).CompileText(wat);
        var fuel = new Fuel(1_000_000);
        Instance instance = module.Instantiate(fuel: fuel);
        long cost = Cost(fuel, () => Assert.Equal(expected, Call(instance)));
        for (int more = 0; more < 400; more += 7)
        {
            instance.Fuel = new Fuel(cost + more);
            Assert.Equal(expected, Call(instance));
            Assert.Equal(more, instance.Fuel.Remaining);
        }
        instance.Fuel = new Fuel(cost - 1);
        Assert.True(RunsOut(() => Call(instance)));
    }

    /// <summary>Modules whose code asks for more: those with shared memories, those that make threads, those in them, and what such guests make. Saved ones say it.</summary>
    [Fact]
    public void ModulesThatMayHaveThreads()
    {
        Engine engine = EngineOf("compiled");
        bool Of(string wat) => engine.CompileText(wat).Info.IsForThreads;
        Assert.True(Of("(module (memory 1 1 shared))"));
        Assert.True(Of("(module (import \"m\" \"m\" (memory 1 1 shared)))"));
        Assert.True(Of("(module (type (memory 1 1 shared)))"));
        Assert.True(Of("(module (import \"wasi\" \"thread-spawn\" (func (param i32) (result i32))))"));
        Assert.True(Of("(module (module (memory 1 1 shared)))"));
        Assert.False(Of("(module (import \"env\" \"thread-spawn\" (func (param i32) (result i32))) (memory 1 1) (module (memory 1)))"));
        Module inner = engine.CompileOwned(Wat.ToBinary($"(module {Loop})"), isForThreads: true);
        Assert.True(inner.Info.IsForThreads);
        var saved = new MemoryStream();
        inner.Save(saved);
        saved.Position = 0;
        Module loaded = engine.LoadSaved(saved);
        Assert.True(loaded.Info.IsForThreads);
        Assert.Contains(FunctionCode.Of(loaded.Info, engine.CodeOptions).EmitIl(0).Listing(), line => line.Text.Contains(nameof(Fuel.Draw), StringComparison.Ordinal));
        var fuel = new Fuel(10_000_000);
        Instance first = loaded.Instantiate(fuel: fuel), second = loaded.Instantiate(fuel: fuel);
        long one = Cost(fuel, () => first.GetExport<Action<int>>("f")(100_000));
        Assert.True(one > 4 * Share);
        Assert.Equal(one, Cost(fuel, () => second.GetExport<Action<int>>("f")(100_000)));
        Assert.True(RunsOut(() => second.GetExport<Action<int>>("f")(-1)));
    }

    /// <summary>Code that is not for threads ends where its fuel does: it runs on the whole, whatever the guest is given that makes it.</summary>
    [Fact]
    public void OtherCodeRunsOnTheWhole()
    {
        Engine engine = EngineOf("compiled");
        var fuel = new Fuel(10_000_000);
        Instance threaded = engine.CompileText($"(module (memory 1 1 shared) {Loop})").Instantiate(fuel: fuel);
        threaded.GetExport<Action<int>>("f")(1);
        Module plain = engine.CompileText($"(module {Loop})");
        Instance other = global::WasmJit.Linking.Linker.Instantiate(plain, [], threaded.FuelTank);
        Assert.NotSame(fuel, threaded.FuelTank);
        Assert.Same(fuel, other.FuelTank);
        long one = Cost(fuel, () => threaded.GetExport<Action<int>>("f")(100_000));
        Assert.Equal(one, Cost(fuel, () => other.GetExport<Action<int>>("f")(100_000)));
        threaded.Dispose();
        Assert.Equal(fuel.Left, fuel.Remaining);
    }
}
