using System.Collections.Immutable;
using System.Reflection.Emit;

namespace WasmJit.Jit;

/// <summary>
/// Small functions are put into their callers, from the same module and, where the instance of a nested one is at hand, across
/// the border. Arguments that are constants or locals stand for the parameters themselves; the function's frame becomes a block.
/// </summary>
internal sealed partial class FunctionEmitter
{
    /// <summary>How many operators of others a function may take in.</summary>
    private const int MaxInlined = 600;

    /// <summary>A function that is already this large takes in nothing more: RyuJIT's limits are near.</summary>
    private const int MaxInstructions = 9_000;

    /// <summary>The use of an instance's memories and globals through raw pointers.</summary>
    private sealed class InstanceUse(int local)
    {
        /// <summary>The local with the instance; -1 for the function's argument.</summary>
        internal int Local { get; } = local;

        internal Dictionary<uint, int> MemoryBases { get; } = [];
        internal Dictionary<uint, int> MemoryObjects { get; } = [];
        internal bool UsesMemory { get; set; }

        /// <summary>
        /// Where the instance must still be alive if its memory or globals are in use: loops, which may have no end, and ways
        /// out that are no return. The JIT knows only uses; an instance without any is garbage.
        /// </summary>
        internal List<int> KeepAlives { get; } = [];
    }

    /// <summary>A function whose code is being emitted: the whole, or one put into it.</summary>
    private sealed class Activation(ModuleInfo module, int index, InstanceUse use, Activation? caller, int frameBase, int stackBase)
    {
        internal ModuleInfo Module { get; } = module;
        internal int Index { get; } = index;
        internal FuncInfo Func { get; } = module.Funcs[index];
        internal InstanceUse Use { get; } = use;
        internal Activation? Caller { get; } = caller;

        /// <summary>The function's own control frame.</summary>
        internal int FrameBase { get; } = frameBase;

        /// <summary>How many operands there are below its own.</summary>
        internal int StackBase { get; } = stackBase;

        internal ProvenTypes Proven { get; } = new(module, index);

        /// <summary>What <c>local.get</c> gives: a place, or what stands for a parameter that is never written.</summary>
        internal Operand[] Locals { get; set; } = [];

        /// <summary>Temporaries that end with the activation.</summary>
        internal List<int> Temps { get; } = [];
    }

    /// <summary>Where the wasm locals of all activations are.</summary>
    private readonly List<(bool IsArg, int Index)> places = [];

    /// <summary>The declared types of these locals: what is in one is of this type, whatever an operand read from it or stored to it is.</summary>
    private readonly List<ValType> placeTypes = [];
    private int inlined;

    private Operand DeclarePlace(ValType type, (bool IsArg, int Index) place)
    {
        places.Add(place);
        placeTypes.Add(type);
        return new Operand { Kind = OperandKind.Local, Type = type, Index = places.Count - 1 };
    }

    /// <summary>Pushes the running function's instance.</summary>
    private int LoadInstanceAt(int at) => LoadAt(at, current.Use);

    private int LoadInstance() => LoadInstanceAt(il.Tail);

    private int LoadAt(int at, InstanceUse use) => use.Local < 0 ? il.LdargAt(at, 0) : il.LdlocAt(at, use.Local);

    /// <summary>Notes a loop or a way out.</summary>
    private void KeepAliveAt(int place)
    {
        referenceKeepAlives.Add(place);
        for (Activation? activation = current; activation is not null; activation = activation.Caller)
            if (activation.Caller?.Use != activation.Use) activation.Use.KeepAlives.Add(place);
    }

    /// <summary>Emits what the use of the current instance needs first, at <paramref name="at"/>, and where it must be alive.</summary>
    private int FinishUse(int at)
    {
        InstanceUse use = current.Use;
        foreach ((uint memory, int local) in use.MemoryObjects) at = il.StlocAt(LoadMemoryAt(at, (int)memory), local);
        if (use.UsesMemory)
            foreach (int place in use.KeepAlives) il.CallAt(LoadAt(place, use), Members.KeepAlive);
        foreach ((uint memory, int local) in use.MemoryBases)
        {
            at = LoadInstanceAt(at);
            if (memory == 0)
            {
                at = il.FieldAt(at, OpCodes.Ldfld, Members.Memory0Base);
            }
            else
            {
                at = LoadElementAt(at, Members.Memories, (int)memory);
                at = il.FieldAt(at, OpCodes.Ldfld, Members.MemoryBase);
            }
            at = il.StlocAt(at, local);
        }
        return at;
    }

