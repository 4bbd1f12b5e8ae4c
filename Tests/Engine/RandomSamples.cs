using CsCheck;

namespace WasmJit.Tests;

/// <summary>
/// Runs tests on generated values: the same ones each time, so that a test fails for a change and not by luck. WASMJIT_RANDOM_SEED chooses others.
/// </summary>
internal static class RandomSamples
{
    private static readonly ulong Seed = ulong.TryParse(Environment.GetEnvironmentVariable("WASMJIT_RANDOM_SEED"), out ulong value) ? value : 1;

    /// <summary>Checks some values; what fails is told with its value.</summary>
    /// <param name="gen">Makes the values.</param>
    /// <param name="count">How many.</param>
    /// <param name="check">Throws if something is wrong.</param>
    /// <param name="print">How a value is told; null for its own text.</param>
    internal static void Check<T>(this Gen<T> gen, int count, Action<T> check, Func<T, string>? print = null)
    {
        var random = new PCG(1, Seed);
        for (int i = 0; i < count; i++)
        {
            T value = gen.Generate(random, null, out _);
            try
            {
                check(value);
            }
            catch (Exception e)
            {
                throw new Xunit.Sdk.XunitException($"sample {i} of seed {Seed}: {(print is null ? $"{value}" : print(value))}\n{e}");
            }
        }
    }
}
