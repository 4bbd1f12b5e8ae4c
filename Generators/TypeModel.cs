using System.Text;
using Microsoft.CodeAnalysis;
using WasmJit.Jit.Format;
using WasmJit.Linking;

namespace WasmJit.Generators;

/// <summary>A .NET type in a signature, as the generated code and the messages write it, and how it crosses.</summary>
internal sealed class TypeModel
{
    private const string Vector = "global::System.Runtime.Intrinsics.Vector128<byte>";

    private static readonly SymbolDisplayFormat WithNulls =
        SymbolDisplayFormat.FullyQualifiedFormat.AddMiscellaneousOptions(SymbolDisplayMiscellaneousOptions.IncludeNullableReferenceTypeModifier);

    private TypeModel(string code, string plain, string message, Crossing kind, char number = default)
    {
        Code = code;
        Plain = plain;
        Message = message;
        Kind = kind;
        Number = number;
    }

    /// <summary>With <c>?</c> for references that may be null.</summary>
    internal string Code { get; }

    /// <summary>As <c>typeof</c> takes it.</summary>
    internal string Plain { get; }

    /// <summary>As messages write it.</summary>
    internal string Message { get; }

    internal Crossing Kind { get; }

    /// <summary>The letter of a number.</summary>
    internal char Number { get; }

    internal Shape Shape => new(Kind, Number);

    internal bool IsVoid => Plain == "void";

    internal bool IsBool => Plain == "bool";

    /// <summary>The element of an array or span.</summary>
    internal string? Item { get; private init; }

    /// <summary>For a tuple the letters of its items; a question mark for what no function returns.</summary>
    internal string? Tuple { get; private init; }

    /// <summary>The struct that it is or has, where the compiler sees that it is nothing but numbers.</summary>
    internal string? Struct { get; private init; }

    /// <summary>The type as an expression, from which the library knows that of the struct.</summary>
    internal string TypeOf => Struct is null ? $"typeof({Plain})" : $"global::WasmJit.Generated.FaceMember.OfStruct<{Struct}>(typeof({Plain}))";

    internal bool IsDelegate { get; private init; }

    /// <summary>The result type of a task or value task; null for one without a result, and for all other types.</summary>
    internal TypeModel? Awaited { get; private init; }

    internal bool IsTask { get; private init; }

    /// <summary>Whether it is a struct of .NET, of which only the runtime knows what is in it.</summary>
    internal bool IsForeign { get; private init; }

    internal static TypeModel Void { get; } = new("void", "void", "void", Crossing.None);

    /// <summary>The type of a parameter or result of an exported function.</summary>
    internal static TypeModel OfLetter(char letter) => letter switch
    {
        'F' => new("global::System.Delegate?", "global::System.Delegate", "Delegate", Crossing.Function) { IsDelegate = true },
        'E' or 'R' => new("object?", "object", "object", Crossing.Object),
        'v' => new(Vector, Vector, "Vector128<byte>", Crossing.Value, letter),
        _ => new(NumberCode(letter), NumberCode(letter), NumberCode(letter), Crossing.Value, letter),
    };

    /// <summary>What a function with these results returns.</summary>
    internal static TypeModel OfResults(string letters)
    {
        if (letters.Length == 0) return Void;
        TypeModel[] items = [.. letters.Select(OfLetter)];
        if (items.Length == 1) return items[0];
        return new($"({string.Join(", ", items.Select(i => i.Code))})", $"({string.Join(", ", items.Select(i => i.Plain))})", $"({string.Join(", ", items.Select(i => i.Message))})", Crossing.None)
        {
            Tuple = letters.Replace(Conventions.ExternRef, Conventions.OtherRef),
        };
    }

    /// <summary>For a type whose objects are exports themselves a number of <c>ExternByte</c>.</summary>
    internal byte? EntityKind => Plain switch
    {
        "global::WasmJit.Memory" => ExternByte.Memory,
        "global::WasmJit.Table" => ExternByte.Table,
        "global::WasmJit.Global" => ExternByte.Global,
        "global::WasmJit.Tag" => ExternByte.Tag,
        "global::WasmJit.Module" => ExternByte.Module,
        "global::WasmJit.Instance" => ExternByte.Instance,
        _ => null,
    };

    /// <summary>An object that is an export itself.</summary>
    internal static TypeModel OfEntity(string name) => new("global::WasmJit." + name, "global::WasmJit." + name, name, Crossing.Object);

    /// <summary>The .NET type that the host sees of a number.</summary>
    private static string NumberCode(char letter) => letter switch
    {
        'i' => "int",
        'l' => "long",
        'f' => "float",
        'd' => "double",
        _ => Vector,
    };

