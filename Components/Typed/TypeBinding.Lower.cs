using System.Linq.Expressions;
using System.Reflection;
using WasmJit.Jit.Calls;

namespace WasmJit.Components;

/// <summary>Values into guests.</summary>
internal sealed partial class TypeBinding
{
    internal List<Expression> LowerAll(
        IReadOnlyList<ComponentValType> types, IReadOnlyList<Expression> values, ValueForm form, Expression slots, List<ParameterExpression> locals)
    {
        var statements = new List<Expression>();
        Expression at = slots;
        if (form != ValueForm.Flat)
        {
            ValueLayout layout = CompoundType.Sequence(types, is64);
            ParameterExpression place = Expression.Variable(typeof(nint));
            locals.Add(place);
            MethodInfo find = Method(form == ValueForm.Memory ? nameof(TypedMemory.Place) : nameof(TypedMemory.AllocatePlace));
            statements.Add(Expression.Assign(place, Expression.Call(find, Side, slots, Const(layout.Size), Const(layout.Alignment))));
            at = place;
        }
        int index = 0;
        foreach ((ComponentValType type, long offset) in Places(types, form == ValueForm.Flat))
            statements.Add(Lower(type, values[index++], At(at, offset), form == ValueForm.Flat));
        return statements;
    }

    internal Expression Lower(ComponentValType type, Expression value, Expression at, bool isFlat)
    {
        Type clr = value.Type;
        if (clr == typeof(ComponentValue)) return Expression.Call(Method(nameof(TypedMemory.WriteValue)), Context, TypeConst(type), at, Const(isFlat), value);
        switch (type)
        {
            case PrimitiveType when NumberOf(type) is { } number:
                Expect(type, clr, number);
                return WriteNumber(value, number, at, isFlat);
            case PrimitiveType { Primitive: PrimitiveKind.Bool }:
                Expect(type, clr, typeof(bool));
                return Sized(Expression.Condition(value, Const(1u), Const(0u)), at, 1, isFlat);
            case PrimitiveType { Primitive: PrimitiveKind.Char }:
                Expect(type, clr, RuneType);
                return Sized(Expression.Convert(Expression.Property(value, nameof(System.Text.Rune.Value)), typeof(uint)), at, 4, isFlat);
            case PrimitiveType { Primitive: PrimitiveKind.String }:
                Expect(type, clr, typeof(string));
                return Expression.Call(Method(nameof(TypedMemory.WriteString)), Side, at, Const(isFlat), value);
            case RecordType record:
                {
                    (_, _, MemberInfo[] members) = RecordOf(record, clr);
                    ParameterExpression local = Expression.Variable(clr);
                    return Expression.Block(
                        [local],
                        [Expression.Assign(local, value), .. Places(type.Parts, isFlat).Select((p, i) =>
                            Lower(p.Type, Expression.MakeMemberAccess(local, members[i]), At(at, p.Offset), isFlat))]);
                }
            case TupleType:
                {
                    TupleOf(type, clr);
                    ParameterExpression local = Expression.Variable(clr);
                    return Expression.Block(
                        [local],
                        [Expression.Assign(local, value), .. Places(type.Parts, isFlat).Select((p, i) =>
                            Lower(p.Type, TuplePart(local, i), At(at, p.Offset), isFlat))]);
                }
            case ListType { Length: { } length } list:
                {
                    Type element = ElementOf(type, clr);
                    long size = isFlat ? 8L * list.Element.FlatCount : list.Element.Layout(is64).Size;
                    return Expression.Call(
                        Method(nameof(TypedMemory.WriteItems), element), Context, at, value, Const((int)length), Const(size), LowerOf(list.Element, element, size, isFlat));
                }
            case ListType list when IsSpan(clr):
                {
                    Type element = ElementOfSpan(list, clr);
                    return Expression.Call(Method(nameof(TypedMemory.WriteSpan), element), Side, at, Const(isFlat), value, Const(list.Element.Layout32.Alignment));
                }
            case ListType list:
                {
                    Type element = ElementOf(type, clr);
                    if (SameLayout.IsAny(list.Element, element))
                        return Expression.Call(Method(nameof(TypedMemory.WriteNumbers), element), Side, at, Const(isFlat), value, Const(list.Element.Layout32.Alignment));
                    return WriteListOf(list.Element, value, element, at, isFlat);
                }
            case MapType map:
                {
                    (Type key, Type item) = MapOf(map, clr);
                    return WriteListOf(map.Entry, Expression.Call(Method(nameof(TypedMemory.Pairs), key, item), value), typeof(ValueTuple<,>).MakeGenericType(key, item), at, isFlat);
                }
            case FlagsType flags:
                {
                    ulong[] labels = LabelsOf(flags.Labels, clr);
                    ParameterExpression local = Expression.Variable(typeof(ulong));
                    Expression sum = Const(0u);
                    for (int i = 0; i < labels.Length; i++)
                    {
                        sum = Expression.Or(sum, Expression.Condition(
                            Expression.Equal(Expression.And(local, Const(labels[i])), Const(labels[i])), Const(1u << i), Const(0u)));
                    }
                    return Expression.Block(
                        [local], Expression.Assign(local, Expression.Convert(Expression.Convert(value, Enum.GetUnderlyingType(clr)), typeof(ulong))), Sized(sum, at, (int)type.Layout32.Size, isFlat));
                }
            case EnumType names:
                {
                    ulong[] labels = LabelsOf(names.Labels, clr);
                    SwitchCase[] cases = [.. labels.Select((l, i) => Expression.SwitchCase(Const((uint)i), Const(l))).DistinctBy(c => ((ConstantExpression)c.TestValues[0]).Value)];
                    Expression unknown = Expression.Throw(Const(new ArgumentException($"The value is not a member of {CSharpName.Of(clr)}.")), typeof(uint));
                    return Sized(
                        Expression.Switch(Expression.Convert(Expression.Convert(value, Enum.GetUnderlyingType(clr)), typeof(ulong)), unknown, cases), at, (int)type.Layout32.Size, isFlat);
                }
            case OptionType option:
                {
                    if (!IsOption(clr, out Type payload) || (option.Payload is OptionType && payload != typeof(ComponentValue))) throw Mismatch(type, clr);
                    ParameterExpression local = Expression.Variable(clr);
                    Expression place = At(at, PayloadOffset(option, isFlat));
                    Expression some = payload == clr ? local : Expression.Property(local, "Value");
                    return Expression.Block(
                        [local],
                        Expression.Assign(local, value),
                        Clear(type, at, isFlat),
                        Expression.IfThen(
                            Expression.NotEqual(local, Expression.Constant(null, clr)),
                            Expression.Block(Sized(Const(1u), at, 1, isFlat), Lower(option.Payload, some, place, isFlat))),
                        isFlat ? Expression.Empty() : Expression.IfThen(Expression.Equal(local, Expression.Constant(null, clr)), Sized(Const(0u), at, 1, false)));
                }
            case ResultType result:
                {
                    (Type ok, Type error) = ResultOf(type, clr);
                    if (result.Ok is null) NoneOf(type, clr, ok);
                    if (result.Error is null) NoneOf(type, clr, error);
                    ParameterExpression local = Expression.Variable(clr);
                    Expression place = At(at, PayloadOffset(result, isFlat));
                    Expression Part(string name) => Expression.Property(local, clr.GetProperty(name, BindingFlags.Instance | BindingFlags.NonPublic)!);
                    Expression fine = Sized(Const(0u), at, 1, isFlat), wrong = Sized(Const(1u), at, 1, isFlat);
                    if (result.Ok is { } okType) fine = Expression.Block(fine, Lower(okType, Part("ValueOrDefault"), place, isFlat));
                    if (result.Error is { } errorType) wrong = Expression.Block(wrong, Lower(errorType, Part("ErrorOrDefault"), place, isFlat));
                    return Expression.Block(
                        [local], Expression.Assign(local, value), Clear(type, at, isFlat), Expression.IfThenElse(Expression.Property(local, "IsOk"), fine, wrong));
                }
            case VariantType variant:
                {
                    (Type Case, ConstructorInfo Constructor, PropertyInfo? Value)[] cases = CasesOf(variant, clr);
                    int size = AlternativesType.DiscriminantSize(cases.Length);
                    ParameterExpression local = Expression.Variable(clr);
                    Expression place = At(at, PayloadOffset(variant, isFlat));
                    Expression choose = Expression.Call(Method(nameof(TypedMemory.NoCase)), local);
                    for (int i = cases.Length - 1; i >= 0; i--)
                    {
                        Expression write = Sized(Const((uint)i), at, size, isFlat);
                        if (variant.Cases[i].Type is { } payload)
                            write = Expression.Block(write, Lower(payload, Expression.Property(Expression.Convert(local, cases[i].Case), cases[i].Value!), place, isFlat));
                        choose = Expression.IfThenElse(Expression.TypeIs(local, cases[i].Case), write, choose);
                    }
                    return Expression.Block([local], Expression.Assign(local, value), Clear(type, at, isFlat), choose);
                }
            case HandleType when IsObject(clr): return Expression.Call(Method(nameof(TypedMemory.WriteObject), clr), Context, TypeConst(type), at, Const(isFlat), value);
            case HandleType:
                Expect(type, clr, typeof(ComponentResource));
                return Expression.Call(Method(nameof(TypedMemory.WriteResource)), Context, TypeConst(type), at, Const(isFlat), value);
            case StreamType stream: return Streamed(stream, clr, at, isFlat, value);
            default: throw Mismatch(type, clr);
        }
    }

