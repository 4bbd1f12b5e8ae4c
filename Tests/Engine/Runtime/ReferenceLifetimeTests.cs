using System.Runtime.CompilerServices;
using Xunit;

namespace WasmJit.Tests.Runtime;

/// <summary>
/// Memories that only a local, an operand or a slice of a guest refers to live as long as they are used; and what nothing uses is
/// collected, in whatever cycle it is.
/// </summary>
public sealed class ReferenceLifetimeTests
{
    private static readonly Imports Host = new() { { "host", "collect", (Action)Collect } };

    private static void Collect()
    {
        for (int i = 0; i < 2; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }
        // What the collector freed is in use again at once, and not zero.
        var other = new Memory(new MemoryType(1));
        other.Span.Fill(0xee);
        GC.KeepAlive(other);
    }

    /// <summary>The memory of a local is used again after collections; that of an operand while its value is computed.</summary>
    [Theory]
    [InlineData(MemoryChecks.Guard)]
    [InlineData(MemoryChecks.Explicit)]
    public void MemoriesInUseLive(MemoryChecks checks)
    {
        Instance instance = new Engine(new EngineOptions { MemoryChecks = checks }).CompileText("""
            (module
              (type $m (memory 1))
              (import "host" "collect" (func $collect))
              (func $collected (param i32) (result i32) (call $collect) (local.get 0))
              (func (export "local") (param $n i32) (result i32)
                (local $r (ref null $m))
                (local.set $r (memory.new $m))
                (i32.store (ref $m) (local.get $r) (i32.const 8) (i32.const 1))
                (loop $next
                  (call $collect)
                  (i32.store (ref $m) (local.get $r) (i32.const 8)
                    (i32.add (i32.load (ref $m) (local.get $r) (i32.const 8)) (i32.const 1)))
                  (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
                (i32.load (ref $m) (local.get $r) (i32.const 8)))
              (func $fresh (param $x i32) (result (ref $m))
                (local $r (ref null $m))
                (local.set $r (memory.new $m))
                (i32.store (ref $m) (local.get $r) (i32.const 8) (local.get $x))
                (ref.as_non_null (local.get $r)))
              (func (export "operand") (result i32)
                (i32.load (ref $m) (call $fresh (i32.const 77)) (call $collected (i32.const 8))))
              (func (export "atomic") (result i32)
                (i32.atomic.rmw.add (ref $m) (call $fresh (i32.const 77)) (call $collected (i32.const 8)) (call $collected (i32.const 1))))
              (func (export "store")
                (i32.store (ref $m) (call $fresh (i32.const 77)) (i32.const 8) (call $collected (i32.const 1))))
              (func (export "slice") (result i32)
                (local $s (ref null slice))
                (local.set $s (slice.new (ref $m) (call $fresh (i32.const 78)) (i32.const 8) (i32.const 4)))
                (call $collect)
                (i32.load (ref slice) (local.get $s) (i64.const 0)))
              (func (export "slice-operand") (result i32)
                (i32.load (ref slice)
                  (slice.sub (slice.new (ref $m) (call $fresh (i32.const 79)) (i32.const 4) (i32.const 8)) (i64.const 4) (i64.const 4))
                  (i64.extend_i32_u (call $collected (i32.const 0))))))
            """).Instantiate(Host);
        Assert.Equal(21, instance.GetExport<Func<int, int>>("local")(20));
        for (int i = 0; i < 3; i++)
        {
            Assert.Equal(77, instance.GetExport<Func<int>>("operand")());
            Assert.Equal(77, instance.GetExport<Func<int>>("atomic")());
            instance.GetExport<Action>("store")();
            Assert.Equal(78, instance.GetExport<Func<int>>("slice")());
            Assert.Equal(79, instance.GetExport<Func<int>>("slice-operand")());
        }
    }

