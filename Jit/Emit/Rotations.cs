using WasmJit.Jit.Il;
using WasmJit.Jit.Operators;

namespace WasmJit.Jit.Emit;

/// <summary>
/// Rotations. RyuJIT compares a rotated number with zero by the zero flag of the rotation, which the processor does not set
/// (.NET 10.0.12). So where such a comparison might meet a rotation, this is written as two shifts and an addition. The test is of
/// the tree and of the statement before it: a rotation kept in a local counts until somebody compares the local.
/// </summary>
internal sealed class Rotations(IlBuffer il, OperandStack stack, LocalPlaces places)
{
    /// <summary>What the names of the helpers begin with that rotate by two shifts.</summary>
    private const string TwoShifts = "Apart";

    /// <summary>The rotations that were stored to each place, as one instruction.</summary>
    private readonly Dictionary<int, List<int>> rotations = [];

    /// <summary>Emits a rotation whose operands are on the IL stack. Until something is known of its use it is two shifts.</summary>
    internal void Emit(System.Reflection.MethodInfo rotation) => il.Call(Members.Integer(TwoShifts + rotation.Name));

    internal static bool IsRotation(Operator op) => op.Operation == Operation.Rotate;

    internal static bool IsComparison(Operator op) => op.Operation == Operation.Compare && !FloatFolding.IsFloat(op.Params[0]);

    /// <summary>Before a plain operator: makes rotations among its operands one instruction if they go into arithmetic, two shifts if it compares.</summary>
    internal void BeforeOperator(Operator op)
    {
        if (IsComparison(op))
        {
            for (int i = 0; i < op.Params.Length; i++) BeforeTest(stack[i]);
            return;
        }
        if (op.Operation is not (>= Operation.Add and <= Operation.Rotate) || FloatFolding.IsFloat(op.Params[0])) return;
        for (int i = 0; i < 2; i++)
            if (!MayBeNeutral(stack[1 - i])) MakeOneInstruction(stack[i]);
    }

    /// <summary>Whether the JIT may leave out arithmetic with the operand.</summary>
    private bool MayBeNeutral(in Operand operand) => operand.Kind switch
    {
        OperandKind.Stack => false,
        OperandKind.Const => operand.Bits + 1 <= 2 || (uint)operand.Bits == uint.MaxValue,
        OperandKind.Local => !places[operand.Index].IsArg,
        _ => true,
    };

    /// <summary>An operand goes where a rotation may be one instruction.</summary>
    internal void MakeOneInstruction(in Operand operand)
    {
        if (operand.Kind == OperandKind.Stack && operand.Rotation != 0) MakeOneInstruction(operand.Rotation);
    }

    private void MakeOneInstruction(int call)
    {
        string name = il.MethodAt(call).Name;
        if (name.StartsWith(TwoShifts, StringComparison.Ordinal)) il.Retarget(call, Members.Integer(name[TwoShifts.Length..]));
    }

    /// <summary>A number is about to be compared, or to decide a branch: rotations that it may be are two shifts from now on.</summary>
    internal void BeforeTest(in Operand operand)
    {
        if (operand.Kind != OperandKind.Local || !rotations.Remove(operand.Index, out List<int>? calls)) return;
        foreach (int call in calls) il.Retarget(call, Members.Integer(TwoShifts + il.MethodAt(call).Name));
    }

    /// <summary>The topmost operand is about to be stored to a local.</summary>
    internal void BeforeStore(int place)
    {
        ref Operand operand = ref stack[0];
        if (operand.Kind == OperandKind.Stack && operand.Rotation != 0)
        {
            MakeOneInstruction(operand.Rotation);
            if (!rotations.TryGetValue(place, out List<int>? calls)) rotations[place] = calls = [];
            calls.Add(operand.Rotation);
        }
        else
        {
            // A copy is looked through.
            BeforeTest(operand);
        }
    }
}
