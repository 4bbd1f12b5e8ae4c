using System.CommandLine;
using System.Globalization;

namespace WasmJit.Cli;

/// <summary>What a program is given besides directories and the network: clocks, random numbers, threads, and limits on files.</summary>
internal sealed class GuestFlags
{
    private static readonly Option<string> Clock = new("--clock")
    {
        Description = "Begin the program's clocks at this time (2026-01-31T12:00:00Z). They go on when the program reads them or sleeps, and not with the real "
            + "time, so each run is the same.",
        HelpName = "TIME",
    };

    private static readonly Option<string> RandomSeed = new("--random-seed")
    {
        Description = "Give the program random numbers that this number determines. They are not secret.",
        HelpName = "NUMBER",
    };

    private static readonly Option<string> Threads = new("--threads")
    {
        Description = "Let the program have so many threads beside its first (wasi-threads). Loops then check whether to stop.",
        HelpName = "COUNT",
    };

    private static readonly Option<string> MaximumOpenFiles = new("--max-open-files")
    {
        Description = "The most files, directories and streams that the program can have open at once; 1024 if this is not given.",
        HelpName = "COUNT",
    };

    private static readonly Option<string> MaximumWritten = new("--max-written")
    {
        Description = "The most bytes that the program can write to files and streams, such as 64M. A new file counts as 4K.",
        HelpName = "SIZE",
    };

    private readonly TimeProvider? time;
    private readonly ulong? seed;
    private readonly int? openFiles;
    private readonly long? written;

    private GuestFlags()
    {
    }

    private GuestFlags(ParseResult parsed)
    {
        if (parsed.GetValue(Clock) is { } start) time = new VirtualTime(ParseTime(start));
        seed = (ulong?)Number(parsed, RandomSeed, long.MaxValue);
        ThreadCount = (int)(Number(parsed, Threads, 10_000) ?? 0);
        openFiles = (int?)Number(parsed, MaximumOpenFiles, int.MaxValue);
        written = RunLimits.SizeOf(parsed, MaximumWritten);
    }

    internal static IReadOnlyList<Option> Options { get; } = [Clock, RandomSeed, Threads, MaximumOpenFiles, MaximumWritten];

    /// <summary>What a program is given without any of the options.</summary>
    internal static GuestFlags None => new();

    /// <exception cref="ToolException">A value is not what its option takes.</exception>
    internal static GuestFlags Of(ParseResult parsed) => new(parsed);

    /// <summary>How many threads the program may have beside its first.</summary>
    internal int ThreadCount { get; }

    internal WasiOptions Apply(WasiOptions options) => options with
    {
        Time = time ?? options.Time,
        RandomSeed = seed,
        MaximumThreads = ThreadCount,
        MaximumDescriptors = openFiles ?? options.MaximumDescriptors,
        MaximumWrittenBytes = written ?? options.MaximumWrittenBytes,
    };

    private static DateTimeOffset ParseTime(string text)
    {
        if (DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out DateTimeOffset time) && time >= DateTimeOffset.UnixEpoch) return time;
        throw new ToolException($"--clock {text}: the value must be a time since 1970 such as 2026-01-31T12:00:00Z");
    }

    private static long? Number(ParseResult parsed, Option<string> option, long most)
    {
        if (parsed.GetValue(option) is not { } text) return null;
        if (long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long value) && value <= most) return value;
        throw new ToolException($"{option.Name} {text}: the value must be a number from 0 to {most.ToString(CultureInfo.InvariantCulture)}");
    }
}
