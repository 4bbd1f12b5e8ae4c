using WasmJit.Jit.Format;
using WasmJit.Linking;

namespace WasmJit.Generators;

/// <summary>Compares members with a module, as the library does when a face is made (<c>FacePlan</c>), with the same words.</summary>
internal static class MemberCheck
{
    /// <summary>What is wrong with a member; null if it fits.</summary>
    /// <param name="member">The member.</param>
    /// <param name="module">The module, of which an instance is still to be made: events can become imports.</param>
    internal static string? ProblemOf(MemberModel member, ModuleModel module) => member.Kind switch
    {
        MemberKind.Method => Method(member, module),
        MemberKind.Property => Property(member, module),
        _ => Event(member, module),
    };

    internal static ExternModel? Find(MemberModel member, ModuleModel module) =>
        member.Names.Select(name => module.Exports.Find(e => e.Name == name)).FirstOrDefault(e => e is not null);

    private static string? Method(MemberModel method, ModuleModel module)
    {
        if (Find(method, module) is not { } export) return method.IsAbstract ? Conventions.NoExport(method.Names) : null;
        if (method.Obstacle is { } obstacle) return obstacle;
        if (export.Kind != ExternByte.Func) return Conventions.OtherKind(export.Name, export.Text, "a function");
        if (method.NeverFits() is { } never) return never;
        Shape? result = method.Type.IsVoid || method.Type.Tuple is not null ? null : method.Type.Shape;
        Shape[] shapes = [.. method.Parameters.Select(p => p.Type.Shape)];
        if (Conventions.FormOf(shapes, result, method.Type.Tuple, export.Parameters, export.Results) is not { } form)
            return Conventions.OtherSignature(export.Name, export.Text, method.Type.Message, method.Parameters.Select(p => p.Type.Message));
        return Conventions.LackOf(Conventions.NeedsOf(shapes, result, form, export.Parameters, export.Results), module.HasMemory, module.HasAllocator);
    }

    private static string? Property(MemberModel property, ModuleModel module)
    {
        TypeModel type = property.Type;
        if (property.Obstacle == Conventions.NoIndexer) return property.Obstacle;
        ExternModel? found = Find(property, module);
        if (found is null && type.EntityKind == ExternByte.Instance) return property.CanWrite ? Conventions.CannotBeSet : null;
        if (found is null && type.EntityKind == ExternByte.Memory && module.Exports.Count(e => e.Kind == ExternByte.Memory) == 1) found = module.Exports.Find(e => e.Kind == ExternByte.Memory);
        if (found is null) return Conventions.NoExport(property.Names);
        if (property.Obstacle == Conventions.CannotBeSet) return property.Obstacle;
        if (type.EntityKind is { } kind)
        {
            if (found.Kind != kind) return Conventions.OtherKind(found.Name, found.Text, "a " + type.Message);
            return property.CanWrite ? Conventions.CannotBeSet : null;
        }
        if (found.Kind == ExternByte.Func && type.IsDelegate) return property.CanWrite ? Conventions.CannotBeSet : null;
        if (found.Kind != ExternByte.Global) return Conventions.OtherKind(found.Name, found.Text, "a global");
        if (!Conventions.IsValueOf(type.Shape, found.Letter)) return Conventions.OtherType(found.Name, found.Text, type.Message);
        return property.CanWrite && !found.IsMutable ? Conventions.Immutable(found.Name) : null;
    }

    private static string? Event(MemberModel item, ModuleModel module)
    {
        bool isThere = item.Names.Any(name => module.Imports.Exists(i => i.Name == name && i.Kind == ExternByte.Func && (item.GivenModule is null || i.Module == item.GivenModule)));
        return isThere ? null : Conventions.NoImport(item.Names);
    }
}
