using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace WasmJit.Components;

/// <summary>
/// Finds out whether values of a .NET type lie in memory as those of a component type do, so that arrays of them are copied as bytes: numbers, and
/// tuples and records of such types without gaps.
/// </summary>
internal static class SameLayout
{
    private const BindingFlags Fields = BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic;

    /// <summary>Whether numbers and tuples have the same layout on both sides. Their bytes can also be turned into values, since no constructor would be skipped.</summary>
    internal static bool IsTuple(ComponentValType type, Type clr) => Has(type, clr, allowRecords: false);

    /// <summary>The same for numbers, tuples, and records with automatic properties, where reading a property is reading its field.</summary>
    internal static bool IsAny(ComponentValType type, Type clr) => Has(type, clr, allowRecords: true);

    private static bool Has(ComponentValType type, Type clr, bool allowRecords)
    {
        if (!BitConverter.IsLittleEndian || !clr.IsValueType || !TransferEmitter.IsPlain(type) || FieldsOf(type, clr, allowRecords) is not { } fields) return false;
        if (fields.Length == 0) return true;
        if (clr.GetFields(Fields).Length != fields.Length || SizeOf(clr) != type.Layout32.Size) return false;
        long offset = 0;
        int index = 0;
        foreach (ComponentValType part in type.Parts)
        {
            FieldInfo field = fields[index++];
            if (!Has(part, field.FieldType, allowRecords) || OffsetOf(clr, field) != offset) return false;
            offset += part.Layout32.Size;
        }
        return true;
    }

    /// <summary>The fields for the parts of a type, in their order; none for numbers, null if it is another type.</summary>
    private static FieldInfo[]? FieldsOf(ComponentValType type, Type clr, bool allowRecords)
    {
        switch (type)
        {
            case PrimitiveType: return TypeBinding.NumberOf(type) == clr ? [] : null;
            case TupleType tuple when TypeBinding.IsTuple(clr):
                return tuple.Elements.Length == clr.GetGenericArguments().Length && tuple.Elements.Length <= 7
                    ? [.. Enumerable.Range(1, tuple.Elements.Length).Select(i => clr.GetField($"Item{i}")!)] : null;
            case RecordType record when allowRecords:
                FieldInfo[] found = [.. record.Fields.Select(f => FieldOf(clr, TypeBinding.Plain(f.Label))).OfType<FieldInfo>()];
                return found.Length == record.Fields.Length ? found : null;
            default: return null;
        }
    }

    private static FieldInfo? FieldOf(Type clr, string name)
    {
        MemberInfo? member = TypeBinding.MemberOf(clr, name);
        if (member is FieldInfo field) return field;
        return member is PropertyInfo property && property.GetMethod!.IsDefined(typeof(CompilerGeneratedAttribute), false)
            ? clr.GetField($"<{property.Name}>k__BackingField", Fields) : null;
    }

    private static int SizeOf(Type clr) =>
        (int)typeof(Unsafe).GetMethod(nameof(Unsafe.SizeOf))!.MakeGenericMethod(clr).Invoke(null, null)!;

    /// <summary>The offset of a field. It is found in a value in which only this field is not zero.</summary>
    private static int OffsetOf(Type clr, FieldInfo field)
    {
        object part = RuntimeHelpers.GetUninitializedObject(field.FieldType), whole = RuntimeHelpers.GetUninitializedObject(clr);
        Bytes(part, SizeOf(field.FieldType)).Fill(0xff);
        field.SetValue(whole, part);
        return Bytes(whole, SizeOf(clr)).IndexOf((byte)0xff);
    }

    /// <summary>The bytes of a boxed value.</summary>
    private static Span<byte> Bytes(object boxed, int size) => MemoryMarshal.CreateSpan(ref Unsafe.As<StrongBox<byte>>(boxed).Value, size);
}
