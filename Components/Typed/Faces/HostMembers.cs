using System.Linq.Expressions;
using System.Reflection;

namespace WasmJit.Components;

/// <summary>The members of an object, or of a class that is a resource, as functions for components.</summary>
/// <param name="type">The type whose public members count.</param>
/// <param name="target">The object; null for a resource.</param>
/// <param name="resource">The resource's name; null for an object.</param>
internal sealed class HostMembers(Type type, object? target, string? resource)
{
    /// <summary>The function of a name; null if there is none.</summary>
    internal Delegate? Find(string name)
    {
        (ExternNameKind kind, string? owner, string member) = WitNames.Member(name);
        if (owner != resource) return null;
        return kind switch
        {
            ExternNameKind.Constructor => Constructor(),
            ExternNameKind.Method => Method(type, member, BindingFlags.Instance),
            ExternNameKind.Static => Method(type, member, BindingFlags.Static),
            _ => Method(type, name, BindingFlags.Instance),
        };
    }

    private Delegate? Constructor()
    {
        if (type.GetConstructors() is not [var constructor]) return null;
        ParameterExpression[] parameters = [.. constructor.GetParameters().Select(p => Expression.Parameter(p.ParameterType))];
        return Expression.Lambda(Expression.New(constructor, parameters), parameters).Compile();
    }

    private Delegate? Method(Type of, string name, BindingFlags kind)
    {
        IEnumerable<Type> parts = of.IsInterface ? of.GetInterfaces().Prepend(of) : [of];
        MethodInfo? found = parts.SelectMany(p => p.GetMethods(kind | BindingFlags.Public)).FirstOrDefault(m =>
            !m.IsGenericMethodDefinition && m.GetBaseDefinition().DeclaringType != typeof(object) && IsNamed(m, name));
        if (found is null) return null;
        IEnumerable<Type> types = found.GetParameters().Select(p => p.ParameterType).Append(found.ReturnType);
        // A resource's methods get the object as their first parameter.
        if (resource is not null && kind == BindingFlags.Instance) types = types.Prepend(type);
        return found.CreateDelegate(Expression.GetDelegateType([.. types]), kind == BindingFlags.Instance ? target : null);
    }

    private static bool IsNamed(MethodInfo method, string name)
    {
        if (method.GetCustomAttribute<WasmNameAttribute>() is { } given) return given.Name == name;
        string plain = TypeBinding.Plain(name), own = TypeBinding.Plain(method.Name);
        return own == plain || (typeof(Task).IsAssignableFrom(method.ReturnType) && own == plain + "ASYNC");
    }
}
