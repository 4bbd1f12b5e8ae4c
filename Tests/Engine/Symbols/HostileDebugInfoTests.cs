using WasmJit.Jit.Format;
using WasmJit.Jit.Symbols;
using Xunit;

namespace WasmJit.Tests;

/// <summary>Debugging information that is small and says much: neither what it costs nor what is kept of it grows beyond what its bytes are worth.</summary>
public sealed class HostileDebugInfoTests
{
    private const int HighestAddress = 1 << 20;

    /// <summary>The longest text that is read.</summary>
    private const int LongText = 4096;

    private static byte[] Bytes(Action<ByteWriter> write)
    {
        var writer = new ByteWriter();
        write(writer);
        return writer.Span.ToArray();
    }

    /// <summary>Something with its length in 32 bits before it.</summary>
    private static byte[] Sized(Action<ByteWriter> write)
    {
        byte[] content = Bytes(write);
        return [.. BitConverter.GetBytes(content.Length), .. content];
    }

    private static void Numbers(ByteWriter writer, params ReadOnlySpan<int> numbers)
    {
        foreach (int number in numbers) writer.U32((uint)number);
    }

    /// <summary>A unit of version 5 for all addresses. The abbreviation 1 is that of its first entry.</summary>
    private static byte[] Unit(Action<ByteWriter> entries) => Sized(writer =>
    {
        writer.Bytes([5, 0, DwarfUnit.Compile, 4, 0, 0, 0, 0]);
        writer.U32(1);
        entries(writer);
    });

    /// <summary>The attributes of an entry that has all addresses: their names, forms and values are constants of the abbreviation.</summary>
    private static void AllAddresses(ByteWriter writer)
    {
        foreach ((int name, int value) in new[] { (DwarfAttribute.LowPc, 1), (DwarfAttribute.HighPc, HighestAddress) })
        {
            Numbers(writer, name, DwarfForm.ImplicitConstant);
            writer.S64(value);
        }
    }

    private static DebugInfo Info(Dictionary<string, byte[]> sections) => new(new DebugSections(name => sections.GetValueOrDefault(name)));