    /// <summary>The same rules as those of the library for types that are found by reflection (<c>CrossingType.Of</c>).</summary>
    internal static TypeModel Of(ITypeSymbol type)
    {
        string code = type.ToDisplayString(WithNulls), plain = type.ToDisplayString(SymbolDisplayFormat.FullyQualifiedFormat), message = MessageOf(type);
        if (type.SpecialType == SpecialType.System_Void) return Void;
        if (LetterOf(type) is { } letter) return new(code, plain, message, Crossing.Value, letter);
        if (type.SpecialType == SpecialType.System_String) return new(code, plain, message, Crossing.Text);
        if (type is IArrayTypeSymbol array)
            return new(code, plain, message, array.IsSZArray && IsPlain(array.ElementType, 0, out _) ? Crossing.Array : Crossing.None)
            {
                Item = array.ElementType.ToDisplayString(SymbolDisplayFormat.FullyQualifiedFormat),
                Struct = StructOf(array.ElementType),
            };
        if (type is INamedTypeSymbol { IsGenericType: true, Name: "Span" or "ReadOnlySpan" } span && span.ContainingNamespace.ToDisplayString() == "System")
        {
            ITypeSymbol item = span.TypeArguments[0];
            Crossing kind = !IsPlain(item, 0, out _) ? Crossing.None : span.Name == "Span" ? Crossing.Span : Crossing.ReadOnlySpan;
            return new(code, plain, message, kind) { Item = item.ToDisplayString(SymbolDisplayFormat.FullyQualifiedFormat), Struct = StructOf(item) };
        }
        if (IsDelegateType(type)) return new(code, plain, message, Crossing.Function) { IsDelegate = true };
        if (TaskOf(type, out ITypeSymbol? awaited))
            return new(code, plain, message, type.IsValueType ? Crossing.None : Crossing.Object) { IsTask = true, Awaited = awaited is null ? null : Of(awaited) };
        if (type.IsTupleType) return new(code, plain, message, Crossing.None) { Tuple = TupleOf((INamedTypeSymbol)type) };
        if (type.IsValueType)
        {
            bool isPlain = IsPlain(type, 0, out bool isForeign);
            return new(code, plain, message, isPlain ? Crossing.Struct : Crossing.None) { IsForeign = isForeign, Struct = StructOf(type) };
        }
        bool isObject = type.TypeKind is not (TypeKind.Pointer or TypeKind.FunctionPointer or TypeKind.TypeParameter or TypeKind.Error);
        return new(code, plain, message, isObject ? Crossing.Object : Crossing.None);
    }

    private static string? StructOf(ITypeSymbol type) =>
        type is INamedTypeSymbol { TypeKind: TypeKind.Struct, SpecialType: SpecialType.None } && IsPlain(type, 0, out bool isForeign) && !isForeign
            ? type.ToDisplayString(SymbolDisplayFormat.FullyQualifiedFormat) : null;

    private static char? LetterOf(ITypeSymbol type)
    {
        if (type is INamedTypeSymbol { TypeKind: TypeKind.Enum, EnumUnderlyingType: { } underlying }) type = underlying;
        return type.SpecialType switch
        {
            SpecialType.System_Int32 or SpecialType.System_UInt32 or SpecialType.System_Boolean or SpecialType.System_Byte or SpecialType.System_SByte
                or SpecialType.System_Int16 or SpecialType.System_UInt16 or SpecialType.System_Char => 'i',
            SpecialType.System_Int64 or SpecialType.System_UInt64 => 'l',
            SpecialType.System_Single => 'f',
            SpecialType.System_Double => 'd',
            _ => type.ToDisplayString(SymbolDisplayFormat.FullyQualifiedFormat) == Vector ? 'v' : null,
        };
    }

    private static bool IsDelegateType(ITypeSymbol type) =>
        type.TypeKind == TypeKind.Delegate || type.SpecialType is SpecialType.System_Delegate or SpecialType.System_MulticastDelegate;

    private static bool TaskOf(ITypeSymbol type, out ITypeSymbol? awaited)
    {
        awaited = null;
        if (type is not INamedTypeSymbol { Name: "Task" or "ValueTask" } named || named.ContainingNamespace.ToDisplayString() != "System.Threading.Tasks") return false;
        awaited = named.TypeArguments.FirstOrDefault();
        return true;
    }

    private static string TupleOf(INamedTypeSymbol tuple)
    {
        var letters = new StringBuilder();
        foreach (IFieldSymbol element in tuple.TupleElements)
        {
            ITypeSymbol type = element.Type;
            letters.Append(type.SpecialType switch
            {
                SpecialType.System_Int32 => 'i',
                SpecialType.System_Int64 => 'l',
                SpecialType.System_Single => 'f',
                SpecialType.System_Double => 'd',
                SpecialType.System_Delegate => Conventions.FuncRef,
                SpecialType.System_Object => Conventions.OtherRef,
                _ => LetterOf(type) == 'v' ? 'v' : '?',
            });
        }
        return letters.ToString();
    }

    /// <summary>The reference assemblies of .NET's core library, whose structs have a layout that is not documented.</summary>
    private static readonly string[] Core = ["System.Runtime", "System.Private.CoreLib", "System.Numerics.Vectors", "System.Runtime.Intrinsics", "System.Memory", "System.Threading", "mscorlib", "netstandard"];

