using System.Diagnostics;
using System.Runtime.CompilerServices;
using WasmJit.Runtime;
using Xunit;

namespace WasmJit.Tests.Runtime;

/// <summary>Runs alone: it counts what belongs to the whole process.</summary>
[CollectionDefinition(nameof(ProcessWide), DisableParallelization = true)]
public sealed class ProcessWide;

/// <summary>
/// The normal load of a guest JIT: many tiny modules that import their memory, made and dropped. `Perf guest-jit` does the same
/// with 10,000 and gives the times.
/// </summary>
[Collection(nameof(ProcessWide))]
public sealed class GuestJitTests
{
    private const int Modules = 600;

    private static Instance Guest() =>
        new Engine().CompileText(File.ReadAllText(Golden.InRepository("Samples/Linking/guest-jit.wat"))).Instantiate();

    private static long Sum(long first, long count) => (count * (1000 + first)) + (count * (count - 1) / 2);

    private static void Collect()
    {
        for (int i = 0; i < 3; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }
    }

    [Fact]
    public void TinyModulesTakeNoAddressSpaceNoThreadAndNoAssembly()
    {
        Instance guest = Guest();
        var run = guest.GetExport<Func<int, int, long>>("run");
        Assert.Equal(Sum(0, 100), run(0, 100));
        Collect();
        int slots = AddressSpace.Slots, assemblies = AppDomain.CurrentDomain.GetAssemblies().Length, threads = Threads();
        long heap = GC.GetTotalMemory(true);
        Assert.Equal(Sum(5000, Modules), run(5000, Modules));
        // What belongs to the runtime or to tests before this one may come or go; one a module would be hundreds.
        const int few = Modules / 20;
        Assert.True(AddressSpace.Slots < slots + few, $"{slots} slots before, {AddressSpace.Slots} after");
        Assert.True(AppDomain.CurrentDomain.GetAssemblies().Length < assemblies + few, $"{assemblies} assemblies before, {AppDomain.CurrentDomain.GetAssemblies().Length} after");
        Assert.True(Threads() < threads + few, $"{threads} threads before, {Threads()} after");
        long left = 0;
        Assert.True(Eventually.Collected(() => (left = GC.GetTotalMemory(true) - heap) < 200_000), $"{left} bytes are left of {Modules} modules");
        GC.KeepAlive(guest);
    }

    private static int Threads()
    {
        using var process = Process.GetCurrentProcess();
        return process.Threads.Count;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static WeakReference[] Fill(Instance guest)
    {
        guest.GetExport<Func<int, int, long>>("run")(0, 16);
        Table table = guest.GetExport<Table>("functions");
        return [.. Enumerable.Range(0, 16).SelectMany(i =>
        {
            var instance = (Instance)((FuncRef)table.Get((ulong)i)!).Context!;
            return new[] { new WeakReference(instance), new WeakReference(instance.Module), new WeakReference(instance.Module.Shared.Code) };
        })];
    }

    [Fact]
    public void FunctionsThatLeaveTheTableGoWithTheirCode()
    {
        Instance guest = Guest();
        WeakReference[] old = Fill(guest);
        Collect();
        Assert.All(old, o => Assert.True(o.IsAlive));
        guest.GetExport<Func<int, int, long>>("run")(100, 16);
        Assert.True(Eventually.Collected(old));
        Assert.Equal(Sum(7, 3), guest.GetExport<Func<int, int, long>>("run")(7, 3));
    }

    [Fact]
    public void NamesOfCompiledModulesAreInStackTraces()
    {
        // The template's function reads at address 65536, which this memory does not have.
        Instance guest = new Engine().CompileText(
            File.ReadAllText(Golden.InRepository("Samples/Linking/guest-jit.wat"))
                .Replace("(memory $memory (export \"memory\") 2)", "(memory $memory (export \"memory\") 1)", StringComparison.Ordinal)).Instantiate();
        TrapException trap = Assert.Throws<TrapException>(() => guest.GetExport<Func<int, int, long>>("run")(0, 1));
        Assert.Equal(TrapKind.OutOfBoundsMemoryAccess, trap.Kind);
        Assert.Equal("template!added", trap.WasmStack[0].ToString());
        Assert.Contains(trap.WasmStack, frame => frame.Module == "guest-jit");
    }
}
