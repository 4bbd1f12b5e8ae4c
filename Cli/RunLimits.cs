using System.CommandLine;
using System.Globalization;

namespace WasmJit.Cli;

/// <summary><c>--timeout</c>, <c>--fuel</c> and Ctrl-C: how a run ends that does not end by itself.</summary>
internal sealed class RunLimits
{
    /// <summary>What a shell reports for a program that <c>timeout</c> has ended.</summary>
    internal const int TimedOut = 124;

    /// <summary>What a shell reports for a program that Ctrl-C has ended.</summary>
    internal const int Interrupted = 130;

    private static readonly Option<string> Timeout = new("--timeout")
    {
        Description = "Stop after this time: 10 or 10s, 500ms, 1.5m, 1h. The message shows where the guest was. Loops then look at each "
            + "iteration whether they are to stop.",
        HelpName = "TIME",
    };

    private static readonly Option<string> FuelOption = new("--fuel")
    {
        Description = "Stop after this much work: a unit for each instruction, for bulk operators more. The same run always needs "
            + "the same.",
        HelpName = "UNITS",
    };

    private readonly TimeSpan? timeout;

    private RunLimits(TimeSpan? timeout, long? fuel)
    {
        this.timeout = timeout;
        if (fuel is { } units) Fuel = new Fuel(units);
    }

    /// <summary>What the guest may execute, null if that has no limit.</summary>
    internal Fuel? Fuel { get; }

    internal static void AddTo(Command command)
    {
        command.Add(Timeout);
        command.Add(FuelOption);
    }

    /// <exception cref="ToolException">A limit is none.</exception>
    internal static RunLimits Of(ParseResult parsed) => new(
        parsed.GetValue(Timeout) is { } time ? ParseTime(time) : null,
        parsed.GetValue(FuelOption) is { } fuel ? ParseFuel(fuel) : null);

    /// <summary>The options of an engine whose code obeys the limits.</summary>
    internal EngineOptions Apply(EngineOptions options) =>
        options with { Interruptible = timeout is not null, CountFuel = Fuel is not null };

    private static TimeSpan ParseTime(string text)
    {
        (string suffix, double seconds)[] units = [("ms", 0.001), ("s", 1), ("m", 60), ("h", 3600), ("", 1)];
        (string suffix, double unit) = units.First(u => text.EndsWith(u.suffix, StringComparison.Ordinal));
        if (!double.TryParse(text.AsSpan(0, text.Length - suffix.Length), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double value)
            || value * unit is not (> 0 and < 2_000_000))
            throw new ToolException($"--timeout {text}: it takes a time such as 10s, 500ms, 1.5m");
        return TimeSpan.FromSeconds(value * unit);
    }

    private static long ParseFuel(string text)
    {
        if (long.TryParse(text.Replace("_", "", StringComparison.Ordinal), NumberStyles.None, CultureInfo.InvariantCulture, out long value)) return value;
        throw new ToolException($"--fuel {text}: it takes a number of units, such as 1_000_000");
    }

    /// <summary>Runs a guest within the time, or until Ctrl-C.</summary>
    internal int Run(Terminal terminal, Func<int> run)
    {
        using var watch = new Watch(terminal, timeout);
        try
        {
            return Guest.Run(run, watch.Token);
        }
        catch (OperationCanceledException e) when (watch.IsStopped)
        {
            return watch.Report(WasmStackTrace.Of(e));
        }
    }

    /// <summary>Watches over one run.</summary>
    private sealed class Watch : IDisposable
    {
        private readonly Terminal terminal;
        private readonly TimeSpan? timeout;
        private readonly CancellationTokenSource source = new();
        private readonly Lock gate = new();
        private readonly Timer? timer;
        private string reason = "";
        private int code;
        private bool ended;

        internal Watch(Terminal terminal, TimeSpan? timeout)
        {
            this.terminal = terminal;
            this.timeout = timeout;
            Console.CancelKeyPress += OnCancelKey;
            if (timeout is not { } limit) return;
            string text = string.Create(CultureInfo.InvariantCulture, $"stopped: the time limit of {limit.TotalSeconds:0.###} s is over");
            timer = new Timer(_ => Stop(text, TimedOut), null, limit, System.Threading.Timeout.InfiniteTimeSpan);
        }

        internal CancellationToken Token => source.Token;

        internal bool IsStopped => source.IsCancellationRequested;

        public void Dispose()
        {
            lock (gate) ended = true;
            Console.CancelKeyPress -= OnCancelKey;
            timer?.Dispose();
        }

        /// <summary>Says why the run was stopped and where it was.</summary>
        /// <returns>The exit code.</returns>
        internal int Report(IReadOnlyList<WasmFrame> stack)
        {
            terminal.Stopped(reason, stack);
            return code;
        }

        private void OnCancelKey(object? sender, ConsoleCancelEventArgs e)
        {
            // The second time it works as it would without us.
            if (IsStopped) return;
            e.Cancel = true;
            Stop("interrupted", Interrupted);
        }

        private void Stop(string why, int exit)
        {
            lock (gate)
            {
                if (ended || IsStopped) return;
                (reason, code) = (why, exit);
                source.Cancel();
            }
            new Thread(EndProcess) { IsBackground = true }.Start();
        }

        /// <summary>What does not look whether it is to stop, code without --timeout or a call of the system, ends with the process.</summary>
        private void EndProcess()
        {
            Thread.Sleep(timeout is null ? 300 : 2000);
            lock (gate)
            {
                if (ended) return;
                Environment.Exit(Report([]));
            }
        }
    }
}
