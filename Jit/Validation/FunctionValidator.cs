using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using WasmJit.Jit.Binary;
using WasmJit.Jit.Format;
using WasmJit.Jit.Operators;

namespace WasmJit.Jit.Validation;

/// <summary>
/// Validates one function body or constant expression (spec 3.4 and the algorithm of its appendix). One object serves many
/// functions, one after the other; its stacks are reused. Operators of some groups have a class of their own.
/// </summary>
internal sealed partial class FunctionValidator
{
    private readonly ModuleInfo module;
    private readonly CodePosition position = new();
    private readonly LocalTypes locals;
    private readonly TypeStack stack;
    private readonly IndexSpaces spaces;
    private readonly CallValidator calls;
    private readonly EntityValidator entities;

    // Most modules need neither.
    private GcValidator? objects;
    private LinkingValidator? linking;

    /// <summary>Memory 0 exists and has addresses of 32 bits.</summary>
    private readonly bool hasSmallMemory;

    /// <summary>Table 0 exists, has indices of 32 bits and elements of type funcref.</summary>
    private readonly bool hasPlainTable;

    /// <summary>The bytes between two polls (whether a guest that waits for the module is to stop).</summary>
    private const int BytesUntilPoll = 1 << 13;
    private int untilPoll = BytesUntilPoll;

    /// <summary>For tests: whether all operators go the general way.</summary>
    internal bool IsGeneral { get; init; }

    internal FunctionValidator(ModuleInfo module)
    {
        this.module = module;
        hasSmallMemory = module.Memories.Count > 0 && !module.Memories[0].Is64;
        hasPlainTable = module.Tables.Count > 0 && !module.Tables[0].Type.Is64 && module.Tables[0].Type.Element == ValType.FuncRef;
        locals = new LocalTypes(module, position);
        stack = new TypeStack(locals, position);
        spaces = new IndexSpaces(module, position);
        calls = new CallValidator(module, spaces, stack, position);
        entities = new EntityValidator(module, spaces, stack, calls, position);
    }

    private ImmutableArray<ValType> Results => calls.Results;

    private GcValidator Objects => objects ??= new GcValidator(module, spaces, stack, position);

    private LinkingValidator Linking => linking ??= new LinkingValidator(spaces, stack, calls, position);

    /// <summary>Validates a function's body.</summary>
    internal void ValidateBody(int index)
    {
        FuncInfo func = module.Funcs[index];
        try
        {
            int code = locals.Declare(index);
            calls.Results = func.Func.Results;
            Run(code, func.BodyEnd, constGlobals: null);
        }
        catch (MalformedModuleException e) when (e.FunctionIndex is null)
        {
            throw new MalformedModuleException(e.Reason, e.Offset, index, module.FuncName(index));
        }
        catch (InvalidModuleException e) when (e.FunctionIndex is null)
        {
            throw new InvalidModuleException(e.Reason, e.Offset, index, module.FuncName(index));
        }
    }

    /// <summary>Validates a constant expression; only globals below <paramref name="globals"/> are in scope.</summary>
    internal void ValidateConst(ConstExpr expr, ValType type, int globals)
    {
        locals.Clear();
        calls.Results = [type];
        Run(expr.Start, expr.End, globals);
    }

    private void Run(int start, int end, int? constGlobals)
    {
        stack.Clear();
        stack.PushFrame(OpId.Block, ValTypes.None, Results);
        var code = new CodeReader(module.Bytes.Span, start, end);
        while (stack.Depth > 0)
        {
            int before = code.Position;
            if (constGlobals is null && !IsGeneral) code.Position = PassNumbers(module.Bytes.Span, before, end);
            if (code.AtEnd) throw MissingEnd(end);
            untilPoll -= code.Position - before + 1;
            if (untilPoll <= 0) Poll();
            code.Read(out Instr instr);
            position.Offset = instr.Offset;
            if (constGlobals is { } globals) CheckConstant(instr, globals);
            Validate(ref code, ref instr);
        }
        if (!code.AtEnd) throw new MalformedModuleException("unexpected content after end of code: section size mismatch", code.Position);
    }

