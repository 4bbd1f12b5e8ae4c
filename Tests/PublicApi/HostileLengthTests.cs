using System.Diagnostics;
using Xunit;

namespace WasmJit.Tests.PublicApi;

/// <summary>Lengths that a guest gives are charged, and what cannot be had is a trap or -1.</summary>
public sealed class HostileLengthTests
{
    private static readonly Engine Counting = new(new EngineOptions { CountFuel = true });

    /// <summary>A memory of 2 GiB, and operators that read all but a byte of it.</summary>
    private const string Large = """
        (module (type $F (global i32)) (type $M (module))
          (memory 32768)
          (module $m) (instance (instantiate $m))
          (func (export "export") (param i32) (drop (get_export null $F (ref.instance 0) (i32.const 0) (local.get 0))))
          (func (export "compile") (param i32) (drop (compile null $M (i32.const 0) (local.get 0)))))
        """;

    [Theory]
    [InlineData("export")]
    [InlineData("compile")]
    public void TwoGigabytes(string name)
    {
        var f = new Engine().CompileText(Large).Instantiate().GetExport<Action<int>>(name);
        Assert.Equal(TrapKind.OutOfMemory, Assert.Throws<TrapException>(() => f(int.MaxValue)).Kind);
        var fuel = new Fuel(1_000_000);
        f = Counting.CompileText(Large).Instantiate(fuel: fuel).GetExport<Action<int>>(name);
        Assert.Equal(TrapKind.OutOfFuel, Assert.Throws<TrapException>(() => f(int.MaxValue)).Kind);
        fuel.Add(1_000_000);
        f(100);
        Assert.InRange(fuel.Remaining, 0, 1_000_000 - 12);
    }

    [Fact]
    public void ANameOfAGigabyteIsNoExport()
    {
        var fuel = new Fuel(1_000_000_000);
        var f = Counting.CompileText(Large).Instantiate(fuel: fuel).GetExport<Action<int>>("export");
        f(1 << 30);
        Assert.InRange(fuel.Remaining, 1, 1_000_000_000 - ((1 << 30) / 8));
    }

    [Fact]
    public void ATableThatGrowsByOneIsNotCopiedEachTime()
    {
        const int initial = 5_000_000, times = 20_000;
        foreach (string type in new[] { "anyref", "funcref" })
        {
            var fuel = new Fuel(long.MaxValue);
            var f = Counting.CompileText($"""
                (module (table $x 0 {type})
                  (func (export "f") (param i32) (result i32) (local $i i32)
                    (drop (table.grow $x (ref.null {(type == "anyref" ? "any" : "func")}) (i32.const {initial})))
                    (loop $l (drop (table.grow $x (ref.null {(type == "anyref" ? "any" : "func")}) (i32.const 1)))
                      (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get 0))))
                    (table.size $x)))
                """).Instantiate(fuel: fuel).GetExport<Func<int, int>>("f");
            var watch = Stopwatch.StartNew();
            Assert.Equal(initial + times, f(times));
            // Copied each time it is minutes.
            Assert.InRange(watch.ElapsedMilliseconds, 0, 60_000);
            Assert.InRange(long.MaxValue - fuel.Remaining, initial + times, initial + (20 * times));
        }
    }

    [Fact]
    public void WhatIsBehindTheEndOfATableThatHasGrownIsOutside()
    {
        Instance instance = new Engine().CompileText("""
            (module (table $t (export "t") 100 funcref) (func $g (result i32) (i32.const 7)) (elem declare func $g)
              (func (export "grow") (param i32) (result i32) (table.grow $t (ref.func $g) (local.get 0)))
              (func (export "call") (param i32) (result i32) (call_indirect (result i32) (local.get 0)))
              (func (export "get") (param i32) (drop (table.get $t (local.get 0))))
              (func (export "fill") (param i32 i32) (table.fill $t (local.get 0) (ref.null func) (local.get 1)))
              (func (export "copy") (param i32) (table.copy $t $t (local.get 0) (i32.const 0) (i32.const 1)))
              (func (export "size") (result i32) (table.size $t)))
            """).Instantiate();
        var grow = instance.GetExport<Func<int, int>>("grow");
        var call = instance.GetExport<Func<int, int>>("call");
        int size = 100;
        for (int i = 0; i < 60; i++)
        {
            Assert.Equal(size, grow(1));
            size++;
            Assert.Equal(size, instance.GetExport<Func<int>>("size")());
            Assert.Equal(size, instance.GetExport<Table>("t").Size);
            Assert.Equal(7, call(size - 1));
            Assert.Equal(TrapKind.UndefinedElement, Assert.Throws<TrapException>(() => call(size)).Kind);
            Assert.Equal(TrapKind.OutOfBoundsTableAccess, Assert.Throws<TrapException>(() => instance.GetExport<Action<int>>("get")(size)).Kind);
            Assert.Equal(TrapKind.OutOfBoundsTableAccess, Assert.Throws<TrapException>(() => instance.GetExport<Action<int>>("copy")(size)).Kind);
            Assert.Equal(TrapKind.OutOfBoundsTableAccess, Assert.Throws<TrapException>(() => instance.GetExport<Action<int, int>>("fill")(size - 1, 2)).Kind);
            Assert.Throws<ArgumentOutOfRangeException>(() => instance.GetExport<Table>("t")[size]);
        }
    }

