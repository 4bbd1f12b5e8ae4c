using System.Collections.Immutable;
using System.Reflection.Emit;
using WasmJit.Runtime;

namespace WasmJit.Jit;

/// <summary>A clause of <c>try_table</c>; the frame of its label counted from the function's.</summary>
internal readonly record struct CatchClause(bool IsAll, bool WithRef, uint Tag, int Frame);

/// <summary>
/// Exceptions (spec 4.6.9 and 4.6.10, and the legacy operators). A try is a protected region of IL; its handler only keeps the
/// exception and leaves. What a handler does stands behind the region, in the function's ordinary code: the <em>dispatch</em>.
/// A filter takes what has a clause, so that nothing is unwound twice. A throw in the region itself goes to the dispatch
/// directly, or straight to the label where the clause is known.
/// </summary>
internal sealed partial class FunctionEmitter
{
    /// <summary>How many protected regions the code being emitted is in.</summary>
    private int region;

    /// <summary>Tail calls out of protected regions, which IL has no instruction for: they are made at the function's end.</summary>
    private readonly List<(int Label, ImmutableArray<ValType> Types, int[] Temps, Action Call)> deferred = [];

    /// <summary>Where exceptions go that a <c>delegate</c> hands to the caller.</summary>
    private int rethrowLabel = -1;
    private int rethrowTemp;

    /// <summary>A local by whose address filters and handlers tell in which frame they are.</summary>
    private int frameMark = -1;

    private bool EmitExceptions(ref CodeReader code, in Instr instr)
    {
        switch (instr.Id)
        {
            case OpId.Throw: Throw(instr.A); return true;
            case OpId.ThrowRef:
                stack.Take(1);
                il.Call(Members.Exception(nameof(ExceptionHelpers.NonNull)));
                int thrown = stack.TakeTemp(typeof(WasmException));
                il.Stloc(thrown);
                EmitThrow(thrown);
                stack.FreeTemp(thrown);
                SetUnreachable();
                return true;
            case OpId.TryTable: BeginTryTable(ref code, instr); return true;
            case OpId.Try:
                {
                    BlockType(ref code, instr, out ImmutableArray<ValType> start, out ImmutableArray<ValType> end);
                    BeginTry(OpId.Try, start, end, null);
                    return true;
                }
            case OpId.Catch or OpId.CatchAll: Catch(instr); return true;
            case OpId.Delegate: Delegate(instr.A); return true;
            case OpId.Rethrow:
                EmitThrow(Target(instr.A).Exception);
                SetUnreachable();
                return true;
            default: return false;
        }
    }

    /// <summary>Throws an exception that is in a local. What follows is unreachable.</summary>
    private void EmitThrow(int exception)
    {
        if (target.Unwinder is null)
        {
            il.Ldloc(exception);
        }
        else
        {
            LoadInstance();
            il.Ldloc(exception);
            il.LdcI8(ThrowStub.Code);
            il.Calli(ThrowStub.Signature);
        }
        KeepAliveAt(il.Tail);
        il.Emit(OpCodes.Throw);
    }

    // ---- try_table ----

    private void BeginTryTable(ref CodeReader code, in Instr instr)
    {
        BlockType(ref code, instr, out ImmutableArray<ValType> start, out ImmutableArray<ValType> end);
        ByteReader reader = code.List(instr);
        var clauses = new CatchClause[instr.ListCount];
        for (int i = 0; i < clauses.Length; i++)
        {
            CodeReader.ReadCatch(ref reader, out byte kind, out uint tag, out uint label);
            clauses[i] = new CatchClause(kind >= 2, (kind & 1) != 0, tag, depth - 1 - (int)label);
        }
        BeginTry(OpId.TryTable, start, end, clauses);
    }

    private void BeginTry(OpId kind, ImmutableArray<ValType> start, ImmutableArray<ValType> end, CatchClause[]? clauses)
    {
        stack.FlushForBlock();
        PushFrame(kind, start, end);
        ref Frame frame = ref frames[depth - 1];
        frame.Dispatch = il.DefineLabel();
        frame.Exception = stack.TakeTemp(typeof(WasmException));
        frame.Clauses = clauses;
        if (clauses is { Length: 0 }) return;
        if (target.Unwinder is { } unwinder)
        {
            int outer = depth - 2;
            while (outer >= 0 && !IsHandler(frames[outer])) outer--;
            frame.Cell = unwinder.AddRegion(outer < 0 ? 0 : frames[outer].Cell);
        }
        // A loop's label must not be the region's first instruction.
        il.Emit(OpCodes.Nop);
        il.Region(IlBuffer.Border.Try);
        region++;
    }

