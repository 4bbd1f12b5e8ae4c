using System.Runtime.CompilerServices;
using Xunit;

namespace WasmJit.Tests.PublicApi;

/// <summary>Nothing needs to be disposed: what is dropped is collected, cycles too.</summary>
public sealed class GarbageTests
{
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static (WeakReference First, WeakReference Memory) MakeCycle()
    {
        var engine = new Engine();
        Module module = engine.CompileText("""
            (module (memory (export "m") 1) (table (export "t") 1 funcref) (func (export "f") (result i32) (i32.load (i32.const 0))))
            """);
        Instance a = module.Instantiate(), b = module.Instantiate();
        a.GetExport<Table>("t")[0] = b.GetExport<Func<int>>("f");
        b.GetExport<Table>("t")[0] = a.GetExport<Func<int>>("f");
        Assert.Equal(0, ((Func<int>)a.GetExport<Table>("t")[0]!)());
        return (new WeakReference(a), new WeakReference(b.GetExport<Memory>("m")));
    }

    [Fact]
    public void ACycleOfInstancesWithMemoriesIsCollected()
    {
        (WeakReference first, WeakReference memory) = MakeCycle();
        for (int i = 0; i < 5 && (first.IsAlive || memory.IsAlive); i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }
        Assert.False(first.IsAlive);
        Assert.False(memory.IsAlive);
    }

    [Fact]
    public void TinyModulesLeaveNothingBehind()
    {
        var engine = new Engine();
        var shared = new Memory(new MemoryType(1));
        var imports = new Imports { { "m", "m", shared } };
        long Round(int count, int seed)
        {
            for (int i = 0; i < count; i++)
            {
                Module module = engine.CompileText(
                    $"""(module (import "m" "m" (memory 1)) (func (export "f") (result i32) (i32.add (i32.load (i32.const 0)) (i32.const {seed + i}))))""");
                Assert.Equal(seed + i, module.Instantiate(imports).GetExport<Func<int>>("f")());
            }
            GC.Collect();
            GC.WaitForPendingFinalizers();
            GC.Collect();
            return Environment.WorkingSet;
        }
        Round(2000, 0);
        long before = Round(2000, 10_000);
        long after = Round(6000, 20_000);
        Assert.True(after < before + (64 << 20), $"{before >> 20} MB before, {after >> 20} MB after");
    }
}
