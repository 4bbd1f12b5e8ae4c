using System.Runtime.CompilerServices;
using Xunit;

namespace WasmJit.Tests.PublicApi;

/// <summary>What a host allows of <c>func.new</c>, and what holds for the functions that guests make.</summary>
public sealed class GuestFunctionTests
{
    /// <summary>A guest that makes functions of the bytes that it is given and keeps them in a table.</summary>
    private const string Guest = """
        (module $guest
          (type $f (func (param i32) (result i32)))
          (memory $memory (export "memory") 1)
          (table $kept (export "kept") 100 (ref null $f))
          (scope $all (memory $memory))
          (func (export "make") (param $length i32) (param $slot i32)
            (table.set $kept (local.get $slot) (func.new $f $all (i32.const 0) (local.get $length))))
          (func (export "make_named") (param $length i32) (param $name_length i32) (param $slot i32)
            (table.set $kept (local.get $slot) (func.new_named $f $all (i32.const 1024) (local.get $name_length) (i32.const 0) (local.get $length))))
          (func (export "make_null") (param $length i32) (result i32)
            (ref.is_null (func.new null $f $all (i32.const 0) (local.get $length))))
          (func (export "call") (param $argument i32) (param $slot i32) (result i32)
            (call_ref $f (local.get $argument) (table.get $kept (local.get $slot))))
          (func (export "optimize") (param $slot i32) (func.optimize (table.get $kept (local.get $slot))))
          (func (export "drop") (param $slot i32) (table.set $kept (local.get $slot) (ref.null $f))))
        """;

    // Opcodes of the functions that guests make here. They begin with a zero: no locals.
    private const byte Unreachable = 0x00, Loop = 0x03, End = 0x0b, Br = 0x0c, ReturnCall = 0x12, LocalGet = 0x20, EmptyBlock = 0x40, I32Const = 0x41, I32Add = 0x6a;

    private static readonly byte[] Body = [0, LocalGet, 0, I32Const, 1, I32Add, End];

    private static readonly byte[] Endless = [0, Loop, EmptyBlock, Br, 0, End, Unreachable, End];

    private static Instance Start(EngineOptions? options = null, byte[]? body = null, Fuel? fuel = null)
    {
        Instance instance = new Engine(options).CompileText(Guest).Instantiate(fuel: fuel);
        instance.GetExport<Memory>("memory").WriteBytes(0, body ?? Body);
        return instance;
    }

    private static void Make(Instance guest, int length, int slot) => guest.GetExport<Action<int, int>>("make")(length, slot);

    private static int Call(Instance guest, int argument, int slot) => guest.GetExport<Func<int, int, int>>("call")(argument, slot);

    private static void Exceeds(string reason, Action action)
    {
        TrapException trap = Assert.Throws<TrapException>(action);
        Assert.Equal(TrapKind.QuotaExceeded, trap.Kind);
        Assert.Equal($"quota exceeded: {reason}", trap.Message);
    }

    [Fact]
    public void HostsCanSwitchItOff()
    {
        InvalidModuleException compile = Assert.Throws<InvalidModuleException>(() => new Engine(new EngineOptions { RuntimeCompile = false }).CompileText(Guest));
        Assert.StartsWith("func.new needs the feature runtime-compile, which is switched off", compile.Message, StringComparison.Ordinal);
        InvalidModuleException linking = Assert.Throws<InvalidModuleException>(() => new Engine(new EngineOptions { RuntimeLinking = false }).CompileText("(module (scope))"));
        Assert.StartsWith("scope needs the feature runtime-linking, which is switched off", linking.Message, StringComparison.Ordinal);
        // A scope alone makes nothing.
        new Engine(new EngineOptions { RuntimeCompile = false }).CompileText("(module (scope))").Instantiate();
    }

    [Fact]
    public void FeaturesOfTheHostHoldForBodies()
    {
        // return_call of itself.
        Instance guest = Start(new EngineOptions { Features = Features.All & ~Features.TailCalls }, [0, LocalGet, 0, ReturnCall, 0, End]);
        Assert.Equal(1, guest.GetExport<Func<int, int>>("make_null")(6));
        Assert.Contains("TailCalls", guest.LastLinkingError, StringComparison.Ordinal);
    }

    [Fact]
    public void ASavedModuleMakesFunctionsWhereTheHostCompiles()
    {
        var file = new MemoryStream();
        new Engine().CompileText(Guest).Save(file);
        file.Position = 0;
        Instance guest = new Engine().LoadSaved(file).Instantiate();
        guest.GetExport<Memory>("memory").WriteBytes(0, Body);
        Make(guest, Body.Length, 3);
        Assert.Equal(42, Call(guest, 41, 3));
        file.Position = 0;
        Instance other = new Engine(new EngineOptions { Compilation = Compilation.Never }).LoadSaved(file).Instantiate();
        Assert.Equal(TrapKind.RuntimeCompileNotAllowed, Assert.Throws<TrapException>(() => Make(other, Body.Length, 3)).Kind);
    }

