using System.Runtime.CompilerServices;
using WasmJit.Components;
using Xunit;

namespace WasmJit.Tests.PublicApi;

/// <summary>What instances of components leave to those that come after them, and what keeps what.</summary>
public sealed class ComponentLifetimeTests
{
    /// <summary>A component whose memory has so many pages: it sums up what is in it, fills it, and calls the host between a write and a read.</summary>
    private static string Filler(int pages) => $"""
        (component
          (import "pause" (func $pause))
          (core func $pause' (canon lower (func $pause)))
          (core module $M
            (import "" "pause" (func $pause))
            (memory {pages} {pages + 3})
            (func (export "sum") (result i64)
              (local $at i32) (local $sum i64)
              (loop $l
                (local.set $sum (i64.or (local.get $sum) (i64.load (local.get $at))))
                (br_if $l (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 8))) (i32.shl (memory.size) (i32.const 16)))))
              (local.get $sum))
            (func (export "fill") (param $byte i32) (param $grow i32)
              (drop (memory.grow (local.get $grow)))
              (memory.fill (i32.const 0) (local.get $byte) (i32.shl (memory.size) (i32.const 16))))
            (func (export "hold") (param $value i32) (result i32)
              (i32.store (i32.const 4096) (local.get $value))
              (call $pause)
              (i32.load (i32.const 4096))))
          (core instance $m (instantiate $M (with "" (instance (export "pause" (func $pause'))))))
          (func (export "sum") (result u64) (canon lift (core func $m "sum")))
          (func (export "fill") (param "byte" u32) (param "grow" u32) (canon lift (core func $m "fill")))
          (func (export "hold") (param "value" u32) (result u32) (canon lift (core func $m "hold"))))
        """;

    private static ComponentHost Host(Action pause) => new() { { "pause", pause } };

    /// <summary>Pages of one that is gone are another's at once: it finds nothing in them, whatever the two sizes were, and after it has grown.</summary>
    [Theory]
    [InlineData(MemoryChecks.Guard)]
    [InlineData(MemoryChecks.Explicit)]
    public void AnInstanceFindsNothingOfThoseBeforeIt(MemoryChecks checks)
    {
        var engine = new Engine(new EngineOptions { MemoryChecks = checks });
        WasmComponent[] components = [.. new[] { 1, 2, 3, 20 }.Select(pages => engine.CompileComponent(Wat.ToBinary(Filler(pages))))];
        var host = Host(static () => { });
        for (int i = 0; i < 60; i++)
        {
            using ComponentInstance instance = components[i * 7 % components.Length].Instantiate(host);
            var sum = instance.GetFunction<Func<ulong>>("sum");
            Assert.Equal(0u, sum());
            instance.GetFunction<Action<uint, uint>>("fill")(0, (uint)i % 4);
            Assert.Equal(0u, sum());
            instance.GetFunction<Action<uint, uint>>("fill")(0xff, 0);
            Assert.Equal(ulong.MaxValue, sum());
        }
    }

    /// <summary>An instance that is disposed of while a call is in it keeps its memory until the call has ended: those that are made meanwhile have other pages.</summary>
    [Theory]
    [InlineData(MemoryChecks.Guard)]
    [InlineData(MemoryChecks.Explicit)]
    public void ACallKeepsItsMemoryToItsEnd(MemoryChecks checks)
    {
        var engine = new Engine(new EngineOptions { MemoryChecks = checks });
        WasmComponent component = engine.CompileComponent(Wat.ToBinary(Filler(1)));
        var others = new List<ComponentInstance>();
        ComponentInstance first = null!;
        first = component.Instantiate(Host(() =>
        {
            first.Dispose();
            for (int i = 0; i < 10; i++)
            {
                others.Add(component.Instantiate(Host(static () => { })));
                others[^1].GetFunction<Action<uint, uint>>("fill")(0xff, 0);
            }
        }));
        Assert.Equal(42u, first.GetFunction<Func<uint, uint>>("hold")(42));
        Assert.Throws<ObjectDisposedException>(() => first.GetFunction<Func<uint, uint>>("hold"));
        foreach (ComponentInstance other in others)
        {
            Assert.Equal(ulong.MaxValue, other.GetFunction<Func<ulong>>("sum")());
            other.Dispose();
        }
    }

