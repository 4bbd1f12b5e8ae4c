using System.Diagnostics;
using System.Reflection.Emit;
using System.Runtime.CompilerServices;
using WasmJit.Jit.Binary;
using WasmJit.Jit.Calls;
using WasmJit.Jit.Emit;
using WasmJit.Jit.Il;
using WasmJit.Runtime;

namespace WasmJit.Jit.Tiers;

/// <summary>What an engine's options mean for code.</summary>
/// <param name="ChecksMemories">Every access to a memory is compared with its length.</param>
/// <param name="IsInterruptible">Loops look whether they are to stop.</param>
/// <param name="CountsFuel">Functions and loops are charged to the instance's fuel.</param>
/// <param name="Inlines">Small functions are put into their callers.</param>
/// <param name="BackgroundThreads">How many threads compile ahead of calls.</param>
/// <param name="BackgroundThreshold">From how many bytes of code on.</param>
/// <param name="PartSize">For tests: functions larger than this are split.</param>
/// <param name="Verifies">For tests: code asserts what it relies on.</param>
/// <param name="Interprets">Functions run in the interpreter at first.</param>
/// <param name="TiersUp">Interpreted functions that are hot are compiled.</param>
/// <param name="TierSeed">For tests: which are hot, and when, depends on this number, and they are compiled at once.</param>
/// <param name="SlotsOfSpilling">For tests: interpreted functions spill operands, and have slots for so many results at a time.</param>
/// <param name="TakesSamples">A charge that cannot be paid takes a sample.</param>
/// <param name="InterpretsAll">For tests: functions with vectors, atomic operators and exceptions are interpreted, too.</param>
internal readonly record struct CodeOptions(
    bool ChecksMemories, bool IsInterruptible, bool CountsFuel, bool Inlines, int BackgroundThreads = 0, int BackgroundThreshold = 0,
    PartSize? PartSize = null, bool Verifies = false,
    bool Interprets = false, bool TiersUp = false, int? TierSeed = null, int? SlotsOfSpilling = null, bool TakesSamples = false,
    bool InterpretsAll = false);

/// <summary>
/// The code of a module: one cell a function, which holds the address of its code. The first reference to a function puts a stub
/// there, which compiles it; direct calls read the cell each time. All instances of the module share it; it goes when the last of them goes.
/// </summary>
internal sealed unsafe class CompiledModule : FunctionCode, ICodeTarget
{
    /// <summary>The JIT takes a kilobyte for each instruction of a method.</summary>
    internal const int MaxUnsplit = 2_000_000;

    /// <summary>The callees of the function that this thread is compiling, if they are wanted.</summary>
    [ThreadStatic]
    private static List<int>? callees;

    private readonly CodeOptions options;
    private readonly nint* cells;

    /// <summary>Keeps the cells.</summary>
    internal SmallBlocks? CellBlock { get; }

    /// <summary>The methods of compiled functions; also the lock for what follows. Most modules of a guest that makes code need none of that.</summary>
    private readonly DynamicMethod?[] methods;
    private List<object>? kept;
    private Dictionary<int, CodeForm>? forms;

    /// <summary>A function that begins at the head of a loop; one of those that are kept.</summary>
    /// <param name="Method">The method.</param>
    /// <param name="Func">The function.</param>
    /// <param name="Loop">The loop's offset.</param>
    /// <param name="Next">If it is not optimised: where the address of better code will be; otherwise 0.</param>
    private sealed record LoopMethod(DynamicMethod Method, int Func, int Loop, nint Next = 0);

    /// <summary>Whether frames of its methods are found.</summary>
    private bool isInFrames;

    /// <summary>Functions that some thread is compiling.</summary>
    private HashSet<int>? compiling;
    private Lookahead? hot;

    /// <summary>
    /// For each signature the functions that stubs with numbers stand for. Low numbers are not in the lists: they are the
    /// functions' own indices, so that small modules need no list.
    /// </summary>
    private Dictionary<int, List<int>>? stubbed;

