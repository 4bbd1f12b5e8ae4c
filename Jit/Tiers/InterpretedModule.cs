using System.Diagnostics;
using System.Runtime.CompilerServices;
using WasmJit.Jit.Binary;
using WasmJit.Jit.Calls;
using WasmJit.Jit.Emit;
using WasmJit.Jit.Interpreter;
using WasmJit.Runtime;

namespace WasmJit.Jit.Tiers;

/// <summary>The register code of a module's functions, made at their first call.</summary>
/// <remarks>Unsafe: states, code and shapes lie in native memory that this object keeps; the module's code keeps this object.</remarks>
internal sealed unsafe class InterpretedModule : IRegisterTarget
{
    /// <summary>How many instructions are allocated at a time at least.</summary>
    private const int SmallestBlock = 256, LargestBlock = 16 << 10;

    /// <summary>
    /// A frame at the head of a loop that has no machine code, in a function where another loop has: it goes on for so many iterations and
    /// looks so many times before there is machine code for this one too.
    /// </summary>
    private const int IterationsBetweenLooks = 256, LooksUntilNextLoop = 16;

    /// <summary>How often a function that was compiled at random looks for its code.</summary>
    private const int RandomLooks = 1 << 14;

    /// <summary>What a function does that has machine code.</summary>
    private static readonly Instruction[] InvokeCode = MakeInvokeCode();

    private readonly CompiledModule module;
    private readonly int functions;

    /// <summary>Keeps the states.</summary>
    private readonly SmallBlocks stateBlock;

    /// <summary>What the states and the code refer to, the first things apart: a small module has no more.</summary>
    private object? firstKept, secondKept;
    private HashSet<object>? kept;

    private Instruction* block;
    private int blockLength, used;

    /// <summary>The machine code that begins at heads of loops, by function.</summary>
    private Dictionary<int, LoopCode>? loopCode;

    private sealed class LoopCode
    {
        /// <summary>The code by the loop's offset; 0 while it is being made, or if that failed.</summary>
        internal Dictionary<int, nint> ByLoop { get; } = [];

        /// <summary>Some is being made.</summary>
        internal bool IsPending { get; set; }

        internal bool HasSome { get; set; }

        /// <summary>How often a loop without machine code was looked at.</summary>
        internal int Misses { get; set; }
    }

    /// <summary>When large functions were called first.</summary>
    private Dictionary<int, long>? firstCalls;

    internal InterpretedModule(CompiledModule module, int functions)
    {
        this.module = module;
        this.functions = functions;
        States = (FunctionState*)SmallBlocks.Take(functions, sizeof(FunctionState), out stateBlock);
    }

    /// <summary>What the interpreter knows of the own functions.</summary>
    internal FunctionState* States { get; }

    private static Instruction[] MakeInvokeCode()
    {
        Instruction[] code = GC.AllocateArray<Instruction>(1, pinned: true);
        code[0].Op = RegisterOp.Invoke;
        return code;
    }

    /// <summary>
    /// Whether functions of a signature are compiled when they are called from outside of the interpreter. Vectors are not interpreted; and a
    /// method that takes many values apart has a frame for which no check has found room on the stack.
    /// </summary>
    internal static bool IsCompiledAtOnce(Signature signature, CodeOptions options) => (signature.HasVectors && !options.InterpretsAll) || signature.PassedBytes > MostPassed;

    private const int MostPassed = 1024;

    /// <summary>What a function's cell holds as long as it is interpreted.</summary>
    internal nint EntryOf(int func)
    {
        Signature signature = Signature.Of(module.Info.Funcs[func].Type);
        CallKind kind = CallShapes.KindOf(signature);
        return kind == CallKind.Typed ? 0 : EntryPages.For(func - module.Info.ImportedFuncs, kind == CallKind.MixedToFloat, module.Info.State.HasTailCalls);
    }

