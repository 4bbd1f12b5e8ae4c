using WasmJit.Runtime;

namespace WasmJit;

/// <summary>A guest was stopped because the token of <see cref="Guest"/> was cancelled. The instance stays in the state that it had reached.</summary>
public sealed class GuestCanceledException : OperationCanceledException
{
    private IReadOnlyList<WasmFrame>? stack;

    internal GuestCanceledException(CancellationToken token)
        : base("The guest was stopped.", token)
    {
    }

    /// <summary>The guest's functions that were running, innermost first.</summary>
    public IReadOnlyList<WasmFrame> WasmStack => stack ??= WasmStackTrace.Of(this);
}
