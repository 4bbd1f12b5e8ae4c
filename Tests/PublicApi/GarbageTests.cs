using System.Runtime.CompilerServices;
using Xunit;

namespace WasmJit.Tests.PublicApi;

/// <summary>Runs alone: it looks at what belongs to the whole process.</summary>
[CollectionDefinition(nameof(ProcessWide), DisableParallelization = true)]
public sealed class ProcessWide;

/// <summary>Nothing needs to be disposed: what is dropped is collected, cycles too.</summary>
[Collection(nameof(ProcessWide))]
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
        Assert.True(Eventually.Collected(first, memory));
    }

    /// <summary>
    /// A module's classes derive from those that other modules made first: each from the one that its type says, whatever assembly that is in.
    /// </summary>
    [Fact]
    public void TypesBelowThoseOfSeveralModules()
    {
        const string Types = """
            (type $numbers (sub (struct (field i64 f32 i64))))
            (type $references (sub (struct (field anyref i31ref anyref))))
            """;
        var engine = new Engine();
        Instance numbers = engine.CompileText($"""
            (module {Types} (func (export "f") (result i64) (struct.get $numbers 2 (struct.new $numbers (i64.const 1) (f32.const 2) (i64.const 3)))))
            """).Instantiate();
        Assert.Equal(3, numbers.GetExport<Func<long>>("f")());
        Instance references = engine.CompileText($"""
            (module {Types} (func (export "f") (result i32)
              (i31.get_s (struct.get $references 1 (struct.new $references (ref.null any) (ref.i31 (i32.const 4)) (ref.null any))))))
            """).Instantiate();
        Assert.Equal(4, references.GetExport<Func<int>>("f")());
        Instance both = engine.CompileText($"""
            (module {Types}
              (type $moreNumbers (sub $numbers (struct (field i64 f32 i64 i32))))
              (type $moreReferences (sub $references (struct (field anyref i31ref anyref i32))))
              (func (export "numbers") (param anyref) (result i64) (struct.get $moreNumbers 2 (ref.cast (ref $moreNumbers) (local.get 0))))
              (func (export "references") (param anyref) (result i32)
                (i31.get_s (struct.get $references 1 (ref.cast (ref $references) (local.get 0)))))
              (func (export "makeNumbers") (result anyref) (struct.new $moreNumbers (i64.const 5) (f32.const 6) (i64.const 7) (i32.const 8)))
              (func (export "makeReferences") (result anyref)
                (struct.new $moreReferences (ref.null any) (ref.i31 (i32.const 9)) (ref.null any) (i32.const 10)))
              (func (export "isNumbers") (param anyref) (result i32) (ref.test (ref $numbers) (local.get 0))))
            """).Instantiate();
        object first = both.GetExport<Func<object>>("makeNumbers")(), second = both.GetExport<Func<object>>("makeReferences")();
        Assert.Equal(7, both.GetExport<Func<object, long>>("numbers")(first));
        Assert.Equal(9, both.GetExport<Func<object, int>>("references")(second));
        var isNumbers = both.GetExport<Func<object, int>>("isNumbers");
        Assert.Equal((1, 0), (isNumbers(first), isNumbers(second)));
        GC.KeepAlive(numbers);
        GC.KeepAlive(references);
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
        long before = 0, after = long.MaxValue;
        // How much the collector keeps for later changes by itself; what modules leave behind is there each time.
        for (int attempt = 0; attempt < 3 && after >= before + (64 << 20); attempt++)
        {
            before = Round(2000, (attempt * 20_000) + 10_000);
            after = Round(6000, (attempt * 20_000) + 20_000);
        }
        Assert.True(after < before + (64 << 20), $"{before >> 20} MB before, {after >> 20} MB after");
    }
}
