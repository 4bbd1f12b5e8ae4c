using System.Runtime.CompilerServices;

namespace WasmJit.Runtime;

/// <summary>
/// What one <see cref="Fuel"/> has been given, for the instrument <c>wasmjit.fuel</c>. Only fuel that is made while the instrument is read has one. It dies with the
/// fuel, and its finalizer adds what has been used to the sum; until then the fuel itself says it, so code that counts fuel knows nothing of this.
/// </summary>
internal sealed class FuelCount
{
    private static readonly Lock Gate = new();

    /// <summary>Those that have not been finalized. They are seen until then, so that the sum never falls.</summary>
    private static readonly HashSet<WeakReference<FuelCount>> Live = [];

    private static long gone;
    private static Func<bool>? isRead;

    private readonly Fuel fuel;
    private readonly WeakReference<FuelCount> self;
    private long given;
    private bool isGone;

    private FuelCount(Fuel fuel, long amount)
    {
        this.fuel = fuel;
        given = amount;
        self = new WeakReference<FuelCount>(this, trackResurrection: true);
        lock (Gate) Live.Add(self);
    }

    /// <summary>What all have used.</summary>
    internal static long Sum
    {
        get
        {
            lock (Gate)
            {
                long sum = gone;
                foreach (WeakReference<FuelCount> each in Live)
                    if (each.TryGetTarget(out FuelCount? count) && !count.isGone) sum = unchecked(sum + count.Used);
                return sum;
            }
        }
    }

    /// <summary>Begins to count.</summary>
    /// <param name="read">Says whether the instrument has a reader.</param>
    internal static void Publish(Func<bool> read) => Volatile.Write(ref isRead, read);

    /// <summary>The count of fuel that is being made; null without a reader.</summary>
    internal static FuelCount? Of(Fuel fuel, long amount) => Volatile.Read(ref isRead) is { } read && read() ? Make(fuel, amount) : null;

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static FuelCount Make(Fuel fuel, long amount) => new(fuel, amount);

    /// <summary>Units were added.</summary>
    internal void Add(long units) => Interlocked.Add(ref given, units);

    /// <summary>The fuel of a sampler is filled again and again, and is no limit.</summary>
    private long Used => fuel.Sampler is null ? Math.Max(0, Volatile.Read(ref given) - fuel.Remaining) : 0;

    ~FuelCount()
    {
        lock (Gate)
        {
            gone = unchecked(gone + Used);
            isGone = true;
            Live.Remove(self);
        }
    }
}
