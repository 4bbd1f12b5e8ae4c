using System.Runtime.CompilerServices;
using WasmJit.Jit.Format;

namespace WasmJit.Text;

/// <summary>Encodes types (spec 5.3). Indices are those of the module, or of the module or instance type around.</summary>
/// <param name="names">The module's index spaces.</param>
/// <param name="source">The text.</param>
/// <param name="scope">The module or instance type in which the types are, null in none.</param>
internal class TypeWriter(ModuleNames names, Source source, TypeScope? scope)
{
    private readonly ModuleTypes types = names.Types;

    // ---- type fields ----

    /// <summary>Defines the types of a field and adds its item.</summary>
    internal void Define(TypeField field)
    {
        // A type can only refer to earlier types, so types that are written inside of it come before it.
        foreach (SubTypeSyntax member in field.Members) DeclareImplied(member);
        var indices = new List<uint>();
        foreach (SubTypeSyntax member in field.Members) indices.Add(types.Define(member.Id, member.Name, member.Start, member.BehindId));
        ByteWriter item = FirstSections.Begin(field.Start);
        if (field.IsGroup)
        {
            item.U8(TypeByte.Rec);
            item.U32((uint)field.Members.Count);
        }
        for (int i = 0; i < indices.Count; i++) Definition(item, field.Members[i], indices[i], isAlone: !field.IsGroup);
        names.Sections.Add(SectionId.Type, item);
    }

    /// <summary>Writes one type with its super types.</summary>
    protected void Definition(ByteWriter writer, SubTypeSyntax syntax, uint index, bool isAlone)
    {
        var body = new ByteWriter();
        if (!syntax.IsFinal || syntax.Supers.Count > 0)
        {
            body.U8(syntax.IsFinal ? TypeByte.SubFinal : TypeByte.Sub);
            body.U32((uint)syntax.Supers.Count);
            foreach (IndexSyntax super in syntax.Supers) body.U32(Index(super));
        }
        if (syntax.Describes is { } described)
        {
            body.U8(TypeByte.Describes);
            body.U32(Index(described));
        }
        if (syntax.Descriptor is { } descriptor)
        {
            body.U8(TypeByte.Descriptor);
            body.U32(Index(descriptor));
        }
        types.Describe(index, syntax.Type);
        int start = body.Length;
        Composite(body, syntax.Type);
        if (syntax.Type is FuncSyntax func) types.SetShape(index, new FuncShape(func.Params.Count, body.Span[start..].ToArray()));
        if (isAlone && start == 0) types.AddPlain(body.Span, index);
        writer.Bytes(body.Span);
    }

    // ---- what a type field implies ----

    private void DeclareImplied(SubTypeSyntax syntax)
    {
        foreach (IndexSyntax super in syntax.Supers) DeclareAlias(super);
        if (syntax.Describes is { } described) DeclareAlias(described);
        if (syntax.Descriptor is { } descriptor) DeclareAlias(descriptor);
        switch (syntax.Type)
        {
            case FuncSyntax func: DeclareImplied(func); break;
            case StructSyntax structure:
                foreach (StructFieldSyntax field in structure.Fields) DeclareImplied(field.Type.Value);
                break;
            case ArraySyntax array: DeclareImplied(array.Element.Value); break;
            case EntityTypeSyntax { Entity: GlobalExternSyntax global }: DeclareImplied(global.Type.Value); break;
            case EntityTypeSyntax { Entity: TableExternSyntax table }: DeclareImplied(table.Type.Element); break;
            case EntityTypeSyntax { Entity: TagExternSyntax tag }:
                if (tag.Type.Index is { } index)
                {
                    DeclareAlias(index);
                    DeclareImplied(tag.Type.Func);
                    break;
                }
                TypeUse(tag.Type, out _);
                break;
        }
    }

    private void DeclareImplied(FuncSyntax func)
    {
        foreach (LocalSyntax param in func.Params) DeclareImplied(param.Type);
        foreach (ValTypeSyntax result in func.Results) DeclareImplied(result);
    }

    private void DeclareImplied(ValTypeSyntax? type)
    {
        switch (type?.Heap)
        {
            case WrittenHeapSyntax written: Heap(new ByteWriter(), written); break;
            case IndexHeapSyntax heap: DeclareAlias(heap.Index); break;
            case KindHeapSyntax heap: DeclareAlias(heap.Index); break;
            case ExactHeapSyntax { IsModule: false } heap: DeclareAlias(heap.Index); break;
        }
    }

    private void DeclareAlias(IndexSyntax index)
    {
        if (index.Alias is not null) Index(index);
    }

    // ---- indices ----

