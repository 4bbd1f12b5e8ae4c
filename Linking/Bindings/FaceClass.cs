using System.Runtime.CompilerServices;
using WasmJit.Generated;
using WasmJit.Jit.Calls;
using WasmJit.Runtime;

namespace WasmJit.Linking;

/// <summary>
/// A class that implements an interface over the exports of modules with certain types: made at run time, or written by a source generator.
/// </summary>
internal sealed class FaceClass
{
    /// <summary>The classes of an interface: by the types of exports and imports, and by module, for which no member is looked at again.</summary>
    private sealed class Classes
    {
        internal Dictionary<string, WeakReference<FaceClass>> ByTypes { get; } = [];

        internal ConditionalWeakTable<ModuleCode, WeakReference<FaceClass>> ByModule { get; } = [];
    }

    private static readonly ConditionalWeakTable<Type, Classes> Known = [];

    private readonly Type type;
    private readonly Func<Face> make;
    private readonly MappingLease? lease;

    /// <param name="type">The interface, or the class of a module.</param>
    /// <param name="make">Makes an object of the class.</param>
    /// <param name="members">What the members stand for.</param>
    /// <param name="lease">What the class takes of the process's mappings.</param>
    internal FaceClass(Type type, Func<Face> make, IReadOnlyList<BoundMember?> members, MappingLease? lease)
    {
        this.type = type;
        this.make = make;
        this.lease = lease;
        Members = members;
    }

    /// <summary>By the index of the member; null for those that stay as the interface implements them.</summary>
    internal IReadOnlyList<BoundMember?> Members { get; }

    private bool HasEvents => Members.Any(m => m is BoundEvent);

    /// <summary>The class for an interface and a module; made when there is none with the same types. It goes when no face of it is left.</summary>
    /// <exception cref="BindingException">The interface does not fit.</exception>
    internal static FaceClass Of(Type face, Module module, bool mayImport)
    {
        if (!face.IsInterface) throw new ArgumentException($"{CSharpName.Of(face)} is not an interface.");
        Classes known = Known.GetOrCreateValue(face);
        if (Find(known, module, mayImport) is { } made) return made;
        if (FaceDescription.Of(face) is { } description) return Of(description, module, mayImport);
        BoundMember[] members = [.. FacePlan.Of(face, FaceMember.Of(face), module, mayImport).OfType<BoundMember>()];
        string key = string.Join('\n', members.Select(m => m switch
        {
            BoundMethod method => $"{method.Export} {method.Type}",
            BoundItem item => item.Export,
            BoundGlobal global => $"{global.Export} {global.Type}",
            BoundEvent raised => $"{raised.Module} {raised.Import}",
            _ => "",
        }));
        lock (known)
        {
            Dictionary<string, WeakReference<FaceClass>> all = known.ByTypes;
            if (!all.TryGetValue(key, out WeakReference<FaceClass>? weak) || !weak.TryGetTarget(out FaceClass? found))
            {
                foreach (string gone in all.Where(k => !k.Value.TryGetTarget(out _)).Select(k => k.Key).ToArray()) all.Remove(gone);
                found = new FaceBuilder(face, members).Make();
                all[key] = weak = new WeakReference<FaceClass>(found);
            }
            known.ByModule.AddOrUpdate(module.Shared, weak);
            return found;
        }
    }

    /// <summary>The same for a class that a source generator has written.</summary>
    /// <exception cref="BindingException">It does not fit.</exception>
    internal static FaceClass Of(FaceDescription description, Module module, bool mayImport)
    {
        Classes known = Known.GetOrCreateValue(description.Face);
        if (Find(known, module, mayImport) is { } made) return made;
        made = new FaceClass(description.Face, description.Make, FacePlan.Of(description.Face, description.Members, module, mayImport), null);
        known.ByModule.AddOrUpdate(module.Shared, new WeakReference<FaceClass>(made));
        return made;
    }

    /// <summary>An interface with events is for instances that are still to be made.</summary>
    private static FaceClass? Find(Classes known, Module module, bool mayImport) =>
        known.ByModule.TryGetValue(module.Shared, out WeakReference<FaceClass>? weak) && weak.TryGetTarget(out FaceClass? made) && (mayImport || !made.HasEvents) ? made : null;

    /// <summary>An object of the class that is not bound yet.</summary>
    private Face Make()
    {
        Face face = make();
        face.Class = this;
        GC.KeepAlive(lease);
        return face;
    }

    /// <summary>The face of an instance.</summary>
    internal Face Make(Instance instance)
    {
        Face face = Make();
        Bind(face, instance);
        return face;
    }

    /// <summary>Makes an instance whose imports are the events of its face.</summary>
    /// <exception cref="BindingException">An event cannot be an import.</exception>
    /// <exception cref="LinkException">An import is missing or of another type.</exception>
    internal Face Instantiate(Module module, Imports? imports, Fuel? fuel, GuestResources? resources)
    {
        Face face = Make();
        var all = new Imports();
        if (imports is not null) all.AddRange(imports);
        var problems = new List<string>();
        for (int i = 0; i < Members.Count; i++)
        {
            if (Members[i] is not BoundEvent raised) continue;
            string? problem = null;
            Delegate? function = face.RaiserOf(i)
                ?? (face.GetType().GetMethod(FaceBuilder.RaiserOf(i)) is { } raiser ? HostObject.Function(face, raiser, out problem) : null);
            if (function is not null) all[raised.Module, raised.Import] = function;
            else problems.Add($"{raised.Member.Name}: {problem}");
        }
        if (problems.Count > 0) throw new BindingException(Conventions.DoesNotFit(CSharpName.Of(type), module.Name), problems);
        Bind(face, module.Instantiate(all, fuel, resources));
        return face;
    }

    private void Bind(Face face, Instance instance)
    {
        object?[] items = new object?[Members.Count];
        for (int i = 0; i < items.Length; i++)
        {
            items[i] = Members[i] switch
            {
                BoundMethod method => instance.FindExport(method.Export),
                BoundItem { Export: null } => instance,
                BoundItem { Member.Type: var wanted } item when typeof(Delegate).IsAssignableFrom(wanted) => FunctionAs(instance, item.Export, wanted),
                BoundItem item => instance.FindExport(item.Export),
                BoundGlobal global => instance.FindExport(global.Export),
                _ => null,
            };
        }
        face.Bind(items, instance);
    }

    private static Delegate FunctionAs(Instance instance, string name, Type wanted)
    {
        var function = (Delegate)instance.FindExport(name)!;
        if (wanted.IsInstanceOfType(function)) return function;
        return Instance.FunctionAs(function, wanted)
            ?? throw new BindingException($"The export \"{name}\" does not fit", [$"it is {CSharpName.Of(function.GetType())}, not {CSharpName.Of(wanted)}"]);
    }
}
