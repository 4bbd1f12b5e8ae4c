namespace WasmJit.Jit;

/// <summary>
/// Rotations. RyuJIT compares a rotated number with zero by the zero flag of the rotation, which the processor does not set
/// (.NET 10.0.12). So where such a comparison might meet a rotation, this is written as two shifts and an addition. The test is of
/// the tree and of the statement before it: a rotation kept in a local counts until somebody compares the local.
/// </summary>
internal sealed partial class FunctionEmitter
{
    private const string Apart = "Apart";

    /// <summary>The rotations that were stored to each place, as one instruction.</summary>
    private readonly Dictionary<int, List<int>> rotations = [];

    private static bool IsRotation(Operator op) => op.Operation == Operation.Rotate;

    private static bool IsComparison(Operator op) => op.Operation == Operation.Compare && !IsFloat(op.Params[0]);

    /// <summary>Before an operator: makes its operands one instruction if they go into arithmetic, two shifts if it compares.</summary>
    private void UseRotations(Operator op)
    {
        if (IsComparison(op))
        {
            for (int i = 0; i < op.Params.Length; i++) Compare(stack[i]);
            return;
        }
        if (op.Operation is not (>= Operation.Add and <= Operation.Rotate) || IsFloat(op.Params[0])) return;
        for (int i = 0; i < 2; i++)
            if (!MayBeNeutral(stack[1 - i])) AsOne(stack[i]);
    }

    /// <summary>Whether the JIT may leave out arithmetic with the operand.</summary>
    private bool MayBeNeutral(in Operand operand) => operand.Kind switch
    {
        OperandKind.Stack => false,
        OperandKind.Const => operand.Bits + 1 <= 2 || (uint)operand.Bits == uint.MaxValue,
        OperandKind.Local => !places[operand.Index].IsArg,
        _ => true,
    };

    private void AsOne(in Operand operand)
    {
        if (operand.Kind == OperandKind.Stack && operand.Rotation != 0) AsOne(operand.Rotation);
    }

    private void AsOne(int call)
    {
        string name = il.MethodAt(call).Name;
        if (name.StartsWith(Apart, StringComparison.Ordinal)) il.Retarget(call, Members.Integer(name[Apart.Length..]));
    }

    /// <summary>A number is about to be compared, or to decide a branch.</summary>
    private void Compare(in Operand operand)
    {
        if (operand.Kind != OperandKind.Local || !rotations.Remove(operand.Index, out List<int>? calls)) return;
        foreach (int call in calls) il.Retarget(call, Members.Integer(Apart + il.MethodAt(call).Name));
    }

    /// <summary>The topmost operand is about to be stored to a local.</summary>
    private void StoreRotation(int place)
    {
        ref Operand operand = ref stack[0];
        if (operand.Kind == OperandKind.Stack && operand.Rotation != 0)
        {
            AsOne(operand.Rotation);
            if (!rotations.TryGetValue(place, out List<int>? calls)) rotations[place] = calls = [];
            calls.Add(operand.Rotation);
        }
        else
        {
            // A copy is looked through.
            Compare(operand);
        }
    }
}
