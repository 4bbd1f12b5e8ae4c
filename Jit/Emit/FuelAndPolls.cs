using System.Reflection;
using System.Reflection.Emit;
using WasmJit.Jit.Binary;
using WasmJit.Jit.Calls;
using WasmJit.Jit.Format;
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

        /// <summary>The charge that pays for this one too, because nothing happens between the two; null if this one has code.</summary>
        internal Charge? Payer { get; init; }

        /// <summary>The instruction with the units.</summary>
        internal int Number { get; set; }

        /// <summary>The instructions that store what is left: the object, the copy of the number, the store.</summary>
        internal (int Fuel, int Copy, int Field) Store { get; set; }

        /// <summary>The position for code that runs if the fuel is below zero.</summary>
        internal int BelowZero { get; set; } = -1;

        /// <summary>For a loop its last instruction.</summary>
        internal int Last { get; set; } = -1;

        /// <summary>The two instructions that read what is left from the fuel.</summary>
        internal (int Fuel, int Field) Read { get; set; }

        /// <summary>For a loop the position in front of its head, where control comes from outside alone.</summary>
        internal int Before { get; set; }

        /// <summary><see cref="EmitterContext.OtherCode"/> here.</summary>
        internal int OtherCode { get; set; }

        /// <summary>For a loop whether it runs other code, which may take from the fuel or add to it.</summary>
        internal bool RunsOtherCode { get; set; }

        /// <summary><see cref="EmitterContext.Ends"/> here, and how many handlers have begun.</summary>
        internal int Ends { get; init; }

        internal int Handlers { get; init; }

        /// <summary>For a loop the charges and calls in it, itself included: the numbers of the first, and behind the last.</summary>
        internal (int First, int End) Inside { get; set; }

        internal (int First, int End) Calls { get; set; }

        /// <summary>For a loop whether what is left is read behind the calls in it, and not by each charge.</summary>
        internal bool ReadsBehindCalls { get; set; }

        /// <summary>For a loop the number of its block, counted from the function's.</summary>
        internal int Frame { get; init; } = -1;

        /// <summary>The outermost block to whose label code in it branches.</summary>
        internal int Outermost { get; set; } = int.MaxValue;

        /// <summary>For a loop where it stops the guest, if it has a poll.</summary>
        internal int Stop { get; set; } = -1;

        /// <summary>For a loop whether it is left at its end alone, and nothing in it looks at what is left of the fuel.</summary>
        internal bool IsQuiet { get; set; }

        /// <summary>For a loop the outermost quiet one around it, or itself.</summary>
        internal Charge? Quiet { get; set; }
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

    /// <summary>
    /// The innermost charge if nothing has been emitted behind it that a guest's end there would show, and no branch or label; otherwise null. So a charge that comes now can be paid with it.
    /// </summary>
    private Charge? fresh;

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
        if (target.CountsFuel)
        {
            open[^1].Units += units;
            NoteEffects(instr);
        }
        polls?.Count(instr, units);
    }

    private int handlers;

    /// <summary>Notes what an instruction may do besides computing.</summary>
    private void NoteEffects(in Instr instr)
    {
        if (instr.Op.Has(OpTraits.Handles)) handlers++;
        switch (instr.Id)
        {
            case OpId.Nop or OpId.Block or OpId.Drop or OpId.Select or OpId.SelectT or OpId.I8x16Shuffle:
            case OpId.LocalGet or OpId.LocalSet or OpId.LocalTee or OpId.GlobalGet:
            case OpId.I32Const or OpId.I64Const or OpId.F32Const or OpId.F64Const or OpId.V128Const:
            // Calls say for themselves what they run.
            case OpId.Call:
            case OpId.Plain when IsPure(instr.Op):
                return;
            case OpId.Loop or OpId.If or OpId.Else or OpId.End or OpId.GlobalSet:
                break;
            case OpId.Br or OpId.BrIf:
                NoteBranch(control.Depth - 1 - (int)instr.A);
                break;
            case OpId.Return:
                NoteBranch(context.Current.FrameBase);
                break;
            // The emitter of memory accesses knows which are inside.
            case OpId.Plain when instr.Op.Prefix is not (OperatorPrefix.Vector or OperatorPrefix.Atomic) && instr.Op.Has(OpTraits.ReadsMemory | OpTraits.WritesMemory):
                break;
            default:
                context.NoteEnd();
                break;
        }
        fresh = null;
    }

    /// <summary>Whether an operator computes, and does not trap.</summary>
    private static bool IsPure(Operator op)
    {
        const OpTraits memory = OpTraits.ReadsMemory | OpTraits.WritesMemory | OpTraits.Atomic;
        if ((op.Traits & memory) != 0 || op.Prefix == OperatorPrefix.Atomic) return false;
        if (op.Prefix == OperatorPrefix.Vector) return true;
        if (op.Operation is Operation.Div or Operation.Rem) return op.Results[0] == ValType.F32 || op.Results[0] == ValType.F64;
        return op.Operation != Operation.None || Emission.Of(op).Kind == Emission.EmissionKind.Il;
    }

    private void NoteBranch(int frame) => open[^1].Outermost = Math.Min(open[^1].Outermost, frame);

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
        Charge loop = Begin(1, control.Depth - 1);
        loop.Loop = loop;
        loop.Before = before;
        return polled;
    }

    /// <summary>The end of a loop: what an iteration costs is known.</summary>
    internal void LoopEnd()
    {
        int stop = polls?.Leave() ?? -1;
        if (!target.CountsFuel) return;
        Charge loop = open[^1];
        loop.RunsOtherCode = context.OtherCode > loop.OtherCode;
        loop.Last = il.Tail;
        loop.Stop = stop;
        loop.Inside = (loop.Inside.First, charges.Count);
        loop.Calls = (loop.Calls.First, context.Calls.Count);
        int calls = loop.Calls.End - loop.Calls.First;
        // Behind a handler it would not be known.
        loop.ReadsBehindCalls = calls > 0 && context.OtherCode - loop.OtherCode == calls && handlers == loop.Handlers && loop.Inside.End - loop.Inside.First > calls;
        loop.IsQuiet = !loop.RunsOtherCode && context.Ends == loop.Ends && loop.Outermost >= loop.Frame && control.Top is { Unreachable: false, End.Length: 0 };
        End(0);
    }

    /// <summary>The beginning of a function that is put into this one. It costs what it costs alone.</summary>
    internal void BeginInlined()
    {
        if (!target.CountsFuel) return;
        if (fresh is { } payer && payer == open[^1] && payer.OtherCode == context.OtherCode && !goesOn)
        {
            open.Add(new Charge(payer.Loop) { Payer = payer });
            // One alone: where too little is left, it must be known whether the payer's own units could be paid.
            fresh = null;
            return;
        }
        Begin(0);
    }

    /// <summary>The end of such a function.</summary>
    internal void EndInlined()
    {
        polls?.CountEntry(EntryCost);
        if (target.CountsFuel) End(EntryCost);
    }

    private Charge Begin(int units, int frame = -1)
    {
        var charge = new Charge(open[^1].Loop)
        {
            Units = units,
            OtherCode = context.OtherCode,
            Ends = context.Ends,
            Handlers = handlers,
            Frame = frame,
            Inside = (charges.Count, charges.Count),
            Calls = (context.Calls.Count, context.Calls.Count),
        };
        ChargeAt(il.Tail, charge);
        charges.Add(charge);
        open.Add(charge);
        return fresh = charge;
    }

    private void End(long units)
    {
        Charge charge = open[^1];
        open.RemoveAt(open.Count - 1);
        NoteBranch(charge.Outermost);
        fresh = null;
        int all = (int)Math.Min(charge.Units + units, int.MaxValue);
        if (charge.Payer is not { } payer)
        {
            il.Repatch(charge.Number, all);
            return;
        }
        payer.Units += all;
        if (payer == open[0]) entryAlsoPays = all;
        else GiveBackAt(payer.BelowZero, all);
    }

    /// <summary>What the charge of the function's entry pays for besides the function; 0 if nothing.</summary>
    private int entryAlsoPays;

    /// <summary>Where the fuel is below zero: the guest ends where it would if what begins behind were paid for there. So units are given back that would not have been taken.</summary>
    private void GiveBackAt(int at, int units) => il.CallAt(il.LdcI4At(il.LdlocAt(at, fuel), units), Members.FuelGiveBack);

    /// <summary>
    /// What is left of the fuel is in a local as long as no other code runs: charges then store it, and do not load it again. A loop without other code has it
    /// loaded before, once for all loops in it; so has one with fewer calls than charges, and behind each call again.
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
            if (charge == charge.Loop)
            {
                charge.Quiet = charge.OuterLoop?.Quiet ?? (charge.IsQuiet ? charge : null);
                if (charge.OuterLoop is { ReadsBehindCalls: true }) charge.ReadsBehindCalls = true;
                else if (charge.ReadsBehindCalls) for (int i = charge.Calls.First; i < charge.Calls.End; i++) ReadLeftAt(context.Calls[i]);
            }
            bool isKnown = charge.Loop is { } loop ? loop.ReadsBehindCalls || !loop.RunsOtherCode : charge.OtherCode == 0;
            if (!isKnown) continue;
            il.Repatch(charge.Read.Fuel, left);
            il.Replace(charge.Read.Field, OpCodes.Nop);
            if (charge.Loop?.Quiet is { } quiet) StoreBehind(quiet, charge);
            else assertions.LeftAt(charge.Read.Field, fuel);
            if (charge != charge.Loop || charge.OuterLoop is { RunsOtherCode: false } or { ReadsBehindCalls: true } || (charge.OuterLoop is null && charge.OtherCode == 0)) continue;
            ReadLeftAt(charge.Before);
        }
    }

    private void ReadLeftAt(int at) => il.StlocAt(il.FieldAt(il.LdlocAt(at, fuel), OpCodes.Ldfld, Members.FuelLeft), left);

    /// <summary>
    /// Nothing in a quiet loop looks at the fuel itself: what is left is stored where the loop ends, or where the guest does. For a processor that has a store in each iteration two take twice as long.
    /// </summary>
    private void StoreBehind(Charge loop, Charge charge)
    {
        il.Replace(charge.Store.Fuel, OpCodes.Nop);
        il.Replace(charge.Store.Copy, OpCodes.Nop);
        il.Replace(charge.Store.Field, OpCodes.Nop);
        StoreLeftAt(charge.BelowZero);
        if (charge.Stop >= 0) StoreLeftAt(charge.Stop);
        if (charge != loop) return;
        int at = loop.Last;
        if (assertions.Before(loop.Before, left) is >= 0 and var before)
        {
            beforeLoops.Add(before);
            at = assertions.StillLeftAt(at, before, fuel);
        }
        StoreLeftAt(at);
    }

    /// <summary>In the verifying mode the locals with what was left in front of quiet loops.</summary>
    private readonly List<int> beforeLoops = [];

    private void StoreLeftAt(int at) => il.FieldAt(il.LdlocAt(il.LdlocAt(at, fuel), left), OpCodes.Stfld, Members.FuelLeft);

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
        // What it inserts at the beginning goes behind what is emitted here.
        if (target.CountsFuel) KeepWhatIsLeft();
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
        Charge entry = open[0];
        at = ChargeAt(at, entry, isEntry: true);
        if (goesOn) il.CallAt(il.LdlocAt(entry.BelowZero, fuel), Members.FuelDraw);
        if (entryAlsoPays > 0) GiveBackAt(entry.BelowZero, entryAlsoPays);
        // Code that begins at a loop is at none's beginning.
        if (isPaid) foreach (int before in beforeLoops) at = il.StlocAt(il.LdlocAt(at, left), before);
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
        int tank = at = il.LdlocAt(at, fuel);
        int read = at = il.LdlocAt(at, fuel);
        charge.Read = (read, at = il.FieldAt(at, OpCodes.Ldfld, Members.FuelLeft));
        charge.Number = at = il.LdcI4At(at, 0);
        at = il.EmitAt(at, OpCodes.Conv_I8);
        at = il.EmitAt(at, OpCodes.Sub);
        int copy = at = il.EmitAt(at, OpCodes.Dup);
        at = il.StlocAt(at, left);
        at = il.FieldAt(at, OpCodes.Stfld, Members.FuelLeft);
        charge.Store = (tank, copy, at);
        at = il.LdlocAt(at, left);
        at = il.LdcI8At(at, 0);
        at = il.BranchAt(at, OpCodes.Bge, ok);
        charge.BelowZero = at;
        if (!goesOn) at = il.CallAt(at, Members.FuelExhausted);
        return il.MarkAt(at, ok);
    }
}
