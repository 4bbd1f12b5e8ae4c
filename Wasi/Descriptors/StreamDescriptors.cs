namespace WasmJit.Wasi;

/// <summary>
/// A .NET stream that the guest reads. Streams cannot tell whether they have data, and their reads cannot be cancelled. If that matters, a read runs
/// ahead in the background, and its bytes are kept for the guest's next one.
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

    /// <summary>Whether a poll has met the stream's end, which is the next read's: to ask the stream again could mean to wait.</summary>
    private bool isAtEnd;

    internal InputDescriptor(Stream stream)
        : base(FileType.Unknown, Rights.Input, Rights.None)
    {
        this.stream = stream;
        isAlwaysReady = stream.CanSeek;
    }

    internal override Task? Pending => pending;

    internal override uint Read(in GuestBuffers buffers, Waiter waiter)
    {
        if (!IsNonblocking) waiter.Enter(gate);
        else if (!gate.TryEnter()) throw new WasiError(Errno.Again);
        try
        {
            bool direct = start == end && pending is null && !isAtEnd
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
                    // More could mean to wait, although there is data to return.
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
        finally
        {
            gate.Exit();
        }
    }

    /// <summary>Waits for something to read; false at the end.</summary>
    private bool Fill(Waiter waiter)
    {
        if (start < end) return true;
        if (isAtEnd)
        {
            isAtEnd = false;
            return false;
        }
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
            if (!isAtEnd)
            {
                Task<int> reading = Begin();
                if (!reading.IsCompleted) return default;
                if (End(reading)) return new Readiness(true, (ulong)end);
                isAtEnd = true;
            }
            return new Readiness(true, 0, HangUp: true);
        }
    }
}

/// <summary>
/// A .NET stream that the guest writes. Writes cannot be cancelled. If the guest may be cancelled while one waits, or does not want to wait, the
/// write goes on in the background, with bytes of its own.
/// </summary>
internal sealed class OutputDescriptor(Stream stream, bool flushes) : Descriptor(FileType.Unknown, Rights.Output, Rights.None)
{
    /// <summary>The most bytes of one write in the background.</summary>
    private const int MostAhead = 64 * 1024;

    private readonly Lock gate = new();
    private Task last = Task.CompletedTask;

    internal override Task? Pending => last.IsCompleted ? null : last;

    internal override uint Write(in GuestBuffers buffers, Waiter waiter)
    {
        waiter.Check();
        Charge(buffers);
        if (!IsNonblocking) waiter.Enter(gate);
        else if (!gate.TryEnter()) throw new WasiError(Errno.Again);
        try
        {
            // Streams with a position, files and buffers, never wait.
            if (IsNonblocking && !stream.CanSeek) return WriteAhead(buffers);
            if (!last.IsCompleted) Finish(last, waiter);
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
        finally
        {
            gate.Exit();
        }
    }

    /// <summary>
    /// Begins a write and does not wait for it. Until it has ended there is no room for another. The next one reports how it ended.
    /// </summary>
    private uint WriteAhead(in GuestBuffers buffers)
    {
        if (!last.IsCompleted) throw new WasiError(Errno.Again);
        (Task ended, last) = (last, Task.CompletedTask);
        ended.GetAwaiter().GetResult();
        var bytes = new List<byte>();
        for (int i = 0; i < buffers.Length && bytes.Count < MostAhead; i++)
            bytes.AddRange(buffers[i][..Math.Min(buffers[i].Length, MostAhead - bytes.Count)]);
        byte[] copy = [.. bytes];
        // On another thread: some streams wait before they return a task.
        last = Task.Run(async () =>
        {
            await stream.WriteAsync(copy).ConfigureAwait(false);
            if (flushes) await stream.FlushAsync().ConfigureAwait(false);
        });
        return (uint)copy.Length;
    }

    /// <summary>Waits for writes in the background.</summary>
    internal override void Drain(Waiter waiter)
    {
        waiter.Enter(gate);
        try
        {
            if (!last.IsCompleted) waiter.WaitAny([last], -1);
        }
        finally
        {
            gate.Exit();
        }
    }

    internal override void BeginFlush()
    {
        lock (gate)
        {
            if (stream.CanSeek) stream.Flush();
            else last = FlushBehind(last);
        }
    }

    private Task FlushBehind(Task before) => Task.Run(async () =>
    {
        await before.ConfigureAwait(false);
        await stream.FlushAsync().ConfigureAwait(false);
    });

    internal override void ThrowIfFailed()
    {
        lock (gate)
        {
            if (!last.IsCompleted) return;
            (Task ended, last) = (last, Task.CompletedTask);
            ended.GetAwaiter().GetResult();
        }
    }

    private void Finish(Task task, Waiter waiter)
    {
        last = task;
        if (!task.IsCompleted) waiter.WaitAny([task], -1);
        last = Task.CompletedTask;
        task.GetAwaiter().GetResult();
    }

    internal override void Sync()
    {
        lock (gate) stream.Flush();
    }

    internal override void Sync(Waiter waiter)
    {
        waiter.Enter(gate);
        try
        {
            if (!last.IsCompleted) Finish(last, waiter);
            // On another thread: some streams wait before they return a task.
            if (waiter.CanBeCanceled) Finish(Task.Run(stream.Flush), waiter);
            else stream.Flush();
        }
        finally
        {
            gate.Exit();
        }
    }

    internal override void Finish(Waiter waiter)
    {
        // A write in the background ends by itself.
        if (last.IsCompleted) Sync(waiter);
    }

    internal override Readiness Poll(bool forWriting) => forWriting ? new Readiness(last.IsCompleted) : throw new WasiError(Errno.Badf);

    internal override void Close()
    {
        // Flushing would wait for a write that was left alone.
        if (last.IsCompleted) Sync();
    }
}
