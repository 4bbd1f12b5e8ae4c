using WasmJit.Components;
using WasmJit.DynamicLinking;
using Xunit;

namespace WasmJit.Tests.PublicApi;

/// <summary>What guests may have of memories, tables and instances.</summary>
public sealed class ResourceLimitTests
{
    private const string Greedy =
        """
        (module
          (type $m (memory 1 10)) (type $t (table 10 100 funcref)) (type $a (array (mut (ref null any))))
          (type $empty (module)) (type $ms (array (mut (ref null memory)))) (type $ts (array (mut (ref null $t))))
          (memory (export "memory") 1 100)
          (table (export "table") 10 1000 funcref)
          (module $leaf (memory 1))
          (global $ms (ref $ms) (array.new_default $ms (i32.const 1000)))
          (func (export "memories") (param $n i32) (local $i i32)
            (loop $l
              (array.set $ms (global.get $ms) (local.get $i) (memory.new $m))
              (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $n)))))
          (func (export "drop_memories") (param $n i32) (local $i i32)
            (loop $l
              (drop (memory.new $m))
              (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $n)))))
          (func (export "new_table") (drop (table.new $t (ref.null func))))
          (func (export "instances") (param $n i32) (local $i i32)
            (loop $l
              (call $instance)
              (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $n)))))
          (func $instance (export "instance") (drop (instantiate (module $leaf))))
          (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
          (func (export "grow_table") (param i32) (result i32) (table.grow (ref.null func) (local.get 0))))
        """;

    private static Instance Make(ResourceLimits limits) => new Engine(new EngineOptions { Limits = limits }).CompileText(Greedy).Instantiate();

    private static string Refused(Action call)
    {
        TrapException trap = Assert.Throws<TrapException>(call);
        Assert.Equal(TrapKind.QuotaExceeded, trap.Kind);
        return trap.Message;
    }

    [Fact]
    public void WithoutLimitsNothingCounts()
    {
        Instance instance = new Engine().CompileText(Greedy).Instantiate();
        Assert.Null(instance.Resources);
        instance.GetExport<Action<int>>("memories")(100);
        Assert.Equal(1, instance.GetExport<Func<int, int>>("grow")(99));
    }

    [Fact]
    public void RefusedGrowthIsMinusOne()
    {
        Instance instance = Make(new ResourceLimits { MaximumMemoryBytes = 5 << 16, MaximumTableElements = 25 });
        var grow = instance.GetExport<Func<int, int>>("grow");
        Assert.Equal((1, -1, 5, -1), (grow(4), grow(1), grow(0), grow(-1)));
        var growTable = instance.GetExport<Func<int, int>>("grow_table");
        Assert.Equal((10, -1, 20, 25), (growTable(10), growTable(6), growTable(5), growTable(0)));
        Assert.Equal((5 << 16, 25), (instance.Resources!.InUse(ResourceKind.MemoryBytes), instance.Resources.InUse(ResourceKind.TableElements)));
        // The host is bound, too: it is the guest's memory.
        Assert.Equal(-1, instance.GetExport<Memory>("memory").Grow(1));
    }

    [Fact]
    public void GrowthThatTheTypeForbidsDoesNotCount()
    {
        Instance instance = Make(new ResourceLimits());
        Assert.Equal(-1, instance.GetExport<Func<int, int>>("grow")(100));
        Assert.Equal(-1, instance.GetExport<Func<int, int>>("grow_table")(1000));
        Assert.Equal((1 << 16, 10), (instance.Resources!.InUse(ResourceKind.MemoryBytes), instance.Resources.InUse(ResourceKind.TableElements)));
    }

    [Fact]
    public void WhatGuestsMakeTraps()
    {
        Instance instance = Make(new ResourceLimits { MaximumMemories = 3, MaximumTables = 1, MaximumInstances = 4 });
        Assert.StartsWith("quota exceeded: memories: 3 in use, 1 more asked for, 3 are allowed", Refused(() => instance.GetExport<Action<int>>("memories")(3)));
        Assert.StartsWith("quota exceeded: tables: 1 in use", Refused(instance.GetExport<Action>("new_table")));
        Assert.StartsWith("quota exceeded: memories: 3 in use", Refused(instance.GetExport<Action>("instance")));
        GC.KeepAlive(instance);
    }

    [Fact]
    public void InstancesThatAGuestKeepsCount()
    {
        const string text = """
            (module $all
              (type $is (array (mut (ref null instance))))
              (module $leaf)
              (global $kept (ref $is) (array.new_default $is (i32.const 100)))
              (func (export "keep") (param i32) (array.set $is (global.get $kept) (local.get 0) (instantiate (module $leaf)))))
            """;
        Instance instance = new Engine(new EngineOptions { Limits = new ResourceLimits { MaximumInstances = 4 } }).CompileText(text).Instantiate();
        var keep = instance.GetExport<Action<int>>("keep");
        for (int i = 0; i < 3; i++) keep(i);
        Assert.StartsWith("quota exceeded: instances: 4 in use, 1 more asked for, 4 are allowed", Refused(() => keep(3)));
        // What it drops it may make again.
        Assert.Equal(4, instance.Resources!.InUse(ResourceKind.Instances));
    }

