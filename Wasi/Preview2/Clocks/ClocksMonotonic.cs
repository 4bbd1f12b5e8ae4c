namespace WasmJit.Wasi.Preview2;

/// <summary><c>wasi:clocks/monotonic-clock</c>.</summary>
internal static class ClocksMonotonicInterface
{
    internal static void AddTo(InterfaceWriter to, WasiState state)
    {
        to.Add("pollable", state.Types.Pollable);
        to.Add("now", () => state.Waiter.Clock.Time(WasmJit.Wasi.Clocks.Monotonic));
        to.Add("resolution", () => state.Waiter.Clock.Resolution(WasmJit.Wasi.Clocks.Monotonic));
        to.Add("subscribe-instant", (ulong when) => IoPollInterface.New(state, new TimeSource(state.Waiter.Clock, when), null));
        to.Add("subscribe-duration", (ulong duration) =>
            IoPollInterface.New(state, new TimeSource(state.Waiter.Clock, state.Waiter.Clock.After(WasmJit.Wasi.Clocks.Monotonic, duration)), null));
    }
}