    /// <summary>
    /// Emits a small function in place of a call; its arguments are the topmost operands.
    /// </summary>
    /// <param name="owner">The module that defines it.</param>
    /// <param name="index">Its index there.</param>
    /// <param name="instance">The local with its instance, which is not null; -1 for that of the calling function.</param>
    private bool TryInline(ModuleInfo owner, int index, int instance)
    {
        if (!target.Inlines || il.Instructions > MaxInstructions || InlineInfo.Of(owner, index) is not { } info
            || inlined + info.Operators > MaxInlined)
            return false;
        int chain = 0;
        for (Activation? a = current; a is not null; a = a.Caller)
            if (++chain > InlineInfo.MaxDepth || (ReferenceEquals(a.Module, owner) && a.Index == index)) return false;
        inlined += info.Operators;

        var activation = new Activation(owner, index, instance < 0 ? current.Use : new InstanceUse(instance), current, depth,
            stack.Count - owner.Funcs[index].Func.Params.Length);
        activation.Locals = TakeArguments(activation, info);
        // Blocks in it save pending reads of the caller's locals: behind a branch out of it they would be saved on one path only.
        if (!info.IsStraight) stack.FlushForBlock();
        int entry = il.Emit(OpCodes.Nop);
        PushFrame(OpId.Block, [], activation.Func.Func.Results);
        current = activation;
        var code = new CodeReader(owner.Bytes.Span, activation.Func.CodeStart, activation.Func.BodyEnd);
        bool returns = true;
        while (depth > activation.FrameBase)
        {
            code.Read(out Instr instr);
            EmitNext(ref code, ref instr);
            if (depth == activation.FrameBase) returns = lastReturns;
        }
        if (activation.Use != activation.Caller!.Use)
        {
            if (returns && activation.Use.UsesMemory)
            {
                LoadInstance();
                il.Call(Members.KeepAlive);
            }
            FinishUse(entry);
        }
        current = activation.Caller;
        foreach (int temp in activation.Temps) stack.FreeTemp(temp);
        if (!returns) SetUnreachable();
        return true;
    }

    private bool lastReturns;

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
                    locals.Add(DeclarePlace(parameters[i], (false, argument.Index)));
                    continue;
            }
            int temp = stack.TakeTemp(Signature.ClrType(parameters[i]));
            activation.Temps.Add(temp);
            locals.Add(DeclarePlace(parameters[i], (false, temp)));
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
                // The place may have been in use before, and the code may be run again.
                int temp = stack.TakeTemp(Signature.ClrType(run.Type));
                activation.Temps.Add(temp);
                stack.LoadAt(il.Tail, new Operand { Kind = OperandKind.Const, Type = run.Type }, hides: true);
                il.Stloc(temp);
                locals.Add(DeclarePlace(run.Type, (false, temp)));
            }
        return [.. locals];
    }

    /// <summary>The end of a function put into another: its results are operands of the caller.</summary>
    private void EndInlined(ref Frame frame)
    {
        ImmutableArray<ValType> types = frame.End;
        lastReturns = frame.IsTargeted || !frame.Unreachable;
        if (frame.IsTargeted)
        {
            frame.ResultTemps ??= TakeTempsAt(frame.Height, types);
            if (!frame.Unreachable) StoreTo(frame.ResultTemps);
            il.Mark(frame.Label);
        }
        else if (!frame.Unreachable && types.Length == 1 && stack[0].Kind == OperandKind.Local)
        {
            ValType type = stack[0].Type;
            Compare(stack[0]);
            int start = stack.Take(1);
            stack.PushStack(type, start);
            // A local may hold anything.
            stack[0].IsPromoted = true;
        }
        else if (!frame.Unreachable && (types.Length > 1 || (types.Length == 1 && stack[0].Kind == OperandKind.FrameTemp)))
        {
            StoreTo(frame.ResultTemps = TakeTempsAt(frame.Height, types));
        }
        depth--;
        if (frame.ResultTemps is null || !lastReturns) return;
        PushResults(types, frame.ResultTemps);
    }
}
