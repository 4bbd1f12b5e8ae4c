using WasmJit.Components;
using Xunit;

namespace WasmJit.Tests.PublicApi;

/// <summary>Components that compile and instantiate components: the interface <c>wasmjit:linking/components</c>.</summary>
public sealed class ComponentLinkingTests
{
    /// <summary>
    /// Compiles bytes, instantiates the component, calls its function <c>add</c> with arguments from its memory, and drops both, so many times. Gives the
    /// sum of the results, or a thousand for each step up to the one that failed, and why.
    /// </summary>
    private const string Guest = """
        (component
          (import "wasmjit:linking/components@0.1.0" (instance $l
            (export "component" (type $component (sub resource)))
            (export "instance" (type $instance (sub resource)))
            (type $kind' (enum "not-allowed" "quota-exceeded" "malformed" "invalid" "unlinkable" "not-found" "type-mismatch" "trapped"))
            (export "problem-kind" (type $kind (eq $kind')))
            (type $problem' (record (field "kind" $kind) (field "message" string)))
            (export "problem" (type $problem (eq $problem')))
            (export "compile" (func (param "bytes" (list u8)) (result (result (own $component) (error $problem)))))
            (export "load" (func (param "name" string) (result (result (own $component) (error $problem)))))
            (export "[method]component.imports" (func (param "self" (borrow $component)) (result (list string))))
            (export "[method]component.exports" (func (param "self" (borrow $component)) (result (list string))))
            (export "[method]component.instantiate" (func
              (param "self" (borrow $component)) (param "imports" (list (tuple string (borrow $instance)))) (result (result (own $instance) (error $problem)))))
            (export "[method]instance.exports" (func (param "self" (borrow $instance)) (result (list string))))
            (export "[method]instance.call" (func
              (param "self" (borrow $instance)) (param "name" string) (param "arguments" (list u8)) (result (result (list u8) (error $problem)))))))
          (core module $Libc
            (memory (export "mem") 4)
            (global $next (export "next") (mut i32) (i32.const 4096))
            (func (export "realloc") (param i32 i32 i32 i32) (result i32)
              (global.get $next)
              (global.set $next (i32.add (global.get $next) (i32.and (i32.add (local.get 3) (i32.const 7)) (i32.const -8))))))
          (core instance $libc (instantiate $Libc))
          (alias export $l "component" (type $component))
          (alias export $l "instance" (type $instance))
          (core func $compile (canon lower (func $l "compile") (memory (core memory $libc "mem")) (realloc (core func $libc "realloc"))))
          (core func $load (canon lower (func $l "load") (memory (core memory $libc "mem")) (realloc (core func $libc "realloc"))))
          (core func $instantiate (canon lower (func $l "[method]component.instantiate") (memory (core memory $libc "mem")) (realloc (core func $libc "realloc"))))
          (core func $call (canon lower (func $l "[method]instance.call") (memory (core memory $libc "mem")) (realloc (core func $libc "realloc"))))
          (core func $dropc (canon resource.drop $component))
          (core func $dropi (canon resource.drop $instance))
          (core module $M
            (import "" "mem" (memory 1))
            (import "" "next" (global $next (mut i32)))
            (import "" "compile" (func $compile (param i32 i32 i32)))
            (import "" "load" (func $load (param i32 i32 i32)))
            (import "" "instantiate" (func $instantiate (param i32 i32 i32 i32)))
            (import "" "call" (func $call (param i32 i32 i32 i32 i32 i32)))
            (import "" "dropc" (func $dropc (param i32)))
            (import "" "dropi" (func $dropi (param i32)))
            (data (i32.const 64) "add")
            (data (i32.const 72) "\14\16\00\00")
            (func $wrong (param $step i32) (result i32) (i32.add (i32.mul (local.get $step) (i32.const 1000)) (i32.load8_u (i32.const 20))))
            (func (export "run") (param $bytes i32) (param $length i32) (param $n i32) (param $args i32) (param $count i32) (result i32)
              (local $c i32) (local $i i32) (local $sum i32) (local $free i32)
              (local.set $free (global.get $next))
              (loop $l
                (global.set $next (local.get $free))
                ;; a short text is a name
                (if (i32.lt_u (local.get $length) (i32.const 8))
                  (then (call $load (local.get $bytes) (local.get $length) (i32.const 16)))
                  (else (call $compile (local.get $bytes) (local.get $length) (i32.const 16))))
                (if (i32.load8_u (i32.const 16)) (then (return (call $wrong (i32.const 1)))))
                (local.set $c (i32.load (i32.const 20)))
                (call $instantiate (local.get $c) (i32.const 0) (i32.const 0) (i32.const 16))
                (if (i32.load8_u (i32.const 16)) (then (return (call $wrong (i32.const 2)))))
                (local.set $i (i32.load (i32.const 20)))
                (call $call (local.get $i) (i32.const 64) (i32.const 3) (local.get $args) (local.get $count) (i32.const 16))
                (if (i32.load8_u (i32.const 16)) (then (return (call $wrong (i32.const 3)))))
                (local.set $sum (i32.add (local.get $sum) (i32.load8_u (i32.load (i32.const 20)))))
                (call $dropi (local.get $i))
                (call $dropc (local.get $c))
                (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
              (local.get $sum)))
          (core instance $m (instantiate $M (with "" (instance
            (export "mem" (memory $libc "mem")) (export "next" (global $libc "next")) (export "compile" (func $compile)) (export "load" (func $load))
            (export "instantiate" (func $instantiate)) (export "call" (func $call)) (export "dropc" (func $dropc)) (export "dropi" (func $dropi))))))
          (func (export "run") (param "bytes" (list u8)) (param "n" u32) (param "args" u32) (param "count" u32) (result u32)
            (canon lift (core func $m "run") (memory (core memory $libc "mem")) (realloc (core func $libc "realloc")))))
        """;

