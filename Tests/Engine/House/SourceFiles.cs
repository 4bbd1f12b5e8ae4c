using System.Text.RegularExpressions;

namespace WasmJit.Tests;

/// <summary>The source files of the repository, without what builds make.</summary>
internal static partial class SourceFiles
{
    internal static readonly string Root = Golden.InRepository(".");

    /// <summary>The files in a folder of the repository, and in those below it.</summary>
    internal static IEnumerable<string> In(string folder) =>
        Directory.EnumerateFiles(Path.Combine(Root, folder), "*.cs", SearchOption.AllDirectories)
            .Where(file => !OutputFolder().IsMatch(Path.GetRelativePath(Root, file)));

    [GeneratedRegex(@"(^|[\\/])(obj|bin)[\\/]")]
    private static partial Regex OutputFolder();
}
