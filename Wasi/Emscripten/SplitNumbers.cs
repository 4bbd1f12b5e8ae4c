namespace WasmJit.Wasi;

/// <summary>
/// Functions of WASI as programs import them that were linked for a JavaScript without numbers of 64 bits: each such number is two of 32 bits, the lower
/// half first. Emscripten did so until version 4.
/// </summary>
internal static class SplitNumbers
{
    /// <summary>The imports' module.</summary>
    internal const string Module = "wasi_snapshot_preview1";

    /// <summary>The same function with halves; null for types of which Emscripten's C library imports nothing.</summary>
    internal static Delegate? Of(Delegate function) => function switch
    {
        // fd_seek; fd_pread and fd_pwrite; clock_time_get.
        Func<Caller?, int, long, int, int, int> f => (Caller caller, int a, int low, int high, int b, int c) => f(caller, a, Join(low, high), b, c),
        Func<Caller?, int, int, int, long, int, int> f => (Caller caller, int a, int b, int c, int low, int high, int d) => f(caller, a, b, c, Join(low, high), d),
        Func<Caller?, int, long, int, int> f => (Caller caller, int a, int low, int high, int b) => f(caller, a, Join(low, high), b),
        _ => null,
    };

    private static long Join(int low, int high) => ((long)high << 32) | (uint)low;
}