    /// <summary>All slots of a variant, since not every case writes them.</summary>
    private static Expression Clear(ComponentValType type, Expression at, bool isFlat) =>
        isFlat ? Expression.Call(Method(nameof(TypedMemory.Clear)), at, Const(type.FlatCount)) : Expression.Empty();

    private static Expression WriteNumber(Expression value, Type number, Expression at, bool isFlat)
    {
        if (!isFlat || number == typeof(long) || number == typeof(ulong) || number == typeof(double)) return Expression.Call(Method(nameof(TypedMemory.Write), number), at, value);
        if (number == typeof(float)) value = Expression.Call(typeof(BitConverter).GetMethod(nameof(BitConverter.SingleToUInt32Bits))!, value);
        return Expression.Call(Method(nameof(TypedMemory.WriteSlot)), at, Expression.Convert(number == typeof(float) ? value : Expression.Convert(value, typeof(int)), typeof(uint)));
    }

    private static Expression Sized(Expression value, Expression at, int size, bool isFlat) => isFlat
        ? Expression.Call(Method(nameof(TypedMemory.WriteSlot)), at, value) : Expression.Call(Method(nameof(TypedMemory.WriteSized)), at, value, Const(size));

    private Expression WriteListOf(ComponentValType type, Expression value, Type element, Expression at, bool isFlat)
    {
        ValueLayout layout = type.Layout(is64);
        return Expression.Call(
            Method(nameof(TypedMemory.WriteList), element), Context, at, Const(isFlat), value, Const(layout.Size), Const(layout.Alignment),
            LowerOf(type, element, layout.Size, false));
    }

    /// <summary>A method that writes elements.</summary>
    private ConstantExpression LowerOf(ComponentValType type, Type clr, long size, bool isFlat) => ItemsOf(
        lowers, type, clr, size, isFlat, (items, index, at) => Lower(type, Expression.ArrayIndex(items, index), at, isFlat));
}
