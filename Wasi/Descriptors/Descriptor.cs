namespace WasmJit.Wasi;

/// <summary>
/// The object behind a descriptor number of the guest. The functions check rights before they call. A kind of descriptor has no right to operations
/// that it cannot do, so the default answers here are never seen.
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

    /// <summary>What may still be written; null without a limit. Files have theirs in their handle.</summary>
    internal WriteQuota? Quota { get; set; }

    /// <summary>Counts what is about to be written.</summary>
    private protected void Charge(in GuestBuffers buffers)
    {
        if (Quota is null) return;
        long total = 0;
        for (int i = 0; i < buffers.Length; i++) total += buffers[i].Length;
        Quota.Take(total);
    }

    internal bool IsNonblocking => Flags.HasFlag(FdFlags.Nonblock);

    internal void Require(Rights needed)
    {
        if ((Rights & needed) != needed) throw new WasiError(Errno.Notcapable);
    }

    /// <summary>Gives up rights. New ones cannot be added.</summary>
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

    /// <summary>Waits for writes that have been accepted and have not ended. Their results are lost.</summary>
    internal virtual void Drain(Waiter waiter)
    {
    }

    internal virtual void Sync()
    {
    }

    /// <summary>The same if the guest can be stopped: it may take as long as the disk, or the reader of a stream, does.</summary>
    internal virtual void Sync(Waiter waiter) => waiter.Away(Sync);

    /// <summary>Called before the guest closes it: does the work that closing would wait for.</summary>
    internal virtual void Finish(Waiter waiter)
    {
    }

    /// <summary>Whether it can be read or written without waiting, and how much there is to read.</summary>
    internal abstract Readiness Poll(bool forWriting);

    /// <summary>A task that completes when it may be ready; null if it must be asked again.</summary>
    internal virtual Task? Pending => null;

    /// <summary>Waits in the system until it can be read or written, for a time at most.</summary>
    /// <returns>Whether it can wait there.</returns>
    internal virtual bool WaitInSystem(bool forWriting, int milliseconds) => false;

    /// <summary>Begins to hand on what is buffered; <see cref="Pending"/> ends when that is done.</summary>
    internal virtual void BeginFlush()
    {
    }

    /// <summary>Throws what went wrong in the background, once.</summary>
    internal virtual void ThrowIfFailed()
    {
    }

    /// <summary>Closes the guest's objects. Those of the host stay open.</summary>
    internal virtual void Close()
    {
    }
}

/// <summary>Whether a descriptor is ready, the bytes that are known to be there, and whether the other end is gone.</summary>
internal readonly record struct Readiness(bool IsReady, ulong Bytes = 0, bool HangUp = false);
