using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using WasmJit.Jit.Saved;
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
    private readonly byte[] block = new byte[Sha256.Size];
    private ulong counter;
    private int used = Sha256.Size;

    internal SeededRandom(ulong seed) => BinaryPrimitives.WriteUInt64LittleEndian(input, seed);

    /// <summary>Where a guest's random numbers come from.</summary>
    internal static WasiRandomSource Of(WasiOptions options) =>
        options.Random ?? (options.RandomSeed is { } seed ? Seeded(seed) : OfTheSystem);

    // In methods of their own: programs that ask for no random numbers do not load .NET's assembly for them.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static WasiRandomSource Seeded(ulong seed) => new SeededRandom(seed).Fill;

    internal static void OfTheSystem(Span<byte> bytes)
    {
        // Linux is asked itself. .NET asks OpenSSL, which takes milliseconds to load, and ends the process where it is not installed.
        while (LinuxCalls.IsSupported && !bytes.IsEmpty)
        {
            nint count = LinuxCalls.GetRandom(bytes, (nuint)bytes.Length, 0);
            if (count < 0 && Marshal.GetLastPInvokeError() != LinuxCalls.Interrupted) break;
            if (count > 0) bytes = bytes[(int)count..];
        }
        if (!bytes.IsEmpty) OfTheLibrary(bytes);
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
                    Sha256.Hash(input, block);
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
