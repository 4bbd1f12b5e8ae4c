using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using WasmJit.Linking;

namespace WasmJit.Generators;

internal enum MemberKind : byte { Method, Property, Event }

/// <summary>A parameter of a method or delegate.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Type">Its type.</param>
/// <param name="Modifiers">What stands before the type: <c>scoped </c>, <c>in </c> and the like.</param>
internal sealed record ParameterModel(string Name, TypeModel Type, string Modifiers)
{
    internal bool IsReference => Modifiers.Contains("ref ") || Modifiers.Contains("in ") || Modifiers.Contains("out ");

    /// <summary>As C# has to write it.</summary>
    internal string Id => Identifiers.InCode(Name);
}

/// <summary>A member that stands for an export or import.</summary>
internal sealed class MemberModel
{
    internal MemberModel(MemberKind kind, string name, TypeModel type)
    {
        Kind = kind;
        Name = name;
        Type = type;
    }

    internal MemberKind Kind { get; }

    internal string Name { get; }

    /// <summary>The name as C# has to write it.</summary>
    internal string Id => Identifiers.InCode(Name);

    /// <summary>What a method returns, or the type of a property or event.</summary>
    internal TypeModel Type { get; }

    /// <summary>The name that an attribute gives, or that is known.</summary>
    internal string? Given { get; init; }

    internal string? GivenModule { get; init; }

    internal IReadOnlyList<ParameterModel> Parameters { get; init; } = [];

    internal bool IsAbstract { get; init; } = true;

    internal bool IsOwned { get; init; }

    internal bool CanRead { get; init; } = true;

    internal bool CanWrite { get; init; }

    /// <summary>The interface that has it; null for a member of a class.</summary>
    internal string? Interface { get; init; }

    /// <summary>What stands before a member of a class.</summary>
    internal string Modifiers { get; init; } = "public ";

    internal Location? Location { get; init; }

    /// <summary>Why no code can be written for it; null if it can.</summary>
    internal string? Obstacle { get; init; }

    internal string[] Names => Conventions.NamesOf(Name, Given);

    /// <summary>For an event the delegate's own parameters and result.</summary>
    internal MemberModel? Handler { get; init; }

    /// <summary>Why an event cannot be an import; null if it can, and for other members.</summary>
    internal string? HandlerProblem => Handler is null ? null : new HostFunctionWriter(Handler).Problem();

    /// <summary>The declaration up to the name.</summary>
    internal string Head => Interface is null ? $"{Modifiers}{Keyword}{Type.Code} {Id}" : $"{Keyword}{Type.Code} {Interface}.{Id}";

    private string Keyword => Kind == MemberKind.Event ? "event " : "";

    internal string ParameterList => string.Join(", ", Parameters.Select(p => $"{p.Modifiers}{p.Type.Code} {p.Id}"));

    /// <summary>Whether the values go as they are, to a delegate whose type is known.</summary>
    internal bool IsDirect => Parameters.Count <= 16
        && Parameters.All(p => p.Type.Kind is Crossing.Value or Crossing.Function or Crossing.Object)
        && (Type.IsVoid || Type.Tuple is not null || Type.Kind is Crossing.Value or Crossing.Function or Crossing.Object);

    /// <summary>The type of that delegate.</summary>
    internal string DelegateCode => DelegateOf([.. Parameters.Select(p => p.Type.HostCode)], Type.IsVoid ? null : Type.Tuple is null ? Type.HostCode : Type.Plain);

    internal static string DelegateOf(IReadOnlyList<string> parameters, string? result)
    {
        string[] all = result is null ? [.. parameters] : [.. parameters, result];
        return (result is null ? "global::System.Action" : "global::System.Func") + (all.Length == 0 ? "" : $"<{string.Join(", ", all)}>");
    }

    // ---- what cannot be, whatever the module ----

