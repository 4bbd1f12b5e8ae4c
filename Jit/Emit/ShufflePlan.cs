using System.Reflection;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;
using WasmJit.Jit.Operators;

namespace WasmJit.Jit.Emit;

/// <summary>What a processor has for moving bytes of vectors.</summary>
[Flags]
internal enum VectorFeatures
{
    None = 0,
    Sse41 = 1,
    Avx2 = 2,

    /// <summary>An instruction that takes bytes from two vectors at once.</summary>
    PermutesTwo = 4,
}

/// <summary>How the bytes of a shuffle are moved.</summary>
internal enum ShuffleForm : byte
{
    /// <summary>The operand is the result.</summary>
    Nothing,

    /// <summary>One instruction on the one vector.</summary>
    OnOne,

    /// <summary>One instruction on both.</summary>
    OnTwo,

    /// <summary>One instruction on both that takes each byte as a mask says.</summary>
    Masked,

    /// <summary>A permutation of the one vector.</summary>
    PermuteOne,

    /// <summary>A permutation of both.</summary>
    PermuteTwo,

    /// <summary>A permutation of each, and their union.</summary>
    Union,
}

/// <summary>
/// The instructions that <c>i8x16.shuffle</c> (spec 4.6.3) becomes. Its indices are constants, so there may be one instruction of x64 that does the
/// same. Otherwise it is two permutations and their union. A plan is a value: it says which bytes are moved, and emits nothing.
/// </summary>
internal sealed record ShufflePlan
{
    /// <summary>An index that stands for 0.</summary>
    internal const byte Zero = 0x80;

    private readonly byte[] indices;

    private ShufflePlan(byte[] indices) => this.indices = indices;

    /// <summary>Whether the last byte of each operand is used: only then its load faults where it must.</summary>
    internal bool NeedsLastOfFirst { get; private init; }

    /// <summary>The same of the second operand.</summary>
    internal bool NeedsLastOfSecond { get; private init; }

    /// <summary>Whether nothing of the first operand is used. If nothing of either is, it is the second that is not.</summary>
    internal bool DropsFirst { get; private init; }

    /// <summary>Whether nothing of the second operand is used.</summary>
    internal bool DropsSecond { get; private init; }

    internal ShuffleForm Form { get; private set; }

    /// <summary>The instruction of <see cref="ShuffleForm.OnOne"/>, <see cref="ShuffleForm.OnTwo"/> and <see cref="ShuffleForm.Masked"/>.</summary>
    internal MethodInfo? Instruction { get; private set; }

    /// <summary>The instruction's constant operand, if it has one.</summary>
    internal int? Control { get; private set; }

    /// <summary>Whether the instruction takes the operands the other way round.</summary>
    internal bool Swaps { get; private set; }

    /// <summary>
    /// By byte of the result, the byte of the operands: from 16 on of the second if both are used. <see cref="Zero"/> for 0. Of
    /// <see cref="ShuffleForm.Masked"/> the mask.
    /// </summary>
    internal ReadOnlySpan<byte> Indices => indices;

    /// <summary>What this processor has.</summary>
    internal static VectorFeatures Available { get; } =
        (Sse41.IsSupported ? VectorFeatures.Sse41 : 0) | (Avx2.IsSupported ? VectorFeatures.Avx2 : 0)
        | (AdvSimd.Arm64.IsSupported || Avx512Vbmi.VL.IsSupported ? VectorFeatures.PermutesTwo : 0);

    /// <summary>Finds the plan of a shuffle.</summary>
    /// <param name="low">The first eight indices.</param>
    /// <param name="high">The other eight.</param>
    /// <param name="isSame">Whether both operands are the same value.</param>
    /// <param name="isFirstZero">Whether the first operand is known to be 0.</param>
    /// <param name="isSecondZero">Whether the second one is.</param>
    /// <param name="features">What the processor has.</param>
    internal static ShufflePlan Of(ulong low, ulong high, bool isSame, bool isFirstZero, bool isSecondZero, VectorFeatures features)
    {
        var indices = new byte[16];
        BitConverter.TryWriteBytes(indices, low);
        BitConverter.TryWriteBytes(indices.AsSpan(8), high);
        bool usesFirst = false, usesSecond = false;
        foreach (ref byte index in indices.AsSpan())
        {
            if (isSame) index &= 15;
            if (index < 16 ? isFirstZero : isSecondZero) index = Zero;
            usesFirst |= index < 16;
            usesSecond |= index is >= 16 and < 32;
        }
        var plan = new ShufflePlan(indices)
        {
            NeedsLastOfFirst = indices.Contains((byte)15),
            NeedsLastOfSecond = indices.Contains((byte)31),
            DropsFirst = usesSecond && !usesFirst,
            DropsSecond = !usesSecond,
        };
        if (plan.DropsFirst)
            for (int i = 0; i < 16; i++) indices[i] = indices[i] == Zero ? Zero : (byte)(indices[i] - 16);
        if (usesFirst && usesSecond) plan.FindForTwo(features);
        else plan.FindForOne(features);
        return plan;
    }

