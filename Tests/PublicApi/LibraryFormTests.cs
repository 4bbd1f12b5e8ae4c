using System.Text;
using WasmJit.DynamicLinking;
using Xunit;
using static WasmJit.Tests.PublicApi.DylinkText;

namespace WasmJit.Tests.PublicApi;

/// <summary>The forms that programs and libraries have when different tools link them.</summary>
public sealed class LibraryFormTests
{
    private readonly MemoryNamespace libraries = new();
    private readonly List<int> notes = [];

    private void Library(string name, string dylink, string fields) => libraries.Add(name, Wat.ToBinary($"(module {dylink} {fields})"));

    private DynamicLinker Start(string program, DynamicLinkerOptions? options = null, EngineOptions? engine = null, Imports? imports = null)
    {
        var linker = new DynamicLinker(libraries, options);
        imports ??= [];
        imports.Add("env", "note", (Action<int>)notes.Add);
        linker.Instantiate(new Engine(engine ?? new EngineOptions()).CompileText(program), imports);
        return linker;
    }

    /// <summary>A program that is not position-independent; calls functions of the type (i32) -> i32 by their index.</summary>
    private const string Plain = """
        (module $program
          (import "env" "dlopen" (func $dlopen (param i32 i32) (result i32)))
          (import "env" "dlsym" (func $dlsym (param i32 i32) (result i32)))
          (import "env" "dladdr" (func $dladdr (param i32 i32) (result i32)))
          (memory (export "memory") 2) (table (export "__indirect_function_table") 3 funcref)
          (global (export "__stack_pointer") (mut i32) (i32.const 65536))
          (global (export "answer") i32 (i32.const 4096))
          (elem (i32.const 1) $inc)
          (func $inc (export "inc") (param i32) (result i32) (i32.add (local.get 0) (i32.const 1)))
          (func (export "open") (param i32 i32) (result i32) (call $dlopen (local.get 0) (local.get 1)))
          (func (export "sym") (param i32 i32) (result i32) (call $dlsym (local.get 0) (local.get 1)))
          (func (export "addr") (param i32 i32) (result i32) (call $dladdr (local.get 0) (local.get 1)))
          (func (export "call") (param $f i32) (param i32) (result i32) (call_indirect (param i32) (result i32) (local.get 1) (local.get $f))))
        """;

    private static int Open(DynamicLinker linker, string name, OpenModes mode = OpenModes.Now)
    {
        linker.Memory.WriteString(256, name + "\0");
        return linker.Program.GetFunction<Func<int, int, int>>("open")(256, (int)mode);
    }

    private static int Symbol(DynamicLinker linker, int handle, string name)
    {
        linker.Memory.WriteString(256, name + "\0");
        return linker.Program.GetFunction<Func<int, int, int>>("sym")(handle, 256);
    }

    private static int Call(DynamicLinker linker, int function, int argument) =>
        linker.Program.GetFunction<Func<int, int, int>>("call")(function, argument);

    // ---- what a symbol is ----

    [Fact]
    public void TheEndOfASharedCLibraryIsASymbol()
    {
        // As wasi-sdk's crt1.o with libc.so.
        Library("libc.so", Dylink(), """
            (import "env" "note" (func $note (param i32)))
            (func (export "__wasm_call_ctors") (call $note (i32.const 1)))
            (func (export "__wasm_call_dtors") (call $note (i32.const 3)))
            """);
        DynamicLinker linker = Start($$"""
            (module {{Dylink(needed: ["libc.so"])}} {{Base}}
              (import "env" "note" (func $note (param i32)))
              (import "env" "__wasm_call_dtors" (func $dtors))
              (func $ctors (call $note (i32.const 0)))
              (func (export "_start") (call $ctors) (call $note (i32.const 2)) (call $dtors)))
            """);
        linker.Initialize();
        linker.Program.GetFunction<Action>("_start")();
        Assert.Equal([1, 0, 2, 3], notes);
    }

    [Fact]
    public void WhatEachLibraryHasForItsLoaderIsNoSymbol()
    {
        Library("a.so", Dylink(), """(func (export "__wasm_call_ctors")) (func (export "__wasm_apply_data_relocs")) (func (export "__wasm_init_tls") (param i32))""");
        DynamicLinker linker = Start(Plain);
        int handle = Open(linker, "a.so");
        foreach (string name in new[] { "__wasm_call_ctors", "__wasm_apply_data_relocs", "__wasm_init_tls" }) Assert.Equal(0, Symbol(linker, handle, name));
    }

