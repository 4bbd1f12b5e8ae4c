using Xunit;

namespace WasmJit.Tests.PublicApi;

/// <summary>What <c>module.drop</c> and <c>func.drop</c> give back at once: places in quotas and limits, memories; and what callers of dropped functions meet.</summary>
public sealed class DroppedCodeTests
{
    /// <summary>The module that the guest makes.</summary>
    private const string Made = """
        (module
          (import "env" "host" (func $host (param i32) (result i32)))
          (memory 10)
          (func (export "f") (param i32) (result i32)
            (i32.store (i32.const 8) (i32.const 5))
            (drop (call $host (local.get 0)))
            (i32.add (local.get 0) (i32.load (i32.const 8)))))
        """;

    /// <summary>A guest that makes functions, and modules with a memory of 10 pages each, in two tables.</summary>
    private const string Guest = $"""
        (module $guest
          (type $f (func (param i32) (result i32)))
          (type $M (module (import "env" "host" (func (param i32) (result i32))) (export "f" (func (type $f)))))
          (type $I (instance (export "f" (func (type $f)))))
          (import "env" "host" (func $host (param i32) (result i32)))
          (memory $memory (export "memory") 1)
          (data (i32.const 0) {Made})
          (data (i32.const 1024) "\00\20\00\10\00\41\01\6a\0b")        ;; 9: $host(x) + 1
          (elem declare func $host)
          (scope $all (func $host))
          (table $functions (export "functions") 100 (ref null $f))
          (table $modules 100 (ref null $M))
          (func (export "new") (param $slot i32) (table.set $functions (local.get $slot) (func.new $f $all (i32.const 1024) (i32.const 9))))
          (func (export "compile") (param $slot i32) (param $length i32)
            (table.set $modules (local.get $slot) (compile $M (i32.const 0) (local.get $length)))
            (table.set $functions (local.get $slot) (get_export $I "f" (instantiate $M (ref.func $host) (table.get $modules (local.get $slot))))))
          (func (export "call") (param $slot i32) (param i32) (result i32) (call_ref $f (local.get 1) (table.get $functions (local.get $slot))))
          (func (export "loop") (param $slot i32) (param $n i32) (result i32)
            (local $sum i32)
            (loop $next
              (local.set $sum (i32.add (local.get $sum) (call_ref $f (local.get $n) (table.get $functions (local.get $slot)))))
              (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
            (local.get $sum))
          (func (export "drop") (param $slot i32) (func.drop (table.get $functions (local.get $slot))))
          (func (export "drop_module") (param $slot i32) (module.drop (table.get $modules (local.get $slot))))
          (func (export "count") (result i64) (code.count))
          (func (export "size") (result i64) (code.size)))
        """;

    private static readonly int ModuleLength = Wat.ToBinary(Made).Length;

    private static Instance Start(EngineOptions? options = null, Func<int, int>? host = null) =>
        new Engine(options).CompileText(Guest).Instantiate(new Imports { { "env", "host", host ?? (x => x) } });

    private static void Compile(Instance guest, int slot) => guest.GetExport<Action<int, int>>("compile")(slot, ModuleLength);

    private static void Run(Instance guest, string name, int slot) => guest.GetExport<Action<int>>(name)(slot);

    private static int Call(Instance guest, int slot, int argument) => guest.GetExport<Func<int, int, int>>("call")(slot, argument);

    private static long Count(Instance guest) => guest.GetExport<Func<long>>("count")();

    [Fact]
    public void ItGivesItsPlaceInQuotaAndLimitsBackAtOnce()
    {
        var quota = new LinkingQuota { MaximumLiveModules = 2 };
        Instance guest = Start(new EngineOptions
        {
            LinkingQuota = quota,
            Limits = new ResourceLimits { MaximumInstances = 3, MaximumMemoryBytes = 12 * 65536 },
        });
        // Nothing here waits for a collection: the table keeps the functions.
        for (int i = 0; i < 30; i++)
        {
            Run(guest, "new", i);
            Compile(guest, 50 + i);
            Assert.Equal((2, 2L), (quota.LiveModules, Count(guest)));
            Assert.Equal(9 + ModuleLength, guest.GetExport<Func<long>>("size")());
            Run(guest, "drop", i);
            Run(guest, "drop_module", 50 + i);
            Assert.Equal((0, 0L), (quota.LiveModules, Count(guest)));
            Assert.Equal((1, 65536), (guest.Resources!.InUse(ResourceKind.Instances), guest.Resources.InUse(ResourceKind.MemoryBytes)));
        }
    }

