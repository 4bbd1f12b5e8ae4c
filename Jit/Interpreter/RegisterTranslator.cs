using System.Collections.Immutable;
using WasmJit.Jit.Binary;
using WasmJit.Jit.Operators;
using WasmJit.Runtime;

namespace WasmJit.Jit.Interpreter;

/// <summary>
/// Translates a validated function into register code, in one pass. <see cref="RegisterStack"/> knows where locals and operands are,
/// <see cref="RegisterBuffer"/> has the instructions; what is here are the open blocks and the operators.
/// </summary>
internal sealed unsafe partial class RegisterTranslator
{
    /// <summary>An open block.</summary>
    internal struct Frame
    {
        internal OpId Kind;
        internal ImmutableArray<ValType> Start;
        internal ImmutableArray<ValType> End;

        /// <summary>Labels: of the block, and of the else branch (-1 if there is none).</summary>
        internal int Label, ElseLabel;

        /// <summary>The operands below the block, the homes of the first above, and how many locals had first been written in open blocks.</summary>
        internal int Height, Slots, Refs, Written;
        internal bool IsTargeted, Unreachable;

        /// <summary>For a block that handles exceptions.</summary>
        internal TryBlock? Try;
    }

    private readonly ModuleInfo module;
    private readonly FuncInfo func;
    private readonly IRegisterTarget target;

    /// <summary>What the target says, for each operator.</summary>
    private readonly bool countsFuel, checksFirstMemory, takesAll;

    /// <summary>The operands that the function's results are.</summary>
    private readonly ImmutableArray<ValType> results;
    private readonly RegisterBuffer code;
    private readonly RegisterStack stack;
    private readonly NumberTranslator numbers;
    private LinkingTranslator? linking;
    private BulkTranslator? bulk;
    private GcTranslator? objects;
    private VectorTranslator? vectors;
    private ExceptionTranslator? handlers;
    private readonly TranslationRoom room;
    private Frame[] frames;
    private int depth;

    /// <summary>The function that was called last: many are called again at once.</summary>
    private int lastCallee = -1;
    private FuncType? calleeType;

    /// <summary>How many numbers it takes and gives; -1 where that is not all, or not by <see cref="RegisterOp.Call"/>.</summary>
    private int calleeParams, calleeResults = -1;
    private FunctionState* calleeState;

    /// <summary>How many blocks are open in code that is never reached.</summary>
    private int skipped;

    /// <summary>The work between two polls (whether the guest is to stop): well below a millisecond.</summary>
    private const int WorkUntilPoll = 1 << 16;

    private long nextPoll = WorkUntilPoll, instructions;

    /// <summary>For each open loop the units that are charged at its head, and where; the first entry is the function.</summary>
    private readonly List<(int At, long Units)> charges = new(1);

    internal RegisterTranslator(ModuleInfo module, int index, IRegisterTarget target, TranslationRoom room, int? spillsBeyond, List<int>? sources = null)
    {
        this.room = room;
        frames = room.Frames;
        this.module = module;
        this.target = target;
        countsFuel = target.CountsFuel;
        checksFirstMemory = module.Memories.Count > 0 && target.NeedsChecks(module.Memories[0]);
        func = module.Funcs[index];
        code = new RegisterBuffer(func.BodyEnd - func.CodeStart, room) { Sources = sources };
        takesAll = target.TakesAll;
        stack = new RegisterStack(code, func, room, spillsBeyond, takesAll);
        numbers = new NumberTranslator(this, stack, code, func.BodyEnd, module.Memories.Count > 0 && !checksFirstMemory && !module.Memories[0].Is64);
        results = stack.Operands(func.Func.Results);
    }

    /// <summary>What translates the runtime-linking extension, which few functions use.</summary>
    internal LinkingTranslator Linking => linking ??= new LinkingTranslator(this, module, stack, code, target);

    private GcTranslator Objects => objects ??= new GcTranslator(this, module, stack, code);

    private BulkTranslator Bulk => bulk ??= new BulkTranslator(this, module, stack, code, countsFuel);

    /// <summary>Few functions have vectors or atomic operators, and few handle exceptions.</summary>
    private VectorTranslator Vectors => vectors ??= new VectorTranslator(this, module, stack, code);

    private ExceptionTranslator Handlers => handlers ??= new ExceptionTranslator(this, module, stack, code);

