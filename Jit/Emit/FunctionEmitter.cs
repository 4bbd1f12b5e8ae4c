using System.Reflection.Emit;
using WasmJit.Jit.Binary;
using WasmJit.Jit.Calls;
using WasmJit.Jit.Format;
using WasmJit.Jit.Il;
using WasmJit.Jit.Operators;
using WasmJit.Runtime;

namespace WasmJit.Jit.Emit;

/// <summary>
/// Emits the IL of one validated function: <c>static R f(Instance, args...)</c>. One pass over the code; what is unreachable
/// is skipped, and short loops that poll are gone through several times. It goes through the operators and gives each to the emitter of its group; what they share is in <see cref="EmitterContext"/>.
/// </summary>
internal sealed class FunctionEmitter
{
    private readonly ICodeTarget target;
    private readonly EmitterContext context;
    private readonly IlBuffer il;
    private readonly OperandStack stack;
    private readonly ControlStack control;
    private readonly Branches branches;
    private readonly Assertions assertions;
    private readonly Rotations rotations;
    private readonly FloatFolding floats;
    private readonly LoadedValues loadedValues;
    private readonly HiddenZeros zeros;
    private readonly FuelAndPolls limits;
    private readonly OperandCharges charges;
    private readonly LocalBases bases;
    private readonly MemoryEmitter memory;
    private readonly ResumePoint resume;
    private readonly ExceptionEmitter exceptions;
    private readonly ControlEmitter flow;
    private readonly CallEmitter calls;
    private readonly VariableEmitter variables;

    // Most functions need none of these.
    private BulkEmitter? bulk;
    private ReferenceEmitter? references;
    private GcEmitter? gc;
    private CastEmitter? casts;
    private VectorEmitter? vectors;
    private ShuffleEmitter? shuffles;
    private AtomicEmitter? atomics;
    private LinkingEmitter? linking;

    private readonly int prologue;

    /// <summary>How many blocks are open in code that is skipped.</summary>
    private int skipped;

    /// <summary>Counts operators, to ask now and then whether a guest that waits for the function is to stop.</summary>
    private uint polls;

    private FunctionEmitter(ModuleInfo module, int index, ICodeTarget target, int loop, nint next)
    {
        this.target = target;
        context = new EmitterContext(module, index, target);
        il = context.Il;
        stack = context.Stack;
        control = new ControlStack(il, stack);
        prologue = il.Emit(OpCodes.Nop);
        DeclareLocals();
        floats = new FloatFolding(il, stack);
        loadedValues = new LoadedValues(context);
        rotations = new Rotations(il, stack, context.Places);
        assertions = new Assertions(context, control);
        zeros = new HiddenZeros(context, control);
        limits = new FuelAndPolls(context, control, assertions);
        charges = new OperandCharges(context);
        bases = new LocalBases(context, assertions);
        memory = new MemoryEmitter(context, bases, rotations, assertions);
        resume = new ResumePoint(context, loop, next);
        branches = new Branches(context, control);
        exceptions = new ExceptionEmitter(context, control, branches, new PayloadEmitter(context, floats));
        flow = new ControlEmitter(context, control, branches, exceptions, limits, loadedValues, rotations, assertions, resume);
        calls = new CallEmitter(context, control, branches, new Inliner(context, control, branches, rotations, limits, EmitBody), assertions);
        variables = new VariableEmitter(context, rotations, zeros, bases);
    }

    /// <summary>Emits a function.</summary>
    /// <param name="module">The module.</param>
    /// <param name="index">The function's index.</param>
    /// <param name="target">What the code is for.</param>
    /// <param name="loop">The offset of a loop at whose head the function begins, see <see cref="ResumePoint"/>; -1 for its own beginning.</param>
    /// <param name="notesOrigins">Whether instructions of inlined functions are told apart.</param>
    /// <param name="next">Where the address of better code that begins at the loop will be; 0 for none.</param>
    internal static IlBuffer Emit(ModuleInfo module, int index, ICodeTarget target, int loop = -1, bool notesOrigins = false, nint next = 0)
    {
        var emitter = new FunctionEmitter(module, index, target, loop, next);
        if (notesOrigins) emitter.il.Origins = [];
        return emitter.Run();
    }

