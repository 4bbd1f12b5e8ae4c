using System.Collections.Immutable;

namespace WasmJit;

/// <summary>
/// A defined type: a member of a recursion group, canonical across all modules of the process, so that reference
/// equality is type equality (spec 3.1, rolled types).
/// </summary>
public sealed class DefType : HeapType
{
    private static int nextId;

    private CompositeType? composite;
    private int id;

    /// <summary>A member that is still being built; <see cref="Define"/> and <see cref="RecGroup.Canonicalise"/> finish it.</summary>
    internal DefType() { }

    /// <summary>The structure.</summary>
    public CompositeType Composite => composite ?? throw new InvalidOperationException("The type is still being built.");

    /// <summary>Whether it can have no subtypes.</summary>
    public bool IsFinal { get; private set; }

    /// <summary>The declared supertype, or null.</summary>
    public DefType? Super { get; private set; }

    /// <summary>The struct that describes objects of this type (custom-descriptors), or null.</summary>
    public DefType? Descriptor { get; private set; }

    /// <summary>The struct that this type describes (custom-descriptors), or null.</summary>
    public DefType? Describes { get; private set; }

    /// <summary>The number of declared supertypes above.</summary>
    internal int Depth { get; private set; }

    internal RecGroup? Group { get; private set; }

    /// <summary>The index within the recursion group.</summary>
    internal int IndexInGroup { get; private set; }

    internal bool IsDefined => composite is not null;

    /// <summary>A number unique in the process; generated code compares it. Never 0.</summary>
    internal int Id
    {
        get
        {
            if (id == 0)
            {
                int fresh = Interlocked.Increment(ref nextId);
                if (fresh < 0) throw new InsufficientMemoryException("Too many WebAssembly types in one process.");
                Interlocked.CompareExchange(ref id, fresh, 0);
            }
            return id;
        }
    }

    /// <summary>The .NET class of a struct or array type, once there is one.</summary>
    internal Runtime.GcClass? Class;

    /// <summary>Whether the type is compared by its structure. Then it contains the types that it names.</summary>
    internal bool Nests => composite is ModuleType or InstanceType or EntityType;

    /// <summary>The result of <see cref="TypeSize"/>.</summary>
    internal TypeSize.Measure? NestingMeasure;

    /// <summary>Results of structural comparisons with other types, so that each pair is walked through once.</summary>
    internal System.Runtime.CompilerServices.ConditionalWeakTable<DefType, object>? Compared;

    /// <summary>The type as a function type, or null.</summary>
    internal FuncType? AsFunc => composite as FuncType;

    internal void Define(CompositeType type, bool isFinal, DefType? super, DefType? descriptor = null, DefType? describes = null)
    {
        composite = type;
        IsFinal = isFinal;
        Super = super;
        Descriptor = descriptor;
        Describes = describes;
        Depth = super is null ? 0 : super.Depth + 1;
    }

    internal void Join(RecGroup group, int index)
    {
        Group = group;
        IndexInGroup = index;
    }

    /// <summary>The canonical final type without supertypes of a structure, alone in its group.</summary>
    public static DefType Of(CompositeType composite)
    {
        var type = new DefType();
        type.Define(composite, isFinal: true, super: null);
        return RecGroup.Canonicalise([type])[0];
    }

    /// <inheritdoc/>
    public override string ToString() => composite is null ? "?" : TypePrinter.Print(this);
}

/// <summary>A recursion group whose members are final.</summary>
internal sealed class RecGroup(ImmutableArray<DefType> members)
{
    internal ImmutableArray<DefType> Members { get; } = members;

    /// <summary>
    /// Gives the canonical members equal to the ones just built. References among the members compare by their index,
    /// all others by identity, as they are canonical already (spec 3.1.2, type equivalence).
    /// </summary>
    internal static ImmutableArray<DefType> Canonicalise(DefType[] fresh) => TypeCanon.Canonicalise(fresh);
}

/// <summary>Prints the structure of types that can refer to themselves, to a bounded depth and length.</summary>
internal static class TypePrinter
{
    /// <summary>Error messages carry types; the types are the guest's.</summary>
    private const int MaxLength = 4000;

    [ThreadStatic]
    private static int depth;

    internal static string Print(DefType type)
    {
        if (depth >= 3) return "...";
        depth++;
        try
        {
            return type.Composite.ToString()!;
        }
        finally
        {
            depth--;
        }
    }

    /// <summary>A head, items and a closing parenthesis, cut off when it gets long.</summary>
    internal static string List(string head, IEnumerable<string> items)
    {
        var text = new System.Text.StringBuilder(head);
        foreach (string item in items)
        {
            if (text.Length + item.Length > MaxLength)
            {
                text.Append(" ...");
                break;
            }
            text.Append(item);
        }
        return text.Append(')').ToString();
    }

    internal static string Quote(string name) =>
        name.Length <= 200 ? $"\"{name}\"" : $"\"{name[..200]}...\"";
}
