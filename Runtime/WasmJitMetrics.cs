using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Diagnostics.Tracing;
using System.Runtime.CompilerServices;

namespace WasmJit.Runtime;

/// <summary>Why a function has no optimised machine code.</summary>
internal enum SlowCode
{
    /// <summary>Optimising would take too long.</summary>
    Cost,

    /// <summary>It is too large for the optimiser, and cannot be cut into parts.</summary>
    Size,

    /// <summary>Optimising would take too long, so that it stays interpreted.</summary>
    Interpreted,
}

/// <summary>Functions whose names listeners are told.</summary>
internal interface INamedFunctions
{
    /// <summary>The module's name and the function's.</summary>
    string ShownName(int func);
}

/// <summary>
/// What the meter <c>WasmJit</c> shows. The numbers are counted all the time, since that costs next to nothing beside what is counted; listeners
/// read them. The meter is made with the first engine, unless the <c>AppContext</c> switch <c>WasmJit.Metrics</c> is off.
/// </summary>
/// <remarks>
/// .NET's metrics take a fifth of the time of an empty program to begin. So where the process has not used them yet, a thread makes the meter; a listener
/// that begins later finds it, or is told of it.
/// </remarks>
internal static class WasmJitMetrics
{
    private static readonly long[] TrapCounts = new long[Enum.GetValues<TrapKind>().Length];

    private static readonly long[] SlowCounts = new long[Enum.GetValues<SlowCode>().Length];

    private const string CompilerTier = "compiler", InterpreterTier = "interpreter";

    private static long modules, compiled, compiledTicks, interpreted, interpretedTicks, memories, memoryBytes, refusals;

    /// <summary>Not 0 when the meter is there, or is being made.</summary>
    private static int isBegun;

    internal static void ModuleCompiled() => Interlocked.Increment(ref modules);

    /// <summary>A function got machine code.</summary>
    /// <param name="start">When its compilation began (<see cref="Stopwatch.GetTimestamp"/>).</param>
    /// <param name="code">The code that the function belongs to, which knows its name.</param>
    /// <param name="func">The function.</param>
    internal static void FunctionCompiled(long start, INamedFunctions code, int func)
    {
        Interlocked.Increment(ref compiled);
        Interlocked.Add(ref compiledTicks, Stopwatch.GetTimestamp() - start);
        Tell(start, code, func, CompilerTier);
    }

    /// <summary>A function got machine code that is not optimised, or none.</summary>
    /// <param name="reason">Why.</param>
    /// <param name="function">The function's name.</param>
    internal static void NotOptimised(SlowCode reason, string function)
    {
        Interlocked.Increment(ref SlowCounts[(int)reason]);
        WasmJitEvents.Log.FunctionIsNotOptimised(function, Describe(reason));
    }

    /// <summary>A reason for people.</summary>
    internal static string Describe(SlowCode reason) => reason switch
    {
        SlowCode.Cost => "it would take too long",
        SlowCode.Size => "it is too large and cannot be cut",
        _ => "it would take too long, so it stays interpreted",
    };

    /// <summary>A function got register code, for the interpreter.</summary>
    /// <inheritdoc cref="FunctionCompiled"/>
    internal static void FunctionTranslated(long start, INamedFunctions code, int func)
    {
        Interlocked.Increment(ref interpreted);
        Interlocked.Add(ref interpretedTicks, Stopwatch.GetTimestamp() - start);
        Tell(start, code, func, InterpreterTier);
    }

    private static void Tell(long start, INamedFunctions code, int func, string tier)
    {
        if (WasmJitEvents.Wants(WasmJitEvents.Keywords.Functions, EventLevel.Verbose))
            WasmJitEvents.Log.FunctionCompiled(code.ShownName(func), tier, WasmJitEvents.MillisecondsSince(start));
    }

    internal static void MemoryMade() => Interlocked.Increment(ref memories);

    internal static void MemoryGone() => Interlocked.Decrement(ref memories);

    /// <summary>Bytes that memories have been given, or have given back.</summary>
    internal static void MemoryBytes(long change) => Interlocked.Add(ref memoryBytes, change);

    internal static void Trapped(TrapKind kind)
    {
        Interlocked.Increment(ref TrapCounts[(int)kind]);
        if (WasmJitEvents.Wants(WasmJitEvents.Keywords.Guests, EventLevel.Informational)) WasmJitEvents.Log.Trapped(kind.ToString());
    }

