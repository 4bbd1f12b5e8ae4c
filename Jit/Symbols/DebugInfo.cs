using WasmJit.Runtime;

namespace WasmJit.Jit.Symbols;

/// <summary>
/// What a module's debugging information says about addresses of its code. Nothing is read before the first question. Whatever is in the sections: they
/// cost a bounded time, and an answer is a location or none, never an exception.
/// </summary>
internal sealed class DebugInfo
{
    /// <summary>How many steps all questions about a module may take together, and each of them; a step takes about 10 ns.</summary>
    private const long MostSteps = 300_000_000, MostOfQuestion = 60_000_000;

    /// <summary>
    /// What is read once takes a few steps for each byte. So that small sections that refer to each other cost no more than they seem to, a question has so many steps,
    /// and so many more for each byte.
    /// </summary>
    private const long StepsOfQuestion = 100_000, StepsOfByte = 16;

    /// <summary>Questions of this length are answered in any case: the two ends of a deep stack.</summary>
    private const int Questions = 100;

    private const int MaxUnits = 100_000, MaxInlined = 64, MaxKnown = 10_000, MaxNesting = 1000;

    /// <summary>How many characters of names and paths are kept. A module may have the same long ones at each address.</summary>
    private const long MaxCharacters = 4_000_000;

    /// <summary>Reading a linker's name takes about so many steps for each character of it.</summary>
    private const int StepsOfCharacter = 16;

    private readonly DebugSections sections;
    private readonly Lock gate = new();
    private readonly Dictionary<ulong, IReadOnlyList<SourceLocation>> known = [];
    private readonly DebugBudget total;
    private readonly long stepsPerQuestion;
    private List<DebugUnit>? units;

    internal DebugInfo(DebugSections sections)
    {
        this.sections = sections;
        stepsPerQuestion = Math.Min(MostOfQuestion, StepsOfQuestion + (StepsOfByte * sections.Length));
        total = new DebugBudget(Math.Min(MostSteps, Questions * stepsPerQuestion));
    }

    /// <summary>Whether no more is read, because the module has cost all that it may; for tests.</summary>
    internal bool IsSpent => total.IsSpent;

    /// <summary>How many characters the answers have that are kept; for tests.</summary>
    internal long KeptCharacters { get; private set; }

    /// <summary>The functions and lines of an address of the code section, those that a compiler has inlined first.</summary>
    internal IReadOnlyList<SourceLocation> Find(ulong address)
    {
        if (sections.Info.IsEmpty) return [];
        lock (gate)
        {
            if (known.TryGetValue(address, out IReadOnlyList<SourceLocation>? found)) return found;
            if (total.IsSpent) return [];
            try
            {
                units ??= ReadUnits();
                found = FindIn(address);
            }
            catch (DebugFormatException)
            {
                found = [];
            }
            Keep(address, found);
            return found;
        }
    }

    private void Keep(ulong address, IReadOnlyList<SourceLocation> found)
    {
        long more = found.Sum(location => (long)(location.Function?.Length ?? 0) + (location.File?.Length ?? 0));
        if (known.Count >= MaxKnown || KeptCharacters + more > MaxCharacters) return;
        KeptCharacters += more;
        known[address] = found;
    }

    private List<DebugUnit> ReadUnits()
    {
        var list = new List<DebugUnit>();
        // Units that cannot be read leave the others as they are.
        var reading = new DebugBudget(stepsPerQuestion, total);
        try
        {
            for (int start = 0; start < sections.Info.Length && list.Count < MaxUnits;)
            {
                int before = start;
                try
                {
                    if (DebugUnit.Read(sections, ref start, reading) is { } unit) list.Add(unit);
                }
                catch (DebugFormatException) when (start > before && !reading.IsSpent)
                {
                }
            }
        }
        catch (DebugFormatException)
        {
        }
        return list;
    }

    private List<SourceLocation> FindIn(ulong address)
    {
        foreach (DebugUnit unit in units!)
        {
            bool covers = false;
            foreach ((ulong low, ulong high) in unit.Code) covers |= address >= low && address < high;
            if (!covers) continue;
            return new Question(this, unit, new DebugBudget(stepsPerQuestion, total)).Answer(address);
        }
        return [];
    }

