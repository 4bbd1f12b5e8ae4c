using System.Collections.Concurrent;

namespace WasmJit.Components;

/// <summary>
/// A handle of a resource that the host has: of a component's resource, or of an object of its own. The owner disposes of it, or gives it away
/// by passing it where a component wants to own it; a borrowed one is good only for the call that it came with.
/// </summary>
public sealed class ComponentResource : IDisposable
{
    private readonly RuntimeResource type;
    private readonly InstanceState? holder;
    private readonly ulong representation;
    private readonly CallScope? borrowedFor;
    private bool isGone;

    private ComponentResource(RuntimeResource type, ulong representation, InstanceState? holder, CallScope? borrowedFor)
    {
        this.type = type;
        this.representation = representation;
        this.holder = holder;
        this.borrowedFor = borrowedFor;
    }

    /// <param name="type">The type.</param>
    /// <param name="representation">What stands for the object.</param>
    /// <param name="holder">The instance that it comes from.</param>
    /// <param name="borrowedFor">The call for which it is borrowed; null if it is owned.</param>
    internal static ComponentResource Lifted(RuntimeResource type, ulong representation, InstanceState holder, CallScope? borrowedFor) =>
        new(type, representation, holder, borrowedFor);

    internal static ComponentResource OfHost(RuntimeResource type, ulong representation) => new(type, representation, null, null);

    /// <summary>Whether it is only borrowed: it is not to be disposed of, nor given away, and good only until the call ends that it came with.</summary>
    public bool IsBorrowed => borrowedFor is not null;

    /// <summary>The host's object, if the resource is one of the host's.</summary>
    /// <exception cref="InvalidCastException">It is of another type, or the resource is a component's.</exception>
    /// <exception cref="ObjectDisposedException">It was disposed of or given away, or the call has ended that it was borrowed for.</exception>
    public T Get<T>()
        where T : class
    {
        CheckThere();
        return type.Host is { } host ? (T)host.Find(representation) : throw new InvalidCastException("The resource is a component's.");
    }

    /// <summary>Passes the ownership on.</summary>
    internal ulong Give(RuntimeResource wanted)
    {
        Check(wanted);
        if (IsBorrowed) throw new InvalidOperationException("A borrowed resource cannot be given away.");
        isGone = true;
        return representation;
    }

    /// <summary>Whether it is there, and of a type.</summary>
    internal bool IsOf(RuntimeResource wanted) => !isGone && ReferenceEquals(wanted, type);

    /// <summary>Whether it is an object of the host.</summary>
    internal bool IsOfHost => type.Host is not null;

    /// <summary>The host has its object back: the handle is gone.</summary>
    internal T Take<T>()
        where T : class
    {
        T value = Get<T>();
        Forget();
        return value;
    }

    internal void Forget()
    {
        isGone = true;
        type.Host?.Forget(representation);
    }

    /// <summary>The call did not take place that it was given to.</summary>
    internal void TakeBack() => isGone = false;

    private void CheckThere()
    {
        ObjectDisposedException.ThrowIf(isGone, this);
        if (borrowedFor is { HasEnded: true })
            throw new ObjectDisposedException(nameof(ComponentResource), "The resource was borrowed for a call that has ended.");
    }

    internal ulong Lend(RuntimeResource wanted)
    {
        Check(wanted);
        return representation;
    }

    private void Check(RuntimeResource wanted)
    {
        CheckThere();
        if (!ReferenceEquals(wanted, type)) throw new ArgumentException("The resource is of another type.");
    }

    /// <summary>Drops the handle: the resource's destructor runs. A borrowed one, or one that was given away, stays as it is.</summary>
    /// <exception cref="TrapException">The destructor traps.</exception>
    public void Dispose()
    {
        if (isGone || IsBorrowed) return;
        isGone = true;
        Scheduler? scheduler = holder?.Tree.Enter();
        try
        {
            if (type.Definer is { Tree.IsDisposed: true }) return;
            Destructors.Run(type, representation, null);
        }
        finally
        {
            scheduler?.Leave();
        }
    }
}

/// <summary>A resource type of the host: components get handles of its objects.</summary>
public sealed class HostResourceType
{
    private readonly ConcurrentDictionary<ulong, object> objects = new();
    private uint last;
    private int count;

    /// <summary>Makes a type, which equals no other.</summary>
    /// <param name="name">Its name in messages.</param>
    public HostResourceType(string name)
    {
        Name = name;
        Runtime = new RuntimeResource(null, ValType.I32) { Host = this };
    }

    /// <summary>Its name.</summary>
    public string Name { get; }

    internal RuntimeResource Runtime { get; }

    /// <summary>How many objects have a handle somewhere.</summary>
    public int Count => Volatile.Read(ref count);

    /// <summary>How many may have one: of objects that take much memory, which no other limit counts.</summary>
    internal int Most { get; init; } = int.MaxValue;

    /// <summary>Makes a handle of an object. When its last owner drops it, an object that is <see cref="IDisposable"/> is disposed of.</summary>
    public ComponentResource New(object value)
    {
        ArgumentNullException.ThrowIfNull(value);
        if (Interlocked.Increment(ref count) > Most)
        {
            Interlocked.Decrement(ref count);
            throw ComponentTrap.Make($"too many objects of the host: {Name}");
        }
        uint number;
        do number = Interlocked.Increment(ref last);
        while (!objects.TryAdd(number, value));
        return ComponentResource.OfHost(Runtime, number);
    }

    internal object Find(ulong representation) =>
        objects.TryGetValue(representation, out object? found) ? found : throw new ObjectDisposedException(Name);

    /// <summary>Is asked before a guest's handle is dropped, and may trap: of an object that others depend on.</summary>
    internal Action<object>? Dropping { get; init; }

    /// <summary>A guest drops its handle.</summary>
    /// <exception cref="TrapException">Not yet.</exception>
    internal void Drop(ulong representation)
    {
        if (Dropping is not null && objects.TryGetValue(representation, out object? found)) Dropping(found);
        Dropped(representation);
    }

    internal void Forget(ulong representation) => Remove(representation);

    internal void Dropped(ulong representation) => (Remove(representation) as IDisposable)?.Dispose();

    private object? Remove(ulong representation)
    {
        if (!objects.TryRemove(representation, out object? found)) return null;
        Interlocked.Decrement(ref count);
        return found;
    }
}