    /// <summary>Whether there are more slots than an instruction can name. All slots that instructions name are counted.</summary>
    private bool IsTooWide => stack.MaxSlots > ushort.MaxValue || stack.MaxRefs > ushort.MaxValue;

    /// <summary>Null if the function has too many operands for their slots.</summary>
    internal RegisterCode? Run()
    {
        PushFrame(OpId.Block, ValTypes.None, results);
        if (stack.Spills) code.Emit(RegisterOp.EnterSpills);
        if (countsFuel) charges.Add((code.Emit(RegisterOp.Charge), 0));
        ReadOnlySpan<byte> bytes = module.Bytes.Span;
        var reader = new CodeReader(bytes, func.CodeStart, func.BodyEnd);
        while (depth > 0)
        {
            if (instructions + stack.Work >= nextPoll)
            {
                if (IsTooWide) return null;
                PollIfDue();
            }
            if (!countsFuel && !stack.HasVectors && !frames[depth - 1].Unreachable)
            {
                int at = reader.Position;
                reader.Position = numbers.Translate(bytes, at);
                instructions += reader.Position - at;
                if (depth == 0) break;
            }
            reader.Read(out Instr instr);
            code.Source = instr.Offset;
            instructions++;
            if (frames[depth - 1].Unreachable)
            {
                Skip(instr);
                continue;
            }
            if (countsFuel) Count(instr);
            Translate(ref reader, instr);
        }
        // Results of calls and moves of results may need more than operands did.
        stack.Reserve(results);
        if (IsTooWide) return null;
        Instruction[] made = code.Finish();
        return new RegisterCode(made, code.Count, code.IsOwn, room, stack.MaxSlots, stack.MaxRefs, stack.Zeros.First, stack.Zeros.End, code.HandlersAt);
    }

    /// <summary>Whether the operator that follows can be reached, no operand is a vector, and no poll is due.</summary>
    /// <param name="more">How many instructions have not been counted.</param>
    internal bool GoesOn(int more) => depth > 0 && !frames[depth - 1].Unreachable && !stack.HasVectors && instructions + more + stack.Work < nextPoll;

    internal void PollIfDue()
    {
        if (instructions + stack.Work < nextPoll) return;
        nextPoll = instructions + stack.Work + WorkUntilPoll;
        CancellationScope.ThrowIfStopped();
    }

    private void Skip(in Instr instr)
    {
        if (instr.Op.Has(OpTraits.Opens)) skipped++;
        else if (skipped > 0 && instr.Op.Has(OpTraits.Closes)) skipped--;
        else if (skipped > 0) return;
        else if (instr.Id == OpId.End) End();
        else if (instr.Id == OpId.Else) Else();
        else if (instr.Id is OpId.Catch or OpId.CatchAll) Handlers.Catch(instr);
        else if (instr.Id == OpId.Delegate) Handlers.Delegate(instr.A);
    }

    // ---- fuel: as the emitter counts it ----

    private void Count(in Instr instr)
    {
        int values = FuelCosts.LabelOf(instr) is { } label ? RegisterStack.ValuesIn(LabelTypes(Label(label)))
            : FuelCosts.EndsPart(instr) ? RegisterStack.ValuesIn(frames[depth - 1].End) : 0;
        (int at, long units) = charges[^1];
        charges[^1] = (at, units + FuelCosts.Known(instr, module, func, values));
    }

    /// <summary>All that the innermost loop, or the function, is charged for is known.</summary>
    private void EndCharge(long more)
    {
        (int at, long units) = charges[^1];
        Instruction instruction = code[at];
        instruction.Imm = Math.Min(units + more, int.MaxValue);
        code[at] = instruction;
        charges.RemoveAt(charges.Count - 1);
    }

    /// <summary>Charges a bulk operator by its topmost operand.</summary>
    internal void ChargeTop(in Instr instr, bool is64)
    {
        if (!countsFuel) return;
        RegisterOp op = instr.Op.Cost.Unit switch
        {
            CostUnit.Bytes => RegisterOp.ChargeBytes,
            CostUnit.Items => RegisterOp.ChargeItems,
            CostUnit.Code => RegisterOp.ChargeCode,
            _ => throw new InvalidOperationException($"The price of {instr.Op.Mnemonic} does not depend on its topmost operand."),
        };
        stack.ToHomes(1);
        code.Emit(op, stack.Top().Home, c: is64 ? 1 : 0);
    }
}
