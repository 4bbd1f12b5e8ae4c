using WasmJit.DynamicLinking;
using Xunit;

namespace WasmJit.Tests.PublicApi;

/// <summary>The link map while code of the guest runs that opens and closes libraries itself, traps, or is stopped.</summary>
public sealed class LinkMapTests
{
    /// <summary>Opens and closes through its exports, notes in <c>env.note</c> what happens; handles are in its memory at 2048.</summary>
    private const string Program = """
        (module $program
          (import "env" "dlopen" (func $dlopen (param i32 i32) (result i32)))
          (import "env" "dlsym" (func $dlsym (param i32 i32) (result i32)))
          (import "env" "dlclose" (func $dlclose (param i32) (result i32)))
          (memory (export "memory") 2) (table (export "__indirect_function_table") 3 funcref)
          (global (export "__stack_pointer") (mut i32) (i32.const 65536))
          (func (export "open") (param i32) (result i32) (call $dlopen (local.get 0) (i32.const 2)))
          (func (export "sym") (param i32 i32) (result i32) (call $dlsym (local.get 0) (local.get 1)))
          (func (export "close") (param i32) (result i32) (call $dlclose (local.get 0))))
        """;

    private readonly MemoryNamespace libraries = new();
    private readonly List<int> notes = [];
    private DynamicLinker linker = null!;

    private void Library(string name, string fields, string needed = "")
    {
        string dylink = "\\01\\04\\08\\02\\01\\00";
        if (needed.Length > 0) dylink += $"\\02\\{needed.Length + 2:x2}\\01\\{needed.Length:x2}{needed}";
        libraries.Add(name, Wat.ToBinary($"""
            (module (@custom "dylink.0" (before first) "{dylink}")
              (import "env" "memory" (memory 0)) (import "env" "__indirect_function_table" (table $table 0 funcref))
              (import "env" "__memory_base" (global $memory_base i32)) (import "env" "__table_base" (global $table_base i32))
              (import "env" "__cxa_atexit" (func $atexit (param i32 i32 i32) (result i32)))
              (import "env" "dlopen" (func $dlopen (param i32 i32) (result i32))) (import "env" "dlclose" (func $dlclose (param i32) (result i32)))
              (import "env" "note" (func $note (param i32)))
              {fields})
            """));
    }

    /// <summary>A library with a destructor, and what that does.</summary>
    private void Dying(string name, string destructor, string more = "", string needed = "") => Library(name, $"""
        (elem (table $table) (global.get $table_base) func $end)
        (func (export "__wasm_call_ctors") (drop (call $atexit (global.get $table_base) (i32.const 0) (i32.const 0))))
        (func $end (param i32) {destructor})
        {more}
        """, needed);

    private DynamicLinker Start(string program = Program, Imports? more = null)
    {
        linker = new DynamicLinker(libraries);
        Imports imports = more ?? [];
        imports.Add("env", "note", (Action<int>)notes.Add);
        linker.Instantiate(new Engine(new EngineOptions { Interruptible = true }).CompileText(program), imports);
        return linker;
    }

    private int OpenAsGuest(string name)
    {
        linker.Memory.WriteString(256, name + "\0");
        return linker.Program.GetFunction<Func<int, int>>("open")(256);
    }

    private string Loaded => string.Join(' ', linker.Libraries.Select(l => l.Name).Skip(1));

    private static string Number(int value) => $"(i32.const {value})";

    private static string Close(int address) => $"(drop (call $dlclose (i32.load {Number(address)})))";

    [Fact]
    public void ADestructorOfTheProgramsEndMayCloseOthers()
    {
        Dying("a.so", $"(call $note {Number(1)})");
        Dying("b.so", $"(call $note {Number(2)})");
        Dying("c.so", $"(call $note {Number(3)}) {Close(2048)} {Close(2052)}");
        Start();
        linker.Memory.Write(2048, OpenAsGuest("a.so"));
        linker.Memory.Write(2052, OpenAsGuest("b.so"));
        linker.Memory.Write(2056, OpenAsGuest("c.so"));
        linker.RunDestructors();
        Assert.Equal([3, 1, 2], notes);
        Assert.Equal("c.so", Loaded);
        linker.RunDestructors();
        Assert.Equal(3, notes.Count);
    }

