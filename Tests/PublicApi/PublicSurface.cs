using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text;

namespace WasmJit.Tests;

/// <summary>The public types and members of the packages as text: a line each, in an order that does not depend on the sources.</summary>
internal static class PublicSurface
{
    private const BindingFlags Declared = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    private static readonly Assembly[] Assemblies =
    [
        typeof(Memory).Assembly, typeof(Features).Assembly, typeof(Engine).Assembly, typeof(Components.WasmComponent).Assembly, typeof(Wat).Assembly, typeof(WasiHost).Assembly, typeof(WasmModules).Assembly,
    ];

    internal static IReadOnlyList<Type> Types { get; } =
        [.. Assemblies.SelectMany(a => a.GetExportedTypes()).OrderBy(t => t.Namespace, StringComparer.Ordinal).ThenBy(t => t.FullName, StringComparer.Ordinal)];

    internal static string Text()
    {
        var text = new StringBuilder();
        string? last = null;
        foreach (Type type in Types)
        {
            if (type.Namespace != last) text.Append(last is null ? "" : "\n").Append($"namespace {last = type.Namespace}\n");
            text.Append($"\n{Head(type)}\n");
            foreach (string line in Members(type).Order(StringComparer.Ordinal)) text.Append($"    {line}\n");
        }
        return text.ToString();
    }

    /// <summary>Whether others than the library's own assemblies see it.</summary>
    internal static bool IsVisible(MethodBase? method) => method is { IsPublic: true } or { IsFamily: true } or { IsFamilyOrAssembly: true };

    private static string Head(Type type)
    {
        string kind = type.IsEnum ? "enum" : type.IsInterface ? "interface" : type.IsValueType ? "struct"
            : IsRecord(type) ? "record" : "class";
        string modifiers = type.IsEnum || type.IsInterface || type.IsValueType ? ""
            : type is { IsAbstract: true, IsSealed: true } ? "static " : type.IsAbstract ? "abstract " : type.IsSealed ? "sealed " : "";
        string[] bases =
        [
            .. type is { IsEnum: false, IsValueType: false, BaseType: { } up } && up != typeof(object) ? new[] { Name(up) } : [],
            .. type.IsEnum ? new[] { Name(Enum.GetUnderlyingType(type)) } : (IEnumerable<string>)type.GetInterfaces().Where(i => i.IsPublic).Select(Name).Order(StringComparer.Ordinal),
        ];
        return $"{modifiers}{kind} {Name(type)}{(bases.Length == 0 ? "" : $" : {string.Join(", ", bases)}")}";
    }

    private static bool IsRecord(Type type) => type.GetMethod("<Clone>$") is not null;

    private static IEnumerable<string> Members(Type type)
    {
        foreach (FieldInfo field in type.GetFields(Declared).Where(f => (f.IsPublic || f.IsFamily || f.IsFamilyOrAssembly) && !f.IsSpecialName))
        {
            if (type.IsEnum) yield return $"{field.Name} = {Convert.ToInt64(field.GetRawConstantValue())}";
            else yield return $"{Modifiers(field)}{(field.IsLiteral ? "const " : field.IsInitOnly ? "readonly " : "")}{Typed(new NullabilityInfoContext().Create(field))} {field.Name}";
        }
        foreach (ConstructorInfo constructor in type.GetConstructors(Declared).Where(c => IsVisible(c) && !c.IsStatic))
            yield return $"new({Parameters(constructor)})";
        foreach (PropertyInfo property in type.GetProperties(Declared).Where(p => IsVisible(p.GetMethod) || IsVisible(p.SetMethod)))
        {
            bool isInit = property.SetMethod?.ReturnParameter.GetRequiredCustomModifiers().Contains(typeof(IsExternalInit)) ?? false;
            string accessors = $"{(IsVisible(property.GetMethod) ? " get;" : "")}{(IsVisible(property.SetMethod) ? isInit ? " init;" : " set;" : "")}";
            string indices = property.GetIndexParameters() is { Length: > 0 } given ? $"[{string.Join(", ", given.Select(Parameter))}]" : "";
            yield return $"{Modifiers(property.GetMethod ?? property.SetMethod!)}{Typed(new NullabilityInfoContext().Create(property))} {property.Name}{indices} {{{accessors} }}";
        }
        foreach (EventInfo item in type.GetEvents(Declared).Where(e => IsVisible(e.AddMethod))) yield return $"event {Name(item.EventHandlerType!)} {item.Name}";
        foreach (MethodInfo method in type.GetMethods(Declared).Where(m => IsVisible(m) && !IsImplied(m)))
        {
            string generic = method.IsGenericMethodDefinition ? $"<{string.Join(", ", method.GetGenericArguments().Select(a => a.Name))}>" : "";
            yield return $"{Modifiers(method)}{Typed(new NullabilityInfoContext().Create(method.ReturnParameter))} {method.Name}{generic}({Parameters(method)})";
        }
    }

