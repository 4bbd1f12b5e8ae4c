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
}
