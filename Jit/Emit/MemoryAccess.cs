namespace WasmJit.Jit.Emit;

/// <summary>The target of a load, store or atomic operator: an own memory, one behind a reference, or a slice.</summary>
internal readonly struct MemoryAccess
{
    /// <summary>The type of the memory; null for a slice.</summary>
    internal MemoryType? Type { get; init; }

    /// <summary>The index of an own memory; -1 for the others.</summary>
    internal int Memory { get; init; }

    /// <summary>The reference, which has been taken out of the operand stack.</summary>
    internal Operand Reference { get; init; }

    /// <summary>The data kept beside the local that the reference is in; null if it is in none that keeps a base.</summary>
    internal ReferenceLocal? Local { get; init; }

    /// <summary>
    /// The local and the constant whose sum is the index, of an access to a memory of the function's own instance; for all others the place is -1.
    /// </summary>
    internal (int Place, ulong Addend) Index { get; init; } = (-1, 0);

    /// <summary>The parts of an index on the IL stack.</summary>
    internal IndexParts Parts { get; init; }

    /// <summary>The most that the index can be.</summary>
    internal ulong IndexMax { get; init; } = ulong.MaxValue;

    public MemoryAccess()
    {
    }

    /// <summary>Whether it is proved to be inside its memory, and code relies on that although nothing is compared.</summary>
    internal bool IsProved { get; init; }

    internal bool IsSlice => Type is null;

    internal bool IsReference => Memory < 0;

    internal bool Is64 => Type is null || Type.Is64;

    /// <summary>Whether the reference may be null as far as is proved.</summary>
    internal bool MayBeNull { get; init; }
}

/// <summary>
/// A local with a reference to a memory or slice through which the function accesses it. The base and limits that accesses need are in IL locals
/// beside it, brought up to date wherever the local is written, so a loop that only accesses does not load them again.
/// </summary>
internal sealed class ReferenceLocal(int baseLocal, bool isSlice, bool isCompared)
{
    /// <summary>How many extents of a slice have a limit of their own.</summary>
    internal const int MaxLimits = 4;

    internal bool IsSlice { get; } = isSlice;

    /// <summary>Whether accesses to memories of the local's type are compared with the length.</summary>
    internal bool IsCompared { get; } = isCompared;

    /// <summary>The IL local with the base.</summary>
    internal int Base { get; } = baseLocal;

    /// <summary>
    /// The IL local with the memory, or what stands for null, where accesses are compared with the length; -1 if there is none yet.
    /// </summary>
    internal int Checked { get; set; } = -1;

    /// <summary>For a slice the IL local with the number of offsets for each extent, for loads and for stores.</summary>
    internal Dictionary<(ulong Extent, bool Writes), int> Limits { get; } = [];
}
