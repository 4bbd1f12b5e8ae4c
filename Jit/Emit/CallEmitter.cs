using System.Collections.Immutable;
using System.Reflection;
using System.Reflection.Emit;
using WasmJit.Jit.Binary;
using WasmJit.Jit.Calls;
using WasmJit.Jit.Il;
using WasmJit.Jit.Operators;
using WasmJit.Runtime;

namespace WasmJit.Jit.Emit;

/// <summary>Calls (spec 4.6.10): of functions known by their index, of references, through tables, and of exports of known modules.</summary>
internal sealed class CallEmitter(EmitterContext context, ControlStack control, Branches branches, Inliner inliner, Assertions assertions)
{
    private readonly IlBuffer il = context.Il;
    private readonly OperandStack stack = context.Stack;
    private readonly ICodeTarget target = context.Target;

    private ModuleInfo module => context.Module;

    /// <summary>Tail calls out of protected regions, which IL has no instruction for: they are made at the function's end.</summary>
    private readonly List<(int Label, ImmutableArray<ValType> Types, int[] Temps, Action Call)> deferred = [];

    /// <summary>Calls a function of the module.</summary>
    internal void Call(int index, bool tail)
    {
        FuncInfo callee = module.Funcs[index];
        Signature called = Signature.Of(callee.Type);
        int count = callee.Func.Params.Length;
        if (tail && control.Region > 0)
        {
            Defer(callee.Func.Params, () => Call(index, true));
            return;
        }
        if (!tail && inliner.TryInline(module, index, -1)) return;
        if (tail) DropBelow(count);
        bool onStack = false;
        for (int i = 0; i < count; i++) onStack |= stack[i].Kind == OperandKind.Stack;
        int local = -1;
        if (callee.IsImported && !onStack)
        {
            // Arguments that are in temporaries still have them.
            local = stack.TakeTemp(typeof(FuncRef));
            context.LoadInstanceElement(Members.Funcs, index);
            il.Stloc(local);
        }
        int start = stack.Take(count, out int treeDepth, out _);
        if (callee.IsImported && onStack)
        {
            // The code of the arguments exists already, and nothing is stored in front of it.
            il.FieldAt(context.LoadElementAt(context.LoadInstanceAt(start), Members.Funcs, index), OpCodes.Ldfld, Members.FuncContext);
            if (tail) context.KeepInstancesAliveAt(il.Tail);
            context.LoadInstanceElement(Members.Funcs, index);
            il.Field(OpCodes.Ldfld, Members.FuncCode);
        }
        else if (callee.IsImported)
        {
            il.FieldAt(il.LdlocAt(start, local), OpCodes.Ldfld, Members.FuncContext);
            if (tail) context.KeepInstancesAliveAt(il.Tail);
            il.Ldloc(local);
            il.Field(OpCodes.Ldfld, Members.FuncCode);
            stack.FreeTemp(local);
        }
        else
        {
            context.LoadInstanceAt(start);
            target.LoadCode(il, module, index);
        }
        FinishCall(callee.Func, called, tail, mayReturn: callee.IsImported, start, treeDepth);
    }

    /// <summary>The call itself, all arguments and the address being on the IL stack.</summary>
    /// <param name="type">The function's type.</param>
    /// <param name="called">Its signature.</param>
    /// <param name="tail">Whether it is a tail call.</param>
    /// <param name="mayReturn">
    /// Whether what is called may be the host, which may call this function again. Frames of the host and of entries are then the only ones on the stack,
    /// and this function is the only one that can ask how much is left.
    /// </param>
    /// <param name="start">Where the operands' code begins.</param>
    /// <param name="treeDepth">How deep the operands' code is as a tree.</param>
    private void FinishCall(FuncType type, Signature called, bool tail, bool mayReturn, int start, int treeDepth)
    {
        if (!tail) assertions.StackIsLeft();
        il.Calli(called, tail, start);
        if (tail)
        {
            context.HasTailCalls = true;
            context.HasCalls |= mayReturn;
            il.Emit(OpCodes.Ret);
            branches.SetUnreachable();
            return;
        }
        context.HasCalls = true;
        context.NoteOtherCode();
        if (target.CountsFuel) context.Calls.Add(il.Tail);
        if (type.Results.Length == 1) stack.PushStack(type.Results[0], start, treeDepth);
        else if (type.Results.Length > 1) PushTuple(type.Results, called.Return);
    }