    /// <summary>The unit that an offset of the section lies in.</summary>
    private DebugUnit? UnitAt(ulong offset)
    {
        // They are in the order of the section.
        int low = 0, high = units!.Count;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if ((ulong)units[middle].End <= offset) low = middle + 1;
            else high = middle;
        }
        return low < units.Count && offset >= (ulong)units[low].First ? units[low] : null;
    }

    private sealed class Question(DebugInfo info, DebugUnit unit, DebugBudget budget)
    {
        internal List<SourceLocation> Answer(ulong address)
        {
            List<DebugEntry> path = [];
            unit.ReadWith(budget);
            try
            {
                path = PathTo(address);
            }
            catch (DebugFormatException)
            {
                // The line may be known all the same.
            }
            LineTable? lines = null;
            LineTable.Place? place = null;
            try
            {
                if (unit.Root.HasLines) lines = new LineTable(info.sections, unit, budget);
                place = lines?.Find(address);
            }
            catch (DebugFormatException)
            {
            }
            var locations = new List<SourceLocation>();
            if (path.Count == 0)
            {
                if (place is { } only) locations.Add(new SourceLocation(null, lines!.FileOf(only.File), only.Line, only.Column));
                return locations;
            }
            for (int i = path.Count - 1; i >= 0; i--)
            {
                string? file = place is { } at ? lines!.FileOf(at.File) : null;
                locations.Add(new SourceLocation(NameOf(path[i]), file, place?.Line ?? 0, place?.Column ?? 0));
                DebugEntry entry = path[i];
                place = new LineTable.Place(entry.CallFile, (int)Math.Min(entry.CallLine, int.MaxValue), (int)Math.Min(entry.CallColumn, int.MaxValue));
                if (lines is null) place = null;
            }
            return locations;
        }

        /// <summary>The function at an address, and in it the calls that were inlined there, outermost first.</summary>
        private List<DebugEntry> PathTo(ulong address)
        {
            var path = new List<DebugEntry>();
            int position = unit.First;
            unit.ReadEntry(ref position, out DebugEntry root);
            int depth = root.HasChildren ? 1 : 0;
            // How deep the entries of the path are.
            var depths = new List<int>();
            while (depth > 0 && position < unit.End)
            {
                budget.Spend(4);
                if (!unit.ReadEntry(ref position, out DebugEntry entry))
                {
                    depth--;
                    // All that is inside of what was found has been seen.
                    if (depths.Count > 0 && depth <= depths[0]) return path;
                    continue;
                }
                bool isFunction = entry.Tag is DwarfTag.Subprogram or DwarfTag.InlinedSubroutine;
                if (isFunction && Covers(entry, address) && path.Count < MaxInlined)
                {
                    // Entries of the path that do not enclose this one are behind us.
                    while (depths.Count > 0 && depths[^1] >= depth)
                    {
                        depths.RemoveAt(depths.Count - 1);
                        path.RemoveAt(path.Count - 1);
                    }
                    if (entry.Tag == DwarfTag.Subprogram || path.Count > 0)
                    {
                        path.Add(entry);
                        depths.Add(depth);
                    }
                }
                else if (entry.HasChildren && entry.Sibling > (ulong)position && entry.Sibling < (ulong)unit.End && isFunction)
                {
                    // A function elsewhere: what is in it cannot be here.
                    position = (int)entry.Sibling;
                    continue;
                }
                if (entry.HasChildren && ++depth > MaxNesting) throw new DebugFormatException("entries nested too deep");
            }
            return path;
        }

        private bool Covers(in DebugEntry entry, ulong address)
        {
            if (!entry.HasRanges) return entry is { HasLow: true, HasHigh: true } && entry.Low != 0 && address >= entry.Low && address < entry.End;
            foreach ((ulong low, ulong high) in unit.RangesOf(entry))
                if (address >= low && address < high) return true;
            return false;
        }

        /// <summary>The name of a function; it may stand with what the entry was made of.</summary>
        private string? NameOf(DebugEntry entry)
        {
            const int most = 8;
            DebugUnit owner = unit;
            try
            {
                for (int i = 0; i < most; i++)
                {
                    if (owner.TextOf(entry.LinkageName) is { Length: > 0 } linkage)
                    {
                        budget.Spend(StepsOfCharacter * linkage.Length);
                        return Demangler.Demangle(linkage);
                    }
                    if (entry.HasOrigin && info.UnitAt(entry.Origin) is { } other && i < most - 1)
                    {
                        other.ReadWith(budget);
                        int position = (int)entry.Origin;
                        if (other.ReadEntry(ref position, out DebugEntry origin))
                        {
                            if (owner.TextOf(entry.Name) is { Length: > 0 } own && origin.LinkageName.Form == 0) return own;
                            (entry, owner) = (origin, other);
                            continue;
                        }
                    }
                    return owner.TextOf(entry.Name);
                }
            }
            catch (DebugFormatException)
            {
            }
            return null;
        }
    }
}
