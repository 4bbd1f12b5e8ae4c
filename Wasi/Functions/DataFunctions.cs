namespace WasmJit.Wasi;

/// <summary>The functions that move data: reading and writing, at the descriptor's position or at one that is given.</summary>
internal sealed class DataFunctions(WasiContext context)
{
    private DescriptorTable Table => context.Table;

    internal void AddTo(FunctionTable table)
    {
        table.Add<int, int, int, int>("fd_read", Read);
        table.Add<int, int, int, int>("fd_write", Write);
        table.Add<int, int, int, long, int>("fd_pread", ReadAt);
        table.Add<int, int, int, long, int>("fd_pwrite", WriteAt);
    }

    private void Read(GuestMemory memory, int fd, int list, int count, int result)
    {
        Descriptor descriptor = Table.Get(fd, Rights.FdRead);
        memory.Expect<uint>(result);
        Span<GuestBuffers.Entry> storage = stackalloc GuestBuffers.Entry[GuestBuffers.Count(count)];
        memory.Write(result, descriptor.Read(new GuestBuffers(memory, list, storage), context.Waiter));
    }

    private void Write(GuestMemory memory, int fd, int list, int count, int result)
    {
        Descriptor descriptor = Table.Get(fd, Rights.FdWrite);
        memory.Expect<uint>(result);
        Span<GuestBuffers.Entry> storage = stackalloc GuestBuffers.Entry[GuestBuffers.Count(count)];
        memory.Write(result, descriptor.Write(new GuestBuffers(memory, list, storage), context.Waiter));
    }

    private void ReadAt(GuestMemory memory, int fd, int list, int count, long offset, int result)
    {
        FileDescriptor file = Positioned(fd, Rights.FdRead, offset);
        memory.Expect<uint>(result);
        Span<GuestBuffers.Entry> storage = stackalloc GuestBuffers.Entry[GuestBuffers.Count(count)];
        memory.Write(result, file.ReadAt(new GuestBuffers(memory, list, storage), offset, context.Waiter));
    }

    private void WriteAt(GuestMemory memory, int fd, int list, int count, long offset, int result)
    {
        FileDescriptor file = Positioned(fd, Rights.FdWrite, offset);
        memory.Expect<uint>(result);
        Span<GuestBuffers.Entry> storage = stackalloc GuestBuffers.Entry[GuestBuffers.Count(count)];
        memory.Write(result, file.WriteAt(new GuestBuffers(memory, list, storage), offset, context.Waiter));
    }

    private FileDescriptor Positioned(int fd, Rights needed, long offset)
    {
        Descriptor descriptor = Table.Get(fd, needed);
        if (descriptor is not FileDescriptor file) throw new WasiError(Errno.Spipe);
        file.Require(needed | Rights.FdSeek);
        return offset < 0 ? throw new WasiError(Errno.Inval) : file;
    }
}
