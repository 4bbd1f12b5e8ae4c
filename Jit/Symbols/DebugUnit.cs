namespace WasmJit.Jit.Symbols;

/// <summary>The attributes of an entry that are of interest here.</summary>
internal struct DebugEntry
{
    internal int Tag;
    internal bool HasChildren;

    /// <summary>The address of the code, or its index among the unit's addresses.</summary>
    internal ulong Low, High;
    internal bool HasLow, HasHigh, HighIsLength;

    /// <summary>Where the code ends.</summary>
    internal readonly ulong End => HighIsLength ? Low + High : High;

    /// <summary>Where the list of address ranges is.</summary>
    internal ulong Ranges;
    internal bool HasRanges;

    /// <summary>The entry that has the name, as an offset in the section.</summary>
    internal ulong Origin;
    internal bool HasOrigin;

    internal DebugText Name, LinkageName, Directory;
    internal ulong LineOffset;
    internal bool HasLines;
    internal ulong CallFile, CallLine, CallColumn;
    internal ulong Sibling;
}

/// <summary>A string that has not been read yet: its form and offset; form 0 stands for no string.</summary>
internal readonly record struct DebugText(int Form, ulong Value);

/// <summary>A compilation unit: how its entries are read, and which code it is about.</summary>
internal sealed class DebugUnit
{
    /// <summary>The attributes of an abbreviation: name, form, and the value of constants that stand in it.</summary>
    private sealed record Abbreviation(int Tag, bool HasChildren, (int Name, int Form, long Value)[] Attributes);

    /// <summary>What it costs that an abbreviation or a range is kept: units may share one table of them, and each has its own copy.</summary>
    private const int StepsOfAbbreviation = 32, StepsOfRange = 8;

    private readonly DebugSections sections;
    private readonly Dictionary<ulong, Abbreviation> abbreviations = [];
    private DebugBudget budget;
    private ulong addressBase, stringOffsetsBase, rangeListsBase;

    private DebugUnit(DebugSections sections, DebugBudget budget)
    {
        this.sections = sections;
        this.budget = budget;
    }

    /// <summary>Reads on for another question.</summary>
    internal void ReadWith(DebugBudget budget) => this.budget = budget;

    internal int Start { get; private init; }

    internal int End { get; private init; }

    internal int Version { get; private init; }

    internal int OffsetSize { get; private init; }

    internal int AddressSize { get; private init; }

    /// <summary>Where the first entry is.</summary>
    internal int First { get; private init; }

    /// <summary>The entry of the unit itself.</summary>
    internal DebugEntry Root { get; private set; }

    /// <summary>The addresses that the unit has code at.</summary>
    internal List<(ulong Low, ulong High)> Code { get; private set; } = [];

    /// <summary>Reads a unit's header, abbreviations and first entry.</summary>
    /// <param name="sections">The sections.</param>
    /// <param name="start">Where the unit begins; then where the next one does.</param>
    /// <param name="budget">What may be read.</param>
    /// <returns>Null if the unit is not one of code.</returns>
    internal static DebugUnit? Read(DebugSections sections, ref int start, DebugBudget budget)
    {
        int begin = start;
        var cursor = new DebugCursor(sections.Info.Span, begin, budget);
        ulong length = cursor.UnitLength(out int offsetSize);
        if (length > (ulong)(cursor.Length - cursor.Position)) throw new DebugFormatException("a unit beyond the section");
        start = cursor.Position + (int)length;
        int end = start;
        int version = cursor.U16();
        if (version is < 2 or > 5) return null;
        int kind = version >= 5 ? cursor.U8() : DwarfUnit.Compile;
        int addressSize = version >= 5 ? cursor.U8() : 0;
        ulong abbreviations = cursor.Unsigned(offsetSize);
        if (version < 5) addressSize = cursor.U8();
        // Type units have no code; skeletons refer to files that are not here.
        if (kind != DwarfUnit.Compile || addressSize is not (4 or 8)) return null;
        var unit = new DebugUnit(sections, budget)
        {
            Start = begin,
            End = end,
            Version = version,
            OffsetSize = offsetSize,
            AddressSize = addressSize,
            First = cursor.Position,
        };
        unit.ReadAbbreviations(abbreviations);
        // Attributes may need the bases, which can stand behind them.
        int position = unit.First;
        unit.ReadEntry(ref position, out _, bases: true);
        position = unit.First;
        if (!unit.ReadEntry(ref position, out DebugEntry root) || root.Tag != DwarfTag.CompileUnit) return null;
        unit.Root = root;
        unit.Code = unit.RangesOf(root);
        return unit;
    }

