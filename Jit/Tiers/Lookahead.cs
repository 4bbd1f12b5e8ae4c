using System.Diagnostics;

namespace WasmJit.Jit.Tiers;

/// <summary>
/// Compiles what functions that have just been compiled will call, on background threads: the callees of a function that was
/// called, and theirs, so that a program that starts seldom waits. In interpreted modules it compiles what is hot, and meanwhile translates what
/// called functions call. The threads are the process's; they know modules by weak references, end when there is nothing to do, and keep neither a
/// module nor the process alive.
/// </summary>
internal sealed class Lookahead
{
    /// <summary>How far from a function that was called: what is further is reached when one in between is called.</summary>
    private const int MaxDistance = 2;

    /// <summary>Larger functions in bytes are not compiled on suspicion.</summary>
    private const int LargestBody = 100_000;

    /// <summary>Threads that find nothing to do for this long end.</summary>
    internal static int IdleMilliseconds { get; set; } = 2_000;

    private const int StackSize = 64 << 20;

    private static readonly object Gate = new();

    /// <summary>Modules with functions to compile, each once for each thread that may still come to its help.</summary>
    private static readonly Queue<WeakReference<Lookahead>> Waiting = new();
    private static int threads, idle;

    /// <summary>Modules with functions whose better code is not due yet, and when it is; earliest first.</summary>
    private static readonly Queue<(long Due, WeakReference<Lookahead> Module)> Later = new();

    private readonly CompiledModule module;
    private readonly int limit;
    private readonly bool[] known;
    private readonly Queue<int>[] queues = new Queue<int>[MaxDistance];
    private readonly WeakReference<Lookahead> self;

    /// <summary>Functions and loops that have shown to be hot, and how hot they are; see <see cref="TryTakeHottest"/>.</summary>
    private readonly List<(int Func, int Loop, bool HasCode)> hot = [];

    /// <summary>
    /// Loops that run in code that was made quickly, and when better code is due: when they have run in the quick code for as long as that took. The better code takes four
    /// times as long, and the second processor with it; a loop that ends before needs none. Those that are due are in <see cref="hot"/>.
    /// </summary>
    private readonly Queue<(int Func, int Loop, long Due)> later = new();

    private readonly InterpretedModule? interpreted;
    private int running;

    /// <summary>
    /// Functions that have been interpreted for a part of what makes them hot. A thread without anything else to do compiles them, the hottest first: it costs the guest no time, and
    /// what has run for a while mostly goes on.
    /// </summary>
    private readonly List<int> warm = [];

    /// <summary>How many threads compile such functions.</summary>
    private int runningWarm;

    /// <summary>The most bytes of a warm function: what becomes hot meanwhile does not wait for long.</summary>
    private const int LargestWarm = 2 << 10;

    /// <summary>
    /// Functions that may be called soon, the last ones first: callees of functions that were called, and of those that were translated before
    /// their first call.
    /// </summary>
    private readonly List<int> near = [], far = [];
    private readonly bool[] asked = [];

    /// <summary>
    /// How many bytes of functions may still be translated before they are called: some, and as many as were called. So a program that starts finds
    /// much of what it calls translated; and of a program with many functions that calls few not all are translated.
    /// </summary>
    private long mayTranslate = TranslatedOfAny;
    private const int TranslatedOfAny = 128 << 10;

    /// <param name="module">The module, which holds this object and is held by it alone.</param>
    /// <param name="functions">How many functions it defines.</param>
    /// <param name="limit">How many threads may compile it at once.</param>
    /// <param name="interpreted">If functions are asked for because they are hot: what knows how hot they are now.</param>
    internal Lookahead(CompiledModule module, int functions, int limit, InterpretedModule? interpreted = null)
    {
        this.interpreted = interpreted;
        if (interpreted is not null) asked = new bool[functions];
        this.module = module;
        this.limit = limit;
        known = new bool[functions];
        for (int i = 0; i < MaxDistance; i++) queues[i] = new Queue<int>();
        self = new WeakReference<Lookahead>(this);
    }

