using WasmJit.Components;

namespace WasmJit.Wasi.Preview2;

/// <summary>What the functions of a host have in common.</summary>
internal sealed class WasiState
{
    /// <summary>The most bytes that a call moves: guests ask for more with more calls.</summary>
    internal const int MostBytes = 64 * 1024;

    private readonly int most;
    private int open;

    internal WasiState(WasiOptions options, bool portable)
    {
        Options = options;
        most = options.MaximumDescriptors;
        Waiter = new Waiter(new GuestClock(options.Time), options.Cancellation);
        WriteQuota? quota = WriteQuota.Of(options);
        Requests = new SemaphoreSlim(options.Http?.MaximumRequests ?? 0);
        Input = Quick(StandardStreams.Input(options.Input));
        Output = new OutputSink(Quick(StandardStreams.Output(options.Output, 1)), Waiter);
        Error = new OutputSink(Quick(StandardStreams.Output(options.Error, 2)), Waiter);
        (Output.Descriptor.Quota, Error.Descriptor.Quota) = (quota, quota);
        Random = SeededRandom.Of(options);
        var directories = new List<SharedDescriptor>();
        try
        {
            foreach (DirectoryDescriptor directory in Preopens.Of(options, portable, quota)) directories.Add(Share(directory));
        }
        catch (WasiError)
        {
            foreach (SharedDescriptor directory in directories) directory.Release();
            throw new ArgumentException("The options give more files, directories and sockets than a guest may have descriptors.", nameof(options));
        }
        catch
        {
            foreach (SharedDescriptor directory in directories) directory.Release();
            throw;
        }
        Directories = directories;
    }

    internal WasiOptions Options { get; }

    /// <summary>Places for requests by HTTP that wait for a response.</summary>
    internal SemaphoreSlim Requests { get; }

    internal ResourceTypes Types { get; } = new();

    internal Waiter Waiter { get; }

    /// <summary>Fills a buffer with random bytes.</summary>
    internal WasiRandomSource Random { get; }

    /// <summary>Whether random numbers are the host's choice, those that need not be secret as well.</summary>
    internal bool HasGivenRandom => Options.Random is not null || Options.RandomSeed is not null;

    /// <summary>A number at random.</summary>
    internal ulong NextRandom()
    {
        ulong number = 0;
        Random(System.Runtime.InteropServices.MemoryMarshal.AsBytes(new Span<ulong>(ref number)));
        return number;
    }

    internal Descriptor Input { get; }

    internal OutputSink Output { get; }

    internal OutputSink Error { get; }

    internal IReadOnlyList<SharedDescriptor> Directories { get; }

    /// <summary>A standard stream, whose functions never wait: waiting is done by those of pollables.</summary>
    private static Descriptor Quick(Descriptor descriptor)
    {
        descriptor.SetFlags(FdFlags.Nonblock);
        return descriptor;
    }

    /// <summary>Counts an object that takes something of the system, or much memory, and has a limit therefore.</summary>
    /// <exception cref="WasiError">There are too many.</exception>
    internal void CountOpened()
    {
        if (Interlocked.Increment(ref open) <= most) return;
        Interlocked.Decrement(ref open);
        throw new WasiError(Errno.Mfile);
    }

    internal void CountClosed() => Interlocked.Decrement(ref open);

    /// <summary>A descriptor that several objects have; if there may be no more, it is closed.</summary>
    internal SharedDescriptor Share(Descriptor descriptor)
    {
        try
        {
            CountOpened();
        }
        catch
        {
            descriptor.Close();
            throw;
        }
        return new SharedDescriptor(this, descriptor);
    }

    private readonly System.Collections.Concurrent.ConcurrentDictionary<Task, bool> writers = new();

    /// <summary>Something writes to a standard stream by itself.</summary>
    internal Task<T> AddWriter<T>(Task<T> writer)
    {
        if (writer.IsCompleted) return writer;
        writers[writer] = true;
        _ = writer.ContinueWith(w => writers.TryRemove(w, out bool _), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        return writer;
    }

    /// <summary>Waits until all that was given to standard streams has been written there: the guest that gave it has ended.</summary>
    internal void SettleWriters()
    {
        foreach (Task writer in writers.Keys)
            while (!writer.IsCompleted) Waiter.WaitAny([writer], -1);
    }

    internal void Close()
    {
        foreach (SharedDescriptor directory in Directories) directory.Release();
        Input.Close();
        Output.Descriptor.Close();
        Error.Descriptor.Close();
    }
}

/// <summary>A descriptor, which is closed when the last object that has it is dropped.</summary>
internal sealed class SharedDescriptor(WasiState state, Descriptor descriptor)
{
    private int users = 1;

    internal Descriptor Descriptor => descriptor;

    internal SharedDescriptor Share()
    {
        Interlocked.Increment(ref users);
        return this;
    }

    internal void Release()
    {
        if (Interlocked.Decrement(ref users) > 0) return;
        descriptor.Close();
        state.CountClosed();
    }
}

/// <summary>The functions of one interface, for the host that is being made.</summary>
internal sealed class InterfaceWriter(ComponentHost host)
{
    private readonly List<string> functions = [];

    /// <summary>The functions that were added, in order.</summary>
    internal IReadOnlyList<string> Functions => functions;

    internal void Add(string name, Delegate function)
    {
        host.Add(name, function);
        functions.Add(name);
    }

    internal void Add(string name, HostResourceType type) => host.Add(name, type);
}
