using WasmJit.Generators;
using Xunit;

namespace WasmJit.Tests.Generators;

/// <summary>Modules and WIT of others are read while a program is compiled: they add nothing to it but what stands for them, and do not hold the compiler up.</summary>
public sealed class HostileInputTests
{
    // Two assemblies that this one sees have the names of the format, so that it can use neither's.
    private const byte TypeSection = 1, ExportSection = 7, FuncForm = 0x60, I32 = 0x7f, FuncKind = 0;

    /// <summary>What ends a line in C#, and with it a comment.</summary>
    private static readonly char[] LineEnds = ['\n', '\r', '\u0085', '\u2028', '\u2029'];

    private static Compiled OfModule(byte[] module)
    {
        string path = Path.Combine(Directory.CreateTempSubdirectory("hostile").FullName, "guest.wasm");
        try
        {
            File.WriteAllBytes(path, module);
            return Compiled.Of("", new Compiled.File(path, "module"));
        }
        finally
        {
            Directory.Delete(Path.GetDirectoryName(path)!, recursive: true);
        }
    }

    private static Compiled OfWit(string text) => Compiled.Of("", new Compiled.File("/wit/guest.wit", "wit", text));

    /// <summary>A text that is a class where it is no comment any more, and closes what may be open.</summary>
    private static string Injected(char lineEnd) => $"x{lineEnd}}} }} }} public static class Injected {{ }} /*{lineEnd}public static class Injected {{ }} //";

    private static void HasNoMoreTypes(Compiled compiled, char lineEnd)
    {
        Assert.All(compiled.Load().GetTypes(), t => Assert.DoesNotContain("Injected", t.Name, StringComparison.Ordinal));
        // Bidirectional characters and other control characters stand nowhere either.
        Assert.DoesNotContain(compiled.Sources.Values, s => lineEnd != '\n' && s.Contains(lineEnd));
    }

    [Fact]
    public void NamesOfAModuleAreNoCode()
    {
        foreach (char end in LineEnds.Append('\u202e').Append('\0'))
        {
            var text = new ByteText(Injected(end));
            HasNoMoreTypes(OfModule(Wat.ToBinary($"""
                (module $"{text}" (import "{text}" "{text}" (func (param i32)))
                  (memory (export "{text}m") 1) (global (export "{text}g") (mut i32) (i32.const 1))
                  (func (export "{text}") (param $"{text}" i32) (param $member0 i32) (param $class i32) (result i32) (local.get 0)))
                """)), end);
        }
    }

    /// <summary>A text as the text format writes it, in bytes.</summary>
    private readonly record struct ByteText(string Text)
    {
        public override string ToString() => string.Concat(System.Text.Encoding.UTF8.GetBytes(Text).Select(b => $"\\{b:x2}"));
    }

    [Fact]
    public void DocumentationOfWitIsNoCode()
    {
        foreach (char end in LineEnds.Append('\u202e').Append('\0'))
        {
            HasNoMoreTypes(OfWit($$"""
                package a:b;
                /// {{Injected(end).Replace('\n', ' ')}}
                interface i {
                  /// {{Injected(end).Replace('\n', ' ')}}
                  f: func(a: u32) -> result<u32, string>;
                  /// {{Injected(end).Replace('\n', ' ')}}
                  record r { a: u32 }
                }
                /// {{Injected(end).Replace('\n', ' ')}}
                world w { import i; export i; }
                """), end);
        }
    }

    private static string Doubling(string first, Func<int, string> next) => first + string.Concat(Enumerable.Range(1, 45).Select(next));

