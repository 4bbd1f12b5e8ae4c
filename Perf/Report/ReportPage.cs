using System.Text;

namespace WasmJit.Perf;

/// <summary>
/// Figures as a page that needs nothing beside itself: a chart and a table for each measurement, of the last version that has it, and the means of all versions.
/// </summary>
internal static class ReportPage
{
    private const string Style = """
        body { font: 15px/1.5 system-ui, sans-serif; max-width: 900px; margin: 2em auto; padding: 0 1em; color: #24292f; background: #fff; }
        table { border-collapse: collapse; margin: 1em 0; }
        th, td { padding: .2em .8em; border-bottom: 1px solid #d0d7de; text-align: right; }
        th:first-child, td:first-child { text-align: left; }
        td:first-child { white-space: nowrap; }
        .text th, .text td { text-align: left; }
        svg { width: 100%; height: auto; }
        summary, .small { color: #57606a; }
        """;

    /// <param name="versions">The figures, the oldest first.</param>
    internal static string Write(IReadOnlyList<FigureSet> versions)
    {
        FigureSet newest = versions[^1];
        var page = new StringBuilder();
        page.Append("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width\">\n");
        page.Append($"<title>WasmJit {BarChart.Escape(newest.Version)}: measurements</title>\n<style>\n{Style}\n</style>\n</head>\n<body>\n<h1>WasmJit: measurements</h1>\n");
        page.Append($"<p>Version {BarChart.Escape(newest.Version)}, {BarChart.Escape(newest.Date)}. {BarChart.Escape(newest.Machine)}.");
        foreach ((string engine, string version) in newest.Engines) page.Append($" {BarChart.Escape(engine)} {BarChart.Escape(version)}.");
        page.Append("</p>\n<p class=\"small\">Less is better everywhere. A bar is the best of the rounds, the line behind it leads to the worst. WasmJit and Wasmtime were measured in one run, V8 and C in processes of their own.</p>\n");
        Versions(page, versions);
        foreach (PartDescription description in PartDescription.All)
            if (versions.LastOrDefault(v => v.Find(description.Name) is not null) is { } version) Part(page, version.Find(description.Name)!, version == newest ? null : version);
        return page.Append("</body>\n</html>\n").ToString();
    }

    /// <summary>The picture of one measurement that readers see first: of the last version that has it.</summary>
    /// <exception cref="ArgumentException">None has it.</exception>
    internal static string Picture(IReadOnlyList<FigureSet> versions)
    {
        FigureSet figures = versions.LastOrDefault(v => v.Find(PartDescription.Kernels) is not null) ?? throw new ArgumentException("There are no figures of kernels.");
        FigurePart part = figures.Find(PartDescription.Kernels)!;
        return Chart(part, $"WasmJit {figures.Version}, {figures.Date}: time of C kernels as a multiple of {part.Description.Reference}'s");
    }

    private static string Chart(FigurePart part, string title) =>
        BarChart.Draw(part.Rows, part.Subjects, part.Description.Reference, part.Unit ?? part.Description.Unit, title);

    private static void Part(StringBuilder page, FigurePart part, FigureSet? older)
    {
        PartDescription description = part.Description;
        page.Append($"<h2 id=\"{description.Name}\">{BarChart.Escape(description.Title)}</h2>\n<p>{BarChart.Escape(description.Text)}");
        string[] means = [.. part.Subjects.Where(s => s != description.Reference).Select(s => (Subject: s, Mean: part.Mean(s, description.Reference)))
            .Where(m => m.Mean is not null).Select(m => $"{m.Subject} {BarChart.Number(m.Mean!.Value)}")];
        if (means.Length > 0) page.Append($" Geometric mean of the ratios to {BarChart.Escape(description.Reference)}: {BarChart.Escape(string.Join(", ", means))}.");
        if (older is not null) page.Append($" Measured with version {BarChart.Escape(Label(older))}: {BarChart.Escape(older.Machine)}.");
        page.Append("</p>\n").Append(Chart(part, description.Title));
        page.Append("<details><summary>figures</summary>\n<table>\n<tr><th></th>");
        foreach (string subject in part.Subjects) page.Append($"<th>{BarChart.Escape(subject)}, {part.Unit ?? description.Unit}</th>");
        page.Append("</tr>\n");
        foreach (FigureRow row in part.Rows)
        {
            page.Append($"<tr><td>{BarChart.Escape(row.Name)}</td>");
            foreach (string subject in part.Subjects) page.Append($"<td>{(row.Figures.TryGetValue(subject, out Figure figure) ? Cell(figure) : "")}</td>");
            page.Append("</tr>\n");
        }
        page.Append("</table>\n</details>\n");
    }

    private static string Cell(Figure figure) => BarChart.Number(figure.Best) + (figure.Worst is { } worst ? $" to {BarChart.Number(worst)}" : "");

    /// <summary>Means of measurements over versions. They are ratios within one run, so other machines can be compared.</summary>
    private static void Versions(StringBuilder page, IReadOnlyList<FigureSet> versions)
    {
        var rows = new List<FigureRow>();
        foreach (PartDescription description in PartDescription.All)
        {
            var means = new Dictionary<string, Figure>();
            foreach (FigureSet version in versions)
                if (version.Find(description.Name)?.Mean(description.Own, description.Reference) is { } mean) means[Label(version)] = new Figure(mean);
            if (means.Count > 0) rows.Add(new FigureRow($"{description.Title} / {description.Reference}", means));
        }
        if (rows.Count == 0) return;
        page.Append("<h2 id=\"versions\">Versions</h2>\n<p>Geometric means of the ratios to what stands behind the slash.</p>\n");
        page.Append(BarChart.Draw(rows, [.. versions.Select(Label)], null, "", "Geometric means of versions"));
        page.Append("<table class=\"text\">\n<tr><th>version</th><th>machine</th></tr>\n");
        foreach (FigureSet version in versions) page.Append($"<tr><td>{BarChart.Escape(Label(version))}</td><td>{BarChart.Escape(version.Machine)}</td></tr>\n");
        page.Append("</table>\n");
    }

    private static string Label(FigureSet version) => $"{version.Version}, {version.Date}";
}