    /// <summary>Resolves a type index, in the index space of the scope.</summary>
    internal virtual uint Index(IndexSyntax index)
    {
        if (index.Alias is OuterAliasSyntax alias)
        {
            (uint depth, uint item) = names.OuterItem(alias.Item, types.Space.Kind, scope);
            return scope is null ? types.Outer(depth, item) : scope.Alias(depth, item);
        }
        if (index.Id is not { } id) return index.Number;
        uint found;
        if (scope is not null)
        {
            if (scope.Names.TryGetValue(id, out uint own)) return own;
            uint level = 0;
            for (TypeScope? around = scope.Outer; around is not null; around = around.Outer, level++)
                if (around.Names.TryGetValue(id, out found)) return scope.Alias(level, found);
            if (types.Space.Find(id, out found)) return scope.Alias(level, found);
        }
        else if (types.Space.Find(id, out found))
        {
            return found;
        }
        throw source.ErrorAt(index.Token, $"unknown type {id}");
    }

    // ---- value types ----

    internal void Value(ByteWriter writer, ValTypeSyntax type)
    {
        if (type.Number != 0)
        {
            writer.U8(type.Number);
            return;
        }
        // The shorthand of an abstract nullable type is its code.
        if (!(type.IsNullable && type.Heap is AbstractHeapSyntax)) writer.U8(type.IsNullable ? TypeByte.RefNull : TypeByte.Ref);
        Heap(writer, type.Heap!);
    }

    internal void Heap(ByteWriter writer, HeapTypeSyntax heap)
    {
        switch (heap)
        {
            case AbstractHeapSyntax known: writer.U8(known.Code); break;
            case ExactHeapSyntax exact: Exact(writer, exact); break;
            case IndexHeapSyntax { Index: var index }: writer.S64(Index(index)); break;
            default: writer.S64(Written(heap)); break;
        }
    }

    /// <summary>
    /// An exact type of a type (custom descriptors) or a module (runtime linking). An id is a type's if there is one, <c>(module $m)</c>
    /// is always a module.
    /// </summary>
    private void Exact(ByteWriter writer, ExactHeapSyntax exact)
    {
        bool isModule = exact.IsModule
            || (exact.Index.Id is { } id && scope is null && !types.Space.Find(id, out _) && names.Modules.Find(id, out _));
        if (isModule)
        {
            writer.U8(TypeByte.ExactModule);
            types.NameModule();
            writer.U32(names.Index(names.Modules, exact.Index));
            return;
        }
        writer.U8(TypeByte.Exact);
        writer.S64(Index(exact.Index));
    }

    /// <summary>The index of a type that is written out, or named with its kind.</summary>
    internal uint Written(HeapTypeSyntax heap)
    {
        if (heap is KindHeapSyntax named)
        {
            uint index = Index(named.Index);
            if (scope is null && types.KindOf(index) is { } kind && kind != named.Kind)
                throw source.ErrorAt(named.Index.Token, $"type mismatch: type {source.Tokens[named.Index.Token].Text} is a {kind} type, not a {named.Kind} type");
            return index;
        }
        CompositeSyntax type = ((WrittenHeapSyntax)heap).Type;
        var body = new ByteWriter();
        int modules = types.ModulesNamed;
        Composite(body, type);
        return FindOrAdd(body, type as FuncSyntax, types.ModulesNamed != modules);
    }

    protected virtual uint FindOrAdd(ByteWriter body, FuncSyntax? func, bool namesModules)
    {
        if (scope is not null) return scope.FindOrAdd(body);
        return types.FindOrAdd(body.Span, func is null ? null : new FuncShape(func.Params.Count, body.ToArray()), namesModules);
    }

    // ---- defined types ----

    private void Composite(ByteWriter writer, CompositeSyntax syntax)
    {
        RuntimeHelpers.EnsureSufficientExecutionStack();
        switch (syntax)
        {
            case FuncSyntax func: Func(writer, func); break;
            case StructSyntax structure:
                writer.U8(TypeByte.Struct);
                writer.U32((uint)structure.Fields.Count);
                foreach (StructFieldSyntax field in structure.Fields) Field(writer, field.Type);
                break;
            case ArraySyntax array:
                writer.U8(TypeByte.Array);
                Field(writer, array.Element);
                break;
            case EntityTypeSyntax { Entity: var entity }:
                writer.U8(entity switch
                {
                    MemoryExternSyntax => TypeByte.Memory,
                    TableExternSyntax => TypeByte.Table,
                    GlobalExternSyntax => TypeByte.Global,
                    _ => TypeByte.Tag,
                });
                Entity(writer, entity);
                break;
            case LinkingTypeSyntax linking: Linking(writer, linking); break;
        }
    }

    private void Func(ByteWriter writer, FuncSyntax func)
    {
        writer.U8(TypeByte.Func);
        writer.U32((uint)func.Params.Count);
        foreach (LocalSyntax param in func.Params) Value(writer, param.Type);
        writer.U32((uint)func.Results.Count);
        foreach (ValTypeSyntax result in func.Results) Value(writer, result);
    }

    private void Field(ByteWriter writer, FieldTypeSyntax type)
    {
        if (type.Value is { } value) Value(writer, value);
        else writer.U8(type.Packed);
        writer.U8((byte)(type.IsMutable ? 1 : 0));
    }

    internal void Global(ByteWriter writer, FieldTypeSyntax type) => Field(writer, type);

    internal void Table(ByteWriter writer, TableTypeSyntax type)
    {
        Value(writer, type.Element);
        writer.Limits(type.Limits);
    }

