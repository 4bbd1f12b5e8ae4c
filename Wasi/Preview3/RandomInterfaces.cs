using WasmJit.Wasi.Preview2;

namespace WasmJit.Wasi.Preview3;

/// <summary><c>wasi:random</c>. A call may give fewer bytes than it is asked for.</summary>
internal static class RandomInterfaces
{
    private static byte[] Fill(WasiState state, ulong count, WasiRandomSource fill) => RandomBytes.Fill(state, Math.Min(count, WasiState.MostBytes), fill);

    internal static void Add(InterfaceWriter to, WasiState state)
    {
        to.Add("get-random-bytes", (ulong count) => Fill(state, count, state.Random));
        to.Add("get-random-u64", state.NextRandom);
    }

    internal static void AddInsecure(InterfaceWriter to, WasiState state)
    {
        to.Add("get-insecure-random-bytes", (ulong count) => Fill(state, count, RandomBytes.Insecure(state)));
        to.Add("get-insecure-random-u64", () => RandomBytes.NextInsecure(state));
    }

    internal static void AddSeed(InterfaceWriter to, WasiState state)
    {
        (ulong, ulong) seed = RandomBytes.Seed(state);
        to.Add("get-insecure-seed", () => seed);
    }
}
