using WasmJit.Components;
using Xunit;

namespace WasmJit.Tests.PublicApi;

/// <summary>Strings and lists of numbers through calls: from the host and back, and from component to component, of all lengths that are copied differently.</summary>
public sealed class ComponentStringTests
{
    private const string Memory = """
        (memory (export "mem") 1)
        (global $next (mut i32) (i32.const 4096))
        (global $calls (mut i32) (i32.const 0))
        (func (export "realloc") (param i32 i32 i32) (param $size i32) (result i32)
          (local $at i32)
          (local.set $at (i32.and (i32.add (global.get $next) (i32.const 7)) (i32.const -8)))
          (global.set $next (i32.add (local.get $at) (local.get $size)))
          (if (i32.gt_u (global.get $next) (i32.shl (memory.size) (i32.const 16)))
            (then (drop (memory.grow (i32.add (i32.shr_u (local.get $size) (i32.const 16)) (i32.const 1))))))
          (local.get $at))
        (func (export "after") (param i32) (global.set $next (i32.const 4096)) (global.set $calls (i32.add (global.get $calls) (i32.const 1))))
        (func (export "calls") (result i32) (global.get $calls))
        """;

    /// <summary>A function gives what it gets.</summary>
    private static readonly string Echo = $$"""
        (component $Echo
          (core module $M
            {{Memory}}
            (func (export "echo") (param i32 i32) (result i32)
              (i32.store (i32.const 16) (local.get 0)) (i32.store (i32.const 20) (local.get 1)) (i32.const 16)))
          (core instance $m (instantiate $M))
          (func (export "text") (param "a" string) (result string) (canon lift (core func $m "echo")
            (memory (core memory $m "mem")) (realloc (core func $m "realloc")) (post-return (core func $m "after"))))
          (func (export "bytes") (param "a" (list u8)) (result (list u8)) (canon lift (core func $m "echo")
            (memory (core memory $m "mem")) (realloc (core func $m "realloc")) (post-return (core func $m "after"))))
          (func (export "doubles") (param "a" (list f64)) (result (list f64)) (canon lift (core func $m "echo")
            (memory (core memory $m "mem")) (realloc (core func $m "realloc")) (post-return (core func $m "after"))))
          (func (export "calls") (result u32) (canon lift (core func $m "calls"))))
        """;

    /// <summary>A component that passes a string on to the other, or one of its own with a byte in it that is given.</summary>
    private static readonly string Relay = $$"""
        (component
          {{Echo}}
          (instance $echo (instantiate $Echo))
          (component $Relay
            (import "text" (func $text (param "a" string) (result string)))
            (core module $Libc {{Memory}})
            (core instance $libc (instantiate $Libc))
            (core func $text' (canon lower (func $text) (memory (core memory $libc "mem")) (realloc (core func $libc "realloc"))))
            (core module $M
              (import "" "mem" (memory 1))
              (import "" "text" (func $text (param i32 i32 i32)))
              (func (export "text") (param i32 i32) (result i32) (call $text (local.get 0) (local.get 1) (i32.const 16)) (i32.const 16))
              (func (export "broken") (param $at i32) (param $length i32) (param $byte i32) (result i32)
                (memory.fill (i32.const 8192) (i32.const 97) (local.get $length))
                (i32.store8 (i32.add (i32.const 8192) (local.get $at)) (local.get $byte))
                (call $text (i32.const 8192) (local.get $length) (i32.const 16))
                (i32.const 16)))
            (core instance $m (instantiate $M (with "" (instance (export "mem" (memory $libc "mem")) (export "text" (func $text'))))))
            (func (export "text") (param "a" string) (result string) (canon lift (core func $m "text")
              (memory (core memory $libc "mem")) (realloc (core func $libc "realloc")) (post-return (core func $libc "after"))))
            (func (export "broken") (param "at" u32) (param "length" u32) (param "byte" u32) (result string) (canon lift (core func $m "broken")
              (memory (core memory $libc "mem")) (realloc (core func $libc "realloc")) (post-return (core func $libc "after")))))
          (instance $relay (instantiate $Relay (with "text" (func $echo "text"))))
          (export "text" (func $relay "text"))
          (export "broken" (func $relay "broken"))
          (export "calls" (func $echo "calls")))
        """;

    public static TheoryData<MemoryChecks, int> Engines() => new()
    {
        { MemoryChecks.Guard, 0 },
        { MemoryChecks.Explicit, 0 },
        { MemoryChecks.Guard, 1 << 20 },
    };

