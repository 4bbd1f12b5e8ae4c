namespace WasmJit.Tests;

/// <summary>Options of tests that mean machine code. By default functions are interpreted until they have been called often.</summary>
internal static class Tiers
{
    internal static readonly EngineOptions Compiled = new() { Compilation = Compilation.Lazy };
}
