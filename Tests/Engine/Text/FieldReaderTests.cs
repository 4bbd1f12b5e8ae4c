using WasmJit.Text;
using Xunit;

namespace WasmJit.Tests;

/// <summary>What the text reader makes of fields before it encodes them, and the order in which they are encoded.</summary>
public sealed class FieldReaderTests
{
    private static ModuleSyntax Read(string fields)
    {
        Source source = Lexer.Read(fields);
        return FieldReader.Read(source, 0, source.Tokens.Length - 1, null);
    }

    private static string[] Kinds(IEnumerable<Field> fields) => [.. fields.Select(f => f.GetType().Name)];

    [Fact]
    public void FieldsAreRecordsInTheOrderOfTheText()
    {
        ModuleSyntax module = Read("""
            (func $f (export "a") (export "b") (param $x i32) (local $y i64) (drop (local.get $x)))
            (type $t (sub $s (struct (field $a i32) (field i8 (mut i16)))))
            (table $e funcref (elem $f $f)) (memory (data "ab" "c")) (elem declare func $f) (data $d (offset (i32.const 0)) "x")
            """);
        Assert.Equal(["FuncField", "TypeField", "ElementTableField", "DataMemoryField", "ElemField", "DataField"], Kinds(module.Fields));
        var func = (FuncField)module.Fields[0];
        Assert.Equal("f", func.Head.Id);
        Assert.Equal(["a", "b"], func.Head.Exports.Select(e => System.Text.Encoding.UTF8.GetString(e.Name)));
        Assert.Equal("x", Assert.Single(func.Type.Func.Params).Id);
        Assert.Equal("y", Assert.Single(func.Locals).Id);
        Assert.Null(func.Type.Index);
        SubTypeSyntax type = Assert.Single(((TypeField)module.Fields[1]).Members);
        Assert.Equal("s", Assert.Single(type.Supers).Id);
        Assert.False(type.IsFinal);
        Assert.Equal(["a", null, null], ((StructSyntax)type.Type).Fields.Select(f => f.Id));
        Assert.Equal(["f", "f"], ((ElementTableField)module.Fields[2]).Elements.Funcs!.Select(f => f.Id));
        Assert.True(((ElemField)module.Fields[4]).IsDeclarative);
        Assert.False(((DataField)module.Fields[5]).Offset!.Value.IsFolded);
    }

    [Fact]
    public void AliasesInThePlaceOfIndicesAreFoundInInstructions()
    {
        Field field = Assert.Single(Read("(func (call (func $i \"f\")) (drop (global.get (global 0 \"a\" \"g\"))))").Fields);
        Assert.Equal(["f", "a g"], field.Aliases.Select(a => string.Join(' ', ((ExportAliasSyntax)a).Names)));
        Assert.Equal(["func", "global"], field.Aliases.Select(a => a.Kind));
    }

    [Fact]
    public void AliasesComeBeforeDefinitionsAndImportsBeforeModules()
    {
        const string Text = """
            (func $own (call (func $i "f")))
            (module $m (func (export "f")))
            (instance $i (instantiate $m))
            (type $t (func))
            """;
        ModuleSyntax module = Read($"{Text} (func $other)");
        var names = new ModuleNames(Lexer.Read(Text), module, null);
        var layout = new ModuleLayout(module, names);
        Assert.Equal(["TypeField"], Kinds(layout.Types));
        Assert.Equal(["ModuleField", "InstanceField", "ImpliedAliasField"], Kinds(layout.First));
        layout.DefineOwn();
        Assert.Equal([1u, 2u], layout.Own.Select(f => ((DefinitionField)f).Index));

        module = Read("(module $m) (import \"a\" \"b\" (func))");
        layout = new ModuleLayout(module, new ModuleNames(Lexer.Read(""), module, null));
        Assert.Equal(["ImportField", "ModuleField"], Kinds(layout.First));
    }

    /// <summary>Constant expressions are of no function.</summary>
    [Theory]
    [InlineData("(global i32 (local.get $x))")]
    [InlineData("(elem (offset (local.get $x)) func)")]
    public void AFunctionsLocalsAreItsOwn(string field)
    {
        WatException thrown = Assert.Throws<WatException>(() => Wat.ToBinary($"(module (table 1 funcref) {field} (func (local $x i32)) {field})"));
        Assert.Equal("unknown local x", thrown.Reason);
        thrown = Assert.Throws<WatException>(() => Wat.ToBinary($"(module (table 1 funcref) (func (local $x i32)) {field})"));
        Assert.Equal("unknown local x", thrown.Reason);
    }
}
