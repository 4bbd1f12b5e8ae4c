using WasmJit.Runtime;

namespace WasmJit.Jit.Calls;

/// <summary>
/// The machine code of stubs, a page for each 255. A page is freed when its <see cref="LazyStubs"/> are gone for good. It is not enough that no reference
/// to them is left, because finalizers may still call code that does, and may bring it back.
/// </summary>
/// <remarks>Unsafe: a page is released only when one object is gone, and all code that can reach the page holds that object.</remarks>
internal static unsafe class StubPages
{
    /// <summary>Fewer pages than this are not searched for unused ones.</summary>
    private const int LeastToSweep = 256;

    private static readonly Lock Gate = new();
    private static readonly List<(WeakReference<LazyStubs> Owner, nint Page)> Pages = [];
    private static int sweepAt = LeastToSweep;

    /// <summary>How many pages there are.</summary>
    internal static int Count
    {
        get
        {
            lock (Gate)
            {
                Sweep();
                return Pages.Count;
            }
        }
    }

    /// <summary>Makes a page.</summary>
    /// <param name="owner">The object that keeps it.</param>
    /// <param name="shape">The shape of its functions.</param>
    /// <param name="target">Where all stubs go on.</param>
    /// <param name="first">The number of the first.</param>
    internal static nint Make(LazyStubs owner, StubShape shape, nint target, int first)
    {
        int register = shape.UsesFloatRegister ? shape.FloatArguments : shape.IntegerArguments;
        lock (Gate)
        {
            if (Pages.Count >= sweepAt)
            {
                Sweep();
                sweepAt = Math.Max(LeastToSweep, Pages.Count * 2);
            }
            if (!Mappings.TryTakeNow(1)) throw Trap.Make(TrapKind.OutOfMemory, "the process has nearly as many mappings as the system allows");
            nint page = StubCode.MakePage(register, shape.UsesFloatRegister, target, first);
            Pages.Add((new WeakReference<LazyStubs>(owner, trackResurrection: true), page));
            return page;
        }
    }

    private static void Sweep()
    {
        Pages.RemoveAll(static item =>
        {
            if (item.Owner.TryGetTarget(out _)) return false;
            Runtime.Pages.ReleaseCode(item.Page, StubCode.PageSize);
            Mappings.Give(1);
            return true;
        });
    }
}