    [Fact]
    public void WhatADyingLibraryUsesOutlivesIt()
    {
        // The destructor of "user" closes "used", and then calls it and reads its data.
        Dying("used.so", $"(call $note {Number(9)})", """
            (data (global.get $memory_base) "\2a\00\00\00") (func (export "answer") (result i32) (i32.load (global.get $memory_base)))
            """);
        Start(Program.Replace("(func (export \"open\")", """
            (func (export "malloc") (param i32) (result i32) (i32.const 4096)) (func (export "free") (param i32) (i64.store (i32.const 4096) (i64.const -1)))
            (func (export "open")
            """, StringComparison.Ordinal));
        linker.Memory.WriteString(256, "used.so\0");
        linker.Open("used.so", OpenModes.Global);
        linker.Memory.Write(2048, OpenAsGuest("used.so"));
        linker.Close(linker.Libraries[1]);
        libraries.Add("user.so", Wat.ToBinary($"""
            (module (@custom "dylink.0" (before first) "\01\04\00\00\01\00")
              (import "env" "__indirect_function_table" (table $table 0 funcref)) (import "env" "__table_base" (global $table_base i32))
              (import "env" "memory" (memory 0))
              (import "env" "__cxa_atexit" (func $atexit (param i32 i32 i32) (result i32))) (import "env" "dlclose" (func $dlclose (param i32) (result i32)))
              (import "env" "note" (func $note (param i32))) (import "env" "answer" (func $answer (result i32)))
              (elem (table $table) (global.get $table_base) func $end)
              (func (export "__wasm_call_ctors") (drop (call $atexit (global.get $table_base) (i32.const 0) (i32.const 0))))
              (func $end (param i32) {Close(2048)} (call $note (call $answer))))
            """));
        DynamicLibrary user = linker.Open("user.so");
        linker.Close(user);
        Assert.Equal([42, 9], notes);
        Assert.Equal("", Loaded);
    }

    [Fact]
    public void ADestructorMayOpenItsOwnLibraryAgain()
    {
        // A new copy, while the old one dies; it may do so once.
        Dying("a.so", $"""
            (call $note {Number(1)})
            (if (i32.eqz (i32.load {Number(2060)})) (then (i32.store {Number(2060)} {Number(1)}) (i32.store {Number(2064)} (call $dlopen {Number(256)} {Number(2)}))))
            """);
        Start();
        int first = OpenAsGuest("a.so");
        DynamicLibrary old = linker.Libraries[1];
        Assert.Equal(0, linker.Program.GetFunction<Func<int, int>>("close")(first));
        Assert.False(old.IsLoaded);
        Assert.Equal("a.so", Loaded);
        int second = linker.Memory.Read<int>(2064);
        Assert.NotEqual(first, second);
        Assert.Equal(-1, linker.Program.GetFunction<Func<int, int>>("close")(first));
        Assert.Equal(0, linker.Program.GetFunction<Func<int, int>>("close")(second));
        Assert.Equal([1, 1], notes);
        Assert.Equal("", Loaded);
    }

    [Fact]
    public void AConstructorMayCloseWhatIsBeingOpened()
    {
        // "root" needs "part", whose constructor opens and closes root until it is not open any more.
        Library("part.so", $"""
            (global $h (mut i32) (i32.const 0))
            (func (export "__wasm_call_ctors")
              (global.set $h (call $dlopen {Number(256)} {Number(2)})) (call $note (i32.ne (global.get $h) {Number(0)}))
              (call $note (call $dlclose (global.get $h))) (call $note (call $dlclose (global.get $h))) (call $note (call $dlclose (global.get $h))))
            """);
        Library("root.so", "(func (export \"__wasm_call_ctors\") (call $note (i32.const 50)))", "part.so");
        Start();
        Assert.Equal(0, OpenAsGuest("root.so"));
        // Its constructors ran, in the inner call; the third close finds that it is not open.
        Assert.Equal([50, 1, 0, 0, -1], notes);
        Assert.Equal("", Loaded);
        Library("other.so", "(func (export \"f\"))");
        Assert.NotEqual(0, OpenAsGuest("other.so"));
        Assert.Equal("other.so", Loaded);
    }

    [Fact]
    public void AConstructorThatTrapsLeavesNothingBehind()
    {
        Dying("good.so", $"(call $note {Number(7)})");
        Library("bad.so", "(func (export \"__wasm_call_ctors\") (drop (call $atexit (global.get $table_base) (i32.const 0) (i32.const 0))) (unreachable))", "good.so");
        Start();
        int slots = 0;
        for (int i = 0; i < 3; i++)
        {
            Assert.Equal(TrapKind.Unreachable, Assert.Throws<TrapException>(() => linker.Open("bad.so", OpenModes.Global | OpenModes.NoDelete)).Kind);
            Assert.Equal("", Loaded);
            int size = linker.Program.Instance.GetExport<Table>("__indirect_function_table").Size;
            if (i > 0) Assert.Equal(slots, size);
            slots = size;
        }
        // What had been made was unmade, each time.
        Assert.Equal([7, 7, 7], notes);
        DynamicLibrary good = linker.Open("good.so");
        Assert.Throws<TrapException>(() => linker.Open("bad.so"));
        Assert.Equal("good.so", Loaded);
        Assert.True(good.IsLoaded);
        linker.Close(good);
        Assert.Equal("", Loaded);
    }

