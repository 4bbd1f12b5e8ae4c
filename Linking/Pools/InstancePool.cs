using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using WasmJit.Linking;

namespace WasmJit;

/// <summary>
/// Instances of one module for many short uses. Each tenant finds an instance as if it had just been made: memories, globals, tables and segments are
/// what they were, also behind a trap, a cancelled call, or fuel that ran out. An instance whose state cannot be brought back is replaced by a new
/// one: if a memory or table has grown, if the module imports memories, tables or globals that change, if it defines instances in itself, shares a
/// memory, or keeps objects, or functions of its own making, in globals or tables. Any number of threads may use a pool.
/// </summary>
/// <example><code>
/// using var pool = new InstancePool(module, new InstancePoolOptions { MaximumInUse = 16 });
/// using PooledInstance rented = pool.Rent();
/// int answer = rented.Instance.GetExport&lt;Func&lt;int&gt;&gt;("answer")();
/// </code></example>
public sealed class InstancePool : IDisposable
{
    private readonly InstancePoolOptions options;
    private readonly SemaphoreSlim places;
    private readonly ConcurrentStack<Member> idle = new();
    private InstanceImage? known;
    private long made;
    private int idleCount, inUse;
    private volatile bool isDisposed;

    /// <summary>Makes an empty pool.</summary>
    /// <param name="module">The module.</param>
    /// <param name="options">Options; the defaults if null.</param>
    /// <exception cref="ArgumentOutOfRangeException">No instance may be in use, or a number is negative.</exception>
    /// <exception cref="InvalidOperationException">Fuel is given, and the engine has no <see cref="EngineOptions.CountFuel"/>.</exception>
    public InstancePool(Module module, InstancePoolOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(module);
        this.options = options ??= new InstancePoolOptions();
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(options.MaximumInUse);
        ArgumentOutOfRangeException.ThrowIfNegative(options.MaximumIdle);
        if (options.Fuel is { } fuel)
        {
            ArgumentOutOfRangeException.ThrowIfNegative(fuel);
            if (!module.CountsFuel) throw Module.NothingCounts();
        }
        Module = module;
        places = new SemaphoreSlim(options.MaximumInUse);
    }

    /// <summary>The module.</summary>
    public Module Module { get; }

    /// <summary>How many instances tenants have.</summary>
    public int InUse => Volatile.Read(ref inUse);

    /// <summary>How many instances wait for a tenant, or are being brought back for one.</summary>
    public int Idle => Volatile.Read(ref idleCount);

    /// <summary>How many instances have been made in all.</summary>
    public long Made => Volatile.Read(ref made);

    /// <summary>
    /// An instance. Waits while <see cref="InstancePoolOptions.MaximumInUse"/> are in use. Its <see cref="Instance.State"/> is null, for the tenant to set.
    /// </summary>
    /// <param name="cancellation">
    /// Ends the wait. It also stops the start function of a new instance, and <see cref="InstancePoolOptions.Prepare"/>, as <see cref="Guest.Run(Action, CancellationToken)"/> does.
    /// </param>
    /// <exception cref="ObjectDisposedException">The pool has been disposed of.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled; a <see cref="GuestCanceledException"/> if the guest was stopped.</exception>
    /// <exception cref="LinkException">A new instance was needed and could not be linked.</exception>
    /// <exception cref="TrapException">A new instance was needed, and its start function trapped.</exception>
    public PooledInstance Rent(CancellationToken cancellation = default)
    {
        ObjectDisposedException.ThrowIf(isDisposed, this);
        places.Wait(cancellation);
        return Take(cancellation);
    }

    /// <summary>As <see cref="Rent"/>; no thread waits.</summary>
    /// <param name="cancellation">As of <see cref="Rent"/>.</param>
    public async ValueTask<PooledInstance> RentAsync(CancellationToken cancellation = default)
    {
        ObjectDisposedException.ThrowIf(isDisposed, this);
        await places.WaitAsync(cancellation).ConfigureAwait(false);
        return Take(cancellation);
    }

