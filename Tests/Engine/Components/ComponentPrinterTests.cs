using System.Text;
using Xunit;

namespace WasmJit.Tests;

/// <summary>Components printed, and read again.</summary>
public sealed class ComponentPrinterTests
{
    private static byte[] Read(string definitions) => Wat.ToBinary($"(component {definitions})");

    /// <summary>The text of every form; read again it has the same bytes.</summary>
    [Fact]
    public void FormsComeBack()
    {
        var text = new StringBuilder();
        foreach (string form in ComponentForms.All)
        {
            byte[] bytes = Read(form);
            string printed = Wat.FromBinary(bytes);
            Assert.Equal(Convert.ToHexString(bytes), Convert.ToHexString(Wat.ToBinary(printed)));
            text.Append(";; ").Append(form.ReplaceLineEndings(" ")).Append('\n').Append(printed).Append('\n');
        }
        Golden.Equal("printed.txt", text.ToString());
    }

    /// <summary>Every component of the official tests comes back byte for byte, if the reader made its bytes; others have the same text again.</summary>
    [ComponentSuiteTheory]
    [MemberData(nameof(ComponentSuiteTests.Files), MemberType = typeof(ComponentSuiteTests))]
    public void OfficialFilesComeBack(string file) => PrinterTests.RoundTripScript(Path.Combine(ComponentSuite.Folder!, file), file);

    /// <summary>Names that ids cannot say: those of nested things that differ, those of nothing, and sections that others wrote.</summary>
    [Theory]
    [InlineData("(@custom \"component-name\" \"\\01\\06\\03\\01\\05\\01x\")")]
    [InlineData("(@custom \"component-name\" \"\\01\\05\\03\\01\\05\\01x\") (type u8)")]
    [InlineData("(@custom \"component-name\" \"\\ff\") (type $t u8) (type (list $t))")]
    [InlineData("(core module $m) (@custom \"component-name\" \"\\01\\06\\00\\11\\01\\00\\01x\")")]
    [InlineData("(component $c) (@custom \"component-name\" \"\\01\\05\\04\\01\\00\\01x\")")]
    [InlineData("(core module (@name \"m\") (func)) (component (@name \"c\")) (@custom \"component-name\")")]
    [InlineData("(type $t u8) (type (@name \"t\") u8) (type (@name \"\") u8) (type $\"t u\" u8) (type (list $\"t u\"))")]
    [InlineData("(component $c (type $c u8)) (core module $c) (instance $c (instantiate $c))")]
    public void AllNamesComeBack(string definitions)
    {
        byte[] bytes = Read(definitions);
        Assert.Equal(Convert.ToHexString(bytes), Convert.ToHexString(Wat.ToBinary(Wat.FromBinary(bytes))));
    }

    [Fact]
    public void TheComponentsNameIsItsId()
    {
        byte[] bytes = Wat.ToBinary("(component $c (component (@name \"d e\") (type u8)))");
        Assert.StartsWith("(component $c\n  (component $\"d e\"\n    (type (;0;) u8)", Wat.FromBinary(bytes).ReplaceLineEndings("\n"), StringComparison.Ordinal);
    }

    [Fact]
    public void TheTextHasALimit()
    {
        byte[] bytes = Read("(import \"f\" (func $f)) (start $f" + string.Concat(Enumerable.Repeat(" (result (value))", 1000)) + ")");
        Assert.Throws<UnsupportedModuleException>(() => Wat.FromBinary(bytes, 10_000));
        Assert.Equal(bytes, Wat.ToBinary(Wat.FromBinary(bytes, 30_000)));
    }

    /// <summary>A number of results is not bounded by the bytes.</summary>
    [Fact]
    public void ResultsWithoutEndHaveALimit()
    {
        byte[] bytes = Convert.FromHexString("0061736d0d00010009070000" + "ffffffff0f");
        Assert.ThrowsAny<ModuleException>(() => Wat.FromBinary(bytes, 10_000));
    }

    /// <summary>Bytes with errors: what can still be decoded, valid or not, has a text that means the same.</summary>
    [Fact]
    public void WhatDecodesCanBePrintedAndRead()
    {
        byte[][] forms = [.. ComponentForms.All.Select(Read)];
        var random = new Random(13);
        int decoded = 0;
        for (int i = 0; i < 10_000; i++)
        {
            byte[] bytes = [.. forms[random.Next(forms.Length)]];
            for (int errors = random.Next(1, 3); errors > 0; errors--) bytes[random.Next(8, bytes.Length)] = (byte)random.Next(random.Next(2) == 0 ? 8 : 256);
            string text;
            try
            {
                text = Wat.FromBinary(bytes, 1_000_000);
            }
            catch (ModuleException)
            {
                continue;
            }
            decoded++;
            byte[] again = Wat.ToBinary(text);
            if (!again.AsSpan().SequenceEqual(bytes)) Assert.Equal(text, Wat.FromBinary(again));
        }
        Assert.InRange(decoded, 1000, 9000);
    }
}
