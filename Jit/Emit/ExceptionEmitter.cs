using System.Collections.Immutable;
using System.Reflection.Emit;
using WasmJit.Jit.Calls;
using WasmJit.Jit.Il;
using WasmJit.Jit.Operators;
using WasmJit.Runtime;

namespace WasmJit.Jit.Emit;

/// <summary>
/// Exceptions (spec 4.6.9 and 4.6.10, and the legacy operators). A try is a protected region of IL. Its handler only keeps the exception and leaves.
/// The code of WebAssembly's handlers stands behind the region, in the function's ordinary code: the <em>dispatch</em>. A filter takes an exception
/// that has a clause, so that nothing is unwound twice. A throw in the region itself goes to the dispatch directly, or straight to the label if the
/// clause is known.
/// </summary>
internal sealed class ExceptionEmitter(EmitterContext context, ControlStack control, Branches branches, PayloadEmitter payloads)
{
    /// <summary>
    /// Protected regions in each other. RyuJIT, which cannot be stopped, takes time and memory for each block and each region around it, optimised or not: a function of 1.6 MB with
    /// 5,000 took more than three minutes and 6 GB, one with 1,000 some seconds.
    /// </summary>
    private const int MostRegions = 1000;

    private readonly IlBuffer il = context.Il;
    private readonly OperandStack stack = context.Stack;
    private readonly ICodeTarget target = context.Target;

    /// <summary>Where exceptions go that a <c>delegate</c> hands to the caller.</summary>
    private int rethrowLabel = -1;

    private int rethrowTemp;

    /// <summary>A local by whose address filters and handlers tell in which frame they are.</summary>
    private int frameMark = -1;

