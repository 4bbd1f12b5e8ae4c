using System.Reflection;
using Xunit;

namespace WasmJit.Tests.Generators;

/// <summary>What the generators write, and what they say where they cannot.</summary>
public sealed class GeneratorTests
{
    private const string Everything = """
        namespace Plugins;

        public enum Colour : byte { Red }

        public record struct Point(double X, double Y);

        [WasmFace]
        public interface IShapes : IMore
        {
            double Area(double width, double height);
            [WasmName("name-length")] int NameLength(string name);
            bool IsEven(uint number);
            Colour Mix(Colour a, ulong b);
            Point Scale(Point point, double by);
            [return: WasmOwned] string? Describe(ReadOnlySpan<int> items, Span<Point> points, byte[] bytes);
            (int, long) Both();
            Func<int, int> Function(object? value, Action callback);
            int Other(int a) => a + 1;
            int Count { get; set; }
            string? Label { get; set; }
            Func<int>? Current { get; set; }
            Memory Memory { get; }
            Instance Instance { get; }
        }

        public interface IMore
        {
            event Action<string, int>? Logged;
            event Func<Point, string>? Asked;
        }

        [WasmImports]
        public partial class Host
        {
            public void Log(Caller caller, string text) { }
            public uint Sum(ReadOnlySpan<uint> items) => 0;
            [WasmName("who")] public string Name() => "";
            public System.Threading.Tasks.Task<int> WaitAsync(int a, System.Threading.CancellationToken token) => System.Threading.Tasks.Task.FromResult(a);
            public Memory Shared { get; } = new(new MemoryType(1, null));
        }
        """;

    [Fact]
    public void InterfacesAndImports()
    {
        Compiled compiled = Compiled.Of(Everything);
        Assert.Empty(compiled.Problems);
        Assert.True(!compiled.Errors.Any(), string.Join('\n', compiled.Errors));
        Assert.Equal(["Plugins.Host.g.cs", "Plugins.IShapes.g.cs"], compiled.Sources.Keys.Order(StringComparer.Ordinal));
        Golden.Equal("IShapes.txt", compiled.Sources["Plugins.IShapes.g.cs"]);
        Golden.Equal("Host.txt", compiled.Sources["Plugins.Host.g.cs"]);
    }

    [Fact]
    public void AModule()
    {
        Compiled compiled = Compiled.Of("namespace App; public partial class Plugin { public partial int Length(string text); }",
            new Compiled.File(Golden.InRepository("Tests/Generators/Modules/plugin.wasm"), "module"));
        Assert.Empty(compiled.Problems);
        Assert.Empty(compiled.Errors);
        Golden.Equal("Plugin.txt", compiled.Sources.Single().Value);
    }

    [Fact]
    public void TheSameInputIsTheSameOutput() => Assert.Equal(Compiled.Of(Everything).Sources, Compiled.Of(Everything).Sources);

