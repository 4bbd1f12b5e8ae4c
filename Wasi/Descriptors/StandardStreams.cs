namespace WasmJit.Wasi;

/// <summary>
/// The first three descriptors. The process's own streams are the system's descriptors where they can be used: those can tell whether they are ready,
/// and that the other end of a pipe is gone. A stream that the process was started without is a bad descriptor to the guest as well.
/// </summary>
internal static class StandardStreams
{
    /// <summary>Whether the process was started with a standard stream; true where that cannot be known.</summary>
    internal static bool IsOpen(int fd) => !LinuxCalls.IsSupported || LinuxDevice.IsInherited(fd);

    internal static Descriptor Input(Stream? given)
    {
        if (given is not null) return new InputDescriptor(given);
        return LinuxCalls.IsSupported ? Device(0, Rights.Input) : new InputDescriptor(Console.OpenStandardInput());
    }

    internal static Descriptor Output(Stream? given, int fd)
    {
        // Output to the standard error must be visible at once.
        if (given is not null) return new OutputDescriptor(given, flushes: fd == 2);
        if (LinuxCalls.IsSupported) return Device(fd, Rights.Output);
        return new OutputDescriptor(fd == 1 ? Console.OpenStandardOutput() : Console.OpenStandardError(), flushes: false);
    }

    private static Descriptor Device(int fd, Rights rights)
    {
        if (LinuxDevice.Standard(fd, forWriting: fd != 0) is not { } device) return new ClosedDescriptor();
        FileType type;
        try
        {
            type = device.Status().Type;
        }
        catch (WasiError)
        {
            type = FileType.Unknown;
        }
        return new DeviceDescriptor(device, type, rights, FdFlags.None);
    }
}

/// <summary>
/// Stands in the place of a standard stream that the process was started without. Every use of it is one of a bad descriptor. No file that is opened
/// later gets its number, to which the program would then write its messages.
/// </summary>
internal sealed class ClosedDescriptor() : Descriptor(FileType.Unknown, Rights.None, Rights.None)
{
    internal override Readiness Poll(bool forWriting) => throw new WasiError(Errno.Badf);
}
