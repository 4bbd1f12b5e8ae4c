using System.Reflection;
using WasmJit.Jit.Il;
using WasmJit.Jit.Operators;
using WasmJit.Runtime;

namespace WasmJit.Jit.Emit;

/// <summary>
/// Chooses the form of each rotation: one instruction, or two shifts where a comparison with zero might meet it (<see cref="RotationFault"/>).
/// RyuJIT looks at the tree and at the statement before it, so a rotation that is kept in a local counts until the local is compared.
/// </summary>
internal sealed class Rotations(IlBuffer il, OperandStack stack, LocalPlaces places)
{
    /// <summary>The two forms of each rotation.</summary>
    private static readonly (MethodInfo Instruction, MethodInfo Shifts)[] Forms =
    [
        (Members.Integer(nameof(Integers.Rotl32)), Members.Rotation(nameof(RotationFault.Rotl32))),
        (Members.Integer(nameof(Integers.Rotr32)), Members.Rotation(nameof(RotationFault.Rotr32))),
        (Members.Integer(nameof(Integers.Rotl64)), Members.Rotation(nameof(RotationFault.Rotl64))),
        (Members.Integer(nameof(Integers.Rotr64)), Members.Rotation(nameof(RotationFault.Rotr64))),
    ];

    /// <summary>The rotations that were stored to each place, as one instruction.</summary>
    private readonly Dictionary<int, List<int>> rotations = [];

    /// <summary>Emits a rotation whose operands are on the IL stack. Until something is known of its use it is two shifts.</summary>
    internal void Emit(MethodInfo rotation) => il.Call(FormsOf(rotation).Shifts);

    private static (MethodInfo Instruction, MethodInfo Shifts) FormsOf(MethodBase rotation) =>
        Array.Find(Forms, f => f.Instruction == rotation || f.Shifts == rotation);

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

    private void MakeOneInstruction(int call) => il.Retarget(call, FormsOf(il.MethodAt(call)).Instruction);

    /// <summary>A number is about to be compared, or to decide a branch: rotations that it may be are two shifts from now on.</summary>
    internal void BeforeTest(in Operand operand)
    {
        if (operand.Kind != OperandKind.Local || !rotations.Remove(operand.Index, out List<int>? calls)) return;
        foreach (int call in calls) il.Retarget(call, FormsOf(il.MethodAt(call)).Shifts);
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
