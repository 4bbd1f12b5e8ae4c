using System.Text.RegularExpressions;
using Xunit;

namespace WasmJit.Tests;

/// <summary>Numbers of the binary format stand under their names: opcodes, prefixes, types, sections.</summary>
public sealed partial class BareNumberTests
{
    /// <summary>The files in which numbers get their names, and those with bytes that are no WebAssembly.</summary>
    private static readonly string[] Named =
    [
        "Jit/Format/", "Components/Format/", "Runtime/Types/HeapByte.cs", "Jit/Symbols/Dwarf.cs", "Jit/Il/IlOp.cs",
        // Machine code.
        "Runtime/DotNet/", "Jit/Calls/StubCode.cs",
        // A module as bytes, which a test makes of its text.
        "Linking/FastPathTest.cs",
        // The systems' numbers of errors and flags, the first bytes of an archive, the planes of network addresses.
        "Wasi/Files/", "Wasi/FileSystems/ArchiveFileSystem.cs", "Wasi/Preview2/Sockets/SocketValues.cs",
    ];

    [Fact]
    public void NumbersOfTheFormatHaveNames()
    {
        var found = new List<string>();
        int files = 0;
        foreach (string file in Products.Folders.SelectMany(SourceFiles.In))
        {
            string path = Path.GetRelativePath(SourceFiles.Root, file).Replace('\\', '/');
            if (Array.Exists(Named, named => path.StartsWith(named, StringComparison.Ordinal))) continue;
            files++;
            foreach ((int index, string line) in File.ReadLines(file).Index())
                if (BareByte().IsMatch(line) || BareSection().IsMatch(line)) found.Add($"{path}:{index + 1}: {line.Trim()}");
        }
        Assert.True(files > 400);
        Assert.Equal("", string.Join('\n', found));
    }

    [Theory]
    [InlineData("case 0x41 or 0x42: U64(); break;")]
    [InlineData("if (op.Prefix == 0xfd)")]
    [InlineData("module.U8(0x0b);")]
    [InlineData("return [0x20, (byte)i];")]
    [InlineData("if (section.Id is 10 or 12) break;")]
    [InlineData("hasDataCount |= id == 12;")]
    public void SuchNumbersAreFound(string line) => Assert.True(BareByte().IsMatch(line) || BareSection().IsMatch(line));

    /// <summary>A byte that something is compared with, or that is written; not 0x80 and 0xff, which are borders of encodings.</summary>
    [GeneratedRegex(@"(\bcase|==|!=|\bis|\bor|\bnot|U8\(|\[) *(\(byte\) ?)?0x(?!80|ff)[0-9a-f]{2}\b")]
    private static partial Regex BareByte();

    [GeneratedRegex(@"\b(id|Id|section|Section|Prefix)\b *(==|!=|is|is not) *[1-9]")]
    private static partial Regex BareSection();
}
