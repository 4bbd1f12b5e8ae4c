using WasmJit.DynamicLinking;
using Xunit;
using static WasmJit.Tests.PublicApi.DylinkText;

namespace WasmJit.Tests.PublicApi;

/// <summary>What the dynamic linker does for a guest costs fuel in proportion, ends when the guest is to stop, and takes no more memory than it must.</summary>
public sealed class DynamicLinkerCostTests
{
    private const string Program = """
        (module $program
          (import "env" "dlopen" (func $dlopen (param i32 i32) (result i32)))
          (import "env" "dlsym" (func $dlsym (param i32 i32) (result i32)))
          (import "env" "dlclose" (func $dlclose (param i32) (result i32)))
          (import "env" "dladdr" (func $dladdr (param i32 i32) (result i32)))
          (import "env" "stop" (func $stop))
          (memory (export "memory") 40)
          (table (export "__indirect_function_table") 3 funcref)
          (global (export "__stack_pointer") (mut i32) (i32.const 65536))
          (global $next (mut i32) (i32.const 100000))
          (global (export "stops") (mut i32) (i32.const 0))
          (func (export "malloc") (param i32) (result i32)
            (if (global.get 2) (then (call $stop)))
            (global.get $next)
            (global.set $next (i32.and (i32.add (i32.add (global.get $next) (local.get 0)) (i32.const 15)) (i32.const -16))))
          (func (export "open") (param i32) (result i32) (call $dlopen (i32.const 256) (local.get 0)))
          (func (export "sym") (param i32) (result i32) (call $dlsym (local.get 0) (i32.const 256)))
          (func (export "close") (param i32) (result i32) (call $dlclose (local.get 0)))
          (func (export "addr") (param i32) (result i32) (call $dladdr (local.get 0) (i32.const 1024))))
        """;

    private readonly MemoryNamespace libraries = new();
    private readonly Fuel fuel = new(long.MaxValue);

    private void Library(string name, string dylink, string fields) => libraries.Add(name, Wat.ToBinary($"(module {dylink} {fields})"));

    private DynamicLinker Start(Action? stop = null)
    {
        var linker = new DynamicLinker(libraries);
        var engine = new Engine(new EngineOptions { CountFuel = true, Interruptible = true });
        linker.Instantiate(engine.CompileText(Program), new Imports { { "env", "stop", stop ?? (() => { }) } }, fuel);
        return linker;
    }

    private long Cost(DynamicLinker linker, string function, string text, int argument, out int result)
    {
        linker.Memory.WriteString(256, text + "\0");
        long before = fuel.Remaining;
        result = linker.Program.GetFunction<Func<int, int>>(function)(argument);
        return before - fuel.Remaining;
    }

    private static string Many(int count, Func<int, string> text) => string.Concat(Enumerable.Range(0, count).Select(text));

    /// <summary>The linker makes a function for each one that is not defined.</summary>
    [Fact]
    public void MissingFunctionsAreCharged()
    {
        const int count = 2000;
        Library("lazy.so", Dylink(), Many(count, i => $"(import \"env\" \"m{i}\" (func (param i32)))"));
        Library("weak.so", Dylink(weak: [.. Enumerable.Range(0, count).Select(i => $"m{i}")]), Many(count, i => $"(import \"env\" \"m{i}\" (func (param i32)))"));
        Library("none.so", Dylink(), Many(count, i => $"(type (func (param i32))) (export \"m{i}\" (func $m))") + "(func $m (param i32))");
        DynamicLinker linker = Start();
        long none = Cost(linker, "open", "none.so", 1, out int handle);
        Assert.NotEqual(0, handle);
        foreach (string name in new[] { "lazy.so", "weak.so" })
        {
            long cost = Cost(linker, "open", name, 1, out handle);
            Assert.NotEqual(0, handle);
            Assert.True(cost > none + (500 * count), $"{name}: {cost}, {none}");
        }
    }

    /// <summary>A hundred thousand undefined functions were a compiled expression each, and took a minute.</summary>
    [Fact]
    public void MissingFunctionsShareTheirCode()
    {
        const int count = 20_000;
        Library("lazy.so", Dylink(), Many(count, i => $"(import \"env\" \"m{i}\" (func $f{i} (param i32)))") + "(func (export \"f\") (call $f7 (i32.const 1)))");
        DynamicLinker linker = Start();
        long before = System.Runtime.JitInfo.GetCompiledMethodCount();
        DynamicLibrary library = linker.Open("lazy.so", OpenModes.Lazy);
        Assert.True(System.Runtime.JitInfo.GetCompiledMethodCount() - before < count / 4);
        TrapException trap = Assert.Throws<TrapException>(library.GetFunction<Action>("f"));
        Assert.Contains("m7", trap.Message, StringComparison.Ordinal);
    }

    /// <summary>The allocator of the program, which runs first, has the guest stopped. No function is made any more.</summary>
    [Fact]
    public void MakingMissingFunctionsCanBeStopped()
    {
        const int count = 50;
        Library("lazy.so", Dylink(memory: 4), Base + Many(count, i => $"(import \"env\" \"m{i}\" (func (param {Many(i, _ => "i32 ")})))"));
        long all = Cost(Start(), "open", "lazy.so", 1, out int handle);
        Assert.NotEqual(0, handle);
        using var source = new CancellationTokenSource();
        DynamicLinker linker = Start(source.Cancel);
        linker.Program.Instance.GetExport<Global>("stops").Value = 1;
        long before = fuel.Remaining;
        Assert.ThrowsAny<OperationCanceledException>(() => Guest.Run(() => Cost(linker, "open", "lazy.so", 1, out _), source.Token));
        Assert.True(before - fuel.Remaining < all - (900 * count));
        Assert.Single(linker.Libraries);
    }

