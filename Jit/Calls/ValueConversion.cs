using System.Reflection;
using System.Reflection.Emit;

namespace WasmJit.Jit.Calls;

/// <summary>Converts the results of a call, one or a tuple of them, between the forms of generated code and of the host.</summary>
internal static class ValueConversion
{
    /// <summary>Applies a conversion to each result that needs one. A tuple that needs none stays as it is.</summary>
    /// <param name="il">Where to.</param>
    /// <param name="from">The types of the results on the stack, one value or a tuple.</param>
    /// <param name="to">Their types afterwards.</param>
    /// <param name="needs">Whether a result is to be converted.</param>
    /// <param name="convert">Converts a result, which is on the stack.</param>
    internal static void Results(ILGenerator il, Type[] from, Type[] to, Func<int, bool> needs, Action<ILGenerator, int> convert)
    {
        if (!Enumerable.Range(0, from.Length).Any(needs)) return;
        if (from.Length == 1) convert(il, 0);
        else Convert(il, from, to, needs, convert);
    }

    /// <summary>
    /// Writes fields of a tuple, in place where its type stays. Constructors would copy, at each level of a tuple, everything inside of it, which
    /// makes a megabyte of a thousand vectors.
    /// </summary>
    private static void Convert(ILGenerator il, Type[] from, Type[] to, Func<int, bool> needs, Action<ILGenerator, int> convert)
    {
        Type read = Signature.Tuple(from), written = Signature.Tuple(to);
        bool inPlace = read == written;
        LocalBuilder source = il.DeclareLocal(read);
        LocalBuilder target = inPlace ? source : il.DeclareLocal(written);
        il.Emit(OpCodes.Stloc, source);
        LocalBuilder sourceAt = AddressOf(il, source), targetAt = inPlace ? sourceAt : AddressOf(il, target);
        for (int i = 0; i < from.Length; i++)
        {
            if (i > 0 && i % 7 == 0)
            {
                sourceAt = Inside(il, sourceAt, ref read);
                targetAt = inPlace ? sourceAt : Inside(il, targetAt, ref written);
                if (inPlace) written = read;
            }
            if (inPlace && !needs(i)) continue;
            string name = $"Item{(i % 7) + 1}";
            il.Emit(OpCodes.Ldloc, targetAt);
            il.Emit(OpCodes.Ldloc, sourceAt);
            il.Emit(OpCodes.Ldfld, read.GetField(name)!);
            if (needs(i)) convert(il, i);
            il.Emit(OpCodes.Stfld, written.GetField(name)!);
        }
        il.Emit(OpCodes.Ldloc, target);
    }

    /// <summary>A local with the address of a tuple.</summary>
    internal static LocalBuilder AddressOf(ILGenerator il, LocalBuilder tuple)
    {
        LocalBuilder address = il.DeclareLocal(tuple.LocalType.MakeByRefType());
        il.Emit(OpCodes.Ldloca, tuple);
        il.Emit(OpCodes.Stloc, address);
        return address;
    }

    /// <summary>The address of the tuple's Rest, and its type.</summary>
    internal static LocalBuilder Inside(ILGenerator il, LocalBuilder at, ref Type tuple)
    {
        FieldInfo rest = tuple.GetField("Rest")!;
        tuple = rest.FieldType;
        LocalBuilder address = il.DeclareLocal(tuple.MakeByRefType());
        il.Emit(OpCodes.Ldloc, at);
        il.Emit(OpCodes.Ldflda, rest);
        il.Emit(OpCodes.Stloc, address);
        return address;
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
