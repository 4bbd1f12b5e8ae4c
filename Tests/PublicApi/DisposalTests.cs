using Xunit;

namespace WasmJit.Tests.PublicApi;

/// <summary>Instances and memories that are disposed of: code that still has something of them gets an exception, and never what belongs to others.</summary>
[Collection(nameof(ProcessWide))]
public sealed class DisposalTests
{
    public static TheoryData<MemoryChecks> Checks => [MemoryChecks.Guard, MemoryChecks.Explicit];

    private const string Text = """
        (module
          (import "env" "wait" (func $wait))
          (memory (export "memory") 2)
          (global (export "counter") (mut i32) (i32.const 7))
          (table (export "table") 4 funcref) (elem (i32.const 0) $read)
          (func $read (export "read") (param i32) (result i32) (i32.load (local.get 0)))
          (func (export "write") (param i32 i32) (i32.store (local.get 0) (local.get 1)))
          (func (export "late") (result i32) (i32.const 5))
          (func (export "waitAndRead") (param i32) (result i32) (call $wait) (i32.load (local.get 0))))
        """;

    private static Instance Make(MemoryChecks checks, Action? wait = null, EngineOptions? options = null) =>
        new Engine((options ?? new EngineOptions()) with { MemoryChecks = checks }).CompileText(Text)
            .Instantiate(new Imports { { "env", "wait", wait ?? (() => { }) } });

    [Theory]
    [MemberData(nameof(Checks))]
    public async Task TheHostGetsAnExceptionWhateverItHasKept(MemoryChecks checks)
    {
        Instance instance = Make(checks);
        var read = instance.GetExport<Func<int, int>>("read");
        var write = instance.GetExport<Action<int, int>>("write");
        Memory memory = instance.GetExport<Memory>("memory");
        Table table = instance.GetExport<Table>("table");
        write(16, 42);
        Assert.Equal(42, read(16));
        instance.Dispose();
        instance.Dispose();
        Assert.True(instance.IsDisposed);
        Assert.True(memory.IsDisposed);
        Assert.Throws<ObjectDisposedException>(() => read(16));
        Assert.Throws<ObjectDisposedException>(() => write(16, 1));
        Assert.Throws<ObjectDisposedException>(() => ((Func<int, int>)table[0]!)(16));
        Assert.Throws<ObjectDisposedException>(() => instance.GetExport<Func<int>>("late"));
        Assert.Throws<ObjectDisposedException>(() => instance.TryGetExport("memory", out Memory? _));
        Assert.Throws<ObjectDisposedException>(() => instance.GetFunction("late"));
        await Assert.ThrowsAsync<ObjectDisposedException>(() => instance.InvokeAsync<int>("late", default));
        Assert.Throws<ObjectDisposedException>(() => memory.Span.Length);
        Assert.Throws<ObjectDisposedException>(() => memory.Slice(0, 0).Length);
        Assert.Throws<ObjectDisposedException>(() => memory.Read<int>(16));
        Assert.Throws<ObjectDisposedException>(() => memory.Write(16, 1));
        Assert.Throws<ObjectDisposedException>(() => memory.ReadString(16));
        Assert.Equal(-1, memory.Grow(1));
        Assert.Equal(0UL, memory.Length);
    }

    [Theory]
    [MemberData(nameof(Checks))]
    public void AnotherInstanceThatImportsItsFunctionGetsIt(MemoryChecks checks)
    {
        Instance instance = Make(checks);
        Instance other = instance.Module.Engine.CompileText("""
            (module (import "it" "read" (func $read (param i32) (result i32)))
              (func (export "call") (param i32) (result i32) (call $read (local.get 0))))
            """).Instantiate(new Imports { { "it", "read", instance.GetExport<Func<int, int>>("read") } });
        var call = other.GetExport<Func<int, int>>("call");
        Assert.Equal(0, call(16));
        instance.Dispose();
        Assert.Throws<ObjectDisposedException>(() => call(16));
    }

    /// <summary>A guest that shares the memory reads zeros where it compares nothing, and traps where it does; the bytes belong to no other memory.</summary>
    [Theory]
    [MemberData(nameof(Checks))]
    public void AnotherInstanceThatImportsItsMemoryMeetsNobodysBytes(MemoryChecks checks)
    {
        Instance instance = Make(checks);
        instance.GetExport<Action<int, int>>("write")(16, 42);
        Instance other = instance.Module.Engine.CompileText("""
            (module (import "it" "memory" (memory 1))
              (func (export "read") (param i32) (result i32) (i32.load (local.get 0)))
              (func (export "write") (param i32 i32) (i32.store (local.get 0) (local.get 1)))
              (func (export "grow") (result i32) (memory.grow (i32.const 1))))
            """).Instantiate(new Imports { { "it", "memory", instance.GetExport<Memory>("memory") } });
        var read = other.GetExport<Func<int, int>>("read");
        Assert.Equal(42, read(16));
        instance.Dispose();
        Assert.NotEqual(42, Read());
        Assert.Equal(-1, other.GetExport<Func<int>>("grow")());
        // Instances that are made now do not get its pages while they can be reached.
        for (int i = 0; i < 100; i++)
        {
            Instance next = Make(checks);
            next.GetExport<Action<int, int>>("write")(16, 99);
            Assert.NotEqual(99, Read());
            next.Dispose();
        }
        if (checks == MemoryChecks.Explicit)
        {
            Assert.Equal(TrapKind.OutOfBoundsMemoryAccess, Assert.Throws<TrapException>(() => read(16)).Kind);
            return;
        }
        other.GetExport<Action<int, int>>("write")(16, 77);
        for (int i = 0; i < 100; i++)
        {
            Instance next = Make(checks);
            Assert.Equal(0, next.GetExport<Func<int, int>>("read")(16));
            next.Dispose();
        }

        int Read()
        {
            try
            {
                return read(16);
            }
            catch (TrapException)
            {
                return 0;
            }
        }
    }

