using Microsoft.Win32.SafeHandles;
using WasmJit.Runtime;

namespace WasmJit;

/// <summary>The bytes of a file as an array. Large ones are read into large pages, where the system has them: a fault for each 4 KB takes longer than the copy.</summary>
internal static unsafe class FileBytes
{
    /// <summary>Smaller files are read by .NET.</summary>
    private const long Large = 4 << 20;

    /// <exception cref="IOException">It cannot be read, or is larger than 2 GB.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be read.</exception>
    internal static byte[] Read(string path)
    {
        // A pipe, which can be opened only once, has no length.
        long length = new FileInfo(path) is { Exists: true } info ? info.Length : 0;
        if (length is < Large or > int.MaxValue) return File.ReadAllBytes(path);
        using SafeFileHandle file = File.OpenHandle(path, options: FileOptions.SequentialScan);
        byte[] bytes = GC.AllocateUninitializedArray<byte>((int)length);
        fixed (byte* first = bytes) Pages.PreferLarge(first, (ulong)length);
        for (int read = 0; read < bytes.Length;)
        {
            int more = RandomAccess.Read(file, bytes.AsSpan(read), read);
            // It has become shorter meanwhile.
            if (more == 0) return File.ReadAllBytes(path);
            read += more;
        }
        return bytes;
    }
}
