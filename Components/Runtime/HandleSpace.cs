namespace WasmJit.Components;

/// <summary>
/// The handles of a component instance: numbers from 1 on, the last that was freed first. The places that the table has count in the guest's resources.
/// </summary>
internal sealed class HandleSpace(GuestResources? limits)
{
    /// <summary>How many handles an instance may have at a time; the specification allows 2^28.</summary>
    internal const int Most = 1 << 20;

    private const int Least = 8;

    private readonly Lease? lease = limits is null ? null : new(limits);
    private object?[] items = [];
    private uint[] free = [];
    private int count = 1, freed;
    private bool isGone;

    /// <summary>The highest handle that there has been.</summary>
    internal uint Highest => (uint)count - 1;

    /// <summary>How many there are.</summary>
    internal int Count => count - 1 - freed;

    internal uint Add(object item)
    {
        if (freed > 0)
        {
            uint index = free[--freed];
            items[index] = item;
            return index;
        }
        if (count >= items.Length) Grow();
        items[count] = item;
        return (uint)count++;
    }

    private void Grow()
    {
        if (isGone) ComponentTrap.Throw(ComponentTrap.CannotEnter);
        if (count > Most) ComponentTrap.Throw(ComponentTrap.TooManyHandles);
        int places = items.Length == 0 ? Least - 1 : Math.Min(items.Length, Most + 1 - items.Length);
        if (lease is not null) places = lease.Take(places);
        if (places == 0) ComponentTrap.Throw(ComponentTrap.TooManyHandles);
        // Index 0 is never a handle.
        Array.Resize(ref items, Math.Max(items.Length, 1) + places);
    }

    /// <summary>The instance is gone.</summary>
    internal void Free()
    {
        isGone = true;
        lease?.End();
        items = [];
        free = [];
        (count, freed) = (1, 0);
    }

    /// <summary>The places of a table, counted for as long as it is there.</summary>
    private sealed class Lease(GuestResources owner)
    {
        private long taken;

        ~Lease() => owner.Give(ResourceKind.Handles, taken);

        /// <summary>Takes so many, or as many as there are.</summary>
        internal int Take(int wanted)
        {
            int amount = (int)Math.Clamp(owner.Limits.MaximumHandles - owner.InUse(ResourceKind.Handles), 0, wanted);
            if (amount == 0)
            {
                Runtime.WasmJitMetrics.Refused(ResourceKind.Handles);
                return 0;
            }
            if (!owner.TryTake(ResourceKind.Handles, amount, mayCollect: false)) return 0;
            taken += amount;
            return amount;
        }

        /// <summary>Gives all back; the finalizer finds nothing then.</summary>
        internal void End()
        {
            owner.Give(ResourceKind.Handles, taken);
            taken = 0;
        }
    }

    internal object? Find(uint index) => index < (uint)Math.Min(count, items.Length) ? items[index] : null;

    internal object Get(uint index)
    {
        if (Find(index) is not { } item)
        {
            ComponentTrap.UnknownHandle(index);
            return null!;
        }
        return item;
    }

    /// <summary>Gets what is of a kind.</summary>
    internal T Get<T>(uint index)
        where T : class => Get(index) as T ?? throw WrongKind(index, typeof(T));

    internal void Remove(uint index)
    {
        if (isGone) return;
        items[index] = null;
        if (freed == free.Length) Array.Resize(ref free, Math.Max(8, freed * 2));
        free[freed++] = index;
    }

    /// <summary>A handle of a resource type.</summary>
    internal ResourceHandle Resource(uint index, RuntimeResource type)
    {
        object item = Get(index);
        if (item is not ResourceHandle handle) throw WrongKind(index, typeof(ResourceHandle));
        if (!ReferenceEquals(handle.Type, type))
        {
            throw ComponentTrap.Make(
                $"handle index {index} used with the wrong type, expected {type.Description} but found a different {handle.Type.Description}");
        }
        return handle;
    }

    /// <summary>All that is in it.</summary>
    internal IEnumerable<object> Items => items.Take(count).OfType<object>();

    private static TrapException WrongKind(uint index, Type wanted) =>
        ComponentTrap.Make($"handle index {index} used with the wrong type, expected {KindOf(wanted)}");

    private static string KindOf(Type type) =>
        type == typeof(ResourceHandle) ? "a resource" : type == typeof(WaitableSet) ? "a waitable set" : type == typeof(Subtask) ? "a subtask"
            : type == typeof(ErrorContext) ? "an error context" : type == typeof(Waitable) ? "a waitable" : "a stream or future";
}

/// <summary>A handle of a resource in an instance's table.</summary>
internal sealed class ResourceHandle(RuntimeResource type, ulong representation, BorrowScope? scope)
{
    internal RuntimeResource Type { get; } = type;

    internal ulong Representation { get; } = representation;

    /// <summary>The call in which a borrowed handle must be dropped; null of an owning one.</summary>
    internal BorrowScope? Scope { get; } = scope;

    internal bool IsOwn => Scope is null;

    /// <summary>How often it is lent.</summary>
    internal int Lends;
}

/// <summary>A debug message.</summary>
internal sealed class ErrorContext(string message)
{
    /// <summary>Messages are kept up to this length: their number has a limit only with one for each.</summary>
    internal const int MostChars = 1000;

    internal string Message { get; } = message;

    internal static ErrorContext Of(string message) => new(
        message.Length <= MostChars ? message : message[..(char.IsHighSurrogate(message[MostChars - 1]) ? MostChars - 1 : MostChars)]);
}
