namespace WasmJit.Wasi.Preview2;

/// <summary><c>wasi:clocks/monotonic-clock</c>.</summary>
internal static class ClocksMonotonicInterface
{
    internal static void AddTo(InterfaceWriter to, WasiState state)
    {
        to.Add("pollable", state.Types.Pollable);
        to.Add("now", () => WasmJit.Wasi.Clocks.Time(WasmJit.Wasi.Clocks.Monotonic));
        to.Add("resolution", () => WasmJit.Wasi.Clocks.Resolution(WasmJit.Wasi.Clocks.Monotonic));
        to.Add("subscribe-instant", (ulong when) => IoPollInterface.New(state, new TimeSource(when), null));
        to.Add("subscribe-duration", (ulong duration) =>
        {
            ulong now = WasmJit.Wasi.Clocks.Time(WasmJit.Wasi.Clocks.Monotonic);
            return IoPollInterface.New(state, new TimeSource(now > ulong.MaxValue - duration ? ulong.MaxValue : now + duration), null);
        });
    }
}
