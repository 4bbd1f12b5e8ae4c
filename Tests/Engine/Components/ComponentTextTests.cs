using System.Text;
using WasmJit.Text;
using Xunit;

namespace WasmJit.Tests;

/// <summary>What the text reader makes of components.</summary>
public sealed class ComponentTextTests
{
    private static byte[] Read(string definitions) => Wat.ToBinary($"(component {definitions})");

    /// <summary>The bytes of every form. They were compared with those of Wasmtime's reader where it knows the form.</summary>
    [Fact]
    public void FormsHaveTheirBytes()
    {
        var text = new StringBuilder();
        foreach (string form in ComponentForms.All) text.Append(form).Append('\n').Append("  ").Append(Convert.ToHexStringLower(Read(form))).Append('\n');
        Golden.Equal("forms.txt", text.ToString());
    }

    [Theory]
    [InlineData("(component\n  (import \"a\" (func $f))\n  (export \"b\" (func $g)))", 3, 21, "unknown func g")]
    [InlineData("(component (type $t u8)\n (type $t u8))", 2, 11, "duplicate type t")]
    [InlineData("(component (type (list)))", 1, 23, "unexpected token )")]
    [InlineData("(component (type (record (field \"a\" u9))))", 1, 37, "unexpected token u9")]
    [InlineData("(component\n\n(core func $f (canon lower $f)))", 3, 28, "unexpected token $f")]
    [InlineData("(component (canon resource.make 0 (core func)))", 1, 19, "unexpected token resource.make")]
    [InlineData("(component (canon lift (func 0) (func)))", 1, 24, "unexpected token (")]
    [InlineData("(component (import \"a\" (core func)))", 1, 25, "unexpected token: a core func cannot leave its component")]
    [InlineData("(component (import \"a\" (func $x)) (component (export \"x\" (func $x))))", 1, 64, "outer item `x` is not a module, type, or component")]
    [InlineData("(component (alias outer $c 0 (type)))", 1, 25, "unknown outer component c")]
    [InlineData("(component $c (alias outer $c $t (type)))", 1, 31, "unknown type t")]
    [InlineData("(component (alias export 0 \"a\" (core func)))", 1, 42, "an instance exports no core func")]
    [InlineData("(component (alias core export 0 \"a\" (func)))", 1, 42, "an instance exports no func")]
    [InlineData("(component (alias outer 0 0 (func)))", 1, 34, "expected core module, core type, component or type for an outer alias")]
    [InlineData("(component (import \"a\" (implements \"b:c/d\") (implements \"b:c/d\") (instance)))", 1, 45, "unexpected token (")]
    [InlineData("(component (import \"\\ff\" (func)))", 1, 20, "malformed UTF-8 encoding")]
    [InlineData("(component (value u8 256))", 1, 22, "u8 out of range: constant out of range")]
    [InlineData("(component (value (enum \"a\") (enum \"b\")))", 1, 39, "unknown case b")]
    [InlineData("(component (import \"t\" (type $t (sub resource))) (value $v $t 1))", 1, 63, "the definition of the value's type is not here; (binary ...) can write the value")]
    [InlineData("(component (core type (module (export \"a\" (func (type $t))))))", 1, 55, "unknown core type t")]
    [InlineData("(component (core type (module (type $t (func)) (export \"a\" (func (type $t) (param i32))))))", 1, 76, "inline function type")]
    [InlineData("(component (func $f))", 1, 20, "unexpected token )")]
    [InlineData("(component (frob))", 1, 13, "unexpected token frob")]
    [InlineData("(component) (component)", 1, 13, "unexpected token (")]
    [InlineData("(component (core module (func (frob))))", 1, 32, "unknown operator frob")]
    [InlineData("(component (type u8)", 1, 21, "unexpected token: the text ends")]
    public void ErrorsSayWhereAndWhy(string text, int line, int column, string reason)
    {
        WatException e = Assert.Throws<WatException>(() => Wat.ToBinary(text));
        Assert.Equal((line, column, reason), (e.Line, e.Column, e.Reason));
    }