    private void Poll()
    {
        untilPoll = BytesUntilPoll;
        Runtime.CancellationScope.ThrowIfStopped();
    }

    /// <summary>The official suite expects one of three messages, by the byte behind the body: none, <c>end</c>, any other.</summary>
    private MalformedModuleException MissingEnd(int end)
    {
        ReadOnlySpan<byte> bytes = module.Bytes.Span;
        string reason = end >= bytes.Length ? "unexpected end of section or function"
            : bytes[end] == OperatorTable.Of(OpId.End).Code ? "section size mismatch" : "END opcode expected";
        return new MalformedModuleException(reason, end);
    }

    private void CheckConstant(in Instr instr, int globals)
    {
        if (!instr.Op.Has(OpTraits.Constant)) throw position.Error("constant expression required");
        if (instr.Id is not (OpId.GlobalGet or OpId.RefGlobal)) return;
        // Only globals before this one have a value.
        if (instr.A >= (uint)globals) throw position.Error($"unknown global {instr.A}");
        if (instr.Id == OpId.GlobalGet && spaces.Global(instr.A).IsMutable) throw position.Error("constant expression required");
    }

    // ---- for the emitter, which asks what the stack held before each operator ----

    /// <summary>How many operands there are.</summary>
    internal int Height => stack.Height;

    /// <summary>Where the operands of the innermost block begin.</summary>
    internal int BlockHeight => stack.Top.Height - TypeStack.Floor;

    /// <summary>The type of an operand, counted from the top.</summary>
    internal ValType Operand(int fromTop) => stack[fromTop];

    /// <summary>How many blocks are open, the function's own included.</summary>
    internal int Depth => stack.Depth;

    /// <summary>The innermost block.</summary>
    internal ref readonly ValidationFrame Block => ref stack.Top;

    /// <summary>Begins a function's body that has been validated before.</summary>
    internal void Begin(int index)
    {
        locals.Declare(index);
        calls.Results = module.Funcs[index].Func.Results;
        stack.Clear();
        stack.PushFrame(OpId.Block, ValTypes.None, Results);
    }

    /// <summary>Follows an operator, the last that <paramref name="code"/> read.</summary>
    internal void Step(ref CodeReader code, ref Instr instr)
    {
        position.Offset = instr.Offset;
        Validate(ref code, ref instr);
    }

    private void Validate(ref CodeReader code, ref Instr instr)
    {
        Operator op = instr.Op;
        if (op.IsRestricted && (op.Proposal.IsLinking || (op.Feature & ~module.Features) != 0)) CheckProposal(op);
        if (op.HasSignature) ValidatePlain(op, instr);
        else if (op.Group == OpGroup.Variables && instr.Op.Has(OpTraits.ReadsLocal | OpTraits.WritesLocal)) ValidateLocal(op.Id, instr.A);
        else ValidateOther(ref code, ref instr, op);
    }