    [Fact]
    public void ItCannotBeImportedAnyMore()
    {
        Instance instance = Make(MemoryChecks.Guard);
        Memory memory = instance.GetExport<Memory>("memory");
        instance.Dispose();
        Module user = instance.Module.Engine.CompileText("""(module (import "it" "memory" (memory 0)))""");
        Assert.Contains("disposed", Assert.Throws<LinkException>(() => user.Instantiate(new Imports { { "it", "memory", memory } })).Message, StringComparison.Ordinal);
    }

    /// <summary>Dispose on another thread, in the middle of a call: the call ends, with zeros or a trap.</summary>
    [Theory]
    [MemberData(nameof(Checks))]
    public async Task ACallThatIsUnderWayEnds(MemoryChecks checks)
    {
        using var entered = new SemaphoreSlim(0);
        using var released = new SemaphoreSlim(0);
        Instance instance = Make(checks, () =>
        {
            entered.Release();
            Assert.True(released.Wait(Eventually.Patience));
        });
        instance.GetExport<Action<int, int>>("write")(16, 42);
        var call = instance.GetExport<Func<int, int>>("waitAndRead");
        Task<int> running = Task.Factory.StartNew(() => call(16), TaskCreationOptions.LongRunning);
        Assert.True(await entered.WaitAsync(Eventually.Patience));
        instance.Dispose();
        released.Release();
        if (checks == MemoryChecks.Guard) Assert.Equal(0, await running);
        else Assert.Equal(TrapKind.OutOfBoundsMemoryAccess, (await Assert.ThrowsAsync<TrapException>(() => running)).Kind);
        Assert.Throws<ObjectDisposedException>(() => call(16));
    }

    [Fact]
    public void ThreadsThatWaitInASharedMemoryWakeUp()
    {
        var memory = new Memory(new MemoryType(1, 1, IsShared: true));
        var threads = new Thread[4];
        CountdownEvent begun = new(threads.Length), ended = new(threads.Length);
        Instance instance = new Engine().CompileText("""
            (module (import "env" "memory" (memory 1 1 shared)) (import "env" "begins" (func $begins))
              (func (export "wait") (result i32) (call $begins) (memory.atomic.wait32 (i32.const 0) (i32.const 0) (i64.const -1))))
            """).Instantiate(new Imports { { "env", "memory", memory }, { "env", "begins", (Action)(() => begun.Signal()) } });
        var wait = instance.GetExport<Func<int>>("wait");
        for (int i = 0; i < threads.Length; i++)
        {
            threads[i] = new Thread(() =>
            {
                try
                {
                    // Woken, or it came too late to wait.
                    wait();
                }
                catch (TrapException)
                {
                    // It came when there were no bytes any more.
                }
                ended.Signal();
            });
            threads[i].Start();
        }
        Assert.True(begun.Wait(Eventually.Patience));
        memory.Dispose();
        Assert.True(ended.Wait(Eventually.Patience));
    }

    [Fact]
    public void ItNoLongerCounts()
    {
        var resources = new GuestResources(new ResourceLimits { MaximumInstances = 1, MaximumMemories = 1, MaximumTables = 1, MaximumMemoryBytes = 131072 });
        Module module = Make(MemoryChecks.Guard).Module;
        for (int i = 0; i < 20; i++)
        {
            Instance instance = module.Instantiate(new Imports { { "env", "wait", (Action)(() => { }) } }, resources: resources);
            Assert.Equal((1, 131072), (resources.InUse(ResourceKind.Instances), resources.InUse(ResourceKind.MemoryBytes)));
            instance.Dispose();
            Assert.Equal((0, 0, 0), (resources.InUse(ResourceKind.Instances), resources.InUse(ResourceKind.MemoryBytes), resources.InUse(ResourceKind.TableElements)));
        }
    }

    [Fact]
    public void InstancesThatTheModuleDefinesGoWithIt()
    {
        Instance outer = new Engine().CompileText("""
            (module
              (module $M (memory (export "m") 1) (func (export "f") (result i32) (i32.load (i32.const 0))))
              (instance $a (instantiate $M))
              (export "inner" (instance $a)))
            """).Instantiate();
        Instance inner = outer.GetExport<Instance>("inner");
        var f = inner.GetExport<Func<int>>("f");
        Assert.Equal(0, f());
        outer.Dispose();
        Assert.True(inner.IsDisposed);
        Assert.Throws<ObjectDisposedException>(() => f());
    }

    /// <summary>
    /// Instances that come and go cause collections of the youngest objects alone. Each had caused a part of a full one: hundreds for so many. The
    /// runtime may have a reason of its own for one.
    /// </summary>
    [Theory]
    [MemberData(nameof(Checks))]
    public void ManyCauseNoFullCollections(MemoryChecks checks)
    {
        Module module = Make(checks).Module;
        var imports = new Imports { { "env", "wait", (Action)(() => { }) } };
        module.Instantiate(imports).Dispose();
        int before = GC.CollectionCount(GC.MaxGeneration);
        for (int i = 0; i < 10_000; i++)
        {
            using Instance instance = module.Instantiate(imports);
            instance.GetExport<Action<int, int>>("write")(16, i);
        }
        Assert.InRange(GC.CollectionCount(GC.MaxGeneration) - before, 0, 5);
    }
}