    [Theory]
    [InlineData(Compilation.Tiered)]
    [InlineData(Compilation.Interpreted)]
    [InlineData(Compilation.Lazy)]
    [InlineData(Compilation.Ahead)]
    public void WhoeverCallsIsTrapped(Compilation compilation)
    {
        Instance guest = Start(new EngineOptions { Compilation = compilation });
        Run(guest, "new", 0);
        Compile(guest, 1);
        var loop = guest.GetExport<Func<int, int, int>>("loop");
        Assert.Equal(2000 + (2000 * 2001 / 2), loop(0, 2000));
        Assert.Equal((5 * 2000) + (2000 * 2001 / 2), loop(1, 2000));
        var host = (Func<int, int>)guest.GetExport<Table>("functions")[0]!;
        var hostModule = (Func<int, int>)guest.GetExport<Table>("functions")[1]!;
        Assert.Equal((8, 12), (host(7), hostModule(7)));
        // Other instances have imported them.
        Func<int, int, int>[] importers = [.. new[] { host, hostModule }.Select(function => new Engine(new EngineOptions { Compilation = compilation }).CompileText("""
            (module (import "made" "f" (func $f (param i32) (result i32)))
              (func (export "loop") (param $n i32) (param $x i32) (result i32) (local $last i32)
                (loop $next
                  (local.set $last (call $f (local.get $x)))
                  (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
                (local.get $last)))
            """).Instantiate(new Imports { { "made", "f", function } }).GetExport<Func<int, int, int>>("loop"))];
        Assert.Equal([8, 12], importers.Select(importer => importer(2000, 7)));
        Run(guest, "drop", 0);
        Run(guest, "drop_module", 1);
        foreach (Action call in new Action[]
        {
            () => loop(0, 10), () => loop(1, 10), () => Call(guest, 0, 1), () => host(1), () => hostModule(1), () => importers[0](10, 7), () => importers[1](10, 7),
        })
            Assert.Equal(TrapKind.DroppedFunction, Assert.Throws<TrapException>(call).Kind);
    }

    /// <summary>A function that is dropped while it runs goes on, and finds its memory empty.</summary>
    [Theory]
    [InlineData(Compilation.Lazy)]
    [InlineData(Compilation.Interpreted)]
    public void WhatRunsGoesOn(Compilation compilation)
    {
        Instance? guest = null;
        guest = Start(new EngineOptions { Compilation = compilation }, x =>
        {
            Run(guest!, "drop_module", 1);
            return x;
        });
        Compile(guest, 1);
        // Its memory has no pages any more, or zeros.
        try
        {
            Assert.Equal(3, Call(guest, 1, 3));
        }
        catch (TrapException e)
        {
            Assert.Equal(TrapKind.OutOfBoundsMemoryAccess, e.Kind);
        }
        Assert.Equal(TrapKind.DroppedFunction, Assert.Throws<TrapException>(() => Call(guest, 1, 3)).Kind);
    }

    /// <summary>A function that is hot is compiled on another thread; the code that arrives after the drop is not called.</summary>
    [Fact]
    public async Task CodeThatComesTooLateIsNotCalled()
    {
        for (int i = 0; i < 50; i++)
        {
            Instance guest = Start(new EngineOptions { Compilation = Compilation.Lazy });
            Run(guest, "new", 0);
            var function = (Func<int, int>)guest.GetExport<Table>("functions")[0]!;
            Task dropping = Task.Run(() => Run(guest, "drop", 0));
            try
            {
                // The first call compiles.
                Assert.Equal(2, function(1));
            }
            catch (TrapException e)
            {
                Assert.Equal(TrapKind.DroppedFunction, e.Kind);
            }
            await dropping;
            Assert.Equal(TrapKind.DroppedFunction, Assert.Throws<TrapException>(() => function(1)).Kind);
        }
    }

