using System.Collections.Immutable;
using System.Runtime.CompilerServices;

namespace WasmJit;

/// <summary>
/// The table of canonical recursion groups, shared by all engines of the process. It holds groups weakly: a type that no
/// module, instance or object uses any more is forgotten.
/// </summary>
internal static class TypeCanon
{
    /// <summary>After so many new groups, and so many collections that can have found old ones, the table is looked through.</summary>
    private const int LeastToSweep = 4096, SweepEvery = 4;

    private static readonly Lock Gate = new();
    private static readonly Dictionary<int, List<WeakReference<RecGroup>>> Groups = [];
    private static int added;
    private static int sweptAfter;

    internal static ImmutableArray<DefType> Canonicalise(DefType[] fresh)
    {
        for (int i = 0; i < fresh.Length; i++) fresh[i].Join(null!, i);
        var group = new RecGroup([.. fresh]);
        for (int i = 0; i < fresh.Length; i++) fresh[i].Join(group, i);
        var comparer = new Comparer(group);
        int hash = comparer.Hash();
        lock (Gate)
        {
            if (!Groups.TryGetValue(hash, out List<WeakReference<RecGroup>>? bucket)) Groups[hash] = bucket = [];
            for (int i = bucket.Count - 1; i >= 0; i--)
            {
                if (!bucket[i].TryGetTarget(out RecGroup? known)) bucket.RemoveAt(i);
                else if (comparer.SameAs(known)) return known.Members;
            }
            bucket.Add(new WeakReference<RecGroup>(group));
            // Only a collection of the oldest generation surely finds those that are gone.
            if (++added >= LeastToSweep && (added >= Groups.Count || GC.CollectionCount(2) >= sweptAfter + SweepEvery)) Sweep();
        }
        return group.Members;
    }

    private static void Sweep()
    {
        added = 0;
        sweptAfter = GC.CollectionCount(2);
        foreach ((int hash, List<WeakReference<RecGroup>> bucket) in Groups)
        {
            bucket.RemoveAll(static weak => !weak.TryGetTarget(out _));
            if (bucket.Count == 0) Groups.Remove(hash);
        }
    }