    /// <summary>What nests without end is an error, and no exhausted stack.</summary>
    [Theory]
    [InlineData("(component ", ")")]
    [InlineData("(component (type ", "u8))")]
    public void NestingHasAnEnd(string open, string close)
    {
        const int Depth = 200_000;
        string inner = open.EndsWith("(type ", StringComparison.Ordinal) ? "(list " : "(component ";
        string text = open + string.Concat(Enumerable.Repeat(inner, Depth)) + (inner == "(list " ? "u8" : "") + new string(')', Depth) + close.TrimStart('u', '8');
        WatException e = Assert.Throws<WatException>(() => Wat.ToBinary(text));
        Assert.Equal("nesting too deep", e.Reason);
    }

    /// <summary>An id of an enclosing component is an alias, made once in each component.</summary>
    [Fact]
    public void OuterIdsAreAliases() => Assert.Equal(
        Read("(type $t u8) (component (alias outer 1 0 (type)) (type (list 0)) (type (option 0)))").Length,
        Read("(type $t u8) (component (type (list $t)) (type (option $t)))").Length);

    /// <summary>A component's own ids come before those of enclosing ones.</summary>
    [Fact]
    public void OwnIdsComeFirst() => Assert.Equal(
        Read("(type $t u8) (component (type $t u16) (type (list 0)))"), Read("(type $t u8) (component (type $t u16) (type (list $t)))"));

    /// <summary>Parameters behind a type's index say the same again, in each module type by its own types.</summary>
    [Fact]
    public void FunctionTypesAreComparedWhereTheyAreWritten() => Assert.Equal(
        Read("""
            (core type $f (func (param i64))) (core type (module (type $t (func (param i32))) (import "" "a" (func (type $t)))))
            (core type (module (alias outer 1 $f (type $t)) (export "a" (func (type $t)))))
            """),
        Read("""
            (core type $f (func (param i64))) (core type (module (type $t (func (param i32))) (import "" "a" (func (type $t) (param i32)))))
            (core type (module (alias outer 1 $f (type $t)) (export "a" (func (type $t) (param i64)))))
            """));

    /// <summary>Exports in definitions follow all other definitions, in their order.</summary>
    [Fact]
    public void InlineExportsAreLast()
    {
        const string Head = "(core module $m (func (export \"f\"))) (core instance $i (instantiate $m))";
        Assert.Equal(
            Read($"{Head} (func $f (canon lift (core func $i \"f\"))) (type u8) (export \"a\" (func $f)) (export \"b\" (func $f))"),
            Read($"{Head} (func $f (export \"a\") (export \"b\") (canon lift (core func $i \"f\"))) (type u8)"));
    }

    /// <summary>A script's component may be quoted: its definitions, without the parentheses around them.</summary>
    [Fact]
    public void ScriptsQuoteComponents()
    {
        WastScript script = WastReader.Read("(component quote \"(type u8)\" \"(component)\") (component binary \"\\00asm\")"u8, "a.wast");
        Assert.Equal(Read("(type u8) (component)"), ((ModuleCommand)script.Commands[0]).Module.Encode());
        Assert.Equal(4, ((ModuleCommand)script.Commands[1]).Module.Encode().Length);
    }

    /// <summary>Texts with errors are read, or the error says where it is; nothing else happens.</summary>
    [Fact]
    public void TextsWithErrorsAreReadOrRejected()
    {
        string[][] forms = [.. ComponentForms.All.Select(form => Tokens($"(component {form})"))];
        var random = new Random(7);
        int read = 0, rejected = 0;
        for (int i = 0; i < 10_000; i++)
        {
            List<string> tokens = [.. forms[random.Next(forms.Length)]];
            int at = random.Next(tokens.Count);
            string[] others = forms[random.Next(forms.Length)];
            switch (random.Next(4))
            {
                case 0: tokens.RemoveAt(at); break;
                case 1: tokens.Insert(at, others[random.Next(others.Length)]); break;
                case 2: tokens[at] = others[random.Next(others.Length)]; break;
                default: (tokens[at], tokens[^(at + 1)]) = (tokens[^(at + 1)], tokens[at]); break;
            }
            try
            {
                Wat.ToBinary(string.Join(' ', tokens));
                read++;
            }
            catch (WatException e)
            {
                Assert.True(e.Line >= 1 && e.Column >= 1);
                rejected++;
            }
        }
        Assert.True(read > 500 && rejected > 5000, $"{read} read, {rejected} rejected");
    }

    private static string[] Tokens(string text) =>
        [.. Lexer.Read(text).Tokens.Where(t => t.Kind != TokenKind.End).Select(t => t.Kind == TokenKind.Id ? "$" + t.Text : t.Text)];
}
