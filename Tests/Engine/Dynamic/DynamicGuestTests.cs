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

    /// <summary>The same sources with the exceptions of Emscripten's JavaScript: program and libraries call what may throw through invokers.</summary>
    [Theory]
    [InlineData(Compilation.Lazy)]
    [InlineData(Compilation.Tiered)]
    [InlineData(Compilation.Interpreted)]
    public void ExceptionsOfJavaScriptCrossLibraries(Compilation compilation)
    {
        using var directory = new DirectoryNamespace(Path.Combine(Folder, "javascript"));
        (string printed, Exception? end) = RunForJavaScript("throws.wasm", compilation, new DynamicLinker(directory));
        Assert.True(end is null or WasiExitException { ExitCode: 0 }, $"{end}");
        Golden.Equal("throws.txt", printed);
    }

    /// <summary>Handlers in handlers; the golden file is what the program prints natively, up to the exception that is not caught.</summary>
    [Theory]
    [InlineData(Compilation.Lazy)]
    [InlineData(Compilation.Tiered)]
    [InlineData(Compilation.Interpreted)]
    public void ExceptionsOfJavaScriptAreHandledInOrder(Compilation compilation)
    {
        (string printed, Exception? end) = RunForJavaScript("handlers.wasm", compilation, null);
        Golden.Equal("handlers.txt", printed);
        // The value is the address of the exception.
        Assert.NotEqual(0, Assert.IsType<WasmException>(end).GetValue<int>(0));
    }

    private static (string Printed, Exception? End) RunForJavaScript(string program, Compilation compilation, DynamicLinker? linker)
    {
        Module module = new Engine(new EngineOptions { Compilation = compilation }).Compile(Bytes(Path.Combine("javascript", program)));
        var output = new MemoryStream();
        using var wasi = new WasiHost(new WasiOptions { Output = output });
        Action start = new EmscriptenImports().Instantiate(module, wasi.Imports, linker).GetExport<Action>("_start");
        Exception? end = Record.Exception(start);
        return (Encoding.UTF8.GetString(output.ToArray()), end);
    }

    /// <summary>The library is opened after the first of two further threads has been made, before the second.</summary>
    [Theory]
    [InlineData(Compilation.Lazy)]
    [InlineData(Compilation.Tiered)]
    public async Task EachThreadHasItsOwnVariablesAndStack(Compilation compilation)
    {
        using var directory = new DirectoryNamespace(Folder);
        var linker = new DynamicLinker(directory);
        Instance program = linker.Instantiate(new Engine(new EngineOptions { Compilation = compilation }).Compile(Bytes("threads.wasm")));
        using DynamicThread early = linker.CreateThread();
        Assert.Equal(1, program.GetExport<Func<int>>("open_library")());
        DynamicLibrary library = linker.Libraries[1];
        using DynamicThread late = linker.CreateThread(1 << 17);
        const int times = 20_000;
        var threads = new[] { early, late };
        Task<int>[] running =
        [
            Task.Run(() => linker.Program.GetFunction<Func<int, int, int>>("work")(times, 1)),
            .. threads.Select((t, i) => Task.Run(() => t.GetFunction<Func<int, int, int>>(linker.Program, "work")(times, i + 2))),
        ];
        int[] results = await Task.WhenAll(running);
        Assert.Equal([3 + times, 3 + (2 * times), 3 + (3 * times)], results);
        Assert.Equal(5 + times, library.GetFunction<Func<int>>("read_counter")());
        for (int i = 0; i < threads.Length; i++)
        {
            Assert.Equal(5 + ((i + 2) * times), threads[i].GetFunction<Func<int>>(library, "read_counter")());
            Assert.Equal(times, threads[i].GetFunction<Func<int>>(library, "read_calls")());
            Assert.Equal(10 + (3 * times), threads[i].GetFunction<Func<int>>(library, "read_shared")());
        }
        ulong[] counters = [library.GetAddress("counter"), early.GetAddress(library, "counter"), late.GetAddress(library, "counter")];
        Assert.Equal(3, counters.Distinct().Count());
        Assert.Equal([5 + times, 5 + (2 * times), 5 + (3 * times)], counters.Select(linker.Memory.Read<int>));
        Assert.Equal(linker.Program.GetAddress("shared"), late.GetAddress(linker.Program, "shared"));
        late.Dispose();
        Assert.Throws<ObjectDisposedException>(() => late.GetAddress(library, "counter"));
        linker.Close(library);
        Assert.Throws<ObjectDisposedException>(() => early.GetFunction<Func<int>>(library, "read_counter"));
        Assert.Equal(1, program.GetExport<Func<int>>("open_library")());
        Assert.Equal(5, early.GetFunction<Func<int>>(linker.Libraries[1], "read_counter")());
    }

    [Fact]
    public void WhatWasNotMadeForThreadsIsRefused()
    {
        var libraries = new MemoryNamespace();
        var linker = new DynamicLinker(libraries);
        linker.Instantiate(new Engine().CompileText("""(module (memory (export "memory") 1))"""));
        Assert.Contains("no shared memory", Assert.Throws<DynamicLinkException>(() => linker.CreateThread()).Message);
        linker = new DynamicLinker(libraries);
        linker.Instantiate(new Engine().CompileText("""(module (memory (export "memory") 1 4 shared) (data (i32.const 0) "a"))"""));
        Assert.Contains("not linked for threads", Assert.Throws<DynamicLinkException>(() => linker.CreateThread()).Message);
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
