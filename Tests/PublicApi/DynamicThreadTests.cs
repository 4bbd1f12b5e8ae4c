using WasmJit.DynamicLinking;
using Xunit;

namespace WasmJit.Tests.PublicApi;

/// <summary>Threads of a program with shared libraries; those of C programs are in <c>DynamicGuestTests</c> (Tests/Engine).</summary>
public sealed class DynamicThreadTests
{
    /// <summary>A program that keeps a number on its stack while a library uses the stack, and calls a pointer that the library gives.</summary>
    private const string Program = """
        (module
          (import "env" "scribble" (func $scribble (param i32)))
          (import "env" "pointer" (func $pointer (result i32)))
          (import "env" "memory" (memory 1 100 shared))
          (table (export "__indirect_function_table") 1 funcref)
          (global $sp (export "__stack_pointer") (mut i32) (i32.const 8192))
          (func (export "work") (param $value i32) (result i32) (local $frame i32)
            (global.set $sp (local.tee $frame (i32.sub (global.get $sp) (i32.const 16))))
            (i32.store (local.get $frame) (local.get $value))
            (call $scribble (i32.const 99))
            (global.set $sp (i32.add (local.get $frame) (i32.const 16)))
            (i32.load (local.get $frame)))
          (func (export "indirect") (result i32) (call_indirect (result i32) (call $pointer))))
        """;

    private static readonly string Library = $"""
        (module {DylinkText.Dylink(table: 1)}
          (import "env" "memory" (memory 0 100 shared)) (import "env" "__indirect_function_table" (table 0 funcref))
          (import "env" "__memory_base" (global i32)) (import "env" "__table_base" (global $base i32))
          (import "env" "__stack_pointer" (global $sp (mut i32)))
          (elem (global.get $base) $top)
          (func $top (result i32) (global.get $sp))
          (func (export "pointer") (result i32) (global.get $base))
          (func (export "scribble") (param i32)
            (i32.store (i32.sub (global.get $sp) (i32.const 16)) (local.get 0))))
        """;

    /// <summary>The library is there before the program is linked, or comes with it: in each case both have one stack and one table in each thread.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void ProgramAndLibrariesShareStackAndTable(bool isNeeded)
    {
        var engine = new Engine();
        string program = isNeeded ? Program.Replace("(module", $"(module {DylinkText.Dylink(needed: ["lib.so"])}", StringComparison.Ordinal) : Program;
        var linker = new DynamicLinker(
            new MemoryNamespace { { "lib.so", engine.CompileText(Library) } },
            new DynamicLinkerOptions { Preload = isNeeded ? [] : ["lib.so"] });
        Instance first = linker.Instantiate(engine.CompileText(program));
        linker.Initialize();
        using DynamicThread thread = linker.CreateThread();
        Assert.Equal(11, first.GetExport<Func<int, int>>("work")(11));
        Assert.Equal(12, thread.GetFunction<Func<int, int>>(linker.Program, "work")(12));
        int top = first.GetExport<Func<int>>("indirect")(), own = thread.GetFunction<Func<int>>(linker.Program, "indirect")();
        Assert.Equal(8192, top);
        Assert.NotEqual(top, own);
    }

    /// <summary>A global that is called as the stack pointer is, and cannot be one, is left alone.</summary>
    [Fact]
    public void AnExportOfAnotherTypeIsNoStackPointer()
    {
        var linker = new DynamicLinker(new MemoryNamespace());
        linker.Instantiate(new Engine().CompileText("""
            (module (import "env" "memory" (memory 1 4 shared)) (global $sp (export "__stack_pointer") (mut f32) (f32.const 1.5))
              (func (export "read") (result f32) (global.get $sp)))
            """));
        using DynamicThread thread = linker.CreateThread();
        Assert.Equal(1.5f, thread.GetFunction<Func<float>>(linker.Program, "read")());
    }

    [Fact]
    public void AProgramWithAMemoryOfItsOwnHasOneThread()
    {
        var linker = new DynamicLinker(new MemoryNamespace());
        linker.Instantiate(new Engine().CompileText("""(module (memory (export "memory") 1 4 shared))"""));
        Assert.Contains("--import-memory", Assert.Throws<DynamicLinkException>(() => linker.CreateThread()).Message, StringComparison.Ordinal);
    }