    /// <summary>Structural hash and equality of groups; <paramref name="own"/> is the group just built.</summary>
    private readonly struct Comparer(RecGroup own)
    {
        internal int Hash()
        {
            var hash = new HashCode();
            foreach (DefType member in own.Members)
            {
                hash.Add(member.IsFinal);
                Add(ref hash, member.Super);
                Add(ref hash, member.Descriptor);
                Add(ref hash, member.Describes);
                Add(ref hash, member.Composite);
            }
            return hash.ToHashCode();
        }

        private void Add(ref HashCode hash, HeapType? type)
        {
            switch (type)
            {
                case null: hash.Add(0); break;
                case ExactType exact: hash.Add(7); Add(ref hash, exact.Type); break;
                case DefType def when ReferenceEquals(def.Group, own): hash.Add(def.IndexInGroup + 1); break;
                default: hash.Add(RuntimeHelpers.GetHashCode(type)); break;
            }
        }

        private void Add(ref HashCode hash, ValType type)
        {
            hash.Add(type.Kind);
            hash.Add(type.IsNullable);
            Add(ref hash, type.Heap);
        }

        private void Add(ref HashCode hash, CompositeType composite)
        {
            hash.Add(composite.GetType());
            switch (composite)
            {
                case FuncType func:
                    hash.Add(func.Params.Length);
                    foreach (ValType p in func.Params) Add(ref hash, p);
                    foreach (ValType r in func.Results) Add(ref hash, r);
                    break;
                case StructType type:
                    foreach (FieldType field in type.Fields) Add(ref hash, field);
                    break;
                case ArrayType array:
                    Add(ref hash, array.Element);
                    break;
                case EntityType entity:
                    Add(ref hash, entity.Entity);
                    break;
                case ModuleType module:
                    foreach (ImportType import in module.Imports)
                    {
                        hash.Add(import.Module);
                        hash.Add(import.Name);
                        Add(ref hash, import.Type);
                    }
                    foreach (ExportType export in module.Exports) Add(ref hash, export);
                    break;
                case InstanceType instance:
                    foreach (ExportType export in instance.Exports) Add(ref hash, export);
                    break;
            }
        }

        private void Add(ref HashCode hash, FieldType field)
        {
            hash.Add(field.IsMutable);
            Add(ref hash, field.Type);
        }

        private void Add(ref HashCode hash, ExportType export)
        {
            hash.Add(export.Name);
            Add(ref hash, export.Type);
        }

        private void Add(ref HashCode hash, ExternType type)
        {
            hash.Add(type.Kind);
            hash.Add(type.IsExact);
            switch (type.Payload)
            {
                case DefType def: Add(ref hash, def); break;
                case TableType table:
                    Add(ref hash, table.Element);
                    hash.Add((table.Minimum, table.Maximum, table.Is64, table.IsShared));
                    break;
                case GlobalType global: Add(ref hash, global.Type); hash.Add(global.IsMutable); break;
                case MemoryType memory: hash.Add(memory); break;
            }
        }

        internal bool SameAs(RecGroup other)
        {
            if (own.Members.Length != other.Members.Length) return false;
            for (int i = 0; i < own.Members.Length; i++)
            {
                DefType a = own.Members[i], b = other.Members[i];
                if (a.IsFinal != b.IsFinal || !Same(a.Super, b.Super, other) || !Same(a.Descriptor, b.Descriptor, other)
                    || !Same(a.Describes, b.Describes, other) || !Same(a.Composite, b.Composite, other))
                    return false;
            }
            return true;
        }

        private bool Same(HeapType? a, HeapType? b, RecGroup other)
        {
            if (a is ExactType x) return b is ExactType y && Same(x.Type, y.Type, other);
            if (a is DefType m && ReferenceEquals(m.Group, own))
                return b is DefType n && ReferenceEquals(n.Group, other) && m.IndexInGroup == n.IndexInGroup;
            return ReferenceEquals(a, b);
        }

        private bool Same(ValType a, ValType b, RecGroup other) =>
            a.Kind == b.Kind && a.IsNullable == b.IsNullable && Same(a.Heap, b.Heap, other);

        private bool Same(ImmutableArray<ValType> a, ImmutableArray<ValType> b, RecGroup other)
        {
            if (a.Length != b.Length) return false;
            for (int i = 0; i < a.Length; i++)
                if (!Same(a[i], b[i], other)) return false;
            return true;
        }

        private bool Same(FieldType a, FieldType b, RecGroup other) => a.IsMutable == b.IsMutable && Same(a.Type, b.Type, other);

        private bool Same(ExternType a, ExternType b, RecGroup other)
        {
            if (a.Kind != b.Kind || a.IsExact != b.IsExact) return false;
            return (a.Payload, b.Payload) switch
            {
                (DefType x, DefType y) => Same(x, y, other),
                (MemoryType x, MemoryType y) => x == y,
                (TableType x, TableType y) => Same(x.Element, y.Element, other) && x with { Element = y.Element } == y,
                (GlobalType x, GlobalType y) => x.IsMutable == y.IsMutable && Same(x.Type, y.Type, other),
                _ => false,
            };
        }

        private bool Same(ImmutableArray<ExportType> a, ImmutableArray<ExportType> b, RecGroup other)
        {
            if (a.Length != b.Length) return false;
            for (int i = 0; i < a.Length; i++)
                if (a[i].Name != b[i].Name || !Same(a[i].Type, b[i].Type, other)) return false;
            return true;
        }

        private bool Same(CompositeType a, CompositeType b, RecGroup other)
        {
            switch (a, b)
            {
                case (FuncType x, FuncType y):
                    return Same(x.Params, y.Params, other) && Same(x.Results, y.Results, other);
                case (StructType x, StructType y):
                    if (x.Fields.Length != y.Fields.Length) return false;
                    for (int i = 0; i < x.Fields.Length; i++)
                        if (!Same(x.Fields[i], y.Fields[i], other)) return false;
                    return true;
                case (ArrayType x, ArrayType y):
                    return Same(x.Element, y.Element, other);
                case (EntityType x, EntityType y):
                    return Same(x.Entity, y.Entity, other);
                case (InstanceType x, InstanceType y):
                    return Same(x.Exports, y.Exports, other);
                case (ModuleType x, ModuleType y):
                    if (x.Imports.Length != y.Imports.Length) return false;
                    for (int i = 0; i < x.Imports.Length; i++)
                    {
                        ImportType p = x.Imports[i], q = y.Imports[i];
                        if (p.Module != q.Module || p.Name != q.Name || !Same(p.Type, q.Type, other)) return false;
                    }
                    return Same(x.Exports, y.Exports, other);
                default:
                    return false;
            }
        }
    }
}
