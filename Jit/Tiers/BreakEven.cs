namespace WasmJit.Jit.Tiers;

/// <summary>
/// When a function has been interpreted for about as long as compiling it takes. A function that is compiled then never costs more than about twice of what
/// would have been best, whatever the function does afterwards.
/// </summary>
/// <remarks>Estimates from a function's size, measured on programs in C and the kernels of Perf (RATIONALE.md).</remarks>
internal static class BreakEven
{
    /// <summary>What compiling takes, in nanoseconds: for any function, and for each byte of its body.</summary>
    private const double CompileBase = 250_000, CompilePerByte = 3_000;

    /// <summary>
    /// What a call takes in the interpreter, or an iteration of a loop: something for itself and something for each byte, of
    /// which large functions run few each time.
    /// </summary>
    private const double RunBase = 15, RunPerByte = 0.5;
    private const int MostBytesRun = 300;

    /// <summary>
    /// After which part of that a loop is compiled by a thread that has nothing else to do: it costs the guest no time, and a loop that has run for a
    /// while mostly goes on.
    /// </summary>
    /// <param name="bytes">The size of the function's body.</param>
    internal static int EarlyPart(int bytes) => bytes > LargeBody ? EarlyPartOfLarge : EarlyPartOfSmall;

    /// <summary>For large functions there is code that takes a quarter of the time first.</summary>
    private const int EarlyPartOfSmall = 4, EarlyPartOfLarge = 16;

    /// <summary>
    /// Larger functions are compiled so early only if most of the time goes to them: their compilation keeps the thread from others. A loop in one is first compiled
    /// without optimisation.
    /// </summary>
    internal const int LargeBody = 16 << 10;

    /// <summary>Whether most of the time since a function was called first has gone to the early part.</summary>
    /// <param name="bytes">The size of its body.</param>
    /// <param name="since">The time.</param>
    internal static bool IsMost(int bytes, TimeSpan since) => since.TotalNanoseconds < TimeOf(bytes) / EarlyPart(bytes) * 2;

    private static double TimeOf(int bytes) => CompileBase + (bytes * CompilePerByte);

    /// <summary>How many calls and iterations of a function are interpreted before it is compiled.</summary>
    /// <param name="bytes">The size of its body.</param>
    internal static int EventsOf(int bytes)
    {
        double compile = TimeOf(bytes), run = RunBase + (Math.Min(bytes, MostBytesRun) * RunPerByte);
        return (int)Math.Min(compile / run, int.MaxValue / 4);
    }
}
