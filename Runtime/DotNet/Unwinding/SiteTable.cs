using System.Runtime.CompilerServices;

namespace WasmJit.Runtime;

/// <summary>Facts about return addresses. Readers take no lock; one thread at a time adds.</summary>
internal sealed class SiteTable<T>
    where T : class
{
    /// <summary>Open addressing; a power of two, never more than half full.</summary>
    private sealed class Slots(int size)
    {
        internal readonly nint[] Keys = new nint[size];
        internal readonly T?[] Values = new T?[size];
        internal int Count;
    }

    private volatile Slots slots = new(64);

    /// <summary>The facts about an address; null if there are none.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal T? Find(nint address)
    {
        Slots current = slots;
        int mask = current.Keys.Length - 1;
        for (int i = Hash(address) & mask; ; i = (i + 1) & mask)
        {
            nint key = Volatile.Read(ref current.Keys[i]);
            if (key == address) return current.Values[i];
            if (key == 0) return null;
        }
    }

    /// <summary>Adds facts about an address that had none. Callers take turns.</summary>
    internal void Add(nint address, T value)
    {
        Slots current = slots;
        if (2 * (current.Count + 1) > current.Keys.Length)
        {
            var larger = new Slots(2 * current.Keys.Length);
            for (int i = 0; i < current.Keys.Length; i++)
                if (current.Keys[i] != 0) Put(larger, current.Keys[i], current.Values[i]!);
            slots = current = larger;
        }
        Put(current, address, value);
    }

    private static void Put(Slots slots, nint address, T value)
    {
        int mask = slots.Keys.Length - 1;
        int i = Hash(address) & mask;
        while (slots.Keys[i] != 0) i = (i + 1) & mask;
        slots.Values[i] = value;
        slots.Count++;
        Volatile.Write(ref slots.Keys[i], address);
    }

    /// <summary>Fibonacci hashing: addresses that are close together lie apart.</summary>
    private static int Hash(nint address) => (int)(((ulong)address * 0x9e3779b97f4a7c15) >> 33);
}
