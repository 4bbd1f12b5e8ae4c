using WasmJit.Components;
using Xunit;

namespace WasmJit.Tests.PublicApi;

/// <summary>
/// Objects of the host that it has made for a guest, and that the guest does not take: only the library can drop them. A guest that never takes any must not make
/// the host keep them.
/// </summary>
public sealed class ComponentLeftTests
{
    private static readonly Lazy<WasmComponent> Component = new(() => new Engine().CompileComponent(Wat.ToBinary("""
        (component
          (import "thing" (type $thing (sub resource)))
          (import "make" (func $make async (result (own $thing))))
          (import "give" (func $give (result (tuple (own $thing) (own $thing)))))
          (import "promise" (func $promise (result (future (own $thing)))))
          (import "many" (func $many (result (stream (own $thing)))))
          (type $future (future (own $thing)))
          (type $stream (stream (own $thing)))
          (core module $Libc (memory (export "mem") 1))
          (core instance $libc (instantiate $Libc))
          (core func $make (canon lower (func $make) async (memory (core memory $libc "mem"))))
          (core func $cancel (canon subtask.cancel))
          (core func $drop (canon subtask.drop))
          (core func $give (canon lower (func $give) (memory (core memory $libc "mem"))))
          (core func $promise (canon lower (func $promise)))
          (core func $drop-promise (canon future.drop-readable $future))
          (core func $many (canon lower (func $many)))
          (core func $read (canon stream.read $stream async (memory (core memory $libc "mem"))))
          (core func $drop-many (canon stream.drop-readable $stream))
          (core module $Main
            (import "" "make" (func $make (param i32) (result i32)))
            (import "" "cancel" (func $cancel (param i32) (result i32)))
            (import "" "drop" (func $drop (param i32)))
            (import "" "give" (func $give (param i32)))
            (import "" "promise" (func $promise (result i32)))
            (import "" "drop-promise" (func $drop-promise (param i32)))
            (import "" "many" (func $many (result i32)))
            (import "" "read" (func $read (param i32 i32 i32) (result i32)))
            (import "" "drop-many" (func $drop-many (param i32)))
            (func (export "begin") (drop (call $make (i32.const 64))))
            (func (export "cancel") (local $task i32)
              (local.set $task (i32.shr_u (call $make (i32.const 64)) (i32.const 4)))
              (drop (call $cancel (local.get $task)))
              (call $drop (local.get $task)))
            (func (export "misplace") (call $give (i32.const -8)))
            (func (export "promise") (call $drop-promise (call $promise)))
            (func (export "read") (drop (call $read (call $many) (i32.const 64) (i32.const 1))))
            (func (export "many") (call $drop-many (call $many))))
          (core instance $main (instantiate $Main (with "" (instance
            (export "make" (func $make)) (export "cancel" (func $cancel)) (export "drop" (func $drop)) (export "give" (func $give)) (export "promise" (func $promise))
            (export "drop-promise" (func $drop-promise)) (export "many" (func $many)) (export "read" (func $read)) (export "drop-many" (func $drop-many))))))
          (func (export "begin") (canon lift (core func $main "begin")))
          (func (export "cancel") (canon lift (core func $main "cancel")))
          (func (export "misplace") (canon lift (core func $main "misplace")))
          (func (export "promise") (canon lift (core func $main "promise")))
          (func (export "read") (canon lift (core func $main "read")))
          (func (export "many") (canon lift (core func $main "many"))))
        """)));

    private sealed class Thing : IDisposable
    {
        internal bool IsDisposed { get; private set; }

        public void Dispose() => IsDisposed = true;
    }

    private readonly HostResourceType type = new("thing");
    private readonly List<Thing> made = [];
    private readonly TaskCompletionSource<ComponentResource> later = new();

    private ComponentResource Make()
    {
        made.Add(new Thing());
        return type.New(made[^1]);
    }

    private async IAsyncEnumerable<ComponentResource> Many()
    {
        yield return await later.Task.ConfigureAwait(false);
        yield return Make();
    }

    private ComponentInstance Instance() => Component.Value.Instantiate(new ComponentHost
    {
        { "thing", type },
        { "make", () => later.Task },
        { "give", () => (Make(), Make()) },
        { "promise", () => later.Task },
        { "many", Many },
    });

    private void AllIsDropped(int count)
    {
        // What goes on behind an await does so on a thread of the pool.
        Eventually.Holds(() => made.TrueForAll(t => t.IsDisposed) && type.Count == 0);
        Assert.Equal(count, made.Count);
        Assert.All(made, t => Assert.True(t.IsDisposed));
        Assert.Equal(0, type.Count);
    }

