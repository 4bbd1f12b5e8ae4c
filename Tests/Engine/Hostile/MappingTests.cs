using System.Runtime.CompilerServices;
using System.Text;
using WasmJit.Jit.Calls;
using WasmJit.Runtime;
using WasmJit.Tests.Runtime;
using Xunit;

namespace WasmJit.Tests.Hostile;

/// <summary>Whatever guests make without end counts among the process's mappings, is refused in time, and is given back. Runs alone.</summary>
[Collection(nameof(ProcessWide))]
public sealed class MappingTests
{
    private static void Collect()
    {
        for (int i = 0; i < 3; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }
    }

    private static T WithRoomFor<T>(int mappings, Func<T> action)
    {
        Collect();
        Mappings.LimitForTests = Mappings.Used + mappings;
        try
        {
            return action();
        }
        finally
        {
            Mappings.LimitForTests = int.MaxValue;
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static int CountUntilRefused(Func<int, object> make, int most)
    {
        var kept = new List<object>();
        try
        {
            while (kept.Count < most) kept.Add(make(kept.Count));
        }
        catch (Exception e) when (e is InsufficientMemoryException or TrapException { Kind: TrapKind.OutOfMemory })
        {
        }
        return kept.Count;
    }

    [Fact]
    public async Task ThreadsOfGuestsAreRefusedInTime()
    {
        if (!OperatingSystem.IsLinux()) return;
        using var release = new ManualResetEventSlim();
        var calls = new List<Task>();
        // Threads that are idle are used first.
        Task refused = WithRoomFor(40, () =>
        {
            while (calls.Count < 2000)
            {
                Task call = Guest.RunAsync(release.Wait);
                if (call.IsFaulted) return call;
                calls.Add(call);
            }
            return Task.CompletedTask;
        });
        release.Set();
        await Assert.ThrowsAsync<InsufficientMemoryException>(() => refused);
        await Task.WhenAll(calls).WaitAsync(Eventually.Patience);
        await Guest.RunAsync(() => { });
    }

    [Theory]
    [InlineData(true, false)]
    [InlineData(false, false)]
    [InlineData(false, true)]
    public void MemoriesAreRefusedAndComeBack(bool isGuarded, bool is64)
    {
        if (!OperatingSystem.IsLinux()) return;
        for (int round = 0; round < 2; round++)
        {
            int made = WithRoomFor(200, () => CountUntilRefused(_ => new Memory(new MemoryType(1, 4) { Is64 = is64 }, new MemoryPlacement(isGuarded)), 5000));
            // Free slots that keep their pages count already.
            Assert.InRange(made, 90, 1000);
        }
    }

    [Fact]
    public void AMemoryThatGrowsFromNothingIsRefusedAsMinusOne()
    {
        if (!OperatingSystem.IsLinux() || !AddressSpace.HasGuards) return;
        Memory[] memories = [.. Enumerable.Range(0, 400).Select(_ => new Memory(new MemoryType(0, 4)))];
        int grown = WithRoomFor(100, () => memories.TakeWhile(m => m.Grow(1) == 0).Count());
        Assert.InRange(grown, 40, 120);
        Assert.Equal(0, memories[^1].Grow(1));
        GC.KeepAlive(memories);
    }

    [Fact]
    public void ClassesOfModulesAreRefusedAndComeBack()
    {
        if (!OperatingSystem.IsLinux()) return;
        for (int round = 0; round < 2; round++)
        {
            int made = WithRoomFor(30 * Mappings.OfAssembly, () => CountUntilRefused(
                i =>
                {
                    string fields = string.Concat(Enumerable.Range(0, 12).Select(bit => ((i >> bit) & 1) == 0 ? "(field i32)" : "(field i64)"));
                    Instance instance = new Engine().CompileText($"""(module (type $s (struct {fields})) (func (export "f") (drop (struct.new_default $s))))""").Instantiate();
                    instance.GetExport<Action>("f")();
                    return instance;
                },
                100));
            // What earlier tests left may be given back meanwhile, and is room for more.
            Assert.InRange(made, 20, 99);
        }
    }

    /// <summary>The collector and stubs: signatures that are gone take nothing with them.</summary>
    [Fact]
    public void StubsGoWithTheirSignatures()
    {
        Make(0, 1);
        Collect();
        int pages = StubPages.Count, signatures = Signature.Count;
        Make(1, 3000);
        Assert.True(Eventually.Collected(() => StubPages.Count <= pages + 10), $"{StubPages.Count} pages of stubs, {pages} before");
        Make(3001, 2000);
        Assert.InRange(Signature.Count, 0, signatures + 5000);
    }

    /// <summary>Signatures that are alive share what they can: 3,000 of up to five integers and up to seven floats have a few hundred shapes.</summary>
    [Fact]
    public void LivingSignaturesShareStubs()
    {
        Collect();
        int pages = StubPages.Count;
        var kept = Make(0, 3000);
        Assert.InRange(StubPages.Count, 0, pages + 300);
        GC.KeepAlive(kept);
    }

    /// <summary>A delegate that a finalizer brings back can be called: its stub is there although everything was unreachable.</summary>
    [Fact]
    public void AStubOutlivesResurrection()
    {
        MakeResurrectable();
        Assert.True(Eventually.Collected(() => saved is not null));
        Make(5001, 600);
        Assert.Equal(7, ((Func<double, double, double, long, int>)saved!)(1, 2, 3, 4));
        saved = null;
    }

    private static Delegate? saved;

    private sealed class Resurrects(Delegate function)
    {
        ~Resurrects() => saved = function;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void MakeResurrectable()
    {
        Instance instance = new Engine().CompileText("""(module (func (export "f") (param f64 f64 f64 i64) (result i32) (i32.const 7)))""").Instantiate();
        GC.KeepAlive(new Resurrects(instance.GetExport<Func<double, double, double, long, int>>("f")));
    }

    /// <summary>Modules with one function each, of a signature that no other has.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static List<Instance> Make(int first, int count)
    {
        var kept = new List<Instance>();
        var engine = new Engine();
        for (int i = first; i < first + count; i++)
        {
            string[] letters = [.. Enumerable.Range(0, 9).Select(digit => ((i >> digit) & 1) == 0 ? "f32" : "f64")];
            string integers = string.Concat(Enumerable.Range(0, 4).Select(digit => ((i >> (9 + digit)) & 1) == 0 ? " i32" : " i64"));
            Instance instance = engine.CompileText(
                $"""(module (func $f (param {string.Join(' ', letters[..7])}{integers})) (table 1 funcref) (elem (i32.const 0) $f))""").Instantiate();
            kept.Add(instance);
        }
        return kept;
    }

    /// <summary>Each kind of argument arrives at a function whose stub is shared with functions of other types.</summary>
    [Theory]
    [InlineData("i32", "(i32.const 7)", "i32.const 7", "i32.eq")]
    [InlineData("f32", "(f32.const 1.5)", "f32.const 1.5", "f32.eq")]
    [InlineData("i64", "(i64.const 0x123456789a)", "i64.const 0x123456789a", "i64.eq")]
    [InlineData("f64", "(f64.const 1e300)", "f64.const 1e300", "f64.eq")]
    public void ArgumentsArrive(string type, string value, string expected, string equals)
    {
        // Positions in registers and on the stack, results of each shape.
        for (int before = 0; before < 12; before++)
        {
            foreach (string other in new[] { "i32", "i64", "f32", "f64", "externref" })
            {
                foreach (string results in new[] { "", "i32", "f32", "i32 i32", "i32 f32 i32", "i64 f64", "i32 i32 i32 i32 i32", "externref i32", "i32 externref f64 i64 f32 i32" })
                {
                    var text = new StringBuilder("(module (func $f");
                    for (int i = 0; i < before; i++) text.Append($" (param {other})");
                    text.Append($" (param $x {type}) (param $last {other}) (result i32 {results})");
                    text.Append($" ({equals} (local.get $x) ({expected}))");
                    foreach (string result in results.Split(' ', StringSplitOptions.RemoveEmptyEntries)) text.Append(result == "externref" ? "(ref.null extern)" : $"({result}.const 3)");
                    text.Append(") (func (export \"g\") (result i32) ");
                    for (int i = 0; i < before; i++) text.Append(other == "externref" ? "(ref.null extern)" : $"({other}.const 1)");
                    text.Append(value).Append(other == "externref" ? "(ref.null extern)" : $"({other}.const 1)").Append(" (call $f)");
                    foreach (string _ in results.Split(' ', StringSplitOptions.RemoveEmptyEntries)) text.Append("(drop)");
                    text.Append("))");
                    Func<int> g = new Engine(new EngineOptions { Inlining = false }).CompileText(text.ToString()).Instantiate().GetExport<Func<int>>("g");
                    Assert.Equal(1, g());
                    Assert.Equal(1, g());
                }
            }
        }
    }

    /// <summary>Beyond a number the types of delegates can be collected, and functions work as before.</summary>
    [Fact]
    public void DelegateTypesBeyondANumberAreGarbage()
    {
        DelegateTypes.MostLastingForTests = 0;
        try
        {
            WeakReference weak = UseDelegate();
            MakeDelegates(70);
            Assert.True(Eventually.Collected(weak));
        }
        finally
        {
            DelegateTypes.MostLastingForTests = 10_000;
        }
    }

    /// <summary>Types of many results are never forgotten by .NET: there is a number of them, and known ones stay usable.</summary>
    [Fact]
    public void TypesOfManyResultsAreBounded()
    {
        ResultTuples.RoomForTests = 3;
        try
        {
            for (int i = 0; i < 3; i++) CallWithResults(i);
            UnsupportedModuleException refused = Assert.Throws<UnsupportedModuleException>(() => CallWithResults(3));
            Assert.Contains("types of 5 and more results", refused.Message);
            for (int i = 0; i < 3; i++) CallWithResults(i);
        }
        finally
        {
            ResultTuples.RoomForTests = null;
        }
        CallWithResults(3);
    }

    private static void CallWithResults(int number)
    {
        string[] types = ["externref", "f32", "v128", "f32", "i64", "f64", .. Enumerable.Range(0, 4).Select(digit => ((number >> digit) & 1) == 0 ? "f32" : "externref")];
        string values = string.Concat(types.Select(t => t switch { "externref" => "(ref.null extern)", "v128" => "(v128.const i64x2 1 2)", _ => $"({t}.const 1)" }));
        new Engine(new EngineOptions { Inlining = false }).CompileText($"""
            (module (func $f (result {string.Join(' ', types)}) {values})
              (func (export "g") (call $f) {string.Concat(types.Select(_ => "(drop)"))}))
            """).Instantiate().GetExport<Action>("g")();
    }

    private const string Unusual =
        """
        (module
          (import "h" "f" (func $h (param f32 i64 f32 i64 f64 f32 i32 funcref) (result f64)))
          (func (export "f") (param f32 i64 f32 i64 f64 f32 i32 funcref) (result f64)
            (call $h (local.get 0) (local.get 1) (local.get 2) (local.get 3) (local.get 4) (local.get 5) (local.get 6) (local.get 7))))
        """;

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static WeakReference UseDelegate()
    {
        Func<float, long, float, long, double, float, int, Delegate?, double> host = (a, b, c, d, e, f, g, _) => a + b + c + d + e + f + g;
        Instance instance = new Engine().CompileText(Unusual).Instantiate(new Imports { { "h", "f", host } });
        Delegate export = instance.GetExport<Delegate>("f");
        Assert.True(export.GetType().IsCollectible);
        Assert.Equal(28.0, export.DynamicInvoke(1f, 2L, 3f, 4L, 5.0, 6f, 7, null));
        Assert.Equal(28.0, instance.GetExport<Func<float, long, float, long, double, float, int, Delegate?, double>>("f")(1, 2, 3, 4, 5, 6, 7, null));
        return new WeakReference(export.GetType());
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void MakeDelegates(int count)
    {
        for (int i = 0; i < count; i++)
        {
            string types = string.Join(' ', Enumerable.Range(0, 12).Select(digit => ((i >> digit) & 1) == 0 ? "f32" : "i64"));
            new Engine().CompileText($"""(module (func (export "f") (param f32 i32 {types})))""").Instantiate().GetExport<Delegate>("f");
        }
    }
}
