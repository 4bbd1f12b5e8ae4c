using WasmJit.Jit.Binary;
using WasmJit.Jit.Emit;
using WasmJit.Jit.Il;
using WasmJit.Jit.Tiers;

namespace WasmJit.Jit.Saved;

/// <summary>Code for a saved assembly: what is an address or a number of this process comes from the assembly's constants.</summary>
internal sealed class SavedTarget(SavedConstants constants, CodeOptions options) : ICodeTarget
{
    /// <summary>The functions whose cells are read: they must lead somewhere from the start.</summary>
    internal SortedSet<(int Module, int Func)> Called { get; } = [];

    /// <summary>What it learns is about code of one process: saved code throws as .NET does.</summary>
    public Runtime.Unwinder? Unwinder => null;

    public bool HasStackMap => SavedHeader.HasStackMap;

    public bool IsInterruptible => options.IsInterruptible;

    public bool CountsFuel => options.CountsFuel;

    /// <summary>Saved code is for runs without a profile.</summary>
    public bool TakesSamples => false;

    // What is saved is for use.
    public bool Verifies => false;

    public bool Inlines => options.Inlines;

    public void LoadCode(IlBuffer il, ModuleInfo module, int func)
    {
        Called.Add((constants.IndexOf(module), func));
        constants.CodeAt(il, il.Tail, module, func);
    }

    public int LoadStackMapAt(IlBuffer il, int after) => constants.StackMapAt(il, after);

    public void LoadTypeId(IlBuffer il, DefType type) => constants.TypeIdAt(il, il.Tail, type);

    public bool NeedsChecks(MemoryType memory) => options.ChecksMemories || !Memory.CanBeGuarded(memory);
}
