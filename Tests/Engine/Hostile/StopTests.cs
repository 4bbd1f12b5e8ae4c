using System.Diagnostics;
using WasmJit.Jit.Format;
using WasmJit.Jit.Tiers;
using WasmJit.Runtime;
using Xunit;

namespace WasmJit.Tests;

/// <summary>A guest can be stopped while the engine works for it: decodes, validates, compiles, copies, links.</summary>
[Collection("JIT events")]
public sealed class StopTests
{
    private static readonly Engine Interruptible = new(new EngineOptions { Interruptible = true, Compilation = WasmJit.Compilation.Lazy });

    /// <summary>
    /// Calls something that is cancelled a moment later. When the timer's thread gets its turn is the system's business: on a busy machine the work may
    /// have ended before. Then it is done again.
    /// </summary>
    private static void Stops(int milliseconds, Action call)
    {
        Exception? stopped = null;
        for (var clock = Stopwatch.StartNew(); stopped is null && clock.Elapsed < Eventually.Patience;)
        {
            using var source = new CancellationTokenSource();
            stopped = Record.Exception(() => Guest.Run(
                () =>
                {
                    source.CancelAfter(milliseconds);
                    call();
                },
                source.Token));
        }
        Assert.IsType<GuestCanceledException>(stopped);
    }

    private static Action Call(Module module, string name)
    {
        Instance instance = module.Instantiate();
        return instance.TryGetExport(name, out Action? action) ? action
            : instance.TryGetExport(name, out Func<int>? function) ? () => function()
            : instance.TryGetExport(name, out Func<int, int>? withArgument) ? () => withArgument(1) : null!;
    }

    /// <summary>One function of 5 MB, which takes seconds.</summary>
    private static byte[] SlowToCompile() => HostileModules.All["a function of 5 MB of calls"](1_000_000);

    [Theory]
    [InlineData("brif900.wasm")]
    public void Compilation(string file)
    {
        Module module = Interruptible.Compile(HostileInput.Read(file));
        Action run = Call(module, "run");
        Stops(20, run);
        Stops(20, run);
        // It was stopped while it was compiled, which takes seconds, not afterwards.
        Assert.False(module.Code.IsCompiled(module.Info.Funcs.Count - 1));
    }

    [Fact]
    public void CompilationAhead()
    {
        var engine = new Engine(new EngineOptions { Interruptible = true, Compilation = WasmJit.Compilation.Ahead });
        Stops(20, () => engine.Compile(SlowToCompile()));
    }

    /// <summary>Another thread's guest waits for the same function.</summary>
    [Fact]
    public void WaitingForCompilation()
    {
        Module module = Interruptible.Compile(SlowToCompile());
        var first = new Thread(() => Record.Exception(() => Stops(1000, Call(module, "run"))));
        first.Start();
        Stops(100, Call(module, "run"));
        first.Join();
    }

    [Fact]
    public void DecodingAndValidation()
    {
        // 20 million operators, in one function and in many.
        foreach (int functions in new[] { 1, 1000 })
        {
            byte[] one = [0, .. Enumerable.Repeat((byte[])[Opcode.I32Const, 0, Opcode.Drop], 20_000_000 / 3 / functions).SelectMany(b => b), Opcode.End];
            byte[] bytes = Functions(functions, one);
            Stops(1, () => Interruptible.Compile(bytes));
        }
    }

    [Fact]
    public void AGuestsCompile()
    {
        // References: of numbers ten million are validated before the timer of a busy machine has had its turn.
        byte[] one = [0, .. Enumerable.Repeat((byte[])[Opcode.RefNull, HeapByte.Func, Opcode.Drop], 10_000_000).SelectMany(b => b), Opcode.End];
        byte[] bytes = Functions(1, one);
        Instance instance = Interruptible.CompileText($"""
            (module (type $M (module)) (memory (export "m") {(bytes.Length / 65536) + 1})
              (func (export "f") (drop (compile null $M (i32.const 0) (i32.const {bytes.Length})))))
            """).Instantiate();
        instance.GetExport<Memory>("m").WriteBytes(0, bytes);
        Stops(1, instance.GetExport<Action>("f"));
    }

    [Theory]
    [InlineData("(memory 65536) (func (export \"f\") (memory.fill (i32.const 0) (i32.const 1) (i32.const -1)))")]
    [InlineData("(memory 65536) (func (export \"f\") (memory.copy (i32.const 0x40000000) (i32.const 0) (i32.const 0xbfffffff)))")]
    [InlineData("(memory 65536) (func (export \"f\") (slice.fill (slice.new (i32.const 0) (i32.const -1)) (i64.const 0) (i32.const 1) (i64.const 0xffffffff)))")]
    [InlineData("(type $a (array i8)) (func (export \"f\") (drop (array.new $a (i32.const 1) (i32.const 0x40000000))))")]
    public void FillsAndCopies(string fields) => Stops(5, Call(Interruptible.CompileText($"(module {fields})"), "f"));

