using WasmJit.Components;
using Xunit;

namespace WasmJit.Tests.PublicApi;

/// <summary>Components as C# interfaces, and results as exceptions.</summary>
public sealed class ComponentFaceTests
{
    private const string Libc = """
        (core module $Libc
          (memory (export "mem") 1)
          (global $next (mut i32) (i32.const 4096))
          (func (export "realloc") (param i32 i32 i32 i32) (result i32)
            (global.get $next)
            (global.set $next (i32.add (global.get $next) (i32.and (i32.add (local.get 3) (i32.const 7)) (i32.const -8))))))
        (core instance $libc (instantiate $Libc))
        """;

    private const string Options = "(memory (core memory $libc \"mem\")) (realloc (core func $libc \"realloc\"))";

    /// <summary>Functions on numbers, text, bytes, a record and a result; an interface with a resource.</summary>
    private const string Text = $"""
        (component
          {Libc}
          (core module $M
            (import "" "mem" (memory 1))
            (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
            (func (export "echo") (param i32 i32) (result i32)
              (i32.store (i32.const 16) (local.get 0)) (i32.store (i32.const 20) (local.get 1)) (i32.const 16))
            (func (export "sum") (param i32 i32) (result i32) (local $s i32)
              (block $end (loop $l
                (br_if $end (i32.eqz (local.get 1)))
                (local.set $s (i32.add (local.get $s) (i32.load8_u (local.get 0))))
                (local.set 0 (i32.add (local.get 0) (i32.const 1)))
                (local.set 1 (i32.sub (local.get 1) (i32.const 1)))
                (br $l)))
              (local.get $s))
            (func (export "half") (param i32) (result i32)
              (i32.store8 (i32.const 32) (i32.and (local.get 0) (i32.const 1)))
              (i32.store (i32.const 36) (i32.shr_u (local.get 0) (i32.const 1)))
              (if (i32.and (local.get 0) (i32.const 1)) (then (i32.store (i32.const 36) (local.get 0))))
              (i32.const 32))
            (func (export "check") (param i32) (result i32) (i32.eqz (local.get 0))))
          (core instance $m (instantiate $M (with "" (instance (export "mem" (memory $libc "mem"))))))
          (func (export "add-numbers") (param "a" s32) (param "b" s32) (result s32) (canon lift (core func $m "add")))
          (func (export "echo") (param "t" string) (result string) (canon lift (core func $m "echo") {Options}))
          (func (export "sum") (param "b" (list u8)) (result u32) (canon lift (core func $m "sum") {Options}))
          (func (export "half") (param "n" u32) (result (result u32 (error u32))) (canon lift (core func $m "half") {Options}))
          (func (export "check") (param "n" u32) (result (result)) (canon lift (core func $m "check") {Options}))
          {Counters})
        """;

    private const string Counters = """
        (core module $State
          (global $dropped (mut i32) (i32.const 0))
          (func (export "drop") (param i32) (global.set $dropped (i32.add (global.get $dropped) (i32.const 1))))
          (func (export "dropped") (result i32) (global.get $dropped)))
        (core instance $state (instantiate $State))
        (type $counter' (resource (rep i32) (dtor (core func $state "drop"))))
        (core func $new (canon resource.new $counter'))
        (core func $rep (canon resource.rep $counter'))
        (core module $C
          (import "" "new" (func $new (param i32) (result i32)))
          (import "" "rep" (func $rep (param i32) (result i32)))
          (func (export "new") (param i32) (result i32) (call $new (local.get 0)))
          (func (export "get") (param i32) (result i32) (local.get 0))
          (func (export "plus") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
          (func (export "both") (param i32 i32) (result i32) (call $new (i32.add (call $rep (local.get 0)) (local.get 1)))))
        (core instance $c (instantiate $C (with "" (instance (export "new" (func $new)) (export "rep" (func $rep))))))
        (func $make (param "start" u32) (result (own $counter')) (canon lift (core func $c "new")))
        (func $get (param "self" (borrow $counter')) (result u32) (canon lift (core func $c "get")))
        (func $plus (param "self" (borrow $counter')) (param "n" u32) (result u32) (canon lift (core func $c "plus")))
        (func $both (param "a" (own $counter')) (param "b" (borrow $counter')) (result (own $counter')) (canon lift (core func $c "both")))
        (func $dropped (result u32) (canon lift (core func $state "dropped")))
        (component $Export
          (import "import-type-counter" (type $counter (sub resource)))
          (import "make" (func $make (param "start" u32) (result (own $counter))))
          (import "get" (func $get (param "self" (borrow $counter)) (result u32)))
          (import "plus" (func $plus (param "self" (borrow $counter)) (param "n" u32) (result u32)))
          (import "both" (func $both (param "a" (own $counter)) (param "b" (borrow $counter)) (result (own $counter))))
          (import "dropped" (func $dropped (result u32)))
          (export $counter'' "counter" (type $counter))
          (export "[constructor]counter" (func $make) (func (param "start" u32) (result (own $counter''))))
          (export "[method]counter.get" (func $get) (func (param "self" (borrow $counter'')) (result u32)))
          (export "[method]counter.plus-some" (func $plus) (func (param "self" (borrow $counter'')) (param "n" u32) (result u32)))
          (export "[static]counter.both" (func $both) (func (param "a" (own $counter'')) (param "b" (borrow $counter'')) (result (own $counter''))))
          (export "dropped" (func $dropped)))
        (instance $counters (instantiate $Export
          (with "import-type-counter" (type $counter')) (with "make" (func $make)) (with "get" (func $get)) (with "plus" (func $plus))
          (with "both" (func $both)) (with "dropped" (func $dropped))))
        (export "test:app/counters@1.0.0" (instance $counters))
        """;