    // ---- constructors ----

    [Fact]
    public void ConstructorsBehindInitializeRunOnce()
    {
        const string note = """(import "env" "note" (func $note (param i32)))""";
        // As clang's driver links: crt1-reactor.o with --entry _initialize.
        Library("driver.so", Dylink(needed: ["older.so"]), note + """
            (global $done (mut i32) (i32.const 0))
            (func (export "_initialize") (if (global.get $done) (then unreachable)) (global.set $done (i32.const 1)) (call $note (i32.const 1)))
            """);
        // Both: the constructors alone, which run once whether the other one calls them or not.
        Library("both.so", Dylink(), note + """
            (func $ctors (export "__wasm_call_ctors") (call $note (i32.const 2))) (func (export "_initialize") (call $ctors))
            """);
        Library("older.so", OldDylink(), note + """(func (export "__post_instantiate") (call $note (i32.const 3)))""");
        DynamicLinker linker = Start(Plain);
        linker.Open("driver.so");
        linker.Open("driver.so");
        linker.Open("both.so");
        Assert.Equal([3, 1, 2], notes);
        // A program that needs it.
        notes.Clear();
        Start($"(module {Dylink(needed: ["driver.so"])} {Base})").Initialize();
        Assert.Equal([3, 1], notes);
    }

    // ---- what a program is ----

    [Theory]
    [InlineData("""(memory (export "memory") 3)""", """(table (export "__indirect_function_table") 3 funcref)""")]
    [InlineData("""(import "env" "memory" (memory 3))""", """(table (export "__indirect_function_table") 3 funcref)""")]
    [InlineData("""(memory (export "memory") 3)""", """(import "env" "__indirect_function_table" (table $t 3 funcref))""")]
    [InlineData("""(import "env" "memory" (memory 3))""", """(import "env" "__indirect_function_table" (table $t 3 funcref))""")]
    public void AProgramKeepsWhatItHasItself(string memory, string table)
    {
        Library("lib.so", Dylink(memory: 16, align: 4, table: 1), Base + """
            (import "env" "__stack_pointer" (global $sp (mut i32)))
            (elem (table $table) (global.get $table_base) func $sp)
            (func $sp (export "sp") (param i32) (result i32) (global.set $sp (i32.sub (global.get $sp) (local.get 0))) (global.get $sp))
            (func (export "place") (result i32) (global.get $memory_base))
            """);
        string[] imports = [.. new[] { memory, table }.Where(f => f.StartsWith("(import", StringComparison.Ordinal))];
        string[] own = [.. new[] { memory, table }.Except(imports)];
        // As pyodide: the section, and nothing that is position-independent.
        foreach (string dylink in new[] { Dylink(), "" })
        {
            DynamicLinker linker = Start($$"""
                (module {{dylink}} {{string.Concat(imports)}} {{string.Concat(own)}}
                  (global $sp (export "__stack_pointer") (mut i32) (i32.const 131072))
                  (global (export "there") i32 (i32.const 5000))
                  (elem (i32.const 1) $mine)
                  (func $mine (export "mine") (param i32) (result i32) (global.get $sp))
                  (func (export "call") (param $f i32) (param i32) (result i32) (call_indirect (param i32) (result i32) (local.get 1) (local.get $f))))
                """);
            Assert.Equal(0u, linker.Program.MemoryBase);
            Assert.Equal(5000u, linker.Program.GetAddress("there"));
            DynamicLibrary library = linker.Open("lib.so");
            Assert.Equal(131072 - 16, library.GetFunction<Func<int, int>>("sp")(16));
            Assert.Equal(131072 - 16, Call(linker, 1, 0));
            Assert.Equal(131072 - 32, Call(linker, (int)library.TableBase, 16));
            // No data of the program's may lie there: it has three pages.
            Assert.True(library.GetFunction<Func<int>>("place")() >= 3 * 65536);
        }
    }

