using WasmJit.Jit.Binary;
using WasmJit.Jit.Operators;
using WasmJit.Jit.Validation;

namespace WasmJit.Fuzz;

internal sealed partial class MakerTable
{
    /// <summary>The length of the module that frames have for <c>compile</c>.</summary>
    private static readonly int CompiledLength = Wat.ToBinary(LinkedText.Compiled).Length;

    private void AddLink(ValType result, Action<ValueWriter, int> write) => Add(MakerKind.Link, result, write);

    /// <summary>An operator without operands, with an index as immediate.</summary>
    private void AddName(MakerKind kind, ValType result, OpId id, uint index) => Add(kind, result, (b, _) =>
    {
        b.Body.Emit(id, index);
        b.Body.Apply(0, result);
    });

    private void AddLinking()
    {
        for (int i = 0; i < Info.Memories.Count; i++) AddName(MakerKind.Name, Frame.EntityRef(ExternType.Of(Info.Memories[i])), OpId.RefMemory, (uint)i);
        for (int i = 0; i < Info.Tables.Count; i++) AddName(MakerKind.Name, Frame.EntityRef(ExternType.Of(Info.Tables[i].Type)), OpId.RefTable, (uint)i);
        for (int i = 1; i < Info.Globals.Count; i++) AddName(MakerKind.Name, Frame.EntityRef(ExternType.Of(Info.Globals[i].Type)), OpId.RefGlobal, (uint)i);
        for (int i = 0; i < Info.Tags.Count; i++) AddName(MakerKind.Name, Frame.EntityRef(ExternType.OfTag(Info.Tags[i])), OpId.RefTag, (uint)i);
        for (int i = 0; i < Info.Modules.Count; i++) AddName(MakerKind.Name, NotNull(Info.Modules[i].Type), OpId.RefModule, (uint)i);
        for (int i = 0; i < Info.Instances.Count; i++) AddName(MakerKind.Name, NotNull(Info.Instances[i].Type), OpId.RefInstance, (uint)i);
        AddEntities();
        AddSlices();
        AddModules();
    }

    private void AddEntities()
    {
        foreach (DefType type in frame.Entities(ExternKind.Memory))
        {
            MemoryType memory = ((EntityType)type.Composite).Entity.Memory;
            AddName(MakerKind.New, NotNull(type), OpId.MemoryNew, IndexOf(type));
            AddLink(memory.AddressType, (b, d) =>
            {
                b.Push(NotNull(type), d);
                b.Body.Emit(OpId.MemorySizeRef, IndexOf(type));
                b.Body.Apply(1, memory.AddressType);
            });
        }
        foreach (DefType type in frame.Entities(ExternKind.Table))
        {
            TableType table = ((EntityType)type.Composite).Entity.Table;
            Add(MakerKind.New, NotNull(type), (b, d) =>
            {
                b.Push(table.Element, d - 1);
                b.Body.Emit(OpId.TableNew, IndexOf(type));
                b.Body.Apply(1, NotNull(type));
            });
            AddLink(table.AddressType, (b, d) =>
            {
                b.Push(NotNull(type), d);
                b.Body.Emit(OpId.TableSizeRef, IndexOf(type));
                b.Body.Apply(1, table.AddressType);
            });
            AddLink(table.Element, (b, d) =>
            {
                b.Push(NotNull(type), d);
                b.Index(2, table.Is64);
                b.Body.Emit(OpId.TableGetRef, IndexOf(type));
                b.Body.Apply(2, table.Element);
            });
            if (!ReferenceEquals(table.Element.Heap, HeapType.Func)) continue;
            DefType def = Info.Funcs[Info.ImportedFuncs].Type;
            var func = (FuncType)def.Composite;
            Add(MakerKind.Call, func.Results[0], (b, d) =>
            {
                foreach (ValType parameter in func.Params) b.Push(parameter, d - 1);
                b.Push(NotNull(type), d);
                b.Index(2);
                b.Body.Emit(OpId.CallIndirectRef, IndexOf(type), IndexOf(def));
                b.Body.Apply(func.Params.Length + 2, func.Results[0]);
            });
        }
        foreach (DefType type in frame.Entities(ExternKind.Global))
        {
            GlobalType global = ((EntityType)type.Composite).Entity.Global;
            Add(MakerKind.New, NotNull(type), (b, d) =>
            {
                b.Push(global.Type, d - 1);
                b.Body.Emit(OpId.GlobalNew, IndexOf(type));
                b.Body.Apply(1, NotNull(type));
            });
            AddLink(global.Type, (b, d) =>
            {
                b.Push(NotNull(type), d);
                b.Body.Emit(OpId.GlobalGetRef, IndexOf(type));
                b.Body.Apply(1, global.Type);
            });
        }
    }

