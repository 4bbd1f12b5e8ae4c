using WasmJit.Components;

namespace WasmJit.Wasi.Preview2;

/// <summary>What <c>wasi:io/error</c> calls an error: the reason why a stream has failed.</summary>
/// <param name="reason">What went wrong.</param>
internal sealed class IoError(Exception reason) : GuestObject
{
    internal Exception Reason => reason;
}

/// <summary><c>wasi:io/error</c>.</summary>
internal static class IoErrorInterface
{
    internal static void AddTo(InterfaceWriter to, WasiState state)
    {
        to.Add("error", state.Types.Error);
        to.Add("[method]error.to-debug-string", (ComponentResource self) => Text(self.Get<IoError>().Reason));
    }

    /// <summary>What a guest may know: messages of exceptions can have paths of the host.</summary>
    private static string Text(Exception reason) => SystemErrors.Of(reason) is { } number ? number.ToString().ToLowerInvariant() : reason.GetType().Name;
}
