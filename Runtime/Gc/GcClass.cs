using System.Reflection;
using System.Reflection.Emit;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using WasmJit.Gc;

namespace WasmJit.Runtime;

/// <summary>
/// The CLR type behind a struct or array type: objects are found by the .NET collector, and casts are the CLR's own type checks.
/// A struct type is a class with a typed field for each field, derived from its supertype's class. An array type is an array of
/// a value type of its own, which holds the element: such arrays have typed elements without a check at stores, and for a final
/// type the cast is one comparison. A process that can make no code makes no classes either: see <see cref="PlainStruct"/>.
/// </summary>
internal sealed class GcClass
{
    /// <summary>Structs with more fields than this are made without arguments, and filled.</summary>
    internal const int MaxConstructorFields = 24;

    /// <summary>The most bytes of an array.</summary>
    internal const int MaxArrayBytes = 1 << 30;

    private static readonly Lock Gate = new();
    private static readonly ConditionalWeakTable<Type, GcClass> ByClrType = [];

    private nint[]? offsets;
    private ArrayMaker? maker;
    private bool isReady;

    /// <summary>The lease of the assembly in which the class is.</summary>
    internal MappingLease? Lease { get; }

    private GcClass(DefType type, GcBatch batch)
    {
        Type = type;
        Lease = batch.Lease;
    }

    internal DefType Type { get; }

    /// <summary>The class of a struct; the array type (<c>Element[]</c>) of an array.</summary>
    /// <exception cref="PlatformNotSupportedException">There is none: the type was used before code was loaded that needs one.</exception>
    internal Type Clr
    {
        get => field ?? throw NoClass();
        private init;
    } = null!;

    private static PlatformNotSupportedException NoClass() =>
        RuntimeCode.Missing("Code of a saved module needs a class for a type that has been in use without one, so the module has to be loaded first. Classes are made at run time");

    /// <summary>Where structs without a class have their fields; null for classes and arrays.</summary>
    internal PayloadLayout? Layout { get; private init; }

    /// <summary>Whether objects of the type have no class of their own.</summary>
    internal bool IsPlain { get; private init; }

    /// <summary>How many fields a struct has.</summary>
    internal int FieldCount => ((StructType)Type.Composite).Fields.Length;

    /// <summary>Whether structs of the type have a descriptor.</summary>
    internal bool HasDescriptor { get; private init; }

    /// <summary>A struct's fields, inherited ones first. An array type has one, for its element.</summary>
    internal FieldInfo[] Fields
    {
        get => field ?? throw NoClass();
        private init;
    } = null!;

    /// <summary>The field with the descriptor, for types that have one.</summary>
    internal FieldInfo? Descriptor { get; private init; }

    /// <summary>Makes a struct with the default of each field.</summary>
    internal ConstructorInfo? Default { get; private init; }

    /// <summary>Makes a struct of its fields' values, the descriptor last; null if there are too many.</summary>
    internal ConstructorInfo? Full { get; private init; }

    /// <summary>The value type of an array's elements.</summary>
    internal Type? Element { get; private init; }

    /// <summary>The most elements an array may have.</summary>
    internal int MaxLength { get; private init; }

    internal ValType StorageOf(int field) =>
        Type.Composite is StructType type ? type.Fields[field].Type : ((ArrayType)Type.Composite).Element.Type;

    /// <summary>The class of a struct or array type; made in the batch if there is none yet.</summary>
    internal static GcClass Of(DefType type, GcBatch batch)
    {
        if (Volatile.Read(ref type.Class) is { } known) return known;
        lock (Gate)
        {
            if (type.Class is { } meanwhile) return meanwhile;
            GcClass made = GcBatch.MakesNone ? MakePlain(type, batch) : type.Composite is StructType ? MakeStruct(type, batch) : MakeArray(type, batch);
            if (!made.IsPlain) ByClrType.Add(made.Clr, made);
            Volatile.Write(ref type.Class, made);
            return made;
        }
    }

    /// <summary>The class of a type of an instance's module. It is there when code of the module has been made that names it.</summary>
    internal static GcClass At(InstanceCore instance, int type) => instance.Types[type].Class!;

