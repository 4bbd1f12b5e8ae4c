using System.Reflection;
using WasmJit.Jit.Calls;

namespace WasmJit.Components;

/// <summary>Finds what the members of an interface stand for in an instance of a component, and says of all that do not fit.</summary>
internal sealed class FaceBinder
{
    private readonly ComponentInstance root;
    private readonly ResourceFaces resources = new();
    private readonly List<string> problems = [];

    private FaceBinder(ComponentInstance root) => this.root = root;

    /// <summary>Makes the face of an instance.</summary>
    /// <exception cref="BindingException">The interface does not fit.</exception>
    internal static ComponentFace Make(Type face, ComponentInstance root)
    {
        var binder = new FaceBinder(root);
        ComponentFaceClass made = ComponentFaceClass.Of(face, false);
        object?[] items = binder.Bind(made, binder.TargetOf(face), "");
        if (binder.problems.Count > 0) throw new BindingException($"{CSharpName.Of(face)} does not fit the component", binder.problems);
        return made.Make(items);
    }

    /// <summary>The exported interface of the face's name, or the component itself.</summary>
    private ComponentInstance TargetOf(Type face)
    {
        if (face.GetCustomAttribute<WasmNameAttribute>() is { } given) return FindInstance(root, given.Name, true) ?? Missing(given.Name);
        return FindInstance(root, NameOf(face), false) ?? root;
    }

    private ComponentInstance Missing(string name)
    {
        problems.Add($"there is no exported interface \"{name}\"");
        return root;
    }

    /// <summary>The name of an interface without the I that such names begin with.</summary>
    private static string NameOf(Type face) => face.Name.Length > 1 && face.Name[0] == 'I' && char.IsUpper(face.Name[1]) ? face.Name[1..] : face.Name;

    private static ComponentInstance? FindInstance(ComponentInstance of, string name, bool isExact)
    {
        foreach (ExternItem export in of.Type.Exports)
        {
            if (export.Type.Sort != Sort.Instance) continue;
            if (export.Name == name || (!isExact && TypeBinding.Plain(WitNames.InPackage(export.Name)) == TypeBinding.Plain(name))) return of.GetInstance(export.Name);
        }
        return null;
    }

    private object?[] Bind(ComponentFaceClass made, ComponentInstance instance, string path)
    {
        var items = new object?[made.Members.Count];
        for (int i = 0; i < items.Length; i++)
        {
            FaceMember member = made.Members[i];
            if (!member.IsFace)
            {
                items[i] = Function(member, instance, path, NamesOf);
                continue;
            }
            string? given = member.Member.GetCustomAttribute<WasmNameAttribute>()?.Name;
            if (FindInstance(instance, given ?? member.Member.Name, given is not null) is not { } inner)
            {
                problems.Add($"{path}{member.Member.Name}: there is no exported interface \"{given ?? member.Member.Name}\"");
                continue;
            }
            ComponentFaceClass face = ComponentFaceClass.Of(member.Held, false);
            object?[] parts = Bind(face, inner, $"{path}{member.Member.Name}.");
            if (problems.Count == 0) items[i] = face.Make(parts);
        }
        return items;
    }

    /// <summary>The function of a member as a delegate.</summary>
    private Delegate? Function(FaceMember member, ComponentInstance instance, string path, Func<string, IEnumerable<string>> names)
    {
        string? given = member.Member.GetCustomAttribute<WasmNameAttribute>()?.Name;
        string plain = TypeBinding.Plain(member.Member.Name);
        bool isAsync = typeof(Task).IsAssignableFrom(member.Method.ReturnType) && plain.EndsWith("ASYNC", StringComparison.Ordinal);
        string? found = instance.Type.Exports.Where(e => e.Type.Sort == Sort.Func).Select(e => e.Name).FirstOrDefault(name =>
            given is not null ? name == given : names(name).Any(n => n == plain || (isAsync && n + "ASYNC" == plain)));
        if (found is null)
        {
            problems.Add($"{path}{member.Member.Name}: there is no exported function {(given is null ? "of this name" : $"\"{given}\"")}");
            return null;
        }
        foreach (Type type in member.Method.GetParameters().Select(p => p.ParameterType).Append(member.Method.ReturnType)) AddResources(type, instance);
        try
        {
            return instance.GetFunction(found).Function is LiftedFunction lifted
                ? DelegateBinder.ToExport(member.Held, instance, lifted, resources) : throw new ArgumentException("it is a function of the host");
        }
        catch (ArgumentException e)
        {
            problems.Add($"{path}{member.Member.Name}: the function \"{found}\" does not fit: {e.Message}");
            return null;
        }
    }

    /// <summary>The names that a method may have which stands for a function.</summary>
    private static IEnumerable<string> NamesOf(string export)
    {
        (ExternNameKind kind, string? resource, string name) = WitNames.Member(export);
        if (kind != ExternNameKind.Constructor) return [TypeBinding.Plain(resource + name)];
        string made = TypeBinding.Plain(resource!);
        return [made, "NEW" + made, "CREATE" + made];
    }

    // ---- resources ----

    private void AddResources(Type type, ComponentInstance instance)
    {
        if (type.HasElementType) AddResources(type.GetElementType()!, instance);
        foreach (Type argument in type.IsGenericType ? type.GetGenericArguments() : []) AddResources(argument, instance);
        if (!type.IsInterface || type.IsGenericType || !resources.TryAdd(type)) return;
        string name = type.GetCustomAttribute<WasmNameAttribute>()?.Name ?? NameOf(type);
        ComponentFaceClass made = ComponentFaceClass.Of(type, true);
        ComponentInstance owner = OwnerOf(name, instance);
        object?[] items = [.. made.Members.Select(member => Function(member, owner, $"{type.Name}.", export => MethodNamesOf(export, name)))];
        resources.Set(type, made, items);
    }

    /// <summary>The instance that exports a resource's functions: the one that uses it, or another.</summary>
    private ComponentInstance OwnerOf(string name, ComponentInstance instance)
    {
        bool Has(ComponentInstance each) => each.Type.Exports.Any(e => e.Type.Sort == Sort.Func && IsOf(e.Name, name));
        if (Has(instance)) return instance;
        return root.Type.Exports.Where(e => e.Type.Sort == Sort.Instance).Select(e => root.GetInstance(e.Name)).FirstOrDefault(Has) ?? instance;
    }

    private static bool IsOf(string export, string resource) =>
        WitNames.Member(export).Resource is { } own && TypeBinding.Plain(own) == TypeBinding.Plain(resource);

    private static IEnumerable<string> MethodNamesOf(string export, string resource) =>
        IsOf(export, resource) && WitNames.Member(export) is (ExternNameKind.Method, _, var name) ? [TypeBinding.Plain(name)] : [];
}

/// <summary>The interfaces that stand for a component's resources.</summary>
internal sealed class ResourceFaces
{
    private readonly Dictionary<Type, (ComponentFaceClass? Class, object?[] Items)> known = [];

    /// <summary>Notes an interface; false if it is known.</summary>
    internal bool TryAdd(Type face) => known.TryAdd(face, (null, []));

    internal void Set(Type face, ComponentFaceClass made, object?[] items) => known[face] = (made, items);

    /// <summary>The face of a resource; null if the type stands for none.</summary>
    internal T? Of<T>(ComponentResource resource)
        where T : class
    {
        if (!known.TryGetValue(typeof(T), out (ComponentFaceClass? Class, object?[] Items) face) || face.Class is null) return null;
        ComponentFace made = face.Class.Make(face.Items);
        made.Resource = resource;
        return (T)(object)made;
    }
}
