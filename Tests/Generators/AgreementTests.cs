using System.Reflection;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using WasmJit.Generators;
using WasmJit.Jit.Calls;
using WasmJit.Linking;
using Xunit;

namespace WasmJit.Tests.Generators;

/// <summary>What is said when a program is compiled is what the library says when it runs.</summary>
public sealed class AgreementTests
{
    private const string Text = """
        (module $wrong
          (import "env" "log" (func (param i32)))
          (memory (export "memory") 1 2) (table (export "table") 1 funcref)
          (global (export "fixed") i64 (i64.const 1)) (global (export "counter") (mut i32) (i32.const 5))
          (tag (export "tag") (param i32))
          (func (export "add") (param i32 i32) (result i32) (local.get 0))
          (func (export "two") (result i32 i64) (i32.const 1) (i64.const 2))
          (func (export "text") (param i32 i32) (result i32) (local.get 0))
          (func (export "keep") (param externref funcref v128 f32 f64 i64)))
        """;

    /// <summary>Members that do not fit, each for its own reason.</summary>
    private const string Members = """
        int Missing();
        int NotThereEither(int a);
        long Add(int a, int b);
        int Counter();
        decimal Half();
        void Text(decimal value);
        string Two();
        (int, int) Add2();
        [WasmName("two")] (int, int) Pair();
        [WasmName("add")] int Strings(string a, string b);
        [WasmName("text")] void NoResult(string a);
        [WasmName("keep")] void Keep(object a, System.Func<int> b, System.Runtime.Intrinsics.Vector128<byte> c, float d, double e, int f);
        [WasmName("memory")] int Memory2 { get; }
        int Fixed { get; }
        [WasmName("fixed")] long Settable { get; set; }
        [WasmName("table")] Memory NotAMemory { get; }
        [WasmName("table")] Table SetTable { get; set; }
        [WasmName("nothing")] Global Nothing { get; }
        [WasmName("tag")] Global NotAGlobal { get; }
        int this[int index] { get; }
        [WasmName("counter")] string Words { get; }
        System.DateTime Add3();
        [WasmName("add")] Colour Enumeration(Colour a, System.Guid[] b);
        event System.Action<int> Log;
        event System.Action<int> Elsewhere;
        [WasmName("log", Module = "other")] event System.Action<int> OtherModule;
        """;

    [Fact]
    public void ProblemsHaveTheSameWords()
    {
        string path = Path.GetTempFileName();
        try
        {
            File.WriteAllBytes(path, Wat.ToBinary(Text));
            string name = Path.GetFileName(path);
            Compiled with = Compiled.Of($"public enum Colour {{ Red }} [WasmFace(\"{name}\")] public interface IWrong {{ {Members} }}", new Compiled.File(path, "module", "", ("Class", "M")));
            Assembly without = Compiled.Of($"public enum Colour {{ Red }} public interface IWrong {{ {Members} }}").Load();
            MethodInfo make = typeof(Module).GetMethods().Single(m => m.Name == nameof(Module.Instantiate) && m.IsGenericMethod).MakeGenericMethod(without.GetType("IWrong")!);
            var error = (BindingException)Assert.Throws<TargetInvocationException>(() => make.Invoke(new Engine().CompileText(Text), [null, null, null])).InnerException!;
            Assert.True(error.Problems.Count > 20, error.Message);
            Assert.Equal(error.Problems, with.Problems.Select(p => p[(p.IndexOf(": ", StringComparison.Ordinal) + 2)..]));
        }
        finally
        {
            File.Delete(path);
        }
    }

    public enum Small : short { A }

    public struct Auto { public int X; }

    [System.Runtime.InteropServices.StructLayout(System.Runtime.InteropServices.LayoutKind.Explicit)]
    public struct Explicit
    {
        [System.Runtime.InteropServices.FieldOffset(0)]
        public int X;
    }

    public struct WithBool { public int X; public bool Y; }

    public struct Nested { public Auto A; public Small B; }

    public struct WithReference { public string X; }

    public struct Empty;

    public static IEnumerable<Type> Types =>
    [
        typeof(int), typeof(uint), typeof(bool), typeof(byte), typeof(sbyte), typeof(short), typeof(ushort), typeof(char), typeof(long), typeof(ulong), typeof(float), typeof(double),
        typeof(System.Runtime.Intrinsics.Vector128<byte>), typeof(System.Runtime.Intrinsics.Vector128<int>), typeof(Small), typeof(ConsoleColor), typeof(string), typeof(object), typeof(nint),
        typeof(decimal), typeof(DateTime), typeof(Guid), typeof(int?), typeof(int[]), typeof(bool[]), typeof(char[]), typeof(string[]), typeof(int[,]), typeof(int[][]), typeof(Auto[]),
        typeof(Small[]), typeof(Auto), typeof(Explicit), typeof(WithBool), typeof(Nested), typeof(WithReference), typeof(Empty), typeof(Span<int>), typeof(ReadOnlySpan<byte>),
        typeof(Span<string>), typeof(Span<Nested>), typeof(Func<int>), typeof(Action), typeof(Delegate), typeof(EventHandler<int>), typeof((int, long)), typeof((uint, long)),
        typeof((int, int, int, int, int, int, int, object, Delegate)), typeof(List<int>), typeof(IDisposable), typeof(Memory), typeof(Task), typeof(Task<int>), typeof(ValueTask),
        typeof(System.Numerics.BigInteger), typeof(Dictionary<string, int[]>), typeof(Half), typeof(Point), typeof(Point[]),
    ];

    /// <summary>The generators see types as the compiler does, the library by reflection.</summary>
    [Fact]
    public void TypesCrossInTheSameWay()
    {
        CSharpCompilation compilation = CSharpCompilation.Create("types",
            [CSharpSyntaxTree.ParseText($"class C {{ {string.Concat(Types.Select((t, i) => $"void M{i}({Written(t)} x) {{ }} "))} }}")],
            Compiled.References);
        INamedTypeSymbol type = compilation.GetTypeByMetadataName("C")!;
        int number = 0;
        foreach (Type wanted in Types)
        {
            ITypeSymbol symbol = ((IMethodSymbol)type.GetMembers($"M{number++}").Single()).Parameters[0].Type;
            Assert.True(symbol.TypeKind != TypeKind.Error, wanted.ToString());
            TypeModel seen = TypeModel.Of(symbol);
            CrossingType found = CrossingType.Of(wanted);
            Assert.Equal(CSharpName.Of(wanted), seen.Message);
            string? tuple = CrossingType.IsTuple(wanted) ? CrossingType.TupleLetters(wanted) : null;
            Assert.Equal((wanted, tuple), (wanted, seen.Tuple));
            if (seen.IsForeign)
            {
                // What .NET's reference assemblies show of a struct is not all of it: the library decides.
                Assert.Equal("Struct", seen.Kind.ToString());
                continue;
            }
            Assert.Equal((wanted, found.Kind.ToString(), found.Shape.Number), (wanted, seen.Kind.ToString(), seen.Number));
        }
    }

    /// <summary>The type as C# writes it, with names of namespaces.</summary>
    private static string Written(Type type)
    {
        if (type.IsArray) return $"{Written(type.GetElementType()!)}[{new string(',', type.GetArrayRank() - 1)}]";
        string name = (type.FullName ?? type.Name).Replace('+', '.');
        if (!type.IsGenericType) return "global::" + name;
        return $"global::{name[..name.IndexOf('`')]}<{string.Join(", ", type.GetGenericArguments().Select(Written))}>";
    }
}
