namespace WasmJit.Wasi.Preview2;

/// <summary><c>timezone-display</c>.</summary>
internal readonly record struct TimezoneDisplay(int UtcOffset, string Name, bool InDaylightSavingTime);

/// <summary><c>wasi:clocks/timezone</c>. The guest is not told where the host is: its time zone is UTC.</summary>
internal static class ClocksTimezoneInterface
{
    internal static void AddTo(InterfaceWriter to, WasiState state)
    {
        _ = state;
        to.Add("display", (Datetime when) => new TimezoneDisplay(0, "UTC", false));
        to.Add("utc-offset", (Datetime when) => 0);
    }
}
