using Xunit;

namespace WasmJit.Tests.PublicApi;

/// <summary>Pools of instances: each tenant finds what a new instance has.</summary>
public sealed class InstancePoolTests
{
    private const string Text = """
        (module
          (memory (export "memory") 4 8) (data (i32.const 100) "hello") (data (i32.const 200000) "far") (data $passive "passive")
          (global $sp (export "sp") (mut i32) (i32.const 60000)) (global $f (mut funcref) (ref.null func)) (global $v (mut v128) (v128.const i64x2 1 2))
          (table (export "table") 3 6 funcref) (elem (i32.const 0) $one) (elem $drop funcref (ref.func $two))
          (func $one (result i32) (i32.const 1)) (func $two (result i32) (i32.const 2))
          (func (export "spoil")
            (i32.store (i32.const 100) (i32.const -1)) (i32.store (i32.const 200000) (i32.const -1)) (i32.store (i32.const 150000) (i32.const 5))
            (global.set $f (ref.func $two)) (global.set $v (v128.const i64x2 3 4))
            (table.set (i32.const 0) (ref.func $two)) (table.set (i32.const 2) (ref.func $two))
            (data.drop $passive) (elem.drop $drop))
          (func (export "trap") (global.set $sp (i32.sub (global.get $sp) (i32.const 16))) unreachable)
          (func (export "loop") (loop $again (global.set $sp (i32.sub (global.get $sp) (i32.const 16))) (br $again)))
          (func (export "grow") (result i32) (memory.grow (i32.const 1)))
          (func (export "growTable") (result i32) (table.grow (ref.null func) (i32.const 1)))
          (func (export "state") (result i32)
            (memory.init $passive (i32.const 3000) (i32.const 0) (i32.const 7))
            (table.init $drop (i32.const 1) (i32.const 0) (i32.const 1))
            (i32.add (i32.add (i32.load8_u (i32.const 100)) (i32.load8_u (i32.const 200000)))
              (i32.add (i32.load (i32.const 150000))
                (i32.add (i32.add (ref.is_null (global.get $f)) (i32.wrap_i64 (i64x2.extract_lane 1 (global.get $v))))
                  (i32.add (call_indirect (result i32) (i32.const 0)) (i32.add (ref.is_null (table.get (i32.const 2))) (global.get $sp))))))))
        """;

    /// <summary>h and f, nothing at 150000, null, the lane 2, $one, null, the pointer.</summary>
    private const int Fresh = 'h' + 'f' + 0 + 1 + 2 + 1 + 1 + 60000;

    public static TheoryData<MemoryChecks> Checks => [MemoryChecks.Guard, MemoryChecks.Explicit];

    private static Module Compile(MemoryChecks checks = MemoryChecks.Guard, EngineOptions? options = null) =>
        new Engine((options ?? new EngineOptions()) with { MemoryChecks = checks }).CompileText(Text);

    private static int State(PooledInstance rented) => rented.Instance.GetExport<Func<int>>("state")();

