using System.Linq.Expressions;
using System.Reflection;
using System.Text;
using WasmJit.Jit.Calls;

namespace WasmJit.Components;

/// <summary>
/// Makes expressions that read values of component types as .NET types, and write them. Names are compared without hyphens and case.
/// </summary>
internal sealed partial class TypeBinding(bool is64, bool allowsViews = false)
{
    private const BindingFlags Internal = BindingFlags.Static | BindingFlags.NonPublic;

    internal static readonly ParameterExpression Context = Expression.Parameter(typeof(TypedContext), "context");

    private static readonly MemberExpression Side = Expression.Property(Context, typeof(TypedContext).GetProperty(nameof(TypedContext.Side), BindingFlags.Instance | BindingFlags.NonPublic)!);

    private readonly Dictionary<(ComponentValType, Type, bool), Delegate> lifts = [], lowers = [];

    private static MethodInfo Method(string name, params Type[] types)
    {
        MethodInfo method = typeof(TypedMemory).GetMethod(name, Internal)!;
        return types.Length == 0 ? method : method.MakeGenericMethod(types);
    }

    internal static ArgumentException Mismatch(ComponentValType type, Type clr) => new($"{CSharpName.Of(clr)} is no .NET type for {type.Kind}");

    internal static string Plain(string name) => name.Replace("-", "", StringComparison.Ordinal).Replace("_", "", StringComparison.Ordinal).ToUpperInvariant();

    internal static Expression At(Expression at, long offset) => offset == 0 ? at : Expression.Call(Method(nameof(TypedMemory.At)), at, Expression.Constant(offset));

    internal static Type? NumberOf(ComponentValType type) => (type as PrimitiveType)?.Primitive switch
    {
        PrimitiveKind.S8 => typeof(sbyte),
        PrimitiveKind.U8 => typeof(byte),
        PrimitiveKind.S16 => typeof(short),
        PrimitiveKind.U16 => typeof(ushort),
        PrimitiveKind.S32 => typeof(int),
        PrimitiveKind.U32 => typeof(uint),
        PrimitiveKind.S64 => typeof(long),
        PrimitiveKind.U64 => typeof(ulong),
        PrimitiveKind.F32 => typeof(float),
        PrimitiveKind.F64 => typeof(double),
        _ => null,
    };

    // ---- numbers that are core values ----

    /// <summary>Whether it is a number, bool or character in its own .NET type.</summary>
    internal static bool IsNumber(ComponentValType type, Type clr) => clr == (type as PrimitiveType)?.Primitive switch
    {
        PrimitiveKind.Bool => typeof(bool),
        PrimitiveKind.Char => typeof(Rune),
        _ => NumberOf(type),
    };

    /// <summary>A core value out of a slot.</summary>
    internal static Expression SlotValue(Type core, Expression at) => Expression.Call(Method(nameof(TypedMemory.Read), core), at);

    /// <summary>Puts a core value into a slot, whose upper half is zero for values of 32 bits.</summary>
    internal static Expression ToSlot(Expression value, Expression at) =>
        WriteNumber(value, value.Type, at, true);

    // ---- the .NET forms of types ----

    private static void Expect(ComponentValType type, Type clr, Type wanted)
    {
        if (clr != wanted) throw Mismatch(type, clr);
    }

    private static ConstantExpression Const(object value) => Expression.Constant(value);

    private static ConstantExpression TypeConst(ComponentValType type) => Expression.Constant(type, typeof(ComponentValType));

    /// <summary>The constructor with a parameter for each field, and the members to read them by.</summary>
    internal static (ConstructorInfo Constructor, int[] Order, MemberInfo[] Members) RecordOf(RecordType type, Type clr)
    {
        string[] names = [.. type.Fields.Select(f => Plain(f.Label))];
        var members = new MemberInfo[names.Length];
        for (int i = 0; i < names.Length; i++)
        {
            members[i] = MemberOf(clr, names[i])
                ?? throw new ArgumentException($"{CSharpName.Of(clr)} has no property for the field \"{type.Fields[i].Label}\"");
        }
        foreach (ConstructorInfo constructor in clr.GetConstructors())
        {
            ParameterInfo[] parameters = constructor.GetParameters();
            if (parameters.Length != names.Length) continue;
            int[] order = [.. parameters.Select(p => Array.IndexOf(names, Plain(p.Name ?? "")))];
            if (order.Order().SequenceEqual(Enumerable.Range(0, names.Length))) return (constructor, order, members);
        }
        throw new ArgumentException($"{CSharpName.Of(clr)} has no constructor with a parameter for each field of the record");
    }

    /// <summary>The property or field of a plain name; null if there is none.</summary>
    internal static MemberInfo? MemberOf(Type clr, string name) => clr.GetMembers(BindingFlags.Instance | BindingFlags.Public)
        .FirstOrDefault(m => m is PropertyInfo { CanRead: true } or FieldInfo && Plain(m.Name) == name);

