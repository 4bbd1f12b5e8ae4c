using System.Collections.Immutable;

namespace WasmJit.Jit;

internal sealed partial class FunctionValidator
{
    private void Validate(ref CodeReader code, ref Instr instr)
    {
        Operator op = instr.Op;
        if (op.IsRestricted && (op.Proposal.IsLinking || (op.Feature & ~module.Features) != 0)) CheckProposal(op);
        if (op.HasSignature)
        {
            ValType address = op.HasCheckedImmediates ? AddressType(instr) : ValType.Bottom;
            ReadOnlySpan<ValType> parameters = op.Params.AsSpan();
            for (int i = parameters.Length - 1; i >= 0; i--)
            {
                ref readonly ValType parameter = ref parameters[i];
                if (!TryPopNumber(parameter.Kind)) Pop(parameter.Kind == ValKind.Bottom ? address : parameter);
            }
            if (op.HasCheckedImmediates && instr.HasMemoryRef) Pop(ValType.Ref(Heap(instr.Heap1), true));
            foreach (ValType result in op.Results.AsSpan()) Push(result.Kind == ValKind.Bottom ? address : result);
            return;
        }
        switch (op.Id)
        {
            case OpId.Unreachable: break;
            case OpId.Block or OpId.Loop or OpId.Try:
                {
                    BlockType(ref code, instr, out ImmutableArray<ValType> start, out ImmutableArray<ValType> end);
                    Pop(start);
                    PushFrame(op.Id, start, end);
                    break;
                }
            case OpId.If:
                {
                    BlockType(ref code, instr, out ImmutableArray<ValType> start, out ImmutableArray<ValType> end);
                    Pop(ValType.I32);
                    Pop(start);
                    PushFrame(OpId.If, start, end);
                    break;
                }
            case OpId.Else:
                {
                    if (frames[depth - 1].Kind != OpId.If) throw new MalformedModuleException("unexpected token else: END opcode expected", at);
                    Frame frame = PopFrame();
                    PushFrame(OpId.Else, frame.Start, frame.End);
                    break;
                }
            case OpId.End:
                {
                    Frame frame = PopFrame();
                    if (frame.Kind == OpId.If && !frame.Start.SequenceEqual(frame.End))
                    {
                        // Without else the parameters must do as results.
                        if (frame.Start.Length != frame.End.Length) throw Error("type mismatch: if without else");
                        for (int i = 0; i < frame.Start.Length; i++)
                            if (!Subtyping.IsSubtype(frame.Start[i], frame.End[i])) throw Error("type mismatch: if without else");
                    }
                    if (depth > 0) Push(frame.End);
                    break;
                }
            case OpId.Br: Pop(Label(instr.A).Label); break;
            case OpId.BrIf:
                Pop(ValType.I32);
                PopPush(Label(instr.A).Label);
                break;
            case OpId.BrTable: BrTable(ref code, instr); break;
            case OpId.Return: Pop(results); break;
            case OpId.Call: Call(Func(instr.A).Func); break;
            case OpId.ReturnCall: ReturnCall(Func(instr.A).Func); break;
            case OpId.CallIndirect or OpId.ReturnCallIndirect:
                {
                    TableType table = Table(instr.B);
                    if (!Subtyping.IsSubtype(table.Element, ValType.FuncRef)) throw Error("type mismatch: call_indirect through a table that does not hold functions");
                    FuncType type = FuncTypeAt(instr.A);
                    Pop(table.AddressType);
                    if (op.Id == OpId.CallIndirect) Call(type);
                    else ReturnCall(type);
                    break;
                }
            case OpId.CallRef or OpId.ReturnCallRef:
                {
                    FuncType type = FuncTypeAt(instr.A);
                    Pop(ValType.Ref(Type(instr.A), true));
                    if (op.Id == OpId.CallRef) Call(type);
                    else ReturnCall(type);
                    break;
                }
            case OpId.Drop: Pop(); break;
            case OpId.Select: Select(); break;
            case OpId.SelectT:
                {
                    if (instr.ListCount != 1) throw Error("invalid result arity");
                    ValType type = ValTypes(code.List(instr), 1)[0];
                    Pop(ValType.I32);
                    Pop(type);
                    Pop(type);
                    Push(type);
                    break;
                }
            case OpId.LocalGet:
                {
                    ValType type = Local(instr.A);
                    if (!IsInitialised(instr.A, type)) throw Error($"uninitialized local {instr.A}");
                    Push(type);
                    break;
                }
            case OpId.LocalSet:
                Pop(Local(instr.A));
                Initialise(instr.A);
                break;
            case OpId.LocalTee:
                Pop(Local(instr.A));
                Initialise(instr.A);
                Push(Local(instr.A));
                break;
            case OpId.GlobalGet: Push(Global(instr.A).Type); break;
            case OpId.GlobalSet:
                {
                    GlobalType type = Global(instr.A);
                    if (!type.IsMutable) throw Error("immutable global");
                    Pop(type.Type);
                    break;
                }
            case OpId.RefNull: Push(ValType.Ref(Heap(instr.Heap1), true)); break;
            case OpId.RefIsNull: PopRef(); Push(ValType.I32); break;
            case OpId.RefFunc:
                {
                    FuncInfo func = Func(instr.A);
                    if (!func.IsDeclared) throw Error("undeclared function reference");
                    Push(ValType.Ref(func.IsExact ? new ExactType(func.Type) : func.Type, false));
                    break;
                }
            case OpId.RefAsNonNull:
                {
                    ValType type = PopRef();
                    Push(type.IsRef ? type.AsNonNull : ValType.Ref(HeapType.Bottom, false));
                    break;
                }
            case OpId.BrOnNull:
                {
                    ValType type = PopRef();
                    PopPush(Label(instr.A).Label);
                    Push(type.IsRef ? type.AsNonNull : ValType.Ref(HeapType.Bottom, false));
                    break;
                }
            case OpId.BrOnNonNull:
                {
                    ValType type = PopRef();
                    ImmutableArray<ValType> label = Label(instr.A).Label;
                    if (label.IsEmpty || !label[^1].IsRef) throw Error("type mismatch: the label takes no reference");
                    Push(type.IsRef ? type.AsNonNull : ValType.Ref(HeapType.Bottom, false));
                    Pop(label[^1]);
                    PopPush(label[..^1]);
                    break;
                }
            case OpId.Throw: Pop(((FuncType)Tag(instr.A).Composite).Params); break;
            case OpId.ThrowRef: Pop(ValType.Ref(HeapType.Exn, true)); break;
            case OpId.TryTable: TryTable(ref code, instr); break;
            case OpId.Catch or OpId.CatchAll:
                {
                    if (frames[depth - 1].Kind is not (OpId.Try or OpId.Catch)) throw Error("type mismatch: catch outside try");
                    Frame frame = PopFrame();
                    PushFrame(op.Id, [], frame.End);
                    if (op.Id == OpId.Catch) Push(((FuncType)Tag(instr.A).Composite).Params);
                    break;
                }
            case OpId.Delegate:
                {
                    if (frames[depth - 1].Kind != OpId.Try) throw Error("type mismatch: delegate outside try");
                    Frame frame = PopFrame();
                    Label(instr.A);
                    Push(frame.End);
                    break;
                }
            case OpId.Rethrow:
                if (Label(instr.A).Kind is not (OpId.Catch or OpId.CatchAll)) throw Error("invalid rethrow label");
                break;
            default:
                if (!ValidateGroup(op, instr)) throw new InvalidOperationException($"The validator has no case for {op.Mnemonic}.");
                break;
        }
        if (op.Has(OpTraits.Ends)) Unreachable();
    }