    /// <summary>What the library would say of it for any module.</summary>
    internal string? NeverFits()
    {
        foreach (ParameterModel parameter in Parameters)
            if (parameter.IsReference || (parameter.Type.Kind == Crossing.None && !parameter.Type.IsForeign)) return Conventions.ParameterCannotCross(parameter.Name, parameter.Type.Message + (parameter.IsReference ? "&" : ""));
        return Kind == MemberKind.Method && !Type.IsVoid && Type.Tuple is null && Type.Kind == Crossing.None ? Conventions.ResultCannotCross(Type.Message) : null;
    }

    // ---- from symbols ----

    /// <summary>
    /// The members of an interface and of those that it extends: of each methods, properties, events, as reflection gives them. <c>IDisposable</c> is none
    /// of the module's.
    /// </summary>
    internal static List<MemberModel> OfInterface(INamedTypeSymbol face)
    {
        var members = new List<MemberModel>();
        foreach (INamedTypeSymbol part in PartsOf(face).Where(p => p.SpecialType != SpecialType.System_IDisposable))
            AddMembers(members, part, part.ToDisplayString(SymbolDisplayFormat.FullyQualifiedFormat), m => (m.IsAbstract || (m.IsVirtual && !m.IsStatic)) && m.ImplementsNothing(), m => IsImplemented(face, m));
        return members;
    }

    private static IEnumerable<INamedTypeSymbol> PartsOf(INamedTypeSymbol face) => new[] { face }.Concat(face.AllInterfaces);

    /// <summary>Whether the class of an interface has to dispose of the instance: it is disposable, and does nothing else then.</summary>
    internal static bool IsDisposable(INamedTypeSymbol face) =>
        PartsOf(face).FirstOrDefault(p => p.SpecialType == SpecialType.System_IDisposable) is { } part && !IsImplemented(face, part.GetMembers("Dispose").Single());

    /// <summary>Whether interfaces implement a member: its own, or one that extends it (<c>int IBase.F() => 5;</c>).</summary>
    private static bool IsImplemented(INamedTypeSymbol face, ISymbol member) =>
        !member.IsAbstract || PartsOf(face).SelectMany(p => p.GetMembers()).Any(m => !m.IsAbstract && m.Implements(member));

    /// <summary>The members of a class that derived classes have to implement.</summary>
    internal static List<MemberModel> PartialsOf(INamedTypeSymbol type)
    {
        var members = new List<MemberModel>();
        AddMembers(members, type, null, isWanted: symbol => symbol switch
        {
            IMethodSymbol { IsPartialDefinition: true, PartialImplementationPart: null, MethodKind: MethodKind.Ordinary } => true,
            IPropertySymbol { IsPartialDefinition: true, PartialImplementationPart: null } => true,
            IEventSymbol { IsPartialDefinition: true, PartialImplementationPart: null } => true,
            _ => false,
        }, isImplemented: _ => false);
        return members;
    }

    private static void AddMembers(List<MemberModel> members, INamedTypeSymbol type, string? owner, Func<ISymbol, bool> isWanted, Func<ISymbol, bool> isImplemented)
    {
        ISymbol[] all = [.. type.GetMembers().Where(isWanted)];
        foreach (IMethodSymbol method in all.OfType<IMethodSymbol>().Where(m => m.MethodKind == MethodKind.Ordinary)) members.Add(Of(method, owner, isImplemented(method)));
        foreach (IPropertySymbol property in all.OfType<IPropertySymbol>()) members.Add(Of(property, owner, isImplemented(property)));
        foreach (IEventSymbol item in all.OfType<IEventSymbol>()) members.Add(Of(item, owner, isImplemented(item)));
    }

