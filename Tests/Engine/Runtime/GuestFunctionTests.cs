using System.Runtime.CompilerServices;
using WasmJit.Jit.Format;
using WasmJit.Jit.Tiers;
using WasmJit.Runtime;
using Xunit;

namespace WasmJit.Tests.Runtime;

/// <summary>
/// Functions that a guest makes with <c>func.new</c>: who compiles them and when, that they go with their code, and what they take. `Perf guest-jit`
/// has the times and larger numbers.
/// </summary>
[Collection(nameof(ProcessWide))]
public sealed class GuestFunctionTests
{
    private const int Function = 0, Named = 1, ModuleOfOne = 2;

    private static Instance Guest(EngineOptions? options = null) =>
        new Engine(options).CompileText(File.ReadAllText(Golden.InRepository("Samples/Linking/guest-functions.wat"))).Instantiate();

    /// <summary>Makes functions that add first, first + 1, ... to 1000 in slots of the table in turn, and calls each once.</summary>
    private static void Run(Instance guest, int kind, int first, int count, int slots = 16) => Assert.Equal(
        ((long)count * (1000 + first)) + ((long)count * (count - 1) / 2), guest.GetExport<Func<int, int, int, int, long>>("run")(kind, first, count, slots));

    private static FuncRef At(Instance guest, int slot) => (FuncRef)guest.GetExport<Table>("functions").Get((ulong)slot)!;

    private static FunctionCode CodeOf(FuncRef function) => ((Instance)function.Context!).Module.Code;

    private static void Collect()
    {
        for (int i = 0; i < 3; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }
    }

    [Fact]
    public void OneThatIsCalledOnceIsOnlyInterpreted()
    {
        Instance guest = Guest(Tiers.Tiered);
        Run(guest, Function, 0, 16);
        for (int i = 0; i < 16; i++) Assert.False(CodeOf(At(guest, i)).IsCompiled(At(guest, i).Index));
        Assert.Equal(0, guest.GetExport<Func<int, int>>("optimized")(16));
        GC.KeepAlive(guest);
    }

    [Fact]
    public void OneThatIsAskedForIsCompiledAndCalledDirectlyThen()
    {
        Instance guest = Guest(Tiers.Tiered);
        Run(guest, Named, 0, 16);
        guest.GetExport<Action<int>>("optimize")(16);
        for (int i = 0; i < 16; i++)
        {
            FuncRef function = At(guest, i);
            CodeOf(function).Hot!.Wait();
            Assert.True(CodeOf(function).IsCompiled(function.Index));
            nint before = function.Code;
            Assert.Equal(5 + i, ((Func<int, int>)function.Delegate)(5));
            // The call has found the machine code; the next one goes there.
            Assert.NotEqual(before, function.Code);
            Assert.Equal(6 + i, ((Func<int, int>)function.Delegate)(6));
        }
        Assert.Equal(16, guest.GetExport<Func<int, int>>("optimized")(16));
    }

    [Fact]
    public void AHotOneIsCompiled()
    {
        Instance guest = Guest(Tiers.Tiered);
        Run(guest, Function, 0, 1);
        FuncRef function = At(guest, 0);
        var call = (Func<int, int>)function.Delegate;
        int calls = BreakEven.EventsOf(19) + 2;
        for (int i = 0; i < calls; i++) Assert.Equal(i, call(i));
        CodeOf(function).Hot!.Wait();
        Assert.True(CodeOf(function).IsCompiled(function.Index));
    }

