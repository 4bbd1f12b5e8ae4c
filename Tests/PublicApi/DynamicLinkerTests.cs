using System.Runtime.CompilerServices;
using System.Text;
using WasmJit.DynamicLinking;
using Xunit;
using static WasmJit.Tests.PublicApi.DylinkText;

namespace WasmJit.Tests.PublicApi;

/// <summary>Shared libraries, loaded by the host or by the guest.</summary>
public sealed class DynamicLinkerTests
{
    /// <summary>A program as C compilers make it: not position-independent, with what libraries need exported.</summary>
    private const string Program = """
        (module $program
          (import "env" "dlopen" (func $dlopen (param i32 i32) (result i32)))
          (import "env" "dlsym" (func $dlsym (param i32 i32) (result i32)))
          (import "env" "dlclose" (func $dlclose (param i32) (result i32)))
          (import "env" "dlerror" (func $dlerror (result i32)))
          (memory (export "memory") 2)
          (table (export "__indirect_function_table") 3 funcref)
          (elem (i32.const 1) $inc)
          (global (export "__stack_pointer") (mut i32) (i32.const 65536))
          (global (export "answer") i32 (i32.const 4096))
          (data (i32.const 4096) "\2a\00\00\00")
          (func $inc (export "inc") (param i32) (result i32) (i32.add (local.get 0) (i32.const 1)))
          (func (export "open") (param i32 i32) (result i32) (call $dlopen (local.get 0) (local.get 1)))
          (func (export "sym") (param i32 i32) (result i32) (call $dlsym (local.get 0) (local.get 1)))
          (func (export "close") (param i32) (result i32) (call $dlclose (local.get 0)))
          (func (export "error") (result i32) (call $dlerror))
          (func (export "call") (param $f i32) (param i32) (result i32) (call_indirect (param i32) (result i32) (local.get 1) (local.get $f))))
        """;

    private readonly MemoryNamespace libraries = new();

    private void Library(string name, string dylink, string fields) => libraries.Add(name, Wat.ToBinary($"(module {dylink} {fields})"));

    private DynamicLinker Start(string? program = null, Imports? imports = null, DynamicLinkerOptions? options = null, Engine? engine = null)
    {
        var linker = new DynamicLinker(libraries, options);
        linker.Instantiate((engine ?? new Engine()).CompileText(program ?? Program), imports);
        return linker;
    }

    /// <summary>What the program finds under a name, as the program asks: text at 256.</summary>
    private static int Ask(DynamicLinker linker, string function, string text, int? other = null)
    {
        linker.Memory.WriteString(256, text + "\0");
        return function switch
        {
            "open" => linker.Program.GetFunction<Func<int, int, int>>("open")(256, other ?? 2),
            _ => linker.Program.GetFunction<Func<int, int, int>>("sym")(other ?? 0, 256),
        };
    }

    private static string? Error(DynamicLinker linker)
    {
        int at = linker.Program.GetFunction<Func<int>>("error")();
        if (at == 0) return null;
        Span<byte> bytes = linker.Memory.Span[at..];
        return Encoding.UTF8.GetString(bytes[..bytes.IndexOf((byte)0)]);
    }

