using System.Collections.Immutable;
using WasmJit.Jit.Binary;
using WasmJit.Jit.Format;
using WasmJit.Jit.Operators;

namespace WasmJit.Jit.Validation;

/// <summary>What the indices of operators stand for. An index without a meaning makes the module invalid.</summary>
internal sealed class IndexSpaces(ModuleInfo module, CodePosition position)
{
    internal DefType Type(uint index) =>
        index < (uint)module.Types.Count ? module.Types[(int)index] : throw position.Error($"unknown type {index}");

    internal FuncType FuncTypeOf(uint index) =>
        Type(index).Composite as FuncType ?? throw position.Error($"unknown type {index}: not a function type, type mismatch");

    internal StructType StructTypeOf(uint index) =>
        Type(index).Composite as StructType ?? throw position.Error("type mismatch: not a struct type");

    internal ArrayType ArrayTypeOf(uint index) =>
        Type(index).Composite as ArrayType ?? throw position.Error("type mismatch: not an array type");

    internal FuncInfo Func(uint index) =>
        index < (uint)module.Funcs.Count ? module.Funcs[(int)index] : throw position.Error($"unknown function {index}");

    internal TableType Table(uint index) =>
        index < (uint)module.Tables.Count ? module.Tables[(int)index].Type : throw position.Error($"unknown table {index}");

    internal MemoryType Memory(uint index) =>
        index < (uint)module.Memories.Count ? module.Memories[(int)index] : throw position.Error($"unknown memory {index}");

    internal GlobalType Global(uint index)
    {
        if (index >= (uint)module.Globals.Count) throw position.Error($"unknown global {index}");
        return module.Globals[(int)index].Type;
    }

    internal DefType Tag(uint index) =>
        index < (uint)module.Tags.Count ? module.Tags[(int)index] : throw position.Error($"unknown tag {index}");

    internal ElemInfo Elem(uint index) =>
        index < (uint)module.Elems.Count ? module.Elems[(int)index] : throw position.Error($"unknown elem segment {index}");

    /// <summary>There is a data segment of an index.</summary>
    internal void CheckData(uint index)
    {
        if (module.DataCount is not { } count) throw new MalformedModuleException("data count section required", position.Offset);
        if (index >= count) throw position.Error($"unknown data segment {index}");
    }

    /// <summary>The memories that a type stands for.</summary>
    internal MemoryType MemoryOfType(uint index) =>
        Type(index).Composite is EntityType { Entity: { Kind: ExternKind.Memory } entity } ? entity.Memory
            : throw position.Error($"type mismatch: type {index} is not a memory type");

    /// <summary>The tables that a type stands for.</summary>
    internal TableType TableOfType(uint index) =>
        Type(index).Composite is EntityType { Entity: { Kind: ExternKind.Table } entity } ? entity.Table
            : throw position.Error($"type mismatch: type {index} is not a table type");

    /// <summary>The globals that a type stands for.</summary>
    internal GlobalType GlobalOfType(uint index) =>
        Type(index).Composite is EntityType { Entity: { Kind: ExternKind.Global } entity } ? entity.Global
            : throw position.Error($"type mismatch: type {index} is not a global type");

    /// <summary>There is a scope of an index.</summary>
    internal void CheckScope(uint index)
    {
        if (index >= (uint)module.Scopes.Count) throw position.Error($"unknown scope {index}");
    }

    /// <summary>Functions made at run time belong to an instance of another module: they have nothing compiled, and so nothing to drop or to count.</summary>
    internal void CheckOwnsCode()
    {
        if (module.IsMade) throw position.Error("a function made at run time owns no code");
    }

    internal ModuleDecl Module(uint index) =>
        index < (uint)module.Modules.Count ? module.Modules[(int)index] : throw position.Error($"unknown module {index}");

    internal DefType Instance(uint index) =>
        index < (uint)module.Instances.Count ? module.Instances[(int)index].Type : throw position.Error($"unknown instance {index}");

    /// <summary>The memory that an operator names: the module's own by index, or one behind a reference by its type.</summary>
    internal MemoryType MemoryOf(Operator op, uint index) => op.IsThroughReference ? MemoryOfType(index) : Memory(index);

    /// <summary>The same of a table.</summary>
    internal TableType TableOf(Operator op, uint index) => op.IsThroughReference ? TableOfType(index) : Table(index);

    /// <summary>The same of a global.</summary>
    internal GlobalType GlobalOf(Operator op, uint index) => op.IsThroughReference ? GlobalOfType(index) : Global(index);

    /// <summary>The heap type that an immediate names.</summary>
    internal HeapType Heap(HeapTypeCode code) => new TypeDecoder(module).HeapTypeOf(code, position.Offset);

    /// <summary>Reads value types.</summary>
    internal ImmutableArray<ValType> TypesOf(ByteReader reader, int count)
    {
        var decoder = new TypeDecoder(module);
        var types = new ValType[count];
        for (int i = 0; i < count; i++) types[i] = decoder.ReadValType(ref reader);
        return ValTypes.Of(types);
    }

    /// <summary>The parameters and results of a block.</summary>
    internal void BlockType(ref CodeReader code, in Instr instr, out ImmutableArray<ValType> start, out ImmutableArray<ValType> end)
    {
        start = end = ValTypes.None;
        switch (instr.BlockForm)
        {
            case BlockTypeForm.Value:
                end = TypesOf(code.Types(instr), 1);
                break;
            case BlockTypeForm.Index:
                FuncType type = FuncTypeOf(instr.BlockIndex);
                start = type.Params;
                end = type.Results;
                break;
        }
    }
}
