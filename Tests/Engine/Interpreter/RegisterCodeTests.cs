using WasmJit.Fuzz;
using WasmJit.Jit.Binary;
using WasmJit.Jit.Interpreter;
using WasmJit.Runtime;
using Xunit;

namespace WasmJit.Tests;

/// <summary>The size of register code is bounded by that of its function, whatever branches carry, and translation can be stopped.</summary>
public sealed class RegisterCodeTests
{
    private static readonly EngineOptions Compiled = new() { Compilation = Compilation.Lazy, Inlining = false };

    private static string Repeat(string text, int count) => string.Concat(Enumerable.Repeat(text, count));

    private static RegisterCode? Translate(ModuleInfo module, int func) => Translation.TryTranslate(module, func, new NoTarget());

    private static RegisterCode? Translate(string text, int func) => Translate(ModuleDecoder.Decode(Wat.ToBinary(text)), func);

    /// <summary>Branches of two bytes with a thousand values, in place or not: one instruction moves them.</summary>
    [Theory]
    [InlineData("(br_if 0 (local.get 0))")]
    [InlineData("(br_if 1 (local.get 0))")]
    [InlineData("(if (type $pass) (local.get 0) (then (br_table 1 2 1 (local.get 0))))")]
    [InlineData("(block (type $pass) (br_if 0 (local.get 0)))")]
    [InlineData("(if (type $pass) (local.get 0) (then (br 1)))")]
    [InlineData("(br_on_null 0 (local.get 1)) drop")]
    public void BranchesWithManyValuesAreSmall(string branch)
    {
        const int branches = 2000, values = 1000;
        string many = Repeat("i32 ", values);
        RegisterCode? code = Translate($"""
            (module
              (type $many (func (result {many})))
              (type $pass (func (param {many}) (result {many})))
              (func $all (type $many) {Repeat("(i32.const 0)", values)})
              (func (param i32 externref) (result {many})
                (block (type $many)
                  (i32.const 5) (call $all)
                  {Repeat(branch, branches)}
                  (br 0))))
            """, 1);
        Assert.NotNull(code);
        Assert.InRange(code.Count, branches / 2, branches * 12);
    }

