using System.Diagnostics;
using System.Diagnostics.Tracing;

namespace WasmJit.Runtime;

/// <summary>
/// What the engine tells listeners of the event source <c>WasmJit</c>. The first engine has another thread make
/// it, or makes it if a trace has begun with the process (<see cref="WasmJitMetrics"/>). Otherwise it is made when there is something that should be known.
/// </summary>
/// <remarks>Code with an event of which there may be many asks <see cref="Wants"/> before anything is made for it.</remarks>
[EventSource(Name = "WasmJit")]
internal sealed class WasmJitEvents : EventSource
{
    /// <summary>Which events a listener wants. Those that should be known have none, and come to all.</summary>
    public static class Keywords
    {
        /// <summary>Modules and instances.</summary>
        public const EventKeywords Modules = (EventKeywords)1;

        /// <summary>Each function that gets code.</summary>
        public const EventKeywords Functions = (EventKeywords)2;

        /// <summary>Traps, and what limits and quotas refuse.</summary>
        public const EventKeywords Guests = (EventKeywords)4;
    }

    private static WasmJitEvents? log;

    /// <summary>With its name: .NET would read it from the attribute by reflection, which takes milliseconds of a program's start.</summary>
    private WasmJitEvents()
        : base("WasmJit", EventSourceSettings.EtwManifestEventFormat)
    {
    }

    internal static WasmJitEvents Log => log ?? Interlocked.CompareExchange(ref log, new WasmJitEvents(), null) ?? log;

    /// <summary>Makes the source, so that listeners find it.</summary>
    internal static void Publish() => _ = Log;

    /// <summary>Whether there is a listener for events of a kind.</summary>
    [NonEvent]
    internal static bool Wants(EventKeywords kind, EventLevel level) => log is { } made && made.IsEnabled(level, kind);

    /// <summary>A time as events have it.</summary>
    /// <param name="start">When something began (<see cref="Stopwatch.GetTimestamp"/>).</param>
    [NonEvent]
    internal static double MillisecondsSince(long start) => Stopwatch.GetElapsedTime(start).TotalMilliseconds;

    /// <summary>Exceptions of guests do not take the fast path in this process: a test of it failed.</summary>
    /// <param name="reason">What was wrong.</param>
    [Event(1, Level = EventLevel.Warning, Message = "Exceptions of guests are thrown by the .NET runtime alone: {0}")]
    public void FastPathIsOff(string reason) => WriteEvent(1, reason);

    /// <summary>Memory accesses are compared with the length in this process: a test of faults failed.</summary>
    /// <param name="reason">What was wrong.</param>
    [Event(2, Level = EventLevel.Warning, Message = "Accesses to memories are compared with their length: {0}")]
    public void GuardPagesAreOff(string reason) => WriteEvent(2, reason);

    /// <summary>A function has machine code that is not optimised, or stays interpreted, because it is too large or too dear.</summary>
    /// <param name="function">Its name.</param>
    /// <param name="reason">Why.</param>
    [Event(3, Level = EventLevel.Informational, Message = "{0} is not optimised: {1}")]
    public void FunctionIsNotOptimised(string function, string reason) => WriteEvent(3, function, reason);

    /// <summary>A module was decoded and validated, and compiled if the engine does so ahead.</summary>
    /// <param name="module">Its name; empty if it has none.</param>
    /// <param name="bytes">Its length.</param>
    /// <param name="functions">How many it defines.</param>
    /// <param name="milliseconds">How long it took.</param>
    [Event(4, Level = EventLevel.Informational, Keywords = Keywords.Modules, Message = "Module {0}: {1} bytes, {2} functions, {3} ms")]
    public void ModuleCompiled(string module, long bytes, int functions, double milliseconds) => WriteEvent(4, module, bytes, functions, milliseconds);

    /// <summary>An instance was made.</summary>
    /// <param name="module">The module's name; empty if it has none.</param>
    /// <param name="milliseconds">How long it took, with its start function.</param>
    [Event(5, Level = EventLevel.Verbose, Keywords = Keywords.Modules, Message = "Instance of {0}: {1} ms")]
    public void InstanceMade(string module, double milliseconds) => WriteEvent(5, module, milliseconds);

    /// <summary>A function, or a loop of one, got code.</summary>
    /// <param name="function">The module's name and its own.</param>
    /// <param name="tier"><c>compiler</c> or <c>interpreter</c>.</param>
    /// <param name="milliseconds">How long it took.</param>
    [Event(6, Level = EventLevel.Verbose, Keywords = Keywords.Functions, Message = "Function {0} ({1}): {2} ms")]
    public void FunctionCompiled(string function, string tier, double milliseconds) => WriteEvent(6, function, tier, milliseconds);

    /// <summary>A guest trapped.</summary>
    /// <param name="kind">A <see cref="TrapKind"/>.</param>
    [Event(7, Level = EventLevel.Informational, Keywords = Keywords.Guests, Message = "Trap: {0}")]
    public void Trapped(string kind) => WriteEvent(7, kind);

    /// <summary>A limit or quota has refused something.</summary>
    /// <param name="what">A <see cref="ResourceKind"/>, or what of a quota is used up.</param>
    [Event(8, Level = EventLevel.Informational, Keywords = Keywords.Guests, Message = "A guest was refused: {0}")]
    public void Refused(string what) => WriteEvent(8, what);
}
