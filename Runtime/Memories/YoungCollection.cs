namespace WasmJit.Runtime;

/// <summary>
/// Collections for objects that have just died: those of the youngest generation, and of the next if that was not enough. Memories and instances that
/// a request used are there. They cost a fraction of a collection of everything.
/// </summary>
internal static class YoungCollection
{
    /// <summary>Collects until there is enough. Finalizers have run when it returns.</summary>
    /// <returns>Whether there is enough now.</returns>
    internal static bool Run(Func<bool> isEnough)
    {
        for (int generation = 0; generation < GC.MaxGeneration; generation++)
        {
            GC.Collect(generation, GCCollectionMode.Forced, blocking: true);
            GC.WaitForPendingFinalizers();
            if (isEnough()) return true;
        }
        return false;
    }
}
