using System.Buffers;

namespace WasmJit.Wasi.Preview2;

/// <summary>What <c>wasi:io/streams</c> calls an input stream.</summary>
internal abstract class InputStream : GuestObject, IReadySource
{
    /// <summary>Whether it has ended or failed.</summary>
    internal bool IsClosed { get; set; }

    public bool IsReady => IsClosed || HasSomething;

    /// <summary>Whether a read would not wait: there are bytes, the end, or an error.</summary>
    private protected abstract bool HasSomething { get; }

    public virtual Task? Pending => null;

    public virtual bool WaitInSystem(int milliseconds) => false;

    /// <summary>Reads bytes that are there, without waiting.</summary>
    /// <returns>How many; 0 if there are none yet, -1 at the end.</returns>
    private protected abstract int ReadNow(Span<byte> buffer);

    /// <summary>Reads up to so many bytes without waiting.</summary>
    /// <returns>None if there are none yet; null at the end.</returns>
    internal byte[]? Read(ulong most)
    {
        if (most == 0) return [];
        byte[] buffer = ArrayPool<byte>.Shared.Rent(WasiState.MostBytes);
        try
        {
            int count = ReadNow(buffer.AsSpan(0, (int)Math.Min(most, WasiState.MostBytes)));
            return count < 0 ? null : buffer.AsSpan(0, count).ToArray();
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}

/// <summary>A file, from a position on. Files never wait.</summary>
internal sealed class FileInput(SharedDescriptor shared, long position, Waiter waiter) : InputStream
{
    private long position = position;

    private protected override bool HasSomething => true;

    private protected override int ReadNow(Span<byte> buffer)
    {
        int count = (int)((FileDescriptor)shared.Descriptor).ReadAt(new GuestBuffers(buffer), position, waiter);
        position += count;
        return count == 0 ? -1 : count;
    }

    private protected override void Close() => shared.Release();
}

/// <summary>A descriptor without a position: a standard stream, a device, a socket, a .NET stream.</summary>
/// <param name="descriptor">The descriptor, which does not wait.</param>
/// <param name="waiter">What ends waits.</param>
/// <param name="release">Lets go of the descriptor.</param>
internal sealed class DescriptorInput(Descriptor descriptor, Waiter waiter, Action? release) : InputStream
{
    private protected override bool HasSomething
    {
        get
        {
            try
            {
                return descriptor.Poll(forWriting: false).IsReady;
            }
            catch (Exception e) when (SystemErrors.Of(e) is not null)
            {
                // A read will say so.
                failed ??= e;
                return true;
            }
        }
    }

    private Exception? failed;

    public override Task? Pending => descriptor.Pending;

    public override bool WaitInSystem(int milliseconds) => descriptor.WaitInSystem(forWriting: false, milliseconds);

    private protected override int ReadNow(Span<byte> buffer)
    {
        if (!HasSomething) return 0;
        if (failed is not null) throw failed;
        try
        {
            int count = (int)descriptor.Read(new GuestBuffers(buffer), waiter);
            return count == 0 ? -1 : count;
        }
        catch (WasiError e) when (e.Errno == Errno.Again)
        {
            return 0;
        }
    }

    private protected override void Close() => release?.Invoke();
}
