namespace WasmJit;

/// <summary>
/// A module was not compiled because a <see cref="LinkingQuota"/> is used up. Guests see it as the trap
/// <see cref="TrapKind.QuotaExceeded"/> or as an error of the built-in functions; hosts only where they load for a guest.
/// </summary>
public sealed class QuotaExceededException : WasmJitException
{
    internal QuotaExceededException(string detail)
        : base($"quota exceeded: {detail}") => Detail = detail;

    /// <summary>Which quota, in words.</summary>
    internal string Detail { get; }
}