    [Fact]
    public void DataAndFunctionsComeFromTheProgramAndFromLibraries()
    {
        Library("lib.so", Dylink(memory: 12, align: 4, table: 1), Base + """
            (import "env" "inc" (func $inc (param i32) (result i32)))
            (import "GOT.mem" "answer" (global $answer (mut i32)))
            (import "GOT.func" "inc" (global $inc_at (mut i32)))
            (import "GOT.func" "twice" (global $twice_at (mut i32)))
            (elem (table $table) (global.get $table_base) func $twice)
            (data (global.get $memory_base) "\05\00\00\00\00\00\00\00")
            (global (export "five") i32 (i32.const 0))
            (global (export "pointer") i32 (i32.const 4))
            (func (export "__wasm_apply_data_relocs")
              (i32.store (i32.add (global.get $memory_base) (i32.const 4)) (global.get $answer)))
            (func (export "__wasm_call_ctors")
              (i32.store (i32.add (global.get $memory_base) (i32.const 8)) (i32.load (i32.load (i32.add (global.get $memory_base) (i32.const 4))))))
            (func $twice (export "twice") (param i32) (result i32) (i32.mul (local.get 0) (i32.const 2)))
            (func (export "inc_at") (result i32) (global.get $inc_at))
            (func (export "twice_at") (result i32) (global.get $twice_at))
            (func (export "all") (param i32) (result i32)
              (i32.add (call $inc (local.get 0)) (i32.load (i32.add (global.get $memory_base) (i32.const 8)))))
            """);
        DynamicLinker linker = Start();
        DynamicLibrary library = linker.Open("lib.so");
        Assert.Equal("/lib.so", library.Path);
        Assert.Equal(0u, library.MemoryBase % 16);
        Assert.Equal(5, linker.Memory.Read<int>(library.GetAddress("five")));
        Assert.Equal(4096u, linker.Memory.Read<uint>(library.GetAddress("pointer")));
        Assert.Equal(4096u, linker.Program.GetAddress("answer"));
        Assert.Equal(1 + 1 + 42, library.GetFunction<Func<int, int>>("all")(1));
        // One index for each function: that of the program's own table, that of the library's part.
        Assert.Equal(1, library.GetFunction<Func<int>>("inc_at")());
        Assert.Equal((int)library.TableBase, library.GetFunction<Func<int>>("twice_at")());
        Assert.Equal(1, Ask(linker, "sym", "inc"));
        int handle = Ask(linker, "open", "lib.so");
        int twice = Ask(linker, "sym", "twice", handle);
        Assert.Equal((int)library.TableBase, twice);
        Assert.Equal(14, linker.Program.GetFunction<Func<int, int, int>>("call")(twice, 7));
        // A function that is not in any part of the table yet gets an index and keeps it.
        int all = Ask(linker, "sym", "all", handle);
        Assert.Equal(all, Ask(linker, "sym", "all", handle));
        Assert.Equal(1 + 1 + 42, linker.Program.GetFunction<Func<int, int, int>>("call")(all, 1));
        Assert.Equal((int)library.GetAddress("five"), Ask(linker, "sym", "five", handle));
        Assert.Same(library, linker.Open("/lib.so"));
    }

    [Fact]
    public void ErrorsAreTold()
    {
        Library("a.so", Dylink(), """(import "env" "missing" (func)) """);
        Library("b.so", Dylink(), """(import "GOT.mem" "nowhere" (global (mut i32)))""");
        Library("c.so", Dylink(needed: ["d.so"]), "");
        Library("e.so", Dylink(), """(import "env" "inc" (func (param i64)))""");
        Library("f.so", Dylink(), """(import "other" "thing" (func))""");
        Library("g.so", "", "");
        libraries.Add("h.so", [1, 2, 3]);
        DynamicLinker linker = Start();
        Assert.Null(Error(linker));
        foreach ((string name, string message) in new[]
        {
            ("a.so", "a.so: undefined symbol: missing"), ("b.so", "b.so: undefined symbol: nowhere"),
            ("c.so", "c.so needs d.so: there is no such library"), ("i.so", "i.so: there is no such library"),
            ("e.so", "e.so: inc is (func (param i32) (result i32)) in program, (func (param i64)) is needed"),
            ("f.so", "f.so: unknown import: \"other\" \"thing\""), ("g.so", "g.so is not a shared library: it has no dylink.0 section"),
            ("../a.so", "/../a.so leads out of the namespace."),
        })
        {
            Assert.Equal(0, Ask(linker, "open", name));
            string? error = Error(linker);
            if (name == "e.so") Assert.Contains("inc", error);
            else if (name != "../a.so") Assert.Equal(message, error);
            else Assert.Contains("leads out", error);
            Assert.Null(Error(linker));
        }
        Assert.Equal(0, Ask(linker, "open", "h.so"));
        Assert.NotNull(Error(linker));
        Assert.Single(linker.Libraries);
        Assert.Equal(0, Ask(linker, "sym", "nothing"));
        Assert.Equal("undefined symbol: nothing", Error(linker));
        Assert.Equal(-1, linker.Program.GetFunction<Func<int, int>>("close")(77));
        Assert.Equal("invalid handle 77", Error(linker));
        Assert.Throws<DynamicLinkException>(() => linker.Open("a.so"));
        // A name that does not end is an access out of bounds, as it would be for any function of C.
        Assert.Throws<TrapException>(() => linker.Program.GetFunction<Func<int, int, int>>("open")(-1, 2));
    }

