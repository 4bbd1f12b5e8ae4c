using System.Reflection.Emit;
using WasmJit.Runtime;

namespace WasmJit.Jit;

/// <summary>The operators of runtime linking that name a module or instance of the index spaces.</summary>
internal sealed partial class FunctionEmitter
{
    private bool EmitModules(in Instr instr)
    {
        switch (instr.Id)
        {
            case OpId.RefModule: return PushEntity(Members.Modules, (int)instr.A, ExternType.OfModule(module.Modules[(int)instr.A].Type));
            case OpId.RefInstance: return PushEntity(Members.Instances, (int)instr.A, ExternType.OfInstance(module.Instances[(int)instr.A]));
            case OpId.InstantiateModule:
                {
                    ModuleDecl made = module.Modules[(int)instr.A];
                    stack.Flush();
                    int start = il.Tail;
                    ArgumentArray(((ModuleType)made.Type.Composite).Imports.Length, 0);
                    LoadInstance();
                    il.LdcI4((int)instr.A);
                    il.Call(Members.Helper(nameof(CodeHelpers.InstantiateModule)));
                    stack.PushStack(ValType.Ref(made.Exact, false), start);
                    hasCalls = true;
                    return true;
                }
            case OpId.CallExport or OpId.ReturnCallExport:
                CallExport(module.Modules[(int)instr.A], instr.Name!, instr.Id == OpId.ReturnCallExport);
                return true;
            default: return false;
        }
    }

    /// <summary>Takes operands, the topmost last, into an array; what is above them stays for later.</summary>
    private void ArgumentArray(int count, int above)
    {
        il.LdcI4(count);
        il.TypeOp(OpCodes.Newarr, typeof(object));
        for (int i = 0; i < count; i++)
        {
            il.Emit(OpCodes.Dup);
            il.LdcI4(i);
            stack.LoadAt(il.Tail, stack[count + above - 1 - i]);
            il.Emit(OpCodes.Stelem_Ref);
        }
        if (above > 0) return;
        for (int i = 0; i < count; i++) stack.Remove();
    }

    /// <summary>
    /// A function of a module that is defined is known: it is called with the instance, whichever closure of the module made it.
    /// One of an imported module is asked for by its name.
    /// </summary>
    private void CallExport(ModuleDecl made, string name, bool tail)
    {
        ExternType export = ((InstanceType)made.Exact.InstanceType.Composite).Find(name)!;
        if (made.Definition is not { } owner)
        {
            int found = stack.TakeTemp(typeof(FuncRef));
            stack.Take(1);
            LoadInstance();
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
        int func = stack.TakeTemp(typeof(FuncRef));
        LoadElementAt(il.Ldloc(instance), Members.Funcs, index);
        il.Stloc(func);
        stack.FreeTemp(instance);
        CallThrough(func, export.Func, export.Def, tail);
    }

    /// <summary>Calls a function of another module's own, with the instance in a temporary, which is then free.</summary>
    private void CallOwn(ModuleInfo owner, int index, int instance, bool tail)
    {
        FuncInfo callee = owner.Funcs[index];
        int count = callee.Func.Params.Length;
        if (tail && region > 0)
        {
            Defer(callee.Func.Params, () => CallOwn(owner, index, instance, true));
            return;
        }
        if (!tail && TryInline(owner, index, instance))
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
        if (tail) KeepAliveAt(il.Tail);
        target.LoadCode(il, owner, index);
        stack.FreeTemp(instance);
        FinishCall(callee.Func, Signature.Of(callee.Type), tail, start, 1);
    }
}