    // ---- one vector ----

    private void FindForOne(VectorFeatures features)
    {
        if (IsRun(indices, 0, 16, 0)) return;
        if ((!features.HasFlag(VectorFeatures.Sse41) || !FindX64ForOne(features.HasFlag(VectorFeatures.Avx2))) && !WidenZeros()) Form = ShuffleForm.PermuteOne;
    }

    private bool FindX64ForOne(bool hasAvx2)
    {
        if (Lanes(indices, 4) is { } dwords) return OnOne(typeof(Sse2), nameof(Sse2.Shuffle), typeof(int), ControlOf(dwords));
        if (Lanes(indices, 2) is { } words)
        {
            if (words.AsSpan(1).IndexOfAnyExcept(words[0]) < 0 && words[0] == 0 && hasAvx2) return Broadcast(typeof(short));
            bool lowStays = words is [0, 1, 2, 3, ..], highStays = words is [.., 4, 5, 6, 7];
            if (highStays && words.AsSpan(0, 4).IndexOfAnyExceptInRange(0, 3) < 0)
                return OnOne(typeof(Sse2), nameof(Sse2.ShuffleLow), typeof(short), ControlOf(words[..4]));
            if (lowStays && words.AsSpan(4).IndexOfAnyExceptInRange(4, 7) < 0)
                return OnOne(typeof(Sse2), nameof(Sse2.ShuffleHigh), typeof(short), ControlOf([.. words[4..].Select(w => w - 4)]));
        }
        if (indices.AsSpan().IndexOfAnyExcept((byte)0) < 0 && hasAvx2) return Broadcast(typeof(byte));
        for (int n = 1; n < 16; n++)
        {
            if (IsRun(indices, 0, 16 - n, n) && IsZero(indices, 16 - n, n))
                return OnOne(typeof(Sse2), nameof(Sse2.ShiftRightLogical128BitLane), typeof(byte), n);
            if (IsZero(indices, 0, n) && IsRun(indices, n, 16 - n, 0))
                return OnOne(typeof(Sse2), nameof(Sse2.ShiftLeftLogical128BitLane), typeof(byte), n);
        }
        return false;
    }

    /// <summary>Lanes of the lower half between zeros: they are widened.</summary>
    private bool WidenZeros()
    {
        for (int size = 1; size <= 4; size *= 2)
        {
            bool matches = true;
            for (int i = 0; i < 16; i += 2 * size) matches &= IsRun(indices, i, size, i / 2) && IsZero(indices, i + size, size);
            if (!matches) continue;
            Type lane = size == 1 ? typeof(byte) : size == 2 ? typeof(ushort) : typeof(uint);
            Form = ShuffleForm.OnOne;
            Instruction = Emission.FindVectorMethod(nameof(Vector128.WidenLower), lane, 1)!;
            return true;
        }
        return false;
    }

    private bool Broadcast(Type lane) => OnOne(typeof(Avx2), nameof(Avx2.BroadcastScalarToVector128), lane, null);

    private bool OnOne(Type instructionSet, string name, Type lane, int? control)
    {
        Form = ShuffleForm.OnOne;
        Instruction = X64(instructionSet, name, lane, 1, control is not null);
        Control = control;
        return true;
    }

    // ---- two vectors ----

    private void FindForTwo(VectorFeatures features)
    {
        if (features.HasFlag(VectorFeatures.Sse41) && FindX64ForTwo(features.HasFlag(VectorFeatures.Avx2))) return;
        Form = features.HasFlag(VectorFeatures.PermutesTwo) ? ShuffleForm.PermuteTwo : ShuffleForm.Union;
    }

    private bool FindX64ForTwo(bool hasAvx2)
    {
        if (indices.Contains(Zero)) return false;
        byte[] swapped = [.. indices.Select(i => (byte)(i ^ 16))];
        if (Interleave(indices, false) || Interleave(swapped, true) || Align(indices, true) || Align(swapped, false)) return true;
        if (Lanes(indices, 4) is { } dwords)
        {
            bool aFirst = dwords[0] < 4 && dwords[1] < 4 && dwords[2] >= 4 && dwords[3] >= 4;
            bool bFirst = dwords[0] >= 4 && dwords[1] >= 4 && dwords[2] < 4 && dwords[3] < 4;
            if ((aFirst || bFirst) && !IsBlend())
                return OnTwo(typeof(Sse), nameof(Sse.Shuffle), typeof(float), ControlOf([.. dwords.Select(d => d & 3)]), bFirst);
        }
        return Blend(hasAvx2);
    }

