using WasmJit.Perf;
using Xunit;

namespace WasmJit.Tests;

/// <summary>The page of <c>Perf report</c>, from recorded figures.</summary>
public sealed class ReportTests
{
    private static FigureSet Old()
    {
        var figures = new FigureSet { Version = "0.1.0", Date = "2026-01-31", Machine = "another machine" };
        figures.Record(PartDescription.Kernels, "fib", PartDescription.Engine, 50);
        figures.Record(PartDescription.Kernels, "fib", PartDescription.Wasmtime, 40);
        figures.Record(PartDescription.LaterRuns, "only then", PartDescription.Engine, 2000);
        figures.Record(PartDescription.LaterRuns, "only then", PartDescription.Wasmtime, 2345.6);
        return figures;
    }

    /// <summary>Figures of each kind: with a spread and without, of engines that are missing, far apart, for one row alone, texts with marks of HTML.</summary>
    private static FigureSet New()
    {
        var figures = new FigureSet
        {
            Version = "0.2.0+1234567",
            Date = "2026-02-28",
            Machine = "Processor <R>, 2 processors",
            Engines = { ["Wasmtime"] = "50.0.1", ["V8"] = "14.6" },
        };
        foreach ((string kernel, double own, double wasmtime, double? v8) in new (string, double, double, double?)[] { ("fib", 41.256, 40, 30.5), ("sieve", 12, 14, 13), ("switch & loop", 0.05123, 0.0512, null) })
        {
            figures.Record(PartDescription.Kernels, kernel, PartDescription.Engine, own, own * 1.1);
            figures.Record(PartDescription.Kernels, kernel, PartDescription.Wasmtime, wasmtime, wasmtime * 1.02);
            if (v8 is { } time) figures.Record(PartDescription.Kernels, kernel, PartDescription.V8, time);
        }
        figures.Record(PartDescription.GuestCode, "from bytes to the first result", "func.new", 3);
        figures.Record(PartDescription.GuestCode, "from bytes to the first result", PartDescription.Wasmtime, 390);
        figures.Record(PartDescription.GuestCode, "from bytes to the first result", PartDescription.V8, 39);
        figures.Record(PartDescription.GuestMemory, "each of many live", "func.new", 1.4);
        figures.Record(PartDescription.GuestMemory, "each of many live", PartDescription.V8, double.NaN);
        figures.Record(PartDescription.Options, "fib", PartDescription.NoOption, 41);
        figures.Record(PartDescription.Options, "fib", "Interruptible", 43.05);
        return figures;
    }

    [Fact]
    public void ThePageShowsWhatWasRecorded() => Golden.Equal("report.html", ReportPage.Write([Old(), New()]));

    [Fact]
    public void FilesKeepWhatWasRecorded()
    {
        FigureSet figures = New(), read = FigureSet.Parse(figures.Write());
        Assert.Equal(figures.Write(), read.Write());
        Assert.Equal(ReportPage.Write([figures]), ReportPage.Write([read]));
        // A later figure replaces an earlier one, and four digits are kept.
        read.Record(PartDescription.Kernels, "fib", PartDescription.Engine, 12.34567, double.PositiveInfinity);
        Assert.Equal(new Figure(12.35), read.Find(PartDescription.Kernels)!.Rows[0].Figures[PartDescription.Engine]);
    }

    [Fact]
    public void MeansAreOfRowsThatHaveBoth()
    {
        FigurePart kernels = New().Find(PartDescription.Kernels)!;
        Assert.Equal(Math.Pow(41.26 / 40 * (12.0 / 14) * (0.05123 / 0.0512), 1.0 / 3), kernels.Mean(PartDescription.Engine, PartDescription.Wasmtime)!.Value, 1e-12);
        Assert.Equal(Math.Sqrt(30.5 / 40 * (13.0 / 14)), kernels.Mean(PartDescription.V8, PartDescription.Wasmtime)!.Value, 1e-12);
        Assert.Null(kernels.Mean("another", PartDescription.Wasmtime));
    }

    /// <summary>The picture in the README is drawn from the newest figures in the repository; <c>Perf report --picture</c> writes it.</summary>
    [Fact]
    public void ThePictureOfTheReadmeIsUpToDate()
    {
        Golden.EqualFile(Golden.InRepository("Perf/Figures/kernels.svg"), ReportPage.Picture(FigureSet.ReadAll(Golden.InRepository("Perf/Figures"))));
        Assert.Contains("(Perf/Figures/kernels.svg)", File.ReadAllText(Golden.InRepository("README.md")), StringComparison.Ordinal);
    }

    [Fact]
    public void AllCommittedFiguresAreOfMeasurementsThatThereAre()
    {
        foreach (FigureSet version in FigureSet.ReadAll(Golden.InRepository("Perf/Figures")))
            Assert.All(version.Parts, part => Assert.Contains(part.Name, PartDescription.All.Select(d => d.Name)));
    }
}
