using System.Text;
using WasmJit.Jit.Binary;
using WasmJit.Jit.Format;

namespace WasmJit.Text;

/// <summary>
/// Writes types that are known as objects into the scope of a module or instance type: as aliases of types of the module, or
/// as new types.
/// </summary>
/// <param name="scope">The inside of the module or instance type.</param>
/// <param name="known">The module so far.</param>
/// <param name="source">The text.</param>
/// <param name="token">Where an error is reported.</param>
internal sealed class TypeInjector(TypeScope scope, ModuleInfo known, Source source, int token)
{
    /// <summary><c>(export $I)</c>: adds all exports of an instance type to a module or instance type.</summary>
    /// <param name="names">The module's index spaces.</param>
    /// <param name="source">The text.</param>
    /// <param name="scope">The inside of the module or instance type.</param>
    /// <param name="index">The instance type, in the scope's index space.</param>
    /// <param name="token">Where an error is reported.</param>
    internal static void AddExports(ModuleNames names, Source source, TypeScope scope, uint index, int token)
    {
        ModuleContents known = names.Sections.Decode(token);
        if (Find(known, source, scope, index, token).Composite is not InstanceType instance)
            throw source.ErrorAt(token, "type mismatch: an instance type is expected");
        new TypeInjector(scope, known.Info, source, token).Exports(instance.Exports);
    }

    /// <summary>
    /// Finds out what a type of a scope is: appends a module type with the definitions up to this place that exports an instance of the type, decodes the
    /// result, and reads the export's type.
    /// </summary>
    private static DefType Find(ModuleContents known, Source source, TypeScope scope, uint index, int token)
    {
        // No source has an export with this name.
        const string name = "\u0001";
        var inner = new ByteWriter();
        inner.U8(DefinitionByte.Export);
        inner.Name(name);
        inner.U8(ExternByte.Instance);
        inner.U32(index);
        uint added = 1;
        for (TypeScope around = scope; ; around = around.Outer)
        {
            var body = new ByteWriter();
            body.U8(TypeByte.Module);
            body.U32(around.Count + added);
            body.Bytes(around.Definitions.Span);
            body.Bytes(inner.Span);
            inner = body;
            if (around.Outer is null) break;
            // The outer type defines the inner one and exports an instance of it.
            inner = new ByteWriter();
            inner.U8(DefinitionByte.Type);
            inner.Bytes(body.Span);
            inner.U8(DefinitionByte.Export);
            inner.Name(name);
            inner.U8(ExternByte.Module);
            inner.U32(around.Outer.Types);
            added = 2;
        }
        DefType found;
        try
        {
            found = TypeDecoder.DecodeAlone(inner.Span, known);
        }
        catch (ModuleException e)
        {
            throw source.ErrorAt(token, e.Reason);
        }
        for (uint i = 0; i < scope.Level; i++) found = ((ModuleType)found.Composite).Exports.First(e => e.Name == name).Type.Def;
        return found;
    }

    private void Extern(ByteWriter writer, ExternType type)
    {
        switch (type.Kind)
        {
            case ExternKind.Func:
                writer.U8(type.IsExact ? ExternByte.ExactFunc : ExternByte.Func);
                writer.U32(Index(type.Def));
                break;
            case ExternKind.Table: writer.U8(ExternByte.Table); Table(writer, type.Table); break;
            case ExternKind.Memory: writer.U8(ExternByte.Memory); writer.Limits(type.Memory); break;
            case ExternKind.Global: writer.U8(ExternByte.Global); Global(writer, type.Global); break;
            case ExternKind.Tag:
                writer.U8(ExternByte.Tag);
                writer.U8(0);
                writer.U32(Index(type.Def));
                break;
            case ExternKind.Module: writer.U8(ExternByte.Module); writer.U32(Index(type.Def)); break;
            default: writer.U8(ExternByte.Instance); writer.U32(Index(type.Def)); break;
        }
    }

    private uint Index(DefType type)
    {
        // A type that the module has becomes an alias of it.
        uint depth = scope.Level - 1;
        for (ModuleInfo? module = known; module is not null; module = module.Parent, depth++)
        {
            int index = module.Types.IndexOf(type);
            if (index >= 0) return scope.Alias(depth, (uint)index);
        }
        if (!type.IsFinal || type.Super is not null || type.Group!.Members.Length > 1 || type.Descriptor is not null)
            throw source.ErrorAt(token, "a type of a recursion group cannot be written here");
        var body = new ByteWriter();
        Composite(body, type.Composite);
        return scope.FindOrAdd(body);
    }

