using System.Diagnostics;

namespace WasmJit.Runtime;

/// <summary>
/// Full collections at a limit that garbage may count against. Between two of them passes a multiple of the time that one takes, so guests cannot
/// keep the process busy with them.
/// </summary>
internal sealed class PacedCollection
{
    private const int Rest = 4;

    private readonly Lock gate = new();
    private long last;
    private long next;

    /// <summary>For limits of the process: mappings and address space.</summary>
    internal static PacedCollection OfProcess { get; } = new();

    /// <summary>Waits until it may, and collects; finalizers have run when it returns. A cancelled guest does not wait.</summary>
    internal void Run()
    {
        CancellationToken token = Guest.CancellationToken;
        long asked = Stopwatch.GetTimestamp();
        lock (gate)
        {
            // Another thread's collection came after the question, and serves as well.
            if (Volatile.Read(ref last) > asked) return;
            long wait = next - Environment.TickCount64;
            if (wait > 0 && token.WaitHandle.WaitOne((int)wait)) return;
            long start = Stopwatch.GetTimestamp();
            GC.Collect();
            GC.WaitForPendingFinalizers();
            last = start;
            next = Environment.TickCount64 + (long)(Stopwatch.GetElapsedTime(start).TotalMilliseconds * Rest);
        }
    }
}
