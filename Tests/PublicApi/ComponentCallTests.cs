using WasmJit.Components;
using Xunit;

namespace WasmJit.Tests.PublicApi;

/// <summary>Whose a failure is, and how long handles are good: calls of the host that wait, and mistakes of the host in the middle of a call.</summary>
public sealed class ComponentCallTests
{
    private static WasmComponent Compile(string text, EngineOptions? options = null) => new Engine(options ?? new EngineOptions()).CompileComponent(Wat.ToBinary(text));

    /// <summary>A function that waits for a function of the host, and then runs <paramref name="behind"/>.</summary>
    private static string Waiting(string behind) => $"""
        (component
          (import "slow" (func $slow async (param "n" u32) (result u32)))
          (import "here" (func $here))
          (core module $Mem (memory (export "mem") 1))
          (core instance $mem (instantiate $Mem))
          (core func $slow' (canon lower (func $slow) async (memory (core memory $mem "mem"))))
          (core func $here' (canon lower (func $here)))
          (core func $return (canon task.return (result u32)))
          (core func $set (canon waitable-set.new))
          (core func $join (canon waitable.join))
          (core module $M
            (import "" "mem" (memory 1))
            (import "" "slow" (func $slow (param i32 i32) (result i32)))
            (import "" "here" (func $here))
            (import "" "return" (func $return (param i32)))
            (import "" "set" (func $set (result i32)))
            (import "" "join" (func $join (param i32 i32)))
            (func (export "f") (param i32) (result i32)
              (local $call i32) (local $set i32)
              (local.set $call (call $slow (local.get 0) (i32.const 8)))
              (local.set $set (call $set))
              (call $join (i32.shr_u (local.get $call) (i32.const 4)) (local.get $set))
              (i32.or (i32.const 2) (i32.shl (local.get $set) (i32.const 4))))
            (func (export "cb") (param i32 i32 i32) (result i32)
              (call $here)
              {behind}
              (call $return (i32.load (i32.const 8)))
              (i32.const 0)))
          (core instance $m (instantiate $M (with "" (instance
            (export "mem" (memory $mem "mem")) (export "slow" (func $slow')) (export "here" (func $here')) (export "return" (func $return))
            (export "set" (func $set)) (export "join" (func $join))))))
          (func (export "f") async (param "n" u32) (result u32) (canon lift (core func $m "f") async (callback (core func $m "cb")))))
        """;

    private static void Nothing()
    {
    }

    [Fact]
    public async Task ACallObeysTheTokenBehindItsFirstWait()
    {
        var slow = new TaskCompletionSource<uint>(TaskCreationOptions.RunContinuationsAsynchronously);
        var here = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        WasmComponent component = Compile(Waiting("(loop $l (br $l))"), new EngineOptions { Interruptible = true });
        ComponentInstance instance = component.Instantiate(new ComponentHost { { "slow", (Func<uint, Task<uint>>)(_ => slow.Task) }, { "here", here.SetResult } });
        using var stop = new CancellationTokenSource();
        ExportedFunction function = instance.GetFunction("f");
        Task<ComponentValue> call = Guest.Run(() => function.CallAsync(default, ComponentValue.From(1u)), stop.Token);
        slow.SetResult(1);
        // The guest is in its loop now, on a thread that the caller has never seen.
        await here.Task.WaitAsync(Eventually.Patience);
        await stop.CancelAsync();
        await Assert.ThrowsAsync<GuestCanceledException>(() => call.WaitAsync(Eventually.Patience));
    }

    [Fact]
    public async Task ACallThatWaitsForTheHostIsStoppedByTheToken()
    {
        var slow = new TaskCompletionSource<uint>();
        using ComponentInstance instance = Compile(Waiting("")).Instantiate(new ComponentHost { { "slow", (Func<uint, Task<uint>>)(_ => slow.Task) }, { "here", Nothing } });
        using var stop = new CancellationTokenSource();
        ExportedFunction function = instance.GetFunction("f");
        Task<ComponentValue> call = Guest.Run(() => function.CallAsync(default, ComponentValue.From(1u)), stop.Token);
        await stop.CancelAsync();
        await Assert.ThrowsAsync<GuestCanceledException>(() => call.WaitAsync(Eventually.Patience));
    }

