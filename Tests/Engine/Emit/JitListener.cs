using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Tracing;
using System.Reflection.Emit;
using Xunit;

namespace WasmJit.Tests;

/// <summary>Hears from the runtime how each method was compiled.</summary>
internal sealed class JitListener : EventListener
{
    private const EventKeywords Jit = (EventKeywords)0x10;
    private readonly ConcurrentQueue<(string Name, int Tier)> loaded = new();

    protected override void OnEventSourceCreated(EventSource source)
    {
        if (source.Name == "Microsoft-Windows-DotNETRuntime") EnableEvents(source, EventLevel.Verbose, Jit);
    }

    protected override void OnEventWritten(EventWrittenEventArgs e)
    {
        if (e.EventName?.StartsWith("MethodLoadVerbose", StringComparison.Ordinal) != true || e.PayloadNames is null) return;
        var name = (string)e.Payload![e.PayloadNames.IndexOf("MethodName")]!;
        var flags = Convert.ToUInt32(e.Payload[e.PayloadNames.IndexOf("MethodFlags")], null);
        loaded.Enqueue((name, (int)(flags >> 7) & 7));
    }

    /// <summary>How the methods of a name were compiled, in order: 1 is MinOpts, 2 optimised.</summary>
    internal int[] TiersOf(string method)
    {
        // Events arrive late but in order: behind one for a method that is compiled now, all others have come. Some get
        // lost when many methods are compiled at once.
        for (var watch = Stopwatch.StartNew(); ;)
        {
            string marker = $"marker {Guid.NewGuid()}";
            var last = new DynamicMethod(marker, typeof(int), []);
            ILGenerator il = last.GetILGenerator();
            il.Emit(OpCodes.Ldc_I4_1);
            il.Emit(OpCodes.Ret);
            last.CreateDelegate<Func<int>>()();
            for (int i = 0; i < 50 && !loaded.Any(m => m.Name == marker); i++) Thread.Sleep(20);
            if (loaded.Any(m => m.Name == marker)) break;
            Assert.True(watch.Elapsed < Eventually.Patience, "no event from the JIT");
        }
        return [.. loaded.Where(m => m.Name == method).Select(m => m.Tier)];
    }

    /// <summary>The same for a method that can be compiled once more if its events got lost.</summary>
    internal int[] TiersOf(string method, Action again)
    {
        int[] tiers = TiersOf(method);
        for (int attempt = 0; tiers.Length == 0 && attempt < 10; attempt++)
        {
            again();
            tiers = TiersOf(method);
        }
        return tiers;
    }
}