    [Theory]
    [InlineData("(type $a (array (mut i8))) (global (ref $a) (array.new $a (i32.const 1) (i32.const 0x3ffffff0)))", 0x3ffffff0)]
    [InlineData("(type $a (array i64)) (global (ref $a) (array.new_default $a (i32.const 10000000)))", 10_000_000)]
    [InlineData("(type $s (struct (field i32 i32 i32))) (global (ref $s) (struct.new_default $s))", 3)]
    public void ConstantExpressionsAreCharged(string fields, long cost)
    {
        Module module = Counting.CompileText($"(module {fields})");
        var fuel = new Fuel(cost);
        Assert.Equal(TrapKind.OutOfFuel, Assert.Throws<TrapException>(() => module.Instantiate(fuel: fuel)).Kind);
        Assert.Equal(0, fuel.Remaining);
        fuel = new Fuel(cost + 10);
        module.Instantiate(fuel: fuel);
        Assert.InRange(fuel.Remaining, 0, 9);
    }

    [Fact]
    public void AStructureCostsItsFields()
    {
        var fuel = new Fuel(1_000_000);
        string many = string.Join(' ', Enumerable.Repeat("v128", 10_000));
        var f = Counting.CompileText($"(module (type $s (struct (field {many}))) (func (export \"f\") (drop (struct.new_default $s))))")
            .Instantiate(fuel: fuel).GetExport<Action>("f");
        long before = fuel.Remaining;
        f();
        Assert.InRange(before - fuel.Remaining, 20_000, 20_010);
    }

    /// <summary>The same export is asked for again and again, of instances of two types.</summary>
    [Fact]
    public void ExportsOfManyAreFoundAtOnce()
    {
        const int exports = 20_000, times = 200_000;
        string Many(string first) => $"(module (func (export \"{first}\")) {string.Concat(Enumerable.Range(0, exports).Select(i => $"(func (export \"e{i}\"))"))} (func (export \"last\")))";
        Instance instance = new Engine().CompileText($"""
            (module (type $f (func)) (type $I (instance (export "last" (func (type $f)))))
              (import "a" "a" (instance $a (export "last" (func)))) (import "b" "b" (instance $b (export "last" (func))))
              (func (export "f") (param i32)
                (loop $l (drop (get_export $I "last" (ref.instance $a))) (drop (get_export $I "last" (ref.instance $b)))
                  (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))))
            """).Instantiate(new Imports { { "a", "a", new Engine().CompileText(Many("x")).Instantiate() }, { "b", "b", new Engine().CompileText(Many("y")).Instantiate() } });
        var watch = Stopwatch.StartNew();
        instance.GetExport<Action<int>>("f")(times);
        // Eight thousand million names compared are minutes.
        Assert.InRange(watch.ElapsedMilliseconds, 0, 30_000);
    }

    // ---- limits that cannot work ----

    [Fact]
    public void FuelThatNobodyCountsIsAnError()
    {
        Module module = new Engine().CompileText("(module (func (export \"f\")))");
        Assert.Contains("CountFuel", Assert.Throws<InvalidOperationException>(() => module.Instantiate(fuel: new Fuel(1))).Message, StringComparison.Ordinal);
        Assert.Contains("CountFuel", Assert.Throws<InvalidOperationException>(() => module.Instantiate().Fuel = new Fuel(1)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ATokenThatLoopsIgnoreIsAnError()
    {
        using var source = new CancellationTokenSource();
        Instance instance = new Engine().CompileText("(module (func (export \"f\")) (func (export \"g\") (result i32) (i32.const 1)))").Instantiate();
        var f = instance.GetExport<Action>("f");
        var g = instance.GetExport<Func<int>>("g");
        Assert.Contains("Interruptible", Assert.Throws<InvalidOperationException>(() => Guest.Run(f, source.Token)).Message, StringComparison.Ordinal);
        Assert.Throws<InvalidOperationException>(() => Guest.Run(g, source.Token));
        await Assert.ThrowsAsync<InvalidOperationException>(() => Guest.RunAsync(f, source.Token));
        await Assert.ThrowsAsync<InvalidOperationException>(() => Guest.RunAsync(g, source.Token));
        await Assert.ThrowsAsync<InvalidOperationException>(() => instance.InvokeAsync("f", source.Token));
        await Assert.ThrowsAsync<InvalidOperationException>(() => instance.InvokeAsync<int>("g", source.Token));
        // A token that is never cancelled limits nothing.
        Guest.Run(f, CancellationToken.None);
        Assert.Equal(1, await instance.InvokeAsync<int>("g", CancellationToken.None));
        Instance stoppable = new Engine(new EngineOptions { Interruptible = true }).CompileText("(module (func (export \"f\")))").Instantiate();
        Guest.Run(stoppable.GetExport<Action>("f"), source.Token);
        await stoppable.InvokeAsync("f", source.Token);
    }
}
