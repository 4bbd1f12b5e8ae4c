using WasmJit.Jit.Interpreter;
using WasmJit.Jit.Tiers;
using Xunit;

namespace WasmJit.Tests;

/// <summary>A call or an iteration counts for what runs each time: long straight code is compiled as soon as it has run for as long as compiling it takes.</summary>
public sealed class StraightRunTests
{
    private const int Block = 1, If = 2, Loop = 3;

    private static string Repeat(string text, int count) => string.Concat(Enumerable.Repeat(text, count));

    private static Module Compile(string text) =>
        new Engine(new EngineOptions { Compilation = Compilation.Tiered, Inlining = false, BackgroundThreads = 0 }).CompileText(text);

    /// <summary>Without branches all is counted.</summary>
    [Fact]
    public void WithoutBranchesAllRuns()
    {
        var runs = new StraightRuns();
        runs.Begin(0, 0);
        Assert.Equal((0, 100), runs.End(100));
    }

    /// <summary>What an if has inside is left out, and so is what a branch skips, up to the end of the block that it leaves.</summary>
    [Fact]
    public void WhatMayBeSkippedIsLeftOut()
    {
        var runs = new StraightRuns();
        runs.Begin(0, 0);
        runs.Branch(If, isLoop: false, 10);
        runs.EndBlock(If, 30);
        runs.Branch(Block, isLoop: false, 35);
        // A block inside of what may be skipped ends.
        runs.EndBlock(If, 40);
        runs.EndBlock(Block, 60);
        Assert.Equal((0, 10 + 5 + 40), runs.End(100));
    }

    /// <summary>What follows a return that may happen is left out.</summary>
    [Fact]
    public void NothingIsCertainBehindAReturn()
    {
        var runs = new StraightRuns();
        runs.Begin(0, 0);
        runs.Branch(0, isLoop: false, 10);
        runs.EndBlock(Block, 20);
        Assert.Equal((0, 10), runs.End(100));
    }

    /// <summary>A loop has a count of its own, and stands once in that of what is around. A branch to its head skips nothing.</summary>
    [Fact]
    public void LoopsCountForThemselves()
    {
        var runs = new StraightRuns();
        runs.Begin(0, 0);
        runs.Begin(Loop, 10);
        runs.Branch(Loop, isLoop: true, 20);
        Assert.Equal((10, 20), runs.End(30));
        Assert.Equal((0, 100), runs.End(100));
    }

    /// <summary>A branch out of a loop leaves out the loop's rest, and what is behind the loop in the block that it goes to.</summary>
    [Fact]
    public void ABranchOutOfALoopSkipsBoth()
    {
        var runs = new StraightRuns();
        runs.Begin(0, 0);
        runs.Begin(Loop, 10);
        runs.Branch(Block, isLoop: false, 15);
        Assert.Equal((10, 5), runs.End(30));
        runs.EndBlock(Block, 50);
        Assert.Equal((0, 30 + 50), runs.End(100));
    }

    /// <summary>A large function whose calls run all of it is compiled after fewer calls than one whose calls run little of it.</summary>
    [Theory]
    [InlineData("", "", true)]
    [InlineData("(if (i32.eqz (local.get 0)) (then", "))", false)]
    [InlineData("(block (br_if 0 (local.get 0))", ")", false)]
    [InlineData("(if (local.get 0) (then (return)))", "", false)]
    public void CallsCountForWhatTheyRun(string before, string after, bool isSoon)
    {
        Module module = Compile($"""
            (module (global $g (mut i32) (i32.const 0))
              (func (export "run") (param i32)
                {before} {Repeat("(global.set $g (i32.mul (i32.add (global.get $g) (i32.const 77)) (i32.const 5)))", 3000)} {after}))
            """);
        var run = module.Instantiate().GetExport<Action<int>>("run");
        int size = module.Info.Funcs[0].BodyEnd - module.Info.Funcs[0].BodyStart, few = BreakEven.EventsOf(size) / 20;
        for (int i = 0; i < few; i++) run(1);
        Assert.Equal(isSoon, module.Code.IsCompiled(0));
    }

    /// <summary>The same for iterations: a loop with much straight code is compiled after few of them.</summary>
    [Theory]
    [InlineData("", "", 1)]
    [InlineData("(if (i32.eqz (local.get 0)) (then", "))", 0)]
    public void IterationsCountForWhatTheyRun(string before, string after, int compiled)
    {
        Module module = Compile($"""
            (module (global $g (mut i32) (i32.const 0))
              (func (export "run") (param i32)
                (loop $l
                  {before} {Repeat("(global.set $g (i32.mul (i32.add (global.get $g) (i32.const 77)) (i32.const 5)))", 3000)} {after}
                  (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))))
            """);
        var run = module.Instantiate().GetExport<Action<int>>("run");
        int size = module.Info.Funcs[0].BodyEnd - module.Info.Funcs[0].BodyStart;
        run(BreakEven.EventsOf(size) / 20);
        Assert.Equal(compiled, module.Code.Interpreted!.LoopsCompiled);
    }
}
