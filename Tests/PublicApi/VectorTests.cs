using System.Runtime.Intrinsics;
using Xunit;

namespace WasmJit.Tests.PublicApi;

/// <summary>v128 as the host sees it: Vector128&lt;byte&gt;, lane 0 first.</summary>
public sealed class VectorTests
{
    private readonly Engine engine = new();

    private static Vector128<byte> Ints(int a, int b, int c, int d) => Vector128.Create(a, b, c, d).AsByte();

    [Fact]
    public void ParametersAndResults()
    {
        Module module = engine.CompileText("""
            (module (func (export "add") (param v128 v128) (result v128) (i32x4.add (local.get 0) (local.get 1))))
            """);
        var add = module.Instantiate().GetExport<Func<Vector128<byte>, Vector128<byte>, Vector128<byte>>>("add");
        Assert.Equal(Ints(11, 22, 33, 44), add(Ints(1, 2, 3, 4), Ints(10, 20, 30, 40)));
    }

    [Fact]
    public void AmongOtherParametersAndResults()
    {
        Module module = engine.CompileText("""
            (module (func (export "mix") (param i32 v128 f64 v128 i64 f32 i32 i32 i32 i32) (result i64 v128 i32 v128 f64)
              (local.get 4) (local.get 3) (i32.add (local.get 0) (local.get 9)) (local.get 1) (local.get 2)))
            """);
        Delegate mix = module.Instantiate().GetExport<Delegate>("mix");
        object? result = mix.DynamicInvoke(1, Ints(1, 2, 3, 4), 2.5, Ints(5, 6, 7, 8), 9L, 1f, 0, 0, 0, 41);
        Assert.Equal((9L, Ints(5, 6, 7, 8), 42, Ints(1, 2, 3, 4), 2.5), result);
    }

    [Fact]
    public void HostFunctions()
    {
        Module module = engine.CompileText("""
            (module
              (import "host" "swap" (func $swap (param v128 i32 v128) (result v128 v128)))
              (import "host" "twice" (func $twice (param v128) (result v128)))
              (import "host" "static" (func $static (param i32 v128) (result v128)))
              (func (export "run") (param v128 v128) (result v128 v128)
                (call $swap (call $twice (local.get 0)) (i32.const 7) (call $static (i32.const 3) (local.get 1)))))
            """);
        int seen = 0;
        var imports = new Imports
        {
            {
                "host", "swap", (Func<Vector128<byte>, int, Vector128<byte>, (Vector128<byte>, Vector128<byte>)>)((a, n, b) =>
                {
                    seen = n;
                    return (b, a);
                })
            },
            { "host", "twice", (Func<Vector128<byte>, Vector128<byte>>)(v => (v.AsInt32() + v.AsInt32()).AsByte()) },
            { "host", "static", (Func<int, Vector128<byte>, Vector128<byte>>)Splat },
        };
        var run = module.Instantiate(imports)
            .GetExport<Func<Vector128<byte>, Vector128<byte>, (Vector128<byte>, Vector128<byte>)>>("run");
        Assert.Equal((Ints(13, 14, 15, 16), Ints(2, 4, 6, 8)), run(Ints(1, 2, 3, 4), Ints(10, 11, 12, 13)));
        Assert.Equal(7, seen);

        static Vector128<byte> Splat(int n, Vector128<byte> v) => (v.AsInt32() + Vector128.Create(n)).AsByte();
    }

    [Fact]
    public void HostFunctionsWithManyNumbersAsResults()
    {
        Module module = engine.CompileText("""
            (module
              (import "host" "four" (func $four (param i64) (result i64 i64 f64 i32)))
              (func (export "run") (param i64) (result i64 i64 f64 i32) (call $four (local.get 0))))
            """);
        var imports = new Imports { { "host", "four", (Func<long, (long, long, double, int)>)(n => (n, n + 1, n + 2, (int)n + 3)) } };
        Assert.Equal((5, 6, 7.0, 8), module.Instantiate(imports).GetExport<Func<long, (long, long, double, int)>>("run")(5));
    }

