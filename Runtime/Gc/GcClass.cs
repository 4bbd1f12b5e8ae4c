using System.Reflection;
using System.Reflection.Emit;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace WasmJit.Runtime;

/// <summary>
/// The CLR type behind a struct or array type: objects are found by the .NET collector, and casts are the CLR's own type checks.
/// A struct type is a class with a typed field for each field, derived from its supertype's class. An array type is an array of
/// a value type of its own, which holds the element: such arrays have typed elements without a check at stores, and for a final
/// type the cast is one comparison.
/// </summary>
internal sealed class GcClass
{
    /// <summary>Structs with more fields than this are made without arguments, and filled.</summary>
    internal const int MaxConstructorFields = 24;

    /// <summary>An array's most bytes.</summary>
    internal const int MaxArrayBytes = 1 << 30;

    private static readonly Lock Gate = new();
    private static readonly ConditionalWeakTable<Type, GcClass> ByClrType = [];

    private Delegate?[]? getters;
    private Delegate?[]? setters;
    private Func<int, Array>? newArray;
    private Func<WasmStruct>? newStruct;

    private GcClass(DefType type) => Type = type;

    internal DefType Type { get; }

    /// <summary>The class of a struct; the array type (<c>Element[]</c>) of an array.</summary>
    internal Type Clr { get; private init; } = null!;

    /// <summary>A struct's fields, inherited ones first. Of an array type the one field of its element.</summary>
    internal FieldInfo[] Fields { get; private init; } = [];

    /// <summary>Where a struct of a type with a descriptor has it.</summary>
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
        if (Volatile.Read(ref type.Runtime) is GcClass known) return known;
        lock (Gate)
        {
            if (type.Runtime is GcClass meanwhile) return meanwhile;
            GcClass made = type.Composite is StructType ? MakeStruct(type, batch) : MakeArray(type, batch);
            ByClrType.Add(made.Clr, made);
            Volatile.Write(ref type.Runtime, made);
            return made;
        }
    }

    /// <summary>The class of an object; null if it is no struct or array of the guest.</summary>
    internal static GcClass? OfObject(object value) =>
        value is WasmStruct or Array && ByClrType.TryGetValue(value.GetType(), out GcClass? known) ? known : null;

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

        // No constructor calls its base: those of WasmStruct and object do nothing.
        DefineConstructor(builder, [], null);
        bool hasFull = fields.Length <= MaxConstructorFields && fields.Length + (descriptor is null ? 0 : 1) > 0;
        if (hasFull) DefineConstructor(builder, fields, descriptor);
        Type clr = builder.CreateType();
        // Asking for one field goes through all of them.
        var made = clr.GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.DeclaredOnly).ToDictionary(f => f.Name);
        for (int i = inherited; i < fields.Length; i++) fields[i] = made[fields[i].Name];
        if (descriptor is not null && super?.Descriptor is null) descriptor = clr.GetField("descriptor")!;
        return new GcClass(type)
        {
            Clr = clr,
            Fields = fields,
            Descriptor = descriptor,
            Default = clr.GetConstructor([])!,
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
        Type element = builder.CreateType();
        return new GcClass(type)
        {
            Clr = element.MakeArrayType(),
            Fields = [element.GetField("value")!],
            Element = element,
            MaxLength = MaxArrayBytes / Math.Max(1, storage.IsRef ? 8 : storage.ByteSize),
        };
    }

    // ---- access without generated code ----

    /// <summary>A new array of default elements.</summary>
    /// <exception cref="TrapException">Too long.</exception>
    internal Array NewArray(int length)
    {
        if ((uint)length > (uint)MaxLength) throw Trap.Make(TrapKind.OutOfMemory, "the array is too long");
        if (newArray is null)
        {
            var method = new DynamicMethod("new array", typeof(Array), [typeof(int)], typeof(GcClass).Module, true);
            ILGenerator il = method.GetILGenerator();
            il.Emit(OpCodes.Ldarg_0);
            il.Emit(OpCodes.Newarr, Element!);
            il.Emit(OpCodes.Ret);
            newArray = method.CreateDelegate<Func<int, Array>>();
        }
        return newArray(length);
    }

    /// <summary>A new struct of default fields.</summary>
    internal WasmStruct NewStruct()
    {
        if (newStruct is null)
        {
            var method = new DynamicMethod("new struct", typeof(WasmStruct), [], typeof(GcClass).Module, true);
            ILGenerator il = method.GetILGenerator();
            il.Emit(OpCodes.Newobj, Default!);
            il.Emit(OpCodes.Ret);
            newStruct = method.CreateDelegate<Func<WasmStruct>>();
        }
        return newStruct();
    }

    /// <summary>Reads a struct's field as it is stored: <c>Func&lt;object, T&gt;</c>. One past the last is the descriptor.</summary>
    internal Func<object, T> Getter<T>(int field)
    {
        getters ??= new Delegate?[Fields.Length + 1];
        if (getters[field] is Func<object, T> known) return known;
        FieldInfo info = field == Fields.Length ? Descriptor! : Fields[field];
        var method = new DynamicMethod("get field", typeof(T), [typeof(object)], typeof(GcClass).Module, true);
        ILGenerator il = method.GetILGenerator();
        il.Emit(OpCodes.Ldarg_0);
        il.Emit(OpCodes.Ldfld, info);
        il.Emit(OpCodes.Ret);
        Func<object, T> made = method.CreateDelegate<Func<object, T>>();
        getters[field] = made;
        return made;
    }

    /// <summary>Writes a struct's field.</summary>
    internal Action<object, T> Setter<T>(int field)
    {
        setters ??= new Delegate?[Fields.Length + 1];
        if (setters[field] is Action<object, T> known) return known;
        FieldInfo info = field == Fields.Length ? Descriptor! : Fields[field];
        var method = new DynamicMethod("set field", null, [typeof(object), typeof(T)], typeof(GcClass).Module, true);
        ILGenerator il = method.GetILGenerator();
        il.Emit(OpCodes.Ldarg_0);
        il.Emit(OpCodes.Ldarg_1);
        il.Emit(OpCodes.Stfld, info);
        il.Emit(OpCodes.Ret);
        Action<object, T> made = method.CreateDelegate<Action<object, T>>();
        setters[field] = made;
        return made;
    }
}

/// <summary>
/// Where a module's classes are made: one collectible assembly, so that they go together when no object, module or type of them
/// is left.
/// </summary>
internal sealed class GcBatch
{
    private ModuleBuilder? module;
    private int count;

    internal TypeBuilder Define(string kind, TypeAttributes attributes, Type parent)
    {
        if (module is null)
        {
            var assembly = AssemblyBuilder.DefineDynamicAssembly(new AssemblyName("wasm types"), AssemblyBuilderAccess.RunAndCollect);
            // Fields of function references have a type that is internal here.
            ConstructorInfo friend = typeof(IgnoresAccessChecksToAttribute).GetConstructor([typeof(string)])!;
            assembly.SetCustomAttribute(new CustomAttributeBuilder(friend, [typeof(GcBatch).Assembly.GetName().Name]));
            module = assembly.DefineDynamicModule("wasm types");
        }
        return module.DefineType($"{kind}{count++}", attributes, parent);
    }
}
