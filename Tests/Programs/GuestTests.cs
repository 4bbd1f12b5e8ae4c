using WasmJit.Guests;
using Xunit;

namespace WasmJit.Programs;

/// <summary>
/// The guests of <c>Samples/Guests</c>: programs of others that make code and load libraries. They are not in the repository; the tests run where
/// <c>Samples/Guests/install</c> has installed them.
/// </summary>
public sealed class GuestTests
{
    [GuestTheory("forth")]
    [InlineData(true)]
    [InlineData(false)]
    public void ForthMakesModulesOfItsWords(bool usesCompile)
    {
        var forth = new Forth(File.ReadAllText(Packages.Forth), usesCompile);
        Assert.Equal("3 ", forth.Run("1 2 + ."));
        forth.Run(string.Join('\n', Enumerable.Range(0, 500).Select(i => $": w{i} {i} + ;")));
        Assert.Equal("500 ", forth.Run("1 w499 ."));
        forth.Run(Forth.Sieve);
        Assert.Equal("78498 ", forth.Run("1000000 sieve"));
        Assert.Equal(usesCompile ? 0 : 503, forth.Loaded);
        Assert.Contains("undefined word", Assert.Throws<InvalidOperationException>(() => forth.Run("no-such-word")).Message, StringComparison.Ordinal);
        Assert.Equal("7 ", forth.Run("3 4 + ."));
    }

    [GuestFact("processor")]
    public void AProcessorMakesModulesOfABootSector()
    {
        var processor = new Processor(File.ReadAllBytes(Packages.Processor));
        Assert.Equal(BootSector.Expected(60), processor.Boot(BootSector.Make(60)));
        Assert.InRange(processor.Modules, 1, 900);
    }

    [GuestFact("javascript")]
    public void JavaScriptLoadsItsFiveLibraries()
    {
        using var javaScript = new JavaScript(File.ReadAllBytes(Packages.JavaScript), JavaScript.Libraries(Packages.JavaScriptExtensions));
        Assert.Equal("3", javaScript.Evaluate("1 + 2"));
        Assert.Equal("https://user@example.org:81/b?x=1#y /a/c", javaScript.Evaluate("new URL('https://user@example.org:81/a/../b?x=1#y').href + ' ' + new URL('../c', 'http://h/a/b/').pathname"));
        Assert.Equal("104,195,164", javaScript.Evaluate("Array.from(new TextEncoder().encode('h\u00e4')).join()"));
        Assert.Equal("a,1,b,2", javaScript.Evaluate("[...new Headers({ b: '2', A: '1' })].join()"));
        Assert.Equal("2", javaScript.Evaluate("structuredClone({ a: [1, new Map([[1, 2]])] }).a[1].get(1)"));
        Assert.Equal("36", javaScript.Evaluate("crypto.randomUUID().length"));
        Assert.Contains("wrong", Assert.Throws<InvalidOperationException>(() => javaScript.Evaluate("throw new Error('wrong')")).Message, StringComparison.Ordinal);
    }

    [GuestTheory("python")]
    [InlineData(Compilation.Tiered)]
    [InlineData(Compilation.Lazy)]
    [InlineData(Compilation.Interpreted)]
    public void PythonRaisesByJumps(Compilation compilation)
    {
        using var python = new MicroPython(File.ReadAllBytes(Packages.MicroPython), new EngineOptions { Compilation = compilation });
        Assert.Equal("3 [1, 4, 9]\n", python.Run("print(1 + 2, [x * x for x in (1, 2, 3)])"));
        Assert.Equal("caught 1 done\n", python.Run("""
            def f(n):
                try:
                    if n == 0:
                        raise ValueError(1)
                    return f(n - 1)
                finally:
                    global ends
                    ends += 1
            ends = 0
            try:
                f(20)
            except ValueError as e:
                print('caught', e.args[0], 'done' if ends == 21 else ends)
            """));
        Assert.Contains("ZeroDivisionError: divide by zero", Assert.Throws<InvalidOperationException>(() => python.Run("1 // 0")).Message, StringComparison.Ordinal);
        Assert.Contains("recursion", Assert.Throws<InvalidOperationException>(() => python.Run("def g(): g()\ng()")).Message, StringComparison.Ordinal);
        Assert.Equal("21\n", python.Run("print(ends)"));
    }

