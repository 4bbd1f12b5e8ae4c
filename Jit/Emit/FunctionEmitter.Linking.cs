using WasmJit.Runtime;

namespace WasmJit.Jit;

/// <summary>The runtime-linking extension (its specification, section 3).</summary>
internal sealed partial class FunctionEmitter
{
    private bool EmitLinking(in Instr instr)
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
                    int start = stack.Take(2);
                    LoadInstance();
                    il.LdcI4((int)instr.A);
                    il.LdcI4((int)instr.B);
                    il.LdcI4(orNull ? 1 : 0);
                    il.Call(Members.Helper(Sized(module.Memories[(int)instr.A].Is64, nameof(CodeHelpers.Compile32), nameof(CodeHelpers.Compile64))));
                    stack.PushStack(ValType.Ref(module.Types[(int)instr.B], orNull), start);
                    hasCalls = true;
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
                    LoadInstance();
                    il.LdcI4(module.State.NumberOfExport(instr.A, name));
                    il.Ldstr(name);
                    il.Call(Members.Helper(nameof(CodeHelpers.GetExport)));
                    stack.PushStack(FunctionValidator.ArgumentType(export), start);
                    hasCalls = true;
                    return true;
                }
            case OpId.GetExportNull:
                {
                    int start = stack.Take(3);
                    LoadInstance();
                    il.LdcI4((int)instr.A);
                    il.LdcI4((int)instr.B);
                    il.Call(Members.Helper(Sized(module.Memories[(int)instr.A].Is64, nameof(CodeHelpers.GetExportNull32), nameof(CodeHelpers.GetExportNull64))));
                    stack.PushStack(ValType.Ref(module.Types[(int)instr.B], true), start);
                    hasCalls = true;
                    return true;
                }
            default: return false;
        }
    }

    private bool PushEntity(System.Reflection.FieldInfo array, int index, ExternType type)
    {
        int start = il.Tail;
        LoadInstanceElement(array, index);
        stack.PushStack(FunctionValidator.ArgumentType(type), start);
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
        LoadInstance();
        il.LdcI4((int)type);
        il.LdcI4(orNull ? 1 : 0);
        il.Call(Members.Helper(nameof(CodeHelpers.Instantiate)));
        stack.PushStack(ValType.Ref(moduleType.InstanceType, orNull), start);
        hasCalls = true;
    }
}
