namespace WasmJit.Jit.Binary;

/// <summary>The function that a program imports to make threads (the proposal wasi-threads).</summary>
internal static class SpawnImport
{
    internal const string Module = "wasi";

    /// <summary>Its names: today's, and the one before.</summary>
    internal static readonly string[] Names = ["thread-spawn", "thread_spawn"];

    internal static bool Is(string module, string? name) => module == Module && name is not null && Names.Contains(name);
}
