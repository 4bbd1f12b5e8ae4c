using Xunit;

namespace WasmJit.Tests.PublicApi;

/// <summary>What guests may compile.</summary>
public sealed class LinkingQuotaTests
{
    /// <summary>A guest that compiles the bytes it is given, keeps what comes of it in a table, and can let go of it.</summary>
    private const string Guest = """
        (module
          (type $M (module))
          (memory (export "memory") 1)
          (table $kept 100 (ref null $M))
          (func (export "compile") (param $length i32) (param $slot i32)
            (table.set $kept (local.get $slot) (compile $M (i32.const 0) (local.get $length))))
          (func (export "compile_null") (param $length i32) (result i32)
            (ref.is_null (compile null $M (i32.const 0) (local.get $length))))
          (func (export "drop") (param $slot i32) (table.set $kept (local.get $slot) (ref.null $M))))
        """;

    private static (Action<int, int> Compile, Func<int, int> CompileNull, Action<int> Drop, Instance Instance, int Size) Start(LinkingQuota quota)
    {
        Instance instance = new Engine(new EngineOptions { LinkingQuota = quota }).CompileText(Guest).Instantiate();
        byte[] bytes = Wat.ToBinary("(module (func (export \"f\")))");
        instance.GetExport<Memory>("memory").WriteBytes(0, bytes);
        return (instance.GetExport<Action<int, int>>("compile"), instance.GetExport<Func<int, int>>("compile_null"),
            instance.GetExport<Action<int>>("drop"), instance, bytes.Length);
    }

    private static void Exceeds(string reason, Action action)
    {
        TrapException trap = Assert.Throws<TrapException>(action);
        Assert.Equal(TrapKind.QuotaExceeded, trap.Kind);
        Assert.Equal($"quota exceeded: {reason}", trap.Message);
    }

    [Fact]
    public void BytesAreCountedWhetherValidOrNot()
    {
        int size = Start(new LinkingQuota()).Size;
        var quota = new LinkingQuota { MaximumBytesCompiled = (3 * size) + 2 };
        var guest = Start(quota);
        guest.Compile(size, 0);
        Assert.Equal(size, quota.BytesCompiled);
        Assert.Equal(1, guest.CompileNull(size - 1));
        guest.Compile(size, 1);
        Exceeds($"bytes compiled: {size} more are asked for, 3 are left of {(3 * size) + 2}", () => guest.Compile(size, 2));
        Assert.Equal($"quota exceeded: bytes compiled: {size} more are asked for, 3 are left of {(3 * size) + 2}", guest.Instance.LastLinkingError);
        Assert.Equal((3 * size) - 1, quota.BytesCompiled);
        Assert.Equal(2, quota.LiveModules);
        Exceeds($"bytes compiled: {size} more are asked for, 3 are left of {(3 * size) + 2}", () => guest.CompileNull(size));
    }

    [Fact]
    public void AModuleHasASizeAtMost()
    {
        var quota = new LinkingQuota { MaximumModuleSize = 10 };
        var guest = Start(quota);
        Exceeds($"module size: {guest.Size} bytes, 10 are allowed", () => guest.Compile(guest.Size, 0));
        Assert.Equal(0, quota.BytesCompiled);
        guest.Instance.GetExport<Memory>("memory").WriteBytes(0, "\0asm\x01\0\0\0"u8);
        guest.Compile(8, 0);
        Assert.Equal(8, quota.BytesCompiled);
    }

    [Fact]
    public void ADroppedModuleGivesItsPlaceBack()
    {
        var quota = new LinkingQuota { MaximumLiveModules = 3 };
        var guest = Start(quota);
        for (int i = 0; i < 3; i++) guest.Compile(guest.Size, i);
        Exceeds("live modules: 3 are in use, 3 are allowed", () => guest.Compile(guest.Size, 3));
        for (int i = 0; i < 5; i++)
        {
            guest.Drop(i % 3);
            guest.Compile(guest.Size, i % 3);
            Assert.Equal(3, quota.LiveModules);
        }
    }

    [Fact]
    public void EnginesCanShareAQuota()
    {
        var quota = new LinkingQuota { MaximumLiveModules = 2 };
        var one = Start(quota);
        var two = Start(quota);
        one.Compile(one.Size, 0);
        two.Compile(two.Size, 0);
        Exceeds("live modules: 2 are in use, 2 are allowed", () => two.Compile(two.Size, 1));
        one.Drop(0);
        two.Compile(two.Size, 1);
        GC.KeepAlive(one.Instance);
        GC.KeepAlive(two.Instance);
    }

    [Fact]
    public void TheHostIsNotCounted()
    {
        var quota = new LinkingQuota { MaximumLiveModules = 0, MaximumBytesCompiled = 0 };
        var engine = new Engine(new EngineOptions { LinkingQuota = quota });
        Module module = engine.CompileText("(module (func (export \"f\")))");
        new MemoryNamespace { { "m", Wat.ToBinary("(module)") } }.Load(engine, "m");
        module.Instantiate();
        Assert.Equal(0, quota.LiveModules);
    }
}
