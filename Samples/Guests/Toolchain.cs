using System.Text;
using WasmJit.DynamicLinking;

namespace WasmJit.Guests;

/// <summary>
/// clang and wasm-ld as guests (npm "@yowasp/clang", one program for both): C becomes programs and shared libraries without a file of the host being
/// written, and what they have made runs in the same process.
/// </summary>
public sealed class Toolchain
{
    private const string Work = "/work";

    private readonly Module llvm;
    private readonly string resources;

    /// <summary>Loads it.</summary>
    /// <param name="wasm">llvm.core.wasm.</param>
    /// <param name="resources">The folder with its headers and libraries, which becomes /usr.</param>
    /// <param name="options">The engine's options.</param>
    public Toolchain(string wasm, string resources, EngineOptions? options = null)
    {
        llvm = new Engine(options).CompileFile(wasm);
        this.resources = resources;
    }

    /// <summary>The files that it works with: sources, objects and what is linked.</summary>
    public MemoryFileSystem Files { get; } = new();

    /// <summary>Adds a source of this sample: program.c or plugin.c.</summary>
    /// <param name="name">Its name.</param>
    public void AddSample(string name)
    {
        using var source = new StreamReader(typeof(Toolchain).Assembly.GetManifestResourceStream(name)!);
        Files.WriteFile(name, source.ReadToEnd());
    }

    /// <summary>Compiles a C file.</summary>
    /// <returns>The name of the object.</returns>
    /// <param name="name">The source.</param>
    /// <param name="flags">What else clang is to know.</param>
    /// <exception cref="InvalidOperationException">It does not compile; the message is clang's.</exception>
    public string Compile(string name, params string[] flags)
    {
        string made = Path.ChangeExtension(name, ".o");
        Run("clang", ["--target=wasm32-wasip1", "-O2", "-fPIC", "-fvisibility=default", .. flags, "-c", $"{Work}/{name}", "-o", $"{Work}/{made}"]);
        return made;
    }

    /// <summary>Links objects to a shared library.</summary>
    /// <exception cref="InvalidOperationException">It does not link; the message is wasm-ld's.</exception>
    public void LinkLibrary(string made, params string[] objects) =>
        Run("wasm-ld", ["-shared", "--unresolved-symbols=import-dynamic", "--strip-debug", .. objects.Select(o => $"{Work}/{o}"), "-o", $"{Work}/{made}"]);

    /// <summary>Links objects to a program that can load shared libraries.</summary>
    /// <exception cref="InvalidOperationException">It does not link; the message is wasm-ld's.</exception>
    public void LinkProgram(string made, params string[] objects)
    {
        const string libraries = "/usr/lib/wasm32-wasip1";
        Run("wasm-ld", [
            "--export-table", "--growable-table", "--export-dynamic", "--export=__stack_pointer", "--export=malloc", "--export=free",
            "--unresolved-symbols=import-dynamic", "--strip-debug", $"{libraries}/crt1.o", .. objects.Select(o => $"{Work}/{o}"), $"-L{libraries}", "-lc",
            "/usr/lib/wasm32-unknown-wasip1/libclang_rt.builtins.a", "-o", $"{Work}/{made}"]);
    }

    /// <summary>Runs a program that it has linked, which finds the libraries that it has linked.</summary>
    /// <returns>What the program prints.</returns>
    /// <param name="name">The program.</param>
    /// <param name="arguments">Its arguments.</param>
    /// <exception cref="InvalidOperationException">It ends with another exit code than 0.</exception>
    public string RunProgram(string name, params string[] arguments)
    {
        var libraries = new MemoryNamespace();
        foreach (string file in Files.ListFiles().Where(f => f.EndsWith(".so", StringComparison.Ordinal))) libraries.Add(file, Files.ReadFile(file));
        using var output = new MemoryStream();
        using var wasi = new WasiHost(new WasiOptions { Arguments = [name, .. arguments], Output = output });
        int code = wasi.Run(llvm.Engine.Compile(Files.ReadFile(name)), new DynamicLinker(libraries));
        string printed = Encoding.UTF8.GetString(output.ToArray());
        return code == 0 ? printed : throw new InvalidOperationException($"{name} ends with {code}: {printed}");
    }

    private void Run(string tool, IReadOnlyList<string> arguments)
    {
        using var output = new MemoryStream();
        using var wasi = new WasiHost(new WasiOptions
        {
            Arguments = [tool, .. arguments],
            Directories = [new WasiDirectory(resources, "/usr", ReadOnly: true)],
            FileSystems = [new WasiMount(Files, Work)],
            Output = output,
            Error = output,
        });
        if (wasi.Run(llvm) != 0) throw new InvalidOperationException($"{tool}: {Encoding.UTF8.GetString(output.ToArray())}");
    }
}