    [Fact]
    public void FunctionsOfAScopeShareWhatItHas()
    {
        Instance guest = Guest();
        Run(guest, Function, 0, 2);
        Instance one = (Instance)At(guest, 0).Context!, other = (Instance)At(guest, 1).Context!;
        Assert.NotSame(one, other);
        Assert.Same(one.Funcs, other.Funcs);
        Assert.Same(one.Memories, other.Memories);
        Assert.Same(one.Types, other.Types);
        Assert.Same(one.GetFunc(0), At(guest, 0));
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static WeakReference[] Fill(Instance guest, bool optimises)
    {
        Run(guest, Function, 0, 16);
        if (optimises)
        {
            guest.GetExport<Action<int>>("optimize")(16);
            for (int i = 0; i < 16; i++) CodeOf(At(guest, i)).Hot!.Wait();
        }
        return [.. Enumerable.Range(0, 16).SelectMany(i => new[] { new WeakReference(At(guest, i)), new WeakReference(At(guest, i).Context), new WeakReference(CodeOf(At(guest, i))) })];
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void FunctionsThatLeaveTheTableGoWithTheirCode(bool optimises)
    {
        Instance guest = Guest(Tiers.Tiered);
        WeakReference[] old = Fill(guest, optimises);
        Collect();
        Assert.All(old, o => Assert.True(o.IsAlive));
        Run(guest, Function, 100, 16);
        // A thread that has compiled may still be on its way out.
        Assert.True(Eventually.Collected(old));
        Run(guest, Function, 7, 3);
    }

    [Fact]
    public void TheyAndTinyModulesAreSmall()
    {
        const int Live = 2000;
        foreach ((int kind, int most) in new[] { (Function, 1_900), (ModuleOfOne, 3_900) })
        {
            Instance guest = Guest(Tiers.Tiered);
            guest.GetExport<Func<int, int>>("grow")(Live - 16);
            Run(guest, kind, 0, 100, 100);
            Collect();
            long before = GC.GetTotalMemory(true);
            Run(guest, kind, 5000, Live, Live);
            Collect();
            long each = (GC.GetTotalMemory(true) - before) / (Live - 100);
            Assert.True(each <= most, $"{each} bytes each, of kind {kind}");
            GC.KeepAlive(guest);
        }
    }

    /// <summary>Neither interpreted nor compiled: who may name many functions pays for them once.</summary>
    [Fact]
    public void WhatOneTakesDoesNotDependOnItsScope()
    {
        const int InScope = 20_000, Made = 40;
        // (if (result i32) (local.get 0) (then (call itself (i32.sub (local.get 0) (i32.const 1)))) (else (i32.const 0)))
        byte[] body =
        [
            0, Opcode.LocalGet, 0, Opcode.If, TypeByte.I32, Opcode.LocalGet, 0, Opcode.I32Const, 1, Opcode.I32Sub, Opcode.Call, 0xa0, 0x9c, 1,
            Opcode.Else, Opcode.I32Const, 0, Opcode.End, Opcode.End,
        ];
        Instance guest = new Engine(Tiers.Tiered).CompileText($$"""
            (module (type $f (func (param i32) (result i32))) (memory (export "memory") 1) (table $functions (export "functions") {{Made}} funcref)
              (func $g (param i32) (result i32) (local.get 0))
              (scope $s (func {{string.Join(' ', Enumerable.Repeat("$g", InScope))}}))
              (func (export "make") (param i32) (param i32)
                (table.set $functions (local.get 0) (func.new $f $s (i32.const 0) (local.get 1)))
                (func.optimize (table.get $functions (local.get 0)))))
            """).Instantiate();
        guest.GetExport<Memory>("memory").WriteBytes(0, body);
        var make = guest.GetExport<Action<int, int>>("make");
        Make(0, 5);
        Collect();
        long before = GC.GetTotalMemory(true);
        Make(5, Made);
        Collect();
        long each = (GC.GetTotalMemory(true) - before) / (Made - 5);
        Assert.True(each < 40_000, $"{each} bytes each");
        GC.KeepAlive(guest);

        void Make(int first, int end)
        {
            for (int i = first; i < end; i++)
            {
                make(i, body.Length);
                FuncRef function = At(guest, i);
                Assert.Equal(0, ((Func<int, int>)function.Delegate)(3));
                CodeOf(function).Hot!.Wait();
                Assert.True(CodeOf(function).IsCompiled(function.Index));
            }
        }
    }

    [Theory]
    [InlineData(Function, "func.new")]
    [InlineData(Named, "made-add")]
    public void NamesAreInStackTraces(int kind, string name)
    {
        // The body reads at address 65536, which this memory does not have.
        string text = File.ReadAllText(Golden.InRepository("Samples/Linking/guest-functions.wat"))
            .Replace("(memory $memory (export \"memory\") 2)", "(memory $memory (export \"memory\") 1)", StringComparison.Ordinal);
        foreach (EngineOptions options in new[] { Tiers.Tiered, Tiers.Compiled, Tiers.Interpreted })
        {
            Instance guest = new Engine(options).CompileText(text).Instantiate();
            TrapException trap = Assert.Throws<TrapException>(() => guest.GetExport<Func<int, int, int, int, long>>("run")(kind, 0, 1, 16));
            Assert.Equal(TrapKind.OutOfBoundsMemoryAccess, trap.Kind);
            Assert.Equal($"guest-functions!{name}", trap.WasmStack[0].ToString());
            Assert.Contains(trap.WasmStack, frame => frame.Module == "guest-functions" && frame.Function == "run");
        }
    }

    /// <summary>Threads call through a slot whose function another replaces again and again: each call gets one of the functions, whole.</summary>
    [Fact]
    public void FunctionsAreReplacedWhileOthersCallThem()
    {
        const int Replaced = 3_000, Callers = 3;
        Instance guest = Guest(Tiers.Tiered);
        Run(guest, Function, 0, 16);
        Table table = guest.GetExport<Table>("functions");
        Func<int, int> caller = new Engine().CompileText("""
            (module (import "guest" "functions" (table 16 funcref)) (type $f (func (param i32) (result i32)))
              (func (export "f") (param i32) (result i32) (call_indirect (type $f) (local.get 0) (i32.const 5))))
            """).Instantiate(new Imports { { "guest", "functions", table } }).GetExport<Func<int, int>>("f");
        using var begun = new CountdownEvent(Callers);
        int stop = 0;
        int[] wrong = new int[Callers];
        Thread[] threads = [.. Enumerable.Range(0, Callers).Select(t => new Thread(() =>
        {
            int last = 0;
            caller(0);
            begun.Signal();
            while (Volatile.Read(ref stop) == 0)
            {
                int added = caller(1000) - 1000;
                // The numbers only rise.
                if (added < last || added > Replaced + 16) wrong[t]++;
                last = added;
            }
        }))];
        foreach (Thread thread in threads) thread.Start();
        begun.Wait();
        WeakReference first = FirstOf(guest);
        for (int i = 0; i < Replaced; i += 16)
        {
            Run(guest, Function, i, 16);
            if (i % 512 == 0) GC.Collect();
            if (i % 256 == 0) guest.GetExport<Action<int>>("optimize")(16);
        }
        Volatile.Write(ref stop, 1);
        foreach (Thread thread in threads) thread.Join();
        Assert.All(wrong, count => Assert.Equal(0, count));
        Assert.True(Eventually.Collected(first));
        GC.KeepAlive(guest);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static WeakReference FirstOf(Instance guest) => new(At(guest, 5).Context);

    /// <summary>Eight threads make functions that trap at their first call: each trace has the names of its own thread's.</summary>
    [Fact]
    public void NamesAreInStackTracesOfEightThreads()
    {
        const int Threads = 8, Each = 12;
        string text = File.ReadAllText(Golden.InRepository("Samples/Linking/guest-functions.wat"))
            .Replace("(memory $memory (export \"memory\") 2)", "(memory $memory (export \"memory\") 1)", StringComparison.Ordinal);
        var engine = new Engine();
        Module[] modules = [.. Enumerable.Range(0, Threads).Select(t => engine.CompileText(text.Replace("made-add", $"thread-{t}", StringComparison.Ordinal)))];
        var traces = new string[Threads * Each];
        Thread[] threads = [.. Enumerable.Range(0, Threads).Select(t => new Thread(() =>
        {
            Instance guest = modules[t].Instantiate();
            var run = guest.GetExport<Func<int, int, int, int, long>>("run");
            for (int i = 0; i < Each; i++)
                traces[(t * Each) + i] = Record.Exception(() => run(Named, i, 1, 4)) is TrapException trap ? $"{trap.WasmStack[0]}" : "no trap";
        }))];
        foreach (Thread thread in threads) thread.Start();
        foreach (Thread thread in threads) thread.Join();
        Assert.Equal(Enumerable.Range(0, Threads * Each).Select(i => $"guest-functions!thread-{i / Each}"), traces);
    }

    [Fact]
    public void EightThreadsMakeThem()
    {
        // Guests of one module, and one guest's functions on two threads.
        var engine = new Engine();
        Module module = engine.CompileText(File.ReadAllText(Golden.InRepository("Samples/Linking/guest-functions.wat")));
        var failures = new System.Collections.Concurrent.ConcurrentQueue<Exception>();
        Thread[] threads = [.. Enumerable.Range(0, 8).Select(t => new Thread(() =>
        {
            try
            {
                Instance guest = module.Instantiate();
                for (int i = 0; i < 30; i++) Run(guest, i % 3, (t * 1000) + i, 10);
            }
            catch (Exception e)
            {
                failures.Enqueue(e);
            }
        }))];
        foreach (Thread thread in threads) thread.Start();
        foreach (Thread thread in threads) thread.Join();
        Assert.Empty(failures);
    }
}