    private static ComponentInstance Make(string text, MemoryChecks checks = MemoryChecks.Guard, int stack = 0) =>
        new Engine(new EngineOptions { MemoryChecks = checks, MaximumStack = stack == 0 ? null : stack }).CompileComponent(Wat.ToBinary(text)).Instantiate();

    /// <summary>Around each length at which something else copies; ASCII alone, and with others at the beginning, in the middle and at the end.</summary>
    private static IEnumerable<string> Samples()
    {
        foreach (int length in new[] { 0, 1, 3, 4, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128, 129, 159, 160, 161, 255, 256, 257, 1000, 70_000 })
        {
            string text = string.Create(length, 0, static (chars, _) =>
            {
                for (int i = 0; i < chars.Length; i++) chars[i] = (char)('!' + (i % 90));
            });
            yield return text;
            if (length == 0) continue;
            foreach (string other in new[] { "\u00e4", "\u20ac", "\U0001f600", "\0", "\u007f" })
            {
                yield return other + text[1..];
                yield return text[..(length / 2)] + other + text[((length / 2) + 1)..];
                yield return text[..^1] + other;
            }
        }
    }

    [Theory]
    [MemberData(nameof(Engines))]
    public void StringsComeBackAsTheyWere(MemoryChecks checks, int stack)
    {
        using ComponentInstance echo = Make(Echo, checks, stack), relay = Make(Relay, checks, stack);
        var one = echo.GetFunction<Func<string, string>>("text");
        var two = relay.GetFunction<Func<string, string>>("text");
        uint count = 0;
        foreach (string text in Samples())
        {
            Assert.Equal(text, one(text));
            Assert.Equal(text, two(text));
            Assert.Equal(text, relay.GetFunction("text").Call(ComponentValue.From(text)).AsString());
            count++;
        }
        Assert.Equal(count, echo.GetFunction<Func<uint>>("calls")());
        Assert.Equal(2 * count, relay.GetFunction<Func<uint>>("calls")());
    }

    [Theory]
    [MemberData(nameof(Engines))]
    public void ListsComeBackAsTheyWere(MemoryChecks checks, int stack)
    {
        using ComponentInstance echo = Make(Echo, checks, stack);
        var bytes = echo.GetFunction<Func<byte[], byte[]>>("bytes");
        var doubles = echo.GetFunction<Func<double[], double[]>>("doubles");
        foreach (int length in new[] { 0, 1, 5, 100, 9000 })
        {
            byte[] some = [.. Enumerable.Range(0, length).Select(i => (byte)i)];
            Assert.Equal(some, bytes(some));
            double[] numbers = [.. some.Select(b => b / 3.0)];
            Assert.Equal(numbers, doubles(numbers));
        }
        Assert.Throws<ArgumentNullException>(() => bytes(null!));
        Assert.Equal([1, 2], bytes([1, 2]));
        Assert.Equal(11u, echo.GetFunction<Func<uint>>("calls")());
    }

    /// <summary>Bytes that are no UTF-8, at each place of strings of each length that is copied differently, in calls that are fused and in the first one.</summary>
    [Fact]
    public void WhatIsNoTextIsATrap()
    {
        foreach (int length in new[] { 1, 5, 8, 13, 16, 29, 32, 47, 160, 300 })
        {
            foreach (int at in new[] { 0, length / 2, length - 1 })
            {
                foreach (bool isFused in new[] { false, true })
                {
                    using ComponentInstance relay = Make(Relay);
                    var broken = relay.GetFunction<Func<uint, uint, uint, string>>("broken");
                    for (int i = 0; i < (isFused ? 20 : 0); i++) Assert.Equal(new string('a', length), broken((uint)at, (uint)length, 'a'));
                    TrapException trap = Assert.Throws<TrapException>(() => broken((uint)at, (uint)length, 0xff));
                    Assert.Equal(TrapKind.ComponentModel, trap.Kind);
                    Assert.Contains("utf-8", trap.Message, StringComparison.Ordinal);
                    // It is not entered again.
                    Assert.Throws<TrapException>(() => broken((uint)at, (uint)length, 'a'));
                }
            }
        }
    }

    /// <summary>The host's mistakes are no trap: the guest has not run, and can be called.</summary>
    [Theory]
    [MemberData(nameof(Engines))]
    public void MistakesOfTheHostLeaveTheInstanceAsItWas(MemoryChecks checks, int stack)
    {
        using ComponentInstance echo = Make(Echo, checks, stack);
        var text = echo.GetFunction<Func<string, string>>("text");
        Assert.Throws<ArgumentNullException>(() => text(null!));
        Assert.Throws<ArgumentException>(() => text("half \ud83d of a pair"));
        Assert.Throws<ArgumentException>(() => text(new string('x', 300) + "\ude00"));
        Assert.Equal("fine", text("fine"));
    }