    private static readonly WasmComponent Component = new Engine().CompileComponent(Wat.ToBinary(Text));

    public interface ICounter : IDisposable
    {
        uint Get();

        uint PlusSome(uint n);
    }

    public interface ICounters
    {
        ICounter NewCounter(uint start);

        ICounter CounterBoth(ICounter a, ICounter b);

        uint Dropped();
    }

    public interface IApp : IDisposable
    {
        ICounters Counters { get; }

        int AddNumbers(int a, int b);

        string Echo(string text);

        uint Sum(ReadOnlySpan<byte> bytes);

        [WasmName("sum")]
        uint SumOfArray(byte[] bytes);

        uint Half(uint n);

        [WasmName("half")]
        ComponentResult<uint, uint> TryHalf(uint n);

        [WasmName("half")]
        Task<uint> HalfAsync(uint n);

        void Check(uint n);
    }

    [Fact]
    public void AnInterfaceIsTheFaceOfAComponent()
    {
        IApp kept;
        using (IApp app = Component.Instantiate<IApp>())
        {
            kept = app;
            Assert.Equal(5, app.AddNumbers(2, 3));
            Assert.Equal("h\u00f6", app.Echo("h\u00f6"));
            Assert.Equal(6u, app.Sum([1, 2, 3]));
            Assert.Equal(7u, app.SumOfArray([3, 4]));
            Assert.Equal(4u, app.Half(8));
            app.Check(1);
        }
        Assert.Throws<ObjectDisposedException>(() => kept.AddNumbers(1, 2));
    }

    [Fact]
    public async Task ErrorsAreExceptionsOrResults()
    {
        using IApp app = Component.Instantiate<IApp>();
        Assert.Equal(7u, Assert.Throws<ComponentErrorException>(() => app.Half(7)).Error.AsU32());
        Assert.Equal(4u, app.TryHalf(8).Value);
        Assert.Equal(7u, app.TryHalf(7).Error);
        Assert.Equal(4u, await app.HalfAsync(8));
        Assert.Equal(9u, (await Assert.ThrowsAsync<ComponentErrorException>(() => app.HalfAsync(9))).Error.AsU32());
        Assert.Equal(ComponentValueKind.None, Assert.Throws<ComponentErrorException>(() => app.Check(0)).Error.Kind);
        Assert.Equal(4u, app.Half(8));
    }

    [Fact]
    public void ResourcesAreDisposableObjects()
    {
        using ComponentInstance instance = Component.Instantiate();
        ICounters counters = instance.As<ICounters>();
        ICounter first = counters.NewCounter(40), second = counters.NewCounter(2);
        Assert.Equal(40u, first.Get());
        Assert.Equal(45u, first.PlusSome(5));
        using (ICounter both = counters.CounterBoth(first, second)) Assert.Equal(42u, both.Get());
        Assert.Equal(1u, counters.Dropped());
        // It was given away.
        Assert.Throws<ObjectDisposedException>(() => first.Get());
        second.Dispose();
        second.Dispose();
        Assert.Equal(2u, counters.Dropped());
        Assert.Throws<ObjectDisposedException>(() => second.Get());
        Assert.Equal(3u, instance.As<IApp>().Counters.NewCounter(3).Get());
    }

    public interface IWrong
    {
        int AddNumbers(int a);

        string Echo(int text);

        int Missing();

        uint Half(string n);

        IApp Nowhere { get; }
    }