    [Fact]
    public void AStackThatAProgramImportsLiesBehindItsData()
    {
        DynamicLinker linker = Start("""
            (module (import "env" "memory" (memory 1)) (import "env" "__stack_pointer" (global $sp (mut i32)))
              (import "GOT.mem" "__stack_low" (global $low (mut i32)))
              (data (i32.const 65535) "\01")
              (func (export "sp") (result i32) (i32.store8 (i32.sub (global.get $sp) (i32.const 1)) (i32.const 7)) (global.get $sp))
              (func (export "low") (result i32) (global.get $low)))
            """);
        int low = linker.Program.GetFunction<Func<int>>("low")(), high = linker.Program.GetFunction<Func<int>>("sp")();
        Assert.Equal(65536, low);
        Assert.Equal(131072, high);
        Assert.Equal((ulong)high, linker.Memory.Length);
    }

    [Fact]
    public void LibrariesOfAPositionIndependentProgramLieBelowItsHeap()
    {
        // An allocator that takes all memory above the heap's beginning for its own does no harm.
        Library("a.so", Dylink(memory: 100_000, align: 4), Base + """(global (export "a") i32 (i32.const 99992)) (data (global.get $memory_base) "\01")""");
        Library("b.so", Dylink(memory: 16, align: 3, needed: ["a.so"]), Base + """(global (export "b") i32 (i32.const 8))""");
        DynamicLinker linker = Start($$"""
            (module {{Dylink(memory: 24, needed: ["b.so", "a.so"])}} {{Base}}
              (import "env" "__stack_pointer" (global $sp (mut i32)))
              (import "GOT.mem" "__heap_base" (global $heap (mut i32))) (import "GOT.mem" "__stack_low" (global $low (mut i32)))
              (func (export "heap") (result i32) (global.get $heap)) (func (export "low") (result i32) (global.get $low)) (func (export "sp") (result i32) (global.get $sp)))
            """);
        uint low = (uint)linker.Program.GetFunction<Func<int>>("low")(), heap = (uint)linker.Program.GetFunction<Func<int>>("heap")();
        Assert.Equal(heap, (uint)linker.Program.GetFunction<Func<int>>("sp")());
        ulong a = linker.Libraries.Single(l => l.Name == "a.so").MemoryBase, b = linker.Libraries.Single(l => l.Name == "b.so").MemoryBase;
        Assert.True(a >= linker.Program.MemoryBase + 24 && a + 100_000 <= low && a % 16 == 0, $"{a}");
        Assert.True(b >= linker.Program.MemoryBase + 24 && b + 16 <= low && (b + 16 <= a || b >= a + 100_000) && b % 8 == 0, $"{b}");
        Assert.Equal(a + 99992, linker.Program.GetAddress("a"));
        Assert.Equal(1, linker.Memory.Read<byte>(a));
        Assert.True(linker.Memory.Length >= heap);
    }

    // ---- who defines what ----

    [Fact]
    public void AStubOfTheLinkersFunctionsDoesNotWin()
    {
        // As -ldl of wasi-sdk: a library that says that there is no dlopen.
        Library("libdl.so", Dylink(), """
            (func (export "dlopen") (param i32 i32) (result i32) (i32.const 0)) (func (export "dlsym") (param i32 i32) (result i32) (i32.const 0))
            (func (export "dlerror") (result i32) (i32.const 0)) (func (export "dlclose") (param i32) (result i32) (i32.const -1))
            """);
        Library("lib.so", Dylink(), """(func (export "seven") (param i32) (result i32) (i32.const 7))""");
        DynamicLinker linker = Start($$"""
            (module {{Dylink(table: 1, needed: ["libdl.so"])}} {{Base}}
              (import "env" "dlopen" (func $dlopen (param i32 i32) (result i32)))
              (import "env" "dlsym" (func $dlsym (param i32 i32) (result i32)))
              (import "GOT.func" "dlopen" (global $dlopen_at (mut i32)))
              (func (export "open") (param i32 i32) (result i32) (call $dlopen (local.get 0) (local.get 1)))
              (func (export "open_indirectly") (param i32 i32) (result i32)
                (call_indirect (param i32 i32) (result i32) (local.get 0) (local.get 1) (global.get $dlopen_at)))
              (func (export "sym") (param i32 i32) (result i32) (call $dlsym (local.get 0) (local.get 1)))
              (func (export "dlopen_at") (result i32) (global.get $dlopen_at))
              (func (export "call") (param $f i32) (param i32) (result i32) (call_indirect (param i32) (result i32) (local.get 1) (local.get $f))))
            """);
        int handle = Open(linker, "lib.so");
        Assert.NotEqual(0, handle);
        Assert.Equal(7, Call(linker, Symbol(linker, handle, "seven"), 0));
        linker.Memory.WriteString(256, "lib.so\0");
        Assert.Equal(handle, linker.Program.GetFunction<Func<int, int, int>>("open_indirectly")(256, 2));
        Assert.Equal(linker.Program.GetFunction<Func<int>>("dlopen_at")(), Symbol(linker, 0, "dlopen"));
        Assert.Equal(3, linker.Libraries.Count);
    }

