using System.Reflection;
using System.Reflection.Emit;

namespace WasmJit.Jit;

/// <summary>Converts the results of a call, one or a tuple of them, between the forms of generated code and of the host.</summary>
internal static class ValueConversion
{
    /// <summary>Applies <paramref name="convertFunc"/> to each result whose type differs.</summary>
    internal static void Results(ILGenerator il, Type[] from, Type[] to, MethodInfo convertFunc) =>
        Results(il, from, to, (generator, i) =>
        {
            if (from[i] != to[i]) generator.Emit(OpCodes.Call, convertFunc);
        });

    /// <summary>Applies a conversion to each result; the tuple is taken apart and made anew only where a type differs.</summary>
    internal static void Results(ILGenerator il, Type[] from, Type[] to, Action<ILGenerator, int> convert)
    {
        if (from.Length == 1) convert(il, 0);
        if (from.Length <= 1) return;
        Type tuple = Signature.Tuple(from);
        LocalBuilder local = il.DeclareLocal(tuple);
        il.Emit(OpCodes.Stloc, local);
        for (int i = 0; i < from.Length; i++)
        {
            il.Emit(OpCodes.Ldloca, local);
            foreach (FieldInfo field in Path(tuple, i)) il.Emit(field.FieldType.IsValueType && field.Name == "Rest" ? OpCodes.Ldflda : OpCodes.Ldfld, field);
            convert(il, i);
        }
        foreach (ConstructorInfo constructor in Constructors(Signature.Tuple(to))) il.Emit(OpCodes.Newobj, constructor);
    }

    /// <summary>The fields that lead to item <paramref name="index"/> of a tuple: Rest zero or more times, then the item.</summary>
    internal static List<FieldInfo> Path(Type tuple, int index)
    {
        var path = new List<FieldInfo>();
        while (index >= 7)
        {
            FieldInfo rest = tuple.GetField("Rest")!;
            path.Add(rest);
            tuple = rest.FieldType;
            index -= 7;
        }
        path.Add(tuple.GetField($"Item{index + 1}")!);
        return path;
    }

    /// <summary>The constructors that make a tuple of the values on the stack: innermost Rest first.</summary>
    internal static IEnumerable<ConstructorInfo> Constructors(Type tuple)
    {
        var types = new Stack<Type>();
        types.Push(tuple);
        while (types.Peek().GetGenericArguments() is { Length: 8 } parts) types.Push(parts[7]);
        return types.Select(t => t.GetConstructor(t.GetGenericArguments())!);
    }
}