    /// <summary>The end of a body: its results go to the label's temporaries, control to the label.</summary>
    private void LeaveBody(ref Frame frame)
    {
        if (frame.Unreachable) return;
        StoreTo(LabelTemps(ref frame));
        Jump(frame);
    }

    /// <summary>Ends the protected region with a handler that keeps the exception and goes on at the dispatch.</summary>
    /// <returns>The place in the filter where the result is on the IL stack, and can be changed.</returns>
    private int EndRegion(ref Frame frame)
    {
        Unwinder? unwinder = target.Unwinder;
        il.Region(IlBuffer.Border.Filter);
        frame.Filtered = stack.TakeTemp(typeof(object));
        il.Stloc(frame.Filtered);
        if (unwinder is not null)
        {
            if (frameMark < 0) frameMark = il.DeclareLocal(typeof(int));
            il.Ldloc(frame.Filtered);
            il.LdcI8(frame.Cell);
            LoadFrameMark();
            il.Call(Members.Unwinder(nameof(Unwinder.Passing)));
        }
        int place = il.LdcI4(0);
        il.Region(IlBuffer.Border.FilteredCatch);
        il.Stloc(frame.Exception);
        if (unwinder is null)
        {
            il.Branch(OpCodes.Leave, frame.Dispatch);
            il.Region(IlBuffer.Border.End);
        }
        else
        {
            il.Ldloc(frame.Exception);
            LoadFrameMark();
            il.Call(Members.Unwinder(nameof(Unwinder.Caught)));
            int landing = il.DefineLabel();
            il.Branch(OpCodes.Leave, landing);
            il.Region(IlBuffer.Border.End);
            // Where the short way ends: at the return of a call that is the first thing in a block that is entered from the
            // handler alone, so that no local is in a register. The call takes nothing that is used again behind it.
            il.Mark(landing);
            il.Emit(OpCodes.Ldnull);
            il.LdcI8(frame.Cell);
            il.Ldloc(frame.Exception);
            il.LdcI8(UnwindCode.Land);
            il.Calli(ThrowStub.LandSignature);
            il.Stloc(frame.Exception);
            // The cell is the module's, which the instance keeps.
            LoadInstance();
            il.Call(Members.KeepAlive);
        }
        // The filter sets it before it reads it.
        stack.FreeTemp(frame.Filtered);
        region--;
        return place;
    }

    private void LoadFrameMark()
    {
        il.Ldloca(frameMark);
        il.Emit(OpCodes.Conv_U);
    }

    /// <summary>Has a filter take a tag.</summary>
    private int TakeTagAt(int place, in Frame frame, uint tag)
    {
        target.Unwinder?.AddClause(frame.Cell, (int)tag);
        place = il.LdlocAt(place, frame.Filtered);
        place = LoadInstanceAt(place);
        place = il.LdcI4At(place, (int)tag);
        place = il.CallAt(place, Members.Exception(nameof(ExceptionHelpers.HasTag)));
        return il.EmitAt(place, OpCodes.Or);
    }

    /// <summary>Has a filter take every exception of WebAssembly.</summary>
    private void TakeAllAt(int place, in Frame frame)
    {
        target.Unwinder?.AddClause(frame.Cell, -1);
        place = il.LdlocAt(place, frame.Filtered);
        place = il.CallAt(place, Members.Exception(nameof(ExceptionHelpers.IsWasm)));
        il.EmitAt(place, OpCodes.Or);
    }

