using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Text;
using WasmJit.Jit.Emit;
using WasmJit.Jit.Il;
using Xunit;

namespace WasmJit.Tests;

/// <summary>Functions that are compiled in parts.</summary>
[Collection("JIT events")]
public sealed class SplitterTests
{
    private static readonly EngineOptions Tiny = new() { Compilation = Compilation.Lazy, PartSize = new PartSize(6, 3, 12), Inlining = false };

    /// <summary>A loop for each number: x = (x + number) xor its square, three times.</summary>
    private static string Loops(int count)
    {
        var text = new StringBuilder("(module (memory 1) (func $f (export \"f\") (param $x i32) (result i32) (local $i i32)\n");
        for (int n = 0; n < count; n++)
            text.Append($"i32.const 3 local.set $i loop local.get $x i32.const {n} i32.add i32.const {n * n} i32.xor local.tee $x ")
                .Append("i32.const 0xfffc i32.and local.get $x i32.store local.get $x i32.const 0xfffc i32.and i32.load local.set $x ")
                .Append("local.get $i i32.const 1 i32.sub local.tee $i br_if 0 end\n");
        return text.Append("local.get $x))").ToString();
    }

    private static int LoopsInNet(int count, int x)
    {
        for (int n = 0; n < count; n++)
            for (int i = 0; i < 3; i++) x = (x + n) ^ (n * n);
        return x;
    }

    [Fact]
    public void TheLargestFunctionsAreOptimised()
    {
        using var listener = new JitListener();
        const int count = 8_000;
        Module module = new Engine(Tiers.Compiled).CompileText(Loops(count));
        Assert.True(module.Code.EmitIl(0).Instructions > 150_000);
        Assert.Equal(LoopsInNet(count, 7), module.Instantiate().GetExport<Func<int, int>>("f")(7));
        int[] tiers = listener.TiersOf(module.Code.NameOf(0));
        Assert.InRange(tiers.Length, 10, 100);
        Assert.All(tiers, tier => Assert.Equal(2, tier));
    }

    [Fact]
    public void ValuesOfAllTypesGoFromPartToPart()
    {
        Instance instance = new Engine(Tiny).CompileText("""
            (module
              (func (export "f") (param $a i32) (param $b i64) (param $c f32) (param $d f64) (param $v v128) (param $r externref)
                  (result i32 i64 f32 f64 v128 externref)
                (local $i i32) (local $unset i64) (local $f funcref)
                (local.set $i (i32.const 5))
                (loop $again
                  (local.set $a (i32.add (local.get $a) (i32.const 1)))
                  (if (i32.and (local.get $i) (i32.const 1))
                    (then (local.set $b (i64.mul (local.get $b) (i64.const 3))))
                    (else (local.set $c (f32.add (local.get $c) (f32.const 0.5)))))
                  (block $out
                    (br_if $out (i32.eq (local.get $i) (i32.const 2)))
                    (local.set $d (f64.mul (local.get $d) (f64.const 2)))
                    (local.set $v (i32x4.add (local.get $v) (i32x4.splat (local.get $i)))))
                  (local.set $f (select (result funcref) (ref.null func) (local.get $f) (ref.is_null (local.get $f))))
                  (br_if $again (local.tee $i (i32.sub (local.get $i) (i32.const 1)))))
                (local.get $a) (i64.add (local.get $b) (local.get $unset)) (local.get $c) (local.get $d) (local.get $v) (local.get $r)))
            """).Instantiate();
        var f = instance.GetExport<Func<int, long, float, double, Vector128<byte>, object?, (int, long, float, double, Vector128<byte>, object?)>>("f");
        object thing = new();
        Assert.Equal((15, 27L * 7, 2f, 48.0, Vector128.Create(13).AsByte(), thing), f(10, 7, 1, 3, Vector128<byte>.Zero, thing));
    }

