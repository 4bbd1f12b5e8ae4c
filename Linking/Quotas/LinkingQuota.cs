using WasmJit.Runtime;

namespace WasmJit;

/// <summary>
/// How much guests may compile while they run, whichever way they do it: the instructions <c>compile</c> and <c>func.new</c>, whose functions count as
/// modules, the built-in module <c>wasm:linking</c>, or modules that are compiled because a guest loads them. One object counts for all engines whose options have it. A host that wants to count each
/// guest alone makes an engine for each, which costs nothing. Modules that the host itself compiles are not counted.
/// </summary>
public sealed class LinkingQuota
{
    /// <summary>So many modules may have been dropped and be there still, however few live ones there may be.</summary>
    private const int FewDropped = 64;

    private readonly PacedCollection collection = new();
    private long bytesCompiled;
    private int liveModules, droppedModules;

    /// <summary>How many bytes of modules may be compiled in all, valid or not.</summary>
    public long MaximumBytesCompiled { get; init; } = long.MaxValue;

    /// <summary>
    /// How many compiled modules there may be at once. A module counts until the garbage collector has found it and all its
    /// instances unused, or until its owner drops it. A request for one too many waits for a collection first, and so does one while the guest
    /// still refers to as many dropped modules as it may have live ones (64 at least), since these take memory, too.
    /// </summary>
    public int MaximumLiveModules { get; init; } = int.MaxValue;

    /// <summary>The largest module that may be compiled, in bytes.</summary>
    public long MaximumModuleSize { get; init; } = long.MaxValue;

    /// <summary>How many bytes have been compiled.</summary>
    public long BytesCompiled => Volatile.Read(ref bytesCompiled);

    /// <summary>How many compiled modules there are; those that are garbage count until they are collected.</summary>
    public int LiveModules => Volatile.Read(ref liveModules);

    /// <summary>Refuses a module that is too large early, before anything is read or copied.</summary>
    internal void CheckSize(long size)
    {
        if (size > MaximumModuleSize) throw new QuotaExceededException($"module size: {size} bytes, {MaximumModuleSize} are allowed");
        if (size > MaximumBytesCompiled - BytesCompiled)
            throw new QuotaExceededException($"bytes compiled: {size} more are asked for, {Math.Max(0, MaximumBytesCompiled - BytesCompiled)} are left of {MaximumBytesCompiled}");
    }

    /// <summary>Counts a module that is about to be compiled.</summary>
    /// <exception cref="QuotaExceededException">The quota does not allow the module.</exception>
    internal void Charge(long size)
    {
        CheckSize(size);
        Reserve();
        if (Interlocked.Add(ref bytesCompiled, size) <= MaximumBytesCompiled) return;
        Interlocked.Add(ref bytesCompiled, -size);
        EndLive();
        CheckSize(size);
    }

    /// <summary>A module that was counted is no more.</summary>
    internal void EndLive() => Interlocked.Decrement(ref liveModules);

    /// <summary>A module has been dropped by its owner, who may still refer to it.</summary>
    internal void NoteDropped() => Interlocked.Increment(ref droppedModules);

    /// <summary>A module that was dropped is garbage.</summary>
    internal void ForgetDropped() => Interlocked.Decrement(ref droppedModules);

    private void Reserve()
    {
        for (bool collected = false; ;)
        {
            int live = LiveModules, dropped = Volatile.Read(ref droppedModules);
            if (live < MaximumLiveModules && dropped < Math.Max(MaximumLiveModules, FewDropped))
            {
                if (Interlocked.CompareExchange(ref liveModules, live + 1, live) == live) return;
                continue;
            }
            if (collected)
            {
                throw new QuotaExceededException(live < MaximumLiveModules ? $"dropped modules: {dropped} are still referred to"
                    : $"live modules: {live} are in use, {MaximumLiveModules} are allowed");
            }
            collection.Run();
            collected = true;
        }
    }
}