    /// <summary>Emits an operator of the group.</summary>
    internal bool TryEmit(ref CodeReader code, in Instr instr)
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
                branches.SetUnreachable();
                return true;
            case OpId.TryTable: BeginTryTable(ref code, instr); return true;
            case OpId.Try:
                {
                    branches.BlockType(ref code, instr, out ImmutableArray<ValType> start, out ImmutableArray<ValType> end);
                    BeginTry(OpId.Try, start, end, null);
                    return true;
                }
            case OpId.Catch or OpId.CatchAll: Catch(instr); return true;
            case OpId.Delegate: Delegate(instr.A); return true;
            case OpId.Rethrow:
                EmitThrow(control.Target(instr.A).Exception);
                branches.SetUnreachable();
                return true;
            default: return false;
        }
    }

    /// <summary>Throws an exception that is in a local. What follows is unreachable.</summary>
    internal void EmitThrow(int exception)
    {
        if (target.Unwinder is null)
        {
            il.Ldloc(exception);
        }
        else
        {
            context.LoadInstance();
            il.Ldloc(exception);
            il.LdcI8(ThrowStub.Code);
            il.Calli(ThrowStub.Signature);
        }
        context.KeepInstancesAliveAt(il.Tail);
        il.Emit(OpCodes.Throw);
    }

    private void BeginTryTable(ref CodeReader code, in Instr instr)
    {
        branches.BlockType(ref code, instr, out ImmutableArray<ValType> start, out ImmutableArray<ValType> end);
        BeginTry(OpId.TryTable, start, end, CatchClause.ListOf(code, instr, control.Depth));
    }

    private void BeginTry(OpId kind, ImmutableArray<ValType> start, ImmutableArray<ValType> end, CatchClause[]? clauses)
    {
        stack.FlushForBlock();
        control.Push(kind, start, end);
        ref ControlFrame frame = ref control.Top;
        frame.Dispatch = il.DefineLabel();
        frame.Exception = stack.TakeTemp(typeof(WasmException));
        frame.Clauses = clauses;
        if (clauses is { Length: 0 }) return;
        if (control.Region >= MostRegions) throw new UnsupportedModuleException($"a function with more than {MostRegions:N0} tries in each other");
        if (target.Unwinder is { } unwinder)
        {
            int outer = control.Depth - 2;
            while (outer >= 0 && !control[outer].IsHandler) outer--;
            frame.Cell = unwinder.AddRegion(outer < 0 ? 0 : control[outer].Cell);
        }
        // A loop's label must not be the region's first instruction.
        il.Emit(OpCodes.Nop);
        il.Region(IlBuffer.Border.Try);
        control.Region++;
    }

    /// <summary>The end of a body: its results go to the label's temporaries, control to the label.</summary>
    private void LeaveBody(ref ControlFrame frame)
    {
        if (frame.Unreachable) return;
        branches.MoveTo(branches.LabelTemps(ref frame));
        branches.Jump(frame);
    }

    /// <summary>Ends the protected region with a handler that keeps the exception and goes on at the dispatch.</summary>
    /// <returns>The position in the filter where the result is on the IL stack, and can be changed.</returns>
    private int EndRegion(ref ControlFrame frame)
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
        int at = il.LdcI4(0);
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
            // The fast path ends at the return of a call, the first instruction of a block. The block is entered from the handler
            // alone, so no local is in a register there. The call takes nothing that is used again behind it.
            il.Mark(landing);
            il.Emit(OpCodes.Ldnull);
            il.LdcI8(frame.Cell);
            il.Ldloc(frame.Exception);
            il.LdcI8(UnwindCode.Land);
            il.Calli(ThrowStub.LandSignature);
            il.Stloc(frame.Exception);
            // The cell is the module's, which the instance keeps.
            context.LoadInstance();
            il.Call(Members.KeepAlive);
        }
        context.Known.Forget();
        // The filter sets it before it reads it.
        stack.FreeTemp(frame.Filtered);
        control.Region--;
        return at;
    }

    private void LoadFrameMark()
    {
        il.Ldloca(frameMark);
        il.Emit(OpCodes.Conv_U);
    }

    /// <summary>Has a filter take a tag.</summary>
    private int TakeTagAt(int at, in ControlFrame frame, uint tag)
    {
        target.Unwinder?.AddClause(frame.Cell, (int)tag);
        at = il.LdlocAt(at, frame.Filtered);
        at = context.LoadInstanceAt(at);
        at = il.LdcI4At(at, (int)tag);
        at = il.CallAt(at, Members.Exception(nameof(ExceptionHelpers.HasTag)));
        return il.EmitAt(at, OpCodes.Or);
    }

    /// <summary>Has a filter take every exception of WebAssembly.</summary>
    private void TakeAllAt(int at, in ControlFrame frame)
    {
        target.Unwinder?.AddClause(frame.Cell, -1);
        at = il.LdlocAt(at, frame.Filtered);
        at = il.CallAt(at, Members.Exception(nameof(ExceptionHelpers.IsWasm)));
        il.EmitAt(at, OpCodes.Or);
    }

    /// <summary>The end of a <c>try_table</c>, or of a <c>try</c> without handlers.</summary>
    internal void EndTryTable(ref ControlFrame ended)
    {
        if (ended.Clauses is { Length: > 0 } || ended.Kind == OpId.Try) LeaveBody(ref ended);
        else if (!ended.Unreachable) branches.MoveTo(branches.LabelTemps(ref ended));
        CatchClause[] clauses = ended.Clauses ?? [];
        if (clauses.Length > 0 || ended.Kind == OpId.Try)
        {
            int at = EndRegion(ref ended);
            if (clauses.Any(c => c.IsAll)) TakeAllAt(at, ended);
            else foreach (uint tag in clauses.Select(c => c.Tag).Distinct()) at = TakeTagAt(at, ended, tag);
        }
        ControlFrame frame = ended;
        stack.Forget(frame.Height);
        control.Pop();
        if (clauses.Length > 0 || frame.Kind == OpId.Try)
        {
            il.Mark(frame.Dispatch);
            bool all = false;
            // The first of several clauses for a tag takes it.
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
    private void EndWithResults(in ControlFrame frame)
    {
        if (!frame.IsTargeted)
        {
            branches.SetUnreachable();
            return;
        }
        il.Mark(frame.Label);
        context.Known.GoOnWith(frame.KnownAtLabel);
        branches.PushResults(frame.End, frame.ResultTemps ?? []);
    }

    /// <summary>A clause in the dispatch: the values go to the label's temporaries.</summary>
    private void Handle(CatchClause clause, int exception)
    {
        int next = il.DefineLabel();
        if (!clause.IsAll) BranchUnlessTag(exception, clause.Tag, next);
        ref ControlFrame frame = ref control[clause.Frame];
        int[] temps = branches.LabelTemps(ref frame);
        if (!clause.IsAll) payloads.Unpack(exception, clause.Tag, temps);
        if (clause.WithRef)
        {
            il.Ldloc(exception);
            il.Stloc(temps[^1]);
        }
        branches.Jump(frame);
        il.Mark(next);
    }

    private void BranchUnlessTag(int exception, uint tag, int label)
    {
        il.Ldloc(exception);
        il.Field(OpCodes.Ldfld, Members.ExceptionTag);
        context.LoadInstanceElement(Members.Tags, (int)tag);
        il.Branch(OpCodes.Bne_Un, label);
    }

    internal void Catch(in Instr instr)
    {
        ref ControlFrame frame = ref control.Top;
        if (frame.Kind == OpId.Try)
        {
            LeaveBody(ref frame);
            stack.Forget(frame.Height);
            frame.FilterEnd = EndRegion(ref frame);
            il.Mark(frame.Dispatch);
        }
        else
        {
            LeaveBody(ref frame);
            stack.Forget(frame.Height);
            il.Mark(frame.Dispatch);
        }
        context.Known.Forget();
        frame.Kind = instr.Id;
        frame.Arm = control.NewArm();
        frame.Unreachable = false;
        frame.Dispatch = il.DefineLabel();
        if (instr.Id == OpId.CatchAll)
        {
            TakeAllAt(frame.FilterEnd, frame);
            return;
        }
        frame.FilterEnd = TakeTagAt(frame.FilterEnd, frame, instr.A);
        BranchUnlessTag(frame.Exception, instr.A, frame.Dispatch);
        var types = ((FuncType)context.Module.Tags[(int)instr.A].Composite).Params;
        int[] temps = branches.TakeTemps(types);
        payloads.Unpack(frame.Exception, instr.A, temps);
        for (int i = 0; i < temps.Length; i++) stack.PushTemp(types[i], temps[i]);
    }

    /// <summary>The end of a <c>try</c>'s last handler: what no handler took goes on.</summary>
    internal void EndCatch(ref ControlFrame frame)
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
    internal void Delegate(uint label)
    {
        ref ControlFrame ended = ref control.Top;
        LeaveBody(ref ended);
        TakeAllAt(EndRegion(ref ended), ended);
        ControlFrame frame = ended;
        stack.Forget(frame.Height);
        control.Pop();
        il.Mark(frame.Dispatch);
        int to = control.Depth - 1 - (int)label;
        while (to >= 0 && !control[to].IsHandler) to--;
        if (to < 0 && rethrowLabel < 0)
        {
            rethrowLabel = il.DefineLabel();
            rethrowTemp = stack.TakeTemp(typeof(WasmException));
        }
        il.Ldloc(frame.Exception);
        il.Stloc(to < 0 ? rethrowTemp : control[to].Exception);
        int outside = to < 0 ? 0 : control[to].Region;
        branches.Jump(to < 0 ? rethrowLabel : control[to].Dispatch, outside);
        stack.FreeTemp(frame.Exception);
        EndWithResults(frame);
    }

    private void Throw(uint tag)
    {
        int to = control.Depth - 1;
        for (; to >= 0; to--)
        {
            if (!control[to].IsHandler) continue;
            bool? caught = FindClause(control[to], tag, out CatchClause clause);
            if (caught == false) continue;
            if (caught == true && !clause.WithRef)
            {
                GoTo(clause, tag);
                return;
            }
            break;
        }
        int exception = payloads.Make(tag);
        if (to < 0)
        {
            EmitThrow(exception);
            stack.FreeTemp(exception);
            branches.SetUnreachable();
            return;
        }
        il.Ldloc(exception);
        il.Stloc(control[to].Exception);
        stack.FreeTemp(exception);
        // The dispatch stands in the region around the try, as the try's label does.
        branches.Jump(control[to].Dispatch, control[to].Region);
        branches.SetUnreachable();
    }

    /// <summary>The clause of a try that takes a tag: true if it is certain, false if none does, null if only the instance tells.</summary>
    private bool? FindClause(in ControlFrame frame, uint tag, out CatchClause found)
    {
        found = default;
        if (frame.Clauses is null) return null;
        foreach (CatchClause clause in frame.Clauses)
        {
            found = clause;
            if (clause.IsAll || clause.Tag == tag) return true;
            // Two imported tags may be one.
            if (clause.Tag < context.Module.ImportedTags && tag < context.Module.ImportedTags && ReferenceEquals(context.Module.Tags[(int)clause.Tag], context.Module.Tags[(int)tag]))
                return null;
        }
        return false;
    }

    /// <summary>A throw that is a branch: a clause of this function is known to take it, and no other code sees the exception.</summary>
    private void GoTo(CatchClause clause, uint tag)
    {
        int count = ((FuncType)context.Module.Tags[(int)tag].Composite).Params.Length;
        ref ControlFrame frame = ref control[clause.Frame];
        int[] temps = branches.LabelTemps(ref frame);
        if (clause.IsAll)
        {
            stack.Flush();
            for (int i = 0; i < count; i++) stack.Remove();
        }
        else
        {
            branches.MoveTo(temps);
        }
        stack.Unwind(control.Top.Height);
        branches.Jump(frame);
        branches.SetUnreachable();
    }

    /// <summary>Behind the function's code: what a <c>delegate</c> hands to the caller.</summary>
    internal void EmitRethrow()
    {
        if (rethrowLabel < 0) return;
        il.Mark(rethrowLabel);
        il.Ldloc(rethrowTemp);
        context.KeepInstancesAliveAt(il.Tail);
        il.Emit(OpCodes.Throw);
    }
}
