namespace WasmJit.Wasi;

/// <summary>Arguments, environment, random numbers, and the guest's own end.</summary>
internal sealed class ProcessFunctions(WasiContext context)
{
    internal void AddTo(FunctionTable table)
    {
        table.Add<int, int>("args_sizes_get", (memory, count, size) => Sizes(memory, context.Arguments, count, size));
        table.Add<int, int>("args_get", (memory, pointers, text) => Texts(memory, context.Arguments, pointers, text));
        table.Add<int, int>("environ_sizes_get", (memory, count, size) => Sizes(memory, context.Environment, count, size));
        table.Add<int, int>("environ_get", (memory, pointers, text) => Texts(memory, context.Environment, pointers, text));
        table.Add<int, int>("random_get", Random);
        table.Add("sched_yield", _ => Yield());
        table.Add<int>("proc_raise", (_, signal) => Raise(signal));
        table.AddExit("proc_exit", static code => throw new WasiExitException(code));
    }

    private void Sizes(GuestMemory memory, byte[][] items, int count, int size)
    {
        memory.Expect<int>(size);
        memory.Write(count, items.Length);
        // .NET's sum uses vectors, for which code is never made ahead.
        int sum = 0;
        foreach (byte[] item in items) sum = checked(sum + item.Length);
        memory.Write(size, sum);
    }

    private void Texts(GuestMemory memory, byte[][] items, int pointers, int text)
    {
        memory.Array(pointers, items.Length, sizeof(int));
        foreach (byte[] item in items)
        {
            item.CopyTo(memory.Window(text, item.Length));
            memory.Write(pointers, text);
            pointers += sizeof(int);
            text += item.Length;
        }
    }

    private void Random(GuestMemory memory, int address, int length)
    {
        memory.Window(address, length);
        // Gigabytes take many seconds.
        const uint Piece = 1 << 20;
        for (uint done = 0; done < (uint)length;)
        {
            context.Waiter.Check();
            Span<byte> window = memory.Window((uint)address + (ulong)done, Math.Min((uint)length - done, Piece));
            context.Random(window);
            done += (uint)window.Length;
        }
    }

    private void Yield()
    {
        context.Waiter.Check();
        Thread.Yield();
    }

    /// <summary>
    /// Raises a signal. A guest has no handlers that a host could call, so the signal's default happens: nothing, or the end with the exit code that
    /// a shell shows for it.
    /// </summary>
    private static void Raise(int signal)
    {
        const int none = 0, child = 16, resume = 17, stop = 18, stopTerminal = 19, readTerminal = 20, writeTerminal = 21, urgent = 22,
            window = 27, last = 30;
        switch (signal)
        {
            case none or child or resume or urgent or window: return;
            case stop or stopTerminal or readTerminal or writeTerminal: throw new WasiError(Errno.Notsup);
            case < 0 or > last: throw new WasiError(Errno.Inval);
            default: throw new WasiExitException(128 + signal);
        }
    }
}
