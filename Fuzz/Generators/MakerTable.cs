using WasmJit.Jit.Binary;
using WasmJit.Jit.Operators;

namespace WasmJit.Fuzz;

/// <summary>Kinds of operators that make values. A kind is chosen first, then one of its makers.</summary>
internal enum MakerKind
{
    /// <summary>Fresh objects.</summary>
    New,
    Global,
    Field,
    Element,

    /// <summary>Elements of tables, the sizes of tables and memories.</summary>
    Table,
    Call,
    /// <summary><c>ref.func</c> and its like.</summary>
    Name,
    /// <summary>Operators of the runtime-linking extension on references and instances.</summary>
    Link,
}

/// <summary>Makes values of a type.</summary>
/// <param name="Kind">How.</param>
/// <param name="Result">The type.</param>
/// <param name="Write">Writes the operators, with their operands, into a body.</param>
/// <param name="Cost">The number of operands that are not null, a number or a name.</param>
internal sealed record Maker(MakerKind Kind, ValType Result, Action<ValueWriter, int> Write, int Cost);

/// <summary>The operators that make values in a frame, by the type of the value.</summary>
internal sealed partial class MakerTable
{
    private readonly Frame frame;
    private readonly List<Maker> all = [];
    private readonly Dictionary<(ValType Type, bool IsPlain), Maker[][]> byType = [];
    private readonly Dictionary<(ValType Type, bool IsPlain), Maker?> simplest = [];

    internal MakerTable(Frame frame)
    {
        this.frame = frame;
        AddObjects();
        AddGlobals();
        AddFields();
        AddTables();
        AddCalls();
        if (frame.IsLinked) AddLinking();
    }

    private ModuleInfo Info => frame.Info;

    /// <summary>A random maker of a type or subtype; null if there is none, or it calls and must not.</summary>
    internal Maker? For(ValType type, TypeChoice choose, bool allowsCalls)
    {
        if (!byType.TryGetValue((type, choose.IsPlain), out Maker[][]? kinds))
        {
            byType[(type, choose.IsPlain)] = kinds = [.. all.Where(m => Subtyping.IsSubtype(m.Result, type) && (!choose.IsPlain || IsPlain(m)))
                .GroupBy(m => m.Kind).Select(g => g.ToArray())];
        }
        if (kinds.Length == 0) return null;
        Maker[] some = choose.Pick(kinds);
        Maker maker = choose.Pick(some);
        return maker.Kind == MakerKind.Call && !allowsCalls ? null : maker;
    }

    /// <summary>The maker with the simplest operands, for the end of the budget.</summary>
    internal Maker? Simplest(ValType type, bool isPlain)
    {
        if (simplest.TryGetValue((type, isPlain), out Maker? known)) return known;
        return simplest[(type, isPlain)] = all
            .Where(m => Subtyping.IsSubtype(m.Result, type) && m.Kind is MakerKind.New or MakerKind.Name or MakerKind.Global && (!isPlain || IsPlain(m)))
            .MinBy(m => (m.Cost, m.Kind == MakerKind.New));
    }

    /// <summary>Whether a maker uses only what the interpreter knows: of what is new memories, tables, globals, slices and instances, and no objects.</summary>
    private static bool IsPlain(Maker maker) => maker.Kind switch
    {
        MakerKind.Global or MakerKind.Table or MakerKind.Call or MakerKind.Name or MakerKind.Link => true,
        MakerKind.New => maker.Result.Heap is DefType { Composite: EntityType } or ExactModuleType || ReferenceEquals(maker.Result.Heap, HeapType.Slice),
        _ => false,
    };

    private void Add(MakerKind kind, ValType result, Action<ValueWriter, int> write, int cost = 0) => all.Add(new Maker(kind, result, write, cost));

    private static ValType NotNull(HeapType heap) => ValType.Ref(heap, false);

    private static ValType Nullable(HeapType heap) => ValType.Ref(heap, true);

    private uint IndexOf(DefType type) => frame.IndexOf(type)!.Value;

