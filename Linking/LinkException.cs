using WasmJit.Runtime;

namespace WasmJit;

/// <summary>
/// A module could not be linked: an import is missing or has another type, or the guest may have no more of a resource.
/// </summary>
public sealed class LinkException : WasmJitException
{
    internal LinkException(string message)
        : base(message)
    {
    }

    internal LinkException(ResourceLimitException limit)
        : base($"limit reached: {limit.Message}", limit) => Limit = limit.Kind;

    /// <summary>The exceeded one of the guest's <see cref="ResourceLimits"/>; null for other reasons.</summary>
    public ResourceKind? Limit { get; }
}
