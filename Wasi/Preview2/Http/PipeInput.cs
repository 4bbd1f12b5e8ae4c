using System.Buffers;
using System.IO.Pipelines;

namespace WasmJit.Wasi.Preview2;

/// <summary>The body of a request, which is read from a pipe as far as the guest asks for it.</summary>
/// <param name="reader">The pipe.</param>
/// <param name="most">How many bytes it may have.</param>
internal sealed class PipeInput(PipeReader reader, long most) : InputStream
{
    private Task<ReadResult>? reading;
    private ReadOnlySequence<byte> rest;
    private bool isLast, hasRest;
    private volatile bool isStopped;
    private Exception? failed;
    private long left = most;

    /// <summary>Whether all of it has been read.</summary>
    internal bool HasEnded { get; private set; }

    private protected override bool HasSomething => Fill();

    public override Task? Pending => reading is { IsCompleted: false } ? reading : null;

    /// <summary>Gets the next bytes if they are there; gives whether a read would not wait.</summary>
    private bool Fill()
    {
        while (true)
        {
            if (isStopped || hasRest || HasEnded || failed is not null) return true;
            try
            {
                ReadResult result;
                if (reading is not null)
                {
                    if (!reading.IsCompleted) return false;
                    Task<ReadResult> ended = reading;
                    reading = null;
                    result = ended.GetAwaiter().GetResult();
                }
                else if (!reader.TryRead(out result))
                {
                    reading = reader.ReadAsync().AsTask();
                    continue;
                }
                Take(result);
            }
            catch (Exception e)
            {
                failed = e as IOException ?? new HttpFault(new HttpFailure.ConnectionTerminated());
            }
        }
    }

    private void Take(in ReadResult result)
    {
        left -= result.Buffer.Length;
        if (left < 0)
        {
            reader.AdvanceTo(result.Buffer.Start);
            throw new HttpFault(new HttpFailure.HttpRequestBodySize(null));
        }
        isLast = result.IsCompleted;
        if (result.Buffer.IsEmpty)
        {
            reader.AdvanceTo(result.Buffer.End);
            HasEnded = isLast;
            return;
        }
        rest = result.Buffer;
        hasRest = true;
    }

    /// <summary>The bytes that are there have been read.</summary>
    private void EndRest()
    {
        reader.AdvanceTo(rest.End);
        rest = default;
        hasRest = false;
        HasEnded = isLast;
    }

    private protected override int ReadNow(Span<byte> buffer)
    {
        if (!Fill()) return 0;
        if (isStopped) throw new HttpFault(new HttpFailure.ConnectionTerminated());
        if (failed is not null) throw failed;
        if (!hasRest) return -1;
        int count = (int)Math.Min(rest.Length, buffer.Length);
        rest.Slice(0, count).CopyTo(buffer);
        rest = rest.Slice(count);
        if (rest.IsEmpty) EndRest();
        return count;
    }

    private Task? draining;

    /// <summary>Reads what is left and forgets it, on behalf of a guest that wants what comes behind.</summary>
    internal Task DrainAsync() => draining ??= Drain();

    private async Task Drain()
    {
        while (!HasEnded && failed is null && !isStopped)
        {
            if (hasRest)
            {
                EndRest();
            }
            else if (!Fill() && Pending is { } waits)
            {
                try
                {
                    await waits.ConfigureAwait(false);
                }
                catch (Exception e) when (e is IOException or OperationCanceledException or InvalidOperationException)
                {
                    // The next look finds it.
                }
            }
        }
    }

    /// <summary>The exchange is over: nothing is read any more, and what was read is given back.</summary>
    internal async ValueTask StopAsync()
    {
        isStopped = true;
        if (draining is { IsCompleted: false })
        {
            reader.CancelPendingRead();
            await draining.ConfigureAwait(false);
        }
        if (reading is not null)
        {
            reader.CancelPendingRead();
            try
            {
                ReadResult result = await reading.ConfigureAwait(false);
                reader.AdvanceTo(result.Buffer.Start);
            }
            catch (Exception e) when (e is IOException or OperationCanceledException or InvalidOperationException)
            {
                // No caller waits for it any more.
            }
            reading = null;
        }
        else if (hasRest)
        {
            reader.AdvanceTo(rest.Start);
        }
        hasRest = false;
        rest = default;
    }
}
