using System.Text;
using WasmJit.Tests;
using Xunit;
using Xunit.Abstractions;

namespace WasmJit.Agreement;

/// <summary>
/// Everything in the suite that is written as text goes through this project's reader, and the bytes to Wasmtime. All that
/// does not come out as the scripts say is in the file wasmtime-disagreements.txt with its reason.
/// </summary>
public sealed class AgreementTests(ITestOutputHelper log)
{
    private static readonly string[] Folders =
    [
        "", "legacy", "custom", "proposals/threads", "proposals/custom-page-sizes", "proposals/wide-arithmetic",
        "proposals/custom-descriptors",
    ];

    [SuiteFact]
    public void WasmtimeAcceptsAndRunsTheSame()
    {
        string[] scripts = [.. Folders.SelectMany(Suite.Scripts)];
        // By turns, so that the two children have about the same to do.
        Task<Report>[] halves =
        [
            .. Enumerable.Range(0, 2).Select(half => Task.Factory.StartNew(
                () => new Child(Suite.Folder!).Run(scripts.Where((_, i) => i % 2 == half)), TaskCreationOptions.LongRunning)),
        ];
        var report = new Report();
        foreach (Task<Report> half in halves) report.Add(half.GetAwaiter().GetResult());
        string text = Write(report, scripts.Length);
        log.WriteLine(text);
        Assert.DoesNotContain(Disagreements.Unknown, text);
        Golden.EqualFile(Golden.InRepository("Tests/Agreement/wasmtime-disagreements.txt"), text);
    }

    private static string Write(Report report, int scripts)
    {
        var text = new StringBuilder();
        text.Append("The official suite on Wasmtime with the bytes of this project's text reader.\n\n");
        text.Append($"{scripts} scripts. What agrees:\n");
        foreach ((string what, int count) in report.Counts) text.Append($"{count,7} {what}\n");
        text.Append("What is not compared:\n");
        foreach ((string reason, int count) in report.Skipped) text.Append($"{count,7} {reason}\n");
        text.Append($"What disagrees: {report.Differences.Count}\n");
        foreach (IGrouping<string, string> group in report.Differences.GroupBy(Disagreements.Reason).OrderBy(g => g.Key, StringComparer.Ordinal))
        {
            text.Append($"\n{group.Key} ({group.Count()}):\n");
            foreach (string difference in group.OrderBy(d => d, new ByLine())) text.Append(difference).Append('\n');
        }
        return text.ToString();
    }

    /// <summary>By file, then by line number.</summary>
    private sealed class ByLine : IComparer<string>
    {
        public int Compare(string? x, string? y)
        {
            string[] a = x!.Split(':'), b = y!.Split(':');
            int files = string.CompareOrdinal(a[0], b[0]);
            if (files != 0) return files;
            int lines = int.Parse(a[1]).CompareTo(int.Parse(b[1]));
            return lines != 0 ? lines : string.CompareOrdinal(x, y);
        }
    }
}
