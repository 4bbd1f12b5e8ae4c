using Xunit;

namespace WasmJit.Tests;

/// <summary>A module may give itself, and its functions, names of megabytes. Stack traces and methods repeat names, so they have the beginning alone.</summary>
public sealed class LongNameTests
{
    private const int Long = 3_000_000, MostOfModule = 256, MostOfFunction = 4096;

    /// <summary>What a trap may allocate. With whole names a stack of 100 frames has 600 MB.</summary>
    private const long Most = 32 << 20;

    private static readonly string Name = new('n', Long);

    private static Module Compile(Compilation compilation) => new Engine(new EngineOptions { Compilation = compilation, Inlining = false, MaximumStack = 128 << 10 }).CompileText($$"""
        (module ${{Name}}
          (func $deep (export "deep") (param i32) (result i32) (i32.add (i32.const 1) (call $deep (local.get 0))))
          (func ${{Name}} (export "named") (unreachable))
          (func (export "{{Name}}") (export "exported") (unreachable)))
        """);

    [Theory]
    [InlineData(Compilation.Interpreted)]
    [InlineData(Compilation.Ahead)]
    public void TracesHaveTheirBeginning(Compilation compilation)
    {
        Instance instance = Compile(compilation).Instantiate();
        var deep = instance.GetExport<Func<int, int>>("deep");
        Action named = instance.GetExport<Action>("named"), exported = instance.GetExport<Action>("exported");
        long before = GC.GetAllocatedBytesForCurrentThread();
        TrapException exhausted = Assert.Throws<TrapException>(() => deep(1));
        Assert.Equal(TrapKind.CallStackExhausted, exhausted.Kind);
        Assert.True(exhausted.WasmStack.Count > 90);
        Assert.All(exhausted.WasmStack.Where(f => f.Omitted == 0), f => Assert.Equal((Name[..(MostOfModule - 1)] + "\u2026", "deep"), (f.Module, f.Function)));
        Assert.Equal(Name[..(MostOfFunction - 1)] + "\u2026", Assert.Throws<TrapException>(named).WasmStack[0].Function);
        Assert.Equal(Name[..(MostOfFunction - 1)] + "\u2026", Assert.Throws<TrapException>(exported).WasmStack[0].Function);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, Most);
    }

    /// <summary>Each compiled function is a method, whose name has the module's in it.</summary>
    [Fact]
    public void MethodsHaveTheirBeginning()
    {
        Module module = Compile(Compilation.Lazy);
        Assert.Equal(Name, module.Name);
        for (int i = 0; i < 3; i++) Assert.InRange(module.Code.NameOf(i).Length, MostOfModule, MostOfModule + MostOfFunction + 20);
    }

    [Theory]
    [InlineData("\ud83d\ude00")]
    [InlineData("\u20ac")]
    [InlineData("\u00e9")]
    public void CharactersAreNotCutInTwo(string character)
    {
        foreach (string before in new[] { "", "a", "ab" })
        {
            string name = before + string.Concat(Enumerable.Repeat(character, MostOfFunction));
            Instance instance = new Engine().CompileText($"(module $\"{name}\" (func $\"{name}\" (export \"f\") (unreachable)))").Instantiate();
            WasmFrame frame = Assert.Throws<TrapException>(instance.GetExport<Action>("f")).WasmStack[0];
            Assert.InRange(frame.Function.Length, MostOfFunction - 1, MostOfFunction);
            Assert.InRange(frame.Module!.Length, MostOfModule - 1, MostOfModule);
            Assert.StartsWith(frame.Function[..^1], name, StringComparison.Ordinal);
            Assert.DoesNotContain('\ufffd', frame.Function);
            Assert.False(char.IsHighSurrogate(frame.Function[^2]) || char.IsHighSurrogate(frame.Module[^2]));
        }
    }
}