    /// <summary>What tests do before a thread takes a function.</summary>
    internal static Action? BeforeEach { get; set; }

    /// <summary>Starts a thread; tests have it fail, as it does where the system gives no more.</summary>
    internal static Action<Thread> Start { get; set; } = static thread => thread.Start();

    /// <summary>How many threads there are now.</summary>
    internal static int Threads
    {
        get
        {
            lock (Gate) return threads;
        }
    }

    /// <summary>Asks for the callees of a function that has been compiled.</summary>
    /// <param name="callees">Functions that the module defines, in the order of the code.</param>
    /// <param name="distance">How far the function itself is from one that was called.</param>
    internal void Add(List<int> callees, int distance)
    {
        if (distance >= MaxDistance || callees.Count == 0) return;
        lock (Gate)
        {
            bool any = false;
            foreach (int func in callees)
            {
                int own = func - module.Info.ImportedFuncs;
                if (known[own] || module.IsCompiled(func) || Size(func) > LargestBody) continue;
                known[own] = true;
                queues[distance].Enqueue(func);
                any = true;
            }
            if (any) Announce();
        }
    }

    /// <summary>Asks for a function, or for what begins at the head of one of its loops. Loops are asked for once.</summary>
    internal void Add(int func, int loop)
    {
        lock (Gate)
        {
            int own = func - module.Info.ImportedFuncs;
            if (loop < 0)
            {
                if (known[own] || module.IsCompiled(func)) return;
                known[own] = true;
            }
            hot.Add((func, loop, false));
            Announce();
        }
    }

    /// <summary>Asks for the translation of what a translated function calls.</summary>
    /// <param name="funcs">Functions that the module defines, in the order of the code.</param>
    /// <param name="called">The size of the function itself if it has been called; otherwise 0.</param>
    internal void AddCallees(ReadOnlySpan<int> funcs, int called)
    {
        lock (Gate)
        {
            mayTranslate += called;
            foreach (int func in funcs)
            {
                ref bool known = ref asked[func - module.Info.ImportedFuncs];
                if (known || Size(func) > LargestBody) continue;
                known = true;
                (called > 0 ? near : far).Add(func);
            }
            // A thread that is at work goes on with these.
            if (running == 0 && MayTranslate) Announce();
        }
    }

    /// <summary>Asks for a function that is warm, if it is small.</summary>
    internal void AddWarm(int func)
    {
        if (Size(func) > LargestWarm) return;
        lock (Gate)
        {
            if (known[func - module.Info.ImportedFuncs]) return;
            warm.Add(func);
            if (running == 0) Announce();
        }
    }

    /// <summary>Modules of which a process prepares for hot functions: of smaller ones few functions ever are.</summary>
    private const int LeastToRehearse = 1 << 20;

    /// <summary>The size of a function that has most of what functions have.</summary>
    private const int LeastRehearsed = 200, MostRehearsed = 1_000;

    private static int isRehearsed;

    /// <summary>Whether the process has prepared for hot functions; tests have it do that again.</summary>
    internal static bool IsRehearsed
    {
        get => Volatile.Read(ref isRehearsed) != 0;
        set => Volatile.Write(ref isRehearsed, value ? 1 : 0);
    }

    /// <summary>Whether <see cref="Rehearse"/> would do something for a module.</summary>
    internal static bool MayRehearse(Binary.ModuleInfo info) =>
        !IsRehearsed && info.Funcs.Count > info.ImportedFuncs && Environment.ProcessorCount > 1
        && info.Funcs[^1].BodyEnd - info.Funcs[info.ImportedFuncs].BodyStart >= LeastToRehearse;

