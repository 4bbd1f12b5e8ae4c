using Microsoft.Win32.SafeHandles;

namespace WasmJit.Wasi;

/// <summary>A regular file with what .NET offers everywhere.</summary>
internal class PortableFile(SafeFileHandle handle, string path) : SystemFile(handle)
{
    internal override FileStatus Status()
    {
        ulong modified = PortableDirectory.ToNanoseconds(File.GetLastWriteTimeUtc(Handle));
        ulong accessed = PortableDirectory.ToNanoseconds(File.GetLastAccessTimeUtc(Handle));
        return new FileStatus(
            1, PortableDirectory.InodeOf(path), FileType.RegularFile, 1, (ulong)RandomAccess.GetLength(Handle), accessed, modified, modified);
    }

    internal override void SetTimes(NewTimes times)
    {
        if ((times.Flags & (TimeFlags.Access | TimeFlags.AccessNow)) != 0)
        {
            bool now = times.Flags.HasFlag(TimeFlags.AccessNow);
            File.SetLastAccessTimeUtc(Handle, now ? DateTime.UtcNow : PortableDirectory.ToTime(times.Accessed));
        }
        if ((times.Flags & (TimeFlags.Modification | TimeFlags.ModificationNow)) != 0)
        {
            bool now = times.Flags.HasFlag(TimeFlags.ModificationNow);
            File.SetLastWriteTimeUtc(Handle, now ? DateTime.UtcNow : PortableDirectory.ToTime(times.Modified));
        }
    }

    internal override void Allocate(long offset, long length)
    {
        if (RandomAccess.GetLength(Handle) < offset + length) SetSize(offset + length);
    }

    /// <summary>Advice may be ignored.</summary>
    internal override void Advise(long offset, long length, Advice advice)
    {
    }

    /// <summary>Each write looks for the end itself.</summary>
    internal override void SetAppend(bool append)
    {
    }
}
