using System.Linq.Expressions;
using System.Reflection;

namespace WasmJit.Components;

/// <summary>Values out of guests.</summary>
internal sealed partial class TypeBinding
{
    /// <summary>Values in a form, one expression each; what is to be done before goes into <paramref name="before"/>.</summary>
    internal List<Expression> LiftAll(IReadOnlyList<ComponentValType> types, IReadOnlyList<Type> clr, bool isFlat, Expression slots, List<Expression> before, List<ParameterExpression> locals)
    {
        Expression at = slots;
        if (!isFlat)
        {
            ValueLayout layout = CompoundType.Sequence(types, is64);
            ParameterExpression place = Expression.Variable(typeof(nint));
            locals.Add(place);
            before.Add(Expression.Assign(place, Expression.Call(Method(nameof(TypedMemory.Place)), Side, slots, Const(layout.Size), Const(layout.Alignment))));
            at = place;
        }
        return [.. Places(types, isFlat).Select((p, i) => Lift(p.Type, clr[i], At(at, p.Offset), isFlat))];
    }

    internal Expression Lift(ComponentValType type, Type clr, Expression at, bool isFlat)
    {
        if (clr == typeof(ComponentValue)) return Expression.Call(Method(nameof(TypedMemory.Value)), Context, TypeConst(type), at, Const(isFlat));
        switch (type)
        {
            case PrimitiveType when NumberOf(type) is { } number:
                Expect(type, clr, number);
                return Expression.Call(Method(nameof(TypedMemory.Read), number), at);
            case PrimitiveType { Primitive: PrimitiveKind.Bool }:
                Expect(type, clr, typeof(bool));
                return Expression.Call(Method(isFlat ? nameof(TypedMemory.FlatBool) : nameof(TypedMemory.Bool)), at);
            case PrimitiveType { Primitive: PrimitiveKind.Char }:
                Expect(type, clr, RuneType);
                return Expression.Call(Method(nameof(TypedMemory.Rune)), at);
            case PrimitiveType { Primitive: PrimitiveKind.String }:
                Expect(type, clr, typeof(string));
                return Expression.Call(Method(nameof(TypedMemory.String)), Side, at, Const(isFlat));
            case RecordType record:
                {
                    (ConstructorInfo constructor, int[] order, _) = RecordOf(record, clr);
                    ParameterInfo[] parameters = constructor.GetParameters();
                    (ComponentValType Type, long Offset)[] places = [.. Places(type.Parts, isFlat)];
                    // In the order of the fields, whatever the order of the parameters.
                    ParameterExpression[] values = [.. places.Select((_, i) => Expression.Variable(parameters[Array.IndexOf(order, i)].ParameterType))];
                    IEnumerable<Expression> reads = places.Select((p, i) => Expression.Assign(values[i], Lift(p.Type, values[i].Type, At(at, p.Offset), isFlat)));
                    return Expression.Block(values, [.. reads, Expression.New(constructor, order.Select(i => values[i]))]);
                }
            case TupleType:
                {
                    Type[] parts = TupleOf(type, clr);
                    return NewTuple(clr, [.. Places(type.Parts, isFlat).Select((p, i) => Lift(p.Type, parts[i], At(at, p.Offset), isFlat))]);
                }
            case ListType { Length: { } length } list:
                {
                    Type element = ElementOf(type, clr);
                    long size = isFlat ? 8L * list.Element.FlatCount : list.Element.Layout(is64).Size;
                    return Expression.Call(Method(nameof(TypedMemory.Items), element), Context, at, Const((int)length), Const(size), LiftOf(list.Element, element, size, isFlat));
                }
            case ListType list when allowsViews && IsSpan(clr):
                {
                    Type element = ElementOfSpan(list, clr);
                    return Expression.Call(Method(nameof(TypedMemory.View), element), Side, at, Const(isFlat), Const(list.Element.Layout32.Alignment));
                }
            case ListType list:
                {
                    Type element = ElementOf(type, clr);
                    if (SameLayout.IsTuple(list.Element, element))
                        return Expression.Call(Method(nameof(TypedMemory.Numbers), element), Side, at, Const(isFlat), Const(list.Element.Layout32.Alignment));
                    return ListOf(list.Element, element, at, isFlat);
                }
            case MapType map:
                {
                    (Type key, Type value) = MapOf(map, clr);
                    return Expression.Call(Method(nameof(TypedMemory.Map), key, value), ListOf(map.Entry, typeof(ValueTuple<,>).MakeGenericType(key, value), at, isFlat));
                }
            case FlagsType flags:
                {
                    ulong[] labels = LabelsOf(flags.Labels, clr);
                    Expression bits = Expression.Call(Method(nameof(TypedMemory.ReadSized)), at, Const(isFlat ? 4 : (int)type.Layout32.Size));
                    ParameterExpression local = Expression.Variable(typeof(uint));
                    Expression sum = Const(0UL);
                    for (int i = 0; i < labels.Length; i++)
                    {
                        sum = Expression.Or(sum, Expression.Condition(
                            Expression.NotEqual(Expression.And(local, Const(1u << i)), Const(0u)), Const(labels[i]), Const(0UL)));
                    }
                    return Expression.Block([local], Expression.Assign(local, bits), Expression.Convert(Expression.Convert(sum, Enum.GetUnderlyingType(clr)), clr));
                }
            case EnumType names:
                {
                    ulong[] labels = LabelsOf(names.Labels, clr);
                    Expression number = Expression.Call(
                        Method(nameof(TypedMemory.Enum)), at, Const(isFlat ? 4 : (int)type.Layout32.Size), Const((uint)labels.Length));
                    return Expression.Convert(Expression.Convert(Expression.ArrayIndex(Const(labels), Expression.Convert(number, typeof(int))), Enum.GetUnderlyingType(clr)), clr);
                }
            case OptionType option:
                {
                    if (!IsOption(clr, out Type payload) || (option.Payload is OptionType && payload != typeof(ComponentValue))) throw Mismatch(type, clr);
                    Expression some = Lift(option.Payload, payload, At(at, PayloadOffset(option, isFlat)), isFlat);
                    return Expression.Condition(Expression.Equal(Number(2, 1, at, isFlat), Const(0u)), Expression.Default(clr), Expression.Convert(some, clr));
                }
            case ResultType result:
                {
                    (Type ok, Type error) = ResultOf(type, clr);
                    Expression place = At(at, PayloadOffset(result, isFlat));
                    Expression value = result.Ok is null ? NoneOf(type, clr, ok) : Lift(result.Ok, ok, place, isFlat);
                    Expression fault = result.Error is null ? NoneOf(type, clr, error) : Lift(result.Error, error, place, isFlat);
                    ConstructorInfo make = clr.GetConstructor(BindingFlags.Instance | BindingFlags.NonPublic, [typeof(bool), ok, error])!;
                    return Expression.Condition(
                        Expression.Equal(Number(2, 1, at, isFlat), Const(0u)),
                        Expression.New(make, Const(true), value, Expression.Default(error)), Expression.New(make, Const(false), Expression.Default(ok), fault));
                }
            case VariantType variant:
                {
                    (Type Case, ConstructorInfo Constructor, PropertyInfo? Value)[] cases = CasesOf(variant, clr);
                    Expression place = At(at, PayloadOffset(variant, isFlat));
                    var arms = new SwitchCase[cases.Length];
                    for (int i = 0; i < arms.Length; i++)
                    {
                        Expression made = variant.Cases[i].Type is { } payload
                            ? Expression.New(cases[i].Constructor, Lift(payload, cases[i].Value!.PropertyType, place, isFlat)) : Expression.New(cases[i].Constructor);
                        arms[i] = Expression.SwitchCase(Expression.Convert(made, clr), Const((uint)i));
                    }
                    return Expression.Switch(clr, Number(cases.Length, AlternativesType.DiscriminantSize(cases.Length), at, isFlat), Expression.Default(clr), null, arms);
                }
            case HandleType when IsObject(clr): return Expression.Call(Method(nameof(TypedMemory.Object), clr), Context, TypeConst(type), at, Const(isFlat));
            case HandleType:
                Expect(type, clr, typeof(ComponentResource));
                return Expression.Call(Method(nameof(TypedMemory.Resource)), Context, TypeConst(type), at, Const(isFlat));
            case StreamType stream: return Streamed(stream, clr, at, isFlat, null);
            default: throw Mismatch(type, clr);
        }
    }

