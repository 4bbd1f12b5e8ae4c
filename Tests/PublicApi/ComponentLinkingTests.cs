using WasmJit.Components;
using Xunit;

namespace WasmJit.Tests.PublicApi;

/// <summary>Components that compile and instantiate components: the interface <c>wasmjit:linking/components</c>.</summary>
public sealed class ComponentLinkingTests
{
    /// <summary>Compiles, instantiates, calls and drops: see there.</summary>
    private static readonly byte[] Guest = Wat.ToBinary(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "component-maker.wat")));

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
        return engine.CompileComponent(Guest).Instantiate(host);
    }

    private static uint Run(ComponentLinkingOptions options, byte[] bytes, uint args = Good, uint count = 2)
    {
        using ComponentInstance guest = Instantiate(new Engine(), options);
        return guest.GetFunction<Func<byte[], uint, uint, uint, uint>>("run")(bytes, 1, args, count);
    }

    /// <summary>
    /// Dropped handles free at once: there is never more than one component, one instance and one memory, and at the end nothing counts any more. With WASMJIT_COMPONENT_COUNT it
    /// is another number; <c>Perf components</c> has the memory and the collections of 100,000.
    /// </summary>
    [Fact]
    public void GuestsMakeAndDropComponents()
    {
        uint count = uint.TryParse(Environment.GetEnvironmentVariable("WASMJIT_COMPONENT_COUNT"), out uint given) ? given : 2000;
        var quota = new LinkingQuota { MaximumLiveModules = 1 };
        var resources = new GuestResources(new ResourceLimits { MaximumInstances = 1, MaximumMemories = 1, MaximumMemoryBytes = 65536, MaximumHandles = 64 });
        using ComponentInstance guest = Instantiate(
            new Engine(new EngineOptions { LinkingQuota = quota }),
            new ComponentLinkingOptions { AllowCompile = true, Instances = new ComponentInstanceOptions { Resources = resources } });
        Assert.Equal(unchecked(count * 42), guest.GetFunction<Func<byte[], uint, uint, uint, uint>>("run")(Adder, count, Good, 2));
        Assert.Equal((0, 0L), (quota.LiveModules, quota.BytesCompiled - (count * (long)Adder.Length)));
        foreach (ResourceKind kind in Enum.GetValues<ResourceKind>()) Assert.Equal(0, resources.InUse(kind));
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
