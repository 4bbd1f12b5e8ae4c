using System.Diagnostics;
using Xunit;

namespace WasmJit.Tests;

/// <summary>Frames of traps know where in the module and in the sources they are, whatever runs the functions.</summary>
public sealed class FramePlaceTests
{
    private static readonly string Folder = Golden.InRepository("Tests/Programs/Debug");

    private static readonly string[] Source = File.ReadAllLines(Path.Combine(Folder, "faults.c"));

    /// <summary>The line of the source that has a comment.</summary>
    private static int LineOf(string comment)
    {
        int line = Array.FindIndex(Source, l => l.EndsWith("// " + comment, StringComparison.Ordinal)) + 1;
        Assert.True(line > 0);
        return line;
    }

    private static byte[] Module(string name) => File.ReadAllBytes(Path.Combine(Folder, name));

    private static TrapException Trap(Action call) => Assert.Throws<TrapException>(() => call());

    /// <summary>How functions run, and whether the engine inlines.</summary>
    public static TheoryData<Compilation, bool, int> Ways()
    {
        var data = new TheoryData<Compilation, bool, int>();
        foreach (Compilation way in (Compilation[])[Compilation.Interpreted, Compilation.Lazy])
        {
            data.Add(way, true, 4);
            data.Add(way, true, 5);
            data.Add(way, false, 5);
        }
        return data;
    }

    private static Instance Faults(Compilation way, bool inlines, int dwarf) =>
        new Engine(new EngineOptions { Compilation = way, Inlining = inlines }).Compile(Module($"faults-dwarf{dwarf}.wasm")).Instantiate();

