using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace WasmJit.Wasi;

/// <summary>A regular file on Linux.</summary>
internal sealed class LinuxFile(SafeFileHandle handle) : FileHandle(handle)
{
    internal override FileStatus Status() => LinuxCalls.Status(Handle, "");

    internal override void SetTimes(NewTimes times)
    {
        Span<long> pairs = stackalloc long[4];
        LinuxCalls.Fill(pairs, times);
        LinuxCalls.Check(LinuxCalls.SetTimes(Handle, pairs));
    }

    internal override void Allocate(long offset, long length)
    {
        int error = LinuxCalls.Allocate(Handle, offset, length);
        if (error != 0) throw new WasiError(SystemErrors.FromLinux(error));
    }

    internal override void Advise(long offset, long length, Advice advice)
    {
        // The system has another order.
        int value = advice switch
        {
            Advice.Sequential => 2,
            Advice.Random => 1,
            Advice.WillNeed => 3,
            Advice.DontNeed => 4,
            Advice.NoReuse => 5,
            _ => 0,
        };
        int error = LinuxCalls.Advise(Handle, offset, length, value);
        if (error != 0) throw new WasiError(SystemErrors.FromLinux(error));
    }

    internal override void SetAppend(bool append)
    {
        int flags = LinuxCalls.Control(Handle, LinuxCalls.GetFlags, 0);
        LinuxCalls.Check(flags);
        flags = append ? flags | LinuxCalls.Append : flags & ~LinuxCalls.Append;
        LinuxCalls.Check(LinuxCalls.Control(Handle, LinuxCalls.SetFlags, flags));
    }
}

/// <summary>A pipe, a terminal or another device on Linux.</summary>
internal sealed class LinuxDevice(SafeFileHandle handle) : DeviceHandle
{
    /// <summary>Whether the descriptor was not opened here, and not without blocking: then it is asked before it is used.</summary>
    internal bool MayBlock { get; init; }

    internal override FileStatus Status() => LinuxCalls.Status(handle, "");

    internal override void SetTimes(NewTimes times)
    {
        Span<long> pairs = stackalloc long[4];
        LinuxCalls.Fill(pairs, times);
        LinuxCalls.Check(LinuxCalls.SetTimes(handle, pairs));
    }

    internal override int Read(Span<byte> buffer) =>
        MayBlock && !Wait(forWriting: false, 0) ? -1 : Moved(LinuxCalls.Read(handle, buffer, (nuint)buffer.Length));

    internal override int Write(ReadOnlySpan<byte> buffer) =>
        MayBlock && !Wait(forWriting: true, 0) ? -1 : Moved(LinuxCalls.Write(handle, buffer, (nuint)buffer.Length));

    internal override bool Wait(bool forWriting, int milliseconds)
    {
        const short canRead = 1, canWrite = 4;
        bool counted = false;
        try
        {
            handle.DangerousAddRef(ref counted);
            var item = new LinuxCalls.PollItem
            {
                File = (int)handle.DangerousGetHandle(),
                Wanted = forWriting ? canWrite : canRead,
            };
            // A signal ends the wait early, which is as good as a time that has passed.
            return LinuxCalls.Poll(ref item, 1, milliseconds) > 0;
        }
        finally
        {
            if (counted) handle.DangerousRelease();
        }
    }

    internal override void Sync()
    {
        // Pipes and terminals have nothing to write back and say so.
        if (LinuxCalls.Sync(handle) < 0 && Marshal.GetLastPInvokeError() != LinuxCalls.Invalid) throw LinuxCalls.LastError();
    }

    public override void Dispose() => handle.Dispose();

    private static int Moved(nint count)
    {
        if (count >= 0) return (int)count;
        return Marshal.GetLastPInvokeError() is LinuxCalls.TryAgain or LinuxCalls.Interrupted ? -1 : throw LinuxCalls.LastError();
    }
}