    [Fact]
    public void TheResultOfACallThatWasCancelled()
    {
        using ComponentInstance instance = Instance();
        instance.GetFunction<Action>("cancel")();
        later.SetResult(Make());
        AllIsDropped(1);
    }

    /// <summary>An import and an export of the same type, and both with the same delegate type: what discards results of the one does not stand in for calls of the other.</summary>
    [Fact]
    public async Task AnExportOfTheSameTypeIsCalledAllTheSame()
    {
        var number = new TaskCompletionSource<uint>();
        WasmComponent component = new Engine().CompileComponent(Wat.ToBinary("""
            (component
              (type $make (func async (result u32)))
              (import "make" (func $make (type $make)))
              (core module $Libc (memory (export "mem") 1))
              (core instance $libc (instantiate $Libc))
              (core func $make' (canon lower (func $make) async (memory (core memory $libc "mem"))))
              (core func $cancel (canon subtask.cancel))
              (core func $drop (canon subtask.drop))
              (core module $Main
                (import "" "make" (func $make (param i32) (result i32)))
                (import "" "cancel" (func $cancel (param i32) (result i32)))
                (import "" "drop" (func $drop (param i32)))
                (func (export "cancel") (local $task i32)
                  (local.set $task (i32.shr_u (call $make (i32.const 64)) (i32.const 4)))
                  (drop (call $cancel (local.get $task)))
                  (call $drop (local.get $task)))
                (func (export "own") (result i32) (i32.const 7)))
              (core instance $main (instantiate $Main (with "" (instance
                (export "make" (func $make')) (export "cancel" (func $cancel)) (export "drop" (func $drop))))))
              (func (export "cancel") (canon lift (core func $main "cancel")))
              (func (export "own") (type $make) (canon lift (core func $main "own"))))
            """));
        using ComponentInstance instance = component.Instantiate(new ComponentHost { { "make", () => number.Task } });
        instance.GetFunction<Action>("cancel")();
        number.SetResult(1);
        Assert.Equal(7u, await instance.GetFunction<Func<Task<uint>>>("own")());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void TheResultOfACallWhoseGuestIsGone(bool endsFirst)
    {
        ComponentInstance instance = Instance();
        instance.GetFunction<Action>("begin")();
        if (endsFirst) later.SetResult(Make());
        instance.Dispose();
        if (!endsFirst) later.SetResult(Make());
        AllIsDropped(1);
    }

    [Fact]
    public void AResultThatCannotBeGiven()
    {
        using ComponentInstance instance = Instance();
        Assert.Throws<TrapException>(() => instance.GetFunction<Action>("misplace")());
        AllIsDropped(2);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void TheValueOfAFutureThatWasDropped(bool endsFirst)
    {
        using ComponentInstance instance = Instance();
        if (endsFirst) later.SetResult(Make());
        instance.GetFunction<Action>("promise")();
        if (!endsFirst) later.SetResult(Make());
        AllIsDropped(1);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void AnElementThatAGuestWaitsForWhenItEnds(bool endsFirst)
    {
        ComponentInstance instance = Instance();
        instance.GetFunction<Action>("read")();
        if (endsFirst) later.SetResult(Make());
        instance.Dispose();
        if (!endsFirst) later.SetResult(Make());
        AllIsDropped(1);
    }

    // ---- values of the host's own types ----

    public sealed record Pair(ComponentResource First, ComponentResource[] Rest, uint Number);

    public abstract record Choice
    {
        public sealed record Two(Pair Pair) : Choice;

        public sealed record Maybe(ComponentResource? Thing) : Choice;

        public sealed record Nothing : Choice;
    }

    private static readonly Lazy<WasmComponent> Records = new(() => new Engine().CompileComponent(Wat.ToBinary("""
        (component
          (import "thing" (type $thing (sub resource)))
          (type $pair' (record (field "first" (own $thing)) (field "rest" (list (own $thing))) (field "number" u32)))
          (import "pair" (type $pair (eq $pair')))
          (type $choice' (variant (case "two" $pair) (case "maybe" (option (own $thing))) (case "nothing")))
          (import "choice" (type $choice (eq $choice')))
          (import "make" (func $make async (result $choice)))
          (import "give" (func $give (result (tuple (list $choice) (result $pair)))))
          (import "promise" (func $promise (result (future $choice))))
          (import "both" (func $both (result (tuple (future $pair) (stream $choice)))))
          (type $future (future $choice))
          (core module $Libc (memory (export "mem") 1)
            (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024)))
          (core instance $libc (instantiate $Libc))
          (core func $make (canon lower (func $make) async (memory (core memory $libc "mem")) (realloc (core func $libc "realloc"))))
          (core func $cancel (canon subtask.cancel))
          (core func $drop (canon subtask.drop))
          (core func $give (canon lower (func $give) (memory (core memory $libc "mem")) (realloc (core func $libc "realloc"))))
          (core func $promise (canon lower (func $promise)))
          (core func $drop-promise (canon future.drop-readable $future))
          (core func $both (canon lower (func $both) (memory (core memory $libc "mem"))))
          (core module $Main
            (import "" "make" (func $make (param i32) (result i32)))
            (import "" "cancel" (func $cancel (param i32) (result i32)))
            (import "" "drop" (func $drop (param i32)))
            (import "" "give" (func $give (param i32)))
            (import "" "promise" (func $promise (result i32)))
            (import "" "drop-promise" (func $drop-promise (param i32)))
            (import "" "both" (func $both (param i32)))
            (func (export "cancel") (local $task i32)
              (local.set $task (i32.shr_u (call $make (i32.const 64)) (i32.const 4)))
              (drop (call $cancel (local.get $task)))
              (call $drop (local.get $task)))
            (func (export "misplace") (call $give (i32.const -8)))
            (func (export "misplace-both") (call $both (i32.const -8)))
            (func (export "promise") (call $drop-promise (call $promise))))
          (core instance $main (instantiate $Main (with "" (instance
            (export "make" (func $make)) (export "cancel" (func $cancel)) (export "drop" (func $drop)) (export "give" (func $give)) (export "promise" (func $promise))
            (export "drop-promise" (func $drop-promise)) (export "both" (func $both))))))
          (func (export "cancel") (canon lift (core func $main "cancel")))
          (func (export "misplace") (canon lift (core func $main "misplace")))
          (func (export "misplace-both") (canon lift (core func $main "misplace-both")))
          (func (export "promise") (canon lift (core func $main "promise"))))
        """)));

    private readonly TaskCompletionSource<Choice> chosen = new();
    private readonly TaskCompletionSource<Pair> paired = new();

    private Pair MakePair() => new(Make(), [Make(), Make()], 3);

    private async IAsyncEnumerable<Choice> Choices()
    {
        await Task.CompletedTask.ConfigureAwait(false);
        yield return new Choice.Maybe(Make());
    }

    private ComponentInstance RecordInstance() => Records.Value.Instantiate(new ComponentHost
    {
        { "thing", type },
        { "make", () => chosen.Task },
        { "give", () => ((Choice[])[new Choice.Two(MakePair()), new Choice.Maybe(Make()), new Choice.Maybe(null), new Choice.Nothing()], (ComponentResult<Pair, NoValue>)MakePair()) },
        { "promise", () => chosen.Task },
        { "both", () => (paired.Task, Choices()) },
    });

    /// <summary>What is in them is dropped as what is in a tuple.</summary>
    [Fact]
    public void RecordsAndVariantsThatCannotBeGiven()
    {
        using ComponentInstance instance = RecordInstance();
        Assert.Throws<TrapException>(() => instance.GetFunction<Action>("misplace")());
        AllIsDropped(7);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void AVariantOfACallThatWasCancelled(bool isPair)
    {
        using ComponentInstance instance = RecordInstance();
        instance.GetFunction<Action>("cancel")();
        chosen.SetResult(isPair ? new Choice.Two(MakePair()) : new Choice.Maybe(Make()));
        AllIsDropped(isPair ? 3 : 1);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void AVariantOfAFutureThatWasDropped(bool endsFirst)
    {
        using ComponentInstance instance = RecordInstance();
        if (endsFirst) chosen.SetResult(new Choice.Two(MakePair()));
        instance.GetFunction<Action>("promise")();
        if (!endsFirst) chosen.SetResult(new Choice.Two(MakePair()));
        AllIsDropped(3);
    }

    /// <summary>A future that cannot be given is dropped when it is there: it is not an error that it is not.</summary>
    [Fact]
    public void AFutureThatCannotBeGiven()
    {
        using ComponentInstance instance = RecordInstance();
        TrapException trap = Assert.Throws<TrapException>(() => instance.GetFunction<Action>("misplace-both")());
        Assert.Contains("out of bounds", trap.Message, StringComparison.Ordinal);
        paired.SetResult(MakePair());
        AllIsDropped(3);
    }

    [Fact]
    public void AStreamThatNobodyReadsIsNotAsked()
    {
        using ComponentInstance instance = Instance();
        instance.GetFunction<Action>("many")();
        AllIsDropped(0);
    }
}