    /// <summary>All locations of a stack, those of inlined functions too, innermost first.</summary>
    private static List<(string? Function, int Line)> Locations(TrapException trap)
    {
        var found = new List<(string?, int)>();
        foreach (WasmFrame frame in trap.WasmStack)
        {
            foreach (WasmFrame inlined in frame.Inlined) found.AddRange(inlined.Source.Select(s => (s.Function, s.Line)));
            found.AddRange(frame.Source.Select(s => (s.Function, s.Line)));
            Assert.All(frame.Source, s => Assert.EndsWith("faults.c", s.File, StringComparison.Ordinal));
        }
        return found;
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public void TrapsShowFunctionAndLine(Compilation way, bool inlines, int dwarf)
    {
        Instance instance = Faults(way, inlines, dwarf);
        var run = instance.GetExport<Func<int, int>>("run");
        (string?, int)[] outer = [("middle", LineOf("calls inner")), ("run", LineOf("calls middle"))];
        Assert.Equal([("inner", LineOf("unreachable")), .. outer], Locations(Trap(() => run(0))));
        Assert.Equal([("divide", LineOf("division")), ("inner", LineOf("calls divide")), .. outer], Locations(Trap(() => run(-4))));
        Assert.Equal([("read_at", LineOf("out of bounds")), ("inner", LineOf("inlines read_at")), .. outer], Locations(Trap(() => run(-3))));
    }

    [Fact]
    public void FunctionsThatGotWarmShowTheSame()
    {
        var engine = new Engine(new EngineOptions { BackgroundThreads = 0 });
        Instance instance = engine.Compile(Module("faults-dwarf4.wasm")).Instantiate();
        var run = instance.GetExport<Func<int, int>>("run");
        List<(string?, int)> cold = Locations(Trap(() => run(-4)));
        // Long enough for machine code, of the loop at first.
        instance.GetExport<Func<int, int>>("warm")(200_000);
        Assert.Equal(cold, Locations(Trap(() => run(-4))));
    }

    [Theory]
    [InlineData(Compilation.Interpreted)]
    [InlineData(Compilation.Lazy)]
    public void NamesOfCppAreDemangled(Compilation way)
    {
        Instance instance = new Engine(new EngineOptions { Compilation = way, Inlining = false }).Compile(Module("names.wasm")).Instantiate();
        TrapException trap = Trap(() => instance.GetExport<Func<int, int>>("run")(0));
        Assert.Equal("shapes::Box<int>::half(int) const", trap.WasmStack[0].DisplayName);
        Assert.Equal("shapes::Box<int>::half(int) const", trap.WasmStack[0].Source[0].Function);
        Assert.Contains("names.cpp", trap.WasmStack[0].Describe(), StringComparison.Ordinal);
        Assert.Contains("(anonymous namespace)::apply<", trap.WasmStack[2].DisplayName, StringComparison.Ordinal);
    }

    /// <summary>A function for each way to trap, below one that calls it from two places.</summary>
    private const string Traps = """
        (module
          (type $f (func (param i32) (result i32)))
          (memory 1) (memory $m 1) (table 4 funcref) (elem (i32.const 0) func $div)
          (data (i32.const 16) "\10\00\00\00\f8\ff\ff\ff")
          (global $g (mut i32) (i32.const 0))
          (func $div (type $f) (global.set $g (local.get 0)) (i32.div_s (i32.const 7) (i32.sub (local.get 0) (local.get 0))))
          (func $trunc (type $f) (i32.add (i32.trunc_f64_s (f64.div (f64.convert_i32_s (local.get 0)) (f64.const 0))) (i32.const 1)))
          (func $load (type $f) (drop (i32.load (i32.const 8))) (i32.load offset=65536 (local.get 0)))
          (func $store (type $f) (i32.store (i32.const 8) (i32.const 1)) (i32.store (i32.const -4) (local.get 0)) (local.get 0))
          ;; Pairs that the interpreter executes as one, of which one part or the other faults.
          (func $first (type $f) (i32.add (i32.load offset=65536 (local.get 0)) (i32.load (local.get 0))))
          (func $second (type $f) (local i32) (local.set 1 (i32.const -8)) (i32.add (i32.load (local.get 0)) (i32.load (local.get 1))))
          (func $copied (type $f) (local i32) (local.set 1 (i32.const -8)) (i32.store (local.get 1) (i32.load (local.get 0))) (local.get 0))
          (func $added (type $f) (i32.load (i32.add (local.get 0) (i32.const 0x7fffffff))))
          (func $narrow (type $f) (i32.add (i32.load8_s (i32.const 65535)) (i32.load16_u (i32.const 65535))))
          (func $last (type $f) (i32.add (i32.load (i32.const 65532)) (i32.load (i32.const 65533))))
          ;; Threes: a store and two loads, an element that is increased.
          (func $three1 (type $f) (local i32) (local.set 1 (i32.mul (local.get 0) (i32.const -8))) (i32.store (local.get 1) (local.get 0)) (i32.add (i32.load (local.get 0)) (i32.load (local.get 0))))
          (func $three2 (type $f) (local i32) (local.set 1 (i32.mul (local.get 0) (i32.const -8))) (i32.store (local.get 0) (local.get 0)) (i32.add (i32.load (local.get 1)) (i32.load (local.get 0))))
          (func $three3 (type $f) (local i32) (local.set 1 (i32.mul (local.get 0) (i32.const -8))) (i32.store (local.get 0) (local.get 0)) (i32.add (i32.load (local.get 0)) (i32.load (local.get 1))))
          (func $more1 (type $f) (local i32) (local.set 1 (i32.mul (local.get 0) (i32.const -8))) (i32.store (local.get 1) (i32.add (i32.load (local.get 1)) (i32.const 1))) (local.get 0))
          (func $more2 (type $f) (local i32) (local.set 1 (i32.mul (local.get 0) (i32.const -8))) (i32.store (local.get 1) (i32.add (i32.load (local.get 0)) (i32.const 1))) (local.get 0))
          ;; Lists: what is loaded is the next address, at the same distance or another.
          (func $list1 (type $f) (i32.load (i32.load (i32.sub (local.get 0) (i32.const 9)))))
          (func $list2 (type $f) (i32.load (i32.load (i32.const 20))))
          (func $list3 (type $f) (i32.load (i32.load (i32.load (i32.load (i32.add (local.get 0) (i32.const 19)))))))
          (func $list4 (type $f) (local i32) (local.set 1 (i32.const 16)) (local.set 1 (i32.load (local.get 1))) (local.set 1 (i32.load offset=4 (local.get 1))) (local.set 1 (i32.load (local.get 1))) (local.get 1))
          (func $list5 (type $f) (i32.store (i32.load (i32.load (i32.const 20))) (i32.const 1)) (local.get 0))
          (func $list6 (type $f) (i32.store (i32.load (i32.const 20)) (i32.const 1)) (local.get 0))
          (func $wide (type $f) (i64.store (i32.const 65528) (i64.const 1)) (f64.store offset=1 (i32.const 65528) (f64.const 1)) (local.get 0))
          (func $other (type $f) (drop (i32.load $m (i32.const 8))) (i32.load $m (i32.const 65534)))
          (func $wideother (type $f) (i64.store $m (i32.const 65528) (i64.const 1)) (i64.store $m (i32.const 65529) (i64.const 1)) (local.get 0))
          (func $fill (type $f) (memory.fill (i32.const 65530) (i32.const 1) (i32.const 100)) (local.get 0))
          (func $none (type $f) (call_indirect (type $f) (local.get 0) (i32.const 3)))
          (func $stop (type $f) (if (i32.eqz (local.get 0)) (then (unreachable))) (if (local.get 0) (then (unreachable))) (local.get 0))
          (func $call (param i32 i32) (result i32)
            (global.set $g (i32.const 1))
            (if (result i32) (local.get 1)
              (then (i32.add (call_indirect (type $f) (local.get 0) (i32.const 0)) (i32.const 1)))
              (else (block (result i32) (global.set $g (local.get 0))
                (i32.mul (call $div (local.get 0)) (i32.const 3))))))
          (export "div" (func $div)) (export "trunc" (func $trunc)) (export "load" (func $load)) (export "store" (func $store))
          (export "first" (func $first)) (export "second" (func $second)) (export "copied" (func $copied)) (export "added" (func $added))
          (export "narrow" (func $narrow)) (export "last" (func $last)) (export "wide" (func $wide)) (export "other" (func $other)) (export "wideother" (func $wideother))
          (export "list1" (func $list1)) (export "list2" (func $list2)) (export "list3" (func $list3)) (export "list4" (func $list4)) (export "list5" (func $list5)) (export "list6" (func $list6))
          (export "three1" (func $three1)) (export "three2" (func $three2)) (export "three3" (func $three3)) (export "more1" (func $more1)) (export "more2" (func $more2))
          (export "fill" (func $fill)) (export "none" (func $none)) (export "stop" (func $stop))
          (func (export "call0") (param i32) (result i32) (call $call (local.get 0) (i32.const 0)))
          (func (export "call1") (param i32) (result i32) (call $call (local.get 0) (i32.const 1))))
        """;

    /// <summary>The exports, and how functions run.</summary>
    public static TheoryData<string, bool> TrapsInAllTiers()
    {
        var data = new TheoryData<string, bool>();
        foreach (string export in (string[])["div", "trunc", "load", "store", "first", "wide", "other", "wideother", "fill", "none", "stop", "call0", "call1"])
        {
            data.Add(export, true);
            data.Add(export, false);
        }
        return data;
    }

    [Theory]
    [MemberData(nameof(TrapsInAllTiers))]
    public void OffsetsAreTheSameInAllTiers(string export, bool inlines)
    {
        byte[] module = Wat.ToBinary(Traps);
        List<string> interpreted = Described(module, Compilation.Interpreted, export, inlines);
        Assert.All(interpreted, line => Assert.Contains("+0x", line, StringComparison.Ordinal));
        Assert.Equal(interpreted, Described(module, Compilation.Lazy, export, inlines));
    }

    /// <summary>Of several accesses in one expression it is the one that trapped, also where the interpreter executes two or three instructions as one.</summary>
    [Theory]
    [InlineData("second", 0xe)]
    [InlineData("copied", 0xe)]
    [InlineData("added", 0xa)]
    [InlineData("narrow", 0xc)]
    [InlineData("last", 0xc)]
    [InlineData("three1", 0xe)]
    [InlineData("three2", 0x13)]
    [InlineData("three3", 0x18)]
    [InlineData("more1", 0xe)]
    [InlineData("more2", 0x14)]
    [InlineData("list5", 6)]
    [InlineData("list6", 8)]
    public void TheInterpreterKnowsEachAccess(string export, int offset) =>
        Assert.Equal([$"{export}+0x{offset:x}"], Described(Wat.ToBinary(Traps), Compilation.Interpreted, export, inlines: false));

    /// <summary>
    /// A load that replaces its own address: by what the registers and the frame still hold, an earlier load could have faulted as well. Then the place is unknown; it is never another.
    /// What they hold depends on how far .NET has optimised the loop.
    /// </summary>
    [Theory]
    [InlineData("list1", 6)]
    [InlineData("list2", 6)]
    [InlineData("list3", 9)]
    [InlineData("list4", 0x17)]
    public void AnAccessThatReplacesItsAddressIsNotTakenForAnother(string export, int offset) =>
        Assert.Contains(Assert.Single(Described(Wat.ToBinary(Traps), Compilation.Interpreted, export, inlines: false)), new[] { export, $"{export}+0x{offset:x}" });

    /// <summary>A fault in machine code that interpreted code has called is not taken for one of the interpreter's.</summary>
    [Theory]
    [InlineData(Compilation.Interpreted)]
    [InlineData(Compilation.Lazy)]
    public void ACallerIsWhereItHasCalled(Compilation way)
    {
        Instance callee = new Engine(new EngineOptions { Compilation = way }).CompileText("""
            (module (memory 1) (func (export "f") (param i32) (result i32) (i32.load (local.get 0))))
            """).Instantiate();
        Instance caller = new Engine(new EngineOptions { Compilation = Compilation.Interpreted }).CompileText("""
            (module (import "m" "f" (func $f (param i32) (result i32))) (memory 1)
              (func (export "g") (param i32) (result i32) (drop (i32.load (i32.const 8))) (i32.add (call $f (local.get 0)) (i32.load (i32.const 0)))))
            """).Instantiate(new Imports { { "m", callee } });
        TrapException trap = Trap(() => caller.GetExport<Func<int, int>>("g")(-8));
        Assert.Equal(["f", "g"], trap.WasmStack.Select(f => f.Function));
        Assert.Equal("g+0x9", trap.WasmStack[1].Describe());
    }

    /// <summary>Places of faults do not depend on how .NET has compiled the interpreter's loop.</summary>
    [Theory]
    [InlineData("0")]
    [InlineData("1")]
    public async Task PlacesOfFaultsDoNotDependOnTheLoopsCode(string unoptimised)
    {
        string tool = Path.Combine(AppContext.BaseDirectory, "WasmJit.Cli.dll"), path = Path.Combine(Folder, "faults-dwarf5.wasm");
        var start = new ProcessStartInfo("dotnet", [tool, "run", "--tier", "interpreter", "--invoke", "run", path, "--", "-3"]);
        start.Environment["DOTNET_JITMinOpts"] = unoptimised;
        await ShowsLines(start);
    }

    [ImageFact]
    public async Task PlacesOfFaultsInCodeMadeAhead() =>
        await ShowsLines(new ProcessStartInfo("dotnet", [ImageFactAttribute.Tool, "run", "--tier", "interpreter", "--invoke", "run", Path.Combine(Folder, "faults-dwarf5.wasm"), "--", "-3"]));

    private static async Task ShowsLines(ProcessStartInfo start)
    {
        (int code, _, string error) = await ChildProcess.Run(start);
        Assert.Equal(Cli.Tool.Trapped, code);
        Assert.Contains($"at read_at (inlined) ./faults.c:{LineOf("out of bounds")}:", error, StringComparison.Ordinal);
        Assert.Contains($"./faults.c:{LineOf("calls middle")}:", error, StringComparison.Ordinal);
    }

    private static List<string> Described(byte[] module, Compilation way, string export, bool inlines)
    {
        Instance instance = new Engine(new EngineOptions { Compilation = way, Inlining = inlines }).Compile(module).Instantiate();
        TrapException trap = Trap(() => instance.GetExport<Func<int, int>>(export)(1));
        return [.. trap.WasmStack.SelectMany(frame => frame.Describe().Split('\n'))];
    }

    [Fact]
    public void AFrameIsWhereTheInstructionIs()
    {
        byte[] module = Wat.ToBinary("""(module (func nop) (func (export "f") nop nop (unreachable)))""");
        foreach (Compilation way in (Compilation[])[Compilation.Interpreted, Compilation.Lazy])
        {
            TrapException trap = Trap(new Engine(new EngineOptions { Compilation = way }).Compile(module).Instantiate().GetExport<Action>("f"));
            WasmFrame frame = Assert.Single(trap.WasmStack);
            Assert.Equal(1, frame.FunctionIndex);
            // After the count of locals and two nops.
            Assert.Equal(3, frame.FunctionOffset);
            Assert.Equal(0, module[frame.Offset!.Value]);
            Assert.Equal(1, module[frame.Offset.Value - 1]);
            Assert.Equal("f+0x3", frame.Describe());
            Assert.Empty(frame.Source);
        }
    }

    [Fact]
    public void FunctionsWithoutNamesHaveTheirIndex()
    {
        Instance instance = new Engine().Compile(Wat.ToBinary("""(module (func (unreachable)) (func (export "f") (call 0)))""")).Instantiate();
        TrapException trap = Trap(instance.GetExport<Action>("f"));
        Assert.Equal(["func[0]+0x1", "f+0x1"], trap.WasmStack.Select(f => f.Describe()));
    }

    [Fact]
    public void FramesOfDeepStacksHavePlaces()
    {
        foreach (Compilation way in (Compilation[])[Compilation.Interpreted, Compilation.Lazy])
        {
            Instance instance = new Engine(new EngineOptions { Compilation = way }).Compile(Wat.ToBinary("""(module (func $f (export "f") (param i32) (call $f (local.get 0)) (call $f (local.get 0))))""")).Instantiate();
            TrapException trap = Trap(() => instance.GetExport<Action<int>>("f")(1));
            Assert.Equal(TrapKind.CallStackExhausted, trap.Kind);
            Assert.Equal("f+0x3", trap.WasmStack[^1].Describe());
        }
    }

    /// <summary>In a process of its own: whether two compilations become the same instructions depends on how far apart code and data lie.</summary>
    [Fact]
    public async Task TheToolShowsFileAndLine()
    {
        string tool = Path.Combine(AppContext.BaseDirectory, "WasmJit.Cli.dll"), path = Path.Combine(Folder, "faults-dwarf5.wasm");
        await ShowsLines(new ProcessStartInfo("dotnet", [tool, "run", "--tier", "compiler", "--invoke", "run", path, "--", "-3"]));
    }
}
