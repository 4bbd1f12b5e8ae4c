using System.Runtime.ConstrainedExecution;
using System.Runtime.InteropServices;

namespace WasmJit.Runtime;

/// <summary>
/// What an object leaves behind outside of the collector's heap: given back when the object itself is no more, and not when a
/// finalizer happens to run. A finalizer of the host may call a function whose memory has been found unreachable in the same
/// collection, or keep it for ever; finalizers run in no order that could be relied on, those of critical objects included.
/// So the object has none: it holds its remains, and they look through a weak reference that sees objects which finalizers
/// have brought back. Nothing is left that could come to what they give back.
/// </summary>
internal abstract class Remains : CriticalFinalizerObject
{
    private GCHandle owner;

    /// <param name="owner">Whose remains these are. It holds this object, so that the finalizer comes no sooner than its end.</param>
    protected Remains(object owner) => this.owner = GCHandle.Alloc(owner, GCHandleType.WeakTrackResurrection);

    /// <summary>Gives back what the owner had, once.</summary>
    ~Remains()
    {
        if (owner.IsAllocated)
        {
            if (owner.Target is not null)
            {
                // Somebody's finalizer still has the owner, or has brought it back.
                GC.ReRegisterForFinalize(this);
                return;
            }
            owner.Free();
        }
        Release();
    }

    /// <summary>Gives everything back. Called once, by the finalizer's thread; must not throw.</summary>
    protected abstract void Release();
}
