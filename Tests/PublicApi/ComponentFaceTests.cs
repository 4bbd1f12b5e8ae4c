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
}
