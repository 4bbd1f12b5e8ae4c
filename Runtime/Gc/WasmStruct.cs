using System.Runtime.Intrinsics;
using WasmJit.Runtime;

namespace WasmJit.Gc;

/// <summary>
/// A struct of the guest's garbage-collected heap. Each struct type has a class of its own, derived from this one; the fields are
/// read and written through their indices.
/// </summary>
public abstract class WasmStruct
{
    private protected WasmStruct() { }

    private GcClass Class => GcClass.OfObject(this)!;

    /// <summary>The struct's type.</summary>
    public DefType Type => Class.Type;

    /// <summary>The number of fields.</summary>
    public int Count => Class.FieldCount;

    /// <summary>The descriptor of an object whose type has one (custom-descriptors), otherwise null.</summary>
    public WasmStruct? Descriptor => Class is { HasDescriptor: true } c ? (WasmStruct?)c.Field<object?>(this, c.FieldCount) : null;

    /// <summary>
    /// A field, in the .NET form of its type: packed fields as <see cref="int"/> without sign, functions as delegates.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such field.</exception>
    /// <exception cref="InvalidOperationException">Set on an immutable field.</exception>
    /// <exception cref="ArgumentException">Set to a value of another type.</exception>
    public object? this[int field]
    {
        get
        {
            GcClass c = Check(field);
            return c.StorageOf(field).Kind switch
            {
                ValKind.I8 => (int)c.Field<byte>(this, field),
                ValKind.I16 => (int)c.Field<ushort>(this, field),
                ValKind.I32 => c.Field<int>(this, field),
                ValKind.I64 => c.Field<long>(this, field),
                ValKind.F32 => c.Field<float>(this, field),
                ValKind.F64 => c.Field<double>(this, field),
                ValKind.V128 => c.Field<Vector128<byte>>(this, field),
                _ => HostValues.ToHost(c.Field<object?>(this, field)),
            };
        }

        set
        {
            GcClass c = Check(field);
            if (!((StructType)c.Type.Composite).Fields[field].IsMutable) throw new InvalidOperationException("The field is immutable.");
            GcObjects.SetField(c, this, field, GcObjects.FromHost(value, c.StorageOf(field)));
        }
    }

    /// <summary>A number's field without boxing; T is the .NET form of the field's type (<see cref="int"/> for packed ones).</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such field.</exception>
    /// <exception cref="InvalidCastException">The field is of another type.</exception>
    public T Get<T>(int field)
    {
        GcClass c = Check(field);
        if (GcClass.StorageType(c.StorageOf(field)) == typeof(T) && typeof(T).IsValueType) return c.Field<T>(this, field);
        return (T)this[field]!;
    }

    /// <summary>Sets a field; a number without boxing.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such field.</exception>
    /// <exception cref="InvalidOperationException">The field is immutable.</exception>
    /// <exception cref="ArgumentException">The field is of another type.</exception>
    public void Set<T>(int field, T value)
    {
        GcClass c = Check(field);
        bool isMutable = ((StructType)c.Type.Composite).Fields[field].IsMutable;
        if (isMutable && typeof(T).IsValueType && GcClass.StorageType(c.StorageOf(field)) == typeof(T)) c.Field<T>(this, field) = value;
        else this[field] = value;
    }

    private GcClass Check(int field)
    {
        GcClass c = Class;
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)field, (uint)c.FieldCount, nameof(field));
        return c;
    }

    /// <summary>Makes a struct.</summary>
    /// <param name="type">A struct type without descriptor.</param>
    /// <param name="fields">The fields' values; none for the default of each.</param>
    /// <exception cref="ArgumentException">No such type, not as many values as fields, or a value of another type.</exception>
    public static WasmStruct Create(DefType type, params ReadOnlySpan<object?> fields)
    {
        if (type.Composite is not StructType composite || type.Descriptor is not null)
            throw new ArgumentException($"{type} is not a struct type without descriptor.", nameof(type));
        if (fields.Length == 0 && composite.Fields.Any(f => !f.Type.IsDefaultable))
            throw new ArgumentException($"{type} has fields without a default.", nameof(fields));
        if (fields.Length != 0 && fields.Length != composite.Fields.Length)
            throw new ArgumentException($"{type} has {composite.Fields.Length} fields, not {fields.Length}.", nameof(fields));
        GcClass c = GcClass.Of(type, new GcBatch());
        WasmStruct made = c.NewStruct();
        for (int i = 0; i < fields.Length; i++)
            GcObjects.SetField(c, made, i, GcObjects.FromHost(fields[i], c.StorageOf(i)));
        return made;
    }
}
