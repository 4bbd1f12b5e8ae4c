using WasmJit.Components;
using Xunit;

namespace WasmJit.Tests;

/// <summary>Handles that are lent from guest to guest, in the first calls and in those that have become one method: who has them, and when they are free again.</summary>
public sealed class FusedBorrowTests
{
    /// <summary>
    /// <c>$C</c> has the resource type. <c>$D</c> owns resources, and lends them to it and to <c>$E</c>, which lends them on to <c>$C</c>. "main" is code of <c>$D</c>.
    /// </summary>
    private static ComponentInstance Make(string main, EngineOptions? options = null) => new Engine(options).CompileComponent(Wat.ToBinary($$"""
        (component
          (component $C
            (type $thing' (resource (rep i32)))
            (export $thing "thing" (type $thing'))
            (core func $new (canon resource.new $thing'))
            (core module $M
              (memory (export "mem") 100)
              (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
              (func (export "peek") (param i32) (result i32) (local.get 0))
              (func (export "both") (param i32 i32) (result i32) (i32.add (local.get 0) (i32.mul (local.get 1) (i32.const 10))))
              (func (export "all") (param i32 i32) (result i32) (local.get 1)))
            (core instance $m (instantiate $M))
            (func (export "make") (param "x" u32) (result (own $thing)) (canon lift (core func $new)))
            (func (export "peek") (param "x" (borrow $thing)) (result u32) (canon lift (core func $m "peek")))
            (func (export "both") (param "x" (borrow $thing)) (param "y" (borrow $thing)) (result u32) (canon lift (core func $m "both")))
            (func (export "give") (param "x" (borrow $thing)) (param "y" (own $thing)) (result u32) (canon lift (core func $m "both")))
            (func (export "all") (param "x" (list (borrow $thing))) (result u32)
              (canon lift (core func $m "all") (memory (core memory $m "mem")) (realloc (core func $m "realloc")))))
          (instance $c (instantiate $C))
          (component $E
            (import "thing" (type $thing (sub resource)))
            (import "peek" (func $peek (param "x" (borrow $thing)) (result u32)))
            (core func $peek' (canon lower (func $peek)))
            (core func $drop (canon resource.drop $thing))
            (core module $M
              (import "" "peek" (func $peek (param i32) (result i32)))
              (import "" "drop" (func $drop (param i32)))
              (global $last (mut i32) (i32.const 0))
              (func (export "use") (param $h i32) (result i32) (local $r i32)
                (global.set $last (local.get $h))
                (local.set $r (call $peek (local.get $h)))
                (if (i32.ne (local.get $r) (i32.const 9)) (then (call $drop (local.get $h))))
                (local.get $r))
              (func (export "later") (result i32) (call $peek (global.get $last))))
            (core instance $m (instantiate $M (with "" (instance (export "peek" (func $peek')) (export "drop" (func $drop))))))
            (func (export "use") (param "x" (borrow $thing)) (result u32) (canon lift (core func $m "use")))
            (func (export "later") (result u32) (canon lift (core func $m "later"))))
          (instance $e (instantiate $E (with "thing" (type $c "thing")) (with "peek" (func $c "peek"))))
          (component $D
            (import "thing" (type $thing (sub resource)))
            (import "make" (func $make (param "x" u32) (result (own $thing))))
            (import "peek" (func $peek (param "x" (borrow $thing)) (result u32)))
            (import "both" (func $both (param "x" (borrow $thing)) (param "y" (borrow $thing)) (result u32)))
            (import "give" (func $give (param "x" (borrow $thing)) (param "y" (own $thing)) (result u32)))
            (import "all" (func $all (param "x" (list (borrow $thing))) (result u32)))
            (import "use" (func $use (param "x" (borrow $thing)) (result u32)))
            (core module $Libc (memory (export "mem") 100))
            (core instance $libc (instantiate $Libc))
            (core func $make' (canon lower (func $make)))
            (core func $peek' (canon lower (func $peek)))
            (core func $both' (canon lower (func $both)))
            (core func $give' (canon lower (func $give)))
            (core func $all' (canon lower (func $all) (memory (core memory $libc "mem"))))
            (core func $use' (canon lower (func $use)))
            (core func $drop (canon resource.drop $thing))
            (core module $M
              (import "" "mem" (memory 1))
              (import "" "make" (func $make (param i32) (result i32)))
              (import "" "peek" (func $peek (param i32) (result i32)))
              (import "" "both" (func $both (param i32 i32) (result i32)))
              (import "" "give" (func $give (param i32 i32) (result i32)))
              (import "" "all" (func $all (param i32 i32) (result i32)))
              (import "" "use" (func $use (param i32) (result i32)))
              (import "" "drop" (func $drop (param i32)))
              (func (export "main") (param $n i32) (result i32) (local $h i32) (local $sum i32) {{main}}))
            (core instance $m (instantiate $M (with "" (instance
              (export "mem" (memory $libc "mem")) (export "make" (func $make')) (export "peek" (func $peek')) (export "both" (func $both')) (export "give" (func $give'))
              (export "all" (func $all')) (export "use" (func $use')) (export "drop" (func $drop))))))
            (func (export "main") (param "n" u32) (result u32) (canon lift (core func $m "main"))))
          (instance $d (instantiate $D (with "thing" (type $c "thing")) (with "make" (func $c "make")) (with "peek" (func $c "peek")) (with "both" (func $c "both"))
            (with "give" (func $c "give")) (with "all" (func $c "all")) (with "use" (func $e "use"))))
          (export "main" (func $d "main"))
          (export "later" (func $e "later")))
        """)).Instantiate();

