using System.Collections.Concurrent;
using System.Diagnostics.Tracing;
using System.Globalization;

namespace WasmJit.Cli;

/// <summary>Reads the size of each compiled method's machine code from the runtime's events.</summary>
internal sealed class MethodSizes : EventListener
{
    private const EventKeywords Jit = (EventKeywords)0x10;

    private readonly ConcurrentDictionary<ulong, int> sizes = new();

    /// <inheritdoc/>
    protected override void OnEventSourceCreated(EventSource eventSource)
    {
        if (eventSource.Name == "Microsoft-Windows-DotNETRuntime") EnableEvents(eventSource, EventLevel.Verbose, Jit);
    }

    /// <inheritdoc/>
    protected override void OnEventWritten(EventWrittenEventArgs eventData)
    {
        if (eventData.EventName?.StartsWith("MethodLoad", StringComparison.Ordinal) != true) return;
        if (eventData.PayloadNames is not { } names || eventData.Payload is not { } payload) return;
        int address = names.IndexOf("MethodStartAddress"), size = names.IndexOf("MethodSize");
        if (address < 0 || size < 0) return;
        ulong start = Convert.ToUInt64(payload[address], CultureInfo.InvariantCulture);
        sizes[start] = Convert.ToInt32(payload[size], CultureInfo.InvariantCulture);
    }

    /// <summary>The size of a method's code in bytes. Events arrive a little later than the code. The size is 0 without an event.</summary>
    internal int Wait(nint address, TimeSpan timeout)
    {
        long end = Environment.TickCount64 + (long)timeout.TotalMilliseconds;
        while (true)
        {
            if (sizes.TryGetValue((ulong)address, out int size)) return size;
            if (Environment.TickCount64 > end) return 0;
            Thread.Sleep(5);
        }
    }
}
