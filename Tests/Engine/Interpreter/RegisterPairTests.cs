using WasmJit.Jit.Interpreter;
using WasmJit.Runtime;
using Xunit;

namespace WasmJit.Tests;

/// <summary>Pairs of instructions, and threes, that are executed as one do what all of them do. An operation whose name has <c>Then</c> in it is one.</summary>
public sealed class RegisterPairTests
{
    private const string Between = "Then";

    private static IEnumerable<RegisterOp> All => Enum.GetValues<RegisterOp>().Where(op => $"{op}".Contains(Between, StringComparison.Ordinal));

    public static TheoryData<string> Pairs => [.. All.Select(op => $"{op}")];

    private static RegisterOp[] PartsOf(string pair) => [.. pair.Split(Between).Select(Enum.Parse<RegisterOp>)];

    [Fact]
    public void ThereAreThirtyNine() => Assert.Equal(39, All.Count());

    /// <summary>The translator joins what the name says, and other code sees the first of them.</summary>
    [Theory]
    [MemberData(nameof(Pairs))]
    public void TheNameSaysWhatIsJoined(string pair)
    {
        RegisterOp[] parts = PartsOf(pair);
        Instruction[] code = [.. parts.Append(RegisterOp.Return).Select((op, i) => new Instruction { Op = op, A = (ushort)((3 * i) + 1), B = (ushort)((3 * i) + 2), C = (ushort)((3 * i) + 3) })];
        RegisterPairs.Join(code);
        Assert.Equal(pair, $"{code[0].Op}");
        Assert.Equal(parts[1..], code[1..^1].Select(i => i.Op));
        Assert.Equal(parts[0], RegisterOps.FirstOf(code[0].Op, out int length));
        Assert.Equal(parts.Length, length);
    }

    /// <summary>Three accesses are not joined if it could not be told which has faulted: one before the last writes to where one before it has found its address.</summary>
    [Theory]
    [InlineData(1, 2, 3, 4, 5, 3, true)]
    [InlineData(1, 2, 1, 4, 5, 1, false)]
    [InlineData(1, 2, 4, 4, 5, 4, false)]
    [InlineData(1, 2, 3, 4, 3, 3, true)]
    [InlineData(1, 2, 2, 4, 2, 2, true)]
    public void AddressesAreKnownUpToTheLastAccess(int address, int value, int to, int from, int lastTo, int lastFrom, bool isJoined)
    {
        Instruction[] code =
        [
            new() { Op = RegisterOp.I32Store, A = (ushort)address, B = (ushort)value },
            new() { Op = RegisterOp.I32Load, A = (ushort)to, B = (ushort)from, Imm = 8 },
            new() { Op = RegisterOp.I32Load, A = (ushort)lastTo, B = (ushort)lastFrom, Imm = 40 },
        ];
        RegisterPairs.Join(code);
        Assert.Equal(isJoined ? RegisterOp.I32StoreThenI32LoadThenI32Load : RegisterOp.I32StoreThenI32Load, code[0].Op);
    }

    [Fact]
    public void NothingElseIsAPair() => Assert.All(Enum.GetValues<RegisterOp>().Except(All), op =>
    {
        Assert.Equal(op, RegisterOps.FirstOf(op, out int length));
        Assert.Equal(1, length);
    });

    /// <summary>A statement that becomes the operation as one of a pair. What it sets is $x, $y or $z.</summary>
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
        RegisterOp.Br => "(br $out)",
        RegisterOp.BrLoop => "(br $again)",
        RegisterOp.Call => "(call $called)",
        RegisterOp.ReturnValue => "(return (local.get $early))",
        _ => throw new ArgumentException($"There is no statement that becomes {op}; add one.", nameof(op)),
    };

    /// <summary>A function has the pair in its register code, and the interpreter does with it what machine code does.</summary>
    [Theory]
    [MemberData(nameof(Pairs))]
    public unsafe void BothAreDone(string pair)
    {
        string[] results = ["$x", "$y", "$z"];
        string statements = string.Join(' ', PartsOf(pair).Select((op, i) => StatementOf(op, results[i])));
        string text = $"""
            (module
              (memory (export "memory") 1) (global $g (export "g") (mut i32) (i32.const 5)) (data (i32.const 16) "abcdefghijklmnop")
              (func $called (i32.store (i32.const 0) (i32.add (i32.load (i32.const 0)) (i32.const 1))))
              (func (export "f") (param $a i32) (param $v i32) (result i64)
                (local $x i32) (local $y i32) (local $z i32) (local $f f64) (local $end i32) (local $turns i32) (local $early i64)
                (local.set $early (i64.const 77))
                (loop $again (block $out
                  (br_if $out (i32.gt_s (local.tee $turns (i32.add (local.get $turns) (i32.const 1))) (i32.const 3)))
                  {statements} (local.set $end (i32.const 1))))
                (i64.add (i64.add (i64.extend_i32_u (local.get $x)) (i64.mul (i64.extend_i32_u (i32.add (local.get $y) (local.get $z))) (i64.const 3)))
                  (i64.add (i64.shl (i64.extend_i32_u (local.get $end)) (i64.const 50)) (i64.reinterpret_f64 (local.get $f))))))
            """;
        Module interpreted = new Engine(Tiers.Interpreted).CompileText(text);
        FunctionState* state = interpreted.Code.Interpreted!.States + 1;
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
