namespace WasmJit.Wasi;

/// <summary>A pipe or a device in a directory of the guest's. The system's descriptor never blocks; waiting is done here.</summary>
internal sealed class DeviceDescriptor : Descriptor
{
    /// <summary>How long a wait may last before cancellation is looked at.</summary>
    private const int Slice = 50;

    private readonly DeviceHandle device;

    internal DeviceDescriptor(DeviceHandle device, FileType type, Rights rights, FdFlags flags)
        : base(type, RightsOf(device, type, rights), Rights.None)
    {
        this.device = device;
        HasPosition = IsPositioned(device, type);
        Flags = flags;
    }

    /// <summary>Whether seeking is allowed and has no effect, as in <c>/dev/null</c>.</summary>
    internal bool HasPosition { get; }

    internal bool IsTerminal => device.IsTerminal;

    /// <summary>Guests take a character device that cannot seek for a terminal. Linux allows seeking in all devices that are not terminals.</summary>
    private static bool IsPositioned(DeviceHandle device, FileType type) => type == FileType.CharacterDevice && !device.IsTerminal;

    private static Rights RightsOf(DeviceHandle device, FileType type, Rights rights) =>
        (rights & Rights.Device) | (IsPositioned(device, type) ? Rights.FdSeek | Rights.FdTell : Rights.None);

    internal override FileStatus Status() => device.Status();

    internal override void SetTimes(NewTimes times) => device.SetTimes(times);

    internal override uint Read(in GuestBuffers buffers, Waiter waiter)
    {
        uint total = 0;
        for (int i = 0; i < buffers.Length; i++)
        {
            Span<byte> buffer = buffers[i];
            if (buffer.IsEmpty) continue;
            int count;
            while ((count = device.Read(buffer)) < 0)
            {
                // Some has been read: that is enough.
                if (total > 0) return total;
                Wait(forWriting: false, waiter);
            }
            total += (uint)count;
            if (count < buffer.Length) break;
        }
        return total;
    }

    internal override uint Write(in GuestBuffers buffers, Waiter waiter)
    {
        Charge(buffers);
        uint total = 0;
        for (int i = 0; i < buffers.Length; i++)
        {
            Span<byte> rest = buffers[i];
            while (!rest.IsEmpty)
            {
                int count = device.Write(rest);
                if (count < 0)
                {
                    if (total > 0 && IsNonblocking) return total;
                    Wait(forWriting: true, waiter);
                    continue;
                }
                total += (uint)count;
                rest = rest[count..];
            }
        }
        return total;
    }

    private void Wait(bool forWriting, Waiter waiter)
    {
        if (IsNonblocking) throw new WasiError(Errno.Again);
        do waiter.Check();
        while (!device.Wait(forWriting, Slice));
    }

    internal override void Sync() => device.Sync();

    internal override Readiness Poll(bool forWriting) => new(device.Wait(forWriting, 0));

    internal override bool WaitInSystem(bool forWriting, int milliseconds)
    {
        device.Wait(forWriting, milliseconds);
        return true;
    }

    internal override void Close() => device.Dispose();
}