    [Fact]
    public void AllThatDoesNotFitIsSaidAtOnce()
    {
        using ComponentInstance instance = Component.Instantiate();
        BindingException error = Assert.Throws<BindingException>(instance.As<IWrong>);
        Assert.Equal(5, error.Problems.Count);
        Assert.Contains("AddNumbers: the function \"add-numbers\" does not fit: the function has 2 parameters", error.Message, StringComparison.Ordinal);
        Assert.Contains("Echo: the function \"echo\" does not fit: int is no .NET type for string", error.Message, StringComparison.Ordinal);
        Assert.Contains("Missing: there is no exported function", error.Message, StringComparison.Ordinal);
        Assert.Contains("Nowhere: there is no exported interface \"Nowhere\"", error.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(instance.As<string>);
    }

    // ---- the other way ----

    private const string Importing = $"""
        (component
          (import "env" (instance $env
            (export "thing" (type $thing (sub resource)))
            (export "[constructor]thing" (func (param "n" u32) (result (own $thing))))
            (export "[method]thing.get" (func (param "self" (borrow $thing)) (result u32)))
            (export "[static]thing.join" (func (param "a" (own $thing)) (param "b" (borrow $thing)) (result (own $thing))))
            (export "sum-all" (func (param "b" (list u8)) (result u32)))
            (export "half" (func (param "n" u32) (result (result u32 (error u32)))))
            (export "wait" (func async (param "n" u32) (result u32)))))
          {Libc}
          (alias export $env "thing" (type $thing))
          (core func $new (canon lower (func $env "[constructor]thing")))
          (core func $get (canon lower (func $env "[method]thing.get")))
          (core func $join (canon lower (func $env "[static]thing.join")))
          (core func $drop (canon resource.drop $thing))
          (core func $sum (canon lower (func $env "sum-all") (memory (core memory $libc "mem"))))
          (core func $half (canon lower (func $env "half") (memory (core memory $libc "mem"))))
          (core module $M
            (import "" "mem" (memory 1))
            (import "" "new" (func $new (param i32) (result i32)))
            (import "" "get" (func $get (param i32) (result i32)))
            (import "" "join" (func $join (param i32 i32) (result i32)))
            (import "" "drop" (func $drop (param i32)))
            (import "" "sum" (func $sum (param i32 i32) (result i32)))
            (import "" "half" (func $half (param i32 i32)))
            (data (i32.const 64) "\01\02\03")
            (func (export "things") (result i32) (local $a i32) (local $b i32) (local $r i32)
              (local.set $a (call $new (i32.const 40)))
              (local.set $b (call $new (i32.const 2)))
              (local.set $a (call $join (local.get $a) (local.get $b)))
              (local.set $r (call $get (local.get $a)))
              (call $drop (local.get $a))
              (call $drop (local.get $b))
              (local.get $r))
            (func (export "sum") (result i32) (call $sum (i32.const 64) (i32.const 3)))
            ;; the case, and the value
            (func (export "half") (param i32) (result i32)
              (call $half (local.get 0) (i32.const 32))
              (i32.add (i32.mul (i32.load8_u (i32.const 32)) (i32.const 100)) (i32.load (i32.const 36)))))
          (core instance $m (instantiate $M (with "" (instance
            (export "mem" (memory $libc "mem")) (export "new" (func $new)) (export "get" (func $get)) (export "join" (func $join)) (export "drop" (func $drop))
            (export "sum" (func $sum)) (export "half" (func $half))))))
          (func (export "things") (result u32) (canon lift (core func $m "things")))
          (func (export "sum") (result u32) (canon lift (core func $m "sum")))
          (func (export "half") (param "n" u32) (result u32) (canon lift (core func $m "half"))))
        """;

    public sealed class Thing(uint number) : IDisposable
    {
        internal static List<uint> Disposed { get; } = [];

        public uint Get() => number;

        public static Thing Join(Thing a, Thing b) => new(a.Get() + b.Get());

        public void Dispose() => Disposed.Add(number);
    }

    public sealed class Environs
    {
        public uint SumAll(ReadOnlySpan<byte> bytes)
        {
            uint sum = 0;
            foreach (byte each in bytes) sum += each;
            return sum;
        }

        public uint Half(uint n) => n % 2 == 0 ? n / 2 : throw new ComponentErrorException(ComponentValue.From(n));

        public Task<uint> WaitAsync(uint n) => Task.FromResult(n);
    }

    [Fact]
    public void ObjectsAndClassesAreImports()
    {
        WasmComponent component = new Engine().CompileComponent(Wat.ToBinary(Importing));
        var host = new ComponentHost();
        HostResourceType things = host.Interface("env").AddResource<Thing>("thing");
        host.Interface("env").AddObject(new Environs());
        using ComponentInstance instance = component.Instantiate(host);
        Assert.Equal(42u, instance.GetFunction<Func<uint>>("things")());
        Assert.Equal([42u, 2u], Thing.Disposed);
        Assert.Equal(0, things.Count);
        Assert.Equal(6u, instance.GetFunction<Func<uint>>("sum")());
        var half = instance.GetFunction<Func<uint, uint>>("half");
        Assert.Equal(4u, half(8));
        Assert.Equal(107u, half(7));
        // What is missing or does not fit is said in one message.
        var wrong = new ComponentHost();
        wrong.Interface("env").AddResource<Thing>("thing");
        wrong.Interface("env").AddObject(new object());
        LinkException error = Assert.Throws<LinkException>(() => component.Instantiate(wrong));
        Assert.Contains("\"sum-all\" is missing", error.Message, StringComparison.Ordinal);
        Assert.Contains("\"wait\" is missing", error.Message, StringComparison.Ordinal);
    }
}
