using WasmJit.Jit.Interpreter;
using WasmJit.Runtime;
using Xunit;

namespace WasmJit.Tests;

/// <summary>Pairs of instructions that are executed as one do what the two do. An operation whose name has <c>Then</c> in it is a pair.</summary>
public sealed class RegisterPairTests
{
    private const string Between = "Then";

    private static IEnumerable<RegisterOp> All => Enum.GetValues<RegisterOp>().Where(op => $"{op}".Contains(Between, StringComparison.Ordinal));

    public static TheoryData<string> Pairs => [.. All.Select(op => $"{op}")];

    private static (RegisterOp First, RegisterOp Second) PartsOf(string pair)
    {
        string[] parts = pair.Split(Between);
        return (Enum.Parse<RegisterOp>(parts[0]), Enum.Parse<RegisterOp>(parts[1]));
    }

    [Fact]
    public void ThereAreThirty() => Assert.Equal(30, All.Count());

    /// <summary>The translator joins the two that the name says, and other code sees the first of them in the pair.</summary>
    [Theory]
    [MemberData(nameof(Pairs))]
    public void TheNameSaysWhatIsJoined(string pair)
    {
        (RegisterOp first, RegisterOp second) = PartsOf(pair);
        Instruction[] code = [new Instruction { Op = first, A = 1, B = 2, C = 3 }, new Instruction { Op = second, A = 4, B = 5, C = 6 }, new Instruction { Op = RegisterOp.Return }];
        RegisterPairs.Join(code);
        Assert.Equal(pair, $"{code[0].Op}");
        Assert.Equal(second, code[1].Op);
        Assert.Equal(first, RegisterOps.FirstOf(code[0].Op, out bool isPair));
        Assert.True(isPair);
    }

    [Fact]
    public void NothingElseIsAPair() => Assert.All(Enum.GetValues<RegisterOp>().Except(All), op =>
    {
        Assert.Equal(op, RegisterOps.FirstOf(op, out bool isPair));
        Assert.False(isPair);
    });

    /// <summary>A statement that becomes the operation as the first or the second of a pair. What it sets is $x or $y.</summary>
    private static string StatementOf(RegisterOp op, string result) => op switch
    {
        RegisterOp.I32Load => $"(local.set {result} (i32.load offset=4 (local.get $a)))",
        RegisterOp.I32Load8U => $"(local.set {result} (i32.load8_u offset=5 (local.get $a)))",
        RegisterOp.I32Store => "(i32.store offset=8 (local.get $a) (local.get $v))",
        RegisterOp.I32Add => $"(local.set {result} (i32.add (local.get $a) (local.get $v)))",
        RegisterOp.I32AddConst => $"(local.set {result} (i32.add (local.get $v) (i32.const 1234)))",
        RegisterOp.I32SubConst => $"(local.set {result} (i32.sub (local.get $v) (i32.const 77)))",
        RegisterOp.I32ShlConst => $"(local.set {result} (i32.shl (local.get $v) (i32.const 3)))",
        RegisterOp.I32ShrUConst => $"(local.set {result} (i32.shr_u (local.get $v) (i32.const 3)))",
        RegisterOp.I32RotlConst => $"(local.set {result} (i32.rotl (local.get $v) (i32.const 5)))",
        RegisterOp.I32Xor => $"(local.set {result} (i32.xor (local.get $a) (local.get $v)))",
        RegisterOp.GlobalGet => $"(local.set {result} (global.get $g))",
        RegisterOp.GlobalSet32 => "(global.set $g (local.get $v))",
        RegisterOp.F64Const => "(local.set $f (f64.const 2.5))",
        RegisterOp.BrIfI32Eqz => "(br_if $out (i32.eqz (local.get $v)))",
        RegisterOp.BrIfI32Ne => "(br_if $out (i32.ne (local.get $v) (local.get $a)))",
        RegisterOp.BrIfI32NeConst => "(br_if $out (i32.ne (local.get $v) (i32.const 16)))",
        RegisterOp.Move => $"(local.set {result} (local.get $v))",
        _ => throw new ArgumentException($"There is no statement that becomes {op}; add one.", nameof(op)),
    };

    /// <summary>A function has the pair in its register code, and the interpreter does with it what machine code does.</summary>
    [Theory]
    [MemberData(nameof(Pairs))]
    public unsafe void BothAreDone(string pair)
    {
        (RegisterOp first, RegisterOp second) = PartsOf(pair);
        string text = $"""
            (module
              (memory (export "memory") 1) (global $g (export "g") (mut i32) (i32.const 5)) (data (i32.const 16) "abcdefghijklmnop")
              (func (export "f") (param $a i32) (param $v i32) (result i64) (local $x i32) (local $y i32) (local $f f64) (local $end i32)
                (block $out {StatementOf(first, "$x")} {StatementOf(second, "$y")} (local.set $end (i32.const 1)))
                (i64.add (i64.add (i64.extend_i32_u (local.get $x)) (i64.mul (i64.extend_i32_u (local.get $y)) (i64.const 3)))
                  (i64.add (i64.shl (i64.extend_i32_u (local.get $end)) (i64.const 50)) (i64.reinterpret_f64 (local.get $f))))))
            """;
        Module interpreted = new Engine(Tiers.Interpreted).CompileText(text);
        FunctionState* state = interpreted.Code.Interpreted!.States;
        interpreted.Code.Interpreted.Prepare(state);
        var operations = new List<string>();
        for (int i = 0; i < state->TranslatedLength; i++) operations.Add($"{state->Translated[i].Op}");
        Assert.Contains(pair, operations);
        Module compiled = new Engine(Tiers.Compiled).CompileText(text);
        foreach (int value in new[] { 0, 7, 16, -1, int.MinValue, 123456789 })
            Assert.Equal(Outcome(compiled, value), Outcome(interpreted, value));
    }

    private static (long Result, object? Global, string Memory) Outcome(Module module, int value)
    {
        Instance instance = module.Instantiate();
        long result = instance.GetExport<Func<int, int, long>>("f")(16, value);
        return (result, instance.GetExport<Global>("g").Value, Convert.ToHexString(instance.GetExport<Memory>("memory").Span[..40]));
    }
}
