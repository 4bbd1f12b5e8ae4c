using System.Collections.Immutable;
using System.Reflection.Emit;
using WasmJit.Jit.Emit;
using WasmJit.Jit.Il;
using WasmJit.Jit.Operators;
using WasmJit.Runtime;
using Xunit;

namespace WasmJit.Tests;

/// <summary>What the emitter's classes remember, each alone.</summary>
public sealed class EmitterStateTests
{
    private readonly IlBuffer il = new();
    private readonly LocalPlaces places = new();
    private readonly OperandStack stack;
    private readonly Rotations rotations;
    private readonly ControlStack control;

    public EmitterStateTests()
    {
        stack = new OperandStack(il, places);
        rotations = new Rotations(il, stack, places);
        control = new ControlStack(il, stack);
    }

    private static Operator Op(string mnemonic) => OperatorTable.Find(mnemonic)!;

    /// <summary>A rotation of two arguments on the stack; gives its position.</summary>
    private int Rotate()
    {
        int start = il.Tail;
        il.Ldarg(1);
        il.Ldarg(2);
        rotations.Emit(Emission.Of(Op("i32.rotl")).Method!);
        stack.PushStack(ValType.I32, start);
        stack[0].Rotation = il.Tail;
        return il.Tail;
    }

    private bool IsOneInstruction(int call) => il.MethodAt(call).DeclaringType != typeof(RotationFault);

    private Operand Local() => places.Declare(ValType.I32, (false, il.DeclareLocal(typeof(int))));

    [Fact]
    public void ARotationIsOneInstructionInArithmetic()
    {
        Operand argument = places.Declare(ValType.I32, (true, 3));
        int call = Rotate();
        Assert.False(IsOneInstruction(call));
        stack.Push(argument);
        rotations.BeforeOperator(Op("i32.xor"));
        Assert.True(IsOneInstruction(call));
    }

    [Theory]
    [InlineData(0u)]
    [InlineData(1u)]
    [InlineData(uint.MaxValue)]
    public void ARotationIsTwoShiftsWhereArithmeticMayBeLeftOut(uint neutral)
    {
        int call = Rotate();
        stack.PushConst(ValType.I32, neutral);
        rotations.BeforeOperator(Op("i32.mul"));
        Assert.False(IsOneInstruction(call));
    }

    [Fact]
    public void ARotationInALocalIsOneInstructionUntilTheLocalIsTested()
    {
        Operand first = Local(), second = Local();
        int call = Rotate();
        rotations.BeforeStore(first.Index);
        Assert.True(IsOneInstruction(call));
        rotations.BeforeTest(second);
        Assert.True(IsOneInstruction(call));
        rotations.BeforeTest(first);
        Assert.False(IsOneInstruction(call));
    }

    [Fact]
    public void ACopyOfALocalIsLookedThrough()
    {
        Operand first = Local(), second = Local();
        int call = Rotate();
        rotations.BeforeStore(first.Index);
        stack.Remove();
        stack.Push(first);
        rotations.BeforeStore(second.Index);
        Assert.False(IsOneInstruction(call));
    }

    [Fact]
    public void FramesKnowHeightRegionAndArm()
    {
        ImmutableArray<ValType> one = [ValType.I32];
        control.Push(OpId.Block, [], one);
        int arm = control.Top.Arm;
        stack.PushConst(ValType.I32, 1);
        control.Region = 1;
        control.Push(OpId.Loop, one, []);
        Assert.Equal((0, 1), (control.Top.Height, control.Top.Region));
        Assert.Equal(one, control.Top.LabelTypes);
        Assert.Equal(one, control.Target(1).LabelTypes);
        Assert.True(control.IsOpen(1, arm) && control.IsOpen(2, control.Top.Arm));
        control[0].Arm = control.NewArm();
        Assert.False(control.IsOpen(1, arm));
        control.Pop();
        Assert.False(control.IsOpen(2, arm + 1));
        Assert.Equal(1, control.Depth);
    }

    [Fact]
    public void LabelsShareTheHomesOfAHeight()
    {
        var homes = new LabelHomes(il);
        ImmutableArray<ValType> outer = [ValType.I32, ValType.I32, ValType.I32, ValType.F32, ValType.I64], inner = [ValType.I32, ValType.F32, ValType.I64, ValType.I64, ValType.I64];
        int[] lower = homes.Of(0, outer), upper = homes.Of(2, inner);
        // What is at height 2, 3 and 4 is in the same place for both.
        Assert.Equal(lower[2..], upper[..3]);
        Assert.Same(lower, homes.Of(0, outer));
        Assert.Equal(7, il.Locals.Count);
    }

    [Fact]
    public void APairLeavesAPositionBetween()
    {
        stack.PushConst(ValType.I32, 7);
        stack.PushConst(ValType.I32, 8);
        stack.TakePair(out int between, out _, out _);
        il.EmitAt(between, OpCodes.Dup);
        Assert.Equal(["ldc.i4 7", "dup", "ldc.i4 8"], il.Listing().Select(line => line.Text.Trim()));
        Assert.Equal(0, stack.Count);
    }
}
