using System.Collections.Immutable;
using System.Reflection;
using System.Reflection.Emit;
using WasmJit.Runtime;

namespace WasmJit.Jit;

/// <summary>Calls and references to functions (spec 4.6.10).</summary>
internal sealed partial class FunctionEmitter
{
    private void Call(int index, bool tail)
    {
        FuncInfo callee = module.Funcs[index];
        Signature called = Signature.Of(callee.Type);
        int count = callee.Func.Params.Length;
        if (tail && region > 0)
        {
            Defer(callee.Func.Params, () => Call(index, true));
            return;
        }
        if (!tail && TryInline(module, index, -1)) return;
        if (tail) DropBelow(count);
        bool onStack = false;
        for (int i = 0; i < count; i++) onStack |= stack[i].Kind == OperandKind.Stack;
        int local = -1;
        if (callee.IsImported && !onStack)
        {
            // Arguments that are in temporaries still have them.
            local = stack.TakeTemp(typeof(FuncRef));
            LoadInstanceElement(Members.Funcs, index);
            il.Stloc(local);
        }
        int start = stack.Take(count, out int treeDepth, out _);
        if (callee.IsImported && onStack)
        {
            // The code of the arguments stands already: in front of it nothing is stored.
            il.FieldAt(LoadElementAt(LoadInstanceAt(start), Members.Funcs, index), OpCodes.Ldfld, Members.FuncContext);
            if (tail) KeepAliveAt(il.Tail);
            LoadInstanceElement(Members.Funcs, index);
            il.Field(OpCodes.Ldfld, Members.FuncCode);
        }
        else if (callee.IsImported)
        {
            il.FieldAt(il.LdlocAt(start, local), OpCodes.Ldfld, Members.FuncContext);
            if (tail) KeepAliveAt(il.Tail);
            il.Ldloc(local);
            il.Field(OpCodes.Ldfld, Members.FuncCode);
            stack.FreeTemp(local);
        }
        else
        {
            LoadInstanceAt(start);
            target.LoadCode(il, module, index);
        }
        FinishCall(callee.Func, called, tail, start, treeDepth);
    }

    /// <summary>The call itself, all arguments and the address being on the IL stack.</summary>
    private void FinishCall(FuncType type, Signature called, bool tail, int start, int treeDepth)
    {
        if (!tail) AssertStack();
        il.Calli(called, tail);
        if (tail)
        {
            hasTailCalls = true;
            il.Emit(OpCodes.Ret);
            SetUnreachable();
            return;
        }
        hasCalls = true;
        if (type.Results.Length == 1) stack.PushStack(type.Results[0], start, treeDepth);
        else if (type.Results.Length > 1) PushTuple(type.Results, called.Return);
    }

    /// <summary>How many values a tuple has beside its Rest.</summary>
    private const int FlatTuple = 7;

    /// <summary>Takes a tuple on the IL stack apart.</summary>
    private void PushTuple(ImmutableArray<ValType> types, Type tuple)
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

    private void CallIndirect(uint type, uint table, bool tail)
    {
        var callee = (FuncType)module.Types[(int)type].Composite;
        int local = stack.TakeTemp(typeof(FuncRef));
        stack.Take(1);
        LoadTable((int)table);
        target.LoadTypeId(il, module.Types[(int)type]);
        LoadInstance();
        il.LdcI4((int)type);
        il.Call(Members.Helper(module.Tables[(int)table].Type.Is64 ? "Resolve64" : "Resolve32"));
        il.Stloc(local);
        CallThrough(local, callee, module.Types[(int)type], tail);
    }

    private void CallRef(uint type, bool tail)
    {
        var callee = (FuncType)module.Types[(int)type].Composite;
        int local = stack.TakeTemp(typeof(FuncRef));
        stack.Take(1);
        il.Call(Members.Helper(nameof(CodeHelpers.NonNullFunc)));
        il.Stloc(local);
        CallThrough(local, callee, module.Types[(int)type], tail);
    }

    /// <summary>Calls the function in a temporary; arguments already on the IL stack make room for its context.</summary>
    private void CallThrough(int local, FuncType type, DefType def, bool tail)
    {
        int count = type.Params.Length;
        if (tail && region > 0)
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
        if (tail) KeepAliveAt(il.Tail);
        il.Ldloc(local);
        il.Field(OpCodes.Ldfld, Members.FuncCode);
        stack.FreeTemp(local);
        FinishCall(type, Signature.Of(def), tail, start, 1);
    }

    private bool EmitReferences(in Instr instr)
    {
        switch (instr.Id)
        {
            case OpId.RefNull:
                stack.PushConst(ValType.Ref(new TypeDecoder(module).HeapTypeOf(instr.Heap1, instr.Offset), true), 0);
                return true;
            case OpId.RefIsNull:
                {
                    int start = stack.Take(1);
                    il.Emit(OpCodes.Ldnull);
                    il.Emit(OpCodes.Ceq);
                    stack.PushStack(ValType.I32, start);
                    return true;
                }
            case OpId.RefFunc:
                {
                    int start = il.Tail;
                    LoadInstance();
                    il.LdcI4((int)instr.A);
                    il.Call(Members.GetFunc);
                    stack.PushStack(ValType.Ref(module.Funcs[(int)instr.A].Type, false), start);
                    return true;
                }
            case OpId.RefAsNonNull:
                {
                    ValType type = stack[0].Type;
                    int start = stack.Take(1);
                    il.Call(Members.Helper(nameof(CodeHelpers.NonNull)));
                    stack.PushStack(type, start);
                    return true;
                }
            default: return false;
        }
    }
}
