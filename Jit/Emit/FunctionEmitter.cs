using System.Collections.Immutable;
using System.Reflection.Emit;
using WasmJit.Runtime;

namespace WasmJit.Jit;

/// <summary>What differs between code for this process and code saved to a file: how constants and cells are reached.</summary>
internal interface ICodeTarget
{
    /// <summary>
    /// Pushes the address of the code of a function that is a module's own: of the module being compiled, or of one that is
    /// nested in it or in an enclosing module.
    /// </summary>
    void LoadCode(IlBuffer il, ModuleInfo module, int func);

    /// <summary>Pushes the address of the stack guard's map.</summary>
    int LoadStackMapAt(IlBuffer il, int after);

    /// <summary>Pushes the number of a type.</summary>
    void LoadTypeId(IlBuffer il, DefType type);

    /// <summary>Whether accesses of a memory are compared with its length in code.</summary>
    bool NeedsChecks(MemoryType memory);

    /// <summary>Whether <see cref="LoadStackMapAt"/> has a map to give.</summary>
    bool HasStackMap { get; }

    /// <summary>Whether loops look if they are to stop.</summary>
    bool IsInterruptible { get; }

    /// <summary>Whether functions and loops are charged to the instance's fuel.</summary>
    bool CountsFuel { get; }

    /// <summary>What exceptions take the short way with; null if the runtime throws them all.</summary>
    Unwinder? Unwinder { get; }

    /// <summary>Whether small functions are put into their callers.</summary>
    bool Inlines { get; }

    /// <summary>Whether what code relies on is asserted: the verifying mode (<see cref="EmitterAssertions"/>).</summary>
    bool Verifies { get; }
}

/// <summary>
/// Emits the IL of one validated function: <c>static R f(Instance, args...)</c>. One pass over the code; what is unreachable
/// is skipped.
/// </summary>
internal sealed partial class FunctionEmitter
{
    private struct Frame
    {
        internal OpId Kind;
        internal ImmutableArray<ValType> Start;
        internal ImmutableArray<ValType> End;
        internal int Label;
        internal int ElseLabel;
        internal int Height;
        internal bool IsTargeted;
        internal bool Unreachable;
        internal int[]? ParamTemps;
        internal int[]? ResultTemps;

        /// <summary>A number that no other frame has, nor another arm of the same.</summary>
        internal int Arm;

        /// <summary>How many protected regions the label is in.</summary>
        internal int Region;

        /// <summary>Of a try: where its handlers begin, and the temporary with the exception; of a catch the temporary alone.</summary>
        internal int Dispatch;
        internal int Exception;

        /// <summary>Of a try: the exception in its filter, and where the filter is, for clauses that come later.</summary>
        internal int Filtered;
        internal int FilterPlace;

        /// <summary>Of a try: what <see cref="Unwinder.AddRegion"/> gave.</summary>
        internal nint Cell;

        /// <summary>Of a <c>try_table</c>: its clauses. Those of a <c>try</c> come with its handlers.</summary>
        internal CatchClause[]? Clauses;
    }

    private readonly ICodeTarget target;
    private readonly IlBuffer il;
    private readonly OperandStack stack;
    private readonly Signature signature;
    private readonly int prologue;

    /// <summary>The function itself, or the one that is being put into it.</summary>
    private Activation current;
    private readonly Activation root;
    private Frame[] frames = new Frame[16];
    private int depth;
    private int skipped;
    private uint polls;
    private bool hasCalls;

    private FunctionEmitter(ModuleInfo module, int index, ICodeTarget target, int loop)
    {
        this.target = target;
        resumedLoop = loop;
        current = new Activation(module, index, new InstanceUse(-1), null, 0, 0);
        root = current;
        signature = Signature.Of(func.Type);
        il = target.Verifies ? new IlBuffer() : new IlBuffer(func.BodyEnd - func.BodyStart);
        stack = new OperandStack(il, place => places[place]);
        if (target.Verifies) stack.Shadows = new Shadows(il, stack);
        prologue = il.Emit(OpCodes.Nop);
        current.Locals = new Operand[func.Func.Params.Length + func.Locals.Sum(run => run.Count)];
        int next = 0;
        foreach (ValType type in func.Func.Params) current.Locals[next] = DeclarePlace(type, (true, ++next));
        foreach (LocalRun run in func.Locals)
            for (int i = 0; i < run.Count; i++)
                current.Locals[next++] = DeclarePlace(run.Type, (false, il.DeclareLocal(Signature.ClrType(run.Type))));
        ownPlaces = places.Count;
    }

