using WasmJit.Jit.Binary;
using WasmJit.Jit.Operators;

namespace WasmJit.Jit.Validation;

/// <summary>The runtime-linking extension (its specification, section 3).</summary>
internal sealed class LinkingValidator(IndexSpaces spaces, TypeStack stack, CallValidator calls, CodePosition position)
{
    /// <summary>Validates an operator on types of modules and instances.</summary>
    internal bool TryValidate(Operator op, in Instr instr)
    {
        switch (op.Id)
        {
            case OpId.RefMemory: stack.Push(EntityRef(ExternType.Of(spaces.Memory(instr.A)))); return true;
            case OpId.RefTable: stack.Push(EntityRef(ExternType.Of(spaces.Table(instr.A)))); return true;
            case OpId.RefGlobal: stack.Push(EntityRef(ExternType.Of(spaces.Global(instr.A)))); return true;
            case OpId.RefTag: stack.Push(EntityRef(ExternType.OfTag(spaces.Tag(instr.A)))); return true;
            case OpId.Compile or OpId.CompileNull:
                {
                    ValType address = spaces.Memory(instr.A).AddressType;
                    DefType type = spaces.Type(instr.B);
                    if (type.Composite is not ModuleType) throw position.Error($"type mismatch: type {instr.B} is not a module type");
                    stack.Pop(address);
                    stack.Pop(address);
                    stack.Push(ValType.Ref(type, op.Id == OpId.CompileNull));
                    return true;
                }
            case OpId.FuncNew or OpId.FuncNewNull or OpId.FuncNewNamed or OpId.FuncNewNamedNull:
                {
                    ValType address = spaces.Memory(instr.A).AddressType;
                    spaces.FuncTypeOf(instr.B);
                    spaces.CheckScope(instr.C);
                    bool isNamed = op.Id is OpId.FuncNewNamed or OpId.FuncNewNamedNull;
                    for (int i = isNamed ? 4 : 2; i > 0; i--) stack.Pop(address);
                    stack.Push(ValType.Ref(spaces.Type(instr.B), op.Form == OpForm.Null));
                    return true;
                }
            case OpId.FuncOptimize: stack.Pop(ValType.FuncRef); return true;
            case OpId.FuncIsOptimized: stack.Pop(ValType.FuncRef); stack.Push(ValType.I32); return true;
            case OpId.ModuleDrop: spaces.CheckOwnsCode(); stack.Pop(ValType.Ref(HeapType.Module, true)); return true;
            case OpId.FuncDrop: spaces.CheckOwnsCode(); stack.Pop(ValType.FuncRef); return true;
            case OpId.CodeCount or OpId.CodeSize: spaces.CheckOwnsCode(); stack.Push(ValType.I64); return true;
            case OpId.Instantiate or OpId.InstantiateNull:
                {
                    DefType type = spaces.Type(instr.A);
                    if (type.Composite is not ModuleType module) throw position.Error($"type mismatch: type {instr.A} is not a module type");
                    stack.Pop(ValType.Ref(type, true));
                    PopArguments(module);
                    stack.Push(ValType.Ref(module.InstanceType, op.Id == OpId.InstantiateNull));
                    return true;
                }
            case OpId.GetExport:
                {
                    DefType type = spaces.Type(instr.A);
                    if (type.Composite is not InstanceType instance) throw position.Error($"type mismatch: type {instr.A} is not an instance type");
                    string name = instr.Name!;
                    ExternType export = instance.Find(name) ?? throw position.Error($"unknown export \"{name}\"");
                    stack.Pop(ValType.Ref(type, true));
                    stack.Push(ArgumentType(export));
                    return true;
                }
            case OpId.GetExportNull:
                {
                    ValType address = spaces.Memory(instr.A).AddressType;
                    DefType type = spaces.Type(instr.B);
                    if (type.Composite is StructType or ArrayType) throw position.Error($"type mismatch: type {instr.B} is not of what an instance exports");
                    stack.Pop(address);
                    stack.Pop(address);
                    stack.Pop(ValType.Ref(HeapType.Instance, true));
                    stack.Push(ValType.Ref(type, true));
                    return true;
                }
            default: return false;
        }
    }

    /// <summary>The operators that name a module or instance of the index spaces.</summary>
    internal bool TryModules(Operator op, in Instr instr)
    {
        switch (op.Id)
        {
            case OpId.RefModule: stack.Push(ValType.Ref(spaces.Module(instr.A).Type, false)); return true;
            case OpId.RefInstance: stack.Push(ValType.Ref(spaces.Instance(instr.A), false)); return true;
            case OpId.InstantiateModule:
                {
                    ModuleDecl target = spaces.Module(instr.A);
                    PopArguments((ModuleType)target.Type.Composite);
                    stack.Push(ValType.Ref(target.Exact, false));
                    return true;
                }
            case OpId.CallExport or OpId.ReturnCallExport:
                {
                    ModuleDecl target = spaces.Module(instr.A);
                    var instance = (InstanceType)target.Exact.InstanceType.Composite;
                    ExternType export = instance.Find(instr.Name!) ?? throw position.Error($"unknown export \"{instr.Name}\"");
                    if (export.Kind != ExternKind.Func) throw position.Error($"type mismatch: the export \"{instr.Name}\" is not a function");
                    stack.Pop(ValType.Ref(target.Exact, true));
                    calls.Call(op, export.Func);
                    return true;
                }
            default: return false;
        }
    }

    /// <summary>One operand for each import of a module type, in its order.</summary>
    private void PopArguments(ModuleType type)
    {
        for (int i = type.Imports.Length - 1; i >= 0; i--) stack.Pop(ArgumentType(type.Imports[i].Type));
    }

    /// <summary>The reference type that stands for a thing of an external type.</summary>
    internal static ValType ArgumentType(ExternType type) => type.Kind switch
    {
        ExternKind.Func or ExternKind.Module or ExternKind.Instance => ValType.Ref(type.Def, false),
        ExternKind.Memory or ExternKind.Table or ExternKind.Global or ExternKind.Tag => EntityRef(type),
    };

    private static ValType EntityRef(ExternType type) => ValType.Ref(DefType.Of(new EntityType(type)), false);
}
