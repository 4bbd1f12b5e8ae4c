namespace WasmJit;

/// <summary>
/// A module was not compiled because a <see cref="LinkingQuota"/> is used up. Guests see it as the trap <see cref="TrapKind.QuotaExceeded"/> or as an
/// error of the built-in functions. Hosts see it only when they load for a guest.
/// </summary>
public sealed class QuotaExceededException : WasmJitException
{
    internal QuotaExceededException(string detail)
        : base($"quota exceeded: {detail}")
    {
        Detail = detail;
        Runtime.WasmJitMetrics.Refused(detail);
    }

    /// <summary>Which quota is used up.</summary>
    internal string Detail { get; }
}