    /// <summary>Whether values of the type are nothing but numbers.</summary>
    private static bool IsPlain(ITypeSymbol type, int depth, out bool isForeign)
    {
        isForeign = false;
        if (type is INamedTypeSymbol { TypeKind: TypeKind.Enum }) return true;
        if (type.SpecialType is >= SpecialType.System_SByte and <= SpecialType.System_UInt64 or SpecialType.System_Single or SpecialType.System_Double) return true;
        if (type is not INamedTypeSymbol { TypeKind: TypeKind.Struct, IsUnmanagedType: true } || type.SpecialType != SpecialType.None || type.IsTupleType || type.IsRefLikeType || depth > 8) return false;
        string assembly = type.ContainingAssembly.Name;
        if (Array.IndexOf(Core, assembly) >= 0) return false;
        if (assembly.StartsWith("System", StringComparison.Ordinal))
        {
            // What .NET's reference assemblies show of a struct is not what is in it.
            isForeign = true;
            return true;
        }
        foreach (AttributeData attribute in type.GetAttributes())
        {
            if (attribute.AttributeClass?.Name == "StructLayoutAttribute" && attribute.ConstructorArguments.FirstOrDefault().Value is not (0 or (short)0)) return false;
        }
        // The compiler tells the fields of a compiled struct, not how they are laid out.
        bool isSeen = type.Locations.Any(l => l.IsInSource);
        IFieldSymbol[] fields = [.. type.GetMembers().OfType<IFieldSymbol>().Where(f => !f.IsStatic && !f.IsConst)];
        foreach (IFieldSymbol field in fields)
        {
            if (!IsPlain(field.Type, depth + 1, out bool inner)) return false;
            isSeen &= !inner;
        }
        isForeign = fields.Length > 0 && !isSeen;
        return fields.Length > 0;
    }

    /// <summary>The name as the library's messages have it (<c>CSharpName</c>).</summary>
    internal static string MessageOf(ITypeSymbol type)
    {
        switch (type)
        {
            case IArrayTypeSymbol array: return $"{MessageOf(array.ElementType)}[{new string(',', array.Rank - 1)}]";
            case IPointerTypeSymbol pointer: return MessageOf(pointer.PointedAtType) + "*";
            case { SpecialType: not SpecialType.None, TypeKind: not TypeKind.Enum } when type.ToDisplayString() is var keyword && !keyword.Contains(".") && !keyword.StartsWith("n", StringComparison.Ordinal): return keyword;
            case INamedTypeSymbol { IsTupleType: true } tuple: return $"({string.Join(", ", tuple.TupleElements.Select(e => MessageOf(e.Type)))})";
            case INamedTypeSymbol { IsGenericType: true } generic: return $"{generic.Name}<{string.Join(", ", generic.TypeArguments.Select(MessageOf))}>";
            case INamedTypeSymbol named:
                string space = named.ContainingNamespace is { IsGlobalNamespace: false } n ? n.ToDisplayString() : "";
                if (space is "System" or "WasmJit" && named.TypeKind != TypeKind.Enum) return named.Name;
                string path = named.Name;
                for (INamedTypeSymbol? outer = named.ContainingType; outer is not null; outer = outer.ContainingType) path = $"{outer.MetadataName}+{path}";
                return space.Length == 0 ? path : $"{space}.{path}";
            default: return type.ToDisplayString();
        }
    }

    // ---- code ----

    /// <summary>The value as the host passes it.</summary>
    internal string ToHost(string value) => Kind != Crossing.Value ? value
        : IsBool ? $"({value} ? 1 : 0)" : Plain == NumberCode(Number) ? value : $"unchecked(({NumberCode(Number)}){value})";

    /// <summary>The value of what the host gets.</summary>
    internal string FromHost(string value) => Kind switch
    {
        Crossing.Value => IsBool ? $"({value}) != 0" : Plain == NumberCode(Number) ? value : $"unchecked(({Plain})({value}))",
        Crossing.Function => Plain == "global::System.Delegate" ? value : $"global::WasmJit.Generated.HostCall.FunctionAs<{Plain}>({value})!",
        _ => Plain == "object" ? value : $"global::WasmJit.Generated.HostCall.ReferenceAs<{Plain}>({value})!",
    };

    /// <summary>Whether a value of it is what the host sees: as what tasks and tuples have inside, which no code can change.</summary>
    internal bool IsHostForm => IsVoid || Plain is "object" or "global::System.Delegate" || (Tuple is { } tuple ? !tuple.Contains('?') : Kind == Crossing.Value && Plain == NumberCode(Number));

    /// <summary>The type that the host sees.</summary>
    internal string HostCode => Kind == Crossing.Value ? NumberCode(Number) : IsDelegate ? "global::System.Delegate?" : "object?";
}
