namespace WasmJit.Jit.Symbols;

/// <summary>A line table: files, and the program that says for each address the line. It is run again for each question; nothing of it is kept.</summary>
internal sealed class LineTable
{
    /// <summary>Where in the sources an address is.</summary>
    internal readonly record struct Place(ulong File, int Line, int Column);

    /// <summary>The most files and directories that are read.</summary>
    private const int MaxNames = 100_000;

    /// <summary>The longest path that is made; of longer ones the end is kept.</summary>
    private const int MaxPath = 1024;

    /// <summary>The forms of names that the unit says of itself.</summary>
    private const int UnitDirectory = -1, UnitName = -2;

    private readonly DebugSections sections;
    private readonly DebugBudget budget;
    private readonly DebugUnit unit;

    /// <summary>Text is made only of names that are asked for: thousands may be the same long one.</summary>
    private readonly List<DebugText> directories = [];
    private readonly List<(DebugText Name, ulong Directory)> files = [];
    private readonly int version, minimumLength, lineBase, lineRange, program, end;
    private readonly byte[] operands;

    /// <exception cref="DebugFormatException">The table is not one of DWARF 2 to 5.</exception>
    internal LineTable(DebugSections sections, DebugUnit unit, DebugBudget budget)
    {
        this.sections = sections;
        this.unit = unit;
        this.budget = budget;
        var cursor = new DebugCursor(sections.Lines.Span, 0, budget);
        cursor.Seek(unit.Root.LineOffset);
        ulong length = cursor.UnitLength(out int offsetSize);
        if (length > (ulong)(cursor.Length - cursor.Position)) throw new DebugFormatException("a line table beyond the section");
        end = cursor.Position + (int)length;
        version = cursor.U16();
        if (version is < 2 or > 5) throw new DebugFormatException($"a line table of version {version}");
        if (version >= 5)
        {
            // The sizes of addresses, which instructions tell themselves, and of segments.
            cursor.Skip(2);
        }
        ulong header = cursor.Unsigned(offsetSize);
        if (header > (ulong)(end - cursor.Position)) throw new DebugFormatException("a header beyond its table");
        program = cursor.Position + (int)header;
        minimumLength = cursor.U8();
        if (version >= 4) cursor.U8();
        cursor.U8();
        lineBase = (sbyte)cursor.U8();
        lineRange = cursor.U8();
        int opcodes = cursor.U8();
        if (lineRange == 0 || opcodes == 0) throw new DebugFormatException("a line table without opcodes");
        operands = new byte[opcodes];
        for (int i = 1; i < opcodes; i++) operands[i] = cursor.U8();
        if (version >= 5)
        {
            ReadNames(ref cursor, offsetSize, (name, _) => directories.Add(name));
            ReadNames(ref cursor, offsetSize, (name, directory) => files.Add((name, directory)));
            return;
        }
        directories.Add(new DebugText(UnitDirectory, 0));
        files.Add((new DebugText(UnitName, 0), 0));
        while (Inline(ref cursor) is { } directory && directories.Count < MaxNames) directories.Add(directory);
        while (Inline(ref cursor) is { } file && files.Count < MaxNames)
        {
            files.Add((file, cursor.Uleb()));
            cursor.Uleb();
            cursor.Uleb();
        }
    }

    /// <summary>Steps over a name that stands in the table itself.</summary>
    /// <returns>Where it is; null if it is empty, which ends a list.</returns>
    private static DebugText? Inline(ref DebugCursor cursor)
    {
        int at = cursor.Position;
        return cursor.Bytes().IsEmpty ? null : new DebugText(DwarfForm.String, (ulong)at);
    }

    /// <summary>The tables of version 5, which say themselves what they have of each name.</summary>
    private void ReadNames(ref DebugCursor cursor, int offsetSize, Action<DebugText, ulong> add)
    {
        int count = cursor.U8();
        var formats = new (ulong Content, int Form)[count];
        for (int i = 0; i < count; i++) formats[i] = (cursor.Uleb(), (int)Math.Min(cursor.Uleb(), int.MaxValue));
        ulong names = cursor.Uleb();
        if (names > MaxNames) throw new DebugFormatException("too many files");
        for (ulong i = 0; i < names; i++)
        {
            DebugText name = default;
            ulong directory = 0;
            foreach ((ulong content, int form) in formats)
            {
                DebugText? text = null;
                ulong number = 0;
                switch (form)
                {
                    case DwarfForm.String: text = Inline(ref cursor); break;
                    case DwarfForm.StringOffset or DwarfForm.LineStringOffset: text = new DebugText(form, cursor.Unsigned(offsetSize)); break;
                    case DwarfForm.StringIndex: text = new DebugText(form, cursor.Uleb()); break;
                    case DwarfForm.StringIndex1: text = new DebugText(form, cursor.U8()); break;
                    case DwarfForm.StringIndex2: text = new DebugText(form, cursor.U16()); break;
                    case DwarfForm.StringIndex4: text = new DebugText(form, cursor.U32()); break;
                    case DwarfForm.Data1: number = cursor.U8(); break;
                    case DwarfForm.Data2: number = cursor.U16(); break;
                    case DwarfForm.Data4: number = cursor.U32(); break;
                    case DwarfForm.Data8: number = cursor.U64(); break;
                    case DwarfForm.UnsignedData: number = cursor.Uleb(); break;
                    case DwarfForm.Block: cursor.Skip(cursor.Uleb()); break;
                    case DwarfForm.Data16: cursor.Skip(16); break;
                    default: throw new DebugFormatException($"a name of the form {form:x}");
                }
                if (content == DwarfLine.Path) name = text ?? default;
                else if (content == DwarfLine.DirectoryIndex) directory = number;
            }
            add(name, directory);
        }
    }

