namespace WasmJit.Jit;

internal sealed partial class FunctionValidator
{
    private ModuleDecl Module(uint index) =>
        index < (uint)module.Modules.Count ? module.Modules[(int)index] : throw Error($"unknown module {index}");

    private DefType Instance(uint index) =>
        index < (uint)module.Instances.Count ? module.Instances[(int)index].Type : throw Error($"unknown instance {index}");

    /// <summary>The operators that name a module or instance of the index spaces.</summary>
    private bool ValidateModules(Operator op, in Instr instr)
    {
        switch (op.Id)
        {
            case OpId.RefModule: Push(ValType.Ref(Module(instr.A).Type, false)); return true;
            case OpId.RefInstance: Push(ValType.Ref(Instance(instr.A), false)); return true;
            case OpId.InstantiateModule:
                {
                    ModuleDecl target = Module(instr.A);
                    PopArguments((ModuleType)target.Type.Composite);
                    Push(ValType.Ref(target.Exact, false));
                    return true;
                }
            case OpId.CallExport or OpId.ReturnCallExport:
                {
                    ModuleDecl target = Module(instr.A);
                    var instance = (InstanceType)target.Exact.InstanceType.Composite;
                    ExternType export = instance.Find(instr.Name!) ?? throw Error($"unknown export \"{instr.Name}\"");
                    if (export.Kind != ExternKind.Func) throw Error($"type mismatch: the export \"{instr.Name}\" is not a function");
                    Pop(ValType.Ref(target.Exact, true));
                    if (op.Id == OpId.CallExport) Call(export.Func);
                    else ReturnCall(export.Func);
                    return true;
                }
            default: return false;
        }
    }

    /// <summary>One operand for each import of a module type, in its order.</summary>
    private void PopArguments(ModuleType type)
    {
        for (int i = type.Imports.Length - 1; i >= 0; i--) Pop(ArgumentType(type.Imports[i].Type));
    }
}
