using System.Reflection;

namespace WasmJit.Tests;

/// <summary>What is handed out: the libraries, the tool, and what stands between them.</summary>
internal static class Products
{
    /// <summary>The projects, from below; those of one group do not use each other.</summary>
    internal static readonly Assembly[][] Groups =
    [
        [typeof(Memory).Assembly], [typeof(Features).Assembly], [typeof(Engine).Assembly], [typeof(Components.ComponentDefinition).Assembly],
        [typeof(Wat).Assembly, typeof(WasiHost).Assembly, typeof(WasmModules).Assembly], [typeof(AspNetCore.WasmServer).Assembly], [typeof(Cli.Tool).Assembly],
    ];

    internal static IEnumerable<Assembly> All => Groups.SelectMany(group => group);

    /// <summary>Their folders. The packages <c>Generators</c> and <c>Build</c> have no assembly that a program loads.</summary>
    internal static readonly string[] Folders =
        ["Runtime", "Jit", "Linking", "Components", "Text", "Wasi", "Extensions", "AspNetCore", "Cli", "Build", "Generators", "Fuzz"];
}
