using System.Globalization;
using WasmJit.Components;
using Xunit;

namespace WasmJit.Tests.PublicApi;

/// <summary>What gets out of a component in an exception is of no use when the component has been disposed of, and does no harm.</summary>
public sealed class DisposedComponentTests
{
    private const string Text = """
        (module
          (memory (export "memory") 40) (memory $second i64 3)
          (tag $function (param funcref)) (tag $window (param (ref slice)))
          (func $work (param $n i32) (result i32)
            (loop $again
              (memory.fill (i32.const 65536) (local.get $n) (i32.const 2000000))
              (memory.copy (i32.const 65536) (i32.const 1000000) (i32.const 1000000))
              (memory.fill $second (i64.const 65536) (local.get $n) (i64.const 100000))
              (i32.store (i32.const 70000) (local.get $n))
              (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
            (i32.load (i32.const 70000)))
          (func $peek (param i32) (result i32) (i32.add (i32.load (local.get 0)) (i32.load8_u $second (i64.extend_i32_u (local.get 0)))))
          (func $size (result i32) (memory.size))
          (func $none)
          (elem declare func $work $peek $size $none)
          (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
          (func (export "work") (throw $function (ref.func $work)))
          (func (export "peek") (throw $function (ref.func $peek)))
          (func (export "size") (throw $function (ref.func $size)))
          (func (export "none") (throw $function (ref.func $none)))
          (func (export "fill") (memory.fill (i32.const 0) (i32.const 1) (i32.const 2600000)))
          (func (export "window") (throw $window (slice.new (ref.memory 0) (i32.const 65536) (i32.const 1000000)))))
        """;

    /// <summary>A guest that calls a function of somebody else, and reads a window.</summary>
    private const string OtherText = """
        (module (type $peek (func (param i32) (result i32))) (memory (export "m") 20)
          (func (export "call") (param funcref) (result i32) (call_ref $peek (i32.const 4) (ref.cast (ref $peek) (local.get 0)))))
        """;

    public static TheoryData<MemoryChecks> Checks => [MemoryChecks.Guard, MemoryChecks.Explicit];

    private static Component Make(MemoryChecks checks) => new(new Engine(new EngineOptions { MemoryChecks = checks }).CompileText(Text));

    private static WasmException Throw(Component component, string name) =>
        Assert.Throws<WasmException>(() => component.GetFunction(name, "func()").Call());

    [Theory]
    [MemberData(nameof(Checks))]
    public void FunctionsCannotBeCalled(MemoryChecks checks)
    {
        Component component = Make(checks);
        var work = (Func<int, int>)Throw(component, "work").GetValue<Delegate>(0);
        var peek = (Func<int, int>)Throw(component, "peek").GetValue<Delegate>(0);
        var size = (Func<int>)Throw(component, "size").GetValue<Delegate>(0);
        var none = (Action)Throw(component, "none").GetValue<Delegate>(0);
        var other = new Engine(new EngineOptions { MemoryChecks = checks }).CompileText(OtherText).Instantiate().GetExport<Func<Delegate, int>>("call");
        // One is compiled before, others have a stub.
        Assert.Equal(1, work(1));
        Assert.Equal(0, other(peek));
        component.Dispose();
        Assert.Throws<ObjectDisposedException>(() => work(1));
        Assert.Throws<ObjectDisposedException>(() => peek(0));
        Assert.Throws<ObjectDisposedException>(() => size());
        Assert.Throws<ObjectDisposedException>(() => none());
        Assert.Throws<ObjectDisposedException>(() => other(peek));
        component.Dispose();
        Assert.Throws<ObjectDisposedException>(() => component.GetFunction("none", "func()"));
    }

    /// <summary>What module linking makes in a component goes with it.</summary>
    [Theory]
    [MemberData(nameof(Checks))]
    public void InstancesInsideGoToo(MemoryChecks checks)
    {
        var component = new Component(new Engine(new EngineOptions { MemoryChecks = checks }).CompileText("""
            (module
              (module $inner (memory (export "m") 1) (func (export "peek") (param i32) (result i32) (i32.load (local.get 0))))
              (instance $i (instantiate $inner))
              (alias $i "peek" (func $peek)) (alias $i "m" (memory $m))
              (memory (export "memory") 1)
              (tag $function (param funcref))
              (elem declare func $peek)
              (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
              (func (export "peek") (throw $function (ref.func $peek))))
            """));
        var peek = (Func<int, int>)Throw(component, "peek").GetValue<Delegate>(0);
        Assert.Equal(0, peek(0));
        component.Dispose();
        Assert.Throws<ObjectDisposedException>(() => peek(0));
    }

