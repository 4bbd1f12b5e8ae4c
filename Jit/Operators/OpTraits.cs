namespace WasmJit.Jit.Operators;

/// <summary>
/// What is true of an operator, from the last column of its row. All code that asks such a question reads it here; no other
/// file has a list of operators of its own. In the table the names are written in lower case with hyphens.
/// </summary>
[Flags]
internal enum OpTraits : uint
{
    None = 0,

    /// <summary>Opens a block: an <c>end</c> (or <c>delegate</c>) belongs to it.</summary>
    Opens = 1 << 0,

    /// <summary>Ends one part of a block and begins the next.</summary>
    Divides = 1 << 1,

    /// <summary>Ends a block.</summary>
    Closes = 1 << 2,

    /// <summary>Opens a block whose label is its start.</summary>
    Loops = 1 << 3,

    /// <summary>Begins or ends a region in which exceptions are caught, or a handler.</summary>
    Handles = 1 << 4,

    /// <summary>May go to a label.</summary>
    Branches = 1 << 5,

    /// <summary>Never goes on to the next operator, which is unreachable.</summary>
    Ends = 1 << 6,

    /// <summary>Throws an exception itself. Functions that it calls may throw, too.</summary>
    Throws = 1 << 7,

    /// <summary>Calls a function, or runs the start function of an instance. With <see cref="Ends"/> it is a tail call.</summary>
    Calls = 1 << 8,

    /// <summary>May stand in constant expressions.</summary>
    Constant = 1 << 9,

    /// <summary>Reads the contents or the size of a memory.</summary>
    ReadsMemory = 1 << 11,

    /// <summary>Writes the contents or the size of a memory.</summary>
    WritesMemory = 1 << 12,

    /// <summary>Reads the elements or the size of a table.</summary>
    ReadsTable = 1 << 13,

    /// <summary>Writes the elements or the size of a table.</summary>
    WritesTable = 1 << 14,

    ReadsGlobal = 1 << 15,
    WritesGlobal = 1 << 16,
    ReadsLocal = 1 << 17,
    WritesLocal = 1 << 18,

    /// <summary>Reads a field of a struct.</summary>
    ReadsField = 1 << 19,
    WritesField = 1 << 20,

    /// <summary>Reads elements of a GC array.</summary>
    ReadsElement = 1 << 21,
    WritesElement = 1 << 22,

    /// <summary>Accesses memory atomically; the alignment must be the natural one.</summary>
    Atomic = 1 << 23,

    /// <summary>Extends a packed field, element, lane or i31 with its sign.</summary>
    Signed = 1 << 24,

    /// <summary>Extends a packed field, element, lane or i31 with zeros.</summary>
    Unsigned = 1 << 25,

    /// <summary>Reads the low lanes of its vectors alone.</summary>
    ReadsLow = 1 << 26,

    /// <summary>With one operand of zeros or ones the other one may not matter.</summary>
    Absorbs = 1 << 27,
}

/// <summary>What an operator adds to the word that it shares with another operator in the text format.</summary>
internal enum OpForm : byte
{
    /// <summary>It has a word of its own.</summary>
    None,

    /// <summary>Yields null, or takes it, where the other traps: <c>compile null</c>, <c>ref.test (ref null ...)</c>.</summary>
    Null,

    /// <summary>Works on a reference in place of an index: <c>memory.size (ref $t)</c>.</summary>
    Ref,

    /// <summary>Names a module in place of a type: <c>instantiate (module $m)</c>.</summary>
    Module,

    /// <summary>Says its type: <c>select (result t)</c>.</summary>
    Typed,
}
