using System.Reflection;
using System.Runtime.Intrinsics;
using WasmJit.Jit.Il;
using WasmJit.Jit.Operators;
using WasmJit.Runtime;

namespace WasmJit.Jit.Emit;

/// <summary>Emits what a <see cref="ShufflePlan"/> says.</summary>
internal sealed class ShuffleEmitter(EmitterContext context, LoadedValues loadedValues)
{
    private const byte Zero = ShufflePlan.Zero;

    private static readonly MethodInfo BytePermutation =
        typeof(Vector128).GetMethod(nameof(Vector128.Shuffle), [typeof(Vector128<byte>), typeof(Vector128<byte>)])!;

    private readonly IlBuffer il = context.Il;
    private readonly OperandStack stack = context.Stack;

    /// <summary>Emits <c>i8x16.shuffle</c>.</summary>
    /// <param name="low">The first eight indices.</param>
    /// <param name="high">The other eight.</param>
    internal void Emit(ulong low, ulong high)
    {
        bool isSame = stack[0].Kind == OperandKind.Local && stack[1].Kind == OperandKind.Local && stack[0].Index == stack[1].Index;
        ShufflePlan plan = ShufflePlan.Of(low, high, isSame, IsZero(stack[1]), IsZero(stack[0]), ShufflePlan.Available);
        if (!plan.NeedsLastOfFirst) loadedValues.KeepVectorWhole(1);
        if (!plan.NeedsLastOfSecond) loadedValues.KeepVectorWhole(0);
        if (plan.DropsSecond) loadedValues.Drop();
        else if (plan.DropsFirst) DropFirst();
        Emit(plan);
    }

    private static bool IsZero(in Operand operand) => operand is { Kind: OperandKind.Const, Bits: 0, High: 0 };

    /// <summary>Drops the operand below the topmost.</summary>
    private void DropFirst()
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

    private void Emit(ShufflePlan plan)
    {
        if (plan.Form == ShuffleForm.Nothing) return;
        if (plan.Swaps)
        {
            // What is on the IL stack stays below: it goes through a temporary.
            if (stack[1].Kind == OperandKind.Stack) stack.FlushBelow(0);
            stack.Swap();
        }
        int between = 0;
        int start = plan.Form == ShuffleForm.Union ? stack.TakePair(out between, out int treeDepth, out bool hasLoad)
            : stack.Take(plan.Form is ShuffleForm.OnOne or ShuffleForm.PermuteOne ? 1 : 2, out treeDepth, out hasLoad);
        switch (plan.Form)
        {
            case ShuffleForm.OnOne or ShuffleForm.OnTwo:
                if (plan.Control is { } control) il.LdcI4(control);
                il.Call(plan.Instruction!);
                break;
            case ShuffleForm.Masked:
                stack.LoadVectorAt(il.Tail, LowOf(plan.Indices), HighOf(plan.Indices));
                il.Call(plan.Instruction!);
                break;
            case ShuffleForm.PermuteOne:
                PermuteAt(il.Tail, plan.Indices);
                break;
            case ShuffleForm.PermuteTwo:
                il.LdcI8((long)LowOf(plan.Indices));
                il.LdcI8((long)HighOf(plan.Indices));
                il.Call(Members.Vector(nameof(Simd.I8x16Shuffle)));
                break;
            case ShuffleForm.Union:
                PermuteAt(between, OfFirst(plan.Indices));
                PermuteAt(il.Tail, OfSecond(plan.Indices));
                il.Call(Emission.FindVectorMethod(nameof(Vector128.BitwiseOr), typeof(byte), 2)!);
                break;
        }
        stack.PushStack(ValType.V128, start, treeDepth, hasLoad);
    }

    private static ulong LowOf(ReadOnlySpan<byte> bytes) => BitConverter.ToUInt64(bytes);

    private static ulong HighOf(ReadOnlySpan<byte> bytes) => BitConverter.ToUInt64(bytes[8..]);

    private static byte[] OfFirst(ReadOnlySpan<byte> indices)
    {
        byte[] own = indices.ToArray();
        foreach (ref byte index in own.AsSpan())
            if (index >= 16) index = Zero;
        return own;
    }

    private static byte[] OfSecond(ReadOnlySpan<byte> indices)
    {
        byte[] own = indices.ToArray();
        foreach (ref byte index in own.AsSpan()) index = index is >= 16 and < 32 ? (byte)(index - 16) : Zero;
        return own;
    }

    /// <summary>Inserts the permutation of the vector on the IL stack; an index beyond 15 gives 0.</summary>
    private void PermuteAt(int at, ReadOnlySpan<byte> indices) => il.CallAt(stack.LoadVectorAt(at, LowOf(indices), HighOf(indices)), BytePermutation);
}
