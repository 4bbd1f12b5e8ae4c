namespace WasmJit.Wasi;

/// <summary><c>poll_oneoff</c>: waits for clocks and descriptors.</summary>
internal sealed class PollFunctions(WasiContext context, Version version)
{
    /// <summary>The most subscriptions in one call: more than descriptors and clocks could need.</summary>
    private const int MostSubscriptions = 16 * 1024;

    internal void AddTo(FunctionTable table) => table.Add<int, int, int, int>("poll_oneoff", Poll);

    private void Poll(GuestMemory memory, int list, int events, int count, int result)
    {
        if (count == 0) throw new WasiError(Errno.Inval);
        if ((uint)count > MostSubscriptions) throw new WasiError(Errno.Nomem);
        memory.Expect<int>(result);
        memory.Array(events, count, Layouts.EventSize);
        int size = Layouts.SubscriptionSize(version);
        Span<byte> source = memory.Array(list, count, size);
        var subscriptions = new Subscription[count];
        for (int i = 0; i < count; i++)
        {
            subscriptions[i] = Layouts.ReadSubscription(source.Slice(i * size, size), version);
            if (subscriptions[i].Type > EventType.Write) throw new WasiError(Errno.Inval);
        }
        List<Event> happened = Wait(subscriptions);
        for (int i = 0; i < happened.Count; i++)
            Layouts.WriteEvent(memory.Array(events + (i * Layouts.EventSize), 1, Layouts.EventSize), happened[i]);
        memory.Write(result, happened.Count);
    }

    private List<Event> Wait(Subscription[] subscriptions)
    {
        var deadlines = new ulong[subscriptions.Length];
        for (int i = 0; i < deadlines.Length; i++) deadlines[i] = Deadline(subscriptions[i]);
        var happened = new List<Event>();
        var pending = new List<Task>();
        while (true)
        {
            context.Waiter.Check();
            pending.Clear();
            bool mustAsk = false;
            ulong nearest = ulong.MaxValue;
            for (int i = 0; i < subscriptions.Length; i++)
            {
                Subscription subscription = subscriptions[i];
                if (subscription.Type == EventType.Clock)
                {
                    if (Remaining(subscription, deadlines[i], out ulong left) is { } clock) happened.Add(clock);
                    else nearest = Math.Min(nearest, left);
                }
                else if (Ready(subscription, pending, ref mustAsk) is { } ready)
                {
                    happened.Add(ready);
                }
            }
            if (happened.Count > 0) return happened;
            context.Waiter.Sleep(nearest, pending, mustAsk);
        }
    }

    /// <summary>The time when a clock's event is due.</summary>
    private ulong Deadline(in Subscription subscription)
    {
        if (subscription.Type != EventType.Clock || subscription.Clock is not (Clocks.Realtime or Clocks.Monotonic)) return 0;
        return subscription.IsAbsolute ? subscription.Timeout : context.Waiter.Clock.After(subscription.Clock, subscription.Timeout);
    }

    private Event? Remaining(in Subscription subscription, ulong deadline, out ulong left)
    {
        left = 0;
        // Waiting for processor time would never end, because none passes meanwhile.
        Errno error = subscription.Clock switch
        {
            Clocks.Realtime or Clocks.Monotonic => Errno.Success,
            Clocks.Process or Clocks.Thread => Errno.Notsup,
            _ => Errno.Inval,
        };
        if (error == Errno.Success)
        {
            ulong now = context.Waiter.Clock.Time(subscription.Clock);
            if (now < deadline)
            {
                left = deadline - now;
                return null;
            }
        }
        return new Event(subscription.UserData, EventType.Clock, error, 0, false);
    }

    private Event? Ready(in Subscription subscription, List<Task> pending, ref bool mustAsk)
    {
        try
        {
            bool forWriting = subscription.Type == EventType.Write;
            Descriptor descriptor = context.Table.Get((int)subscription.Fd, Rights.PollFdReadwrite);
            Readiness readiness = descriptor.Poll(forWriting);
            if (readiness.IsReady) return new Event(subscription.UserData, subscription.Type, Errno.Success, readiness.Bytes, readiness.HangUp);
            if (descriptor.Pending is { } task) pending.Add(task);
            else mustAsk = true;
            return null;
        }
        catch (Exception e) when (SystemErrors.Of(e) is { } error)
        {
            return new Event(subscription.UserData, subscription.Type, error, 0, false);
        }
    }
}
