using Xunit;

namespace WasmJit.Tests;

/// <summary>The official test suite, where the variable WASM_TESTSUITE says it is.</summary>
internal static class Suite
{
    internal const string HowTo =
        "not run: set WASM_TESTSUITE to a checkout of github.com/WebAssembly/testsuite at commit 193e551";

    internal static string? Folder { get; } = FolderIn("WASM_TESTSUITE");

    /// <summary>The folder that a variable names; null without one.</summary>
    internal static string? FolderIn(string variable) =>
        Environment.GetEnvironmentVariable(variable) is { Length: > 0 } path && Directory.Exists(path) ? path : null;

    /// <summary>The scripts directly in a folder of the suite, by name; none without the suite.</summary>
    internal static IEnumerable<string> Scripts(string folder = "") =>
        Folder is null ? [] : Directory.GetFiles(Path.Combine(Folder, folder), "*.wast").Select(f => Path.GetRelativePath(Folder, f)).Order(StringComparer.Ordinal);
}

/// <summary>A test that needs the official suite and says how to get it where it is missing.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class SuiteFactAttribute : FactAttribute
{
    public SuiteFactAttribute()
    {
        if (Suite.Folder is null) Skip = Suite.HowTo;
    }
}

/// <summary>The same with data.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class SuiteTheoryAttribute : TheoryAttribute
{
    public SuiteTheoryAttribute()
    {
        if (Suite.Folder is null) Skip = Suite.HowTo;
    }
}
