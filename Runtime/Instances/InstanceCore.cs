using WasmJit.Runtime;

namespace WasmJit;

/// <summary>
/// The part of an instance that generated code uses, and its first argument. The public face is <c>WasmJit.Instance</c>. Nothing here is of use
/// outside the engine.
/// </summary>
public abstract unsafe class InstanceCore
{
    private protected InstanceCore() { }

    /// <summary>The first byte of memory 0; it never moves.</summary>
    internal byte* Memory0Base;

    /// <summary>The numeric globals of this instance, 16 bytes each; see <see cref="Global"/>.</summary>
    internal byte* GlobalData;

    internal Memory? Memory0;
    internal Table? Table0;

    /// <summary>All functions, imported ones first; own ones appear when a reference to them is first made.</summary>
    internal FuncRef?[] Funcs = [];

    /// <summary>
    /// The function, if this is the instance of a single one made at run time. Its place is the last of <see cref="Funcs"/>, which all functions of
    /// the scope share, so nothing stands there.
    /// </summary>
    internal FuncRef? MadeFunc;

    internal Memory[] Memories = [];
    internal Table[] Tables = [];
    internal Global[] Globals = [];
    internal Tag[] Tags = [];

    /// <summary>The modules and instances that module linking gave to it.</summary>
    internal ILinkable[] Modules = [];
    internal InstanceCore[] Instances = [];

    /// <summary>The module that the instance was made of; generated code compares it.</summary>
    internal ILinkable OwnModule = null!;

    /// <summary>What all closures of its module share.</summary>
    internal ModuleDefinition Definition = null!;

    /// <summary>The module's type index space, for generated code that needs a type as an object.</summary>
    internal DefType[] Types = [];

    /// <summary>Element segments; a dropped one is empty (spec 4.2.12).</summary>
    internal object?[][] Elems = [];

    /// <summary>Data segments; a dropped one is empty.</summary>
    internal ReadOnlyMemory<byte>[] Datas = NoDatas;

    private static readonly ReadOnlyMemory<byte>[] NoDatas = Segments(0);

    private static ReadOnlyMemory<byte>[] Segments(int count) => new ReadOnlyMemory<byte>[count];

    /// <summary>Results of <c>get_export</c> in this instance's code; one cache for all instances of the module.</summary>
    internal ExportCache ExportCache = null!;

    /// <summary>The type that says what <see cref="ExportValues"/> are; null until the first <c>get_export</c>.</summary>
    internal DefType? ExportType;

    /// <summary>The exports that guests have asked for, in the order of the type.</summary>
    internal object?[] ExportValues = [];

    /// <summary>The services of the layers above.</summary>
    internal InstanceServices Services = null!;

    /// <summary>The fuel that code is charged to; null if the engine does not count.</summary>
    internal Fuel? FuelTank;

    /// <summary>The resources of the guest; null without limits.</summary>
    internal GuestResources? GuestLimits;

    /// <summary>The share of this instance in them.</summary>
    internal ResourceLease? Lease;

    /// <summary>The interpreter's states of the module's own functions; null if the module is not interpreted.</summary>
    internal FunctionState* Functions;

    /// <summary>How many of <see cref="Funcs"/> are imported.</summary>
    internal int ImportedFuncs;

    /// <summary>
    /// The cells and numbers that code precompiled with the module needs of this process; null for code that has them in itself. The same for all instances of
    /// all modules of an assembly.
    /// </summary>
    internal nint* SavedNumbers;

    /// <summary>The makers of arrays that such code needs.</summary>
    internal ArrayMaker?[] SavedMakers = [];

    /// <summary>Notes memory 0 and table 0, which generated code reads without a look into the spaces. These are complete now.</summary>
    internal void NoteFirst()
    {
        if (Memories is [var memory, ..])
        {
            Memory0 = memory;
            Memory0Base = memory.Base;
        }
        if (Tables is [var table, ..]) Table0 = table;
    }

    /// <summary>Generated code stores a loaded value here that is not read, so that the JIT keeps the load and its trap.</summary>
    internal long Scratch64;
    internal double ScratchF64;
    internal ScratchVector Scratch128;

    /// <summary>
    /// Always 0, which the JIT does not know: a number that is combined with it is no longer a constant to the JIT. See <c>Floats.Hide32</c>.
    /// </summary>
    internal int HiddenZero32;
    internal long HiddenZero64;

    /// <summary>Keeps alive the objects that the raw pointers above point into.</summary>
    internal GlobalStorage? GlobalStorage;

    private volatile bool isWithdrawn, isDropped;

    /// <summary>Whether the instance has been disposed of: its functions throw.</summary>
    internal bool IsWithdrawn => isWithdrawn;

    /// <summary>Whether it was a guest that has disposed of it.</summary>
    internal bool IsDropped => isDropped;

    /// <summary>From now on all functions of this instance throw. Calls that are under way go on.</summary>
    /// <param name="byGuest">Whether a guest has dropped it, whose calls then trap.</param>
    internal void Withdraw(bool byGuest = false)
    {
        if (byGuest && !isWithdrawn) isDropped = true;
        isWithdrawn = true;
        // A function that gets its reference now is found here, or its maker sees the mark.
        Interlocked.MemoryBarrier();
        for (int i = 0; i < Funcs.Length; i++)
            if (Volatile.Read(ref Funcs[i]) is { } func && ReferenceEquals(func.Context, this)) func.Withdraw(isDropped);
        Volatile.Read(ref MadeFunc)?.Withdraw(isDropped);
    }

    /// <summary>The reference to a function of this instance, made at first need.</summary>
    internal FuncRef GetFunc(int index) => FindFunc(index) ?? Services.MakeFunc(this, index);