    /// <summary>Lanes of the two in turn, from their lower or upper halves.</summary>
    private bool Interleave(byte[] indices, bool swap)
    {
        foreach (int half in (ReadOnlySpan<int>)[0, 8])
            for (int size = 1; size <= 8; size *= 2)
            {
                bool matches = true;
                for (int i = 0; i < 16; i += 2 * size)
                    matches &= IsRun(indices, i, size, half + (i / 2)) && IsRun(indices, i + size, size, 16 + half + (i / 2));
                if (!matches) continue;
                Type lane = size switch { 1 => typeof(byte), 2 => typeof(short), 4 => typeof(int), _ => typeof(long) };
                return OnTwo(typeof(Sse2), half == 0 ? nameof(Sse2.UnpackLow) : nameof(Sse2.UnpackHigh), lane, null, swap);
            }
        return false;
    }

    /// <summary>A window into the two, one behind the other; the processor's operands are the other way round.</summary>
    private bool Align(byte[] indices, bool swap)
    {
        int from = indices[0];
        if (from is 0 or > 15 || !IsRun(indices, 0, 16, from)) return false;
        return OnTwo(typeof(Ssse3), nameof(Ssse3.AlignRight), typeof(byte), from, swap);
    }

    private bool IsBlend()
    {
        for (int i = 0; i < 16; i++)
            if ((indices[i] & 15) != i) return false;
        return true;
    }

    /// <summary>Each lane from its own place in one of the two.</summary>
    private bool Blend(bool hasAvx2)
    {
        if (!IsBlend()) return false;
        if (Lanes(indices, 4) is { } dwords && hasAvx2) return OnTwo(typeof(Avx2), nameof(Avx2.Blend), typeof(int), Mask(dwords, 4), false);
        if (Lanes(indices, 2) is { } words) return OnTwo(typeof(Sse41), nameof(Sse41.Blend), typeof(short), Mask(words, 8), false);
        for (int i = 0; i < 16; i++) indices[i] = indices[i] >= 16 ? byte.MaxValue : (byte)0;
        Form = ShuffleForm.Masked;
        Instruction = X64(typeof(Sse41), nameof(Sse41.BlendVariable), typeof(byte), 3, false);
        return true;

        static int Mask(int[] lanes, int count)
        {
            int mask = 0;
            for (int i = 0; i < count; i++) mask |= (lanes[i] >= count ? 1 : 0) << i;
            return mask;
        }
    }

    private bool OnTwo(Type instructionSet, string name, Type lane, int? control, bool swap)
    {
        Form = ShuffleForm.OnTwo;
        Instruction = X64(instructionSet, name, lane, 2, control is not null);
        Control = control;
        Swaps = swap;
        return true;
    }

    private static MethodInfo X64(Type instructionSet, string name, Type lane, int vectors, bool hasControl)
    {
        var types = new List<Type>();
        for (int i = 0; i < vectors; i++) types.Add(typeof(Vector128<>).MakeGenericType(lane));
        if (hasControl) types.Add(typeof(byte));
        return instructionSet.GetMethod(name, [.. types])!;
    }

    // ---- indices ----

    /// <summary>Whether <paramref name="count"/> indices are consecutive numbers.</summary>
    private static bool IsRun(byte[] indices, int first, int count, int from)
    {
        for (int i = 0; i < count; i++)
            if (indices[first + i] != from + i) return false;
        return true;
    }

    private static bool IsZero(byte[] indices, int first, int count) => indices.AsSpan(first, count).IndexOfAnyExcept(Zero) < 0;

    /// <summary>The indices as those of lanes of a size, if they are.</summary>
    private static int[]? Lanes(byte[] indices, int size)
    {
        var lanes = new int[16 / size];
        for (int i = 0; i < lanes.Length; i++)
        {
            int first = indices[i * size];
            if (first % size != 0 || first == Zero || !IsRun(indices, i * size, size, first)) return null;
            lanes[i] = first / size;
        }
        return lanes;
    }

    /// <summary>Four indices of two bits each.</summary>
    private static int ControlOf(int[] lanes) => lanes[0] | (lanes[1] << 2) | (lanes[2] << 4) | (lanes[3] << 6);
}