    [Fact]
    public void ItCountsInTheQuota()
    {
        int size = Body.Length;
        var quota = new LinkingQuota { MaximumBytesCompiled = (3 * size) + 2, MaximumModuleSize = size + 6 };
        Instance guest = Start(new EngineOptions { LinkingQuota = quota });
        Make(guest, size, 0);
        Assert.Equal((size, 1), (quota.BytesCompiled, quota.LiveModules));
        // What is not valid counts in bytes alone; a name counts with the body.
        Assert.Equal(1, guest.GetExport<Func<int, int>>("make_null")(size - 1));
        Assert.Equal(((2 * size) - 1, 1), (quota.BytesCompiled, quota.LiveModules));
        guest.GetExport<Memory>("memory").WriteBytes(1024, "abcdefgh"u8);
        Exceeds($"module size: {size + 7} bytes, {size + 6} are allowed", () => guest.GetExport<Action<int, int, int>>("make_named")(size, 7, 1));
        guest.GetExport<Action<int, int, int>>("make_named")(size, 3, 1);
        Assert.Equal(((3 * size) + 2, 2), (quota.BytesCompiled, quota.LiveModules));
        Exceeds($"bytes compiled: {size} more are asked for, 0 are left of {(3 * size) + 2}", () => guest.GetExport<Func<int, int>>("make_null")(size));
        Assert.Equal($"quota exceeded: bytes compiled: {size} more are asked for, 0 are left of {(3 * size) + 2}", guest.LastLinkingError);
    }

    [Fact]
    public void ADroppedFunctionGivesItsPlaceBack()
    {
        var quota = new LinkingQuota { MaximumLiveModules = 3 };
        Instance guest = Start(new EngineOptions { LinkingQuota = quota });
        for (int i = 0; i < 3; i++) Make(guest, Body.Length, i);
        Exceeds("live modules: 3 are in use, 3 are allowed", () => Make(guest, Body.Length, 3));
        for (int i = 0; i < 5; i++)
        {
            guest.GetExport<Action<int>>("drop")(i % 3);
            Make(guest, Body.Length, i % 3);
            Assert.Equal(3, quota.LiveModules);
        }
    }

    [Fact]
    public void ItCountsAsAnInstance()
    {
        Instance guest = Start(new EngineOptions { Limits = new ResourceLimits { MaximumInstances = 3 } });
        Make(guest, Body.Length, 0);
        Make(guest, Body.Length, 1);
        Assert.Equal(3, guest.Resources!.InUse(ResourceKind.Instances));
        Exceeds("instances: 3 in use, 1 more asked for, 3 are allowed", () => Make(guest, Body.Length, 2));
        guest.GetExport<Action<int>>("drop")(0);
        Make(guest, Body.Length, 2);
        Assert.Equal(6, Call(guest, 5, 2));
    }

    [Fact]
    public void ItsCodeIsPaidForAndPaysFuel()
    {
        var fuel = new Fuel(1_000_000);
        Instance guest = Start(new EngineOptions { CountFuel = true }, Endless, fuel);
        long before = fuel.Remaining;
        Make(guest, Endless.Length, 0);
        Assert.InRange(before - fuel.Remaining, 64 * Endless.Length, (64 * Endless.Length) + 20);
        before = fuel.Remaining;
        guest.GetExport<Action<int>>("optimize")(0);
        Assert.InRange(before - fuel.Remaining, 64 * Endless.Length, (64 * Endless.Length) + 40);
        Assert.Equal(TrapKind.OutOfFuel, Assert.Throws<TrapException>(() => Call(guest, 0, 0)).Kind);
        Assert.Equal(0, fuel.Remaining);
    }

    /// <summary>What a scope has is collected once for an instance, which pays for it: instances are made without end.</summary>
    [Fact]
    public void AScopeIsPaidForOnce()
    {
        const int items = 20_000;
        var fuel = new Fuel(10_000_000);
        Instance guest = new Engine(new EngineOptions { CountFuel = true }).CompileText($"""
            (module (type $f (func)) (memory 1) (data (i32.const 0) "\00\0b") (func $g)
              (scope $s (func {string.Join(' ', Enumerable.Repeat("$g", items))}))
              (func (export "make") (drop (func.new $f $s (i32.const 0) (i32.const 2)))))
            """).Instantiate(fuel: fuel);
        var make = guest.GetExport<Action>("make");
        long[] prices = new long[3];
        for (int i = 0; i < prices.Length; i++)
        {
            long before = fuel.Remaining;
            make();
            prices[i] = before - fuel.Remaining;
        }
        Assert.Equal((prices[1] + (4 * items), prices[1]), (prices[0], prices[2]));
    }

    [Fact]
    public async Task ItObeysTokens()
    {
        Instance guest = Start(new EngineOptions { Interruptible = true }, Endless);
        Make(guest, Endless.Length, 0);
        using var source = new CancellationTokenSource();
        Task running = guest.InvokeAsync("call", source.Token, 0, 0);
        source.Cancel();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
    }

    [Fact]
    public void ItOutlivesItsMakerInOtherHands()
    {
        Func<int, int> function = Given();
        Collect();
        Assert.Equal(42, function(41));
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static Func<int, int> Given()
    {
        Instance guest = Start();
        Make(guest, Body.Length, 7);
        return (Func<int, int>)guest.GetExport<Table>("kept")[7]!;
    }

    private static void Collect()
    {
        for (int i = 0; i < 3; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }
    }
}
