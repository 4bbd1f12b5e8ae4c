using Xunit;

namespace WasmJit.Tests.PublicApi;

/// <summary>Module linking as hosts see it: modules and instances as imports and exports, their types, what can be switched off.</summary>
public sealed class StaticLinkingTests
{
    private const string Parent = """
        (module $parent
          (type $Files (instance (export "read" (func (param i32) (result i32)))))
          (import "files" (instance $files (type $Files)))
          (import "child" (module $child (import "files" (instance (type $Files))) (export "play" (func (result i32)))))
          (instance $c (export "instance") (instantiate $child (import "files" (instance $files))))
          (module (export "module") (func (export "f") (result i32) (i32.const 5)))
          (export "play" (func $c "play")))
        """;

    private static Module Child(Engine engine) => engine.CompileText("""
        (module (import "files" "read" (func $read (param i32) (result i32)))
          (func (export "play") (result i32) (call $read (i32.const 20))))
        """);

    [Fact]
    public void ModulesAndInstancesAreImportsAndExports()
    {
        var engine = new Engine();
        Instance files = engine.CompileText("(module (func (export \"read\") (param i32) (result i32) (i32.mul (local.get 0) (i32.const 3))))").Instantiate();
        Module parent = engine.CompileText(Parent);
        Instance instance = parent.Instantiate(new Imports { { "files", files }, { "child", Child(engine) } });
        Assert.Equal(60, instance.GetExport<Func<int>>("play")());
        Instance child = instance.GetExport<Instance>("instance");
        Assert.Equal(60, child.GetExport<Func<int>>("play")());
        Assert.Same(child, instance.GetExport<Instance>("instance"));
        Module nested = instance.GetExport<Module>("module");
        Assert.Equal(5, nested.Instantiate().GetExport<Func<int>>("f")());
        Assert.True(instance.TryGetExport("module", out Module? again));
        Assert.Same(nested, again);
        Assert.Throws<InvalidCastException>(() => instance.GetExport<Instance>("module"));
        // What came out goes in again.
        Module user = engine.CompileText("""
            (module
              (import "m" "nested" (module $m (export "f" (func (result i32)))))
              (import "i" (instance $i (export "play" (func (result i32)))))
              (instance $n (instantiate $m))
              (func (export "sum") (result i32) (i32.add (call (func $n "f")) (call (func $i "play")))))
            """);
        Assert.Equal(65, user.Instantiate(new Imports { { "m", "nested", nested }, { "i", child } }).GetExport<Func<int>>("sum")());
    }

    /// <summary>Where a module imports an instance, things given one by one do.</summary>
    [Fact]
    public void AnInstanceCanBeGivenInParts()
    {
        var engine = new Engine();
        Module parent = engine.CompileText(Parent);
        var imports = new Imports { { "files", "read", (Func<int, int>)(x => x + 1) }, { "child", Child(engine) } };
        Assert.Equal(21, parent.Instantiate(imports).GetExport<Func<int>>("play")());
        Assert.Contains("\"files\"", Assert.Throws<LinkException>(
            () => parent.Instantiate(new Imports { { "files", "write", (Func<int, int>)(x => x) }, { "child", Child(engine) } })).Message, StringComparison.Ordinal);
        Assert.Throws<LinkException>(() => parent.Instantiate(new Imports { { "files", "read", (Func<long, int>)(_ => 0) }, { "child", Child(engine) } }));
    }

    [Fact]
    public void TypesTellWhatIsNeededAndOffered()
    {
        Module parent = new Engine().CompileText(Parent);
        Assert.Equal(["files", "child"], parent.Imports.Select(i => i.Module));
        Assert.All(parent.Imports, i => Assert.Null(i.Name));
        Assert.Equal(ExternKind.Instance, parent.Imports[0].Type.Kind);
        Assert.Equal("read", parent.Imports[0].Type.Instance.Exports.Single().Name);
        ModuleType child = parent.Imports[1].Type.Module;
        Assert.Equal("files", child.Imports.Single().Module);
        Assert.Equal("(func (result i32))", child.Exports.Single().Type.ToString());
        Assert.Equal([ExternKind.Instance, ExternKind.Module, ExternKind.Func], parent.Exports.Select(e => e.Type.Kind));
        Assert.Equal("(module (export \"f\" (func (result i32))))", parent.Exports[1].Type.ToString());
        Assert.Throws<InvalidCastException>(() => parent.Imports[0].Type.Module);
    }

