namespace WasmJit.Generators.Wit;

/// <summary>
/// Writes C# for the interfaces and worlds of a file: an interface for each, records, enumerations and closed families of records for its types, and an
/// interface that is to be disposed of for each resource.
/// </summary>
internal sealed class WitWriter
{
    private const string Components = "global::WasmJit.Components.";

    /// <summary>What every record has.</summary>
    private static readonly string[] OfRecords = ["ToString", "Equals", "GetHashCode", "EqualityContract", "PrintMembers", "GetType", "MemberwiseClone", "Finalize", "Clone"];

    private readonly WitSet set;
    private readonly WitTypes types;
    private readonly CodeWriter code = new();

    /// <summary>Types that are found by reflection alone, which trimming has to leave.</summary>
    private readonly List<string> found = [];

    private WitWriter(WitSet set)
    {
        this.set = set;
        types = new WitTypes(set);
    }

    /// <summary>Writes the file; null without anything in it.</summary>
    internal static Output Write(WitInput input, WitSet set)
    {
        string file = Path.GetFileNameWithoutExtension(input.Path) + ".wit.g.cs";
        if (set.Unreadable.TryGetValue(input.Path, out WitException? wrong)) return Failed(input, file, wrong);
        var writer = new WitWriter(set);
        try
        {
            foreach (WitPackage package in set.PackagesOf(input)) writer.WritePackage(package);
            writer.WriteRoots(Identifiers.Pascal(Path.GetFileNameWithoutExtension(input.Path)));
        }
        catch (WitException e)
        {
            return Failed(input, file, e);
        }
        catch (TooMuchCodeException e)
        {
            return Failed(input, file, new WitException(e.Message, 0, 0));
        }
        return new Output(file, writer.code.ToString(), []);
    }

    private static Output Failed(WitInput input, string file, WitException e) =>
        new(file, null, [Problem.In(Rules.WitUnreadable, e.Message, input.Path, new Microsoft.CodeAnalysis.Text.LinePosition(e.Line, e.Column))]);

    private void WritePackage(WitPackage package)
    {
        if (package.Interfaces.Count == 0 && package.Worlds.Count == 0) return;
        string space = set.NamespaceOf(package);
        if (space.Length > 0) code.Open($"namespace {space}");
        foreach (WitScope scope in package.Interfaces) WriteInterface(scope, types.FullName(scope), isNested: false);
        foreach (WitScope world in package.Worlds) WriteWorld(world);
        if (space.Length > 0) code.Close();
    }

    /// <summary>Names of WIT that differ in nothing that an identifier has, or stand there twice, are few where the file is valid.</summary>
    private const int MostAlike = 100;

    /// <summary>Members of records and interfaces are compared without underscores.</summary>
    private static string Free(string name, HashSet<string> taken)
    {
        string free = name;
        while (!taken.Add(free))
        {
            free += "_";
            if (free.Length > name.Length + MostAlike) throw new WitException($"too many things are called {name}", 0, 0);
        }
        return free;
    }

    private void Docs(string? docs)
    {
        if (docs is not null) code.Summary(docs);
    }

    // ---- interfaces ----

    private void WriteInterface(WitScope scope, string fullName, bool isNested)
    {
        Docs(scope.Docs);
        if (!isNested && scope.Package.Name.Length > 0) code.Line($"[global::WasmJit.WasmName({CodeWriter.Quoted(scope.FullName)})]");
        code.Open($"public interface I{Identifiers.Pascal(scope.Name)}");
        WriteBody(scope, fullName, []);
        code.Close();
        code.Line();
    }

