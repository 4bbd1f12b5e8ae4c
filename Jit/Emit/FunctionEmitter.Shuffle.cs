using System.Reflection;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;
using WasmJit.Runtime;

namespace WasmJit.Jit;

/// <summary>
/// <c>i8x16.shuffle</c> (spec 4.6.3): its indices are constants, so the emitter looks for the one instruction of x64 that does
/// the same. Without one, two permutations and their union.
/// </summary>
internal sealed partial class FunctionEmitter
{
    /// <summary>An index that stands for 0.</summary>
    private const byte Zero = 0x80;

    private void Shuffle(ulong low, ulong high)
    {
        var indices = new byte[16];
        BitConverter.TryWriteBytes(indices, low);
        BitConverter.TryWriteBytes(indices.AsSpan(8), high);
        bool isSame = stack[0].Kind == OperandKind.Local && stack[1].Kind == OperandKind.Local && stack[0].Index == stack[1].Index;
        bool zeroA = IsZero(stack[1]), zeroB = IsZero(stack[0]);
        bool usesA = false, usesB = false;
        foreach (ref byte index in indices.AsSpan())
        {
            if (isSame) index &= 15;
            if (index < 16 ? zeroA : zeroB) index = Zero;
            usesA |= index < 16;
            usesB |= index is >= 16 and < 32;
        }
        if (!indices.Contains((byte)15)) KeepWhole(1);
        if (!indices.Contains((byte)31)) KeepWhole(0);
        if (!usesB)
        {
            Drop();
        }
        else if (!usesA)
        {
            DropSecond();
            for (int i = 0; i < 16; i++) indices[i] = indices[i] == Zero ? Zero : (byte)(indices[i] - 16);
        }
        if (usesA && usesB) Permute2(indices);
        else Permute(indices);
    }

    private static bool IsZero(in Operand operand) => operand is { Kind: OperandKind.Const, Bits: 0, High: 0 };

    /// <summary>Drops the operand below the topmost.</summary>
    private void DropSecond()
    {
        if (stack[1].Kind == OperandKind.Stack)
        {
            int start = stack.Take(2, out int treeDepth, out bool hasLoad);
            il.Call(Members.Vector(nameof(Simd.Second)));
            stack.PushStack(ValType.V128, start, treeDepth, hasLoad);
        }
        else
        {
            stack.Swap();
            stack.Remove();
        }
    }

    // ---- one vector ----

    private void Permute(byte[] indices)
    {
        if (IsRun(indices, 0, 16, 0)) return;
        int start = stack.Take(1, out int treeDepth, out bool hasLoad);
        if (!PermuteX64(indices) && !WidenZeros(indices)) PermuteBytes(il.Tail, indices);
        stack.PushStack(ValType.V128, start, treeDepth, hasLoad);
    }

    /// <summary>Inserts the permutation of the vector on the IL stack; an index beyond 15 gives 0.</summary>
    private int PermuteBytes(int at, ReadOnlySpan<byte> indices)
    {
        at = stack.LoadVectorAt(at, BitConverter.ToUInt64(indices), BitConverter.ToUInt64(indices[8..]));
        return il.CallAt(at, BytePermutation);
    }

    private static readonly MethodInfo BytePermutation =
        typeof(Vector128).GetMethod(nameof(Vector128.Shuffle), [typeof(Vector128<byte>), typeof(Vector128<byte>)])!;

