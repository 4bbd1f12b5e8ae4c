using System.Runtime.CompilerServices;
using System.Text;
using WasmJit.Jit.Binary;
using WasmJit.Jit.Format;
using WasmJit.Jit.Operators;

namespace WasmJit.Text;

/// <summary>
/// Encodes a module: types, then what comes before the module's own definitions, then these. Types that type uses imply are added
/// behind the explicit ones in the order of the text.
/// </summary>
internal sealed class ModuleEncoder
{
    private readonly Source source;
    private readonly ModuleSyntax module;
    private readonly ModuleNames names;
    private readonly FirstSections sections;
    private readonly TypeWriter types;
    private readonly CodeContext code;
    private readonly ByteWriter funcSection = new(), tableSection = new(), memorySection = new(), tagSection = new();
    private readonly ByteWriter globalSection = new(), elemSection = new(), codeSection = new(), dataSection = new(), startSection = new(), scopeSection = new();
    private int definedFuncs, definedTables, definedMemories, definedTags, definedGlobals;

    /// <summary>Exports with the places where they were written.</summary>
    private readonly List<(int Token, byte[] Item)> exports = [];

    private ModuleEncoder(Source source, ModuleSyntax module, ModuleNames? outer)
    {
        this.source = source;
        this.module = module;
        names = new ModuleNames(source, module, outer);
        sections = names.Sections;
        code = new CodeContext(source, module.End, names);
        types = code.Types;
    }

    /// <summary>Encodes the fields between two tokens.</summary>
    /// <param name="source">The text.</param>
    /// <param name="begin">The first token.</param>
    /// <param name="end">The token behind the last.</param>
    /// <param name="id">The module's id.</param>
    /// <param name="name">The name that an annotation gives it, where that has been read.</param>
    /// <exception cref="InsufficientExecutionStackException">The text is nested too deeply.</exception>
    internal static ByteWriter Encode(Source source, int begin, int end, string? id, string? name = null) =>
        Encode(source, FieldReader.Read(source, begin, end, id, name), null);

    private static ByteWriter Encode(Source source, ModuleSyntax module, ModuleNames? outer) => new ModuleEncoder(source, module, outer).Run();

    private ByteWriter Run()
    {
        RuntimeHelpers.EnsureSufficientExecutionStack();
        var layout = new ModuleLayout(module, names);
        foreach (Field field in layout.Types) First(field);
        sections.EndTypes();
        foreach (Field field in layout.First) First(field);
        foreach (Field field in layout.Own)
            if (field is AllExportsField all) ExportAll(all);
        layout.DefineOwn();
        foreach (Field field in layout.Own) Own(field);
        CheckAnnotations();
        return Assemble();
    }

    // ---- what comes before the module's own definitions ----

    private void First(Field field)
    {
        if (field is DefinitionField definition) AddExports(definition);
        switch (field)
        {
            case TypeField type: types.Define(type); break;
            case TypeAliasField alias: names.Types.Alias(alias); break;
            case ImpliedAliasField alias: sections.Add(SectionId.Alias, alias.Item, alias.Start); break;
            case ImportField import: Import(import); break;
            case AliasField alias: sections.Add(SectionId.Alias, AliasOf(alias), alias.Start); break;
            case ModuleField nested:
                {
                    ByteWriter item = FirstSections.Begin(nested.Start);
                    item.Sized(Encode(source, nested.Module, names));
                    sections.Add(SectionId.Module, item);
                    break;
                }
            case InstanceField instance: Instance(instance); break;
        }
    }

    private void Import(ImportField field)
    {
        ByteWriter item = FirstSections.Begin(field.Start);
        item.ImportNames(field.Names);
        types.Extern(item, field.Type);
        if (field.Type is FuncExternSyntax func) AddLocalNames(field.Index, func.Type.Func.Params, 0);
        sections.Add(SectionId.Import, item);
    }

    private byte[] AliasOf(AliasField field)
    {
        if (field.Export is { } export) return AliasItem.Export(field.Kind, names.Index(names.Instances, field.Instance), export);
        (uint depth, uint index) = names.OuterItem(field.Outer!.Value, names.Modules.Kind, null);
        return AliasItem.Outer(ExternByte.Module, depth, index);
    }