    /// <summary>A guest was refused what a limit does not allow.</summary>
    internal static void Refused(ResourceKind kind)
    {
        Interlocked.Increment(ref refusals);
        if (WasmJitEvents.Wants(WasmJitEvents.Keywords.Guests, EventLevel.Informational)) WasmJitEvents.Log.Refused(kind.ToString());
    }

    /// <summary>A guest was refused what a quota does not allow.</summary>
    internal static void Refused(string quota)
    {
        Interlocked.Increment(ref refusals);
        if (WasmJitEvents.Wants(WasmJitEvents.Keywords.Guests, EventLevel.Informational)) WasmJitEvents.Log.Refused(quota);
    }

    /// <summary>Makes the meter, the event source and the source of activities, so that listeners see them.</summary>
    internal static void Publish()
    {
        if (Volatile.Read(ref isBegun) != 0 || (AppContext.TryGetSwitch("WasmJit.Metrics", out bool wanted) && !wanted)) return;
        if (Interlocked.Exchange(ref isBegun, 1) != 0) return;
        WasmJitEvents.Publish();
        if (AreMetricsUsed || !TryMakeElsewhere()) Make();
    }

    /// <summary>Whether .NET's metrics are there already: a listener may be, too.</summary>
    private static bool AreMetricsUsed
    {
        get
        {
            foreach (System.Reflection.Assembly assembly in AppDomain.CurrentDomain.GetAssemblies())
                if (assembly.FullName is { } name && name.StartsWith("System.Diagnostics.DiagnosticSource,", StringComparison.Ordinal)) return true;
            return false;
        }
    }

    private static bool TryMakeElsewhere()
    {
        var thread = new Thread(static () =>
        {
            try
            {
                Make();
            }
            catch (Exception)
            {
                // A listener that began meanwhile has thrown.
            }
        })
        { IsBackground = true, Name = "wasm metrics" };
        try
        {
            thread.UnsafeStart();
            return true;
        }
        catch (Exception e) when (e is OutOfMemoryException or ThreadStartException)
        {
            return false;
        }
    }

    /// <summary>In a method of its own, so that nothing of .NET's metrics is loaded before.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Make()
    {
        TracedWork.Publish();
        var made = new Meter("WasmJit");
        double perTick = 1.0 / Stopwatch.Frequency;
        made.CreateObservableCounter("wasmjit.modules.compiled", () => Volatile.Read(ref modules), "{module}", "Modules that were decoded and validated.");
        made.CreateObservableCounter("wasmjit.functions.compiled", () => ByTier(Volatile.Read(ref compiled), Volatile.Read(ref interpreted)), "{function}", "Functions that got code, by tier.");
        made.CreateObservableCounter("wasmjit.functions.unoptimised", NotOptimised, "{function}", "Functions whose machine code is not optimised, by reason.");
        made.CreateObservableCounter("wasmjit.compile.time", () => ByTier(Volatile.Read(ref compiledTicks) * perTick, Volatile.Read(ref interpretedTicks) * perTick), "s", "Time that it took to make the code, by tier, of all threads.");
        made.CreateObservableUpDownCounter("wasmjit.memories", () => Volatile.Read(ref memories), "{memory}", "Linear memories that have not been collected.");
        made.CreateObservableUpDownCounter("wasmjit.memory.size", () => Volatile.Read(ref memoryBytes), "By", "What these memories hold.");
        made.CreateObservableCounter("wasmjit.traps", Traps, "{trap}", "Traps of guests, by kind.");
        made.CreateObservableCounter("wasmjit.refusals", () => Volatile.Read(ref refusals), "{refusal}", "What resource limits and quotas have refused.");
    }

    private static Measurement<T>[] ByTier<T>(T compiler, T interpreter)
        where T : struct => [new(compiler, new KeyValuePair<string, object?>("tier", CompilerTier)), new(interpreter, new KeyValuePair<string, object?>("tier", InterpreterTier))];

    private static List<Measurement<long>> Traps() => Counts<TrapKind>(TrapCounts, "kind");

    private static List<Measurement<long>> NotOptimised() => Counts<SlowCode>(SlowCounts, "reason");

    private static List<Measurement<long>> Counts<T>(long[] counts, string tag)
        where T : struct, Enum
    {
        var found = new List<Measurement<long>>();
        foreach (T value in Enum.GetValues<T>())
            if (Volatile.Read(ref counts[Convert.ToInt32(value, null)]) is > 0 and long count) found.Add(new(count, new KeyValuePair<string, object?>(tag, value.ToString())));
        return found;
    }
}