    [Fact]
    public void RecursionTrapsAndStacks()
    {
        Instance instance = new Engine(Tiny).CompileText("""
            (module (memory 1)
              (func $fact (export "fact") (param $n i64) (result i64) (local $r i64)
                (if (i64.lt_s (local.get $n) (i64.const 2)) (then (return (i64.const 1))))
                (local.set $r (call $fact (i64.sub (local.get $n) (i64.const 1))))
                (block $a (block $b (block $c
                  (br_table $a $b $c (i32.wrap_i64 (i64.and (local.get $n) (i64.const 3)))))
                  (local.set $r (i64.mul (local.get $r) (local.get $n))) (return (local.get $r)))
                  (return (i64.mul (local.get $n) (local.get $r))))
                (i64.mul (local.get $r) (local.get $n)))
              (func $forever (export "forever") (param i32) (result i32)
                (if (local.get 0) (then (local.set 0 (i32.const 1))))
                (local.set 0 (i32.add (local.get 0) (i32.const 0)))
                (i32.add (i32.const 1) (call $forever (local.get 0))))
              (func $reach (export "reach") (param i32) (result i32)
                (local.set 0 (i32.add (local.get 0) (i32.const 1)))
                (if (i32.eqz (local.get 0)) (then (return (i32.const 7))))
                (local.set 0 (i32.mul (local.get 0) (i32.const 65536)))
                (i32.load (local.get 0))))
            """).Instantiate();
        Assert.Equal(2432902008176640000, instance.GetExport<Func<long, long>>("fact")(20));
        Assert.Equal(TrapKind.CallStackExhausted, Assert.Throws<TrapException>(() => instance.GetExport<Func<int, int>>("forever")(1)).Kind);
        TrapException trap = Assert.Throws<TrapException>(() => instance.GetExport<Func<int, int>>("reach")(1));
        Assert.Equal(TrapKind.OutOfBoundsMemoryAccess, trap.Kind);
        Assert.Equal(["reach"], trap.WasmStack.Select(f => f.Function));
        Assert.Equal(7, instance.GetExport<Func<int, int>>("reach")(-1));
    }

