using System.Runtime.CompilerServices;
using Xunit;

namespace WasmJit.Tests.Runtime;

/// <summary>What becomes a trap where, and what does not.</summary>
public class FaultTests
{
    private const int Page = 65536;

    private const string Text = """
        (module
          (import "host" "f" (func $host))
          (memory (export "m") 1)
          (func (export "load") (param i32) (result i32) (i32.load (local.get 0)))
          (func (export "load_far") (param i32) (result i64) (i64.load offset=0xffffffff (local.get 0)))
          (func (export "store_then_load") (param i32)
            (i32.store (i32.const 16) (i32.const 99)) (drop (i32.load (local.get 0))))
          (func (export "div") (param i32 i32) (result i32) (i32.div_s (local.get 0) (local.get 1)))
          (func (export "rem") (param i64 i64) (result i64) (i64.rem_s (local.get 0) (local.get 1)))
          (func (export "host") (call $host))
          (func $deep (export "deep") (param i32) (result i32)
            (if (result i32) (i32.eqz (local.get 0))
              (then (i32.load (i32.const 0x7fffffff)))
              (else (i32.add (call $deep (i32.sub (local.get 0) (i32.const 1))) (i32.const 1))))))
        """;

    private protected virtual EngineOptions Tier => Tiers.Compiled;

    private Instance Make(bool guard = true, Action? host = null) =>
        new Engine(Tier with { MemoryChecks = guard ? MemoryChecks.Guard : MemoryChecks.Explicit }).CompileText(Text)
            .Instantiate(new Imports { { "host", "f", host ?? (() => { }) } });

    /// <summary>What the process asked before it relied on faults: with one, and as it asks in versions of .NET that are known.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void TheTestOfFaultsPasses(bool really)
    {
        if (!WasmJit.Runtime.FaultHandler.IsSupported) return;
        Assert.Null(WasmJit.Runtime.FaultHandler.Test(really));
    }

    /// <summary>
    /// Where .NET's JIT does not optimise, an atomic operator calls a method of .NET, which faults. That is the guest's trap if the guest has called it, and
    /// not if the host has.
    /// </summary>
    [Theory]
    [InlineData("wasm:m!f", true)]
    [InlineData("host", false)]
    public void FaultsInMethodsThatStandForAnAccessAreThoseOfTheirCaller(string name, bool isTrap)
    {
        if (!WasmJit.Runtime.AddressSpace.HasGuards) return;
        var method = new System.Reflection.Emit.DynamicMethod(name, typeof(int), [typeof(nint)], typeof(FaultTests).Module, true);
        System.Reflection.Emit.ILGenerator il = method.GetILGenerator();
        il.Emit(System.Reflection.Emit.OpCodes.Ldarg_0);
        il.Emit(System.Reflection.Emit.OpCodes.Ldc_I4_1);
        // By its address, the method is called as it is.
        il.Emit(System.Reflection.Emit.OpCodes.Ldftn, typeof(Interlocked).GetMethod(nameof(Interlocked.Add), [typeof(int).MakeByRefType(), typeof(int)])!);
        il.EmitCalli(System.Reflection.Emit.OpCodes.Calli, System.Reflection.CallingConventions.Standard, typeof(int), [typeof(int).MakeByRefType(), typeof(int)], null);
        // Otherwise the call would take the place of the method.
        il.Emit(System.Reflection.Emit.OpCodes.Neg);
        il.Emit(System.Reflection.Emit.OpCodes.Ret);
        var add = method.CreateDelegate<Func<nint, int>>();
        bool? found = null;
        WasmJit.Runtime.WasmThread.EnsureRegistered();
        try
        {
            add(WasmJit.Runtime.AddressSpace.NullBase + 4096);
        }
        catch (NullReferenceException e) when ((found = WasmJit.Runtime.TrapFilter.IsTrap(e)) is not null)
        {
            WasmJit.Runtime.WasmThread.TakeFault();
        }
        Assert.Equal(isTrap, found);
    }