    [Fact]
    public void WhatNobodyDefinesIsAnErrorLaterWhereThatIsAllowed()
    {
        Library("lazy.so", Dylink(), """(import "env" "missing" (func $m (result i32))) (func (export "f") (result i32) (call $m))""");
        Library("weak.so", Dylink(weak: ["missing", "place"]), """
            (import "env" "missing" (func $m (result i32))) (import "GOT.func" "missing" (global $at (mut i32)))
            (import "GOT.mem" "place" (global $place (mut i32)))
            (func (export "f") (result i32) (if (result i32) (global.get $at) (then (call $m)) (else (i32.const -1))))
            (func (export "place_at") (result i32) (global.get $place))
            """);
        Library("late.so", Dylink(memory: 4), Base + """
            (func (export "missing") (result i32) (i32.const 9)) (global (export "place") i32 (i32.const 0))
            """);
        DynamicLinker linker = Start();
        Assert.Throws<DynamicLinkException>(() => linker.Open("lazy.so"));
        Func<int> lazy = linker.Open("lazy.so", OpenModes.Lazy).GetFunction<Func<int>>("f");
        TrapException trap = Assert.Throws<TrapException>(() => lazy());
        Assert.Equal(TrapKind.UnknownImport, trap.Kind);
        Assert.Contains("lazy.so: undefined symbol: missing", trap.Message);
        DynamicLibrary weak = linker.Open("weak.so");
        Assert.Equal(-1, weak.GetFunction<Func<int>>("f")());
        Assert.Equal(0, weak.GetFunction<Func<int>>("place_at")());
        // Local symbols are not seen by others, global ones are, also by those that were there before.
        DynamicLibrary late = linker.Open("late.so");
        Assert.Equal(-1, weak.GetFunction<Func<int>>("f")());
        Assert.Throws<TrapException>(() => lazy());
        Assert.Equal(0, Ask(linker, "sym", "missing"));
        Assert.Same(late, linker.Open("late.so", OpenModes.Now | OpenModes.Global));
        Assert.Equal(9, weak.GetFunction<Func<int>>("f")());
        Assert.Equal(9, lazy());
        Assert.Equal(late.GetAddress("place"), (uint)weak.GetFunction<Func<int>>("place_at")());
        Assert.NotEqual(0, Ask(linker, "sym", "missing"));
    }

