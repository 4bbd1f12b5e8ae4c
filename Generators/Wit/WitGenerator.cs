using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;

namespace WasmJit.Generators.Wit;

/// <summary>Writes C# for the project's WIT files (<c>WitFile</c>).</summary>
[Generator(LanguageNames.CSharp)]
public sealed class WitGenerator : IIncrementalGenerator
{
    /// <inheritdoc/>
    public void Initialize(IncrementalGeneratorInitializationContext context)
    {
        IncrementalValueProvider<ImmutableArray<WitInput>> files = context.AdditionalTextsProvider.Combine(context.AnalyzerConfigOptionsProvider)
            .Select(static (pair, cancellation) => InputOf(pair.Left, pair.Right, cancellation)).Where(static f => f is not null).Select(static (f, _) => f!).Collect();
        Output.Emit(context, files.SelectMany(static (all, _) =>
        {
            var set = new WitSet(all);
            return all.Select(file => WitWriter.Write(file, set)).ToImmutableArray();
        }));
    }

    private static WitInput? InputOf(AdditionalText file, AnalyzerConfigOptionsProvider options, CancellationToken cancellation)
    {
        AnalyzerConfigOptions own = options.GetOptions(file);
        if (!own.TryGetValue("build_metadata.AdditionalFiles.WasmJitKind", out string? kind) || kind != "wit") return null;
        own.TryGetValue("build_metadata.AdditionalFiles.WasmJitNamespace", out string? space);
        options.GlobalOptions.TryGetValue("build_property.RootNamespace", out string? root);
        return new WitInput(file.Path, file.GetText(cancellation)?.ToString() ?? "", space, root ?? "");
    }
}
