using Microsoft.Win32.SafeHandles;

namespace WasmJit.Wasi;

/// <summary>
/// The first three descriptors. The process's own streams are the system's descriptors where they can be used: those can be
/// asked whether they are ready, and tell that the other end of a pipe is gone.
/// </summary>
internal static class StandardStreams
{
    internal static Descriptor Input(Stream? given)
    {
        if (given is not null) return new InputDescriptor(given);
        return LinuxCalls.IsSupported ? Device(0, Rights.Input) : new InputDescriptor(Console.OpenStandardInput());
    }

    internal static Descriptor Output(Stream? given, int fd)
    {
        // What is written to the standard error is to be seen at once.
        if (given is not null) return new OutputDescriptor(given, flushes: fd == 2);
        if (LinuxCalls.IsSupported) return Device(fd, Rights.Output);
        return new OutputDescriptor(fd == 1 ? Console.OpenStandardOutput() : Console.OpenStandardError(), flushes: false);
    }

    private static DeviceDescriptor Device(int fd, Rights rights)
    {
        var device = new LinuxDevice(new SafeFileHandle(fd, ownsHandle: false)) { MayBlock = true };
        FileType type;
        try
        {
            type = device.Status().Type;
        }
        catch (WasiError)
        {
            // The process was started without it; the guest finds out when it uses it.
            type = FileType.Unknown;
        }
        return new DeviceDescriptor(device, type, rights, FdFlags.None);
    }
}