    private void AddObjects()
    {
        foreach (DefType type in frame.Structs)
        {
            var fields = ((StructType)type.Composite).Fields;
            void New(ValueWriter b, int d)
            {
                foreach (FieldType field in fields) b.Push(field.Type.Unpacked, d - 1);
                b.Body.Emit(OpId.StructNew, IndexOf(type));
                b.Body.Apply(fields.Length, NotNull(type));
            }
            Add(MakerKind.New, NotNull(type), New, fields.Count(f => !f.Type.IsDefaultable));
            if (!fields.All(f => f.Type.IsDefaultable)) continue;
            Add(MakerKind.New, NotNull(type), (b, _) =>
            {
                b.Body.Emit(OpId.StructNewDefault, IndexOf(type));
                b.Body.Apply(0, NotNull(type));
            });
        }
        foreach (DefType type in frame.Arrays) AddArray(type, ((ArrayType)type.Composite).Element.Type);
        Add(MakerKind.New, NotNull(HeapType.I31), (b, d) =>
        {
            b.Push(ValType.I32, d - 1);
            b.Body.Emit(OpId.RefI31);
            b.Body.Apply(1, NotNull(HeapType.I31));
        });
        for (int i = 0; i < Info.Funcs.Count; i++)
        {
            int index = i;
            ValType result = NotNull(Info.Funcs[i].Type);
            Add(MakerKind.Name, result, (b, _) =>
            {
                b.Body.Emit(OpId.RefFunc, (uint)index);
                b.Body.Apply(0, result);
            });
        }
    }

    private void AddArray(DefType type, ValType element)
    {
        ValType result = NotNull(type);
        void Add(Action<ValueWriter, int> write) => this.Add(MakerKind.New, result, write);
        Add((b, d) =>
        {
            int count = b.Choose.Below(5);
            for (int i = 0; i < count; i++) b.Push(element.Unpacked, d - 1);
            b.Body.Emit(OpId.ArrayNewFixed, IndexOf(type), (uint)count);
            b.Body.Apply(count, result);
        });
        Add((b, d) =>
        {
            b.Push(element.Unpacked, d - 1);
            b.Index(6);
            b.Body.Emit(OpId.ArrayNew, IndexOf(type));
            b.Body.Apply(2, result);
        });
        if (element.IsDefaultable)
        {
            Add((b, _) =>
            {
                b.Index(6);
                b.Body.Emit(OpId.ArrayNewDefault, IndexOf(type));
                b.Body.Apply(1, result);
            });
        }
        if (!element.IsRef)
        {
            Add((b, _) =>
            {
                b.Index(4);
                b.Index(3);
                b.Body.Emit(OpId.ArrayNewData, IndexOf(type), 0);
                b.Body.Apply(2, result);
            });
        }
        for (int i = 0; i < Info.Elems.Count; i++)
        {
            uint segment = (uint)i;
            if (!Subtyping.IsSubtype(Info.Elems[i].Type, element) || Info.Elems[i].Mode != SegmentMode.Passive) continue;
            Add((b, _) =>
            {
                b.Index(2);
                b.Index(2);
                b.Body.Emit(OpId.ArrayNewElem, IndexOf(type), segment);
                b.Body.Apply(2, result);
            });
        }
    }

    private void AddGlobals()
    {
        // Global 0 is the fuel.
        for (int i = 1; i < Info.Globals.Count; i++)
        {
            uint index = (uint)i;
            ValType type = Info.Globals[i].Type.Type;
            Add(MakerKind.Global, type, (b, _) =>
            {
                b.Body.Emit(OpId.GlobalGet, index);
                b.Body.Apply(0, type);
            });
        }
    }

