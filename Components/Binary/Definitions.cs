using System.Collections.Immutable;
using WasmJit.Jit.Binary;

namespace WasmJit.Components;

/// <summary>A definition as it stands in a component: indices are not resolved.</summary>
/// <param name="Offset">Where it is in the bytes.</param>
internal abstract record Definition(int Offset);

/// <summary>A sort and an index in its index space.</summary>
internal readonly record struct SortIndex(Sort Sort, uint Index);

/// <summary>The name of an import or export, with its attributes.</summary>
internal sealed record ExternName(string Name, int Offset)
{
    internal string? Implements { get; init; }

    internal string? VersionSuffix { get; init; }

    internal string? ExternalId { get; init; }
}

internal sealed record CoreModuleDefinition(int Offset, ModuleInfo Module) : Definition(Offset);

/// <summary>A nested component.</summary>
internal sealed record NestedDefinition(int Offset, ComponentDefinition Component) : Definition(Offset);

/// <summary>An instance of a core module.</summary>
internal sealed record CoreInstantiation(int Offset, uint Module, ImmutableArray<CoreArgument> Arguments) : Definition(Offset);

/// <summary>An argument of a core instantiation: always an instance.</summary>
internal readonly record struct CoreArgument(string Name, uint Instance, int Offset);

/// <summary>A core instance made of what is named.</summary>
internal sealed record CoreExportsInstance(int Offset, ImmutableArray<CoreInlineExport> Exports) : Definition(Offset);

internal readonly record struct CoreInlineExport(string Name, SortIndex Item, int Offset);

/// <summary>An instance of a component.</summary>
internal sealed record Instantiation(int Offset, uint Component, ImmutableArray<Argument> Arguments) : Definition(Offset);

internal readonly record struct Argument(string Name, SortIndex Item, int Offset);

/// <summary>An instance made of what is named.</summary>
internal sealed record ExportsInstance(int Offset, ImmutableArray<InlineExport> Exports) : Definition(Offset);

internal readonly record struct InlineExport(ExternName Name, SortIndex Item);

/// <summary>An alias; in types a declaration.</summary>
internal abstract record AliasDefinition(int Offset, Sort Sort) : Definition(Offset);

/// <summary>An alias of what an instance exports.</summary>
internal sealed record ExportAlias(int Offset, Sort Sort, uint Instance, string Name) : AliasDefinition(Offset, Sort);

/// <summary>An alias of what a core instance exports.</summary>
internal sealed record CoreExportAlias(int Offset, Sort Sort, uint Instance, string Name) : AliasDefinition(Offset, Sort);

/// <summary>An alias of what an enclosing component or type has; 0 is the one where the alias stands.</summary>
internal sealed record OuterAlias(int Offset, Sort Sort, uint Count, uint Index) : AliasDefinition(Offset, Sort);

/// <summary>An item of a core type section.</summary>
/// <param name="Offset">Where it is.</param>
/// <param name="End">Where it ends.</param>
/// <param name="Types">The types of a recursion group, each of which has an index, or one module type.</param>
/// <param name="Module">A module type as it is written; null for other types.</param>
internal sealed record CoreTypeDefinition(int Offset, int End, ImmutableArray<DefType> Types, ImmutableArray<ModuleDeclaration>? Module) : Definition(Offset);

/// <summary>A declaration in a core module type.</summary>
internal abstract record ModuleDeclaration(int Offset);

internal sealed record ModuleImportDeclaration(int Offset, ImportType Import, int TypeOffset) : ModuleDeclaration(Offset);

internal sealed record ModuleExportDeclaration(int Offset, ExportType Export, int TypeOffset) : ModuleDeclaration(Offset);

internal sealed record ModuleTypeDeclaration(int Offset, ImmutableArray<DefType> Types) : ModuleDeclaration(Offset);

internal sealed record ModuleAliasDeclaration(int Offset, uint Count, uint Index) : ModuleDeclaration(Offset);

internal sealed record TypeDefinition(int Offset, TypeSyntax Type) : Definition(Offset);

/// <summary>A component function made of a core function.</summary>
internal sealed record LiftDefinition(int Offset, uint CoreFunc, CanonOptions Options, uint Type) : Definition(Offset);

/// <summary>A core function made of a component function.</summary>
internal sealed record LowerDefinition(int Offset, uint Func, CanonOptions Options) : Definition(Offset);

/// <summary>A core function of the runtime. Only the immediates that <see cref="CanonBuiltins"/> has for the operator mean something.</summary>
internal sealed record BuiltinDefinition(int Offset, CanonOp Op) : Definition(Offset)
{
    /// <summary>The type index: of a resource, stream or future.</summary>
    internal uint Type { get; init; }

    /// <summary>The result of <c>task.return</c>.</summary>
    internal TypeUse? Result { get; init; }

    /// <summary>The core type of a slot of <c>context.get</c> and <c>context.set</c>.</summary>
    internal ValType SlotType { get; init; }

    internal uint Slot { get; init; }

    internal bool IsAsync { get; init; }

    internal bool IsCancellable { get; init; }

    internal bool IsShared { get; init; }

    internal uint CoreType { get; init; }

    internal uint Table { get; init; }

    internal uint Memory { get; init; }

    internal CanonOptions Options { get; init; } = CanonOptions.None;
}

/// <summary>The options of a canonical definition, in their order.</summary>
internal sealed record CanonOptions(ImmutableArray<CanonOption> Items)
{
    internal static CanonOptions None { get; } = new([]);

    internal bool IsAsync => Has(CanonOptionByte.Async);

    internal uint? Memory => Index(CanonOptionByte.Memory);

    internal uint? Realloc => Index(CanonOptionByte.Realloc);

    internal uint? PostReturn => Index(CanonOptionByte.PostReturn);

    internal uint? Callback => Index(CanonOptionByte.Callback);

    internal StringEncoding Encoding =>
        Has(CanonOptionByte.Utf16) ? StringEncoding.Utf16 : Has(CanonOptionByte.Latin1Utf16) ? StringEncoding.Latin1OrUtf16 : StringEncoding.Utf8;

    private bool Has(byte kind)
    {
        foreach (CanonOption option in Items)
            if (option.Kind == kind) return true;
        return false;
    }

    private uint? Index(byte kind)
    {
        foreach (CanonOption option in Items)
            if (option.Kind == kind) return option.Index;
        return null;
    }
}

/// <summary>One option.</summary>
/// <param name="Kind">A number of <see cref="CanonOptionByte"/>.</param>
/// <param name="Index">The core function or memory, if it has one.</param>
/// <param name="Offset">Where it is.</param>
internal readonly record struct CanonOption(byte Kind, uint Index, int Offset);

/// <summary>How strings lie in memory.</summary>
internal enum StringEncoding
{
    Utf8,
    Utf16,

    /// <summary>Latin-1, or UTF-16 where the highest bit of the length says so.</summary>
    Latin1OrUtf16,
}

internal sealed record StartDefinition(int Offset, uint Func, ImmutableArray<uint> Arguments, uint Results) : Definition(Offset);

internal sealed record ImportDefinition(int Offset, ExternName Name, ExternSyntax Type) : Definition(Offset);

internal sealed record ExportDefinition(int Offset, ExternName Name, SortIndex Item, ExternSyntax? Type) : Definition(Offset);

/// <summary>A value.</summary>
/// <param name="Offset">Where the definition is.</param>
/// <param name="Type">Its type.</param>
/// <param name="Start">Where its bytes are.</param>
/// <param name="Length">How many they are.</param>
internal sealed record ValueDefinition(int Offset, TypeUse Type, int Start, int Length) : Definition(Offset);
