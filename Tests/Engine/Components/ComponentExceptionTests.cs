using WasmJit.Components;
using Xunit;

namespace WasmJit.Tests;

/// <summary>Exceptions that a component does not catch: where they would leave it they are traps, for every kind of caller.</summary>
public sealed class ComponentExceptionTests
{
    /// <summary>A component that throws: in a function, in its <c>realloc</c>, behind its return, in a destructor.</summary>
    private const string Thrower =
        """
        (component $Thrower
          (core module $M
            (tag $t (param i32)) (memory (export "mem") 1)
            (func (export "throw") (param i32) (result i32) (throw $t (local.get 0)))
            (func (export "realloc") (param i32 i32 i32 i32) (result i32) (throw $t (i32.const 1)))
            (func (export "take") (param i32 i32) (result i32) (i32.const 5))
            (func (export "same") (param i32) (result i32) (local.get 0))
            (func (export "post") (param i32) (throw $t (i32.const 2)))
            (func (export "drop") (param i32) (throw $t (i32.const 3)))
            (func (export "caught") (param i32) (result i32) (block $h (result i32) (try_table (result i32) (catch $t $h) (throw $t (local.get 0))))))
          (core instance $m (instantiate $M))
          (type $R (resource (rep i32) (dtor (core func $m "drop"))))
          (export $R' "r" (type $R))
          (canon resource.new $R (core func $new))
          (func (export "make") (param "x" u32) (result (own $R')) (canon lift (core func $new)))
          (func (export "throw") (param "x" u32) (result u32) (canon lift (core func $m "throw")))
          (func (export "take") (param "x" string) (result u32) (canon lift (core func $m "take") (memory (core memory $m "mem")) (realloc (core func $m "realloc"))))
          (func (export "post") (param "x" u32) (result u32) (canon lift (core func $m "same") (post-return (core func $m "post"))))
          (func (export "caught") (param "x" u32) (result u32) (canon lift (core func $m "caught"))))
        """;

    private static ComponentInstance Instantiate(string text) => new Engine().CompileComponent(Wat.ToBinary(text)).Instantiate();

    private static void IsTrap(Func<object?> call)
    {
        TrapException trap = Assert.Throws<TrapException>(call);
        Assert.Equal(TrapKind.ComponentModel, trap.Kind);
        Assert.Contains("uncaught exception propagated out of component", trap.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void HostsSeeATrap()
    {
        Assert.Equal(7u, Instantiate(Thrower).GetFunction("caught").Call(ComponentValue.From(7u)).AsU32());
        IsTrap(() => Instantiate(Thrower).GetFunction("throw").Call(ComponentValue.From(7u)));
        IsTrap(() => Instantiate(Thrower).GetFunction("take").Call(ComponentValue.From("x")));
        IsTrap(() => Instantiate(Thrower).GetFunction("post").Call(ComponentValue.From(7u)));
    }

    /// <summary>The caller's <c>catch_all</c> catches no trap.</summary>
    [Theory]
    [InlineData("throw")]
    [InlineData("take")]
    [InlineData("post")]
    [InlineData("drop")]
    public void CallersCannotCatchIt(string what) => IsTrap(() => Instantiate($"""
        (component
          {Thrower}
          (component $Caller
            (import "i" (instance $i
              (export "r" (type $r (sub resource)))
              (export "make" (func (param "x" u32) (result (own $r))))
              (export "throw" (func (param "x" u32) (result u32)))
              (export "take" (func (param "x" string) (result u32)))
              (export "post" (func (param "x" u32) (result u32)))))
            (alias export $i "r" (type $r))
            (core module $Mem (memory (export "mem") 1))
            (core instance $mem (instantiate $Mem))
            (core func $make (canon lower (func $i "make")))
            (core func $throw (canon lower (func $i "throw")))
            (core func $take (canon lower (func $i "take") (memory (core memory $mem "mem"))))
            (core func $post (canon lower (func $i "post")))
            (core func $drop (canon resource.drop $r))
            (core module $M
              (import "" "make" (func $make (param i32) (result i32))) (import "" "drop" (func $drop (param i32)))
              (import "" "throw" (func $throw (param i32) (result i32))) (import "" "post" (func $post (param i32) (result i32)))
              (import "" "take" (func $take (param i32 i32) (result i32)))
              (func (export "throw") (result i32) (block $h (try_table (catch_all $h) (return (call $throw (i32.const 1))))) (i32.const 99))
              (func (export "take") (result i32) (block $h (try_table (catch_all $h) (return (call $take (i32.const 0) (i32.const 1))))) (i32.const 99))
              (func (export "post") (result i32) (block $h (try_table (catch_all $h) (return (call $post (i32.const 1))))) (i32.const 99))
              (func (export "drop") (result i32) (block $h (try_table (catch_all $h) (call $drop (call $make (i32.const 1))))) (i32.const 99)))
            (core instance $m (instantiate $M (with "" (instance
              (export "make" (func $make)) (export "throw" (func $throw)) (export "take" (func $take)) (export "post" (func $post)) (export "drop" (func $drop))))))
            (func (export "throw") (result u32) (canon lift (core func $m "throw")))
            (func (export "take") (result u32) (canon lift (core func $m "take")))
            (func (export "post") (result u32) (canon lift (core func $m "post")))
            (func (export "drop") (result u32) (canon lift (core func $m "drop"))))
          (instance $t (instantiate $Thrower))
          (instance $c (instantiate $Caller (with "i" (instance $t))))
          (export "throw" (func $c "throw")) (export "take" (func $c "take")) (export "post" (func $c "post")) (export "drop" (func $c "drop")))
        """).GetFunction(what).Call());
}