    /// <summary>Some forty lines that double something each.</summary>
    [Fact]
    public void WitThatGrowsIsRefused()
    {
        string types = $"package a:b; interface i {{ {Doubling("type t0 = u32;", i => $"type t{i} = tuple<t{i - 1}, t{i - 1}>;")} f: func(a: t45); }}";
        Assert.StartsWith("WASMJIT005: the type tuple is too large", Assert.Single(OfWit(types).Problems), StringComparison.Ordinal);

        string many = $"package a:b; interface i {{ {Doubling("type t0 = u32;", i => i > 12 ? "" : $"type t{i} = tuple<t{i - 1}, t{i - 1}>;")} {string.Concat(Enumerable.Range(0, 2000).Select(i => $"f{i}: func(a: t12);"))} }}";
        Assert.Equal("WASMJIT005: the code for it would be too large", Assert.Single(OfWit(many).Problems));

        string worlds = $"package a:b; {Doubling("world w0 { }", i => $"world w{i} {{ include w{i - 1}; include w{i - 1}; }}")}";
        Assert.Equal("WASMJIT005: the world w16 includes too much", Assert.Single(OfWit(worlds).Problems));

        string alike = $"package a:b; interface i {{ {string.Concat(Enumerable.Range(0, 200).Select(_ => "f: func();"))} }}";
        Assert.Equal("WASMJIT005: too many things are called F", Assert.Single(OfWit(alike).Problems));
    }

    /// <summary>Whether a type has a resource in it is asked of each definition once.</summary>
    [Fact]
    public void RecordsOfRecordsAreLookedIntoOnce()
    {
        string records = Doubling("record r0 { a: u32 }", i => $"record r{i} {{ a: r{i - 1}, b: r{i - 1} }}");
        Compiled compiled = OfWit($"package a:b; interface i {{ {records} f: func(a: r40); }} world w {{ import i; }}");
        Assert.Empty(compiled.Problems);
        Assert.Contains("AddObject<global::App.B.II>", Assert.Single(compiled.Sources).Value, StringComparison.Ordinal);
    }

    [Fact]
    public void WordsThatWitDoesNotHaveAreShown() =>
        Assert.Equal(@"WASMJIT005: unexpected character '\u001b'", Assert.Single(OfWit("package a:b; \u001b[2J").Problems));

    /// <summary>A few bytes of a module would become gigabytes of code.</summary>
    [Fact]
    public void ModulesThatGrowAreRefused()
    {
        string type = string.Concat(Enumerable.Repeat("i32 ", 1000));
        string exports = string.Concat(Enumerable.Range(0, 3000).Select(i => $"(export \"{i}\" (func 0))"));
        Assert.Equal("WASMJIT004: guest.wasm: the code for it would be too large", Assert.Single(OfModule(Wat.ToBinary($"(module (func (param {type})) {exports})")).Problems));

        string imports = string.Concat(Enumerable.Range(0, 3000).Select(i => $"(import \"e\" \"{i}\" (func (type 0)))"));
        Compiled compiled = OfModule(Wat.ToBinary($"(module (type (func (param {type}))) {imports})"));
        Assert.Contains(", and 2950 more.", Assert.Single(compiled.Sources).Value, StringComparison.Ordinal);

        byte[] wider = [.. "\0asm\x01\0\0\0"u8, TypeSection, 0xee, 7, 1, FuncForm, 0xe9, 7, .. Enumerable.Repeat(I32, 1001), 0];
        Assert.Equal("WASMJIT004: guest.wasm: a function has more than 1000 parameters or results", Assert.Single(OfModule(wider).Problems));
    }

    [Fact]
    public void IndicesOfNothingAreAProblem()
    {
        byte[] module = [.. "\0asm\x01\0\0\0"u8, ExportSection, 9, 1, 1, (byte)'\n', FuncKind, 0xff, 0xff, 0xff, 0xff, 0x0f];
        Assert.Equal("WASMJIT004: guest.wasm: the export \"\\n\" names an index that does not exist", Assert.Single(OfModule(module).Problems));
    }

    /// <summary>Two hundred thousand exports whose names differ in nothing that an identifier has.</summary>
    [Fact]
    public void NamesThatAreAlikeAreNumbered()
    {
        var names = new NameSet([]);
        string last = "";
        for (int i = 0; i < 200_000; i++) last = names.Unique(Identifiers.Pascal("a" + (char)(' ' + (i % 8))));
        Assert.Equal("A200000", last);
        Assert.Equal(480, Identifiers.Pascal(new string('x', 100_000)).Length);
    }
}
