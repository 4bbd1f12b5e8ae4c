using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace WasmJit.Perf;

/// <summary>The best and the worst of the rounds of a measurement.</summary>
/// <param name="Best">What counts.</param>
/// <param name="Worst">How far rounds were apart; null where only the best is known.</param>
internal readonly record struct Figure(double Best, double? Worst = null);

/// <summary>What several subjects took for the same work.</summary>
/// <param name="Name">The work.</param>
/// <param name="Figures">By subject.</param>
internal sealed record FigureRow(string Name, Dictionary<string, Figure> Figures)
{
    /// <summary>A subject's figure as a multiple of the reference's; null where one is missing.</summary>
    internal double? Ratio(string subject, string reference) =>
        Figures.TryGetValue(subject, out Figure own) && Figures.TryGetValue(reference, out Figure other) && other.Best > 0 ? own.Best / other.Best : null;
}

/// <summary>The figures of one measurement.</summary>
/// <param name="Name">Its name in <see cref="PartDescription.All"/>.</param>
/// <param name="Rows">In the order of the measurement.</param>
/// <param name="Unit">The unit of the figures, where it is another one than the measurement's: "x" where only ratios are known.</param>
internal sealed record FigurePart(string Name, List<FigureRow> Rows, string? Unit = null)
{
    /// <summary>What is known of all measurements of this name.</summary>
    internal PartDescription Description => PartDescription.All.Single(p => p.Name == Name);

    /// <summary>The subjects, in the order of the first row that has each.</summary>
    internal IReadOnlyList<string> Subjects => [.. Rows.SelectMany(r => r.Figures.Keys).Distinct()];

    /// <summary>The geometric mean of a subject's ratios to the reference, over the rows that have both; null if none has.</summary>
    internal double? Mean(string subject, string reference)
    {
        double[] ratios = [.. Rows.Select(r => r.Ratio(subject, reference)).OfType<double>()];
        return ratios.Length == 0 ? null : Math.Exp(ratios.Average(Math.Log));
    }
}

/// <summary>What a version's measurements gave on one machine. Commands add to a file of it with <c>--record</c>; the report draws files.</summary>
internal sealed class FigureSet
{
    private static readonly JsonSerializerOptions Json = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>The version that was measured.</summary>
    public required string Version { get; init; }

    /// <summary>The day, as YYYY-MM-DD.</summary>
    public required string Date { get; init; }

    /// <summary>The processors, the system and .NET.</summary>
    public required string Machine { get; init; }

    /// <summary>The versions of the other engines by name.</summary>
    public Dictionary<string, string> Engines { get; init; } = [];

    /// <summary>The measurements that were made.</summary>
    public List<FigurePart> Parts { get; init; } = [];

    /// <summary>The measurement of a name; null if it was not made.</summary>
    internal FigurePart? Find(string part) => Parts.FirstOrDefault(p => p.Name == part);

    /// <summary>Notes a figure, in place of an earlier one. What is no number is not noted.</summary>
    internal void Record(string part, string row, string subject, double best, double? worst = null)
    {
        if (!double.IsFinite(best)) return;
        FigurePart own = Find(part) ?? Added(Parts, new FigurePart(part, []));
        FigureRow work = own.Rows.FirstOrDefault(r => r.Name == row) ?? Added(own.Rows, new FigureRow(row, []));
        work.Figures[subject] = new Figure(Digits(best), worst is { } w && double.IsFinite(w) ? Digits(w) : null);
    }

    private static T Added<T>(List<T> list, T item)
    {
        list.Add(item);
        return item;
    }

    /// <summary>Four digits: what is beyond is chance.</summary>
    private static double Digits(double value) => value == 0 ? 0 : double.Parse(value.ToString("G4", System.Globalization.CultureInfo.InvariantCulture), System.Globalization.CultureInfo.InvariantCulture);

    /// <summary>The files of a folder, the oldest version first.</summary>
    internal static IReadOnlyList<FigureSet> ReadAll(string folder) =>
        [.. Directory.GetFiles(folder, "*.json").Order(StringComparer.Ordinal).Select(f => Parse(File.ReadAllText(f))).OrderBy(v => v.Date, StringComparer.Ordinal)];

    internal static FigureSet Parse(string json) => JsonSerializer.Deserialize<FigureSet>(json, Json) ?? throw new JsonException("The file is empty.");

    internal string Write() => JsonSerializer.Serialize(this, Json).ReplaceLineEndings("\n") + "\n";
}
