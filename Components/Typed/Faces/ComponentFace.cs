using System.Linq.Expressions;
using System.Reflection;
using System.Reflection.Emit;
using System.Runtime.CompilerServices;
using WasmJit.Linking;
using WasmJit.Runtime;

namespace WasmJit.Components;

/// <summary>
/// What the typed face of an instance or resource of a component inherits: generated classes implement an interface and call a delegate for each member.
/// </summary>
internal abstract class ComponentFace
{
    /// <summary>The resource that it stands for; null if it stands for an instance.</summary>
    internal ComponentResource? Resource;

    /// <summary>The instance that goes with it; null if it is not owned here.</summary>
    internal ComponentInstance? Owned;

    /// <summary>Takes a delegate or another face for each member.</summary>
    internal abstract void Bind(object?[] items);

    /// <summary>For interfaces that are disposable.</summary>
    public virtual void Dispose()
    {
        Resource?.Dispose();
        Owned?.Dispose();
    }
}

/// <summary>A member of an interface.</summary>
/// <param name="Member">The method or property.</param>
/// <param name="Method">The method, or what reads the property.</param>
/// <param name="Held">What the face holds for it: a delegate type, or an interface.</param>
internal sealed record FaceMember(MemberInfo Member, MethodInfo Method, Type Held)
{
    /// <summary>Whether it is another face: a property whose type is an interface.</summary>
    internal bool IsFace => !typeof(Delegate).IsAssignableFrom(Held);
}

/// <summary>The class that implements an interface. There is one for instances and one for resources, for as long as the interface's type lives.</summary>
internal sealed class ComponentFaceClass
{
    private static readonly MethodInfo Bind = typeof(ComponentFace).GetMethod(nameof(ComponentFace.Bind), BindingFlags.Instance | BindingFlags.NonPublic)!;
    private static readonly ConditionalWeakTable<Type, ComponentFaceClass> ForInstances = [], ForResources = [];

    private readonly Func<ComponentFace> make;

    /// <summary>What the class takes of the process's mappings.</summary>
    private readonly MappingLease lease;

    private ComponentFaceClass(Type face, bool isResource)
    {
        var type = new FaceType(face, Bind);
        lease = type.Lease;
        Members = [.. MembersOf(face, isResource)];
        for (int i = 0; i < Members.Count; i++) Implement(type.Override(Members[i].Method), Members[i], type.FilledField(i, Members[i].Held), isResource);
        make = Expression.Lambda<Func<ComponentFace>>(Expression.New(type.Create())).Compile();
    }

    internal IReadOnlyList<FaceMember> Members { get; }

    /// <exception cref="ArgumentException">The type is not an interface.</exception>
    internal static ComponentFaceClass Of(Type face, bool isResource)
    {
        if (!face.IsInterface || face.ContainsGenericParameters) throw new ArgumentException($"{Jit.Calls.CSharpName.Of(face)} is not an interface.");
        return (isResource ? ForResources : ForInstances).GetValue(face, isResource ? static f => new ComponentFaceClass(f, true) : static f => new ComponentFaceClass(f, false));
    }

    internal ComponentFace Make(object?[] items)
    {
        ComponentFace face = make();
        face.Bind(items);
        GC.KeepAlive(lease);
        return face;
    }

    private static IEnumerable<FaceMember> MembersOf(Type face, bool isResource)
    {
        foreach (Type part in face.GetInterfaces().Prepend(face).Where(p => p != typeof(IDisposable)))
        {
            foreach (MethodInfo method in part.GetMethods().Where(m => m.IsAbstract && !m.IsSpecialName)) yield return new(method, method, DelegateOf(method, isResource));
            foreach (PropertyInfo property in part.GetProperties())
            {
                if (property.GetMethod is not { IsAbstract: true } get) continue;
                yield return new(property, get, property.PropertyType.IsInterface && !isResource ? property.PropertyType : DelegateOf(get, isResource));
            }
        }
    }

    private static Type DelegateOf(MethodInfo method, bool isResource)
    {
        IEnumerable<Type> types = method.GetParameters().Select(p => p.ParameterType).Append(method.ReturnType);
        return Expression.GetDelegateType([.. isResource ? types.Prepend(typeof(ComponentResource)) : types]);
    }

    private static void Implement(ILGenerator il, FaceMember member, FieldBuilder field, bool isResource)
    {
        il.Emit(OpCodes.Ldarg_0);
        il.Emit(OpCodes.Ldfld, field);
        if (!member.IsFace)
        {
            if (isResource)
            {
                il.Emit(OpCodes.Ldarg_0);
                il.Emit(OpCodes.Ldfld, typeof(ComponentFace).GetField(nameof(ComponentFace.Resource), BindingFlags.Instance | BindingFlags.NonPublic)!);
            }
            for (int i = 1; i <= member.Method.GetParameters().Length; i++) il.Emit(OpCodes.Ldarg, (short)i);
            il.Emit(OpCodes.Callvirt, member.Held.GetMethod("Invoke")!);
        }
        il.Emit(OpCodes.Ret);
    }
}