    private void WriteBody(WitScope scope, string fullName, HashSet<string> taken)
    {
        foreach (WitDefinition type in scope.Types)
        {
            if (type.Kind == WitKind.Alias) continue;
            taken.Add(WitTypes.NameOf(type, scope));
            WriteType(type, scope, fullName);
        }
        foreach (WitDefinition resource in scope.Types.Where(t => t.Kind == WitKind.Resource))
        {
            string name = Identifiers.Pascal(resource.Name);
            if (resource.Constructor is { } constructor)
            {
                // What a constructor returns is the resource, or a result with it.
                WitType own = new(resource.Name, []) { IsName = true };
                WriteFunction(constructor with { Result = constructor.Result ?? own }, scope, taken, "New" + name);
            }
            foreach (WitFunction function in resource.Functions.Where(f => f.IsStatic)) WriteFunction(function, scope, taken, name + Identifiers.Pascal(function.Name));
        }
        foreach (WitFunction function in scope.Functions) WriteFunction(function, scope, taken, Identifiers.Pascal(function.Name));
    }

    private void WriteFunction(WitFunction function, WitScope scope, HashSet<string> taken, string name)
    {
        Docs(function.Docs);
        WitType? result = function.Result;
        if (result is not null && types.Unaliased(result, scope) is { Type: { Name: "result", IsName: false } both } resolved)
        {
            scope = resolved.Scope;
            string error = both.Arguments.ElementAtOrDefault(1) is { } wrong ? types.Of(wrong, scope) : "no value";
            code.Line($"/// <exception cref=\"{Components}ComponentErrorException\">The function returned an error: {CodeWriter.Escaped(error.Replace("global::", ""))}.</exception>");
            result = both.Arguments.FirstOrDefault();
        }
        string? value = result is null ? null : types.Of(result, scope);
        string returned = !function.IsAsync ? value ?? "void" : "global::System.Threading.Tasks.Task" + (value is null ? "" : $"<{value}>");
        HashSet<string> names = [];
        string parameters = string.Join(", ", function.Parameters.Select(p => $"{types.Of(p.Type!, scope)} {Identifiers.Escaped(Free(Identifiers.Camel(p.Name), names))}"));
        code.Line($"{returned} {Free(name + (function.IsAsync ? "Async" : ""), taken)}({parameters});");
        code.Line();
    }

    // ---- types ----

    private void WriteType(WitDefinition type, WitScope scope, string fullName)
    {
        string name = WitTypes.NameOf(type, scope), path = $"{fullName}.{name}";
        Docs(type.Docs);
        switch (type.Kind)
        {
            case WitKind.Record:
                found.Add(path);
                HashSet<string> taken = [name, .. OfRecords, "Deconstruct"];
                code.Line($"public sealed record {name}({string.Join(", ", type.Fields.Select(f => $"{types.Of(f.Type!, scope)} {Free(Identifiers.Pascal(f.Name), taken)}"))});");
                break;
            case WitKind.Flags:
                found.Add(path);
                code.Line("[global::System.Flags]");
                code.Open($"public enum {name} : {(type.Fields.Count <= 8 ? "byte" : type.Fields.Count <= 16 ? "ushort" : type.Fields.Count <= 32 ? "uint" : "ulong")}");
                code.Line("None = 0,");
                WriteLabels(type, i => $" = 1{(type.Fields.Count > 32 ? "UL" : "")} << {i}", ["None"]);
                code.Close();
                break;
            case WitKind.Enum:
                found.Add(path);
                code.Open($"public enum {name}");
                WriteLabels(type, _ => "", []);
                code.Close();
                break;
            case WitKind.Variant:
                WriteVariant(type, scope, name, path);
                break;
            default:
                code.Open($"public interface {name} : global::System.IDisposable");
                HashSet<string> members = ["Dispose"];
                foreach (WitFunction function in type.Functions.Where(f => !f.IsStatic)) WriteFunction(function, scope, members, Identifiers.Pascal(function.Name));
                code.Close();
                break;
        }
        code.Line();
    }

    private void WriteLabels(WitDefinition type, Func<int, string> value, HashSet<string> taken)
    {
        for (int i = 0; i < type.Fields.Count; i++)
        {
            Docs(type.Fields[i].Docs);
            code.Line($"{Free(Identifiers.Pascal(type.Fields[i].Name), taken)}{value(i)},");
        }
    }

