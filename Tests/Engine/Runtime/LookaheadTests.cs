using System.Runtime.CompilerServices;
using System.Text;
using WasmJit.Jit.Binary;
using WasmJit.Jit.Tiers;
using Xunit;

namespace WasmJit.Tests;

/// <summary>Functions compiled before they are called. The collection lets nothing run beside these tests: the threads are the process's.</summary>
[Collection("JIT events")]
public sealed class LookaheadTests
{
    private static readonly EngineOptions Options = new() { Compilation = Compilation.Lazy, BackgroundThreads = 1, BackgroundThreshold = 0, Inlining = false };

    /// <summary>Each function calls the next where its argument is not 0, with one less.</summary>
    private static string Chain(int functions, string last = "")
    {
        var text = new StringBuilder("(module ");
        for (int i = 0; i < functions; i++)
            text.Append($"(func $f{i} (export \"f{i}\") (param i32) (result i32) local.get 0 i32.eqz if (result i32) i32.const {i} ")
                .Append($"else local.get 0 i32.const 1 i32.sub call {(i + 1 < functions || last.Length > 0 ? $"$f{i + 1}" : "$f0")} end)\n");
        return text.Append(last).Append(')').ToString();
    }

    [Fact]
    public void CalleesOfCalledFunctionsAreCompiled()
    {
        Module module = new Engine(Options).CompileText(Chain(8));
        Instance instance = module.Instantiate();
        Assert.Equal(0, instance.GetExport<Func<int, int>>("f0")(0));
        module.Code.Ahead!.Wait();
        // Two further, not all.
        Assert.Equal([true, true, true, false, false, false, false, false], Enumerable.Range(0, 8).Select(module.Code.IsCompiled));
        Assert.Equal(3, instance.GetExport<Func<int, int>>("f0")(3));
        module.Code.Ahead!.Wait();
        Assert.Equal([true, true, true, true, true, true, false, false], Enumerable.Range(0, 8).Select(module.Code.IsCompiled));
    }

    [Fact]
    public void SmallModulesAreLeftAlone()
    {
        Assert.Null(new Engine(Tiers.Compiled).CompileText(Chain(8)).Code.Ahead);
        Assert.Null(new Engine(Options with { BackgroundThreads = 0 }).CompileText(Chain(8)).Code.Ahead);
        Assert.Throws<ArgumentOutOfRangeException>(() => new EngineOptions { BackgroundThreads = -1 });
    }

    /// <summary>The first large module of a process has a function compiled that has not been called; others, and small ones, have none.</summary>
    [Fact]
    public void ALargeModulePreparesForHotFunctions()
    {
        var engine = new Engine(new EngineOptions { Compilation = Compilation.Tiered, BackgroundThreads = 1 });
        string body = string.Concat(Enumerable.Repeat("(i32.store (i32.const 8) (i32.add (i32.load (i32.const 8)) (i32.const 1)))", 30));
        byte[] Functions(int count) => Wat.ToBinary($"(module (memory 1) (func $small) {string.Concat(Enumerable.Repeat($"(func {body})", count))})");
        int Compiled(byte[] bytes)
        {
            Module module = engine.Compile(bytes);
            module.Instantiate();
            module.Code.Hot!.Wait();
            return Enumerable.Range(0, module.Info.Funcs.Count).Count(module.Code.IsCompiled);
        }
        byte[] small = Functions(100), large = Functions(5000);
        Assert.True(large.Length > 1 << 20);
        bool was = Lookahead.IsRehearsed;
        try
        {
            Lookahead.IsRehearsed = false;
            Assert.Equal(0, Compiled(small));
            Assert.False(Lookahead.IsRehearsed);
            Assert.Equal(Environment.ProcessorCount > 1 ? 1 : 0, Compiled(large));
            Assert.Equal(0, Compiled(large));
        }
        finally
        {
            Lookahead.IsRehearsed = was;
        }
    }

    /// <summary>Where the system gives no thread, no call fails: the interpreter goes on, and what becomes hot later asks again.</summary>
    [Fact]
    public void WithoutThreadsTheInterpreterGoesOn()
    {
        Assert.True(Eventually.Holds(() => Lookahead.Threads == 0));
        Module module = new Engine(Options with { Compilation = Compilation.Tiered }).CompileText(Chain(2));
        Instance instance = module.Instantiate();
        var f0 = instance.GetExport<Func<int, int>>("f0");
        Action<Thread> start = Lookahead.Start;
        Lookahead.Start = _ => throw new OutOfMemoryException();
        try
        {
            for (int i = 0; i < 30_000; i++) Assert.Equal(0, f0(0));
        }
        finally
        {
            Lookahead.Start = start;
        }
        Assert.Equal((0, false), (Lookahead.Threads, module.Code.IsCompiled(0)));
        for (int i = 0; i < 30_000; i++) f0(1);
        module.Code.Hot!.Wait();
        Assert.True(module.Code.IsCompiled(0) && module.Code.IsCompiled(1));
    }

