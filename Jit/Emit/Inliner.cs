using System.Collections.Immutable;
using System.Reflection.Emit;
using WasmJit.Jit.Binary;
using WasmJit.Jit.Calls;
using WasmJit.Jit.Il;
using WasmJit.Jit.Operators;

namespace WasmJit.Jit.Emit;

/// <summary>
/// Inlines small functions, from the same module and from nested ones whose instance is at hand. Arguments that are constants or locals stand for the
/// parameters themselves. The function's frame becomes a block. A function that calls itself is put into itself alone, some levels deep.
/// </summary>
/// <param name="context">The function that is compiled.</param>
/// <param name="control">Its open blocks.</param>
/// <param name="branches">Labels.</param>
/// <param name="rotations">Rotations.</param>
/// <param name="limits">Charges functions that are put into this one.</param>
/// <param name="emitBody">Emits the operators of the current activation's function, its last <c>end</c> excluded.</param>
internal sealed class Inliner(EmitterContext context, ControlStack control, Branches branches, Rotations rotations, FuelAndPolls limits, Action emitBody)
{
    private readonly IlBuffer il = context.Il;
    private readonly OperandStack stack = context.Stack;
    private readonly LocalPlaces places = context.Places;

    /// <summary>How many operators of inlined functions a function may get.</summary>
    private const int MaxInlined = 600;

    /// <summary>Nothing is inlined into a function that is already this large: RyuJIT's limits are near.</summary>
    private const int MaxInstructions = 9_000;

    private int inlined;

    /// <summary>
    /// Emits a small function in place of a call; its arguments are the topmost operands.
    /// </summary>
    /// <param name="owner">The module that defines it.</param>
    /// <param name="index">Its index there.</param>
    /// <param name="instance">The local with its instance, which is not null; -1 for that of the calling function.</param>
    internal bool TryInline(ModuleInfo owner, int index, int instance)
    {
        if (!context.Target.Inlines || il.Instructions > MaxInstructions || InlineInfo.Of(owner, index) is not { } info
            || inlined + info.Operators > MaxInlined)
            return false;
        // Another instance may have other fuel.
        if (limits.Charges && instance >= 0) return false;
        if (!MayBeIn(owner, index, info)) return false;
        inlined += info.Operators;

        var activation = new Activation(owner, index, instance < 0 ? context.Current.Use : new InstanceUse(instance), context.Current, control.Depth,
            stack.Count - owner.Funcs[index].Func.Params.Length);
        activation.Locals = TakeArguments(activation, info);
        // Blocks in it save pending reads of the caller's locals: behind a branch out of it they would be saved on one path only.
        if (!info.IsStraight || limits.Charges) stack.FlushForBlock();
        int entry = il.Emit(OpCodes.Nop);
        control.Push(OpId.Block, [], activation.Func.Func.Results);
        context.Current = activation;
        limits.BeginInlined();
        emitBody();
        bool returns = End();
        limits.EndInlined();
        if (activation.Use != activation.Caller!.Use)
        {
            if (returns && activation.Use.UsesMemory)
            {
                context.LoadInstance();
                il.Call(Members.KeepAlive);
            }
            context.FinishUseAt(entry);
        }
        context.Current = activation.Caller;
        foreach (int temp in activation.Temps) stack.FreeTemp(temp);
        if (!returns) branches.SetUnreachable();
        return true;
    }

    /// <summary>
    /// Whether a function may be put here: one that calls itself into itself alone, up to its levels; any other where it is not yet, up to <see cref="InlineInfo.MaxDepth"/>.
    /// </summary>
    private bool MayBeIn(ModuleInfo owner, int index, InlineInfo info)
    {
        // How many functions the code being emitted belongs to, one in the other; and how many of them are this one.
        int chain = 0, itself = 0;
        for (Activation? a = context.Current; a is not null; a = a.Caller)
        {
            chain++;
            if (ReferenceEquals(a.Module, owner) && a.Index == index) itself++;
        }
        return info.Levels > 0 ? itself == chain && itself <= info.Levels : itself == 0 && chain <= InlineInfo.MaxDepth;
    }