    /// <summary>The end of a <c>try_table</c>, or of a <c>try</c> without handlers.</summary>
    private void EndTryTable(ref Frame ended)
    {
        if (ended.Clauses is { Length: > 0 } || ended.Kind == OpId.Try) LeaveBody(ref ended);
        else if (!ended.Unreachable) StoreTo(LabelTemps(ref ended));
        CatchClause[] clauses = ended.Clauses ?? [];
        if (clauses.Length > 0 || ended.Kind == OpId.Try)
        {
            int place = EndRegion(ref ended);
            if (clauses.Any(c => c.IsAll)) TakeAllAt(place, ended);
            else foreach (uint tag in clauses.Select(c => c.Tag).Distinct()) place = TakeTagAt(place, ended, tag);
        }
        Frame frame = ended;
        stack.Forget(frame.Height);
        depth--;
        if (clauses.Length > 0 || frame.Kind == OpId.Try)
        {
            il.Mark(frame.Dispatch);
            bool all = false;
            // Of several clauses for a tag the first takes it.
            foreach (CatchClause clause in clauses.DistinctBy(c => (c.IsAll, c.Tag)))
            {
                Handle(clause, frame.Exception);
                all = clause.IsAll;
                if (all) break;
            }
            if (!all) EmitThrow(frame.Exception);
        }
        stack.FreeTemp(frame.Exception);
        EndWithResults(frame);
    }

    /// <summary>Marks the label of a try, which is behind its handlers, and gives its results.</summary>
    private void EndWithResults(in Frame frame)
    {
        if (!frame.IsTargeted)
        {
            SetUnreachable();
            return;
        }
        il.Mark(frame.Label);
        PushResults(frame.End, frame.ResultTemps ?? []);
    }

    /// <summary>A clause in the dispatch: the values go to the label's temporaries.</summary>
    private void Handle(CatchClause clause, int exception)
    {
        int next = il.DefineLabel();
        if (!clause.IsAll) BranchUnlessTag(exception, clause.Tag, next);
        ref Frame frame = ref frames[clause.Frame];
        int[] temps = LabelTemps(ref frame);
        if (!clause.IsAll) Unpack(exception, clause.Tag, temps);
        if (clause.WithRef)
        {
            il.Ldloc(exception);
            il.Stloc(temps[^1]);
        }
        Jump(frame);
        il.Mark(next);
    }

    private void BranchUnlessTag(int exception, uint tag, int label)
    {
        il.Ldloc(exception);
        il.Field(OpCodes.Ldfld, Members.ExceptionTag);
        LoadInstanceElement(Members.Tags, (int)tag);
        il.Branch(OpCodes.Bne_Un, label);
    }

    // ---- legacy try ----

    private void Catch(in Instr instr)
    {
        ref Frame frame = ref frames[depth - 1];
        if (frame.Kind == OpId.Try)
        {
            LeaveBody(ref frame);
            stack.Forget(frame.Height);
            frame.FilterPlace = EndRegion(ref frame);
            il.Mark(frame.Dispatch);
        }
        else
        {
            LeaveBody(ref frame);
            stack.Forget(frame.Height);
            il.Mark(frame.Dispatch);
        }
        frame.Kind = instr.Id;
        frame.Arm = ++arms;
        frame.Unreachable = false;
        frame.Dispatch = il.DefineLabel();
        if (instr.Id == OpId.CatchAll)
        {
            TakeAllAt(frame.FilterPlace, frame);
            return;
        }
        frame.FilterPlace = TakeTagAt(frame.FilterPlace, frame, instr.A);
        BranchUnlessTag(frame.Exception, instr.A, frame.Dispatch);
        var types = ((FuncType)module.Tags[(int)instr.A].Composite).Params;
        int[] temps = TakeTemps(types);
        Unpack(frame.Exception, instr.A, temps);
        for (int i = 0; i < temps.Length; i++) stack.PushTemp(types[i], temps[i]);
    }

    /// <summary>The end of a <c>try</c>'s last handler: what no handler took goes on.</summary>
    private void EndCatch(ref Frame frame)
    {
        LeaveBody(ref frame);
        stack.Forget(frame.Height);
        frame.Unreachable = true;
        if (frame.Kind == OpId.Catch)
        {
            il.Mark(frame.Dispatch);
            EmitThrow(frame.Exception);
        }
        stack.FreeTemp(frame.Exception);
    }