    [Fact]
    public void LibrariesThatNeedEachOtherAreLoadedOnceAndConstructedInOrder()
    {
        string Fields(string own, string other) => Base + $"""
            (import "env" "log" (func $log (param i32))) (import "env" "{other}" (func ${other} (param i32) (result i32)))
            (func (export "__wasm_call_ctors") (call $log (i32.const {(int)own[0]})))
            (func (export "{own}") (param i32) (result i32)
              (if (result i32) (local.get 0) (then (i32.add (i32.const 1) (call ${other} (i32.sub (local.get 0) (i32.const 1))))) (else (i32.const 0))))
            """;
        Library("x.so", Dylink(needed: ["y.so", "z.so"]), Fields("x", "y"));
        Library("y.so", Dylink(needed: ["x.so", "z.so"]), Fields("y", "x"));
        Library("z.so", Dylink(), """(import "env" "log" (func $log (param i32))) (func (export "__wasm_call_ctors") (call $log (i32.const 122)))""");
        var log = new StringBuilder();
        DynamicLinker linker = Start(imports: new Imports { { "env", "log", (Action<int>)(c => log.Append((char)c)) } });
        DynamicLibrary x = linker.Open("x.so");
        Assert.Equal("zyx", log.ToString());
        Assert.Equal(10, x.GetFunction<Func<int, int>>("x")(10));
        Assert.Equal(["y.so", "z.so"], x.Needed.Select(l => l.Name));
        Assert.Equal(7, x.GetFunction<Func<int, int>>("y")(7));
        linker.Close(x);
        Assert.False(x.IsLoaded);
        Assert.Single(linker.Libraries);
        linker.Open("y.so");
        Assert.Equal("zyxzxy", log.ToString());
    }