    private static TrapKind TrapOf(Action action) => Assert.Throws<TrapException>(action).Kind;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void AccessesBeyondTheEndTrap(bool guard)
    {
        Instance instance = Make(guard);
        Func<int, int> load = instance.GetExport<Func<int, int>>("load");
        Assert.Equal(0, load(Page - 4));
        foreach (int at in new[] { Page - 3, Page - 1, Page, int.MaxValue, int.MinValue, -1, -4 })
        {
            TrapException trap = Assert.Throws<TrapException>(() => load(at));
            Assert.Equal(TrapKind.OutOfBoundsMemoryAccess, trap.Kind);
            Assert.Equal("out of bounds memory access", trap.Message);
            if (guard && trap.Address is { } address) Assert.Equal(Math.Max((uint)at, Page), address);
        }
        Func<int, long> far = instance.GetExport<Func<int, long>>("load_far");
        foreach (int at in new[] { 0, 1, -1 }) Assert.Equal(TrapKind.OutOfBoundsMemoryAccess, TrapOf(() => far(at)));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void StoresBeforeATrapAreVisible(bool guard)
    {
        Instance instance = Make(guard);
        Assert.Equal(TrapKind.OutOfBoundsMemoryAccess, TrapOf(() => instance.GetExport<Action<int>>("store_then_load")(Page)));
        Assert.Equal(99, instance.GetExport<Memory>("m").Read<int>(16));
    }

    [Fact]
    public void ThePoolsThreadsAndOthersTrap()
    {
        Func<int, int> load = Make().GetExport<Func<int, int>>("load");
        int traps = 0;
        Parallel.For(0, 2000, new ParallelOptions { MaxDegreeOfParallelism = 16 }, i =>
        {
            try
            {
                load(Page + i);
            }
            catch (TrapException e) when (e.Kind == TrapKind.OutOfBoundsMemoryAccess && e.Address == (ulong)(Page + i))
            {
                Interlocked.Increment(ref traps);
            }
        });
        Assert.Equal(2000, traps);
    }

    [Theory]
    [InlineData(128)]
    [InlineData(192)]
    [InlineData(256)]
    [InlineData(1024)]
    [InlineData(4096)]
    public void ThreadsWithStacksOfAnySizeTrap(int kilobytes)
    {
        Instance instance = Make();
        Exception? error = null;
        int good = 0;
        for (int round = 0; round < 5; round++)
        {
            var thread = new Thread(
                () =>
                {
                    try
                    {
                        Func<int, int> load = instance.GetExport<Func<int, int>>("load");
                        Func<int, int, int> div = instance.GetExport<Func<int, int, int>>("div");
                        Assert.Equal(0, load(0));
                        Assert.Equal(TrapKind.OutOfBoundsMemoryAccess, TrapOf(() => load(Page)));
                        Assert.Equal(TrapKind.IntegerDivideByZero, TrapOf(() => div(1, 0)));
                        Assert.Equal(TrapKind.CallStackExhausted, TrapOf(() => instance.GetExport<Func<int, int>>("deep")(-1)));
                        good++;
                    }
                    catch (Exception e)
                    {
                        error = e;
                    }
                }, kilobytes * 1024);
            thread.Start();
            thread.Join();
        }
        Assert.Null(error);
        Assert.Equal(5, good);
    }

    [Fact]
    public void DivisionsTrap()
    {
        Instance instance = Make();
        Func<int, int, int> div = instance.GetExport<Func<int, int, int>>("div");
        Func<long, long, long> rem = instance.GetExport<Func<long, long, long>>("rem");
        Assert.Equal(TrapKind.IntegerDivideByZero, TrapOf(() => div(1, 0)));
        Assert.Equal(TrapKind.IntegerOverflow, TrapOf(() => div(int.MinValue, -1)));
        Assert.Equal(TrapKind.IntegerDivideByZero, TrapOf(() => rem(1, 0)));
        Assert.Equal(0, rem(long.MinValue, -1));
    }

    private sealed class Node
    {
        internal int Value = 1;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static int ValueOf(Node? node) => node!.Value;

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static int Divide(int a, int b) => a / b;

    [Fact]
    public void ExceptionsOfTheHostCrossTheGuestUnchanged()
    {
        Assert.Throws<NullReferenceException>(() => ValueOf(null));
        Assert.Throws<NullReferenceException>(Make(host: () => ValueOf(null)).GetExport<Action>("host"));
        Assert.Throws<DivideByZeroException>(Make(host: () => Divide(1, 0)).GetExport<Action>("host"));
        // Systems tell the two faults apart, or do not: what the host throws without a guest is what it throws within one.
        Type overflow = Record.Exception(() => Divide(int.MinValue, -1))!.GetType();
        Assert.True(overflow.IsSubclassOf(typeof(ArithmeticException)));
        Assert.Equal(overflow, Record.Exception(Make(host: () => Divide(int.MinValue, -1)).GetExport<Action>("host"))!.GetType());
        Assert.Throws<OverflowException>(
            Make(host: () => GC.KeepAlive(checked(Divide(int.MaxValue, 1) + Divide(1, 1)))).GetExport<Action>("host"));
        Assert.Throws<InsufficientExecutionStackException>(
            Make(host: () => throw new InsufficientExecutionStackException()).GetExport<Action>("host"));
        var mine = new InvalidOperationException("mine");
        Assert.Same(mine, Assert.Throws<InvalidOperationException>(Make(host: () => throw mine).GetExport<Action>("host")));
    }

    [Fact]
    public void NestedEntriesKeepTheirFaultsApart()
    {
        Func<int, int> load = Make().GetExport<Func<int, int>>("load");
        // The inner guest faults and the host catches it; then the host fails by itself.
        Instance outer = Make(host: () =>
        {
            Assert.Equal(TrapKind.OutOfBoundsMemoryAccess, TrapOf(() => load(Page)));
            ValueOf(null);
        });
        for (int i = 0; i < 3; i++) Assert.Throws<NullReferenceException>(outer.GetExport<Action>("host"));
        // The inner guest's trap passes through host and outer guest as it is.
        Instance passing = Make(host: () => load(Page + 1));
        TrapException trap = Assert.Throws<TrapException>(passing.GetExport<Action>("host"));
        Assert.Equal((ulong)Page + 1, trap.Address);
    }

    [Fact]
    public unsafe void AFaultOfTheHostIsForgotten()
    {
        Instance instance = Make();
        Memory memory = instance.GetExport<Memory>("m");
        nint beyond = (nint)memory.Base + Page;
        // The host reads beyond the memory through a raw pointer, in a guest's call and outside.
        Assert.Throws<NullReferenceException>(() => Volatile.Read(ref *(int*)beyond));
        Assert.Throws<NullReferenceException>(Make(host: () => Volatile.Read(ref *(int*)beyond)).GetExport<Action>("host"));
        Assert.Throws<NullReferenceException>(Make(host: () => ValueOf(null)).GetExport<Action>("host"));
        Assert.Equal(0UL, WasmJit.Runtime.WasmThread.PeekFault());
        GC.KeepAlive(memory);
    }

    [Fact]
    public void ThePathIsInTheException()
    {
        TrapException trap = Assert.Throws<TrapException>(() => Make().GetExport<Func<int, int>>("deep")(3));
        Assert.Equal(["deep", "deep", "deep", "deep"], trap.WasmStack.SelectMany(f => (WasmFrame[])[.. f.Inlined, f]).Select(f => f.Function));
    }
}

/// <summary>The same in the interpreter.</summary>
public sealed class InterpretedFaultTests : FaultTests
{
    private protected override EngineOptions Tier => Tiers.Interpreted;
}
