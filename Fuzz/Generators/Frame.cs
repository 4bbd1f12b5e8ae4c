using WasmJit.Jit.Binary;
using WasmJit.Jit.Format;

namespace WasmJit.Fuzz;

/// <summary>A valid module whose functions get new bodies: the index spaces and types that code can name.</summary>
internal sealed class Frame
{
    private readonly byte[] bytes;
    private readonly Dictionary<DefType, uint> typeIndices = new(ReferenceEqualityComparer.Instance);

    internal Frame(byte[] bytes)
    {
        this.bytes = bytes;
        Info = ModuleDecoder.Decode(bytes);
        for (int i = 0; i < Info.Types.Count; i++) typeIndices.TryAdd(Info.Types[i], (uint)i);
        References = [.. AllReferences().Where(t => !ReferenceEquals(t.Heap, HeapType.None))];
        Structs = [.. Info.Types.Where(t => t.Composite is StructType).Distinct()];
        Arrays = [.. Info.Types.Where(t => t.Composite is ArrayType).Distinct()];
        Funcs = [.. Info.Types.Where(t => t.Composite is FuncType).Distinct()];
        IsLinked = Info.LinkingUse is not null;
    }

    internal ModuleInfo Info { get; }

    /// <summary>The operators that make values in this module.</summary>
    internal MakerTable Makers => field ??= new MakerTable(this);

    /// <summary>Whether code may use the runtime-linking extension.</summary>
    internal bool IsLinked { get; }

    /// <summary>The reference types that locals and blocks may have.</summary>
    internal IReadOnlyList<ValType> References { get; }

    internal IReadOnlyList<DefType> Structs { get; }
    internal IReadOnlyList<DefType> Arrays { get; }
    internal IReadOnlyList<DefType> Funcs { get; }

    /// <summary>The types of entities of a kind that the module names.</summary>
    internal IEnumerable<DefType> Entities(ExternKind kind) =>
        Info.Types.Where(t => t.Composite is EntityType e && e.Entity.Kind == kind);

    /// <summary>The index of a type, null if the module has none for it.</summary>
    internal uint? IndexOf(DefType type) => typeIndices.TryGetValue(type, out uint index) ? index : null;

    /// <summary>Whether the module has a function of the type, or of a subtype.</summary>
    internal bool HasFunction(DefType type) => Info.Funcs.Any(f => Subtyping.IsSubtype(f.Type, type));

    /// <summary>Whether code can name a type.</summary>
    internal bool CanName(ValType type) => type.Heap is not DefType def || typeIndices.ContainsKey(def);

    /// <summary>The reference type of an entity of the module.</summary>
    internal static ValType EntityRef(ExternType type) => ValType.Ref(DefType.Of(new EntityType(type)), false);

    private IEnumerable<ValType> AllReferences()
    {
        List<HeapType> heaps = [HeapType.Any, HeapType.Any, HeapType.Eq, HeapType.Struct, HeapType.Array, HeapType.I31, HeapType.Func, HeapType.Extern, HeapType.Exn];
        if (Info.LinkingUse is not null)
        {
            heaps.AddRange([HeapType.Memory, HeapType.Table, HeapType.Global, HeapType.Tag, HeapType.Slice, HeapType.Slice, HeapType.Instance, HeapType.Module]);
            heaps.AddRange(Info.Modules.Select(m => m.Exact));
        }
        heaps.AddRange(Info.Types.Where(t => t.Composite is StructType));
        heaps.AddRange(Info.Types);
        foreach (HeapType heap in heaps)
        {
            yield return ValType.Ref(heap, true);
            yield return ValType.Ref(heap, true);
            yield return ValType.Ref(heap, false);
        }
    }

    /// <summary>The module with other bodies.</summary>
    /// <param name="bodies">The locals and code of each function that is not imported, without the length.</param>
    internal byte[] With(IReadOnlyList<ByteWriter> bodies)
    {
        var code = new ByteWriter();
        code.U32((uint)bodies.Count);
        foreach (ByteWriter body in bodies) code.Sized(body);
        var module = new ByteWriter();
        module.Bytes(bytes.AsSpan(0, 8));
        var reader = new ByteReader(bytes, 8, bytes.Length);
        bool hasDataCount = false;
        while (!reader.AtEnd)
        {
            byte id = reader.U8();
            int size = (int)reader.U32();
            ReadOnlySpan<byte> content = bytes.AsSpan(reader.Position, size);
            reader.Position += size;
            hasDataCount |= id == SectionId.DataCount;
            // Code may name data segments only behind a data count section.
            if (id == SectionId.Code && !hasDataCount && Info.Datas.Count > 0)
            {
                var count = new ByteWriter();
                count.U32((uint)Info.Datas.Count);
                module.U8(SectionId.DataCount);
                module.Sized(count);
            }
            module.U8(id);
            if (id == SectionId.Code)
            {
                module.Sized(code);
            }
            else
            {
                module.U32((uint)size);
                module.Bytes(content);
            }
        }
        return module.ToArray();
    }
}