    [Fact]
    public void PreloadedLibrariesComeBeforeWhatTheyNeed()
    {
        // "front" replaces twice, and calls the next one.
        Library("libc.so", Dylink(), """(func (export "twice") (param i32) (result i32) (i32.mul (local.get 0) (i32.const 2)))""");
        Library("front.so", Dylink(needed: ["libc.so"]), Base + """
            (import "env" "dlsym" (func $dlsym (param i32 i32) (result i32)))
            (func (export "twice") (param i32) (result i32)
              (i32.add (i32.const 100) (call_indirect (param i32) (result i32) (local.get 0) (call $dlsym (i32.const -1) (i32.const 512)))))
            (func (export "next") (param i32) (result i32) (call $dlsym (i32.const -1) (i32.const 512)))
            """);
        Library("user.so", Dylink(), """
            (import "env" "twice" (func $twice (param i32) (result i32))) (func (export "use") (param i32) (result i32) (call $twice (local.get 0)))
            """);
        DynamicLinker linker = Start(Plain.Replace("(memory (export", $"(memory (export", StringComparison.Ordinal).Replace(
            "(module $program", $"(module $program {Dylink(needed: ["libc.so"])}", StringComparison.Ordinal), new DynamicLinkerOptions { Preload = ["front.so"] });
        linker.Memory.WriteString(512, "twice\0");
        Assert.Equal(110, linker.Open("user.so").GetFunction<Func<int, int>>("use")(5));
        Assert.Equal(110, Call(linker, Symbol(linker, 0, "twice"), 5));
        // Behind the last one there is none.
        linker.Memory.WriteString(512, "nothing\0");
        Assert.Equal(0, linker.Libraries.Single(l => l.Name == "front.so").GetFunction<Func<int, int>>("next")(0));
    }

    // ---- functions that are not defined anywhere ----

    [Theory]
    [InlineData(Compilation.Lazy)]
    [InlineData(Compilation.Interpreted)]
    public void AddressesOfMissingFunctionsTrapWithTheirNames(Compilation compilation)
    {
        Library("lib.so", Dylink(memory: 4, table: 1), Base + """
            (import "GOT.func" "missing" (global $missing (mut i32)))
            (func (export "__wasm_apply_data_relocs") (i32.store (global.get $memory_base) (global.get $missing)))
            (func (export "use") (param i32) (result i32) (call_indirect (param i32) (result i32) (local.get 0) (i32.load (global.get $memory_base))))
            (func (export "use_plain") (call_indirect (global.get $missing)))
            (func (export "at") (result i32) (global.get $missing))
            (func (export "kept") (result i32) (i32.load (global.get $memory_base)))
            """);
        Library("late.so", Dylink(table: 1), Base + """
            (elem (table $table) (global.get $table_base) func $missing)
            (func $missing (export "missing") (param i32) (result i32) (i32.add (local.get 0) (i32.const 40)))
            """);
        var options = new EngineOptions { Compilation = compilation };
        DynamicLinker linker = Start(Plain, engine: options);
        Assert.Equal("lib.so: undefined symbol: missing", Assert.Throws<DynamicLinkException>(() => linker.Open("lib.so")).Message);
        Table table = linker.Program.Instance.GetExport<Table>("__indirect_function_table");
        int size = table.Size;
        DynamicLibrary library = linker.Open("lib.so", OpenModes.Lazy);
        foreach (Action call in new Action[] { () => library.GetFunction<Func<int, int>>("use")(2), library.GetFunction<Action>("use_plain") })
        {
            TrapException trap = Assert.Throws<TrapException>(call);
            Assert.Equal(TrapKind.UnknownImport, trap.Kind);
            Assert.Contains("lib.so: undefined symbol: missing", trap.Message);
        }
        Assert.NotEqual(0, library.GetFunction<Func<int>>("at")());
        // A pointer taken before the definition was there leads to the definition now; new pointers are its one index.
        DynamicLibrary late = linker.Open("late.so", OpenModes.Global);
        Assert.Equal(42, library.GetFunction<Func<int, int>>("use")(2));
        Assert.Equal((int)late.TableBase, library.GetFunction<Func<int>>("at")());
        Assert.Equal(42, Call(linker, library.GetFunction<Func<int>>("kept")(), 2));
        linker.Close(library);
        linker.Close(late);
        Assert.Single(linker.Libraries);
        for (int i = size; i < table.Size; i++) Assert.Null(table[i]);
        // Nothing grows when it is done over and over.
        int after = table.Size;
        for (int i = 0; i < 10; i++) linker.Close(linker.Open("lib.so", OpenModes.Lazy));
        Assert.Equal(after, table.Size);
    }