    [Fact]
    public void ImportsThatAreWrongAreNamed()
    {
        var engine = new Engine();
        Module parent = engine.CompileText(Parent);
        Instance empty = engine.CompileText("(module)").Instantiate();
        string Message(Imports imports) => Assert.Throws<LinkException>(() => parent.Instantiate(imports)).Message;
        Assert.StartsWith("unknown import: \"files\"", Message([]), StringComparison.Ordinal);
        Assert.StartsWith("incompatible import type: \"files\"", Message(new Imports { { "files", empty }, { "child", Child(engine) } }), StringComparison.Ordinal);
        Assert.StartsWith(
            "incompatible import type: \"child\"",
            Message(new Imports { { "files", "read", (Func<int, int>)(x => x) }, { "child", engine.CompileText("(module)") } }), StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => new Imports { { "x", "text" } });
    }

    [Fact]
    public void UnknownInstancesAreMade()
    {
        Module module = new Engine().CompileText("""
            (module
              (import "a" (instance $a (export "f" (func (result i32))) (export "I" (instance (export "g" (global i64))))))
              (import "b" (func $b (result f32)))
              (import "m" (memory 2))
              (func (export "f") (result i32) (call (func $a "f")))
              (func (export "g") (result i64) (global.get (global $a "I" "g"))))
            """);
        var imports = new Imports();
        Assert.Equal(["a", "b", "m"], imports.AddUnknown(module, UnknownImports.Default).Select(i => i.Module));
        Instance instance = module.Instantiate(imports);
        Assert.Equal(0, instance.GetExport<Func<int>>("f")());
        Assert.Equal(0, instance.GetExport<Func<long>>("g")());
    }

    [Theory]
    [InlineData("(module)", "nested module")]
    [InlineData("(import \"a\" (func))", "single-level import")]
    [InlineData("(type (instance))", "type of a linkable thing")]
    [InlineData("(type (memory 1))", "type of a linkable thing")]
    [InlineData("(func (param (ref null module)))", "heap type module")]
    [InlineData("(func (local (ref null instance)))", "heap type instance")]
    [InlineData("(global (ref null slice) (ref.null none))", "heap type slice")]
    [InlineData("(func (drop (ref.null memory)))", "heap type memory")]
    [InlineData("(func (drop (block (result (ref null tag)) (ref.null none))))", "heap type tag")]
    [InlineData("(memory 1) (func (drop (ref.memory 0)))", "ref.memory")]
    public void TheExtensionCanBeSwitchedOff(string fields, string what)
    {
        byte[] bytes = Wat.ToBinary($"(module {fields})");
        Assert.True(new Engine().Validate(bytes, out ModuleException? error), error?.Message);
        Assert.False(new Engine(new EngineOptions { RuntimeLinking = false }).Validate(bytes, out error));
        Assert.IsType<InvalidModuleException>(error);
        Assert.Contains($"{what} needs the feature runtime-linking, which is switched off", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void NestedModulesObeyTheSwitches()
    {
        byte[] bytes = Wat.ToBinary("(module (module (func (drop (i32x4.splat (i32.const 1))))))");
        Assert.False(new Engine(new EngineOptions { Features = Features.All & ~Features.Simd }).Validate(bytes, out ModuleException? error));
        Assert.Contains("switched off", error!.Message, StringComparison.Ordinal);
        bytes = Wat.ToBinary("(module (module (memory 1) (type $M (module)) (func (drop (compile $M (i32.const 0) (i32.const 0))))))");
        Assert.False(new Engine(new EngineOptions { RuntimeCompile = false }).Validate(bytes, out error));
        Assert.Contains("runtime-compile", error!.Message, StringComparison.Ordinal);
    }

    /// <summary>All of an application is compiled ahead, and its fuel is one.</summary>
    [Fact]
    public void NestedModulesShareOptionsAndFuel()
    {
        var engine = new Engine(new EngineOptions { Compilation = Compilation.Ahead, CountFuel = true });
        Module module = engine.CompileText("""
            (module
              (module $m (func (export "spin") (loop (br 0))))
              (instance $i (export "i") (instantiate $m))
              (func (export "spin") (call (func $i "spin"))))
            """);
        var fuel = new Fuel(10_000);
        Instance instance = module.Instantiate(fuel: fuel);
        Assert.Same(fuel, instance.GetExport<Instance>("i").Fuel);
        Assert.Equal(TrapKind.OutOfFuel, Assert.Throws<TrapException>(() => instance.GetExport<Action>("spin")()).Kind);
    }
}
