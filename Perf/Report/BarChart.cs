using System.Globalization;
using System.Net;
using System.Text;

namespace WasmJit.Perf;

/// <summary>Draws figures as bars: of each row a bar for each subject, as a multiple of the reference, with a line to the worst round.</summary>
internal static class BarChart
{
    private const int Width = 860, Right = 150, Bar = 12, Gap = 2, RowGap = 10, Bottom = 12;

    /// <summary>A row of the legend, and the space of the scale below it.</summary>
    private const int LegendRow = 18, ScaleHeight = 36;

    /// <summary>The room for the names of rows: by the longest, in letters of this width.</summary>
    private const int LeastLeft = 110, MostLeft = 330, Letter = 7;

    /// <summary>Ratios beyond this need a scale of logarithms.</summary>
    private const double MostOnPlainScale = 4;

    private static readonly string[] Colours = ["#1f6feb", "#d29922", "#57606a", "#8250df", "#1a7f37", "#cf222e"];

    /// <summary>A picture that stands alone, or in a page.</summary>
    /// <param name="rows">The figures.</param>
    /// <param name="subjects">The subjects that are drawn, in their order.</param>
    /// <param name="reference">The subject that counts as 1; null if the figures are ratios.</param>
    /// <param name="unit">The unit of the figures.</param>
    /// <param name="title">What the picture shows.</param>
    internal static string Draw(IReadOnlyList<FigureRow> rows, IReadOnlyList<string> subjects, string? reference, string unit, string title)
    {
        double[] ratios = [.. rows.SelectMany(r => subjects.Select(s => RatioOf(r, s, reference))).OfType<double>().Where(r => r > 0)];
        int left = Math.Clamp((Letter * rows.Select(r => r.Name.Length).DefaultIfEmpty(0).Max()) + 16, LeastLeft, MostLeft);
        var scale = new Scale(left, ratios.DefaultIfEmpty(1).Min(), ratios.DefaultIfEmpty(1).Max());
        string legend = Legend(subjects, left, out int top);
        var bars = new StringBuilder();
        double y = top;
        foreach (FigureRow row in rows)
        {
            int count = subjects.Count(row.Figures.ContainsKey);
            if (count == 0) continue;
            double height = (count * (Bar + Gap)) - Gap;
            bars.Append(Invariant($"<text x=\"{left - 8}\" y=\"{y + (height / 2) + 4:0.#}\" text-anchor=\"end\">{Escape(row.Name)}</text>\n"));
            for (int i = 0; i < subjects.Count; i++)
            {
                if (!row.Figures.TryGetValue(subjects[i], out Figure figure)) continue;
                Append(bars, row, subjects[i], figure, reference, unit, Colours[i % Colours.Length], scale, y);
                y += Bar + Gap;
            }
            y += RowGap - Gap;
        }
        double end = y - RowGap + 4;
        var page = new StringBuilder();
        page.Append(Invariant($"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {Width} {end + Bottom:0}\" role=\"img\" font-family=\"system-ui, sans-serif\" font-size=\"12\" fill=\"#24292f\">\n"));
        page.Append(Invariant($"<title>{Escape(title)}</title>\n<rect width=\"{Width}\" height=\"{end + Bottom:0}\" fill=\"#ffffff\"/>\n"));
        page.Append(legend);
        foreach (double line in scale.Lines)
        {
            string dash = line == 1 ? "" : " stroke-dasharray=\"2 3\"", colour = line == 1 ? "#24292f" : "#d0d7de";
            page.Append(Invariant($"<line x1=\"{scale.X(line):0.#}\" y1=\"{top - 8}\" x2=\"{scale.X(line):0.#}\" y2=\"{end:0.#}\" stroke=\"{colour}\"{dash}/>"));
            page.Append(Invariant($"<text x=\"{scale.X(line):0.#}\" y=\"{top - 12}\" text-anchor=\"middle\" fill=\"#57606a\">{(line == 1 && reference is not null ? $"{Escape(reference)} = 1" : Invariant($"{line:0.###}"))}</text>\n"));
        }
        return page.Append(bars).Append("</svg>\n").ToString();
    }

    /// <summary>What the colours stand for, in as many rows as that needs.</summary>
    /// <param name="subjects">The subjects.</param>
    /// <param name="left">Where it begins.</param>
    /// <param name="top">Where the bars begin.</param>
    private static string Legend(IReadOnlyList<string> subjects, int left, out int top)
    {
        var legend = new StringBuilder();
        int x = left, y = 10;
        for (int i = 0; i < subjects.Count; i++)
        {
            int width = 40 + (Letter * subjects[i].Length);
            if (x > left && x + width > Width) (x, y) = (left, y + LegendRow);
            legend.Append(Invariant($"<rect x=\"{x}\" y=\"{y}\" width=\"12\" height=\"12\" fill=\"{Colours[i % Colours.Length]}\"/><text x=\"{x + 17}\" y=\"{y + 10}\">{Escape(subjects[i])}</text>\n"));
            x += width;
        }
        top = y + 8 + ScaleHeight;
        return legend.ToString();
    }

    private static void Append(
        StringBuilder to, FigureRow row, string subject, Figure figure, string? reference, string unit, string colour, Scale scale, double y)
    {
        string amount = unit.Length == 0 ? Number(figure.Best) : $"{Number(figure.Best)} {unit}";
        if (RatioOf(row, subject, reference) is not { } ratio)
        {
            // Nothing to compare it with: its number stands where the bar would begin.
            to.Append(Invariant($"<text x=\"{scale.Left + 4}\" y=\"{y + Bar - 2:0.#}\" font-size=\"11\">{Escape(amount)}</text>\n"));
            return;
        }
        double end = scale.X(ratio);
        string spread = figure.Worst is { } worst ? $", worst round {Number(worst)}" : "";
        string compared = reference is null || reference == subject ? "" : $", {Number(ratio)} x {reference}";
        to.Append(Invariant($"<rect x=\"{scale.Left}\" y=\"{y:0.#}\" width=\"{Math.Max(1, end - scale.Left):0.#}\" height=\"{Bar}\" fill=\"{colour}\"><title>{Escape($"{row.Name}: {subject} {amount}{spread}{compared}")}</title></rect>"));
        double label = end;
        if (figure.Worst is { } most && most > figure.Best)
        {
            label = scale.X(ratio * most / figure.Best);
            to.Append(Invariant($"<line x1=\"{end:0.#}\" y1=\"{y + (Bar / 2):0.#}\" x2=\"{label:0.#}\" y2=\"{y + (Bar / 2):0.#}\" stroke=\"{colour}\" stroke-width=\"2\"/>"));
        }
        to.Append(Invariant($"<text x=\"{label + 5:0.#}\" y=\"{y + Bar - 2:0.#}\" font-size=\"11\" paint-order=\"stroke\" stroke=\"#ffffff\" stroke-width=\"3\">{Escape(amount)}</text>\n"));
    }

    private static double? RatioOf(FigureRow row, string subject, string? reference) =>
        reference is not null ? row.Ratio(subject, reference) : row.Figures.TryGetValue(subject, out Figure figure) ? figure.Best : null;

    /// <summary>Three digits.</summary>
    internal static string Number(double value) => Math.Abs(value) >= 1000 ? Invariant($"{value:#,0}") : Math.Abs(value) >= 100 ? Invariant($"{value:0}")
        : Math.Abs(value) >= 10 ? Invariant($"{value:0.0}") : Math.Abs(value) >= 0.1 ? Invariant($"{value:0.00}") : Invariant($"{value:G2}");

    internal static string Escape(string text) => WebUtility.HtmlEncode(text);

    internal static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    /// <summary>Where a ratio lies in the picture. The plain scale begins at 0; one of logarithms at the power of ten below the least.</summary>
    private sealed class Scale
    {
        private readonly double from, to;
        private readonly bool isLogarithmic;

        /// <summary>Where the bars begin.</summary>
        internal int Left { get; }

        internal Scale(int left, double least, double most)
        {
            Left = left;
            isLogarithmic = most > MostOnPlainScale;
            if (isLogarithmic)
            {
                (from, to) = (Math.Min(-1, Math.Floor(Math.Log10(least))), Math.Ceiling(Math.Log10(most * 1.05)));
                Lines = [.. Enumerable.Range((int)from, (int)(to - from) + 1).Select(e => Math.Pow(10, e))];
                return;
            }
            double step = most <= 1.2 ? 0.2 : 0.5;
            (from, to) = (0, Math.Max(1, Math.Ceiling(most * 1.05 / step) * step));
            Lines = [.. Enumerable.Range(0, (int)Math.Round(to / step) + 1).Select(i => Math.Round(i * step, 1))];
        }

        internal double[] Lines { get; }

        internal double X(double ratio)
        {
            double at = isLogarithmic ? Math.Log10(ratio) : ratio;
            return Left + (Math.Clamp((at - from) / (to - from), 0, 1) * (Width - Left - Right));
        }
    }
}