    [GuestFact("syntax")]
    public void TreeSitterLoadsItsGrammars()
    {
        MemoryNamespace grammars = SyntaxParser.Grammars(Packages.Grammars, out string[] names);
        using var parser = new SyntaxParser(File.ReadAllBytes(Packages.TreeSitter), grammars);
        Assert.StartsWith("(translation_unit (function_definition type: (primitive_type)", parser.Parse("tree-sitter-c", "int main(void) { return 1 + 2; }"), StringComparison.Ordinal);
        Assert.Equal("(document (array (number) (object (pair key: (string (string_content)) value: (null)))))", parser.Parse("tree-sitter-json", """[1, {"a": null}]"""));
        // All grammars load. Those of a version that this tree-sitter does not know are refused by it, in every host.
        int parsed = names.Count(name => parser.Parse(name, "x") is not null);
        Assert.Equal((36, 34), (names.Length, parsed));
    }

    [GuestFact("grammar")]
    public void TreeSitterLoadsAGrammarOfTodaysTools()
    {
        using var parser = new SyntaxParser(File.ReadAllBytes(Packages.TreeSitter), new MemoryNamespace { { "tree-sitter-c.wasm", File.ReadAllBytes(Packages.CGrammar) } });
        for (int i = 0; i < 3; i++)
            Assert.StartsWith("(translation_unit (preproc_include path: (system_lib_string))", parser.Parse("tree-sitter-c", "#include <a.h>\nint x = 1;\n"), StringComparison.Ordinal);
    }

    [GuestFact("toolchain")]
    public void AGuestCompilesALibraryThatAnotherLoads()
    {
        var toolchain = new Toolchain(Packages.Llvm, Packages.LlvmResources);
        foreach (string name in new[] { "program.c", "plugin.c" }) toolchain.AddSample(name);
        toolchain.LinkLibrary("plugin.so", toolchain.Compile("plugin.c"));
        toolchain.LinkProgram("program.wasm", toolchain.Compile("program.c"));
        Assert.Equal("1 - 2x + x*x/2, in percent: 100 -50 -87.5\n", toolchain.RunProgram("program.wasm", "plugin.so", "0", "1", "2.5"));
        toolchain.Files.WriteFile("wrong.c", "int main(void) { return x; }");
        Assert.Contains("use of undeclared identifier 'x'", Assert.Throws<InvalidOperationException>(() => toolchain.Compile("wrong.c")).Message, StringComparison.Ordinal);
    }

    private static string? SkipOf(string guest)
    {
        string file = guest switch
        {
            "forth" => Packages.Forth,
            "processor" => Packages.Processor,
            "javascript" => Packages.JavaScript,
            "python" => Packages.MicroPython,
            "syntax" => Packages.TreeSitter,
            "grammar" => Packages.CGrammar,
            _ => Packages.Llvm,
        };
        return File.Exists(file) ? null : $"not run: {guest} is not installed (Samples/Guests/install)";
    }

    /// <summary>A test of a guest that may not be there.</summary>
    [AttributeUsage(AttributeTargets.Method)]
    private sealed class GuestFactAttribute : FactAttribute
    {
        public GuestFactAttribute(string guest) => Skip = SkipOf(guest);
    }

    /// <summary>The same with data.</summary>
    [AttributeUsage(AttributeTargets.Method)]
    private sealed class GuestTheoryAttribute : TheoryAttribute
    {
        public GuestTheoryAttribute(string guest) => Skip = SkipOf(guest);
    }
}
