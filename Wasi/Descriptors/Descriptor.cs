namespace WasmJit.Wasi;

/// <summary>
/// What a number of the guest stands for. The functions check rights before they call; what a kind cannot do, it has no right
/// for, so the answers here are for numbers that no right leads to.
/// </summary>
internal abstract class Descriptor(FileType type, Rights rights, Rights inheriting)
{
    internal FileType Type { get; } = type;

    internal Rights Rights { get; private set; } = rights;

    internal Rights Inheriting { get; private set; } = inheriting;

    internal FdFlags Flags { get; private protected set; }

    /// <summary>The name under which the guest was given it; null if it opened it itself.</summary>
    internal string? PreopenName { get; init; }

    /// <summary>Whether it behaves as if its file system could only be read.</summary>
    internal bool IsReadOnly { get; init; }

    internal bool IsNonblocking => Flags.HasFlag(FdFlags.Nonblock);

    internal void Require(Rights needed)
    {
        if ((Rights & needed) != needed) throw new WasiError(Errno.Notcapable);
    }

    /// <summary>Gives rights up; more than there are cannot be had.</summary>
    internal void Restrict(Rights rights, Rights inheriting)
    {
        if ((rights & ~Rights) != 0 || (inheriting & ~Inheriting) != 0) throw new WasiError(Errno.Notcapable);
        Rights = rights;
        Inheriting = inheriting;
    }

    internal virtual void SetFlags(FdFlags flags) => Flags = flags;

    internal virtual FileStatus Status() => new(0, 0, Type, 1, 0, 0, 0, 0);

    internal virtual void SetTimes(NewTimes times) => throw new WasiError(Errno.Badf);

    internal virtual uint Read(in GuestBuffers buffers, Waiter waiter) => throw new WasiError(Errno.Badf);

    internal virtual uint Write(in GuestBuffers buffers, Waiter waiter) => throw new WasiError(Errno.Badf);

    /// <summary>Waits for writes that have been accepted and have not ended; how they end nobody asks any more.</summary>
    internal virtual void Drain(Waiter waiter)
    {
    }

    internal virtual void Sync()
    {
    }

    /// <summary>The same, where the guest can be stopped: the system may take as long as the disk does, or whoever reads a stream.</summary>
    internal virtual void Sync(Waiter waiter) => waiter.Away(Sync);

    /// <summary>Before the guest closes it: does what closing would wait for.</summary>
    internal virtual void Finish(Waiter waiter)
    {
    }

    /// <summary>Whether it can be read or written without waiting, and how much there is to read.</summary>
    internal abstract Readiness Poll(bool forWriting);

    /// <summary>What completes when it may be ready; null if only asking again tells.</summary>
    internal virtual Task? Pending => null;

    /// <summary>Closes what belongs to the guest; what belongs to the host's user stays open.</summary>
    internal virtual void Close()
    {
    }
}

/// <summary>Whether a descriptor is ready, the bytes that are known to be there, and whether the other end is gone.</summary>
internal readonly record struct Readiness(bool IsReady, ulong Bytes = 0, bool HangUp = false);
