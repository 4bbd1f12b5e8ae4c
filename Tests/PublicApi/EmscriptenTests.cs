using WasmJit.DynamicLinking;
using Xunit;

namespace WasmJit.Tests.PublicApi;

/// <summary>What <see cref="EmscriptenImports"/> gives to programs in Emscripten's conventions.</summary>
public sealed class EmscriptenTests
{
    private const string Stack = """
        (table (export "__indirect_function_table") 8 funcref)
        (global $sp (export "__stack_pointer") (mut i32) (i32.const 4096))
        (global $threw (mut i32) (i32.const 0))
        (func (export "stackSave") (result i32) (global.get $sp))
        (func (export "stackRestore") (param i32) (global.set $sp (local.get 0)))
        (func (export "setThrew") (param i32 i32) (global.set $threw (local.get 0)))
        """;

    /// <summary>A program whose function takes stack and jumps out of itself if its argument is 0.</summary>
    private const string Jumping = $"""
        (module
          (import "env" "invoke_ii" (func $invoke_ii (param i32 i32) (result i32)))
          (import "env" "invoke_dj" (func $invoke_dj (param i32 i64) (result f64)))
          (import "env" "invoke_v" (func $invoke_v (param i32)))
          (import "env" "_emscripten_throw_longjmp" (func $jump))
          (memory (export "memory") 1)
          {Stack}
          (elem (i32.const 1) $double $half $outer $trap)
          (func $double (param i32) (result i32)
            (global.set $sp (i32.sub (global.get $sp) (i32.const 16)))
            (if (i32.eqz (local.get 0)) (then (call $jump)))
            (global.set $sp (i32.add (global.get $sp) (i32.const 16)))
            (i32.mul (local.get 0) (i32.const 2)))
          (func $half (param i64) (result f64)
            (if (i64.eqz (local.get 0)) (then (call $jump)))
            (f64.div (f64.convert_i64_s (local.get 0)) (f64.const 2)))
          (func $outer (drop (call $invoke_ii (i32.const 1) (i32.const 0))) (call $jump))
          (func $trap unreachable)
          (func $threw_now (result i32) (local $was i32)
            (local.set $was (global.get $threw))
            (global.set $threw (i32.const 0))
            (local.get $was))
          (func (export "double") (param i32) (result i32 i32 i32)
            (call $invoke_ii (i32.const 1) (local.get 0)) (call $threw_now) (global.get $sp))
          (func (export "half") (param i64) (result f64 i32) (call $invoke_dj (i32.const 2) (local.get 0)) (call $threw_now))
          (func (export "nested") (result i32 i32) (call $invoke_v (i32.const 3)) (call $threw_now) (global.get $sp))
          (func (export "trap") (call $invoke_v (i32.const 4)))
          (func (export "wrong") (call $invoke_v (i32.const 1)))
          (func (export "free") (call $jump)))
        """;

    [Theory]
    [InlineData(Compilation.Tiered)]
    [InlineData(Compilation.Interpreted)]
    [InlineData(Compilation.Ahead)]
    public void InvokersCatchWhatLongjmpThrows(Compilation compilation)
    {
        // What the host forbids its guests does not stop it.
        var engine = new Engine(new EngineOptions { Compilation = compilation, RuntimeLinking = false, Features = Features.All & ~Features.Exceptions });
        Instance program = new EmscriptenImports().Instantiate(engine.CompileText(Jumping), []);
        var @double = program.GetExport<Func<int, (int, int, int)>>("double");
        Assert.Equal((42, 0, 4096), @double(21));
        Assert.Equal((0, 1, 4096), @double(0));
        Assert.Equal((2, 0, 4096), @double(1));
        var half = program.GetExport<Func<long, (double, int)>>("half");
        Assert.Equal((1.5, 0), half(3));
        Assert.Equal((0, 1), half(0));
        Assert.Equal((1, 4096), program.GetExport<Func<(int, int)>>("nested")());
        // Traps are not caught, nor is a jump without a target.
        Assert.Equal(TrapKind.Unreachable, Assert.Throws<TrapException>(program.GetExport<Action>("trap")).Kind);
        Assert.Equal(TrapKind.IndirectCallTypeMismatch, Assert.Throws<TrapException>(program.GetExport<Action>("wrong")).Kind);
        Assert.Throws<WasmException>(program.GetExport<Action>("free"));
    }

