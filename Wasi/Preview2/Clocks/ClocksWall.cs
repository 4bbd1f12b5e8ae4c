namespace WasmJit.Wasi.Preview2;

/// <summary><c>datetime</c>: a time since 1970.</summary>
internal readonly record struct Datetime(ulong Seconds, uint Nanoseconds)
{
    private const ulong Second = 1_000_000_000;

    internal static Datetime Of(ulong nanoseconds) => new(nanoseconds / Second, (uint)(nanoseconds % Second));

    /// <exception cref="WasiError">It is too late for a time in nanoseconds.</exception>
    internal ulong ToNanoseconds() => Seconds < ulong.MaxValue / Second && Nanoseconds < Second ? (Seconds * Second) + Nanoseconds : throw new WasiError(Errno.Inval);
}

/// <summary><c>wasi:clocks/wall-clock</c>.</summary>
internal static class ClocksWallInterface
{
    internal static void AddTo(InterfaceWriter to, WasiState state)
    {
        to.Add("now", () => Datetime.Of(state.Waiter.Clock.Time(WasmJit.Wasi.Clocks.Realtime)));
        to.Add("resolution", () => Datetime.Of(state.Waiter.Clock.Resolution(WasmJit.Wasi.Clocks.Realtime)));
    }
}
