using System.Runtime.CompilerServices;
using Xunit;

namespace WasmJit.Tests.Runtime;

/// <summary>An instance whose code runs keeps its memory and globals, even if nothing else refers to it any more.</summary>
public sealed class LifetimeTests
{
    /// <summary>Waits in a loop for a byte of its memory, and never returns.</summary>
    private const string Waits = """
        (module (memory (export "m") 1) (global $g (mut i32) (i32.const 0))
          (func (export "f")
            (i32.store (i32.const 4) (i32.const 1))
            (loop ;; the store keeps the compiler from reading the byte only once
              (i32.store (i32.const 12) (i32.const 1))
              (br_if 0 (i32.eqz (i32.load8_u (i32.const 0)))))
            (i32.store (i32.const 8) (i32.const 1))
            (unreachable)))
        """;

    /// <summary>Holds the value of a global in the making while it calls.</summary>
    private const string Assigns = """
        (module (import "host" "wait" (func $wait (result i32))) (global $g (mut i32) (i32.const 0))
          (func (export "f") (global.set $g (call $wait))))
        """;

    private const string Calls = """
        (module (table (export "t") 1 funcref) (type $v (func))
          (func (export "run") (call_indirect (type $v) (i32.const 0))))
        """;

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static (WeakReference<Instance> Callee, Thread Thread, Table Table) Start(
        string text, Imports? imports, bool explicitly)
    {
        var engine = new Engine(new EngineOptions { MemoryChecks = explicitly ? MemoryChecks.Explicit : MemoryChecks.Guard });
        Instance callee = engine.CompileText(text).Instantiate(imports), caller = engine.CompileText(Calls).Instantiate();
        Table table = caller.GetExport<Table>("t");
        table[0] = callee.GetExport<Action>("f");
        Action run = caller.GetExport<Action>("run");
        var thread = new Thread(() => Record.Exception(run)) { IsBackground = true };
        return (new WeakReference<Instance>(callee), thread, table);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static bool IsRunning(WeakReference<Instance> callee) =>
        callee.TryGetTarget(out Instance? instance) && instance.GetExport<Memory>("m").Read<int>(4) != 0;

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static bool Stop(WeakReference<Instance> callee)
    {
        if (!callee.TryGetTarget(out Instance? instance)) return false;
        instance.GetExport<Memory>("m").Write(0, (byte)1);
        return true;
    }

    private static void Collect()
    {
        for (int i = 0; i < 3; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void ALoopThatNeverReturnsKeepsItsMemory(bool explicitly)
    {
        (WeakReference<Instance> callee, Thread thread, Table table) = Start(Waits, null, explicitly);
        thread.Start();
        Assert.True(Eventually.Holds(() => IsRunning(callee)));
        table[0] = null;
        Collect();
        Assert.True(Stop(callee));
        Assert.True(thread.Join(Eventually.Patience));
        Assert.True(Eventually.Collected(() => !callee.TryGetTarget(out _)));
    }

    [Fact]
    public void AnAssignmentInTheMakingKeepsItsGlobal()
    {
        using var inside = new ManualResetEventSlim();
        using var go = new ManualResetEventSlim();
        Func<int> wait = () =>
        {
            inside.Set();
            go.Wait();
            return 5;
        };
        var imports = new Imports { { "host", "wait", wait } };
        (WeakReference<Instance> callee, Thread thread, Table table) = Start(Assigns, imports, false);
        thread.Start();
        Assert.True(inside.Wait(Eventually.Patience));
        table[0] = null;
        Collect();
        bool alive = callee.TryGetTarget(out _);
        go.Set();
        Assert.True(thread.Join(Eventually.Patience));
        Assert.True(alive);
    }
}