    /// <summary>
    /// Two instances take turns. While one of them waits, a call of the other lets it go on, and it fails: by an exception of the host or by a trap.
    /// </summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task AFailureIsTheCallsThatWaitsForIt(bool isTrap)
    {
        var first = new TaskCompletionSource<uint>();
        using ComponentInstance failing = Compile(Waiting("unreachable")).Instantiate(new ComponentHost { { "slow", (Func<uint, Task<uint>>)(_ => first.Task) }, { "here", Nothing } });
        ExportedFunction function = failing.GetFunction("f");
        var second = new TaskCompletionSource<uint>();
        using ComponentInstance other = Compile(Waiting("")).Instantiate(new ComponentHost
        {
            {
                "slow", (Func<uint, Task<uint>>)(_ =>
                {
                    if (isTrap) first.SetResult(1);
                    else first.SetException(new FileNotFoundException("gone"));
                    ThreadPool.QueueUserWorkItem(static s => s.SetResult(5), second, false);
                    return second.Task;
                })
            },
            { "here", Nothing },
            { "together", function },
        });
        Task<ComponentValue> call = function.CallAsync(default, ComponentValue.From(1u));
        Assert.Equal(5u, other.GetFunction("f").Call(ComponentValue.From(2u)).AsU32());
        if (isTrap) Assert.Equal(TrapKind.Unreachable, (await Assert.ThrowsAsync<TrapException>(() => call.WaitAsync(Eventually.Patience))).Kind);
        else await Assert.ThrowsAsync<FileNotFoundException>(() => call.WaitAsync(Eventually.Patience));
        // Neither has done the other any harm; the one that failed is not entered again.
        Assert.Contains("cannot enter", Assert.Throws<TrapException>(() => function.Call(ComponentValue.From(1u))).Message, StringComparison.Ordinal);
    }

    // ---- handles ----

    private static string Things(string async) => $"""
        (component
          (import "thing" (type $t (sub resource)))
          (import "read" (func $read (param "x" (borrow $t)) (result u32)))
          (core module $Mem (memory (export "mem") 1) (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024)))
          (core instance $mem (instantiate $Mem))
          (core func $read' (canon lower (func $read)))
          (core func $drop (canon resource.drop $t))
          (core module $M
            (import "" "read" (func $read (param i32) (result i32)))
            (import "" "drop" (func $drop (param i32)))
            (func (export "read") (param i32) (result i32)
              (local $r i32)
              (local.set $r (call $read (local.get 0)))
              (call $drop (local.get 0))
              (local.get $r))
            ;; the handles that it gets, as one number
            (func (export "take") (param i32 i32 i32 i32) (result i32)
              (call $drop (local.get 0))
              (call $drop (local.get 1))
              (i32.add (i32.mul (local.get 0) (i32.const 10)) (local.get 1))))
          (core instance $m (instantiate $M (with "" (instance (export "read" (func $read')) (export "drop" (func $drop))))))
          (func (export "read") {async} (param "x" (borrow $t)) (result u32) (canon lift (core func $m "read")))
          (func (export "take") {async} (param "x" (borrow $t)) (param "y" (own $t)) (param "z" string) (result u32)
            (canon lift (core func $m "take") (memory (core memory $mem "mem")) (realloc (core func $mem "realloc")))))
        """;

    [Theory]
    [InlineData("", false)]
    [InlineData("", true)]
    [InlineData("async", false)]
    [InlineData("async", true)]
    public void ABorrowedResourceIsGoodForItsCallAlone(string async, bool byValues)
    {
        var type = new HostResourceType("thing");
        ComponentResource? kept = null;
        var host = new ComponentHost { { "thing", type } };
        if (byValues)
        {
            host.Add("read", arguments =>
            {
                kept = arguments[0].AsResource();
                return ComponentValue.From((uint)kept.Get<string>().Length);
            });
        }
        else
        {
            host.Add("read", (Func<ComponentResource, uint>)(x => (uint)(kept = x).Get<string>().Length));
        }
        using ComponentInstance instance = Compile(Things(async)).Instantiate(host);
        using ComponentResource thing = type.New("four");
        var read = instance.GetFunction<Func<ComponentResource, uint>>("read");
        Assert.Equal(4u, read(thing));
        Assert.True(kept!.IsBorrowed);
        Assert.Throws<ObjectDisposedException>(() => kept.Get<string>());
        Assert.Throws<ObjectDisposedException>(() => read(kept));
        Assert.Throws<ArgumentException>(() => instance.GetFunction("read").Call(ComponentValue.From(kept)));
        Assert.Equal(4u, read(thing));
    }