    /// <summary>Gives a function register code, or machine code if it has something that only the compiler knows.</summary>
    /// <exception cref="GuestCanceledException">The calling thread's guests are to stop.</exception>
    internal void Prepare(FunctionState* state)
    {
        int own = (int)(state - States);
        int func = own + module.Info.ImportedFuncs;
        if (!BeginTranslation(state)) return;
        try
        {
            long start = Stopwatch.GetTimestamp();
            if (Translation.TryTranslate(module.Info, func, this) is { } code)
            {
                WasmJitMetrics.FunctionTranslated(start, module, func);
                Install(state, own, code);
                if (!code.Room.FoundCallees.IsEmpty) module.Hot?.AddCallees(code.Room.FoundCallees, SizeOf(own));
                code.Room.GiveBack();
                return;
            }
        }
        finally
        {
            lock (module)
            {
                state->IsTranslating = false;
                Monitor.PulseAll(module);
            }
        }
        if (!RuntimeCode.IsAvailable)
            throw RuntimeCode.Uncovered($"{module.Info.ShownModule}!{module.Info.ShownName(func)}", Translation.Uncovered(module.Info, func, this));
        module.Compile(func);
    }

    private int SizeOf(int own)
    {
        FuncInfo func = module.Info.Funcs[own + module.Info.ImportedFuncs];
        return func.BodyEnd - func.BodyStart;
    }

    /// <summary>Whether a function has not been translated.</summary>
    internal bool IsUntouched(int func) => States[func - module.Info.ImportedFuncs].Code is null;

    /// <summary>
    /// Translates a function that may be called soon, on a thread that has nothing better to do. A thread that calls it meanwhile does not wait: it takes
    /// the other less time than to be woken.
    /// </summary>
    internal void TranslateAhead(int func)
    {
        int own = func - module.Info.ImportedFuncs;
        long start = Stopwatch.GetTimestamp();
        if (!IsUntouched(func) || Translation.TryTranslate(module.Info, func, this) is not { } code) return;
        WasmJitMetrics.FunctionTranslated(start, module, func);
        Install(States + own, own, code);
        module.Hot!.AddCallees(code.Room.FoundCallees, 0);
        code.Room.GiveBack();
    }

    /// <summary>False if a function has code, perhaps of another thread, for which this one has waited then.</summary>
    private bool BeginTranslation(FunctionState* state)
    {
        lock (module)
        {
            while (true)
            {
                if (state->Code is not null) return false;
                if (!state->IsTranslating)
                {
                    state->IsTranslating = true;
                    return true;
                }
                if (WasmThread.CurrentScope is null)
                {
                    Monitor.Wait(module);
                    continue;
                }
                Monitor.Wait(module, millisecondsTimeout: 20);
                CancellationScope.ThrowIfStopped();
            }
        }
    }

    private void Install(FunctionState* state, int own, RegisterCode code)
    {
        lock (this)
        {
            if (state->Code is not null) return;
            InitialiseState(state, own);
            state->Slots = Math.Max(code.Slots, Math.Max(state->Shape->ParamSlots, state->Shape->ResultSlots));
            state->RefSlots = Math.Max(code.RefSlots, Math.Max(state->Shape->RefParams, state->Shape->RefResults));
            state->FirstZero = code.FirstZero;
            state->EndZero = code.EndZero;
            state->Handlers = code.Handlers;
            state->Heat = FirstHeat(own);
            if (SizeOf(own) > BreakEven.LargeBody) (firstCalls ??= [])[own] = Stopwatch.GetTimestamp();
            state->TranslatedLength = code.Count;
            state->Translated = Place(code);
            Volatile.Write(ref *(nint*)&state->Code, (nint)state->Translated);
        }
    }

    /// <summary>How many calls and iterations a function is interpreted for.</summary>
    private int FirstHeat(int own)
    {
        if (!module.Options.TiersUp) return int.MaxValue;
        if (module.Options.TierSeed is not { } seed) return EventsUntilHot(own) / BreakEven.EarlyPart(SizeOf(own));
        // Half of the functions at once or nearly so, some never.
        var random = new Random(HashCode.Combine(seed, own));
        return random.Next(8) switch
        {
            0 => int.MaxValue,
            < 4 => random.Next(4),
            _ => random.Next(500),
        };
    }

    private int EventsUntilHot(int own) => BreakEven.EventsOf(SizeOf(own));

    private int NextHeat(int own) => module.Options.TierSeed is null ? EventsUntilHot(own) : RandomLooks;