    /// <summary>The class of an object; null if it is not a struct or array of the guest.</summary>
    internal static GcClass? OfObject(object value) => value switch
    {
        PlainStruct plain => plain.PlainType,
        PlainArray plain => plain.Type,
        WasmStruct or Array => ByClrType.TryGetValue(value.GetType(), out GcClass? known) ? known : null,
        _ => null,
    };

    /// <summary>The class whose <see cref="Clr"/> or <see cref="Element"/> a type is; null if the type is not a guest's.</summary>
    internal static GcClass? OfClr(Type type) =>
        ByClrType.TryGetValue(type.IsValueType ? type.MakeArrayType() : type, out GcClass? known) ? known : null;

    /// <summary>The CLR type in which a value is stored.</summary>
    internal static Type StorageType(ValType type) => type.Kind switch
    {
        ValKind.I8 => typeof(byte),
        ValKind.I16 => typeof(ushort),
        ValKind.I32 => typeof(int),
        ValKind.I64 => typeof(long),
        ValKind.F32 => typeof(float),
        ValKind.F64 => typeof(double),
        ValKind.V128 => typeof(Vector128<byte>),
        _ => ReferenceEquals(Subtyping.TopOf(type.Heap!), HeapType.Func) ? typeof(FuncRef) : typeof(object),
    };

