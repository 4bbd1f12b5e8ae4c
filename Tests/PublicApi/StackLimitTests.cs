using Xunit;

namespace WasmJit.Tests.PublicApi;

/// <summary>A maximum stack for guests, and what a trap at the end of a deep stack keeps.</summary>
public sealed class StackLimitTests
{
    private const string Text = """
        (module $deep
          (import "host" "again" (func $again))
          (global $depth (export "depth") (mut i32) (i32.const 0))
          (func $down (export "down") (global.set $depth (i32.add (global.get $depth) (i32.const 1))) (call $down) (global.set $depth (i32.const 0)))
          (func $count (export "count") (param i32) (result i32)
            (if (result i32) (i32.eqz (local.get 0)) (then (i32.const 0))
              (else (i32.add (i32.const 1) (call $count (i32.sub (local.get 0) (i32.const 1)))))))
          (func (export "through") (param i32)
            (if (local.get 0) (then (drop (call $count (local.get 0)))))
            (call $again))
          (func $spin (export "spin") (param i32) (loop $l (drop (call $count (i32.const 3))) (br $l))))
        """;

    private static Instance Make(long? maximum, Action? again = null, Compilation compilation = Compilation.Lazy) =>
        new Engine(new EngineOptions { MaximumStack = maximum, Compilation = compilation, Interruptible = true, Inlining = false })
            .CompileText(Text).Instantiate(new Imports { { "host", "again", again ?? (() => { }) } });

    private static void OnLargeThread(Action action)
    {
        Exception? error = null;
        var thread = new Thread(() => error = Record.Exception(action), 16 << 20);
        thread.Start();
        thread.Join();
        if (error is not null) throw new Xunit.Sdk.XunitException(error.ToString());
    }

    private static int Depth(Instance instance)
    {
        instance.GetExport<Global>("depth").Value = 0;
        Assert.Equal(TrapKind.CallStackExhausted, Assert.Throws<TrapException>(instance.GetExport<Action>("down")).Kind);
        return (int)instance.GetExport<Global>("depth").Value!;
    }

    [Fact]
    public void TheDepthIsInProportion() => OnLargeThread(() =>
    {
        int usual = Depth(Make(null));
        int small = Depth(Make(256 << 10)), large = Depth(Make(2 << 20)), largest = Depth(Make(14 << 20));
        Assert.InRange(large, small * 7, small * 9);
        Assert.InRange(largest, large * 6.5, large * 7.5);
        Assert.InRange(usual, large * 0.9, large * 1.1);
        Assert.InRange(small, 256 * 1024 / 200, 256 * 1024 / 16);
        // Nothing is left behind, by returns or by traps.
        Assert.InRange(Depth(Make(null)), usual - 2000, usual + 2000);
        // More than there is is what there is; the system may have given the thread more than it asked for.
        Assert.InRange(Depth(Make(1L << 40)), largest - 2000, largest * 5);
    });

    [Fact]
    public void HostFunctionsAndOtherGuestsInBetweenCount() => OnLargeThread(() =>
    {
        Instance other = Make(null);
        int whole = Depth(Make(1 << 20)), inner = 0;
        Instance outer = Make(1 << 20, () => inner = Depth(other));
        outer.GetExport<Action<int>>("through")(0);
        Assert.InRange(inner, whole * 8 / 10, whole * 11 / 10);
        // A limit inside of a limit: the nearer end counts, and the outer one is back afterwards.
        Instance tight = Make(128 << 10);
        int tightest = 0, after = 0;
        outer = Make(1 << 20, () =>
        {
            tightest = Depth(tight);
            after = Depth(other);
        });
        outer.GetExport<Action<int>>("through")(0);
        Assert.InRange(tightest, 1, whole / 6);
        Assert.InRange(after, whole * 8 / 10, whole * 11 / 10);
        Instance wide = Make(8 << 20);
        outer = Make(1 << 20, () => inner = Depth(wide));
        outer.GetExport<Action<int>>("through")(0);
        Assert.InRange(inner, whole * 8 / 10, whole * 11 / 10);
    });

