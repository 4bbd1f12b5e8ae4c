namespace WasmJit.Wasi;

/// <summary>
/// A .NET stream that the guest reads. Streams cannot tell whether they have something, and their reads cannot be broken off:
/// where that matters a read runs ahead in the background, and what it brings is kept for the guest's next one.
/// </summary>
internal sealed class InputDescriptor : Descriptor
{
    private const int AheadSize = 16 * 1024;

    private readonly Stream stream;
    private readonly Lock gate = new();

    /// <summary>Streams with a position, files and buffers, never wait.</summary>
    private readonly bool isAlwaysReady;

    private byte[] ahead = [];
    private int start, end;
    private Task<int>? pending;

    internal InputDescriptor(Stream stream)
        : base(FileType.Unknown, Rights.Input, Rights.None)
    {
        this.stream = stream;
        isAlwaysReady = stream.CanSeek;
    }

    internal override Task? Pending => pending;

    internal override uint Read(in GuestBuffers buffers, Waiter waiter)
    {
        lock (gate)
        {
            bool direct = start == end && pending is null
                && (isAlwaysReady || (!IsNonblocking && !waiter.CanBeCanceled));
            uint total = 0;
            for (int i = 0; i < buffers.Length; i++)
            {
                Span<byte> buffer = buffers[i];
                if (buffer.IsEmpty) continue;
                if (direct)
                {
                    int count = stream.Read(buffer);
                    total += (uint)count;
                    // More could mean to wait, although there is something to return.
                    if (count < buffer.Length || !isAlwaysReady) break;
                    continue;
                }
                if (total == 0 && !Fill(waiter)) break;
                int taken = Math.Min(buffer.Length, end - start);
                ahead.AsSpan(start, taken).CopyTo(buffer);
                start += taken;
                total += (uint)taken;
                if (start == end) break;
            }
            return total;
        }
    }

    /// <summary>Waits for something to read; false at the end.</summary>
    private bool Fill(Waiter waiter)
    {
        if (start < end) return true;
        Task<int> reading = Begin();
        if (!reading.IsCompleted)
        {
            if (IsNonblocking) throw new WasiError(Errno.Again);
            waiter.WaitAny([reading], -1);
        }
        return End(reading);
    }

    private Task<int> Begin()
    {
        if (ahead.Length == 0) ahead = new byte[AheadSize];
        return pending ??= stream.ReadAsync(ahead, 0, ahead.Length);
    }

    private bool End(Task<int> reading)
    {
        pending = null;
        start = 0;
        end = 0;
        end = reading.GetAwaiter().GetResult();
        return end > 0;
    }

    internal override Readiness Poll(bool forWriting)
    {
        if (forWriting) throw new WasiError(Errno.Badf);
        lock (gate)
        {
            if (start < end) return new Readiness(true, (ulong)(end - start));
            if (isAlwaysReady) return new Readiness(true, (ulong)Math.Max(0, stream.Length - stream.Position));
            Task<int> reading = Begin();
            if (!reading.IsCompleted) return default;
            return End(reading) ? new Readiness(true, (ulong)end) : new Readiness(true, 0, HangUp: true);
        }
    }
}

/// <summary>
/// A .NET stream that the guest writes. Writes cannot be broken off: where the guest may be cancelled while one waits, it goes on
/// in the background, with bytes of its own.
/// </summary>
internal sealed class OutputDescriptor(Stream stream, bool flushes) : Descriptor(FileType.Unknown, Rights.Output, Rights.None)
{
    private readonly Lock gate = new();
    private Task last = Task.CompletedTask;

    internal override uint Write(in GuestBuffers buffers, Waiter waiter)
    {
        waiter.Check();
        lock (gate)
        {
            // Streams with a position, files and buffers, never wait.
            bool direct = stream.CanSeek || !waiter.CanBeCanceled;
            uint total = 0;
            for (int i = 0; i < buffers.Length; i++)
            {
                Span<byte> buffer = buffers[i];
                if (direct) stream.Write(buffer);
                else if (!buffer.IsEmpty) Finish(stream.WriteAsync(buffer.ToArray(), 0, buffer.Length), waiter);
                total += (uint)buffer.Length;
            }
            if (flushes && direct) stream.Flush();
            else if (flushes) Finish(stream.FlushAsync(), waiter);
            return total;
        }
    }

    private void Finish(Task task, Waiter waiter)
    {
        last = task;
        if (!task.IsCompleted) waiter.WaitAny([task], -1);
        task.GetAwaiter().GetResult();
    }

    internal override void Sync()
    {
        lock (gate) stream.Flush();
    }

    internal override Readiness Poll(bool forWriting) => forWriting ? new Readiness(true) : throw new WasiError(Errno.Badf);

    internal override void Close()
    {
        // Behind a write that was left alone, flushing would wait for it.
        if (last.IsCompleted) Sync();
    }
}
