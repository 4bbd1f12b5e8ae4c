using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace WasmJit.Wasi;

/// <summary>A regular file on Linux.</summary>
internal sealed class LinuxFile(SafeFileHandle handle) : SystemFile(handle)
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
internal sealed class LinuxDevice : DeviceHandle
{
    /// <summary>The bytes that a pipe or terminal takes at once if the system says that it has room.</summary>
    private const int Atom = 4096;

    private readonly SafeFileHandle handle;
    private readonly int kind;

    /// <summary>Whether the descriptor was opened elsewhere, and may block. Then it is asked before it is used.</summary>
    private readonly bool mayBlock;

    /// <summary>One that was opened without blocking.</summary>
    internal LinuxDevice(SafeFileHandle handle)
        : this(handle, LinuxCalls.KindOf(handle), mayBlock: false)
    {
    }

    private LinuxDevice(SafeFileHandle handle, int kind, bool mayBlock)
    {
        this.handle = handle;
        this.kind = kind;
        this.mayBlock = mayBlock;
        IsTerminal = LinuxCalls.IsTerminal(handle) == 1;
    }

    /// <summary>
    /// A standard stream; null if the process was started without it. Its number may be in use all the same: the runtime opens pipes of its own
    /// before any code of ours runs, and they get the lowest numbers. Descriptors that the process was started with have outlasted <c>exec</c>, so
    /// they lack the flag that all descriptors of the runtime have.
    /// </summary>
    internal static LinuxDevice? Standard(int fd, bool forWriting)
    {
        var given = new SafeFileHandle(fd, ownsHandle: false);
        if (!IsInherited(fd)) return null;
        int kind = LinuxCalls.KindOf(given);
        if (kind == LinuxCalls.PipeKind || (kind == LinuxCalls.CharacterKind && LinuxCalls.IsTerminal(given) == 1))
        {
            // Opened anew, it can be made not to block. The flag of the descriptor itself would be shared with other processes.
            int flags = (forWriting ? LinuxCalls.WriteOnly : LinuxCalls.ReadOnly) | LinuxCalls.NonBlocking | LinuxCalls.NoTerminal;
            int opened = LinuxCalls.OpenHost($"/proc/self/fd/{fd}", flags | LinuxCalls.CloseOnExec, 0);
            if (opened >= 0) return new LinuxDevice(new SafeFileHandle(opened, ownsHandle: true), kind, mayBlock: false);
        }
        return new LinuxDevice(given, kind, mayBlock: true);
    }

    /// <summary>Whether the process was started with a descriptor.</summary>
    internal static bool IsInherited(int fd)
    {
        int flags = LinuxCalls.Control(new SafeFileHandle(fd, ownsHandle: false), LinuxCalls.GetDescriptorFlags, 0);
        return flags >= 0 && (flags & LinuxCalls.ClosesOnExec) == 0;
    }

    internal override bool IsTerminal { get; }

    internal override FileStatus Status() => LinuxCalls.Status(handle, "");

    internal override void SetTimes(NewTimes times)
    {
        Span<long> pairs = stackalloc long[4];
        LinuxCalls.Fill(pairs, times);
        LinuxCalls.Check(LinuxCalls.SetTimes(handle, pairs));
    }

    internal override int Read(Span<byte> buffer) =>
        mayBlock && !Wait(forWriting: false, 0) ? -1 : Moved(LinuxCalls.Read(handle, buffer, (nuint)buffer.Length));

    internal override int Write(ReadOnlySpan<byte> buffer)
    {
        if (!mayBlock) return Moved(LinuxCalls.Write(handle, buffer, (nuint)buffer.Length));
        if (!Wait(forWriting: true, 0)) return -1;
        if (kind == LinuxCalls.SocketKind)
            return Moved(LinuxCalls.Send(handle, buffer, (nuint)buffer.Length, LinuxCalls.DontWait | LinuxCalls.NoSignal));
        // If there is room, there is room for this much. More would wait inside the system, where nothing can stop it.
        if (kind is LinuxCalls.PipeKind or LinuxCalls.CharacterKind) buffer = buffer[..Math.Min(buffer.Length, Atom)];
        return Moved(LinuxCalls.Write(handle, buffer, (nuint)buffer.Length));
    }

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