    [Fact]
    public void GarbageCountsOnlyUntilItIsCollected()
    {
        Instance instance = Make(new ResourceLimits { MaximumMemories = 20, MaximumInstances = 20, MaximumTables = 20 });
        instance.GetExport<Action<int>>("drop_memories")(100);
        instance.GetExport<Action<int>>("instances")(100);
    }

    [Theory]
    [InlineData("(module (memory 3))", ResourceKind.MemoryBytes)]
    [InlineData("(module (memory 1) (memory 1) (memory 0))", ResourceKind.Memories)]
    [InlineData("(module (table 31 funcref))", ResourceKind.TableElements)]
    [InlineData("(module (table 1 funcref) (table 1 funcref) (table 0 externref))", ResourceKind.Tables)]
    [InlineData("(module (module $m) (instance (instantiate $m)) (instance (instantiate $m)))", ResourceKind.Instances)]
    [InlineData("(module (module $m (memory 1)) (memory 1) (instance (instantiate $m)) (instance (instantiate $m)))", ResourceKind.Instances)]
    [InlineData("(module (module $m (memory 2)) (memory 1) (instance (instantiate $m)))", ResourceKind.MemoryBytes)]
    public void RefusedCreationSaysWhichLimit(string text, ResourceKind kind)
    {
        var limits = new ResourceLimits { MaximumInstances = 2, MaximumMemories = 2, MaximumTables = 2, MaximumMemoryBytes = 2 << 16, MaximumTableElements = 30 };
        Module module = new Engine(new EngineOptions { Limits = limits }).CompileText(text);
        LinkException refused = Assert.Throws<LinkException>(() => module.Instantiate());
        Assert.Equal(kind, refused.Limit);
        Assert.StartsWith("limit reached: ", refused.Message);
        // The host may give others.
        module.Instantiate(resources: new GuestResources(new ResourceLimits()));
    }

    [Fact]
    public void EachGuestCountsAloneUnlessTheHostSaysOtherwise()
    {
        Module module = new Engine(new EngineOptions { Limits = new ResourceLimits { MaximumMemories = 1 } }).CompileText("(module (memory 1))");
        Instance[] alone = [module.Instantiate(), module.Instantiate()];
        Assert.NotSame(alone[0].Resources, alone[1].Resources);
        var shared = new GuestResources(new ResourceLimits { MaximumMemories = 2 });
        Instance[] together = [module.Instantiate(resources: shared), module.Instantiate(resources: shared)];
        Assert.Equal(ResourceKind.Memories, Assert.Throws<LinkException>(() => module.Instantiate(resources: shared)).Limit);
        GC.KeepAlive((alone, together));
    }

    [Fact]
    public void TheHostIsAsked()
    {
        var asked = new List<ResourceRequest>();
        var limits = new ResourceLimits
        {
            Allow = request =>
            {
                asked.Add(request);
                return request.Kind != ResourceKind.MemoryBytes || request.InUse + request.Requested <= 2 << 16;
            },
        };
        Instance instance = Make(limits);
        Assert.Equal(
            [
                new(ResourceKind.Instances, 0, 1), new(ResourceKind.Memories, 0, 1), new(ResourceKind.MemoryBytes, 0, 1 << 16),
                new(ResourceKind.Tables, 0, 1), new(ResourceKind.TableElements, 0, 10),
            ],
            asked);
        var grow = instance.GetExport<Func<int, int>>("grow");
        Assert.Equal((1, -1), (grow(1), grow(1)));
        Assert.Equal(new ResourceRequest(ResourceKind.MemoryBytes, 2 << 16, 1 << 16), asked[^1]);
        Assert.StartsWith("quota exceeded: bytes of memories: the host refuses", Refused(() => instance.GetExport<Action<int>>("memories")(1)));
        Assert.Equal(1, instance.Resources!.InUse(ResourceKind.Memories));
    }

    [Fact]
    public void WhatTheCallbackThrowsGoesToTheHost()
    {
        var limits = new ResourceLimits { Allow = r => r is { Kind: ResourceKind.MemoryBytes, InUse: > 0 } ? throw new NotSupportedException("enough") : true };
        Instance instance = Make(limits);
        Assert.Throws<NotSupportedException>(() => instance.GetExport<Func<int, int>>("grow")(1));
        Assert.Equal(1 << 16, instance.Resources!.InUse(ResourceKind.MemoryBytes));
        Assert.Equal(1u, instance.GetExport<Memory>("memory").PageCount);
    }

