using System.Buffers.Binary;
using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using WasmJit.Wasi;

namespace WasmJit;

/// <summary>
/// A host of WASI preview 1: arguments, environment, clocks, random numbers and the standard streams. Files and sockets are
/// not given; a guest that asks for them gets an error number. One object serves one instance.
/// </summary>
/// <example><code>
/// var wasi = new WasiHost(new WasiOptions { Arguments = ["app", "--help"] });
/// int exitCode = wasi.Run(module);
/// </code></example>
public sealed class WasiHost
{
    private static readonly string[] ModuleNames = ["wasi_snapshot_preview1", "wasi_unstable"];

    private readonly byte[][] arguments;
    private readonly byte[][] environment;
    private readonly Stream input, output, error;
    private Memory? memory;

    /// <summary>Makes a host.</summary>
    /// <param name="options">What the guest is given; the defaults if null.</param>
    public WasiHost(WasiOptions? options = null)
    {
        options ??= new WasiOptions();
        arguments = [.. options.Arguments.Select(a => Encoding.UTF8.GetBytes(a + "\0"))];
        environment = [.. options.Environment.Select(e => Encoding.UTF8.GetBytes($"{e.Key}={e.Value}\0"))];
        input = options.Input ?? Console.OpenStandardInput();
        output = options.Output ?? Console.OpenStandardOutput();
        error = options.Error ?? Console.OpenStandardError();
        Imports = MakeImports();
    }

    /// <summary>The functions, for <see cref="Module.Instantiate"/>; more can be added.</summary>
    public Imports Imports { get; }

    /// <summary>Says whose memory the functions work on: the instance's export named "memory".</summary>
    /// <exception cref="KeyNotFoundException">It exports none.</exception>
    public void Attach(Instance instance) => memory = instance.GetExport<Memory>("memory");

    /// <summary>Instantiates a command and runs its <c>_start</c>.</summary>
    /// <returns>The exit code: what the guest gave to <c>proc_exit</c>, or 0.</returns>
    /// <exception cref="LinkException">The module imports something else.</exception>
    /// <exception cref="TrapException">The guest trapped.</exception>
    public int Run(Module module)
    {
        try
        {
            Instance instance = module.Instantiate(Imports);
            Attach(instance);
            instance.GetExport<Action>("_start")();
            return 0;
        }
        catch (WasiExitException exit)
        {
            return exit.ExitCode;
        }
        finally
        {
            output.Flush();
            error.Flush();
        }
    }

    private Imports MakeImports()
    {
        var functions = new Dictionary<string, Delegate>
        {
            ["args_sizes_get"] = (Func<int, int, int>)((count, size) => Sizes(arguments, count, size)),
            ["args_get"] = (Func<int, int, int>)((pointers, text) => Texts(arguments, pointers, text)),
            ["environ_sizes_get"] = (Func<int, int, int>)((count, size) => Sizes(environment, count, size)),
            ["environ_get"] = (Func<int, int, int>)((pointers, text) => Texts(environment, pointers, text)),
            ["clock_res_get"] = (Func<int, int, int>)ClockResolution,
            ["clock_time_get"] = (Func<int, long, int, int>)ClockTime,
            ["random_get"] = (Func<int, int, int>)Random,
            ["sched_yield"] = (Func<int>)(static () =>
            {
                Thread.Yield();
                return 0;
            }),
            ["proc_exit"] = (Action<int>)(static code => throw new WasiExitException(code)),
            ["fd_write"] = (Func<int, int, int, int, int>)Write,
            ["fd_read"] = (Func<int, int, int, int, int>)Read,
            ["fd_close"] = (Func<int, int>)(static fd => fd is >= 0 and <= 2 ? 0 : (int)Errno.Badf),
            ["fd_seek"] = (Func<int, long, int, int, int>)(static (fd, _, _, _) => (int)(fd is >= 0 and <= 2 ? Errno.Spipe : Errno.Badf)),
            ["fd_fdstat_get"] = (Func<int, int, int>)Status,
            ["fd_prestat_get"] = (Func<int, int, int>)(static (_, _) => (int)Errno.Badf),
            ["fd_prestat_dir_name"] = (Func<int, int, int, int>)(static (_, _, _) => (int)Errno.Badf),
        };
        var imports = new Imports();
        foreach (string module in ModuleNames)
            foreach ((string name, Delegate function) in functions) imports.Add(module, name, function);
        return imports;
    }

    /// <summary>A window of guest memory; false if it is not all inside.</summary>
    private bool TrySlice(int address, int length, out Span<byte> span)
    {
        if (memory is null || length < 0 || (uint)address > memory.Length || (uint)length > memory.Length - (uint)address)
        {
            span = default;
            return false;
        }
        span = memory.Slice((uint)address, length);
        return true;
    }