    /// <summary>Ends a <c>try</c>: its exceptions are those of the try at the label, or of the caller.</summary>
    private void Delegate(uint label)
    {
        ref Frame ended = ref frames[depth - 1];
        LeaveBody(ref ended);
        TakeAllAt(EndRegion(ref ended), ended);
        Frame frame = ended;
        stack.Forget(frame.Height);
        depth--;
        il.Mark(frame.Dispatch);
        int to = depth - 1 - (int)label;
        while (to >= 0 && !IsHandler(frames[to])) to--;
        if (to < 0 && rethrowLabel < 0)
        {
            rethrowLabel = il.DefineLabel();
            rethrowTemp = stack.TakeTemp(typeof(WasmException));
        }
        il.Ldloc(frame.Exception);
        il.Stloc(to < 0 ? rethrowTemp : frames[to].Exception);
        int outside = to < 0 ? 0 : frames[to].Region;
        il.Branch(outside == region ? OpCodes.Br : OpCodes.Leave, to < 0 ? rethrowLabel : frames[to].Dispatch);
        stack.FreeTemp(frame.Exception);
        EndWithResults(frame);
    }

    /// <summary>Whether exceptions in the code being emitted come to a frame.</summary>
    private static bool IsHandler(in Frame frame) => frame.Kind == OpId.Try || (frame.Kind == OpId.TryTable && frame.Clauses!.Length > 0);

    // ---- throw ----

    private void Throw(uint tag)
    {
        int to = depth - 1;
        for (; to >= 0; to--)
        {
            if (!IsHandler(frames[to])) continue;
            bool? caught = FindClause(frames[to], tag, out CatchClause clause);
            if (caught == false) continue;
            if (caught == true && !clause.WithRef)
            {
                GoTo(clause, tag);
                return;
            }
            break;
        }
        int exception = MakeException(tag);
        if (to < 0)
        {
            EmitThrow(exception);
            stack.FreeTemp(exception);
            SetUnreachable();
            return;
        }
        il.Ldloc(exception);
        il.Stloc(frames[to].Exception);
        stack.FreeTemp(exception);
        // The dispatch stands in the region around the try, as the try's label does.
        il.Branch(frames[to].Region == region ? OpCodes.Br : OpCodes.Leave, frames[to].Dispatch);
        SetUnreachable();
    }

    /// <summary>The clause of a try that takes a tag: true if it is certain, false if none does, null if only the instance tells.</summary>
    private bool? FindClause(in Frame frame, uint tag, out CatchClause found)
    {
        found = default;
        if (frame.Clauses is null) return null;
        foreach (CatchClause clause in frame.Clauses)
        {
            found = clause;
            if (clause.IsAll || clause.Tag == tag) return true;
            // Two imported tags may be one.
            if (clause.Tag < module.ImportedTags && tag < module.ImportedTags && ReferenceEquals(module.Tags[(int)clause.Tag], module.Tags[(int)tag]))
                return null;
        }
        return false;
    }

    /// <summary>A throw that is a branch: a clause of this function is known to take it, and nobody sees the exception.</summary>
    private void GoTo(CatchClause clause, uint tag)
    {
        int count = ((FuncType)module.Tags[(int)tag].Composite).Params.Length;
        ref Frame frame = ref frames[clause.Frame];
        int[] temps = LabelTemps(ref frame);
        if (clause.IsAll)
        {
            stack.Flush();
            for (int i = 0; i < count; i++) stack.Remove();
        }
        else
        {
            StoreTo(temps);
        }
        stack.Unwind(frames[depth - 1].Height);
        Jump(frame);
        SetUnreachable();
    }

    /// <summary>Makes the exception of a tag with the topmost operands as its values; gives the temporary with it.</summary>
    private int MakeException(uint tag)
    {
        PayloadLayout layout = PayloadLayout.Of((FuncType)module.Tags[(int)tag].Composite);
        stack.Flush();
        int exception = stack.TakeTemp(typeof(WasmException));
        LoadInstance();
        il.LdcI4((int)tag);
        il.Call(Members.Exception(nameof(ExceptionHelpers.Make)));
        il.Stloc(exception);
        for (int i = layout.Types.Length - 1; i >= 0; i--)
        {
            StoreValue(layout, i, exception);
            stack.Remove();
        }
        return exception;
    }

