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

    /// <summary>Tests and samples with bytes that are no WebAssembly.</summary>
    private static readonly string[] OtherBytes =
    [
        // Machine code, IL, and a disk.
        "Tests/Agreement/SharedProcess.cs", "Tests/Engine/Runtime/DotnetFactTests.cs", "Tests/Engine/Runtime/FaultHandlerCodeTests.cs",
        "Tests/Engine/Runtime/FrameGuardTests.cs", "Tests/Engine/House/TypeReferences.cs", "Samples/Guests/Processor.cs",
        // Numbers that operators compute with, lanes of a shuffle, contents of a memory, bytes of text.
        "Tests/Engine/Operators/ScalarReference.cs", "Tests/Engine/Operators/VectorOperatorTests.cs", "Tests/Engine/Emit/ShufflePlanTests.cs",
        "Tests/Engine/Runtime/AtomicTests.cs", "Tests/Engine/Wasi/WasiNameTests.cs", "Tests/Engine/Components/LongTextTests.cs",
        // Immediates on the borders of their encoding.
        "Tests/Engine/Validation/QuickValidationTests.cs",
        // The examples below.
        "Tests/Engine/House/BareNumberTests.cs",
    ];

    [Fact]
    public void NumbersOfTheFormatHaveNames() =>
        Assert.Equal("", Found(Products.Folders, Named, 400, line => BareByte().IsMatch(line) || BareSection().IsMatch(line)));

    /// <summary>Modules that tests and measurements write byte by byte have the names, too.</summary>
    [Fact]
    public void NumbersInTestsHaveNames() => Assert.Equal(
        "", Found(["Tests", "Perf", "Samples"], OtherBytes, 300, line => BareByte().IsMatch(line) || BareSection().IsMatch(line) || ByteInArray().IsMatch(line)));

    private static string Found(IEnumerable<string> folders, string[] others, int atLeast, Predicate<string> isBare)
    {
        var found = new List<string>();
        int files = 0;
        foreach (string file in folders.SelectMany(SourceFiles.In))
        {
            string path = SourceFiles.PathOf(file);
            if (Array.Exists(others, other => path.StartsWith(other, StringComparison.Ordinal))) continue;
            files++;
            found.AddRange(SourceFiles.Lines(file, isBare));
        }
        Assert.True(files > atLeast, $"{files}");
        return string.Join('\n', found);
    }

    [Theory]
    [InlineData("case 0x41 or 0x42: U64(); break;")]
    [InlineData("if (op.Prefix == 0xfd)")]
    [InlineData("module.U8(0x0b);")]
    [InlineData("return [0x20, (byte)i];")]
    [InlineData("if (section.Id is 10 or 12) break;")]
    [InlineData("hasDataCount |= id == 12;")]
    public void SuchNumbersAreFound(string line) => Assert.True(BareByte().IsMatch(line) || BareSection().IsMatch(line));

    [Theory]
    [InlineData("byte[] body = [0, 0x20, 0, 0x0b];")]
    [InlineData("bytes.AddRange([1, 4, 1, 0x60, 0, 0]);")]
    [InlineData("byte[] heap = [type, 0xd0, 0x70];")]
    public void SuchNumbersAreFoundInTests(string line) => Assert.Matches(ByteInArray(), line);

    /// <summary>A byte that something is compared with, or that is written; not 0x80 and 0xff, which are borders of encodings.</summary>
    [GeneratedRegex(@"(\bcase|==|!=|\bis|\bor|\bnot|U8\(|\[) *(\(byte\) ?)?0x(?!80|ff)[0-9a-f]{2}\b")]
    private static partial Regex BareByte();

    /// <summary>An opcode, a type or a prefix that is not the first of several bytes.</summary>
    [GeneratedRegex(", *0x(0b|1a|2[0-4]|4[0-4]|5[0-9a-f]|6[0-9a-f]|7[0-9a-f]|d[0-6]|f[b-e])\\b")]
    private static partial Regex ByteInArray();

    [GeneratedRegex(@"\b(id|Id|section|Section|Prefix)\b *(==|!=|is|is not) *[1-9]")]
    private static partial Regex BareSection();
}
