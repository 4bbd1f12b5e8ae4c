namespace WasmJit.Components;

/// <summary>How a copy has ended.</summary>
internal enum CopyResult
{
    Completed,
    Dropped,
    Cancelled,
}

/// <summary>Room for elements, or elements, at one end of a stream or future.</summary>
internal abstract class CopyBuffer(uint length)
{
    /// <summary>Elements at most.</summary>
    internal const uint Most = (1 << 28) - 1;

    internal uint Length { get; } = length;

    internal uint Progress { get; set; }

    internal uint Remain => Length - Progress;

    /// <summary>Moves elements from one buffer to another.</summary>
    internal static void Move(CopyBuffer from, CopyBuffer to, uint count)
    {
        switch (from, to)
        {
            case (GuestBuffer a, GuestBuffer b): GuestBuffer.Copy(a, b, count); break;
            case (GuestBuffer a, HostElements b): b.TakeFrom(a, count); break;
            case (HostElements a, GuestBuffer b): a.GiveTo(b, count); break;
            case (HostElements a, HostElements b): b.TakeFrom(a, count); break;
        }
        from.Progress += count;
        to.Progress += count;
    }
}

/// <summary>Elements in a guest's memory.</summary>
/// <remarks>Unsafe: the range is checked when the buffer is made; memories do not shrink.</remarks>
internal sealed unsafe class GuestBuffer : CopyBuffer
{
    private readonly GuestSide side;
    private readonly PayloadType payload;
    private readonly ulong address;

    internal GuestBuffer(GuestSide side, PayloadType payload, ulong address, uint length)
        : base(length)
    {
        this.side = side;
        this.payload = payload;
        this.address = address;
        if (length > Most) ComponentTrap.Throw("stream read/write count too large");
        if (payload.Element is null || length == 0) return;
        ValueLayout layout = payload.Element.Layout(side.Is64);
        side.Check(address, length * (ulong)layout.Size, (uint)layout.Alignment, "read/write pointer out of bounds of memory");
    }

    internal GuestSide Side => side;

    internal PayloadType Payload => payload;

    /// <summary>What elements of the host are read and written by.</summary>
    internal TypedContext Context => new(side, payload.Scope);

    /// <summary>Where the next element is.</summary>
    internal byte* Next => side.Base + address + (Progress * (ulong)payload.Element!.Layout(side.Is64).Size);

    /// <summary>Charges the guest for elements that it reads or writes.</summary>
    internal void Pay(uint count)
    {
        if (payload.Element is not { } element) return;
        side.PayForBytes(count * (ulong)element.Layout(side.Is64).Size);
        if (!TransferEmitter.IsPlain(element)) side.Pay(count);
    }

    /// <summary>The same where the other end, which may be another's, reads or writes now: a guest without fuel finds that it has none when it goes on.</summary>
    internal void PayLater(uint count)
    {
        try
        {
            Pay(count);
        }
        catch (TrapException e) when (e.Kind == TrapKind.OutOfFuel)
        {
            // What there was is used up.
        }
    }

    internal static void Copy(GuestBuffer from, GuestBuffer to, uint count)
    {
        if (from.payload.Element is not { } element || count == 0) return;
        TransferCode code = TransferCode.OfElements(element, from.payload.Shape, from.side.Is64, to.side.Is64);
        code.Elements(new Transfer(from.side, to.side, from.payload.Resources, from.payload.Payloads), from.Next, to.Next, count);
    }
}

/// <summary>What both ends of a stream or future share.</summary>
internal sealed class SharedCopy(PayloadType payload, bool isFuture)
{
    private InstanceState? pendingInstance;
    private CopyBuffer? pending;
    private Action<Action>? onCopy;
    private Action<CopyResult>? onDone;
    private bool isDropped;

    internal PayloadType Payload { get; } = payload;

    internal bool IsFuture { get; } = isFuture;

    /// <summary>The host, if it has one of the ends.</summary>
    internal HostEnd? Host { get; init; }

    /// <summary>Whether nothing that was written waits to be read.</summary>
    internal bool IsEmpty => pending is null;

    private void Set(InstanceState? instance, CopyBuffer? buffer, Action<Action>? copied, Action<CopyResult>? done)
    {
        pendingInstance = instance;
        pending = buffer;
        onCopy = copied;
        onDone = done;
    }

    private void Reset() => Set(null, null, null, null);

    private void Notify(CopyResult result)
    {
        Action<CopyResult> done = onDone!;
        Reset();
        done(result);
    }

    internal void Cancel() => Notify(CopyResult.Cancelled);

    internal void Drop()
    {
        if (isDropped) return;
        isDropped = true;
        if (pending is not null) Notify(CopyResult.Dropped);
        Host?.OtherDropped();
    }

