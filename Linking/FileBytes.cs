using Microsoft.Win32.SafeHandles;
using WasmJit.Runtime;

namespace WasmJit;

/// <summary>The bytes of a file as an array. Large ones are read into large pages, where the system has them: a fault for each 4 KB takes longer than the copy.</summary>
internal static unsafe class FileBytes
{
    /// <summary>Smaller files are read by .NET.</summary>
    private const long Large = 4 << 20;

    /// <summary>How many bytes a thread reads at a time.</summary>
    private const int Piece = 4 << 20;

    /// <param name="path">The file.</param>
    /// <param name="threads">How many threads may read it.</param>
    /// <exception cref="IOException">It cannot be read, or is larger than 2 GB.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be read.</exception>
    internal static byte[] Read(string path, int threads = int.MaxValue)
    {
        // A pipe, which can be opened only once, has no length.
        long length = new FileInfo(path) is { Exists: true } info ? info.Length : 0;
        if (length is < Large or > int.MaxValue) return File.ReadAllBytes(path);
        using SafeFileHandle file = File.OpenHandle(path, options: FileOptions.SequentialScan);
        byte[] bytes = GC.AllocateUninitializedArray<byte>((int)length);
        fixed (byte* first = bytes) Pages.PreferLarge(first, (ulong)length);
        int next = 0;
        bool isShort = false;
        // Half of the time the system clears the memory; several threads are faster.
        SharedWork.Run(Math.Min(threads, (int)(length / Piece)), () =>
        {
            while (Interlocked.Add(ref next, Piece) - Piece is var at && at >= 0 && at < bytes.Length)
                if (!TryRead(file, bytes.AsSpan(at, Math.Min(Piece, bytes.Length - at)), at)) isShort = true;
        });
        // It has become shorter meanwhile.
        return isShort ? File.ReadAllBytes(path) : bytes;
    }

    private static bool TryRead(SafeFileHandle file, Span<byte> bytes, long at)
    {
        for (int read = 0; read < bytes.Length;)
        {
            int more = RandomAccess.Read(file, bytes[read..], at + read);
            if (more == 0) return false;
            read += more;
        }
        return true;
    }
}
