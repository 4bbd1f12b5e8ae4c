namespace WasmJit.Runtime;

/// <summary>Keeps mappings counted. The object that takes them holds it, so that both live equally long.</summary>
internal sealed class MappingLease
{
    private readonly int count;

    private MappingLease(int count) => this.count = count;

    ~MappingLease() => Mappings.Give(count);

    /// <summary>Takes mappings.</summary>
    /// <exception cref="TrapException">The system's limit is near.</exception>
    internal static MappingLease Take(int count) => Mappings.TryTake(count)
        ? new MappingLease(count)
        : throw Trap.Make(TrapKind.OutOfMemory, "the process has nearly as many mappings as the system allows");
}
