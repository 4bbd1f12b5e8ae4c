using System.Runtime.CompilerServices;
using Xunit;

namespace WasmJit.Tests;

/// <summary>
/// Expected texts in files beside the tests. With the variable WASMJIT_UPDATE_GOLDEN=1 a run writes them anew; the difference
/// is then for a person to read.
/// </summary>
internal static class Golden
{
    private static readonly bool Update = Environment.GetEnvironmentVariable("WASMJIT_UPDATE_GOLDEN") == "1";

    /// <summary>The path of a file of the repository.</summary>
    internal static string InRepository(string path) => Path.GetFullPath(Path.Combine(Path.GetDirectoryName(Here())!, "..", "..", path));

    private static string Here([CallerFilePath] string path = "") => path;

    /// <summary>Compares with the file <c>Golden/name</c> in the folder of the calling test.</summary>
    internal static void Equal(string name, string actual, [CallerFilePath] string test = "")
    {
        EqualFile(Path.Combine(Path.GetDirectoryName(test)!, "Golden", name), actual);
    }

    /// <summary>Compares with a file.</summary>
    internal static void EqualFile(string path, string actual)
    {
        actual = actual.ReplaceLineEndings("\n");
        if (Update) File.WriteAllText(path, actual);
        Assert.True(File.Exists(path), $"{path} does not exist; WASMJIT_UPDATE_GOLDEN=1 writes it");
        Assert.Equal(File.ReadAllText(path), actual);
    }
}
