using Xunit;

namespace WasmJit.Tests;

/// <summary>Ways into and out of protected regions that the official suite does not go.</summary>
public sealed class ExceptionEmitTests
{
    private static T Export<T>(string fields, string name = "f")
        where T : Delegate =>
        new Engine(Tiers.Compiled).CompileText($"(module {fields})").Instantiate().GetExport<T>(name);

    [Theory]
    [InlineData(0, 100)]
    [InlineData(1, 11)]
    [InlineData(2, 2)]
    [InlineData(3, 3)]
    [InlineData(9, 9)]
    public void BrTableLeavesNestedRegions(int arm, int expected)
    {
        var f = Export<Func<int, int>>("""
            (tag $t (param i32)) (func $may)
            (func (export "f") (param i32) (result i32)
              (block $c (result i32)
                (i32.add (i32.const 10)
                  (block $b (result i32)
                    (try_table (result i32) (catch $t $b)
                      (block $a (result i32)
                        (try_table (result i32) (catch $t $c)
                          (call $may)
                          (br_table $a $b $c (local.get 0) (local.get 0))))
                      (drop) (i32.const 90))
                  )
                )
              ))
            """);
        Assert.Equal(expected, f(arm));
    }

    [Fact]
    public void LocalsChangedInTheBodyAreSeenInTheHandler()
    {
        var f = Export<Func<int, int>>("""
            (tag $t)
            (func $throw (param i32) (if (i32.gt_s (local.get 0) (i32.const 3)) (then (throw $t))))
            (func (export "f") (param $n i32) (result i32) (local $i i32)
              (block $caught
                (try_table (catch $t $caught)
                  (loop $next
                    (local.set $i (i32.add (local.get $i) (i32.const 1)))
                    (call $throw (local.get $i))
                    (br_if $next (i32.lt_s (local.get $i) (local.get $n))))))
              (local.get $i))
            """);
        Assert.Equal(2, f(2));
        Assert.Equal(4, f(100));
    }

    /// <summary>The handlers of the caller's frame are gone when the callee runs; constant stack besides.</summary>
    [Theory]
    [InlineData("return_call $g (i32.sub (local.get 0) (i32.const 1))")]
    [InlineData("return_call_ref $type (i32.sub (local.get 0) (i32.const 1)) (ref.func $g)")]
    [InlineData("return_call_indirect (type $type) (i32.sub (local.get 0) (i32.const 1)) (i32.const 0)")]
    public void TailCallsLeaveTheRegion(string call)
    {
        var f = Export<Func<int, int>>($$"""
            (tag $t) (type $type (func (param i32) (result i32))) (table funcref (elem $g))
            (func $g (type $type)
              (if (i32.eqz (local.get 0)) (then (throw $t)))
              (block $caught
                (try_table (catch $t $caught) ({{call}}))
                unreachable)
              (i32.const 1))
            (func (export "f") (param i32) (result i32)
              (block $caught
                (try_table (result i32) (catch $t $caught) (call $g (local.get 0)))
                (return))
              (i32.const 2))
            """);
        Assert.Equal(2, f(1_000_000));
    }

    [Fact]
    public void ReturnsSeveralValuesFromARegion()
    {
        var f = Export<Func<int, (int, long, double)>>("""
            (func $may)
            (func (export "f") (param i32) (result i32 i64 f64)
              (i32.const 5)
              (block $all
                (try_table (catch_all $all)
                  (call $may)
                  (return (local.get 0) (i64.const 2) (f64.const 3))))
              (drop) unreachable)
            """);
        Assert.Equal((4, 2L, 3.0), f(4));
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(1, 2)]
    [InlineData(2, 3)]
    [InlineData(3, 4)]
    public void ImportedTagsMayBeTheSame(int which, int expected)
    {
        var tag = new Tag(new FuncType([ValType.I32], []));
        var imports = new Imports { { "m", "a", tag }, { "m", "b", which == 1 ? tag : new Tag(new FuncType([ValType.I32], [])) } };
        // Both clauses name another tag than the throw does: only the instance tells whether it is another.
        Instance instance = new Engine(Tiers.Compiled).CompileText("""
            (module
              (import "m" "a" (tag $a (param i32))) (import "m" "b" (tag $b (param i32))) (tag $c (param i32))
              (func (export "f") (param i32) (result i32)
                (block $all
                  (block $b (result i32)
                    (try_table (catch $b $b) (catch_all $all)
                      (if (i32.eq (local.get 0) (i32.const 3)) (then (throw $c (i32.const 0))))
                      (if (i32.eq (local.get 0) (i32.const 2)) (then (return (i32.const 3))))
                      (throw $a (local.get 0)))
                    (unreachable))
                  (drop) (return (i32.const 2)))
                (if (result i32) (i32.eq (local.get 0) (i32.const 3)) (then (i32.const 4)) (else (i32.const 1)))))
            """).Instantiate(imports);
        Assert.Equal(expected, instance.GetExport<Func<int, int>>("f")(which));
    }

