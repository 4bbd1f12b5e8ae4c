using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using WasmJit.Linking;

namespace WasmJit.Generators;

/// <summary>What a class with <c>WasmImports</c> gives to guests.</summary>
internal static class ImportsClass
{
    internal static Output Write(INamedTypeSymbol type)
    {
        string file = InterfaceClass.FileName(type);
        if (Obstacle(type) is { } obstacle) return new Output(file, null, [Problem.At(Rules.CannotGenerate, $"{type.Name}: {obstacle}", type.Locations.FirstOrDefault())]);
        var problems = new List<Problem>();
        var writer = new CodeWriter();
        writer.Namespace(CodeWriter.NamespaceOf(type));
        var around = new Stack<INamedTypeSymbol>();
        for (INamedTypeSymbol? outer = type.ContainingType; outer is not null; outer = outer.ContainingType) around.Push(outer);
        foreach (INamedTypeSymbol outer in around) writer.Open($"partial {KindOf(outer)} {Identifiers.InCode(outer.Name)}");
        writer.Open($"partial {KindOf(type)} {Identifiers.InCode(type.Name)} : global::WasmJit.Generated.IGeneratedImports");
        writer.Line($"global::System.Type global::WasmJit.Generated.IGeneratedImports.GeneratedFor => typeof({type.ToDisplayString(SymbolDisplayFormat.FullyQualifiedFormat)});");
        writer.Line();
        writer.Open("global::System.Collections.Generic.IEnumerable<(string Member, string? Given, object? Value)> global::WasmJit.Generated.IGeneratedImports.ImportsForGuests");
        writer.Open("get");
        List<HostFunctionWriter> functions = [];
        foreach (ISymbol symbol in MembersOf(type))
        {
            if (symbol is IMethodSymbol method)
            {
                MemberModel member = MemberModel.Of(method, null);
                var function = new HostFunctionWriter(member);
                string? problem = method.IsGenericMethod ? Conventions.NoGenericImport : member.Obstacle ?? function.Problem();
                if (problem is not null) problems.Add(Problem.At(Rules.CannotCross, $"{member.Name}: {problem}", member.Location));
                writer.Line($"yield return ({CodeWriter.Quoted(member.Name)}, {CodeWriter.Quoted(member.Given)}, ({function.DelegateCode})WasmImport{functions.Count});");
                functions.Add(function);
            }
            else if (symbol is IPropertySymbol property)
            {
                writer.Line($"yield return ({CodeWriter.Quoted(property.Name)}, {CodeWriter.Quoted(MemberModel.GivenTo(property)?.Name)}, {Identifiers.InCode(property.Name)});");
            }
        }
        writer.Line("yield break;");
        writer.Close();
        writer.Close();
        for (int i = 0; i < functions.Count; i++)
        {
            writer.Line();
            string name = functions[i].Target.Id;
            functions[i].WriteMethod(writer, $"WasmImport{i}", arguments => $"this.{name}({arguments})");
        }
        writer.Close();
        foreach (INamedTypeSymbol _ in around) writer.Close();
        return new Output(file, problems.Count == 0 ? writer.ToString() : null, problems);
    }

    private static string KindOf(INamedTypeSymbol type) => (type.IsRecord, type.TypeKind) switch
    {
        (true, TypeKind.Struct) => "record struct",
        (true, _) => "record",
        (_, TypeKind.Struct) => "struct",
        (_, TypeKind.Interface) => "interface",
        _ => "class",
    };

    /// <summary>The public methods, and the properties whose values can be imported, of the class and those that it derives from.</summary>
    private static IEnumerable<ISymbol> MembersOf(INamedTypeSymbol type)
    {
        var hidden = new HashSet<string>();
        for (INamedTypeSymbol? part = type; part is not null && part.SpecialType != SpecialType.System_Object; part = part.BaseType)
        {
            foreach (ISymbol symbol in part.GetMembers().Where(m => m is { DeclaredAccessibility: Accessibility.Public, IsStatic: false }))
            {
                if (symbol is IMethodSymbol { MethodKind: MethodKind.Ordinary } method)
                {
                    IMethodSymbol first = method;
                    while (first.OverriddenMethod is { } overridden) first = overridden;
                    bool isOfObject = first.ContainingType.SpecialType == SpecialType.System_Object;
                    // What a record has of itself is not for guests.
                    if (!isOfObject && !method.IsImplicitlyDeclared && hidden.Add($"{method.Name}({string.Join(",", method.Parameters.Select(p => p.Type.ToDisplayString()))})")) yield return method;
                }
                else if (symbol is IPropertySymbol { IsIndexer: false, GetMethod: not null } property && IsImportable(property.Type) && hidden.Add(property.Name))
                {
                    yield return property;
                }
            }
        }
    }

    private static bool IsImportable(ITypeSymbol type) => TypeModel.Of(type) is { IsDelegate: true } or { EntityKind: not null };

    private static string? Obstacle(INamedTypeSymbol type)
    {
        for (INamedTypeSymbol? part = type; part is not null; part = part.ContainingType)
        {
            if (part.IsGenericType) return "a generic class cannot be generated";
            if (part.IsFileLocal) return "no other file sees it";
            bool isPartial = part.DeclaringSyntaxReferences.Any(r => r.GetSyntax() is TypeDeclarationSyntax declaration && declaration.Modifiers.Any(m => m.Text == "partial"));
            if (!isPartial) return $"{part.Name} has to be partial";
        }
        return type.IsStatic ? "a static class has no object to import" : null;
    }
}
