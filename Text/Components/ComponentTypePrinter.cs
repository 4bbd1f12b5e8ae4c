using System.Collections.Immutable;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using WasmJit.Components;
using WasmJit.Jit.Binary;
using WasmJit.Jit.Format;

namespace WasmJit.Text;

/// <summary>Prints the types of a component, with the ids of the scope in which they stand.</summary>
/// <param name="scope">The index spaces.</param>
/// <param name="bytes">The bytes of the whole, from which core types are printed.</param>
internal sealed class ComponentTypePrinter(PrintedScope scope, ReadOnlyMemory<byte> bytes)
{
    /// <summary>A module of nothing: core types of components are not in one.</summary>
    private static readonly ModuleInfo NoModule = ModuleDecoder.Decode("\0asm\x1\0\0\0"u8.ToArray());

    // ---- value types ----

    internal string Use(TypeUse type) => type.Primitive is { } primitive ? PrimitiveType.NameOf(primitive) : scope[Sort.Type, type.Index];

    private string Optional(TypeUse? type) => type is { } known ? " " + Use(known) : "";

    internal string Definition(TypeDefinition definition)
    {
        string body = Type(definition.Type);
        return $"(type{scope.Next(Sort.Type)} {body})";
    }

    private string Type(TypeSyntax type)
    {
        RuntimeHelpers.EnsureSufficientExecutionStack();
        switch (type)
        {
            case PrimitiveSyntax primitive: return PrimitiveType.NameOf(primitive.Primitive);
            case RecordSyntax record: return Items("record", record.Fields.Select(f => $"(field {Quote(f.Label)} {Use(f.Type)})"));
            case VariantSyntax variant: return Items("variant", variant.Cases.Select(c => $"(case {Quote(c.Label)}{Optional(c.Type)})"));
            case ListSyntax list: return $"(list {Use(list.Element)}{(list.Length is { } length ? $" {length}" : "")})";
            case TupleSyntax tuple: return Items("tuple", tuple.Elements.Select(Use));
            case FlagsSyntax flags: return Items("flags", flags.Labels.Select(Quote));
            case EnumSyntax enumeration: return Items("enum", enumeration.Labels.Select(Quote));
            case OptionSyntax option: return $"(option {Use(option.Payload)})";
            case ResultSyntax result: return $"(result{Optional(result.Ok)}{(result.Error is { } error ? $" (error {Use(error)})" : "")})";
            case HandleSyntax handle: return $"({(handle.IsBorrow ? "borrow" : "own")} {scope[Sort.Type, handle.Resource]})";
            case StreamSyntax stream: return $"({(stream.IsFuture ? "future" : "stream")}{Optional(stream.Element)})";
            case MapSyntax map: return $"(map {Use(map.Key)} {Use(map.Value)})";
            case ResourceSyntax resource:
                return $"(resource (rep {resource.Representation}){(resource.Destructor is { } destructor ? $" (dtor {scope[Sort.CoreFunc, destructor]})" : "")})";
            case FunctionSyntax function:
                return $"(func{(function.IsAsync ? " async" : "")}{string.Concat(function.Parameters.Select(p => $" (param {Quote(p.Label)} {Use(p.Type)})"))}"
                    + $"{(function.Result is { } r ? $" (result {Use(r)})" : "")})";
            case InstanceTypeSyntax instance: return Declarations("instance", instance.Declarations);
            default: return Declarations("component", ((ComponentTypeSyntax)type).Declarations);
        }
    }

    private static string Quote(Label label) => TextStrings.Quote(label.Text);

    private static string Items(string keyword, IEnumerable<string> items) => $"({keyword}{string.Concat(items.Select(i => " " + i))})";

    private string Declarations(string keyword, ImmutableArray<Definition> declarations)
    {
        var inner = new ComponentTypePrinter(new PrintedScope(scope, null), bytes);
        var text = new StringBuilder("(").Append(keyword);
        foreach (Definition declaration in declarations) text.Append(' ').Append(inner.Declaration(declaration));
        return text.Append(')').ToString();
    }

    private string Declaration(Definition declaration) => declaration switch
    {
        CoreTypeDefinition type => CoreType(type),
        TypeDefinition type => Definition(type),
        AliasDefinition alias => Alias(alias),
        ImportDefinition import => $"(import {Name(import.Name)} {Extern(import.Type, bound: true)})",
        _ => $"(export {Name(((ExportDeclaration)declaration).Name)} {Extern(((ExportDeclaration)declaration).Type, bound: true)})",
    };

    // ---- aliases, imports and exports ----

