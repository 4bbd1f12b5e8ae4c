using WasmJit.Runtime;

namespace WasmJit.Components;

/// <summary>
/// What the validation of a component may cost. Types that share their parts can ask for work out of proportion to their bytes, however each of
/// them is limited: by being compared, or made anew for other resources, again and again.
/// </summary>
internal sealed class WorkBudget(int bytes)
{
    /// <summary>Steps, some tens of nanoseconds each.</summary>
    private const long Least = 20_000_000, PerByte = 10;

    /// <summary>The steps of an object that is made and stays, of a hundred bytes or two.</summary>
    private const int PerObject = 10;

    private long left = Least + (PerByte * bytes);
    private int polls;

    /// <summary>Pays for objects that stay as long as the component.</summary>
    /// <exception cref="UnsupportedModuleException">The work is used up.</exception>
    internal void SpendOnObjects(int count) => Spend(count * PerObject);

    /// <exception cref="UnsupportedModuleException">The work is used up.</exception>
    /// <exception cref="GuestCanceledException">The calling thread's guests are to stop.</exception>
    internal void Spend(int steps)
    {
        left -= steps;
        if (left < 0) throw new UnsupportedModuleException("a component whose types take too long to compare");
        if ((++polls & 0xff) == 0) CancellationScope.ThrowIfStopped();
    }
}