    /// <summary>A module is read when it has changed, and not with each change of the program.</summary>
    [Fact]
    public void AModuleIsReadOnce()
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory();
        try
        {
            string path = Path.Combine(folder.FullName, "plugin.wasm");
            File.Copy(Golden.InRepository("Tests/Generators/Modules/plugin.wasm"), path);
            Compiled first = Compiled.Of("", new Compiled.File(path, "module"));
            File.Delete(path);
            Compiled second = first.With("public class Other { }");
            Assert.Empty(second.Problems);
            Assert.NotEmpty(second.Sources);
            Assert.Equal(first.Sources, second.Sources);
        }
        finally
        {
            folder.Delete(true);
        }
    }

    public static TheoryData<string, string> Wrong() => new()
    {
        { "[WasmFace] public interface I<T> { }", "WASMJIT003: I: a generic interface cannot be generated" },
        { "public class C { [WasmFace] private interface I { } }", "WASMJIT003: I: the generated class cannot see it: make it internal or public" },
        { "[WasmFace] file interface I { void F(); }", "WASMJIT003: I: the generated class cannot see it: make it internal or public" },
        { "[WasmImports] file partial class C { public void F() { } }", "WASMJIT003: C: no other file sees it" },
        { "[WasmImports] public record C { public void F() { } }", "WASMJIT003: C: C has to be partial" },
        { "[WasmFace] public interface I { void F(decimal x); }", "WASMJIT002: F: the parameter x is decimal, which cannot cross" },
        { "[WasmFace] public interface I { void F(ref int x); }", "WASMJIT002: F: the parameter x is int&, which cannot cross" },
        { "[WasmFace] public interface I { System.Collections.Generic.KeyValuePair<int, string> F(); }", "WASMJIT002: F: the result is KeyValuePair<int, string>, which cannot cross" },
        { "[WasmFace] public interface I { void F<T>(); }", "WASMJIT003: F: a method of this kind cannot be bound" },
        { "[WasmFace] public interface I { int this[int i] { get; } }", "WASMJIT003: Item: an indexer cannot be bound" },
        { "[WasmFace] public interface I { int P => 1; }", "WASMJIT003: P: a property with a body cannot be generated" },
        { "[WasmFace] public interface I { event Action<decimal> E; }", "WASMJIT002: E: the parameter obj is decimal, which cannot cross" },
        { "[WasmFace(\"none.wasm\")] public interface I { }", "WASMJIT004: none.wasm: the project has no such WasmModule" },
        { "[WasmImports] public class C { public void F() { } }", "WASMJIT003: C: C has to be partial" },
        { "[WasmImports] public partial class C { public void F(decimal x) { } }", "WASMJIT002: F: the parameter x is decimal, which cannot cross" },
    };

    [Theory]
    [MemberData(nameof(Wrong))]
    public void SaysWhatItCannotDo(string source, string problem)
    {
        Compiled compiled = Compiled.Of(source);
        Assert.Equal([problem], compiled.Problems);
        Assert.Empty(compiled.Sources);
    }

    [Fact]
    public void APropertyThatMayBeNullIsImported()
    {
        Compiled compiled = Compiled.Of("[WasmImports] public partial class C { public Memory? Shared => null; }");
        Assert.Empty(compiled.Problems);
        Assert.Contains("(\"Shared\", null, Shared)", Assert.Single(compiled.Sources).Value, StringComparison.Ordinal);
    }

    /// <summary>The fields of the class have names, too.</summary>
    [Fact]
    public void ParametersMayBeCalledAsFieldsAre()
    {
        Compiled compiled = Compiled.Of("[WasmFace] public interface I { int A(int member0); int B(string typed1); string C(string typed2, string roomed2); int D(string has3) => 0; int E(int member4) => 0; }");
        Assert.Empty(compiled.Problems);
        Assert.Contains(compiled.Load().GetTypes(), t => t.Name == "IFace");
    }

    /// <summary>Whatever C# lets a program call its things.</summary>
    [Fact]
    public void NamesMayBeKeywords()
    {
        Compiled compiled = Compiled.Of("""
            namespace @namespace.@class;
            [WasmFace] public interface @event
            {
                int @class(int @params, string @string);
                int @await(ReadOnlySpan<byte> @this) => 1;
                int @object { get; set; }
                event Action<int> @delegate;
                bool @record() => @field(true);
                bool @field(bool @value) => @value;
            }
            public partial record struct @struct
            {
                public partial interface @interface
                {
                    [WasmImports] public partial class @public
                    {
                        public void @return(string @out, int @base) { }
                        public int @required() => 1;
                        public Memory? @memory => null;
                        public Action? @default => null;
                    }
                }
            }
            """);
        Assert.Empty(compiled.Problems);
        Assert.Empty(compiled.Errors);
        Type face = compiled.Load().GetType("namespace.class.event")!;
        object made = typeof(Module).GetMethod(nameof(Module.Instantiate), 1, [typeof(Imports), typeof(Fuel), typeof(GuestResources)])!.MakeGenericMethod(face).Invoke(new Engine().CompileText("""
            (module (import "env" "delegate" (func (param i32))) (memory (export "memory") 1) (func (export "malloc") (param i32) (result i32) (i32.const 8)) (func (export "free") (param i32))
              (func (export "class") (param i32 i32 i32) (result i32) (i32.add (local.get 0) (local.get 2))) (global (export "object") (mut i32) (i32.const 3)))
            """), [null, null, null])!;
        Assert.Equal((9, 3, true), (face.GetMethod("class")!.Invoke(made, [5, "four"]), face.GetProperty("object")!.GetValue(made), face.GetMethod("record")!.Invoke(made, [])));
    }

    /// <summary>A record is a class, too, and so are all around it.</summary>
    [Fact]
    public void RecordsAndTypesInOthersAreWritten()
    {
        Compiled compiled = Compiled.Of("""
            [WasmImports] public sealed partial record Recorded(string Name) { public void Log(string text) { } }
            public static partial class Outer { internal readonly partial record struct Inner { [WasmImports] internal sealed partial class Deep { public int F() => 1; } } }
            public class IFaceFace;
            [WasmFace] public interface IFace { int F(); }
            """);
        Assert.Empty(compiled.Problems);
        Assert.Empty(compiled.Errors);
        Assert.Equal(3, compiled.Sources.Count);
    }

    [Fact]
    public void AFileThatIsNoModuleIsAProblem()
    {
        Compiled compiled = Compiled.Of("", new Compiled.File(Golden.InRepository("README.md"), "module"));
        Assert.Equal(["WASMJIT004: README.md: it is not a module in the binary format"], compiled.Problems);
        compiled = Compiled.Of("", new Compiled.File(Golden.InRepository("no-such.wasm"), "module"));
        Assert.StartsWith("WASMJIT004: no-such.wasm: ", Assert.Single(compiled.Problems), StringComparison.Ordinal);
    }

    /// <summary>A method with a body is the module's if it has it, and the interface's own otherwise, which can call all others.</summary>
    [Fact]
    public void MethodsWithBodies()
    {
        Type type = Compiled.Of("""
            [WasmFace] public interface I
            {
                int Value();
                int Other() => Text("four") + Number(1);
                int Text(string text) => text.Length * 10;
                int Number(int a) => a;
            }
            """).Load().GetType("I")!;
        MethodInfo face = typeof(Instance).GetMethod(nameof(Instance.As))!.MakeGenericMethod(type);
        object bare = face.Invoke(new Engine().CompileText("(module (func (export \"value\") (result i32) (i32.const 7)))").Instantiate(), [])!;
        Assert.Equal((7, 41), (type.GetMethod("Value")!.Invoke(bare, []), type.GetMethod("Other")!.Invoke(bare, [])));
        Assert.Same(type.Assembly, bare.GetType().Assembly);
        object whole = face.Invoke(new Engine().CompileText("""
            (module (memory (export "memory") 1) (func (export "malloc") (param i32) (result i32) (i32.const 8)) (func (export "free") (param i32))
              (func (export "value") (result i32) (i32.const 7))
              (func (export "text") (param i32 i32) (result i32) (local.get 1))
              (func (export "number") (param i32) (result i32) (i32.const 100)))
            """).Instantiate(), [])!;
        Assert.Equal(104, type.GetMethod("Other")!.Invoke(whole, []));
    }
}