    private void Composite(ByteWriter writer, CompositeType type)
    {
        switch (type)
        {
            case FuncType func:
                writer.U8(TypeByte.Func);
                writer.U32((uint)func.Params.Length);
                foreach (ValType param in func.Params) Value(writer, param);
                writer.U32((uint)func.Results.Length);
                foreach (ValType result in func.Results) Value(writer, result);
                break;
            case StructType structure:
                writer.U8(TypeByte.Struct);
                writer.U32((uint)structure.Fields.Length);
                foreach (FieldType field in structure.Fields) Field(writer, field);
                break;
            case ArrayType array:
                writer.U8(TypeByte.Array);
                Field(writer, array.Element);
                break;
            case EntityType { Entity: var entity }: Entity(writer, entity); break;
            case ModuleType module:
                writer.U8(TypeByte.Module);
                Inside(writer, inner =>
                {
                    foreach (ImportType import in module.Imports)
                    {
                        var item = new ByteWriter();
                        item.U8(DefinitionByte.Import);
                        item.ImportNames(new ImportNames(
                            Encoding.UTF8.GetBytes(import.Module), import.Name is null ? null : Encoding.UTF8.GetBytes(import.Name)));
                        inner.Extern(item, import.Type);
                        inner.Add(item);
                    }
                    inner.Exports(module.Exports);
                });
                break;
            case InstanceType instance:
                writer.U8(TypeByte.Instance);
                Inside(writer, inner => inner.Exports(instance.Exports));
                break;
        }
    }

    private void Inside(ByteWriter writer, Action<TypeInjector> write)
    {
        var inside = new TypeScope(scope);
        write(new TypeInjector(inside, known, source, token));
        writer.U32(inside.Count);
        writer.Bytes(inside.Definitions.Span);
    }

    private void Add(ByteWriter item) => scope.Add(item);

    private void Exports(IEnumerable<ExportType> exports)
    {
        foreach (ExportType export in exports)
        {
            var item = new ByteWriter();
            item.U8(DefinitionByte.Export);
            item.Name(export.Name);
            Extern(item, export.Type);
            Add(item);
        }
    }

    private void Entity(ByteWriter writer, ExternType entity)
    {
        switch (entity.Kind)
        {
            case ExternKind.Memory: writer.U8(TypeByte.Memory); writer.Limits(entity.Memory); break;
            case ExternKind.Table: writer.U8(TypeByte.Table); Table(writer, entity.Table); break;
            case ExternKind.Global: writer.U8(TypeByte.Global); Global(writer, entity.Global); break;
            default:
                writer.U8(TypeByte.Tag);
                writer.U8(0);
                writer.U32(Index(entity.Def));
                break;
        }
    }

    private void Field(ByteWriter writer, FieldType field)
    {
        if (field.Type.IsPacked) writer.U8(field.Type.Kind == ValKind.I8 ? TypeByte.I8 : TypeByte.I16);
        else Value(writer, field.Type);
        writer.U8((byte)(field.IsMutable ? 1 : 0));
    }

    private void Global(ByteWriter writer, GlobalType type)
    {
        Value(writer, type.Type);
        writer.U8((byte)(type.IsMutable ? 1 : 0));
    }

    private void Table(ByteWriter writer, TableType type)
    {
        Value(writer, type.Element);
        writer.Limits(type);
    }

    private void Value(ByteWriter writer, ValType type)
    {
        switch (type.Kind)
        {
            case ValKind.I32: writer.U8(TypeByte.I32); return;
            case ValKind.I64: writer.U8(TypeByte.I64); return;
            case ValKind.F32: writer.U8(TypeByte.F32); return;
            case ValKind.F64: writer.U8(TypeByte.F64); return;
            case ValKind.V128: writer.U8(TypeByte.V128); return;
        }
        if (type.IsNullable && type.Heap is AbstractHeapType shorthand)
        {
            writer.U8((byte)shorthand.Code);
            return;
        }
        writer.U8(type.IsNullable ? TypeByte.RefNull : TypeByte.Ref);
        switch (type.Heap)
        {
            case AbstractHeapType abstractType: writer.U8((byte)abstractType.Code); break;
            case ExactType exact:
                writer.U8(TypeByte.Exact);
                writer.S64(Index(exact.Type));
                break;
            case DefType def: writer.S64(Index(def)); break;
            default: throw source.ErrorAt(token, "an exact type of a module cannot be written here");
        }
    }
}