    [Fact]
    public void WhatIsClosedGivesEverythingBack()
    {
        Library("user.so", Dylink(needed: ["used.so"]), "");
        Library("used.so", Dylink(table: 3), Base + """
            (import "env" "atexit" (func $atexit (param i32) (result i32))) (import "env" "log" (func $log (param i32)))
            (elem (table $table) (global.get $table_base) func $f $bye $last)
            (func $f (export "f") (param i32) (result i32) (local.get 0))
            (func $bye (call $log (i32.const 1))) (func $last (call $log (i32.const 2)))
            (func (export "__wasm_call_ctors")
              (drop (call $atexit (i32.add (global.get $table_base) (i32.const 1))))
              (drop (call $atexit (i32.add (global.get $table_base) (i32.const 2)))))
            """);
        var log = new List<int>();
        DynamicLinker linker = Start(imports: new Imports { { "env", "log", (Action<int>)log.Add } });
        var table = linker.Program.Instance.GetExport<Table>("__indirect_function_table");
        WeakReference instance = OpenAndClose(linker, log);
        Assert.Equal([2, 1], log);
        Assert.Single(linker.Libraries);
        int size = table.Size;
        for (int i = 3; i < size; i++) Assert.Null(table[i]);
        Assert.True(Eventually.Collected(instance));
        for (int i = 0; i < 20; i++) OpenAndClose(linker, log);
        Assert.Equal(size, table.Size);
        Assert.Equal(42, log.Count);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static WeakReference OpenAndClose(DynamicLinker linker, List<int> log)
    {
        int before = log.Count;
        DynamicLibrary user = linker.Open("user.so"), used = linker.Open("used.so");
        int index = Ask(linker, "sym", "f", Ask(linker, "open", "used.so"));
        Assert.Equal(5, linker.Program.GetFunction<Func<int, int, int>>("call")(index, 5));
        linker.Close(used);
        linker.Close(user);
        Assert.True(used.IsLoaded);
        linker.Close(used);
        Assert.Equal(before + 2, log.Count);
        Assert.Throws<InvalidOperationException>(() => linker.Close(used));
        Assert.Throws<ObjectDisposedException>(() => used.GetAddress("f"));
        Assert.Throws<TrapException>(() => linker.Program.GetFunction<Func<int, int, int>>("call")(index, 5));
        return new WeakReference(used.Instance);
    }

    [Fact]
    public void APositionIndependentProgramIsLaidOutAndGetsWhatItNeeds()
    {
        Library("lib/need.so", Dylink(memory: 4, table: 1, path: ["$ORIGIN/deep"], needed: ["more.so"]), Base + """
            (import "env" "mine" (func $mine (result i32))) (func (export "theirs") (result i32) (i32.add (call $mine) (i32.const 1)))
            """);
        Library("lib/deep/more.so", Dylink(), "");
        foreach (string memory in new[] { """(import "env" "memory" (memory 0))""", """(memory (export "memory") 1)""" })
        {
            DynamicLinker linker = Start($$"""
                (module {{Dylink(memory: 16, align: 4, table: 1, needed: ["need.so"])}}
                  {{(memory.StartsWith("(import", StringComparison.Ordinal) ? memory : "")}}
                  (import "env" "__indirect_function_table" (table $t 0 funcref))
                  (import "env" "__memory_base" (global $mb i32)) (import "env" "__table_base" (global $tb i32))
                  (import "env" "__stack_pointer" (global $sp (mut i32)))
                  (import "GOT.mem" "own" (global $own (mut i32))) (import "GOT.mem" "__heap_base" (global $heap (mut i32)))
                  (import "env" "theirs" (func $theirs (result i32)))
                  {{(memory.StartsWith("(memory", StringComparison.Ordinal) ? memory : "")}}
                  (global (export "own") i32 (i32.const 8))
                  (elem (table $t) (global.get $tb) func $mine)
                  (data (global.get $mb) "\00\00\00\00\00\00\00\00\07\00\00\00")
                  (func $mine (export "mine") (result i32) (i32.load (global.get $own)))
                  (func (export "run") (result i32)
                    (if (i32.ne (call_indirect (result i32) (global.get $tb)) (i32.const 7)) (then unreachable))
                    (if (i32.le_u (global.get $sp) (global.get $own)) (then unreachable))
                    (i32.store (i32.sub (global.get $sp) (i32.const 4)) (i32.const 1))
                    (if (i32.lt_u (global.get $heap) (global.get $sp)) (then unreachable))
                    (call $theirs)))
                """);
            Assert.Equal(8, linker.Program.GetFunction<Func<int>>("run")());
            Assert.Equal(3, linker.Libraries.Count);
            Assert.Equal("/lib/deep/more.so", linker.Libraries.Single(l => l.Name == "more.so").Path);
            Assert.NotEqual(0u, linker.Program.MemoryBase);
        }
    }

    [Theory]
    [InlineData("(i32.const 0)", "out of memory")]
    [InlineData("(i32.const -5)", "out of memory")]
    [InlineData("(i32.const 131070)", "out of memory")]
    [InlineData("(unreachable)", null)]
    public void AnAllocatorThatLiesIsNotBelieved(string result, string? message)
    {
        Library("lib.so", Dylink(memory: 100), Base);
        DynamicLinker linker = Start(Program[..^1] + $"(func (export \"malloc\") (param i32) (result i32) {result}))");
        if (message is null) Assert.Throws<TrapException>(() => linker.Open("lib.so"));
        else Assert.Contains(message, Assert.Throws<DynamicLinkException>(() => linker.Open("lib.so")).Message);
        Assert.Single(linker.Libraries);
    }

    [Fact]
    public void ProgramsThatExportTooLittleAreToldWhat()
    {
        Library("t.so", Dylink(table: 1), Base);
        Library("s.so", Dylink(), """(import "env" "__stack_pointer" (global (mut i32)))""");
        DynamicLinker bare = Start("""(module (memory (export "memory") 1))""");
        Assert.Contains("--export-table", Assert.Throws<DynamicLinkException>(() => bare.Open("t.so")).Message);
        Assert.Contains("--export=__stack_pointer", Assert.Throws<DynamicLinkException>(() => bare.Open("s.so")).Message);
        DynamicLinker tight = Start("""(module (memory (export "memory") 1) (table (export "__indirect_function_table") 2 2 funcref))""");
        Assert.Contains("--growable-table", Assert.Throws<DynamicLinkException>(() => tight.Open("t.so")).Message);
        Assert.Throws<DynamicLinkException>(() => Start("(module)"));
        Assert.Throws<DynamicLinkException>(() => Start("""(module (memory (export "memory") 1 (pagesize 1)))"""));
    }

    [Fact]
    public void MalformedSectionsAreErrorsAndNothingElse()
    {
        var random = new Random(4);
        byte[] good = Wat.ToBinary($"(module {Dylink(memory: 9, align: 2, table: 4, needed: ["n.so"], weak: ["w"], path: ["p"])} {Base})");
        int failures = 0;
        for (int i = 0; i < 300; i++)
        {
            byte[] bad = [.. good];
            for (int n = random.Next(1, 4); n > 0; n--) bad[random.Next(19, 60)] = (byte)random.Next(256);
            libraries.Add("lib.so", bad);
            DynamicLinker linker = Start();
            try
            {
                linker.Open("lib.so");
            }
            catch (Exception e) when (e is DynamicLinkException or ModuleException or TrapException)
            {
                failures++;
            }
        }
        Assert.True(failures > 100, $"{failures}");
    }

    [Fact]
    public void ALibraryThatIsNamedManyTimesIsCompiledOnce()
    {
        Library("n.so", Dylink(), "");
        Library("m.so", Dylink(needed: [.. Enumerable.Range(0, 500).Select(i => $"{string.Concat(Enumerable.Repeat("./", i))}n.so")]), "");
        Library("o.so", Dylink(needed: [.. Enumerable.Range(0, 1001).Select(i => "n.so")]), "");
        var quota = new LinkingQuota { MaximumLiveModules = 2 };
        DynamicLinker linker = Start(engine: new Engine(new EngineOptions { LinkingQuota = quota }));
        Assert.NotEqual(0, Ask(linker, "open", "m.so"));
        Assert.Equal(2, quota.LiveModules);
        Assert.Equal("o.so: malformed dylink.0 section", Assert.Throws<DynamicLinkException>(() => linker.Open("o.so")).Message);
    }

    [Fact]
    public void LibrariesAreCountedAndGuestsHaveAQuota()
    {
        for (int i = 0; i < 5; i++) Library($"l{i}.so", Dylink(needed: [$"l{i + 1}.so"]), "");
        Library("l5.so", Dylink(), "");
        DynamicLinker linker = Start(options: new DynamicLinkerOptions { MaximumLibraries = 3 });
        Assert.Equal("more than 3 libraries", Assert.Throws<DynamicLinkException>(() => linker.Open("l0.so")).Message);
        Assert.Equal(3, linker.Open("l3.so") is var _ ? linker.Libraries.Count - 1 : 0);
        linker = Start(engine: new Engine(new EngineOptions { LinkingQuota = new LinkingQuota { MaximumLiveModules = 2 } }));
        Assert.Equal(0, Ask(linker, "open", "l3.so"));
        Assert.Equal("quota exceeded: live modules: 2 are in use, 2 are allowed", Error(linker));
        Assert.NotEqual(0, Ask(linker, "open", "l4.so"));
        linker.Open("l0.so");
    }

    /// <summary>Slots of libraries that have gone become larger parts again, and the table is not longer than the largest library needs.</summary>
    [Fact]
    public void FreeSlotsAreJoined()
    {
        for (uint size = 1; size <= 20; size++) Library($"l{size}.so", Dylink(table: size), Base);
        DynamicLinker linker = Start();
        for (int i = 1; i <= 20; i++) linker.Close(linker.Open($"l{i}.so"));
        var table = linker.Program.Instance.GetExport<Table>("__indirect_function_table");
        Assert.Equal(3 + 20, table.Size);
        DynamicLibrary[] some = [linker.Open("l7.so"), linker.Open("l6.so"), linker.Open("l5.so")];
        Assert.Equal([3u, 10u, 16u], some.Select(l => l.TableBase));
        // A part that becomes free joins the one behind it, or the one before it, or both.
        linker.Close(some[1]);
        linker.Close(some[0]);
        Assert.Equal(3u, linker.Open("l13.so").TableBase);
        linker.Close(some[2]);
        Assert.Equal(16u, linker.Open("l8.so").TableBase);
        Assert.Equal(3 + 21, table.Size);
    }

    private const string Boom = """(import "env" "boom" (tag $boom (param i32)))""";

    private const string Catch = """
        (import "env" "throw" (func $throw))
        (func (export "catch") (result i32) (block $caught (result i32) (try_table (catch $boom $caught) (call $throw)) (i32.const 0)))
        """;

    /// <summary>A tag that a library defines is made before the libraries that import it, also where these are linked first because they need one another.</summary>
    [Fact]
    public void ATagIsThereBeforeItIsImported()
    {
        Library("catch.so", Dylink(needed: ["throw.so"]), $"{Boom} {Catch}");
        Library("throw.so", Dylink(needed: ["catch.so"]), """(tag $boom (export "boom") (param i32)) (func (export "throw") (throw $boom (i32.const 7)))""");
        foreach (string opened in new[] { "catch.so", "throw.so" })
        {
            DynamicLinker linker = Start();
            linker.Open(opened);
            Assert.Equal(7, linker.Open("catch.so").GetFunction<Func<int>>("catch")());
        }
        Library("other.so", Dylink(needed: ["mutual.so"]), $"""{Boom} (tag (export "other"))""");
        Library("mutual.so", Dylink(needed: ["other.so"]), """(import "env" "other" (tag)) (tag (export "boom") (param i32))""");
        Assert.Contains("tags", Assert.Throws<DynamicLinkException>(() => Start().Open("other.so")).Message, StringComparison.Ordinal);
        string program = Program.Replace("(module $program", $"(module $program {Dylink(needed: ["throw.so"])} {Boom}", StringComparison.Ordinal);
        Assert.Contains("imports a tag that a library defines", Assert.Throws<DynamicLinkException>(() => Start(program)).Message, StringComparison.Ordinal);
    }

    /// <summary>What is registered for a library's end is the host's memory.</summary>
    [Fact]
    public void DestructorsAreCounted()
    {
        Library("a.so", Dylink(), Base + """
            (import "env" "__cxa_atexit" (func $atexit (param i32 i32 i32) (result i32)))
            (func (export "fill") (param $most i32) (result i32) (local $n i32)
              (block $full
                (loop $next
                  (br_if $full (call $atexit (i32.const 0) (i32.const 0) (i32.const 0)))
                  (br_if $next (i32.lt_u (local.tee $n (i32.add (local.get $n) (i32.const 1))) (local.get $most)))))
              (local.get $n))
            """);
        DynamicLinker linker = Start();
        var fill = linker.Open("a.so").GetFunction<Func<int, int>>("fill");
        Assert.Equal(1000, fill(1000));
        Assert.Equal(99_000, fill(1_000_000));
        Assert.Equal(0, fill(1_000_000));
    }

    /// <summary>A few megabytes of names are compared with one another for seconds, and a few bytes ask for gigabytes of zeros.</summary>
    [Fact]
    public void LoadingCanBeStopped()
    {
        for (int i = 0; i < 400; i++)
            Library($"l{i}.so", Dylink(needed: [.. Enumerable.Range(1, 1000).Select(j => $"l{(i + j) % 400}.so")]), "");
        Library("large.so", Dylink(memory: 1_500_000_000), Base);
        Library("small.so", Dylink(), "");
        DynamicLinker linker = Start(engine: new Engine(new EngineOptions { Interruptible = true }));
        foreach (string name in new[] { "l0.so", "large.so" })
        {
            using var source = new CancellationTokenSource(5);
            Assert.ThrowsAny<OperationCanceledException>(() => Guest.Run(() => { linker.Open(name); }, source.Token));
            Assert.Single(linker.Libraries);
        }
        linker.Open("small.so");
        Assert.Equal(2, linker.Libraries.Count);
    }
}
