using System.Linq.Expressions;
using System.Reflection;
using System.Reflection.Emit;
using System.Runtime.CompilerServices;
using WasmJit.Generated;
using WasmJit.Jit.Calls;
using WasmJit.Runtime;

namespace WasmJit.Linking;

/// <summary>
/// An object as imports: its public methods are functions, its properties of an importable type what they hold. A method over numbers is called as
/// any host function; one with texts, arrays, spans or structs gets them from the caller's memory, by address and length.
/// </summary>
internal static class HostObject
{
    /// <summary>What an object gives, with all names that each may have.</summary>
    /// <param name="target">The object.</param>
    /// <param name="type">The type whose members count.</param>
    /// <exception cref="BindingException">A method cannot be one for guests.</exception>
    internal static List<(string[] Names, object Value)> ItemsOf(object target, Type type)
    {
        var problems = new List<string>();
        var items = new List<(string[] Names, object Value)>();
        if (target is IGeneratedImports generated && generated.GeneratedFor == type)
        {
            foreach ((string member, string? given, object? value) in generated.ImportsForGuests)
                if (value is not null) items.Add((Conventions.NamesOf(member, given), value));
            return Checked(items, problems, type);
        }
        IEnumerable<Type> parts = type.IsInterface ? type.GetInterfaces().Prepend(type) : [type];
        foreach (MethodInfo method in parts.SelectMany(p => p.GetMethods(BindingFlags.Instance | BindingFlags.Public)))
        {
            if (method.IsSpecialName || method.DeclaringType == typeof(object) || method.GetBaseDefinition().DeclaringType == typeof(object)) continue;
            // What a record has of itself is not for guests.
            if (method.IsDefined(typeof(CompilerGeneratedAttribute), inherit: false)) continue;
            if (Function(target, method, out string? problem) is { } function) items.Add((FaceMember.NamesOf(method), function));
            else problems.Add($"{method.Name}: {problem}");
        }
        foreach (PropertyInfo property in parts.SelectMany(p => p.GetProperties(BindingFlags.Instance | BindingFlags.Public)))
        {
            if (!IsImportable(property.PropertyType) || property.GetMethod is not { IsPublic: true } getter || property.GetIndexParameters().Length > 0) continue;
            if (getter.Invoke(target, BindingFlags.DoNotWrapExceptions, null, null, null) is { } value)
                items.Add((FaceMember.NamesOf(property), value));
        }
        return Checked(items, problems, type);
    }

    /// <summary>Whether a property is looked at: what others return is the program's own.</summary>
    private static bool IsImportable(Type type) => typeof(Delegate).IsAssignableFrom(type) || FacePlan.ItemKind(type) is not null;

    private static List<(string[] Names, object Value)> Checked(List<(string[] Names, object Value)> items, List<string> problems, Type type)
    {
        foreach (string name in items.GroupBy(i => i.Names[0]).Where(g => g.Count() > 1).Select(g => g.Key))
            problems.Add($"{name}: several members have this name; give others with WasmName");
        if (items.Count == 0 && problems.Count == 0) problems.Add("it has no public method");
        return problems.Count == 0 ? items : throw new BindingException($"{CSharpName.Of(type)} cannot be imported", problems);
    }

    /// <summary>A method of an object as a host function.</summary>
    internal static Delegate? Function(object target, MethodInfo method, out string? problem)
    {
        problem = Check(method);
        if (problem is not null) return null;
        Type[] types = [.. method.GetParameters().Select(p => p.ParameterType)];
        bool isSame = IsHostType(AsyncHost.ResultOf(method.ReturnType));
        if (isSame && types.All(t => IsHostType(t) || t == typeof(Caller) || t == typeof(CancellationToken)))
        {
            // The delegate's type has to be made of the method's.
            if (RuntimeCode.IsCompiledWhole) RuntimeCode.Require();
            return method.CreateDelegate(Expression.GetDelegateType([.. types, method.ReturnType]), target);
        }
        return Thunk(target, method);
    }

    private static bool IsHostType(Type type) => type == typeof(void) || type == typeof(int) || type == typeof(long) || type == typeof(float) || type == typeof(double)
        || type == typeof(System.Runtime.Intrinsics.Vector128<byte>) || type == typeof(Delegate) || type == typeof(object) || CrossingType.IsTuple(type);

    private static string? Check(MethodInfo method)
    {
        if (method.IsGenericMethodDefinition) return Conventions.NoGenericImport;
        ParameterInfo[] parameters = method.GetParameters();
        for (int i = 0; i < parameters.Length; i++)
        {
            Type type = parameters[i].ParameterType;
            if (i == 0 && type == typeof(Caller) || i == parameters.Length - 1 && type == typeof(CancellationToken)) continue;
            if (type == typeof(Caller)) return Conventions.CallerComesFirst;
            if (CrossingType.Of(type).Kind == Crossing.None) return Conventions.ParameterCannotCross(parameters[i].Name ?? "", CSharpName.Of(type));
        }
        Type result = AsyncHost.ResultOf(method.ReturnType);
        bool crosses = CrossingType.IsTuple(result) ? !CrossingType.TupleLetters(result).Contains('?')
            : IsHostType(result) || CrossingType.Of(result).Kind is not (Crossing.None or Crossing.Struct or Crossing.Span);
        return crosses ? null : Conventions.ResultCannotCross(CSharpName.Of(method.ReturnType));
    }