    private static GcClass MakeStruct(DefType type, GcBatch batch)
    {
        var composite = (StructType)type.Composite;
        GcClass? super = type.Super is { } s ? Of(s, batch) : null;
        Type parent = super?.Clr ?? typeof(WasmStruct);
        TypeAttributes sealing = type.IsFinal ? TypeAttributes.Sealed : 0;
        TypeBuilder builder = batch.Define("struct", TypeAttributes.Public | sealing, parent);
        int inherited = super?.Fields.Length ?? 0;
        var fields = new FieldInfo[composite.Fields.Length];
        for (int i = 0; i < fields.Length; i++)
            fields[i] = i < inherited
                ? super!.Fields[i]
                : builder.DefineField($"f{i}", StorageType(composite.Fields[i].Type), FieldAttributes.Public);
        FieldInfo? descriptor = super?.Descriptor;
        if (type.Descriptor is not null) descriptor ??= builder.DefineField("descriptor", typeof(object), FieldAttributes.Public);

        // No constructor calls its base: those of WasmStruct and object do nothing. Saved code uses none.
        bool hasFull = batch.MakesCode && fields.Length <= MaxConstructorFields && fields.Length + (descriptor is null ? 0 : 1) > 0;
        if (batch.MakesCode) DefineConstructor(builder, [], null);
        if (hasFull) DefineConstructor(builder, fields, descriptor);
        Type clr = batch.Create(builder);
        // Asking for one field goes through all of them.
        var made = clr.GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.DeclaredOnly).ToDictionary(f => f.Name);
        for (int i = inherited; i < fields.Length; i++) fields[i] = made[fields[i].Name];
        if (descriptor is not null && super?.Descriptor is null) descriptor = clr.GetField("descriptor")!;
        return new GcClass(type, batch)
        {
            Clr = clr,
            Fields = fields,
            Descriptor = descriptor,
            HasDescriptor = descriptor is not null,
            Default = clr.GetConstructor([]),
            Full = hasFull ? clr.GetConstructors().First(c => c.GetParameters().Length != 0) : null,
        };
    }

    private static void DefineConstructor(TypeBuilder builder, FieldInfo[] fields, FieldInfo? descriptor)
    {
        FieldInfo[] all = descriptor is null ? fields : [.. fields, descriptor];
        ConstructorBuilder constructor = builder.DefineConstructor(
            MethodAttributes.Public, CallingConventions.Standard, Array.ConvertAll(all, f => f.FieldType));
        constructor.SetImplementationFlags(MethodImplAttributes.IL | MethodImplAttributes.AggressiveInlining);
        ILGenerator il = constructor.GetILGenerator();
        for (int i = 0; i < all.Length; i++)
        {
            il.Emit(OpCodes.Ldarg_0);
            il.Emit(OpCodes.Ldarg, (short)(i + 1));
            il.Emit(OpCodes.Stfld, all[i]);
        }
        il.Emit(OpCodes.Ret);
    }

    private static GcClass MakeArray(DefType type, GcBatch batch)
    {
        ValType storage = ((ArrayType)type.Composite).Element.Type;
        const TypeAttributes Layout = TypeAttributes.Public | TypeAttributes.Sealed | TypeAttributes.SequentialLayout;
        TypeBuilder builder = batch.Define("element", Layout, typeof(ValueType));
        builder.DefineField("value", StorageType(storage), FieldAttributes.Public);
        Type element = batch.Create(builder);
        return new GcClass(type, batch)
        {
            Clr = element.MakeArrayType(),
            Fields = [element.GetField("value")!],
            Element = element,
            MaxLength = MaxLengthOf(storage),
        };
    }

    private static int MaxLengthOf(ValType storage) => MaxArrayBytes / Math.Max(1, storage.IsRef ? 8 : storage.ByteSize);

    private static GcClass MakePlain(DefType type, GcBatch batch) => type.Composite is StructType composite
        ? new GcClass(type, batch)
        {
            IsPlain = true,
            Layout = PayloadLayout.Of(composite),
            HasDescriptor = type.Descriptor is not null || (type.Super is { } super && Of(super, batch).HasDescriptor),
        }
        : new GcClass(type, batch) { IsPlain = true, MaxLength = MaxLengthOf(((ArrayType)type.Composite).Element.Type) };

    // ---- access without generated code ----

    /// <summary>A new array of default elements, as a reference.</summary>
    /// <exception cref="TrapException">Too long.</exception>
    internal object NewArray(int length)
    {
        if ((uint)length > (uint)MaxLength) throw Trap.Make(TrapKind.OutOfMemory, "the array is too long");
        return IsPlain ? new PlainArray(this, NewItems(StorageOf(0), length)) : Maker.Make(length);
    }

    /// <summary>The elements behind a reference to an array.</summary>
    internal static Array ItemsOf(object array) => array is PlainArray plain ? plain.Items : Unsafe.As<Array>(array);

    private static Array NewItems(ValType storage, int length) => storage.Kind switch
    {
        ValKind.I8 => new byte[length],
        ValKind.I16 => new ushort[length],
        ValKind.I32 => new int[length],
        ValKind.I64 => new long[length],
        ValKind.F32 => new float[length],
        ValKind.F64 => new double[length],
        ValKind.V128 => new Vector128<byte>[length],
        _ => new GcArrays.Slot[length],
    };

    /// <summary>Makes arrays of this type.</summary>
    internal ArrayMaker Maker => maker ?? Interlocked.CompareExchange(ref maker, ArrayMaker.Of(Element!), null) ?? maker;

    /// <summary>A new struct of default fields.</summary>
    internal WasmStruct NewStruct()
    {
        if (IsPlain) return new PlainStruct(this);
        // The first time the runtime prepares the class.
        if (!isReady) MakeReady();
        return (WasmStruct)RawObjects.New(RawObjects.MethodTableOf(Clr));
    }

    /// <summary>Prepares a struct's class for <see cref="RawObjects.New"/>.</summary>
    internal void MakeReady()
    {
        RuntimeHelpers.GetUninitializedObject(Clr);
        isReady = true;
    }

    /// <summary>A struct's field as it is stored. One past the last is the descriptor.</summary>
    /// <remarks>Unsafe: the target is a struct of the type or of a subtype, T the type in which the field is stored.</remarks>
    internal ref T Field<T>(object target, int field)
    {
        if (Layout is not { } layout) return ref RawObjects.Field<T>(target, OffsetOf(field));
        var plain = Unsafe.As<PlainStruct>(target);
        if (field == layout.Slots.Length) return ref Unsafe.As<WasmStruct?, T>(ref plain.Described);
        if (typeof(T).IsValueType) return ref Unsafe.As<ulong, T>(ref plain.Words[layout.Slots[field]]);
        return ref Unsafe.As<object?, T>(ref plain.References[layout.Slots[field]]);
    }

    /// <summary>A struct's field's offset; one past the last is the descriptor.</summary>
    internal nint OffsetOf(int field)
    {
        nint[] all = offsets ??= [.. Fields.Append(Descriptor).Select(f => f is null ? -1 : RawObjects.OffsetOf(f))];
        return all[field];
    }
}

