using System.Diagnostics.CodeAnalysis;
using System.Runtime.ConstrainedExecution;
using System.Runtime.InteropServices;

namespace WasmJit.Runtime;

/// <summary>
/// The things that an object leaves behind outside of the collector's heap. They are freed when the object itself is gone, not when a finalizer
/// happens to run. A finalizer of the host may call a function whose memory has been found unreachable in the same collection, or keep it for ever.
/// Finalizers run in no order that could be relied on, those of critical objects included. So the object has no finalizer. It holds its remains, and
/// they look through a weak reference that sees objects which finalizers have brought back. When they free something, nothing is left that could
/// reach it.
/// </summary>
internal abstract class Remains : CriticalFinalizerObject
{
    private GCHandle owner;

    /// <param name="owner">The object that leaves these remains. It holds this object, so the finalizer does not run before the owner's end.</param>
    protected Remains(object owner) => this.owner = GCHandle.Alloc(owner, GCHandleType.WeakTrackResurrection);

    /// <summary>Frees what the owner had, once.</summary>
    ~Remains()
    {
        if (owner.IsAllocated)
        {
            if (owner.Target is not null)
            {
                // A finalizer still has the owner, or has brought it back.
                GC.ReRegisterForFinalize(this);
                return;
            }
            owner.Free();
        }
        Release();
    }

    /// <summary>Frees everything now. The caller holds the owner, and knows that what it had is in use no more.</summary>
    [SuppressMessage("Usage", "CA1816", Justification = "The finalizer has nothing left to do.")]
    protected void ReleaseNow()
    {
        GC.SuppressFinalize(this);
        owner.Free();
        Release();
    }

    /// <summary>Frees everything. It is called once, usually by the finalizer's thread; it must not throw.</summary>
    protected abstract void Release();
}