    private void ValidatePlain(Operator op, in Instr instr)
    {
        ValType address = op.HasCheckedImmediates ? AddressType(instr) : ValType.Bottom;
        ReadOnlySpan<ValType> parameters = op.Params.AsSpan();
        for (int i = parameters.Length - 1; i >= 0; i--)
        {
            ref readonly ValType parameter = ref parameters[i];
            stack.Pop(parameter.Kind == ValKind.Bottom ? address : parameter);
        }
        if (op.HasCheckedImmediates && instr.HasMemoryRef) PopMemoryReference(instr);
        ReadOnlySpan<ValType> results = op.Results.AsSpan();
        for (int i = 0; i < results.Length; i++)
        {
            ref readonly ValType result = ref results[i];
            stack.Push(result.Kind == ValKind.Bottom ? address : result);
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void PopMemoryReference(in Instr instr) => stack.Pop(ValType.Ref(spaces.Heap(instr.Heap1), true));

    private void ValidateLocal(OpId id, uint local)
    {
        ValType type = locals.TypeOf(local);
        if (id == OpId.LocalGet)
        {
            if (!locals.HasValue(local, type)) throw position.Error($"uninitialized local {local}");
        }
        else
        {
            stack.Pop(type);
            locals.Write(local);
            if (id == OpId.LocalSet) return;
        }
        stack.Push(type);
    }

    private void ValidateOther(ref CodeReader code, ref Instr instr, Operator op)
    {
        switch (op.Id)
        {
            case OpId.Unreachable: break;
            case OpId.Block or OpId.Loop or OpId.Try:
                {
                    spaces.BlockType(ref code, instr, out ImmutableArray<ValType> start, out ImmutableArray<ValType> end);
                    stack.Pop(start);
                    stack.PushFrame(op.Id, start, end);
                    break;
                }
            case OpId.If:
                {
                    spaces.BlockType(ref code, instr, out ImmutableArray<ValType> start, out ImmutableArray<ValType> end);
                    stack.Pop(ValType.I32);
                    stack.Pop(start);
                    stack.PushFrame(OpId.If, start, end);
                    break;
                }
            case OpId.Else:
                {
                    if (stack.Top.Kind != OpId.If) throw new MalformedModuleException("unexpected token else: END opcode expected", position.Offset);
                    ValidationFrame frame = stack.PopFrame();
                    stack.PushFrame(OpId.Else, frame.Start, frame.End);
                    break;
                }
            case OpId.End:
                {
                    ValidationFrame frame = stack.PopFrame();
                    if (frame.Kind == OpId.If && !frame.Start.SequenceEqual(frame.End))
                    {
                        // An if without else passes its parameters on, so they must match the results.
                        if (frame.Start.Length != frame.End.Length) throw position.Error("type mismatch: if without else");
                        for (int i = 0; i < frame.Start.Length; i++)
                            if (!Subtyping.IsSubtype(frame.Start[i], frame.End[i])) throw position.Error("type mismatch: if without else");
                    }
                    if (stack.Depth > 0) stack.Push(frame.End);
                    break;
                }
            case OpId.Br: stack.Pop(stack.Label(instr.A).Label); break;
            case OpId.BrIf:
                stack.Pop(ValType.I32);
                stack.PopPush(stack.Label(instr.A).Label);
                break;
            case OpId.BrTable: BrTable(ref code, instr); break;
            case OpId.Return: stack.Pop(Results); break;
            case OpId.Call or OpId.ReturnCall: calls.Call(op, spaces.Func(instr.A).Func); break;
            case OpId.CallIndirect or OpId.ReturnCallIndirect: calls.CallIndirect(op, type: instr.A, table: instr.B); break;
            case OpId.CallRef or OpId.ReturnCallRef: calls.CallRef(op, instr.A); break;
            case OpId.Drop: stack.Pop(); break;
            case OpId.Select: Select(); break;
            case OpId.SelectT:
                {
                    if (instr.ListCount != 1) throw position.Error("invalid result arity");
                    ValType type = spaces.TypesOf(code.List(instr), 1)[0];
                    stack.Pop(ValType.I32);
                    stack.Pop(type);
                    stack.Pop(type);
                    stack.Push(type);
                    break;
                }
            case OpId.GlobalGet or OpId.GlobalSet: entities.TryGlobals(op, instr); break;
            case OpId.RefNull: stack.Push(ValType.Ref(spaces.Heap(instr.Heap1), true)); break;
            case OpId.RefIsNull: stack.PopRef(); stack.Push(ValType.I32); break;
            case OpId.RefFunc:
                {
                    FuncInfo func = spaces.Func(instr.A);
                    if (!func.IsDeclared) throw position.Error("undeclared function reference");
                    stack.Push(ValType.Ref(func.IsExact ? new ExactType(func.Type) : func.Type, false));
                    break;
                }
            case OpId.RefAsNonNull:
                {
                    ValType type = stack.PopRef();
                    stack.Push(type.IsRef ? type.AsNonNull : ValType.Ref(HeapType.Bottom, false));
                    break;
                }
            case OpId.BrOnNull:
                {
                    ValType type = stack.PopRef();
                    stack.PopPush(stack.Label(instr.A).Label);
                    stack.Push(type.IsRef ? type.AsNonNull : ValType.Ref(HeapType.Bottom, false));
                    break;
                }
            case OpId.BrOnNonNull:
                {
                    ValType type = stack.PopRef();
                    ImmutableArray<ValType> label = stack.Label(instr.A).Label;
                    if (label.IsEmpty || !label[^1].IsRef) throw position.Error("type mismatch: the label takes no reference");
                    stack.Push(type.IsRef ? type.AsNonNull : ValType.Ref(HeapType.Bottom, false));
                    stack.Pop(label[^1]);
                    stack.PopPush(label[..^1]);
                    break;
                }
            case OpId.Throw: stack.Pop(((FuncType)spaces.Tag(instr.A).Composite).Params); break;
            case OpId.ThrowRef: stack.Pop(ValType.Ref(HeapType.Exn, true)); break;
            case OpId.TryTable: TryTable(ref code, instr); break;
            case OpId.Catch or OpId.CatchAll:
                {
                    if (stack.Top.Kind is not (OpId.Try or OpId.Catch)) throw position.Error("type mismatch: catch outside try");
                    ValidationFrame frame = stack.PopFrame();
                    stack.PushFrame(op.Id, ValTypes.None, frame.End);
                    if (op.Id == OpId.Catch) stack.Push(((FuncType)spaces.Tag(instr.A).Composite).Params);
                    break;
                }
            case OpId.Delegate:
                {
                    if (stack.Top.Kind != OpId.Try) throw position.Error("type mismatch: delegate outside try");
                    ValidationFrame frame = stack.PopFrame();
                    stack.Label(instr.A);
                    stack.Push(frame.End);
                    break;
                }
            case OpId.Rethrow:
                if (stack.Label(instr.A).Kind is not (OpId.Catch or OpId.CatchAll)) throw position.Error("invalid rethrow label");
                break;
            default:
                if (!ValidateGroup(op, instr)) throw new InvalidOperationException($"The validator has no case for {op.Mnemonic}.");
                break;
        }
        if (op.Has(OpTraits.Ends)) stack.Unreachable();
    }

    /// <summary>The groups with a method of their own. All operators of the others have a signature in their row or a case above.</summary>
    private bool ValidateGroup(Operator op, in Instr instr) => op.Group switch
    {
        OpGroup.Plain or OpGroup.Control or OpGroup.Calls or OpGroup.Variables or OpGroup.Constants or OpGroup.Shuffle or OpGroup.References
            or OpGroup.WideArithmetic or OpGroup.Exceptions or OpGroup.Waits => false,
        OpGroup.Bulk => entities.TryMemories(op, instr) || entities.TryTables(op, instr),
        OpGroup.Gc or OpGroup.Casts => Objects.TryValidate(op, instr),
        OpGroup.Linking => Linking.TryValidate(op, instr),
        OpGroup.Modules => Linking.TryModules(op, instr),
        OpGroup.MemoryReferences => entities.TryMemories(op, instr),
        OpGroup.TableReferences => entities.TryTables(op, instr),
        OpGroup.GlobalReferences => entities.TryGlobals(op, instr),
        OpGroup.Slices => entities.TrySlices(op, instr),
    };

    /// <summary>Refuses operators of features that are switched off.</summary>
    private void CheckProposal(Operator op)
    {
        if ((op.Feature & ~module.Features) != 0) FeatureValidator.Need(module, op.Feature, op.Mnemonic, position.Offset);
        if (!op.Proposal.IsLinking) return;
        module.UseLinkingInCode(op.Mnemonic, position.Offset);
        if (!module.Settings.AllowCompile && op.Proposal == Proposal.RuntimeCompile) throw position.Error($"{op.Mnemonic} needs the feature runtime-compile, which is switched off");
    }

    private ValType AddressType(in Instr instr)
    {
        // Nearly all code.
        if (instr.Op.Reading == ImmediateForm.MemArg && instr.Memory == 0 && hasSmallMemory && !instr.HasMemoryRef
            && instr.Align <= instr.Op.NaturalAlignment && instr.Bits <= uint.MaxValue && !instr.Op.Has(OpTraits.Atomic))
            return ValType.I32;
        foreach (Immediate immediate in instr.Op.Immediates)
        {
            switch (immediate.Kind)
            {
                case ImmediateKind.MemArg: return CheckMemArg(instr, immediate.Number);
                case ImmediateKind.Memory: return spaces.Memory(instr.A).AddressType;
                case ImmediateKind.Lane:
                    if (instr.A >= (uint)immediate.Number) throw position.Error("invalid lane index");
                    break;
                case ImmediateKind.Lanes16:
                    if (((instr.Bits | instr.High) & 0xe0e0e0e0e0e0e0e0) != 0) throw position.Error("invalid lane index");
                    break;
            }
        }
        return ValType.Bottom;
    }

    private ValType CheckMemArg(in Instr instr, int natural)
    {
        foreach (Immediate immediate in instr.Op.Immediates)
            if (immediate.Kind == ImmediateKind.Lane && instr.A >= (uint)immediate.Number) throw position.Error("invalid lane index");
        ValType address = instr.HasMemoryRef ? entities.ReferenceAddress(instr) : spaces.Memory(instr.Memory).AddressType;
        if (instr.Op.Has(OpTraits.Atomic) ? instr.Align != natural : instr.Align > natural)
            throw position.Error("alignment must not be larger than natural");
        if (address == ValType.I32 && instr.Bits > uint.MaxValue) throw position.Error("offset out of range");
        return address;
    }

    private void Select()
    {
        stack.Pop(ValType.I32);
        ValType a = stack.Pop(), b = stack.Pop();
        if (a.IsRef || b.IsRef) throw position.Error("type mismatch: select without a type takes numbers and vectors");
        if (a != b && a.Kind != ValKind.Bottom && b.Kind != ValKind.Bottom) throw position.Error("type mismatch: select of different types");
        stack.Push(a.Kind == ValKind.Bottom ? b : a);
    }

    private void BrTable(ref CodeReader code, in Instr instr)
    {
        stack.Pop(ValType.I32);
        ByteReader labels = code.List(instr);
        int arity = stack.Label(instr.A).Label.Length;
        var saved = new ValType[arity];
        for (int i = 0; i <= instr.ListCount; i++)
        {
            ref ValidationFrame frame = ref stack.Label(labels.U32());
            if (frame.Table == instr.Offset) continue;
            frame.Table = instr.Offset;
            ImmutableArray<ValType> types = frame.Label;
            if (types.Length != arity) throw position.Error("type mismatch: labels of different arity");
            for (int j = arity - 1; j >= 0; j--) saved[j] = stack.Pop(types[j]);
            foreach (ValType type in saved) stack.Push(type);
        }
    }

    private void TryTable(ref CodeReader code, in Instr instr)
    {
        spaces.BlockType(ref code, instr, out ImmutableArray<ValType> start, out ImmutableArray<ValType> end);
        ByteReader catches = code.List(instr);
        for (int i = 0; i < instr.ListCount; i++)
        {
            CodeReader.ReadCatch(ref catches, out byte kind, out uint tag, out uint label);
            ImmutableArray<ValType> given = kind < 2 ? ((FuncType)spaces.Tag(tag).Composite).Params : ValTypes.None;
            if ((kind & 1) != 0) given = given.Add(ValType.Ref(HeapType.Exn, false));
            ImmutableArray<ValType> wanted = stack.Label(label).Label;
            if (given.Length != wanted.Length) throw position.Error("type mismatch: a catch clause and its label");
            for (int j = 0; j < given.Length; j++)
                if (!Subtyping.IsSubtype(given[j], wanted[j])) throw position.Error("type mismatch: a catch clause and its label");
        }
        stack.Pop(start);
        stack.PushFrame(OpId.TryTable, start, end);
    }
}
