namespace WasmJit.Components;

/// <summary>The handles of a component instance: numbers from 1 on, the last that was freed first.</summary>
internal sealed class HandleSpace
{
    /// <summary>How many handles an instance may have at a time; the specification allows 2^28.</summary>
    internal const int Most = 1 << 20;

    private object?[] items = new object?[8];
    private uint[] free = [];
    private int count = 1, freed;

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
        if (count > Most) ComponentTrap.Throw(ComponentTrap.TooManyHandles);
        if (count == items.Length) Array.Resize(ref items, count * 2);
        items[count] = item;
        return (uint)count++;
    }

    internal object? Find(uint index) => index < (uint)count ? items[index] : null;

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

/// <summary>A call that borrowed handles were passed to.</summary>
internal class BorrowScope
{
    /// <summary>How many of them are not dropped yet.</summary>
    internal int Borrows;
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

/// <summary>
/// What one call's copies need to know: whose handles are lent until it has ended, and to whom.
/// </summary>
internal sealed class CallScope(BorrowScope? callee)
{
    private List<ResourceHandle>? lenders;

    /// <summary>The call that gets borrowed handles; null if the host is called.</summary>
    internal BorrowScope? Callee { get; } = callee;

    internal void Lend(ResourceHandle handle)
    {
        handle.Lends++;
        (lenders ??= []).Add(handle);
    }

    /// <summary>The call has ended.</summary>
    internal void Return()
    {
        if (lenders is null) return;
        foreach (ResourceHandle handle in lenders) handle.Lends--;
        lenders = null;
    }
}
