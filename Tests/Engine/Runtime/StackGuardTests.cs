using WasmJit.Runtime;
using Xunit;

namespace WasmJit.Tests.Runtime;

/// <summary>The map of red zones.</summary>
public sealed unsafe class StackGuardTests
{
    private const ulong Granule = 1UL << StackGuard.GranuleLog2;

    /// <summary>Addresses where no thread of this process can have its stack.</summary>
    private const ulong Nowhere = 0x100_0000_0000;

    private static byte At(ulong address) => StackGuard.Map[address >> StackGuard.GranuleLog2];

    [Fact]
    public void MarksTheLowEndAndUnmarksIt()
    {
        if (StackGuard.Map is null) return;
        ulong low = Nowhere + 0x1234000, high = low + (1 << 20);
        StackGuard.Zone? zone = StackGuard.Mark(low, high);
        ulong red = StackGuard.RedZoneOf(high - low);
        Assert.Equal(256UL * 1024, red);
        Assert.Equal(0, At(low - Granule));
        for (ulong at = low + Granule; at < low + red; at += Granule) Assert.Equal(1, At(at));
        Assert.Equal(0, At(low + red + Granule));
        Assert.Equal(0, At(high));
        StackGuard.Unmark(zone);
        for (ulong at = low - Granule; at < high; at += Granule) Assert.Equal(0, At(at));
        StackGuard.Unmark(zone);
    }

    [Fact]
    public void AStackBesideAnotherIsNotTouched()
    {
        if (StackGuard.Map is null) return;
        // The upper stack begins in the middle of a granule whose lower half is the top of the lower stack.
        ulong border = Nowhere + 0x20000000 + (Granule / 2);
        StackGuard.Zone? lower = StackGuard.Mark(border - (1 << 20), border), upper = StackGuard.Mark(border, border + (1 << 20));
        Assert.Equal(0, At(border - 8));
        Assert.Equal(1, At(border + Granule));
        Assert.Equal(1, At(border - (1 << 20) + Granule));
        StackGuard.Unmark(upper);
        Assert.Equal(1, At(border - (1 << 20) + Granule));
        StackGuard.Unmark(lower);
        Assert.Equal(0, At(border - (1 << 20) + Granule));
    }

    [Fact]
    public void ANewStackTakesThePlaceOfOldOnes()
    {
        if (StackGuard.Map is null) return;
        ulong low = Nowhere + 0x40000000;
        StackGuard.Zone? old = StackGuard.Mark(low, low + (1 << 20)), other = StackGuard.Mark(low + (1 << 20), low + (2 << 20));
        StackGuard.Zone? taken = StackGuard.Mark(low + (512 << 10), low + (4 << 20));
        Assert.Equal(0, At(low + Granule));
        Assert.Equal(1, At(low + (512 << 10) + Granule));
        Assert.Equal(0, At(low + (1 << 20) + Granule));
        // The finalizers of threads that ended long ago change nothing.
        StackGuard.Unmark(old);
        StackGuard.Unmark(other);
        Assert.Equal(1, At(low + (512 << 10) + Granule));
        StackGuard.Unmark(taken);
        Assert.Equal(0, At(low + (512 << 10) + Granule));
    }

    [Theory]
    [InlineData(16, 8)]
    [InlineData(128, 64)]
    [InlineData(256, 128)]
    [InlineData(512, 128)]
    [InlineData(1024, 256)]
    [InlineData(8192, 256)]
    public void SmallStacksHaveSmallRedZones(int stack, int red) =>
        Assert.Equal((ulong)red << 10, StackGuard.RedZoneOf((ulong)stack << 10));

    [Fact]
    public void ThreadsThatEndAreUnmarkedAndTheirSuccessorsAreNot()
    {
        if (StackGuard.Map is null) return;
        for (int round = 0; round < 20; round++)
        {
            byte during = 0;
            ulong low = 0;
            var thread = new Thread(
                () =>
                {
                    WasmThread.EnsureRegistered();
                    low = WasmThread.Current.StackLow;
                    // Threads that ended before on this stack are finalized while this one runs.
                    GC.Collect();
                    GC.WaitForPendingFinalizers();
                    during = At(low + Granule);
                }, 512 << 10);
            thread.Start();
            thread.Join();
            Assert.Equal(1, during);
        }
    }

    [Fact]
    public void HugeFramesAskForRoom()
    {
        Exception? small = null, large = null;
        var thread = new Thread(
            () =>
            {
                small = Record.Exception(() => StackGuard.EnsureSpace(64 << 10));
                large = Record.Exception(() => StackGuard.EnsureSpace(2 << 20));
            }, 1 << 20);
        thread.Start();
        thread.Join();
        Assert.Null(small);
        Assert.Equal(TrapKind.CallStackExhausted, Assert.IsType<TrapException>(large).Kind);
    }
}
