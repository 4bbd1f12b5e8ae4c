using System.Text;
using Xunit;

namespace WasmJit.Tests.PublicApi;

/// <summary>Slices and references to memories between hosts and guests.</summary>
public sealed class SliceTests
{
    private const string Guest = """
        (module
          (type $m (memory 1))
          (import "host" "print" (func $print (param (ref slice))))
          (memory $memory (export "memory") 1)
          (data (i32.const 16) "hello, host")
          (func (export "greet") (call $print (slice.readonly (slice.new $memory (i32.const 16) (i32.const 11)))))
          (func (export "sum") (param $s (ref slice)) (result i32)
            (local $i i64) (local $sum i32)
            (loop $next
              (local.set $sum (i32.add (local.get $sum) (i32.load8_u (ref slice) (local.get $s) (local.get $i))))
              (br_if $next (i64.lt_u (local.tee $i (i64.add (local.get $i) (i64.const 1))) (slice.len (local.get $s)))))
            (local.get $sum))
          (func (export "set") (param (ref null slice)) (i32.store8 (ref slice) (local.get 0) (i64.const 0) (i32.const 1)))
          (func (export "load") (param (ref $m) i32) (result i32) (i32.load8_u (ref $m) (local.get 0) (local.get 1))))
        """;

    private static Instance Make(Action<object> print) =>
        new Engine().CompileText(Guest).Instantiate(new Imports { { "host", "print", print } });

    [Fact]
    public void AHostReadsASliceOfAGuest()
    {
        MemorySlice? seen = null;
        Instance guest = Make(slice => seen = (MemorySlice)slice);
        guest.GetExport<Action>("greet")();
        Assert.Equal("hello, host", Encoding.UTF8.GetString(seen!.Bytes));
        Assert.Equal((16UL, 11UL, false), (seen.Start, seen.Length, seen.IsWritable));
        Assert.Same(guest.GetExport<Memory>("memory"), seen.Memory);
        Assert.Throws<InvalidOperationException>(() => seen.WritableBytes.Clear());
        GC.KeepAlive(seen);
    }

    [Fact]
    public void AGuestReadsASliceOfAHost()
    {
        Instance guest = Make(_ => { });
        var memory = new Memory(new MemoryType(1));
        memory.WriteBytes(100, [1, 2, 3, 4]);
        var slice = new MemorySlice(memory, 100, 4);
        var sum = guest.GetExport<Func<object, int>>("sum");
        Assert.Equal(10, sum(slice));
        Assert.Equal(5, sum(slice.Sub(1, 2)));
        var set = guest.GetExport<Action<object?>>("set");
        set(slice);
        Assert.Equal(1, memory.Read<byte>(100));
        set(slice.Sub(3, 1));
        Assert.Equal(1, memory.Read<byte>(103));
        Assert.Equal(TrapKind.ReadOnlySlice, Assert.Throws<TrapException>(() => set(slice.AsReadOnly())).Kind);
        Assert.Equal(TrapKind.OutOfBoundsSliceAccess, Assert.Throws<TrapException>(() => set(slice.Sub(4, 0))).Kind);
        Assert.Equal(TrapKind.NullSliceReference, Assert.Throws<TrapException>(() => set(null)).Kind);
        // What is not a slice does not become one.
        Assert.Throws<ArgumentException>(() => sum(memory));
        Assert.Throws<ArgumentException>(() => sum("a string"));
    }

    [Fact]
    public void AGuestReadsTheMemoryOfAHost()
    {
        Instance guest = Make(_ => { });
        var load = guest.GetExport<Func<object, int, int>>("load");
        var memory = new Memory(new MemoryType(1, 2));
        memory.Write(7, (byte)9);
        Assert.Equal(9, load(memory, 7));
        Assert.Equal(TrapKind.OutOfBoundsMemoryAccess, Assert.Throws<TrapException>(() => load(memory, 65536)).Kind);
        // Too small, or of another kind: the type is checked where the host passes it.
        Assert.Throws<ArgumentException>(() => load(new Memory(new MemoryType(0)), 0));
        Assert.Throws<ArgumentException>(() => load(new Memory(new MemoryType(1, Is64: true)), 0));
        Assert.Throws<ArgumentException>(() => load(null!, 0));
    }

    [Fact]
    public void WindowsMustFit()
    {
        var memory = new Memory(new MemoryType(1));
        Assert.Throws<ArgumentOutOfRangeException>(() => new MemorySlice(memory, 65530, 7));
        Assert.Throws<ArgumentOutOfRangeException>(() => new MemorySlice(memory, ulong.MaxValue, 2));
        MemorySlice slice = new(memory, 65530, 6);
        Assert.Equal(6, slice.Bytes.Length);
        Assert.Throws<ArgumentOutOfRangeException>(() => slice.Sub(1, 6));
        Assert.Throws<ArgumentOutOfRangeException>(() => slice.Sub(7, 0));
        Assert.Equal(65532UL, slice.Sub(2, 4).Start);
    }
}