    /// <summary>The classes of a variant's cases: those derived from the base, by name.</summary>
    internal static (Type Case, ConstructorInfo Constructor, PropertyInfo? Value)[] CasesOf(VariantType type, Type clr)
    {
        Type[] derived = [.. clr.Assembly.GetTypes().Where(t => t.BaseType == clr && !t.IsAbstract)];
        var cases = new (Type, ConstructorInfo, PropertyInfo?)[type.Cases.Length];
        for (int i = 0; i < cases.Length; i++)
        {
            CaseType wanted = type.Cases[i];
            Type found = derived.FirstOrDefault(t => Plain(t.Name) == Plain(wanted.Label))
                ?? throw new ArgumentException($"{CSharpName.Of(clr)} has no derived class for the case \"{wanted.Label}\"");
            ConstructorInfo constructor = found.GetConstructors().FirstOrDefault(c => c.GetParameters().Length == (wanted.Type is null ? 0 : 1))
                ?? throw new ArgumentException($"{CSharpName.Of(found)} has no constructor for the case \"{wanted.Label}\"");
            PropertyInfo? value = wanted.Type is null ? null
                : found.GetProperties(BindingFlags.Instance | BindingFlags.Public)
                    .FirstOrDefault(p => Plain(p.Name) == Plain(constructor.GetParameters()[0].Name!) && p.PropertyType == constructor.GetParameters()[0].ParameterType)
                    ?? throw new ArgumentException($"{CSharpName.Of(found)} has no property for its value");
            cases[i] = (found, constructor, value);
        }
        return cases;
    }

    /// <summary>The .NET values of an enumeration's or flags' labels, in order.</summary>
    private static ulong[] LabelsOf(IReadOnlyList<string> labels, Type clr)
    {
        if (!clr.IsEnum) throw new ArgumentException($"{CSharpName.Of(clr)} is not an enumeration");
        string[] names = Enum.GetNames(clr);
        return [.. labels.Select(label => names.FirstOrDefault(n => Plain(n) == Plain(label)) is { } name
            ? Convert.ToUInt64(Enum.Parse(clr, name), System.Globalization.CultureInfo.InvariantCulture)
            : throw new ArgumentException($"{CSharpName.Of(clr)} has no member for \"{label}\""))];
    }

    private static bool IsOption(Type clr, out Type payload)
    {
        payload = Nullable.GetUnderlyingType(clr) ?? clr;
        return payload != clr || !clr.IsValueType;
    }

    private static (Type Ok, Type Error) ResultOf(ComponentValType type, Type clr)
    {
        if (!clr.IsGenericType || clr.GetGenericTypeDefinition() != typeof(ComponentResult<,>)) throw Mismatch(type, clr);
        Type[] parts = clr.GetGenericArguments();
        return (parts[0], parts[1]);
    }

    private static Type ElementOf(ComponentValType type, Type clr) => clr.IsArray && clr.GetArrayRank() == 1 ? clr.GetElementType()! : throw Mismatch(type, clr);

    /// <summary>Whether a type is a view of elements.</summary>
    private static bool IsSpan(Type clr) => clr.IsGenericType && clr.GetGenericTypeDefinition() == typeof(ReadOnlySpan<>);

    /// <summary>The elements of a view, which lie in .NET as they do in the guest.</summary>
    private static Type ElementOfSpan(ListType type, Type clr)
    {
        Type element = clr.GetGenericArguments()[0];
        return SameLayout.IsAny(type.Element, element) ? element : throw Mismatch(type, clr);
    }

    internal static bool IsTuple(Type clr) => clr.IsGenericType && clr.FullName?.StartsWith("System.ValueTuple`", StringComparison.Ordinal) == true;

    /// <summary>The types of a value tuple's parts; of one with more than seven the eighth parameter is a tuple of the rest.</summary>
    private static Type[] TupleOf(ComponentValType type, Type clr)
    {
        Type[] parts = [.. PartsOf(clr)];
        return parts.Length == ((TupleType)type).Elements.Length ? parts : throw Mismatch(type, clr);

        IEnumerable<Type> PartsOf(Type tuple)
        {
            if (!IsTuple(tuple)) throw Mismatch(type, clr);
            Type[] own = tuple.GetGenericArguments();
            return own.Length < 8 ? own : own.Take(7).Concat(PartsOf(own[7]));
        }
    }

    private static MemberExpression TuplePart(Expression tuple, int index)
    {
        for (; index >= 7; index -= 7) tuple = Expression.Field(tuple, "Rest");
        return Expression.Field(tuple, $"Item{index + 1}");
    }

    private static NewExpression NewTuple(Type clr, IReadOnlyList<Expression> parts)
    {
        Type[] own = clr.GetGenericArguments();
        IEnumerable<Expression> values = parts.Count < 8 ? parts : [.. parts.Take(7), NewTuple(own[7], [.. parts.Skip(7)])];
        return Expression.New(clr.GetConstructor(own)!, values);
    }

    private static (Type Key, Type Value) MapOf(MapType type, Type clr)
    {
        if (!clr.IsGenericType || clr.GetGenericTypeDefinition() != typeof(Dictionary<,>)) throw Mismatch(type, clr);
        Type[] parts = clr.GetGenericArguments();
        return (parts[0], parts[1]);
    }

    /// <summary>Whether a type can stand for a resource: an interface, or a class of the host.</summary>
    internal static bool IsObject(Type clr) => clr != typeof(ComponentResource) && (clr.IsInterface
        || (clr.IsClass && clr != typeof(string) && clr != typeof(object) && !clr.IsArray && !typeof(Delegate).IsAssignableFrom(clr) && !typeof(Task).IsAssignableFrom(clr)));

    /// <summary>Where parts are: offsets in memory, or slots of 8 bytes.</summary>
    private IEnumerable<(ComponentValType Type, long Offset)> Places(IEnumerable<ComponentValType> parts, bool isFlat)
    {
        long offset = 0;
        foreach (ComponentValType part in parts)
        {
            ValueLayout layout = part.Layout(is64);
            if (!isFlat) offset = ValueLayout.Align(offset, layout.Alignment);
            yield return (part, offset);
            offset += isFlat ? 8L * part.FlatCount : layout.Size;
        }
    }

    private long PayloadOffset(AlternativesType type, bool isFlat) => isFlat ? 8 : type.PayloadOffset(is64);

    private static Type RuneType => typeof(Rune);
}