    /// <summary>How many values a tuple has beside its Rest.</summary>
    private const int FlatTuple = 7;

    /// <summary>Takes a tuple on the IL stack apart.</summary>
    internal void PushTuple(ImmutableArray<ValType> types, Type tuple)
    {
        int whole = stack.TakeTemp(tuple);
        il.Stloc(whole);
        if (types.Length > FlatTuple) il.Ldloca(whole);
        for (int i = 0; i < types.Length; i++)
        {
            int temp = stack.TakeTemp(Signature.ClrType(types[i]));
            if (types.Length <= FlatTuple)
            {
                il.Ldloca(whole);
            }
            else
            {
                // The address of what is inside stays on the IL stack: a path from the outside for each would be quadratic.
                if (i > 0 && i % FlatTuple == 0)
                {
                    FieldInfo rest = tuple.GetField("Rest")!;
                    il.Field(OpCodes.Ldflda, rest);
                    tuple = rest.FieldType;
                }
                if (i < types.Length - 1) il.Emit(OpCodes.Dup);
            }
            il.Field(OpCodes.Ldfld, tuple.GetField($"Item{(i % FlatTuple) + 1}")!);
            il.Stloc(temp);
            stack.PushTemp(types[i], temp);
        }
        stack.FreeTemp(whole);
    }

    /// <summary>A tail call leaves nothing else on the IL stack.</summary>
    private void DropBelow(int keep)
    {
        for (int i = keep; i < stack.Count; i++)
            if (stack[i].Kind == OperandKind.Stack)
            {
                stack.FlushBelow(keep);
                return;
            }
    }

    /// <summary>Calls through a table, of the module or behind a reference.</summary>
    internal void CallIndirect(in Instr instr, uint type, uint table, bool tail)
    {
        DefType callee = module.Types[(int)type];
        int local = stack.TakeTemp(typeof(FuncRef));
        bool is64 = context.TableOf(instr, table).Is64;
        stack.Take(instr.Op.IsThroughReference ? 2 : 1);
        if (!instr.Op.IsThroughReference) context.LoadTable((int)table);
        target.LoadTypeId(il, callee);
        context.LoadInstance();
        il.LdcI4((int)type);
        il.Call(instr.Op.IsThroughReference
            ? Members.TableReference(is64 ? nameof(TableReferences.Resolve64) : nameof(TableReferences.Resolve32))
            : Members.Helper(is64 ? nameof(CodeHelpers.Resolve64) : nameof(CodeHelpers.Resolve32)));
        il.Stloc(local);
        CallThrough(local, (FuncType)callee.Composite, callee, tail);
    }

    /// <summary>Calls a reference.</summary>
    internal void CallRef(uint type, bool tail)
    {
        var callee = (FuncType)module.Types[(int)type].Composite;
        int local = stack.TakeTemp(typeof(FuncRef));
        stack.Take(1);
        il.Call(Members.Helper(nameof(CodeHelpers.NonNullFunc)));
        il.Stloc(local);
        CallThrough(local, callee, module.Types[(int)type], tail);
    }

    /// <summary>Calls the function in a temporary; arguments already on the IL stack make room for its context.</summary>
    internal void CallThrough(int local, FuncType type, DefType def, bool tail)
    {
        int count = type.Params.Length;
        if (tail && control.Region > 0)
        {
            Defer(type.Params, () => CallThrough(local, type, def, true));
            return;
        }
        if (tail) stack.Flush();
        bool onStack = false;
        for (int i = 0; i < count; i++) onStack |= stack[i].Kind == OperandKind.Stack;
        if (onStack) stack.Flush();
        int start = il.Tail;
        il.Ldloc(local);
        il.Field(OpCodes.Ldfld, Members.FuncContext);
        stack.Take(count);
        if (tail) context.KeepInstancesAliveAt(il.Tail);
        il.Ldloc(local);
        il.Field(OpCodes.Ldfld, Members.FuncCode);
        stack.FreeTemp(local);
        FinishCall(type, Signature.Of(def), tail, mayReturn: true, start, 1);
    }

