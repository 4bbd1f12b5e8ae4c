using System.Globalization;

namespace WasmJit.Fuzz;

/// <summary>Runs that went on for more than <see cref="RunLimit.Tolerance"/> after their time.</summary>
internal sealed class LateRuns
{
    internal int Count { get; private set; }

    /// <summary>The longest.</summary>
    internal TimeSpan Most { get; private set; }

    internal void Add(TimeSpan late, int count = 1)
    {
        Count += count;
        if (late > Most) Most = late;
    }

    /// <inheritdoc/>
    public override string ToString() =>
        Count == 0 ? "none late" : string.Create(CultureInfo.InvariantCulture, $"{Count} late by the clock, by up to {Most.TotalMilliseconds:0} ms");
}