    private void AddSlices()
    {
        ValType slice = NotNull(HeapType.Slice);
        for (int i = 0; i < Info.Memories.Count; i++)
        {
            uint memory = (uint)i;
            bool is64 = Info.Memories[i].Is64;
            Add(MakerKind.New, slice, (b, _) =>
            {
                b.Index(500, is64);
                b.Index(900, is64);
                b.Body.Emit(OpId.SliceNew, memory);
                b.Body.Apply(2, slice);
            });
        }
        foreach (DefType type in frame.Entities(ExternKind.Memory))
        {
            bool is64 = ((EntityType)type.Composite).Entity.Memory.Is64;
            Add(MakerKind.New, slice, (b, d) =>
            {
                b.Push(NotNull(type), d);
                b.Index(500, is64);
                b.Index(900, is64);
                b.Body.Emit(OpId.SliceNewRef, IndexOf(type));
                b.Body.Apply(3, slice);
            });
        }
        AddLink(slice, (b, d) =>
        {
            b.Push(slice, d);
            b.Index(9, true);
            b.Index(9, true);
            b.Body.Emit(OpId.SliceSub);
            b.Body.Apply(3, slice);
        });
        AddLink(slice, (b, d) =>
        {
            b.Push(slice, d);
            b.Body.Emit(OpId.SliceReadonly);
            b.Body.Apply(1, slice);
        });
        AddLink(ValType.I64, (b, d) =>
        {
            b.Push(slice, d);
            b.Body.Emit(OpId.SliceLen);
            b.Body.Apply(1, ValType.I64);
        });
    }

    private void AddModules()
    {
        foreach (ModuleDecl module in Info.Modules)
        {
            var type = (ModuleType)module.Type.Composite;
            ValType[] imports = [.. type.Imports.Select(i => LinkingValidator.ArgumentType(i.Type))];
            ValType exact = NotNull(module.Exact);
            Add(MakerKind.New, exact, (b, d) =>
            {
                foreach (ValType import in imports) b.Push(import, d - 1);
                b.Body.Emit(OpId.InstantiateModule, (uint)module.Index);
                b.Body.Apply(imports.Length, exact);
            });
            foreach (ExportType export in type.Exports)
            {
                if (export.Type.Kind != ExternKind.Func || export.Type.Func.Results is not [var result]) continue;
                var parameters = export.Type.Func.Params;
                Add(MakerKind.Call, result, (b, d) =>
                {
                    foreach (ValType parameter in parameters) b.Push(parameter, d - 1);
                    b.Push(exact, d);
                    b.Body.Emit(OpId.CallExport, (uint)module.Index);
                    b.Body.EmitName(export.Name);
                    b.Body.Apply(parameters.Length + 1, result);
                });
            }
        }
        foreach (DefType def in Info.Types.Where(IsOfMadeFunctions).Distinct())
        {
            AddLink(Nullable(def), (b, _) => MakeFunction(b, def));
        }
        foreach (DefType def in Info.Types.Where(t => t.Composite is ModuleType).Distinct())
        {
            var type = (ModuleType)def.Composite;
            ValType[] imports = [.. type.Imports.Select(i => LinkingValidator.ArgumentType(i.Type))];
            AddLink(NotNull(type.InstanceType), (b, d) =>
            {
                foreach (ValType import in imports) b.Push(import, d - 1);
                b.Push(NotNull(def), d);
                b.Body.Emit(OpId.Instantiate, IndexOf(def));
                b.Body.Apply(imports.Length + 1, NotNull(type.InstanceType));
            });
            AddLink(Nullable(def), (b, _) => CompileModule(b, def));
        }
        foreach (DefType def in Info.Types.Where(t => t.Composite is InstanceType).Distinct())
        {
            foreach (ExportType export in ((InstanceType)def.Composite).Exports)
            {
                ValType result = LinkingValidator.ArgumentType(export.Type);
                AddLink(result, (b, d) =>
                {
                    b.Push(NotNull(def), d);
                    b.Body.Emit(OpId.GetExport, IndexOf(def));
                    b.Body.EmitName(export.Name);
                    b.Body.Apply(1, result);
                });
            }
        }
        foreach (DefType def in Info.Types.Where(t => t.Composite is not (StructType or ArrayType)).Distinct())
        {
            AddLink(Nullable(def), (b, d) =>
            {
                b.Push(NotNull(HeapType.Instance), d);
                b.Constant(2048);
                b.Constant(1);
                b.Body.Emit(OpId.GetExportNull, 0, IndexOf(def));
                b.Body.Apply(3, Nullable(def));
            });
        }
    }

    /// <summary>Whether the body in memory is that of a function of a type.</summary>
    internal static bool IsOfMadeFunctions(DefType type) => type.AsFunc is { Params: [{ Kind: ValKind.I32 }], Results: [{ Kind: ValKind.I32 }] };

    /// <summary>Makes a function of a body in memory, in the frame's scope; null if it is none of the type any more.</summary>
    internal void MakeFunction(ValueWriter b, DefType type)
    {
        bool isNamed = b.Choose.OneIn(3);
        if (isNamed)
        {
            b.Constant(2048);
            b.Constant(1);
        }
        b.Constant(3072);
        b.Constant(b.Choose.OneIn(10) ? LinkedText.BodyLength - 1 : LinkedText.BodyLength);
        b.Body.Emit(isNamed ? OpId.FuncNewNamedNull : OpId.FuncNewNull, 0, IndexOf(type), 0);
        b.Body.Apply(isNamed ? 4 : 2, Nullable(type));
    }

    /// <summary>Compiles the module in memory; null if it is none of the type.</summary>
    internal void CompileModule(ValueWriter b, DefType type)
    {
        b.Constant(1024);
        b.Constant(b.Choose.OneIn(10) ? CompiledLength - 1 : CompiledLength);
        b.Body.Emit(OpId.CompileNull, 0, IndexOf(type));
        b.Body.Apply(2, Nullable(type));
    }
}
