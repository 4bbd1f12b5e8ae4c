using WasmJit.Components;

namespace WasmJit.Wasi.Preview2;

/// <summary><c>wasi:random/random</c>.</summary>
internal static class RandomInterface
{
    internal static void AddTo(InterfaceWriter to, WasiState state)
    {
        to.Add("get-random-bytes", (ulong count) => RandomBytes.Fill(state, count, state.Random));
        to.Add("get-random-u64", state.NextRandom);
    }
}

/// <summary><c>wasi:random/insecure</c>.</summary>
internal static class RandomInsecureInterface
{
    internal static void AddTo(InterfaceWriter to, WasiState state)
    {
        to.Add("get-insecure-random-bytes", (ulong count) => RandomBytes.Fill(state, count, RandomBytes.Insecure(state)));
        to.Add("get-insecure-random-u64", () => RandomBytes.NextInsecure(state));
    }
}

/// <summary><c>wasi:random/insecure-seed</c>: the same for all guests of a host, for whom it is not a secret.</summary>
internal static class RandomInsecureSeedInterface
{
    internal static void AddTo(InterfaceWriter to, WasiState state)
    {
        (ulong, ulong) seed = RandomBytes.Seed(state);
        to.Add("insecure-seed", () => seed);
    }
}

/// <summary>Bytes at random.</summary>
internal static class RandomBytes
{
    /// <summary>The most of one call. A call cannot give fewer than it is asked for.</summary>
    internal const ulong Most = 64 << 20;

    /// <summary>Between looks at the token: gigabytes take many seconds.</summary>
    private const int Piece = 1 << 20;

    /// <summary>What gives bytes that need not be secret.</summary>
    internal static WasiRandomSource Insecure(WasiState state) => state.HasGivenRandom ? state.Random : System.Random.Shared.NextBytes;

    internal static ulong NextInsecure(WasiState state) =>
        state.HasGivenRandom ? state.NextRandom() : (ulong)System.Random.Shared.NextInt64(long.MinValue, long.MaxValue);

    internal static (ulong, ulong) Seed(WasiState state) => state.HasGivenRandom
        ? (state.NextRandom(), state.NextRandom()) : ((ulong)System.Random.Shared.NextInt64(), (ulong)System.Random.Shared.NextInt64());

    internal static byte[] Fill(WasiState state, ulong count, WasiRandomSource fill)
    {
        if (count > Most) throw ComponentTrap.Make($"a call gives {Most} random bytes at most");
        byte[] bytes = new byte[count];
        for (int at = 0; at < bytes.Length; at += Piece)
        {
            state.Waiter.Check();
            fill(bytes.AsSpan(at, Math.Min(Piece, bytes.Length - at)));
        }
        return bytes;
    }
}
