using System.Collections.Immutable;
using System.Runtime.Loader;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Text;
using WasmJit.Generators;
using WasmJit.Generators.Wit;
using Xunit;

namespace WasmJit.Tests.Generators;

/// <summary>A program that is compiled with the generators.</summary>
internal sealed class Compiled
{
    private static readonly CSharpParseOptions Parsing = new(LanguageVersion.Latest);

    /// <summary>What this process refers to.</summary>
    internal static readonly ImmutableArray<MetadataReference> References =
        [.. ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator).Select(path => (MetadataReference)MetadataReference.CreateFromFile(path))];

    private readonly Microsoft.CodeAnalysis.Compilation compilation;
    private readonly GeneratorDriver driver;

    private Compiled(string source, GeneratorDriver driver)
    {
        CSharpCompilation own = CSharpCompilation.Create("generated", [CSharpSyntaxTree.ParseText("#nullable enable\nusing System;\nusing WasmJit;\n" + source, Parsing, "Program.cs")],
            References, new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary, allowUnsafe: true));
        this.driver = driver.RunGeneratorsAndUpdateCompilation(own, out compilation, out _);
        GeneratorDriverRunResult result = this.driver.GetRunResult();
        Sources = result.Results.SelectMany(r => r.GeneratedSources).ToDictionary(s => s.HintName, s => s.SourceText.ToString());
        Problems = [.. result.Diagnostics.Select(d => $"{d.Id}: {d.GetMessage(System.Globalization.CultureInfo.InvariantCulture)}")];
        Result = result;
    }

    /// <summary>What was written, by file.</summary>
    internal IReadOnlyDictionary<string, string> Sources { get; }

    /// <summary>What the generators said.</summary>
    internal IReadOnlyList<string> Problems { get; }

    internal GeneratorDriverRunResult Result { get; }

    /// <summary>Compiles a source; files are those of the project.</summary>
    internal static Compiled Of(string source, params File[] files) => new(source, CSharpGeneratorDriver.Create(
        [new FaceGenerator().AsSourceGenerator(), new WitGenerator().AsSourceGenerator()], files, Parsing, new Options(files)));

    /// <summary>The same project with another source, as an editor compiles it again.</summary>
    internal Compiled With(string source) => new(source, driver);

    /// <summary>The program, in a context of its own.</summary>
    internal System.Reflection.Assembly Load()
    {
        Assert.Empty(Problems);
        using var stream = new MemoryStream();
        var result = compilation.Emit(stream);
        Assert.True(result.Success, string.Join('\n', result.Diagnostics.Where(d => d.Severity == DiagnosticSeverity.Error)));
        stream.Position = 0;
        return new AssemblyLoadContext(null, isCollectible: true).LoadFromStream(stream);
    }

    /// <summary>What the compiler says of the program with what was generated.</summary>
    internal IEnumerable<string> Errors => compilation.GetDiagnostics().Where(d => d.Severity == DiagnosticSeverity.Error).Select(d => d.ToString());

    /// <summary>A file of the project, as the package gives it to the compiler.</summary>
    internal sealed class File(string path, string kind, string text = "", params (string Name, string Value)[] metadata) : AdditionalText
    {
        public override string Path => path;

        internal IEnumerable<(string Name, string Value)> Metadata => metadata.Append(("Kind", kind));

        public override SourceText GetText(CancellationToken cancellationToken = default) => SourceText.From(text);
    }

    private sealed class Options(File[] files) : AnalyzerConfigOptionsProvider
    {
        public override AnalyzerConfigOptions GlobalOptions { get; } = new Values(new() { ["build_property.RootNamespace"] = "App" });

        public override AnalyzerConfigOptions GetOptions(SyntaxTree tree) => GlobalOptions;

        public override AnalyzerConfigOptions GetOptions(AdditionalText textFile) =>
            new Values(files.First(f => f == textFile).Metadata.ToDictionary(m => "build_metadata.AdditionalFiles.WasmJit" + m.Name, m => m.Value));
    }

    private sealed class Values(Dictionary<string, string> values) : AnalyzerConfigOptions
    {
        public override bool TryGetValue(string key, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out string? value) => values.TryGetValue(key, out value);
    }
}
