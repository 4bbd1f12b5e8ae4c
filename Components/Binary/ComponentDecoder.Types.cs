using System.Collections.Immutable;
using WasmJit.Jit.Binary;
using WasmJit.Jit.Format;

namespace WasmJit.Components;

// Types and canonical definitions.
internal ref partial struct ComponentDecoder
{
    // ---- core types ----

    private readonly CoreTypeDefinition ReadCoreType(ref ByteReader reader, CoreTypeScope scope)
    {
        int at = reader.Position;
        if (reader.Peek() == ComponentTypeByte.CoreModule)
        {
            reader.U8();
            DefType type = ReadModuleType(ref reader, scope, at, out ImmutableArray<ModuleDeclaration> declarations);
            scope.Types.Add(type);
            return new CoreTypeDefinition(at, reader.Position, [type], declarations);
        }
        if (reader.Peek() == ComponentTypeByte.CoreSubPrefix)
        {
            reader.U8();
            byte sub = reader.Peek();
            if (sub != TypeByte.Sub) throw LeadingByte(ref reader, sub, "non-final sub type", reader.Position);
        }
        ImmutableArray<DefType> types = ReadRecType(ref reader, scope);
        return new CoreTypeDefinition(at, reader.Position, types, null);
    }

    private static ImmutableArray<DefType> ReadRecType(ref ByteReader reader, CoreTypeScope scope)
    {
        int at = reader.Position, first = scope.Types.Count;
        new TypeDecoder(scope.Contents).ReadRecType(ref reader);
        if (scope.Contents.LinkingUse is { } use) throw ModuleInfo.LinkingOff(use.What, use.Offset);
        ImmutableArray<DefType> types = [.. scope.Types[first..]];
        foreach (DefType type in types)
            foreach (ValType used in UsedTypes(type.Composite))
                if (used.Heap is DefType { IsDefined: true, Nests: true }) throw new InvalidModuleException("a core type refers to a module type", at);
        return types;
    }

    private static IEnumerable<ValType> UsedTypes(CompositeType type) => type switch
    {
        FuncType func => func.Params.Concat(func.Results),
        StructType structType => structType.Fields.Select(f => f.Type),
        ArrayType array => [array.Element.Type],
        _ => [],
    };

    private readonly DefType ReadModuleType(ref ByteReader reader, CoreTypeScope outer, int at, out ImmutableArray<ModuleDeclaration> declarations)
    {
        CoreTypeScope scope = NewScope(outer);
        int count = reader.Count();
        var imports = ImmutableArray.CreateBuilder<ImportType>();
        var exports = ImmutableArray.CreateBuilder<ExportType>();
        var importNames = new HashSet<(string, string)>();
        var exportNames = new HashSet<string>();
        var made = ImmutableArray.CreateBuilder<ModuleDeclaration>(count);
        for (int i = 0; i < count; i++)
        {
            int declarationAt = reader.Position;
            progress.Count(declarationAt);
            byte form = reader.U8();
            int typeAt;
            switch (form)
            {
                case DeclaratorByte.ModuleImport:
                    string module = reader.Name(), name = reader.Name();
                    typeAt = reader.Position;
                    var import = new ImportType(module, name, ReadCoreExtern(ref reader, scope));
                    if (!importNames.Add((module, name))) throw new InvalidModuleException($"duplicate import name `{module}:{name}`", declarationAt);
                    imports.Add(import);
                    made.Add(new ModuleImportDeclaration(declarationAt, import, typeAt));
                    break;
                case DeclaratorByte.ModuleType:
                    if (reader.Peek() == ComponentTypeByte.CoreModule)
                        throw new InvalidModuleException($"invalid leading byte (0x{ComponentTypeByte.CoreModule:x2}): a module type in a module type", reader.Position);
                    if (reader.Peek() == ComponentTypeByte.CoreSubPrefix) reader.U8();
                    made.Add(new ModuleTypeDeclaration(declarationAt, ReadRecType(ref reader, scope)));
                    break;
                case DeclaratorByte.ModuleAlias:
                    made.Add(ReadModuleAlias(ref reader, scope, declarationAt));
                    break;
                case DeclaratorByte.ModuleExport:
                    string exportName = reader.Name();
                    typeAt = reader.Position;
                    var export = new ExportType(exportName, ReadCoreExtern(ref reader, scope));
                    if (!exportNames.Add(exportName)) throw new InvalidModuleException($"export name `{exportName}` already defined", declarationAt);
                    exports.Add(export);
                    made.Add(new ModuleExportDeclaration(declarationAt, export, typeAt));
                    break;
                default:
                    throw LeadingByte(ref reader, form, "type definition", declarationAt);
            }
        }
        declarations = made.MoveToImmutable();
        DefType type = DefType.Of(new ModuleType(imports.ToImmutable(), exports.ToImmutable()));
        return TypeSize.Problem(type) is { } problem ? throw new InvalidModuleException(problem, at) : type;
    }

    private static ExternType ReadCoreExtern(ref ByteReader reader, CoreTypeScope scope)
    {
        int at = reader.Position;
        ExternType type = new TypeDecoder(scope.Contents).ReadExternType(ref reader);
        return type.Kind is ExternKind.Module or ExternKind.Instance ? throw reader.Error("malformed import kind", at) : type;
    }

    private static ModuleAliasDeclaration ReadModuleAlias(ref ByteReader reader, CoreTypeScope scope, int at)
    {
        int sortAt = reader.Position;
        byte sort = reader.U8();
        if (sort != SortByte.CoreType) throw LeadingByte(ref reader, sort, "outer alias kind", sortAt);
        byte target = reader.U8();
        if (target != ComponentAliasByte.CoreOuter) throw LeadingByte(ref reader, target, "outer alias target", sortAt + 1);
        uint count = reader.U32(), index = reader.U32();
        DefType type = scope.Outer(count, at).Get(index, at);
        if (type.Nests) throw new InvalidModuleException("a module type in a module type", at);
        scope.Types.Add(type);
        return new ModuleAliasDeclaration(at, count, index);
    }

    // ---- types ----

    /// <summary>A value type where it is used.</summary>
    private static TypeUse ReadTypeUse(ref ByteReader reader)
    {
        int at = reader.Position;
        byte b = reader.Peek();
        if (PrimitiveType.KindOf(b) is { } primitive)
        {
            reader.U8();
            return new TypeUse(primitive, 0, at);
        }
        long index = reader.S33();
        if (index < 0) throw LeadingByte(ref reader, b, "component value type", at);
        return new TypeUse(null, (uint)index, at);
    }

    private static TypeUse? ReadOptionalUse(ref ByteReader reader) => IsThere(ref reader, "optional component value type") ? ReadTypeUse(ref reader) : null;

    private static Label ReadLabel(ref ByteReader reader)
    {
        int at = reader.Position;
        return new Label(reader.Name(), at);
    }

    private static ImmutableArray<Label> ReadLabels(ref ByteReader reader)
    {
        int count = reader.Count();
        var labels = ImmutableArray.CreateBuilder<Label>(count);
        for (int i = 0; i < count; i++) labels.Add(ReadLabel(ref reader));
        return labels.MoveToImmutable();
    }

    private static ImmutableArray<LabelledUse> ReadLabelledUses(ref ByteReader reader)
    {
        int count = reader.Count();
        var uses = ImmutableArray.CreateBuilder<LabelledUse>(count);
        for (int i = 0; i < count; i++)
        {
            Label label = ReadLabel(ref reader);
            uses.Add(new LabelledUse(label, ReadTypeUse(ref reader)));
        }
        return uses.MoveToImmutable();
    }

    private readonly TypeSyntax ReadType(ref ByteReader reader, CoreTypeScope scope, int depth)
    {
        int at = reader.Position;
        byte form = reader.U8();
        if (PrimitiveType.KindOf(form) is { } primitive) return new PrimitiveSyntax(at, primitive);
        switch (form)
        {
            case ComponentTypeByte.Record: return new RecordSyntax(at, ReadLabelledUses(ref reader));
            case ComponentTypeByte.Variant: return new VariantSyntax(at, ReadCases(ref reader));
            case ComponentTypeByte.List: return new ListSyntax(at, ReadTypeUse(ref reader), null);
            case ComponentTypeByte.FixedList:
                TypeUse element = ReadTypeUse(ref reader);
                return new ListSyntax(at, element, reader.U32());
            case ComponentTypeByte.Tuple:
                int count = reader.Count();
                var elements = ImmutableArray.CreateBuilder<TypeUse>(count);
                for (int i = 0; i < count; i++) elements.Add(ReadTypeUse(ref reader));
                return new TupleSyntax(at, elements.MoveToImmutable());
            case ComponentTypeByte.Flags: return new FlagsSyntax(at, ReadLabels(ref reader));
            case ComponentTypeByte.Enum: return new EnumSyntax(at, ReadLabels(ref reader));
            case ComponentTypeByte.Option: return new OptionSyntax(at, ReadTypeUse(ref reader));
            case ComponentTypeByte.Result:
                TypeUse? ok = ReadOptionalUse(ref reader);
                return new ResultSyntax(at, ok, ReadOptionalUse(ref reader));
            case ComponentTypeByte.Own or ComponentTypeByte.Borrow: return new HandleSyntax(at, reader.U32(), form == ComponentTypeByte.Borrow);
            case ComponentTypeByte.Stream or ComponentTypeByte.Future: return new StreamSyntax(at, ReadOptionalUse(ref reader), form == ComponentTypeByte.Future);
            case ComponentTypeByte.Map:
                TypeUse key = ReadTypeUse(ref reader);
                return new MapSyntax(at, key, ReadTypeUse(ref reader));
            case ComponentTypeByte.Resource:
                ValType representation = ReadCoreValType(ref reader);
                return new ResourceSyntax(at, representation, IsThere(ref reader, "optional destructor") ? reader.U32() : null);
            case ComponentTypeByte.Func or ComponentTypeByte.AsyncFunc:
                ImmutableArray<LabelledUse> parameters = ReadLabelledUses(ref reader);
                return new FunctionSyntax(at, parameters, ReadResult(ref reader), form == ComponentTypeByte.AsyncFunc);
            case ComponentTypeByte.Component: return new ComponentTypeSyntax(at, ReadDeclarations(ref reader, scope, depth, true));
            case ComponentTypeByte.Instance: return new InstanceTypeSyntax(at, ReadDeclarations(ref reader, scope, depth, false));
            default: throw LeadingByte(ref reader, form, "component defined type", at);
        }
    }

    private readonly ValType ReadCoreValType(ref ByteReader reader) => new TypeDecoder(coreTypes.Contents).ReadValType(ref reader);

    private static ImmutableArray<CaseUse> ReadCases(ref ByteReader reader)
    {
        int count = reader.Count();
        var cases = ImmutableArray.CreateBuilder<CaseUse>(count);
        for (int i = 0; i < count; i++)
        {
            Label label = ReadLabel(ref reader);
            TypeUse? type = ReadOptionalUse(ref reader);
            int at = reader.Position;
            byte zero = reader.U8();
            if (zero != ComponentTypeByte.NoRefines) throw LeadingByte(ref reader, zero, "zero byte required", at);
            cases.Add(new CaseUse(label, type));
        }
        return cases.MoveToImmutable();
    }

    private static TypeUse? ReadResult(ref ByteReader reader)
    {
        int at = reader.Position;
        byte form = reader.U8();
        if (form == ComponentTypeByte.OneResult) return ReadTypeUse(ref reader);
        if (form != ComponentTypeByte.NoResult) throw LeadingByte(ref reader, form, "component function results", at);
        byte zero = reader.U8();
        return zero == 0 ? null : throw LeadingByte(ref reader, zero, "number of results", at + 1);
    }

    private readonly ImmutableArray<Definition> ReadDeclarations(ref ByteReader reader, CoreTypeScope outer, int depth, bool mayImport)
    {
        if (component.Nesting + depth + 1 >= ComponentDefinition.MaxNesting)
            throw new UnsupportedModuleException($"component and instance types nested more than {ComponentDefinition.MaxNesting} deep", reader.Position);
        CoreTypeScope scope = NewScope(outer);
        int count = reader.Count();
        var declarations = ImmutableArray.CreateBuilder<Definition>(count);
        for (int i = 0; i < count; i++)
        {
            int at = reader.Position;
            progress.Count(at);
            byte form = reader.U8();
            declarations.Add(form switch
            {
                DeclaratorByte.CoreType => ReadCoreType(ref reader, scope),
                DeclaratorByte.Type => new TypeDefinition(at, ReadType(ref reader, scope, depth + 1)),
                DeclaratorByte.Alias => ReadAlias(ref reader, scope),
                DeclaratorByte.Import when mayImport => ReadImport(ref reader, at),
                DeclaratorByte.Export => ReadExportDeclaration(ref reader, at),
                _ => throw LeadingByte(ref reader, form, "component or instance type declaration", at),
            });
        }
        return declarations.MoveToImmutable();
    }

    private static ExportDeclaration ReadExportDeclaration(ref ByteReader reader, int at)
    {
        ExternName name = ReadExternName(ref reader);
        return new ExportDeclaration(at, name, ReadExtern(ref reader));
    }

    // ---- canonical definitions ----

    private readonly Definition ReadCanon(ref ByteReader reader)
    {
        int at = reader.Position;
        byte code = reader.U8();
        var op = (CanonOp)code;
        if (op is CanonOp.Lift or CanonOp.Lower)
        {
            byte sort = reader.U8();
            if (sort != 0) throw LeadingByte(ref reader, sort, op == CanonOp.Lift ? "canonical function lift" : "canonical function lower", at + 1);
            uint index = reader.U32();
            CanonOptions options = ReadOptions(ref reader);
            return op == CanonOp.Lift ? new LiftDefinition(at, index, options, reader.U32()) : new LowerDefinition(at, index, options);
        }
        if (!CanonBuiltins.TryGet(op, out CanonImmediates immediates)) throw LeadingByte(ref reader, code, "canonical function", at);
        // In the order of the bytes.
        return new BuiltinDefinition(at, op)
        {
            Type = Has(CanonImmediates.Type) ? reader.U32() : 0,
            Result = Has(CanonImmediates.Result) ? ReadResult(ref reader) : null,
            SlotType = Has(CanonImmediates.Slot) ? ReadCoreValType(ref reader) : default,
            Slot = Has(CanonImmediates.Slot) ? reader.U32() : 0,
            IsAsync = Has(CanonImmediates.Async) && ReadFlag(ref reader),
            IsCancellable = Has(CanonImmediates.Cancellable) && ReadFlag(ref reader),
            IsShared = Has(CanonImmediates.Shared) && ReadFlag(ref reader),
            CoreType = Has(CanonImmediates.CoreType) ? reader.U32() : 0,
            Table = Has(CanonImmediates.Table) ? reader.U32() : 0,
            Memory = Has(CanonImmediates.Memory) ? reader.U32() : 0,
            Options = Has(CanonImmediates.Options) ? ReadOptions(ref reader) : CanonOptions.None,
        };

        bool Has(CanonImmediates immediate) => (immediates & immediate) != 0;
    }

    internal static bool ReadFlag(ref ByteReader reader)
    {
        int at = reader.Position;
        byte b = reader.U8();
        return b <= 1 ? b == 1 : throw reader.Error("invalid boolean value", at);
    }

    private static CanonOptions ReadOptions(ref ByteReader reader)
    {
        int count = reader.Count();
        if (count == 0) return CanonOptions.None;
        var options = ImmutableArray.CreateBuilder<CanonOption>(count);
        for (int i = 0; i < count; i++)
        {
            int at = reader.Position;
            byte kind = reader.U8();
            if (kind > CanonOptionByte.Callback) throw LeadingByte(ref reader, kind, "canonical option", at);
            bool hasIndex = kind is CanonOptionByte.Memory or CanonOptionByte.Realloc or CanonOptionByte.PostReturn or CanonOptionByte.Callback;
            options.Add(new CanonOption(kind, hasIndex ? reader.U32() : 0, at));
        }
        return new CanonOptions(options.MoveToImmutable());
    }
}
