namespace WasmJit.Jit.Calls;

/// <summary>Types as C# writes them, for messages: <c>Func&lt;int, (long, double)&gt;</c>.</summary>
internal static class CSharpName
{
    internal static string Of(Type type)
    {
        if (type.IsArray) return $"{Of(type.GetElementType()!)}[{new string(',', type.GetArrayRank() - 1)}]";
        if (type.IsByRef) return Of(type.GetElementType()!) + "&";
        if (type.IsPointer) return Of(type.GetElementType()!) + "*";
        if (!type.IsGenericType) return Keyword(type) ?? type.FullName ?? type.Name;
        Type[] arguments = type.GetGenericArguments();
        if (type.FullName!.StartsWith("System.ValueTuple`", StringComparison.Ordinal)) return $"({string.Join(", ", Elements(type))})";
        string name = type.GetGenericTypeDefinition().Name;
        int tick = name.IndexOf('`');
        return $"{(tick < 0 ? name : name[..tick])}<{string.Join(", ", arguments.Select(Of))}>";
    }

    /// <summary>The elements of a tuple; an eighth one is a tuple of the rest.</summary>
    private static IEnumerable<string> Elements(Type tuple)
    {
        Type[] arguments = tuple.GetGenericArguments();
        IEnumerable<string> first = arguments.Take(7).Select(Of);
        return arguments.Length < 8 ? first : first.Concat(Elements(arguments[7]));
    }

    private static string? Keyword(Type type) => Type.GetTypeCode(type) switch
    {
        _ when type.IsEnum => null,
        TypeCode.Boolean => "bool",
        TypeCode.Byte => "byte",
        TypeCode.SByte => "sbyte",
        TypeCode.Int16 => "short",
        TypeCode.UInt16 => "ushort",
        TypeCode.Int32 => "int",
        TypeCode.UInt32 => "uint",
        TypeCode.Int64 => "long",
        TypeCode.UInt64 => "ulong",
        TypeCode.Single => "float",
        TypeCode.Double => "double",
        TypeCode.Decimal => "decimal",
        TypeCode.Char => "char",
        TypeCode.String => "string",
        _ when type == typeof(object) => "object",
        _ when type == typeof(void) => "void",
        _ when type.Namespace is "System" or "WasmJit" => type.Name,
        _ => null,
    };
}
