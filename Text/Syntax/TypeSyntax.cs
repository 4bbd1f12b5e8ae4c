namespace WasmJit.Text;

// Types as the text has them: names are not resolved, and what a place stands for is known when it is encoded.

/// <summary>An index: a number, an id, or an alias written in place of one.</summary>
/// <param name="Token">Where it begins.</param>
/// <param name="Number">The number, if it is no other.</param>
/// <param name="Id">The id without the dollar.</param>
/// <param name="Alias">The alias.</param>
internal readonly record struct IndexSyntax(int Token, uint Number, string? Id, AliasSyntax? Alias);

/// <summary>An alias in the place of an index, such as <c>(func $instance "export")</c>.</summary>
/// <param name="Kind">The keyword of the index space.</param>
/// <param name="End">The token behind it.</param>
internal abstract record AliasSyntax(string Kind, int End);

/// <summary>An export of an instance; with several names, all but the last are instances.</summary>
internal sealed record ExportAliasSyntax(string Kind, IndexSyntax Instance, IReadOnlyList<string> Names, int End) : AliasSyntax(Kind, End);

/// <summary><c>(type outer $module $type)</c>, <c>(module outer 1 $module)</c>.</summary>
internal sealed record OuterAliasSyntax(string Kind, OuterSyntax Item, int End) : AliasSyntax(Kind, End);

/// <summary>An item of an enclosing module or type.</summary>
/// <param name="Token">The token behind <c>outer</c>.</param>
/// <param name="Module">The id of the enclosing module; null if there is a number.</param>
/// <param name="Depth">The number of modules and types between, where <paramref name="Module"/> is null.</param>
/// <param name="Item">The item's number or id.</param>
internal readonly record struct OuterSyntax(int Token, string? Module, uint Depth, IndexSyntax Item);

/// <summary>A heap type.</summary>
internal abstract record HeapTypeSyntax;

/// <summary>A heap type such as <c>any</c>.</summary>
internal sealed record AbstractHeapSyntax(byte Code) : HeapTypeSyntax
{
    /// <summary>One for each code: types of values are compared a lot.</summary>
    internal static readonly AbstractHeapSyntax[] All = [.. Enumerable.Range(0, 0x80).Select(code => new AbstractHeapSyntax((byte)code))];
}

/// <summary>A defined type by its index.</summary>
internal sealed record IndexHeapSyntax(IndexSyntax Index) : HeapTypeSyntax;

/// <summary><c>(exact $t)</c>; with <paramref name="IsModule"/> <c>(exact (module $m))</c>. An id alone may be one of a module, too.</summary>
internal sealed record ExactHeapSyntax(IndexSyntax Index, bool IsModule) : HeapTypeSyntax;

/// <summary>A defined type with its kind, such as <c>(module $M)</c>.</summary>
internal sealed record KindHeapSyntax(string Kind, IndexSyntax Index) : HeapTypeSyntax;

/// <summary>A type that is written in the place of its index, such as <c>(func (param i32))</c>.</summary>
internal sealed record WrittenHeapSyntax(CompositeSyntax Type) : HeapTypeSyntax;

/// <summary>A value type.</summary>
/// <param name="Number">The byte of a number or vector type; 0 for references.</param>
/// <param name="IsNullable">Whether a reference may be null.</param>
/// <param name="Heap">What a reference refers to.</param>
internal sealed record ValTypeSyntax(byte Number, bool IsNullable, HeapTypeSyntax? Heap)
{
    /// <summary>By code: numbers, and shorthands such as <c>anyref</c>.</summary>
    internal static readonly ValTypeSyntax[] Numbers = [.. Enumerable.Range(0, 0x80).Select(code => new ValTypeSyntax((byte)code, false, null))];

    internal static readonly ValTypeSyntax[] Shorthands = [.. Enumerable.Range(0, 0x80).Select(code => new ValTypeSyntax(0, true, AbstractHeapSyntax.All[code]))];

    /// <summary>Whether it is <c>funcref</c>, the type of elements where none is written.</summary>
    internal bool IsFuncRef => IsNullable && Heap is AbstractHeapSyntax { Code: var code } && code == HeapType.Func.Code;
}

/// <summary>The type of a field, an element or a global.</summary>
/// <param name="Packed">The byte of a packed type, 0 if there is a value type.</param>
/// <param name="Value">The value type.</param>
/// <param name="IsMutable">Whether it is mutable.</param>
internal readonly record struct FieldTypeSyntax(byte Packed, ValTypeSyntax? Value, bool IsMutable);

/// <summary>A parameter or local.</summary>
/// <param name="Id">Its id without the dollar.</param>
/// <param name="Name">The name for the name section.</param>
/// <param name="Type">Its type.</param>
internal readonly record struct LocalSyntax(string? Id, string? Name, ValTypeSyntax Type);

