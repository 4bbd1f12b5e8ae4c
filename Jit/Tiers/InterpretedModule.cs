using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using WasmJit.Jit.Calls;
using WasmJit.Jit.Emit;
using WasmJit.Jit.Interpreter;
using WasmJit.Runtime;

namespace WasmJit.Jit.Tiers;

/// <summary>The register code of a module's functions, made at their first call.</summary>
/// <remarks>Unsafe: states, code and shapes lie in pinned arrays that this object keeps; the module's code keeps this object.</remarks>
internal sealed unsafe class InterpretedModule : IRegisterTarget
{
    /// <summary>How many instructions are allocated at a time at least.</summary>
    private const int SmallestBlock = 256, LargestBlock = 16 << 10;

    /// <summary>
    /// Compiling takes as long as a thousand calls or so of a function's instructions in the interpreter, and is done beside it.
    /// </summary>
    private const int CallsUntilHot = 1000;

    /// <summary>How often a loop whose function is hot looks whether there is machine code for it.</summary>
    private const int IterationsUntilNextLook = 1 << 14;

    /// <summary>What a function does that has machine code.</summary>
    private static readonly Instruction[] InvokeCode = MakeInvokeCode();

    private readonly CompiledModule module;
    private readonly Lock gate = new();
    private readonly FunctionState[] states;
    private readonly HashSet<object> kept = [];
    private Instruction[] block = [];
    private int used;

    /// <summary>Machine code that begins at the head of a loop; 0 while it is being made, or if that failed.</summary>
    private Dictionary<(int Own, int Loop), nint>? loopCode;

    internal InterpretedModule(CompiledModule module, int functions)
    {
        this.module = module;
        states = GC.AllocateArray<FunctionState>(functions, pinned: true);
        States = (FunctionState*)Unsafe.AsPointer(ref states[0]);
    }

    internal FunctionState* States { get; }

    private static Instruction[] MakeInvokeCode()
    {
        Instruction[] code = GC.AllocateArray<Instruction>(1, pinned: true);
        code[0].Op = RegisterOp.Invoke;
        return code;
    }

    /// <summary>
    /// Whether functions of a signature are compiled when they are called from outside of the interpreter. Vectors are not interpreted; and a
    /// method that takes many values apart has a frame for which nobody has looked whether there is room.
    /// </summary>
    internal static bool IsCompiledAtOnce(Signature signature) => signature.HasVectors || signature.PassedBytes > MostPassed;

    private const int MostPassed = 1024;

    /// <summary>What a function's cell holds as long as it is interpreted.</summary>
    internal nint EntryOf(int func)
    {
        Signature signature = Signature.Of(module.Info.Funcs[func].Type);
        CallKind kind = CallShapes.KindOf(signature);
        return kind == CallKind.Typed ? 0 : EntryPages.For(func - module.Info.ImportedFuncs, kind == CallKind.MixedToFloat, module.Info.State.HasTailCalls);
    }

    /// <summary>Gives a function register code, or machine code if it has something that only the compiler knows.</summary>
    internal void Prepare(FunctionState* state)
    {
        int own = (int)(state - States);
        int func = own + module.Info.ImportedFuncs;
        lock (gate)
        {
            if (state->Code is not null) return;
            InitialiseState(state, own);
            if (RegisterTranslator.TryTranslate(module.Info, func, this) is { } code)
            {
                state->Slots = Math.Max(code.Slots, Math.Max(state->Shape->ParamSlots, state->Shape->ResultSlots));
                state->RefSlots = Math.Max(code.RefSlots, Math.Max(state->Shape->RefParams, state->Shape->RefResults));
                state->FirstZero = code.FirstZero;
                state->EndZero = code.EndZero;
                state->Heat = FirstHeat(own);
                Volatile.Write(ref *(nint*)&state->Code, (nint)Place(code));
                return;
            }
        }
        module.Compile(func);
    }

    /// <summary>How many calls and iterations a function is interpreted for.</summary>
    private int FirstHeat(int own)
    {
        if (!module.Options.TiersUp) return int.MaxValue;
        if (module.Options.TierSeed is not { } seed) return CallsUntilHot;
        // Half of the functions at once or nearly so, some never.
        var random = new Random(HashCode.Combine(seed, own));
        return random.Next(8) switch
        {
            0 => int.MaxValue,
            < 4 => random.Next(4),
            _ => random.Next(500),
        };
    }

    /// <summary>A function has run long enough: it is compiled, unless that does not succeed.</summary>
    internal void OnHot(FunctionState* state)
    {
        state->Heat = module.Options.TiersUp ? IterationsUntilNextLook : int.MaxValue;
        if (!module.Options.TiersUp || state->Compiled != 0) return;
        if (state->TimesHot++ > 0) return;
        Compile(state, -1);
    }

