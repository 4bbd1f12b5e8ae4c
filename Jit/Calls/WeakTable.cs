using System.Diagnostics.CodeAnalysis;

namespace WasmJit.Jit.Calls;

/// <summary>One object for each key of the process, for as long as it is in use.</summary>
internal sealed class WeakTable<TKey, TValue>
    where TKey : notnull
    where TValue : class
{
    private const int LeastToSweep = 4096;

    /// <summary>The number of such collections after which the table is looked through again.</summary>
    private const int SweepEvery = 4;

    private readonly Lock gate = new();
    private readonly Dictionary<TKey, WeakReference<TValue>> known = [];
    private int sweepAt = LeastToSweep;
    private int sweptAfter;

    /// <summary>How many keys are kept, perhaps some of objects that are gone.</summary>
    internal int Count
    {
        get
        {
            lock (gate) return known.Count;
        }
    }

    /// <summary>The object of a key; made if there is none.</summary>
    internal TValue GetOrAdd<TState>(TKey key, TState state, Func<TState, TValue> make)
    {
        lock (gate)
        {
            if (known.TryGetValue(key, out WeakReference<TValue>? weak))
            {
                if (weak.TryGetTarget(out TValue? value)) return value;
                value = make(state);
                weak.SetTarget(value);
                return value;
            }
            TValue made = make(state);
            known.Add(key, new WeakReference<TValue>(made));
            // Only a collection of the oldest generation surely finds those that are gone.
            if (known.Count >= sweepAt || (known.Count >= LeastToSweep && GC.CollectionCount(2) >= sweptAfter + SweepEvery)) Sweep();
            return made;
        }
    }

    /// <summary>The object of a key, if there is one.</summary>
    internal bool TryGet(TKey key, [NotNullWhen(true)] out TValue? value)
    {
        value = null;
        lock (gate) return known.TryGetValue(key, out WeakReference<TValue>? weak) && weak.TryGetTarget(out value);
    }

    private void Sweep()
    {
        foreach ((TKey key, WeakReference<TValue> weak) in known)
            if (!weak.TryGetTarget(out _)) known.Remove(key);
        sweptAfter = GC.CollectionCount(2);
        sweepAt = Math.Max(LeastToSweep, known.Count * 2);
    }
}