    /// <summary>The state of a request, which may be large, goes with the tenant and not with the next one.</summary>
    [Fact]
    public void AnIdleInstanceKeepsNothingOfItsTenant()
    {
        using var pool = new InstancePool(Compile());
        Assert.True(Eventually.Collected(Use(pool)));
        Assert.Equal((1, 1), (pool.Idle, pool.Made));

        [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
        static WeakReference Use(InstancePool pool)
        {
            using PooledInstance rented = pool.Rent();
            object state = new();
            rented.Instance.State = state;
            return new WeakReference(state);
        }
    }

    [Theory]
    [MemberData(nameof(Checks))]
    public void ATenantFindsTheStateOfTheBeginning(MemoryChecks checks)
    {
        using var pool = new InstancePool(Compile(checks));
        Instance first;
        using (PooledInstance rented = pool.Rent())
        {
            first = rented.Instance;
            Assert.Equal(Fresh, State(rented));
            first.GetExport<Action>("spoil")();
            Assert.Throws<TrapException>(() => State(rented));
        }
        using (PooledInstance rented = pool.Rent())
        {
            Assert.Same(first, rented.Instance);
            Assert.Equal(Fresh, State(rented));
        }
        Assert.Equal(1, pool.Made);
    }

    /// <summary>C and Rust leave their stack pointer where it was: an instance of its own would be short of stack after some traps.</summary>
    [Fact]
    public void ATrapLeavesNothing()
    {
        using var pool = new InstancePool(Compile());
        for (int i = 0; i < 5; i++)
        {
            using PooledInstance rented = pool.Rent();
            Assert.Equal(Fresh, State(rented));
            Assert.Throws<TrapException>(rented.Instance.GetExport<Action>("trap"));
            Assert.Equal(60000 - 16, rented.Instance.GetExport<Global>("sp").Value);
        }
        Assert.Equal(1, pool.Made);
    }

    [Fact]
    public void EachTenantHasItsFuel()
    {
        using var pool = new InstancePool(Compile(options: new EngineOptions { CountFuel = true }), new InstancePoolOptions { Fuel = 100_000 });
        for (int i = 0; i < 3; i++)
        {
            using PooledInstance rented = pool.Rent();
            Assert.Equal(Fresh, State(rented));
            Assert.Equal(TrapKind.OutOfFuel, Assert.Throws<TrapException>(rented.Instance.GetExport<Action>("loop")).Kind);
        }
        Assert.Throws<InvalidOperationException>(() => new InstancePool(Compile(), new InstancePoolOptions { Fuel = 1 }));
    }

    [Theory]
    [InlineData("grow")]
    [InlineData("growTable")]
    public void AnInstanceThatHasGrownIsReplaced(string grow)
    {
        using var pool = new InstancePool(Compile());
        Instance first;
        using (PooledInstance rented = pool.Rent())
        {
            first = rented.Instance;
            Assert.NotEqual(-1, first.GetExport<Func<int>>(grow)());
        }
        Assert.True(first.IsDisposed);
        using PooledInstance next = pool.Rent();
        Assert.Equal(Fresh, State(next));
        Assert.Equal(2, pool.Made);
    }

    [Fact]
    public void ObjectsAreNotPassedOn()
    {
        Module module = new Engine().CompileText("""
            (module (type $box (struct (field (mut i32)))) (global $g (ref $box) (struct.new $box (i32.const 1)))
              (func (export "get") (result i32) (struct.get $box 0 (global.get $g)))
              (func (export "set") (param i32) (struct.set $box 0 (global.get $g) (local.get 0))))
            """);
        using var pool = new InstancePool(module);
        using (PooledInstance rented = pool.Rent()) rented.Instance.GetExport<Action<int>>("set")(5);
        using (PooledInstance rented = pool.Rent()) Assert.Equal(1, rented.Instance.GetExport<Func<int>>("get")());
    }

    /// <summary>A guest that keeps a function of an instance of its own making, which counts.</summary>
    [Theory]
    [InlineData("(table.set $kept (i32.const 0) (local.get $f))")]
    [InlineData("(global.set $kept (local.get $f))")]
    public void InstancesThatTheGuestHasMadeAreNotPassedOn(string keep)
    {
        Module module = new Engine().CompileText($$"""
            (module (type $f (func (result i32))) (type $I (instance (export "next" (func (type $f))))) (type $M (module (export "next" (func (type $f)))))
              (memory (export "memory") 1) (table $kept 1 funcref) (global $kept (mut funcref) (ref.null func))
              (func (export "make") (param $length i32) (local $f funcref)
                (local.set $f (get_export $I "next" (instantiate $M (compile $M (i32.const 0) (local.get $length)))))
                {{keep}})
              (func (export "next") (result i32)
                (call_ref $f (ref.cast (ref $f) (select (result funcref) (table.get $kept (i32.const 0)) (global.get $kept) (ref.is_null (global.get $kept)))))))
            """);
        byte[] inner = Wat.ToBinary("""
            (module (global $g (mut i32) (i32.const 0))
              (func (export "next") (result i32) (global.set $g (i32.add (global.get $g) (i32.const 1))) (global.get $g)))
            """);
        using var pool = new InstancePool(module, new InstancePoolOptions
        {
            Prepare = instance =>
            {
                instance.GetExport<Memory>("memory").WriteBytes(0, inner);
                instance.GetExport<Action<int>>("make")(inner.Length);
            },
        });
        for (int i = 0; i < 3; i++)
        {
            using PooledInstance rented = pool.Rent();
            Assert.Equal(1, rented.Instance.GetExport<Func<int>>("next")());
            Assert.Equal(2, rented.Instance.GetExport<Func<int>>("next")());
        }
    }

    /// <summary>A function made at run time has the fuel of its maker: no tenant may run on another's.</summary>
    [Fact]
    public void FunctionsThatTheGuestHasMadeUseTheFuelOfTheirTenant()
    {
        Module module = new Engine(new EngineOptions { CountFuel = true }).CompileText("""
            (module (type $f (func)) (memory 1) (data (i32.const 0) "\00\03\40\0c\00\0b\0b") (table $kept 1 funcref) (scope $none)
              (func $make (table.set $kept (i32.const 0) (func.new $f $none (i32.const 0) (i32.const 7)))) (start $make)
              (func (export "run") (call_indirect (type $f) (i32.const 0))))
            """);
        using var pool = new InstancePool(module, new InstancePoolOptions { Fuel = 100_000 });
        for (int i = 0; i < 3; i++)
        {
            using PooledInstance rented = pool.Rent();
            Assert.Equal(TrapKind.OutOfFuel, Assert.Throws<TrapException>(rented.Instance.GetExport<Action>("run")).Kind);
            Assert.Equal(0, rented.Instance.Fuel!.Remaining);
        }
    }

    /// <summary>What the host gives to all is shared by all: functions of other instances in tables and globals, too.</summary>
    [Fact]
    public void ImportedFunctionsInTablesAreNoReasonToReplace()
    {
        Instance other = new Engine().CompileText("(module (func (export \"f\") (result i32) (i32.const 7)))").Instantiate();
        Module module = new Engine().CompileText("""
            (module (import "env" "f" (func $f (result i32))) (table 1 funcref) (elem (i32.const 0) $f) (global $g (mut funcref) (ref.func $f))
              (func (export "run") (result i32) (call_indirect (result i32) (i32.const 0))))
            """);
        using var pool = new InstancePool(module, new InstancePoolOptions { Imports = () => new Imports { { "env", "f", other.GetExport<Func<int>>("f") } } });
        for (int i = 0; i < 3; i++)
        {
            using PooledInstance rented = pool.Rent();
            Assert.Equal(7, rented.Instance.GetExport<Func<int>>("run")());
        }
        Assert.Equal(1, pool.Made);
    }

    [Fact]
    public void ImportsThatChangeAreMadeAnew()
    {
        Module module = new Engine().CompileText("""
            (module (import "env" "memory" (memory 1)) (func (export "get") (result i32) (i32.load (i32.const 0)))
              (func (export "set") (i32.store (i32.const 0) (i32.const 5))))
            """);
        using var pool = new InstancePool(module, new InstancePoolOptions { Imports = () => new Imports { { "env", "memory", new Memory(new MemoryType(1)) } } });
        for (int i = 0; i < 3; i++)
        {
            using PooledInstance rented = pool.Rent();
            Assert.Equal(0, rented.Instance.GetExport<Func<int>>("get")());
            rented.Instance.GetExport<Action>("set")();
        }
        Assert.Equal(3, pool.Made);
    }

    [Fact]
    public void WhatPrepareLeavesIsTheBeginning()
    {
        int prepared = 0;
        using var pool = new InstancePool(Compile(), new InstancePoolOptions
        {
            Prepare = instance =>
            {
                prepared++;
                instance.GetExport<Memory>("memory").Write(150000, 9);
            },
        });
        for (int i = 0; i < 3; i++)
        {
            using PooledInstance rented = pool.Rent();
            Assert.Equal(Fresh + 9, State(rented));
            rented.Instance.GetExport<Action>("spoil")();
        }
        Assert.Equal(1, prepared);
    }

    [Fact]
    public void ItIsBounded()
    {
        using var pool = new InstancePool(Compile(), new InstancePoolOptions { MaximumInUse = 2, MaximumIdle = 1 });
        PooledInstance first = pool.Rent(), second = pool.Rent();
        Assert.False(pool.TryRent(out _));
        Assert.Throws<OperationCanceledException>(() => pool.Rent(new CancellationToken(canceled: true)));
        Assert.Equal((2, 0), (pool.InUse, pool.Idle));
        Instance kept = first.Instance, dropped = second.Instance;
        first.Dispose();
        first.Dispose();
        Assert.Throws<ObjectDisposedException>(() => first.Instance);
        second.Dispose();
        Assert.Equal((0, 1), (pool.InUse, pool.Idle));
        Assert.Equal((false, true), (kept.IsDisposed, dropped.IsDisposed));
        using (PooledInstance rented = pool.Rent()) rented.Discard();
        Assert.True(kept.IsDisposed);
        using (PooledInstance rented = pool.Rent()) pool.Dispose();
        Assert.Equal(0, pool.Idle);
        Assert.Throws<ObjectDisposedException>(() => pool.Rent());
    }

    [Fact]
    public void AnInstanceThatCannotBeMadeTakesNoPlace()
    {
        int calls = 0;
        using var pool = new InstancePool(Compile(), new InstancePoolOptions { MaximumInUse = 1, Prepare = _ => { if (calls++ == 0) throw new InvalidDataException(); } });
        Assert.Throws<InvalidDataException>(() => pool.Rent());
        using PooledInstance rented = pool.Rent();
        Assert.Equal(Fresh, State(rented));
    }

    public interface IState
    {
        int State();

        void Spoil();
    }

    /// <summary>A start function is a guest's: the token that ends the wait for a place ends it, too.</summary>
    [Fact]
    public async Task ATokenStopsTheStartFunctionOfANewInstance()
    {
        Module module = new Engine(new EngineOptions { Interruptible = true }).CompileText("(module (func $start (loop $ever (br $ever))) (start $start))");
        using var pool = new InstancePool(module, new InstancePoolOptions { MaximumInUse = 1 });
        using var soon = new CancellationTokenSource(TimeSpan.FromMilliseconds(50));
        Assert.ThrowsAny<OperationCanceledException>(() => pool.Rent(soon.Token));
        using var later = new CancellationTokenSource(TimeSpan.FromMilliseconds(50));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await pool.RentAsync(later.Token));
        Assert.Equal((0, 0L), (pool.InUse, pool.Made));
    }

    [Fact]
    public async Task ManyThreadsEachFindAFreshOne()
    {
        using var pool = new InstancePool(Compile(), new InstancePoolOptions { MaximumInUse = 3, MaximumIdle = 2 });
        var tenants = new Task[8];
        for (int t = 0; t < tenants.Length; t++)
        {
            tenants[t] = Task.Run(async () =>
            {
                for (int i = 0; i < 50; i++)
                {
                    using PooledInstance rented = await pool.RentAsync();
                    IState face = rented.As<IState>();
                    Assert.Equal(Fresh, face.State());
                    face.Spoil();
                    Assert.InRange(pool.InUse, 1, 3);
                }
            });
        }
        await Task.WhenAll(tenants).WaitAsync(Eventually.Patience);
        Assert.Equal(0, pool.InUse);
        Assert.InRange(pool.Idle, 1, 2);
    }
}
