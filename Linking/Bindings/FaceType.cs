using System.Reflection;
using System.Reflection.Emit;
using System.Runtime.CompilerServices;
using WasmJit.Runtime;

namespace WasmJit.Linking;

/// <summary>
/// A class that implements an interface, while it is written. It has a field for each member, and fills the fields with the objects that it is bound to.
/// </summary>
internal sealed class FaceType
{
    private readonly TypeBuilder type;
    private readonly MethodInfo bind;
    private readonly MethodBuilder bound;
    private readonly ILGenerator binding;

    /// <summary>Begins a class.</summary>
    /// <param name="face">The interface.</param>
    /// <param name="bind">The base class's abstract method that takes an object for each field.</param>
    /// <param name="used">Types whose assemblies the class uses internal members of, beside that of its base class.</param>
    internal FaceType(Type face, MethodInfo bind, params ReadOnlySpan<Type> used)
    {
        this.bind = bind;
        RuntimeCode.Require();
        Lease = MappingLease.Take(Mappings.OfAssembly);
        Type parent = bind.DeclaringType!;
        var assembly = AssemblyBuilder.DefineDynamicAssembly(new AssemblyName("wasm faces"), AssemblyBuilderAccess.RunAndCollect);
        // The class uses internal members, and neither the interface nor what it mentions need be public.
        ConstructorInfo friend = typeof(IgnoresAccessChecksToAttribute).GetConstructor([typeof(string)])!;
        foreach (string name in Friends(face, [parent, .. used])) assembly.SetCustomAttribute(new CustomAttributeBuilder(friend, [name]));
        type = assembly.DefineDynamicModule("wasm faces").DefineType("wasm " + face.Name, TypeAttributes.Public | TypeAttributes.Sealed, parent, [face]);
        bound = type.DefineMethod(bind.Name, (bind.Attributes & MethodAttributes.MemberAccessMask) | MethodAttributes.Virtual | MethodAttributes.HideBySig, typeof(void), [typeof(object[])]);
        binding = bound.GetILGenerator();
    }

    /// <summary>What the class takes of the process's mappings.</summary>
    internal MappingLease Lease { get; }

    private static HashSet<string> Friends(Type face, Type[] used)
    {
        var names = new HashSet<string>();
        var seen = new HashSet<Type>();
        foreach (Type each in used) Add(each);
        foreach (Type part in face.GetInterfaces().Prepend(face))
        {
            Add(part);
            foreach (MethodInfo method in part.GetMethods(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic)) AddTypes(method);
        }
        return names;

        void AddTypes(MethodInfo method)
        {
            foreach (Type mentioned in method.GetParameters().Select(p => p.ParameterType).Append(method.ReturnType)) Add(mentioned);
        }

        void Add(Type added)
        {
            if (!seen.Add(added)) return;
            names.Add(added.Assembly.GetName().Name!);
            // Handlers of events are called with their own types.
            if (typeof(Delegate).IsAssignableFrom(added) && added.GetMethod("Invoke") is { } invoke) AddTypes(invoke);
            if (added.HasElementType) Add(added.GetElementType()!);
            foreach (Type argument in added.IsGenericType ? added.GetGenericArguments() : []) Add(argument);
        }
    }

    /// <summary>A field that is not filled.</summary>
    internal FieldBuilder Field(int member, Type held) => type.DefineField($"member{member}", held, FieldAttributes.Private);

    /// <summary>A field that is filled with the object of its number.</summary>
    internal FieldBuilder FilledField(int member, Type held)
    {
        FieldBuilder field = Field(member, held);
        binding.Emit(OpCodes.Ldarg_0);
        binding.Emit(OpCodes.Ldarg_1);
        binding.Emit(OpCodes.Ldc_I4, member);
        binding.Emit(OpCodes.Ldelem_Ref);
        binding.Emit(OpCodes.Castclass, held);
        binding.Emit(OpCodes.Stfld, field);
        return field;
    }

    /// <summary>A method that implements one of the interface.</summary>
    internal ILGenerator Override(MethodInfo method)
    {
        MethodBuilder made = type.DefineMethod($"{method.DeclaringType!.FullName}.{method.Name}",
            MethodAttributes.Private | MethodAttributes.Virtual | MethodAttributes.Final | MethodAttributes.HideBySig | MethodAttributes.NewSlot,
            method.ReturnType, [.. method.GetParameters().Select(p => p.ParameterType)]);
        type.DefineMethodOverride(made, method);
        return made.GetILGenerator();
    }

    /// <summary>A public method of its own.</summary>
    internal ILGenerator Method(string name, Type result, Type[] parameters) =>
        type.DefineMethod(name, MethodAttributes.Public | MethodAttributes.HideBySig, result, parameters).GetILGenerator();

    /// <summary>Ends the class.</summary>
    internal Type Create()
    {
        binding.Emit(OpCodes.Ret);
        type.DefineMethodOverride(bound, bind);
        return type.CreateType();
    }
}