/// <summary>The limits of a memory or table.</summary>
internal sealed record LimitsSyntax(bool Is64, ulong Minimum, ulong? Maximum, bool IsShared, uint? PageSizeLog2);

internal sealed record TableTypeSyntax(LimitsSyntax Limits, ValTypeSyntax Element);

/// <summary>A type that is defined.</summary>
/// <param name="Kind">Its keyword.</param>
internal abstract record CompositeSyntax(string Kind);

internal sealed record FuncSyntax(IReadOnlyList<LocalSyntax> Params, IReadOnlyList<ValTypeSyntax> Results) : CompositeSyntax("func");

internal sealed record StructSyntax(IReadOnlyList<StructFieldSyntax> Fields) : CompositeSyntax("struct");

/// <summary>A field of a structure.</summary>
/// <param name="Token">The token of its type.</param>
/// <param name="Id">Its id without the dollar.</param>
/// <param name="Name">The name for the name section.</param>
/// <param name="Type">Its type.</param>
internal readonly record struct StructFieldSyntax(int Token, string? Id, string? Name, FieldTypeSyntax Type);

internal sealed record ArraySyntax(FieldTypeSyntax Element) : CompositeSyntax("array");

/// <summary>A type of memories, tables, globals or tags, of the runtime-linking extension.</summary>
internal sealed record EntityTypeSyntax(ExternSyntax Entity) : CompositeSyntax(Entity.Kind);

/// <summary>A module or instance type.</summary>
internal sealed record LinkingTypeSyntax(string Kind, IReadOnlyList<DeclarationSyntax> Declarations) : CompositeSyntax(Kind);

/// <summary>A function type by its index, written out, or both.</summary>
/// <param name="Token">Where parameters and results begin.</param>
/// <param name="Index">The index in <c>(type $t)</c>, null if there is none.</param>
/// <param name="IsWritten">Whether there are parameters or results.</param>
/// <param name="Func">Parameters and results.</param>
internal sealed record TypeUseSyntax(int Token, IndexSyntax? Index, bool IsWritten, FuncSyntax Func);

/// <summary>The type of what is imported or exported.</summary>
/// <param name="Kind">The keyword of its kind.</param>
internal abstract record ExternSyntax(string Kind);

internal sealed record FuncExternSyntax(TypeUseSyntax Type, bool IsExact) : ExternSyntax("func");

internal sealed record TableExternSyntax(TableTypeSyntax Type) : ExternSyntax("table");

internal sealed record MemoryExternSyntax(LimitsSyntax Type) : ExternSyntax("memory");

internal sealed record GlobalExternSyntax(FieldTypeSyntax Type) : ExternSyntax("global");

internal sealed record TagExternSyntax(TypeUseSyntax Type) : ExternSyntax("tag");

/// <summary>A module or instance, by the index of its type or with the type written out.</summary>
internal sealed record LinkingExternSyntax(string Kind, IndexSyntax? Index, LinkingTypeSyntax? Type) : ExternSyntax(Kind);

/// <summary>A declaration in a module or instance type.</summary>
internal abstract record DeclarationSyntax;

/// <summary>A type, or an alias of one of what encloses.</summary>
/// <param name="Token">Where a second use of the id is reported.</param>
/// <param name="Id">Its id without the dollar.</param>
/// <param name="Type">The type.</param>
/// <param name="Alias">The alias.</param>
internal sealed record TypeDeclarationSyntax(int Token, string? Id, CompositeSyntax? Type, OuterSyntax? Alias) : DeclarationSyntax;

internal sealed record ImportDeclarationSyntax(ImportNames Names, ExternSyntax Type) : DeclarationSyntax;

internal sealed record ExportDeclarationSyntax(byte[] Name, ExternSyntax Type) : DeclarationSyntax;

/// <summary><c>(export $I)</c>: all exports of an instance type.</summary>
internal sealed record AllExportsDeclarationSyntax(IndexSyntax Type) : DeclarationSyntax;

/// <summary>The names of an import; the second is null if it has one alone.</summary>
internal readonly record struct ImportNames(byte[] First, byte[]? Second);

/// <summary>A type in a type field.</summary>
internal sealed record SubTypeSyntax
{
    internal required int Start { get; init; }

    internal required string? Id { get; init; }

    /// <summary>The name that an annotation gives it.</summary>
    internal required string? Name { get; init; }

    /// <summary>The token behind the id, where a second use of it is reported.</summary>
    internal required int BehindId { get; init; }

    /// <summary>Whether it is final; without <c>sub</c> a type is.</summary>
    internal required bool IsFinal { get; init; }

    internal required IReadOnlyList<IndexSyntax> Supers { get; init; }

    internal required IndexSyntax? Describes { get; init; }

    internal required IndexSyntax? Descriptor { get; init; }

    internal required CompositeSyntax Type { get; init; }
}
