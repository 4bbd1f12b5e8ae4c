using System.Reflection;
using System.Reflection.Emit;
using WasmJit.Jit.Binary;
using WasmJit.Jit.Calls;
using WasmJit.Runtime;

namespace WasmJit.Jit.Saved;

/// <summary>What saved code needs to know of the process that loads it.</summary>
internal enum ConstantKind : byte
{
    /// <summary>The address of the cells of a module's functions.</summary>
    Cells,

    /// <summary>The number of a type.</summary>
    TypeId,

    /// <summary>The offset of a struct's field; one past the last field is the descriptor.</summary>
    FieldOffset,

    /// <summary>The method table of a struct's class or of an array's.</summary>
    MethodTable,

    /// <summary>An <see cref="ArrayMaker"/>.</summary>
    Maker,
}

/// <summary>A constant: which of a module's types, and which of its fields. Indices that its kind has no use for are 0.</summary>
internal readonly record struct Constant(ConstantKind Kind, int Module, int Type, int Field);

/// <summary>
/// The constants of a saved assembly: static fields of one class that are set once, when it is loaded, before any other of its
/// code is compiled. So RyuJIT takes them for constants: saved code becomes the machine code that it would be if it had not
/// been saved.
/// </summary>
internal sealed class SavedConstants
{
    internal const string ClassName = "Constants";

    private static readonly MethodInfo TakeNumbers = EntryThunk.Method(typeof(SavedConstants), nameof(Numbers));
    private static readonly MethodInfo TakeObjects = EntryThunk.Method(typeof(SavedConstants), nameof(Objects));

    [ThreadStatic]
    private static (long[] Numbers, object?[] Objects)? pending;

    private readonly TypeBuilder builder;
    private readonly IReadOnlyList<ModuleInfo> modules;
    private readonly Dictionary<Constant, FieldBuilder> fields = [];
    private readonly Dictionary<DefType, (int Module, int Type)> types = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<Type, GcClass?> classes = [];

    internal SavedConstants(ModuleBuilder module, IReadOnlyList<ModuleInfo> modules)
    {
        builder = module.DefineType(ClassName, SavedWriter.StaticClass);
        this.modules = modules;
        for (int m = 0; m < modules.Count; m++)
            for (int t = 0; t < modules[m].Types.Count; t++) types.TryAdd(modules[m].Types[t], (m, t));
    }

    /// <summary>The constants so far, in the order of their fields.</summary>
    internal List<Constant> Order { get; } = [];

    internal FieldInfo Cells(ModuleInfo module) => Field(new Constant(ConstantKind.Cells, IndexOf(module), 0, 0));

    internal FieldInfo TypeId(DefType type) => Field(Of(ConstantKind.TypeId, type));

    internal FieldInfo MethodTable(GcClass type) => Field(Of(ConstantKind.MethodTable, type.Type));

    internal FieldInfo Maker(GcClass type) => Field(Of(ConstantKind.Maker, type.Type));

    internal FieldInfo Offset(GcClass type, FieldInfo field)
    {
        int index = field == type.Descriptor ? type.Fields.Length : Array.IndexOf(type.Fields, field);
        return Field(Of(ConstantKind.FieldOffset, type.Type) with { Field = index });
    }

    /// <summary>The class behind a CLR type; null if the type is not a guest's.</summary>
    internal GcClass? ClassOf(Type? type)
    {
        if (type is null or TypeBuilder) return null;
        if (!classes.TryGetValue(type, out GcClass? known)) classes[type] = known = GcClass.OfClr(type);
        return known;
    }

    /// <summary>The number of a module.</summary>
    internal int IndexOf(ModuleInfo module)
    {
        for (int i = 0; i < modules.Count; i++)
            if (ReferenceEquals(modules[i], module)) return i;
        throw new InvalidOperationException("The module is not among those to be saved.");
    }

    private Constant Of(ConstantKind kind, DefType type)
    {
        (int module, int index) = types[type];
        return new Constant(kind, module, index, 0);
    }

    private FieldBuilder Field(Constant constant)
    {
        if (fields.TryGetValue(constant, out FieldBuilder? known)) return known;
        Type type = constant.Kind switch
        {
            ConstantKind.TypeId => typeof(int),
            ConstantKind.Maker => typeof(ArrayMaker),
            _ => typeof(nint),
        };
        const FieldAttributes ReadOnly = FieldAttributes.Public | FieldAttributes.Static | FieldAttributes.InitOnly;
        FieldBuilder made = builder.DefineField($"c{Order.Count}", type, ReadOnly);
        Order.Add(constant);
        return fields[constant] = made;
    }

    /// <summary>Ends the class: its initialiser takes the values that <see cref="Initialise"/> has ready.</summary>
    internal void Finish()
    {
        FieldBuilder owner = builder.DefineField("owner", typeof(object), FieldAttributes.Public | FieldAttributes.Static);
        ILGenerator il = builder.DefineTypeInitializer().GetILGenerator();
        LocalBuilder numbers = il.DeclareLocal(typeof(long[])), objects = il.DeclareLocal(typeof(object[]));
        il.Emit(OpCodes.Call, TakeNumbers);
        il.Emit(OpCodes.Stloc, numbers);
        il.Emit(OpCodes.Call, TakeObjects);
        il.Emit(OpCodes.Stloc, objects);
        for (int i = 0; i < Order.Count; i++)
        {
            bool isObject = Order[i].Kind == ConstantKind.Maker;
            il.Emit(OpCodes.Ldloc, isObject ? objects : numbers);
            il.Emit(OpCodes.Ldc_I4, i);
            il.Emit(isObject ? OpCodes.Ldelem_Ref : OpCodes.Ldelem_I8);
            if (!isObject) il.Emit(Order[i].Kind == ConstantKind.TypeId ? OpCodes.Conv_I4 : OpCodes.Conv_I);
            il.Emit(OpCodes.Stsfld, fields[Order[i]]);
        }
        // What the numbers stand for lives as long as the code.
        il.Emit(OpCodes.Ldloc, objects);
        il.Emit(OpCodes.Ldc_I4, Order.Count);
        il.Emit(OpCodes.Ldelem_Ref);
        il.Emit(OpCodes.Stsfld, owner);
        il.Emit(OpCodes.Ret);
        builder.CreateType();
    }

    /// <summary>Sets the constants of a loaded assembly.</summary>
    /// <param name="type">Its class of constants.</param>
    /// <param name="numbers">The values that are numbers.</param>
    /// <param name="objects">Those that are objects, and last what keeps alive what the numbers stand for.</param>
    internal static void Initialise(Type type, long[] numbers, object?[] objects)
    {
        pending = (numbers, objects);
        try
        {
            System.Runtime.CompilerServices.RuntimeHelpers.RunClassConstructor(type.TypeHandle);
        }
        finally
        {
            pending = null;
        }
    }

    private static long[] Numbers() => (pending ?? throw NotLoaded()).Numbers;

    private static object?[] Objects() => (pending ?? throw NotLoaded()).Objects;

    private static InvalidOperationException NotLoaded() => new("Saved modules are loaded by Engine.LoadSaved alone.");
}
