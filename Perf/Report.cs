using System.Globalization;

namespace WasmJit.Perf;

/// <summary>Draws recorded figures, and measures before if it is told to.</summary>
internal static class Report
{
    private const string Folder = "Perf/Figures";

    /// <summary>What can be measured, by the name of its part, or of the first of them.</summary>
    private static readonly (string Name, Action<FigureSet> Measure)[] Parts =
    [
        (PartDescription.Kernels, figures => Comparison.Run(Kernel.Scalar, new WasmJitPeer(new EngineOptions()), new WasmtimePeer(), figures)),
        (PartDescription.Options, figures => OptionCosts.Run(Kernel.Scalar, figures)),
        (PartDescription.Cold, figures => Cold.Run([], figures)),
        (PartDescription.Programs, figures => ProgramRuns.Run([], new EngineOptions(), processorTime: true, figures)),
        (PartDescription.GuestCode, figures => GuestJit.Run([], figures)),
        (PartDescription.MethodJit, figures => MethodJit.Run(figures)),
        (PartDescription.WholePrograms, figures => ColdPrograms.Run([], figures)),
    ];

    /// <param name="arguments">
    /// <c>-o PAGE</c>, <c>--picture FILE</c>, <c>--figures FOLDER</c> with a JSON file for each version, <c>--run</c> to measure all parts for a
    /// file of today, <c>--parts NAME,NAME</c> to measure these alone.
    /// </param>
    /// <exception cref="ArgumentException">An option is wrong, or there are no figures.</exception>
    internal static int Run(List<string> arguments)
    {
        string page = Program.Take(arguments, "-o") ?? "report.html", folder = Program.Take(arguments, "--figures") ?? Folder;
        string? picture = Program.Take(arguments, "--picture"), parts = Program.Take(arguments, "--parts");
        bool runs = arguments.Remove("--run") || parts is not null;
        if (arguments.Count > 0) throw new ArgumentException($"report does not know \"{arguments[0]}\".");
        if (!Directory.Exists(folder)) throw new ArgumentException($"{folder} does not exist.");
        if (runs) Measure(FileOfToday(folder), parts is null ? Parts : Select(parts));
        IReadOnlyList<FigureSet> versions = FigureSet.ReadAll(folder);
        if (versions.Count == 0) throw new ArgumentException($"{folder} has no figures: --run measures.");
        File.WriteAllText(page, ReportPage.Write(versions));
        Console.WriteLine(page);
        if (picture is null) return 0;
        File.WriteAllText(picture, ReportPage.Picture(versions));
        Console.WriteLine(picture);
        return 0;
    }

    /// <summary>A name that no version of today has: with a letter behind the day where it is not the first.</summary>
    private static string FileOfToday(string folder)
    {
        string today = DateTime.UtcNow.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
        return new[] { "" }.Concat(Enumerable.Range('b', 25).Select(letter => $"{(char)letter}")).Select(letter => Path.Combine(folder, $"{today}{letter}.json"))
            .FirstOrDefault(file => !File.Exists(file)) ?? throw new ArgumentException($"{folder} has too many files of {today}.");
    }

    private static (string Name, Action<FigureSet> Measure)[] Select(string names) =>
        [.. names.Split(',').Select(name => Array.Find(Parts, part => part.Name == name) is { Name: not null } found ? found
            : throw new ArgumentException($"There is no part \"{name}\", but {string.Join(", ", Parts.Select(p => p.Name))}."))];

    /// <summary>Measures into a new file. It is written after each part: a part takes minutes, and what comes behind it may fail.</summary>
    private static void Measure(string file, (string Name, Action<FigureSet> Measure)[] parts)
    {
        using var recording = new Recording(["--record", file]);
        foreach ((string name, Action<FigureSet> measure) in parts)
        {
            try
            {
                measure(recording.Figures!);
            }
            catch (ArgumentException e)
            {
                // What belongs to others has to be installed first.
                Console.WriteLine($"{name}: {e.Message}");
            }
            recording.Save();
            Console.WriteLine();
        }
        if (File.Exists(file)) Console.WriteLine(file);
    }
}
