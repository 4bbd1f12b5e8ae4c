using WasmJit.Jit.Emit;
using Xunit;

namespace WasmJit.Tests;

/// <summary>What shuffles become, whatever this processor has: the plan is a value.</summary>
public sealed class ShufflePlanTests
{
    private const VectorFeatures All = VectorFeatures.Sse41 | VectorFeatures.Avx2;

    private static ShufflePlan Plan(string indices, VectorFeatures features, bool isSame = false, bool isFirstZero = false, bool isSecondZero = false)
    {
        byte[] bytes = [.. indices.Split(' ').Select(byte.Parse)];
        return ShufflePlan.Of(BitConverter.ToUInt64(bytes), BitConverter.ToUInt64(bytes, 8), isSame, isFirstZero, isSecondZero, features);
    }

    [Theory]
    [InlineData("0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15", "Nothing", null, null, false)]
    [InlineData("4 5 6 7 0 1 2 3 12 13 14 15 8 9 10 11", "OnOne", "Shuffle", 0xb1, false)]
    [InlineData("2 3 0 1 6 7 4 5 8 9 10 11 12 13 14 15", "OnOne", "ShuffleLow", 0xb1, false)]
    [InlineData("0 1 2 3 4 5 6 7 10 11 8 9 14 15 12 13", "OnOne", "ShuffleHigh", 0xb1, false)]
    [InlineData("0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0", "OnOne", "BroadcastScalarToVector128", null, false)]
    [InlineData("3 2 1 0 7 6 5 4 11 10 9 8 15 14 13 12", "PermuteOne", null, null, false)]
    [InlineData("0 16 1 17 2 18 3 19 4 20 5 21 6 22 7 23", "OnTwo", "UnpackLow", null, false)]
    [InlineData("24 8 25 9 26 10 27 11 28 12 29 13 30 14 31 15", "OnTwo", "UnpackHigh", null, true)]
    [InlineData("3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18", "OnTwo", "AlignRight", 3, true)]
    [InlineData("19 20 21 22 23 24 25 26 27 28 29 30 31 0 1 2", "OnTwo", "AlignRight", 3, false)]
    [InlineData("4 5 6 7 0 1 2 3 24 25 26 27 16 17 18 19", "OnTwo", "Shuffle", 0x21, false)]
    [InlineData("0 1 2 3 20 21 22 23 8 9 10 11 28 29 30 31", "OnTwo", "Blend", 0b1010, false)]
    [InlineData("0 1 18 19 4 5 22 23 8 9 26 27 12 13 30 31", "OnTwo", "Blend", 0b10101010, false)]
    [InlineData("0 17 2 3 4 21 6 7 8 9 10 27 12 13 14 31", "Masked", "BlendVariable", null, false)]
    [InlineData("0 31 2 17 4 3 6 21 8 9 10 27 12 13 14 1", "Union", null, null, false)]
    public void FindsTheInstruction(string indices, string form, string? instruction, int? control, bool swaps)
    {
        ShufflePlan plan = Plan(indices, All);
        Assert.Equal(form, plan.Form.ToString());
        Assert.Equal(instruction, plan.Instruction?.Name);
        Assert.Equal(control, plan.Control);
        Assert.Equal(swaps, plan.Swaps);
    }

    [Theory]
    [InlineData("0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0", "Sse41", "PermuteOne")]
    [InlineData("4 5 6 7 0 1 2 3 12 13 14 15 8 9 10 11", "None", "PermuteOne")]
    [InlineData("0 16 1 17 2 18 3 19 4 20 5 21 6 22 7 23", "None", "Union")]
    [InlineData("0 31 2 17 4 3 6 21 8 9 10 27 12 13 14 1", "Sse41, Avx2, PermutesTwo", "PermuteTwo")]
    [InlineData("0 1 2 3 20 21 22 23 8 9 10 11 28 29 30 31", "Sse41", "OnTwo")]
    public void DependsOnTheProcessor(string indices, string features, string form) =>
        Assert.Equal(form, Plan(indices, Enum.Parse<VectorFeatures>(features)).Form.ToString());

    [Fact]
    public void OperandsThatAreNotUsedAreDropped()
    {
        ShufflePlan second = Plan("16 17 18 19 28 29 30 31 20 21 22 23 24 25 26 27", All);
        Assert.True(second.DropsFirst && !second.DropsSecond);
        Assert.Equal([0, 1, 2, 3, 12, 13, 14, 15, 4, 5, 6, 7, 8, 9, 10, 11], second.Indices.ToArray());
        Assert.True(second.NeedsLastOfSecond && !second.NeedsLastOfFirst);

        // The two are the same: the first does.
        ShufflePlan same = Plan("16 1 18 3 20 5 22 7 24 9 26 11 28 13 30 15", All, isSame: true);
        Assert.True(same.DropsSecond && same.Form == ShuffleForm.Nothing);

        ShufflePlan zeros = Plan("0 16 1 17 2 18 3 19 4 20 5 21 6 22 7 23", All, isSecondZero: true);
        Assert.True(zeros.DropsSecond);
        Assert.Equal("WidenLower", zeros.Instruction!.Name);

        ShufflePlan shifted = Plan("5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20", All, isSecondZero: true);
        Assert.Equal(("ShiftRightLogical128BitLane", 5), (shifted.Instruction!.Name, shifted.Control));

        ShufflePlan nothing = Plan("0 16 1 17 2 18 3 19 4 20 5 21 6 22 7 23", All, isFirstZero: true, isSecondZero: true);
        Assert.True(nothing.DropsSecond && !nothing.DropsFirst);
        Assert.All(nothing.Indices.ToArray(), index => Assert.Equal(ShufflePlan.Zero, index));
    }
}
