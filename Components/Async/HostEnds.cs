namespace WasmJit.Components;

/// <summary>The host, where it has an end of a stream or future: what it is told of by the other end. All of it happens on the thread that is in the instances.</summary>
internal abstract class HostEnd
{
    /// <summary>A read waits for so many elements.</summary>
    internal abstract void Wanted(uint count);

    /// <summary>The other end is gone.</summary>
    internal abstract void OtherDropped();
}

/// <summary>Gives a guest elements when it wants some.</summary>
internal abstract class HostWriter : HostEnd
{
    private readonly Scheduler scheduler;
    private HostElements? rest;

    /// <summary>What goes on when the elements are there that it waits for; null if it waits for none.</summary>
    private volatile LateAction? work;
    private volatile bool isOver;

    private protected HostWriter(PayloadType payload, bool isFuture, Scheduler scheduler)
    {
        this.scheduler = scheduler;
        Shared = new SharedCopy(payload, isFuture) { Host = this };
    }

    internal SharedCopy Shared { get; }

    /// <summary>Whether nothing was taken of what it has.</summary>
    internal bool IsUntouched => work is null && !isOver && rest is null && Shared.IsEmpty;

    /// <summary>The next elements, a number at most; null at the end.</summary>
    private protected abstract ValueTask<HostElements?> Next(uint most);

    /// <summary>No more elements are wanted.</summary>
    private protected abstract void Close();

    internal override void Wanted(uint count)
    {
        if (work is not null || isOver) return;
        if (rest is { } left)
        {
            rest = null;
            Write(left);
            return;
        }
        ValueTask<HostElements?> next = Next(count);
        if (next.IsCompleted)
        {
            Deliver(next);
            return;
        }
        Task<HostElements?> task = next.AsTask();
        var late = new LateAction(
            scheduler.Latest, task,
            () =>
            {
                work = null;
                if (isOver) Leave(task);
                else Deliver(new ValueTask<HostElements?>(task));
            },
            () => isOver);
        work = late;
        late.Start();
    }

    /// <summary>The elements that it has been waiting for are not wanted any more.</summary>
    private void Leave(Task<HostElements?> task)
    {
        if (task.IsCompletedSuccessfully) task.Result?.Discard();
        else _ = task.Exception;
        Close();
    }

    private void Deliver(ValueTask<HostElements?> next)
    {
        HostElements? elements;
        try
        {
            elements = next.GetAwaiter().GetResult();
        }
        catch (Exception e) when (e is not (TrapException or GuestCanceledException))
        {
            // A stream that fails just ends; a future has the reason.
            elements = null;
        }
        if (elements is not null)
        {
            Write(elements);
            return;
        }
        if (isOver) return;
        isOver = true;
        Shared.Drop();
        Close();
    }

    private void Write(HostElements elements) => Shared.Copy(
        null, elements, false,
        reclaim =>
        {
            if (elements.Remain == 0) reclaim();
        },
        result =>
        {
            if (result == CopyResult.Dropped) elements.Discard();
            if (result == CopyResult.Dropped || Shared.IsFuture) OtherDropped();
            else if (elements.Remain > 0) rest = elements;
        });

    internal override void OtherDropped()
    {
        if (isOver) return;
        isOver = true;
        rest?.Discard();
        rest = null;
        if (work is { } late) late.RunLeft();
        else Close();
    }
}

/// <summary>A .NET stream as a <c>stream&lt;u8&gt;</c> of a guest, which is read as far as the guest reads it.</summary>
internal sealed class StreamWriter(PayloadType payload, Scheduler scheduler, Stream source) : HostWriter(payload, false, scheduler)
{
    private const int Least = 4 * 1024, Largest = 64 * 1024;

    /// <summary>The size of the next read: a guest may read from a million streams that have nothing.</summary>
    private int size = Least;

    internal Stream Source => source;

    private protected override ValueTask<HostElements?> Next(uint most)
    {
        // A guest that reads nothing wants to know whether there is something. No buffer is kept for streams that are not read.
        byte[] buffer = GC.AllocateUninitializedArray<byte>((int)Math.Clamp(most == 0 ? Least : most, 1, (uint)size));
        ValueTask<int> read;
        try
        {
            read = source.ReadAsync(buffer);
        }
        catch (Exception e)
        {
            return ValueTask.FromException<HostElements?>(e);
        }
        return read.IsCompletedSuccessfully ? new(Elements(buffer, read.Result)) : Wait(buffer, read);
    }

    private async ValueTask<HostElements?> Wait(byte[] buffer, ValueTask<int> read) => Elements(buffer, await read.ConfigureAwait(false));

    private HostBytes? Elements(byte[] buffer, int count)
    {
        if (count == size) size = Math.Min(size * 2, Largest);
        return count == 0 ? null : new HostBytes(buffer.AsMemory(0, count));
    }

    private protected override void Close() => source.Dispose();
}

/// <summary>A sequence as a stream of a guest.</summary>
internal sealed class SequenceWriter<T>(PayloadType payload, Scheduler scheduler, IAsyncEnumerable<T> source, ElementForm<T> form) : HostWriter(payload, false, scheduler)
{
    private IAsyncEnumerator<T>? items;

    private IAsyncEnumerator<T> Items => items ??= source.GetAsyncEnumerator(CancellationToken.None);

    internal IAsyncEnumerable<T> Source => source;

    /// <summary>Whether its first step has not been asked for: it can be gone through once.</summary>
    internal bool IsUnread => items is null && IsUntouched;

    private protected override async ValueTask<HostElements?> Next(uint most) =>
        await Items.MoveNextAsync().ConfigureAwait(false) ? new HostItems<T>([Items.Current], form) : null;