    [Fact]
    public void AProgramMayBeBoundLate()
    {
        const string program = """
            (module (import "env" "missing" (func $missing)) (memory (export "memory") 1) (table (export "__indirect_function_table") 1 funcref)
              (func (export "run") (call $missing)))
            """;
        Assert.Throws<DynamicLinkException>(() => Start(program));
        DynamicLinker linker = Start(program, new DynamicLinkerOptions { IsLazy = true });
        Assert.Contains("undefined symbol: missing", Assert.Throws<TrapException>(linker.Program.GetFunction<Action>("run")).Message);
    }

    // ---- the older section ----

    [Fact]
    public void LibrariesOfOlderToolsAreRead()
    {
        Library("grammar.wasm", OldDylink(memory: 20, align: 2, table: 2, "scanner.wasm"), Base + """
            (import "env" "scan" (func $scan (param i32) (result i32)))
            (elem (table $table) (global.get $table_base) func $one $two)
            (func $one (param i32) (result i32) (i32.const 1)) (func $two (param i32) (result i32) (i32.const 2))
            (func (export "__wasm_apply_relocs") (i32.store (global.get $memory_base) (i32.add (global.get $table_base) (i32.const 1))))
            (func (export "run") (param i32) (result i32)
              (i32.add (call $scan (local.get 0)) (call_indirect (param i32) (result i32) (i32.const 0) (i32.load (global.get $memory_base)))))
            """);
        Library("scanner.wasm", OldDylink(), """(func (export "scan") (param i32) (result i32) (i32.mul (local.get 0) (i32.const 10)))""");
        DynamicLinker linker = Start(Plain);
        DynamicLibrary library = linker.Open("grammar.wasm");
        Assert.Equal(42, library.GetFunction<Func<int, int>>("run")(4));
        Assert.Equal(["scanner.wasm"], library.Needed.Select(l => l.Name));
        Assert.Equal(0u, library.MemoryBase % 4);
        byte[] cut = Wat.ToBinary("(module (@custom \"dylink\" (before first) \"\\14\\02\\00\"))");
        libraries.Add("cut.wasm", cut);
        Assert.Equal("cut.wasm: malformed dylink section", Assert.Throws<DynamicLinkException>(() => linker.Open("cut.wasm")).Message);
    }

    // ---- dladdr ----