    private void AddFields()
    {
        foreach (DefType type in frame.Structs)
        {
            var fields = ((StructType)type.Composite).Fields;
            for (int i = 0; i < fields.Length; i++)
            {
                uint field = (uint)i;
                ValType storage = fields[i].Type;
                Add(MakerKind.Field, storage.Unpacked, (b, d) =>
                {
                    b.Push(NotNull(type), d);
                    b.Body.Emit(!storage.IsPacked ? OpId.StructGet : b.Choose.OneIn(2) ? OpId.StructGetS : OpId.StructGetU, IndexOf(type), field);
                    b.Body.Apply(1, storage.Unpacked);
                });
            }
        }
        foreach (DefType type in frame.Arrays)
        {
            ValType storage = ((ArrayType)type.Composite).Element.Type;
            Add(MakerKind.Element, storage.Unpacked, (b, d) =>
            {
                b.Push(NotNull(type), d);
                b.Index(2);
                b.Body.Emit(!storage.IsPacked ? OpId.ArrayGet : b.Choose.OneIn(2) ? OpId.ArrayGetS : OpId.ArrayGetU, IndexOf(type));
                b.Body.Apply(2, storage.Unpacked);
            });
        }
        Add(MakerKind.Field, ValType.I32, (b, d) =>
        {
            b.Push(NotNull(HeapType.Array), d);
            b.Body.Emit(OpId.ArrayLen);
            b.Body.Apply(1, ValType.I32);
        });
        Add(MakerKind.Field, ValType.I32, (b, d) =>
        {
            b.Push(NotNull(HeapType.I31), d);
            b.Body.Emit(b.Choose.OneIn(2) ? OpId.I31GetS : OpId.I31GetU);
            b.Body.Apply(1, ValType.I32);
        });
    }

    private void AddTables()
    {
        for (int i = 0; i < Info.Tables.Count; i++)
        {
            uint index = (uint)i;
            TableType table = Info.Tables[i].Type;
            Add(MakerKind.Table, table.Element, (b, _) =>
            {
                b.Index(3, table.Is64);
                b.Body.Emit(OpId.TableGet, index);
                b.Body.Apply(1, table.Element);
            });
            Add(MakerKind.Table, table.AddressType, (b, _) =>
            {
                b.Body.Emit(OpId.TableSize, index);
                b.Body.Apply(0, table.AddressType);
            });
        }
        for (int i = 0; i < Info.Memories.Count; i++)
        {
            uint index = (uint)i;
            ValType address = Info.Memories[i].AddressType;
            Add(MakerKind.Table, address, (b, _) =>
            {
                b.Body.Emit(OpId.MemorySize, index);
                b.Body.Apply(0, address);
            });
        }
    }

    private void AddCalls()
    {
        for (int i = 0; i < Info.Funcs.Count; i++)
        {
            uint index = (uint)i;
            FuncType type = Info.Funcs[i].Func;
            if (type.Results.Length != 1) continue;
            Add(MakerKind.Call, type.Results[0], (b, d) =>
            {
                foreach (ValType parameter in type.Params) b.Push(parameter, d - 1);
                b.Body.Emit(OpId.Call, index);
                b.Body.Apply(type.Params.Length, type.Results[0]);
            });
        }
        foreach (DefType def in frame.Funcs)
        {
            var type = (FuncType)def.Composite;
            if (type.Results.Length != 1 || !frame.HasFunction(def)) continue;
            Add(MakerKind.Call, type.Results[0], (b, d) =>
            {
                foreach (ValType parameter in type.Params) b.Push(parameter, d - 1);
                b.Push(b.Choose.OneIn(8) ? Nullable(def) : NotNull(def), d);
                b.Body.Emit(OpId.CallRef, IndexOf(def));
                b.Body.Apply(type.Params.Length + 1, type.Results[0]);
            });
        }
        for (int i = 0; i < Info.Tables.Count; i++)
        {
            if (!ReferenceEquals(Subtyping.TopOf(Info.Tables[i].Type.Element.Heap!), HeapType.Func)) continue;
            uint table = (uint)i;
            DefType def = Info.Tables[i].Type.Element.Heap as DefType ?? Info.Funcs[Info.ImportedFuncs].Type;
            var type = (FuncType)def.Composite;
            if (type.Results.Length != 1) continue;
            Add(MakerKind.Call, type.Results[0], (b, d) =>
            {
                foreach (ValType parameter in type.Params) b.Push(parameter, d - 1);
                b.Index(b.Choose.OneIn(3) ? 3 : 1);
                b.Body.Emit(OpId.CallIndirect, IndexOf(def), table);
                b.Body.Apply(type.Params.Length + 1, type.Results[0]);
            });
        }
    }
}
