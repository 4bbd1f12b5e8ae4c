using Xunit;

namespace WasmJit.Tests.Generators;

/// <summary>The class that is generated for a module. What is declared here has the types that it gives.</summary>
public sealed partial class Plugin
{
    public partial string Name();

    public partial int Length(string text);

    public partial Point Mirror(Point point);

    internal partial bool IsOdd(uint number);

    public partial event Action<string>? Log;

    [WasmName("progress")]
    public partial event Func<int, bool>? Step;
}

/// <summary>A plug-in with twenty exports: through an interface at run time, through the generated class of the interface, and through the class of the module.</summary>
public sealed class PluginTests
{
    private static readonly Module Module = Plugin.Compile(new Engine());

    [Fact]
    public void TheModuleIsMadeOfItsText()
    {
        string folder = Golden.InRepository("Tests/Generators/Modules"), binary = Path.Combine(folder, "plugin.wasm");
        byte[] bytes = Wat.ToBinary(File.ReadAllText(Path.Combine(folder, "plugin.wat")));
        if (Environment.GetEnvironmentVariable("WASMJIT_UPDATE_GOLDEN") == "1") File.WriteAllBytes(binary, bytes);
        Assert.Equal(bytes, File.ReadAllBytes(binary));
    }

    /// <summary>The same as <see cref="IPlugin"/>, without a generated class.</summary>
    public interface IAtRunTime : IPlugin;

    public static TheoryData<bool> Ways() => [true, false];

    [Theory]
    [MemberData(nameof(Ways))]
    public void AnInterfaceHasTwentyExportsTextsAndCallbacks(bool isGenerated)
    {
        IPlugin plugin = isGenerated ? Module.Instantiate<IPlugin>() : Module.Instantiate<IAtRunTime>();
        Assert.Equal(isGenerated, plugin.GetType().Assembly == typeof(PluginTests).Assembly);
        Use(plugin);
    }

    internal delegate int Five(int a, int b, int c, int d, int e);

    [WasmFace]
    internal interface ISum
    {
        Five Sum { get; }
    }

    /// <summary>A function whose own delegate is none of those that are in every program, as a delegate of another type.</summary>
    [Fact]
    public void APropertyMayHaveADelegateTypeOfItsOwn()
    {
        Module module = new Engine().CompileText("""
            (module (func (export "sum") (param i32 i32 i32 i32 i32) (result i32)
              (i32.add (i32.add (i32.add (local.get 0) (local.get 1)) (i32.add (local.get 2) (local.get 3))) (local.get 4))))
            """);
        Assert.Equal(15, module.Instantiate().As<ISum>().Sum(1, 2, 3, 4, 5));
    }

    private static void Use(IPlugin plugin)
    {
        var lines = new List<string>();
        plugin.Log += lines.Add;
        plugin.Progress += step => step < 3;
        Assert.Equal((42, 1L << 40, 5.0), (plugin.Add(40, 2), plugin.AddLong((1L << 40) - 1, 1), plugin.Scale(2, 2.5f)));
        Assert.Equal((true, false, 0x7fffffffu), (plugin.IsOdd(3), plugin.IsOdd(0xfffffffe), plugin.Half(uint.MaxValue)));
        Assert.Equal((Level.High, (3, 1)), (plugin.NextLevel(Level.Middle), plugin.DivMod(10, 3)));
        Assert.Equal(("plug-in", 7, "größegröße"), (plugin.Name(), plugin.Length("größe"), plugin.Repeat("größe")));
        Assert.Equal(6, plugin.Sum([1, 2, 3]));
        byte[] bytes = [1, 2, 3];
        plugin.Zero(bytes.AsSpan(1));
        Assert.Equal([1, 0, 0], bytes);
        Assert.Equal(new Point(2, 1), plugin.Mirror(new Point(1, 2)));
        Assert.Equal((3, 20260L), (plugin.Run(5), plugin.Version));
        Assert.Equal(["plug-in"], lines);
        Assert.Equal(0, plugin.Used);
        plugin.Used = 7;
        Assert.Equal(7, plugin.Used);
        plugin.Reset();
        Assert.Equal((0, 1024), (plugin.Used, plugin.Malloc(4)));
        plugin.Free(1024);
        Assert.Equal(65536, plugin.Memory.Span.Length);
    }

    [Fact]
    public void AModuleIsAClass()
    {
        Plugin plugin = Plugin.Instantiate(Module);
        string? logged = null;
        plugin.Log += text => logged = text;
        plugin.Step += step => step < 2;
        Assert.Equal((42, 2, "plug-in"), (plugin.Add(a: 40, b: 2), plugin.Run(9), logged));
        Assert.Equal(("plug-in", 7, new Point(2, 1), true), (plugin.Name(), plugin.Length("größe"), plugin.Mirror(new(1, 2)), plugin.IsOdd(1)));
        Assert.Equal((2, 0), plugin.DivMod(4, 2));
        plugin.Used = 1;
        Assert.Equal((1, 20260L), (plugin.Used, plugin.Version));
        Assert.Same(Module, plugin.Instance.Module);
        Assert.Same(plugin.Instance.GetExport<Memory>("memory"), plugin.Memory);
        Assert.Equal("Plugin of plugin", plugin.ToString());
        Module other = new Engine().CompileText("(module $other (func (export \"add\") (result i32) (i32.const 0)))");
        BindingException error = Assert.Throws<BindingException>(() => Plugin.Instantiate(other));
        Assert.StartsWith("WasmJit.Tests.Generators.Plugin does not fit the module other:", error.Message, StringComparison.Ordinal);
        Assert.Contains("Name: there is no export \"Name\" or \"name\"", error.Problems);
    }
}