    /// <summary>The same if there is one already.</summary>
    internal FuncRef? FindFunc(int index) => Volatile.Read(ref Funcs[index]) ?? MadeFunc;
}

/// <summary>
/// Room for a vector. It is no <c>Vector128</c>, since ReadyToRun compiles no method that has a parameter of a class with such a field.
/// </summary>
internal struct ScratchVector
{
#pragma warning disable CS0649 // Written through a reference to the whole.
    internal long Low, High;
#pragma warning restore CS0649
}

/// <summary>What <c>func.new</c> asks for.</summary>
/// <param name="Memory">Where body and name are.</param>
/// <param name="Address">Where the body begins.</param>
/// <param name="Length">Its length in bytes.</param>
/// <param name="Name">Where the name begins.</param>
/// <param name="NameLength">Its length in bytes; 0 for none.</param>
/// <param name="Type">The function's type.</param>
/// <param name="Scope">The scope that it sees, by its index in the module.</param>
/// <param name="OrNull">Whether the answer for a body that is not valid is null, and no trap.</param>
internal readonly record struct NewFuncRequest(
    Memory Memory, ulong Address, ulong Length, ulong Name, ulong NameLength, DefType Type, int Scope, bool OrNull);

/// <summary>The engine's services to generated code whose implementation knows bytes and modules.</summary>
internal abstract class InstanceServices
{
    /// <summary>Where memories of the instance are placed, those of <c>memory.new</c> too.</summary>
    internal abstract MemoryPlacement Placement { get; }

    /// <summary>Whether loops of the code test if they are to stop.</summary>
    internal abstract bool IsInterruptible { get; }

    /// <summary>Makes and stores <c>Funcs[index]</c> of an own function.</summary>
    internal abstract FuncRef MakeFunc(InstanceCore instance, int index);

    /// <summary>The fast path of the module's exceptions; null where there is none.</summary>
    internal abstract Unwinder? Unwinder { get; }

    /// <summary>How many bytes of a stack guests may use, counted from where .NET calls them; 0 for all there are.</summary>
    internal virtual long MaximumStack => 0;

    /// <summary>Compiles an own function if need be and gives its code.</summary>
    internal abstract nint CompileFunc(InstanceCore instance, int index);

    /// <summary>Gives a function that is called for the first time register code, or machine code if it cannot be interpreted.</summary>
    internal abstract unsafe void Prepare(InstanceCore instance, FunctionState* function);

    /// <summary>A function has been called often, or its loops have run long. Sets <see cref="FunctionState.Heat"/> to a new value.</summary>
    internal abstract unsafe void OnHot(InstanceCore instance, FunctionState* function);

    /// <summary>The same while a loop runs. Gives the machine code with which the loop goes on; 0 if there is none yet.</summary>
    internal abstract unsafe nint OnHotLoop(InstanceCore instance, FunctionState* function, int loop);

    /// <summary>The name by which stack traces show an own function, as methods of generated code are named.</summary>
    internal abstract string NameOf(int own);

    /// <summary>Where in the module an interpreted function is, given by its number and how many instructions of register code are before the current one.</summary>
    internal abstract FramePlace PlaceOf(int own, int instruction);

    /// <summary>The function that a stub's number stands for, among those of a signature.</summary>
    internal abstract int FuncOfStub(int stubs, int number);

    /// <summary>The method that enters an own function from .NET, if it was saved with the function.</summary>
    internal virtual System.Reflection.MethodInfo? FindEntry(FuncRef func) => null;

    /// <summary><c>compile</c> of the runtime-linking extension; null only when <paramref name="orNull"/>.</summary>
    internal abstract object? Compile(InstanceCore instance, Memory memory, ulong address, ulong length, DefType type, bool orNull);

    /// <summary><c>func.new</c> of the runtime-linking extension; null only if the request allows it.</summary>
    internal abstract FuncRef? NewFunc(InstanceCore instance, in NewFuncRequest request);

    /// <summary>Asks for machine code of an own function, on the fuel of the guest that asks.</summary>
    internal abstract void Optimize(InstanceCore instance, int index, Fuel? fuel);

    /// <summary>Whether an own function has machine code.</summary>
    internal abstract bool IsOptimized(InstanceCore instance, int index);

    /// <summary><c>module.drop</c>.</summary>
    internal abstract void DropModule(InstanceCore instance, object? module);

    /// <summary><c>func.drop</c>.</summary>
    internal abstract void DropFunc(InstanceCore instance, FuncRef func);

    /// <summary><c>code.count</c> and <c>code.size</c>: how many modules and functions there are that the instance has had compiled, and their bytes.</summary>
    internal abstract (long Count, long Bytes) OwnCode(InstanceCore instance);

    /// <summary><c>instantiate $T</c>.</summary>
    internal abstract object? Instantiate(InstanceCore instance, object? module, object?[] args, DefType type, bool orNull);

    /// <summary><c>instantiate (module $M)</c>.</summary>
    internal abstract object InstantiateModule(InstanceCore instance, int module, object?[] args);

    /// <summary><c>ref.instance</c> of the instance that two-level imports of one first name form together.</summary>
    internal abstract object ImpliedInstance(InstanceCore instance, int index);

    /// <summary><c>get_export $I "name"</c>, where the instance's cache does not know the answer.</summary>
    internal abstract object GetExport(InstanceCore instance, InstanceCore target, int number, string name);

    /// <summary>The same by the number that the module's code has for type and name.</summary>
    internal abstract object GetExport(InstanceCore instance, InstanceCore target, int number);

    /// <summary><c>get_export null $mem $X</c>.</summary>
    internal abstract object? GetExport(object? instance, Memory memory, ulong address, ulong length, DefType type);
}
