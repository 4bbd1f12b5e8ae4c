namespace WasmJit.Text;

/// <summary>A module as the text has it.</summary>
internal sealed record ModuleSyntax
{
    /// <summary>The first token of its fields.</summary>
    internal required int Begin { get; init; }

    /// <summary>The token behind its fields.</summary>
    internal required int End { get; init; }

    /// <summary>Its id, by which modules inside refer to it.</summary>
    internal required string? Id { get; init; }

    /// <summary>The name for the name section.</summary>
    internal required string? Name { get; init; }

    internal required IReadOnlyList<Field> Fields { get; init; }

    internal required IReadOnlyList<CustomSection> CustomSections { get; init; }
}

/// <summary>A field of a module.</summary>
internal abstract class Field
{
    /// <summary>Its opening parenthesis.</summary>
    internal int Start { get; private set; }

    /// <summary>The token behind its closing parenthesis.</summary>
    internal int End { get; private set; }

    /// <summary>The aliases that stand in the place of indices, in the order of the text.</summary>
    internal IReadOnlyList<AliasSyntax> Aliases { get; private set; } = [];

    /// <summary>The types that are written with <c>exact</c>: those of modules decide on the order of sections.</summary>
    internal IReadOnlyList<ExactHeapSyntax> ExactTypes { get; private set; } = [];

    internal void Complete(int start, int end, IReadOnlyList<AliasSyntax> aliases, IReadOnlyList<ExactHeapSyntax> exactTypes) =>
        (Start, End, Aliases, ExactTypes) = (start, end, aliases, exactTypes);
}

/// <summary>A type, or a recursion group of types.</summary>
internal sealed class TypeField(IReadOnlyList<SubTypeSyntax> members, bool isGroup) : Field
{
    internal IReadOnlyList<SubTypeSyntax> Members { get; } = members;

    internal bool IsGroup { get; } = isGroup;
}

/// <summary>A type of an enclosing module.</summary>
internal sealed class TypeAliasField(string? id, string? name, OuterSyntax item) : Field
{
    internal string? Id { get; } = id;

    internal string? Name { get; } = name;

    internal OuterSyntax Item { get; } = item;
}

/// <summary>A field that gives something an index.</summary>
/// <param name="head">What all of them have.</param>
internal abstract class DefinitionField(DefinitionHead head) : Field
{
    internal DefinitionHead Head { get; } = head;

    /// <summary>The keyword of its index space.</summary>
    internal string Kind => Head.Kind;

    /// <summary>Its index; <see cref="ModuleLayout"/> gives it.</summary>
    internal uint Index { get; set; }
}

/// <summary>The beginning of a definition.</summary>
/// <param name="Kind">The keyword of its index space.</param>
/// <param name="Id">Its id without the dollar.</param>
/// <param name="Name">The name that an annotation gives it.</param>
/// <param name="BehindId">The token behind the id, where a second use of it is reported.</param>
/// <param name="Exports">The exports that are written in it.</param>
internal sealed record DefinitionHead(string Kind, string? Id, string? Name, int BehindId, IReadOnlyList<ExportSyntax> Exports);

/// <summary>A name under which something is exported.</summary>
/// <param name="Token">Where that is written: exports have the order of the text.</param>
/// <param name="Name">The name.</param>
internal readonly record struct ExportSyntax(int Token, byte[] Name);

internal sealed class ImportField(DefinitionHead head, ImportNames names, ExternSyntax type) : DefinitionField(head)
{
    internal ImportNames Names { get; } = names;

    internal ExternSyntax Type { get; } = type;
}

/// <summary>An alias of an instance's export or of an enclosing module's module, written as a field.</summary>
internal sealed class AliasField(DefinitionHead head, IndexSyntax instance, string? export, OuterSyntax? outer) : DefinitionField(head)
{
    /// <summary>Whether it is written as a definition: <c>(func $f (alias $i "f"))</c>.</summary>
    internal bool IsInDefinition { get; init; }

    internal IndexSyntax Instance { get; } = instance;

    /// <summary>The export's name, if it is one of an instance.</summary>
    internal string? Export { get; } = export;

    internal OuterSyntax? Outer { get; } = outer;
}

/// <summary>An alias that an index position implies.</summary>
/// <param name="item">The item of the alias section.</param>
internal sealed class ImpliedAliasField(byte[] item) : Field
{
    internal byte[] Item { get; } = item;
}

/// <summary>A module in the module.</summary>
internal sealed class ModuleField(DefinitionHead head, ModuleSyntax module) : DefinitionField(head)
{
    internal ModuleSyntax Module { get; } = module;
}

internal sealed class InstanceField(DefinitionHead head, IndexSyntax module, IReadOnlyList<(byte[] Name, ItemSyntax Item)> arguments) : DefinitionField(head)
{
    internal IndexSyntax Module { get; } = module;

