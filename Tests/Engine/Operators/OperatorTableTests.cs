using System.Globalization;
using System.Numerics;
using System.Reflection;
using WasmJit.Jit.Calls;
using WasmJit.Jit.Format;
using WasmJit.Jit.Operators;
using WasmJit.Runtime;
using Xunit;

namespace WasmJit.Tests;

/// <summary>The table agrees with itself, and its helpers exist.</summary>
public sealed class OperatorTableTests
{
    [Fact]
    public void EncodingsAreUniqueAndFound()
    {
        Assert.Equal(OperatorTable.All.Count, OperatorTable.All.Select(op => (op.Prefix, op.Code)).Distinct().Count());
        foreach (Operator op in OperatorTable.All)
        {
            Assert.Same(op, OperatorTable.Find(op.Prefix, op.Code));
            Assert.Same(op, OperatorTable.Find(op.Mnemonic));
        }
        Assert.Null(OperatorTable.Find(0, 0xff));
        Assert.Null(OperatorTable.Find(OperatorPrefix.Numeric, uint.MaxValue));
    }

    /// <summary>Every prefix has a name, and all bytes between the lowest and the highest are prefixes.</summary>
    [Fact]
    public void PrefixesHaveNames()
    {
        byte[] used = [.. OperatorTable.All.Select(op => op.Prefix).Where(prefix => prefix != 0).Distinct().Order()];
        Assert.Equal(used, ConstantsOf(typeof(OperatorPrefix)).Select(c => (byte)c.Value).Distinct().Order());
        Assert.Equal(Enumerable.Range(OperatorPrefix.First, used.Length).Select(prefix => (byte)prefix), used);
        Assert.Equal(OperatorPrefix.Last, used[^1]);
    }

    /// <summary>Opcodes for code without the table are those of the table.</summary>
    [Fact]
    public void OpcodesAreThoseOfTheTable()
    {
        (Type Class, byte Prefix)[] classes =
            [(typeof(Opcode), 0), (typeof(LinkingOpcode), OperatorPrefix.Linking), (typeof(GcOpcode), OperatorPrefix.Gc), (typeof(VectorOpcode), OperatorPrefix.Vector)];
        int compared = 0;
        foreach ((Type type, byte prefix) in classes)
        {
            foreach ((string name, uint value) in ConstantsOf(type))
            {
                if (name.EndsWith("OnCode", StringComparison.Ordinal) || name.EndsWith("Mask", StringComparison.Ordinal)) continue;
                Assert.Equal(name, OperatorTable.Find(prefix, value)!.Mnemonic.Replace("_", "", StringComparison.Ordinal).Replace(".", "", StringComparison.Ordinal), ignoreCase: true);
                compared++;
            }
        }
        Assert.True(compared > 25);
        Assert.Equal(
            ["code.count", "code.size", "func.drop", "module.drop"],
            OperatorTable.All.Where(op => op.Prefix == OperatorPrefix.Linking && (op.Code & LinkingOpcode.OnCodeMask) == LinkingOpcode.FirstOnCode).Select(op => op.Mnemonic).Order(StringComparer.Ordinal));
    }

    private static IEnumerable<(string Name, uint Value)> ConstantsOf(Type type) =>
        type.GetFields(BindingFlags.Static | BindingFlags.NonPublic).Where(f => f.IsLiteral).Select(f => (f.Name, Convert.ToUInt32(f.GetRawConstantValue(), CultureInfo.InvariantCulture)));

    /// <summary>What integers are compared for follows from the opcodes.</summary>
    [Fact]
    public void ComparisonsHaveTheOrderOfTheirOpcodes()
    {
        Operator[] comparisons = [.. OperatorTable.All.Where(op => op.Operation == Operation.Compare && op.Params[0].Kind is ValKind.I32 or ValKind.I64)];
        Assert.Equal(2 * Enum.GetValues<IntegerComparison>().Length, comparisons.Length);
        foreach (Operator op in comparisons)
            Assert.Equal(op.Comparison.ToString(), op.Mnemonic[4..].Replace("_", "", StringComparison.Ordinal), ignoreCase: true);
    }

