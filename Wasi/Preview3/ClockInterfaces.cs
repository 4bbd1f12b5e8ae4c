using WasmJit.Wasi.Preview2;

namespace WasmJit.Wasi.Preview3;

/// <summary><c>instant</c>: a time since 1970.</summary>
internal readonly record struct Instant(long Seconds, uint Nanoseconds)
{
    private const ulong Second = 1_000_000_000;

    internal static Instant Of(ulong nanoseconds) => new((long)(nanoseconds / Second), (uint)(nanoseconds % Second));

    /// <exception cref="WasiError">It is too early or too late for a time in nanoseconds since 1970.</exception>
    internal ulong ToNanoseconds() => Seconds >= 0 && (ulong)Seconds < ulong.MaxValue / Second && Nanoseconds < Second
        ? ((ulong)Seconds * Second) + Nanoseconds : throw new WasiError(Errno.Inval);
}

/// <summary><c>wasi:clocks/monotonic-clock</c>.</summary>
internal static class ClocksMonotonicInterface
{
    internal static void AddTo(InterfaceWriter to, WasiState state)
    {
        GuestClock clock = state.Waiter.Clock;
        to.Add("now", () => clock.Time(Clocks.Monotonic));
        to.Add("get-resolution", () => clock.Resolution(Clocks.Monotonic));
        to.Add("wait-until", (ulong when) => WaitAsync(clock, when));
        to.Add("wait-for", (ulong time) => WaitAsync(clock, clock.After(Clocks.Monotonic, time)));
    }

    private static async Task WaitAsync(GuestClock clock, ulong when)
    {
        // A single wait has an end, and the system may end one a little early.
        for (ulong now; (now = clock.Time(Clocks.Monotonic)) < when;) await clock.Delay(when - now).ConfigureAwait(false);
    }
}

/// <summary><c>wasi:clocks/system-clock</c>.</summary>
internal static class ClocksSystemInterface
{
    internal static void AddTo(InterfaceWriter to, WasiState state)
    {
        to.Add("now", () => Instant.Of(state.Waiter.Clock.Time(Clocks.Realtime)));
        to.Add("get-resolution", () => state.Waiter.Clock.Resolution(Clocks.Realtime));
    }
}

/// <summary><c>wasi:clocks/timezone</c>. The guest is not told where the host is: its time zone is UTC.</summary>
internal static class ClocksTimezoneInterface
{
    internal static void AddTo(InterfaceWriter to, WasiState state)
    {
        _ = state;
        to.Add("iana-id", string? () => "UTC");
        to.Add("utc-offset", long? (Instant when) => 0);
        to.Add("to-debug-string", () => "UTC");
    }
}