    /// <summary>
    /// Compiles one function of the module although it is not hot. The first compilation of a process takes 20 ms longer than others, since .NET loads the compiler's types and
    /// compiles what generic methods are for them. Here another processor does that while the module is instantiated, and not while the first hot functions wait.
    /// </summary>
    internal void Rehearse()
    {
        int first = module.Info.ImportedFuncs;
        for (int func = first; func < module.Info.Funcs.Count; func++)
        {
            if (Size(func) is < LeastRehearsed or > MostRehearsed) continue;
            if (Interlocked.Exchange(ref isRehearsed, 1) == 0) Add(func, loop: -1);
            return;
        }
    }

    private bool MayTranslate => near.Count + far.Count > 0 && mayTranslate > 0;

    private int Size(int func) => module.Info.Funcs[func].BodyEnd - module.Info.Funcs[func].BodyStart;

    /// <summary>Nothing waits, and no thread is compiling for the module; for tests.</summary>
    internal void Wait()
    {
        lock (Gate)
            while (running > 0 || HasWork || later.Count > 0) Monitor.Wait(Gate);
    }

    private bool HasWork
    {
        get
        {
            foreach (Queue<int> queue in queues)
                if (queue.Count > 0) return true;
            return hot.Count > 0 || MayTranslate || warm.Count > 0;
        }
    }

    /// <summary>Whether a thread could begin with something at once, or when it has compiled a small function.</summary>
    internal bool IsIdle
    {
        get
        {
            lock (Gate) return running == runningWarm && hot.Count == 0 && !MayTranslate;
        }
    }

    private void Announce()
    {
        if (running >= limit) return;
        Waiting.Enqueue(self);
        if (idle > 0)
        {
            Monitor.PulseAll(Gate);
        }
        else if (threads < limit)
        {
            var thread = new Thread(Work, StackSize) { IsBackground = true, Priority = ThreadPriority.BelowNormal, Name = "wasm lookahead" };
            try
            {
                Start(thread);
                threads++;
            }
            catch (Exception e) when (e is OutOfMemoryException or ThreadStartException or PlatformNotSupportedException)
            {
                // The system gives no more threads. What is asked for next tries again; until then the interpreter goes on.
            }
        }
    }

    private static void Work()
    {
        while (true)
        {
            BeforeEach?.Invoke();
            // In a method of its own, so that no module is held while this thread waits.
            if (CompileOne()) continue;
            lock (Gate)
            {
                if (Waiting.Count > 0 || AnnounceDue(out int milliseconds)) continue;
                idle++;
                bool more = Monitor.Wait(Gate, milliseconds) || Waiting.Count > 0 || Later.Count > 0;
                idle--;
                if (more) continue;
                threads--;
                return;
            }
        }
    }

    /// <summary>Lets threads know of better code that is due.</summary>
    /// <param name="milliseconds">How long there is nothing to do, at most so long that a thread is idle.</param>
    private static bool AnnounceDue(out int milliseconds)
    {
        milliseconds = IdleMilliseconds;
        bool any = false;
        while (Later.TryPeek(out (long Due, WeakReference<Lookahead> Module) first))
        {
            double left = Stopwatch.GetElapsedTime(Stopwatch.GetTimestamp(), first.Due).TotalMilliseconds;
            if (left > 0)
            {
                milliseconds = Math.Min(milliseconds, (int)left + 1);
                break;
            }
            Later.Dequeue();
            if (!first.Module.TryGetTarget(out Lookahead? ahead)) continue;
            (int func, int loop, _) = ahead.later.Dequeue();
            ahead.hot.Add((func, loop, true));
            Waiting.Enqueue(first.Module);
            any = true;
        }
        return any;
    }