    [Fact]
    public void WhatTheHostGivesDoesNotCount()
    {
        var memory = new Memory(new MemoryType(1, 10));
        Module module = new Engine(new EngineOptions { Limits = new ResourceLimits { MaximumMemories = 0, MaximumMemoryBytes = 0 } }).CompileText(
            """(module (import "m" "m" (memory 1 10)) (func (export "grow") (result i32) (memory.grow (i32.const 1))))""");
        Assert.Equal(1, module.Instantiate(new Imports { { "m", "m", memory } }).GetExport<Func<int>>("grow")());
    }

    // ---- reservations ----

    [Fact]
    public void AReservationSaysHowFarAMemoryGrows()
    {
        var memory = new Memory(new MemoryType(1, 100), reservation: 3 << 16);
        Assert.Equal((1, -1, 3), (memory.Grow(2), memory.Grow(1), (long)memory.PageCount));
        Assert.Equal(2u, new Memory(new MemoryType(2, 100), reservation: 0).PageCount);
        Assert.Throws<ArgumentOutOfRangeException>(() => new Memory(new MemoryType(1), reservation: -1));
    }

    [Fact]
    public void AnEngineWithExplicitChecksReservesWhatItIsTold()
    {
        var engine = new Engine(new EngineOptions { MemoryChecks = MemoryChecks.Explicit, MemoryReservation = 2 << 16 });
        Instance instance = engine.CompileText("""
            (module (memory 1) (memory 4) (func (export "a") (param i32) (result i32) (memory.grow (local.get 0)))
              (func (export "b") (result i32) (i32.load (i32.const 131072))))
            """).Instantiate();
        var grow = instance.GetExport<Func<int, int>>("a");
        Assert.Equal((1, -1), (grow(1), grow(1)));
        Assert.Equal(TrapKind.OutOfBoundsMemoryAccess, Assert.Throws<TrapException>(() => instance.GetExport<Func<int>>("b")()).Kind);
        Assert.Throws<ArgumentOutOfRangeException>(() => new EngineOptions { MemoryReservation = -1 });
    }

    /// <summary>Code that leaves checks to guard pages never gets a memory without: not as an import, and not as a reference.</summary>
    [Fact]
    public void AMemoryWithoutGuardPagesIsNoImportOfCodeThatNeedsThem()
    {
        var guarding = new Engine();
        if (!guarding.UsesGuardPages) return;
        var comparing = new Engine(new EngineOptions { MemoryChecks = MemoryChecks.Explicit });
        var small = new Memory(new MemoryType(1, 2), reservation: 2 << 16);
        const string text = """(module (import "m" "m" (memory 1 2)) (func (export "f") (param i32) (result i32) (i32.load8_u (local.get 0))))""";
        var imports = new Imports { { "m", "m", small } };
        Assert.Contains("no guard pages", Assert.Throws<LinkException>(() => guarding.CompileText(text).Instantiate(imports)).Message);
        Func<int, int> f = comparing.CompileText(text).Instantiate(imports).GetExport<Func<int, int>>("f");
        small.Write(5, (byte)9);
        Assert.Equal(9, f(5));
        Assert.Throws<TrapException>(() => f(65536));
    }

    [Theory]
    [InlineData("(i32.load8_u (ref $m) (local.get 0) (local.get 1))")]
    [InlineData("(i32.load8_u (ref $m) (ref.as_non_null (local.get 0)) (local.get 1))")]
    [InlineData("(i32.atomic.load8_u (ref $m) (local.get 0) (local.get 1))")]
    [InlineData("(i32.load8_u (ref $m) (struct.get $s 0 (struct.new $s (local.get 0))) (local.get 1))")]
    public void AccessesThroughAReferenceToOneTrap(string access)
    {
        var guarding = new Engine();
        if (!guarding.UsesGuardPages) return;
        string text = $"""
            (module (type $m (memory 1 2)) (type $s (struct (field (ref null $m))))
              (func (export "f") (param (ref null $m) i32) (result i32) {access})
              (func (export "size") (param (ref null $m)) (result i32) (memory.size (ref $m) (local.get 0))))
            """;
        var small = new Memory(new MemoryType(1, 2), reservation: 2 << 16);
        small.Write(5, (byte)9);
        Instance instance = guarding.CompileText(text).Instantiate();
        var f = instance.GetExport<Func<object?, int, int>>("f");
        foreach (int address in new[] { 0, 5, 65535, 65536, 131072, int.MaxValue, -1 })
        {
            TrapException trap = Assert.Throws<TrapException>(() => f(small, address));
            Assert.Equal(TrapKind.OutOfBoundsMemoryAccess, trap.Kind);
        }
        // What asks for the length works.
        Assert.Equal(1, instance.GetExport<Func<object?, int>>("size")(small));
        var comparing = new Engine(new EngineOptions { MemoryChecks = MemoryChecks.Explicit });
        Assert.Equal(9, comparing.CompileText(text).Instantiate().GetExport<Func<object?, int, int>>("f")(small, 5));
        Assert.Throws<TrapException>(() => comparing.CompileText(text).Instantiate().GetExport<Func<object?, int, int>>("f")(small, 65536));
    }

