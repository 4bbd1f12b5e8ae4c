namespace WasmJit;

/// <summary>
/// The parts of WebAssembly beyond its first version that modules may use. The host may switch off parts that its guests are not to use. A module
/// that uses one is then invalid.
/// </summary>
[Flags]
public enum Features
{
    /// <summary>The first version's operators, and the small additions that every tool takes for granted (sign extension, saturating conversions, bulk memory, multiple values).</summary>
    None = 0,

    /// <summary><c>externref</c>, operators on tables, and more than one table.</summary>
    ReferenceTypes = 1 << 0,

    /// <summary>128-bit vectors.</summary>
    Simd = 1 << 1,

    /// <summary>The vector operators whose results may depend on the machine.</summary>
    RelaxedSimd = 1 << 2,

    /// <summary>Tail calls.</summary>
    TailCalls = 1 << 3,

    /// <summary>Typed references to functions, and <c>call_ref</c>.</summary>
    FunctionReferences = 1 << 4,

    /// <summary>Structures, arrays and casts.</summary>
    Gc = 1 << 5,

    /// <summary>Tags, <c>throw</c> and <c>try_table</c>.</summary>
    Exceptions = 1 << 6,

    /// <summary><c>try</c> with its handlers, which compilers wrote before <c>try_table</c> was.</summary>
    LegacyExceptions = 1 << 7,

    /// <summary>More than one memory.</summary>
    MultiMemory = 1 << 8,

    /// <summary>Memories and tables with 64-bit addresses.</summary>
    Memory64 = 1 << 9,

    /// <summary>Shared memories and atomic operators.</summary>
    Threads = 1 << 10,

    /// <summary>Memories with pages of one byte.</summary>
    CustomPageSizes = 1 << 11,

    /// <summary>128-bit addition, subtraction and multiplication.</summary>
    WideArithmetic = 1 << 12,

    /// <summary>
    /// Descriptors of structures, exact types. Their specification also lets <c>br_on_cast</c> go from any type to any
    /// other of the same hierarchy, where version 3.0 asks for a subtype.
    /// </summary>
    CustomDescriptors = 1 << 13,

    /// <summary>What version 3.0 of WebAssembly has.</summary>
    Wasm3 = ReferenceTypes | Simd | RelaxedSimd | TailCalls | FunctionReferences | Gc | Exceptions | MultiMemory | Memory64,

    /// <summary>Everything.</summary>
    All = Wasm3 | LegacyExceptions | Threads | CustomPageSizes | WideArithmetic | CustomDescriptors,
}
