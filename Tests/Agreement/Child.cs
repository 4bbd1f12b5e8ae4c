using System.Diagnostics;

namespace WasmJit.Agreement;

/// <summary>What the scripts came to on Wasmtime.</summary>
internal sealed class Report
{
    internal SortedSet<string> Differences { get; } = new(StringComparer.Ordinal);
    internal SortedDictionary<string, int> Counts { get; } = new(StringComparer.Ordinal);
    internal SortedDictionary<string, int> Skipped { get; } = new(StringComparer.Ordinal);

    internal void Add(Report other)
    {
        Differences.UnionWith(other.Differences);
        foreach ((string key, int count) in other.Counts) Add(Counts, key, count);
        foreach ((string key, int count) in other.Skipped) Add(Skipped, key, count);
    }

    internal static void Add(SortedDictionary<string, int> counts, string key, int count) =>
        counts[key] = counts.GetValueOrDefault(key) + count;
}

/// <summary>Runs scripts in child processes, and begins a new one where the native engine ended the last.</summary>
internal sealed class Child(string folder)
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(15);

    private readonly Queue<string> files = [];
    private readonly Dictionary<string, SortedSet<int>> leftOut = [];
    private readonly Dictionary<string, List<string>> ended = [];

    /// <summary>Runs the scripts in one child after the other.</summary>
    internal Report Run(IEnumerable<string> scripts)
    {
        foreach (string script in scripts) files.Enqueue(script);
        var report = new Report();
        while (files.Count > 0) report.Add(RunProcess());
        foreach (string difference in ended.Values.SelectMany(e => e)) report.Differences.Add(difference);
        return report;
    }

    /// <summary>What a process finished; the rest stays in the queue.</summary>
    private Report RunProcess()
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.ArgumentList.Add(typeof(Child).Assembly.Location);
        start.ArgumentList.Add(folder);
        foreach (string file in files)
            start.ArgumentList.Add(leftOut.TryGetValue(file, out SortedSet<int>? without) ? $"{file}:{string.Join(',', without)}" : file);
        using Process process = Process.Start(start)!;
        using var timer = new Timer(_ => process.Kill(), null, Patience, Timeout.InfiniteTimeSpan);
        Task<string> errors = process.StandardError.ReadToEndAsync();
        Report report = new(), current = new();
        string[]? at = null;
        while (process.StandardOutput.ReadLine() is { } line)
        {
            (string word, string rest) = Split(line);
            switch (word)
            {
                case "at": at = rest.Split(' '); break;
                case "differs": current.Differences.Add(rest); break;
                case "skipped": Report.Add(current.Skipped, rest, 1); break;
                case "count":
                    (string number, string what) = Split(rest);
                    Report.Add(current.Counts, what, int.Parse(number));
                    break;
                case "done":
                    report.Add(current);
                    current = new Report();
                    files.Dequeue();
                    at = null;
                    break;
                default: throw new InvalidOperationException($"The child says \"{line}\".");
            }
        }
        process.WaitForExit();
        if (files.Count == 0) return report;
        string error = errors.Result.Split('\n', StringSplitOptions.RemoveEmptyEntries).FirstOrDefault() ?? "no message";
        if (at is null || at[0] != files.Peek()) throw new InvalidOperationException($"The child ended before {files.Peek()}: {error}");
        // The same script again without this command.
        if (!leftOut.TryGetValue(at[0], out SortedSet<int>? numbers)) leftOut[at[0]] = numbers = [];
        if (!numbers.Add(int.Parse(at[1]))) throw new InvalidOperationException($"The child ended over {at[0]} without telling where: {error}");
        if (!ended.TryGetValue(at[0], out List<string>? list)) ended[at[0]] = list = [];
        list.Add($"{at[0]}:{at[2]}: ends the process: {error}");
        return report;
    }

    private static (string Word, string Others) Split(string line)
    {
        int space = line.IndexOf(' ', StringComparison.Ordinal);
        return space < 0 ? (line, "") : (line[..space], line[(space + 1)..]);
    }
}