    /// <summary>As <see cref="Rent"/>, if no wait is needed.</summary>
    /// <param name="rented">The instance.</param>
    /// <returns>Whether there is one.</returns>
    public bool TryRent([NotNullWhen(true)] out PooledInstance? rented)
    {
        ObjectDisposedException.ThrowIf(isDisposed, this);
        rented = places.Wait(0) ? Take(CancellationToken.None) : null;
        return rented is not null;
    }

    private PooledInstance Take(CancellationToken cancellation)
    {
        try
        {
            ObjectDisposedException.ThrowIf(isDisposed, this);
            if (idle.TryPop(out Member? member))
            {
                Interlocked.Decrement(ref idleCount);
                if (options.Fuel is { } fuel) member.Instance.Fuel = new Fuel(fuel);
            }
            else
            {
                // Start functions are guests, too.
                member = Guest.Run(Make, cancellation);
            }
            member.Instance.State = null;
            Interlocked.Increment(ref inUse);
            return new PooledInstance(this, member);
        }
        catch
        {
            places.Release();
            throw;
        }
    }

    private Member Make()
    {
        Fuel? fuel = options.Fuel is { } units ? new Fuel(units) : null;
        Instance instance = Module.Instantiate(options.Imports?.Invoke(), fuel, options.Limits is { } limits ? new GuestResources(limits) : null);
        try
        {
            options.Prepare?.Invoke(instance);
            if (fuel is not null)
            {
                // The same object: functions that the guest has made meanwhile go on with it.
                fuel.Add(Math.Max(0, options.Fuel!.Value - fuel.Remaining));
                instance.Fuel = fuel;
            }
            InstanceImage? image = options.AlwaysReplace ? null : InstanceImage.Of(instance, Volatile.Read(ref known));
            Volatile.Write(ref known, image);
            Interlocked.Increment(ref made);
            return new Member(instance, image);
        }
        catch
        {
            instance.Dispose();
            throw;
        }
    }

    /// <summary>A tenant is done.</summary>
    internal void Return(Member member, bool isDiscarded)
    {
        try
        {
            // An idle instance must not keep what its last tenant had.
            member.Instance.State = null;
            if (isDiscarded || isDisposed || !TryReserve()) member.Instance.Dispose();
            else Keep(member);
        }
        finally
        {
            Interlocked.Decrement(ref inUse);
            places.Release();
        }
    }

    /// <summary>Takes one of the places of idle instances. To restore takes time, and several tenants may give theirs back in it.</summary>
    private bool TryReserve()
    {
        for (int seen = Volatile.Read(ref idleCount); seen < options.MaximumIdle;)
        {
            int before = Interlocked.CompareExchange(ref idleCount, seen + 1, seen);
            if (before == seen) return true;
            seen = before;
        }
        return false;
    }

    /// <summary>Restores an instance whose place is reserved.</summary>
    private void Keep(Member member)
    {
        bool isRestored = false;
        try
        {
            isRestored = member.TryRestore();
        }
        finally
        {
            if (!isRestored)
            {
                Interlocked.Decrement(ref idleCount);
                member.Instance.Dispose();
            }
        }
        if (!isRestored) return;
        idle.Push(member);
        // The pool may have been disposed of before this one was given back.
        if (isDisposed) DropIdle();
    }

    private void DropIdle()
    {
        while (idle.TryPop(out Member? member))
        {
            Interlocked.Decrement(ref idleCount);
            member.Instance.Dispose();
        }
    }

    /// <summary>Disposes of the unused instances, and of the others when they are given back.</summary>
    public void Dispose()
    {
        isDisposed = true;
        DropIdle();
    }

    /// <summary>An instance of the pool.</summary>
    internal sealed class Member(Instance instance, InstanceImage? image)
    {
        private readonly Dictionary<Type, object> faces = [];

        internal Instance Instance => instance;

        internal bool TryRestore() => image is not null && image.TryRestore(instance);

        internal T As<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.All)] T>()
            where T : class
        {
            lock (faces)
            {
                if (!faces.TryGetValue(typeof(T), out object? face))
                {
                    faces[typeof(T)] = face = instance.As<T>();
                    ((Generated.Face)face).IsOfPool = true;
                }
                return (T)face;
            }
        }
    }
}