    private void ReadAbbreviations(ulong offset)
    {
        var cursor = new DebugCursor(sections.Abbreviations.Span, 0, budget);
        cursor.Seek(offset);
        var attributes = new List<(int, int, long)>();
        while (cursor.Uleb() is var code and not 0)
        {
            int tag = (int)Math.Min(cursor.Uleb(), int.MaxValue);
            bool hasChildren = cursor.U8() != 0;
            attributes.Clear();
            while (true)
            {
                int name = (int)Math.Min(cursor.Uleb(), int.MaxValue), form = (int)Math.Min(cursor.Uleb(), int.MaxValue);
                if (name == 0 && form == 0) break;
                attributes.Add((name, form, form == DwarfForm.ImplicitConstant ? cursor.Sleb() : 0));
                budget.Spend(4);
            }
            budget.Spend(StepsOfAbbreviation);
            abbreviations[code] = new Abbreviation(tag, hasChildren, [.. attributes]);
        }
    }

    /// <summary>Reads the entry at a place in the section and steps behind it.</summary>
    /// <returns>False at the mark that ends a list of children.</returns>
    internal bool ReadEntry(ref int position, out DebugEntry entry) => ReadEntry(ref position, out entry, bases: false);

    private bool ReadEntry(ref int position, out DebugEntry entry, bool bases)
    {
        entry = default;
        var cursor = new DebugCursor(sections.Info.Span[..End], position, budget);
        ulong code = cursor.Uleb();
        if (code == 0)
        {
            position = cursor.Position;
            return false;
        }
        if (!abbreviations.TryGetValue(code, out Abbreviation? abbreviation)) throw new DebugFormatException("an entry without abbreviation");
        entry.Tag = abbreviation.Tag;
        entry.HasChildren = abbreviation.HasChildren;
        // Some attributes have no bytes in the entry.
        budget.Spend(abbreviation.Attributes.Length);
        foreach ((int name, int form, long constant) in abbreviation.Attributes) ReadAttribute(ref cursor, ref entry, name, form, constant, bases);
        position = cursor.Position;
        return true;
    }

    private void ReadAttribute(ref DebugCursor cursor, ref DebugEntry entry, int name, int form, long constant, bool bases)
    {
        for (int depth = 0; form == DwarfForm.Indirect; depth++)
        {
            form = (int)Math.Min(cursor.Uleb(), int.MaxValue);
            if (depth > 4) throw new DebugFormatException("forms that refer to each other in a circle");
        }
        ulong value = ReadValue(ref cursor, form, constant);
        if (bases)
        {
            if (name == DwarfAttribute.StringOffsetsBase) stringOffsetsBase = value;
            else if (name == DwarfAttribute.AddressBase) addressBase = value;
            else if (name == DwarfAttribute.RangeListsBase) rangeListsBase = value;
            return;
        }
        switch (name)
        {
            case DwarfAttribute.Sibling: entry.Sibling = Reference(form, value); break;
            case DwarfAttribute.Name: entry.Name = new DebugText(form, value); break;
            case DwarfAttribute.StatementList:
                entry.LineOffset = value;
                entry.HasLines = true;
                break;
            case DwarfAttribute.LowPc:
                entry.HasLow = true;
                entry.Low = IsAddressIndex(form) ? AddressAt(value) : value;
                break;
            case DwarfAttribute.HighPc:
                entry.HasHigh = true;
                entry.HighIsLength = form != DwarfForm.Address && !IsAddressIndex(form);
                entry.High = IsAddressIndex(form) ? AddressAt(value) : value;
                break;
            case DwarfAttribute.CompilationDirectory: entry.Directory = new DebugText(form, value); break;
            case DwarfAttribute.AbstractOrigin or DwarfAttribute.Specification:
                // The origin of an inlined function has the name, rather than the declaration of that origin.
                if (entry.HasOrigin && name == DwarfAttribute.Specification) break;
                entry.Origin = Reference(form, value);
                entry.HasOrigin = true;
                break;
            case DwarfAttribute.Ranges:
                entry.Ranges = form == DwarfForm.RangeListIndex ? RangeListAt(value) : value;
                entry.HasRanges = true;
                break;
            case DwarfAttribute.CallColumn: entry.CallColumn = value; break;
            case DwarfAttribute.CallFile: entry.CallFile = value; break;
            case DwarfAttribute.CallLine: entry.CallLine = value; break;
            case DwarfAttribute.LinkageName or DwarfAttribute.MipsLinkageName: entry.LinkageName = new DebugText(form, value); break;
        }
    }