    /// <summary>A symbol that one thread looks up gets its index in all tables. What a thread has put into its own table stays there.</summary>
    [Fact]
    public void ALookupChangesTheTablesOfThreadsInOnePlace()
    {
        var linker = new DynamicLinker(new MemoryNamespace());
        Instance first = linker.Instantiate(new Engine().CompileText("""
            (module
              (import "env" "dlsym" (func $dlsym (param i32 i32) (result i32)))
              (import "env" "memory" (memory 1 100 shared))
              (table $t (export "__indirect_function_table") 4 funcref)
              (global (export "__stack_pointer") (mut i32) (i32.const 8192))
              (elem declare func $two)
              (func $two (export "two") (result i32) (i32.const 2))
              (func (export "put") (table.set $t (i32.const 3) (ref.func $two)))
              (func (export "call") (param i32) (result i32) (call_indirect $t (result i32) (local.get 0)))
              (func (export "look") (result i32)
                (i32.store (i32.const 1024) (i32.const 0x006f7774))
                (call $dlsym (i32.const 0) (i32.const 1024))))
            """));
        using DynamicThread thread = linker.CreateThread();
        thread.GetFunction<Action>(linker.Program, "put")();
        int index = first.GetExport<Func<int>>("look")();
        Assert.Equal(4, index);
        var call = thread.GetFunction<Func<int, int>>(linker.Program, "call");
        Assert.Equal((2, 2), (call(index), call(3)));
        Assert.Equal(TrapKind.UninitializedElement, Assert.Throws<TrapException>(() => first.GetExport<Func<int, int>>("call")(3)).Kind);
    }

    /// <summary>
    /// A program whose allocator counts at 80 how often it frees, and closes the library whose handle is at 96 when it frees for the first time: while the
    /// linker frees what a thread had of other libraries.
    /// </summary>
    private const string ClosingProgram = """
        (module
          (import "env" "dlopen" (func $dlopen (param i32 i32) (result i32)))
          (import "env" "dlclose" (func $dlclose (param i32) (result i32)))
          (import "env" "memory" (memory 10 100 shared))
          (table (export "__indirect_function_table") 1 funcref)
          (global (export "__stack_pointer") (mut i32) (i32.const 8192))
          (func (export "malloc") (param i32) (result i32)
            (i32.add (i32.const 16384) (i32.atomic.rmw.add (i32.const 64) (i32.and (i32.add (local.get 0) (i32.const 63)) (i32.const -64)))))
          (func (export "free") (param i32) (local $handle i32)
            (i32.store (i32.const 80) (i32.add (i32.load (i32.const 80)) (i32.const 1)))
            (if (local.tee $handle (i32.load (i32.const 96)))
              (then
                (i32.store (i32.const 96) (i32.const 0))
                (drop (call $dlclose (local.get $handle))))))
          (func (export "open") (param $at i32) (i32.store (i32.const 96) (call $dlopen (local.get $at) (i32.const 2)))))
        """;

    [Fact]
    public void AllocatorsMayCloseLibrariesWhileThreadsAreBroughtUpToDate()
    {
        var engine = new Engine();
        string needing = CountingLibrary.Replace(
            DylinkText.Dylink(threadLocal: ["counter"]), DylinkText.Dylink(threadLocal: ["counter"], needed: ["b.so"]), StringComparison.Ordinal);
        Module counting = engine.CompileText(CountingLibrary);
        var linker = new DynamicLinker(new MemoryNamespace { { "a.so", engine.CompileText(needing) }, { "b.so", counting }, { "c.so", counting } });
        Instance program = linker.Instantiate(engine.CompileText(ClosingProgram));
        using DynamicThread thread = linker.CreateThread();
        linker.Memory.WriteString(1024, "c.so\0");
        program.GetExport<Action<int>>("open")(1024);
        DynamicLibrary library = linker.Open("a.so");
        Assert.Equal(4, linker.Libraries.Count);
        linker.Close(library);
        Assert.Single(linker.Libraries);
        // The variables of three libraries.
        Assert.Equal(3, linker.Memory.Read<int>(80));
        Assert.Equal(1, thread.GetFunction<Func<int, int>>(linker.Open("b.so"), "bump")(1));
    }

