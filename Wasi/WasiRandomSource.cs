using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using WasmJit.Wasi;

namespace WasmJit;

/// <summary>Fills a buffer with random bytes. Threads of a guest call it at once.</summary>
/// <param name="bytes">The buffer.</param>
public delegate void WasiRandomSource(Span<byte> bytes);

/// <summary>Random numbers that a seed determines: the digests (SHA-256) of seed and counter.</summary>
internal sealed class SeededRandom
{
    private readonly Lock gate = new();
    private readonly byte[] input = new byte[16];
    private readonly byte[] block = new byte[SHA256.HashSizeInBytes];
    private ulong counter;
    private int used = SHA256.HashSizeInBytes;

    internal SeededRandom(ulong seed) => BinaryPrimitives.WriteUInt64LittleEndian(input, seed);

    /// <summary>Where a guest's random numbers come from.</summary>
    internal static WasiRandomSource Of(WasiOptions options) =>
        options.Random ?? (options.RandomSeed is { } seed ? Seeded(seed) : OfTheSystem);

    // In methods of their own: programs that ask for no random numbers do not load .NET's assembly for them.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static WasiRandomSource Seeded(ulong seed) => new SeededRandom(seed).Fill;

    private static void OfTheSystem(Span<byte> bytes)
    {
        // Linux gives this much in one piece. .NET asks OpenSSL, which takes milliseconds to load for the few bytes that most programs want.
        const int InOnePiece = 256;
        if (!LinuxCalls.IsSupported || bytes.Length > InOnePiece || LinuxCalls.GetRandom(bytes, (nuint)bytes.Length, 0) != bytes.Length) OfTheLibrary(bytes);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void OfTheLibrary(Span<byte> bytes) => RandomNumberGenerator.Fill(bytes);

    internal void Fill(Span<byte> bytes)
    {
        lock (gate)
        {
            while (!bytes.IsEmpty)
            {
                if (used == block.Length)
                {
                    BinaryPrimitives.WriteUInt64LittleEndian(input.AsSpan(8), counter++);
                    SHA256.HashData(input, block);
                    used = 0;
                }
                int count = Math.Min(bytes.Length, block.Length - used);
                block.AsSpan(used, count).CopyTo(bytes);
                used += count;
                bytes = bytes[count..];
            }
        }
    }
}
