using System.Collections.Immutable;
using Microsoft.CodeAnalysis;

namespace WasmJit.Generators;

/// <summary>The class that implements an interface with <c>WasmFace</c>.</summary>
internal static class InterfaceClass
{
    internal static Output Write(INamedTypeSymbol face, ImmutableArray<ModuleFile> modules)
    {
        string code = face.ToDisplayString(SymbolDisplayFormat.FullyQualifiedFormat), file = FileName(face);
        if (Obstacle(face) is { } obstacle) return new Output(file, null, [Problem.At(Rules.CannotGenerate, $"{face.Name}: {obstacle}", face.Locations.FirstOrDefault())]);
        List<MemberModel> members = MemberModel.OfInterface(face);
        List<Problem> problems = [.. Check(face, members, modules)];
        if (problems.Count > 0) return new Output(file, null, problems);
        var writer = new CodeWriter();
        string name = ClassName(face);
        writer.Namespace(CodeWriter.NamespaceOf(face));
        writer.Summary($"The interface {face.Name} over the exports of a module.");
        writer.Open($"internal sealed class {name} : global::WasmJit.Generated.Face, {code}");
        var body = new FaceWriter(writer, members) { FaceName = name, Face = code, IsDisposable = MemberModel.IsDisposable(face) };
        writer.Line("[global::System.Runtime.CompilerServices.ModuleInitializer]");
        writer.Line("internal static void RegisterFace() =>");
        writer.Line($"    global::WasmJit.Generated.FaceDescription.Register(new(typeof({code}), static () => new {name}(), DescribeFace));");
        writer.Line();
        body.WriteDescriptions("private static global::WasmJit.Generated.FaceMember[] DescribeFace() => ");
        body.WriteMembers();
        writer.Close();
        return new Output(file, writer.ToString(), []);
    }

    private static string? Obstacle(INamedTypeSymbol face)
    {
        for (INamedTypeSymbol? part = face; part is not null; part = part.ContainingType)
        {
            if (part.IsGenericType) return "a generic interface cannot be generated";
            if (part.DeclaredAccessibility is Accessibility.Private or Accessibility.Protected or Accessibility.ProtectedAndInternal || part.IsFileLocal) return "the generated class cannot see it: make it internal or public";
        }
        return null;
    }

    private static IEnumerable<Problem> Check(INamedTypeSymbol face, List<MemberModel> members, ImmutableArray<ModuleFile> modules)
    {
        ModuleModel? module = null;
        AttributeData attribute = face.GetAttributes().First(a => a.AttributeClass?.ToDisplayString() == "WasmJit.WasmFaceAttribute");
        if (attribute.ConstructorArguments.FirstOrDefault().Value is string wanted)
        {
            ModuleFile? file = modules.FirstOrDefault(m => m.Input.File == wanted);
            module = file?.Model;
            if (module is null) yield return Problem.At(Rules.ModuleUnreadable, $"{wanted}: {file?.Problem ?? "the project has no such WasmModule"}", face.Locations.FirstOrDefault());
        }
        foreach (MemberModel member in members)
        {
            string? problem = module is null ? null : MemberCheck.ProblemOf(member, module);
            if (problem is not null)
            {
                yield return Problem.At(Rules.DoesNotFit, $"{member.Name}: {problem}", member.Location ?? face.Locations.FirstOrDefault());
                continue;
            }
            if (member.Obstacle is { } obstacle) yield return Problem.At(Rules.CannotGenerate, $"{member.Name}: {obstacle}", member.Location);
            else if ((member.NeverFits() ?? member.HandlerProblem) is { } never)
                yield return Problem.At(Rules.CannotCross, $"{member.Name}: {never}", member.Location);
        }
    }

    /// <summary>The name with those of the types around.</summary>
    private static string ClassName(INamedTypeSymbol face)
    {
        string name = face.Name + "Face";
        for (INamedTypeSymbol? outer = face.ContainingType; outer is not null; outer = outer.ContainingType) name = $"{outer.Name}_{name}";
        // The program may have such a class itself.
        while (face.ContainingNamespace.GetTypeMembers(name).Length > 0) name += "_";
        return name;
    }

    internal static string FileName(INamedTypeSymbol type) => type.ToDisplayString(SymbolDisplayFormat.FullyQualifiedFormat).Replace("global::", "").Replace('<', '_').Replace('>', '_').Replace("@", "") + ".g.cs";
}
