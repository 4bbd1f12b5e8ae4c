using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using WasmJit.Jit.Format;

namespace WasmJit.Generators;

/// <summary>The class of a module that the project names: its exports as members. Those that the project declares itself (<c>partial</c>) have the types that it gives them.</summary>
internal static class ModuleClass
{
    /// <summary>Names that the class has without the module.</summary>
    private static readonly string[] Own = ["Instance", "Instantiate", "Compile", "Bind", "BoundInstance", "HostFunctionOf", "Make", "ToString", "Equals", "GetHashCode", "GetType", "Finalize",
        "MemberwiseClone", "ReferenceEquals", "GetGlobal", "SetGlobal", "GetNumber", "SetNumber", "AddHandler", "RemoveHandler", "WasmDescription", "DescribeFace", "DisposeInstance"];

    /// <summary>So many imports are named in the class's summary.</summary>
    private const int MostListed = 50;

    internal static Output Write(ModuleFile read, Compilation compilation)
    {
        ModuleInput input = read.Input;
        string fullName = (input.Namespace.Length > 0 ? input.Namespace + "." : "") + input.ClassName, file = fullName + ".g.cs";
        if (read.Model is not { } module) return new Output(file, null, [Problem.In(Rules.ModuleUnreadable, $"{input.File}: {read.Problem}", input.Path)]);
        INamedTypeSymbol? declared = compilation.Assembly.GetTypeByMetadataName(fullName);
        List<MemberModel> members = declared is null ? [] : MemberModel.PartialsOf(declared);
        List<Problem> problems = [];
        foreach (MemberModel member in members)
        {
            string? problem = MemberCheck.ProblemOf(member, module) ?? member.Obstacle ?? member.HandlerProblem;
            if (problem is not null) problems.Add(Problem.At(Rules.DoesNotFit, $"{member.Name}: {problem}", member.Location));
        }
        if (problems.Count > 0) return new Output(file, null, problems);
        try
        {
            AddExports(members, module, declared, input.ClassName);
            return new Output(file, Text(input, module, members, declared), []);
        }
        catch (TooMuchCodeException e)
        {
            return new Output(file, null, [Problem.In(Rules.ModuleUnreadable, $"{input.File}: {e.Message}", input.Path)]);
        }
    }

    /// <summary>The exported functions of a class have no more parameters and results together.</summary>
    private const int MostValues = 500_000;

    /// <summary>All exports that no member stands for.</summary>
    /// <exception cref="TooMuchCodeException">There are too many.</exception>
    private static void AddExports(List<MemberModel> members, ModuleModel module, INamedTypeSymbol? declared, string className)
    {
        var there = new HashSet<string>(members.Where(m => m.Kind != MemberKind.Event).Select(m => MemberCheck.Find(m, module)?.Name ?? ""));
        NameSet taken = new([.. Own, className, .. declared?.MemberNames ?? []]);
        int values = 0;
        foreach (ExternModel export in module.Exports.Where(e => !there.Contains(e.Name)))
        {
            values += 1 + export.Parameters.Length + export.Results.Length;
            if (values > MostValues) throw new TooMuchCodeException();
            string name = taken.Unique(Identifiers.Pascal(export.Name));
            members.Add(export.Kind == ExternByte.Func ? Method(export, name) : Property(export, name));
        }
    }

    private static MemberModel Method(ExternModel export, string name)
    {
        NameSet taken = new([]);
        return new MemberModel(MemberKind.Method, name, TypeModel.OfResults(export.Results))
        {
            Given = export.Name,
            Parameters = [.. export.Parameters.Select((letter, i) => new ParameterModel(
                taken.Unique(export.ParameterNames.TryGetValue(i, out string? given) ? Identifiers.Camel(given) : $"p{i}"), TypeModel.OfLetter(letter), ""))],
        };
    }

    private static MemberModel Property(ExternModel export, string name) => new(MemberKind.Property, name, export.Kind switch
    {
        ExternByte.Memory => TypeModel.OfEntity("Memory"),
        ExternByte.Table => TypeModel.OfEntity("Table"),
        ExternByte.Tag => TypeModel.OfEntity("Tag"),
        _ => TypeModel.OfLetter(export.Letter),
    })
    { Given = export.Name, CanWrite = export.Kind == ExternByte.Global && export.IsMutable };

    private static string Text(ModuleInput input, ModuleModel module, List<MemberModel> members, INamedTypeSymbol? declared)
    {
        var writer = new CodeWriter();
        writer.Namespace(input.Namespace);
        string more = module.Imports.Count > MostListed ? $", and {module.Imports.Count - MostListed} more" : "";
        writer.Summary($"An instance of {input.File}." + (module.Imports.Count == 0 ? "" : $" It imports {string.Join(", ", module.Imports.Take(MostListed).Select(i => $"\"{i.Module}\" \"{i.Name}\" {i.Text}"))}{more}."));
        string access = declared is null ? "public" : SyntaxFacts.GetText(declared.DeclaredAccessibility);
        writer.Open($"{access} sealed partial class {input.ClassName} : global::WasmJit.Generated.Face");
        var face = new FaceWriter(writer, members) { FaceName = input.ClassName };
        writer.Line($"private static readonly global::WasmJit.Generated.FaceDescription WasmDescription = new(typeof({input.ClassName}), static () => new {input.ClassName}(), DescribeFace);");
        writer.Line();
        writer.Line($"private {input.ClassName}() {{ }}");
        writer.Line();
        writer.Summary("The instance.");
        writer.Line("public global::WasmJit.Instance Instance => BoundInstance;");
        writer.Line();
        writer.Summary($"Compiles {input.File}, which is a resource of this program. Do it once, and make as many instances of the module as are needed.");
        writer.Open("public static global::WasmJit.Module Compile(global::WasmJit.Engine engine)");
        writer.Line($"using global::System.IO.Stream stream = typeof({input.ClassName}).Assembly.GetManifestResourceStream({CodeWriter.Quoted(input.File)})!;");
        writer.Line("byte[] bytes = new byte[stream.Length];");
        writer.Line("stream.ReadExactly(bytes);");
        writer.Line("return engine.Compile(bytes);");
        writer.Close();
        writer.Line();
        writer.Summary("Makes an instance.");
        writer.Line($"public static {input.ClassName} Instantiate(global::WasmJit.Module module, global::WasmJit.Imports? imports = null, global::WasmJit.Fuel? fuel = null, global::WasmJit.GuestResources? resources = null) =>");
        writer.Line($"    Make<{input.ClassName}>(WasmDescription, module, imports, fuel, resources);");
        writer.Line();
        face.WriteDescriptions("private static global::WasmJit.Generated.FaceMember[] DescribeFace() => ");
        face.WriteMembers();
        writer.Close();
        return writer.ToString();
    }
}