    [Fact]
    public void InvokersNeedWhatTheProgramExports()
    {
        LinkException e = Assert.Throws<LinkException>(() => new EmscriptenImports().Instantiate(new Engine().CompileText("""
            (module (import "env" "invoke_v" (func (param i32))) (memory (export "memory") 1) (table (export "__indirect_function_table") 1 funcref)
              (func (export "stackSave") (result i32) (i32.const 0)))
            """), []));
        Assert.Contains("stackRestore", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("(table (export \"__indirect_function_table\") 1 externref)")]
    [InlineData("(table (export \"__indirect_function_table\") i64 1 funcref)")]
    [InlineData("(table i64 1 funcref)")]
    public void TablesOfOtherTypesAreRefused(string table)
    {
        LinkException e = Assert.Throws<LinkException>(() => new EmscriptenImports().Instantiate(new Engine().CompileText($"""
            (module (import "env" "invoke_v" (func (param i32))) (memory (export "memory") 1) {table}
              (func (export "stackSave") (result i32) (i32.const 0)) (func (export "stackRestore") (param i32)) (func (export "setThrew") (param i32 i32)))
            """), []));
        Assert.Contains("\"table\" is of another type", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void SideModulesJumpThroughTheProgram()
    {
        var engine = new Engine();
        Module side = engine.CompileText($"""
            (module {DylinkText.Dylink(memory: 0, table: 1)} {DylinkText.Base}
              (import "env" "invoke_ii" (func $invoke (param i32 i32) (result i32)))
              (import "env" "_emscripten_throw_longjmp" (func $jump))
              (elem (global.get $table_base) $f)
              (func $f (param i32) (result i32) (if (i32.eqz (local.get 0)) (then (call $jump))) (i32.add (local.get 0) (i32.const 1)))
              (func (export "try") (param i32) (result i32) (call $invoke (global.get $table_base) (local.get 0))))
            """);
        var emscripten = new EmscriptenImports();
        var imports = new Imports();
        emscripten.AddTo(imports, side);
        var linker = new DynamicLinker(new MemoryNamespace { { "side.wasm", side } });
        emscripten.Instantiate(engine.CompileText($"""(module (memory (export "memory") 1) {Stack})"""), imports, linker);
        var @try = linker.Open("side.wasm").GetFunction<Func<int, int>>("try");
        Assert.Equal((8, 0, 1), (@try(7), @try(0), @try(0) + @try(0) + 1));
    }

    /// <summary>Side modules may use what the program does not import.</summary>
    [Fact]
    public void SideModulesHaveTheFunctionsToo()
    {
        var engine = new Engine();
        Module side = engine.CompileText($"""
            (module {DylinkText.Dylink()} {DylinkText.Base} (import "env" "__assert_fail" (func $fail (param i32 i32 i32 i32)))
              (func (export "check") (param i32) (if (i32.eqz (local.get 0)) (then (call $fail (i32.const 0) (i32.const 0) (i32.const 7) (i32.const 0))))))
            """);
        var linker = new DynamicLinker(new MemoryNamespace { { "side.wasm", side } });
        new EmscriptenImports().Instantiate(engine.CompileText($"""(module (memory (export "memory") 1) {Stack})"""), [], linker);
        var check = linker.Open("side.wasm").GetFunction<Action<int>>("check");
        check(1);
        Assert.Equal("unreachable: assertion failed: ?, at ?:7", Assert.Throws<TrapException>(() => check(0)).Message);
    }

    [Fact]
    public void MemoriesGrowAndAreCopied()
    {
        Instance program = new EmscriptenImports().Instantiate(new Engine().CompileText("""
            (module
              (import "env" "emscripten_resize_heap" (func $resize (param i32) (result i32)))
              (import "env" "emscripten_notify_memory_growth" (func $notify (param i32)))
              (import "env" "_emscripten_memcpy_js" (func $copy (param i32 i32 i32)))
              (import "env" "emscripten_get_heap_max" (func $most (result i32)))
              (memory (export "memory") 10 100)
              (data (i32.const 0) "abcdef")
              (func (export "resize") (param i32) (result i32) (call $notify (i32.const 0)) (call $resize (local.get 0)))
              (func (export "copy") (param i32 i32 i32) (call $copy (local.get 0) (local.get 1) (local.get 2)))
              (func (export "most") (result i32) (call $most)))
            """), []);
        var memory = program.GetExport<Memory>("memory");
        var resize = program.GetExport<Func<int, int>>("resize");
        Assert.Equal(1, resize(5));
        Assert.Equal(10u, memory.PageCount);
        // A fifth more than there was.
        Assert.Equal(1, resize((10 * 65536) + 1));
        Assert.Equal(12u, memory.PageCount);
        Assert.Equal(1, resize(99 * 65536));
        Assert.Equal(99u, memory.PageCount);
        Assert.Equal(0, resize(101 * 65536));
        Assert.Equal(0, resize(-1));
        Assert.Equal(99u, memory.PageCount);
        Assert.Equal(int.MinValue, program.GetExport<Func<int>>("most")());
        var copy = program.GetExport<Action<int, int, int>>("copy");
        copy(100, 1, 4);
        copy(2, 0, 4);
        Assert.Equal(("bcde", "ababcd"), (memory.ReadString(100, 4), memory.ReadString(0, 6)));
        int end = 99 * 65536;
        copy(end, end, 0);
        foreach ((int to, int from, int length) in new[] { (end - 3, 0, 4), (0, end - 3, 4), (0, 0, -1), (-1, 0, 1) })
            Assert.Equal(TrapKind.OutOfBoundsMemoryAccess, Assert.Throws<TrapException>(() => copy(to, from, length)).Kind);
    }

    [Fact]
    public void AProgramWithoutAMemoryTraps()
    {
        Instance program = new EmscriptenImports().Instantiate(new Engine().CompileText("""
            (module
              (import "env" "emscripten_resize_heap" (func $resize (param i32) (result i32)))
              (import "env" "_emscripten_memcpy_js" (func $copy (param i32 i32 i32)))
              (import "env" "__assert_fail" (func $assert (param i32 i32 i32 i32)))
              (import "env" "__cxa_throw" (func $throw (param i32 i32 i32)))
              (func (export "resize") (drop (call $resize (i32.const 1))))
              (func (export "copy") (call $copy (i32.const 0) (i32.const 0) (i32.const 0)))
              (func (export "assert") (call $assert (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)))
              (func (export "throw") (call $throw (i32.const 64) (i32.const 0) (i32.const 0))))
            """), []);
        foreach (string name in new[] { "resize", "copy", "assert", "throw" })
            Assert.Equal(TrapKind.OutOfBoundsMemoryAccess, Assert.Throws<TrapException>(program.GetExport<Action>(name)).Kind);
    }

    /// <summary>A program that uses what C++ calls in another order than C++ does, or with other addresses.</summary>
    private const string Misusing = $"""
        (module
          (import "env" "__cxa_throw" (func $throw (param i32 i32 i32)))
          (import "env" "__cxa_rethrow" (func $rethrow))
          (import "env" "__cxa_rethrow_primary_exception" (func $rethrow_primary (param i32)))
          (import "env" "__cxa_begin_catch" (func $begin (param i32) (result i32)))
          (import "env" "__cxa_end_catch" (func $end))
          (import "env" "__resumeException" (func $resume (param i32)))
          (import "env" "__cxa_find_matching_catch_3" (func $find (param i32) (result i32)))
          (import "env" "invoke_v" (func $invoke_v (param i32)))
          (memory (export "memory") 1)
          {Stack}
          (elem (i32.const 1) $endless $throws)
          (func $endless (loop $again (br $again)))
          (func $throws (call $throw (i32.const 1024) (i32.const 8) (i32.const 0)))
          (func (export "__cxa_increment_exception_refcount") (param i32))
          (func (export "__cxa_decrement_exception_refcount") (param i32))
          (func (export "__cxa_get_exception_ptr") (param i32) (result i32) (local.get 0))
          (func (export "__cxa_can_catch") (param i32 i32 i32) (result i32) (call $find (i32.const 4)))
          (func (export "throw") (param i32) (call $throw (local.get 0) (i32.const 8) (i32.const 0)))
          (func (export "rethrow") (param i32) (call $rethrow))
          (func (export "rethrow_primary") (param i32) (call $rethrow_primary (local.get 0)))
          (func (export "begin") (param i32) (drop (call $begin (local.get 0))))
          (func (export "end") (param i32) (call $end))
          (func (export "resume") (param i32) (call $resume (local.get 0)))
          (func (export "nest") (param i32) (loop $next (drop (call $begin (local.get 0))) (br $next)))
          ;; The program's own function asks again for what it is asked.
          (func (export "find") (param i32) (call $invoke_v (i32.const 2)) (drop (call $find (i32.const 4))))
          (func (export "endless") (param i32) (call $invoke_v (i32.const 1))))
        """;

    [Theory]
    [InlineData("throw", 0, TrapKind.OutOfBoundsMemoryAccess)]
    [InlineData("throw", 23, TrapKind.OutOfBoundsMemoryAccess)]
    [InlineData("throw", -1, TrapKind.OutOfBoundsMemoryAccess)]
    [InlineData("begin", 65537, TrapKind.OutOfBoundsMemoryAccess)]
    [InlineData("rethrow_primary", 8, TrapKind.OutOfBoundsMemoryAccess)]
    [InlineData("rethrow", 0, TrapKind.Unreachable)]
    [InlineData("end", 0, TrapKind.Unreachable)]
    [InlineData("nest", 1024, TrapKind.Unreachable)]
    [InlineData("find", 0, TrapKind.CallStackExhausted)]
    public void ProgramsThatMisuseExceptionsTrap(string function, int argument, TrapKind kind)
    {
        foreach (Compilation compilation in new[] { Compilation.Tiered, Compilation.Lazy, Compilation.Interpreted })
        {
            Instance program = new EmscriptenImports().Instantiate(new Engine(new EngineOptions { Compilation = compilation }).CompileText(Misusing), []);
            Assert.Equal(kind, Assert.Throws<TrapException>(() => program.GetExport<Action<int>>(function)(argument)).Kind);
            // What has no target goes to the host, and the instance is whole.
            Assert.Throws<WasmException>(() => program.GetExport<Action<int>>("resume")(0));
            Assert.Throws<WasmException>(() => program.GetExport<Action<int>>("throw")(65536));
        }
    }

    /// <summary>Invokers are code of the host, with options of their own: what they call is stopped as ever.</summary>
    [Theory]
    [InlineData(Compilation.Tiered)]
    [InlineData(Compilation.Interpreted)]
    public async Task WhatInvokersCallIsStopped(Compilation compilation)
    {
        var fuel = new Fuel(100_000);
        Instance counting = new EmscriptenImports().Instantiate(new Engine(new EngineOptions { Compilation = compilation, CountFuel = true }).CompileText(Misusing), [], fuel: fuel);
        Assert.Equal(TrapKind.OutOfFuel, Assert.Throws<TrapException>(() => counting.GetExport<Action<int>>("endless")(0)).Kind);
        Instance interruptible = new EmscriptenImports().Instantiate(new Engine(new EngineOptions { Compilation = compilation, Interruptible = true }).CompileText(Misusing), []);
        using var source = new CancellationTokenSource();
        Task running = interruptible.InvokeAsync("endless", source.Token, 0);
        source.Cancel();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
    }

    /// <summary>Programs for a JavaScript without numbers of 64 bits give and take these in halves.</summary>
    [Fact]
    public void NumbersInHalvesAreJoined()
    {
        Module module = new Engine().CompileText("""
            (module
              (import "wasi_snapshot_preview1" "fd_seek" (func $seek (param i32 i32 i32 i32 i32) (result i32)))
              (import "wasi_snapshot_preview1" "fd_pwrite" (func $write (param i32 i32 i32 i32 i32 i32) (result i32)))
              (import "wasi_snapshot_preview1" "clock_time_get" (func $time (param i32 i32 i32 i32) (result i32)))
              (import "wasi_snapshot_preview1" "path_open" (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
              (import "env" "exit" (func $exit (param i32)))
              (memory (export "memory") 1)
              (data (i32.const 16) "file") (data (i32.const 32) "\40\00\00\00\03\00\00\00") (data (i32.const 64) "abc")
              (func (export "open") (result i32)
                (call $open (i32.const 3) (i32.const 0) (i32.const 16) (i32.const 4) (i32.const 1) (i64.const 0x1fffffff) (i64.const 0) (i32.const 0) (i32.const 8)))
              (func (export "write") (param $low i32) (param $high i32) (result i32)
                (call $write (i32.load (i32.const 8)) (i32.const 32) (i32.const 1) (local.get $low) (local.get $high) (i32.const 40)))
              (func (export "seek") (param $low i32) (param $high i32) (param $whence i32) (result i32)
                (call $seek (i32.load (i32.const 8)) (local.get $low) (local.get $high) (local.get $whence) (i32.const 48)))
              (func (export "time") (result i32) (call $time (i32.const 0) (i32.const 1) (i32.const 0) (i32.const 56)))
              (func (export "exit") (call $exit (i32.const 7))))
            """);
        var files = new MemoryFileSystem();
        using var wasi = new WasiHost(new WasiOptions { FileSystems = [new WasiMount(files, "/")], Time = new Clock() });
        Instance program = new EmscriptenImports().Instantiate(module, wasi.Imports);
        Memory memory = program.GetExport<Memory>("memory");
        Assert.Equal(0, program.GetExport<Func<int>>("open")());
        Assert.Equal(0, program.GetExport<Func<int, int, int>>("write")(5, 0));
        Assert.Equal("\0\0\0\0\0abc"u8, files.ReadFile("file"));
        var seek = program.GetExport<Func<int, int, int, int>>("seek");
        Assert.Equal((0, 6L), (seek(-2, -1, 2), memory.Read<long>(48)));
        Assert.Equal((0, 0x3_0000_0006L), (seek(0, 3, 1), memory.Read<long>(48)));
        Assert.Equal((0, 86_400_000_000_000L), (program.GetExport<Func<int>>("time")(), memory.Read<long>(56)));
        Assert.Equal(7, Assert.Throws<WasiExitException>(program.GetExport<Action>("exit")).ExitCode);
    }

    [Fact]
    public void FailuresSayWhy()
    {
        Instance program = new EmscriptenImports().Instantiate(new Engine().CompileText("""
            (module
              (import "env" "_abort_js" (func $abort))
              (import "env" "__assert_fail" (func $assert (param i32 i32 i32 i32)))
              (memory (export "memory") 1)
              (data (i32.const 16) "a < b\00f.c\00")
              (func (export "abort") (call $abort))
              (func (export "assert") (param i32 i32) (call $assert (local.get 0) (local.get 1) (i32.const 12) (i32.const 0))))
            """), []);
        Assert.Equal("unreachable: abort", Assert.Throws<TrapException>(program.GetExport<Action>("abort")).Message);
        var assert = program.GetExport<Action<int, int>>("assert");
        Assert.Equal("unreachable: assertion failed: a < b, at f.c:12", Assert.Throws<TrapException>(() => assert(16, 22)).Message);
        Assert.Equal("unreachable: assertion failed: ?, at ?:12", Assert.Throws<TrapException>(() => assert(0, -1)).Message);
    }

    [Fact]
    public void WhatAHostGivesComesFirstAndOthersStayUnknown()
    {
        Module module = new Engine().CompileText("""
            (module
              (import "env" "emscripten_date_now" (func $date (result f64)))
              (import "env" "emscripten_get_now" (func $now (result f64)))
              (import "env" "abort" (func $abort))
              (memory (export "memory") 1)
              (func (export "date") (result f64) (call $date))
              (func (export "now") (result f64) (call $now))
              (func (export "abort") (call $abort)))
            """);
        int aborted = 0;
        var imports = new Imports { { "env", "abort", (Action)(() => aborted++) } };
        Instance program = new EmscriptenImports(new Clock()).Instantiate(module, imports);
        program.GetExport<Action>("abort")();
        Assert.Equal((1, 86_400_000.0), (aborted, program.GetExport<Func<double>>("date")()));
        Assert.Equal(0.0, program.GetExport<Func<double>>("now")());
        Assert.Single(imports);

        // A function of another type is another function, and an unknown one is missing.
        foreach (string import in new[] { """(func $abort (import "env" "abort") (param i32))""", """(import "env" "emscripten_asm_const_int" (func (param i32 i32 i32) (result i32)))""" })
            Assert.Throws<LinkException>(() => new EmscriptenImports().Instantiate(new Engine().CompileText($"(module {import})"), []));
    }

    [Fact]
    public void ConstructorsRun()
    {
        foreach (string name in new[] { "_initialize", "__wasm_call_ctors" })
        {
            Instance program = new EmscriptenImports().Instantiate(new Engine().CompileText($"""
                (module (memory (export "memory") 1) (global $g (export "ran") (mut i32) (i32.const 0))
                  (func (export "{name}") (global.set $g (i32.add (global.get $g) (i32.const 1)))))
                """), []);
            Assert.Equal(1, program.GetExport<Global>("ran").Value);
        }
    }

    /// <summary>The second day of 1970, and a stopwatch that stands still.</summary>
    private sealed class Clock : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => DateTimeOffset.UnixEpoch.AddDays(1);

        public override long GetTimestamp() => 5;
    }
}
