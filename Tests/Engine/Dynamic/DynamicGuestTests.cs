using System.Text;
using WasmJit.DynamicLinking;
using Xunit;

namespace WasmJit.Tests;

/// <summary>The programs and libraries of Guests, as clang and lld 22 have linked them.</summary>
public sealed class DynamicGuestTests
{
    private static readonly string Folder = Golden.InRepository("Tests/Engine/Dynamic/Guests");

    private static byte[] Bytes(string name) => File.ReadAllBytes(Path.Combine(Folder, name));

    /// <summary>
    /// Exceptions of C++ go from library to library and through others, are found by types of each of them, and unwind; one library has the
    /// legacy form of exceptions, another that of Wasm 3.0.
    /// </summary>
    [Theory]
    [InlineData(MemoryChecks.Guard, Compilation.Lazy)]
    [InlineData(MemoryChecks.Explicit, Compilation.Ahead)]
    [InlineData(MemoryChecks.Guard, Compilation.Tiered)]
    [InlineData(MemoryChecks.Guard, Compilation.Interpreted)]
    public void ExceptionsCrossLibraries(MemoryChecks checks, Compilation compilation)
    {
        Module program = new Engine(new EngineOptions { MemoryChecks = checks, Compilation = compilation }).Compile(Bytes("throws.wasm"));
        var output = new MemoryStream();
        using var directory = new DirectoryNamespace(Folder);
        using var wasi = new WasiHost(new WasiOptions { Output = output });
        Assert.Equal(0, wasi.Run(program, new DynamicLinker(directory)));
        Golden.Equal("throws.txt", Encoding.UTF8.GetString(output.ToArray()));
    }

    [Fact]
    public void AProgramOf64BitsOpensALibrary()
    {
        using var directory = new DirectoryNamespace(Folder);
        var linker = new DynamicLinker(directory);
        Instance program = linker.Instantiate(new Engine().Compile(Bytes("wide.wasm")));
        for (int i = 0; i < 3; i++) Assert.Equal(1000 + 100 + i, program.GetExport<Func<int, long>>("run")(i));
        Assert.Single(linker.Libraries);
    }

    [Fact]
    public void TheDriversLibrariesAreConstructedAndRuntimePathsAreFollowed()
    {
        using var directory = new DirectoryNamespace(Folder);
        var linker = new DynamicLinker(directory);
        linker.Instantiate(new Engine().CompileText("""
            (module (memory (export "memory") 1) (table (export "__indirect_function_table") 1 funcref) (global (export "__stack_pointer") (mut i32) (i32.const 4096)))
            """));
        DynamicLibrary library = linker.Open("libneeds.so");
        Assert.Equal(16 + (2 * 42), library.GetFunction<Func<int>>("twice_the_answer")());
        Assert.Equal("/deep/libshared.so", linker.Libraries.Single(l => l.Name == "libshared.so").Path);
    }
}