    /// <summary>Regions that are longer than a part, in each other, entered again and again, with code between the parts of handlers.</summary>
    [Fact]
    public void RegionsGoFromPartToPart()
    {
        const string Text = """
            (module
              (tag $a (param i32)) (tag $b (param i64 externref)) (tag $c)
              (func $throw (param $x i32) (param $o externref)
                (if (i32.eq (local.get $x) (i32.const 1)) (then (throw $a (local.get $x))))
                (if (i32.eq (local.get $x) (i32.const 2)) (then (throw $b (i64.const 40) (local.get $o))))
                (if (i32.eq (local.get $x) (i32.const 3)) (then (throw $c))))
              (func $f (export "f") (param $n i32) (param $x i32) (param $o externref) (result i64 externref)
                (local $sum i64) (local $last externref) (local $again i32)
                (loop $round
                  (block $out
                    (block $onC
                      (block $onB (result i64 externref)
                        (try_table (catch $b $onB) (catch_all $onC)
                          (local.set $sum (i64.add (local.get $sum) (i64.const 1)))
                          (local.set $again (i32.const 2))
                          (loop $inner
                            (block $onA (result i32)
                              (try_table (catch $a $onA)
                                (local.set $sum (i64.add (local.get $sum) (i64.const 10)))
                                (if (i32.and (local.get $x) (i32.const 4)) (then (local.set $sum (i64.mul (local.get $sum) (i64.const 3)))))
                                (call $throw (i32.and (local.get $x) (i32.const 3)) (local.get $o))
                                (local.set $sum (i64.add (local.get $sum) (i64.const 100)))
                                (br_if $out (i32.and (local.get $x) (i32.const 8)))
                                (block $x (block $y (br_table $x $y $out (i32.and (local.get $n) (i32.const 3))))
                                  (local.set $sum (i64.add (local.get $sum) (i64.const 7))))
                                (if (i32.eq (local.get $n) (i32.const 2)) (then (return (local.get $sum) (local.get $last))))
                                (call $throw (i32.and (i32.shr_u (local.get $x) (i32.const 4)) (i32.const 3)) (local.get $o))
                                (local.set $sum (i64.add (local.get $sum) (i64.const 1000))))
                              (i32.const 5))
                            (local.set $sum (i64.add (i64.extend_i32_s) (local.get $sum)))
                            (br_if $inner (local.tee $again (i32.sub (local.get $again) (i32.const 1)))))
                          (br $out))
                        (unreachable))
                      (local.set $last) (local.set $sum (i64.add (local.get $sum)))
                      (br $out))
                    (local.set $sum (i64.xor (local.get $sum) (i64.const 0x5555))))
                  (local.set $x (i32.add (i32.mul (local.get $x) (i32.const 13)) (i32.const 7)))
                  (br_if $round (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
                (local.get $sum) (local.get $last))
              (func (export "escapes") (param $x i32)
                (local $i i32)
                (try_table
                  (local.set $i (i32.add (local.get $x) (i32.const 1)))
                  (block $c (try_table (catch $c $c)
                    (local.set $i (i32.mul (local.get $i) (i32.const 3)))
                    (call $throw (local.get $x) (ref.null extern))
                    (local.set $i (i32.mul (local.get $i) (i32.const 3)))))
                  (local.set $i (i32.add (local.get $i) (i32.const 1))))))
            """;
        Module cut = new Engine(Tiny).CompileText(Text);
        Instance parts = cut.Instantiate(), whole = new Engine(Tiers.Compiled with { Inlining = false }).CompileText(Text).Instantiate();
        var f = parts.GetExport<Func<int, int, object?, (long, object?)>>("f");
        var expected = whole.GetExport<Func<int, int, object?, (long, object?)>>("f");
        object thing = new();
        var results = new HashSet<long>();
        for (int n = 1; n < 7; n++)
            for (int x = 0; x < 256; x++)
            {
                (long, object?) result = f(n, x, thing);
                Assert.Equal(expected(n, x, thing), result);
                results.Add(result.Item1);
            }
        Assert.True(results.Count > 100, $"only {results.Count} results");
        Assert.InRange(cut.Code.FormOf(1).Parts, 20, 400);
        var escapes = parts.GetExport<Action<int>>("escapes");
        escapes(0);
        escapes(3);
        Assert.Equal([1], Assert.Throws<WasmException>(() => escapes(1)).GetValues());
        Assert.Equal([40L, null], Assert.Throws<WasmException>(() => escapes(2)).GetValues());
    }

    /// <summary>The older operators for exceptions, in parts.</summary>
    [Fact]
    public void OldTriesGoFromPartToPart()
    {
        const string Text = """
            (module
              (tag $a (param i32)) (tag $b)
              (func $throw (param $x i32)
                (if (i32.eq (local.get $x) (i32.const 1)) (then (throw $a (i32.const 11))))
                (if (i32.eq (local.get $x) (i32.const 2)) (then (throw $b))))
              (func (export "f") (param $x i32) (result i32) (local $sum i32)
                try $outer (result i32)
                  try
                    (local.set $sum (i32.add (local.get $sum) (i32.const 1)))
                    try
                      (local.set $sum (i32.add (local.get $sum) (i32.const 2)))
                      (call $throw (i32.and (local.get $x) (i32.const 3)))
                      (local.set $sum (i32.add (local.get $sum) (i32.const 4)))
                    catch $a
                      local.get $sum i32.add local.set $sum
                      (if (i32.and (local.get $x) (i32.const 4)) (then (rethrow 1)))
                      (call $throw (i32.shr_u (local.get $x) (i32.const 3)))
                    end
                    (local.set $sum (i32.mul (local.get $sum) (i32.const 3)))
                    try
                      (call $throw (i32.shr_u (local.get $x) (i32.const 3)))
                      (local.set $sum (i32.mul (local.get $sum) (i32.const 5)))
                    delegate $outer
                  catch_all
                    (local.set $sum (i32.add (local.get $sum) (i32.const 1000)))
                    (if (i32.and (local.get $x) (i32.const 32)) (then (rethrow 1)))
                  end
                  (i32.add (local.get $sum) (i32.const 1))
                catch $a
                  (i32.add (local.get $sum))
                catch_all
                  (i32.add (local.get $sum) (i32.const 20000))
                end))
            """;
        Module cut = new Engine(Tiny).CompileText(Text);
        var f = cut.Instantiate().GetExport<Func<int, int>>("f");
        var expected = new Engine(Tiers.Compiled with { Inlining = false }).CompileText(Text).Instantiate().GetExport<Func<int, int>>("f");
        var results = new HashSet<int>();
        for (int x = 0; x < 64; x++)
        {
            results.Add(f(x));
            Assert.Equal(expected(x), f(x));
        }
        Assert.True(results.Count > 6, $"only {results.Count} results");
        Assert.InRange(cut.Code.FormOf(1).Parts, 10, 200);
    }

