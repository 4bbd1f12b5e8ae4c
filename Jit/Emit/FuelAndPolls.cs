using System.Reflection;
using System.Reflection.Emit;
using WasmJit.Jit.Binary;
using WasmJit.Jit.Calls;
using WasmJit.Jit.Il;
using WasmJit.Jit.Operators;
using WasmJit.Runtime;

namespace WasmJit.Jit.Emit;

/// <summary>Code that limits a guest: the check for the end of the stack, polls for cancellation, and charges of fuel.</summary>
internal sealed class FuelAndPolls(EmitterContext context, ControlStack control, Assertions assertions)
{
    private readonly IlBuffer il = context.Il;
    private readonly ICodeTarget target = context.Target;

    /// <summary>A place where units are taken from the fuel: the function's entry, the head of a loop, the beginning of a function that is put into this one.</summary>
    private sealed class Charge(Charge? loop)
    {
        /// <summary>The innermost loop around the place, which may be the charge's own; null if it is in none.</summary>
        internal Charge? Loop { get; set; } = loop;

        /// <summary>For a loop the one around it.</summary>
        internal Charge? OuterLoop { get; } = loop;

        internal long Units { get; set; }

        /// <summary>The instruction with the units.</summary>
        internal int Number { get; set; }

        /// <summary>Where code comes that asks for more; for a loop its last instruction.</summary>
        internal int BelowZero { get; set; } = -1;

        internal int Last { get; set; } = -1;

        /// <summary>The two instructions that read what is left from the fuel.</summary>
        internal (int Fuel, int Field) Read { get; set; }

        /// <summary>For a loop the position in front of its head, where control comes from outside alone.</summary>
        internal int Before { get; set; }

        /// <summary><see cref="EmitterContext.OtherCode"/> here.</summary>
        internal int OtherCode { get; set; }

        /// <summary>For a loop whether it runs other code, which may take from the fuel or add to it.</summary>
        internal bool RunsOtherCode { get; set; }
    }

    /// <summary>All charges but that of the function's entry.</summary>
    private readonly List<Charge> charges = [];

    /// <summary>What is open: the function, and the loops and inlined functions around the code that is being emitted.</summary>
    private readonly List<Charge> open = context.Target.CountsFuel ? [new Charge(null)] : [];

    /// <summary>Where loops look whether the guest is to stop; null if they do not.</summary>
    private readonly LoopPolls? polls = context.Target.IsInterruptible ? new LoopPolls(context, assertions) : null;

    /// <summary>Whether code goes on below zero: samples are taken of it, or it runs on a thread's share and asks for more.</summary>
    private readonly bool goesOn = context.Target.CountsFuel && (context.Target.TakesSamples || context.Root.Module.IsForThreads);

    /// <summary>The locals with the fuel, and with what is left of it where the function knows that.</summary>
    private int fuel = -1, left = -1;

    /// <summary>Whether functions and loops are charged.</summary>
    internal bool Charges => target.CountsFuel;

    /// <summary>Whether instructions are counted.</summary>
    internal bool Counts { get; } = context.Target.CountsFuel || context.Target.IsInterruptible;

    /// <summary>The price of entering the function besides its instructions: a call, and locals that are cleared.</summary>
    private long EntryCost => FuelCosts.OfEntry(context.Func, context.Current.Locals.Length);

    /// <summary>The price of an instruction whatever its operands are.</summary>
    private long KnownCost(in Instr instr)
    {
        int values = FuelCosts.LabelOf(instr) is { } label ? control.Target(label).LabelTypes.Length
            : FuelCosts.EndsPart(instr) ? control.Top.End.Length : 0;
        return FuelCosts.Known(instr, context.Module, context.Func, values);
    }

    /// <summary>
    /// Instructions are counted for the innermost loop around them, or the function that is put into this one. The opening of a loop belongs to what is outside.
    /// </summary>
    internal void CountInstruction(in Instr instr)
    {
        if (control.Top.Unreachable) return;
        long units = KnownCost(instr);
        if (target.CountsFuel) open[^1].Units += units;
        polls?.Count(instr, units);
    }

    /// <summary>The head of a loop, where the IL stack is empty.</summary>
    /// <param name="offset">The loop's offset.</param>
    /// <param name="label">The label at the head.</param>
    /// <param name="before">The position in front of it.</param>
    /// <param name="iterations">The most iterations; 0 if that is not known.</param>
    /// <returns>What branches to the head are to be noted in; null if they need not.</returns>
    internal PolledLoop? LoopHead(int offset, int label, int before, ulong iterations)
    {
        PolledLoop? polled = polls?.Enter(offset, label, before, iterations);
        if (!target.CountsFuel) return polled;
        Charge loop = Begin(1);
        loop.Loop = loop;
        loop.Before = before;
        return polled;
    }

