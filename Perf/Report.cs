using System.Globalization;

namespace WasmJit.Perf;

/// <summary>Draws recorded figures, and measures before if it is told to.</summary>
internal static class Report
{
    private const string Folder = "Perf/Figures";

    /// <param name="arguments">
    /// <c>-o PAGE</c>, <c>--picture FILE</c>, <c>--figures FOLDER</c> with a JSON file for each version, <c>--run</c> to measure all parts for a
    /// file of today.
    /// </param>
    /// <exception cref="ArgumentException">An option is wrong, or there are no figures.</exception>
    internal static int Run(List<string> arguments)
    {
        string page = Program.Take(arguments, "-o") ?? "report.html", folder = Program.Take(arguments, "--figures") ?? Folder;
        string? picture = Program.Take(arguments, "--picture");
        bool runs = arguments.Remove("--run");
        if (arguments.Count > 0) throw new ArgumentException($"report does not know \"{arguments[0]}\".");
        if (!Directory.Exists(folder)) throw new ArgumentException($"{folder} does not exist.");
        if (runs) Measure(Path.Combine(folder, $"{DateTime.UtcNow.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)}.json"));
        IReadOnlyList<FigureSet> versions = FigureSet.ReadAll(folder);
        if (versions.Count == 0) throw new ArgumentException($"{folder} has no figures: --run measures.");
        File.WriteAllText(page, ReportPage.Write(versions));
        Console.WriteLine(page);
        if (picture is null) return 0;
        File.WriteAllText(picture, ReportPage.Picture(versions));
        Console.WriteLine(picture);
        return 0;
    }

    /// <summary>All parts, into a file that is new.</summary>
    private static void Measure(string file)
    {
        File.Delete(file);
        using var recording = new Recording(["--record", file]);
        FigureSet figures = recording.Figures!;
        var options = new EngineOptions();
        Comparison.Run(Kernel.Scalar, new WasmJitPeer(options), new WasmtimePeer(), figures);
        recording.Save();
        OptionCosts.Run(Kernel.Scalar, figures);
        recording.Save();
        Cold.Run([], figures);
        recording.Save();
        ProgramRuns.Run([], options, processorTime: true, figures);
        GuestJit.Run([], figures);
        MethodJit.Run(figures);
        try
        {
            ColdPrograms.Run([], figures);
        }
        catch (ArgumentException e)
        {
            // They belong to others, and have to be installed first.
            Console.WriteLine(e.Message);
        }
    }
}
