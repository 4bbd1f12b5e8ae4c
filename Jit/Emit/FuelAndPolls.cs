using System.Reflection.Emit;
using WasmJit.Jit.Binary;
using WasmJit.Jit.Calls;
using WasmJit.Jit.Il;
using WasmJit.Jit.Operators;
using WasmJit.Runtime;

namespace WasmJit.Jit.Emit;

/// <summary>Code that limits a guest: the check for the end of the stack, polls for cancellation, and charges of fuel.</summary>
internal sealed class FuelAndPolls(EmitterContext context, ControlStack control)
{
    private readonly IlBuffer il = context.Il;
    private readonly OperandStack stack = context.Stack;
    private readonly ICodeTarget target = context.Target;

    /// <summary>The units that each open loop charges at its head, and where; the first is the function.</summary>
    private readonly List<(int Charge, int Instructions)> charges = context.Target.CountsFuel ? [(-1, 0)] : [];

    private int poll = -1;

    private int fuel = -1;

    /// <summary>The price of entering the function besides its instructions: a call, and locals that are cleared.</summary>
    private long EntryCost => FuelCosts.OfEntry(context.Func, context.Current.Locals.Length);

    /// <summary>The price of an instruction whatever its operands are.</summary>
    private long KnownCost(in Instr instr)
    {
        int values = FuelCosts.LabelOf(instr) is { } label ? control.Target(label).LabelTypes.Length
            : FuelCosts.EndsPart(instr) ? control.Top.End.Length : 0;
        return FuelCosts.Known(instr, context.Module, context.Func, values);
    }

    /// <summary>Instructions are counted for the innermost loop around them. The opening of a loop belongs to what is outside.</summary>
    internal void CountInstruction(in Instr instr)
    {
        if (control.Top.Unreachable) return;
        (int charge, int instructions) = charges[^1];
        charges[^1] = (charge, (int)Math.Min(instructions + KnownCost(instr), int.MaxValue));
    }

    /// <summary>The head of a loop, where the IL stack is empty.</summary>
    internal void LoopHead()
    {
        if (target.IsInterruptible)
        {
            if (poll < 0) poll = il.DeclareLocal(typeof(nint));
            PollAt(il.Tail);
        }
        if (target.CountsFuel) charges.Add((ChargeAt(il.Tail).Charge, 1));
    }

    /// <summary>The end of a loop: what an iteration costs is known.</summary>
    internal void LoopEnd()
    {
        if (!target.CountsFuel) return;
        (int charge, int instructions) = charges[^1];
        il.Repatch(charge, instructions);
        charges.RemoveAt(charges.Count - 1);
    }

    /// <summary>Emits the beginning of a function. It depends on everything that came after.</summary>
    /// <param name="at">Where.</param>
    /// <param name="isPaid">Whether the function goes on with a loop that has been entered, and paid for, before.</param>
    internal int EmitEntryChecksAt(int at, bool isPaid)
    {
        // Large functions always get the check: Prologue.IsOnlyACall recognises by its branch that RyuJIT has inlined the outlined body.
        bool stops = (target.IsInterruptible && context.HasTailCalls) || Outliner.ExceedsLimits(il, context.Signature.Parameters.Length);
        if (FrameGuard.RoomFor(il.LargestCall) is var room and not 0) at = il.CallAt(il.LdcI8At(at, room), Members.StackSpace);
        if (context.HasCalls || stops || poll >= 0)
        {
            if (target.HasStackMap)
            {
                at = context.StackMarkAt(at);
                if (poll >= 0)
                {
                    at = il.StlocAt(at, poll);
                    if (context.HasCalls || stops) at = il.LdlocAt(at, poll);
                }
                if (context.HasCalls || stops)
                {
                    int ok = il.DefineLabel();
                    at = il.EmitAt(at, OpCodes.Ldind_U1);
                    at = il.BranchAt(at, OpCodes.Brfalse, ok);
                    at = il.CallAt(at, Members.Stop);
                    at = il.MarkAt(at, ok);
                }
            }
            else
            {
                if (context.HasCalls || stops) at = il.CallAt(at, Members.StackCheck);
                if (poll >= 0) at = il.StlocAt(il.CallAt(at, Members.MarkAddress), poll);
            }
        }
        if (!target.CountsFuel) return at;
        // Charges of loops have declared the local already.
        (at, int charge) = ChargeAt(at, isEntry: true);
        il.Repatch(charge, isPaid ? 0 : (int)Math.Min(charges[0].Instructions + EntryCost, int.MaxValue));
        return at;
    }

    /// <summary>Stops if the mark of this frame says so. The frame's size needs no check any more.</summary>
    private void PollAt(int at)
    {
        int ok = il.DefineLabel();
        at = il.LdlocAt(at, poll);
        at = il.EmitAt(at, OpCodes.Volatile);
        at = il.EmitAt(at, OpCodes.Ldind_U1);
        at = il.LdcI4At(at, StackGuard.Stopped);
        at = il.BranchAt(at, OpCodes.Bne_Un, ok);
        at = il.CallAt(at, Members.Stop);
        il.MarkAt(at, ok);
    }

    /// <summary>Takes units from the fuel: <c>if ((fuel.Left -= n) &lt; 0) trap</c>. n is put in later.</summary>
    private (int At, int Charge) ChargeAt(int at, bool isEntry = false)
    {
        if (fuel < 0) fuel = il.DeclareLocal(typeof(Fuel));
        int left = stack.TakeTemp(typeof(long));
        int ok = il.DefineLabel();
        if (isEntry) at = il.StlocAt(il.FieldAt(context.LoadInstanceAt(at), OpCodes.Ldfld, Members.InstanceFuel), fuel);
        at = il.LdlocAt(at, fuel);
        at = il.LdlocAt(at, fuel);
        at = il.FieldAt(at, OpCodes.Ldfld, Members.FuelLeft);
        int charge = at = il.LdcI4At(at, 0);
        at = il.EmitAt(at, OpCodes.Conv_I8);
        at = il.EmitAt(at, OpCodes.Sub);
        at = il.EmitAt(at, OpCodes.Dup);
        at = il.StlocAt(at, left);
        at = il.FieldAt(at, OpCodes.Stfld, Members.FuelLeft);
        at = il.LdlocAt(at, left);
        at = il.LdcI8At(at, 0);
        at = il.BranchAt(at, OpCodes.Bge, ok);
        // Samples are taken of a guest that goes on.
        at = target.TakesSamples ? il.CallAt(il.LdlocAt(at, fuel), Members.FuelSample) : il.CallAt(at, Members.FuelExhausted);
        at = il.MarkAt(at, ok);
        stack.FreeTemp(left);
        return (at, charge);
    }
}
