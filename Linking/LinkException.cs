using WasmJit.Runtime;

namespace WasmJit;

/// <summary>
/// A module could not be linked: an import is missing, what stands for it has another type, or the guest may have no more of something.
/// </summary>
public sealed class LinkException : WasmJitException
{
    internal LinkException(string message)
        : base(message)
    {
    }

    internal LinkException(ResourceLimitException limit)
        : base($"limit reached: {limit.Message}", limit) => Limit = limit.Kind;

    /// <summary>Which of the guest's <see cref="ResourceLimits"/> stands in the way; null if something else does.</summary>
    public ResourceKind? Limit { get; }
}