    /// <summary>Accessors, and what the compiler gives to records.</summary>
    private static bool IsImplied(MethodInfo method) =>
        (method.IsSpecialName && !method.Name.StartsWith("op_", StringComparison.Ordinal)) || method.Name == "<Clone>$"
        || method.GetCustomAttribute<CompilerGeneratedAttribute>() is not null;

    private static string Modifiers(MethodBase method) =>
        (method.IsPublic ? "" : "protected ") + (method.IsStatic ? "static "
            : method.IsAbstract ? "abstract " : method.IsVirtual && !method.IsFinal
                ? method is MethodInfo m && m.GetBaseDefinition() != m ? "override " : "virtual " : "");

    private static string Modifiers(FieldInfo field) => (field.IsPublic ? "" : "protected ") + (field.IsStatic && !field.IsLiteral ? "static " : "");

    private static string Parameters(MethodBase method) => string.Join(", ", method.GetParameters().Select(Parameter));

    private static string Parameter(ParameterInfo parameter)
    {
        string prefix = parameter.IsOut ? "out " : parameter.ParameterType.IsByRef ? "ref " : parameter.GetCustomAttribute<ParamArrayAttribute>() is not null ? "params " : "";
        string value = !parameter.HasDefaultValue ? ""
            : $" = {parameter.DefaultValue switch { null => parameter.ParameterType.IsValueType && Nullable.GetUnderlyingType(parameter.ParameterType) is null ? "default" : "null", bool b => b ? "true" : "false", var v => v }}";
        return $"{prefix}{Typed(new NullabilityInfoContext().Create(parameter))} {parameter.Name}{value}";
    }

    private static string Typed(NullabilityInfo info)
    {
        Type type = info.Type.IsByRef ? info.Type.GetElementType()! : info.Type;
        return Name(type) + (!type.IsValueType && (info.ReadState == NullabilityState.Nullable || info.WriteState == NullabilityState.Nullable) ? "?" : "");
    }

    private static string Name(Type type)
    {
        if (Nullable.GetUnderlyingType(type) is { } value) return Name(value) + "?";
        if (type.IsArray) return Name(type.GetElementType()!) + "[]";
        if (type.IsGenericParameter) return type.Name;
        string own = type.IsNested ? $"{Name(type.DeclaringType!)}.{type.Name}" : type.Name;
        if (!type.IsGenericType) return Keywords.GetValueOrDefault(type, own);
        int tick = own.IndexOf('`');
        string plain = tick < 0 ? own : own[..tick];
        string[] arguments = [.. type.GetGenericArguments().Select(Name)];
        return type.FullName?.StartsWith("System.ValueTuple`", StringComparison.Ordinal) == true
            ? $"({string.Join(", ", arguments)})" : $"{plain}<{string.Join(", ", arguments)}>";
    }

    private static readonly Dictionary<Type, string> Keywords = new()
    {
        [typeof(void)] = "void",
        [typeof(bool)] = "bool",
        [typeof(byte)] = "byte",
        [typeof(sbyte)] = "sbyte",
        [typeof(short)] = "short",
        [typeof(ushort)] = "ushort",
        [typeof(int)] = "int",
        [typeof(uint)] = "uint",
        [typeof(long)] = "long",
        [typeof(ulong)] = "ulong",
        [typeof(float)] = "float",
        [typeof(double)] = "double",
        [typeof(string)] = "string",
        [typeof(object)] = "object",
    };
}
