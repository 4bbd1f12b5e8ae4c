namespace WasmJit.Runtime;

/// <summary>
/// What the interpreter knows of a function that a module defines. The states of a module's functions are an array that lives
/// as long as its code; all zero, a function has never been called.
/// </summary>
internal unsafe struct FunctionState
{
    /// <summary>The register code, or what calls the machine code once there is some; null until the first call.</summary>
    internal Instruction* Code;

    /// <summary>How it is called from outside; null until the first call.</summary>
    internal CallShape* Shape;

    /// <summary>The machine code; 0 if there is none.</summary>
    internal nint Compiled;

    /// <summary>How many slots the frame has: locals first, parameters before all, then operands.</summary>
    internal int Slots, RefSlots;

    /// <summary>Numeric slots that are zero at first: locals that are no parameters.</summary>
    internal int FirstZero, EndZero;

    /// <summary>How many of the reference slots are parameters. The others are null at first.</summary>
    internal int RefParams;

    /// <summary>Counts calls and loops down; below zero the function is hot.</summary>
    internal int Heat;

    /// <summary>How often the heat has been counted down.</summary>
    internal int TimesHot;

    /// <summary>How often it was called.</summary>
    internal int Entries;

    /// <summary>The index among the functions that the module defines.</summary>
    internal int Index;

    /// <summary>Whether the entry that its stub leads to makes tail calls in place of it; see <see cref="CallShape.Tail"/>.</summary>
    internal bool EntryTails;

    /// <summary>Whether somebody has asked for machine code of the function.</summary>
    internal bool IsAsked;
}

/// <summary>How values of a signature lie in slots and registers when calls cross between interpreted and machine code.</summary>
internal unsafe struct CallShape
{
    /// <summary>How the registers of the calling convention are used.</summary>
    internal CallKind Kind;

    /// <summary>How many slots arguments and results take.</summary>
    internal int ParamSlots, RefParams, ResultSlots, RefResults;

    /// <summary>
    /// For the mixed kinds the slots of the arguments in the integer registers behind the first, then of those in the float
    /// registers. Registers that carry none have a slot behind all arguments.
    /// </summary>
    internal fixed byte IntegerSlots[5];
    internal fixed byte FloatSlots[7];

    /// <summary>Of <see cref="CallKind.Typed"/>: the method that calls, see <see cref="InterpreterCalls.Call"/>.</summary>
    internal nint Invoker;

    /// <summary>
    /// The method that calls functions of the signature from the end of an entry, in place of it: R f(object context), with the
    /// arguments at the top of the interpreter's stack. 0 where no interpreted code makes tail calls of the signature.
    /// </summary>
    internal nint Tail;
}

/// <summary>Which way calls between interpreted and machine code go.</summary>
internal enum CallKind
{
    /// <summary>Through a method made for the signature.</summary>
    Typed,

    /// <summary>Integers in registers; the result is an integer or nothing.</summary>
    Integers,

    /// <summary>Numbers in registers; the result is an integer or nothing.</summary>
    Mixed,

    /// <summary>Numbers in registers; the result is a float.</summary>
    MixedToFloat,
}

/// <summary>A call in progress: where its caller goes on, and what is called.</summary>
internal unsafe struct InterpreterFrame
{
    /// <summary>The caller's next instruction.</summary>
    internal Instruction* Ip;

    /// <summary>The caller's slots.</summary>
    internal ulong* Fp;

    /// <summary>The function that was called.</summary>
    internal FunctionState* Function;

    /// <summary>The caller's first reference.</summary>
    internal int Rp;
}