    /// <summary>A stream or future: read if there is no value for it, otherwise written.</summary>
    private MethodCallExpression Streamed(StreamType type, Type clr, Expression at, bool isFlat, Expression? value)
    {
        Expression[] arguments = value is null ? [Context, TypeConst(type), at, Const(isFlat)] : [Context, TypeConst(type), at, Const(isFlat), value];
        MethodInfo Of(string name) => typeof(TypedStreams).GetMethod(name, Internal)!;
        if (!type.IsFuture && clr == typeof(Stream) && type.Element is PrimitiveType { Primitive: PrimitiveKind.U8 })
            return Expression.Call(Of(value is null ? nameof(TypedStreams.Bytes) : nameof(TypedStreams.WriteBytes)), arguments);
        Type wanted = type.IsFuture ? typeof(Task<>) : typeof(IAsyncEnumerable<>);
        if (type.Element is not { } element || !clr.IsGenericType || clr.GetGenericTypeDefinition() != wanted) throw Mismatch(type, clr);
        Type item = clr.GetGenericArguments()[0];
        long size = element.Layout(is64).Size;
        object form = Activator.CreateInstance(typeof(ElementForm<>).MakeGenericType(item), LiftOf(element, item, size, false).Value, LowerOf(element, item, size, false).Value, size, element)!;
        string name = (type.IsFuture, value is null) switch
        {
            (true, true) => nameof(TypedStreams.Future),
            (true, false) => nameof(TypedStreams.WriteFuture),
            (false, true) => nameof(TypedStreams.Sequence),
            _ => nameof(TypedStreams.WriteSequence),
        };
        return Expression.Call(Of(name).MakeGenericMethod(item), [.. arguments, Const(form)]);
    }