    private static bool IsAddressIndex(int form) => form is DwarfForm.AddressIndex or DwarfForm.AddressIndex1 or DwarfForm.AddressIndex2 or DwarfForm.AddressIndex3 or DwarfForm.AddressIndex4;

    private ulong Reference(int form, ulong value) => form is DwarfForm.Reference1 or DwarfForm.Reference2 or DwarfForm.Reference4 or DwarfForm.Reference8 or DwarfForm.ReferenceUnsigned ? (ulong)Start + value : value;

    /// <summary>The value of an attribute: for strings their offset, for values that are not used here 0.</summary>
    private ulong ReadValue(ref DebugCursor cursor, int form, long constant)
    {
        switch (form)
        {
            case DwarfForm.Address: return cursor.Unsigned(AddressSize);
            case DwarfForm.Block2: cursor.Skip(cursor.U16()); return 0;
            case DwarfForm.Block4: cursor.Skip(cursor.U32()); return 0;
            case DwarfForm.Data2 or DwarfForm.Reference2: return cursor.U16();
            case DwarfForm.Data4 or DwarfForm.Reference4: return cursor.U32();
            case DwarfForm.Data8 or DwarfForm.Reference8 or DwarfForm.ReferenceSignature: return cursor.U64();
            case DwarfForm.String:
                ulong at = (ulong)cursor.Position;
                cursor.Bytes();
                return at;
            case DwarfForm.Block or DwarfForm.Expression: cursor.Skip(cursor.Uleb()); return 0;
            case DwarfForm.Block1: cursor.Skip(cursor.U8()); return 0;
            case DwarfForm.Data1 or DwarfForm.Flag or DwarfForm.Reference1 or DwarfForm.StringIndex1 or DwarfForm.AddressIndex1: return cursor.U8();
            case DwarfForm.SignedData: return (ulong)cursor.Sleb();
            case DwarfForm.StringOffset or DwarfForm.SectionOffset or DwarfForm.StringSupplementary or DwarfForm.LineStringOffset: return cursor.Unsigned(OffsetSize);
            case DwarfForm.UnsignedData or DwarfForm.ReferenceUnsigned or DwarfForm.StringIndex or DwarfForm.AddressIndex or DwarfForm.LocationListIndex or DwarfForm.RangeListIndex: return cursor.Uleb();
            case DwarfForm.ReferenceAddress: return cursor.Unsigned(Version <= 2 ? AddressSize : OffsetSize);
            case DwarfForm.FlagPresent: return 1;
            case DwarfForm.ReferenceSupplementary4: return cursor.U32();
            case DwarfForm.Data16: cursor.Skip(16); return 0;
            case DwarfForm.ImplicitConstant: return (ulong)constant;
            case DwarfForm.ReferenceSupplementary8: return cursor.U64();
            case DwarfForm.StringIndex2 or DwarfForm.AddressIndex2: return cursor.U16();
            case DwarfForm.StringIndex3 or DwarfForm.AddressIndex3: return cursor.U24();
            case DwarfForm.StringIndex4 or DwarfForm.AddressIndex4: return cursor.U32();
            default: throw new DebugFormatException($"an attribute of the form {form:x}");
        }
    }