    [Fact]
    public void ADestructorThatTrapsStopsNoOther()
    {
        Dying("a.so", "(unreachable)");
        Library("c.so", "", "a.so");
        Start();
        DynamicLibrary library = linker.Open("c.so");
        Assert.Throws<TrapException>(() => linker.Close(library));
        Assert.False(library.IsLoaded);
        Assert.Equal("", Loaded);
        Assert.Throws<InvalidOperationException>(() => linker.Close(library));
        linker.Open("a.so");
        Assert.Throws<TrapException>(linker.RunDestructors);
        linker.RunDestructors();
        Assert.Equal("a.so", Loaded);
    }

    [Fact]
    public void AnAllocatorThatOpensLibrariesIsRefused()
    {
        Library("a.so", "(func (export \"f\"))");
        Library("b.so", "(func (export \"f\"))");
        const string greedy = """
            (global $next (mut i32) (i32.const 4096)) (global $h (mut i32) (i32.const 0))
            (func (export "malloc") (param i32) (result i32)
              (call $note (call $dlopen (i32.const 300) (i32.const 2))) (call $note (call $dlopen (i32.const 256) (i32.const 2)))
              (drop (call $dlclose (global.get $h)))
              (global.set $next (i32.add (global.get $next) (i32.const 64))) (i32.sub (global.get $next) (i32.const 64)))
            (func (export "free") (param i32) (call $note (i32.ne (call $dlopen (i32.const 300) (i32.const 2)) (i32.const 0))))
            """;
        Start(Program.Replace("(memory (export", "(import \"env\" \"note\" (func $note (param i32))) (memory (export", StringComparison.Ordinal)
            .Replace("(func (export \"open\")", greedy + "(func (export \"open\")", StringComparison.Ordinal));
        linker.Memory.WriteString(300, "b.so\0");
        int handle = OpenAsGuest("a.so");
        Assert.NotEqual(0, handle);
        Assert.Equal([0, 0], notes);
        Assert.Equal("a.so", Loaded);
        notes.Clear();
        // When it takes memory back, the library is gone, and others can be opened; what that allocates is refused again.
        Assert.Equal(0, linker.Program.GetFunction<Func<int, int>>("close")(handle));
        Assert.Equal("b.so", Loaded);
        Assert.Equal([0, 0, 1], notes);
    }

    [Fact]
    public void DestructorsWithoutEndCanBeStopped()
    {
        // Each registers itself again.
        Dying("a.so", "(drop (call $atexit (global.get $table_base) (i32.const 0) (i32.const 0)))");
        Start();
        linker.Open("a.so");
        using var stop = new CancellationTokenSource();
        Assert.ThrowsAny<OperationCanceledException>(() => Guest.Run(
            () =>
            {
                stop.CancelAfter(200);
                linker.RunDestructors();
            },
            stop.Token));
        using var again = new CancellationTokenSource();
        // It may have been stopped between its call and its registration; either way the library goes.
        Record.Exception(() => Guest.Run(
            () =>
            {
                again.CancelAfter(200);
                linker.Close(linker.Libraries[1]);
            },
            again.Token));
        Assert.Equal("", Loaded);
    }

    [Fact]
    public void AThreadThatWaitsForAnothersConstructorsCanBeStopped()
    {
        Library("slow.so", "(func (export \"__wasm_call_ctors\") (call $note (i32.const 1)))");
        using var entered = new ManualResetEventSlim();
        using var leave = new ManualResetEventSlim();
        linker = new DynamicLinker(libraries);
        linker.Instantiate(new Engine(new EngineOptions { Interruptible = true }).CompileText(Program), new Imports
        {
            { "env", "note", (Action<int>)(_ => { entered.Set(); leave.Wait(); }) },
        });
        var thread = new Thread(() => linker.Open("slow.so"));
        thread.Start();
        entered.Wait();
        using var stop = new CancellationTokenSource(TimeSpan.FromMilliseconds(100));
        Assert.ThrowsAny<OperationCanceledException>(() => Guest.Run(() => { linker.Program.GetFunction<Func<int, int, int>>("sym")(0, 256); }, stop.Token));
        leave.Set();
        thread.Join();
        Assert.Equal("slow.so", Loaded);
    }

    [Fact]
    public void NamesThatAreNoUtf8NameNoOtherLibrary()
    {
        Library("\ufffd.so", "");
        Start();
        linker.Memory.WriteBytes(256, [0xff, (byte)'.', (byte)'s', (byte)'o', 0]);
        Assert.Equal(0, linker.Program.GetFunction<Func<int, int>>("open")(256));
        Assert.Equal(0, linker.Program.GetFunction<Func<int, int, int>>("sym")(0, 256));
        Assert.NotEqual(0, OpenAsGuest("\ufffd.so"));
    }
}