    private void DeclareLocals()
    {
        FuncInfo func = context.Func;
        var locals = new Operand[func.Func.Params.Length + func.Locals.Sum(run => run.Count)];
        int next = 0;
        foreach (ValType type in func.Func.Params) locals[next] = context.Places.Declare(type, (true, ++next));
        foreach (LocalRun run in func.Locals)
            for (int i = 0; i < run.Count; i++)
                locals[next++] = context.Places.Declare(run.Type, (false, il.DeclareLocal(Signature.ClrType(run.Type))));
        context.Root.Locals = locals;
    }

    private IlBuffer Run()
    {
        control.Push(OpId.Block, [], context.Func.Func.Results);
        EmitBody();
        flow.EndFunction();
        stack.EndOperator();
        il.Source = 0;
        calls.EmitDeferred();
        exceptions.EmitRethrow();
        EmitPrologue();
        Dispatches.Repeat(il, memory.UncheckedLoads, context.Signature.Parameters.Length, context.Func.BodyEnd - context.Func.BodyStart, target.Verifies);
        LoadGuards.Insert(il, memory.UncheckedLoads);
        il.DropUnusedLocals();
        return il;
    }

    /// <summary>Emits the operators of the current activation's function up to its last <c>end</c>, which is begun.</summary>
    private void EmitBody()
    {
        Activation activation = context.Current;
        bool isRoot = activation.Caller is null;
        int call = isRoot || il.Origins is null ? -1 : il.Origins.Count - 1;
        IlBuffer.Origin outer = call < 0 ? new IlBuffer.Origin(0, -1, -1) : il.Origins![call];
        // What is behind an inlined function belongs to its caller again, which is the function itself if its last origin says so.
        if (outer.Offset < 0) call = -1;
        var code = new CodeReader(activation.Module.Bytes.Span, activation.Func.CodeStart, activation.Func.BodyEnd);
        while (true)
        {
            // An operator may become thousands of instructions, where it moves many values.
            if ((++polls & 0x1f) == 0) CancellationScope.ThrowIfStopped();
            code.Read(out Instr instr);
            if (isRoot)
            {
                il.Source = instr.Offset;
            }
            else
            {
                il.BeginOrigin(instr.Offset, call);
            }
            if (limits.Counts) limits.CountInstruction(instr);
            if (target.Verifies) assertions.Begin(instr);
            activation.Proven.Position = instr.Offset;
            if (code.AtEnd)
            {
                if (!isRoot) il.BeginOrigin(outer.Offset, outer.Caller);
                return;
            }
            if (control.Top.Unreachable) Skip(instr);
            else Emit(ref code, ref instr);
            stack.EndOperator();
            if (!target.Verifies) continue;
            activation.Proven.Position = code.Position;
            assertions.End(instr);
        }
    }

    /// <summary>Follows the nesting of unreachable code to the end or else that belongs to the frame.</summary>
    private void Skip(in Instr instr)
    {
        if (instr.Op.Has(OpTraits.Opens))
        {
            skipped++;
            return;
        }
        if (skipped > 0)
        {
            if (instr.Op.Has(OpTraits.Closes)) skipped--;
            return;
        }
        switch (instr.Id)
        {
            case OpId.End: flow.End(); break;
            case OpId.Else: flow.Else(); break;
            case OpId.Catch or OpId.CatchAll: exceptions.Catch(instr); break;
            case OpId.Delegate: exceptions.Delegate(instr.A); break;
        }
    }

    /// <summary>The code before all other code is emitted last, since it depends on the rest.</summary>
    private void EmitPrologue()
    {
        int at = limits.EmitEntryChecksAt(prologue, isPaid: resume.IsLoop);
        at = zeros.EmitAt(at);
        if (resume.IsLoop) at = resume.LoadAt(at);
        at = bases.EmitAt(at, resume.IsLoop);
        at = context.FinishUseAt(at);
        if (resume.IsLoop) resume.GoAt(at);
    }