    /// <summary>Asks for the first time, about an address that all units have.</summary>
    private static IReadOnlyList<SourceLocation> FindInBounds(DebugInfo info)
    {
        long before = GC.GetAllocatedBytesForCurrentThread();
        IReadOnlyList<SourceLocation> found = info.Find(2);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 64 << 20);
        return found;
    }

    [Fact]
    public void NamesOfALineTableAreNotMadeBeforeTheyAreAskedFor()
    {
        // 100,000 directories and files, all of which are one text of 4,096 characters: 1.6 GB as strings.
        const int names = 100_000;
        byte[] table = Sized(writer =>
        {
            writer.Bytes([5, 0, 4, 0]);
            byte[] header = Bytes(head =>
            {
                head.Bytes([1, 1, 1, 0, 1, 10, 0, 1, 1, 1, 1, 0, 0, 0, 1]);
                for (int list = 0; list < 2; list++)
                {
                    head.U8(1);
                    Numbers(head, DwarfLine.Path, DwarfForm.LineStringOffset, names);
                    head.Bytes(new byte[4 * names]);
                }
            });
            writer.Bytes(BitConverter.GetBytes(header.Length));
            writer.Bytes(header);
            // A row for address 1, and the end of the sequence.
            writer.Bytes([DwarfLine.Extended, 5, DwarfLine.SetAddress, 1, 0, 0, 0, DwarfLine.Copy, DwarfLine.AdvancePc, 100, DwarfLine.Extended, 1, DwarfLine.EndSequence]);
        });
        DebugInfo info = Info(new Dictionary<string, byte[]>
        {
            [".debug_info"] = Unit(entries => entries.Bytes([0, 0, 0, 0, 0])),
            [".debug_abbrev"] = Bytes(writer =>
            {
                Numbers(writer, 1, DwarfTag.CompileUnit, 1);
                AllAddresses(writer);
                Numbers(writer, DwarfAttribute.StatementList, DwarfForm.SectionOffset, 0, 0, 0);
            }),
            [".debug_line"] = table,
            [".debug_line_str"] = [.. Enumerable.Repeat((byte)'n', LongText), 0],
        });
        SourceLocation found = Assert.Single(FindInBounds(info));
        Assert.StartsWith("\u2026nnn", found.File, StringComparison.Ordinal);
        Assert.InRange(found.File!.Length, 100, 1024);
    }

    [Fact]
    public void AttributesWithoutBytesCostWhatTheyAre()
    {
        // Each of 20,000 entries has 20,000 attributes, of which none takes a byte: uncounted, the questions would take an hour.
        const int many = 20_000;
        const int flag = 0x3f;
        DebugInfo info = Info(new Dictionary<string, byte[]>
        {
            [".debug_info"] = Unit(entries => entries.Bytes(Enumerable.Repeat((byte)2, many).ToArray())),
            [".debug_abbrev"] = Bytes(writer =>
            {
                Numbers(writer, 1, DwarfTag.CompileUnit, 1);
                AllAddresses(writer);
                Numbers(writer, 0, 0, 2, DwarfTag.Subprogram, 0);
                for (int i = 0; i < many; i++) Numbers(writer, flag, DwarfForm.FlagPresent);
                Numbers(writer, 0, 0, 0);
            }),
        });
        for (ulong address = 2; address < 1000 && !info.IsSpent; address++) Assert.Empty(info.Find(address));
        Assert.True(info.IsSpent);
    }

    [Fact]
    public void UnitsThatShareATableOfAbbreviationsKeepNoGigabytes()
    {
        // 20,000 units of 13 bytes, each with 3,000 abbreviations that are the same for all.
        const int units = 20_000, abbreviations = 3000;
        byte[] unit = Unit(_ => { });
        DebugInfo info = Info(new Dictionary<string, byte[]>
        {
            [".debug_info"] = [.. Enumerable.Repeat(unit, units).SelectMany(bytes => bytes)],
            [".debug_abbrev"] = Bytes(writer =>
            {
                Numbers(writer, 1, DwarfTag.CompileUnit, 0);
                AllAddresses(writer);
                Numbers(writer, 0, 0);
                for (int i = 2; i < abbreviations; i++) Numbers(writer, i, DwarfTag.Subprogram, 0, 0, 0);
                Numbers(writer, 0);
            }),
        });
        FindInBounds(info);
    }

    [Fact]
    public void RangesThatUnitsShareKeepNoGigabytes()
    {
        // 20,000 units with the same 50,000 ranges.
        const int units = 20_000, ranges = 50_000;
        byte[] unit = Unit(_ => { });
        DebugInfo info = Info(new Dictionary<string, byte[]>
        {
            [".debug_info"] = [.. Enumerable.Repeat(unit, units).SelectMany(bytes => bytes)],
            [".debug_abbrev"] = Bytes(writer =>
            {
                Numbers(writer, 1, DwarfTag.CompileUnit, 0, DwarfAttribute.Ranges, DwarfForm.ImplicitConstant);
                writer.S64(0);
                Numbers(writer, 0, 0, 0);
            }),
            [".debug_rnglists"] = Bytes(writer =>
            {
                for (int i = 0; i < ranges; i++) writer.Bytes([DwarfRange.StartLength, 1, 0, 0, 0, 1]);
                writer.U8(DwarfRange.EndOfList);
            }),
        });
        FindInBounds(info);
    }

    [Fact]
    public void WhatIsKeptOfAnswersIsBounded()
    {
        // Ten functions in each other at every address, each with a name of 4,096 characters.
        const int deep = 10;
        DebugInfo info = Info(new Dictionary<string, byte[]>
        {
            [".debug_info"] = Unit(entries =>
            {
                for (int i = 0; i < deep; i++) entries.Bytes([2, 0, 0, 0, 0]);
                entries.Bytes(new byte[deep + 1]);
            }),
            [".debug_abbrev"] = Bytes(writer =>
            {
                Numbers(writer, 1, DwarfTag.CompileUnit, 1);
                AllAddresses(writer);
                Numbers(writer, 0, 0, 2, DwarfTag.Subprogram, 1);
                AllAddresses(writer);
                Numbers(writer, DwarfAttribute.Name, DwarfForm.StringOffset, 0, 0, 0);
            }),
            [".debug_str"] = [.. Enumerable.Repeat((byte)'n', LongText), 0],
        });
        int answered = 0;
        for (ulong address = 2; address < 5000; address++) answered += info.Find(address).Count;
        Assert.True(answered > deep);
        Assert.InRange(info.KeptCharacters, 1, 4_000_000);
    }
}