    /// <summary>A loop without calls: another thread collects while it runs.</summary>
    [Theory]
    [InlineData(MemoryChecks.Guard)]
    [InlineData(MemoryChecks.Explicit)]
    public void ALoopKeepsTheMemoryOfItsLocal(MemoryChecks checks)
    {
        Instance instance = new Engine(new EngineOptions { MemoryChecks = checks }).CompileText("""
            (module
              (type $m (memory 1))
              (memory (export "flags") 1)
              (func (export "f") (result i32)
                (local $r (ref null $m)) (local $n i32)
                (local.set $r (memory.new $m))
                (i32.store (ref $m) (local.get $r) (i32.const 0) (i32.const 5))
                (i32.store (i32.const 0) (i32.const 1))
                (loop $next
                  (i32.store (ref $m) (local.get $r) (i32.const 8) (local.get $n))
                  (local.set $n (i32.add (local.get $n) (i32.const 1)))
                  (if (i32.ne (i32.load (ref $m) (local.get $r) (i32.const 0)) (i32.const 5)) (then (unreachable)))
                  (br_if $next (i32.eqz (i32.load8_u (i32.const 4)))))
                (i32.load (ref $m) (local.get $r) (i32.const 0))))
            """).Instantiate();
        Memory flags = instance.GetExport<Memory>("flags");
        Func<int> f = instance.GetExport<Func<int>>("f");
        int result = 0;
        var thread = new Thread(() => result = f());
        thread.Start();
        Assert.True(Eventually.Holds(() => flags.Read<int>(0) != 0));
        for (int i = 0; i < 5; i++) Collect();
        flags.Write(4, 1);
        Assert.True(thread.Join(Eventually.Patience));
        Assert.Equal(5, result);
    }

    /// <summary>What refers to the second instance, and by what; each refers back.</summary>
    public static TheoryData<string> Cycles => ["table", "global", "memory", "struct", "slice", "instance", "delegate"];

    [Theory]
    [MemberData(nameof(Cycles))]
    public void CyclesAreCollectedWhileTheRestRunsOn(string by)
    {
        Instance hub = new Engine().CompileText("""
            (module (table (export "t") 1 anyref) (func (export "f") (param i32) (result i32) (local.get 0)))
            """).Instantiate();
        WeakReference[] gone = MakeCycle(hub.Module.Engine, by);
        Eventually.Collected(gone);
        Assert.Equal([], gone.Select((g, i) => (g.IsAlive, i)).Where(g => g.IsAlive).Select(g => g.i));
        Assert.Equal(3, hub.GetExport<Func<int, int>>("f")(3));
    }

    /// <summary>Two guests that refer to each other, compiled and made by a third; gives instances, modules, memories and code.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static WeakReference[] MakeCycle(Engine engine, string by)
    {
        const string Guest = """
            (module
              (type $m (memory 1)) (type $g (global (mut anyref))) (type $t (table 1 anyref)) (type $box (struct (field (mut anyref))))
              (memory $m (export "memory") 1)
              (table $t (export "table") 1 anyref)
              (table $fn (export "functions") 1 funcref)
              (global $g (export "global") (mut anyref) (ref.null any))
              (global $own (mut anyref) (ref.null any))
              (func (export "f") (param i32) (result i32) (i32.load (local.get 0)))
              (func (export "own table") (result anyref) (ref.table $t))
              (func (export "own global") (result anyref) (ref.global $g))
              (func (export "own memory") (result anyref) (ref.memory $m))
              (func (export "own struct") (result anyref) (global.set $own (struct.new $box (ref.table $t))) (global.get $own))
              (func (export "own slice") (result anyref) (slice.new $m (i32.const 0) (i32.const 8)))
              (func (export "put") (param anyref) (table.set $t (i32.const 0) (struct.new $box (local.get 0))) (global.set $g (local.get 0))))
            """;
        Module first = engine.CompileText(Guest), second = engine.CompileText(Guest);
        Instance a = first.Instantiate(), b = second.Instantiate();
        foreach ((Instance from, Instance to) in new[] { (a, b), (b, a) })
        {
            // The code runs, so that it is there to be collected.
            Assert.Equal(0, from.GetExport<Func<int, int>>("f")(8));
            if (by == "delegate")
            {
                from.GetExport<Table>("functions")[0] = to.GetExport<Func<int, int>>("f");
                continue;
            }
            object given = by == "instance" ? to : to.GetExport<Func<object>>("own " + by)();
            from.GetExport<Action<object>>("put")(given);
        }
        return
        [
            new(a), new(b), new(first), new(second), new(a.GetExport<Memory>("memory")), new(b.GetExport<Memory>("memory")),
            new(first.Shared.Code), new(second.Shared.Code),
        ];
    }
}
