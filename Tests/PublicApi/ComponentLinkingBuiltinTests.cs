using WasmJit.Builtins;
using WasmJit.Components;
using Xunit;

namespace WasmJit.Tests.PublicApi;

/// <summary>Modules that compile, instantiate and call components, through <c>wasm:linking</c>.</summary>
public sealed class ComponentLinkingBuiltinTests
{
    private static readonly byte[] Adder = Wat.ToBinary("""
        (component
          (core module $M (memory 1) (func (export "add") (param i32 i32) (result i32)
            (if (i32.eqz (local.get 0)) (then unreachable))
            (i32.add (local.get 0) (local.get 1))))
          (core instance $m (instantiate $M))
          (func $add (param "a" u32) (param "b" u32) (result u32) (canon lift (core func $m "add")))
          (export "add" (func $add))
          (instance $sums (export "add" (func $add)))
          (export "my:sums/sums" (instance $sums)))
        """);

    /// <summary>A component that imports the other's function.</summary>
    private static readonly byte[] Twice = Wat.ToBinary("""
        (component
          (import "sums" (instance $sums (export "add" (func (param "a" u32) (param "b" u32) (result u32)))))
          (core func $add (canon lower (func $sums "add")))
          (core module $M
            (import "" "add" (func $add (param i32 i32) (result i32)))
            (func (export "twice") (param i32) (result i32) (call $add (local.get 0) (local.get 0))))
          (core instance $m (instantiate $M (with "" (instance (export "add" (func $add))))))
          (func (export "twice") (param "a" u32) (result u32) (canon lift (core func $m "twice"))))
        """);

    private sealed class Guest
    {
        internal Guest(LinkingComponents? components, Engine? engine = null, Fuel? fuel = null, GuestResources? resources = null, int handles = 100)
        {
            Host = new LinkingHost(new LinkingOptions { Components = components, MaximumHandles = handles });
            (string imports, string exports) = LinkingBuiltinTests.PassOn(Host);
            Instance = (engine ?? new Engine()).CompileText($"(module {imports} (memory (export \"memory\") 2) {exports})").Instantiate(Host.Imports, fuel, resources);
        }

        internal LinkingHost Host { get; }

        internal Instance Instance { get; }

        private Memory Memory => Instance.GetExport<Memory>("memory");

        internal int Call(string name, params object[] arguments) => (int)Instance.GetExport<Delegate>(name).DynamicInvoke(arguments)!;

        internal int Compile(byte[] bytes)
        {
            Memory.WriteBytes(4096, bytes);
            return Call("compile_component", 4096, bytes.Length);
        }

        internal int Load(string name) => Call("load_component", 0, Memory.WriteString(0, name));

        internal int Instantiate(int component, params (string Name, int Instance)[] imports)
        {
            for (int i = 0; i < imports.Length; i++)
            {
                Memory.Write((ulong)(12 * i), 1000 + (100 * i));
                Memory.Write((ulong)((12 * i) + 4), Memory.WriteString((ulong)(1000 + (100 * i)), imports[i].Name));
                Memory.Write((ulong)((12 * i) + 8), imports[i].Instance);
            }
            return Call("instantiate_component", component, 0, imports.Length);
        }

        /// <summary>Calls with bytes; gives those of the result, or what has failed.</summary>
        internal (int Length, byte[] Result) Invoke(int instance, string name, params byte[] arguments)
        {
            int length = Memory.WriteString(0, name);
            Memory.WriteBytes(2000, arguments);
            int result = Call("call_component", instance, 0, length, 2000, arguments.Length);
            if (result < 0) return (result, []);
            Assert.Equal(result, Call("last_result", 3000, 100));
            return (result, Memory.Slice(3000, Math.Min(result, 100)).ToArray());
        }

        internal string Text(string function, int handle) => Memory.ReadString(3000, Call(function, handle, 3000, 1000));

        internal void Fails(LinkingError error, int result) => Assert.Equal((error, true), ((LinkingError)result, Host.LastError is not null));
    }

    private static ComponentLinkingHost Host(Engine? engine = null, ComponentLinkingOptions? options = null) => new(engine ?? new Engine(), options ?? new ComponentLinkingOptions { AllowCompile = true });

    [Fact]
    public void AModuleCompilesLinksAndCallsComponents()
    {
        var guest = new Guest(Host());
        int adder = guest.Compile(Adder), sums = guest.Instantiate(adder);
        Assert.Equal((8, 9), (guest.Call("kind", adder), guest.Call("kind", sums)));
        Assert.Equal("(export \"add\")\n(export \"my:sums/sums\")\n", guest.Text("exports", adder));
        Assert.Equal(guest.Text("exports", adder), guest.Text("exports", sums));
        Assert.Equal((1, 42), (guest.Invoke(sums, "add", 40, 2).Length, guest.Invoke(sums, "my:sums/sums#add", 40, 2).Result[0]));
        int user = guest.Compile(Twice);
        Assert.Equal("(import \"sums\")\n", guest.Text("imports", user));
        int twice = guest.Instantiate(user, ("sums", sums));
        Assert.Equal([150, 1], guest.Invoke(twice, "twice", 75).Result);
        // What a dropped number stands for has ended, for others as well.
        Assert.Equal(0, guest.Call("drop", sums));
        guest.Fails(LinkingError.InvalidArgument, guest.Call("kind", sums));
        Assert.True(guest.Invoke(twice, "twice", 75).Length < 0);
    }

