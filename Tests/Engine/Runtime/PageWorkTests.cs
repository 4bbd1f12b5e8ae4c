using WasmJit.Runtime;
using Xunit;

namespace WasmJit.Tests;

/// <summary>Pages that another thread asks for while an instance is made.</summary>
public sealed unsafe class PageWorkTests
{
    private const int Size = 8 << 20;

    [LinuxFact]
    public void PagesThatAreAskedForKeepWhatTheyHave()
    {
        using var memory = new Memory(new MemoryType(200, 200));
        Span<byte> bytes = memory.Span[..Size];
        for (int i = 0; i < Size; i += 5000) bytes[i] = 7;
        Assert.True(Pages.Populate(memory.Base + 3, Size - 3));
        for (int i = 0; i < Size; i++) Assert.True(bytes[i] == (i % 5000 == 0 ? 7 : 0), $"{i}");
    }

    [Fact]
    public void LargeDataArrive()
    {
        string data = string.Concat(Enumerable.Range(0, Size / 16).Select(i => $"{i:x16}"));
        Instance instance = new Engine().Compile(Wat.ToBinary($"(module (memory (export \"m\") 200) (data (i32.const 9) \"{data}\") (data (i32.const 11) \"x\"))")).Instantiate();
        Span<byte> bytes = instance.GetExport<Memory>("m").Span;
        Assert.Equal(0, bytes[8]);
        Assert.Equal(0, bytes[9 + Size]);
        bytes[11] = (byte)'0';
        Assert.True(bytes.Slice(9, Size).SequenceEqual(System.Text.Encoding.ASCII.GetBytes(data)));
    }

    /// <summary>Segments that do not fit trap, whatever another thread does meanwhile.</summary>
    [Fact]
    public void DataThatDoNotFitTrap()
    {
        string data = new('x', Size);
        Module module = new Engine().Compile(Wat.ToBinary($"(module (memory 64) (data (i32.const 4) \"{data}\"))"));
        Assert.Equal(TrapKind.OutOfBoundsMemoryAccess, Assert.Throws<TrapException>(() => module.Instantiate()).Kind);
    }

    [LinuxFact]
    public void WorkEndsWhenItIsNotWantedAnyMore()
    {
        using var memory = new Memory(new MemoryType(2000, 2000));
        Assert.Null(PageWork.Begin(memory, 0, 1 << 20));
        for (int i = 0; i < 20; i++) PageWork.Begin(memory, 5, 100 << 20)!.Dispose();
    }
}