    internal static MemberModel Of(IMethodSymbol method, string? owner, bool isImplemented = false) => new(MemberKind.Method, method.Name, TypeModel.Of(method.ReturnType))
    {
        Given = GivenTo(method)?.Name,
        Parameters = [.. method.Parameters.Select(Of)],
        IsAbstract = owner is null || !isImplemented,
        IsOwned = method.GetReturnTypeAttributes().Any(a => a.AttributeClass?.ToDisplayString() == "WasmJit.WasmOwnedAttribute"),
        Interface = owner,
        Modifiers = ModifiersOf(method),
        Location = method.Locations.FirstOrDefault(),
        Obstacle = method.IsStatic || method.IsGenericMethod ? Conventions.NoSuchMethod : !IsSeen(method, owner) ? NotSeen : method.ReturnsByRef || method.ReturnsByRefReadonly ? Conventions.ResultCannotCross(TypeModel.MessageOf(method.ReturnType) + "&") : null,
    };

    private const string NotSeen = "the generated class cannot see it: make it internal or public";

    /// <summary>Whether the class that is written, and those in it, can call the member of an interface.</summary>
    private static bool IsSeen(ISymbol member, string? owner) => owner is null || member.DeclaredAccessibility is Accessibility.Public or Accessibility.Internal or Accessibility.ProtectedOrInternal;

    private static MemberModel Of(IPropertySymbol property, string? owner, bool isImplemented) => new(MemberKind.Property, property.IsIndexer ? property.MetadataName : property.Name, TypeModel.Of(property.Type))
    {
        Given = GivenTo(property)?.Name,
        CanRead = property.GetMethod is not null,
        CanWrite = property.SetMethod is not null,
        Interface = owner,
        Modifiers = ModifiersOf(property),
        Location = property.Locations.FirstOrDefault(),
        IsAbstract = owner is null || !isImplemented,
        Obstacle = property.IsIndexer ? Conventions.NoIndexer : property.IsStatic ? Conventions.NoSuchMethod : !IsSeen(property, owner) ? NotSeen
            : owner is not null && isImplemented ? "a property with a body cannot be generated" : property.SetMethod is { IsInitOnly: true } ? Conventions.CannotBeSet : null,
    };

    private static MemberModel Of(IEventSymbol item, string? owner, bool isImplemented)
    {
        IMethodSymbol? invoke = (item.Type as INamedTypeSymbol)?.DelegateInvokeMethod;
        return new(MemberKind.Event, item.Name, TypeModel.Of(item.Type))
        {
            Given = GivenTo(item)?.Name,
            GivenModule = GivenTo(item)?.Module,
            Interface = owner,
            Modifiers = ModifiersOf(item),
            Location = item.Locations.FirstOrDefault(),
            Handler = invoke is null ? null : Of(invoke, null),
            IsAbstract = owner is null || !isImplemented,
            Obstacle = invoke is null || item.IsStatic || (owner is not null && isImplemented) ? "an event of this kind cannot be generated" : !IsSeen(item, owner) ? NotSeen : null,
        };
    }

    private static ParameterModel Of(IParameterSymbol parameter)
    {
        string modifiers = parameter.ScopedKind == ScopedKind.ScopedValue ? "scoped " : "";
        modifiers += parameter.RefKind switch
        {
            RefKind.None => "",
            RefKind.Ref => "ref ",
            RefKind.Out => "out ",
            RefKind.In => "in ",
            _ => "ref readonly ",
        };
        return new ParameterModel(parameter.Name, TypeModel.Of(parameter.Type), modifiers);
    }

    private static string ModifiersOf(ISymbol symbol) => SyntaxFacts.GetText(symbol.DeclaredAccessibility) + " partial ";

    /// <summary>The names that <c>WasmName</c> gives.</summary>
    internal static (string Name, string? Module)? GivenTo(ISymbol symbol)
    {
        AttributeData? attribute = symbol.GetAttributes().FirstOrDefault(a => a.AttributeClass?.ToDisplayString() == "WasmJit.WasmNameAttribute");
        if (attribute?.ConstructorArguments.FirstOrDefault().Value is not string name) return null;
        return (name, attribute.NamedArguments.FirstOrDefault(a => a.Key == "Module").Value.Value as string);
    }
}