    /// <summary>The end of a loop: what an iteration costs is known.</summary>
    internal void LoopEnd()
    {
        polls?.Leave();
        if (!target.CountsFuel) return;
        Charge loop = open[^1];
        loop.RunsOtherCode = context.OtherCode > loop.OtherCode;
        loop.Last = il.Tail;
        End(0);
    }

    /// <summary>The beginning of a function that is put into this one. It costs what it costs alone.</summary>
    internal void BeginInlined()
    {
        if (target.CountsFuel) Begin(0);
    }

    /// <summary>The end of such a function.</summary>
    internal void EndInlined()
    {
        polls?.CountEntry(EntryCost);
        if (target.CountsFuel) End(EntryCost);
    }

    private Charge Begin(int units)
    {
        var charge = new Charge(open[^1].Loop) { Units = units, OtherCode = context.OtherCode };
        ChargeAt(il.Tail, charge);
        charges.Add(charge);
        open.Add(charge);
        return charge;
    }

    private void End(long units)
    {
        Charge charge = open[^1];
        il.Repatch(charge.Number, (int)Math.Min(charge.Units + units, int.MaxValue));
        open.RemoveAt(open.Count - 1);
    }

    /// <summary>
    /// What is left of the fuel is in a local as long as no other code runs: charges then store it, and do not load it again. A loop without other code has it
    /// loaded before, once for all loops in it.
    /// </summary>
    private void KeepWhatIsLeft()
    {
        if (goesOn)
        {
            DrawsAside();
            return;
        }
        foreach (Charge charge in charges)
        {
            bool isKnown = charge.Loop is { } loop ? !loop.RunsOtherCode : charge.OtherCode == 0;
            if (!isKnown) continue;
            il.Repatch(charge.Read.Fuel, left);
            il.Replace(charge.Read.Field, OpCodes.Nop);
            assertions.LeftAt(charge.Read.Field, fuel);
            if (charge != charge.Loop || charge.OuterLoop is { RunsOtherCode: false } || (charge.OuterLoop is null && charge.OtherCode == 0)) continue;
            int at = il.FieldAt(il.LdlocAt(charge.Before, fuel), OpCodes.Ldfld, Members.FuelLeft);
            il.StlocAt(at, left);
        }
    }

    /// <summary>How many instructions are looked at for variables of loops, in all, and of one loop.</summary>
    private const int MostRead = 500_000, MostOfLoop = 1_000;

    /// <summary>
    /// Code that asks for more in a loop puts the loop's variables aside, and takes them back. What is not put aside stays as it is: it may only be slower. Large functions do without,
    /// since the parts that they are split into have their variables elsewhere.
    /// </summary>
    private void DrawsAside()
    {
        int area = -1, read = il.Instructions > MostInstructions ? MostRead : 0;
        foreach (Charge charge in charges)
        {
            int at = charge.BelowZero;
            List<(bool IsArg, int Index, Type Type, FieldInfo Place)> kept = [];
            if (charge.Loop is { Last: >= 0 } loop && read < MostRead) kept = VariablesOf(loop, ref read);
            if (kept.Count == 0)
            {
                il.CallAt(il.LdlocAt(at, fuel), Members.FuelDraw);
                continue;
            }
            if (area < 0) area = il.DeclareLocal(typeof(DrawArea));
            foreach ((bool isArg, int index, _, FieldInfo place) in kept)
            {
                at = il.LdlocaAt(at, area);
                at = isArg ? il.LdargAt(at, index) : il.LdlocAt(at, index);
                at = il.FieldAt(at, OpCodes.Stfld, place);
            }
            at = il.CallAt(il.LdlocaAt(il.LdlocAt(at, fuel), area), Members.FuelDrawAside);
            foreach ((bool isArg, int index, _, FieldInfo place) in kept)
            {
                at = il.FieldAt(il.LdlocaAt(at, area), OpCodes.Ldfld, place);
                at = isArg ? il.StargAt(at, index) : il.StlocAt(at, index);
            }
            at = il.FieldAt(context.LoadInstanceAt(at), OpCodes.Ldfld, Members.InstanceFuel);
            il.StlocAt(at, fuel);
        }
    }

