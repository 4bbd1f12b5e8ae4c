namespace WasmJit.Fuzz;

/// <summary>Random decisions, on types in particular.</summary>
/// <param name="frame">The module.</param>
/// <param name="random">Where decisions come from.</param>
/// <param name="isPlain">Whether the function has only what the interpreter knows.</param>
internal sealed class TypeChoice(Frame frame, Random random, bool isPlain = false)
{
    private static readonly ValType[] Numbers = [ValType.I32, ValType.I64, ValType.F32, ValType.F64, ValType.V128];

    internal Random Random => random;

    /// <summary>
    /// Whether the function has only what the interpreter knows: no vectors, objects, casts, exceptions, atomics. Functions with everything are
    /// compiled in each mode.
    /// </summary>
    internal bool IsPlain => isPlain;

    internal T Pick<T>(IReadOnlyList<T> list) => list[random.Next(list.Count)];

    /// <summary>Whether one in so many cases has come.</summary>
    internal bool OneIn(int count) => random.Next(count) == 0;

    internal int Below(int limit) => random.Next(limit);

    internal ValType SomeType()
    {
        if (!isPlain) return random.Next(4) == 0 ? Pick(Numbers) : Pick(frame.References);
        if (OneIn(2)) return Numbers[random.Next(4)];
        // Many types have no value but null where nothing makes objects.
        ValType type = Pick(frame.References);
        return OneIn(4) ? type : ValType.Ref(type.Heap!, true);
    }

    /// <summary>A type or subtype that code can name.</summary>
    internal ValType Between(ValType type)
    {
        for (int i = 0; i < 6; i++)
        {
            ValType other = Pick(frame.References);
            if (IsSubtype(other, type)) return other;
        }
        return type;
    }

    /// <summary>A supertype; the top type if none was found.</summary>
    internal ValType Above(ValType type)
    {
        if (OneIn(3)) return ValType.Ref(Subtyping.TopOf(type.Heap!), true);
        for (int i = 0; i < 12; i++)
        {
            ValType other = Pick(frame.References);
            if (IsSubtype(type, other)) return other;
        }
        return ValType.Ref(Subtyping.TopOf(type.Heap!), true);
    }

    internal static bool IsSubtype(ValType sub, ValType super) => Subtyping.IsSubtype(sub, super);

    internal static ValType NotNullRef(HeapType heap) => ValType.Ref(heap, false);

    /// <summary>The type of a value after a failed cast to another type.</summary>
    internal static ValType Without(ValType type, ValType cast) => cast.IsNullable ? type.AsNonNull : type;

    internal static AbstractHeapType BottomOf(HeapType heap)
    {
        AbstractHeapType top = Subtyping.TopOf(heap);
        return ReferenceEquals(top, HeapType.Func) ? HeapType.NoFunc : ReferenceEquals(top, HeapType.Extern) ? HeapType.NoExtern
            : ReferenceEquals(top, HeapType.Exn) ? HeapType.NoExn : HeapType.None;
    }
}
