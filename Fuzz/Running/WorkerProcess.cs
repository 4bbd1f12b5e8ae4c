using System.Diagnostics;
using System.Globalization;

namespace WasmJit.Fuzz;

/// <summary>
/// A child process that runs modules. If it crashes or hangs, the module that it was running has failed, and another process
/// takes its place.
/// </summary>
/// <param name="start">Starts a child, with <see cref="Worker.Serve"/> on its standard streams.</param>
/// <param name="patience">How long a module may take in all modes.</param>
internal sealed class WorkerProcess(Func<ProcessStartInfo> start, TimeSpan patience) : IDisposable
{
    /// <summary>The number of modules after which a child is replaced, because signatures and classes stay in their process.</summary>
    private const int Lifetime = 5_000;

    private static readonly TimeSpan StartPatience = TimeSpan.FromMinutes(2);

    private Process? process;
    private Task<string>? errors;
    private int used;

    /// <summary>What the child said of late calls.</summary>
    internal LateRuns Late { get; } = new();

    /// <summary>Runs modules of a generator.</summary>
    /// <param name="generator">Its name.</param>
    /// <param name="from">The first seed.</param>
    /// <param name="count">The number of modules.</param>
    /// <param name="found">Gets the failures.</param>
    internal void Range(string generator, int from, int count, Action<int, Failure> found)
    {
        int next = from;
        while (next < from + count)
        {
            Failure? end = Order(string.Create(CultureInfo.InvariantCulture, $"range {generator} {next} {from + count - next}"), ref next, found);
            if (end is null) return;
            found(next, end);
            next++;
        }
    }

    /// <summary>Runs one module.</summary>
    internal Failure? Module(byte[] bytes, int seed, bool isProgram)
    {
        Failure? failure = null;
        int at = seed;
        Failure? end = Order($"module {seed.ToString(CultureInfo.InvariantCulture)} {isProgram} {Convert.ToBase64String(bytes)}", ref at, (_, f) => failure = f);
        return end ?? failure;
    }

    /// <summary>Makes the child carry out an order.</summary>
    /// <returns>How the child ended, null if it did not.</returns>
    private Failure? Order(string order, ref int at, Action<int, Failure> found)
    {
        Process child = process ?? Start();
        child.StandardInput.WriteLine(order);
        child.StandardInput.Flush();
        while (true)
        {
            Task<string?> read = child.StandardOutput.ReadLineAsync();
            if (!read.Wait(patience))
            {
                Stop();
                return new Failure(FailureKind.Hang, "-", string.Create(CultureInfo.InvariantCulture, $"no answer after {patience.TotalSeconds:0} s"));
            }
            switch (read.Result?.Split(' ', 5))
            {
                case null:
                    child.WaitForExit();
                    string message = errors!.Result.Split('\n', StringSplitOptions.RemoveEmptyEntries).FirstOrDefault() ?? "no message";
                    string end = string.Create(CultureInfo.InvariantCulture, $"exit code {child.ExitCode}: {message}");
                    Stop();
                    return new Failure(FailureKind.Crash, "-", end);
                case ["at", var seed]:
                    at = int.Parse(seed, CultureInfo.InvariantCulture);
                    used++;
                    break;
                case ["fail", var seed, var kind, var mode, var what]:
                    found(int.Parse(seed, CultureInfo.InvariantCulture), new Failure(Enum.Parse<FailureKind>(kind), mode, what));
                    break;
                case ["late", var count, var most]:
                    Late.Add(TimeSpan.FromMilliseconds(int.Parse(most, CultureInfo.InvariantCulture)), int.Parse(count, CultureInfo.InvariantCulture));
                    break;
                case ["done"]:
                    if (used > Lifetime) Stop();
                    return null;
            }
        }
    }

    private Process Start()
    {
        ProcessStartInfo info = start();
        info.RedirectStandardInput = info.RedirectStandardOutput = info.RedirectStandardError = true;
        process = Process.Start(info)!;
        errors = process.StandardError.ReadToEndAsync();
        used = 0;
        Task<string?> ready = process.StandardOutput.ReadLineAsync();
        if (!ready.Wait(StartPatience) || ready.Result != "ready")
        {
            Stop();
            throw new InvalidOperationException($"The child does not start: {errors.Result}");
        }
        return process;
    }

    private void Stop()
    {
        if (process is null) return;
        process.Kill(entireProcessTree: true);
        process.WaitForExit();
        process.Dispose();
        process = null;
    }

    /// <inheritdoc/>
    public void Dispose() => Stop();
}