    [Fact]
    public void PayloadsOfEveryType()
    {
        var f = Export<Func<int>>("""
            (type $s (struct (field i32)))
            (tag $t (param i32 i64 f32 f64 externref (ref null $s) funcref i64))
            (func $g)  (elem declare func $g)
            (func $throw (throw $t (i32.const -5) (i64.const 0x123456789abcdef0) (f32.const nan:0x200001) (f64.const -0.5)
              (ref.null extern) (struct.new $s (i32.const 77)) (ref.func $g) (i64.const -1)))
            (func (export "f") (result i32)
              (local $i i32) (local $l i64) (local $a f32) (local $d f64) (local $s (ref null $s)) (local $f funcref) (local $m i64)
              (block $h (result i32 i64 f32 f64 externref (ref null $s) funcref i64)
                (try_table (catch $t $h) (call $throw))
                unreachable)
              (local.set $m) (local.set $f) (local.set $s) (drop) (local.set $d) (local.set $a) (local.set $l) (local.set $i)
              (i32.and (i32.and (i32.and (i32.eq (local.get $i) (i32.const -5)) (i64.eq (local.get $l) (i64.const 0x123456789abcdef0)))
                (i32.and (i32.eq (i32.reinterpret_f32 (local.get $a)) (i32.const 0x7fa00001)) (f64.eq (local.get $d) (f64.const -0.5))))
                (i32.and (i32.and (i32.eq (struct.get $s 0 (local.get $s)) (i32.const 77)) (i64.eq (local.get $m) (i64.const -1)))
                  (i32.eqz (ref.is_null (local.get $f))))))
            """);
        Assert.Equal(1, f());
    }

    /// <summary>The label of a loop may stand directly before a region, and be branched to from inside.</summary>
    [Fact]
    public void ALoopAroundARegion()
    {
        var f = Export<Func<int, int>>("""
            (tag $t) (func $throw (throw $t))
            (func (export "f") (param $n i32) (result i32) (local $caught i32)
              (loop $next
                (block $h
                  (try_table (catch $t $h)
                    (br_if $next (i32.and (local.tee $n (i32.sub (local.get $n) (i32.const 1))) (i32.const 1)))
                    (call $throw)))
                (local.set $caught (i32.add (local.get $caught) (i32.const 1)))
                (br_if $next (i32.gt_s (local.get $n) (i32.const 0))))
              (local.get $caught))
            """);
        Assert.Equal(5, f(10));
    }

    [Fact]
    public void LegacyHandlersNestAndRethrow()
    {
        var f = Export<Func<int, int>>("""
            (tag $a (param i32)) (tag $b)
            (func $throw (param i32) (if (local.get 0) (then (throw $a (local.get 0))) (else (throw $b))))
            (func (export "f") (param i32) (result i32)
              (try $outer (result i32)
                (do
                  (try $inner (result i32)
                    (do (call $throw (local.get 0)) (i32.const 0))
                    (catch $a
                      (try (result i32) (do (throw $b)) (catch $b (rethrow $inner)))
                      (drop))
                    (catch $b (i32.const 50))))
                (catch $a (i32.add (i32.const 100)))))
            """);
        Assert.Equal(50, f(0));
        Assert.Equal(107, f(7));
    }

    [Fact]
    public void DelegateSkipsHandlers()
    {
        var f = Export<Func<int>>("""
            (tag $t) (func $throw (throw $t))
            (func (export "f") (result i32)
              (try $far (result i32)
                (do (try (result i32)
                  (do (try (result i32) (do (call $throw) (i32.const 0)) (delegate $far)))
                  (catch_all (i32.const 1))))
                (catch $t (i32.const 2))))
            (func (export "g") (result i32)
              (try (result i32)
                (do (try (result i32) (do (call $throw) (i32.const 0)) (delegate 1)))
                (catch_all (i32.const 1))))
            """);
        Assert.Equal(2, f());
        Assert.Throws<WasmException>(() => Export<Func<int>>("""
            (tag $t) (func $throw (throw $t))
            (func (export "f") (result i32)
              (try (result i32)
                (do (try (result i32) (do (call $throw) (i32.const 0)) (delegate 1)))
                (catch_all (i32.const 1))))
            """)());
    }

    [Fact]
    public void AThrowInTheStartFunctionComesOutOfInstantiate()
    {
        Module module = new Engine(Tiers.Compiled).CompileText("(module (tag $t (param i32)) (func $s (throw $t (i32.const 3))) (start $s))");
        Assert.Equal(3, Assert.Throws<WasmException>(() => module.Instantiate()).GetValue<int>(0));
    }

    [Fact]
    public void DeepRecursionUnwinds()
    {
        var f = Export<Func<int, int>>("""
            (tag $t (param i32))
            (func $down (param i32) (if (i32.eqz (local.get 0)) (then (throw $t (i32.const 42)))) (call $down (i32.sub (local.get 0) (i32.const 1))))
            (func (export "f") (param i32) (result i32)
              (block $h (result i32) (try_table (catch $t $h) (call $down (local.get 0))) (i32.const 0)))
            """);
        Assert.Equal(42, f(5_000));
    }
}