    private void Instance(InstanceField field)
    {
        ByteWriter item = FirstSections.Begin(field.Start);
        item.U8(0);
        item.U32(names.Index(names.Modules, field.Module));
        item.U32((uint)field.Arguments.Count);
        foreach ((byte[] name, ItemSyntax argument) in field.Arguments)
        {
            item.Vector(name);
            item.U8(ExternByte.Of(argument.Kind));
            item.U32(names.Index(names.Space(argument.Kind), argument.Index));
        }
        sections.Add(SectionId.Instance, item);
    }

    // ---- exports ----

    private void AddExport(ExportSyntax export, string kind, uint index)
    {
        var item = new ByteWriter();
        item.Vector(export.Name);
        item.U8(ExternByte.Of(kind));
        item.U32(index);
        exports.Add((export.Token, item.ToArray()));
    }

    private void AddExports(DefinitionField field)
    {
        foreach (ExportSyntax export in field.Head.Exports) AddExport(export, field.Kind, field.Index);
    }

    /// <summary>All exports of an instance, through aliases.</summary>
    private void ExportAll(AllExportsField field)
    {
        uint instance = names.Index(names.Instances, field.Instance);
        ModuleInfo known = sections.Decode(field.Start).Info;
        if (instance >= known.Instances.Count) throw source.ErrorAt(field.Instance.Token, $"unknown instance {instance}");
        foreach (ExportType export in ((InstanceType)known.Instances[(int)instance].Type.Composite).Exports)
        {
            string kind = export.Type.Kind.ToString().ToLowerInvariant();
            IndexSpace space = names.Space(kind);
            if (!names.FindExport(space, instance, export.Name, out uint index))
            {
                index = names.DefineExport(space, instance, export.Name);
                sections.Add(SectionId.Alias, AliasItem.Export(kind, instance, export.Name), field.Start);
            }
            AddExport(new ExportSyntax(field.Start, Encoding.UTF8.GetBytes(export.Name)), kind, index);
        }
    }

    // ---- the module's own definitions ----

    private void Own(Field field)
    {
        if (field is DefinitionField definition) AddExports(definition);
        SectionOf(field)?.Place(field.Start);
        switch (field)
        {
            case FuncField func: Func(func); break;
            case TableField table: Table(table); break;
            case ElementTableField table: ElementTable(table); break;
            case MemoryField memory:
                definedMemories++;
                memorySection.Limits(memory.Type);
                break;
            case DataMemoryField memory: DataMemory(memory); break;
            case GlobalField global:
                definedGlobals++;
                types.Global(globalSection, global.Type);
                InstructionReader.WriteExpression(code, global.Init, globalSection);
                break;
            case TagField tag:
                definedTags++;
                types.Tag(tagSection, tag.Type);
                break;
            case ExportField export: AddExport(export.Export, export.Item.Kind, names.Index(names.Space(export.Item.Kind), export.Item.Index)); break;
            case ScopeField scope: Scope(scope); break;
            case StartField start: startSection.U32(names.Index(names.Funcs, start.Func)); break;
            case ElemField elem: Elem(elem); break;
            case DataField data: Data(data); break;
        }
    }

    private ByteWriter? SectionOf(Field field) => field switch
    {
        FuncField => funcSection,
        TableField or ElementTableField => tableSection,
        MemoryField or DataMemoryField => memorySection,
        GlobalField => globalSection,
        TagField => tagSection,
        ScopeField => scopeSection,
        StartField => startSection,
        ElemField => elemSection,
        DataField => dataSection,
        _ => null,
    };

    private void Scope(ScopeField field)
    {
        scopeSection.U32((uint)field.Items.Count);
        foreach (ItemSyntax item in field.Items)
        {
            scopeSection.U8(ExternByte.Of(item.Kind));
            scopeSection.U32(item.Kind == "type" ? types.Index(item.Index) : names.Index(names.Space(item.Kind), item.Index));
        }
    }

    // ---- functions ----

    private void Func(FuncField field)
    {
        definedFuncs++;
        funcSection.U32(types.TypeUse(field.Type, out int paramCount));
        AddLocalNames(field.Index, field.Type.Func.Params, 0);
        AddLocalNames(field.Index, field.Locals, paramCount);
        ByteWriter body = code.TakeBuffer();
        body.Place(field.Start);
        WriteLocals(body, field.Locals);
        InstructionReader.WriteBody(code, field, paramCount, body);
        codeSection.Sized(body);
        code.ReturnBuffer(body);
    }