    private ModuleInfo module => current.Module;

    private FuncInfo func => current.Func;

    /// <summary>What was proved of the operands of the operator being emitted.</summary>
    private ProvenTypes Proven => current.Proven;

    /// <summary>Emits a function.</summary>
    /// <param name="module">The module.</param>
    /// <param name="index">The function's index.</param>
    /// <param name="target">What the code is for.</param>
    /// <param name="loop">The offset of a loop at whose head the function begins, see <see cref="EmitResume"/>; -1 for its own beginning.</param>
    internal static IlBuffer Emit(ModuleInfo module, int index, ICodeTarget target, int loop = -1) => new FunctionEmitter(module, index, target, loop).Run();

    private IlBuffer Run()
    {
        PushFrame(OpId.Block, [], func.Func.Results);
        var code = new CodeReader(module.Bytes.Span, func.CodeStart, func.BodyEnd);
        while (depth > 0)
        {
            // An operator may become thousands of instructions, where it moves many values.
            if ((++polls & 0x1f) == 0) CancellationScope.ThrowIfStopped();
            code.Read(out Instr instr);
            il.Source = instr.Offset;
            if (target.CountsFuel) CountInstruction(instr);
            EmitNext(ref code, ref instr);
        }
        il.Source = 0;
        EmitDeferred();
        EmitPrologue();
        LoadGuards.Insert(il, uncheckedLoads);
        il.DropUnusedLocals();
        return il;
    }

