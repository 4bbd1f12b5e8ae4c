namespace WasmJit.Runtime;

/// <summary>
/// The interpreter's state of a function that a module defines. The states of a module's functions are an array that lives as long as its code. A
/// function whose state is all zero has never been called.
/// </summary>
internal unsafe struct FunctionState
{
    /// <summary>The register code, or an instruction that calls the machine code once there is some; null until the first call.</summary>
    internal Instruction* Code;

    /// <summary>The register code that it was first given, also when <see cref="Code"/> is another by now.</summary>
    internal Instruction* Translated;

    /// <summary>How it is called from outside; null until the first call.</summary>
    internal CallShape* Shape;

    /// <summary>The machine code; 0 if there is none.</summary>
    internal nint Compiled;

    /// <summary>How many slots the frame has: locals first, parameters before all, then operands.</summary>
    internal int Slots, RefSlots;

    /// <summary>Numeric slots that are zero at first: locals that are not parameters.</summary>
    internal int FirstZero, EndZero;

    /// <summary>How many of the reference slots are parameters. The others start as null.</summary>
    internal int RefParams;

    /// <summary>Counts calls and loops down; below zero the function is hot.</summary>
    internal int Heat;

    /// <summary>How often the heat has been counted down.</summary>
    internal int TimesHot;

    /// <summary>How often it was called.</summary>
    internal int Entries;

    /// <summary>The index among the functions that the module defines.</summary>
    internal int Index;

    /// <summary>How many instructions <see cref="Translated"/> has.</summary>
    internal int TranslatedLength;

    /// <summary>Where behind the instructions its handlers of exceptions are (<see cref="ExceptionTable"/>); 0 if there are none.</summary>
    internal int Handlers;

    /// <summary>Whether the entry that its stub leads to makes its tail calls; see <see cref="CallShape.Tail"/>.</summary>
    internal bool EntryTails;

    /// <summary>Whether machine code of the function has been asked for.</summary>
    internal bool IsAsked;

    /// <summary>Whether a part of what makes it hot has been counted down; the rest follows.</summary>
    internal bool IsWarm;

    /// <summary>Whether a thread is making its register code.</summary>
    internal bool IsTranslating;
}

/// <summary>How values of a signature lie in slots and registers when calls cross between interpreted and machine code.</summary>
internal unsafe struct CallShape
{
    /// <summary>How the registers of the calling convention are used.</summary>
    internal CallKind Kind;

    /// <summary>How many slots arguments and results take.</summary>
    internal int ParamSlots, RefParams, ResultSlots, RefResults;

    /// <summary>
    /// For the mixed kinds: the slots of the arguments in the integer registers behind the first, then of those in the float registers. Registers
    /// without an argument have a slot behind all arguments.
    /// </summary>
    internal fixed byte IntegerSlots[5];
    internal fixed byte FloatSlots[7];

    /// <summary>
    /// For <see cref="CallKind.Typed"/>: the method that calls, see <see cref="InterpreterCalls.Call"/>; 0 until there has been such a call.
    /// </summary>
    internal nint Invoker;

    /// <summary>For <see cref="CallKind.Typed"/>: a weak handle of the <see cref="IInvokers"/> that makes it, which lives as long as code with the shape.</summary>
    internal nint Invokers;

    /// <summary>
    /// The method that calls functions of the signature at the end of an entry and in its place: R f(object context), with the arguments at the top
    /// of the interpreter's stack. 0 if no interpreted code makes tail calls of the signature.
    /// </summary>
    internal nint Tail;
}

/// <summary>Makes the method with which the interpreter calls machine code of a signature.</summary>
internal interface IInvokers
{
    /// <summary>The method: void f(InterpreterThread, object context, nint code, nint slots, int firstReference).</summary>
    nint Invoker { get; }
}

/// <summary>The way of calls between interpreted and machine code.</summary>
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

    /// <summary>In slots, without code: this process can make none (<see cref="SlotCalls"/>).</summary>
    Slots,
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