    /// <summary>A start function runs once in each thread; while threads are brought up to date it can make none.</summary>
    [Fact]
    public void NoThreadsAreMadeWhileThreadsAreBroughtUpToDate()
    {
        var engine = new Engine();
        Module library = engine.CompileText($"""
            (module {DylinkText.Dylink()} (import "env" "memory" (memory 0 100 shared)) (import "env" "make" (func $make)) (start $make))
            """);
        var linker = new DynamicLinker(new MemoryNamespace { { "lib.so", library } });
        int made = 0, refused = 0;
        Action make = () =>
        {
            try
            {
                linker.CreateThread();
                made++;
            }
            catch (DynamicLinkException)
            {
                refused++;
            }
        };
        linker.Instantiate(engine.CompileText(ClosingProgram), new Imports { { "env", "make", make } });
        using DynamicThread thread = linker.CreateThread();
        linker.Open("lib.so");
        Assert.Equal((1, 2), (made, refused));
        linker.CreateThread();
        Assert.Equal((1, 3), (made, refused));
    }

    [Fact]
    public void VariablesThatCannotBeMadeAreFreed()
    {
        var engine = new Engine();
        string trapping = CountingLibrary.Replace("(global.set $tls (local.get 0))", "(unreachable)", StringComparison.Ordinal);
        var linker = new DynamicLinker(new MemoryNamespace { { "lib.so", engine.CompileText(trapping) } });
        linker.Instantiate(engine.CompileText(ClosingProgram));
        using DynamicThread thread = linker.CreateThread();
        for (int i = 1; i < 4; i++)
        {
            Assert.Equal(TrapKind.Unreachable, Assert.Throws<TrapException>(() => linker.Open("lib.so")).Kind);
            Assert.Single(linker.Libraries);
            Assert.Equal(i, linker.Memory.Read<int>(80));
        }
    }

    /// <summary>
    /// A thread fails to open a library while the first one has not failed: the first then has no error to tell, the other has. Bytes 4 and 8 say how far they
    /// are and what was found.
    /// </summary>
    private const string FailingProgram = """
        (module
          (import "wasi" "thread-spawn" (func $spawn (param i32) (result i32)))
          (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
          (import "env" "dlopen" (func $dlopen (param i32 i32) (result i32)))
          (import "env" "dlerror" (func $dlerror (result i32)))
          (import "env" "memory" (memory 1 100 shared))
          (table (export "__indirect_function_table") 1 funcref)
          (global (export "__stack_pointer") (mut i32) (i32.const 8192))
          (data $texts "lib.so\00")
          (func $wait (param $for i32)
            (loop $again
              (if (i32.ne (i32.atomic.load (i32.const 4)) (local.get $for))
                (then
                  (drop (memory.atomic.wait32 (i32.const 4) (i32.atomic.load (i32.const 4)) (i64.const 10000000)))
                  (br $again)))))
          (func $reach (param i32)
            (i32.atomic.store (i32.const 4) (local.get 0))
            (drop (memory.atomic.notify (i32.const 4) (i32.const 9))))
          (func (export "_start")
            (memory.init $texts (i32.const 1024) (i32.const 0) (i32.const 7))
            (if (i32.le_s (call $spawn (i32.const 0)) (i32.const 0)) (then unreachable))
            (call $wait (i32.const 1))
            (if (i32.eqz (call $dlerror)) (then (i32.store (i32.const 8) (i32.const 1))))
            (call $reach (i32.const 2))
            (call $wait (i32.const 3))
            (call $exit (i32.load (i32.const 8))))
          (func (export "wasi_thread_start") (param i32 i32)
            (if (call $dlopen (i32.const 1024) (i32.const 2)) (then unreachable))
            (call $reach (i32.const 1))
            (call $wait (i32.const 2))
            ;; "only the first thread"
            (if (i32.eq (i32.load8_u (call $dlerror)) (i32.const 111)) (then (i32.store (i32.const 8) (i32.add (i32.load (i32.const 8)) (i32.const 2)))))
            (if (call $dlerror) (then unreachable))
            (call $reach (i32.const 3))))
        """;

    [Fact]
    public void EachThreadHasItsOwnError()
    {
        var engine = new Engine(new EngineOptions { Interruptible = true });
        using var wasi = new WasiHost(new WasiOptions { MaximumThreads = 8 });
        Assert.Equal(3, wasi.Run(engine.CompileText(FailingProgram), new DynamicLinker(new MemoryNamespace())));
    }

