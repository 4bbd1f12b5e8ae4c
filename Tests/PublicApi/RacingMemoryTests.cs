using Xunit;

namespace WasmJit.Tests.PublicApi;

/// <summary>A guest's other threads change a shared memory while it is read.</summary>
public sealed class RacingMemoryTests
{
    private static void WhileItChanges(Memory memory, byte[][] contents, Action read)
    {
        bool ends = false;
        var writer = new Thread(() =>
        {
            for (int i = 0; !Volatile.Read(ref ends); i++) memory.WriteBytes(0, contents[i % contents.Length]);
        });
        writer.Start();
        try
        {
            for (int i = 0; i < 20_000; i++) read();
        }
        finally
        {
            Volatile.Write(ref ends, true);
            writer.Join();
        }
    }

    /// <summary>Text that has fewer or more characters at each look.</summary>
    [Fact]
    public void TextIsReadOnce()
    {
        var memory = new Memory(new MemoryType(1, 1, IsShared: true));
        byte[] letters = [.. Enumerable.Repeat((byte)'a', 300)], wide = [.. Enumerable.Repeat("€"u8.ToArray(), 100).SelectMany(b => b)];
        WhileItChanges(memory, [letters, wide], () => Assert.InRange(memory.ReadString(0, 300).Length, 100, 300));
    }

    /// <summary>Bytes that a guest compiles are a copy: the module is one of those that stood there, a mixture that is valid, or none.</summary>
    [Fact]
    public void ModulesAreReadOnce()
    {
        var memory = new Memory(new MemoryType(1, 1, IsShared: true));
        byte[] small = Wat.ToBinary("(module (func (export \"f\") (result i32) (i32.const 1)) (func (result i32) (i32.const 2)) (func (result i64) (i64.const 0x7fffffffffffff)))");
        byte[] other = Wat.ToBinary("(module (func (export \"f\") (result i64) (i64.const 0x7fffffffffffff)) (func (result i32) (i32.const 2)) (func (result i32) (i32.const 1)))");
        Assert.Equal(small.Length, other.Length);
        var compile = new Engine().CompileText($"""
            (module (type $M (module)) (import "m" "m" (memory 1 1 shared))
              (func (export "compile") (result i32) (ref.is_null (compile null $M (i32.const 0) (i32.const {small.Length})))))
            """).Instantiate(new Imports { { "m", "m", memory } }).GetExport<Func<int>>("compile");
        memory.WriteBytes(0, small);
        WhileItChanges(memory, [small, other], () => Assert.InRange(compile(), 0, 1));
    }
}
