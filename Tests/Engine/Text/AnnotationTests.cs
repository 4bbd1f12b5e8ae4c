using System.Text;
using WasmJit.Jit.Binary;
using WasmJit.Jit.Format;
using Xunit;

namespace WasmJit.Tests;

/// <summary>Annotations in the text format: custom sections, names, branch hints; and what is wrong with them.</summary>
public sealed class AnnotationTests
{
    private static ModuleInfo Decode(string text) => ModuleDecoder.Decode(Wat.ToBinary(text));

    private static string Content(ModuleInfo module, CustomSectionInfo section) =>
        Encoding.UTF8.GetString(module.Bytes.Span.Slice(section.Start, section.Length));

    [Fact]
    public void CustomSectionsStandWhereTheyArePlaced()
    {
        ModuleInfo module = Decode("""
            (module
              (@custom "last" "l" "1")
              (@custom "ag" (after global) "a")
              (@custom "bg" (before global) "b")
              (type (func))
              (@custom "bf" (before first) "f")
              (@custom "at" (after type))
              (@custom "bi" (before import))
              (global i32 (i32.const 0))
              (@custom "be" (before export) "e")
              (@custom "last" (after last) "l2")
              (func (type 0))
              (@custom "ag" (after global) "\00\c3\a4"))
            """);
        Assert.Equal(
            ["bf 0 f", "at 1 ", "bi 1 ", "bg 3 b", "ag 6 a", "ag 6 \0ä", "be 6 e", "last 10 l1", "last 10 l2"],
            module.CustomSections.Select(s => $"{s.Name} {s.After} {Content(module, s)}"));
    }

    [Fact]
    public void NamesOfAnnotationsTakeThePlaceOfIds()
    {
        NameSection names = Decode("""
            (module $m (@name "the module")
              (type $t (@name "a type") (func (param i32)))
              (type $s (struct (field $a (@name "same") i32) (field (@name "same") i64)))
              (import "a" "b" (memory $mem (@name "a memory") 1))
              (table (@name "a table") 1 funcref)
              (global $g i32 (i32.const 0))
              (tag $e (@name "") (type $t))
              (func $f (@name "λ x") (param $p (@name "x") i32) (param (@name "x") i32) (local $y i32) (local (@name "z") i64)
                (block $b (@name "a block") (br_if $b (local.get $p)))
                (block $c (call $f (local.get $y) (local.get 1))))
              (func (@name "λ x"))
              (elem $el (@name "an elem") func $f)
              (data $d (@name "a data") "x"))
            """).Names;
        Assert.Equal("the module", names.Module);
        Assert.Equal("a type", names.Types[0]);
        Assert.Equal("s", names.Types[1]);
        Assert.Equal(["same", "same"], [names.Fields[(1, 0)], names.Fields[(1, 1)]]);
        Assert.Equal("a memory", names.Memories[0]);
        Assert.Equal("a table", names.Tables[0]);
        Assert.Equal("g", names.Globals[0]);
        Assert.Equal("", names.Tags[0]);
        Assert.Equal(["λ x", "λ x"], [names.Funcs[0], names.Funcs[1]]);
        Assert.Equal(["x", "x", "y", "z"], Enumerable.Range(0, 4).Select(i => names.Locals[(0, (uint)i)]));
        Assert.Equal(["a block", "c"], [names.Labels[(0, 0)], names.Labels[(0, 1)]]);
        Assert.Equal("an elem", names.Elems[0]);
        Assert.Equal("a data", names.Datas[0]);
    }