    private static Expression NoneOf(ComponentValType type, Type clr, Type part)
    {
        if (part != typeof(NoValue)) throw Mismatch(type, clr);
        return Expression.Default(part);
    }

    private static Expression Number(int count, int size, Expression at, bool isFlat) =>
        Expression.Call(Method(nameof(TypedMemory.Enum)), at, Const(isFlat ? 4 : size), Const((uint)count));

    private Expression ListOf(ComponentValType type, Type element, Expression at, bool isFlat)
    {
        ValueLayout layout = type.Layout(is64);
        return Expression.Call(
            Method(nameof(TypedMemory.List), element), Context, at, Const(isFlat), Const(layout.Size), Const(layout.Alignment), LiftOf(type, element, layout.Size, false));
    }

    /// <summary>A method that reads elements.</summary>
    private ConstantExpression LiftOf(ComponentValType type, Type clr, long size, bool isFlat) => ItemsOf(
        lifts, type, clr, size, isFlat, (items, index, at) => Expression.Assign(Expression.ArrayAccess(items, index), Lift(type, clr, at, isFlat)));

    /// <summary>A method that does something for some places of an array, with the address of each element; made once for each type.</summary>
    private static ConstantExpression ItemsOf(
        Dictionary<(ComponentValType, Type, bool), Delegate> known, ComponentValType type, Type clr, long size, bool isFlat,
        Func<ParameterExpression, ParameterExpression, ParameterExpression, Expression> step)
    {
        (ComponentValType, Type, bool) key = (type.Canonical, clr, isFlat);
        if (!known.TryGetValue(key, out Delegate? made))
        {
            ParameterExpression at = Expression.Parameter(typeof(nint), "at"), items = Expression.Parameter(clr.MakeArrayType(), "items");
            ParameterExpression index = Expression.Parameter(typeof(int), "first"), end = Expression.Parameter(typeof(int), "end");
            LabelTarget over = Expression.Label();
            LoopExpression loop = Expression.Loop(
                Expression.IfThenElse(
                    Expression.LessThan(index, end),
                    Expression.Block(step(items, index, at), Expression.Assign(at, At(at, size)), Expression.PreIncrementAssign(index)),
                    Expression.Break(over)),
                over);
            known[key] = made = Expression.Lambda(typeof(ItemsMethod<>).MakeGenericType(clr), loop, Context, at, items, index, end).Compile();
        }
        return Const(made);
    }
}