    /// <summary>Emits an operator, or skips it.</summary>
    private void EmitNext(ref CodeReader code, ref Instr instr)
    {
        if (target.Verifies) BeginVerified(instr);
        ProvenTypes proven = Proven;
        proven.Position = instr.Offset;
        if (frames[depth - 1].Unreachable) Skip(instr);
        else Emit(ref code, ref instr);
        stack.EndOperator();
        if (!target.Verifies) return;
        proven.Position = code.Position;
        EndVerified(instr);
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
            case OpId.End: End(); break;
            case OpId.Else: Else(); break;
            case OpId.Catch or OpId.CatchAll: Catch(instr); break;
            case OpId.Delegate: Delegate(instr.A); break;
        }
    }

    /// <summary>What must stand before everything: it depends on what came after.</summary>
    private void EmitPrologue()
    {
        int at = FinishUse(EmitReferenceLocals(EmitHiddenZeros(EmitEntryChecks(prologue))));
        if (resumedLoop >= 0) EmitResume(at);
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
            case OpId.Unreachable: EmitTrap(TrapKind.Unreachable); break;
            case OpId.Block or OpId.Loop or OpId.If:
                BeginBlock(op.Id, ref code, instr);
                break;
            case OpId.Else: Else(); break;
            case OpId.End: End(); break;
            case OpId.Br: Br(instr.A); break;
            case OpId.BrIf: BrIf(instr.A); break;
            case OpId.BrTable: BrTable(ref code, instr); break;
            case OpId.Return: Return(); break;
            case OpId.BrOnNull or OpId.BrOnNonNull: BrOnNull(instr.A, op.Id == OpId.BrOnNonNull); break;
            case OpId.Call or OpId.ReturnCall: Call((int)instr.A, op.Id == OpId.ReturnCall); break;
            case OpId.CallIndirect or OpId.ReturnCallIndirect:
                CallIndirect(instr.A, instr.B, op.Id == OpId.ReturnCallIndirect);
                break;
            case OpId.CallRef or OpId.ReturnCallRef: CallRef(instr.A, op.Id == OpId.ReturnCallRef); break;
            case OpId.Drop: Drop(); break;
            case OpId.Select or OpId.SelectT: Select(); break;
            case OpId.LocalGet: LocalGet(instr.A); break;
            case OpId.LocalSet: LocalSet(instr.A); break;
            case OpId.LocalTee: LocalTee(instr.A); break;
            case OpId.GlobalGet: GlobalGet((int)instr.A); break;
            case OpId.GlobalSet: GlobalSet((int)instr.A); break;
            case OpId.I32Const: stack.PushConst(ValType.I32, instr.Bits); break;
            case OpId.I64Const: stack.PushConst(ValType.I64, instr.Bits); break;
            case OpId.F32Const: stack.PushConst(ValType.F32, instr.Bits); break;
            case OpId.F64Const: stack.PushConst(ValType.F64, instr.Bits); break;
            case OpId.V128Const: stack.PushVector(instr.Bits, instr.High); break;
            case OpId.I8x16Shuffle: Shuffle(instr.Bits, instr.High); break;
            default:
                int grown = target.CountsFuel ? ChargeOperand(instr) : -1;
                if (!EmitGroup(ref code, instr)) throw new InvalidOperationException($"The emitter has no case for {op.Mnemonic}.");
                if (grown >= 0) ChargeGrowth(instr, grown);
                break;
        }
    }

    /// <summary>The groups with a method of their own. All operators of the others have a case above.</summary>
    private bool EmitGroup(ref CodeReader code, in Instr instr) => instr.Op.Group switch
    {
        OpGroup.Plain or OpGroup.Control or OpGroup.Calls or OpGroup.Variables or OpGroup.Constants or OpGroup.Shuffle => false,
        OpGroup.References => EmitReferences(instr),
        OpGroup.Bulk or OpGroup.WideArithmetic => EmitBulk(instr),
        OpGroup.Exceptions => EmitExceptions(ref code, instr),
        OpGroup.Gc => EmitGc(instr),
        OpGroup.Casts => EmitCasts(instr),
        OpGroup.Waits => EmitWaits(instr),
        OpGroup.Linking => EmitLinking(instr),
        OpGroup.Modules => EmitModules(instr),
        OpGroup.MemoryReferences => EmitMemoryReferences(instr),
        OpGroup.TableReferences => EmitTableReferences(instr),
        OpGroup.GlobalReferences => EmitGlobalReferences(instr),
        OpGroup.Slices => EmitSlices(instr),
    };

    // ---- plain operators ----

    private void EmitPlain(in Instr instr, Emission emission)
    {
        Operator op = instr.Op;
        if (op.Prefix == 0xfd)
        {
            EmitVector(instr, emission);
            return;
        }
        if (op.Prefix == 0xfe)
        {
            EmitAtomic(instr, emission);
            return;
        }
        switch (emission.Kind)
        {
            case Emission.EmissionKind.Load: Load(instr, emission); return;
            case Emission.EmissionKind.Store: Store(instr, emission); return;
        }
        if (EmitNeutral(op)) return;
        GuardNarrowing(op);
        bool demotesPromoted = op.Operation == Operation.Demote && (stack[0].IsPromoted || stack[0].Kind != OperandKind.Stack);
        bool mayBeKnown = HideFolding(op, out bool isQuiet);
        UseRotations(op);
        int start = stack.Take(op.Params.Length, out int treeDepth, out bool hasLoad);
        if (target.Verifies && IsComparison(op)) EmitComparison(op, emission);
        else if (emission.Kind == Emission.EmissionKind.Il) EmitSteps(emission, 0);
        else if (op.Operation == Operation.Reinterpret && IsFloat(op.Results[0])) EmitFloatOfBits(is64: op.Results[0].Kind == ValKind.F64);
        else if (IsRotation(op)) il.Call(Members.Integer(Apart + emission.Method!.Name));
        else il.Call(emission.Method!);
        int last = il.Tail;
        if (demotesPromoted) il.Call(Members.Float("Quiet32"));
        if (op.Results.Length == 1)
        {
            stack.PushStack(op.Results[0], start, treeDepth, hasLoad, mayBeKnown: mayBeKnown);
            stack[0].IsQuiet = isQuiet;
        }
        if (op.Operation == Operation.Promote) stack[0].IsPromoted = true;
        if (IsRotation(op) && stack[0].Kind == OperandKind.Stack) stack[0].Rotation = last;
    }

    private void EmitSteps(Emission emission, int from)
    {
        foreach (Emission.Step step in emission.Steps.AsSpan(from))
        {
            if (step.Constant is { } constant) il.LdcI4(constant);
            else il.Emit(step.Code);
        }
    }

    /// <summary>
    /// RyuJIT narrows a load whose upper bytes nobody reads, and an access that straddles the end of memory would no longer
    /// fault; the whole value is stored first.
    /// </summary>
    private void GuardNarrowing(Operator op)
    {
        if (stack.Count == 0) return;
        ref Operand top = ref stack[0];
        bool narrows = op.Operation switch
        {
            Operation.Narrow8 => top.LoadWidth > 1,
            Operation.Narrow16 => top.LoadWidth > 2,
            Operation.Narrow32 => top.LoadWidth > 4,
            _ => false,
        };
        if (narrows) StoreLoaded(ref top);
        if (op.Operation != Operation.And || stack.Count < 2) return;
        ref Operand other = ref stack[1];
        if (top.Kind == OperandKind.Const && other.LoadWidth > 1) StoreLoaded(ref other);
    }

    /// <summary>Stores a loaded value, in a temporary or topmost on the IL stack, where the JIT must leave it.</summary>
    private void StoreLoaded(ref Operand operand)
    {
        if (operand.Kind is OperandKind.Temp or OperandKind.FrameTemp)
        {
            StoreScratch(operand.Type, operand.Index);
        }
        else
        {
            int temp = stack.TakeTemp(Signature.ClrType(operand.Type));
            il.Stloc(temp);
            StoreScratch(operand.Type, temp);
            il.Ldloc(temp);
            stack.FreeTemp(temp);
        }
        operand.LoadWidth = 0;
    }

    private void StoreScratch(ValType type, int temp)
    {
        LoadInstance();
        il.Ldloc(temp);
        switch (type.Kind)
        {
            case ValKind.I32: il.Emit(OpCodes.Conv_I8); il.Field(OpCodes.Stfld, Members.Scratch64); break;
            case ValKind.I64: il.Field(OpCodes.Stfld, Members.Scratch64); break;
            case ValKind.F32: il.Emit(OpCodes.Conv_R8); il.Field(OpCodes.Stfld, Members.ScratchF64); break;
            case ValKind.F64: il.Field(OpCodes.Stfld, Members.ScratchF64); break;
            default: il.Field(OpCodes.Stfld, Members.Scratch128); break;
        }
    }

    private void Drop()
    {
        KeepLoad(ref stack[0]);
        if (stack[0].Kind == OperandKind.Stack) il.Emit(OpCodes.Pop);
        stack.Remove();
    }

    /// <summary>A load traps though nobody reads its value: the topmost operand on the IL stack, or one in a temporary.</summary>
    private void KeepLoad(ref Operand operand)
    {
        if (!operand.HasLoad || operand.Type.IsRef) return;
        if (operand.Kind == OperandKind.Stack) stack.SpillTop();
        StoreScratch(operand.Type, operand.Index);
        operand.HasLoad = false;
    }

    /// <summary>The same for operands that control leaves behind: those above a height, below the topmost.</summary>
    private void KeepLoads(int height, int keep)
    {
        for (int i = height; i < stack.Count - keep; i++)
        {
            if (!stack.At(i).HasLoad) continue;
            if (stack.At(i).Kind == OperandKind.Stack) stack.FlushBelow(keep);
            KeepLoad(ref stack.At(i));
        }
    }

    /// <summary>Pushes element <paramref name="index"/> of an array of the instance, which is on the IL stack.</summary>
    private int LoadElementAt(int at, System.Reflection.FieldInfo array, int index)
    {
        at = il.FieldAt(at, OpCodes.Ldfld, array);
        at = il.LdcI4At(at, index);
        return il.EmitAt(at, OpCodes.Ldelem_Ref);
    }

    private void LoadInstanceElement(System.Reflection.FieldInfo array, int index) => LoadElementAt(LoadInstance(), array, index);

    /// <summary>Traps here; what follows is unreachable.</summary>
    private void EmitTrap(TrapKind kind)
    {
        KeepLoads(0, 0);
        KeepAliveAt(il.Tail);
        il.LdcI4((int)kind);
        il.Call(Members.MakeTrap);
        il.Emit(OpCodes.Throw);
        SetUnreachable();
    }
}
