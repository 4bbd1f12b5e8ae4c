using System.Text;
using Xunit;

namespace WasmJit.Tests;

/// <summary>The C program of Samples/Dlopen: two libraries that need each other.</summary>
public sealed class DlopenProgramTests
{
    private static readonly string Folder = Golden.InRepository("Samples/Dlopen");

    private static string Run(ModuleNamespace libraries, EngineOptions options)
    {
        Module program = new Engine(options).Compile(File.ReadAllBytes(Path.Combine(Folder, "main.wasm")));
        var output = new MemoryStream();
        using var wasi = new WasiHost(new WasiOptions { Output = output });
        Assert.Equal(0, wasi.Run(program, new DynamicLinker(libraries)));
        return Encoding.UTF8.GetString(output.ToArray());
    }

    [Theory]
    [InlineData(MemoryChecks.Guard, Compilation.Lazy)]
    [InlineData(MemoryChecks.Explicit, Compilation.Ahead)]
    public void TheProgramSaysWhatItShould(MemoryChecks checks, Compilation compilation)
    {
        using var directory = new DirectoryNamespace(Folder);
        Golden.Equal("dlopen.txt", Run(directory, new EngineOptions { MemoryChecks = checks, Compilation = compilation }));
    }

    [Fact]
    public void ItSaysTheSameWithLibrariesInMemory()
    {
        var libraries = new MemoryNamespace();
        foreach (string name in new[] { "libping.so", "libpong.so" }) libraries.Add(name, File.ReadAllBytes(Path.Combine(Folder, name)));
        Golden.Equal("dlopen.txt", Run(libraries, new EngineOptions { CountFuel = true, Interruptible = true }));
    }
}