    /// <summary>
    /// A function of a defined module is known: it is called with the instance, whichever closure of the module made it. A function of an imported
    /// module is looked up by its name.
    /// </summary>
    internal void CallExport(ModuleDecl made, string name, bool tail)
    {
        ExternType export = ((InstanceType)made.Exact.InstanceType.Composite).Find(name)!;
        if (made.Definition is not { } owner)
        {
            int found = stack.TakeTemp(typeof(FuncRef));
            stack.Take(1);
            context.LoadInstance();
            il.LdcI4(module.State.NumberOfExport(uint.MaxValue, name));
            il.Ldstr(name);
            il.Call(Members.Helper(nameof(CodeHelpers.GetExport)));
            il.Stloc(found);
            CallThrough(found, export.Func, export.Def, tail);
            return;
        }
        int index = (int)owner.FindExport(name)!.Index;
        int instance = stack.TakeTemp(typeof(InstanceCore));
        stack.Take(1);
        il.Call(Members.Helper(nameof(CodeHelpers.NonNullInstance)));
        il.Stloc(instance);
        if (index >= owner.ImportedFuncs)
        {
            CallOwn(owner, index, instance, tail);
            return;
        }
        int function = stack.TakeTemp(typeof(FuncRef));
        context.LoadElementAt(il.Ldloc(instance), Members.Funcs, index);
        il.Stloc(function);
        stack.FreeTemp(instance);
        CallThrough(function, export.Func, export.Def, tail);
    }

    /// <summary>Calls a function of another module's own, with the instance in a temporary, which is then free.</summary>
    private void CallOwn(ModuleInfo owner, int index, int instance, bool tail)
    {
        FuncInfo callee = owner.Funcs[index];
        int count = callee.Func.Params.Length;
        if (tail && control.Region > 0)
        {
            Defer(callee.Func.Params, () => CallOwn(owner, index, instance, true));
            return;
        }
        if (!tail && inliner.TryInline(owner, index, instance))
        {
            stack.FreeTemp(instance);
            return;
        }
        bool onStack = tail;
        for (int i = 0; i < count; i++) onStack |= stack[i].Kind == OperandKind.Stack;
        if (onStack) stack.Flush();
        int start = il.Tail;
        il.Ldloc(instance);
        stack.Take(count);
        if (tail) context.KeepInstancesAliveAt(il.Tail);
        target.LoadCode(il, owner, index);
        stack.FreeTemp(instance);
        FinishCall(callee.Func, Signature.Of(callee.Type), tail, mayReturn: false, start, 1);
    }

    /// <summary>Makes a tail call later, behind the function's code, where it is in no region.</summary>
    private void Defer(ImmutableArray<ValType> parameters, Action call)
    {
        int[] temps = branches.TakeTemps(parameters);
        branches.MoveTo(temps);
        stack.Unwind(control.Top.Height);
        int label = il.DefineLabel();
        il.Branch(OpCodes.Leave, label);
        deferred.Add((label, parameters, temps, call));
        branches.SetUnreachable();
    }

    /// <summary>Makes the tail calls that <see cref="Defer"/> has put off, behind the function's code.</summary>
    internal void EmitDeferred()
    {
        foreach ((int label, ImmutableArray<ValType> types, int[] temps, Action call) in deferred)
        {
            control.Push(OpId.Block, [], []);
            il.Mark(label);
            for (int i = 0; i < temps.Length; i++) stack.PushTemp(types[i], temps[i]);
            call();
            control.Pop();
        }
    }
}