    /// <summary>Limits of one guest, whoever makes the instance: the engine's options need not know of them.</summary>
    [Fact]
    public void WasiAndComponentsTakeLimitsOfAnInstance()
    {
        var engine = new Engine();
        Module module = engine.CompileText("""
            (module (memory (export "memory") 1 100) (func (export "_start"))
              (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0))))
            """);
        var limits = new ResourceLimits { MaximumMemoryBytes = 3 << 16 };
        using var wasi = new WasiHost();
        GuestResources first = new(limits), second = new(limits);
        var grow = wasi.Instantiate(module, resources: first).GetExport<Func<int, int>>("grow");
        Assert.Equal((-1, 1, -1), (grow(3), grow(2), grow(1)));
        Assert.Equal((3 << 16, 0), (first.InUse(ResourceKind.MemoryBytes), second.InUse(ResourceKind.MemoryBytes)));
        // Another instance counts for itself, and one that is given the same resources has no more.
        Assert.Equal(1, wasi.Instantiate(module, resources: second).GetExport<Func<int, int>>("grow")(2));
        Assert.Throws<LinkException>(() => wasi.Run(module, resources: second));
        Assert.Equal(0, wasi.Run(module));

        var program = new GuestResources(limits);
        Assert.Equal(-1, new DynamicLinker(new MemoryNamespace()).Instantiate(module, resources: program).GetExport<Func<int, int>>("grow")(3));

        var third = new GuestResources(limits);
        using ComponentInstance component = engine.CompileComponent(Wat.ToBinary("""
            (component
              (core module $M (memory 1 100) (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0))))
              (core instance $m (instantiate $M))
              (func (export "grow") (param "pages" s32) (result s32) (canon lift (core func $m "grow"))))
            """)).Instantiate(options: new ComponentInstanceOptions { Resources = third });
        var growing = component.GetFunction<Func<int, int>>("grow");
        Assert.Equal((-1, 1), (growing(3), growing(2)));
        Assert.Equal(3 << 16, third.InUse(ResourceKind.MemoryBytes));
    }

    /// <summary>What the host does when it is asked may call the guest, and so move the stack of the interpreter from which it was asked.</summary>
    [Theory]
    [InlineData(Compilation.Interpreted)]
    [InlineData(Compilation.Lazy)]
    public void AHostThatIsAskedMayCallTheGuest(Compilation compilation)
    {
        Func<int, int>? deep = null;
        int asked = 0;
        var limits = new ResourceLimits
        {
            Allow = _ =>
            {
                if (deep is not { } call) return true;
                // Once, as what it calls asks for nothing.
                deep = null;
                Assert.Equal(2000, call(2000));
                asked++;
                return true;
            },
        };
        Instance guest = new Engine(new EngineOptions { Compilation = compilation, Limits = limits }).CompileText("""
            (module
              (type $m (memory 1 10)) (type $t (table 1 10 funcref))
              (func $deep (export "deep") (param i32) (result i32) (local $a anyref) (local $b anyref) (local $c externref)
                (local.set $a (ref.i31 (local.get 0)))
                (local.set $b (local.get $a))
                (if (result i32) (local.get 0)
                  (then (i32.add (i32.const 1) (call $deep (i32.sub (local.get 0) (i32.const 1)))))
                  (else (ref.is_null (local.get $b)))))
              (func (export "memory") (result i32) (memory.size (ref $m) (memory.new $m)))
              (func (export "table") (result i32) (table.size (ref $t) (table.new $t (ref.null func))))
              (func (export "grown") (result i32) (memory.grow (ref $m) (memory.new $m) (i32.const 1))))
            """).Instantiate();
        var export = guest.GetExport<Func<int, int>>("deep");
        foreach (string name in new[] { "memory", "table", "grown" })
        {
            // A thread of its own has a small stack of references.
            Exception? failure = null;
            int before = asked;
            var thread = new Thread(() => failure = Record.Exception(() =>
            {
                deep = export;
                Assert.Equal(1, guest.GetExport<Func<int>>(name)());
            }));
            thread.Start();
            thread.Join();
            Assert.Null(failure);
            Assert.Equal(before + 1, asked);
        }
    }
}
