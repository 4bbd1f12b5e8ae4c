using WasmJit.Jit;

namespace WasmJit.Text;

internal sealed partial class ModuleParser
{
    /// <summary>
    /// Writes types that are known as objects into the scope of a module or instance type: as aliases of types of the module, or
    /// anew.
    /// </summary>
    private sealed class TypeInjector(ModuleParser parser, ModuleInfo known)
    {
        private readonly TypeScope scope = parser.scope!;

        internal void Extern(ByteWriter writer, ExternType type)
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
            // What the module has is what the scope's aliases mean too.
            uint depth = scope.Level - 1;
            for (ModuleInfo? module = known; module is not null; module = module.Parent, depth++)
            {
                int index = module.Types.IndexOf(type);
                if (index >= 0) return scope.Alias(depth, (uint)index);
            }
            if (!type.IsFinal || type.Super is not null || type.Group!.Members.Length > 1 || type.Descriptor is not null)
                throw parser.Error("a type of a recursion group cannot be written here");
            var body = new ByteWriter();
            Composite(body, type.Composite);
            return scope.FindOrAdd(Convert.ToHexString(body.Span), body);
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
                            parser.WriteImportNames(item, Utf8(import.Module), import.Name is null ? null : Utf8(import.Name));
                            inner.Extern(item, import.Type);
                            inner.scope.Add(item);
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

        private static byte[] Utf8(string name) => System.Text.Encoding.UTF8.GetBytes(name);

        private void Inside(ByteWriter writer, Action<TypeInjector> write)
        {
            var inside = new TypeScope(scope);
            parser.scope = inside;
            write(new TypeInjector(parser, known));
            parser.scope = scope;
            writer.U32(inside.Count);
            writer.Bytes(inside.Definitions.Span);
        }

        private void Exports(IEnumerable<ExportType> exports)
        {
            foreach (ExportType export in exports)
            {
                var item = new ByteWriter();
                item.U8(DefinitionByte.Export);
                item.Name(export.Name);
                Extern(item, export.Type);
                scope.Add(item);
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
                case AbstractHeapType known: writer.U8((byte)known.Code); break;
                case ExactType exact:
                    writer.U8(TypeByte.Exact);
                    writer.S64(Index(exact.Type));
                    break;
                case DefType def: writer.S64(Index(def)); break;
                default: throw parser.Error("an exact type of a module cannot be written here");
            }
        }
    }
}
