using System.ComponentModel;
using System.Reflection;
using System.Runtime.CompilerServices;
using WasmJit.Linking;

namespace WasmJit.Generated;

/// <summary>
/// What the binding of an interface must know of a member. Generated code describes its members so, and for other interfaces they are read by
/// reflection; what is said of them afterwards is the same.
/// </summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public sealed class FaceMember
{
    private FaceMember(MemberTypes kind, string name, Type type, string? given)
    {
        Kind = kind;
        Name = name;
        Type = type;
        Given = given;
    }

    internal MemberTypes Kind { get; }

    internal string Name { get; }

    /// <summary>What a method returns, or the type of a property or event.</summary>
    internal Type Type { get; }

    /// <summary>The name that an attribute gives.</summary>
    internal string? Given { get; }

    /// <summary>For events: the module that an attribute gives.</summary>
    internal string? Module { get; private init; }

    internal IReadOnlyList<(string Name, Type Type)> Parameters { get; private init; } = [];

    /// <summary>Whether the interface leaves it to others to implement it.</summary>
    internal bool IsAbstract { get; private init; } = true;

    /// <summary>Whether it is static, or a generic method.</summary>
    internal bool IsUnbindable { get; private init; }

    internal bool IsIndexer { get; private init; }

    internal bool CanWrite { get; private init; }

    /// <summary>Whether it can be set only when an object is made, which a face is not by its users.</summary>
    internal bool IsInitOnly { get; private init; }

    /// <summary>Whether what it returns is to be given back.</summary>
    internal bool IsOwned { get; private init; }

    /// <summary>The member itself, if it was found by reflection.</summary>
    internal MemberInfo? Info { get; private init; }

    internal MethodInfo Method => (MethodInfo)Info!;

    internal PropertyInfo Property => (PropertyInfo)Info!;

    internal EventInfo Event => (EventInfo)Info!;

    internal string[] Names => Conventions.NamesOf(Name, Given);

    /// <summary>A method.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="returned">What it returns.</param>
    /// <param name="parameters">Names and types.</param>
    /// <param name="given">The name that an attribute gives.</param>
    /// <param name="isAbstract">Whether it has no body.</param>
    /// <param name="isOwned">Whether what it returns is to be given back.</param>
    public static FaceMember OfMethod(string name, Type returned, (string Name, Type Type)[] parameters, string? given = null, bool isAbstract = true, bool isOwned = false) =>
        new(MemberTypes.Method, name, returned, given) { Parameters = parameters, IsAbstract = isAbstract, IsOwned = isOwned };

    /// <summary>A property.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="type">Its type.</param>
    /// <param name="canWrite">Whether it can be set.</param>
    /// <param name="given">The name that an attribute gives.</param>
    public static FaceMember OfProperty(string name, Type type, bool canWrite = false, string? given = null) =>
        new(MemberTypes.Property, name, type, given) { CanWrite = canWrite };

    /// <summary>An event.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="handler">The type of its handlers.</param>
    /// <param name="given">The name that an attribute gives.</param>
    /// <param name="module">The module that an attribute gives.</param>
    public static FaceMember OfEvent(string name, Type handler, string? given = null, string? module = null) =>
        new(MemberTypes.Event, name, handler, given) { Module = module };

    /// <summary>Structs that generated code knows to consist of numbers.</summary>
    private static readonly ConditionalWeakTable<Type, Type> Structs = [];

    /// <summary>
    /// Notes that a struct is nothing but numbers in their order. In programs that are published native its fields are not there to be looked at.
    /// </summary>
    /// <typeparam name="T">The struct.</typeparam>
    /// <param name="type">The struct, or an array or span of it.</param>
    /// <returns>The type.</returns>
    public static Type OfStruct<T>(Type type)
        where T : unmanaged
    {
        Structs.TryAdd(typeof(T), typeof(T));
        return type;
    }

    /// <summary>Whether generated code knows that a struct is nothing but numbers.</summary>
    internal static bool IsKnownStruct(Type type) => Structs.TryGetValue(type, out _);

    private const BindingFlags Declared = BindingFlags.Instance | BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;

    /// <summary>
    /// The members of an interface and of those that it extends: of each methods, properties, events. <see cref="IDisposable"/> is none of the module's.
    /// </summary>
    internal static IReadOnlyList<FaceMember> Of(Type face)
    {
        var members = new List<FaceMember>();
        MethodInfo[] bodies = BodiesOf(face);
        foreach (Type part in face.GetInterfaces().Prepend(face).Where(p => p != typeof(IDisposable)))
        {
            foreach (MethodInfo method in part.GetMethods(Declared).Where(m => !m.IsSpecialName && IsOpen(m))) members.Add(Of(method, IsImplemented(bodies, method)));
            foreach (PropertyInfo property in part.GetProperties(Declared))
                if (property.GetAccessors(nonPublic: true) is [var accessor, ..] && IsOpen(accessor)) members.Add(Of(property, accessor, IsImplemented(bodies, accessor)));
            foreach (EventInfo item in part.GetEvents(Declared))
                if (item.GetAddMethod(nonPublic: true) is { } adder && IsOpen(adder)) members.Add(Of(item, IsImplemented(bodies, adder)));
        }
        return members;
    }

    /// <summary>Whether a class may implement it: neither private nor sealed, and not static unless a class must.</summary>
    private static bool IsOpen(MethodInfo method) => method.IsVirtual && !method.IsFinal && !method.IsPrivate && (!method.IsStatic || method.IsAbstract);

    /// <summary>What an interface, and those that it extends, implement of others' methods (<c>int IBase.F() => 5;</c>).</summary>
    internal static MethodInfo[] BodiesOf(Type face) =>
        [.. face.GetInterfaces().Prepend(face).SelectMany(p => p.GetMethods(Declared)).Where(m => m.IsFinal && !m.IsAbstract)];

    /// <summary>Whether interfaces implement it: its own, or one that extends it.</summary>
    /// <param name="bodies">What those implement that extend it.</param>
    /// <param name="method">A method or an accessor.</param>
    internal static bool IsImplemented(MethodInfo[] bodies, MethodInfo method)
    {
        if (!method.IsAbstract) return true;
        if (bodies.Length == 0) return false;
        // The compiler's name for it is that of the interface, a dot and the method's. Of a generic interface the arguments follow its name.
        string owner = method.DeclaringType!.FullName!.Split('`', '[')[0].Replace('+', '.');
        Type[] types = [.. method.GetParameters().Select(p => p.ParameterType)];
        return Array.Exists(bodies, m =>
            (m.Name == $"{owner}.{method.Name}" || (m.Name.StartsWith(owner + "<", StringComparison.Ordinal) && m.Name.EndsWith("." + method.Name, StringComparison.Ordinal)))
            && m.GetParameters().Select(p => p.ParameterType).SequenceEqual(types));
    }

    private static FaceMember Of(MethodInfo method, bool isImplemented) => new(MemberTypes.Method, method.Name, method.ReturnType, GivenTo(method)?.Name)
    {
        Info = method,
        Parameters = [.. method.GetParameters().Select(p => (p.Name ?? "", p.ParameterType))],
        IsAbstract = !isImplemented,
        IsUnbindable = method.IsStatic || method.IsGenericMethodDefinition,
        IsOwned = method.ReturnParameter.GetCustomAttribute<WasmOwnedAttribute>() is not null,
    };

    private static FaceMember Of(PropertyInfo property, MethodInfo accessor, bool isImplemented) => new(MemberTypes.Property, property.Name, property.PropertyType, GivenTo(property)?.Name)
    {
        Info = property,
        IsAbstract = !isImplemented,
        IsUnbindable = accessor.IsStatic,
        IsIndexer = property.GetIndexParameters().Length > 0,
        CanWrite = property.CanWrite,
        IsInitOnly = property.SetMethod?.ReturnParameter.GetRequiredCustomModifiers().Contains(typeof(IsExternalInit)) ?? false,
    };

    private static FaceMember Of(EventInfo item, bool isImplemented) => new(MemberTypes.Event, item.Name, item.EventHandlerType!, GivenTo(item)?.Name)
    {
        Info = item,
        Module = GivenTo(item)?.Module,
        IsAbstract = !isImplemented,
        IsUnbindable = item.AddMethod!.IsStatic,
    };

    private static WasmNameAttribute? GivenTo(MemberInfo member) => member.GetCustomAttribute<WasmNameAttribute>();

    /// <summary>The names that a member of an object may have in WebAssembly.</summary>
    internal static string[] NamesOf(MemberInfo member) => Conventions.NamesOf(member.Name, GivenTo(member)?.Name);
}