    /// <summary>The path of a file; null if there is none of the number, or its name cannot be read.</summary>
    internal string? FileOf(ulong number)
    {
        try
        {
            string? path = PathOf(number);
            return path is { Length: > MaxPath } ? string.Concat("\u2026", path.AsSpan(path.Length - MaxPath + 1)) : path;
        }
        catch (DebugFormatException)
        {
            return null;
        }
    }

    private string? PathOf(ulong number)
    {
        if (number >= (ulong)files.Count) return null;
        (DebugText place, ulong directory) = files[(int)number];
        if (TextOf(place) is not { Length: > 0 } name) return null;
        if (IsRooted(name) || directory >= (ulong)directories.Count) return name;
        string path = Join(TextOf(directories[(int)directory]) ?? "", name);
        return directory != 0 || version >= 5 ? Join(IsRooted(path) || directory == 0 ? "" : unit.TextOf(unit.Root.Directory) ?? "", path) : path;
    }

    /// <exception cref="DebugFormatException">The name is not where it should be.</exception>
    private string? TextOf(DebugText name) => name.Form switch
    {
        UnitDirectory => unit.TextOf(unit.Root.Directory),
        UnitName => unit.TextOf(unit.Root.Name),
        DwarfForm.String => DebugSections.TextAt(sections.Lines, name.Value, budget),
        _ => unit.TextOf(name),
    };

    private static bool IsRooted(string path) => path.StartsWith('/') || (path.Length > 2 && path[1] == ':' && path[2] is '\\' or '/');

    private static string Join(string directory, string path) => directory.Length == 0 || IsRooted(path) ? path : directory.EndsWith('/') ? directory + path : $"{directory}/{path}";

    /// <summary>The row for an address; null if the table has none.</summary>
    internal Place? Find(ulong address)
    {
        var cursor = new DebugCursor(sections.Lines.Span[..end], program, budget);
        Place? found = null, before = null;
        ulong foundAt = 0, beforeAt = 0;
        var row = new Row(1);
        bool inSequence = false;
        ulong first = 0;
        while (!cursor.AtEnd)
        {
            int opcode = cursor.U8();
            if (opcode >= operands.Length)
            {
                int special = opcode - operands.Length;
                row.Address += (ulong)(special / lineRange) * (ulong)minimumLength;
                row.Line += lineBase + (special % lineRange);
                Emit();
                continue;
            }
            switch (opcode)
            {
                case DwarfLine.Extended:
                    ulong length = cursor.Uleb();
                    if (length == 0) break;
                    ulong next = (ulong)cursor.Position + length;
                    switch (cursor.U8())
                    {
                        case DwarfLine.EndSequence:
                            Emit();
                            // A sequence at 0 belongs to a function that the linker has dropped.
                            if (before is not null && first != 0 && address < row.Address && (found is null || beforeAt >= foundAt)) (found, foundAt) = (before, beforeAt);
                            before = null;
                            inSequence = false;
                            row = new Row(1);
                            break;
                        case DwarfLine.SetAddress when length is 5 or 9: row.Address = cursor.Unsigned((int)length - 1); break;
                    }
                    cursor.Seek(next);
                    break;
                case DwarfLine.Copy: Emit(); break;
                case DwarfLine.AdvancePc: row.Address += cursor.Uleb() * (ulong)minimumLength; break;
                case DwarfLine.AdvanceLine: row.Line += cursor.Sleb(); break;
                case DwarfLine.SetFile: row.File = cursor.Uleb(); break;
                case DwarfLine.SetColumn: row.Column = cursor.Uleb(); break;
                case DwarfLine.ConstAddPc: row.Address += (ulong)((255 - operands.Length) / lineRange) * (ulong)minimumLength; break;
                case DwarfLine.FixedAdvancePc: row.Address += cursor.U16(); break;
                default:
                    for (int i = operands[opcode]; i > 0; i--) cursor.Uleb();
                    break;
            }
        }
        return found;

        void Emit()
        {
            if (!inSequence) first = row.Address;
            inSequence = true;
            if (row.Address > address) return;
            // The last of several rows for one address counts.
            before = new Place(row.File, (int)Math.Clamp(row.Line, 0, int.MaxValue), (int)Math.Min(row.Column, int.MaxValue));
            beforeAt = row.Address;
        }
    }

    private struct Row(long line)
    {
        internal ulong Address = 0, File = 1, Column = 0;
        internal long Line = line;
    }
}
