using System.Diagnostics.Tracing;

namespace WasmJit.Runtime;

/// <summary>What the engine tells those who listen to the event source <c>WasmJit</c>. It is made when there is something to tell.</summary>
[EventSource(Name = "WasmJit")]
internal sealed class WasmJitEvents : EventSource
{
    private static WasmJitEvents? log;

    private WasmJitEvents() { }

    internal static WasmJitEvents Log => log ?? Interlocked.CompareExchange(ref log, new WasmJitEvents(), null) ?? log;

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
}
