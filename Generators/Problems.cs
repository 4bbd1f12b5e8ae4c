using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Text;

namespace WasmJit.Generators;

/// <summary>What the generators say.</summary>
internal static class Rules
{
    private const string Category = "WasmJit";

    internal static DiagnosticDescriptor DoesNotFit { get; } = Rule("WASMJIT001", "A member does not fit the module");

    internal static DiagnosticDescriptor CannotCross { get; } = Rule("WASMJIT002", "A type cannot cross to WebAssembly");

    internal static DiagnosticDescriptor CannotGenerate { get; } = Rule("WASMJIT003", "Nothing can be generated for this");

    internal static DiagnosticDescriptor ModuleUnreadable { get; } = Rule("WASMJIT004", "The module cannot be read");

    internal static DiagnosticDescriptor WitUnreadable { get; } = Rule("WASMJIT005", "The WIT file cannot be read");

    private static DiagnosticDescriptor Rule(string id, string title) => new(id, title, "{0}", Category, DiagnosticSeverity.Error, isEnabledByDefault: true);

    internal static DiagnosticDescriptor Of(string id) =>
        new[] { DoesNotFit, CannotCross, CannotGenerate, ModuleUnreadable, WitUnreadable }.Single(r => r.Id == id);
}

/// <summary>A diagnostic as values that can be compared, so that the compiler need not write what is there already.</summary>
internal sealed record Problem(string Id, string Message, string? File, TextSpan Span, LinePositionSpan Lines)
{
    internal static Problem At(DiagnosticDescriptor rule, string message, Location? location) => location is { IsInSource: true, SourceTree: { } tree }
        ? new(rule.Id, message, tree.FilePath, location.SourceSpan, location.GetLineSpan().Span) : new(rule.Id, message, null, default, default);

    internal static Problem In(DiagnosticDescriptor rule, string message, string file, LinePosition position = default) =>
        new(rule.Id, message, file, default, new LinePositionSpan(position, position));

    internal Diagnostic ToDiagnostic() => Diagnostic.Create(Rules.Of(Id), File is null ? Location.None : Location.Create(File, Span, Lines), Message);
}

/// <summary>What a generator has made of one input.</summary>
internal sealed class Output : IEquatable<Output>
{
    internal Output(string file, string? source, IReadOnlyList<Problem> problems)
    {
        File = file;
        Source = source;
        Problems = problems;
    }

    internal string File { get; }

    /// <summary>The code; null if there is none because of the problems.</summary>
    internal string? Source { get; }

    internal IReadOnlyList<Problem> Problems { get; }

    /// <summary>Gives the compiler what is made.</summary>
    internal static void Emit(IncrementalGeneratorInitializationContext context, IncrementalValuesProvider<Output> outputs) =>
        context.RegisterSourceOutput(outputs, static (production, output) =>
        {
            foreach (Problem problem in output.Problems) production.ReportDiagnostic(problem.ToDiagnostic());
            if (output.Source is not null) production.AddSource(output.File, output.Source);
        });

    public bool Equals(Output? other) => other is not null && File == other.File && Source == other.Source && Problems.SequenceEqual(other.Problems);

    public override bool Equals(object? obj) => Equals(obj as Output);

    public override int GetHashCode() => (File, Source).GetHashCode();
}
