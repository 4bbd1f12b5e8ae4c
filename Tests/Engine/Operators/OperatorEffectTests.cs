using WasmJit.Jit.Format;
using WasmJit.Jit.Operators;
using Xunit;

namespace WasmJit.Tests;

/// <summary>
/// A row says what its operator is seen to do. <see cref="OperatorTraitTests"/> has lists by name, from which a trait can be missing as from a row;
/// here the validator's blocks, the emitted IL, what samples change, and the second implementations say it.
/// </summary>
public sealed class OperatorEffectTests
{
    /// <summary>Traits of operators that a sample cannot show.</summary>
    private static readonly Dictionary<(string Operator, OpTraits Trait), string> Unseen = new()
    {
        [("slice.new", OpTraits.ReadsMemory)] = "keeps the memory, whose size is compared with each access's",
        [("slice.new_ref", OpTraits.ReadsMemory)] = "keeps the memory, whose size is compared with each access's",
        [("memory.atomic.notify", OpTraits.ReadsMemory)] = "counts threads that wait, and there are none",
    };

    /// <summary>Operators without an own case in emitter and validator that have nothing but numbers as operands reach nothing else.</summary>
    private static IEnumerable<Operator> Reaching => OperatorTable.All.Where(
        op => op.Id != OpId.Plain || op.MemArg is not null || op.HasLane);

    private static IEnumerable<Operator> Custom => OperatorTable.All.Where(op => op.Id != OpId.Plain);

    [Fact]
    public void RowsSayWhatSamplesChangeAndDependOn()
    {
        var engine = new Engine(Tiers.Interpreted);
        var wrong = new List<string>();
        foreach (Operator op in Reaching)
        {
            OpTraits seen = OperatorEffects.Of(engine, op), said = op.Traits & OperatorEffects.Found;
            foreach ((string name, OpTraits trait) in Unseen.Keys)
                if (name == op.Mnemonic) said &= ~trait;
            if (seen != said) wrong.Add($"{op} does {seen}; its row says {said}");
        }
        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
    }

    [Fact]
    public void RowsSayWhatBlocksAndCodeShow()
    {
        var wrong = new List<string>();
        foreach (Operator op in Custom.Concat(OperatorTable.All.Where(op => op.Id == OpId.Plain && op.MemArg is not null)))
        {
            OpTraits found = OperatorCode.FoundIn(op), seen = OperatorCode.Of(op) & found, said = op.Traits & found;
            if (seen != said) wrong.Add($"{op} does {seen}; its row says {said}");
        }
        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
    }

    /// <summary>The outcome depends on the local; or the local is another afterwards.</summary>
    [Fact]
    public void RowsSayWhetherLocalsAreReadOrWritten()
    {
        Operator[] operators = [.. Custom.Where(op => op.Immediates.Any(immediate => immediate.Kind == ImmediateKind.Local))];
        Assert.True(operators.Length >= 3);
        foreach (Operator op in operators)
        {
            const string parameter = "(param i32) ", result = "(result i32) ";
            string function = OperatorSamples.Functions[op.Id];
            Assert.StartsWith(parameter, function, StringComparison.Ordinal);
            string rest = function[parameter.Length..], body = rest.StartsWith(result, StringComparison.Ordinal) ? rest[result.Length..] : $"{rest} (i32.const 0)";
            Instance instance = new Engine(Tiers.Interpreted).CompileText($"""
                (module
                  (func (export "outcome") {parameter} {result} {body})
                  (func (export "local") {parameter} {result} {body} (return (local.get 0))))
                """).Instantiate();
            var outcome = instance.GetExport<Func<int, int>>("outcome");
            Assert.Equal(op.Has(OpTraits.ReadsLocal), outcome(5) != outcome(6));
            Assert.Equal(op.Has(OpTraits.WritesLocal), instance.GetExport<Func<int, int>>("local")(5) != 5);
        }
    }

    // ---- numbers ----

    private static IEnumerable<Operator> Scalar => OperatorTable.All.Where(op => op.Id == OpId.Plain && op.Immediates.IsEmpty && op.MemArg is null
        && op.Params.Length > 0 && !op.Params.Contains(ValType.V128) && !op.Results.Contains(ValType.V128));

