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