    /// <summary>The type of something imported or exported, with the byte of its kind.</summary>
    internal void Extern(ByteWriter writer, ExternSyntax type)
    {
        switch (type)
        {
            case FuncExternSyntax func:
                writer.U8(func.IsExact ? ExternByte.ExactFunc : ExternByte.Func);
                writer.U32(TypeUse(func.Type, out _));
                break;
            case LinkingExternSyntax linking:
                writer.U8(ExternByte.Of(linking.Kind));
                writer.U32(linking.Index is { } index ? Index(index) : LinkingIndex(linking.Type!));
                break;
            default:
                writer.U8(ExternByte.Of(type.Kind));
                Entity(writer, type);
                break;
        }
    }

    private void Entity(ByteWriter writer, ExternSyntax type)
    {
        switch (type)
        {
            case MemoryExternSyntax memory: writer.Limits(memory.Type); break;
            case TableExternSyntax table: Table(writer, table.Type); break;
            case GlobalExternSyntax global: Field(writer, global.Type); break;
            case TagExternSyntax tag: Tag(writer, tag.Type); break;
        }
    }

    internal void Tag(ByteWriter writer, TypeUseSyntax type)
    {
        writer.U8(0);
        writer.U32(TypeUse(type, out _));
    }

    protected FuncShape? ShapeOf(uint index) => types.ShapeOf(index);

    /// <summary>Whether what is written behind a type's index can be compared with the type.</summary>
    protected virtual bool IsComparable(uint index) => scope is null && !types.IsAlias(index);

    /// <summary>The function type that a type use stands for.</summary>
    /// <param name="use">The use.</param>
    /// <param name="paramCount">The number of parameters, 0 if that is not known here.</param>
    internal uint TypeUse(TypeUseSyntax use, out int paramCount)
    {
        paramCount = use.Func.Params.Count;
        if (use.Index is { } reference)
        {
            uint index = Index(reference);
            FuncShape? declared = scope is null ? types.ShapeOf(index) : null;
            if (!use.IsWritten)
            {
                paramCount = declared?.ParamCount ?? 0;
                return index;
            }
            // The indices in a type of an enclosing module have another meaning here, so the types cannot be compared.
            var inline = new ByteWriter();
            Func(inline, use.Func);
            if (!IsComparable(index)) return index;
            if (declared is null || !inline.Span.SequenceEqual(declared.Encoding))
                throw source.ErrorAt(use.Token, declared is not null || index < types.Space.Count ? "inline function type" : $"unknown type {index}");
            return index;
        }
        var body = new ByteWriter();
        int modules = types.ModulesNamed;
        Func(body, use.Func);
        return FindOrAdd(body, use.Func, types.ModulesNamed != modules);
    }

    // ---- module and instance types ----

    /// <summary>The type of an imported module or instance whose type is written out.</summary>
    private uint LinkingIndex(LinkingTypeSyntax syntax)
    {
        var body = new ByteWriter();
        Linking(body, syntax);
        return FindOrAdd(body, null, false);
    }

    private void Linking(ByteWriter writer, LinkingTypeSyntax syntax)
    {
        RuntimeHelpers.EnsureSufficientExecutionStack();
        var inside = new TypeScope(scope);
        var inner = new TypeWriter(names, source, inside);
        foreach (DeclarationSyntax declaration in syntax.Declarations) inner.Declare(declaration);
        writer.U8(syntax.Kind == "module" ? TypeByte.Module : TypeByte.Instance);
        writer.U32(inside.Count);
        writer.Bytes(inside.Definitions.Span);
    }

    /// <summary>Adds a declaration to the scope, behind the types that it implies.</summary>
    private void Declare(DeclarationSyntax declaration)
    {
        TypeScope inside = scope!;
        switch (declaration)
        {
            case TypeDeclarationSyntax type:
                uint index;
                if (type.Alias is { } alias)
                {
                    (uint depth, uint outer) = names.OuterItem(alias, types.Space.Kind, inside);
                    index = inside.DefineAlias(depth, outer);
                }
                else
                {
                    var body = new ByteWriter();
                    Composite(body, type.Type!);
                    index = inside.Define(body);
                }
                if (type.Id is not null && !inside.Names.TryAdd(type.Id, index)) throw source.ErrorAt(type.Token, $"duplicate type {type.Id}");
                break;
            case ImportDeclarationSyntax import:
                {
                    var item = new ByteWriter();
                    item.U8(DefinitionByte.Import);
                    item.ImportNames(import.Names);
                    Extern(item, import.Type);
                    inside.Add(item);
                    break;
                }
            case ExportDeclarationSyntax export:
                {
                    var item = new ByteWriter();
                    item.U8(DefinitionByte.Export);
                    item.Vector(export.Name);
                    Extern(item, export.Type);
                    inside.Add(item);
                    break;
                }
            case AllExportsDeclarationSyntax all:
                TypeInjector.AddExports(names, source, inside, Index(all.Type), all.Type.Token);
                break;
        }
    }
}
