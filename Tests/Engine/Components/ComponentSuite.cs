using Xunit;

namespace WasmJit.Tests;

/// <summary>The official tests of the component model, where the variable WASM_COMPONENT_TESTSUITE says they are.</summary>
internal static class ComponentSuite
{
    internal const string HowTo =
        "not run: set WASM_COMPONENT_TESTSUITE to the folder test of a checkout of github.com/WebAssembly/component-model";

    internal static string? Folder { get; } = Suite.FolderIn("WASM_COMPONENT_TESTSUITE");

    /// <summary>The scripts by name, with their folder; none without the suite.</summary>
    internal static IEnumerable<string> Scripts =>
        Folder is null ? [] : Directory.GetFiles(Folder, "*.wast", SearchOption.AllDirectories).Select(f => Path.GetRelativePath(Folder, f)).Order(StringComparer.Ordinal);
}

/// <summary>A test that needs the official tests of components and says how to get them where they are missing.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class ComponentSuiteFactAttribute : FactAttribute
{
    public ComponentSuiteFactAttribute()
    {
        if (ComponentSuite.Folder is null) Skip = ComponentSuite.HowTo;
    }
}

/// <summary>The same with data.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class ComponentSuiteTheoryAttribute : TheoryAttribute
{
    public ComponentSuiteTheoryAttribute()
    {
        if (ComponentSuite.Folder is null) Skip = ComponentSuite.HowTo;
    }
}
