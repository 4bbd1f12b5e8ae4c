using System.Reflection.Emit;
using WasmJit.Runtime;

namespace WasmJit.Jit;

/// <summary>What limits a guest: the check for the end of the stack, polls for cancellation, and charges of fuel.</summary>
internal sealed partial class FunctionEmitter
{
    /// <summary>What of each open loop is charged at its head, and where; the first is the function.</summary>
    private readonly List<(int Charge, int Instructions)> charges = [(-1, 0)];

    private bool hasTailCalls;
    private int poll = -1;
    private int fuel = -1;

    /// <summary>Instructions are counted for the innermost loop around them. The opening of a loop belongs to what is outside.</summary>
    private void CountInstruction(in Instr instr)
    {
        if (frames[depth - 1].Unreachable) return;
        (int charge, int instructions) = charges[^1];
        charges[^1] = (charge, (int)Math.Min(instructions + KnownCost(instr), int.MaxValue));
    }

    /// <summary>The IL stack is empty here.</summary>
    private void LoopHead()
    {
        if (target.IsInterruptible)
        {
            if (poll < 0) poll = il.DeclareLocal(typeof(nint));
            PollAt(il.Tail);
        }
        if (target.CountsFuel) charges.Add((ChargeAt(il.Tail).Charge, 1));
    }

    private void LoopEnd()
    {
        if (!target.CountsFuel) return;
        (int charge, int instructions) = charges[^1];
        il.Repatch(charge, instructions);
        charges.RemoveAt(charges.Count - 1);
    }

    /// <summary>Emits what a function does first, at <paramref name="at"/>. It depends on all that came after.</summary>
    private int EmitEntryChecks(int at)
    {
        // By the check it is seen later whether the JIT has put an outlined body into its caller; see FrameGuard.IsOnlyACall.
        bool stops = (target.IsInterruptible && hasTailCalls) || Outliner.ExceedsLimits(il, signature.Parameters.Length);
        if (FrameGuard.RoomFor(il.LargestCall) is var room and not 0) at = il.CallAt(il.LdcI8At(at, room), Members.StackSpace);
        if (hasCalls || stops || poll >= 0)
        {
            if (target.HasStackMap)
            {
                at = EmitMarkAddress(at);
                if (poll >= 0)
                {
                    at = il.StlocAt(at, poll);
                    if (hasCalls || stops) at = il.LdlocAt(at, poll);
                }
                if (hasCalls || stops)
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
                if (hasCalls || stops) at = il.CallAt(at, Members.StackCheck);
                if (poll >= 0) at = il.StlocAt(il.CallAt(at, Members.MarkAddress), poll);
            }
        }
        if (!target.CountsFuel) return at;
        // Charges of loops have declared the local already.
        (at, int charge) = ChargeAt(at, isEntry: true);
        // A loop that goes on here has been entered, and paid for, before.
        il.Repatch(charge, resumedLoop >= 0 ? 0 : (int)Math.Min(charges[0].Instructions + EntryCost, int.MaxValue));
        return at;
    }

    /// <summary>Pushes where in the map of stacks this frame is: map + (&amp;local >> granule).</summary>
    private int EmitMarkAddress(int at)
    {
        int local = il.DeclareLocal(typeof(int));
        at = il.LdlocaAt(at, local);
        at = il.EmitAt(at, OpCodes.Conv_U);
        at = il.LdcI4At(at, StackGuard.GranuleLog2);
        at = il.EmitAt(at, OpCodes.Shr_Un);
        at = target.LoadStackMapAt(il, at);
        return il.EmitAt(at, OpCodes.Add);
    }

    /// <summary>Stops if the mark of this frame says so. Nothing else is looked for: the frame stands already.</summary>
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
        if (isEntry) at = il.StlocAt(il.FieldAt(LoadInstanceAt(at), OpCodes.Ldfld, Members.InstanceFuel), fuel);
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
        at = il.CallAt(at, Members.FuelExhausted);
        at = il.MarkAt(at, ok);
        stack.FreeTemp(left);
        return (at, charge);
    }
}