    /// <summary>The groups with a method of their own. All operators of the others have a signature in their row or a case above.</summary>
    private bool ValidateGroup(Operator op, in Instr instr) => op.Group switch
    {
        OpGroup.Plain or OpGroup.Control or OpGroup.Calls or OpGroup.Variables or OpGroup.Constants or OpGroup.Shuffle or OpGroup.References
            or OpGroup.WideArithmetic or OpGroup.Exceptions or OpGroup.Waits => false,
        OpGroup.Bulk => ValidateTables(op, instr),
        OpGroup.Gc or OpGroup.Casts => ValidateGc(op, instr),
        OpGroup.Linking => ValidateLinking(op, instr),
        OpGroup.Modules => ValidateModules(op, instr),
        OpGroup.MemoryReferences => ValidateMemoryReferences(op.Id, instr),
        OpGroup.TableReferences => ValidateTableReferences(op.Id, instr),
        OpGroup.GlobalReferences => ValidateGlobalReferences(op.Id, instr),
        OpGroup.Slices => ValidateSlices(op.Id, instr),
    };

    /// <summary>Refuses operators of features that are switched off.</summary>
    private void CheckProposal(Operator op)
    {
        if ((op.Feature & ~module.Features) != 0) FeatureValidator.Need(module, op.Feature, op.Mnemonic, at);
        if (!op.Proposal.IsLinking) return;
        module.UseLinkingInCode(op.Mnemonic, at);
        if (!module.Settings.AllowCompile && op.Proposal == Proposal.RuntimeCompile) throw Error($"{op.Mnemonic} needs the feature runtime-compile, which is switched off");
    }

