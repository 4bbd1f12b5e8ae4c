using WasmJit.Jit.Binary;
using WasmJit.Jit.Emit;
using WasmJit.Jit.Interpreter;
using WasmJit.Jit.Operators;
using WasmJit.Jit.Validation;
using WasmJit.Runtime;
using Xunit;

namespace WasmJit.Tests;

/// <summary>
/// Every operator goes through everything that handles operators. One that is in the table and not in <see cref="OperatorSamples"/>,
/// or that a consumer forgets, fails here.
/// </summary>
public sealed class OperatorCoverageTests
{
    private static Operator Of(string mnemonic) => OperatorTable.Find(mnemonic)!;

    public static TheoryData<string> Operators => [.. OperatorTable.All.Select(op => op.Mnemonic)];

    public static TheoryData<string> ConstantOperators => [.. OperatorTable.All.Where(op => op.Has(OpTraits.Constant)).Select(op => op.Mnemonic)];

    [Fact]
    public void EveryOperatorHasASample()
    {
        Assert.Empty(Enum.GetValues<OpId>().Where(id => id != OpId.Plain).Except(OperatorSamples.Functions.Keys));
        Assert.Equal(
            OperatorTable.All.Where(op => op.Has(OpTraits.Constant)).Select(op => op.Mnemonic).Order(StringComparer.Ordinal),
            OperatorSamples.Constants.Keys.Order(StringComparer.Ordinal));
    }

    /// <summary>Text reader, decoder, validator, printer.</summary>
    [Theory]
    [MemberData(nameof(Operators))]
    public void IsReadValidatedAndPrinted(string mnemonic)
    {
        Operator op = Of(mnemonic);
        byte[] bytes = Wat.ToBinary(OperatorSamples.WithFunction(op));
        ModuleInfo info = ModuleDecoder.Decode(bytes);
        ModuleValidator.Validate(info);
        Assert.Contains(op, OperatorsOf(info));
        Assert.Equal(bytes, Wat.ToBinary(Wat.FromBinary(bytes)));
    }

    /// <summary>The emitter, for every kind of target; and the inliner reads it.</summary>
    [Theory]
    [MemberData(nameof(Operators))]
    public void IsEmitted(string mnemonic)
    {
        string text = OperatorSamples.WithFunction(Of(mnemonic));
        foreach (EngineOptions options in new[]
        {
            Tiers.Compiled,
            Tiers.Compiled with { MemoryChecks = MemoryChecks.Explicit, CountFuel = true, Interruptible = true },
        })
        {
            Module module = new Engine(options).CompileText(text);
            Assert.NotEqual(0, module.Code.Compile(OperatorSamples.Func));
            InlineInfo.Of(module.Info, OperatorSamples.Func);
        }
    }

    /// <summary>
    /// The interpreter has a case for each operator that <see cref="InterpretedOperators"/> has, and none for another. What it executes has the outcome and the
    /// effects of machine code. Where fuel is counted no operator takes the fast path of the translator, so that all need a case in the general one.
    /// </summary>
    [Theory]
    [MemberData(nameof(Operators))]
    public void IsInterpretedOrCompiled(string mnemonic)
    {
        Operator op = Of(mnemonic);
        foreach (EngineOptions options in new[] { Tiers.Interpreted, Tiers.Interpreted with { CountFuel = true } })
            Assert.Equal(InterpretedOperators.Has(op), IsTranslated(op, options));
        string expected = OperatorEffects.Describe(new Engine(Tiers.Compiled), op);
        Assert.Equal(expected, OperatorEffects.Describe(new Engine(Tiers.Interpreted), op));
        if (op.Id != OpId.Plain) Assert.Equal(expected, OperatorEffects.Describe(new Engine(Tiers.Interpreted with { CountFuel = true }), op));
    }

    /// <summary>The same where code cannot be made, which the interpreter then covers more for.</summary>
    [Theory]
    [MemberData(nameof(Operators))]
    public void IsInterpretedWithoutCodeOrNot(string mnemonic)
    {
        Operator op = Of(mnemonic);
        foreach (int? slots in new int?[] { null, 2 })
        {
            EngineOptions options = Tiers.Interpreted with { InterpretsAll = true, SlotsOfSpilling = slots };
            Assert.Equal(InterpretedOperators.HasWithoutCode(op), IsTranslated(op, options));
            if (!InterpretedOperators.Has(op)) Assert.Equal(OperatorEffects.Describe(new Engine(Tiers.Compiled), op), OperatorEffects.Describe(new Engine(options), op));
        }
    }

    /// <summary>Whether an operator's sample becomes register code.</summary>
    private static unsafe bool IsTranslated(Operator op, EngineOptions options)
    {
        Module module = new Engine(options).CompileText(OperatorSamples.WithFunction(op));
        FunctionState* state = module.Code.Interpreted!.States + OperatorSamples.Func;
        module.Code.Interpreted.Prepare(state);
        return state->Compiled == 0;
    }

    /// <summary>Constant expressions: validator and evaluator.</summary>
    [Theory]
    [MemberData(nameof(ConstantOperators))]
    public void IsEvaluated(string mnemonic)
    {
        Module module = new Engine().CompileText(OperatorSamples.WithConstant(Of(mnemonic)));
        Assert.NotNull(module.Instantiate().GetExport<Global>("sample"));
    }

    /// <summary>An operator without the trait is refused in constant expressions.</summary>
    [Theory]
    [InlineData("i32 (i32.popcnt (i32.const 1))")]
    [InlineData("i32 (memory.size)")]
    [InlineData("i32 (block (result i32) (i32.const 1))")]
    [InlineData("i32 (call $id (i32.const 1))")]
    public void OtherOperatorsAreNotConstant(string global)
    {
        string text = $"(module (memory 1) (func $id (param i32) (result i32) (local.get 0)) (global {global}))";
        Assert.Contains("constant expression required", Assert.Throws<InvalidModuleException>(() => new Engine().CompileText(text)).Message, StringComparison.Ordinal);
    }

    private static List<Operator> OperatorsOf(ModuleInfo info)
    {
        var found = new List<Operator>();
        FuncInfo func = info.Funcs[OperatorSamples.Func];
        var code = new CodeReader(info.Bytes.Span, func.CodeStart, func.BodyEnd);
        while (!code.AtEnd)
        {
            code.Read(out Instr instr);
            found.Add(instr.Op);
        }
        return found;
    }
}