    private void Emit(ref CodeReader code, ref Instr instr)
    {
        Operator op = instr.Op;
        if (op.Id == OpId.Plain)
        {
            EmitPlain(instr, Emission.Of(op));
            return;
        }
        switch (op.Id)
        {
            case OpId.Nop: break;
            case OpId.Unreachable: flow.EmitUnreachable(instr.Offset); break;
            case OpId.Block or OpId.Loop or OpId.If:
                flow.BeginBlock(op.Id, ref code, instr);
                break;
            case OpId.Else: flow.Else(); break;
            case OpId.End: flow.End(); break;
            case OpId.Br: flow.Br(instr.A); break;
            case OpId.BrIf:
                if (!flow.TryRepeat(instr.A, ref code)) flow.BrIf(instr.A);
                break;
            case OpId.BrTable: flow.BrTable(ref code, instr); break;
            case OpId.Return: flow.Return(); break;
            case OpId.BrOnNull or OpId.BrOnNonNull: flow.BrOnNull(instr.A, op.Id == OpId.BrOnNonNull); break;
            case OpId.Call or OpId.ReturnCall: calls.Call((int)instr.A, op.Id == OpId.ReturnCall); break;
            case OpId.CallIndirect or OpId.ReturnCallIndirect:
                calls.CallIndirect(instr, type: instr.A, table: instr.B, op.Id == OpId.ReturnCallIndirect);
                break;
            case OpId.CallRef or OpId.ReturnCallRef: calls.CallRef(instr.A, op.Id == OpId.ReturnCallRef); break;
            case OpId.Drop: loadedValues.Drop(); break;
            case OpId.Select or OpId.SelectT: flow.Select(); break;
            case OpId.LocalGet: variables.LocalGet(instr.A); break;
            case OpId.LocalSet: variables.LocalSet(instr.A); break;
            case OpId.LocalTee: variables.LocalTee(instr.A); break;
            case OpId.GlobalGet: variables.GlobalGet((int)instr.A); break;
            case OpId.GlobalSet: variables.GlobalSet((int)instr.A); break;
            case OpId.I32Const: stack.PushConst(ValType.I32, instr.Bits); break;
            case OpId.I64Const: stack.PushConst(ValType.I64, instr.Bits); break;
            case OpId.F32Const: stack.PushConst(ValType.F32, instr.Bits); break;
            case OpId.F64Const: stack.PushConst(ValType.F64, instr.Bits); break;
            case OpId.V128Const: stack.PushVector(instr.Bits, instr.High); break;
            case OpId.I8x16Shuffle: (shuffles ??= new ShuffleEmitter(context, loadedValues)).Emit(instr.Bits, instr.High); break;
            default:
                int grown = target.CountsFuel ? charges.Charge(instr) : -1;
                if (op.RunsOtherCode) context.NoteOtherCode();
                if (!EmitGroup(ref code, instr)) throw new InvalidOperationException($"The emitter has no case for {op.Mnemonic}.");
                if (grown >= 0) charges.ChargeGrowth(instr, grown);
                break;
        }
    }

    private BulkEmitter Bulk => bulk ??= new BulkEmitter(context, calls);

    private ReferenceEmitter References => references ??= new ReferenceEmitter(context);

    private GcEmitter Gc => gc ??= new GcEmitter(context, assertions);

    private AtomicEmitter Atomics => atomics ??= new AtomicEmitter(context, memory);

    private LinkingEmitter Linking => linking ??= new LinkingEmitter(context, calls);

    /// <summary>The groups with an emitter of their own. All operators of the others have a case above.</summary>
    private bool EmitGroup(ref CodeReader code, in Instr instr) => instr.Op.Group switch
    {
        OpGroup.Plain or OpGroup.Control or OpGroup.Calls or OpGroup.Variables or OpGroup.Constants or OpGroup.Shuffle => false,
        OpGroup.References => References.TryEmit(instr),
        OpGroup.Bulk or OpGroup.MemoryReferences or OpGroup.TableReferences => Bulk.TryEmit(instr),
        OpGroup.WideArithmetic => EmitWide(instr),
        OpGroup.Exceptions => exceptions.TryEmit(ref code, instr),
        OpGroup.Gc => Gc.TryEmit(instr),
        OpGroup.Casts => (casts ??= new CastEmitter(context, control, branches, assertions)).TryEmit(instr),
        OpGroup.Waits => Atomics.TryEmit(instr),
        OpGroup.Linking => Linking.TryEmit(instr),
        OpGroup.Modules => Linking.TryEmitModules(instr),
        OpGroup.GlobalReferences => variables.TryEmitReferences(instr),
        OpGroup.Slices => References.TryEmitSlices(instr),
    };

