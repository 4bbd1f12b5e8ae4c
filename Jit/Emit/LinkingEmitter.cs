using System.Reflection;
using System.Reflection.Emit;
using WasmJit.Jit.Binary;
using WasmJit.Jit.Il;
using WasmJit.Jit.Operators;
using WasmJit.Jit.Validation;
using WasmJit.Runtime;

namespace WasmJit.Jit.Emit;

/// <summary>The runtime-linking extension (its specification, section 3), the operators that name a module or instance of the index spaces among them.</summary>
internal sealed class LinkingEmitter(EmitterContext context, CallEmitter calls)
{
    private readonly IlBuffer il = context.Il;
    private readonly OperandStack stack = context.Stack;

    private ModuleInfo module => context.Module;

    /// <summary>Emits an operator on types of modules and instances.</summary>
    internal bool TryEmit(in Instr instr)
    {
        switch (instr.Id)
        {
            case OpId.RefMemory: return PushEntity(Members.Memories, (int)instr.A, ExternType.Of(module.Memories[(int)instr.A]));
            case OpId.RefTable: return PushEntity(Members.Tables, (int)instr.A, ExternType.Of(module.Tables[(int)instr.A].Type));
            case OpId.RefGlobal: return PushEntity(Members.Globals, (int)instr.A, ExternType.Of(module.Globals[(int)instr.A].Type));
            case OpId.RefTag: return PushEntity(Members.Tags, (int)instr.A, ExternType.OfTag(module.Tags[(int)instr.A]));
            case OpId.Compile or OpId.CompileNull:
                {
                    bool orNull = instr.Id == OpId.CompileNull;
                    MethodInfo helper = Members.Helper(nameof(CodeHelpers.Compile));
                    int start = context.TakeFor(helper, 2);
                    context.LoadInstance();
                    il.LdcI4((int)instr.A);
                    il.LdcI4((int)instr.B);
                    il.LdcI4(orNull ? 1 : 0);
                    context.HasCalls = true;
                    return context.CallTaken(helper, start, ValType.Ref(module.Types[(int)instr.B], orNull));
                }
            case OpId.FuncNew or OpId.FuncNewNull or OpId.FuncNewNamed or OpId.FuncNewNamedNull:
                {
                    bool isNamed = instr.Id is OpId.FuncNewNamed or OpId.FuncNewNamedNull, orNull = instr.Op.Form == OpForm.Null;
                    MethodInfo helper = Members.Helper(isNamed ? nameof(CodeHelpers.NewNamedFunc) : nameof(CodeHelpers.NewFunc));
                    int start = context.TakeFor(helper, isNamed ? 4 : 2);
                    context.LoadInstance();
                    il.LdcI4((int)instr.A);
                    il.LdcI4((int)instr.B);
                    il.LdcI4((int)instr.C);
                    il.LdcI4(orNull ? 1 : 0);
                    context.HasCalls = true;
                    return context.CallTaken(helper, start, ValType.Ref(module.Types[(int)instr.B], orNull));
                }
            case OpId.FuncOptimize:
                stack.Take(1);
                context.LoadInstance();
                il.Call(Members.Helper(nameof(CodeHelpers.OptimizeFunc)));
                context.HasCalls = true;
                return true;
            case OpId.FuncIsOptimized:
                {
                    int start = stack.Take(1);
                    il.Call(Members.Helper(nameof(CodeHelpers.IsOptimizedFunc)));
                    stack.PushStack(ValType.I32, start);
                    context.HasCalls = true;
                    return true;
                }
            case OpId.ModuleDrop or OpId.FuncDrop:
                stack.Take(1);
                context.LoadInstance();
                il.Call(Members.Helper(instr.Id == OpId.ModuleDrop ? nameof(CodeHelpers.DropModule) : nameof(CodeHelpers.DropFunc)));
                context.HasCalls = true;
                return true;
            case OpId.CodeCount or OpId.CodeSize:
                {
                    int start = il.Tail;
                    context.LoadInstance();
                    il.Call(Members.Helper(instr.Id == OpId.CodeCount ? nameof(CodeHelpers.CountCode) : nameof(CodeHelpers.SizeOfCode)));
                    stack.PushStack(ValType.I64, start);
                    context.HasCalls = true;
                    return true;
                }
            case OpId.Instantiate or OpId.InstantiateNull:
                Instantiate(instr.A, instr.Id == OpId.InstantiateNull);
                return true;
            case OpId.GetExport:
                {
                    DefType type = module.Types[(int)instr.A];
                    string name = instr.Name!;
                    ExternType export = ((InstanceType)type.Composite).Find(name)!;
                    int start = stack.Take(1);
                    context.LoadInstance();
                    il.LdcI4(module.State.NumberOfExport(instr.A, name));
                    il.Ldstr(name);
                    il.Call(Members.Helper(nameof(CodeHelpers.GetExport)));
                    stack.PushStack(LinkingValidator.ArgumentType(export), start);
                    context.HasCalls = true;
                    return true;
                }
            case OpId.GetExportNull:
                {
                    MethodInfo helper = Members.Helper(nameof(CodeHelpers.GetExportNull));
                    int start = context.TakeFor(helper, 3);
                    context.LoadInstance();
                    il.LdcI4((int)instr.A);
                    il.LdcI4((int)instr.B);
                    context.HasCalls = true;
                    return context.CallTaken(helper, start, ValType.Ref(module.Types[(int)instr.B], true));
                }
            default: return false;
        }
    }