    [Fact]
    public void AddressesHaveALibraryAndASymbol()
    {
        Library("lib/far.so", Dylink(memory: 64, table: 1), Base + """
            (elem (table $table) (global.get $table_base) func $f)
            (global (export "first") i32 (i32.const 8)) (global (export "second") i32 (i32.const 32))
            (func $f (export "shout") (param i32) (result i32) (i32.const 1)) (func (export "whisper") (param i32) (result i32) (i32.const 2))
            """);
        DynamicLinker linker = Start(Plain);
        int handle = Open(linker, "far.so");
        DynamicLibrary far = linker.Libraries[1];
        string? Ask(long address)
        {
            if (linker.Program.GetFunction<Func<int, int, int>>("addr")((int)address, 600) == 0) return null;
            string Text(int at)
            {
                if (linker.Memory.Read<int>((uint)at) is not (not 0 and var text)) return "-";
                Span<byte> bytes = linker.Memory.Span[text..];
                return Encoding.UTF8.GetString(bytes[..bytes.IndexOf((byte)0)]);
            }
            return $"{Text(600)} {linker.Memory.Read<uint>(604) - far.MemoryBase} {Text(608)} {(long)linker.Memory.Read<uint>(612) - address}";
        }
        Assert.Equal("/lib/far.so 0 shout 0", Ask(far.TableBase));
        Assert.Equal("/lib/far.so 0 whisper 0", Ask(Symbol(linker, handle, "whisper")));
        Assert.Equal("/lib/far.so 0 first 0", Ask((long)far.MemoryBase + 8));
        Assert.Equal("/lib/far.so 0 first -23", Ask((long)far.MemoryBase + 31));
        Assert.Equal("/lib/far.so 0 second -31", Ask((long)far.MemoryBase + 63));
        Assert.StartsWith("/lib/far.so 0 - ", Ask((long)far.MemoryBase + 7));
        Assert.EndsWith(" inc 0", Ask(1));
        Assert.EndsWith(" answer -4", Ask(4100));
        Assert.Null(Ask(500));
        Assert.Null(Ask(uint.MaxValue));
        Assert.Throws<TrapException>(() => linker.Program.GetFunction<Func<int, int, int>>("addr")(1, -8));
        // The texts go with the library.
        ulong before = linker.Memory.Length;
        linker.Close(far);
        Assert.Null(Ask(far.TableBase));
        Assert.Equal(before, linker.Memory.Length);
    }

    // ---- RTLD_NEXT ----

    /// <summary>Each defines the same symbol, and asks for that of the next.</summary>
    [Fact]
    public void TheNextDefinitionIsBehindTheAskingLibrary()
    {
        const string asks = """
            (func (export "next") (result i32) (local $f i32)
              (if (i32.eqz (local.tee $f (call $dlsym (i32.const -1) (i32.const 2048)))) (then (return (i32.const 0))))
              (call_indirect (result i32) (local.get $f)))
            """;
        const string import = """(import "env" "dlsym" (func $dlsym (param i32 i32) (result i32)))""";
        string Defines(int value) => $"""{Dylink()} {Base} {import} (func (export "f") (result i32) (i32.const {value})) {asks}""";
        var engine = new Engine();
        var linker = new DynamicLinker(new MemoryNamespace
        {
            { "a.so", engine.CompileText($"(module {Defines(2)})") },
            { "b.so", engine.CompileText($"(module {Defines(3)})") },
        });
        linker.Instantiate(engine.CompileText($"""
            (module {import} (memory (export "memory") 1) (table (export "__indirect_function_table") 1 funcref) (data (i32.const 2048) "f\00")
              (func (export "f") (result i32) (i32.const 1)) {asks})
            """));
        DynamicLibrary a = linker.Open("a.so", OpenModes.Now | OpenModes.Global), b = linker.Open("b.so", OpenModes.Now | OpenModes.Global);
        Assert.Equal([2, 3, 0], new[] { linker.Program, a, b }.Select(l => l.GetFunction<Func<int>>("next")()));
    }