    /// <summary>A class that no other code can derive from, with a nested class for each case.</summary>
    private void WriteVariant(WitDefinition type, WitScope scope, string name, string path)
    {
        found.Add(path);
        code.Open($"public abstract record {name}");
        code.Line($"private {name}() {{ }}");
        HashSet<string> taken = [name, .. OfRecords];
        foreach (WitField each in type.Fields)
        {
            string own = Free(Identifiers.Pascal(each.Name), taken);
            code.Line();
            Docs(each.Docs);
            code.Line($"public sealed record {own}{(each.Type is { } value ? $"({types.Of(value, scope)} {(own == "Value" ? "Value_" : "Value")})" : "")} : {name};");
            found.Add($"{path}.{own}");
        }
        code.Close();
    }

    // ---- worlds ----

    private void WriteWorld(WitScope world)
    {
        string name = Identifiers.Pascal(world.Name), fullName = types.FullName(world);
        var all = new WorldItems(set, world);
        foreach (WitScope inline in all.ImportedInline.Concat(all.ExportedInline)) types.Inline[inline] = $"{types.FullName(all.OwnerOf[inline])}.I{Identifiers.Pascal(inline.Name)}";
        Docs(world.Docs);
        code.Open($"public interface I{name} : global::System.IDisposable");
        HashSet<string> taken = ["Dispose"];
        foreach (WitScope inline in all.ImportedInline.Concat(all.ExportedInline).Where(i => all.IsOwn(i)))
        {
            taken.Add("I" + Identifiers.Pascal(inline.Name));
            WriteInterface(inline, types.Inline[inline], isNested: true);
        }
        WriteBody(world, fullName, taken);
        foreach (WitFunction function in all.IncludedFunctions) WriteFunction(function, world, taken, Identifiers.Pascal(function.Name));
        foreach (WitScope inline in all.ExportedInline) code.Line($"{types.Inline[inline]} {Free(Identifiers.Pascal(inline.Name), taken)} {{ get; }}");
        foreach (string path in all.ExportedInterfaces)
        {
            if (set.Find(path, world.Package, isWorld: false) is not { } scope) continue;
            code.Line($"[global::WasmJit.WasmName({CodeWriter.Quoted(scope.FullName)})]");
            code.Line($"{types.FullName(scope)} {Free(Identifiers.Pascal(scope.Name), taken)} {{ get; }}");
            code.Line();
        }
        if (all.ImportedFunctions.Count > 0)
        {
            code.Summary("The functions that the world imports.");
            code.Open("public interface IImports");
            HashSet<string> imports = [];
            foreach (WitFunction function in all.ImportedFunctions) WriteFunction(function, world, imports, Identifiers.Pascal(function.Name));
            code.Close();
        }
        code.Close();
        code.Line();
        WriteImports(world, all, name, fullName);
    }

    /// <summary>A method that takes an object for each import. Interfaces with resources need a class of the host for each, and are added by hand.</summary>
    private void WriteImports(WitScope world, WorldItems all, string name, string fullName)
    {
        List<(string Type, string Id, string? Interface)> parameters = [];
        List<string> byHand = [];
        HashSet<string> taken = ["host"];
        if (all.ImportedFunctions.Count > 0) parameters.Add(($"{fullName}.IImports", Free("functions", taken), null));
        foreach (WitScope inline in all.ImportedInline) parameters.Add((types.Inline[inline], Free(Identifiers.Camel(inline.Name), taken), inline.Name));
        foreach (string path in all.ImportedInterfaces)
        {
            WitScope? scope = set.Find(path, world.Package, isWorld: false);
            if (scope is null || UsesResources(scope)) byHand.Add(scope?.FullName ?? path);
            else if (scope.Functions.Count > 0) parameters.Add((types.FullName(scope), Free(Identifiers.Camel(scope.Name), taken), scope.FullName));
        }
        if (parameters.Count == 0) return;
        code.Summary($"What the world {world.Name} imports." + (byHand.Count == 0 ? "" : $" To be added by other means: {string.Join(", ", byHand)}."));
        code.Open($"public static class {name}World");
        code.Summary("Adds an object for each import.");
        code.Open($"public static {Components}ComponentHost Add{name}(this {Components}ComponentHost host, {string.Join(", ", parameters.Select(p => $"{p.Type} {Identifiers.Escaped(p.Id)}"))})");
        foreach ((string type, string id, string? scope) in parameters)
            code.Line($"host{(scope is null ? "" : $".Interface({CodeWriter.Quoted(scope)})")}.AddObject<{type}>({Identifiers.Escaped(id)});");
        code.Line("return host;");
        code.Close();
        code.Close();
        code.Line();
    }