    [Theory]
    [InlineData("(type $a (array (mut i8))) (global (ref $a) (array.new $a (i32.const 1) (i32.const 0x3ffffff0)))")]
    [InlineData("(type $a (array (mut i64))) (global (ref $a) (array.new $a (i64.const 1) (i32.const 0x7ffffff)))")]
    public void ConstantExpressions(string fields)
    {
        Module module = Interruptible.CompileText($"(module {fields} {string.Concat(Enumerable.Repeat("(global (ref $a) (array.new $a (i32.const 1) (i32.const 0x3ffffff0)))", fields.Contains("i8", StringComparison.Ordinal) ? 3 : 0))})");
        Stops(5, () => module.Instantiate());
    }

    [Fact]
    public void ManyTables()
    {
        Module module = Interruptible.CompileText($"(module {string.Concat(Enumerable.Repeat("(table 10000000 funcref)", 200))})");
        Stops(5, () => module.Instantiate());
    }

    // ---- what is compiled takes time in proportion to its bytes ----

    public static TheoryData<string, string> Shapes => new()
    {
        { "cases", HostileInput.Cases(900, 1800) },
        { "cases, few locals", HostileInput.Cases(900, 60) },
        { "tries", HostileInput.NestedTries(80, 20) },
        { "more tries", HostileInput.NestedTries(200, 5) },
        { "loops", HostileInput.NestedLoops(400, 400) },
        { "near_wild_1800.wasm", "" },
        { "brtab900.wasm", "" },
        { "brif900.wasm", "" },
        { "cases with a thousand values", HostileInput.ManyValues("table", 900) },
        { "cases at different heights", HostileInput.ManyValues("heights", 900) },
        { "branches with a thousand values", HostileInput.ManyValues("br_if", 500) },
        { "loops with a thousand values", HostileInput.ManyValues("loop", 900) },
        { "arms with a thousand values", HostileInput.ManyValues("if", 900) },
        { "returns with a thousand values", HostileInput.ManyValues("return", 900) },
        { "calls with a thousand values", HostileInput.ManyValues("call", 200) },
    };

    [Theory]
    [MemberData(nameof(Shapes))]
    public void NoShapeTakesLong(string name, string text)
    {
        byte[] bytes = text.Length > 0 ? Wat.ToBinary(text) : HostileInput.Read(name);
        // Most are some four times the usual. It was 25 to 500 times, when the optimiser had them, or when each label had its own temporaries.
        int most = name == "brif900.wasm" ? 100 : 20;
        IsNoSlower(most, () => Compile(bytes), () =>
        {
            for (int i = 0; i < 10; i++) Compile(Plain);
        });

        static void Compile(byte[] bytes)
        {
            Module module = new Engine(new EngineOptions { BackgroundThreads = 0 }).Compile(bytes);
            Assert.NotEqual(0, module.Code.Compile(module.Info.Funcs.Count - 1));
        }
    }

    /// <summary>A large function of no special shape.</summary>
    private static readonly byte[] Plain = Wat.ToBinary($"""
        (module (func (export "f") (param i32) (result i32)
          {string.Concat(Enumerable.Repeat("(local.set 0 (i32.add (i32.mul (local.get 0) (i32.const 3)) (i32.const 5)))", 2000))}
          (local.get 0)))
        """);

    /// <summary>
    /// Something takes no more processor time than a number of times what something else takes on the same machine. Time that is not its own may count
    /// among it, so it is tried three times.
    /// </summary>
    private static void IsNoSlower(int times, Action action, Action measure)
    {
        TimeSpan usual = Time(measure), taken = TimeSpan.MaxValue;
        for (int attempt = 0; attempt < 3 && taken > times * usual; attempt++) taken = Time(action);
        Assert.True(taken <= times * usual, $"{taken}, the other {usual}");

        static TimeSpan Time(Action action)
        {
            TimeSpan before = Environment.CpuUsage.TotalTime;
            action();
            return Environment.CpuUsage.TotalTime - before;
        }
    }

