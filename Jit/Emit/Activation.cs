using WasmJit.Jit.Binary;

namespace WasmJit.Jit.Emit;

/// <summary>The use of an instance's memories and globals through raw pointers.</summary>
internal sealed class InstanceUse(int local)
{
    /// <summary>The local with the instance; -1 for the function's argument.</summary>
    internal int Local { get; } = local;

    /// <summary>By memory, the local with its base.</summary>
    internal Dictionary<uint, int> MemoryBases { get; } = [];

    /// <summary>By memory, the local with the object, where accesses are compared with its length.</summary>
    internal Dictionary<uint, int> MemoryObjects { get; } = [];

    /// <summary>Whether raw pointers are used at all.</summary>
    internal bool UsesMemory { get; set; }

    /// <summary>
    /// Where the instance must still be alive if its memory or globals are in use: loops, which may have no end, and ways
    /// out that are not a return. The JIT knows only uses; an instance without any is garbage.
    /// </summary>
    internal List<int> KeepAlives { get; } = [];
}

/// <summary>A function whose code is being emitted: the whole, or one put into it.</summary>
internal sealed class Activation(ModuleInfo module, int index, InstanceUse use, Activation? caller, int frameBase, int stackBase)
{
    internal ModuleInfo Module { get; } = module;
    internal int Index { get; } = index;
    internal FuncInfo Func { get; } = module.Funcs[index];
    internal InstanceUse Use { get; } = use;
    internal Activation? Caller { get; } = caller;

    /// <summary>The function's own control frame.</summary>
    internal int FrameBase { get; } = frameBase;

    /// <summary>How many operands there are below its own.</summary>
    internal int StackBase { get; } = stackBase;

    /// <summary>What was proved of its operands.</summary>
    internal ProvenTypes Proven { get; } = new(module, index);

    /// <summary>What <c>local.get</c> gives: a place, or what stands for a parameter that is never written.</summary>
    internal Operand[] Locals { get; set; } = [];

    /// <summary>Temporaries that end with the activation.</summary>
    internal List<int> Temps { get; } = [];

    /// <summary>What the function's loops do.</summary>
    internal LoopWrites Loops => field ??= new LoopWrites(this);

    /// <summary>The place of a local; -1 if something else stands for it.</summary>
    internal int PlaceOf(int local) => Locals[local] is { Kind: OperandKind.Local } operand ? operand.Index : -1;

    /// <summary>The local that has a place of its own; -1 if the place is of no local of this function.</summary>
    internal int LocalAt(int place)
    {
        // Those of the function that is compiled are numbered as their places.
        if (Caller is null) return place < Locals.Length ? place : -1;
        for (int local = 0; local < Locals.Length; local++)
            if (PlaceOf(local) == place) return local;
        return -1;
    }
}
