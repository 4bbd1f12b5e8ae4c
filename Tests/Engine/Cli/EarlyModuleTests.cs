using WasmJit.Cli;
using WasmJit.Jit.Binary;
using WasmJit.Jit.Format;
using Xunit;

namespace WasmJit.Tests;

/// <summary>The module that the tool reads and validates while it still looks at the command line.</summary>
public sealed class EarlyModuleTests : IDisposable
{
    private const string Program = """(module (memory (export "memory") 1) (func (export "_start") (drop (v128.const i32x4 1 2 3 4))))""";

    private readonly string folder = Directory.CreateTempSubdirectory("wasmjit-test").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private string Write(string name, byte[] content)
    {
        string path = Path.Combine(folder, name);
        File.WriteAllBytes(path, content);
        return path;
    }

    /// <summary>A module behind which there is a custom section of 5 MB.</summary>
    private string Large(string text, string name = "large.wasm")
    {
        const int Size = 5 << 20;
        return Write(name, [.. Wat.ToBinary(text), SectionId.Custom, 0x80 | (Size & 0x7f), 0x80 | ((Size >> 7) & 0x7f), 0x80 | ((Size >> 14) & 0x7f), Size >> 21, 1, (byte)'x', .. new byte[Size - 2]]);
    }

    [Fact]
    public void TheFirstFileIsTheModule()
    {
        string large = Large(Program), small = Write("small.wasm", Wat.ToBinary(Program));
        Assert.Equal(large, EarlyModule.FileOf([large, "x"]));
        Assert.Equal(large, EarlyModule.FileOf(["run", "--dir", $"{folder}::/", "--tier", "tiered", large, small]));
        // What stands behind the program is the guest's, and other commands read what they want.
        Assert.Null(EarlyModule.FileOf([small, large]));
        Assert.Null(EarlyModule.FileOf(["validate", large]));
        Assert.Null(EarlyModule.FileOf([]));
        Assert.Null(EarlyModule.FileOf(["", "-", folder, "no such file"]));
        // Nor is what was saved read.
        string saved = Path.ChangeExtension(large, ".dll");
        File.Copy(large, saved);
        Assert.Null(EarlyModule.FileOf(["run", saved]));
    }

    [Fact]
    public void ItIsGivenAwayOnce()
    {
        string large = Large(Program);
        EarlyModule.Begin([large]);
        Assert.Null(EarlyModule.BytesOf(Path.Combine(folder, "another.wasm")));
        byte[] bytes = EarlyModule.BytesOf(large)!;
        Assert.Equal(File.ReadAllBytes(large), bytes);
        Assert.Null(EarlyModule.InfoOf([.. bytes]));
        ModuleInfo info = EarlyModule.InfoOf(bytes)!;
        Assert.Same(info, new Engine().CompileOwned(bytes, known: info).Info);
        Assert.Null(EarlyModule.InfoOf(bytes));
        Assert.Null(EarlyModule.BytesOf(large));
    }

    /// <summary>What was found valid for one engine is not taken for valid by another that allows less.</summary>
    [Fact]
    public void AnEngineWithOtherFeaturesValidatesItself()
    {
        string large = Large(Program);
        EarlyModule.Begin([large]);
        byte[] bytes = EarlyModule.BytesOf(large)!;
        ModuleInfo info = EarlyModule.InfoOf(bytes)!;
        var engine = new Engine(new EngineOptions { Features = Features.All & ~Features.Simd });
        Assert.Throws<InvalidModuleException>(() => engine.CompileOwned(bytes, known: info));
    }

    [Fact]
    public void TheToolRunsIt()
    {
        string large = Large(Program);
        EarlyModule.Begin([large]);
        Assert.Equal((0, "", ""), ToolRun.Of("run", large));
        Assert.Null(EarlyModule.BytesOf(large));
    }

    /// <summary>Errors are those that there are without it.</summary>
    [Fact]
    public void ErrorsAreTheSame()
    {
        string invalid = Large("(module (func (export \"_start\") (i32.add) (drop)))", "invalid.wasm"), text = Write("text.wasm", new byte[5 << 20]);
        foreach (string path in new[] { invalid, text })
        {
            (int Code, string Out, string Error) expected = ToolRun.Of("run", path);
            EarlyModule.Begin([path]);
            Assert.Equal(expected, ToolRun.Of("run", path));
            Assert.Equal((1, ""), (expected.Code, expected.Out));
        }
    }
}
