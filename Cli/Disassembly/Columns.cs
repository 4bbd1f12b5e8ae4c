namespace WasmJit.Cli;

/// <summary>Lays listings out side by side.</summary>
internal static class Columns
{
    /// <summary>Joins columns into rows. Short columns are filled up; long lines are cut off.</summary>
    internal static IEnumerable<string> Rows(int width, params IReadOnlyList<string>[] columns)
    {
        int[] widths = Widths(width - (3 * (columns.Length - 1)), columns);
        int rows = columns.Max(c => c.Count);
        for (int row = 0; row < rows; row++)
            yield return string.Join(" │ ", columns.Select((c, i) => Fit(row < c.Count ? c[row] : "", widths[i]))).TrimEnd();
    }

    /// <summary>Divides the width. Narrow columns leave the rest of their share to the others.</summary>
    private static int[] Widths(int width, IReadOnlyList<string>[] columns)
    {
        int[] needed = [.. columns.Select(c => c.Count == 0 ? 1 : c.Max(l => l.Length))];
        int[] widths = new int[columns.Length];
        int left = width, open = columns.Length;
        foreach (int i in Enumerable.Range(0, columns.Length).OrderBy(i => needed[i]))
        {
            widths[i] = Math.Min(needed[i], left / open);
            left -= widths[i];
            open--;
        }
        return widths;
    }

    private static string Fit(string text, int width) =>
        text.Length <= width ? text.PadRight(width) : width <= 1 ? text[..width] : text[..(width - 1)] + "…";
}
