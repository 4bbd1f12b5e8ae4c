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

    public sealed class Host
    {
        public int First() => 1;

        public int Second() => 2;

        public Memory Last { get; } = new(new MemoryType(1));
    }

    public sealed class BadHost
    {
        public int First() => 1;

        public void Second(decimal value) => _ = value;
    }

    /// <summary>Who catches the exception finds the imports as they were.</summary>
    [Theory]
    [InlineData("first")]
    [InlineData("second")]
    [InlineData("last")]
    public void AnObjectIsAddedWholeOrNotAtAll(string taken)
    {
        Func<int> own = () => 7;
        var imports = new Imports { { "env", taken, own } };
        // Whichever of the two is the member's own name.
        imports["env", char.ToUpperInvariant(taken[0]) + taken[1..]] = own;
        KeyValuePair<(string Module, string? Name), object>[] before = [.. imports];
        Assert.Throws<ArgumentException>(() => imports.AddObject("env", new Host()));
        Assert.Equal(before, imports);
        Assert.Throws<BindingException>(() => imports.AddObject("env", new BadHost()));
        Assert.Equal(before, imports);
        Assert.Throws<ArgumentNullException>(() => imports.AddObject<Host>("env", null!));
        Assert.Throws<ArgumentNullException>(() => imports.AddObject<Host>(null!, new Host()));
        Assert.Equal(before, imports);
        imports.AddObject("other", new Host());
        Assert.Equal(before.Length + 6, imports.Count());
    }

    /// <summary>The same of stand-ins for what a module imports: a reference that must not be null has none.</summary>
    [Fact]
    public void StandInsAreAddedAllOrNone()
    {
        Module module = Engine.CompileText("""
            (module
              (import "env" "f" (func)) (import "env" "m" (memory 1)) (import "env" "own" (func))
              (import "single" (instance (export "g" (func)))) (import "one" (memory 1))
              (import "env" "impossible" (global (ref func))))
            """);
        var imports = new Imports { { "env", "own", (Action)(() => { }) } };
        KeyValuePair<(string Module, string? Name), object>[] before = [.. imports];
        Assert.Throws<LinkException>(() => imports.AddUnknown(module, UnknownImports.Trap));
        Assert.Equal(before, imports);
        imports["env", "impossible"] = Engine.CompileText("(module (func $f) (global (export \"g\") (ref func) (ref.func $f)))").Instantiate().GetExport<Global>("g");
        Assert.Equal(["f", "m", null, null], imports.AddUnknown(module, UnknownImports.Trap).Select(i => i.Name));
        module.Instantiate(imports);
    }

    /// <summary>What is no import is refused where it is given.</summary>
    [Fact]
    public void NothingIsNotAnImport()
    {
        var imports = new Imports();
        Action f = () => { };
        Assert.Throws<ArgumentNullException>(() => imports.Add(null!, "f", f));
        Assert.Throws<ArgumentNullException>(() => imports.Add("env", null!, f));
        Assert.Throws<ArgumentNullException>(() => imports.Add("env", (Instance)null!));
        Assert.Throws<ArgumentNullException>(() => imports[null!, "f"] = f);
        Assert.Throws<ArgumentNullException>(() => imports.AddRange(null!));
        Assert.Throws<ArgumentNullException>(() => imports.AddUnknown(null!, UnknownImports.Trap));
        Assert.Throws<ArgumentException>(() => imports.Add("env", "f", (object)null!));
        Assert.Throws<ArgumentException>(() => imports.Add("env", "f", "text"));
        Assert.Empty(imports);
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
