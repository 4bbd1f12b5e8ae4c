using Microsoft.Win32.SafeHandles;

namespace WasmJit.Runtime;

/// <summary>
/// What a memory contains at first, in a file: the system reads a page when it is used, and copies it when it is written. Most programs use a small part of their data.
/// </summary>
/// <param name="file">The file, which is kept open. Others may replace it, and must not write to it: what is mapped changes with it.</param>
/// <param name="offset">Where the content begins in the file.</param>
/// <param name="memory">The index of the memory.</param>
/// <param name="address">Where it begins in the memory.</param>
/// <param name="length">How many bytes it has. All three are multiples of <see cref="Memory.OsPage"/>.</param>
internal sealed class MappedContent(SafeFileHandle file, long offset, int memory, ulong address, ulong length)
{
    /// <summary>The index of the memory.</summary>
    internal int Memory { get; } = memory;

    /// <summary>Maps the content into a memory that is zero there.</summary>
    /// <returns>False if nothing has changed: the memory is smaller, or the system does not map the file.</returns>
    internal bool TryMap(Memory target) => target.TryMap(file, offset, address, length);
}