    /// <summary>A function has run long enough: it is compiled, unless that does not succeed.</summary>
    internal void OnHot(FunctionState* state)
    {
        if (!module.Options.TiersUp)
        {
            state->Heat = int.MaxValue;
            return;
        }
        int own = (int)(state - States);
        if (IsOnlyWarm(state, own))
        {
            if (state->Compiled == 0) module.Hot?.AddWarm(own + module.Info.ImportedFuncs);
            return;
        }
        lock (this)
        {
            // Where a loop has machine code, the next iteration of one looks for it.
            if (state->Compiled == 0 && loopCode?.GetValueOrDefault(own) is { HasSome: true }) state->Heat = 0;
            else Count(state, own);
        }
        if (state->Compiled != 0 || state->IsAsked) return;
        state->IsAsked = true;
        Compile(own, -1);
    }

    /// <summary>
    /// The same for a loop. A function that is called again and again is compiled; one that has hardly been called runs here still, so machine
    /// code that begins at the loop's head is made for it. The next iterations go on in the interpreter until it is there.
    /// </summary>
    internal nint OnHotLoop(FunctionState* state, int loop)
    {
        bool isRandom = module.Options.TierSeed is not null;
        // What the emitter asserts it knows only from the function's beginning on. Where operands are spilled, no machine code finds them.
        bool compilesLoops = module.Options is { TiersUp: true, Verifies: false } && loop >= 0;
        if (!compilesLoops || isRandom) OnHot(state);
        if (!compilesLoops) return 0;
        int own = (int)(state - States);
        if (IsOnlyWarm(state, own) && !MayCompileEarly(state, own)) return 0;
        bool asks, isFirst;
        lock (this)
        {
            LoopCode? known = loopCode?.GetValueOrDefault(own);
            if (known is not null && known.ByLoop.TryGetValue(loop, out nint code) && code != 0)
            {
                state->Heat = 0;
                return code;
            }
            isFirst = known is null;
            asks = isRandom || MayAsk(state, own, known, loop);
            if (asks)
            {
                known ??= (loopCode ??= [])[own] = new LoopCode();
                asks = known.ByLoop.TryAdd(loop, 0);
                known.IsPending |= asks;
            }
        }
        if (asks) Compile(own, loop);
        else if (!isRandom && isFirst) OnHot(state);
        lock (this) return loopCode?.GetValueOrDefault(own)?.ByLoop.GetValueOrDefault(loop) ?? 0;
    }

    /// <summary>Whether a function has been interpreted for the early part of what makes it hot. It counts on then.</summary>
    private bool IsOnlyWarm(FunctionState* state, int own)
    {
        if (state->IsWarm || module.Options.TierSeed is not null) return false;
        state->IsWarm = true;
        int events = EventsUntilHot(own);
        state->Heat = events - (events / BreakEven.EarlyPart(SizeOf(own)));
        return true;
    }

    /// <summary>Whether a loop in a warm function is compiled now: see <see cref="BreakEven.EarlyPart"/>.</summary>
    private bool MayCompileEarly(FunctionState* state, int own)
    {
        if (state->Entries > 2 || module.Hot is not { IsIdle: true }) return false;
        int size = SizeOf(own);
        if (size <= BreakEven.LargeBody) return true;
        lock (this) return firstCalls is not null && firstCalls.TryGetValue(own, out long first) && BreakEven.IsMost(size, Stopwatch.GetElapsedTime(first));
    }

    /// <summary>Whether a loop gets machine code now. Says when to look again.</summary>
    private bool MayAsk(FunctionState* state, int own, LoopCode? known, int loop)
    {
        if (known is null)
        {
            // Few calls for all that it has run.
            if (state->Entries > 2 * (state->TimesHot + 1)) return false;
            Count(state, own);
            return true;
        }
        if (!known.IsPending && !known.ByLoop.ContainsKey(loop) && ++known.Misses < LooksUntilNextLoop)
        {
            state->Heat = IterationsBetweenLooks;
            return false;
        }
        known.Misses = 0;
        Count(state, own);
        return !known.IsPending;
    }

    private void Count(FunctionState* state, int own)
    {
        state->TimesHot++;
        state->Heat = NextHeat(own);
    }

    private void Compile(int own, int loop)
    {
        try
        {
            module.CompileHot(own + module.Info.ImportedFuncs, loop);
        }
        catch (UnsupportedModuleException)
        {
            // What cannot be compiled stays interpreted.
        }
    }

    /// <summary>
    /// How much of a function has been interpreted, in 1024ths of what its compilation takes: what has cost most of that is compiled first.
    /// </summary>
    internal long HeatOf(int func)
    {
        int own = func - module.Info.ImportedFuncs;
        FunctionState* state = States + own;
        return ((long)state->TimesHot << 10) - (((long)state->Heat << 10) / NextHeat(own));
    }