    /// <summary>A symbol is looked for in all libraries, and a library in all directories.</summary>
    [Fact]
    public void SearchesAreCharged()
    {
        const int count = 400;
        Library("no.so", Dylink(), "");
        Library("path.so", Dylink(needed: ["no.so"], path: [.. Enumerable.Range(0, count).Select(i => $"/d{i}")]), "");
        DynamicLinker linker = Start();
        Assert.True(Cost(linker, "open", "path.so", 2, out int handle) > 50 * count);
        Assert.NotEqual(0, handle);
        for (int i = 0; i < count; i++) Library($"l{i}.so", Dylink(), "");
        Library("all.so", Dylink(needed: [.. Enumerable.Range(0, count).Select(i => $"l{i}.so")]), "");
        Library("weak.so", Dylink(weak: [.. Enumerable.Range(0, count).Select(i => $"w{i}")]), Many(count, i => $"(import \"GOT.mem\" \"w{i}\" (global (mut i32)))"));
        long few = Cost(linker, "open", "weak.so", 2, out handle);
        long symbol = Cost(linker, "sym", "w0", 0, out _);
        long close = Cost(linker, "close", "", handle, out _);
        Assert.True(close < 1_000_000);
        Cost(linker, "open", "all.so", 2, out _);
        long many = Cost(linker, "open", "weak.so", 2, out handle);
        Assert.NotEqual(0, handle);
        Assert.True(many > few + (count * count / 20), $"{many}, {few}");
        Assert.True(Cost(linker, "sym", "w0", 0, out int none) >= symbol + (count / 8));
        Assert.Equal(0, none);
        Assert.True(Cost(linker, "close", "", handle, out _) >= close + count);
    }

    /// <summary>Names that stay without a definition are looked for again when a library becomes global, and only then.</summary>
    [Fact]
    public void WhatIsStillMissingIsLookedForWhenSomethingNewIsThere()
    {
        const int count = 3000;
        Library("weak.so", Dylink(weak: [.. Enumerable.Range(0, count).Select(i => $"w{i}")]), Many(count, i => $"(import \"GOT.mem\" \"w{i}\" (global (mut i32)))"));
        Library("new.so", Dylink(memory: 4), Base + "(global (export \"w5\") i32 (i32.const 0))");
        DynamicLinker linker = Start();
        Cost(linker, "open", "weak.so", 2, out int handle);
        Assert.NotEqual(0, handle);
        const int global = 0x100;
        Assert.True(Cost(linker, "open", "new.so", 2 | global, out int first) >= count);
        Assert.NotEqual(0, first);
        Assert.InRange(Cost(linker, "open", "new.so", 2 | global, out int second), 1, count - 1);
        Assert.Equal(first, second);
    }

    /// <summary>The symbol of an address is looked for among all of the library.</summary>
    [Fact]
    public void TheSearchForAnAddressIsCharged()
    {
        const int count = 5000;
        Library("many.so", Dylink(memory: 16), Base + Many(count, i => $"(export \"f{i}\" (func $f)) (global (export \"g{i}\") i32 (i32.const {i % 4 * 4}))") + "(func $f)");
        DynamicLinker linker = Start();
        Cost(linker, "open", "many.so", 2, out int handle);
        Cost(linker, "sym", "f7", handle, out int function);
        Cost(linker, "sym", "g5", handle, out int variable);
        foreach (int address in new[] { function, variable + 1 })
        {
            Assert.True(Cost(linker, "addr", "", address, out int found) >= 2 * count);
            Assert.Equal(1, found);
            int name = linker.Memory.Read<int>(1024 + 8);
            Assert.Equal(address == function ? "f0" : "g1", linker.Memory.ReadString((ulong)name));
        }
    }

    /// <summary>A name of some kilobytes that stands for megabytes is refused, at any place where names are.</summary>
    [Fact]
    public void NamesAreNotExpandedBeyondAPathsLength()
    {
        string origin = string.Concat(Enumerable.Repeat("/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 80));
        string large = string.Concat(Enumerable.Repeat("$ORIGIN", 100_000));
        Library("no.so", Dylink(), "");
        libraries.Add($"{origin}/needs.so", Wat.ToBinary($"(module {Dylink(needed: [$"{large}/x.so"])})"));
        libraries.Add($"{origin}/path.so", Wat.ToBinary($"(module {Dylink(needed: ["x.so"], path: [large])})"));
        libraries.Add($"{origin}/less.so", Wat.ToBinary($"(module {Dylink(needed: [large[..700] + "/x.so"])})"));
        DynamicLinker linker = Start();
        foreach (string name in new[] { "needs", "path", "less" })
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            Exception e = Assert.ThrowsAny<Exception>(() => linker.Open($"{origin}/{name}.so"));
            Assert.True(e is DynamicLinkException or IOException, $"{e}");
            Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < 20_000_000);
        }
        Assert.Single(linker.Libraries);
    }
}
