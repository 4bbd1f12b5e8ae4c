using System.Text.RegularExpressions;
using Xunit;

namespace WasmJit.Tests;

/// <summary>What operators mean is asked of their rows, and not of their names.</summary>
public sealed partial class OperatorUseTests
{
    /// <summary>Where names are what matters: the table, and the text that is printed and listed.</summary>
    private static readonly string[] OfText = ["Jit/Operators/", "Text/Printer/", "Text/Reader/"];

    [Fact]
    public void MnemonicsDecideNothing()
    {
        var found = new List<string>();
        foreach (string file in Products.Folders.SelectMany(SourceFiles.In))
        {
            string path = SourceFiles.PathOf(file);
            // Instructions of a processor have mnemonics, too.
            if (path.StartsWith("Runtime/DotNet/", StringComparison.Ordinal) || Array.Exists(OfText, text => path.StartsWith(text, StringComparison.Ordinal))) continue;
            found.AddRange(SourceFiles.Lines(file, Decision().IsMatch));
        }
        Assert.Equal("", string.Join('\n', found));
    }

    [Theory]
    [InlineData("=> op.Mnemonic switch")]
    [InlineData("if (instr.Op.Mnemonic == \"i32.add\")")]
    [InlineData("operators[0] = (instr.Op.Mnemonic, instr.A);")]
    [InlineData("op.Mnemonic.StartsWith(\"i32\")")]
    public void SuchDecisionsAreFound(string line) => Assert.Matches(Decision(), line);

    [Theory]
    [InlineData("throw new InvalidOperationException($\"The validator has no case for {op.Mnemonic}.\");")]
    [InlineData("module.UseLinkingInCode(op.Mnemonic, position.Offset);")]
    public void NamesInMessagesAreNotDecisions(string line) => Assert.DoesNotMatch(Decision(), line);

    /// <summary>A mnemonic that is compared, taken apart or kept. In messages it stands in braces, or is passed on with a place.</summary>
    [GeneratedRegex(@"\.Mnemonic(?: (?:switch|is|==|!=)|\.|\[|, instr\.)")]
    private static partial Regex Decision();
}