    private bool UsesResources(WitScope scope)
    {
        HashSet<(WitScope, string)> seen = [];
        return scope.Types.Any(t => t.Kind == WitKind.Resource)
            || scope.Functions.Any(f => types.HasResource(f.Result, scope, seen) || f.Parameters.Any(p => types.HasResource(p.Type, scope, seen)));
    }

    // ---- trimming ----

    private void WriteRoots(string name)
    {
        if (found.Count == 0) return;
        code.Summary("Types that are found by reflection stay when the program is trimmed.");
        code.Open($"internal static class WitTypesOf{name}");
        code.Line("[global::System.Runtime.CompilerServices.ModuleInitializer]");
        foreach (string type in found) code.Line($"[global::System.Diagnostics.CodeAnalysis.DynamicDependency(global::System.Diagnostics.CodeAnalysis.DynamicallyAccessedMemberTypes.All, typeof({type}))]");
        code.Line("internal static void Keep() { }");
        code.Close();
    }
}

/// <summary>What a world has with all that it includes.</summary>
internal sealed class WorldItems
{
    /// <summary>What a world has from others, and from how many: it may include one twice, and that another twice.</summary>
    private const int MostIncluded = 100_000;

    private readonly WitScope world;
    private readonly HashSet<string> imported = [], exported = [];
    private int included;

    /// <exception cref="WitException">It includes too much.</exception>
    internal WorldItems(WitSet set, WitScope world)
    {
        this.world = world;
        Add(set, world, 0);
    }

    internal List<WitScope> ImportedInline { get; } = [];

    internal List<WitScope> ExportedInline { get; } = [];

    internal List<string> ImportedInterfaces { get; } = [];

    internal List<string> ExportedInterfaces { get; } = [];

    internal List<WitFunction> ImportedFunctions { get; } = [];

    /// <summary>Exported functions of included worlds.</summary>
    internal List<WitFunction> IncludedFunctions { get; } = [];

    /// <summary>The world that an interface is written in.</summary>
    internal Dictionary<WitScope, WitScope> OwnerOf { get; } = [];

    internal bool IsOwn(WitScope inline) => world.ImportedInline.Contains(inline) || world.ExportedInline.Contains(inline);

    private void Add(WitSet set, WitScope each, int depth)
    {
        if (depth > 0)
        {
            included += 1 + each.Functions.Count + each.ImportedFunctions.Count + each.ImportedInline.Count + each.ExportedInline.Count + each.ImportedInterfaces.Count + each.ExportedInterfaces.Count;
            if (included > MostIncluded) throw new WitException($"the world {world.Name} includes too much", 0, 0);
        }
        foreach (WitScope inline in each.ImportedInline.Concat(each.ExportedInline)) OwnerOf[inline] = each;
        ImportedInline.AddRange(each.ImportedInline);
        ExportedInline.AddRange(each.ExportedInline);
        ImportedInterfaces.AddRange(each.ImportedInterfaces.Where(imported.Add));
        ExportedInterfaces.AddRange(each.ExportedInterfaces.Where(exported.Add));
        ImportedFunctions.AddRange(each.ImportedFunctions);
        if (depth > 0) IncludedFunctions.AddRange(each.Functions);
        if (depth > 20) return;
        foreach ((string path, IReadOnlyDictionary<string, string> renamed) in each.Includes)
        {
            if (set.Find(path, each.Package, isWorld: true) is not { } other) continue;
            int from = IncludedFunctions.Count;
            Add(set, other, depth + 1);
            for (int i = from; i < IncludedFunctions.Count; i++)
                if (renamed.TryGetValue(IncludedFunctions[i].Name, out string? name)) IncludedFunctions[i] = IncludedFunctions[i] with { Name = name };
        }
    }
}