    /// <summary>Eight threads call through a slot whose function is dropped and replaced again and again: a call gives what the function gives, or traps.</summary>
    [Theory]
    [InlineData(Compilation.Tiered)]
    [InlineData(Compilation.Lazy)]
    [InlineData(Compilation.Interpreted)]
    public void EightThreadsCallWhatIsDroppedAndReplaced(Compilation compilation)
    {
        const int callers = 8, replaced = 300;
        Instance guest = Start(new EngineOptions { Compilation = compilation });
        var call = guest.GetExport<Func<int, int, int>>("call");
        Run(guest, "new", 0);
        using var begun = new CountdownEvent(callers);
        int stop = 0;
        var wrong = new System.Collections.Concurrent.ConcurrentQueue<string>();
        Thread[] threads = [.. Enumerable.Range(0, callers).Select(t => new Thread(() =>
        {
            for (int x = t; Volatile.Read(ref stop) == 0; x++)
            {
                try
                {
                    if (call(0, x) is var result && result != x + 1) wrong.Enqueue($"{result} for {x}");
                }
                catch (TrapException e) when (e.Kind == TrapKind.DroppedFunction)
                {
                }
                catch (Exception e)
                {
                    wrong.Enqueue($"{e}");
                }
                if (x == t) begun.Signal();
            }
        }))];
        foreach (Thread thread in threads) thread.Start();
        begun.Wait();
        for (int i = 0; i < replaced; i++)
        {
            Run(guest, "drop", 0);
            Run(guest, "new", 0);
        }
        Volatile.Write(ref stop, 1);
        foreach (Thread thread in threads) thread.Join();
        Assert.Empty(wrong);
        Assert.Equal(6, Call(guest, 0, 5));
    }

    private static void Exceeds(string reason, Action action)
    {
        TrapException trap = Assert.Throws<TrapException>(action);
        Assert.Equal((TrapKind.QuotaExceeded, $"quota exceeded: {reason}"), (trap.Kind, trap.Message));
    }

    /// <summary>
    /// A guest that drops what it makes, and keeps the references, would hold memory without end beside its quota and limits. When it lets go of them it goes on.
    /// </summary>
    [Theory]
    [InlineData("quota", "dropped modules: 64 are still referred to")]
    [InlineData("instances", "instances: 64 were dropped and are still referred to")]
    [InlineData("memories", "memories: 64 were dropped and are still referred to")]
    public void WhatIsDroppedAndKeptHasALimit(string what, string reason)
    {
        Instance guest = Start(what switch
        {
            "quota" => new EngineOptions { LinkingQuota = new LinkingQuota { MaximumLiveModules = 1 } },
            "instances" => new EngineOptions { Limits = new ResourceLimits { MaximumInstances = 2 } },
            _ => new EngineOptions { Limits = new ResourceLimits { MaximumMemories = 2 } },
        });
        for (int i = 0; i < 64; i++) Make(i);
        Exceeds(reason, () => Make(64));
        var functions = guest.GetExport<Table>("functions");
        for (int i = 0; i < 64; i++) functions[i] = null;
        for (int i = 0; i < 64; i++) Make(i);

        void Make(int slot)
        {
            if (what == "memories")
            {
                Compile(guest, slot);
                Run(guest, "drop_module", slot);
                return;
            }
            Run(guest, "new", slot);
            Run(guest, "drop", slot);
        }
    }

    /// <summary>A function that a guest keeps keeps its instance's table, which so counts until it is garbage.</summary>
    [Fact]
    public void TablesOfDroppedModulesCountUntilTheyAreGarbage()
    {
        string made = Made.Replace("(memory 10)", "(memory 10) (table 1000 funcref)", StringComparison.Ordinal);
        int length = Wat.ToBinary(made).Length;
        Instance guest = new Engine(new EngineOptions { Limits = new ResourceLimits { MaximumTableElements = 1200 } })
            .CompileText(Guest.Replace(Made, made, StringComparison.Ordinal)).Instantiate(new Imports { { "env", "host", (Func<int, int>)(x => x) } });
        var compile = guest.GetExport<Action<int, int>>("compile");
        compile(1, length);
        Run(guest, "drop_module", 1);
        Exceeds("elements of tables: 1200 in use, 1000 more asked for, 1200 are allowed", () => compile(2, length));
        guest.GetExport<Table>("functions")[1] = null;
        compile(2, length);
        Assert.Equal(12, Call(guest, 2, 7));
    }

    /// <summary>Saved modules are not validated when they are loaded; what they have compiled counts all the same.</summary>
    [Fact]
    public void SavedModulesOwnCode()
    {
        using var file = new MemoryStream();
        var engine = new Engine();
        engine.CompileText(Guest).Save(file);
        file.Position = 0;
        Instance guest = engine.LoadSaved(file).Instantiate(new Imports { { "env", "host", (Func<int, int>)(x => x) } });
        Run(guest, "new", 0);
        Assert.Equal((1L, 3), (Count(guest), Call(guest, 0, 2)));
        Run(guest, "drop", 0);
        Assert.Equal(0L, Count(guest));
    }

    [Fact]
    public void WhatIsGarbageCountsNoLonger()
    {
        Instance guest = Start();
        for (int i = 0; i < 20; i++) Run(guest, "new", 0);
        // All but the last are garbage; when the collector finds them is its own affair.
        Assert.True(Eventually.Collected(() => Count(guest) == 1));
    }
}