    /// <summary>How many loops have machine code that begins at their heads, for tests.</summary>
    internal int LoopsCompiled
    {
        get
        {
            lock (this) return loopCode?.Values.Sum(known => known.ByLoop.Values.Count(code => code != 0)) ?? 0;
        }
    }

    /// <summary>A function has machine code that begins at a loop; 0 if that could not be made.</summary>
    /// <param name="own">The function.</param>
    /// <param name="loop">The loop.</param>
    /// <param name="code">The code.</param>
    /// <param name="isLast">Whether no better code follows.</param>
    internal void OnLoopCompiled(int own, int loop, nint code, bool isLast)
    {
        lock (this)
        {
            LoopCode known = loopCode![own];
            if (code != 0 || !known.ByLoop.ContainsKey(loop)) known.ByLoop[loop] = code;
            known.IsPending &= !isLast;
            known.HasSome |= code != 0;
            if (code != 0 && States[own].Heat > 0) States[own].Heat = 0;
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
        lock (this) return state->Code is not null && state->Code != Unsafe.AsPointer(ref InvokeCode[0]);
    }

    /// <summary>A function has machine code.</summary>
    internal void OnCompiled(int own, nint code)
    {
        FunctionState* state = States + own;
        lock (this)
        {
            InitialiseState(state, own);
            if (state->Code is null)
            {
                state->Slots = Math.Max(state->Shape->ParamSlots, state->Shape->ResultSlots);
                state->RefSlots = Math.Max(state->Shape->RefParams, state->Shape->RefResults);
            }
            // A loop that still runs in the interpreter soon gets machine code of its own, if the function is not called again and again from here.
            state->Entries = 0;
            state->TimesHot = 0;
            Volatile.Write(ref state->Compiled, code);
            Volatile.Write(ref *(nint*)&state->Code, (nint)Unsafe.AsPointer(ref InvokeCode[0]));
        }
    }

    private void Keep(object needed)
    {
        if (ReferenceEquals(needed, firstKept) || ReferenceEquals(needed, secondKept)) return;
        lock (this)
        {
            if (firstKept is null) firstKept = needed;
            else if (secondKept is null) secondKept = needed;
            else (kept ??= []).Add(needed);
        }
    }

    private Instruction* Place(RegisterCode code)
    {
        if (code.IsOwn)
        {
            Keep(code.Code);
            return (Instruction*)Unsafe.AsPointer(ref code.Code[0]);
        }
        if (blockLength - used < code.Count)
        {
            // A module of one function needs no more than what is there now.
            blockLength = functions == 1 ? code.Count : Math.Max(code.Count, Math.Clamp(blockLength * 2, SmallestBlock, LargestBlock));
            block = (Instruction*)SmallBlocks.Take(blockLength, sizeof(Instruction), out SmallBlocks keeper);
            if (keeper != stateBlock && keeper != module.CellBlock) Keep(keeper);
            used = 0;
        }
        Instruction* at = block + used;
        code.Code.AsSpan(0, code.Count).CopyTo(new Span<Instruction>(at, code.Count));
        used += code.Count;
        return at;
    }

    /// <summary>Where a function is, given by the number of instructions of register code before the current one; -1 stands for an unknown place.</summary>
    internal FramePlace PlaceOf(int own, int instruction)
    {
        int func = own + module.Info.ImportedFuncs;
        int[]? sources = instruction < 0 ? null : Translation.SourcesOf(module.Info, func, this);
        return CompiledFrames.PlaceOf(module.Info, func, sources is not null && instruction < sources.Length ? sources[instruction] : -1);
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
        Keep(signature);
        return signature.Shapes.Address;
    }

    bool IRegisterTarget.NeedsChecks(MemoryType memory) => ((ICodeTarget)module).NeedsChecks(memory);

    bool IRegisterTarget.IsInterruptible => module.Options.IsInterruptible;

    bool IRegisterTarget.CountsFuel => module.Options.CountsFuel;

    bool IRegisterTarget.TakesAll => !RuntimeCode.IsAvailable || module.Options.InterpretsAll;

    int? IRegisterTarget.SlotsOfSpilling => module.Options.SlotsOfSpilling;
}