    [Theory]
    [MemberData(nameof(Checks))]
    public void AWindowOnItIsZero(MemoryChecks checks)
    {
        Component component = Make(checks);
        component.GetFunction("fill", "func()").Call();
        MemorySlice window = Throw(component, "window").GetValue<MemorySlice>(0);
        Assert.Equal(1, window.Bytes[999_999]);
        component.Dispose();
        Assert.Equal(-1, window.Bytes.IndexOfAnyExcept((byte)0));
        var memory = new Memory(new MemoryType(20, 20));
        window.Bytes.CopyTo(memory.Span);
        window.WritableBytes.Fill(7);
        Assert.Equal(0, window.Memory.Length.CompareTo(0UL));
        Assert.Throws<ObjectDisposedException>(() => window.Memory.Read<byte>(65536));
        Assert.Equal(-1, window.Memory.Grow(1));
    }

    /// <summary>Threads in the middle of a function that the component does not count, and one that disposes.</summary>
    [Theory]
    [MemberData(nameof(Checks))]
    public void DisposingUnderRunningCodeEndsIt(MemoryChecks checks)
    {
        for (int round = 0; round < 10; round++)
        {
            Component component = Make(checks);
            var work = (Func<int, int>)Throw(component, "work").GetValue<Delegate>(0);
            var errors = new Exception?[3];
            var threads = new Thread[errors.Length];
            for (int i = 0; i < threads.Length; i++)
            {
                int number = i;
                threads[i] = new Thread(() => errors[number] = Record.Exception(() => work(int.MaxValue)));
                threads[i].Start();
            }
            Thread.Sleep(3 * round);
            component.Dispose();
            for (int i = 0; i < threads.Length; i++)
            {
                Assert.True(threads[i].Join(60_000));
                Assert.True(errors[i] is ObjectDisposedException or TrapException { Kind: TrapKind.OutOfBoundsMemoryAccess }, $"{errors[i]}");
            }
        }
    }

    [Fact]
    public void MemoryGoesBackAtOnceThoughAWindowIsKept()
    {
        if (!OperatingSystem.IsLinux()) return;
        var component = new Component(new Engine().CompileText(Text.Replace("\"memory\") 40)", "\"memory\") 3200)").Replace("2600000", "200000000")));
        component.GetFunction("fill", "func()").Call();
        MemorySlice window = Throw(component, "window").GetValue<MemorySlice>(0);
        // The window begins a page behind the memory.
        ulong at = AddressOf(window) - 65536, end = at + (3200UL * 65536);
        Assert.True(Resident(at, end) > 190_000_000);
        component.Dispose();
        Assert.InRange(Resident(at, end), 0, 20_000_000);
        Assert.Equal(0, window.Bytes[5]);
    }

    private static unsafe ulong AddressOf(MemorySlice window)
    {
        fixed (byte* first = window.Bytes) return (ulong)first;
    }

    /// <summary>How many bytes are resident of the mappings between two addresses. Those of the process would be those of other tests, too.</summary>
    private static long Resident(ulong from, ulong to)
    {
        long bytes = 0;
        bool isOurs = false;
        foreach (string line in File.ReadLines("/proc/self/smaps"))
        {
            string[] words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            string[] range = words[0].Split('-');
            if (range.Length == 2 && ulong.TryParse(range[0], NumberStyles.HexNumber, CultureInfo.InvariantCulture, out ulong low)
                && ulong.TryParse(range[1], NumberStyles.HexNumber, CultureInfo.InvariantCulture, out ulong high)) isOurs = low < to && high > from;
            else if (isOurs && words[0] == "Rss:") bytes += 1024 * long.Parse(words[1], CultureInfo.InvariantCulture);
        }
        return bytes;
    }
}