    /// <summary>Gives each local its place: parameters that are never written may be the arguments themselves.</summary>
    private Operand[] TakeArguments(Activation activation, InlineInfo info)
    {
        ImmutableArray<ValType> parameters = activation.Func.Func.Params;
        var locals = new List<Operand>(parameters.Length);
        var copies = new List<(Operand From, int To)>();
        for (int i = parameters.Length - 1; i >= 0; i--)
        {
            stack.HideKnown(1);
            Operand argument = stack.Pop();
            bool isWritten = (info.Written >> i & 1) != 0;
            switch (argument.Kind)
            {
                case OperandKind.Const or OperandKind.Local when !isWritten:
                    locals.Add(argument);
                    continue;
                case OperandKind.Temp:
                    activation.Temps.Add(argument.Index);
                    locals.Add(places.Declare(parameters[i], (false, argument.Index)));
                    continue;
            }
            int temp = stack.TakeTemp(Signature.ClrType(parameters[i]));
            activation.Temps.Add(temp);
            locals.Add(places.Declare(parameters[i], (false, temp)));
            if (argument.Kind == OperandKind.Stack) il.Stloc(temp);
            else copies.Add((argument, temp));
        }
        foreach ((Operand from, int to) in copies)
        {
            stack.LoadAt(il.Tail, from, hides: true);
            il.Stloc(to);
        }
        locals.Reverse();
        foreach (LocalRun run in activation.Func.Locals)
            for (int i = 0; i < run.Count; i++)
            {
                // The place may have been in use before, and the code may run again.
                int temp = stack.TakeTemp(Signature.ClrType(run.Type));
                activation.Temps.Add(temp);
                stack.LoadAt(il.Tail, new Operand { Kind = OperandKind.Const, Type = run.Type }, hides: true);
                il.Stloc(temp);
                locals.Add(places.Declare(run.Type, (false, temp)));
            }
        return [.. locals];
    }

    /// <summary>The end of an inlined function: its results are operands of the caller.</summary>
    /// <returns>Whether control comes there.</returns>
    private bool End()
    {
        ref ControlFrame frame = ref control.Top;
        ImmutableArray<ValType> types = frame.End;
        bool returns = frame.IsTargeted || !frame.Unreachable;
        if (frame.IsTargeted)
        {
            frame.ResultTemps ??= branches.TakeTempsAt(frame.Height, types);
            if (!frame.Unreachable)
            {
                branches.MoveTo(frame.ResultTemps);
                frame.Target(context.Known);
            }
            il.Mark(frame.Label);
            context.Known.GoOnWith(frame.KnownAtLabel);
        }
        else if (!frame.Unreachable && types.Length == 1 && stack[0].Kind == OperandKind.Local)
        {
            ValType type = stack[0].Type;
            rotations.BeforeTest(stack[0]);
            int start = stack.Take(1);
            stack.PushStack(type, start);
            // A local may hold anything.
            stack[0].IsPromoted = true;
        }
        else if (!frame.Unreachable && (types.Length > 1 || (types.Length == 1 && stack[0].Kind == OperandKind.FrameTemp)))
        {
            branches.MoveTo(frame.ResultTemps = branches.TakeTempsAt(frame.Height, types));
        }
        control.Pop();
        stack.EndOperator();
        if (!returns && limits.Charges)
        {
            // The caller pays for what stands behind the call, as if this were one: that is emitted, and never runs.
            il.Mark(il.DefineLabel());
            foreach (ValType type in types)
                if (type.Kind == ValKind.V128) stack.PushVector(0, 0);
                else stack.PushConst(type, 0);
            return true;
        }
        if (frame.ResultTemps is null || !returns) return returns;
        branches.PushResults(types, frame.ResultTemps);
        return true;
    }
}
