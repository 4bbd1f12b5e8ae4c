using System.Diagnostics;
using Xunit;

namespace WasmJit.Tests;

/// <summary>A guest can be stopped while the engine works for it: decodes, validates, compiles, copies, links.</summary>
[Collection("JIT events")]
public sealed class StopTests
{
    /// <summary>On a machine that does nothing else it is some milliseconds; what is not stopped takes many seconds.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(4);

    private static readonly Engine Interruptible = new(new EngineOptions { Interruptible = true, Compilation = WasmJit.Compilation.Lazy });

    private static void Stops(int milliseconds, Action call)
    {
        using var source = new CancellationTokenSource();
        TimeSpan late = TimeSpan.Zero;
        Assert.Throws<GuestCanceledException>(() => Guest.Run(
            () =>
            {
                source.CancelAfter(milliseconds);
                var watch = Stopwatch.StartNew();
                try
                {
                    call();
                }
                finally
                {
                    late = watch.Elapsed - TimeSpan.FromMilliseconds(milliseconds);
                }
            },
            source.Token));
        Assert.True(late < Patience, $"{late.TotalMilliseconds:0} ms late");
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
            byte[] one = [0, .. Enumerable.Repeat((byte[])[0x41, 0x00, 0x1a], 20_000_000 / 3 / functions).SelectMany(b => b), 0x0b];
            byte[] bytes = Functions(functions, one);
            Stops(1, () => Interruptible.Compile(bytes));
        }
    }

    [Fact]
    public void AGuestsCompile()
    {
        byte[] one = [0, .. Enumerable.Repeat((byte[])[0x41, 0x00, 0x1a], 10_000_000).SelectMany(b => b), 0x0b];
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
        Module module = new Engine(new EngineOptions { BackgroundThreads = 0 }).Compile(text.Length > 0 ? Wat.ToBinary(text) : HostileInput.Read(name));
        int last = module.Info.Funcs.Count - 1;
        TimeSpan before = Time();
        Assert.NotEqual(0, module.Code.Compile(last));
        TimeSpan taken = Time() - before;
        // 2 to 35 seconds, when the optimiser had them, or when each label had its own temporaries.
        Assert.True(taken < TimeSpan.FromSeconds(2.5), $"{taken}");

        static TimeSpan Time() => Process.GetCurrentProcess().TotalProcessorTime;
    }

    /// <summary>Nobody waits for the compiler where functions are interpreted at first; and what it would take too long for stays so.</summary>
    [Theory]
    [InlineData("brif900.wasm")]
    [InlineData("brtab900.wasm")]
    [InlineData("near_wild_1800.wasm")]
    public unsafe void TheFirstCallDoesNotWait(string file)
    {
        Module module = new Engine().Compile(HostileInput.Read(file));
        Action run = Call(module, "run");
        TimeSpan before = Environment.CpuUsage.TotalTime;
        for (int i = 0; i < 10; i++) run();
        TimeSpan taken = Environment.CpuUsage.TotalTime - before;
        Assert.True(taken < TimeSpan.FromSeconds(1), $"{taken}");
        int last = module.Info.Funcs.Count - 1;
        module.Code.OnHot(module.Code.States + (last - module.Info.ImportedFuncs));
        module.Code.Hot!.Wait();
        Assert.Equal(file == "brtab900.wasm", module.Code.IsCompiled(last));
    }

    /// <summary>Reads of locals that wait below many constants are not looked for at each write.</summary>
    [Fact]
    public void ReadsBelowManyConstantsAreLookedForOnce()
    {
        const int constants = 60_000, writes = 55_000;
        string text = $"""
            (module (func (export "f") (param i32 i32) (result i32)
              (local.get 1)
              {string.Concat(Enumerable.Repeat("(i32.const 7)", constants))}
              {string.Concat(Enumerable.Repeat("(local.set 0)", writes))}
              {string.Concat(Enumerable.Repeat("drop ", constants - writes))}
              (i32.add (local.get 0))))
            """;
        var f = new Engine(new EngineOptions { Compilation = WasmJit.Compilation.Interpreted }).CompileText(text).Instantiate().GetExport<Func<int, int, int>>("f");
        TimeSpan before = Environment.CpuUsage.TotalTime;
        Assert.Equal(12, f(1, 5));
        TimeSpan taken = Environment.CpuUsage.TotalTime - before;
        // Two thousand million steps otherwise.
        Assert.True(taken < TimeSpan.FromSeconds(3), $"{taken}");
    }

    /// <summary>Functions that are not optimised do what they did.</summary>
    [Fact]
    public void WhatIsNotOptimisedIsRight()
    {
        foreach ((int cases, int locals) in new[] { (50, 20), (600, 900) })
        {
            string text = HostileInput.Cases(cases, locals);
            var optimised = new Engine(new EngineOptions { Compilation = WasmJit.Compilation.Lazy }).CompileText(text).Instantiate().GetExport<Func<int, int>>("f");
            Assert.Equal(0, optimised(3));
        }
        var tries = new Engine(new EngineOptions { Compilation = WasmJit.Compilation.Lazy }).CompileText(HostileInput.NestedTries(60, 30)).Instantiate().GetExport<Action<int>>("f");
        Assert.Equal(TrapKind.Unreachable, Assert.Throws<TrapException>(() => tries(0)).Kind);
        tries(1);
    }

    private static byte[] Functions(int count, byte[] body)
    {
        var bytes = new List<byte>([0, (byte)'a', (byte)'s', (byte)'m', 1, 0, 0, 0, 1, 4, 1, 0x60, 0, 0, 3]);
        Section([.. Leb(count), .. new byte[count]]);
        bytes.Add(10);
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