    [Theory]
    [InlineData("local.get 0 (@metadata.code.branch_hint \"\\00\") if nop end local.get 0 (@metadata.code.branch_hint \"\\01\") br_if 0")]
    [InlineData("(@metadata.code.branch_hint \"\\00\") (if (local.get 0) (then nop)) (@metadata.code.branch_hint \"\\01\") (br_if 0 (local.get 0))")]
    public void HintsNameTheirBranches(string body)
    {
        ModuleInfo module = Decode($"(module (import \"\" \"\" (func)) (func) (func (param i32) (local f32) {body}))");
        CustomSectionInfo section = Assert.Single(module.CustomSections);
        Assert.Equal("metadata.code.branch_hint", section.Name);
        Assert.Equal(3, section.After);
        // One function, number 2, two hints; the body begins with its locals (3 bytes), then local.get 0.
        Assert.Equal("010202" + "050100" + "0B0101", Convert.ToHexString(module.Bytes.Span.Slice(section.Start, section.Length)));
        FuncInfo func = module.Funcs[2];
        Assert.Equal(Opcode.If, module.Bytes.Span[func.BodyStart + 5]);
        Assert.Equal(Opcode.BrIf, module.Bytes.Span[func.BodyStart + 11]);
    }

    [Fact]
    public void ASectionInFullReplacesTheOneMadeOfNames()
    {
        ModuleInfo module = Decode("(module (func $f) (@custom \"name\" (before code) \"\\00\\02\\01x\"))");
        CustomSectionInfo section = Assert.Single(module.CustomSections);
        Assert.Equal(3, section.After);
        Assert.Equal("x", module.Names.Module);
        Assert.Empty(module.Names.Funcs);
    }

    [Theory]
    [InlineData("(module (@custom \"a\" (before type) 1))", "@custom annotation: unexpected token")]
    [InlineData("(module (@custom \"a\" (before type last)))", "@custom annotation: unexpected token")]
    [InlineData("(module (@custom \"a\" (after first)))", "@custom annotation: malformed section kind")]
    [InlineData("(module (@custom \"a\" (before last)))", "@custom annotation: malformed section kind")]
    [InlineData("(module (@custom \"a\" ()))", "@custom annotation: malformed placement")]
    [InlineData("(module (import (@custom \"a\") \"a\" \"b\" (func)))", "misplaced @custom annotation")]
    [InlineData("(module (func (@name \"a\") (@name \"b\")))", "@name annotation: multiple func")]
    [InlineData("(module (func (@name a)))", "@name annotation: unexpected token")]
    [InlineData("(module (func (@name)))", "@name annotation: unexpected token")]
    [InlineData("(module (func (@name \"\\ff\")))", "@name annotation: malformed UTF-8 encoding")]
    [InlineData("(module (func (@name \"a\") $f))", "misplaced @name annotation")]
    [InlineData("(module (func (nop (@name \"a\"))))", "misplaced @name annotation")]
    [InlineData("(module (func (param i32) (@metadata.code.branch_hint \"\\02\") (if (local.get 0) (then))))", "@metadata.code.branch_hint annotation: invalid hint value")]
    [InlineData("(module (func (param i32) (@metadata.code.branch_hint 0) (if (local.get 0) (then))))", "@metadata.code.branch_hint annotation: unexpected token")]
    [InlineData("(module (func (param i32) (if (@metadata.code.branch_hint \"\\00\") (local.get 0) (then))))", "@metadata.code.branch_hint annotation: invalid target")]
    [InlineData("(module (func nop (@metadata.code.branch_hint \"\\00\")))", "@metadata.code.branch_hint annotation: invalid placement")]
    [InlineData("(module (func) (@metadata.code.branch_hint \"\\00\"))", "@metadata.code.branch_hint annotation: not in a function")]
    [InlineData("(module (@unknown \"unclosed)", "unclosed string")]
    [InlineData("(module (@unknown (a)", "unclosed annotation")]
    public void WhatIsWrongIsSaid(string text, string reason) =>
        Assert.Equal(reason, Assert.Throws<WatException>(() => Wat.ToBinary(text)).Reason);

    [Fact]
    public void OthersAreSkippedWhereverThereIsSpace() =>
        Assert.Equal(
            Wat.ToBinary("(module (func (param i32) (result i32) (i32.add (local.get 0) (i32.const 1))))"),
            Wat.ToBinary("(@a) (module (@b (c \"d\") [e]) (func (@f) (param (@g) i32) (result i32) (i32.add (@h ;; i\n) (local.get 0) (i32.const (@j (k)) 1))))"));
}
