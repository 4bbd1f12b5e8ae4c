using Xunit;

namespace WasmJit.Tests;

/// <summary>What <c>GetExport</c> gives and <c>TryGetExport</c> says of it; and the exception of engines that compile nothing.</summary>
public sealed class ExportTests
{
    private delegate int Adder(int a, int b);

    private static readonly Engine Engine = new();

    private static readonly Instance Exporting = Engine.CompileText("""
        (module
          (memory (export "memory") 1) (table (export "table") 1 funcref) (global (export "global") i32 (i32.const 5)) (tag (export "tag"))
          (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1))))
        """).Instantiate();

    [Fact]
    public void BothAgree()
    {
        foreach (string name in (string[])["memory", "table", "global", "tag", "add", "none"])
        {
            Agree<Memory>(name);
            Agree<Table>(name);
            Agree<Global>(name);
            Agree<Tag>(name);
            Agree<Module>(name);
            Agree<Instance>(name);
            Agree<Delegate>(name);
            Agree<object>(name);
            Agree<Func<int, int, int>>(name);
            Agree<Func<int, int>>(name);
            Agree<Adder>(name);
            Agree<Action>(name);
            Agree<string>(name);
        }
    }

    [Fact]
    public void DelegatesOfTheHostAreFound()
    {
        Assert.True(Exporting.TryGetExport("add", out Adder? add));
        Assert.Equal(42, add(40, 2));
    }

    private static void Agree<T>(string name)
        where T : class
    {
        T? given = null;
        try
        {
            given = Exporting.GetExport<T>(name);
        }
        catch (Exception e) when (e is KeyNotFoundException or InvalidCastException)
        {
            // TryGetExport says the same.
        }
        Assert.Equal(given is not null, Exporting.TryGetExport(name, out T? tried));
        Assert.Equal(given, tried);
    }

    [Fact]
    public async Task NeverIsOneException()
    {
        var never = new Engine(new EngineOptions { Compilation = Compilation.Never });
        byte[] module = Wat.ToBinary("(module)");
        Assert.Throws<CompilationNotAllowedException>(() => never.Compile(module));
        Assert.Throws<CompilationNotAllowedException>(() => never.CompileText("(module)"));
        await Assert.ThrowsAsync<CompilationNotAllowedException>(() => never.CompileAsync(new MemoryStream(module)));
        string file = Path.GetTempFileName();
        try
        {
            await File.WriteAllBytesAsync(file, module);
            Assert.Throws<CompilationNotAllowedException>(() => never.CompileFile(file));
        }
        finally
        {
            File.Delete(file);
        }
        var names = new MemoryNamespace();
        names.Add("m.wasm", module);
        Assert.Throws<CompilationNotAllowedException>(() => names.Load(never, "m.wasm"));
    }

    [Fact]
    public void ImportsAreRead()
    {
        Func<int> one = () => 1;
        var imports = new Imports { { "m", "f", one }, { "lib", Exporting } };
        Assert.Same(one, imports["m", "f"]);
        Assert.Same(Exporting.GetExport<Memory>("memory"), imports["lib", "memory"]);
        Assert.Throws<KeyNotFoundException>(() => imports["m", "g"]);
    }
}