    private void AddLocalNames(uint func, IReadOnlyList<LocalSyntax> locals, int first)
    {
        for (int i = 0; i < locals.Count; i++)
            if (locals[i].Name is { } name) code.LocalNames[(func, (uint)(first + i))] = name;
    }

    /// <summary>Locals of one type that follow each other are written once.</summary>
    private void WriteLocals(ByteWriter body, IReadOnlyList<LocalSyntax> locals)
    {
        var runs = new List<(uint Count, byte[] Type)>();
        ValTypeSyntax? last = null;
        foreach (LocalSyntax local in locals)
        {
            if (runs.Count > 0 && ReferenceEquals(local.Type, last))
            {
                runs[^1] = (runs[^1].Count + 1, runs[^1].Type);
                continue;
            }
            last = local.Type;
            var type = new ByteWriter();
            types.Value(type, local.Type);
            if (runs.Count > 0 && runs[^1].Type.AsSpan().SequenceEqual(type.Span)) runs[^1] = (runs[^1].Count + 1, runs[^1].Type);
            else runs.Add((1, type.ToArray()));
        }
        body.U32((uint)runs.Count);
        foreach ((uint count, byte[] type) in runs)
        {
            body.U32(count);
            body.Bytes(type);
        }
    }

    // ---- tables and memories ----

    private void Table(TableField field)
    {
        definedTables++;
        if (field.Init is not { } init)
        {
            types.Table(tableSection, field.Type);
            return;
        }
        tableSection.U8(TableByte.WithInit);
        tableSection.U8(0);
        types.Table(tableSection, field.Type);
        InstructionReader.WriteExpression(code, init, tableSection);
    }

    private void ElementTable(ElementTableField field)
    {
        definedTables++;
        ValTypeSyntax element = field.Elements.Type!;
        // Functions by index are of type (ref func): a table of another type takes expressions.
        bool asExpressions = field.Elements.Funcs is null || !element.IsFuncRef;
        var items = new ByteWriter();
        int count = WriteElements(items, field.Elements, asExpressions);
        types.Table(tableSection, new TableTypeSyntax(new LimitsSyntax(field.Is64, (ulong)count, (ulong)count, false, null), element));
        bool isFirst = field.Index == 0 && element.IsFuncRef || field.Index == 0 && !asExpressions;
        elemSection.U32((asExpressions ? ElementFlags.HasExpressions : 0) | (isFirst ? 0 : ElementFlags.HasTable));
        if (!isFirst) elemSection.U32(field.Index);
        WriteZero(elemSection, field.Is64);
        if (asExpressions && !isFirst) types.Value(elemSection, element);
        if (!asExpressions && !isFirst) elemSection.U8(ElementFlags.FuncKind);
        elemSection.U32((uint)count);
        elemSection.Append(items);
    }

    private int WriteElements(ByteWriter items, ElementsSyntax elements, bool asExpressions)
    {
        if (elements.Funcs is not { } funcs)
        {
            foreach (CodeSyntax expression in elements.Expressions) InstructionReader.WriteExpression(code, expression, items);
            return elements.Expressions.Count;
        }
        foreach (IndexSyntax func in funcs)
        {
            if (asExpressions) items.Code(OpId.RefFunc);
            items.U32(names.Index(names.Funcs, func));
            if (asExpressions) items.Code(OpId.End);
        }
        return funcs.Count;
    }

    /// <summary>The offset of elements or data that are written in a table or memory.</summary>
    private static void WriteZero(ByteWriter writer, bool is64)
    {
        writer.Code(is64 ? OpId.I64Const : OpId.I32Const);
        writer.U8(0);
        writer.Code(OpId.End);
    }

    private void DataMemory(DataMemoryField field)
    {
        definedMemories++;
        byte[] bytes = BytesOf(field.Data);
        ulong pageSize = 1UL << (int)(field.PageSizeLog2 ?? 16);
        ulong pages = ((ulong)bytes.Length + pageSize - 1) / pageSize;
        memorySection.Limits(new LimitsSyntax(field.Is64, pages, pages, false, field.PageSizeLog2));
        dataSection.U32(field.Index == 0 ? 0 : DataFlags.HasMemory);
        if (field.Index != 0) dataSection.U32(field.Index);
        WriteZero(dataSection, field.Is64);
        dataSection.Vector(bytes);
    }

