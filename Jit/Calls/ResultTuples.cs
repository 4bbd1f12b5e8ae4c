namespace WasmJit.Jit.Calls;

/// <summary>
/// The number of types of several results. Several results are a ValueTuple, and .NET never forgets one that has been made for some types: 4 KB each.
/// Up to four results have three thousand such types. There is no end of types with more results, so that a guest could fill the process.
/// </summary>
internal static class ResultTuples
{
    /// <summary>Types with at least so many results are counted.</summary>
    private const int Counted = 5;

    /// <summary>How many of them a process can have.</summary>
    internal const int Most = 20_000;

    private static readonly HashSet<string> Known = [];
    private static int most = Most;

    /// <summary>Lowers the number to so many beside those that there are.</summary>
    internal static int? RoomForTests
    {
        set
        {
            lock (Known) most = value is { } room ? Known.Count + room : Most;
        }
    }

    /// <summary>Counts the type of results, given by their letters.</summary>
    /// <exception cref="UnsupportedModuleException">There are too many.</exception>
    internal static void Count(ReadOnlySpan<char> letters)
    {
        if (letters.Length < Counted) return;
        lock (Known)
        {
            HashSet<string>.AlternateLookup<ReadOnlySpan<char>> lookup = Known.GetAlternateLookup<ReadOnlySpan<char>>();
            if (lookup.Contains(letters)) return;
            if (Known.Count >= most)
                throw new UnsupportedModuleException($"the process has functions of {most} types of {Counted} and more results already, which .NET never forgets");
            lookup.Add(letters);
        }
    }
}