    /// <summary>A string of an entry; null if it has none.</summary>
    internal string? TextOf(DebugText text)
    {
        ulong value = text.Value;
        switch (text.Form)
        {
            case DwarfForm.String: return DebugSections.TextAt(sections.Info, value, budget);
            case DwarfForm.StringOffset: return DebugSections.TextAt(sections.Strings, value, budget);
            case DwarfForm.LineStringOffset: return DebugSections.TextAt(sections.LineStrings, value, budget);
            case DwarfForm.StringIndex or DwarfForm.StringIndex1 or DwarfForm.StringIndex2 or DwarfForm.StringIndex3 or DwarfForm.StringIndex4:
                var cursor = new DebugCursor(sections.StringOffsets.Span, 0, budget);
                cursor.Seek(Indexed(stringOffsetsBase, value, OffsetSize));
                return DebugSections.TextAt(sections.Strings, cursor.Unsigned(OffsetSize), budget);
            default: return null;
        }
    }

    private static ulong Indexed(ulong start, ulong index, int size) =>
        index > int.MaxValue ? throw new DebugFormatException("an index beyond the section") : start + (index * (ulong)size);

    private ulong AddressAt(ulong index)
    {
        var cursor = new DebugCursor(sections.Addresses.Span, 0, budget);
        cursor.Seek(Indexed(addressBase, index, AddressSize));
        return cursor.Unsigned(AddressSize);
    }

    private ulong RangeListAt(ulong index)
    {
        var cursor = new DebugCursor(sections.RangeLists.Span, 0, budget);
        cursor.Seek(Indexed(rangeListsBase, index, OffsetSize));
        return rangeListsBase + cursor.Unsigned(OffsetSize);
    }

    /// <summary>How many ranges of an entry are looked at.</summary>
    private const int MaxRanges = 100_000;

    /// <summary>The addresses of an entry's code.</summary>
    internal List<(ulong Low, ulong High)> RangesOf(in DebugEntry entry)
    {
        var ranges = new List<(ulong, ulong)>();
        if (entry.HasRanges) ReadRanges(entry.Ranges, ranges);
        else if (entry is { HasLow: true, HasHigh: true }) Add(ranges, entry.Low, entry.End);
        return ranges;
    }

    private void Add(List<(ulong, ulong)> ranges, ulong low, ulong high)
    {
        // Linkers leave 0 where functions have been dropped.
        if (low == 0 || low >= high || ranges.Count >= MaxRanges) return;
        budget.Spend(StepsOfRange);
        ranges.Add((low, high));
    }

    private void ReadRanges(ulong offset, List<(ulong, ulong)> ranges)
    {
        ulong start = Root.HasLow ? Root.Low : 0;
        if (Version < 5)
        {
            var pairs = new DebugCursor(sections.Ranges.Span, 0, budget);
            pairs.Seek(offset);
            ulong select = AddressSize == 4 ? uint.MaxValue : ulong.MaxValue;
            while (true)
            {
                ulong low = pairs.Unsigned(AddressSize), high = pairs.Unsigned(AddressSize);
                if (low == 0 && high == 0) return;
                if (low == select) start = high;
                else Add(ranges, start + low, start + high);
            }
        }
        var cursor = new DebugCursor(sections.RangeLists.Span, 0, budget);
        cursor.Seek(offset);
        while (true)
        {
            switch (cursor.U8())
            {
                case DwarfRange.EndOfList: return;
                case DwarfRange.BaseIndex: start = AddressAt(cursor.Uleb()); break;
                case DwarfRange.StartIndexEndIndex: Add(ranges, AddressAt(cursor.Uleb()), AddressAt(cursor.Uleb())); break;
                case DwarfRange.StartIndexLength:
                    ulong indexed = AddressAt(cursor.Uleb());
                    Add(ranges, indexed, indexed + cursor.Uleb());
                    break;
                case DwarfRange.OffsetPair: Add(ranges, start + cursor.Uleb(), start + cursor.Uleb()); break;
                case DwarfRange.BaseAddress: start = cursor.Unsigned(AddressSize); break;
                case DwarfRange.StartEnd: Add(ranges, cursor.Unsigned(AddressSize), cursor.Unsigned(AddressSize)); break;
                case DwarfRange.StartLength:
                    ulong low = cursor.Unsigned(AddressSize);
                    Add(ranges, low, low + cursor.Uleb());
                    break;
                default: throw new DebugFormatException("a range of an unknown kind");
            }
        }
    }
}