    private byte[] BytesOf(IReadOnlyList<DataSyntax> data)
    {
        var bytes = new ByteWriter();
        foreach (DataSyntax part in data) bytes.Bytes(part.Bytes ?? Encode(source, part.Module!, null).ToArray());
        return bytes.ToArray();
    }

    // ---- segments ----

    private void Elem(ElemField field)
    {
        uint table = field.Table is { } index ? names.Index(names.Tables, index) : 0;
        ElementsSyntax elements = field.Elements;
        bool asExpressions = elements.Type is not null;
        bool isSimple = table == 0 && (elements.Type?.IsFuncRef ?? true);
        uint flags = field.IsDeclarative ? ElementFlags.NotActive | ElementFlags.Declarative
            : field.Offset is null ? ElementFlags.NotActive : isSimple ? 0 : ElementFlags.HasTable;
        elemSection.U32(flags | (asExpressions ? ElementFlags.HasExpressions : 0));
        if (flags == ElementFlags.HasTable) elemSection.U32(table);
        if (field.Offset is { } offset) InstructionReader.WriteExpression(code, offset, elemSection);
        if (flags != 0)
        {
            if (elements.Type is { } type) types.Value(elemSection, type);
            else elemSection.U8(ElementFlags.FuncKind);
        }
        var items = new ByteWriter();
        elemSection.U32((uint)WriteElements(items, elements, asExpressions));
        elemSection.Append(items);
    }

    private void Data(DataField field)
    {
        uint memory = field.Memory is { } index ? names.Index(names.Memories, index) : 0;
        dataSection.U32(field.Offset is null ? DataFlags.Passive : memory == 0 ? 0 : DataFlags.HasMemory);
        if (field.Offset is { } offset)
        {
            if (memory != 0) dataSection.U32(memory);
            InstructionReader.WriteExpression(code, offset, dataSection);
        }
        dataSection.Vector(BytesOf(field.Data));
    }

    // ---- the whole ----

    /// <summary>An annotation that has a meaning stands where it has it.</summary>
    private void CheckAnnotations()
    {
        foreach (Annotation annotation in source.Annotations.Unread(module.Begin, module.End))
        {
            if (annotation.Name != Annotation.BranchHint) throw source.Error(annotation.Position, $"misplaced @{annotation.Name} annotation");
            bool inside = module.Fields.Any(field => field is FuncField && annotation.Token > field.Start + 2 && annotation.Token < field.End);
            throw source.Error(annotation.Position, $"@{annotation.Name} annotation: {(inside ? "invalid placement" : "not in a function")}");
        }
    }

    private ByteWriter Assemble()
    {
        var dataCountSection = new ByteWriter();
        if (code.UsesDataCount) dataCountSection.U32(names.Datas.Count);
        var exportSection = new ByteWriter();
        foreach ((int token, byte[] item) in exports.OrderBy(e => e.Token))
        {
            exportSection.Place(token);
            exportSection.Bytes(item);
        }
        return new SectionWriter(module, names, code).Write([
            .. sections.Sections(), (SectionId.Function, ByteWriter.Counted(definedFuncs, funcSection)),
            (SectionId.Table, ByteWriter.Counted(definedTables, tableSection)), (SectionId.Memory, ByteWriter.Counted(definedMemories, memorySection)),
            (SectionId.Tag, ByteWriter.Counted(definedTags, tagSection)), (SectionId.Global, ByteWriter.Counted(definedGlobals, globalSection)),
            (SectionId.Export, ByteWriter.Counted(exports.Count, exportSection)), (SectionId.Scope, ByteWriter.Counted((int)names.Scopes.Count, scopeSection)), (SectionId.Start, startSection),
            (SectionId.Element, ByteWriter.Counted((int)names.Elems.Count, elemSection)), (SectionId.DataCount, dataCountSection),
            (SectionId.Code, ByteWriter.Counted(definedFuncs, codeSection)), (SectionId.Data, ByteWriter.Counted((int)names.Datas.Count, dataSection)),
        ]);
    }
}
