using Xunit;

namespace WasmJit.Tests.PublicApi;

/// <summary>A set of imports says what is in it, and refuses to hold two of one name.</summary>
public sealed class ImportsTests
{
    private static readonly Engine Engine = new();

    private static Instance Library() => Engine.CompileText("(module (func (export \"f\") (result i32) (i32.const 1)))").Instantiate();

    [Fact]
    public void DuplicatesAreRefused()
    {
        var imports = new Imports { { "env", "f", (Func<int>)(() => 1) }, { "lib", Library() }, { "single", new Memory(new MemoryType(1)) } };
        Assert.Throws<ArgumentException>(() => imports.Add("env", "f", (Func<int>)(() => 2)));
        Assert.Throws<ArgumentException>(() => imports.Add("lib", Library()));
        Assert.Throws<ArgumentException>(() => imports.Add("single", (object)new Memory(new MemoryType(1))));
        // The same names in another role are others.
        imports.Add("env", Library());
        imports.Add("lib", "f", (Func<int>)(() => 3));
    }

    [Fact]
    public void AnImportIsReplacedOnPurpose()
    {
        Module module = Engine.CompileText("(module (import \"env\" \"f\" (func $f (result i32))) (export \"g\" (func $f)))");
        var imports = new Imports { { "env", "f", (Func<int>)(() => 1) } };
        imports["env", "f"] = (Func<int>)(() => 2);
        Assert.Equal(2, module.Instantiate(imports).GetExport<Func<int>>("g")());
    }

    [Fact]
    public void AllOfThemAreEnumerated()
    {
        Instance library = Library();
        var memory = new Memory(new MemoryType(1));
        var imports = new Imports { { "env", "f", (Func<int>)(() => 1) }, { "lib", library }, { "single", memory } };
        Assert.Equal(3, imports.Count());
        Assert.Contains(imports, i => i.Key == ("env", "f") && i.Value is Func<int>);
        Assert.Contains(imports, i => i.Key == ("lib", null) && ReferenceEquals(i.Value, library));
        Assert.Contains(imports, i => i.Key == ("single", null) && ReferenceEquals(i.Value, memory));
    }

    /// <summary>Everything that goes wrong with a module or guest is one kind of exception.</summary>
    [Theory]
    [InlineData("(module (func (result i32)))")]
    [InlineData("(module (import \"env\" \"missing\" (func)))")]
    [InlineData("(module (func $f unreachable) (start $f))")]
    [InlineData("(module (tag $e) (func $f (throw $e)) (start $f))")]
    [InlineData("(module (func")]
    public void WhatGoesWrongIsAWasmJitException(string text) =>
        Assert.IsAssignableFrom<WasmJitException>(Assert.ThrowsAny<Exception>(() => Engine.CompileText(text).Instantiate()));
}