    [Theory]
    [InlineData("")]
    [InlineData("async")]
    public void AWrongArgumentTakesBackTheHandlesOfTheOthers(string async)
    {
        var type = new HostResourceType("thing");
        using ComponentInstance instance = Compile(Things(async)).Instantiate(new ComponentHost { { "thing", type }, { "read", (Func<ComponentResource, uint>)(_ => 0) } });
        using ComponentResource lent = type.New("lent"), given = type.New("given");
        var take = instance.GetFunction<Func<ComponentResource, ComponentResource, string, uint>>("take");
        for (int i = 0; i < 3; i++)
        {
            Assert.Throws<ArgumentNullException>(() => take(lent, given, null!));
            Assert.Throws<ArgumentException>(() => instance.GetFunction("take").Call(ComponentValue.From(lent), ComponentValue.From(given), ComponentValue.From(1u)));
        }
        Assert.Equal("given", given.Get<string>());
        // The first handles that there are: none of the calls before has left one.
        Assert.Equal(12u, take(lent, given, "text"));
        Assert.Equal(1, type.Count);
        Assert.Throws<ObjectDisposedException>(() => given.Get<string>());
    }

    [Fact]
    public void HandlesCountInTheResources()
    {
        WasmComponent component = Compile("""
            (component
              (type $R (resource (rep i32)))
              (core func $new (canon resource.new $R))
              (core module $M
                (import "" "new" (func $new (param i32) (result i32)))
                (func (export "f") (param $n i32)
                  (loop $l
                    (drop (call $new (i32.const 1)))
                    (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))))
              (core instance $m (instantiate $M (with "" (instance (export "new" (func $new))))))
              (func (export "f") (param "n" u32) (canon lift (core func $m "f"))))
            """);
        var resources = new GuestResources(new ResourceLimits { MaximumHandles = 20 });
        var options = new ComponentInstanceOptions { Resources = resources };
        using (ComponentInstance fits = component.Instantiate(options: options))
        {
            fits.GetFunction<Action<uint>>("f")(20);
            Assert.Equal(20, resources.InUse(ResourceKind.Handles));
            // They count together.
            using ComponentInstance another = component.Instantiate(options: options);
            Assert.Equal("too many handles", Assert.Throws<TrapException>(() => another.GetFunction<Action<uint>>("f")(1)).Message);
        }
        Assert.Equal(0, resources.InUse(ResourceKind.Handles));
        using ComponentInstance beyond = component.Instantiate(options: options);
        Assert.Equal("too many handles", Assert.Throws<TrapException>(() => beyond.GetFunction<Action<uint>>("f")(21)).Message);
    }

    // ---- lifetime ----

    /// <summary>
    /// Instances that come and go cause collections of the young generations alone; each caused a part of a full one. Other tests of the process may
    /// cause one at any time, so it is enough that there was none while some hundreds came and went.
    /// </summary>
    [Theory]
    [InlineData(MemoryChecks.Guard)]
    [InlineData(MemoryChecks.Explicit)]
    public void ManyInstancesCauseNoFullCollection(MemoryChecks checks)
    {
        WasmComponent component = Compile(
            """
            (component
              (core module $M
                (memory (export "mem") 1) (global (mut i32) (i32.const 0)) (table 4 funcref)
                (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
                (func (export "f") (param i32 i32) (result i32) (local.get 1)))
              (core instance $m (instantiate $M))
              (func (export "f") (param "x" string) (result u32) (canon lift (core func $m "f") (memory (core memory $m "mem")) (realloc (core func $m "realloc")))))
            """, new EngineOptions { MemoryChecks = checks, Limits = new ResourceLimits { MaximumMemories = 1 } });
        var clock = System.Diagnostics.Stopwatch.StartNew();
        int collections;
        do
        {
            int before = GC.CollectionCount(GC.MaxGeneration);
            for (int i = 0; i < 500; i++)
            {
                using ComponentInstance instance = component.Instantiate();
                Assert.Equal(3u, instance.GetFunction<Func<string, uint>>("f")("abc"));
            }
            collections = GC.CollectionCount(GC.MaxGeneration) - before;
        }
        while (collections > 0 && clock.Elapsed < Eventually.Patience);
        Assert.Equal(0, collections);
    }
}