    /// <summary>
    /// A WASI program that opens a library and then makes threads, each of which uses a thread-local variable of the library and tries to open another.
    /// It exits with 1,000 for each thread that counted by itself, and 1 for each that could not open a library.
    /// </summary>
    private const string SpawningProgram = """
        (module
          (import "wasi" "thread-spawn" (func $spawn (param i32) (result i32)))
          (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
          (import "env" "dlopen" (func $dlopen (param i32 i32) (result i32)))
          (import "env" "dlsym" (func $dlsym (param i32 i32) (result i32)))
          (import "env" "memory" (memory 1 100 shared))
          (table (export "__indirect_function_table") 1 funcref)
          (global $sp (export "__stack_pointer") (mut i32) (i32.const 8192))
          (data $texts "lib.so\00bump\00")
          (func (export "malloc") (param i32) (result i32)
            ;; From 16384 on; nothing is freed. It uses the stack, so it is right only on the stack of the thread that calls.
            (i32.store (i32.sub (global.get $sp) (i32.const 16)) (i32.const 1))
            (i32.add (i32.const 16384) (i32.atomic.rmw.add (i32.const 64) (i32.and (i32.add (local.get 0) (i32.const 63)) (i32.const -64)))))
          (func (export "free") (param i32) (drop (i32.atomic.rmw.add (i32.const 80) (i32.const 1))))
          (func $bump (param $by i32) (result i32) (call_indirect (param i32) (result i32) (local.get $by) (i32.load (i32.const 72))))
          (func (export "_start") (local $i i32)
            (memory.init $texts (i32.const 1024) (i32.const 0) (i32.const 12))
            (i32.store (i32.const 72) (call $dlsym (call $dlopen (i32.const 1024) (i32.const 2)) (i32.const 1031)))
            (drop (call $bump (i32.const 5)))
            (loop $next
              (if (i32.le_s (call $spawn (local.get $i)) (i32.const 0)) (then unreachable))
              (br_if $next (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 4))))
            (loop $wait
              (if (i32.ne (i32.atomic.load (i32.const 68)) (i32.const 4))
                (then
                  (drop (memory.atomic.wait32 (i32.const 68) (i32.atomic.load (i32.const 68)) (i64.const 10000000)))
                  (br $wait))))
            ;; A thread more: what the others have left behind is freed.
            (drop (call $spawn (i32.const 9)))
            (loop $wait
              (if (i32.ne (i32.atomic.load (i32.const 68)) (i32.const 5))
                (then
                  (drop (memory.atomic.wait32 (i32.const 68) (i32.atomic.load (i32.const 68)) (i64.const 10000000)))
                  (br $wait))))
            (if (i32.ne (call $bump (i32.const 1)) (i32.const 6)) (then unreachable))
            (call $exit (i32.load (i32.const 76))))
          (func (export "wasi_thread_start") (param $number i32) (param $argument i32) (local $i i32) (local $result i32)
            (loop $next
              (local.set $result (call $bump (i32.const 1)))
              (br_if $next (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 1000))))
            (drop (i32.atomic.rmw.add (i32.const 76) (local.get $result)))
            (if (i32.eqz (call $dlopen (i32.const 1024) (i32.const 2))) (then (drop (i32.atomic.rmw.add (i32.const 76) (i32.const 1)))))
            (drop (i32.atomic.rmw.add (i32.const 68) (i32.const 1)))
            (drop (memory.atomic.notify (i32.const 68) (i32.const 1)))))
        """;

    private static readonly string CountingLibrary = $"""
        (module {DylinkText.Dylink(threadLocal: ["counter"])}
          (import "env" "memory" (memory 0 100 shared))
          (import "env" "__memory_base" (global i32)) (import "env" "__table_base" (global i32))
          (global $tls (export "__tls_base") (mut i32) (i32.const 0))
          (global (export "__tls_size") i32 (i32.const 4))
          (global (export "__tls_align") i32 (i32.const 4))
          (global (export "counter") i32 (i32.const 0))
          (func (export "__wasm_init_tls") (param i32) (global.set $tls (local.get 0)) (i32.store (local.get 0) (i32.const 0)))
          (func (export "bump") (param i32) (result i32)
            (i32.store (global.get $tls) (i32.add (i32.load (global.get $tls)) (local.get 0)))
            (i32.load (global.get $tls))))
        """;

    [Theory]
    [InlineData(Compilation.Tiered)]
    [InlineData(Compilation.Lazy)]
    public void ThreadsThatAProgramMakesHaveVariablesOfTheirOwn(Compilation compilation)
    {
        var engine = new Engine(new EngineOptions { Interruptible = true, Compilation = compilation });
        var linker = new DynamicLinker(new MemoryNamespace { { "lib.so", engine.CompileText(CountingLibrary) } });
        using var wasi = new WasiHost(new WasiOptions { MaximumThreads = 8 });
        Assert.Equal(5 * 1001, wasi.Run(engine.CompileText(SpawningProgram), linker));
    }
}
