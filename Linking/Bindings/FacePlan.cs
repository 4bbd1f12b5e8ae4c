using System.Reflection;
using WasmJit.Generated;
using WasmJit.Jit.Calls;

namespace WasmJit.Linking;

/// <summary>A member of an interface and what it stands for.</summary>
/// <param name="Member">The method, property or event.</param>
internal abstract record BoundMember(FaceMember Member);

/// <summary>A method that calls an exported function.</summary>
/// <param name="Member">The method.</param>
/// <param name="Export">The function's name.</param>
/// <param name="Type">The function's type.</param>
/// <param name="Parameters">The method's parameters.</param>
/// <param name="Result">What it returns; null for nothing, or for a tuple, whose items are returned as they are.</param>
/// <param name="Form">How it becomes a call.</param>
internal sealed record BoundMethod(FaceMember Member, string Export, FuncType Type, CrossingType[] Parameters, CrossingType? Result, CallForm Form)
    : BoundMember(Member);

/// <summary>A property that is an export itself: a memory, a table, a global, a function as a delegate; or the instance, without a name.</summary>
internal sealed record BoundItem(FaceMember Member, string? Export) : BoundMember(Member);

/// <summary>A property that is the value of a global.</summary>
internal sealed record BoundGlobal(FaceMember Member, string Export, GlobalType Type) : BoundMember(Member);

/// <summary>An event that an import raises.</summary>
internal sealed record BoundEvent(FaceMember Member, string Module, string Import) : BoundMember(Member);

/// <summary>Finds what the members of an interface stand for in a module.</summary>
internal sealed class FacePlan
{
    private readonly Module module;
    private readonly bool mayImport;
    private readonly List<string> problems = [];
    private readonly Dictionary<string, ExternType> exports;

    /// <summary>Whether the module exports something to allocate with, as <see cref="GuestAllocator"/> looks for it.</summary>
    private readonly bool hasAllocator;

    private FacePlan(Module module, bool mayImport)
    {
        this.module = module;
        this.mayImport = mayImport;
        exports = module.Exports.ToDictionary(e => e.Name, e => e.Type);
        foreach ((string name, string parameters, string results) in Conventions.Allocators) hasAllocator |= HasFunction(name, parameters, results);
    }

    /// <summary>Binds all members.</summary>
    /// <param name="face">The interface, or the class of a module.</param>
    /// <param name="members">Its members.</param>
    /// <param name="module">The module.</param>
    /// <param name="mayImport">Whether events can still become imports.</param>
    /// <returns>What each stands for; null for one that stays as the interface implements it.</returns>
    /// <exception cref="BindingException">Some do not fit.</exception>
    internal static BoundMember?[] Of(Type face, IReadOnlyList<FaceMember> members, Module module, bool mayImport)
    {
        var plan = new FacePlan(module, mayImport);
        var bound = new BoundMember?[members.Count];
        for (int i = 0; i < bound.Length; i++)
        {
            object? found = members[i].Kind switch
            {
                MemberTypes.Method => plan.Method(members[i]),
                MemberTypes.Property => plan.Property(members[i]),
                _ => plan.Event(members[i]),
            };
            bound[i] = found as BoundMember;
            if (found is string problem) plan.problems.Add($"{members[i].Name}: {problem}");
        }
        return plan.problems.Count == 0 ? bound : throw new BindingException(Conventions.DoesNotFit(CSharpName.Of(face), module.Name), plan.problems);
    }

    private string? Find(string[] names) => Array.Find(names, exports.ContainsKey);

    // ---- methods ----