    /// <summary>A module of 200 KB had 370 MB of register code, and where that has a limit, as much machine code.</summary>
    [Fact]
    public void AModuleKeepsInProportion()
    {
        const int functions = 100, values = 1000;
        string many = Repeat("i32 ", values);
        string text = $"""
            (module
              (type $many (func (result {many})))
              (func $all (type $many) {Repeat("(i32.const 0)", values)})
              {string.Concat(Enumerable.Range(0, functions).Select(i => $"""
                (func (export "f{i}") (param i32) (result i32)
                  (block (type $many) (i32.const 5) (call $all) {Repeat("(br_if 0 (local.get 0))", 240)} (br 0))
                  {Repeat("drop ", values - 1)})
                """))})
            """;
        Instance instance = new Engine(Compiled with { Compilation = Compilation.Tiered }).CompileText(text).Instantiate();
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < functions; i++) Assert.Equal(0, instance.GetExport<Func<int, int>>($"f{i}")(1));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 60 << 20);
    }

    /// <summary>Values of all kinds, from locals, constants and operations, arrive by all ways in the order in which they left.</summary>
    [Theory]
    [InlineData("(br 0)")]
    [InlineData("(br_if 0 (local.get $c)) (br 0)")]
    [InlineData("(br_if 0 (i32.eqz (local.get $c))) (br 1)")]
    [InlineData("(br_if 1 (local.get $c)) (br 0)")]
    [InlineData("(br_table 0 1 0 (local.get $c))")]
    [InlineData("(br_table 1 0 (i32.const 7))")]
    [InlineData("(return)")]
    [InlineData("(if (local.get $c) (then (unreachable))) (br 0)")]
    [InlineData("(br_on_null 0 (local.get $e)) drop (br 0)")]
    [InlineData("(br_on_null 1 (local.get $n)) drop (br 0)")]
    [InlineData("(return_call $tail)")]
    [InlineData("")]
    public void ManyValuesKeepTheirOrder(string way)
    {
        string text = $"""
            (module
              (type $t (func (result i32 externref i64 f64 externref i32 f32 i64)))
              (func $tail (param i32 externref i64 f64 externref i32 f32 i64) (result i32 externref i64 f64 externref i32 f32 i64)
                (local.get 0) (local.get 1) (local.get 2) (local.get 3) (local.get 4) (local.get 5) (local.get 6) (local.get 7))
              (func (export "f") (param $c i32) (param $e externref) (param $n externref) (result i32 externref i64 f64 externref i32 f32 i64)
                (local $x i64) (local $y i32)
                (local.set $x (i64.const 33))
                (local.set $y (i32.add (local.get $c) (i32.const 40)))
                (block $outer (type $t)
                  (i64.const 1) (local.get $e) (f64.const 2)
                  (block (type $t)
                    (i32.const 3) (local.get $n) (i64.const 9)
                    (local.get $y) (local.get $e) (i64.add (local.get $x) (i64.const 1)) (f64.const 5.5) (ref.null extern) (i32.const -8)
                    (f32.convert_i32_s (local.get $y)) (local.get $x)
                    {way}
                    {(way == "" ? "(br 0)" : "")})
                  (br 0))))
            """;
        object one = new(), two = new();
        object? expected = null;
        foreach (EngineOptions options in new[] { Compiled, Compiled with { Compilation = Compilation.Interpreted }, Compiled with { Compilation = Compilation.Tiered, TierSeed = 3 } })
        {
            Delegate f = (Delegate)new Engine(options).CompileText(text).Instantiate().FindExport("f")!;
            for (int c = 0; c < 2; c++)
            {
                if (c == 1 && way.Contains("unreachable", StringComparison.Ordinal)) continue;
                object result = f.DynamicInvoke(c, one, c == 0 ? null : two)!;
                if (c == 0) expected ??= result;
                if (c == 0) Assert.Equal(expected, result);
                var values = (System.Runtime.CompilerServices.ITuple)result;
                Assert.Equal([40 + c, one, 34L, 5.5, null, -8, 40f + c, 33L], Enumerable.Range(0, 8).Select(i => values[i]));
            }
        }
    }

    /// <summary>A function of 1 MB of blocks with a thousand parameters takes seconds to translate.</summary>
    [Fact]
    public void TranslationObeysTheToken()
    {
        string many = Repeat("i32 ", 1000);
        ModuleInfo module = ModuleDecoder.Decode(Wat.ToBinary($"""
            (module (type $pass (func (param {many}) (result {many})))
              (func (type $pass) {string.Concat(Enumerable.Range(0, 1000).Select(i => $"(local.get {i})"))} {Repeat("(block (type $pass))", 200)}))
            """));
        Assert.NotNull(Translate(module, 0));
        using var source = new CancellationTokenSource();
        var scope = CancellationScope.Enter(source.Token);
        try
        {
            Assert.NotNull(Translate(module, 0));
            source.Cancel();
            Assert.Throws<GuestCanceledException>(() => Translate(module, 0));
        }
        finally
        {
            scope.Leave();
        }
    }

    /// <summary>What an exception leaves behind on the interpreter's stack is cleared, and nothing else: not what the deepest stack ever had.</summary>
    [Fact]
    public unsafe void AnExceptionClearsWhatItLeaves()
    {
        InterpreterThread thread = InterpreterThread.Current;
        int top = thread.RefTop;
        thread.Reserve(top + 10_000);
        Array.Fill(thread.Refs, "left", top, 10_000);
        thread.Unwind(thread.Sp, top + 100);
        Assert.All(thread.Refs[top..(top + 100)], value => Assert.NotNull(value));
        Assert.All(thread.Refs[(top + 100)..(top + 10_000)], Assert.Null);
        // This place has not been used since: what stands there shows that it is not cleared.
        thread.Refs[top + 5000] = "not looked at";
        thread.Unwind(thread.Sp, top);
        Assert.NotNull(thread.Refs[top + 5000]);
        Assert.All(thread.Refs[top..(top + 100)], Assert.Null);
        thread.Refs[top + 5000] = null;
    }

    /// <summary>A host function may be a method of the instance that calls it: what tells a guest's functions is not its first argument alone.</summary>
    [Theory]
    [InlineData(Compilation.Interpreted)]
    [InlineData(Compilation.Lazy)]
    public void AHostFunctionCanBeAMethodOfTheInstance(Compilation compilation)
    {
        Instance instance = new Engine(new EngineOptions { Compilation = compilation }).CompileText("""
            (module
              (type $t (func (result i32)))
              (table (export "table") 1 funcref)
              (func (export "call") (type $t) (call_indirect (type $t) (i32.const 0)))
              (func (export "tail") (type $t) (return_call_indirect (type $t) (i32.const 0)))
              (func (export "reference") (param (ref $t)) (result i32) (call_ref $t (local.get 0))))
            """).Instantiate();
        Func<int> method = instance.GetHashCode;
        instance.GetExport<Table>("table")[0] = method;
        Assert.Same(method, instance.GetExport<Table>("table")[0]);
        Assert.Equal(method(), instance.GetExport<Func<int>>("call")());
        Assert.Equal(method(), instance.GetExport<Func<int>>("tail")());
        Assert.Equal(method(), instance.GetExport<Func<Delegate, int>>("reference")(method));
    }

    /// <summary>Random modules are interpreted: half of the operations at least, and all kinds that are not covered by scripts alone.</summary>
    [Theory]
    [InlineData("numbers", 0.4)]
    [InlineData("references", 0.25)]
    [InlineData("linking", 0.15)]
    public void RandomModulesAreInterpreted(string generator, double least)
    {
        ModuleGenerator maker = ModuleGenerator.All([]).Single(g => g.Name == generator);
        int all = 0, interpreted = 0;
        var seen = new HashSet<RegisterOp>();
        for (int seed = 0; seed < 250; seed++)
        {
            ModuleInfo module = ModuleDecoder.Decode(maker.Make(seed));
            for (int i = module.ImportedFuncs; i < module.Funcs.Count; i++, all++)
            {
                if (Translate(module, i) is not { } code) continue;
                interpreted++;
                foreach (Instruction instruction in code.Code.AsSpan(0, code.Count)) seen.Add(instruction.Op);
            }
        }
        Assert.True(interpreted >= all * least, $"{interpreted} of {all} functions");
        RegisterOp[] expected = generator == "numbers"
            ? [.. Enum.GetValues<RegisterOp>().Where(op => op.ToString().Contains("Then", StringComparison.Ordinal) && op != RegisterOp.I32SubConstThenI32Store), RegisterOp.MoveMany, RegisterOp.BrTable]
            : [RegisterOp.MoveRef, RegisterOp.NullRef, RegisterOp.SelectRef, RegisterOp.CallRef, RegisterOp.CallIndirect, RegisterOp.TailCall, RegisterOp.TailCallRef, RegisterOp.TableGet, RegisterOp.TableSet,
                RegisterOp.TableGrow, RegisterOp.TableFill, RegisterOp.TableCopy, RegisterOp.MemoryGrow, RegisterOp.MemoryFill, RegisterOp.MemoryCopy, RegisterOp.RefFunc, RegisterOp.RefIsNull,
                RegisterOp.RefEq, RegisterOp.RefAsNonNull, RegisterOp.GlobalGetRef, RegisterOp.GlobalSetRef];
        Assert.Empty(expected.Except(seen));
    }
}
