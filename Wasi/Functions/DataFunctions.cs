namespace WasmJit.Wasi;

/// <summary>The functions that move data: reading and writing, at the descriptor's position or at one that is given.</summary>
internal sealed class DataFunctions(WasiContext context)
{
    private GuestMemory Memory => context.Memory;

    private DescriptorTable Table => context.Table;

    internal void AddTo(FunctionTable table)
    {
        table.Add<int, int, int, int>("fd_read", Read);
        table.Add<int, int, int, int>("fd_write", Write);
        table.Add<int, int, int, long, int>("fd_pread", ReadAt);
        table.Add<int, int, int, long, int>("fd_pwrite", WriteAt);
    }

    private void Read(int fd, int list, int count, int result)
    {
        Descriptor descriptor = Table.Get(fd, Rights.FdRead);
        Memory.Expect<uint>(result);
        Span<GuestBuffers.Entry> storage = stackalloc GuestBuffers.Entry[GuestBuffers.Count(count)];
        Memory.Write(result, descriptor.Read(new GuestBuffers(Memory, list, storage), context.Waiter));
    }

    private void Write(int fd, int list, int count, int result)
    {
        Descriptor descriptor = Table.Get(fd, Rights.FdWrite);
        Memory.Expect<uint>(result);
        Span<GuestBuffers.Entry> storage = stackalloc GuestBuffers.Entry[GuestBuffers.Count(count)];
        Memory.Write(result, descriptor.Write(new GuestBuffers(Memory, list, storage), context.Waiter));
    }

    private void ReadAt(int fd, int list, int count, long offset, int result)
    {
        FileDescriptor file = Positioned(fd, Rights.FdRead, offset);
        Memory.Expect<uint>(result);
        Span<GuestBuffers.Entry> storage = stackalloc GuestBuffers.Entry[GuestBuffers.Count(count)];
        Memory.Write(result, file.ReadAt(new GuestBuffers(Memory, list, storage), offset));
    }

    private void WriteAt(int fd, int list, int count, long offset, int result)
    {
        FileDescriptor file = Positioned(fd, Rights.FdWrite, offset);
        Memory.Expect<uint>(result);
        Span<GuestBuffers.Entry> storage = stackalloc GuestBuffers.Entry[GuestBuffers.Count(count)];
        Memory.Write(result, file.WriteAt(new GuestBuffers(Memory, list, storage), offset));
    }

    private FileDescriptor Positioned(int fd, Rights needed, long offset)
    {
        Descriptor descriptor = Table.Get(fd, needed);
        if (descriptor is not FileDescriptor file) throw new WasiError(Errno.Spipe);
        file.Require(needed | Rights.FdSeek);
        return offset < 0 ? throw new WasiError(Errno.Inval) : file;
    }
}
