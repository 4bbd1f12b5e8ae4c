using System.Buffers;
using System.Globalization;

namespace WasmJit.Runtime;

/// <summary>
/// The system's limit on the number of a process's mappings (Linux: vm.max_map_count). The .NET runtime ends the process when it cannot make one. So
/// everything that takes mappings, and that guests can make any number of, is counted here, and refused while the runtime still has a part for
/// itself.
/// </summary>
internal static class Mappings
{
    /// <summary>The committed part of a reservation, and the rest.</summary>
    internal const int OfMemory = 2;

    /// <summary>A file in a memory, and the part behind it.</summary>
    internal const int OfContent = 2;

    /// <summary>Measured: 7 for a collectible assembly with a class in it, and what its objects add.</summary>
    internal const int OfAssembly = 8;

    /// <summary>Measured: 4 for a thread, whatever the size of its stack.</summary>
    internal const int OfThread = 4;

    private static readonly Lock Gate = new();

    /// <summary>The number that every process has. The system is not asked before there are more.</summary>
    private const int Few = 256;

    /// <summary>The most for guests, together with the others' number when it was counted last.</summary>
    private static int Allowed => SystemLimit.Allowed;

    /// <summary>A class of its own, so that the file is not read before it is needed.</summary>
    private static class SystemLimit
    {
        internal static readonly int Allowed = ReadAllowed();
    }

    private static int used;
    private static int others;
    private static int nextCount;
    private static int limitForTests = int.MaxValue;

    /// <summary>How many are taken.</summary>
    internal static int Used => Volatile.Read(ref used);

    /// <summary>How many may be taken in all.</summary>
    internal static int Limit => Math.Min(Volatile.Read(ref limitForTests), Allowed - Volatile.Read(ref others));

    /// <summary>Lowers the limit.</summary>
    internal static int LimitForTests
    {
        set => Volatile.Write(ref limitForTests, value);
    }

    /// <summary>Counts mappings that are about to be made. Waits for a collection if there are too many.</summary>
    /// <returns>Whether they may be made.</returns>
    internal static bool TryTake(int count)
    {
        if (TryTakeNow(count)) return true;
        PacedCollection.OfProcess.Run();
        lock (Gate) Count();
        return TryTakeNow(count);
    }

    /// <summary>The same without waiting.</summary>
    internal static bool TryTakeNow(int count)
    {
        int now = Interlocked.Add(ref used, count);
        if (now <= Few && Volatile.Read(ref limitForTests) == int.MaxValue) return true;
        if (now > Volatile.Read(ref nextCount))
        {
            lock (Gate)
            {
                if (now > nextCount) Count();
            }
        }
        if (now <= Limit) return true;
        Interlocked.Add(ref used, -count);
        return false;
    }

    /// <summary>Mappings have been given back.</summary>
    internal static void Give(int count) => Interlocked.Add(ref used, -count);

    /// <summary>Counts the mappings of others (the runtime, libraries of the host). It takes milliseconds, so it is done seldom.</summary>
    private static void Count()
    {
        if (Allowed == int.MaxValue)
        {
            nextCount = int.MaxValue;
            return;
        }
        int all = CountAll();
        int mine = Volatile.Read(ref used);
        Volatile.Write(ref others, Math.Max(0, all - mine));
        Volatile.Write(ref nextCount, mine + Math.Max(Math.Max(1024, all / 8), (Allowed - all) / 4));
    }

    private static int CountAll()
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(1 << 16);
        try
        {
            using var maps = new FileStream("/proc/self/maps", FileMode.Open, FileAccess.Read, FileShare.ReadWrite, 0);
            int lines = 0;
            for (int read; (read = maps.Read(buffer)) > 0;) lines += buffer.AsSpan(0, read).Count((byte)'\n');
            return lines;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return Volatile.Read(ref used);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static int ReadAllowed()
    {
        if (!OperatingSystem.IsLinux()) return int.MaxValue;
        int most = 65530;
        try
        {
            if (int.TryParse(File.ReadAllText("/proc/sys/vm/max_map_count"), NumberStyles.Integer, CultureInfo.InvariantCulture, out int read)) most = read;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The default then.
        }
        return most - (most / 4);
    }
}
