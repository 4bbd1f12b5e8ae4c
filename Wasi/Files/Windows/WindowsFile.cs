using Microsoft.Win32.SafeHandles;

namespace WasmJit.Wasi;

/// <summary>A regular file of Windows, known by its handle alone.</summary>
internal sealed class WindowsFile(SafeFileHandle handle) : PortableFile(handle, "")
{
    /// <summary>No file system there has longer files. What they say of such sizes differs, and is an error of the device or of the argument.</summary>
    private const long Longest = 1L << 56;

    internal override FileStatus Status() => WindowsDirectory.StatusOf(Handle);

    internal override void SetTimes(NewTimes times) => WindowsDirectory.SetTimes(Handle, times);

    internal override void SetSize(long size)
    {
        if (size > Longest) throw new WasiError(Errno.Fbig);
        base.SetSize(size);
    }

    internal override void Write(ReadOnlySpan<byte> bytes, long offset)
    {
        if (offset > Longest) throw new WasiError(Errno.Fbig);
        base.Write(bytes, offset);
    }
}