    /// <summary>What binary operators compute, under the names of the second implementation.</summary>
    private static readonly (Operation Operation, string[] Names)[] Models =
    [
        (Operation.Add, ["add"]), (Operation.Sub, ["sub"]), (Operation.Mul, ["mul"]), (Operation.Div, ["div", "div_s", "div_u"]), (Operation.Rem, ["rem_s", "rem_u"]),
        (Operation.And, ["and"]), (Operation.Or, ["or"]), (Operation.Xor, ["xor"]), (Operation.Shl, ["shl"]), (Operation.ShrS, ["shr_s"]), (Operation.ShrU, ["shr_u"]),
        (Operation.Rotate, ["rotl", "rotr"]),
    ];

    [Fact]
    public void RowsSayWhatScalarOperatorsCompute()
    {
        Assert.True(Scalar.Count() > 130);
        Assert.All(Scalar, op => Assert.Equal((op, OperationOf(op)), (op, op.Operation)));
    }

    /// <summary>What an operator computes, by its results for all numbers that are special.</summary>
    private static Operation OperationOf(Operator op)
    {
        ValType type = op.Params[0], result = op.Results[0];
        ulong[] numbers = ScalarReference.Specials(type);
        if (op.Params.Length == 2)
        {
            (ulong A, ulong B)[] pairs = [.. numbers.SelectMany(a => numbers, (a, b) => (a, b))];
            ulong?[] results = [.. pairs.Select(pair => ScalarReference.Apply(op.Mnemonic, pair.A, pair.B))];
            if (IsTruth(results) && result == ValType.I32) return Operation.Compare;
            foreach ((Operation operation, string[] names) in Models)
                foreach (string name in names)
                    if (HasModel(type, name) && pairs.Select(pair => ScalarReference.Apply($"{type}.{name}", pair.A, pair.B)).SequenceEqual(results)) return operation;
            return IsSign(type, [.. pairs.Select(pair => pair.A)], results) ? Operation.Sign : Operation.None;
        }
        ulong?[] ofOne = [.. numbers.Select(a => ScalarReference.Apply(op.Mnemonic, a, 0))];
        if (IsTruth(ofOne) && result == ValType.I32) return Operation.Compare;
        if (result != type && ofOne.SequenceEqual(numbers.Select(a => (ulong?)a)) && Bits(type) == Bits(result)) return Operation.Reinterpret;
        if (IsSign(type, numbers, ofOne)) return Operation.Sign;
        if (type == ValType.F64 && result == ValType.F32) return Operation.Demote;
        if (type == ValType.F32 && result == ValType.F64) return Operation.Promote;
        if (IsFloat(type) || IsFloat(result)) return Operation.None;
        foreach ((int bits, Operation operation) in new[] { (8, Operation.Narrow8), (16, Operation.Narrow16), (32, Operation.Narrow32) })
        {
            ulong mask = (1UL << bits) - 1;
            if (bits < Bits(type) && numbers.Select(a => ScalarReference.Apply(op.Mnemonic, a & mask, 0)).SequenceEqual(ofOne)) return operation;
        }
        return Operation.None;
    }

    private static bool IsFloat(ValType type) => type.Kind is ValKind.F32 or ValKind.F64;

    private static bool HasModel(ValType type, string name) => !IsFloat(type) ? name != "div" : name is "add" or "sub" or "mul" or "div";

    private static int Bits(ValType type) => type.Kind is ValKind.I32 or ValKind.F32 ? 32 : 64;

    private static bool IsTruth(ulong?[] results) => results.All(result => result is 0 or 1) && results.Distinct().Count() == 2;

    /// <summary>Whether a float operator gives back its first operand, with another sign at most.</summary>
    private static bool IsSign(ValType type, ulong[] operands, ulong?[] results)
    {
        ulong sign = 1UL << (Bits(type) - 1);
        return IsFloat(type) && operands.Zip(results).All(pair => ((pair.First ^ pair.Second) & ~sign) == 0);
    }

    // ---- vectors ----

    private static IEnumerable<Operator> Vector => OperatorTable.All.Where(op => op.Prefix == OperatorPrefix.Vector && op.Id == OpId.Plain && op.Immediates.IsEmpty
        && op.Params.All(type => type == ValType.V128) && op.Results[0] == ValType.V128);

