namespace WasmJit.Components;

/// <summary>
/// A type index space that is being written: of a component, or of an instance type in it. Types are found by the object that has the name, and resource types
/// also by what they are.
/// </summary>
/// <param name="outer">The scope around it; null for the component's own.</param>
/// <param name="define">Writes a type's definition.</param>
/// <param name="alias">Writes an alias of a type of the scope around it.</param>
internal sealed class TypeScope(TypeScope? outer, Action<ComponentBytes> define, Action<uint>? alias = null)
{
    private readonly Dictionary<DefinedType, uint> known = new(ReferenceEqualityComparer.Instance);

    /// <summary>What gets its index only when it is asked for.</summary>
    private readonly Dictionary<DefinedType, Func<uint>> promised = new(ReferenceEqualityComparer.Instance);

    private uint count;

    /// <summary>Gives the next index.</summary>
    internal uint Next() => count++;

    /// <summary>Says by which index a type is known from now on.</summary>
    internal void Set(DefinedType type, uint index)
    {
        known[type] = index;
        if (type is ResourceType resource) known.TryAdd(resource.Canonical, index);
    }

    /// <summary>Says how a type gets an index.</summary>
    internal void Promise(DefinedType type, Func<uint> make)
    {
        promised.TryAdd(type, make);
        if (type is ResourceType resource) promised.TryAdd(resource.Canonical, make);
    }

    /// <summary>The index of a type that has a name here or around; null if none has.</summary>
    internal uint? Find(DefinedType type)
    {
        if (FindObject(type) is { } found) return found;
        return type is ResourceType resource ? FindObject(resource.Canonical) : null;
    }

    private uint? FindObject(DefinedType type)
    {
        if (known.TryGetValue(type, out uint index)) return index;
        if (promised.TryGetValue(type, out Func<uint>? make)) return known[type] = make();
        if (outer?.FindObject(type) is not { } outside) return null;
        alias!(outside);
        return known[type] = Next();
    }

    // ---- value and function types ----

    /// <summary>Writes a type where it is used.</summary>
    private void Use(ComponentBytes to, ComponentValType type)
    {
        if (type is PrimitiveType primitive) to.Byte(ByteOf(primitive.Primitive));
        else to.S33(IndexOf(type));
    }

    private void Use(ComponentBytes to, ComponentValType? type, bool isThere)
    {
        to.Byte(isThere ? (byte)1 : (byte)0);
        if (isThere) Use(to, type!);
    }

    /// <summary>The index of a type, which is defined if it has none.</summary>
    /// <exception cref="UnsupportedModuleException">It is a resource type that comes from nowhere.</exception>
    internal uint IndexOf(DefinedType type)
    {
        if (Find(type) is { } found) return found;
        if (type is ResourceType) throw new UnsupportedModuleException("an import uses a resource type that no import has");
        var definition = new ComponentBytes();
        switch (type)
        {
            case FunctionType func: Write(definition, func); break;
            // An object that was made to have a name, which it has not here.
            case ComponentValType { Origin: ComponentValType origin } when Find(origin) is { } named: return known[type] = named;
            case ComponentValType value: Write(definition, value); break;
            default: throw new UnsupportedModuleException($"an import whose type is that of a {type.Kind}");
        }
        define(definition);
        return known[type] = Next();
    }

    internal static byte ByteOf(PrimitiveKind kind) => kind switch
    {
        PrimitiveKind.Bool => ComponentTypeByte.Bool,
        PrimitiveKind.S8 => ComponentTypeByte.S8,
        PrimitiveKind.U8 => ComponentTypeByte.U8,
        PrimitiveKind.S16 => ComponentTypeByte.S16,
        PrimitiveKind.U16 => ComponentTypeByte.U16,
        PrimitiveKind.S32 => ComponentTypeByte.S32,
        PrimitiveKind.U32 => ComponentTypeByte.U32,
        PrimitiveKind.S64 => ComponentTypeByte.S64,
        PrimitiveKind.U64 => ComponentTypeByte.U64,
        PrimitiveKind.F32 => ComponentTypeByte.F32,
        PrimitiveKind.F64 => ComponentTypeByte.F64,
        PrimitiveKind.Char => ComponentTypeByte.Char,
        PrimitiveKind.String => ComponentTypeByte.String,
        PrimitiveKind.ErrorContext => ComponentTypeByte.ErrorContext,
    };

    private void Write(ComponentBytes to, FunctionType func)
    {
        to.Byte(func.IsAsync ? ComponentTypeByte.AsyncFunc : ComponentTypeByte.Func).Count(func.Parameters.Length);
        foreach (LabelledType parameter in func.Parameters) Use(to.Name(parameter.Label), parameter.Type);
        if (func.Result is null) to.Byte(ComponentTypeByte.NoResult).Byte(0);
        else Use(to.Byte(ComponentTypeByte.OneResult), func.Result);
    }

    private void Write(ComponentBytes to, ComponentValType type)
    {
        switch (type)
        {
            case PrimitiveType primitive: to.Byte(ByteOf(primitive.Primitive)); break;
            case RecordType record:
                to.Byte(ComponentTypeByte.Record).Count(record.Fields.Length);
                foreach (LabelledType field in record.Fields) Use(to.Name(field.Label), field.Type);
                break;
            case VariantType variant:
                to.Byte(ComponentTypeByte.Variant).Count(variant.Cases.Length);
                foreach (CaseType item in variant.Cases)
                {
                    Use(to.Name(item.Label), item.Type, item.Type is not null);
                    to.Byte(ComponentTypeByte.NoRefines);
                }
                break;
            case ListType { Length: { } length } list:
                Use(to.Byte(ComponentTypeByte.FixedList), list.Element);
                to.U32(length);
                break;
            case ListType list: Use(to.Byte(ComponentTypeByte.List), list.Element); break;
            case TupleType tuple:
                to.Byte(ComponentTypeByte.Tuple).Count(tuple.Elements.Length);
                foreach (ComponentValType element in tuple.Elements) Use(to, element);
                break;
            case FlagsType flags:
                to.Byte(ComponentTypeByte.Flags).Count(flags.Labels.Length);
                foreach (string label in flags.Labels) to.Name(label);
                break;
            case EnumType enumeration:
                to.Byte(ComponentTypeByte.Enum).Count(enumeration.Labels.Length);
                foreach (string label in enumeration.Labels) to.Name(label);
                break;
            case OptionType option: Use(to.Byte(ComponentTypeByte.Option), option.Payload); break;
            case ResultType result:
                Use(to.Byte(ComponentTypeByte.Result), result.Ok, result.Ok is not null);
                Use(to, result.Error, result.Error is not null);
                break;
            case HandleType handle: to.Byte(handle.IsBorrow ? ComponentTypeByte.Borrow : ComponentTypeByte.Own).U32(IndexOf(handle.Resource)); break;
            case StreamType stream: Use(to.Byte(stream.IsFuture ? ComponentTypeByte.Future : ComponentTypeByte.Stream), stream.Element, stream.Element is not null); break;
            default:
                var map = (MapType)type;
                Use(to.Byte(ComponentTypeByte.Map), map.Key);
                Use(to, map.Value);
                break;
        }
    }
}