    internal IReadOnlyList<(byte[] Name, ItemSyntax Item)> Arguments { get; } = arguments;
}

/// <summary>Something by its kind and index, such as <c>(func $f)</c>.</summary>
internal readonly record struct ItemSyntax(string Kind, IndexSyntax Index);

/// <summary>Where instructions begin. They are read when the module is encoded: what they name is known then.</summary>
/// <param name="Token">The first token.</param>
/// <param name="IsFolded">Whether it is one folded instruction; a sequence up to a closing parenthesis otherwise.</param>
internal readonly record struct CodeSyntax(int Token, bool IsFolded);

internal sealed class FuncField(DefinitionHead head, TypeUseSyntax type, IReadOnlyList<LocalSyntax> locals, CodeSyntax body) : DefinitionField(head)
{
    internal TypeUseSyntax Type { get; } = type;

    internal IReadOnlyList<LocalSyntax> Locals { get; } = locals;

    internal CodeSyntax Body { get; } = body;
}

internal sealed class TableField(DefinitionHead head, TableTypeSyntax type, CodeSyntax? init) : DefinitionField(head)
{
    internal TableTypeSyntax Type { get; } = type;

    internal CodeSyntax? Init { get; } = init;
}

/// <summary>A table that is as large as its elements.</summary>
internal sealed class ElementTableField(DefinitionHead head, bool is64, ElementsSyntax elements) : DefinitionField(head)
{
    internal bool Is64 { get; } = is64;

    internal ElementsSyntax Elements { get; } = elements;
}

/// <summary>Elements: functions by index, or expressions.</summary>
/// <param name="Type">Their type; null for functions by index in an element segment.</param>
/// <param name="Funcs">The functions, null if there are expressions.</param>
/// <param name="Expressions">The expressions.</param>
internal sealed record ElementsSyntax(ValTypeSyntax? Type, IReadOnlyList<IndexSyntax>? Funcs, IReadOnlyList<CodeSyntax> Expressions);

internal sealed class MemoryField(DefinitionHead head, LimitsSyntax type) : DefinitionField(head)
{
    internal LimitsSyntax Type { get; } = type;
}

/// <summary>A memory that is as large as its data.</summary>
internal sealed class DataMemoryField(DefinitionHead head, bool is64, uint? pageSizeLog2, IReadOnlyList<DataSyntax> data) : DefinitionField(head)
{
    internal bool Is64 { get; } = is64;

    internal uint? PageSizeLog2 { get; } = pageSizeLog2;

    internal IReadOnlyList<DataSyntax> Data { get; } = data;
}

/// <summary>Bytes of a data segment, or a module that encodes to them.</summary>
internal readonly record struct DataSyntax(byte[]? Bytes, ModuleSyntax? Module);

internal sealed class GlobalField(DefinitionHead head, FieldTypeSyntax type, CodeSyntax init) : DefinitionField(head)
{
    internal FieldTypeSyntax Type { get; } = type;

    internal CodeSyntax Init { get; } = init;
}

internal sealed class TagField(DefinitionHead head, TypeUseSyntax type) : DefinitionField(head)
{
    internal TypeUseSyntax Type { get; } = type;
}

internal sealed class ExportField(ExportSyntax export, ItemSyntax item) : Field
{
    internal ExportSyntax Export { get; } = export;

    internal ItemSyntax Item { get; } = item;
}

/// <summary><c>(export $i)</c>: all exports of an instance, through aliases.</summary>
internal sealed class AllExportsField(IndexSyntax instance) : Field
{
    internal IndexSyntax Instance { get; } = instance;
}

/// <summary>What functions that are made at run time may refer to.</summary>
internal sealed class ScopeField(DefinitionHead head, IReadOnlyList<ItemSyntax> items) : DefinitionField(head)
{
    internal IReadOnlyList<ItemSyntax> Items { get; } = items;
}

internal sealed class StartField(IndexSyntax func) : Field
{
    internal IndexSyntax Func { get; } = func;
}

/// <summary>An element segment.</summary>
internal sealed class ElemField(DefinitionHead head) : DefinitionField(head)
{
    internal required bool IsDeclarative { get; init; }

    /// <summary>The table of an active segment, null for the first.</summary>
    internal required IndexSyntax? Table { get; init; }

    /// <summary>The offset of an active segment.</summary>
    internal required CodeSyntax? Offset { get; init; }

    internal required ElementsSyntax Elements { get; init; }
}

/// <summary>A data segment.</summary>
internal sealed class DataField(DefinitionHead head) : DefinitionField(head)
{
    /// <summary>The memory of an active segment, null for the first.</summary>
    internal required IndexSyntax? Memory { get; init; }

    /// <summary>The offset of an active segment.</summary>
    internal required CodeSyntax? Offset { get; init; }

    internal required IReadOnlyList<DataSyntax> Data { get; init; }
}
