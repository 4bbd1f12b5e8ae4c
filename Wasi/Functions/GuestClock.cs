namespace WasmJit.Wasi;

/// <summary>The clocks of a guest: the system's, or those of a provider that the host has given.</summary>
internal sealed class GuestClock(TimeProvider provider)
{
    private readonly long began = ReferenceEquals(provider, TimeProvider.System) ? 0 : provider.GetTimestamp();

    internal bool IsSystem => ReferenceEquals(provider, TimeProvider.System);

    /// <summary>Nanoseconds.</summary>
    internal ulong Time(uint clock)
    {
        if (IsSystem) return Clocks.Time(clock);
        return clock switch
        {
            Clocks.Realtime => (ulong)Math.Max(0, provider.GetUtcNow().UtcTicks - DateTime.UnixEpoch.Ticks) * 100,
            Clocks.Monotonic => ToNanoseconds(provider.GetTimestamp()),
            Clocks.Process or Clocks.Thread => ToNanoseconds(provider.GetTimestamp() - began),
            _ => throw new WasiError(Errno.Inval),
        };
    }

    /// <summary>The time so many nanoseconds from now, or the last that there is.</summary>
    internal ulong After(uint clock, ulong nanoseconds)
    {
        ulong now = Time(clock);
        return now > ulong.MaxValue - nanoseconds ? ulong.MaxValue : now + nanoseconds;
    }

    /// <summary>Nanoseconds.</summary>
    internal ulong Resolution(uint clock)
    {
        if (IsSystem) return Clocks.Resolution(clock);
        return clock switch
        {
            Clocks.Realtime => 100,
            Clocks.Monotonic or Clocks.Process or Clocks.Thread => (ulong)Math.Max(1, 1_000_000_000 / provider.TimestampFrequency),
            _ => throw new WasiError(Errno.Inval),
        };
    }

    private ulong ToNanoseconds(long timestamp) => (ulong)((UInt128)Math.Max(0, timestamp) * 1_000_000_000 / (ulong)provider.TimestampFrequency);

    /// <summary>A task that ends when so much of the provider's time has passed. Times are rounded up.</summary>
    internal Task Delay(ulong nanoseconds)
    {
        const ulong longest = 3_600_000_000_000;
        return Task.Delay(TimeSpan.FromMilliseconds((long)((Math.Min(nanoseconds, longest) + 999_999) / 1_000_000)), provider);
    }
}