    private bool PermuteX64(byte[] indices)
    {
        if (!Sse41.IsSupported) return false;
        if (Lanes(indices, 4) is { } dwords)
        {
            X64(typeof(Sse2), nameof(Sse2.Shuffle), typeof(int), 1, Control(dwords));
            return true;
        }
        if (Lanes(indices, 2) is { } words)
        {
            if (words.AsSpan(1).IndexOfAnyExcept(words[0]) < 0 && words[0] == 0 && Avx2.IsSupported)
            {
                Broadcast(typeof(short));
                return true;
            }
            bool lowStays = words is [0, 1, 2, 3, ..], highStays = words is [.., 4, 5, 6, 7];
            if (highStays && words.AsSpan(0, 4).IndexOfAnyExceptInRange(0, 3) < 0)
            {
                X64(typeof(Sse2), nameof(Sse2.ShuffleLow), typeof(short), 1, Control(words[..4]));
                return true;
            }
            if (lowStays && words.AsSpan(4).IndexOfAnyExceptInRange(4, 7) < 0)
            {
                X64(typeof(Sse2), nameof(Sse2.ShuffleHigh), typeof(short), 1, Control([.. words[4..].Select(w => w - 4)]));
                return true;
            }
        }
        if (indices.AsSpan().IndexOfAnyExcept((byte)0) < 0 && Avx2.IsSupported)
        {
            Broadcast(typeof(byte));
            return true;
        }
        for (int n = 1; n < 16; n++)
        {
            if (IsRun(indices, 0, 16 - n, n) && IsZero(indices, 16 - n, n))
            {
                X64(typeof(Sse2), nameof(Sse2.ShiftRightLogical128BitLane), typeof(byte), 1, n);
                return true;
            }
            if (IsZero(indices, 0, n) && IsRun(indices, n, 16 - n, 0))
            {
                X64(typeof(Sse2), nameof(Sse2.ShiftLeftLogical128BitLane), typeof(byte), 1, n);
                return true;
            }
        }
        return false;
    }

    /// <summary>Lanes of the lower half between zeros: they are widened.</summary>
    private bool WidenZeros(byte[] indices)
    {
        for (int size = 1; size <= 4; size *= 2)
        {
            bool matches = true;
            for (int i = 0; i < 16; i += 2 * size) matches &= IsRun(indices, i, size, i / 2) && IsZero(indices, i + size, size);
            if (!matches) continue;
            Type lane = size == 1 ? typeof(byte) : size == 2 ? typeof(ushort) : typeof(uint);
            il.Call(Emission.FindVectorMethod(nameof(Vector128.WidenLower), lane, 1)!);
            return true;
        }
        return false;
    }

    // ---- two vectors ----

    private void Permute2(byte[] indices)
    {
        if (Sse41.IsSupported && Permute2X64(indices)) return;
        ulong low = BitConverter.ToUInt64(indices), high = BitConverter.ToUInt64(indices, 8);
        if (AdvSimd.Arm64.IsSupported || Avx512Vbmi.VL.IsSupported)
        {
            int position = stack.Take(2, out int depthOfBoth, out bool anyLoad);
            il.LdcI8((long)low);
            il.LdcI8((long)high);
            il.Call(Members.Vector(nameof(Simd.I8x16Shuffle)));
            stack.PushStack(ValType.V128, position, depthOfBoth, anyLoad);
            return;
        }
        int start = TakePair(out int between, out int treeDepth, out bool hasLoad);
        PermuteBytes(between, [.. indices.Select(i => i < 16 ? i : Zero)]);
        PermuteBytes(il.Tail, [.. indices.Select(i => i is >= 16 and < 32 ? (byte)(i - 16) : Zero)]);
        il.Call(Emission.FindVectorMethod(nameof(Vector128.BitwiseOr), typeof(byte), 2)!);
        stack.PushStack(ValType.V128, start, treeDepth, hasLoad);
    }

