using System.Runtime.Intrinsics;
using WasmJit.Runtime;

namespace WasmJit;

/// <summary>
/// A global. A number lies in 16 bytes of native memory, which generated code addresses directly: an instance's own globals lie together, a global
/// that a host makes has its own storage. A reference lies in the object.
/// </summary>
public sealed unsafe class Global
{
    private readonly GlobalStorage? storage;

    /// <summary>Makes a global with a value.</summary>
    /// <param name="type">Its type.</param>
    /// <param name="value">
    /// The first value, in the .NET form of the type: <see cref="int"/>, <see cref="long"/>, <see cref="float"/>,
    /// <see cref="double"/>, <c>Vector128&lt;byte&gt;</c>, a delegate, or an object.
    /// </param>
    /// <exception cref="ArgumentException">The value is not of the type.</exception>
    public Global(GlobalType type, object? value)
        : this(type) => SetValue(value);

    /// <summary>A global that has no value yet.</summary>
    internal Global(GlobalType type)
    {
        Type = type;
        if (type.Type.IsRef) return;
        storage = new GlobalStorage(1);
        Address = storage.Data;
    }

    internal Global(GlobalType type, byte* address, GlobalStorage? storage)
    {
        Type = type;
        Address = address;
        this.storage = storage;
    }

    /// <summary>The type.</summary>
    public GlobalType Type { get; }

    /// <summary>Where a number lies; null for references.</summary>
    internal readonly byte* Address;

    /// <summary>A reference other than to a function.</summary>
    internal object? Ref;

    /// <summary>A reference to a function.</summary>
    internal FuncRef? Func;

    internal bool IsFunc => Type.Type.IsRef && ReferenceEquals(Subtyping.TopOf(Type.Type.Heap!), HeapType.Func);

    /// <summary>The value, in the .NET form of its type.</summary>
    /// <exception cref="InvalidOperationException">Set on an immutable global.</exception>
    /// <exception cref="ArgumentException">Set to a value of another type.</exception>
    public object? Value
    {
        get
        {
            object? value = Type.Type.Kind switch
            {
                ValKind.I32 => *(int*)Address,
                ValKind.I64 => *(long*)Address,
                ValKind.F32 => *(float*)Address,
                ValKind.F64 => *(double*)Address,
                ValKind.V128 => *(Vector128<byte>*)Address,
                _ => IsFunc ? Func?.Delegate : Ref,
            };
            GC.KeepAlive(this);
            return value;
        }
        set
        {
            if (!Type.IsMutable) throw new InvalidOperationException("The global is immutable.");
            SetValue(value);
        }
    }

    /// <summary>The bytes of a number; valid as long as this object is reachable.</summary>
    internal Span<byte> Number => new(Address, Type.Type.ByteSize);

    /// <summary>Stores without asking for mutability: initialisation.</summary>
    internal void SetValue(object? value)
    {
        switch (Type.Type.Kind)
        {
            case ValKind.I32 when value is int v: *(int*)Address = v; break;
            case ValKind.I64 when value is long v: *(long*)Address = v; break;
            case ValKind.F32 when value is float v: *(float*)Address = v; break;
            case ValKind.F64 when value is double v: *(double*)Address = v; break;
            case ValKind.V128 when value is Vector128<byte> v: *(Vector128<byte>*)Address = v; break;
            case ValKind.Ref when IsFunc: Func = HostValues.ToFunc(value, Type.Type); break;
            case ValKind.Ref: Ref = HostValues.ToRef(value, Type.Type); break;
            default: throw new ArgumentException($"A value of type {Type.Type} was expected, not {value ?? "null"}.", nameof(value));
        }
        GC.KeepAlive(storage);
    }
}