    /// <summary>Words that the table knows without reflection mean what the enumerations say.</summary>
    [Fact]
    public void WordsAreTheNamesOfTheirValues()
    {
        static string Normal(string name) => name.Replace("-", "", StringComparison.Ordinal).Replace(".", "", StringComparison.Ordinal)
            .Replace("_", "", StringComparison.Ordinal).ToLowerInvariant();
        foreach (Operator op in OperatorTable.All)
            if (op.Id != OpId.Plain) Assert.Equal(Normal(op.Mnemonic), Normal(op.Id.ToString()));
        foreach (OpTraits trait in Enum.GetValues<OpTraits>())
            if (trait != OpTraits.None) Assert.Equal(trait, OperatorTable.TraitOf(string.Concat(trait.ToString().Select((c, i) => i > 0 && char.IsUpper(c) ? $"-{char.ToLowerInvariant(c)}" : $"{char.ToLowerInvariant(c)}"))));
        foreach (CostUnit unit in Enum.GetValues<CostUnit>())
            if (unit != CostUnit.Constant) Assert.Equal(unit, OperatorCost.Parse(unit.ToString().ToLowerInvariant()).Unit);
    }

    [Fact]
    public void EveryOpIdIsOneOperator()
    {
        OpId[] used = [.. OperatorTable.All.Select(op => op.Id).Where(id => id != OpId.Plain).Order()];
        Assert.Equal(Enum.GetValues<OpId>().Where(id => id != OpId.Plain).Order(), used);
    }

    [Fact]
    public void PlainOperatorsHaveSignatureAndEmission() => Assert.All(
        OperatorTable.All.Where(op => op.Id == OpId.Plain),
        op =>
        {
            Assert.True(op.HasSignature);
            Assert.InRange(op.Results.Length, 0, 1);
            Assert.Matches("^(il|call|vec|load|store):", op.Emission);
        });

    [Fact]
    public void AccessesOfMemoryTakeAnAddressFirst() => Assert.All(
        OperatorTable.All.Where(op => op.MemArg is not null),
        op => Assert.Equal(OperatorTable.At, op.Params[0]));

    [Fact]
    public void NaturalAlignmentIsTheAccessWidth() => Assert.All(
        OperatorTable.All.Where(op => op.Emission.Split(':')[0] is "load" or "store"),
        op => Assert.Equal(Emission.Of(op).Width, 1 << op.MemArg!.Value.Number));

    [Fact]
    public void HelpersOfCompiledOperatorsExist() => Assert.All(
        OperatorTable.All.Where(op => op.Emission.StartsWith("call:", StringComparison.Ordinal)),
        op =>
        {
            MethodInfo helper = Emission.Of(op).Method!;
            if (!op.Immediates.IsEmpty) return;
            Assert.Equal(op.Params.Select(Signature.ClrType), helper.GetParameters().Select(p => p.ParameterType));
            Assert.Equal(op.Results.Select(Signature.ClrType).DefaultIfEmpty(typeof(void)).Single(), helper.ReturnType);
        });

    /// <summary>With WASMJIT_UPDATE_GOLDEN=1 the page is written instead.</summary>
    [Fact]
    public void TheReferencePageIsUpToDate()
    {
        string root = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(root, "WasmJit.sln"))) root = Path.GetDirectoryName(root)!;
        string path = Path.Combine(root, "Docs", "operators.md");
        string page = OperatorReference.Page();
        if (Environment.GetEnvironmentVariable("WASMJIT_UPDATE_GOLDEN") == "1") File.WriteAllText(path, page);
        Assert.True(page == File.ReadAllText(path), "Docs/operators.md is out of date: set WASMJIT_UPDATE_GOLDEN=1");
    }

    [Fact]
    public void WideArithmeticIsThatOfLargeIntegers()
    {
        BigInteger modulus = BigInteger.One << 128;
        foreach (ulong a in ScalarReference.Ints64)
            foreach (ulong b in ScalarReference.Ints64)
            {
                Equal((BigInteger)a * b, Integers.MulWideU((long)a, (long)b));
                Equal((BigInteger)(long)a * (long)b, Integers.MulWideS((long)a, (long)b));
                foreach (ulong c in ScalarReference.Ints64)
                {
                    BigInteger left = ((BigInteger)b << 64) + a, right = ((BigInteger)a << 64) + c;
                    Equal(left + right, Integers.Add128((long)a, (long)b, (long)c, (long)a));
                    Equal(left - right, Integers.Sub128((long)a, (long)b, (long)c, (long)a));
                }
            }

        void Equal(BigInteger expected, (long Low, long High) actual) =>
            Assert.Equal(((expected % modulus) + modulus) % modulus, ((BigInteger)(ulong)actual.High << 64) + (ulong)actual.Low);
    }
}
