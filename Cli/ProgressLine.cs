using System.Diagnostics;
using System.Globalization;

namespace WasmJit.Cli;

/// <summary>A status line for long operations, with the time so far. It appears after a delay and removes itself.</summary>
internal sealed class ProgressLine : IDisposable
{
    private readonly TextWriter writer;
    private readonly string what;
    private readonly Stopwatch watch = Stopwatch.StartNew();
    private readonly Timer timer;
    private readonly Lock gate = new();
    private int written;
    private bool done;

    internal ProgressLine(TextWriter writer, string what, TimeSpan delay)
    {
        this.writer = writer;
        this.what = what;
        timer = new Timer(_ => Show(), null, delay, TimeSpan.FromMilliseconds(200));
    }

    public void Dispose()
    {
        timer.Dispose();
        lock (gate)
        {
            done = true;
            if (written == 0) return;
            writer.Write($"\r{new string(' ', written)}\r");
            writer.Flush();
        }
    }

    private void Show()
    {
        lock (gate)
        {
            if (done) return;
            string line = string.Create(CultureInfo.InvariantCulture, $"{what} ... {watch.Elapsed.TotalSeconds:0.0} s");
            writer.Write($"\r{line}");
            writer.Flush();
            written = line.Length;
        }
    }
}