    internal CompiledModule(ModuleInfo info, CodeOptions options)
        : base(info)
    {
        this.options = options;
        int own = info.Funcs.Count - info.ImportedFuncs;
        methods = new DynamicMethod?[own];
        if (info.Tags.Count > 0 && Unwinder.IsSupported) Unwinder = new Unwinder(info.ImportedTags);
        if (own == 0) return;
        cells = (nint*)SmallBlocks.Take(own, sizeof(nint), out SmallBlocks block);
        CellBlock = block;
        if (options.Interprets)
        {
            Interpreted = new InterpretedModule(this, own);
            return;
        }
        if (options.BackgroundThreads > 0 && info.Funcs[^1].BodyEnd - info.Funcs[info.ImportedFuncs].BodyStart >= options.BackgroundThreshold)
            Ahead = new Lookahead(this, own, options.BackgroundThreads);
    }

    /// <summary>Compiles ahead; null for small modules and where the host does not want it.</summary>
    internal override Lookahead? Ahead { get; }

    /// <summary>Compiles what is hot; null where nothing becomes hot, or where the thread that finds a hot function compiles it.</summary>
    internal override Lookahead? Hot => Interpreted is null || options is not { TiersUp: true, BackgroundThreads: > 0, TierSeed: null }
        ? null : hot ?? Interlocked.CompareExchange(ref hot, new Lookahead(this, methods.Length, options.BackgroundThreads, Interpreted), null) ?? hot;

    /// <summary>Compiles a function that has run long enough in the interpreter, or from the head of one of its loops on, here or soon.</summary>
    internal void CompileHot(int func, int loop = -1)
    {
        if (Hot is not null) Hot.Add(func, loop);
        else if (loop < 0) Compile(func);
        else
            JitThread.Run(Info.Funcs[func], () =>
            {
                while (CompileLoop(func, loop)) continue;
                return 0;
            });
    }

    internal override void AskFor(int func)
    {
        if (Interpreted is not null && !options.TiersUp) return;
        try
        {
            CompileHot(func);
        }
        catch (UnsupportedModuleException)
        {
            // An interpreted function stays interpreted; the first call of another one reports the error.
        }
    }

    /// <summary>Where code that begins at loops and was made quickly looks for better code.</summary>
    private Dictionary<(int Func, int Loop), nint>? quickLoops;

    /// <summary>Compiles a function from the head of a loop on, a large one first so that there is some code soon.</summary>
    /// <returns>Whether there is better code to be made for the same loop.</returns>
    internal bool CompileLoop(int func, int loop)
    {
        if (!RuntimeCode.IsAvailable) throw NoCode();
        nint code = 0;
        nint found = 0;
        lock (methods) _ = quickLoops?.Remove((func, loop), out found);
        if (found == 0 && CompileLoopQuickly(func, loop) is var quick && quick is not null)
        {
            lock (methods) (quickLoops ??= []).Add((func, loop), (nint)quick);
            return true;
        }
        var next = (nint*)found;
        try
        {
            DynamicMethod method = Build(func, loop, out code, out long frame, out _);
            Keep(new LoopMethod(method, func, loop));
            code = Guarded(func, code, frame);
        }
        finally
        {
            // In tests with random tiers frames go on in the first code, and leave it at once.
            bool keepsFirst = next is not null && options.TierSeed is not null;
            Interpreted!.OnLoopCompiled(func - Info.ImportedFuncs, loop, keepsFirst ? 0 : code, isLast: true);
            if (next is not null) Volatile.Write(ref *next, code);
        }
        return false;
    }

    /// <summary>
    /// Compiles a large function from the head of a loop on without optimisation, which takes a quarter of the time. The loop runs in that code
    /// until there is better code.
    /// </summary>
    /// <returns>Where that code finds the address of better code; null if there is none.</returns>
    private nint* CompileLoopQuickly(int func, int loop)
    {
        FuncInfo info = Info.Funcs[func];
        if (options.TierSeed is { } seed ? (seed + func) % 2 == 0 : Hot is null || info.BodyEnd - info.BodyStart < BreakEven.LargeBody) return null;
        try
        {
            nint[] cell = GC.AllocateArray<nint>(1, pinned: true);
            Keep(cell);
            var next = (nint*)Unsafe.AsPointer(ref cell[0]);
            NoteFrames();
            long start = Stopwatch.GetTimestamp();
            IlBuffer il = FunctionEmitter.Emit(Info, func, this, loop, next: (nint)next);
            if (!FitsOneMethod(il)) return null;
            Signature signature = Signature.Of(info.Type);
            DynamicMethod method = RuntimeCode.Method(NameOf(func, il.Nulls), signature.Return, signature.Parameters, typeof(CompiledModule).Module);
            JitCost.WriteUnoptimised(il, method.GetILGenerator(Math.Max(64, il.Bytes)));
            nint code = CodeAddress.Of(method);
            Keep(new LoopMethod(method, func, loop, (nint)next));
            code = Guarded(func, code, FrameGuard.Estimate(il));
            WasmJitMetrics.FunctionCompiled(start, this, func);
            Interpreted!.OnLoopCompiled(func - Info.ImportedFuncs, loop, code, isLast: false);
            return next;
        }
        catch (UnsupportedModuleException)
        {
            return null;
        }
        catch (Exception)
        {
            // It may be asked for again.
            Interpreted!.OnLoopCompiled(func - Info.ImportedFuncs, loop, 0, isLast: true);
            throw;
        }
    }