    [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
    private static bool CompileOne()
    {
        Lookahead? ahead = null;
        int func = 0, loop = -1, distance = 0;
        bool isWarm = false;
        lock (Gate)
        {
            while (ahead is null)
            {
                if (!Waiting.TryDequeue(out WeakReference<Lookahead>? next)) return false;
                if (!next.TryGetTarget(out ahead) || (ahead.running < ahead.limit && ahead.TryTake(out func, out loop, out distance, out isWarm))) continue;
                // What it waited for is done already, or is being done: the threads that wait for that look again.
                ahead = null;
                Monitor.PulseAll(Gate);
            }
            ahead.running++;
            if (isWarm) ahead.runningWarm++;
            if (ahead.HasWork) ahead.Announce();
        }
        try
        {
            if (distance < 0) ahead.interpreted!.TranslateAhead(func);
            else if (loop < 0) ahead.module.CompileAhead(func, distance + 1);
            else CompileLoop(ahead, func, loop);
        }
        catch (Exception)
        {
            // The first call of the function throws it again, on a thread that reports it.
        }
        finally
        {
            lock (Gate)
            {
                ahead.running--;
                if (isWarm) ahead.runningWarm--;
                if (ahead.HasWork) ahead.Announce();
                Monitor.PulseAll(Gate);
            }
        }
        return true;
    }

    private static void CompileLoop(Lookahead ahead, int func, int loop)
    {
        long start = Stopwatch.GetTimestamp();
        if (!ahead.module.CompileLoop(func, loop)) return;
        long now = Stopwatch.GetTimestamp(), due = now + (now - start);
        lock (Gate)
        {
            ahead.later.Enqueue((func, loop, due));
            Later.Enqueue((due, ahead.self));
        }
    }

    private bool TryTake(out int func, out int loop, out int distance, out bool isWarm)
    {
        // Below zero: it is to be translated.
        distance = 0;
        isWarm = false;
        if (interpreted is not null)
            return TryTakeHottest(out func, out loop) || TryTakeCallee(out func, out distance) || (isWarm = TryTakeWarmest(out func, out distance));
        loop = -1;
        for (; distance < MaxDistance; distance++)
        {
            while (queues[distance].TryDequeue(out func))
                if (!module.IsCompiled(func)) return true;
        }
        func = 0;
        return false;
    }

    /// <summary>
    /// What is interpreted most is compiled first: when a program starts, hundreds of functions become hot of which few stay so, and what
    /// it does then waits behind them. Better code for what has some comes last.
    /// </summary>
    private bool TryTakeHottest(out int func, out int loop)
    {
        while (hot.Count > 0)
        {
            int best = 0;
            long most = long.MinValue;
            for (int i = 0; i < hot.Count; i++)
            {
                long heat = hot[i].HasCode ? long.MinValue + 1 : interpreted!.HeatOf(hot[i].Func);
                if (heat <= most) continue;
                most = heat;
                best = i;
            }
            (func, loop, _) = hot[best];
            hot.RemoveAt(best);
            if (loop >= 0 || !module.IsCompiled(func)) return true;
        }
        func = 0;
        loop = -1;
        return false;
    }

    /// <summary>Takes the hottest of the warm functions.</summary>
    private bool TryTakeWarmest(out int func, out int distance)
    {
        distance = func = 0;
        while (warm.Count > 0)
        {
            int best = 0;
            for (int i = 1; i < warm.Count; i++)
                if (interpreted!.HeatOf(warm[i]) > interpreted.HeatOf(warm[best])) best = i;
            func = warm[best];
            warm.RemoveAt(best);
            ref bool isKnown = ref known[func - module.Info.ImportedFuncs];
            if (isKnown || module.IsCompiled(func)) continue;
            isKnown = true;
            return true;
        }
        return false;
    }

    private bool TryTakeCallee(out int func, out int distance)
    {
        distance = -1;
        while (MayTranslate)
        {
            List<int> callees = near.Count > 0 ? near : far;
            func = callees[^1];
            callees.RemoveAt(callees.Count - 1);
            if (!interpreted!.IsUntouched(func)) continue;
            mayTranslate -= Size(func);
            return true;
        }
        func = 0;
        return false;
    }
}