    private ValType AddressType(in Instr instr)
    {
        foreach (Immediate immediate in instr.Op.Immediates)
        {
            switch (immediate.Kind)
            {
                case ImmediateKind.MemArg: return CheckMemArg(instr, immediate.Number);
                case ImmediateKind.Memory: return Memory(instr.A).AddressType;
                case ImmediateKind.Lane:
                    if (instr.A >= (uint)immediate.Number) throw Error("invalid lane index");
                    break;
                case ImmediateKind.Lanes16:
                    if (((instr.Bits | instr.High) & 0xe0e0e0e0e0e0e0e0) != 0) throw Error("invalid lane index");
                    break;
            }
        }
        return ValType.Bottom;
    }

    private ValType CheckMemArg(in Instr instr, int natural)
    {
        foreach (Immediate immediate in instr.Op.Immediates)
            if (immediate.Kind == ImmediateKind.Lane && instr.A >= (uint)immediate.Number) throw Error("invalid lane index");
        ValType address = instr.HasMemoryRef ? ReferenceAddress(instr) : Memory(instr.Memory).AddressType;
        if (instr.Op.Has(OpTraits.Atomic) ? instr.Align != natural : instr.Align > natural)
            throw Error("alignment must not be larger than natural");
        if (address == ValType.I32 && instr.Bits > uint.MaxValue) throw Error("offset out of range");
        return address;
    }

    private void Initialise(uint local)
    {
        if (local >= (uint)locals.Count)
        {
            if (!LocalInRun(local).IsDefaultable && written.Add((int)local)) initLog.Add((int)local);
            return;
        }
        if (initialised[local]) return;
        initialised[local] = true;
        initLog.Add((int)local);
    }

    private bool IsInitialised(uint local, ValType type) =>
        local < (uint)locals.Count ? initialised[local] : type.IsDefaultable || written.Contains((int)local);

    private void Call(FuncType type)
    {
        Pop(type.Params);
        Push(type.Results);
    }

    private void ReturnCall(FuncType type)
    {
        if (!module.State.HasTailCalls) module.State.HasTailCalls = true;
        Pop(type.Params);
        if (type.Results.Length != results.Length) throw Error("type mismatch: the callee's results are not the caller's");
        for (int i = 0; i < results.Length; i++)
            if (!Subtyping.IsSubtype(type.Results[i], results[i])) throw Error("type mismatch: the callee's results are not the caller's");
    }

    private void Select()
    {
        Pop(ValType.I32);
        ValType a = Pop(), b = Pop();
        if (a.IsRef || b.IsRef) throw Error("type mismatch: select without a type takes numbers and vectors");
        if (a != b && a.Kind != ValKind.Bottom && b.Kind != ValKind.Bottom) throw Error("type mismatch: select of different types");
        Push(a.Kind == ValKind.Bottom ? b : a);
    }

