using WasmJit.Text;
using Xunit;

namespace WasmJit.Tests;

/// <summary>Errors of a module that was written as text are found in the text: the marked token is the one that is at fault.</summary>
public sealed class TextPlaceTests
{
    [Theory]
    // Plain and folded instructions, whose code comes behind that of their operands.
    [InlineData("(module (func (result i32)\n  i32.const 1\n  ^i64.eqz))")]
    [InlineData("(module (func (result i32)\n  (i32.add (i32.const 1)\n    ^(i64.eqz (i32.const 1)))))")]
    [InlineData("(module (func (drop ^(f32.neg (i32.const 1)))))")]
    [InlineData("(module (func (param i64)\n (local.set 0\n  (i64.const 1)) ^(local.set 0 (i32.const 1))))")]
    // Ends: of functions, of blocks in both ways to write them.
    [InlineData("(module (func $f (result i32)\n  nop\n^))")]
    [InlineData("(module (func\n  block (result i32)\n  nop\n  ^end drop))")]
    [InlineData("(module (func\n  (drop (block (result i32) nop^))))")]
    [InlineData("(module (func\n  (drop (if (result i32) (i32.const 1) (then (i32.const 1)) (else nop^)))))")]
    [InlineData("(module (func\n i32.const 1 if (result i32) i32.const 1 else nop ^end drop))")]
    [InlineData("(module (func\n i32.const 1 if (result i32) nop ^else i32.const 1 end drop))")]
    [InlineData("(module (func (try_table (result i32)^)))")]
    // Behind what is large, and in later functions.
    [InlineData("(module (func (drop (i64.const 0x7fffffffffffffff)) (drop (v128.const i64x2 1 2)))\n (func\n  (drop ^(memory.size))))", "unknown memory")]
    // Constant expressions, segments, exports, types, imports.
    [InlineData("(module (global i32 (i32.const 1))\n (global i32 ^(i64.const 1)))", "type mismatch", false)]
    [InlineData("(module (memory 1)\n (data (offset (i64.const 1)^) \"x\"))")]
    [InlineData("(module (func $f)\n (export \"a\" (func $f))\n ^(export \"a\" (func $f)))", "duplicate export name", false)]
    [InlineData("(module ^(memory 70000))", "memory size", false)]
    [InlineData("(module (func $f (param i32)) ^(start $f))", "start function", false)]
    // A module in a module.
    [InlineData("(module\n (module $m\n  (func (result i32) (i32.const 1))\n  (func (drop ^(f32.neg (i32.const 1)))))\n (func nop))")]
    public void TellsTheToken(string marked, string reason = "type mismatch", bool exact = true)
    {
        int at = marked.IndexOf('^', StringComparison.Ordinal);
        string text = marked.Remove(at, 1);
        byte[] bytes = Wat.ToBinary(System.Text.Encoding.UTF8.GetBytes(text), out Source source);
        Assert.False(new Engine().Validate(bytes, out ModuleException? error));
        Assert.Contains(reason, error!.Message, StringComparison.Ordinal);
        (int Line, int Column)? found = source.PlaceOf(error.Offset);
        Assert.NotNull(found);
        int line = text[..at].Count(c => c == '\n') + 1, column = at - text[..at].LastIndexOf('\n');
        // A folded instruction begins with its parenthesis, and is told by its word.
        if (text[at] == '(' && exact) column++;
        if (exact) Assert.Equal((line, column), found);
        else Assert.Equal(line, found.Value.Line);
    }

    [Fact]
    public void BinariesHaveNone()
    {
        byte[] bytes = Wat.ToBinary("(module binary \"\\00asm\\01\\00\\00\\00\\01\")"u8, out Source source);
        Assert.Null(source.PlaceOf(bytes.Length - 1));
    }
}
