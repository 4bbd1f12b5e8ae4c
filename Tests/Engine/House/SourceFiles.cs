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

    /// <summary>A file's path in the repository.</summary>
    internal static string PathOf(string file) => Path.GetRelativePath(Root, file).Replace('\\', '/');

    /// <summary>The lines of a file that are of a kind, each behind its place.</summary>
    internal static IEnumerable<string> Lines(string file, Predicate<string> isOfKind) =>
        File.ReadLines(file).Index().Where(line => isOfKind(line.Item)).Select(line => $"{PathOf(file)}:{line.Index + 1}: {line.Item.Trim()}");

    [GeneratedRegex(@"(^|[\\/])(obj|bin)[\\/]")]
    private static partial Regex OutputFolder();
}