    private void StoreValue(PayloadLayout layout, int index, int exception)
    {
        ValType type = layout.Types[index];
        int slot = layout.Slots[index];
        Operand value = stack[0];
        if (type.IsRef)
        {
            LoadSlot(exception, layout.Refs > PayloadLayout.InlineRefs ? Members.ExceptionRefs : null, slot);
            stack.LoadAt(il.Tail, value);
            if (layout.Refs > PayloadLayout.InlineRefs) il.Emit(OpCodes.Stelem_Ref);
            else il.Field(OpCodes.Stfld, Members.ExceptionRef);
            return;
        }
        int halves = type.Kind == ValKind.V128 ? 2 : 1;
        for (int half = 0; half < halves; half++)
        {
            bool inArray = layout.Words > PayloadLayout.InlineWords;
            LoadSlot(exception, inArray ? Members.ExceptionWords : null, slot + half);
            stack.LoadAt(il.Tail, value);
            switch (type.Kind)
            {
                case ValKind.I32: il.Emit(OpCodes.Conv_U8); break;
                case ValKind.F32:
                    il.Call(Members.BitsOfFloat);
                    il.Emit(OpCodes.Conv_U8);
                    break;
                case ValKind.F64: il.Call(Members.BitsOfDouble); break;
                case ValKind.V128: il.Call(Members.Exception(half == 0 ? nameof(ExceptionHelpers.Low) : nameof(ExceptionHelpers.High))); break;
            }
            if (inArray) il.Emit(OpCodes.Stelem_I8);
            else il.Field(OpCodes.Stfld, Members.ExceptionWord(slot + half));
        }
    }

    /// <summary>Pushes what a value is a part of: the exception, or one of its arrays and the index in it.</summary>
    private void LoadSlot(int exception, System.Reflection.FieldInfo? array, int slot)
    {
        il.Ldloc(exception);
        if (array is null) return;
        il.Field(OpCodes.Ldfld, array);
        il.LdcI4(slot);
    }

    /// <summary>Moves the values of an exception, whose tag is known, to temporaries.</summary>
    private void Unpack(int exception, uint tag, int[] temps)
    {
        PayloadLayout layout = PayloadLayout.Of((FuncType)module.Tags[(int)tag].Composite);
        for (int i = 0; i < layout.Types.Length; i++)
        {
            ValType type = layout.Types[i];
            int slot = layout.Slots[i];
            if (type.IsRef)
            {
                LoadSlot(exception, layout.Refs > PayloadLayout.InlineRefs ? Members.ExceptionRefs : null, slot);
                if (layout.Refs > PayloadLayout.InlineRefs) il.Emit(OpCodes.Ldelem_Ref);
                else il.Field(OpCodes.Ldfld, Members.ExceptionRef);
            }
            else
            {
                LoadWord(layout, exception, slot);
                switch (type.Kind)
                {
                    case ValKind.I32: il.Emit(OpCodes.Conv_I4); break;
                    case ValKind.F32:
                        il.Emit(OpCodes.Conv_I4);
                        EmitFloatOfBits(is64: false);
                        break;
                    case ValKind.F64: EmitFloatOfBits(is64: true); break;
                    case ValKind.V128:
                        LoadWord(layout, exception, slot + 1);
                        il.Call(Members.Exception(nameof(ExceptionHelpers.Vector)));
                        break;
                }
            }
            il.Stloc(temps[i]);
        }
    }

    private void LoadWord(PayloadLayout layout, int exception, int slot)
    {
        bool inArray = layout.Words > PayloadLayout.InlineWords;
        LoadSlot(exception, inArray ? Members.ExceptionWords : null, slot);
        if (inArray) il.Emit(OpCodes.Ldelem_I8);
        else il.Field(OpCodes.Ldfld, Members.ExceptionWord(slot));
    }

    // ---- out of regions ----

    /// <summary>Makes a tail call later, behind the function's code, where it is in no region.</summary>
    private void Defer(ImmutableArray<ValType> parameters, Action call)
    {
        int[] temps = TakeTemps(parameters);
        StoreTo(temps);
        stack.Unwind(frames[depth - 1].Height);
        int label = il.DefineLabel();
        il.Branch(OpCodes.Leave, label);
        deferred.Add((label, parameters, temps, call));
        SetUnreachable();
    }

    private void EmitDeferred()
    {
        foreach ((int label, ImmutableArray<ValType> types, int[] temps, Action call) in deferred)
        {
            PushFrame(OpId.Block, [], []);
            il.Mark(label);
            for (int i = 0; i < temps.Length; i++) stack.PushTemp(types[i], temps[i]);
            call();
            depth--;
        }
        if (rethrowLabel < 0) return;
        il.Mark(rethrowLabel);
        il.Ldloc(rethrowTemp);
        KeepAliveAt(il.Tail);
        il.Emit(OpCodes.Throw);
    }
}
