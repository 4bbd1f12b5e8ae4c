using WasmJit.Components;

namespace WasmJit.Wasi.Preview2;

/// <summary>What <c>wasi:io/streams</c> calls an output stream.</summary>
internal abstract class OutputStream : GuestObject, IReadySource
{
    /// <summary>How much the guest has been told that it may write.</summary>
    private int permit;

    internal bool IsClosed { get; set; }

    public bool IsReady => IsClosed || Room != 0;

    /// <summary>How many bytes it takes now without waiting; -1 if the next operation will say that it has failed.</summary>
    internal abstract int Room { get; }

    public virtual Task? Pending => null;

    public virtual bool WaitInSystem(int milliseconds) => false;

    /// <summary>Takes bytes, no more than there is room for.</summary>
    private protected abstract void WriteNow(Memory<byte> bytes);

    /// <summary>Begins to hand on all that was written.</summary>
    internal virtual void Flush()
    {
    }

    /// <summary>Whether all that was written has been handed on.</summary>
    /// <exception cref="WasiError">It could not be; other exceptions of input and output, too.</exception>
    internal virtual bool IsFlushed => true;

    /// <summary>Throws if it has failed.</summary>
    internal virtual void ThrowIfFailed()
    {
    }

    /// <summary>How much may be written with the next write.</summary>
    internal int CheckWrite()
    {
        ThrowIfFailed();
        return permit = Math.Max(0, Room);
    }

    /// <summary>A write after <see cref="CheckWrite"/>.</summary>
    /// <exception cref="TrapException">It is more than the guest was told it may write.</exception>
    internal void Write(Memory<byte> bytes)
    {
        if (bytes.Length > permit) throw ComponentTrap.Make("write of more than check-write has permitted");
        permit -= bytes.Length;
        if (bytes.Length > 0) WriteNow(bytes);
    }

    /// <summary>Writes all bytes, waiting for room, and until they have been handed on.</summary>
    internal void WriteAndFlush(Memory<byte> bytes, Waiter waiter)
    {
        permit = 0;
        while (!bytes.IsEmpty)
        {
            ThrowIfFailed();
            int room = Room;
            if (room <= 0)
            {
                IoPollInterface.Wait(waiter, this);
                continue;
            }
            room = Math.Min(room, bytes.Length);
            WriteNow(bytes[..room]);
            bytes = bytes[room..];
        }
        Flush();
        WaitForFlush(waiter);
    }

    /// <summary>Waits until all that was written has been handed on.</summary>
    internal void WaitForFlush(Waiter waiter)
    {
        while (!IsFlushed) IoPollInterface.Wait(waiter, this);
    }
}

/// <summary>A file, from a position on, or its end. Files never wait.</summary>
/// <param name="shared">The file.</param>
/// <param name="position">Where the next bytes go; null for the end of the file.</param>
/// <param name="waiter">What ends waits.</param>
internal sealed class FileOutput(SharedDescriptor shared, long? position, Waiter waiter) : OutputStream
{
    private long? position = position;

    internal override int Room => WasiState.MostBytes;

    private protected override void WriteNow(Memory<byte> bytes)
    {
        var file = (FileDescriptor)shared.Descriptor;
        var buffers = new GuestBuffers(bytes.Span);
        if (position is { } at) position = at + file.WriteAt(buffers, at, waiter);
        else file.AppendFrom(buffers, waiter);
    }

    private protected override void Close() => shared.Release();
}

/// <summary>
/// A descriptor that is written without waiting. It may take a part of what it is given; the rest is kept here, and there is no room before it has
/// been taken. Streams of the same descriptor have one of these, so that the bytes stay in order.
/// </summary>
internal sealed class OutputSink(Descriptor descriptor, Waiter waiter)
{
    private readonly Lock gate = new();
    private Memory<byte> rest;

    internal Descriptor Descriptor => descriptor;

    internal Task? Pending => descriptor.Pending;

    /// <summary>Whether nothing is kept here or in the background.</summary>
    /// <exception cref="WasiError">It could not be written; other exceptions of input and output, too.</exception>
    internal bool IsEmpty
    {
        get
        {
            lock (gate)
            {
                WriteRest();
                if (!rest.IsEmpty || descriptor.Pending is not null) return false;
                descriptor.ThrowIfFailed();
                return true;
            }
        }
    }

    internal bool HasRoom
    {
        get
        {
            lock (gate)
            {
                WriteRest();
                return rest.IsEmpty && descriptor.Poll(forWriting: true).IsReady;
            }
        }
    }

    /// <summary>Takes bytes, which must not be changed from now on.</summary>
    internal void Write(Memory<byte> bytes)
    {
        lock (gate)
        {
            WriteRest();
            // There is a rest if another stream of the descriptor was faster; there is one piece at most for each.
            rest = rest.IsEmpty ? bytes : (byte[])[.. rest.Span, .. bytes.Span];
            WriteRest();
        }
    }

    private void WriteRest()
    {
        try
        {
            while (!rest.IsEmpty)
            {
                int count = (int)descriptor.Write(new GuestBuffers(rest.Span), waiter);
                if (count == 0) return;
                rest = rest[count..];
            }
        }
        catch (WasiError e) when (e.Errno == Errno.Again)
        {
            // The rest waits for room.
        }
        catch
        {
            // Later writes would only fail as well.
            rest = default;
            throw;
        }
    }

    internal void Flush()
    {
        lock (gate)
        {
            WriteRest();
            descriptor.BeginFlush();
        }
    }

    /// <summary>Waits until everything has been written; failures are lost.</summary>
    internal void Drain()
    {
        var stream = new DescriptorOutput(this, null);
        try
        {
            stream.WaitForFlush(waiter);
            descriptor.Drain(waiter);
        }
        catch (Exception e) when (SystemErrors.Of(e) is not null)
        {
            // The guest that wrote it has ended.
        }
    }
}

/// <summary>A descriptor without a position: a standard stream, a device, a socket, a .NET stream.</summary>
internal sealed class DescriptorOutput(OutputSink sink, Action? release) : OutputStream
{
    private Exception? failed;

    internal override int Room
    {
        get
        {
            try
            {
                return failed is not null ? -1 : sink.HasRoom ? WasiState.MostBytes : 0;
            }
            catch (Exception e) when (SystemErrors.Of(e) is not null)
            {
                failed = e;
                return -1;
            }
        }
    }

    internal override void ThrowIfFailed()
    {
        if (failed is not null) throw failed;
    }

    public override Task? Pending => sink.Pending;

    public override bool WaitInSystem(int milliseconds) => sink.Descriptor.WaitInSystem(forWriting: true, milliseconds);

    private protected override void WriteNow(Memory<byte> bytes) => sink.Write(bytes);

    internal override void Flush() => sink.Flush();

    internal override bool IsFlushed
    {
        get
        {
            ThrowIfFailed();
            return sink.IsEmpty;
        }
    }

    private protected override void Close() => release?.Invoke();
}
