using Xunit;

namespace WasmJit.Tests.PublicApi;

/// <summary>Modules by path: in memory, on disk, several as one.</summary>
public sealed class NamespaceTests : IDisposable
{
    private static readonly Engine Engine = new();

    private readonly string folder = Directory.CreateTempSubdirectory("wasmjit-ns-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private static byte[] Answer(int answer) => Wat.ToBinary($"(module (func (export \"answer\") (result i32) (i32.const {answer})))");

    private static int AnswerOf(Module module) => module.Instantiate().GetExport<Func<int>>("answer")();

    private string Put(string path, byte[] bytes)
    {
        string full = Path.Combine(folder, path);
        Directory.CreateDirectory(Path.GetDirectoryName(full)!);
        File.WriteAllBytes(full, bytes);
        return full;
    }

    private static MemoryNamespace InMemory() => new() { { "/lib/one.wasm", Answer(1) }, { "lib/deep/two.wasm", Answer(2) } };

    public static TheoryData<string, int> Paths => new()
    {
        { "lib/one.wasm", 1 }, { "/lib/one.wasm", 1 }, { "./lib//one.wasm", 1 }, { "lib/deep/../one.wasm", 1 },
        { "/nothing/../lib/deep/two.wasm", 2 },
    };

    [Theory]
    [MemberData(nameof(Paths))]
    public void PathsAreResolvedFromTheRoot(string path, int answer)
    {
        Put("lib/one.wasm", Answer(1));
        Put("lib/deep/two.wasm", Answer(2));
        using var directory = new DirectoryNamespace(folder);
        Assert.Equal(answer, AnswerOf(directory.Load(Engine, path)));
        Assert.Equal(answer, AnswerOf(InMemory().Load(Engine, path)));
    }

    [Fact]
    public void AModuleInMemoryIsTheSameForAllWhoLoadIt()
    {
        Module module = Engine.Compile(Answer(5));
        var names = new MemoryNamespace { { "m", module } };
        Assert.Same(module, names.Load(new Engine(), "m"));
        Assert.True(names.Remove("m"));
        Assert.False(names.TryLoad(Engine, "m", out _));
    }

    [Fact]
    public void ADirectoryIsANamespaceThatItsPathsCannotLeave()
    {
        Put("lib/one.wasm", Answer(1));
        Put("lib/deep/two.wasm", Answer(2));
        using var directory = new DirectoryNamespace(folder);
        foreach (ModuleNamespace names in new ModuleNamespace[] { directory, InMemory() })
        {
            Assert.Equal(2, AnswerOf(names.LoadAt(Engine, "lib", "deep/two.wasm")));
            Assert.Equal(2, AnswerOf(names.GetDirectory("/lib").LoadAt(Engine, "deep", "two.wasm")));
            Assert.Throws<UnauthorizedAccessException>(() => names.LoadAt(Engine, "lib/deep", "../one.wasm"));
            Assert.Throws<UnauthorizedAccessException>(() => names.LoadAt(Engine, "lib", "/one.wasm"));
            Assert.Throws<DirectoryNotFoundException>(() => names.GetDirectory("nothing"));
            Assert.Throws<FileNotFoundException>(() => names.LoadAt(Engine, "lib", "two.wasm"));
        }
    }

    [Fact]
    public void WhatIsNotThereIsNotFound()
    {
        Put("lib/one.wasm", Answer(1));
        using var directory = new DirectoryNamespace(folder);
        foreach (ModuleNamespace names in new ModuleNamespace[] { directory, InMemory() })
        {
            foreach (string path in new[] { "", "/", "one.wasm", "lib/one.wasm/x", "LIB/one.wasm2", "lib/one.wasm\\" })
                Assert.Throws<FileNotFoundException>(() => names.Load(Engine, path));
            Assert.Throws<IOException>(() => names.Load(Engine, "lib/one\0.wasm"));
            Assert.Throws<IOException>(() => names.Load(Engine, new string('a', ModuleNamespace.LongestPath + 1)));
        }
        Assert.Throws<IOException>(() => directory.Load(Engine, "lib"));
    }

    [Fact]
    public void NoPathLeadsOutOfADirectory()
    {
        string secret = Put("secret.wasm", Answer(13));
        Put("in/lib/one.wasm", Answer(1));
        string inside = Path.Combine(folder, "in");
        using var names = new DirectoryNamespace(inside);
        Assert.Throws<UnauthorizedAccessException>(() => names.Load(Engine, "../secret.wasm"));
        Assert.Throws<UnauthorizedAccessException>(() => names.Load(Engine, "lib/../../secret.wasm"));
        Assert.Throws<FileNotFoundException>(() => names.Load(Engine, secret));
        if (OperatingSystem.IsWindows()) return;
        File.CreateSymbolicLink(Path.Combine(inside, "up.wasm"), "../secret.wasm");
        File.CreateSymbolicLink(Path.Combine(inside, "absolute.wasm"), secret);
        File.CreateSymbolicLink(Path.Combine(inside, "self"), "self");
        Directory.CreateSymbolicLink(Path.Combine(inside, "out"), "..");
        File.CreateSymbolicLink(Path.Combine(inside, "good.wasm"), "lib/one.wasm");
        Directory.CreateSymbolicLink(Path.Combine(inside, "lib/back"), "../lib");
        foreach (string path in new[] { "up.wasm", "absolute.wasm", "out/secret.wasm", "lib/back/../../up.wasm" })
            Assert.ThrowsAny<UnauthorizedAccessException>(() => names.Load(Engine, path));
        Assert.Throws<IOException>(() => names.Load(Engine, "self"));
        Assert.Equal(1, AnswerOf(names.Load(Engine, "good.wasm")));
        Assert.Equal(1, AnswerOf(names.Load(Engine, "lib/back/one.wasm")));
        // A link that stays in the whole and leads out of the part.
        Assert.Throws<UnauthorizedAccessException>(() => names.LoadAt(Engine, "lib", "back/one.wasm"));
    }

    [Fact]
    public void TheFirstOfSeveralThatHasAPathGivesTheModule()
    {
        Put("a/x.wasm", Answer(1));
        using var directory = new DirectoryNamespace(folder);
        ModuleNamespace all = ModuleNamespace.Combine(
            new MemoryNamespace { { "a/y.wasm", Answer(2) } }, directory, new MemoryNamespace { { "a/x.wasm", Answer(3) }, { "a/z.wasm", Answer(4) } });
        Assert.Equal(1, AnswerOf(all.Load(Engine, "a/x.wasm")));
        Assert.Equal(2, AnswerOf(all.LoadAt(Engine, "a", "y.wasm")));
        Assert.Equal(4, AnswerOf(all.LoadAt(Engine, "a", "z.wasm")));
        Assert.False(all.TryLoad(Engine, "a/w.wasm", out _));
    }

    [Fact]
    public void SavedModulesAreServedByAHostThatCompilesNothing()
    {
        string outside = Put("outside/x.dll", []);
        Directory.CreateDirectory(Path.Combine(folder, "saved/deep"));
        Engine.Compile(Answer(7)).Save(Path.Combine(folder, "saved/deep/seven.dll"));
        Engine.Compile(Answer(8)).Save(Path.Combine(folder, "saved/eight.so.dll"));
        Put("saved/bad.dll", [1, 2, 3]);
        if (!OperatingSystem.IsWindows()) File.CreateSymbolicLink(Path.Combine(folder, "saved/link.dll"), outside);
        var names = new SavedNamespace(Path.Combine(folder, "saved"));
        var never = new Engine(new EngineOptions { Compilation = Compilation.Never });
        Module seven = names.Load(never, "deep/seven.wasm");
        Assert.Equal(7, AnswerOf(seven));
        Assert.Same(seven, names.LoadAt(never, "deep", "seven"));
        Assert.Equal(8, AnswerOf(names.Load(never, "eight.so")));
        Assert.Throws<FileNotFoundException>(() => names.Load(never, "link"));
        Assert.Throws<UnauthorizedAccessException>(() => names.Load(never, "../outside/x"));
        Assert.Throws<IOException>(() => names.Load(never, "bad"));
        // Put there later, it is not there.
        Engine.Compile(Answer(9)).Save(Path.Combine(folder, "saved/nine.dll"));
        Assert.False(names.TryLoad(never, "nine", out _));
        Assert.Equal(["bad", "bad.wasm", "deep/seven", "deep/seven.wasm", "eight.so", "eight.so.wasm"], names.Paths.Order(StringComparer.Ordinal));
        // Bytes need a compiler.
        Assert.Throws<CompilationNotAllowedException>(() => InMemory().Load(never, "lib/one.wasm"));
        GC.KeepAlive(seven);
    }

    [Fact]
    public void BytesThatAreNoModuleAreRejected()
    {
        Put("bad.wasm", [0, 1, 2, 3]);
        using var directory = new DirectoryNamespace(folder);
        Assert.Throws<MalformedModuleException>(() => directory.Load(Engine, "bad.wasm"));
    }
}
