using System.CommandLine;
using System.Globalization;
using System.Runtime.InteropServices;
using WasmJit.Runtime;

namespace WasmJit.Cli;

/// <summary><c>--timeout</c>, <c>--fuel</c>, <c>--max-...</c> and Ctrl-C: the limits of a run.</summary>
internal sealed class RunLimits
{
    /// <summary>The exit code of <c>timeout</c> when the time is over.</summary>
    internal const int TimedOut = 124;

    /// <summary>The exit code of a program that Ctrl-C stopped.</summary>
    internal const int Interrupted = 130;

    private static readonly Option<string> Timeout = new("--timeout")
    {
        Description = "Stop after this time: 10 or 10s, 500ms, 1.5m, 1h. The message shows where the guest was. Loops then check whether to stop.",
        HelpName = "TIME",
    };

    private static readonly Option<string> FuelOption = new("--fuel")
    {
        Description = "Stop after this much work: one unit for each instruction, more for bulk operators. The same run always needs "
            + "the same amount.",
        HelpName = "UNITS",
    };

    private static readonly Option<string> MaximumMemory = Sized("--max-memory", "The most bytes of all memories together, such as 64M or 1G. A memory that would be larger does not grow.");

    private static readonly Option<string> MaximumStack = Sized("--max-stack", "How much stack the program may use, 64K at least; beyond it is the trap \"call stack exhausted\".");

    private static readonly Option<string> MaximumMemories = Counted("--max-memories", "The most memories.");

    private static readonly Option<string> MaximumTables = Counted("--max-tables", "The most tables.");

    private static readonly Option<string> MaximumTableElements = Counted("--max-table-elements", "The most elements of all tables together.");

    private static readonly Option<string> MaximumInstances = Counted("--max-instances", "The most instances, the program's own and those that it makes or loads.");

    private readonly TimeSpan? timeout;

    /// <summary>What the guest may have; null without a limit.</summary>
    private readonly ResourceLimits? resources;

    private readonly long? stack;

    internal static Option<string> Sized(string name, string description) => new(name) { Description = description, HelpName = "SIZE" };

    // A text: code of the parser's for numbers that may be missing is never made ahead.
    internal static Option<string> Counted(string name, string description, int least = 0)
    {
        var option = new Option<string>(name) { Description = description, HelpName = "COUNT" };
        option.Validators.Add(result =>
        {
            if (result.Tokens.Count == 1 && (!int.TryParse(result.Tokens[0].Value, NumberStyles.None, CultureInfo.InvariantCulture, out int value) || value < least))
                result.AddError($"{name} {result.Tokens[0].Value}: the value must be a number of at least {least}");
        });
        return option;
    }

    /// <summary>The value of such an option, which its validator has looked at.</summary>
    internal static int? CountOf(ParseResult parsed, Option<string> option) => parsed.GetValue(option) is { } text ? int.Parse(text, NumberStyles.None, CultureInfo.InvariantCulture) : null;

    private RunLimits()
    {
    }

    private RunLimits(TimeSpan? timeout, long? fuel, ResourceLimits resources, long? stack)
    {
        this.timeout = timeout;
        this.resources = resources == new ResourceLimits() ? null : resources;
        this.stack = stack;
        if (fuel is { } units) Fuel = new Fuel(units);
    }

    /// <summary>Without any limit.</summary>
    internal static RunLimits None => new();

    /// <summary>The time; null without a limit.</summary>
    internal TimeSpan? Time => timeout;

    /// <summary>The guest's fuel; null without a limit.</summary>
    internal Fuel? Fuel { get; }

    internal static void AddTo(Command command)
    {
        command.Add(Timeout);
        command.Add(FuelOption);
        foreach (Option option in new Option[] { MaximumMemory, MaximumMemories, MaximumTables, MaximumTableElements, MaximumInstances, MaximumStack }) command.Add(option);
    }

    /// <exception cref="ToolException">A limit is not a valid number.</exception>
    internal static RunLimits Of(ParseResult parsed) => new(
        parsed.GetValue(Timeout) is { } time ? ParseTime(Timeout.Name, time) : null,
        parsed.GetValue(FuelOption) is { } fuel ? ParseFuel(fuel) : null,
        new ResourceLimits
        {
            MaximumMemoryBytes = SizeOf(parsed, MaximumMemory) ?? long.MaxValue,
            MaximumMemories = CountOf(parsed, MaximumMemories) ?? int.MaxValue,
            MaximumTables = CountOf(parsed, MaximumTables) ?? int.MaxValue,
            MaximumTableElements = CountOf(parsed, MaximumTableElements) ?? long.MaxValue,
            MaximumInstances = CountOf(parsed, MaximumInstances) ?? int.MaxValue,
        },
        SizeOf(parsed, MaximumStack, 64 << 10));

