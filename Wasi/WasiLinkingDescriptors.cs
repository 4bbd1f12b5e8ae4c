using WasmJit.Builtins;
using WasmJit.Components;

namespace WasmJit.Wasi;

/// <summary>A guest's descriptors for <c>wasm:linking</c>, with the rights that they have.</summary>
internal sealed class WasiLinkingDescriptors(WasiContext context) : LinkingDescriptors
{
    public override Stream OpenStream(int descriptor) => Translate(() => new GuestStream(context.Table.Get(descriptor, Rights.FdRead), context.Waiter));

    /// <summary>The descriptor stays the owner of its directory. The result is for one call.</summary>
    public override ModuleNamespace OpenDirectory(int descriptor) => Translate(() =>
    {
        DirectoryDescriptor directory = context.Table.Directory(descriptor, Rights.PathOpen);
        if (!directory.Inheriting.HasFlag(Rights.FdRead)) throw new WasiError(Errno.Notcapable);
        return new DirectoryNamespace(directory.Handle);
    });

    private static T Translate<T>(Func<T> action)
    {
        try
        {
            return action();
        }
        catch (WasiError error)
        {
            throw error.Errno == Errno.Notcapable ? new UnauthorizedAccessException("The descriptor does not allow it.")
                : new IOException($"The descriptor cannot be used: {error.Errno}.");
        }
    }

    /// <summary>A descriptor as a stream.</summary>
    private sealed class GuestStream : ReadStream
    {
        private readonly Descriptor descriptor;
        private readonly Waiter waiter;

        internal GuestStream(Descriptor descriptor, Waiter waiter)
        {
            if (descriptor is DirectoryDescriptor) throw new WasiError(Errno.Isdir);
            this.descriptor = descriptor;
            this.waiter = waiter;
        }

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

        public override int Read(Span<byte> buffer)
        {
            if (buffer.IsEmpty) return 0;
            try
            {
                return (int)descriptor.Read(new GuestBuffers(buffer), waiter);
            }
            catch (WasiError error)
            {
                throw new IOException($"The descriptor cannot be read: {error.Errno}.");
            }
        }
    }
}
