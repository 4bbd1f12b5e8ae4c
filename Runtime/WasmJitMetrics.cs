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

    /// <summary>RyuJIT does not compile it.</summary>
    Refused,
}

/// <summary>Functions whose names listeners are told.</summary>
internal interface INamedFunctions
{
    /// <summary>The module's name and the function's.</summary>
    string ShownName(int func);
}

/// <summary>
/// What the meter <c>WasmJit</c> shows. The numbers are counted all the time, since that costs next to nothing beside what is counted; listeners
/// read them. The meter is made with the first engine if the process uses .NET's metrics or activities by then, otherwise when it begins to; never if the
/// <c>AppContext</c> switch <c>WasmJit.Metrics</c> is off.
/// </summary>
/// <remarks>
/// .NET's metrics take a fifth of the time of an empty program to begin. So the meter is made when something in the process uses them: a listener, or a tool
/// that looks at the process from outside, has their assembly loaded.
/// </remarks>
internal static class WasmJitMetrics
{
    /// <summary>How many kinds there are. .NET compiles methods where an enumeration is asked for its values, and every program would pay for them.</summary>
    internal const int TrapKinds = (int)TrapKind.DroppedFunction + 1, SlowCodes = (int)SlowCode.Refused + 1;

    private static readonly long[] TrapCounts = new long[TrapKinds];

    private static readonly long[] SlowCounts = new long[SlowCodes];

    private const string CompilerTier = "compiler", InterpreterTier = "interpreter";

    private static long modules, compiled, compiledTicks, interpreted, interpretedTicks, memories, memoryBytes, refusals;

    /// <summary>What <see cref="state"/> is: not asked for yet; there is no meter, as metrics are not used; it is to be made; it is made, or not wanted.</summary>
    private const int Unknown = 0, Waits = 1, Wanted = 2, Made = 3;

    private static int state;
    private static bool isMaking;

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
        SlowCode.Refused => "the .NET JIT does not compile it",
        SlowCode.Interpreted => "it would take too long, so it stays interpreted",
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

    /// <summary>The assembly with .NET's metrics.</summary>
    private const string MetricsAssembly = "System.Diagnostics.DiagnosticSource,";

    private static readonly Lock Gate = new();

    /// <summary>Makes the event source, and meter and source of activities if .NET's are there, so that listeners see them; otherwise when they come. With each engine.</summary>
    internal static void Publish()
    {
        if (Volatile.Read(ref state) == Made) return;
        if (Interlocked.CompareExchange(ref state, Waits, Unknown) == Unknown)
        {
            if (AppContext.TryGetSwitch("WasmJit.Metrics", out bool wanted) && !wanted)
            {
                Volatile.Write(ref state, Made);
                return;
            }
            // It takes some milliseconds, which only traces that begin with the process are worth.
            if (IsTraced || !TryElsewhere(WasmJitEvents.Publish)) WasmJitEvents.Publish();
            AppDomain.CurrentDomain.AssemblyLoad += OnAssembly;
            foreach (System.Reflection.Assembly assembly in AppDomain.CurrentDomain.GetAssemblies())
                if (IsOfMetrics(assembly)) Interlocked.CompareExchange(ref state, Wanted, Waits);
        }
        if (Volatile.Read(ref state) == Wanted) MakeOnce();
    }

    private static bool IsOfMetrics(System.Reflection.Assembly assembly) => assembly.FullName is { } name && name.StartsWith(MetricsAssembly, StringComparison.Ordinal);

    /// <summary>The process begins to use .NET's metrics. The meter is made by another thread, as this one may be in the middle of a type of theirs, or by the next engine.</summary>
    private static void OnAssembly(object? sender, AssemblyLoadEventArgs loaded)
    {
        // Without a thread the next engine makes it.
        if (IsOfMetrics(loaded.LoadedAssembly) && Interlocked.CompareExchange(ref state, Wanted, Waits) == Waits) _ = TryElsewhere(MakeOnce);
    }

    /// <summary>Whether a trace has begun with the process: it is to miss nothing.</summary>
    private static bool IsTraced =>
        Environment.GetEnvironmentVariable("DOTNET_EnableEventPipe") == "1" || Environment.GetEnvironmentVariable("DOTNET_DiagnosticPorts") is { Length: > 0 };

    /// <summary>Has a thread of its own do something.</summary>
    /// <returns>Whether there is one.</returns>
    private static bool TryElsewhere(Action work)
    {
        var thread = new Thread(() =>
        {
            try
            {
                work();
            }
            catch (Exception)
            {
                // A listener has thrown.
            }
        })
        { IsBackground = true, Name = "wasm metrics" };
        try
        {
            thread.UnsafeStart();
            return true;
        }
        catch (Exception e) when (e is OutOfMemoryException or ThreadStartException or PlatformNotSupportedException)
        {
            return false;
        }
    }

    private static void MakeOnce()
    {
        lock (Gate)
        {
            if (Volatile.Read(ref state) == Made || isMaking) return;
            // A listener may make an engine when it is told of the meter.
            isMaking = true;
            AppDomain.CurrentDomain.AssemblyLoad -= OnAssembly;
            try
            {
                Make();
            }
            finally
            {
                Volatile.Write(ref state, Made);
            }
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
        ObservableCounter<long> fuel = made.CreateObservableCounter("wasmjit.fuel", () => FuelCount.Sum, "{unit}", "Fuel that guests have used, where it is counted.");
        FuelCount.Publish(() => fuel.Enabled);
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