    /// <summary>The options of an engine whose code obeys the limits.</summary>
    internal EngineOptions Apply(EngineOptions options) =>
        options with { Interruptible = timeout is not null, CountFuel = Fuel is not null, Limits = resources, MaximumStack = stack };

    internal static long? SizeOf(ParseResult parsed, Option<string> option, long least = 0)
    {
        if (parsed.GetValue(option) is not { } text) return null;
        int shift = text.Length == 0 ? 0 : char.ToUpperInvariant(text[^1]) switch { 'K' => 10, 'M' => 20, 'G' => 30, _ => 0 };
        string digits = (shift > 0 ? text[..^1] : text).Replace("_", "", StringComparison.Ordinal);
        if (long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out long value) && value <= long.MaxValue >> shift && value << shift >= least) return value << shift;
        throw new ToolException($"{option.Name} {text}: the value must be a number of bytes{(least > 0 ? $", at least {least >> 10}K" : "")}, such as 512K, 64M or 1G");
    }

    /// <exception cref="ToolException">The text is no time.</exception>
    internal static TimeSpan ParseTime(string option, string text)
    {
        (string suffix, double seconds)[] units = [("ms", 0.001), ("s", 1), ("m", 60), ("h", 3600), ("", 1)];
        (string suffix, double unit) = units.First(u => text.EndsWith(u.suffix, StringComparison.Ordinal));
        if (!double.TryParse(text.AsSpan(0, text.Length - suffix.Length), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double value)
            || value * unit is not (> 0 and < 2_000_000))
            throw new ToolException($"{option} {text}: the value must be a time such as 10s, 500ms, 1.5m");
        return TimeSpan.FromSeconds(value * unit);
    }

    private static long ParseFuel(string text)
    {
        if (long.TryParse(text.Replace("_", "", StringComparison.Ordinal), NumberStyles.None, CultureInfo.InvariantCulture, out long value)) return value;
        throw new ToolException($"--fuel {text}: the value must be a number of units such as 1_000_000");
    }

    /// <summary>Runs a guest until it ends, the time is over, or Ctrl-C.</summary>
    internal int Run(Terminal terminal, Func<int> run)
    {
        using var watch = new Watch(terminal, timeout);
        try
        {
            return Guest.Run(run, watch.Token);
        }
        catch (OperationCanceledException e) when (watch.IsStopped)
        {
            // The thread that ends the process has said so already.
            if (!watch.TryEnd()) Thread.Sleep(System.Threading.Timeout.Infinite);
            return watch.Report(WasmStackTrace.Of(e));
        }
    }

    /// <summary>Watches one run.</summary>
    private sealed class Watch : IDisposable
    {
        private readonly Terminal terminal;
        private readonly TimeSpan? timeout;
        private readonly CancellationTokenSource source = new();
        private readonly Lock gate = new();
        private readonly Timer? timer;
        private readonly PosixSignalRegistration interrupt, quit;
        private string reason = "";
        private int code;
        private bool ended;

        internal Watch(Terminal terminal, TimeSpan? timeout)
        {
            this.terminal = terminal;
            this.timeout = timeout;
            // Not by .NET's console, which opens the standard output and looks what terminal there is.
            interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, OnSignal);
            quit = PosixSignalRegistration.Create(PosixSignal.SIGQUIT, OnSignal);
            if (timeout is not { } limit) return;
            string text = string.Create(CultureInfo.InvariantCulture, $"stopped: the time limit of {limit.TotalSeconds:0.###} s is over");
            timer = new Timer(_ => Stop(text, TimedOut), null, limit, System.Threading.Timeout.InfiniteTimeSpan);
        }

        internal CancellationToken Token => source.Token;

        internal bool IsStopped => source.IsCancellationRequested;

        public void Dispose()
        {
            lock (gate) ended = true;
            interrupt.Dispose();
            quit.Dispose();
            timer?.Dispose();
        }

        /// <summary>The run ends, by the first thread that comes here.</summary>
        internal bool TryEnd()
        {
            lock (gate)
            {
                if (ended) return false;
                return ended = true;
            }
        }

        /// <summary>Reports why the run was stopped, and where.</summary>
        /// <returns>The exit code.</returns>
        internal int Report(IReadOnlyList<WasmFrame> stack)
        {
            terminal.Stopped(reason, stack);
            return code;
        }

        private void OnSignal(PosixSignalContext context)
        {
            // A second Ctrl-C ends the process.
            if (IsStopped) return;
            context.Cancel = true;
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

        /// <summary>Ends the process if the guest does not stop: code without --timeout does not check, and neither does a system call.</summary>
        private void EndProcess()
        {
            Thread.Sleep(timeout is null ? 300 : 2000);
            if (TryEnd()) Environment.Exit(Report([]));
        }
    }
}