    [Fact]
    public void Globals()
    {
        var global = new Global(new GlobalType(ValType.V128, true), Ints(1, 2, 3, 4));
        Module module = engine.CompileText("""
            (module
              (import "host" "g" (global $g (mut v128)))
              (global $own (export "own") (mut v128) (v128.const i32x4 5 6 7 8))
              (global $next i32 (i32.const 77))
              (global $copy (export "copy") v128 (v128.const f64x2 1 -2))
              (func (export "exchange") (local v128)
                (local.set 0 (global.get $g))
                (global.set $g (global.get $own))
                (global.set $own (local.get 0)))
              (func (export "next") (result i32) (global.get $next)))
            """);
        Instance instance = module.Instantiate(new Imports { { "host", "g", global } });
        instance.GetExport<Action>("exchange")();
        Assert.Equal(Ints(5, 6, 7, 8), global.Value);
        var own = instance.GetExport<Global>("own");
        Assert.Equal(Ints(1, 2, 3, 4), own.Value);
        own.Value = Ints(-1, -1, -1, -1);
        Assert.Equal(Ints(-1, -1, -1, -1), own.Value);
        Assert.Equal(77, instance.GetExport<Func<int>>("next")());
        Assert.Equal(Vector128.Create(1.0, -2.0).AsByte(), instance.GetExport<Global>("copy").Value);
        Assert.Throws<ArgumentException>(() => own.Value = 1);
    }

    [Fact]
    public void TablesReferencesAndTailCalls()
    {
        Module module = engine.CompileText("""
            (module
              (type $op (func (param v128 v128) (result v128)))
              (table funcref (elem $add $sub $through))
              (func $add (type $op) (i32x4.add (local.get 0) (local.get 1)))
              (func $sub (type $op) (i32x4.sub (local.get 0) (local.get 1)))
              (func $through (type $op) (return_call_indirect (type $op) (local.get 1) (local.get 0) (i32.const 1)))
              (func (export "run") (param i32 v128 v128) (result v128)
                (call_indirect (type $op) (local.get 1) (local.get 2) (local.get 0)))
              (func $down (export "down") (param i32 v128 v128 v128) (result v128)
                (if (i32.eqz (local.get 0)) (then (return (local.get 1))))
                (return_call $down (i32.sub (local.get 0) (i32.const 1)) (local.get 2) (local.get 3) (local.get 1)))
              (elem declare func $sub)
              (func (export "reference") (param v128) (result v128)
                (call_ref $op (local.get 0) (v128.const i32x4 1 1 1 1) (ref.func $sub))))
            """);
        Instance instance = module.Instantiate();
        var run = instance.GetExport<Func<int, Vector128<byte>, Vector128<byte>, Vector128<byte>>>("run");
        Vector128<byte> a = Ints(10, 20, 30, 40), b = Ints(1, 2, 3, 4);
        Assert.Equal(Ints(11, 22, 33, 44), run(0, a, b));
        Assert.Equal(Ints(9, 18, 27, 36), run(1, a, b));
        Assert.Equal(Ints(-9, -18, -27, -36), run(2, a, b));
        Assert.Equal(TrapKind.UndefinedElement, Assert.Throws<TrapException>(() => run(3, a, b)).Kind);
        var down = instance.GetExport<Func<int, Vector128<byte>, Vector128<byte>, Vector128<byte>, Vector128<byte>>>("down");
        Assert.Equal(b, down(1_000_000, a, b, default));
        Assert.Equal(Ints(0, 1, 2, 3), instance.GetExport<Func<Vector128<byte>, Vector128<byte>>>("reference")(b));
    }

    [Fact]
    public void BlocksLoopsAndSelect()
    {
        Module module = engine.CompileText("""
            (module (func (export "run") (param i32) (result v128) (local v128)
              (v128.const i32x4 0 0 0 0)
              (loop $l (param v128) (result v128)
                (i32x4.add (i32x4.splat (local.get 0)))
                (local.tee 1)
                (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
              (select (v128.const i32x4 1 1 1 1) (i32x4.extract_lane 3 (local.get 1)))
              (if (param v128) (result v128) (i32.eqz (local.get 0)) (then (i32x4.neg)) (else (drop) (local.get 1)))))
            """);
        var run = module.Instantiate().GetExport<Func<int, Vector128<byte>>>("run");
        Assert.Equal(Ints(-55, -55, -55, -55), run(10));
    }
}