    /// <summary>Functions with more instructions put nothing aside.</summary>
    private const int MostInstructions = 9_000;

    /// <summary>The variables that a loop reads before it writes them, as far as there is room for them; those that it uses most.</summary>
    private List<(bool IsArg, int Index, Type Type, FieldInfo Place)> VariablesOf(Charge loop, ref int read)
    {
        var uses = new Dictionary<(bool IsArg, int Index), int>();
        int end = il.After(loop.Last), count = 0;
        for (int node = il.After(loop.Before); node != end; node = il.After(node))
        {
            read++;
            if (++count > MostOfLoop) return [];
            ref readonly IlBuffer.Node one = ref il[node];
            if (one.Form is not (IlBuffer.Form.Local or IlBuffer.Form.Arg)) continue;
            var variable = (one.Form == IlBuffer.Form.Arg, (int)one.Number);
            bool reads = one.Code == OpCodes.Ldloc || one.Code == OpCodes.Ldarg, writes = one.Code == OpCodes.Stloc || one.Code == OpCodes.Starg;
            const int never = int.MinValue / 2;
            if (!uses.TryGetValue(variable, out int known)) uses[variable] = reads ? 1 : never;
            else uses[variable] = reads || writes ? known + 1 : never;
        }
        var kept = new List<(bool, int, Type, FieldInfo)>();
        var numbers = new Dictionary<Type, int>();
        foreach (((bool isArg, int index), _) in uses.Where(u => u.Value > 0).OrderByDescending(u => u.Value))
        {
            if (!isArg && (index == fuel || index == left)) continue;
            Type? type = !isArg ? il.Locals[index] : index == 0 ? null : context.Signature.Parameters[index];
            if (type is null) continue;
            int number = numbers.GetValueOrDefault(type);
            if (Members.DrawPlace(type, number) is not { } place) continue;
            numbers[type] = number + 1;
            kept.Add((isArg, index, type, place));
        }
        return kept;
    }

    /// <summary>Emits the beginning of a function. It depends on everything that came after.</summary>
    /// <param name="at">Where.</param>
    /// <param name="isPaid">Whether the function goes on with a loop that has been entered, and paid for, before.</param>
    internal int EmitEntryChecksAt(int at, bool isPaid)
    {
        // Large functions always get the check: Prologue.IsOnlyACall recognises by its branch that RyuJIT has inlined the outlined body.
        bool stops = polls is not null && (context.HasTailCalls || polls.LooksWhenEntered);
        stops |= Outliner.ExceedsLimits(il, context.Signature.Parameters.Length);
        int poll = polls?.Mark ?? -1;
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
        KeepWhatIsLeft();
        Charge entry = open[0];
        at = ChargeAt(at, entry, isEntry: true);
        if (goesOn) il.CallAt(il.LdlocAt(entry.BelowZero, fuel), Members.FuelDraw);
        il.Repatch(entry.Number, isPaid ? 0 : (int)Math.Min(entry.Units + EntryCost, int.MaxValue));
        return at;
    }

    /// <summary>
    /// Takes units from the fuel: <c>if ((fuel.Left -= n) &lt; 0) trap</c>, or ask for more, which traps if there is none. n is put in later.
    /// </summary>
    private int ChargeAt(int at, Charge charge, bool isEntry = false)
    {
        if (fuel < 0) (fuel, left) = (il.DeclareLocal(typeof(Fuel)), il.DeclareLocal(typeof(long)));
        int ok = il.DefineLabel();
        if (isEntry) at = il.StlocAt(il.FieldAt(context.LoadInstanceAt(at), OpCodes.Ldfld, Members.InstanceFuel), fuel);
        at = il.LdlocAt(at, fuel);
        int read = at = il.LdlocAt(at, fuel);
        charge.Read = (read, at = il.FieldAt(at, OpCodes.Ldfld, Members.FuelLeft));
        charge.Number = at = il.LdcI4At(at, 0);
        at = il.EmitAt(at, OpCodes.Conv_I8);
        at = il.EmitAt(at, OpCodes.Sub);
        at = il.EmitAt(at, OpCodes.Dup);
        at = il.StlocAt(at, left);
        at = il.FieldAt(at, OpCodes.Stfld, Members.FuelLeft);
        at = il.LdlocAt(at, left);
        at = il.LdcI8At(at, 0);
        at = il.BranchAt(at, OpCodes.Bge, ok);
        if (goesOn) charge.BelowZero = at;
        else at = il.CallAt(at, Members.FuelExhausted);
        return il.MarkAt(at, ok);
    }
}
