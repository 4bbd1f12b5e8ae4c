using Microsoft.CodeAnalysis;

namespace WasmJit.Generators;

/// <summary>Which members of an interface are implementations of others: those have no name of their own.</summary>
internal static class Implementations
{
    private static IEnumerable<ISymbol> ImplementedBy(ISymbol symbol) => symbol switch
    {
        IMethodSymbol method => method.ExplicitInterfaceImplementations,
        IPropertySymbol property => property.ExplicitInterfaceImplementations,
        IEventSymbol item => item.ExplicitInterfaceImplementations,
        _ => [],
    };

    internal static bool ImplementsNothing(this ISymbol symbol) => !ImplementedBy(symbol).Any();

    internal static bool Implements(this ISymbol symbol, ISymbol member) => ImplementedBy(symbol).Any(i => SymbolEqualityComparer.Default.Equals(i, member));
}
