using WasmJit.Jit.Binary;
using WasmJit.Jit.Il;
using WasmJit.Runtime;

namespace WasmJit.Jit.Emit;

/// <summary>The difference between code for this process and code saved to a file: how constants and cells are reached.</summary>
internal interface ICodeTarget
{
    /// <summary>
    /// Pushes the address of the code of a function that is a module's own: of the module being compiled, or of one that is
    /// nested in it or in an enclosing module.
    /// </summary>
    void LoadCode(IlBuffer il, ModuleInfo module, int func);

    /// <summary>Pushes the address of the stack guard's map.</summary>
    int LoadStackMapAt(IlBuffer il, int after);

    /// <summary>Pushes the number of a type.</summary>
    void LoadTypeId(IlBuffer il, DefType type);

    /// <summary>Whether accesses of a memory are compared with its length in code.</summary>
    bool NeedsChecks(MemoryType memory);

    /// <summary>Whether <see cref="LoadStackMapAt"/> has a map to give.</summary>
    bool HasStackMap { get; }

    /// <summary>Whether loops test if they are to stop.</summary>
    bool IsInterruptible { get; }

    /// <summary>Whether functions and loops are charged to the instance's fuel.</summary>
    bool CountsFuel { get; }

    /// <summary>Whether a charge that cannot be paid takes a sample (<see cref="GuestSampler"/>) and goes on.</summary>
    bool TakesSamples { get; }

    /// <summary>The fast path of exceptions; null if the runtime throws them all.</summary>
    Unwinder? Unwinder { get; }

    /// <summary>Whether small functions are inlined into their callers.</summary>
    bool Inlines { get; }

    /// <summary>Whether code asserts what it relies on: the verifying mode (<see cref="EmitterAssertions"/>).</summary>
    bool Verifies { get; }
}