    /// <summary>Dropped numbers free at once: there is never more than one component, instance and memory beside the guest's own, and nothing counts at the end.</summary>
    [Fact]
    public void WhatIsDroppedIsFree()
    {
        var quota = new LinkingQuota { MaximumLiveModules = 1 };
        var resources = new GuestResources(new ResourceLimits { MaximumInstances = 2, MaximumMemories = 2, MaximumMemoryBytes = 3 * 65536 });
        var engine = new Engine(new EngineOptions { LinkingQuota = quota });
        var guest = new Guest(Host(engine), resources: resources);
        long before = resources.InUse(ResourceKind.MemoryBytes);
        for (int i = 0; i < 100; i++)
        {
            int adder = guest.Compile(Adder), sums = guest.Instantiate(adder);
            Assert.Equal([3], guest.Invoke(sums, "add", 1, 2).Result);
            guest.Fails(LinkingError.QuotaExceeded, guest.Instantiate(adder));
            guest.Fails(LinkingError.QuotaExceeded, guest.Compile(Adder));
            Assert.Equal((0, 0), (guest.Call("drop", sums), guest.Call("drop", adder)));
        }
        Assert.Equal((0, before, 1), (quota.LiveModules, resources.InUse(ResourceKind.MemoryBytes), resources.InUse(ResourceKind.Instances)));
    }

    [Fact]
    public void WhatGoesWrongIsANumber()
    {
        var without = new Guest(null);
        without.Fails(LinkingError.NotAllowed, without.Compile(Adder));
        without.Fails(LinkingError.NotAllowed, without.Load("adder"));
        var loading = new Guest(Host(options: new ComponentLinkingOptions { Components = new Dictionary<string, WasmComponent> { ["adder"] = new Engine().CompileComponent(Adder) } }));
        loading.Fails(LinkingError.NotAllowed, loading.Compile(Adder));
        loading.Fails(LinkingError.NotFound, loading.Load("other"));
        Assert.Equal([5], loading.Invoke(loading.Instantiate(loading.Load("adder")), "add", 2, 3).Result);

        var guest = new Guest(Host(), handles: 3);
        guest.Fails(LinkingError.Malformed, guest.Compile(Adder[..^1]));
        guest.Fails(LinkingError.Invalid, guest.Compile(Wat.ToBinary("(component (core module (func (result i32))))")));
        guest.Fails(LinkingError.OutOfBounds, guest.Call("compile_component", 131072, 1));
        int user = guest.Compile(Twice), adder = guest.Compile(Adder);
        guest.Fails(LinkingError.Unlinkable, guest.Instantiate(user));
        guest.Fails(LinkingError.InvalidArgument, guest.Instantiate(user, ("sums", adder)));
        guest.Fails(LinkingError.InvalidArgument, guest.Call("instantiate", adder, 0, 0));
        guest.Fails(LinkingError.InvalidArgument, guest.Call("instantiate_component", user, 0, -1));
        int sums = guest.Instantiate(adder);
        guest.Fails(LinkingError.QuotaExceeded, guest.Instantiate(adder));
        guest.Fails(LinkingError.NotFound, guest.Invoke(sums, "subtract", 1, 2).Length);
        guest.Fails(LinkingError.TypeMismatch, guest.Invoke(sums, "add", 1).Length);
        guest.Fails(LinkingError.TypeMismatch, guest.Invoke(sums, "add", 1, 2, 3).Length);
        guest.Fails(LinkingError.OutOfBounds, guest.Call("call_component", sums, 0, 3, 131000, 100));
        guest.Fails(LinkingError.InvalidArgument, guest.Call("call_component", adder, 0, 3, 0, 0));
        guest.Fails(LinkingError.Trapped, guest.Invoke(sums, "add", 0, 2).Length);
        // The guest goes on, and the instance does not.
        guest.Fails(LinkingError.Trapped, guest.Invoke(sums, "add", 1, 2).Length);
    }

    /// <summary>What a component executes is the guest's fuel, and the end of that is the guest's end.</summary>
    [Fact]
    public void ComponentsUseTheFuelOfTheGuest()
    {
        var engine = new Engine(new EngineOptions { CountFuel = true });
        var fuel = new Fuel(10_000_000);
        var guest = new Guest(Host(engine), engine, fuel);
        int endless = guest.Instantiate(guest.Compile(Wat.ToBinary("""
            (component
              (core module $M (func (export "run") (loop (br 0))))
              (core instance $m (instantiate $M))
              (func (export "run") (canon lift (core func $m "run"))))
            """)));
        Assert.True(endless > 0, guest.Host.LastError);
        var failed = Assert.IsType<TrapException>(Assert.Throws<System.Reflection.TargetInvocationException>(() => guest.Invoke(endless, "run")).InnerException);
        Assert.Equal(TrapKind.OutOfFuel, failed.Kind);
    }
}