    private protected override void Close() => _ = Items.DisposeAsync().AsTask();
}

/// <summary>A task as a future of a guest.</summary>
internal sealed class TaskWriter<T>(PayloadType payload, Scheduler scheduler, Task<T> source, ElementForm<T> form) : HostWriter(payload, true, scheduler)
{
    internal Task<T> Source => source;

    private bool isTaken;

    /// <exception cref="TrapException">The task has failed: there is no value, and a future ends by one alone.</exception>
    private protected override async ValueTask<HostElements?> Next(uint most)
    {
        isTaken = true;
        try
        {
            return new HostItems<T>([await source.ConfigureAwait(false)], form);
        }
        catch (Exception e) when (e is not (TrapException or OperationCanceledException))
        {
            throw ComponentTrap.Make($"the host has no value for a future: {e.GetType().Name}");
        }
    }

    private protected override void Close()
    {
        if (!isTaken) LeftValues.DiscardResultAs(source, form.Type);
    }
}

/// <summary>Reads what a guest writes. The reader is one of the host's threads at a time, any one.</summary>
internal abstract class HostReader
{
    private readonly SharedCopy shared;
    private readonly Scheduler scheduler;
    private readonly CancellationToken[] tokens = Runtime.WasmThread.CurrentScope?.Tokens ?? [];
    private bool isOver, isDisposed;

    private protected HostReader(SharedCopy shared, Scheduler scheduler)
    {
        this.shared = shared;
        this.scheduler = scheduler;
        // The host has something to do, until it waits itself.
        Interlocked.Increment(ref Latest.Pending);
    }

    private Scheduler Latest => scheduler.Latest;

    /// <summary>Reads at least one element, if there is one.</summary>
    /// <returns>How many; 0 at the end.</returns>
    internal async ValueTask<int> ReadAsync(HostElements to, CancellationToken cancellation)
    {
        ObjectDisposedException.ThrowIf(isDisposed, this);
        if (isOver || to.Length == 0) return 0;
        var source = new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
        Latest.Post(() =>
        {
            Interlocked.Decrement(ref Latest.Pending);
            shared.Copy(
                null, to, true,
                reclaim =>
                {
                    reclaim();
                    Done(CopyResult.Completed);
                },
                Done);
        });
        using (cancellation.UnsafeRegister(_ => Latest.Post(() =>
        {
            if (!source.Task.IsCompleted) shared.Cancel();
        }), null))
        {
            await Latest.DriveAsync(source.Task, tokens).ConfigureAwait(false);
            return await source.Task.ConfigureAwait(false);
        }

        void Done(CopyResult result)
        {
            if (source.Task.IsCompleted) return;
            if (result == CopyResult.Dropped) isOver = true;
            if (!isOver) Interlocked.Increment(ref Latest.Pending);
            if (result == CopyResult.Cancelled) source.TrySetCanceled(cancellation);
            else source.TrySetResult((int)to.Progress);
        }
    }

    /// <summary>Nothing more is read: a guest that writes learns it.</summary>
    internal void Close()
    {
        if (isDisposed) return;
        isDisposed = true;
        if (isOver) return;
        isOver = true;
        var dropped = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _ = Latest.PostAndSettleAsync(
            () =>
            {
                if (!dropped.TrySetResult()) return;
                Interlocked.Decrement(ref Latest.Pending);
                shared.Drop();
            },
            dropped.Task);
    }
}

/// <summary>A guest's <c>stream&lt;u8&gt;</c> as a .NET stream.</summary>
internal sealed class GuestStream(SharedCopy shared, Scheduler scheduler) : AsyncReadStream
{
    private readonly Reader reader = new(shared, scheduler);

    private sealed class Reader(SharedCopy shared, Scheduler scheduler) : HostReader(shared, scheduler);

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => reader.ReadAsync(new HostBytes(buffer), cancellationToken);

    protected override void Dispose(bool disposing)
    {
        if (disposing) reader.Close();
        base.Dispose(disposing);
    }
}

/// <summary>A guest's stream as a sequence, which can be gone through once.</summary>
internal sealed class GuestSequence<T>(SharedCopy shared, Scheduler scheduler, ElementForm<T> form) : HostReader(shared, scheduler), IAsyncEnumerable<T>
{
    private const int Piece = 64;

    public IAsyncEnumerator<T> GetAsyncEnumerator(CancellationToken cancellationToken = default) => new Enumerator(this, form, cancellationToken);

    /// <summary>No iterator of C#'s: one that is disposed of before its first step does nothing then, and the guest would never learn that nothing is read.</summary>
    private sealed class Enumerator(GuestSequence<T> sequence, ElementForm<T> form, CancellationToken cancellation) : IAsyncEnumerator<T>
    {
        private T[] items = [];
        private int count, next;
        private bool isOver;

        public T Current => items[next - 1];

        public async ValueTask<bool> MoveNextAsync()
        {
            if (next < count)
            {
                next++;
                return true;
            }
            if (isOver) return false;
            try
            {
                var read = new HostItems<T>(new T[Piece], form);
                count = await sequence.ReadAsync(read, cancellation).ConfigureAwait(false);
                items = read.Items;
            }
            catch
            {
                End();
                throw;
            }
            if (count == 0) End();
            next = Math.Min(1, count);
            return count > 0;
        }

        private void End()
        {
            isOver = true;
            count = next = 0;
            sequence.Close();
        }

        public ValueTask DisposeAsync()
        {
            for (; next < count; next++) form.Discard(items[next]);
            End();
            return default;
        }
    }
}