    /// <summary>Tail calls are made by the method in front of the parts: no stack is used, and values of all types arrive.</summary>
    [Fact]
    public void TailCallsOfParts()
    {
        Module module = new Engine(Tiny).CompileText("""
            (module
              (type $all (func (param i32 i64 f32 f64 v128 externref i64) (result i64)))
              (type $few (func (param i64) (result i64)))
              (import "host" "last" (func $last (type $few)))
              (table funcref (elem $few $end))
              (elem declare func $end)
              (func $all (export "f") (type $all)
                (if (i32.eqz (local.get 0)) (then (return_call_indirect (type $few) (local.get 1) (i32.const 0))))
                (if (ref.is_null (local.get 5)) (then (return_call_ref $few (local.get 1) (ref.func $end))))
                (if (i32.eq (local.get 0) (i32.const -7)) (then (return_call $last (local.get 1))))
                (return_call $all
                  (i32.sub (local.get 0) (i32.const 1))
                  (i64.add (i64.add (local.get 1) (i64.trunc_f32_s (local.get 2)))
                    (i64.add (i64.trunc_f64_s (local.get 3)) (i64.add (local.get 6) (i64x2.extract_lane 1 (local.get 4)))))
                  (local.get 2) (local.get 3) (i64x2.add (local.get 4) (i64x2.splat (i64.const 1))) (local.get 5) (i64.sub (local.get 6) (i64.const 1))))
              (func $few (type $few) (return_call $end (i64.add (local.get 0) (i64.const 1))))
              (func $end (type $few) (i64.mul (local.get 0) (i64.const 2))))
            """);
        Instance instance = module.Instantiate(new Imports { { "host", "last", (Func<long, long>)(x => x - 1) } });
        var f = instance.GetExport<Func<int, long, float, double, Vector128<byte>, object?, long, long>>("f");
        const int deep = 200_000;
        // The vector's lane grows as the last argument shrinks.
        Assert.Equal(2 * (5 + (deep * (3L + 4 + 10)) + 1), f(deep, 5, 3, 4, Vector128.Create(4L).AsByte(), "", 6));
        Assert.Equal(10, f(1, 5, 3, 4, default, null, 6));
        Assert.Equal(4, f(-7, 5, 3, 4, default, "", 6));
        Assert.InRange(module.Code.FormOf(1).Parts, 4, 100);
    }