    private int Sizes(byte[][] items, int count, int size)
    {
        if (!TrySlice(count, 4, out Span<byte> counted) || !TrySlice(size, 4, out Span<byte> sized)) return (int)Errno.Fault;
        BinaryPrimitives.WriteInt32LittleEndian(counted, items.Length);
        BinaryPrimitives.WriteInt32LittleEndian(sized, items.Sum(i => i.Length));
        return 0;
    }

    private int Texts(byte[][] items, int pointers, int text)
    {
        foreach (byte[] item in items)
        {
            if (!TrySlice(pointers, 4, out Span<byte> pointer) || !TrySlice(text, item.Length, out Span<byte> target)) return (int)Errno.Fault;
            BinaryPrimitives.WriteInt32LittleEndian(pointer, text);
            item.CopyTo(target);
            pointers += 4;
            text += item.Length;
        }
        return 0;
    }

    private int ClockResolution(int clock, int result)
    {
        if (clock is < 0 or > 3) return (int)Errno.Inval;
        if (!TrySlice(result, 8, out Span<byte> target)) return (int)Errno.Fault;
        BinaryPrimitives.WriteInt64LittleEndian(target, clock == 0 ? 100 : Math.Max(1, 1_000_000_000 / Stopwatch.Frequency));
        return 0;
    }

    private int ClockTime(int clock, long precision, int result)
    {
        long time;
        switch (clock)
        {
            case 0: time = (DateTime.UtcNow.Ticks - DateTime.UnixEpoch.Ticks) * 100; break;
            case 1: time = (long)(Stopwatch.GetTimestamp() * (1e9 / Stopwatch.Frequency)); break;
            case 2 or 3: time = Environment.CpuUsage.TotalTime.Ticks * 100; break;
            default: return (int)Errno.Inval;
        }
        if (!TrySlice(result, 8, out Span<byte> target)) return (int)Errno.Fault;
        BinaryPrimitives.WriteInt64LittleEndian(target, time);
        return 0;
    }

    private int Random(int address, int length)
    {
        if (!TrySlice(address, length, out Span<byte> target)) return (int)Errno.Fault;
        RandomNumberGenerator.Fill(target);
        return 0;
    }

    /// <summary>The n-th buffer of a scatter/gather list.</summary>
    private bool TryBuffer(int list, int index, out Span<byte> buffer)
    {
        buffer = default;
        if (!TrySlice((int)((uint)list + (8u * (uint)index)), 8, out Span<byte> item)) return false;
        return TrySlice(BinaryPrimitives.ReadInt32LittleEndian(item), BinaryPrimitives.ReadInt32LittleEndian(item[4..]), out buffer);
    }

    private int Write(int fd, int list, int count, int result)
    {
        if (fd is not (1 or 2)) return (int)Errno.Badf;
        Stream stream = fd == 1 ? output : error;
        uint written = 0;
        try
        {
            for (int i = 0; i < count; i++)
            {
                if (!TryBuffer(list, i, out Span<byte> buffer)) return (int)Errno.Fault;
                stream.Write(buffer);
                written += (uint)buffer.Length;
            }
            if (fd == 2) stream.Flush();
        }
        catch (IOException)
        {
            return (int)Errno.Io;
        }
        if (!TrySlice(result, 4, out Span<byte> target)) return (int)Errno.Fault;
        BinaryPrimitives.WriteUInt32LittleEndian(target, written);
        return 0;
    }

    private int Read(int fd, int list, int count, int result)
    {
        if (fd != 0) return (int)Errno.Badf;
        uint read = 0;
        try
        {
            for (int i = 0; i < count; i++)
            {
                if (!TryBuffer(list, i, out Span<byte> buffer)) return (int)Errno.Fault;
                if (buffer.IsEmpty) continue;
                int got = input.Read(buffer);
                read += (uint)got;
                if (got < buffer.Length) break;
            }
        }
        catch (IOException)
        {
            return (int)Errno.Io;
        }
        if (!TrySlice(result, 4, out Span<byte> target)) return (int)Errno.Fault;
        BinaryPrimitives.WriteUInt32LittleEndian(target, read);
        return 0;
    }

    /// <summary>The streams are character devices that can be read or written, not positioned.</summary>
    private int Status(int fd, int result)
    {
        if (fd is < 0 or > 2) return (int)Errno.Badf;
        if (!TrySlice(result, 24, out Span<byte> target)) return (int)Errno.Fault;
        target.Clear();
        target[0] = 2;
        BinaryPrimitives.WriteUInt64LittleEndian(target[8..], fd == 0 ? 2UL : 64UL);
        return 0;
    }
}