    private const uint Good = 72, Zeros = 74;

    private static readonly byte[] Adder = Wat.ToBinary("""
        (component
          (core module $M (memory 1) (func (export "add") (param i32 i32) (result i32)
            (if (i32.eqz (local.get 0)) (then unreachable))
            (i32.add (local.get 0) (local.get 1))))
          (core instance $m (instantiate $M))
          (func (export "add") (param "a" u32) (param "b" u32) (result u32) (canon lift (core func $m "add"))))
        """);

    private static ComponentInstance Instantiate(Engine engine, ComponentLinkingOptions options)
    {
        var host = new ComponentHost();
        new ComponentLinkingHost(engine, options).AddTo(host);
        return engine.CompileComponent(Wat.ToBinary(Guest)).Instantiate(host);
    }

    private static uint Run(ComponentLinkingOptions options, byte[] bytes, uint args = Good, uint count = 2)
    {
        using ComponentInstance guest = Instantiate(new Engine(), options);
        return guest.GetFunction<Func<byte[], uint, uint, uint, uint>>("run")(bytes, 1, args, count);
    }

    /// <summary>Dropped handles free at once: there is never more than one component, one instance and one memory.</summary>
    [Fact]
    public void GuestsMakeAndDropComponents()
    {
        var quota = new LinkingQuota { MaximumLiveModules = 1 };
        var resources = new GuestResources(new ResourceLimits { MaximumInstances = 1, MaximumMemories = 1, MaximumMemoryBytes = 65536 });
        using ComponentInstance guest = Instantiate(
            new Engine(new EngineOptions { LinkingQuota = quota }),
            new ComponentLinkingOptions { AllowCompile = true, Instances = new ComponentInstanceOptions { Resources = resources } });
        Assert.Equal(300 * 42u, guest.GetFunction<Func<byte[], uint, uint, uint, uint>>("run")(Adder, 300, Good, 2));
        Assert.Equal((0, 0L, 300L * Adder.Length), (quota.LiveModules, resources.InUse(ResourceKind.Instances), quota.BytesCompiled));
    }

    /// <summary>What guests may not, or do wrong, is a problem that they get; they go on.</summary>
    [Fact]
    public void ProblemsAreTheGuests()
    {
        var allowed = new ComponentLinkingOptions { AllowCompile = true };
        Assert.Equal(1000u, Run(new ComponentLinkingOptions(), Adder));
        Assert.Equal(42u, Run(allowed, Adder));
        Assert.Equal(1002u, Run(allowed, Adder[..^1]));
        Assert.Equal(1003u, Run(allowed, Wat.ToBinary("(component (core module (func (result i32))))")));
        Assert.Equal(2004u, Run(allowed, Wat.ToBinary("(component (import \"f\" (func)))")));
        Assert.Equal(3005u, Run(allowed, Wat.ToBinary("(component (core module))")));
        Assert.Equal(3006u, Run(allowed, Adder, Good, 1));
        Assert.Equal(3006u, Run(allowed, Adder, Good, 3));
        Assert.Equal(3007u, Run(allowed, Adder, Zeros));
        // Loaded by name.
        Assert.Equal(1005u, Run(allowed, "adder"u8.ToArray()));
        var loading = new ComponentLinkingOptions { Components = new Dictionary<string, WasmComponent> { ["adder"] = new Engine().CompileComponent(Adder) } };
        Assert.Equal(42u, Run(loading, "adder"u8.ToArray()));
        // Quotas.
        using ComponentInstance limited = Instantiate(new Engine(new EngineOptions { LinkingQuota = new LinkingQuota { MaximumModuleSize = 10 } }), allowed);
        Assert.Equal(1001u, limited.GetFunction<Func<byte[], uint, uint, uint, uint>>("run")(Adder, 1, Good, 2));
        var none = new ComponentInstanceOptions { Resources = new GuestResources(new ResourceLimits { MaximumMemories = 0 }) };
        Assert.Equal(2001u, Run(new ComponentLinkingOptions { AllowCompile = true, Instances = none }, Adder));
    }
}