    /// <summary>Functions that are kept of an instance that is gone reach nothing, least of all the instance that has its pages now.</summary>
    [Fact]
    public void KeptFunctionsReachNothing()
    {
        WasmComponent component = new Engine().CompileComponent(Wat.ToBinary(Filler(1)));
        ComponentInstance gone = component.Instantiate(Host(static () => { }));
        var fill = gone.GetFunction<Action<uint, uint>>("fill");
        ExportedFunction untyped = gone.GetFunction("fill");
        fill(1, 0);
        gone.Dispose();
        using ComponentInstance next = component.Instantiate(Host(static () => { }));
        Assert.Throws<ObjectDisposedException>(() => fill(0xff, 0));
        Assert.Throws<ObjectDisposedException>(() => untyped.Call(ComponentValue.From(255u), ComponentValue.From(0u)));
        Assert.Equal(0u, next.GetFunction<Func<ulong>>("sum")());
    }

    /// <summary>A component remembers what it has found in a host; what is added to the host afterwards is found all the same.</summary>
    [Fact]
    public void WhatIsAddedLaterIsFound()
    {
        WasmComponent component = new Engine().CompileComponent(Wat.ToBinary("""
            (component
              (import "a:b/c@1.0.0" (instance $i (export "f" (func (result u32)))))
              (import "a:b/d@1.0.0" (instance $j (export "g" (func (result u32)))))
              (core func $f (canon lower (func $i "f")))
              (core func $g (canon lower (func $j "g")))
              (func (export "f") (result u32) (canon lift (core func $f)))
              (func (export "g") (result u32) (canon lift (core func $g))))
            """));
        var host = new ComponentHost();
        host.Interface("a:b/c@1.1.0").Add("f", (Func<uint>)(() => 1));
        Assert.Contains("\"a:b/d@1.0.0\" is missing", Assert.Throws<LinkException>(() => component.Instantiate(host)).Message, StringComparison.Ordinal);
        ComponentHost other = host.Interface("a:b/d@1.0.0");
        Assert.Contains("\"g\" is missing", Assert.Throws<LinkException>(() => component.Instantiate(host)).Message, StringComparison.Ordinal);
        other.AddObject(new Giver());
        Assert.Equal((1u, 5u), Call());
        Assert.Equal((1u, 5u), Call());
        // A newer one takes the place of one that is compatible, for the next instance.
        host.Interface("a:b/c@1.2.0").Add("f", (Func<uint>)(() => 2));
        Assert.Equal((2u, 5u), Call());
        other.Add("g", (Func<uint>)(() => 6));
        Assert.Equal((2u, 6u), Call());

        (uint, uint) Call()
        {
            using ComponentInstance instance = component.Instantiate(host);
            return (instance.GetFunction<Func<uint>>("f")(), instance.GetFunction<Func<uint>>("g")());
        }
    }

    private sealed class Giver
    {
        public uint G() => 5;
    }

    /// <summary>What it remembers keeps no host, and no component that a host has been used for.</summary>
    [Fact]
    public void NeitherKeepsTheOther()
    {
        WasmComponent component = new Engine().CompileComponent(Wat.ToBinary(Filler(1)));
        var host = Host(static () => { });
        Assert.True(Eventually.Collected(UseAnotherHost(component)));
        Assert.True(Eventually.Collected(UseAnotherComponent(host)));
        GC.KeepAlive(component);
        GC.KeepAlive(host);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static WeakReference UseAnotherHost(WasmComponent component)
    {
        var host = Host(static () => { });
        component.Instantiate(host).Dispose();
        return new WeakReference(host);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static WeakReference UseAnotherComponent(ComponentHost host)
    {
        WasmComponent component = new Engine().CompileComponent(Wat.ToBinary(Filler(2)));
        component.Instantiate(host).Dispose();
        return new WeakReference(component);
    }
}