    /// <summary>The code with the check before it that a large frame needs.</summary>
    private nint Guarded(int func, nint code, long frame)
    {
        if (FrameGuard.For(code, frame, Signature.Of(Info.Funcs[func].Type)) is not { } guard) return code;
        Keep(guard);
        return CodeAddress.Of(guard);
    }

    private void Keep(object needed)
    {
        lock (methods) (kept ??= []).Add(needed);
    }

    /// <summary>
    /// The function that a method is the code of, the loop that it begins at, -1 for none, and if it is not optimised, where the address of better code
    /// will be; null if it is not this module's.
    /// </summary>
    internal (int Func, int Loop, nint Next)? Find(System.Reflection.MethodBase method)
    {
        int own = Array.FindIndex(methods, m => ReferenceEquals(m, method));
        if (own >= 0) return (own + Info.ImportedFuncs, -1, 0);
        lock (methods)
        {
            foreach (object needed in kept ?? [])
                if (needed is LoopMethod made && ReferenceEquals(made.Method, method)) return (made.Func, made.Loop, made.Next);
        }
        return null;
    }

    internal override bool IsCompiled(int func) => Volatile.Read(ref methods[func - Info.ImportedFuncs]) is not null;

    internal override CodeOptions Options => options;

    internal override InterpretedModule? Interpreted { get; }

    internal override Unwinder? Unwinder { get; }

    /// <summary>The code of a function as it is now: itself, or the stub. From now on its cell may be read.</summary>
    internal override nint CodeOf(int func)
    {
        nint code = Volatile.Read(ref Cell(func));
        return code != 0 ? code : AddStub(func);
    }

