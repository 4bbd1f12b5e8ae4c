using Xunit;

namespace WasmJit.Tests;

/// <summary>Module and instance types in the text format.</summary>
public sealed class LinkingTypeTests
{
    /// <summary>A tag type of a function type that is not there yet, itself for example.</summary>
    [Theory]
    [InlineData("(type $t (tag (type $t)))")]
    [InlineData("(rec (type $t (instance (export \"e\" (func (type $t))))))")]
    public void TypesUseWhatIsDefinedBefore(string types) =>
        Assert.Contains("unknown type", Assert.Throws<InvalidModuleException>(() => new Engine().CompileText($"(module {types})")).Message,
            StringComparison.Ordinal);

    [Theory]
    [InlineData("(instance (export \"f\" (func (param i32) (result f64))) (export \"g\" (func (param i32) (result f64))))")]
    [InlineData("(module (import \"h\" (func (param i32) (result f64))) (export \"f\" (func (result i64))))")]
    [InlineData("(instance (export \"f\" (func (param (ref null $g)))) (export \"g\" (func (type $g))))")]
    public void FunctionTypesMayBeWrittenOut(string type)
    {
        string uses = type.Replace("(func (param i32) (result f64))", "(func (type $f))", StringComparison.Ordinal)
            .Replace("(func (result i64))", "(func (type $g))", StringComparison.Ordinal)
            .Replace("(func (param (ref null $g)))", "(func (type $h))", StringComparison.Ordinal);
        const string Types = """
            (type $f (func (param i32) (result f64))) (type $g (func (result i64))) (type $h (func (param (ref null $g))))
            """;
        Module module = new Engine().CompileText($"(module {Types} (type {type}) (type {uses}))");
        Assert.Same(module.Info.Types[3], module.Info.Types[4]);
    }

    [Fact]
    public void TagTypesMayBeWrittenOut()
    {
        Module module = new Engine().CompileText("""
            (module (type $f (func (param i32 f64)))
              (type (module (import "h" "t" (tag (param i32 f64))) (export "t" (tag (type $f)))))
              (type (module (import "h" "t" (tag (type $f))) (export "t" (tag (param i32 f64))))))
            """);
        Assert.Same(module.Info.Types[1], module.Info.Types[2]);
    }

    /// <summary>Whatever a type field implies has a lower index: it comes first in the bytes.</summary>
    [Theory]
    [InlineData("(type (struct (field (ref (type outer 0 0)))))", "(alias outer 0 0 (type)) (type (struct (field (ref 0))))")]
    [InlineData("(type (func (param (ref (type outer 0 0)))))", "(alias outer 0 0 (type)) (type (func (param (ref 0))))")]
    [InlineData("(type (sub (type outer 0 1) (struct)))", "(alias outer 0 1 (type)) (type (sub 0 (struct)))")]
    [InlineData("(type (array (ref (func (param (ref (type outer 0 0)))))))", "(alias outer 0 0 (type)) (type (func (param (ref 0)))) (type (array (ref 1)))")]
    [InlineData("(rec (type (struct (field (ref 2)))) (type (array (ref (type outer 0 0)))))",
        "(alias outer 0 0 (type)) (rec (type (struct (field (ref 2)))) (type (array (ref 0))))")]
    public void TypesThatAFieldImpliesComeBeforeIt(string field, string written)
    {
        static byte[] Nested(string fields) => Wat.ToBinary($"(module (type (struct)) (type (sub (struct))) (module {fields}))");
        byte[] bytes = Nested(field);
        Assert.Equal(Nested(written), bytes);
        new Engine().Compile(bytes);
    }

    [Fact]
    public void ImportsOfExactFunctionsMayStandBehindModules() =>
        new Engine().CompileText("(module (type $t (func)) (module) (import \"a\" \"f\" (func (exact (type $t)))))");

    [Fact]
    public void OuterTypesOfAModuleTypeAreKnownOrNot()
    {
        WatException thrown = Assert.Throws<WatException>(() => Wat.ToBinary("(module (type (module (type (module (type (alias outer 0 $none)))))))"));
        Assert.Contains("unknown type none", thrown.Message, StringComparison.Ordinal);
    }
}
