using System.Text;
using WasmJit.DynamicLinking;
using Xunit;

namespace WasmJit.Tests;

/// <summary>The C program of Samples/Dlopen: two libraries that need each other.</summary>
public sealed class DlopenProgramTests
{
    private static readonly string Folder = Golden.InRepository("Samples/Dlopen");

    private static string Run(ModuleNamespace libraries, EngineOptions options, string name = "main.wasm")
    {
        Module program = new Engine(options).Compile(File.ReadAllBytes(Path.Combine(Folder, name)));
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

    /// <summary>A position-independent one, which needs the same libraries from its start.</summary>
    [Fact]
    public void APositionIndependentProgramSaysWhatItShould()
    {
        using var directory = new DirectoryNamespace(Folder);
        Golden.Equal("pie.txt", Run(directory, new EngineOptions(), "pie.wasm"));
    }

    /// <summary>All of it saved as .NET assemblies, on an engine that compiles nothing.</summary>
    [Fact]
    public void ItSaysTheSameWithoutACompiler()
    {
        string folder = Directory.CreateTempSubdirectory("wasmjit-saved-").FullName;
        try
        {
            var engine = new Engine();
            foreach (string name in new[] { "main.wasm", "libping.so", "libpong.so" })
                engine.Compile(File.ReadAllBytes(Path.Combine(Folder, name))).Save(Path.Combine(folder, name + ".dll"));
            var saved = new SavedNamespace(folder);
            var loader = new Engine(Tiers.Never);
            var output = new MemoryStream();
            using var wasi = new WasiHost(new WasiOptions { Output = output });
            Assert.Equal(0, wasi.Run(saved.Load(loader, "main.wasm"), new DynamicLinker(saved)));
            Golden.Equal("dlopen.txt", Encoding.UTF8.GetString(output.ToArray()));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>Broken libraries, run as far as they go with little to spend: an error or a trap, and the program goes on.</summary>
    [Fact]
    public void BrokenLibrariesDoNoHarm()
    {
        var random = new Random(16);
        var engine = new Engine(new EngineOptions { CountFuel = true });
        Module program = engine.Compile(File.ReadAllBytes(Path.Combine(Folder, "main.wasm")));
        byte[] good = File.ReadAllBytes(Path.Combine(Folder, "libping.so"));
        var libraries = new MemoryNamespace { { "libpong.so", File.ReadAllBytes(Path.Combine(Folder, "libpong.so")) } };
        int loaded = 0, failed = 0;
        for (int i = 0; i < 300; i++)
        {
            byte[] bad = [.. good];
            for (int n = random.Next(1, 5); n > 0; n--) bad[random.Next(8, bad.Length)] = (byte)random.Next(256);
            libraries.Add("libping.so", bad);
            using var wasi = new WasiHost(new WasiOptions { Output = Stream.Null });
            var linker = new DynamicLinker(libraries);
            Instance instance = wasi.Instantiate(program, linker, new Fuel(1_000_000));
            try
            {
                DynamicLibrary library = linker.Open("libping.so");
                instance.Fuel = new Fuel(1_000_000);
                linker.Close(library);
                loaded++;
            }
            catch (Exception e) when (e is DynamicLinkException or ModuleException or TrapException or WasiExitException)
            {
                failed++;
            }
            instance.Fuel = new Fuel(1_000_000);
            Assert.Equal(14, linker.Program.GetFunction<Func<int, int>>("twice")(7));
        }
        Assert.True(loaded > 10 && failed > 10, $"{loaded} loaded, {failed} failed");
    }

    [Fact]
    public void ItSaysTheSameWithLibrariesInMemory()
    {
        var libraries = new MemoryNamespace();
        foreach (string name in new[] { "libping.so", "libpong.so" }) libraries.Add(name, File.ReadAllBytes(Path.Combine(Folder, name)));
        Golden.Equal("dlopen.txt", Run(libraries, new EngineOptions { CountFuel = true, Interruptible = true }));
    }
}