    private bool PushEntity(FieldInfo array, int index, ExternType type)
    {
        int start = il.Tail;
        context.LoadInstanceElement(array, index);
        stack.PushStack(LinkingValidator.ArgumentType(type), start);
        return true;
    }

    /// <summary>The instance that two-level imports imply is made when it is first used.</summary>
    private bool RefInstance(int index)
    {
        InstanceDecl named = module.Instances[index];
        if (named.First is null) return PushEntity(Members.Instances, index, ExternType.OfInstance(named.Type));
        int start = il.Tail;
        context.LoadInstance();
        il.LdcI4(index);
        il.Call(Members.Helper(nameof(CodeHelpers.ImpliedInstance)));
        stack.PushStack(ValType.Ref(named.Type, false), start);
        return true;
    }

    /// <summary>The arguments go to an array in the order of the type's imports.</summary>
    private void Instantiate(uint type, bool orNull)
    {
        var moduleType = (ModuleType)module.Types[(int)type].Composite;
        int count = moduleType.Imports.Length;
        stack.Flush();
        int start = il.Tail;
        ArgumentArray(count, above: 1);
        stack.Take(1);
        for (int i = 0; i < count; i++) stack.Remove();
        context.LoadInstance();
        il.LdcI4((int)type);
        il.LdcI4(orNull ? 1 : 0);
        il.Call(Members.Helper(nameof(CodeHelpers.Instantiate)));
        stack.PushStack(ValType.Ref(moduleType.InstanceType, orNull), start);
        context.HasCalls = true;
    }

    /// <summary>Emits an operator that names a module or instance of the index spaces.</summary>
    internal bool TryEmitModules(in Instr instr)
    {
        switch (instr.Id)
        {
            case OpId.RefModule: return PushEntity(Members.Modules, (int)instr.A, ExternType.OfModule(module.Modules[(int)instr.A].Type));
            case OpId.RefInstance: return RefInstance((int)instr.A);
            case OpId.InstantiateModule:
                {
                    ModuleDecl made = module.Modules[(int)instr.A];
                    stack.Flush();
                    int start = il.Tail;
                    ArgumentArray(((ModuleType)made.Type.Composite).Imports.Length, 0);
                    context.LoadInstance();
                    il.LdcI4((int)instr.A);
                    il.Call(Members.Helper(nameof(CodeHelpers.InstantiateModule)));
                    stack.PushStack(ValType.Ref(made.Exact, false), start);
                    context.HasCalls = true;
                    return true;
                }
            case OpId.CallExport or OpId.ReturnCallExport:
                calls.CallExport(module.Modules[(int)instr.A], instr.Name!, instr.Id == OpId.ReturnCallExport);
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
}
