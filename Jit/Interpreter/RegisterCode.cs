using WasmJit.Runtime;

namespace WasmJit.Jit.Interpreter;

/// <summary>
/// The register code of a function: its instructions, in the first part of an array of a room that is given back when they have been copied, or in a
/// pinned array of their own, the slots of its frame, which of them begin as zeros, and where its handlers of exceptions are (0 for none).
/// </summary>
internal sealed record RegisterCode(Instruction[] Code, int Count, bool IsOwn, TranslationRoom Room, int Slots, int RefSlots, int FirstZero, int EndZero, int Handlers);

/// <summary>What the translator asks of the module's code.</summary>
internal unsafe interface IRegisterTarget
{
    /// <summary>The state of a function that the module defines.</summary>
    FunctionState* StateOf(int func);

    /// <summary>How functions of a type are called; what it points to lives as long as the code.</summary>
    CallShape* ShapeOf(DefType type);

    /// <summary>The same for functions that are tail called.</summary>
    CallShape* TailShapeOf(DefType type);

    /// <summary>Whether accesses of a memory are compared with its length.</summary>
    bool NeedsChecks(MemoryType memory);

    /// <summary>Whether loops look if they are to stop.</summary>
    bool IsInterruptible { get; }

    /// <summary>Whether functions and loops are charged to the instance's fuel.</summary>
    bool CountsFuel { get; }

    /// <summary>Whether functions have register code that would be compiled where that is possible: those with vectors, atomic operators and exceptions.</summary>
    bool TakesAll { get; }

    /// <summary>For tests: all functions spill operands, and have slots for so many results at a time.</summary>
    int? SlotsOfSpilling { get; }
}

/// <summary>A function has something that has no register code, or too much of it. The compiler takes the function.</summary>
/// <param name="what">What it has.</param>
internal sealed class UncoveredException(string what) : Exception(what);
