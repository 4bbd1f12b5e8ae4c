using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace WasmJit.Generators;

/// <summary>
/// Writes the classes that implement interfaces with <c>WasmFace</c>, the functions of classes with <c>WasmImports</c>, and the classes of the project's
/// modules (<c>WasmModule</c>).
/// </summary>
[Generator(LanguageNames.CSharp)]
public sealed class FaceGenerator : IIncrementalGenerator
{
    /// <inheritdoc/>
    public void Initialize(IncrementalGeneratorInitializationContext context)
    {
        IncrementalValueProvider<ImmutableArray<ModuleFile>> modules = context.AdditionalTextsProvider.Combine(context.AnalyzerConfigOptionsProvider)
            .Select(static (pair, _) => ModuleInput.Of(pair.Left, pair.Right)).Where(static m => m is not null).Select(static (m, _) => m!.Read()).Collect();

        Output.Emit(context, context.SyntaxProvider.ForAttributeWithMetadataName(
            "WasmJit.WasmFaceAttribute", static (node, _) => node is InterfaceDeclarationSyntax, static (found, _) => (INamedTypeSymbol)found.TargetSymbol)
            .Combine(modules).Select(static (pair, _) => InterfaceClass.Write(pair.Left, pair.Right)));
        Output.Emit(context, context.SyntaxProvider.ForAttributeWithMetadataName(
            "WasmJit.WasmImportsAttribute", static (node, _) => node is ClassDeclarationSyntax or RecordDeclarationSyntax, static (found, _) => ImportsClass.Write((INamedTypeSymbol)found.TargetSymbol)));
        Output.Emit(context, modules.SelectMany(static (all, _) => all).Combine(context.CompilationProvider).Select(static (pair, _) => ModuleClass.Write(pair.Left, pair.Right)));
    }
}
