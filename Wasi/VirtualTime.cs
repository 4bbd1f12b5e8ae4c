namespace WasmJit;

/// <summary>
/// A clock that no real time moves: it goes on by a step each time that it is read, and a sleep moves it to the end of the sleep at once. A guest
/// of one thread that has it, a seed for its random numbers and the same files does the same in each run.
/// </summary>
/// <param name="start">The time at which it begins.</param>
/// <param name="step">How far each reading moves it; a microsecond if null.</param>
public sealed class VirtualTime(DateTimeOffset start, TimeSpan? step = null) : TimeProvider
{
    private readonly long step = (step ?? TimeSpan.FromMicroseconds(1)).Ticks;
    private long elapsed;

    /// <inheritdoc/>
    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    /// <inheritdoc/>
    public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

    /// <inheritdoc/>
    public override DateTimeOffset GetUtcNow() => start.AddTicks(Interlocked.Add(ref elapsed, step)).ToUniversalTime();

    /// <inheritdoc/>
    public override long GetTimestamp() => Interlocked.Add(ref elapsed, step);

    /// <summary>A timer that is due at once: the clock is then where it would be.</summary>
    /// <inheritdoc/>
    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        ArgumentNullException.ThrowIfNull(callback);
        var timer = new DueTimer(this, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    private sealed class DueTimer(VirtualTime time, TimerCallback callback, object? state) : ITimer
    {
        private bool isDisposed;

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            if (isDisposed || dueTime == Timeout.InfiniteTimeSpan) return !isDisposed;
            Interlocked.Add(ref time.elapsed, dueTime.Ticks);
            ThreadPool.UnsafeQueueUserWorkItem(
                static timer =>
                {
                    if (!Volatile.Read(ref timer.isDisposed)) timer.Fire();
                }, this, preferLocal: false);
            return true;
        }

        private void Fire() => callback(state);

        public void Dispose() => Volatile.Write(ref isDisposed, true);

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
