namespace WasmJit.Components;

/// <summary>The core types that values are passed as (CanonicalABI.md, flattening).</summary>
internal static class FlatTypes
{
    /// <summary>The type of a core function that is lifted to, or lowered from, a component function.</summary>
    /// <param name="type">The component function's type.</param>
    /// <param name="isLift">Whether the core function is the one that is called, otherwise it is the one that calls.</param>
    /// <param name="isAsync">Whether the option <c>async</c> is there.</param>
    /// <param name="hasCallback">Whether the option <c>callback</c> is there.</param>
    /// <param name="is64">Whether pointers have 64 bits.</param>
    internal static FuncType OfFunction(FunctionType type, bool isLift, bool isAsync, bool hasCallback, bool is64)
    {
        ValType pointer = is64 ? ValType.I64 : ValType.I32;
        var parameters = new List<ValType>();
        if (CountParameters(type) > (isAsync && !isLift ? TypeLimits.FlatAsyncParameters : TypeLimits.FlatParameters)) parameters.Add(pointer);
        else foreach (LabelledType parameter in type.Parameters) Flatten(parameter.Type, is64, parameters);
        if (isAsync && isLift) return new FuncType([.. parameters], hasCallback ? [ValType.I32] : []);
        int flatResults = type.Result?.FlatCount ?? 0;
        if (isAsync)
        {
            if (flatResults > 0) parameters.Add(pointer);
            return new FuncType([.. parameters], [ValType.I32]);
        }
        var results = new List<ValType>();
        if (flatResults <= TypeLimits.FlatResults)
        {
            if (type.Result is not null) Flatten(type.Result, is64, results);
        }
        else
        {
            (isLift ? results : parameters).Add(pointer);
        }
        return new FuncType([.. parameters], [.. results]);
    }

    /// <summary>How many core values the parameters are; more than <see cref="TypeLimits.FlatParameters"/> are not counted exactly.</summary>
    internal static int CountParameters(FunctionType type)
    {
        int count = 0;
        foreach (LabelledType parameter in type.Parameters) count = Math.Min(count + parameter.Type.FlatCount, TypeLimits.FlatParameters + 1);
        return count;
    }

    /// <summary>Adds the core types of a value, of which there are no more than <see cref="TypeLimits.FlatParameters"/>.</summary>
    internal static void Flatten(ComponentValType type, bool is64, List<ValType> into)
    {
        ValType pointer = is64 ? ValType.I64 : ValType.I32;
        switch (type)
        {
            case PrimitiveType primitive:
                into.Add(primitive.Primitive switch
                {
                    PrimitiveKind.S64 or PrimitiveKind.U64 => ValType.I64,
                    PrimitiveKind.F32 => ValType.F32,
                    PrimitiveKind.F64 => ValType.F64,
                    PrimitiveKind.String => pointer,
                    PrimitiveKind.Bool or PrimitiveKind.S8 or PrimitiveKind.U8 or PrimitiveKind.S16 or PrimitiveKind.U16 or PrimitiveKind.S32 or PrimitiveKind.U32
                        or PrimitiveKind.Char or PrimitiveKind.ErrorContext => ValType.I32,
                });
                if (primitive.Primitive == PrimitiveKind.String) into.Add(pointer);
                break;
            case ListType { Length: { } length } list:
                for (uint i = 0; i < length; i++) Flatten(list.Element, is64, into);
                break;
            case ListType or MapType:
                into.Add(pointer);
                into.Add(pointer);
                break;
            case RecordType or TupleType:
                foreach (ComponentValType part in type.Parts) Flatten(part, is64, into);
                break;
            case AlternativesType:
                FlattenCases(type.Parts, is64, into);
                break;
            case FlagsType or EnumType or HandleType or StreamType:
                into.Add(ValType.I32);
                break;
            default: throw type.Unhandled();
        }
    }

    private static void FlattenCases(IEnumerable<ComponentValType> payloads, bool is64, List<ValType> into)
    {
        into.Add(ValType.I32);
        int start = into.Count;
        var flat = new List<ValType>();
        foreach (ComponentValType payload in payloads)
        {
            flat.Clear();
            Flatten(payload, is64, flat);
            for (int i = 0; i < flat.Count; i++)
            {
                if (start + i == into.Count) into.Add(flat[i]);
                else into[start + i] = Join(into[start + i], flat[i]);
            }
        }
    }

    /// <summary>The core type that holds either.</summary>
    private static ValType Join(ValType a, ValType b)
    {
        if (a == b) return a;
        return a.Kind is ValKind.I32 or ValKind.F32 && b.Kind is ValKind.I32 or ValKind.F32 ? ValType.I32 : ValType.I64;
    }
}