    // ---- plain operators ----

    private void EmitPlain(in Instr instr, Emission emission)
    {
        Operator op = instr.Op;
        if (op.Prefix == OperatorPrefix.Vector)
        {
            (vectors ??= new VectorEmitter(context, memory, loadedValues, floats)).Emit(instr, emission);
            return;
        }
        if (op.Prefix == OperatorPrefix.Atomic)
        {
            Atomics.Emit(instr, emission);
            return;
        }
        switch (emission.Kind)
        {
            case Emission.EmissionKind.Load: memory.Load(instr, emission); return;
            case Emission.EmissionKind.Store: memory.Store(instr, emission); return;
        }
        if (floats.TryEmitNeutral(op)) return;
        loadedValues.GuardNarrowing(op);
        bool demotesPromoted = op.Operation == Operation.Demote && (stack[0].IsPromoted || stack[0].Kind != OperandKind.Stack);
        bool mayBeKnown = floats.HideFromFolding(op, out bool isQuiet);
        rotations.BeforeOperator(op);
        ValueRange range = context.Known.RangeOfResult(op);
        OperandTest test = context.Known.TestOfResult(op);
        OperandSum sum = context.Known.SumOfResult(op);
        IndexParts parts = default;
        bool isOneBit = false;
        if (op.Params.Length == 2 && op.Params[0] == ValType.I32)
        {
            parts = IndexParts.Of(op, stack[1], context.Known.RangeOf(stack[1]), stack[0]);
            isOneBit = op.Operation == Operation.And && stack[0].Kind == OperandKind.Const && uint.IsPow2((uint)stack[0].Bits);
        }
        int tail = il.Tail, start = stack.Take(op.Params.Length, out int treeDepth, out bool hasLoad);
        if (target.Verifies && Rotations.IsComparison(op)) assertions.EmitComparison(op, emission);
        else if (emission.Kind == Emission.EmissionKind.Il) emission.WriteSteps(il, 0);
        else if (op.Operation == Operation.Reinterpret && FloatFolding.IsFloat(op.Results[0])) floats.EmitFloatOfBits(is64: op.Results[0].Kind == ValKind.F64);
        else if (Rotations.IsRotation(op)) rotations.Emit(emission.Method!);
        else il.Call(emission.Method!);
        int last = il.Tail;
        if (demotesPromoted) il.Call(Members.Float(nameof(Floats.Quiet32)));
        if (op.Results.Length == 1)
        {
            stack.PushStack(op.Results[0], start, treeDepth, hasLoad, mayBeKnown: mayBeKnown);
            stack[0].IsQuiet = isQuiet;
            stack[0].Range = range;
            stack[0].Test = test;
            stack[0].Sum = sum;
            if (stack[0].Kind == OperandKind.Stack)
            {
                stack[0].IsOneBit = isOneBit;
                if (isOneBit) stack[0].Bit = il.After(il.Before(tail, emission.Steps.Length + 1));
                // The constant stands between the first operand and the operator.
                if (parts != default) stack[0].Parts = parts.At(il.Before(tail, emission.Steps.Length + 1));
            }
        }
        if (op.Operation == Operation.Promote) stack[0].IsPromoted = true;
        if (Rotations.IsRotation(op) && stack[0].Kind == OperandKind.Stack) stack[0].Rotation = last;
    }

    private bool EmitWide(in Instr instr) => instr.Id switch
    {
        OpId.I64Add128 => EmitWide(4, nameof(Integers.Add128)),
        OpId.I64Sub128 => EmitWide(4, nameof(Integers.Sub128)),
        OpId.I64MulWideS => EmitWide(2, nameof(Integers.MulWideS)),
        OpId.I64MulWideU => EmitWide(2, nameof(Integers.MulWideU)),
        _ => false,
    };

    private bool EmitWide(int operands, string helper)
    {
        stack.Take(operands);
        il.Call(Members.Integer(helper));
        calls.PushTuple([ValType.I64, ValType.I64], typeof((long, long)));
        return true;
    }
}