    /// <summary>What a realloc may do wrong, in calls by the host.</summary>
    [Theory]
    [InlineData("(i32.const 65530)", TrapKind.ComponentModel, "realloc return: beyond end of memory")]
    [InlineData("(unreachable)", TrapKind.Unreachable, null)]
    [InlineData("(i32.load (i32.const -1))", TrapKind.OutOfBoundsMemoryAccess, null)]
    [InlineData("(i32.div_u (i32.const 1) (i32.const 0))", TrapKind.IntegerDivideByZero, null)]
    [InlineData("(throw $e)", TrapKind.ComponentModel, "uncaught exception")]
    [InlineData("(call $f (local.get 0) (local.get 1) (local.get 2) (local.get 3))", TrapKind.CallStackExhausted, null)]
    public void AReallocThatFailsIsATrap(string body, TrapKind kind, string? reason)
    {
        string text = $"""
            (component
              (core module $M
                (memory (export "mem") 1)
                (tag $e)
                (func $f (export "realloc") (param i32 i32 i32 i32) (result i32) {body})
                (func (export "take") (param i32 i32)))
              (core instance $m (instantiate $M))
              (func (export "take") (param "a" string) (canon lift (core func $m "take") (memory (core memory $m "mem")) (realloc (core func $m "realloc")))))
            """;
        foreach ((MemoryChecks checks, int stack) in new[] { (MemoryChecks.Guard, 0), (MemoryChecks.Explicit, 0), (MemoryChecks.Guard, 1 << 20) })
        {
            using ComponentInstance instance = Make(text, checks, stack);
            var take = instance.GetFunction<Action<string>>("take");
            TrapException trap = Assert.Throws<TrapException>(() => take("ten chars."));
            Assert.Equal(kind, trap.Kind);
            if (reason is not null) Assert.Contains(reason, trap.Message, StringComparison.Ordinal);
            Assert.Contains("cannot enter", Assert.Throws<TrapException>(() => take("x")).Message, StringComparison.Ordinal);
        }
    }

    /// <summary>The function's own faults, where the same entry is around realloc and function.</summary>
    [Fact]
    public void AFunctionThatFailsIsATrap()
    {
        foreach ((string body, TrapKind kind) in new[] { ("(throw $e)", TrapKind.ComponentModel), ("(drop (i32.load (i32.const -8)))", TrapKind.OutOfBoundsMemoryAccess), ("unreachable", TrapKind.Unreachable) })
        {
            using ComponentInstance instance = Make($"""
                (component
                  (core module $M
                    (memory (export "mem") 1)
                    (tag $e)
                    (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 64))
                    (func (export "take") (param i32 i32) {body}))
                  (core instance $m (instantiate $M))
                  (func (export "take") (param "a" string) (canon lift (core func $m "take") (memory (core memory $m "mem")) (realloc (core func $m "realloc")))))
                """);
            Assert.Equal(kind, Assert.Throws<TrapException>(() => instance.GetFunction<Action<string>>("take")("text")).Kind);
        }
    }

    /// <summary>A result that lies beyond the memory, or is no text.</summary>
    [Theory]
    [InlineData("(i32.const 65532)", "pointer out of bounds of memory")]
    [InlineData("(i32.const 2)", "unaligned pointer")]
    [InlineData("(i32.store (i32.const 16) (i32.const 65000)) (i32.store (i32.const 20) (i32.const 1000)) (i32.const 16)", "string pointer/length out of bounds of memory")]
    [InlineData("(i32.store (i32.const 16) (i32.const 32)) (i32.store (i32.const 20) (i32.const 3)) (i32.store (i32.const 32) (i32.const 0x80)) (i32.const 16)", "invalid utf-8")]
    public void ResultsAreChecked(string body, string reason)
    {
        using ComponentInstance instance = Make($"""
            (component
              (core module $M
                (memory (export "mem") 1)
                (func (export "give") (result i32) {body}))
              (core instance $m (instantiate $M))
              (func (export "give") (result string) (canon lift (core func $m "give") (memory (core memory $m "mem")))))
            """);
        TrapException trap = Assert.Throws<TrapException>(() => instance.GetFunction<Func<string>>("give")());
        Assert.Contains(reason, trap.Message, StringComparison.Ordinal);
    }
}
