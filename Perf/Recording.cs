using System.Globalization;
using System.Reflection;
using System.Runtime.InteropServices;
using W = Wasmtime;

namespace WasmJit.Perf;

/// <summary>The file to which a command adds its figures, if it is told to (<c>--record FILE</c>). It is written when the command is done.</summary>
internal sealed class Recording : IDisposable
{
    private readonly string? file;

    /// <param name="arguments">The command's, from which the option is taken.</param>
    /// <exception cref="ArgumentException">The option has no file.</exception>
    internal Recording(List<string> arguments)
    {
        file = Program.Take(arguments, "--record");
        if (file is not null) Figures = Open(file);
    }

    /// <summary>What is recorded; null without a file.</summary>
    internal FigureSet? Figures { get; }

    /// <summary>The figures in a file, or none yet of this version on this machine.</summary>
    internal static FigureSet Open(string file) => File.Exists(file) ? FigureSet.Parse(File.ReadAllText(file)) : Now();

    private static FigureSet Now()
    {
        var engines = new Dictionary<string, string> { [PartDescription.Wasmtime] = VersionOf(typeof(W.Engine)) };
        if (NodeKernel.Version() is { } node) engines[PartDescription.V8] = node;
        return new FigureSet
        {
            Version = VersionOf(typeof(Engine)),
            Date = DateTime.UtcNow.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
            Machine = $"{Processor()}, {Environment.ProcessorCount} processors, {RuntimeInformation.OSDescription}, {RuntimeInformation.FrameworkDescription}",
            Engines = engines,
        };
    }

    /// <summary>A version as packages have it, and seven digits of the commit.</summary>
    private static string VersionOf(Type type)
    {
        string[] parts = (type.Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "?").Split('+');
        return parts.Length > 1 ? $"{parts[0]}+{parts[1][..Math.Min(7, parts[1].Length)]}" : parts[0];
    }

    private static string Processor()
    {
        const string file = "/proc/cpuinfo", field = "model name";
        string? line = File.Exists(file) ? File.ReadLines(file).FirstOrDefault(l => l.StartsWith(field, StringComparison.Ordinal)) : null;
        return line is null ? $"{RuntimeInformation.ProcessArchitecture}" : line[(line.IndexOf(':') + 1)..].Trim();
    }

    /// <summary>
    /// Writes what there is so far: a part takes minutes, and what comes behind it may fail. Without any figures there is no file, which the report would show as a version.
    /// </summary>
    internal void Save()
    {
        if (file is not null && Figures!.Parts.Count > 0) File.WriteAllText(file, Figures.Write());
    }

    /// <summary>Writes the file.</summary>
    public void Dispose() => Save();
}