    /// <summary>No call waits for the compiler where functions are interpreted at first; functions that would take it too long stay interpreted.</summary>
    [Theory]
    [InlineData("brif900.wasm")]
    [InlineData("brtab900.wasm")]
    [InlineData("near_wild_1800.wasm")]
    public unsafe void TheFirstCallDoesNotWait(string file)
    {
        Module module = new Engine(new EngineOptions { BackgroundThreads = 1 }).Compile(HostileInput.Read(file));
        Action run = Call(module, "run");
        int last = module.Info.Funcs.Count - 1;
        using var held = new ManualResetEventSlim();
        Lookahead.BeforeEach = held.Wait;
        try
        {
            // The thread that compiles does nothing meanwhile: a call that waited for it would wait for ever.
            var calls = new Thread(() =>
            {
                for (int i = 0; i < 10; i++) run();
            });
            calls.Start();
            Assert.True(calls.Join(Eventually.Patience));
            Assert.False(module.Code.IsCompiled(last));
        }
        finally
        {
            held.Set();
            Lookahead.BeforeEach = null;
        }
        // The first time it is only warm.
        for (int i = 0; i < 2; i++) module.Code.Interpreted!.OnHot(module.Code.Interpreted.States + (last - module.Info.ImportedFuncs));
        module.Code.Hot!.Wait();
        Assert.Equal(file == "brtab900.wasm", module.Code.IsCompiled(last));
    }

    /// <summary>Reads of locals that wait below many constants are not looked for at each write.</summary>
    [Fact]
    public void ReadsBelowManyConstantsAreLookedForOnce()
    {
        const int constants = 60_000, writes = 55_000;
        // Two thousand million steps otherwise.
        Func<int, int, int> read = Function("(local.get 1)"), none = Function("(i32.const 5)");
        IsNoSlower(10, () => Assert.Equal(12, read(1, 5)), () => Assert.Equal(12, none(1, 5)));

        static Func<int, int, int> Function(string first) => new Engine(Tiers.Interpreted).CompileText($"""
            (module (func (export "f") (param i32 i32) (result i32)
              {first}
              {string.Concat(Enumerable.Repeat("(i32.const 7)", constants))}
              {string.Concat(Enumerable.Repeat("(local.set 0)", writes))}
              {string.Concat(Enumerable.Repeat("drop ", constants - writes))}
              (i32.add (local.get 0))))
            """).Instantiate().GetExport<Func<int, int, int>>("f");
    }

    /// <summary>Functions that are not optimised do what they did.</summary>
    [Fact]
    public void WhatIsNotOptimisedIsRight()
    {
        foreach ((int cases, int locals) in new[] { (50, 20), (600, 900) })
        {
            string text = HostileInput.Cases(cases, locals);
            var optimised = new Engine(Tiers.Compiled).CompileText(text).Instantiate().GetExport<Func<int, int>>("f");
            Assert.Equal(0, optimised(3));
        }
        var tries = new Engine(Tiers.Compiled).CompileText(HostileInput.NestedTries(60, 30)).Instantiate().GetExport<Action<int>>("f");
        Assert.Equal(TrapKind.Unreachable, Assert.Throws<TrapException>(() => tries(0)).Kind);
        tries(1);
    }

    /// <summary>RyuJIT takes minutes and gigabytes for tries thousands deep, and cannot be stopped meanwhile.</summary>
    [Fact]
    public void TriesInEachOtherHaveALimit()
    {
        static Action Tries(int depth) => new Engine(Tiers.Compiled).CompileText($"""
            (module (func $g) (func (export "f") {string.Concat(Enumerable.Repeat("(block (try_table (catch_all 0) ", depth))} (call $g) {new string(')', 2 * depth)}))
            """).Instantiate().GetExport<Action>("f");
        Tries(100)();
        Assert.Contains("tries in each other", Assert.Throws<UnsupportedModuleException>(Tries(1001)).Message, StringComparison.Ordinal);
    }

    private static byte[] Functions(int count, byte[] body)
    {
        var bytes = new List<byte>([.. "\0asm\x01\0\0\0"u8, SectionId.Type, 4, 1, TypeByte.Func, 0, 0, SectionId.Function]);
        Section([.. Leb(count), .. new byte[count]]);
        bytes.Add(SectionId.Code);
        Section([.. Leb(count), .. Enumerable.Repeat((byte[])[.. Leb(body.Length), .. body], count).SelectMany(b => b)]);
        return [.. bytes];

        void Section(byte[] content)
        {
            bytes.AddRange(Leb(content.Length));
            bytes.AddRange(content);
        }
    }

    private static byte[] Leb(int value)
    {
        var bytes = new List<byte>();
        for (; value >= 0x80; value >>= 7) bytes.Add((byte)(value | 0x80));
        bytes.Add((byte)value);
        return [.. bytes];
    }
}