    /// <summary>Beyond what can be outlined, handlers of exceptions and tail calls keep no function from being optimised.</summary>
    [Fact]
    public void LargestFunctionsWithRegionsAndTailCallsAreOptimised()
    {
        using var listener = new JitListener();
        const int count = 2_600;
        var text = new StringBuilder("(module (tag $e (param i32)) (func $step (param $x i32) (result i32) ")
            .Append("(if (i32.eqz (i32.and (local.get $x) (i32.const 7))) (then (throw $e (i32.add (local.get $x) (i32.const 3))))) (i32.add (local.get $x) (i32.const 1)))\n")
            .Append("(func $end (param $x i32) (result i32) (i32.xor (local.get $x) (i32.const 1)))\n")
            .Append("(func $f (export \"f\") (param $x i32) (result i32)\n");
        for (int n = 0; n < count; n++)
            text.Append("(local.set $x (block $c (result i32) (try_table (result i32) (catch $e $c) (call $step (local.get $x)))))\n")
                .Append($"(if (i32.eq (local.get $x) (i32.const {-n - 1})) (then (return_call $end (local.get $x))))\n");
        text.Append("(local.get $x)))");
        Module module = new Engine(Tiers.Compiled with { Inlining = false }).CompileText(text.ToString());
        var f = module.Instantiate().GetExport<Func<int, int>>("f");
        int x = 5;
        for (int n = 0; n < count; n++) x = (x & 7) == 0 ? x + 3 : x + 1;
        Assert.Equal(x, f(5));
        // It comes to -9 after nine steps, and ends with the tail call there.
        Assert.Equal(-9 ^ 1, f(-20));
        Assert.True(module.Code.FormOf(2) is { Parts: > 3, Slow: null }, $"{module.Code.FormOf(2)}");
        Assert.All(listener.TiersOf(module.Code.NameOf(2)), tier => Assert.Equal(2, tier));
    }

    [Fact]
    public void CodeOfPartsIsCollected()
    {
        Assert.True(Eventually.Collected(Run()));

        [MethodImpl(MethodImplOptions.NoInlining)]
        static WeakReference Run()
        {
            Module module = new Engine(Tiny).CompileText(Loops(20));
            Instance instance = module.Instantiate();
            var f = instance.GetExport<Func<int, int>>("f");
            Assert.Equal(LoopsInNet(20, 3), f(3));
            GC.Collect();
            Assert.Equal(LoopsInNet(20, 4), f(4));
            return new WeakReference(module);
        }
    }

    [Fact]
    public void DominatorsOfBlocks()
    {
        // 0 -> 1 or 2; both -> 3; 3 -> 3 or 4.
        var il = new IlBuffer();
        int other = il.DefineLabel(), join = il.DefineLabel();
        il.LdcI4(1);
        il.Branch(System.Reflection.Emit.OpCodes.Brtrue, other);
        il.LdcI4(2);
        il.Emit(System.Reflection.Emit.OpCodes.Pop);
        il.Branch(System.Reflection.Emit.OpCodes.Br, join);
        il.Mark(other);
        il.LdcI4(3);
        il.Emit(System.Reflection.Emit.OpCodes.Pop);
        il.Mark(join);
        il.LdcI4(4);
        il.Branch(System.Reflection.Emit.OpCodes.Brtrue, join);
        il.Emit(System.Reflection.Emit.OpCodes.Ret);
        Assert.Equal(2, ControlFlow.DominatorDepth(il));
    }

    [Fact]
    public void HandlersAreReachedFromInFrontOfTheirRegions()
    {
        // 0 -> try 1 or filter 2; 2 -> catch 3; 1 -> 5, 3 -> 4 (leaves); 4 -> 5.
        var il = new IlBuffer();
        int dispatch = il.DefineLabel(), end = il.DefineLabel();
        il.Emit(System.Reflection.Emit.OpCodes.Nop);
        il.Region(IlBuffer.Border.Try);
        il.Emit(System.Reflection.Emit.OpCodes.Nop);
        il.Branch(System.Reflection.Emit.OpCodes.Leave, end);
        il.Region(IlBuffer.Border.Filter);
        il.Emit(System.Reflection.Emit.OpCodes.Pop);
        il.LdcI4(1);
        il.Region(IlBuffer.Border.FilteredCatch);
        il.Emit(System.Reflection.Emit.OpCodes.Pop);
        il.Branch(System.Reflection.Emit.OpCodes.Leave, dispatch);
        il.Region(IlBuffer.Border.End);
        il.Mark(dispatch);
        il.Emit(System.Reflection.Emit.OpCodes.Nop);
        il.Mark(end);
        il.Emit(System.Reflection.Emit.OpCodes.Ret);
        Assert.Equal(3, ControlFlow.DominatorDepth(il));
    }
}
