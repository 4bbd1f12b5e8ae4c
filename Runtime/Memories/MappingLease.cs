namespace WasmJit.Runtime;

/// <summary>Mappings that something takes for as long as it lives: whoever has them keeps this.</summary>
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
