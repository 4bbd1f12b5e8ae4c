using WasmJit.Runtime;

namespace WasmJit.Linking;

/// <summary>
/// The memory of an instance and the functions with which it allocates: <c>malloc</c> and <c>free</c> as C has them, or <c>cabi_realloc</c> of
/// the component model. Addresses have 32 or 64 bits.
/// </summary>
internal sealed class GuestAllocator
{
    private readonly Instance instance;
    private readonly Func<int, int>? malloc;
    private readonly Func<long, long>? malloc64;
    private readonly Func<int, int, int, int, int>? realloc;
    private readonly Action<int>? free;
    private readonly Action<long>? free64;

    internal GuestAllocator(Instance instance)
    {
        this.instance = instance;
        if (instance.TryGetExport("malloc", out malloc) || instance.TryGetExport("malloc", out malloc64))
        {
            if (!instance.TryGetExport("free", out free)) instance.TryGetExport("free", out free64);
        }
        else if (instance.TryGetExport("cabi_realloc", out realloc))
        {
            // What it has allocated is given back through itself, with a new size of zero.
            Func<int, int, int, int, int> function = realloc;
            free = address => function(address, 0, 1, 0);
        }
        Memory = new Caller(instance).TryGetMemory(out Memory? memory) ? memory : null;
    }

    internal Memory? Memory { get; }

    internal static TrapException NoMemory => NoRoom("the instance has no memory");

    internal Memory Required => Memory ?? throw NoMemory;

    /// <summary>Allocates bytes in the guest's memory.</summary>
    /// <exception cref="TrapException">It exports nothing to allocate with, or has no memory left.</exception>
    internal ulong Allocate(int bytes)
    {
        // A guest may return null for nothing, which would look like a failure.
        int size = Math.Max(bytes, 1);
        ulong address = malloc is not null ? (uint)malloc(size)
            : malloc64 is not null ? (ulong)malloc64(size)
            : realloc is not null ? (uint)realloc(0, 0, 8, size)
            : throw NoRoom($"the instance{(instance.Module.Name is { } name ? $" of {name}" : "")} exports neither malloc nor cabi_realloc");
        return address != 0 ? address : throw NoRoom($"the guest could not allocate {bytes} bytes");
    }

    /// <summary>What a guest lacks that is to be given something is its own fault.</summary>
    internal static TrapException NoRoom(string detail) => Trap.Make(TrapKind.OutOfMemory, detail);

    internal void Free(ulong address)
    {
        if (address == 0) return;
        free?.Invoke((int)address);
        free64?.Invoke((long)address);
    }
}