    private void BrTable(ref CodeReader code, in Instr instr)
    {
        Pop(ValType.I32);
        ByteReader labels = code.List(instr);
        int arity = Label(instr.A).Label.Length;
        var saved = new ValType[arity];
        for (int i = 0; i <= instr.ListCount; i++)
        {
            ref Frame frame = ref Label(labels.U32());
            if (frame.Table == instr.Offset) continue;
            frame.Table = instr.Offset;
            ImmutableArray<ValType> types = frame.Label;
            if (types.Length != arity) throw Error("type mismatch: labels of different arity");
            for (int j = arity - 1; j >= 0; j--) saved[j] = Pop(types[j]);
            foreach (ValType type in saved) Push(type);
        }
    }

    private void TryTable(ref CodeReader code, in Instr instr)
    {
        BlockType(ref code, instr, out ImmutableArray<ValType> start, out ImmutableArray<ValType> end);
        ByteReader catches = code.List(instr);
        for (int i = 0; i < instr.ListCount; i++)
        {
            CodeReader.ReadCatch(ref catches, out byte kind, out uint tag, out uint label);
            ImmutableArray<ValType> given = kind < 2 ? ((FuncType)Tag(tag).Composite).Params : [];
            if ((kind & 1) != 0) given = given.Add(ValType.Ref(HeapType.Exn, false));
            ImmutableArray<ValType> wanted = Label(label).Label;
            if (given.Length != wanted.Length) throw Error("type mismatch: a catch clause and its label");
            for (int j = 0; j < given.Length; j++)
                if (!Subtyping.IsSubtype(given[j], wanted[j])) throw Error("type mismatch: a catch clause and its label");
        }
        Pop(start);
        PushFrame(OpId.TryTable, start, end);
    }

    private bool ValidateTables(Operator op, in Instr instr)
    {
        switch (op.Id)
        {
            case OpId.MemoryInit:
                {
                    ValType address = Memory(instr.B).AddressType;
                    Data(instr.A);
                    Pop(ValType.I32);
                    Pop(ValType.I32);
                    Pop(address);
                    return true;
                }
            case OpId.DataDrop: Data(instr.A); return true;
            case OpId.MemoryCopy:
                {
                    MemoryType to = Memory(instr.A), from = Memory(instr.B);
                    Pop(to.Is64 && from.Is64 ? ValType.I64 : ValType.I32);
                    Pop(from.AddressType);
                    Pop(to.AddressType);
                    return true;
                }
            case OpId.TableGet:
                {
                    TableType table = Table(instr.A);
                    Pop(table.AddressType);
                    Push(table.Element);
                    return true;
                }
            case OpId.TableSet:
                {
                    TableType table = Table(instr.A);
                    Pop(table.Element);
                    Pop(table.AddressType);
                    return true;
                }
            case OpId.TableInit:
                {
                    TableType table = Table(instr.B);
                    if (!Subtyping.IsSubtype(Elem(instr.A).Type, table.Element)) throw Error("type mismatch: the segment does not fit the table");
                    Pop(ValType.I32);
                    Pop(ValType.I32);
                    Pop(table.AddressType);
                    return true;
                }
            case OpId.ElemDrop: Elem(instr.A); return true;
            case OpId.TableCopy:
                {
                    TableType to = Table(instr.A), from = Table(instr.B);
                    if (!Subtyping.IsSubtype(from.Element, to.Element)) throw Error("type mismatch: the tables' elements differ");
                    Pop(to.Is64 && from.Is64 ? ValType.I64 : ValType.I32);
                    Pop(from.AddressType);
                    Pop(to.AddressType);
                    return true;
                }
            case OpId.TableGrow:
                {
                    TableType table = Table(instr.A);
                    Pop(table.AddressType);
                    Pop(table.Element);
                    Push(table.AddressType);
                    return true;
                }
            case OpId.TableSize: Push(Table(instr.A).AddressType); return true;
            case OpId.TableFill:
                {
                    TableType table = Table(instr.A);
                    Pop(table.AddressType);
                    Pop(table.Element);
                    Pop(table.AddressType);
                    return true;
                }
            default: return false;
        }
    }
}
