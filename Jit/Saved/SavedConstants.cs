using System.Reflection;
using System.Reflection.Emit;
using WasmJit.Jit.Binary;
using WasmJit.Jit.Calls;
using WasmJit.Jit.Il;
using WasmJit.Runtime;
using static WasmJit.Jit.Il.IlBuffer;

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

    /// <summary>The address of the map of <see cref="StackGuard"/>.</summary>
    StackMap,

    /// <summary>The size of the frame of a function with a guard; its field is the number of the guard. The loader sets it before the guard is called.</summary>
    Frame,

    /// <summary>The code of such a function, likewise.</summary>
    Guarded,
}

/// <summary>A constant: which of a module's types, and which of its fields. Indices that its kind has no use for are 0.</summary>
internal readonly record struct Constant(ConstantKind Kind, int Module, int Type, int Field);

/// <summary>
/// The constants of a saved assembly. Of a portable one they are static fields of one class that are set once, when it is loaded, before any other of its
/// code is compiled. So RyuJIT takes them for constants: saved code becomes the machine code that it would be if it had not
/// been saved. Code that is compiled ahead cannot know them, and static fields would cost it a call; it finds them through the instance
/// (<see cref="InstanceCore.SavedNumbers"/>), which every method has as its first argument: first the cells of all modules, then the numbers.
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
    private readonly bool isNative;
    private readonly int[] firstCells;

    /// <summary>Where each constant is among those of <see cref="Order"/>, and the fields for them, of which native code has none.</summary>
    private readonly Dictionary<Constant, int> indices = [];
    private readonly List<FieldBuilder> fields = [];
    private readonly Dictionary<DefType, (int Module, int Type)> types = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<Type, GcClass?> classes = [];

    internal SavedConstants(ModuleBuilder module, IReadOnlyList<ModuleInfo> modules, bool isNative)
    {
        builder = module.DefineType(ClassName, SavedWriter.StaticClass);
        this.modules = modules;
        this.isNative = isNative;
        firstCells = FirstCells(modules);
        for (int m = 0; m < modules.Count; m++)
            for (int t = 0; t < modules[m].Types.Count; t++) types.TryAdd(modules[m].Types[t], (m, t));
    }

    /// <summary>The constants so far, in the order of their fields or numbers.</summary>
    internal List<Constant> Order { get; } = [];

    // ---- loading them; each returns the new position ----

    /// <summary>Pushes the code address in the cell of a function.</summary>
    internal int CodeAt(IlBuffer il, int at, ModuleInfo module, int func)
    {
        int index = IndexOf(module), own = func - module.ImportedFuncs;
        if (isNative)
        {
            at = il.FieldAt(il.LdargAt(at, 0), OpCodes.Ldfld, Members.SavedNumbers);
            return CellAt(il, at, firstCells[index] + own);
        }
        return CellAt(il, il.FieldAt(at, OpCodes.Ldsfld, Field(new Constant(ConstantKind.Cells, index, 0, 0))), own);
    }

    private static int CellAt(IlBuffer il, int at, int index)
    {
        if (index != 0) at = il.EmitAt(il.LdcI4At(at, index * sizeof(long)), OpCodes.Add);
        return il.EmitAt(at, OpCodes.Ldind_I);
    }

    /// <summary>For each module the number of cells before its own; last, the number of all cells.</summary>
    internal static int[] FirstCells(IReadOnlyList<ModuleInfo> modules)
    {
        var first = new int[modules.Count + 1];
        for (int i = 0; i < modules.Count; i++) first[i + 1] = first[i] + modules[i].Funcs.Count - modules[i].ImportedFuncs;
        return first;
    }

    internal int StackMapAt(IlBuffer il, int at) =>
        isNative ? LoadAt(il, at, new Constant(ConstantKind.StackMap, 0, 0, 0)) : il.FieldAt(at, OpCodes.Ldsfld, Members.StackMap);

    internal int TypeIdAt(IlBuffer il, int at, DefType type) => LoadAt(il, at, Of(ConstantKind.TypeId, type));

    internal int OffsetAt(IlBuffer il, int at, GcClass type, FieldInfo field)
    {
        int index = field == type.Descriptor ? type.Fields.Length : Array.IndexOf(type.Fields, field);
        return LoadAt(il, at, Of(ConstantKind.FieldOffset, type.Type) with { Field = index });
    }

    /// <summary>Puts the load of a class's method table into the place of an instruction.</summary>
    internal int MethodTableInPlace(IlBuffer il, int at, GcClass type) => LoadInPlace(il, at, Of(ConstantKind.MethodTable, type.Type));

    /// <summary>The same of an array's maker.</summary>
    internal int MakerInPlace(IlBuffer il, int at, GcClass type) => LoadInPlace(il, at, Of(ConstantKind.Maker, type.Type));

    /// <summary>Pushes what a guard, in code that is compiled ahead, must know of its function: <see cref="ConstantKind.Frame"/> or <see cref="ConstantKind.Guarded"/>.</summary>
    internal void LoadOfGuard(ILGenerator il, ConstantKind kind, int module, int guard)
    {
        il.Emit(OpCodes.Ldarg_0);
        il.Emit(OpCodes.Ldfld, Members.SavedNumbers);
        il.Emit(OpCodes.Ldc_I4, (firstCells[^1] + Index(new Constant(kind, module, 0, guard))) * sizeof(long));
        il.Emit(OpCodes.Add);
        il.Emit(OpCodes.Ldind_I8);
    }

    private int LoadAt(IlBuffer il, int at, Constant constant) =>
        isNative ? ReadAt(il, il.LdargAt(at, 0), constant) : il.FieldAt(at, OpCodes.Ldsfld, Field(constant));

    private int LoadInPlace(IlBuffer il, int at, Constant constant)
    {
        if (isNative)
        {
            il.Replace(at, OpCodes.Ldarg_0);
            return ReadAt(il, at, constant);
        }
        il.Replace(at, OpCodes.Ldsfld, Form.Field, Field(constant));
        return at;
    }

    /// <summary>Reads a constant through the instance on the stack.</summary>
    private int ReadAt(IlBuffer il, int at, Constant constant)
    {
        int index = Index(constant);
        if (constant.Kind == ConstantKind.Maker)
        {
            at = il.LdcI4At(il.FieldAt(at, OpCodes.Ldfld, Members.SavedMakers), index);
            return il.EmitAt(at, OpCodes.Ldelem_Ref);
        }
        at = CellAt(il, il.FieldAt(at, OpCodes.Ldfld, Members.SavedNumbers), firstCells[^1] + index);
        return constant.Kind == ConstantKind.TypeId ? il.EmitAt(at, OpCodes.Conv_I4) : at;
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

    private int Index(Constant constant)
    {
        if (indices.TryGetValue(constant, out int known)) return known;
        Order.Add(constant);
        return indices[constant] = Order.Count - 1;
    }

    private FieldBuilder Field(Constant constant)
    {
        int index = Index(constant);
        if (index < fields.Count) return fields[index];
        Type type = constant.Kind switch
        {
            ConstantKind.TypeId => typeof(int),
            ConstantKind.Maker => typeof(ArrayMaker),
            _ => typeof(nint),
        };
        const FieldAttributes ReadOnly = FieldAttributes.Public | FieldAttributes.Static | FieldAttributes.InitOnly;
        FieldBuilder made = builder.DefineField($"c{index}", type, ReadOnly);
        fields.Add(made);
        return made;
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
        for (int i = 0; i < fields.Count; i++)
        {
            bool isObject = Order[i].Kind == ConstantKind.Maker;
            il.Emit(OpCodes.Ldloc, isObject ? objects : numbers);
            il.Emit(OpCodes.Ldc_I4, i);
            il.Emit(isObject ? OpCodes.Ldelem_Ref : OpCodes.Ldelem_I8);
            if (!isObject) il.Emit(Order[i].Kind == ConstantKind.TypeId ? OpCodes.Conv_I4 : OpCodes.Conv_I);
            il.Emit(OpCodes.Stsfld, fields[i]);
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