    private bool Permute2X64(byte[] indices)
    {
        if (indices.Contains(Zero)) return false;
        byte[] swapped = [.. indices.Select(i => (byte)(i ^ 16))];
        if (Interleave(indices, false) || Interleave(swapped, true) || Align(indices, true) || Align(swapped, false)) return true;
        if (Lanes(indices, 4) is { } dwords)
        {
            bool aFirst = dwords[0] < 4 && dwords[1] < 4 && dwords[2] >= 4 && dwords[3] >= 4;
            bool bFirst = dwords[0] >= 4 && dwords[1] >= 4 && dwords[2] < 4 && dwords[3] < 4;
            if ((aFirst || bFirst) && !IsBlend(indices))
            {
                Pair(typeof(Sse), nameof(Sse.Shuffle), typeof(float), Control([.. dwords.Select(d => d & 3)]), swap: bFirst);
                return true;
            }
        }
        return Blend(indices);
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
                Pair(typeof(Sse2), half == 0 ? nameof(Sse2.UnpackLow) : nameof(Sse2.UnpackHigh), lane, null, swap);
                return true;
            }
        return false;
    }

    /// <summary>A window into the two, one behind the other; the processor's operands are the other way round.</summary>
    private bool Align(byte[] indices, bool swap)
    {
        int from = indices[0];
        if (from is 0 or > 15 || !IsRun(indices, 0, 16, from)) return false;
        Pair(typeof(Ssse3), nameof(Ssse3.AlignRight), typeof(byte), from, swap);
        return true;
    }

    private static bool IsBlend(byte[] indices)
    {
        for (int i = 0; i < 16; i++)
            if ((indices[i] & 15) != i) return false;
        return true;
    }

    /// <summary>Each lane from its own place in one of the two.</summary>
    private bool Blend(byte[] indices)
    {
        if (!IsBlend(indices)) return false;
        if (Lanes(indices, 4) is { } dwords && Avx2.IsSupported)
        {
            Pair(typeof(Avx2), nameof(Avx2.Blend), typeof(int), Mask(dwords, 4), false);
        }
        else if (Lanes(indices, 2) is { } words)
        {
            Pair(typeof(Sse41), nameof(Sse41.Blend), typeof(short), Mask(words, 8), false);
        }
        else
        {
            var mask = new byte[16];
            for (int i = 0; i < 16; i++) mask[i] = indices[i] >= 16 ? byte.MaxValue : (byte)0;
            int start = stack.Take(2, out int treeDepth, out bool hasLoad);
            stack.LoadVectorAt(il.Tail, BitConverter.ToUInt64(mask), BitConverter.ToUInt64(mask, 8));
            X64(typeof(Sse41), nameof(Sse41.BlendVariable), typeof(byte), 3, null);
            stack.PushStack(ValType.V128, start, treeDepth, hasLoad);
        }
        return true;

        static int Mask(int[] lanes, int count)
        {
            int mask = 0;
            for (int i = 0; i < count; i++) mask |= (lanes[i] >= count ? 1 : 0) << i;
            return mask;
        }
    }

    /// <summary>An instruction on the two topmost operands, or on the two exchanged.</summary>
    private void Pair(Type instructionSet, string name, Type lane, int? control, bool swap)
    {
        if (swap && stack[1].Kind == OperandKind.Stack)
        {
            // What is on the IL stack stays below: it goes through a temporary.
            stack.FlushBelow(0);
        }
        if (swap) stack.Swap();
        int start = stack.Take(2, out int treeDepth, out bool hasLoad);
        X64(instructionSet, name, lane, 2, control);
        stack.PushStack(ValType.V128, start, treeDepth, hasLoad);
    }

    private void X64(Type instructionSet, string name, Type lane, int vectors, int? control)
    {
        var types = new List<Type>();
        for (int i = 0; i < vectors; i++) types.Add(typeof(Vector128<>).MakeGenericType(lane));
        if (control is { } constant)
        {
            types.Add(typeof(byte));
            il.LdcI4(constant);
        }
        il.Call(instructionSet.GetMethod(name, [.. types])!);
    }

    private void Broadcast(Type lane) => X64(typeof(Avx2), nameof(Avx2.BroadcastScalarToVector128), lane, 1, null);

    // ---- indices ----

    /// <summary>Whether <paramref name="count"/> indices are consecutive numbers.</summary>
    private static bool IsRun(byte[] indices, int at, int count, int from)
    {
        for (int i = 0; i < count; i++)
            if (indices[at + i] != from + i) return false;
        return true;
    }

    private static bool IsZero(byte[] indices, int at, int count) => indices.AsSpan(at, count).IndexOfAnyExcept(Zero) < 0;

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
    private static int Control(int[] lanes) => lanes[0] | (lanes[1] << 2) | (lanes[2] << 4) | (lanes[3] << 6);
}
