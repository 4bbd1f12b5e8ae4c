using WasmJit.Components;

namespace WasmJit.Text;

/// <summary>What the text format knows of sorts.</summary>
internal static class Sorts
{
    private static readonly Sort[] All = Enum.GetValues<Sort>();

    /// <summary>Whether instances of core modules export it.</summary>
    internal static bool IsCoreExport(this Sort sort) => sort <= Sort.CoreTag;

    /// <summary>Whether an alias can name one of an enclosing component.</summary>
    internal static bool IsOuter(this Sort sort) => sort is Sort.CoreModule or Sort.CoreType or Sort.Component or Sort.Type;

    /// <summary>The keyword without the core prefix.</summary>
    internal static string Keyword(this Sort sort) => sort.IsCore() ? sort.Text()["core ".Length..] : sort.Text();

    /// <summary>The sort of a keyword, null if there is none.</summary>
    internal static Sort? Find(string keyword, bool isCore)
    {
        foreach (Sort sort in All)
            if (sort.IsCore() == isCore && sort.Keyword() == keyword) return sort;
        return null;
    }
}