    private ref nint Cell(int func)
    {
        int own = func - Info.ImportedFuncs;
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)own, (uint)methods.Length);
        return ref cells[own];
    }

    private nint AddStub(int func)
    {
        nint stub = RuntimeCode.IsAvailable ? StubOf(func) : SlotCalls.Code;
        nint known = Interlocked.CompareExchange(ref Cell(func), stub, 0);
        return known != 0 ? known : stub;
    }

    private nint StubOf(int func)
    {
        nint stub = Interpreted?.EntryOf(func) ?? 0;
        if (stub != 0) return stub;
        Signature signature = Signature.Of(Info.Funcs[func].Type);
        LazyStubs stubs = Interpreted is null || InterpretedModule.IsCompiledAtOnce(signature, Options) ? signature.Stubs : signature.InterpreterStubs;
        return !stubs.IsNumbered ? stubs.Single(this, func) : stubs.Numbered(func < LazyStubs.PerPage ? func : NumberOf(func, stubs.Id));
    }

    private int NumberOf(int func, int stubs)
    {
        lock (methods)
        {
            stubbed ??= [];
            if (!stubbed.TryGetValue(stubs, out List<int>? funcs)) stubbed[stubs] = funcs = [];
            funcs.Add(func);
            return LazyStubs.PerPage + funcs.Count - 1;
        }
    }

    /// <summary>The function that a stub's number stands for.</summary>
    internal override int FuncOfStub(int stubs, int number)
    {
        if (number < LazyStubs.PerPage) return number;
        lock (methods) return stubbed![stubs][number - LazyStubs.PerPage];
    }

    /// <summary>The code of a function, compiled if it has not been.</summary>
    internal override nint Compile(int func)
    {
        // The compiler of a program that is compiled whole sees that nothing behind this is called.
        if (!RuntimeCode.IsAvailable) throw NoCode();
        int own = func - Info.ImportedFuncs;
        if (Volatile.Read(ref methods[own]) is not null) return Cell(func);
        return JitThread.Run(Info.Funcs[func], () => CompileHere(func, own));
    }

    /// <summary>Compiles a function that has not been called, on a thread of its own.</summary>
    internal void CompileAhead(int func, int distance)
    {
        if (!RuntimeCode.IsAvailable) throw NoCode();
        CompileHere(func, func - Info.ImportedFuncs, distance);
    }

    private static PlatformNotSupportedException NoCode() => RuntimeCode.Missing("WasmJit needs code that is made at run time");

    private nint CompileHere(int func, int own, int distance = 0)
    {
        lock (methods)
        {
            // A thread that wants a function which another one is compiling waits for that function alone.
            while (methods[own] is null && !(compiling ??= []).Add(own))
            {
                if (WasmThread.CurrentScope is null)
                {
                    Monitor.Wait(methods);
                    continue;
                }
                Monitor.Wait(methods, millisecondsTimeout: 20);
                CancellationScope.ThrowIfStopped();
            }
            if (methods[own] is not null) return Cell(func);
        }
        List<int>? found = Ahead is null ? null : callees = [];
        try
        {
            DynamicMethod method = Build(func, -1, out nint code, out long frame, out bool hasRegions);
            Unwinder?.AddFunction(code, method, hasRegions);
            code = Guarded(func, code, frame);
            Cell(func) = code;
            Volatile.Write(ref methods[own], method);
            Interpreted?.OnCompiled(own, code);
            if (found is not null) Ahead!.Add(found, distance);
            return code;
        }
        finally
        {
            callees = null;
            lock (methods)
            {
                compiling!.Remove(own);
                Monitor.PulseAll(methods);
            }
        }
    }

    private DynamicMethod Build(int func, int loop, out nint code, out long frame, out bool hasRegions)
    {
        NoteFrames();
        long start = Stopwatch.GetTimestamp();
        try
        {
            DynamicMethod method = BuildNow(func, loop, out code, out frame, out hasRegions);
            WasmJitMetrics.FunctionCompiled(start, this, func);
            return method;
        }
        catch (InvalidProgramException e) when (options is { TierSeed: null, Verifies: false })
        {
            // RyuJIT has limits that it does not tell. In tests of what is emitted it is a fault of ours.
            Note(func, new CodeForm(Slow: SlowCode.Refused));
            throw new UnsupportedModuleException($"the .NET JIT does not compile the function {NameOf(func)}", inner: e);
        }
    }

    private void NoteFrames()
    {
        if (!Volatile.Read(ref isInFrames) && !Interlocked.Exchange(ref isInFrames, true)) CompiledFrames.Add(this);
    }

    private DynamicMethod BuildNow(int func, int loop, out nint code, out long frame, out bool hasRegions)
    {
        Signature signature = Signature.Of(Info.Funcs[func].Type);
        IlBuffer il = FunctionEmitter.Emit(Info, func, this, loop);
        string name = NameOf(func, il.Nulls);
        frame = FrameGuard.Estimate(il);
        hasRegions = il.HasRegions;
        DynamicMethod method = Make();
        int bytes = Info.Funcs[func].BodyEnd - Info.Funcs[func].BodyStart;
        bool isTooDear = JitCost.IsTooDear(il, bytes);
        if (!isTooDear && Outliner.TryWrite(il, method, signature))
        {
            code = CodeAddress.Of(method);
            if (!Prologue.IsOnlyACall(code))
            {
                Note(func, new CodeForm(IsOutlined: true));
                return method;
            }
            // RyuJIT has not inlined the body, for which it has limits of its own. It would be compiled without optimisation, at its
            // first call, on the guest's stack.
            method = Make();
        }
        // Parts that are not optimised either would gain nothing. Where regions are what is dear, parts are optimised: their variables are in memory.
        bool mustGain = isTooDear && FitsOneMethod(il) && options.PartSize is null;
        if (!(mustGain && !il.HasRegions) && TrySplit(il, ref method, signature, bytes, mustGain) is { } parts)
        {
            Note(func, parts);
        }
        else
        {
            bool staysInterpreted = isTooDear && Interpreted is not null && Interpreted.HasRegisterCode(func - Info.ImportedFuncs);
            if (isTooDear || Outliner.ExceedsLimits(il, signature.Parameters.Length))
                Note(func, new CodeForm(Slow: staysInterpreted ? SlowCode.Interpreted : isTooDear ? SlowCode.Cost : SlowCode.Size));
            if (staysInterpreted)
                throw new UnsupportedModuleException($"optimising the function {NameOf(func)} would take longer than it may; it stays interpreted");
            if (!FitsOneMethod(il))
                throw new UnsupportedModuleException($"the function {NameOf(func)} needs more than {MaxUnsplit:N0} instructions of IL or {IlBuffer.MaxLocals:N0} temporaries, and cannot be cut into parts");
            ILGenerator generator = method.GetILGenerator(Math.Max(64, il.Bytes));
            if (isTooDear) JitCost.WriteUnoptimised(il, generator);
            else il.WriteTo(generator);
        }
        code = CodeAddress.Of(method);
        return method;

        DynamicMethod Make() => RuntimeCode.Method(name, signature.Return, signature.Parameters, typeof(CompiledModule).Module);
    }

    private static bool FitsOneMethod(IlBuffer il) => il.Instructions <= MaxUnsplit && il.Locals.Count <= IlBuffer.MaxLocals;

    /// <summary>Notes how a function was compiled that is not simply a method which is optimised.</summary>
    private void Note(int func, CodeForm form)
    {
        lock (methods) (forms ??= [])[func] = form;
        if (form.Slow is { } reason) WasmJitMetrics.NotOptimised(reason, NameOf(func));
    }

    internal override CodeForm FormOf(int func)
    {
        lock (methods) return forms?.GetValueOrDefault(func, new CodeForm(1)) ?? new CodeForm(1);
    }

    /// <summary>Splits a function that would not be optimised, or that is to be split for a test. Null if it is not, or cannot be.</summary>
    private CodeForm? TrySplit(IlBuffer il, ref DynamicMethod method, Signature signature, int bytes, bool mustGain)
    {
        bool isTooLarge = Outliner.ExceedsLimits(il, signature.Parameters.Length);
        if (!isTooLarge && (options.PartSize is not { } size || il.Instructions <= size.Instructions)) return null;
        // The fast path of exceptions does not know the parts: what is thrown in them, or past them, is the runtime's.
        var parts = new List<object>();
        var front = RuntimeCode.Method("wasm parts", signature.Return, signature.Parameters, typeof(CompiledModule).Module);
        if (Splitter.TryWrite(il, front, signature, method.Name, parts, bytes, options.PartSize, mayBeSlow: !mustGain) is { } form)
        {
            Keep(parts);
            method = front;
            return form;
        }
        return null;
    }

    /// <summary>The IL of a function, for listings.</summary>
    internal override IlBuffer EmitIl(int func) => RuntimeCode.IsAvailable ? FunctionEmitter.Emit(Info, func, this) : throw NoCode();

    Unwinder? ICodeTarget.Unwinder => Unwinder;

    bool ICodeTarget.HasStackMap => StackGuard.Map is not null;

    bool ICodeTarget.IsInterruptible => options.IsInterruptible;

    bool ICodeTarget.CountsFuel => options.CountsFuel;

    bool ICodeTarget.TakesSamples => options.TakesSamples;

    bool ICodeTarget.Verifies => options.Verifies;

    // A sample shows the functions that are on the stack.
    bool ICodeTarget.Inlines => options.Inlines && !options.TakesSamples;

    void ICodeTarget.LoadCode(IlBuffer il, ModuleInfo module, int func)
    {
        if (!ReferenceEquals(module, Info))
        {
            ((CompiledModule)Of(module, options)).LoadCode(il, func);
            return;
        }
        LoadCode(il, func);
        callees?.Add(func);
    }

    private void LoadCode(IlBuffer il, int func)
    {
        CodeOf(func);
        il.LdcI8((long)Unsafe.AsPointer(ref Cell(func)));
        il.Emit(OpCodes.Ldind_I);
    }

    int ICodeTarget.LoadStackMapAt(IlBuffer il, int after) => il.LdcI8At(after, (long)StackGuard.Map);

    void ICodeTarget.LoadTypeId(IlBuffer il, DefType type) => il.LdcI4(type.Id);

    bool ICodeTarget.NeedsChecks(MemoryType memory) => options.ChecksMemories || !Memory.CanBeGuarded(memory);
}