    /// <summary>
    /// The same for a loop: if the function still runs there when somebody looks once more, machine code that begins at its head is
    /// made too. The next iterations go on in the interpreter until it is there.
    /// </summary>
    internal nint OnHotLoop(FunctionState* state, int loop)
    {
        bool isFirst = state->TimesHot == 0 && state->Compiled == 0;
        OnHot(state);
        // What the emitter asserts it knows only from the function's beginning on.
        if (!module.Options.TiersUp || module.Options.Verifies || (isFirst && module.Options.TierSeed is null)) return 0;
        int own = (int)(state - States);
        lock (gate)
        {
            loopCode ??= [];
            if (!loopCode.TryAdd((own, loop), 0)) return loopCode[(own, loop)];
        }
        Compile(state, loop);
        lock (gate) return loopCode[(own, loop)];
    }

    private void Compile(FunctionState* state, int loop)
    {
        try
        {
            module.CompileHot((int)(state - States) + module.Info.ImportedFuncs, loop);
        }
        catch (UnsupportedModuleException)
        {
            // What cannot be compiled stays interpreted.
        }
    }

    /// <summary>How many calls and iterations of a function have been interpreted since it is hot.</summary>
    internal long HeatOf(int func)
    {
        FunctionState* state = States + (func - module.Info.ImportedFuncs);
        return ((long)state->TimesHot * IterationsUntilNextLook) - state->Heat;
    }

    /// <summary>A function has machine code that begins at a loop; 0 if that could not be made.</summary>
    internal void OnLoopCompiled(int own, int loop, nint code)
    {
        lock (gate)
        {
            loopCode![(own, loop)] = code;
            if (States[own].Heat > 0) States[own].Heat = 0;
        }
    }

    private void InitialiseState(FunctionState* state, int own)
    {
        if (state->Shape is not null) return;
        state->Index = own;
        state->Shape = ShapeOf(module.Info.Funcs[own + module.Info.ImportedFuncs].Type);
        state->RefParams = state->Shape->RefParams;
        state->EntryTails = module.Info.State.HasTailCalls;
    }

    /// <summary>Whether a function is being interpreted, and may go on so.</summary>
    internal bool HasRegisterCode(int own)
    {
        FunctionState* state = States + own;
        lock (gate) return state->Code is not null && state->Code != Unsafe.AsPointer(ref InvokeCode[0]);
    }

    /// <summary>A function has machine code.</summary>
    internal void OnCompiled(int own, nint code)
    {
        FunctionState* state = States + own;
        lock (gate)
        {
            InitialiseState(state, own);
            if (state->Code is null)
            {
                state->Slots = Math.Max(state->Shape->ParamSlots, state->Shape->ResultSlots);
                state->RefSlots = Math.Max(state->Shape->RefParams, state->Shape->RefResults);
            }
            Volatile.Write(ref state->Compiled, code);
            Volatile.Write(ref *(nint*)&state->Code, (nint)Unsafe.AsPointer(ref InvokeCode[0]));
        }
    }

    private Instruction* Place(RegisterCode code)
    {
        if (block.Length - used < code.Code.Count)
        {
            block = GC.AllocateUninitializedArray<Instruction>(
                Math.Max(code.Code.Count, Math.Clamp(block.Length * 2, SmallestBlock, LargestBlock)), pinned: true);
            kept.Add(block);
            used = 0;
        }
        CollectionsMarshal.AsSpan(code.Code).CopyTo(block.AsSpan(used));
        var at = (Instruction*)Unsafe.AsPointer(ref block[used]);
        used += code.Code.Count;
        return at;
    }

    FunctionState* IRegisterTarget.StateOf(int func) => States + (func - module.Info.ImportedFuncs);

    CallShape* IRegisterTarget.ShapeOf(DefType type) => ShapeOf(type);

    CallShape* IRegisterTarget.TailShapeOf(DefType type)
    {
        ShapeOf(type);
        return Signature.Of(type).Shapes.WithTail();
    }

    private CallShape* ShapeOf(DefType type)
    {
        Signature signature = Signature.Of(type);
        kept.Add(signature);
        return signature.Shapes.Address;
    }

    bool IRegisterTarget.NeedsChecks(MemoryType memory) => ((ICodeTarget)module).NeedsChecks(memory);

    bool IRegisterTarget.IsInterruptible => module.Options.IsInterruptible;

    bool IRegisterTarget.CountsFuel => module.Options.CountsFuel;
}