    /// <summary>A function that has been interpreted for a quarter of what makes it hot is compiled by a thread that is idle, if it is small.</summary>
    [Theory]
    [InlineData(10, true)]
    [InlineData(2000, false)]
    public void WarmFunctionsAreCompiledByIdleThreads(int operators, bool isCompiled)
    {
        Module module = new Engine(Tiers.Compiled with { Compilation = Compilation.Tiered, BackgroundThreads = 1 }).CompileText($"""
            (module (func (export "f") (param i32) (result i32)
              (if (local.get 0) (then {string.Concat(Enumerable.Repeat("(drop (i32.const 0))", operators))})) (i32.const 7)))
            """);
        var f = module.Instantiate().GetExport<Func<int, int>>("f");
        FuncInfo func = module.Code.Info.Funcs[0];
        int size = func.BodyEnd - func.BodyStart;
        for (int i = (BreakEven.EventsOf(size) / BreakEven.EarlyPart(size)) + 2; i > 0; i--) Assert.Equal(7, f(0));
        module.Code.Hot!.Wait();
        Assert.Equal(isCompiled, module.Code.IsCompiled(0));
    }

    [Fact]
    public void FailuresAreMetByTheCaller()
    {
        // Each of the branches moves a thousand results: more instructions of IL than a function of this size may become.
        static string Times(int count, string text) => string.Concat(Enumerable.Repeat(text, count));
        string unsupported = $"""
            (func $f2 (export "f2") (param i32) (result i32)
              (block (result {Times(1000, "i32 ")}) {Times(1000, "local.get 0 ")} {Times(5000, "local.get 0 br_if 0 ")}) {Times(1000, "drop ")}
              i32.const 2)
            """;
        Module module = new Engine(Options).CompileText(Chain(2, unsupported));
        Instance instance = module.Instantiate();
        Assert.Equal(0, instance.GetExport<Func<int, int>>("f0")(0));
        module.Code.Ahead!.Wait();
        Assert.False(module.Code.IsCompiled(2));
        Assert.Equal(1, instance.GetExport<Func<int, int>>("f0")(1));
        Assert.Throws<UnsupportedModuleException>(() => instance.GetExport<Func<int, int>>("f0")(2));
    }

    [Fact]
    public void DroppedModulesGoAndThreadsEnd()
    {
        using var taking = new ManualResetEventSlim(false);
        int idle = Lookahead.IdleMilliseconds;
        Lookahead.BeforeEach = taking.Wait;
        Lookahead.IdleMilliseconds = 50;
        try
        {
            WeakReference module = Start();
            // A thread is there and has not taken anything yet.
            Assert.True(Eventually.Collected(module));
            taking.Set();
            Assert.True(Eventually.Holds(() => Lookahead.Threads == 0));
            // And it begins again.
            Module other = new Engine(Options).CompileText(Chain(3));
            other.Instantiate().GetExport<Func<int, int>>("f0")(0);
            other.Code.Ahead!.Wait();
            Assert.True(other.Code.IsCompiled(2));
        }
        finally
        {
            taking.Set();
            Lookahead.BeforeEach = null;
            Lookahead.IdleMilliseconds = idle;
        }

        [MethodImpl(MethodImplOptions.NoInlining)]
        static WeakReference Start()
        {
            Module module = new Engine(Options).CompileText(Chain(50));
            Assert.Equal(0, module.Instantiate().GetExport<Func<int, int>>("f0")(0));
            Assert.False(module.Code.IsCompiled(1));
            return new WeakReference(module);
        }
    }

    [Fact]
    public void CallsAndThreadsMeet()
    {
        for (int round = 0; round < 5; round++)
        {
            Instance instance = new Engine(Options with { BackgroundThreads = 3 }).CompileText(Chain(300)).Instantiate();
            Parallel.For(0, 4, i =>
            {
                for (int n = 0; n < 300; n += 7 + i) Assert.Equal(n, instance.GetExport<Func<int, int>>("f0")(n));
            });
        }
    }
}
