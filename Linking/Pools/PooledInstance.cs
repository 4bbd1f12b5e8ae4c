using System.Diagnostics.CodeAnalysis;

namespace WasmJit;

/// <summary>An instance of an <see cref="InstancePool"/>, for one tenant. <see cref="Dispose"/> gives it back.</summary>
public sealed class PooledInstance : IDisposable
{
    private readonly InstancePool pool;
    private InstancePool.Member? member;
    private bool isDiscarded;

    internal PooledInstance(InstancePool pool, InstancePool.Member member)
    {
        this.pool = pool;
        this.member = member;
    }

    /// <summary>The instance. Neither it nor what it exports may be used once it has been given back: it may be another tenant's then.</summary>
    /// <exception cref="ObjectDisposedException">It has been given back.</exception>
    public Instance Instance => Member.Instance;

    private InstancePool.Member Member => Volatile.Read(ref member) ?? throw new ObjectDisposedException(GetType().FullName);

    /// <summary>The instance as an interface; see <see cref="Instance.As{T}"/>. The object is made once for each instance.</summary>
    /// <typeparam name="T">The interface.</typeparam>
    /// <exception cref="ObjectDisposedException">It has been given back.</exception>
    /// <exception cref="BindingException">Members do not fit; the message tells all that do not.</exception>
    public T As<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.All)] T>()
        where T : class => Member.As<T>();

    /// <summary>
    /// This instance is not given out again: it is disposed of when it is given back. For tenants that have let something of it out, or left a call in it.
    /// A trap is no reason: the instance gets back its whole state.
    /// </summary>
    public void Discard() => isDiscarded = true;

    /// <summary>Gives the instance back. No call may be in it.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref member, null) is { } mine) pool.Return(mine, isDiscarded);
    }
}