    [Fact]
    public void CancellationAndLimitsGoTogether() => OnLargeThread(() =>
    {
        int whole = Depth(Make(512 << 10));
        Instance instance = Make(512 << 10);
        for (int i = 0; i < 5; i++)
        {
            using var source = new CancellationTokenSource(20);
            Assert.ThrowsAny<OperationCanceledException>(() => Guest.Run(() => instance.GetExport<Action<int>>("spin")(0), source.Token));
            Assert.InRange(Depth(instance), whole - 600, whole + 600);
        }
        int inside = 0;
        using var late = new CancellationTokenSource();
        Instance other = Make(512 << 10, () =>
        {
            late.Cancel();
            inside++;
        });
        // Cancelled while the limit holds: the mark for it stays.
        Assert.ThrowsAny<OperationCanceledException>(() => Guest.Run(
            () =>
            {
                other.GetExport<Action<int>>("through")(1);
                instance.GetExport<Action>("down")();
            }, late.Token));
        Assert.Equal(1, inside);
        Assert.InRange(Depth(Make(512 << 10)), whole - 600, whole + 600);
        Assert.True(Depth(Make(null)) > whole * 3);
    });

    [Fact]
    public void LargeStacksAreUsedByThoseWhoAskForThem()
    {
        int usual = 0, large = 0;
        var thread = new Thread(
            () =>
            {
                usual = Depth(Make(null));
                large = Depth(Make(40 << 20));
            }, 64 << 20);
        thread.Start();
        thread.Join();
        Assert.InRange(usual, (2 << 20) / 200, (2 << 20) / 16);
        Assert.InRange(large, usual * 19, usual * 21);
    }

    [Fact]
    public void SavedModulesObeyIt() => OnLargeThread(() =>
    {
        var stream = new MemoryStream();
        new Engine(new EngineOptions { Interruptible = true, Inlining = false }).CompileText(Text).Save(stream);
        stream.Position = 0;
        Instance saved = new Engine(new EngineOptions { MaximumStack = 256 << 10, Interruptible = true, Inlining = false }).LoadSaved(stream)
            .Instantiate(new Imports { { "host", "again", () => { } } });
        Assert.InRange(Depth(saved), 256 * 1024 / 200, 256 * 1024 / 16);
    });

    [Fact]
    public void LimitsThatCannotWorkAreErrors()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new EngineOptions { MaximumStack = 65535 });
        Assert.Throws<ArgumentOutOfRangeException>(() => new EngineOptions { MaximumStack = -1 });
        Assert.Throws<ArgumentException>(() => new Engine(new EngineOptions { MaximumStack = 1 << 20, Compilation = Compilation.Never }));
    }

    [Fact]
    public void ADeepTrapKeepsBothEnds() => OnLargeThread(() =>
    {
        Instance instance = Make(15 << 20);
        Action down = instance.GetExport<Action>("down");
        Record.Exception(down);
        TrapException trap = Assert.Throws<TrapException>(down);
        long before = GC.GetAllocatedBytesForCurrentThread();
        IReadOnlyList<WasmFrame> frames = trap.WasmStack;
        string text = trap.ToString();
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.InRange(allocated, 0, 1 << 20);
        Assert.InRange(text.Length, 10, 20_000);
        Assert.InRange(frames.Count, 100, 102);
        WasmFrame middle = Assert.Single(frames, f => f.Omitted != 0);
        Assert.InRange(middle.Omitted, 200_000, 1_000_000);
        Assert.Equal($"... {middle.Omitted} frames ...", middle.ToString());
        Assert.All(frames, f => Assert.True(f.Omitted != 0 || f.ToString() == "deep!down"));
        Assert.NotEqual(0, frames.ToList().IndexOf(middle));
    });

    /// <summary>An exception of the guest's that comes from deep below.</summary>
    [Fact]
    public void ADeepExceptionKeepsBothEnds() => OnLargeThread(() =>
    {
        var f = new Engine(new EngineOptions { Inlining = false }).CompileText("""
            (module (tag $t)
              (func $in (export "f") (param i32) (result i32)
                (if (i32.eqz (local.get 0)) (then (throw $t)))
                (i32.add (call $in (i32.sub (local.get 0) (i32.const 1))) (i32.const 1))))
            """).Instantiate().GetExport<Func<int, int>>("f");
        WasmException e = Assert.Throws<WasmException>(() => f(5_000));
        Assert.InRange(e.ToString().Length, 10, 30_000);
        Assert.Equal(5_001 - 100, Assert.Single(e.WasmStack, frame => frame.Omitted != 0).Omitted);
        // Small ones are whole.
        Assert.Equal(51, Assert.Throws<WasmException>(() => f(50)).WasmStack.Count);
        Assert.Contains("at ", Assert.Throws<WasmException>(() => f(50)).StackTrace);
    });
}