    internal string Alias(AliasDefinition alias)
    {
        switch (alias)
        {
            case ExportAlias export:
                {
                    string instance = scope[Sort.Instance, export.Instance];
                    return $"(alias export {instance} {TextStrings.Quote(export.Name)} ({alias.Sort.Text()}{scope.Next(alias.Sort)}))";
                }
            case CoreExportAlias export:
                return $"(alias core export {scope[Sort.CoreInstance, export.Instance]} {TextStrings.Quote(export.Name)} ({alias.Sort.Text()}{scope.Next(alias.Sort)}))";
            default:
                {
                    var outer = (OuterAlias)alias;
                    string item = scope.Enclosing(outer.Count)?[alias.Sort, outer.Index] ?? outer.Index.ToString(CultureInfo.InvariantCulture);
                    return $"(alias outer {outer.Count} {item} ({alias.Sort.Text()}{scope.Next(alias.Sort)}))";
                }
        }
    }

    /// <summary>A name with its attributes.</summary>
    internal static string Name(ExternName name)
    {
        string text = TextStrings.Quote(name.Name);
        if (name.Implements is { } implements) text += $" (implements {TextStrings.Quote(implements)})";
        if (name.VersionSuffix is { } suffix) text += $" (versionsuffix {TextStrings.Quote(suffix)})";
        return name.ExternalId is { } id ? $"{text} (external-id {TextStrings.Quote(id)})" : text;
    }

    /// <summary>The type of an import or export.</summary>
    /// <param name="type">The type.</param>
    /// <param name="bound">Whether it is an item with an id.</param>
    internal string Extern(Components.ExternSyntax type, bool bound)
    {
        string body = type switch
        {
            IndexedExtern indexed => $"(type {scope[indexed.Sort == Sort.CoreModule ? Sort.CoreType : Sort.Type, indexed.Type]})",
            TypeExtern { Equal: { } equal } => $"(eq {scope[Sort.Type, equal]})",
            TypeExtern => "(sub resource)",
            ValueExtern { Equal: { } equal } => $"(eq {scope[Sort.Value, equal]})",
            _ => Use(((ValueExtern)type).Type!.Value),
        };
        return $"({type.Sort.Text()}{(bound ? scope.Next(type.Sort) : "")} {body})";
    }

    // ---- core types ----

    internal string CoreType(CoreTypeDefinition type)
    {
        if (type.Module is { } declarations) return ModuleType(declarations);
        var reader = new ByteReader(bytes.Span, type.Offset, type.End);
        return "(core " + Types(ref reader, scope, scope.Ids(Sort.CoreType)) + ")";
    }

    /// <summary>A type or a recursion group of types, without the parentheses around it.</summary>
    private static string Types(ref ByteReader reader, PrintedScope scope, PrintedNames names)
    {
        // Types of a group name each other, with the ids that they get here.
        var printer = new TypePrinter(NoModule, new ModuleIds(NoModule, null) { Types = names });
        if (reader.Peek() == ComponentTypeByte.CoreSubPrefix) reader.U8();
        if (reader.Peek() != TypeByte.Rec) return Member(ref reader, printer, scope);
        reader.U8();
        var text = new StringBuilder("rec");
        for (uint count = reader.U32(); count > 0; count--) text.Append(" (").Append(Member(ref reader, printer, scope)).Append(')');
        return text.ToString();
    }

    private static string Member(ref ByteReader reader, TypePrinter printer, PrintedScope scope)
    {
        uint index = scope.Count(Sort.CoreType);
        return $"type{scope.Next(Sort.CoreType)} {printer.SubType(ref reader, index)}";
    }

    private string ModuleType(ImmutableArray<ModuleDeclaration> declarations)
    {
        var inner = new PrintedScope(scope, null);
        var printer = new TypePrinter(NoModule, new ModuleIds(NoModule, null));
        var text = new StringBuilder("(module");
        foreach (ModuleDeclaration declaration in declarations)
        {
            text.Append(' ');
            switch (declaration)
            {
                case ModuleImportDeclaration import:
                    {
                        var reader = new ByteReader(bytes.Span, import.TypeOffset, bytes.Length);
                        text.Append(CultureInfo.InvariantCulture, $"(import {TextStrings.Quote(import.Import.Module)} {TextStrings.Quote(import.Import.Name!)} {printer.Extern(ref reader, "")})");
                        break;
                    }
                case ModuleExportDeclaration export:
                    {
                        var reader = new ByteReader(bytes.Span, export.TypeOffset, bytes.Length);
                        text.Append(CultureInfo.InvariantCulture, $"(export {TextStrings.Quote(export.Export.Name)} {printer.Extern(ref reader, "")})");
                        break;
                    }
                case ModuleAliasDeclaration alias:
                    text.Append(CultureInfo.InvariantCulture, $"(alias outer {alias.Count} {inner.Enclosing(alias.Count)?[Sort.CoreType, alias.Index]}");
                    text.Append(CultureInfo.InvariantCulture, $" (type{inner.Next(Sort.CoreType)}))");
                    break;
                default:
                    {
                        var reader = new ByteReader(bytes.Span, declaration.Offset + 1, bytes.Length);
                        text.Append('(').Append(Types(ref reader, inner, PrintedNames.Empty)).Append(')');
                        break;
                    }
            }
        }
        return $"(core type{scope.Next(Sort.CoreType)} {text.Append(')')})";
    }
}