    /// <summary>A function over WebAssembly's types that calls a method.</summary>
    private static Delegate Thunk(object target, MethodInfo method)
    {
        ParameterInfo[] parameters = method.GetParameters();
        bool takesCaller = parameters.Length > 0 && parameters[0].ParameterType == typeof(Caller);
        CrossingType?[] types = [.. parameters.Select(p => p.ParameterType == typeof(Caller) || p.ParameterType == typeof(CancellationToken) ? null : CrossingType.Of(p.ParameterType))];
        Type awaited = AsyncHost.ResultOf(method.ReturnType);
        CrossingType? result = IsHostType(awaited) ? null : CrossingType.Of(awaited);
        // What is converted is waited for here; for other tasks those wait that import the function.
        bool waits = result is not null && awaited != method.ReturnType;
        bool needsCaller = takesCaller || types.Any(t => t is not null && Conventions.IsInMemory(t.Kind))
            || result is { Kind: Crossing.Text or Crossing.Array or Crossing.ReadOnlySpan };
        var own = new List<Type>();
        if (needsCaller) own.Add(typeof(Caller));
        foreach (CrossingType? type in types.Skip(takesCaller ? 1 : 0))
        {
            if (type is null) own.Add(typeof(CancellationToken));
            else own.AddRange(HostTypes(type));
        }
        Type returned = result is null ? method.ReturnType : HostTypes(result) is [var one] ? one : typeof((int, int));
        DynamicMethod thunk = RuntimeCode.Method("host " + method.Name, returned, [typeof(object), .. own], typeof(HostObject).Module);
        ILGenerator il = thunk.GetILGenerator();
        LocalBuilder? waited = waits ? il.DeclareLocal(awaited) : null, context = waits ? AsyncHost.WriteBegin(il) : null;
        il.Emit(OpCodes.Ldarg_0);
        il.Emit(OpCodes.Castclass, method.DeclaringType!);
        int at = needsCaller ? 2 : 1;
        for (int i = 0; i < parameters.Length; i++)
        {
            if (i == 0 && takesCaller)
            {
                il.Emit(OpCodes.Ldarg_1);
                continue;
            }
            if (types[i] is not { } type || HostTypes(type).Length == 1 && type.Kind != Crossing.Struct)
            {
                il.Emit(OpCodes.Ldarg, (short)at++);
                if (types[i] is { } value) ConversionIl.FromHost(il, value);
                continue;
            }
            il.Emit(OpCodes.Ldarg_1);
            il.Emit(OpCodes.Ldarg, (short)at++);
            if (type.Kind != Crossing.Struct) il.Emit(OpCodes.Ldarg, (short)at++);
            il.Emit(OpCodes.Call, type.Kind switch
            {
                Crossing.Text => Helper(nameof(HostCall.TextAt)),
                Crossing.Array => Helper(nameof(HostCall.ArrayAt)).MakeGenericMethod(type.Item!),
                Crossing.Struct => Helper(nameof(HostCall.StructAt)).MakeGenericMethod(type.Type),
                Crossing.Span => Helper(nameof(HostCall.SpanAt)).MakeGenericMethod(type.Item!),
                _ => Helper(nameof(HostCall.ReadOnlySpanAt)).MakeGenericMethod(type.Item!),
            });
        }
        il.Emit(OpCodes.Callvirt, method);
        if (waits)
        {
            AsyncHost.WriteEnd(il, context!, method.ReturnType, awaited, waited);
            il.Emit(OpCodes.Ldloc, waited!);
        }
        if (result is { Kind: Crossing.Text or Crossing.Array or Crossing.ReadOnlySpan })
        {
            il.Emit(OpCodes.Ldarg_1);
            il.Emit(OpCodes.Call, result.Kind switch
            {
                Crossing.Text => Helper(nameof(HostCall.PassText)),
                Crossing.Array => Helper(nameof(HostCall.PassArray)).MakeGenericMethod(result.Item!),
                _ => Helper(nameof(HostCall.PassSpan)).MakeGenericMethod(result.Item!),
            });
        }
        il.Emit(OpCodes.Ret);
        return thunk.CreateDelegate(Expression.GetDelegateType([.. own, returned]), target);
    }

    /// <summary>The WebAssembly values, in the host's form, that a .NET value is.</summary>
    private static Type[] HostTypes(CrossingType type) => type.Kind switch
    {
        Crossing.Value => [NumberDelegates.HostTypeOf(type.Type)],
        Crossing.Function => [typeof(Delegate)],
        Crossing.Object => [typeof(object)],
        Crossing.Struct => [typeof(int)],
        _ => [typeof(int), typeof(int)],
    };

    private static MethodInfo Helper(string name) => typeof(HostCall).GetMethod(name)!;
}