    private static string Loop(string body) => $"(loop $l {body} (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))";

    private static string Add(string value) => $"(local.set $sum (i32.add (local.get $sum) {value}))";

    /// <summary>Each of the calls lends, and gets back: the resource can be dropped behind it, in one call as after many.</summary>
    [Theory]
    [InlineData("(call $peek (local.get $h))", 7)]
    [InlineData("(call $both (local.get $h) (local.get $h))", 77)]
    [InlineData("(call $use (local.get $h))", 7)]
    public void LentHandlesComeBack(string call, uint each)
    {
        using ComponentInstance instance = Make($"""
            {Loop($"(local.set $h (call $make (i32.const 7))) {Add(call)} {Add(call)} (call $drop (local.get $h))")} (local.get $sum)
            """);
        foreach (uint calls in new uint[] { 1, 100 })
            Assert.Equal(2 * calls * each, instance.GetFunction<Func<uint, uint>>("main")(calls));
    }

    /// <summary>Calls that lend to the instance that has the type make nothing.</summary>
    [Fact]
    public void LendingMakesNoObjects()
    {
        using ComponentInstance instance = Make($"(local.set $h (call $make (i32.const 7))) {Loop(Add("(call $both (local.get $h) (local.get $h))"))} (call $drop (local.get $h)) (local.get $sum)");
        var main = instance.GetFunction<Func<uint, uint>>("main");
        main(100);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Equal(770_000u, main(10_000));
        long made = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.True(made < 10_000, $"{made} bytes");
    }

    /// <summary>A callee does not drop what it has borrowed (of resource 9), after few calls in which it has, and after many.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(100)]
    public void BorrowedHandlesAreDroppedInTime(uint others)
    {
        using ComponentInstance instance = Make($"(local.set $h (call $make (i32.const 7))) {Loop(Add("(call $use (local.get $h))"))} (call $use (call $make (i32.const 9)))");
        Assert.Contains(ComponentTrap.BorrowsRemain, Assert.Throws<TrapException>(() => instance.GetFunction<Func<uint, uint>>("main")(others)).Message, StringComparison.Ordinal);
    }

    /// <summary>The callee still knows the number of the handle that it had.</summary>
    [Fact]
    public void WhatWasBorrowedIsGone()
    {
        using ComponentInstance instance = Make($"(local.set $h (call $make (i32.const 7))) {Loop(Add("(call $use (local.get $h))"))} (local.get $sum)");
        Assert.Equal(700u, instance.GetFunction<Func<uint, uint>>("main")(100));
        Assert.Contains("unknown handle index", Assert.Throws<TrapException>(() => instance.GetFunction<Func<uint>>("later")()).Message, StringComparison.Ordinal);
    }

    /// <summary>What a call lends it cannot give away; what it has given away it cannot lend.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(100)]
    public void LentHandlesStay(uint others)
    {
        string warm = $"{Loop($"(local.set $h (call $make (i32.const 7))) {Add("(call $give (local.get $h) (call $make (i32.const 1)))")}")}";
        using ComponentInstance instance = Make($"{warm} (call $give (local.get $h) (local.get $h))");
        Assert.Contains(ComponentTrap.OwnedWhileLent, Assert.Throws<TrapException>(() => instance.GetFunction<Func<uint, uint>>("main")(others)).Message, StringComparison.Ordinal);
    }

    /// <summary>A list of handles lends each; it has fewer than a table has places, though it needs but one handle.</summary>
    [Fact]
    public void ManyHandlesAreLent()
    {
        using ComponentInstance instance = Make("""
            (local.set $h (call $make (i32.const 7)))
            (loop $l (i32.store (i32.shl (local.get $sum) (i32.const 2)) (local.get $h))
              (br_if $l (i32.lt_u (local.tee $sum (i32.add (local.get $sum) (i32.const 1))) (local.get $n))))
            (call $all (i32.const 0) (local.get $n)) (call $drop (local.get $h))
            """);
        var main = instance.GetFunction<Func<uint, uint>>("main");
        foreach (uint count in new uint[] { 1, 5, 1000, 10_000 })
            for (int i = 0; i < 2 * FusedCall.Threshold; i++) Assert.Equal(count, main(count));
        Assert.Contains(ComponentTrap.TooManyHandles, Assert.Throws<TrapException>(() => main(HandleSpace.Most + 1)).Message, StringComparison.Ordinal);
    }
}
