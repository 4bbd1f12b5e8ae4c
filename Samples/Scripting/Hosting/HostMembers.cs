using System.Reflection;

namespace Twig;

/// <summary>
/// What scripts may do with .NET objects: nothing but what is granted, by type and member. In scripts a member's name begins with
/// a small letter.
/// </summary>
internal sealed class HostMembers(ScriptEngine engine)
{
    private readonly Dictionary<Type, Dictionary<string, MemberInfo[]>> granted = [];

    internal void Grant(Type type, IEnumerable<string> members)
    {
        if (!granted.TryGetValue(type, out Dictionary<string, MemberInfo[]>? names)) granted[type] = names = [];
        foreach (string member in members)
        {
            MemberInfo[] found = type.GetMember(member, MemberTypes.Property | MemberTypes.Field | MemberTypes.Method, BindingFlags.Public | BindingFlags.Instance);
            if (found.Length == 0) throw new ArgumentException($"{type} has no public member {member}.");
            names[char.ToLowerInvariant(member[0]) + member[1..]] = found;
        }
    }

    internal object? Get(object? of, string name) => Find(of, name) switch
    {
        [PropertyInfo { GetMethod.IsPublic: true } property, ..] => property.GetValue(of, BindingFlags.DoNotWrapExceptions, null, null, null),
        [FieldInfo field, ..] => field.GetValue(of),
        [MethodInfo method] => method.CreateDelegate(System.Linq.Expressions.Expression.GetDelegateType(
            [.. method.GetParameters().Select(p => p.ParameterType), method.ReturnType]), of),
        _ => throw new MissingMemberException($"{of!.GetType().Name}.{name} cannot be read"),
    };

    internal void Set(object? of, string name, object? value)
    {
        switch (Find(of, name))
        {
            case [PropertyInfo { SetMethod.IsPublic: true } property, ..]:
                property.SetValue(of, engine.Values.FromScript(value, property.PropertyType), BindingFlags.DoNotWrapExceptions, null, null, null);
                break;
            case [FieldInfo { IsInitOnly: false } field, ..]:
                field.SetValue(of, engine.Values.FromScript(value, field.FieldType));
                break;
            default:
                throw new MissingMemberException($"{of!.GetType().Name}.{name} cannot be set");
        }
    }

    internal object? Call(object? of, string name, object?[] arguments)
    {
        MethodInfo[] methods = [.. Find(of, name).OfType<MethodInfo>().Where(m => m.GetParameters().Length == arguments.Length)];
        if (methods.Length == 0 && Get(of, name) is Delegate function) return Call(function, arguments);
        if (methods.Length == 0) throw new MissingMemberException($"{of!.GetType().Name}.{name} does not take {arguments.Length} argument(s)");
        return Invoke(methods[0], of!, arguments, name);
    }

    internal object? Call(Delegate function, object?[] arguments)
    {
        MethodInfo invoke = function.GetType().GetMethod("Invoke")!;
        int expected = invoke.GetParameters().Length;
        if (expected != arguments.Length) throw new ArgumentException($"the function takes {expected} argument(s), not {arguments.Length}");
        return Invoke(invoke, function, arguments, "the function");
    }

    private object? Invoke(MethodInfo method, object target, object?[] arguments, string name)
    {
        ParameterInfo[] parameters = method.GetParameters();
        var values = new object?[arguments.Length];
        for (int i = 0; i < values.Length; i++)
        {
            try
            {
                values[i] = engine.Values.FromScript(arguments[i], parameters[i].ParameterType);
            }
            catch (InvalidCastException e)
            {
                throw new ArgumentException($"argument {i + 1} of {name}: {e.Message}");
            }
        }
        return method.Invoke(target, BindingFlags.DoNotWrapExceptions, null, values, null);
    }

    private MemberInfo[] Find(object? of, string name)
    {
        for (Type? type = of!.GetType(); type is not null; type = type.BaseType)
            if (granted.TryGetValue(type, out Dictionary<string, MemberInfo[]>? names) && names.TryGetValue(name, out MemberInfo[]? found)) return found;
        foreach (Type type in of.GetType().GetInterfaces())
            if (granted.TryGetValue(type, out Dictionary<string, MemberInfo[]>? names) && names.TryGetValue(name, out MemberInfo[]? found)) return found;
        throw new MissingMemberException($"{of.GetType().Name} has no member {name} here");
    }
}
