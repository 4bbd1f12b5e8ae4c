using System.Runtime.CompilerServices;
using WasmJit.Runtime;
using Xunit;

namespace WasmJit.Tests.Runtime;

/// <summary>Linear memories: bounds, growth, and what becomes of their address space.</summary>
public sealed class MemoryTests
{
    private const int Page = 65536;

    [Fact]
    public void EveryMemberChecksBounds()
    {
        var memory = new Memory(new MemoryType(1));
        memory.Write(Page - 8, 0x1122334455667788L);
        Assert.Equal(0x11223344, memory.Read<int>(Page - 4));
        Assert.Throws<ArgumentOutOfRangeException>(() => memory.Read<int>(Page - 3));
        Assert.Throws<ArgumentOutOfRangeException>(() => memory.Write(ulong.MaxValue, (byte)1));
        Assert.Throws<ArgumentOutOfRangeException>(() => memory.Slice(Page - 1, 2).Length);
        Assert.Throws<ArgumentOutOfRangeException>(() => memory.Slice(0, -1).Length);
        Assert.Throws<ArgumentOutOfRangeException>(() => memory.WriteString(Page - 3, "four"));
        Assert.Throws<ArgumentOutOfRangeException>(() => memory.WriteBytes(Page, [1]));
        Assert.Equal(0, memory.Slice(Page, 0).Length);
        Assert.Equal(3, memory.WriteString(10, "aé"));
        Assert.Equal("aé", memory.ReadString(10, 3));
        Assert.Equal(Page, memory.Span.Length);
    }

    [Fact]
    public void GrowthKeepsTheContentAndStopsAtTheMaximum()
    {
        var memory = new Memory(new MemoryType(1, 3));
        memory.Write(100, 7);
        Assert.Equal(1, memory.Grow(2));
        Assert.Equal(-1, memory.Grow(1));
        Assert.Equal(-1, memory.Grow(ulong.MaxValue));
        Assert.Equal(3, memory.Grow(0));
        Assert.Equal(3UL, memory.PageCount);
        Assert.Equal(7, memory.Read<int>(100));
        Assert.Equal(0, memory.Slice(Page, 2 * Page).IndexOfAnyExcept((byte)0) + 1);
    }

    [Fact]
    public void A32BitMemoryReaches4GiBAndNoFurther()
    {
        var memory = new Memory(new MemoryType(0));
        Assert.Equal(0, memory.Grow(65536));
        Assert.Equal(-1, memory.Grow(1));
        memory.Write(0xffff_ffff, (byte)5);
        Assert.Equal(5, memory.Read<byte>(0xffff_ffff));
        Assert.Throws<ArgumentOutOfRangeException>(() => memory.Read<short>(0xffff_ffff));
    }

    [Fact]
    public void GrowthFromManyThreadsLosesNothing()
    {
        var memory = new Memory(new MemoryType(0, 1000) { IsShared = true });
        var seen = new int[1000];
        Parallel.For(0, 8, _ =>
        {
            long before;
            while ((before = memory.Grow(1)) >= 0)
            {
                Interlocked.Increment(ref seen[before]);
                memory.Write(((ulong)before * Page) + 8, before);
            }
        });
        Assert.All(seen, n => Assert.Equal(1, n));
        for (int i = 0; i < 1000; i++) Assert.Equal(i, memory.Read<long>(((ulong)i * Page) + 8));
    }

    [Fact]
    public void A64BitMemoryWithoutMaximumGrows()
    {
        var memory = new Memory(new MemoryType(0) { Is64 = true });
        Assert.Equal(0, memory.Grow(100_000));
        memory.Write((100_000UL * Page) - 8, 42L);
        Assert.Equal(42, memory.Read<long>((100_000UL * Page) - 8));
        Assert.Equal(-1, memory.Grow(1UL << 47));
    }

    [Fact]
    public void AMemoryThatCannotBeIsRefused() =>
        Assert.Throws<InsufficientMemoryException>(() => new Memory(new MemoryType(1UL << 47) { Is64 = true }));

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Dirty(int pages)
    {
        var memory = new Memory(new MemoryType((ulong)pages));
        for (ulong at = 0; at < memory.Length; at += 512) memory.Write(at, -1L);
    }

    private static void Collect()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
    }

    [Theory]
    [InlineData(1)]
    [InlineData(16)]
    [InlineData(100)]
    public void APooledMemoryIsZeroAgain(int pages)
    {
        for (int round = 0; round < 20; round++)
        {
            Dirty(pages);
            Collect();
            var larger = new Memory(new MemoryType((ulong)pages + 1));
            var smaller = new Memory(new MemoryType(1));
            Assert.Equal(-1, larger.Span.IndexOfAnyExcept((byte)0));
            Assert.Equal(-1, smaller.Span.IndexOfAnyExcept((byte)0));
        }
    }

    [Fact]
    public void AFreshMemoryEndsWhereItsTypeSaysEvenInALargerSlot()
    {
        Module module = new Engine().CompileText(
            """(module (memory (export "m") 1) (func (export "f") (param i32) (result i32) (i32.load8_u (local.get 0))))""");
        for (int round = 0; round < 10; round++)
        {
            Dirty(8);
            Collect();
            Instance instance = module.Instantiate();
            Func<int, int> f = instance.GetExport<Func<int, int>>("f");
            Assert.Equal(0, f(Page - 1));
            Assert.Equal(TrapKind.OutOfBoundsMemoryAccess, Assert.Throws<TrapException>(() => f(Page)).Kind);
            Assert.Equal(0, instance.GetExport<Memory>("m").Grow(1) - 1);
            Assert.Equal(0, f(Page));
        }
    }

    [Fact]
    public void DroppedMemoriesGiveTheirAddressSpaceBack()
    {
        // More than the address space of a process has room for, and the collector sees only small objects.
        int before = AddressSpace.Slots;
        for (int i = 0; i < 20_000; i++) GC.KeepAlive(new Memory(new MemoryType(0)));
        // Tests beside this one take some, too.
        Assert.InRange(AddressSpace.Slots - before, 0, 4096);
    }

    [Fact]
    public void Dropped64BitMemoriesGiveTheirAddressSpaceBack()
    {
        for (int i = 0; i < 4000; i++) GC.KeepAlive(new Memory(new MemoryType(1) { Is64 = true }));
    }

    [Fact]
    public void ThousandsOfMemoriesLiveSideBySide()
    {
        var memories = new Memory[3000];
        for (int i = 0; i < memories.Length; i++)
        {
            memories[i] = new Memory(new MemoryType(1));
            memories[i].Write(16, i);
        }
        for (int i = 0; i < memories.Length; i++) Assert.Equal(i, memories[i].Read<int>(16));
    }

    private sealed class UsesMemoryInItsFinalizer(Memory memory, int[] result)
    {
        ~UsesMemoryInItsFinalizer() => result[0] = memory.Read<int>(8);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void MakeFinalizable(int[] result)
    {
        var memory = new Memory(new MemoryType(1));
        memory.Write(8, 77);
        GC.KeepAlive(new UsesMemoryInItsFinalizer(memory, result));
    }

    [Fact]
    public void FinalizersOfTheHostCanStillUseAMemory()
    {
        var result = new int[1];
        MakeFinalizable(result);
        Eventually.Collected(() => result[0] != 0);
        Assert.Equal(77, result[0]);
    }
}