    /// <returns>A <see cref="BoundMethod"/>, what is wrong, or null for one that stays as the interface implements it.</returns>
    private object? Method(FaceMember method)
    {
        string? export = Find(method.Names);
        if (export is null) return method.IsAbstract ? Conventions.NoExport(method.Names) : null;
        if (method.IsUnbindable) return Conventions.NoSuchMethod;
        if (exports[export].Kind != ExternKind.Func) return Conventions.OtherKind(export, exports[export].ToString()!, "a function");
        FuncType type = exports[export].Func;
        CrossingType[] parameters = [.. method.Parameters.Select(p => CrossingType.Of(p.Type))];
        for (int i = 0; i < parameters.Length; i++)
            if (parameters[i].Kind == Crossing.None) return Conventions.ParameterCannotCross(method.Parameters[i].Name, CSharpName.Of(parameters[i].Type));
        string? tuple = CrossingType.IsTuple(method.Type) ? CrossingType.TupleLetters(method.Type) : null;
        CrossingType? result = method.Type == typeof(void) || tuple is not null ? null : CrossingType.Of(method.Type);
        if (result is { Kind: Crossing.None }) return Conventions.ResultCannotCross(CSharpName.Of(result.Type));
        Shape[] shapes = [.. parameters.Select(p => p.Shape)];
        string types = CrossingType.LettersOf(type.Params.AsSpan()), results = CrossingType.LettersOf(type.Results.AsSpan());
        if (Conventions.FormOf(shapes, result?.Shape, tuple, types, results) is not { } form)
            return Conventions.OtherSignature(export, type.ToString()!, CSharpName.Of(method.Type), parameters.Select(p => CSharpName.Of(p.Type)));
        return Conventions.LackOf(Conventions.NeedsOf(shapes, result?.Shape, form, types, results), module.Info.Memories.Count > 0, hasAllocator)
            ?? (object)new BoundMethod(method, export, type, parameters, result, form);
    }

    private bool HasFunction(string name, string parameters, string results) => exports.TryGetValue(name, out ExternType? type) && type.Kind == ExternKind.Func
        && CrossingType.LettersOf(type.Func.Params.AsSpan()) == parameters && CrossingType.LettersOf(type.Func.Results.AsSpan()) == results;

    // ---- properties and events ----

    private object? Property(FaceMember property)
    {
        Type type = property.Type;
        if (property.IsIndexer) return property.IsAbstract ? Conventions.NoIndexer : null;
        string? export = Find(property.Names);
        if (export is not null && property.IsUnbindable) return Conventions.NoSuchMethod;
        if (type == typeof(Instance) && export is null && property.IsAbstract) return property.CanWrite ? Conventions.CannotBeSet : new BoundItem(property, null);
        if (type == typeof(Memory) && export is null && module.Exports.Where(e => e.Type.Kind == ExternKind.Memory).ToArray() is [var only]) export = only.Name;
        if (export is null) return property.IsAbstract ? Conventions.NoExport(property.Names) : null;
        if (property.IsInitOnly) return Conventions.CannotBeSet;
        ExternType found = exports[export];
        if (ItemKind(type) is { } kind)
        {
            if (found.Kind != kind) return Conventions.OtherKind(export, found.ToString()!, "a " + CSharpName.Of(type));
            return property.CanWrite ? Conventions.CannotBeSet : new BoundItem(property, export);
        }
        if (found.Kind == ExternKind.Func && typeof(Delegate).IsAssignableFrom(type)) return property.CanWrite ? Conventions.CannotBeSet : new BoundItem(property, export);
        if (found.Kind != ExternKind.Global) return Conventions.OtherKind(export, found.ToString()!, "a global");
        GlobalType global = found.Global;
        if (!CrossingType.Of(type).IsValueOf(global.Type)) return Conventions.OtherType(export, found.ToString()!, CSharpName.Of(type));
        return property.CanWrite && !global.IsMutable ? Conventions.Immutable(export) : new BoundGlobal(property, export, global);
    }

    /// <summary>The kind of a property that is an export or import itself; null of other types, and of functions, which have many types.</summary>
    internal static ExternKind? ItemKind(Type type) =>
        type == typeof(Memory) ? ExternKind.Memory : type == typeof(Table) ? ExternKind.Table : type == typeof(Global) ? ExternKind.Global
        : type == typeof(Tag) ? ExternKind.Tag : type == typeof(Module) ? ExternKind.Module : type == typeof(Instance) ? ExternKind.Instance : null;

    private object? Event(FaceMember item)
    {
        if (!mayImport) return item.IsAbstract ? Conventions.EventOfInstance : null;
        foreach (string name in item.Names)
        {
            ImportType? import = module.Imports.FirstOrDefault(i => i.Name == name && i.Type.Kind == ExternKind.Func && (item.Module is null || i.Module == item.Module));
            if (import is not null) return item.IsUnbindable ? Conventions.NoSuchMethod : new BoundEvent(item, import.Module, name);
        }
        return item.IsAbstract ? Conventions.NoImport(item.Names) : null;
    }
}