    /// <summary>Reads or writes; a pending one at the other end gets what it wants.</summary>
    internal void Copy(InstanceState? instance, CopyBuffer buffer, bool isRead, Action<Action> copied, Action<CopyResult> done)
    {
        if (isDropped || pendingInstance is { Tree.IsFreed: true })
        {
            // A buffer in memory that is freed is one whose end is gone.
            isDropped = true;
            done(CopyResult.Dropped);
            return;
        }
        if (pending is null)
        {
            Set(instance, buffer, copied, done);
            if (isRead) Host?.Wanted(buffer.Length);
            return;
        }
        if (instance is not null && ReferenceEquals(instance, pendingInstance) && !Payload.IsNumber)
            ComponentTrap.Throw($"cannot read from and write to intra-component {(IsFuture ? "future" : "stream")}");
        CopyBuffer source = isRead ? pending : buffer, target = isRead ? buffer : pending;
        if (IsFuture)
        {
            CopyBuffer.Move(source, target, 1);
            Notify(CopyResult.Completed);
            done(CopyResult.Completed);
            return;
        }
        if (pending.Remain > 0)
        {
            if (buffer.Remain > 0)
            {
                uint count = Math.Min(source.Remain, target.Remain);
                if (buffer is GuestBuffer own) own.Pay(count);
                else (pending as GuestBuffer)?.PayLater(count);
                CopyBuffer.Move(source, target, count);
                onCopy!(Reset);
            }
            done(CopyResult.Completed);
        }
        else if (!isRead && buffer.Length == 0 && pending.Length == 0)
        {
            done(CopyResult.Completed);
        }
        else
        {
            Notify(CopyResult.Completed);
            Set(instance, buffer, copied, done);
            if (isRead) Host?.Wanted(buffer.Length);
        }
    }
}

/// <summary>What an end does.</summary>
internal enum CopyState
{
    Idle,
    Copying,
    Cancelling,
    Done,
}

/// <summary>An end of a stream or future in an instance's table.</summary>
internal sealed class CopyEnd(SharedCopy shared, bool isReadable) : Waitable
{
    internal SharedCopy Shared { get; } = shared;

    internal bool IsReadable { get; } = isReadable;

    internal CopyState State { get; set; }

    /// <summary>Whether it is done because the other end was dropped.</summary>
    internal bool WasDropped { get; set; }

    internal bool IsCopying => State is CopyState.Copying or CopyState.Cancelling;

    internal override void Drop()
    {
        string kind = Shared.IsFuture ? "future" : "stream";
        ComponentTrap.If(IsCopying, $"cannot {(IsReadable ? "remove" : "drop")} busy {kind}");
        if (Shared.IsFuture && !IsReadable) ComponentTrap.If(State != CopyState.Done, "cannot drop future write end without first writing a value");
        Shared.Drop();
        base.Drop();
    }
}

/// <summary>Streams and futures as values: the readable end moves from table to table.</summary>
internal static class StreamHandles
{
    internal static SharedCopy Lift(InstanceState instance, uint index, PayloadType payload) => LiftShared(instance, index, payload);

    internal static int Lower(InstanceState instance, SharedCopy shared) => (int)instance.Handles.Add(new CopyEnd(shared, true));

    /// <summary>An end of a kind.</summary>
    internal static CopyEnd Get(InstanceState instance, uint index, bool isFuture, bool isReadable, PayloadType payload)
    {
        CopyEnd end = instance.Handles.Get<CopyEnd>(index);
        if (end.Shared.IsFuture != isFuture || end.IsReadable != isReadable || !end.Shared.Payload.Matches(payload))
        {
            throw ComponentTrap.Make(
                $"handle index {index} used with the wrong type, expected the {(isReadable ? "readable" : "writable")} end of a {(isFuture ? "future" : "stream")}");
        }
        return end;
    }

    internal static SharedCopy LiftShared(InstanceState instance, uint index, PayloadType payload)
    {
        CopyEnd end = instance.Handles.Get<CopyEnd>(index);
        string kind = end.Shared.IsFuture ? "future" : "stream";
        if (!end.IsReadable || !end.Shared.Payload.Matches(payload))
            throw ComponentTrap.Make($"handle index {index} used with the wrong type, expected the readable end of a {kind}");
        ComponentTrap.If(end.IsCopying, $"cannot remove busy {kind}");
        ComponentTrap.If(end.State == CopyState.Done, end.Shared.IsFuture
            ? "cannot lift future after previous read succeeded" : "cannot lift stream after being notified that the writable end dropped");
        ComponentTrap.If(end.Set is not null, $"cannot lift {kind} while it's in a waitable set");
        instance.Handles.Remove(index);
        return end.Shared;
    }

    internal static int LowerShared(InstanceState instance, SharedCopy shared, PayloadType payload)
    {
        if (!shared.Payload.Matches(payload)) throw new ArgumentException("A stream or future carries another type.");
        return Lower(instance, shared);
    }
}
