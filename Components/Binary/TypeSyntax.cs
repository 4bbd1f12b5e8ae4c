using System.Collections.Immutable;

namespace WasmJit.Components;

/// <summary>A value type where it is used: a primitive one, or an index.</summary>
internal readonly record struct TypeUse(PrimitiveKind? Primitive, uint Index, int Offset);

/// <summary>A type as it is written.</summary>
internal abstract record TypeSyntax(int Offset);

internal sealed record PrimitiveSyntax(int Offset, PrimitiveKind Primitive) : TypeSyntax(Offset);

internal sealed record RecordSyntax(int Offset, ImmutableArray<LabelledUse> Fields) : TypeSyntax(Offset);

internal sealed record VariantSyntax(int Offset, ImmutableArray<CaseUse> Cases) : TypeSyntax(Offset);

internal sealed record ListSyntax(int Offset, TypeUse Element, uint? Length) : TypeSyntax(Offset);

internal sealed record TupleSyntax(int Offset, ImmutableArray<TypeUse> Elements) : TypeSyntax(Offset);

internal sealed record FlagsSyntax(int Offset, ImmutableArray<Label> Labels) : TypeSyntax(Offset);

internal sealed record EnumSyntax(int Offset, ImmutableArray<Label> Labels) : TypeSyntax(Offset);

internal sealed record OptionSyntax(int Offset, TypeUse Payload) : TypeSyntax(Offset);

internal sealed record ResultSyntax(int Offset, TypeUse? Ok, TypeUse? Error) : TypeSyntax(Offset);

internal sealed record HandleSyntax(int Offset, uint Resource, bool IsBorrow) : TypeSyntax(Offset);

internal sealed record StreamSyntax(int Offset, TypeUse? Element, bool IsFuture) : TypeSyntax(Offset);

internal sealed record MapSyntax(int Offset, TypeUse Key, TypeUse Value) : TypeSyntax(Offset);

internal sealed record ResourceSyntax(int Offset, ValType Representation, uint? Destructor) : TypeSyntax(Offset);

internal sealed record FunctionSyntax(int Offset, ImmutableArray<LabelledUse> Parameters, TypeUse? Result, bool IsAsync) : TypeSyntax(Offset);

/// <summary>An instance type: its declarations, which are definitions (types, aliases) and exports.</summary>
internal sealed record InstanceTypeSyntax(int Offset, ImmutableArray<Definition> Declarations) : TypeSyntax(Offset);

/// <summary>A component type: as an instance type, with imports.</summary>
internal sealed record ComponentTypeSyntax(int Offset, ImmutableArray<Definition> Declarations) : TypeSyntax(Offset);

/// <summary>An export in a type, which there is nothing to export for. Imports in types are <see cref="ImportDefinition"/>.</summary>
internal sealed record ExportDeclaration(int Offset, ExternName Name, ExternSyntax Type) : Definition(Offset);

/// <summary>A label with its place.</summary>
internal readonly record struct Label(string Text, int Offset);

internal readonly record struct LabelledUse(Label Label, TypeUse Type);

internal readonly record struct CaseUse(Label Label, TypeUse? Type);

/// <summary>What an import or export is said to be.</summary>
internal abstract record ExternSyntax(int Offset, Sort Sort);

/// <summary>A core module, function, component or instance of a type.</summary>
internal sealed record IndexedExtern(int Offset, Sort Sort, uint Type) : ExternSyntax(Offset, Sort);

/// <summary>A type: equal to one (<see cref="Equal"/>), or an abstract resource.</summary>
internal sealed record TypeExtern(int Offset, uint? Equal) : ExternSyntax(Offset, Sort.Type);

/// <summary>A value: that of another (<see cref="Equal"/>), or of a type.</summary>
internal sealed record ValueExtern(int Offset, uint? Equal, TypeUse? Type) : ExternSyntax(Offset, Sort.Value);
