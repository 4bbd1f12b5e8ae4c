namespace WasmJit.Components;

/// <summary>Elements of the host, or room for some, at one end of a stream or future.</summary>
internal abstract class HostElements(uint length) : CopyBuffer(length)
{
    /// <summary>Takes elements out of a guest's memory.</summary>
    internal abstract void TakeFrom(GuestBuffer from, uint count);

    /// <summary>Takes elements of the host: a guest has given back what it had from there.</summary>
    internal abstract void TakeFrom(HostElements from, uint count);

    /// <summary>Gives elements to a guest.</summary>
    internal abstract void GiveTo(GuestBuffer to, uint count);

    /// <summary>Those that are left are not taken any more.</summary>
    internal virtual void Discard()
    {
    }
}

/// <summary>Bytes.</summary>
/// <remarks>Unsafe: a guest's buffer has been checked for its whole length, and <see cref="CopyBuffer.Move"/> moves no more than both have.</remarks>
internal sealed unsafe class HostBytes(Memory<byte> bytes) : HostElements((uint)Math.Min(bytes.Length, Most))
{
    private Span<byte> Next(uint count) => bytes.Span.Slice((int)Progress, (int)count);

    internal override void TakeFrom(GuestBuffer from, uint count)
    {
        new ReadOnlySpan<byte>(from.Next, (int)count).CopyTo(Next(count));
        GC.KeepAlive(from);
    }

    internal override void TakeFrom(HostElements from, uint count) => ((HostBytes)from).Next(count).CopyTo(Next(count));

    internal override void GiveTo(GuestBuffer to, uint count)
    {
        Next(count).CopyTo(new Span<byte>(to.Next, (int)count));
        GC.KeepAlive(to);
    }
}

/// <summary>Elements of a .NET type.</summary>
/// <param name="items">The elements, or places for them.</param>
/// <param name="form">How they are read and written.</param>
internal sealed unsafe class HostItems<T>(T[] items, ElementForm<T> form) : HostElements((uint)items.Length)
{
    internal T[] Items => items;

    internal override void TakeFrom(GuestBuffer from, uint count)
    {
        var taken = new T[count];
        if (from.Payload.Element is not null)
        {
            from.Side.Instance.Scheduler.Charge(count * (ulong)Math.Max(16, form.Size));
            TypedMemory.InPieces(from.Context, (nint)from.Next, taken, form.Size, form.Lift);
        }
        taken.CopyTo(items, (int)Progress);
    }

    internal override void TakeFrom(HostElements from, uint count)
    {
        if (from is not HostItems<T> same) throw new InvalidCastException("The other end of the stream has elements of another .NET type.");
        Array.Copy(same.Items, (int)same.Progress, items, (int)Progress, (int)count);
    }

    internal override void GiveTo(GuestBuffer to, uint count)
    {
        if (to.Payload.Element is not null) TypedMemory.InPieces(to.Context, (nint)to.Next, items[(int)Progress..(int)(Progress + count)], form.Size, form.Lower);
    }

    internal override void Discard()
    {
        for (int i = (int)Progress; i < items.Length; i++) form.Discard(items[i]);
    }
}

/// <summary>How elements of a .NET type are read and written.</summary>
/// <param name="Lift">Reads them.</param>
/// <param name="Lower">Writes them.</param>
/// <param name="Size">The bytes of one.</param>
/// <param name="Type">What they are for guests.</param>
internal sealed record ElementForm<T>(ItemsMethod<T> Lift, ItemsMethod<T> Lower, long Size, ComponentValType Type)
{
    /// <summary>Drops what is in an element that is not taken.</summary>
    internal void Discard(T element) => LeftValues.DiscardAs(element, Type);
}
