namespace WasmJit.Jit;

internal sealed partial class FunctionValidator
{
    /// <summary>The runtime-linking extension (its specification, section 3).</summary>
    private bool ValidateLinking(Operator op, in Instr instr)
    {
        switch (op.Id)
        {
            case OpId.RefMemory: Push(EntityRef(ExternType.Of(Memory(instr.A)))); return true;
            case OpId.RefTable: Push(EntityRef(ExternType.Of(Table(instr.A)))); return true;
            case OpId.RefGlobal: Push(EntityRef(ExternType.Of(Global(instr.A)))); return true;
            case OpId.RefTag: Push(EntityRef(ExternType.OfTag(Tag(instr.A)))); return true;
            case OpId.Compile or OpId.CompileNull:
                {
                    ValType address = Memory(instr.A).AddressType;
                    DefType type = Type(instr.B);
                    if (type.Composite is not ModuleType) throw Error($"type mismatch: type {instr.B} is not a module type");
                    Pop(address);
                    Pop(address);
                    Push(ValType.Ref(type, op.Id == OpId.CompileNull));
                    return true;
                }
            case OpId.Instantiate or OpId.InstantiateNull:
                {
                    DefType type = Type(instr.A);
                    if (type.Composite is not ModuleType module) throw Error($"type mismatch: type {instr.A} is not a module type");
                    Pop(ValType.Ref(type, true));
                    PopArguments(module);
                    Push(ValType.Ref(module.InstanceType, op.Id == OpId.InstantiateNull));
                    return true;
                }
            case OpId.GetExport:
                {
                    DefType type = Type(instr.A);
                    if (type.Composite is not InstanceType instance) throw Error($"type mismatch: type {instr.A} is not an instance type");
                    string name = instr.Name!;
                    ExternType export = instance.Find(name) ?? throw Error($"unknown export \"{name}\"");
                    Pop(ValType.Ref(type, true));
                    Push(ArgumentType(export));
                    return true;
                }
            case OpId.GetExportNull:
                {
                    ValType address = Memory(instr.A).AddressType;
                    DefType type = Type(instr.B);
                    if (type.Composite is StructType or ArrayType) throw Error($"type mismatch: type {instr.B} is not of what an instance exports");
                    Pop(address);
                    Pop(address);
                    Pop(ValType.Ref(HeapType.Instance, true));
                    Push(ValType.Ref(type, true));
                    return true;
                }
            default: return false;
        }
    }

    /// <summary>The reference type that stands for a thing of an external type.</summary>
    internal static ValType ArgumentType(ExternType type) => type.Kind switch
    {
        ExternKind.Func or ExternKind.Module or ExternKind.Instance => ValType.Ref(type.Def, false),
        _ => EntityRef(type),
    };

    private static ValType EntityRef(ExternType type) => ValType.Ref(DefType.Of(new EntityType(type)), false);
}