    // ---- 64 bits ----

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void ProgramsOf64BitsAreLinkedAsThoseOf32(bool hasWideTable)
    {
        string i64 = hasWideTable ? "i64" : "", at = hasWideTable ? "(global.get $table_base)" : "(global.get $table_base32)";
        string wrap = hasWideTable ? "" : "i32.wrap_i64";
        string wide = $$"""
            (import "env" "memory" (memory i64 0)) (import "env" "__indirect_function_table" (table $table {{i64}} 0 funcref))
            (import "env" "__memory_base" (global $memory_base i64)) (import "env" "__table_base" (global $table_base i64))
            {{(hasWideTable ? "" : """(import "env" "__table_base32" (global $table_base32 i32))""")}}
            """;
        Library("lib.so", Dylink(memory: 24, align: 3, table: 1, needed: ["other.so"]), wide + $$"""
            (import "env" "__cxa_atexit" (func $atexit (param i64 i64 i64) (result i32))) (import "env" "note" (func $note (param i32)))
            (import "env" "__stack_pointer" (global $sp (mut i64)))
            (import "GOT.mem" "place" (global $place (mut i64))) (import "GOT.func" "add" (global $add (mut i64)))
            (elem (table $table) (offset {{at}}) func $bye)
            (global (export "own") i64 (i64.const 16))
            (func $bye (param i64) (call $note (i32.wrap_i64 (local.get 0))))
            (func (export "__wasm_apply_data_relocs") (i64.store (global.get $memory_base) (global.get $place)))
            (func (export "__wasm_call_ctors") (drop (call $atexit (global.get $table_base) (i64.const 77) (i64.const 0))))
            (func (export "run") (param i64) (result i64)
              local.get 0 (i64.load (i64.load (global.get $memory_base))) (global.get $add) {{wrap}}
              call_indirect (param i64 i64) (result i64))
            (func (export "sp") (result i64) (global.get $sp))
            """);
        Library("other.so", Dylink(memory: 8), wide + """
            (global (export "place") i64 (i64.const 0)) (data (offset (global.get $memory_base)) "\20\00\00\00\00\00\00\00")
            (func (export "add") (param i64 i64) (result i64) (i64.add (local.get 0) (local.get 1)))
            """);
        DynamicLinker linker = Start($$"""
            (module
              (import "env" "dlopen" (func $dlopen (param i64 i32) (result i64))) (import "env" "dlsym" (func $dlsym (param i64 i64) (result i64)))
              (import "env" "dlclose" (func $dlclose (param i64) (result i32))) (import "env" "dlerror" (func $dlerror (result i64)))
              (import "env" "dladdr" (func $dladdr (param i64 i64) (result i32)))
              (memory (export "memory") i64 2) (table (export "__indirect_function_table") {{i64}} 3 funcref)
              (global (export "__stack_pointer") (mut i64) (i64.const 65536))
              (func (export "open") (param i64) (result i64) (call $dlopen (local.get 0) (i32.const 2)))
              (func (export "sym") (param i64 i64) (result i64) (call $dlsym (local.get 0) (local.get 1)))
              (func (export "close") (param i64) (result i32) (call $dlclose (local.get 0)))
              (func (export "error") (result i64) (call $dlerror))
              (func (export "addr") (param i64 i64) (result i32) (call $dladdr (local.get 0) (local.get 1))))
            """);
        Func<long, long> open = linker.Program.GetFunction<Func<long, long>>("open");
        linker.Memory.WriteString(256, "lib.so\0own\0nothing\0");
        long handle = open(256);
        Assert.NotEqual(0, handle);
        DynamicLibrary library = linker.Libraries.Single(l => l.Name == "lib.so");
        Assert.Equal(42, library.GetFunction<Func<long, long>>("run")(10));
        Assert.Equal(65536, library.GetFunction<Func<long>>("sp")());
        Func<long, long, long> sym = linker.Program.GetFunction<Func<long, long, long>>("sym");
        Assert.Equal(library.MemoryBase + 16, (ulong)sym(handle, 263));
        Assert.Equal(library.MemoryBase + 16, library.GetAddress("own"));
        Assert.Equal(0, sym(-1, 267));
        Assert.NotEqual(0, linker.Program.GetFunction<Func<long>>("error")());
        Assert.Equal(1, linker.Program.GetFunction<Func<long, long, int>>("addr")((long)library.MemoryBase + 16, 600));
        Assert.Equal(library.MemoryBase, linker.Memory.Read<ulong>(608));
        Assert.Equal(library.MemoryBase + 16, linker.Memory.Read<ulong>(624));
        Assert.Equal(0, linker.Program.GetFunction<Func<long, int>>("close")(handle));
        Assert.Equal([77], notes);
        Assert.Single(linker.Libraries);
        // A library of the other kind is told what is wrong.
        Library("narrow.so", Dylink(), """(import "env" "memory" (memory 0))""");
        Assert.Contains("narrow.so", Assert.Throws<DynamicLinkException>(() => linker.Open("narrow.so")).Message);
    }
}