    /// <summary>
    /// Operators of which an operand may not matter beside another, though the compiler does not see it: <see cref="VectorMemoryTests.LoadsBesideConstants"/> shows that.
    /// </summary>
    private static readonly string[] NotFolded =
    [
        "i8x16.swizzle", "i8x16.relaxed_swizzle", "i8x16.relaxed_laneselect", "i16x8.relaxed_laneselect", "i32x4.relaxed_laneselect", "i64x2.relaxed_laneselect",
        "i16x8.q15mulr_sat_s", "i16x8.relaxed_q15mulr_s", "i32x4.dot_i16x8_s", "i16x8.relaxed_dot_i8x16_i7x16_s", "i32x4.relaxed_dot_i8x16_i7x16_add_s",
        "i16x8.extmul_high_i8x16_s", "i32x4.extmul_high_i16x8_s", "i64x2.extmul_high_i32x4_s",
        "f32x4.eq", "f32x4.ne", "f32x4.lt", "f32x4.gt", "f32x4.le", "f32x4.ge", "f64x2.eq", "f64x2.ne", "f64x2.lt", "f64x2.gt", "f64x2.le", "f64x2.ge",
        "f32x4.add", "f32x4.sub", "f32x4.div", "f32x4.min", "f32x4.max", "f32x4.pmin", "f32x4.pmax", "f32x4.relaxed_min", "f32x4.relaxed_max",
        "f64x2.add", "f64x2.sub", "f64x2.div", "f64x2.min", "f64x2.max", "f64x2.pmin", "f64x2.pmax", "f64x2.relaxed_min", "f64x2.relaxed_max",
        "f32x4.relaxed_madd", "f32x4.relaxed_nmadd", "f64x2.relaxed_madd", "f64x2.relaxed_nmadd",
    ];

    [Fact]
    public void RowsSayWhatVectorOperatorsNeed()
    {
        var random = new Random(11);
        var wrong = new List<string>();
        int operators = 0;
        foreach (Operator op in Vector)
        {
            operators++;
            if (ReadsLow(op, random) != op.Has(OpTraits.ReadsLow)) wrong.Add($"{op}: reads-low");
            bool isKnown = op.Has(OpTraits.Absorbs | OpTraits.ReadsLow);
            if (op.Params.Length > 1 && Absorbs(op, random) && !isKnown && !NotFolded.Contains(op.Mnemonic)) wrong.Add($"{op}: absorbs, or a place in {nameof(NotFolded)}");
            if (isKnown && NotFolded.Contains(op.Mnemonic)) wrong.Add($"{op} is in {nameof(NotFolded)}");
        }
        Assert.True(operators > 150, $"{operators}");
        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
    }

    private static UInt128 Apply(Operator op, UInt128[] operands) => VectorReference.Apply(op.Mnemonic, operands[0], operands[1], operands[2], 0, 0);

    private static UInt128 Next(Random random) => new((ulong)random.NextInt64(long.MinValue, long.MaxValue), (ulong)random.NextInt64(long.MinValue, long.MaxValue));

    private static UInt128[] Three(Random random) => [Next(random), Next(random), Next(random)];

    /// <summary>Whether the upper halves of the operands make no difference. The lower do.</summary>
    private static bool ReadsLow(Operator op, Random random)
    {
        for (int i = 0; i < 20; i++)
        {
            UInt128[] operands = Three(random), others = [.. operands.Select(operand => (UInt128)(ulong)operand | (Next(random) << 64))];
            if (Apply(op, operands) != Apply(op, others)) return false;
        }
        return Apply(op, Three(random)) != Apply(op, Three(random));
    }

    /// <summary>Whether beside an operand of zeros or of ones another one makes no difference.</summary>
    private static bool Absorbs(Operator op, Random random)
    {
        int operands = op.Params.Length;
        for (int known = 0; known < operands; known++)
            for (int other = 0; other < operands; other++)
                foreach (UInt128 bits in new[] { UInt128.Zero, UInt128.MaxValue })
                    if (other != known && IsWithout(op, known, bits, other, random)) return true;
        return false;
    }

    private static bool IsWithout(Operator op, int known, UInt128 bits, int other, Random random)
    {
        for (int i = 0; i < 60; i++)
        {
            UInt128[] operands = [Special(random), Special(random), Special(random)];
            operands[known] = bits;
            UInt128 before = Apply(op, operands);
            operands[other] = Special(random);
            if (Apply(op, operands) != before) return false;
        }
        return true;
    }

    /// <summary>Operands that are equal now and then, or known themselves.</summary>
    private static UInt128 Special(Random random) => random.Next(4) switch
    {
        0 => UInt128.Zero,
        1 => UInt128.MaxValue,
        _ => Next(random),
    };
}
